//! A registered model, as the deletions of other models' documents reach it.

use std::any::Any;

use bson::Document;

use super::compute::Compute;
use super::global;
use super::unit::{Input, Writing, migrate};
use crate::engine::{Caller, Kin, Loosened, Registered, Unit, WriteUnit};
use crate::error::Result;
use crate::policy::{AnyContext, BaseModel, ContextFor, GlobalContext, hidden_names};
use crate::query::Node;
use crate::schema::ModelSchema;
use crate::value::{Id, IdValue};

/// A model in a context of its own.
struct Opened<M: BaseModel> {
    ctx: ContextFor<M>,
}

/// The model, ready to be opened for whoever deletes.
pub(crate) fn registered<M: BaseModel>() -> Registered {
    Registered {
        schema: M::schema(),
        open: open::<M>,
    }
}

fn open<M: BaseModel>(context: &(dyn Any + Send + Sync)) -> Option<Box<dyn Kin>> {
    let caller = context.downcast_ref::<GlobalContext<M::Actor>>()?;
    let ctx = <ContextFor<M> as AnyContext<M::Scope, M::Actor>>::of_caller(caller)?;
    Some(Box::new(Opened::<M> { ctx }))
}

impl<M: BaseModel> Unit for Opened<M> {
    fn schema(&self) -> &'static ModelSchema {
        M::schema()
    }

    fn caller(&self) -> &Caller {
        global::<M>(&self.ctx).caller()
    }

    fn base_filter(&self) -> Node {
        M::base_filter().into_node()
    }

    fn read_scope(&self) -> Node {
        M::read_scope(&self.ctx).into_node()
    }

    fn hidden(&self) -> Vec<String> {
        hidden_names::<M>(&self.ctx)
    }

    fn migrate(&self, document: Document, stored_version: u32) -> Result<Document> {
        migrate::<M>(document, stored_version)
    }
}

impl<M: BaseModel> Kin for Opened<M> {
    fn unit(&self, id: IdValue, loosened: Option<Loosened>) -> Box<dyn WriteUnit + '_> {
        let input = loosened.map(|loosened| Input::Computed(Compute::Loosened(loosened)));
        Box::new(Writing::<M>::of(&self.ctx, Id::from_value(id), input))
    }
}
