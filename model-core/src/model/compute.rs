//! What a document is to become, computed from the document as it is found.

use super::unit::decode;
use crate::codec::{DecodeCx, InputCx, Writer};
use crate::engine;
use crate::error::{Error, Result};
use crate::policy::{BaseModel, Change};
use crate::query::Operators;

/// A patch computed by the caller.
pub(super) type Patching<'a, M> =
    Box<dyn Fn(&M) -> Result<Option<<M as crate::policy::Model>::Patch>> + Send + Sync + 'a>;

/// How the document after is made from the document before, as often as a lost race asks for it.
pub(super) enum Compute<'a, M: BaseModel> {
    Operators(Operators<M>),
    Patch(Patching<'a, M>),
}

impl<M: BaseModel> Compute<'_, M> {
    /// What is wrong whatever the document.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::Operators(operators) => operators.check(),
            Self::Patch(_) => Ok(()),
        }
    }

    /// Makes what is after; the answer is the JSON keys of the fields that it names.
    pub(super) fn carry_out(&self, change: &mut Change<M>) -> Result<Vec<&'static str>> {
        match self {
            Self::Operators(operators) => operate(operators, change),
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

fn operate<M: BaseModel>(operators: &Operators<M>, change: &mut Change<M>) -> Result<Vec<&'static str>> {
    let schema = M::schema();
    let mut out = Writer::new().keeping_keys(true);
    change.before().encode(&mut out);
    let after = operators.apply(&out.finish()?)?;
    let cx = DecodeCx::root(engine::origin(schema, &after)?);
    // What is stored did decode: what does not is the operators' doing.
    *change.after_mut() =
        decode(&after, &cx).map_err(|error| Error::invalid(vec![error.into_violation()]))?;
    let touched = schema
        .fields
        .iter()
        .filter(|field| operators.touches(field.stored));
    Ok(touched.map(|field| field.json).collect())
}
