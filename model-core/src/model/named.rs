//! Which document a write is about: the one with an id, or the one that a unique key names.

use std::fmt;

use bson::RawDocumentBuf;

use super::unit::Reader;
use crate::engine::{self, Action, Plan};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{BaseModel, ContextFor};
use crate::query::{Filter, Node};
use crate::value::Id;

/// What names the one document.
pub(super) enum Named<'a, M: BaseModel> {
    Id(&'a Id<M>),
    Key(Node),
}

/// The document that was named, as far as it was read on the way.
pub(super) struct Found<M: BaseModel> {
    pub(super) id: Id<M>,
    pub(super) document: Option<RawDocumentBuf>,
}

impl<M: BaseModel> Named<'_, M> {
    /// By a key, from the model's field handles.
    pub(super) fn key(key: impl FnOnce(&'static M::Fields) -> Filter<M>) -> Self {
        Self::Key(key(M::fields()).into_node())
    }

    /// What is read of it to know its id. Whether the actor may read it, the write will ask.
    pub(super) async fn find(&self, ctx: &ContextFor<M>, action: Action) -> Result<Option<Found<M>>> {
        match self {
            Self::Id(id) => Ok(Some(Found {
                id: (*id).clone(),
                document: None,
            })),
            Self::Key(key) => {
                let found = engine::stored_by_key(&Reader::<M>::new(ctx), key, action).await?;
                Ok(found.map(|(id, document)| Found {
                    id: Id::from_value(id),
                    document: Some(document),
                }))
            }
        }
    }

    /// As [`find`](Self::find), where it has to be there.
    pub(super) async fn require(&self, ctx: &ContextFor<M>, action: Action) -> Result<Found<M>> {
        let found = self.find(ctx, action).await?;
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, ""))
    }

    /// What no longer has the key when it is written is missing.
    pub(super) fn plan(&self, action: Action) -> Plan {
        let condition = match self {
            Self::Id(_) => Node::Everything,
            Self::Key(key) => key.clone(),
        };
        Plan {
            condition,
            ..Plan::new(action)
        }
    }

    /// Says which document an error is about; a key consists of values, which no error shows.
    pub(super) fn tell(&self, error: Error) -> Error {
        match self {
            Self::Id(id) => error.at_id(|| id.to_string()),
            Self::Key(_) => error,
        }
    }
}

impl<M: BaseModel> fmt::Debug for Named<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => fmt::Debug::fmt(id, f),
            Self::Key(_) => f.write_str("by its key"),
        }
    }
}
