//! `update_by`, `delete_by`: writes of the document that a unique key names.

use super::unit::{Input, Reader, Writing};
use crate::engine::{self, Action, Plan, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{BaseModel, ContextFor};
use crate::query::Node;
use crate::value::Id;

pub(super) async fn update_by<M: BaseModel>(ctx: &ContextFor<M>, key: Node, patch: M::Patch) -> Result<M> {
    let updated = match find::<M>(ctx, &key).await? {
        Some(id) => {
            let mut unit = Writing::of(ctx, id, Some(Input::Patch(patch)));
            let written = engine::write(&mut unit, plan(Action::Update, key)).await?;
            unit.into_document(written)
        }
        None => None,
    };
    updated.ok_or_else(|| Error::new(ErrorKind::NotFound, ""))
}

pub(super) async fn delete_by<M: BaseModel>(ctx: &ContextFor<M>, key: Node) -> Result<bool> {
    let Some(id) = find::<M>(ctx, &key).await? else {
        return Ok(false);
    };
    let mut unit = Writing::<M>::of(ctx, id, None);
    let written = engine::write(&mut unit, plan(Action::Delete, key)).await?;
    Ok(written == Written::Yes)
}

async fn find<M: BaseModel>(ctx: &ContextFor<M>, key: &Node) -> Result<Option<Id<M>>> {
    let found = engine::find_by_key(&mut Reader::<M>::new(ctx), key).await?;
    Ok(found.map(Id::from_value))
}

/// What no longer has the key when it is written is missing.
fn plan(action: Action, key: Node) -> Plan {
    Plan {
        condition: key,
        required: false,
        ..Plan::new(action)
    }
}
