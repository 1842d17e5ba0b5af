//! `create`.

use std::fmt;
use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt};

use super::unit::Writing;
use crate::engine::{self, Action, Plan, Written};
use crate::error::{Error, Result};
use crate::policy::{BaseModel, ContextFor};
use crate::value::Id;

/// A create, carried out when awaited.
#[must_use = "a create does nothing until it is awaited"]
pub struct Create<'a, M: BaseModel> {
    ctx: &'a ContextFor<M>,
    new: M::New,
    id: Id<M>,
}

impl<'a, M: BaseModel> Create<'a, M> {
    pub(super) fn new(ctx: &'a ContextFor<M>, new: M::New, id: Id<M>) -> Self {
        Self { ctx, new, id }
    }

    async fn run(self) -> Result<M> {
        let mut unit = Writing::create(self.ctx, self.id, self.new);
        let plan = Plan::new(Action::Create);
        engine::write(&mut unit, plan)
            .await
            .map_err(|error| error.at_model(M::NAME, "create"))?;
        unit.into_document(Written::Yes)
            .ok_or_else(|| Error::internal("a create without a document"))
    }
}

impl<M: BaseModel> fmt::Debug for Create<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Create")
            .field("model", &M::NAME)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel> IntoFuture for Create<'a, M> {
    type Output = Result<M>;
    type IntoFuture = BoxFuture<'a, Result<M>>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
