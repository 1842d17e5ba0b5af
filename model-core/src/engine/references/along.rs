//! What goes along with a deletion, and how it is written.

use std::sync::Arc;

use bson::RawDocumentBuf;

use super::cascade::{Root, follow};
use super::graph::Kin;
use super::loss::Loosened;
use crate::engine::read::load;
use crate::engine::secrets::document_seal;
use crate::engine::unit::{Action, Deleted, WriteUnit, held};
use crate::engine::write::plan::{Item, Plan};
use crate::error::{Error, ErrorKind, Result};
use crate::query::Node;
use crate::schema::{ModelSchema, Reference};
use crate::store::{Find, into_error};
use crate::value::IdValue;

/// How many documents one deletion takes along: a transaction is not to hold more.
const ALONG: usize = 1_000;

/// What becomes of a document that refers to a deleted one.
pub(in crate::engine) struct Dependent {
    /// Which of the opened models it is of.
    pub(in crate::engine) kin: usize,
    pub(in crate::engine) id: IdValue,
    /// As it was found; none where there are too many to hold.
    pub(in crate::engine) found: Option<RawDocumentBuf>,
    pub(in crate::engine) fate: Fate,
}

/// Deleted too, or changed by what it loses.
pub(in crate::engine) enum Fate {
    Deleted(Action),
    Loosened(Loosened),
}

impl Fate {
    /// Whether it is written and counted as the other one is.
    pub(in crate::engine) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Deleted(one), Self::Deleted(other)) => one == other,
            (Self::Loosened(one), Self::Loosened(other)) => one.erased == other.erased,
            _ => false,
        }
    }
}

/// What a deletion takes along, in the order in which it is found: what is deleted because it refers to a document stands
/// after that document.
#[derive(Default)]
pub(in crate::engine) struct Along {
    pub(in crate::engine) kin: Vec<Box<dyn Kin>>,
    pub(in crate::engine) dependents: Vec<Dependent>,
    /// What stands in the way: the model, the reference, how many documents.
    pub(in crate::engine) blocked: Vec<(&'static ModelSchema, Arc<Reference>, u64)>,
}

impl Along {
    /// What the deletions among the items take along, in one transaction with them.
    pub(in crate::engine) async fn of(items: &[Item<'_>], transactions: bool) -> Result<Self> {
        let roots: Vec<_> = items.iter().filter_map(Root::of).collect();
        if roots.is_empty() {
            return Ok(Self::default());
        }
        // In a box: most writes delete nothing that others refer to.
        let along = Box::pin(follow(&roots, Some(ALONG))).await?;
        along.require_free()?;
        if !along.dependents.is_empty() && !transactions {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "a deletion that takes documents along needs a transaction, and this server has none: use a \
                 replica set, or `delete_in_batches`",
            ));
        }
        Ok(along)
    }

    /// The model of a dependent.
    pub(in crate::engine) fn model(&self, dependent: &Dependent) -> Result<&dyn Kin> {
        opened(&self.kin, dependent.kin)
    }

    /// The unit of a dependent.
    pub(in crate::engine) fn unit(&self, dependent: &Dependent) -> Result<Box<dyn WriteUnit + '_>> {
        let loosened = match &dependent.fate {
            Fate::Deleted(_) => None,
            Fate::Loosened(loosened) => Some(loosened.clone()),
        };
        Ok(self.model(dependent)?.unit(dependent.id.clone(), loosened))
    }

    /// The units of all dependents.
    pub(in crate::engine) fn units(&self) -> Result<Vec<(Box<dyn WriteUnit + '_>, &Dependent)>> {
        let unit = |dependent| Ok((self.unit(dependent)?, dependent));
        self.dependents.iter().map(unit).collect()
    }

    /// Refuses a deletion that something stands in the way of.
    pub(in crate::engine) fn require_free(&self) -> Result<()> {
        match self.blocked.first() {
            None => Ok(()),
            Some((schema, at, _)) => Err(Error::new(
                ErrorKind::Refused,
                "documents that refer to it stand in the way of the deletion (`on_delete = restrict`)",
            )
            .at_model(schema.name, "delete")
            .at_path(at.path.clone())),
        }
    }
}

/// The write of a dependent.
pub(in crate::engine) fn item<'u>(unit: &'u mut dyn WriteUnit, dependent: &Dependent) -> Item<'u> {
    let (action, erases) = match &dependent.fate {
        Fate::Deleted(action) => (*action, false),
        Fate::Loosened(loosened) => (Action::Update, loosened.erased),
    };
    let plan = Plan {
        unseen: true,
        required: false,
        erases,
        ..Plan::new(action)
    };
    let item = Item::new(unit, plan);
    match &dependent.found {
        Some(found) => item.found(found.clone()),
        None => item,
    }
}

pub(in crate::engine) fn opened(kin: &[Box<dyn Kin>], place: usize) -> Result<&dyn Kin> {
    let opened = kin.get(place).map(|kin| &**kin);
    opened.ok_or_else(|| Error::internal("a model that was not opened"))
}

/// The documents of a model that satisfy `rest` and are to be kept, whoever may read them.
pub(in crate::engine) async fn fetch(
    kin: &dyn Kin,
    deleted: Deleted,
    rest: Node,
    fields: Vec<&'static str>,
    keep: &mut (dyn FnMut(&[u8]) -> Result<bool> + Send),
) -> Result<Vec<(IdValue, RawDocumentBuf)>> {
    let schema = kin.schema();
    let find = Find {
        fields,
        ..Find::all(schema.collection, held(kin, deleted, rest).await?)
    };
    let mut found = Vec::new();
    let mut cursor = kin.caller().store()?.find(&find).await.map_err(into_error)?;
    while cursor.advance().await.map_err(into_error)? {
        if schema.seal.is_some() {
            let mut wanted = document_seal::Wanted::default();
            cursor.each(&mut |raw| wanted.note(raw).map(|()| true))?;
            wanted.load(&kin.caller().ports).await?;
        }
        cursor.each(&mut |raw| {
            if keep(raw)? {
                found.push((load::id(schema, raw)?, load::owned(raw)?));
            }
            Ok(true)
        })?;
    }
    Ok(found)
}
