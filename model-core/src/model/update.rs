//! `update`.

use std::fmt;
use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt};

use super::unit::Writing;
use crate::engine::{self, Action, Plan, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{BaseModel, ContextFor};
use crate::value::{Id, Revision};

/// An update, carried out when awaited.
#[must_use = "an update does nothing until it is awaited"]
pub struct Update<'a, M: BaseModel> {
    ctx: &'a ContextFor<M>,
    id: &'a Id<M>,
    patch: M::Patch,
    expected: Option<Revision>,
}

impl<'a, M: BaseModel> Update<'a, M> {
    pub(super) fn new(ctx: &'a ContextFor<M>, id: &'a Id<M>, patch: M::Patch) -> Self {
        Self {
            ctx,
            id,
            patch,
            expected: None,
        }
    }

    /// Insists on the revision that the caller has seen (`If-Match`): any other is a `Conflict`.
    pub fn if_revision(mut self, revision: Revision) -> Self {
        self.expected = Some(revision);
        self
    }

    async fn run(self) -> Result<M> {
        let mut unit = Writing::update(self.ctx, self.id.clone(), self.patch);
        let plan = Plan {
            action: Action::Update,
            expected: self.expected,
        };
        let result = match engine::write(&mut unit, plan).await {
            Ok(Written::Missing) => Err(Error::new(ErrorKind::NotFound, "")),
            Ok(written) => unit
                .into_document(written == Written::Unchanged)
                .ok_or_else(|| Error::internal("an update without a document")),
            Err(error) => Err(error),
        };
        result.map_err(|error| error.at_model(M::NAME, "update").at_id(|| self.id.to_string()))
    }
}

impl<M: BaseModel> fmt::Debug for Update<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Update")
            .field("model", &M::NAME)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel> IntoFuture for Update<'a, M> {
    type Output = Result<M>;
    type IntoFuture = BoxFuture<'a, Result<M>>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
