//! Which rule decides what an actor may read.

use crate::engine::read;
use crate::engine::secrets::blind;
use crate::engine::unit::{Deleted, ReadUnit, held};
use crate::error::Result;
use crate::query::{Node, matches};
use crate::store::{Selection, into_error};
use crate::value::IdValue;

/// What decides about the reading of one document, for the application's own logs. It has no form that goes to a client:
/// to one, a document that it may not read is the same as a missing one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// The tenant has no such document.
    Missing,
    /// `read_scope` does not admit it.
    OutsideScope,
    /// `read_scope` admits it, and `can_read` denies it.
    DeniedByCanRead,
    /// It may be read.
    Granted,
}

/// Which rule decides about the document with this id.
pub(crate) async fn explain(unit: &mut dyn ReadUnit, id: &IdValue) -> Result<Access> {
    let caller = unit.caller();
    caller.ports.admit(unit.schema()).await?;
    let selection = Selection {
        id: Some((unit.schema().id_field, id.to_bson())),
        ..held(&*unit, Deleted::Hidden, Node::Everything).await?
    };
    let found = caller
        .store()?
        .find_one(unit.schema().collection, &selection)
        .await;
    let Some(raw) = found.map_err(into_error)? else {
        return Ok(Access::Missing);
    };
    let scope = caller.scoped(|| unit.read_scope());
    let scope = blind::resolve(caller, unit.schema(), scope).await?;
    if !matches(&scope, &raw) {
        return Ok(Access::OutsideScope);
    }
    if read::accept(unit, raw.as_bytes()).await? {
        Ok(Access::Granted)
    } else {
        Ok(Access::DeniedByCanRead)
    }
}
