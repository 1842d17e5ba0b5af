//! `move_to_tenant`.

use super::unit::{Input, Writing};
use crate::engine;
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{Actor, BaseModel, Context, Model, TenantScope};
use crate::value::{Id, TenantId};

/// Moves a document out of the context's tenant.
pub(super) async fn move_to_tenant<A: Actor, M>(ctx: Context<A>, id: &Id<M>, tenant: TenantId) -> Result<M>
where
    M: BaseModel<Actor = A> + Model<Scope = TenantScope>,
{
    let there = ctx.enter(tenant);
    let mut leaving = Writing::<M>::of(&ctx, id.clone(), None);
    let mut arriving = Writing::<M>::of(&there, id.clone(), Some(Input::Arriving));
    let moved = engine::transfer(&mut leaving, &mut arriving)
        .await
        .and_then(|written| {
            let moved = arriving.into_document(written);
            moved.ok_or_else(|| Error::new(ErrorKind::NotFound, ""))
        });
    moved.map_err(|error| error.at_model(M::NAME, "move_to_tenant").at_id(|| id.to_string()))
}
