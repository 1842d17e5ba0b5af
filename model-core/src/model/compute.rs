//! What a document is to become, computed from the document as it is found.

use super::unit::{decode, encode};
use crate::codec::{DecodeCx, InputCx, Mode, Visitor, Writer};
use crate::engine::{self, Loosened};
use crate::error::{Error, Result};
use crate::policy::{BaseModel, Change};
use crate::query::Operators;
use crate::value::Id;

/// A patch computed by the caller.
pub(super) type Patching<'a, M> =
    Box<dyn Fn(&M) -> Result<Option<<M as crate::policy::Model>::Patch>> + Send + Sync + 'a>;

/// How the document after is made from the document before, as often as a lost race asks for it.
pub(super) enum Compute<'a, M: BaseModel> {
    Operators(Operators<M>),
    Patch(Patching<'a, M>),
    /// What it loses when documents that it refers to are deleted.
    Loosened(Loosened),
}

impl<M: BaseModel> Compute<'_, M> {
    /// What is wrong whatever the document.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::Operators(operators) => operators.check(),
            Self::Patch(_) | Self::Loosened(_) => Ok(()),
        }
    }

    /// Makes what is after; the answer is the JSON keys of the fields that it names.
    pub(super) fn carry_out(&self, change: &mut Change<M>, id: &Id<M>) -> Result<Vec<&'static str>> {
        match self {
            Self::Operators(operators) => {
                remake(change, id, |document| operators.apply(&document))?;
                Ok(touched::<M>(|stored| operators.touches(stored)))
            }
            Self::Loosened(loosened) => {
                remake(change, id, |document| loosened.apply(document))?;
                if loosened.erased {
                    change.after_mut().visit(&mut Visitor::new(Mode::Erase));
                }
                Ok(touched::<M>(|stored| loosened.touches(stored)))
            }
            Self::Patch(compute) => {
                let Some(patch) = compute(change.before())? else {
                    return Ok(Vec::new());
                };
                let mut cx = InputCx::default();
                change.after_mut().apply(patch, &mut cx);
                let touched = cx.take_touched();
                cx.finish()?;
                Ok(touched)
            }
        }
    }
}

/// Makes what is after of the stored form of what is before.
fn remake<M: BaseModel>(
    change: &mut Change<M>,
    id: &Id<M>,
    make: impl FnOnce(Vec<u8>) -> Result<Vec<u8>>,
) -> Result<()> {
    let mut out = Writer::new().keeping_keys(true);
    encode(change.before(), id, &mut out);
    let after = make(out.finish()?)?;
    let decoding = engine::decoding(M::schema(), &after, None);
    let cx = DecodeCx::root(decoding.as_ref());
    // What is stored did decode: what does not is the doing of who made it.
    *change.after_mut() =
        decode(&after, &cx).map_err(|error| Error::invalid(vec![error.into_violation()]))?;
    Ok(())
}

/// The JSON keys of the fields that are touched.
fn touched<M: BaseModel>(touches: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let fields = M::schema().fields.iter();
    fields
        .filter(|field| field.stored_names().any(&touches))
        .map(|field| field.json)
        .collect()
}
