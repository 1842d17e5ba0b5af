//! The policy of a model: one impl that cannot be forgotten.

use std::future::ready;

use bson::Document;

use super::actor::Actor;
use super::change::Change;
use super::model::Model;
use super::scope::{AnyContext, ContextFor};
use crate::codec::HiddenFields;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{FieldSet, Filter};

/// Whether [`BaseModel::read_scope`] alone decides what may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadScope {
    /// The scope admits every readable document, and perhaps others: each is asked about, and a count reads.
    Superset,
    /// The scope admits exactly what `can_read` allows: counts and limits are the server's. Debug builds check it.
    Exact,
}

/// What [`BaseModel::migrate`] is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrateInfo {
    /// The version of the stored document.
    pub stored_version: u32,
    /// The version that this program writes.
    pub current_version: u32,
}

impl MigrateInfo {
    pub(crate) fn new(stored_version: u32, current_version: u32) -> Self {
        Self {
            stored_version,
            current_version,
        }
    }
}

/// Who may do what with the model's documents, and what happens around it.
///
/// The four `can_*` methods have no default: a model without a policy does not compile. They are pure; what they need
/// is in the actor, or in the application's state ([`GlobalContext::state`](super::GlobalContext::state)). Where methods of the
/// actor answer, [`policy!`](crate::policy!) holds all four in one statement.
///
/// Hooks run inside the one write path, each exactly once. A hook that fails before the write stops it; after the
/// write its error says [`is_after_write`](Error::is_after_write).
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no access policy",
    label = "a model needs `impl BaseModel`",
    note = "write `impl BaseModel for {Self}` with `type Actor`, `can_read`, `can_create`, `can_update` and `can_delete`"
)]
pub trait BaseModel: Model {
    /// The application's actor.
    type Actor: Actor;

    /// Whether [`read_scope`](Self::read_scope) alone decides.
    const READ_SCOPE: ReadScope = ReadScope::Superset;

    /// Whether the actor may know this document.
    fn can_read(&self, ctx: &ContextFor<Self>) -> bool;

    /// Whether the actor may create this document.
    fn can_create(&self, ctx: &ContextFor<Self>) -> bool;

    /// Whether the actor may turn this document into `after`.
    fn can_update(&self, ctx: &ContextFor<Self>, after: &Self) -> bool;

    /// Whether the actor may delete this document.
    fn can_delete(&self, ctx: &ContextFor<Self>) -> bool;

    /// A filter that the server applies to every read: it must admit whatever [`can_read`](Self::can_read) allows.
    fn read_scope(_ctx: &ContextFor<Self>) -> Filter<Self> {
        Filter::all()
    }

    /// A filter that a document must satisfy, before and after the change, for this actor to write it: beside
    /// [`can_update`](Self::can_update) and the others, and pushed to the server where many documents are written.
    fn write_scope(_ctx: &ContextFor<Self>) -> Filter<Self> {
        Filter::all()
    }

    /// What every document of the model satisfies, whoever asks: for a collection that others share. Reads see no other
    /// document, writes store no other, and a bypass does not lift it.
    fn base_filter() -> Filter<Self> {
        Filter::all()
    }

    /// Loads, for a batch of documents at once, what the `can_*` methods are about to need: into the application's
    /// state ([`GlobalContext::state`](super::GlobalContext::state)), or into a cache that the actor holds.
    ///
    /// It is called with one batch of a query (or the one document of a `get`), and with one batch of a write: with the documents
    /// as they are, then, of creates and updates, with what they are to become, before a hook changes it. They are in the shape
    /// of the present version, never none, and it is not called where permissions are bypassed.
    ///
    /// # Errors
    /// Its error is the operation's: nothing is denied silently, and nothing is shown.
    fn preload(_ctx: &ContextFor<Self>, _documents: &[Self]) -> impl Future<Output = Result<()>> + Send {
        ready(Ok(()))
    }

    /// The fields that views do not show to this actor, beside those that are `hidden` from everybody. A virtual sees them all
    /// the same: it is a method of the model. Filters and orders from outside cannot name them. A bypass shows them.
    fn hidden_from(_ctx: &ContextFor<Self>) -> FieldSet<Self> {
        FieldSet::none()
    }

    /// The fields that this actor does not change: a patch, a replacement or an operator that does is `Forbidden`, by
    /// whatever verb. So is a create that gives one, as any does that cannot leave it out. What defaults and hooks
    /// put there is the application's own doing. A bypass lifts it.
    fn readonly_for(_ctx: &ContextFor<Self>) -> FieldSet<Self> {
        FieldSet::none()
    }

    /// Rules across fields, or that need to look something up. Violations join those of the declared rules:
    /// [`Error::violation`], [`Error::invalid`].
    fn validate(&self, _ctx: &ContextFor<Self>) -> impl Future<Output = Result<()>> + Send {
        ready(Ok(()))
    }

    /// Before a create: may change the document.
    fn before_create(
        _ctx: &ContextFor<Self>,
        _document: &mut Self,
    ) -> impl Future<Output = Result<()>> + Send {
        ready(Ok(()))
    }

    /// After a create.
    fn after_create(_ctx: &ContextFor<Self>, _document: &Self) -> impl Future<Output = Result<()>> + Send {
        ready(Ok(()))
    }

    /// Before an update: may change what is after.
    fn before_update(
        _ctx: &ContextFor<Self>,
        _change: &mut Change<Self>,
    ) -> impl Future<Output = Result<()>> + Send {
        ready(Ok(()))
    }

    /// After an update that changed something.
    fn after_update(
        _ctx: &ContextFor<Self>,
        _change: &Change<Self>,
    ) -> impl Future<Output = Result<()>> + Send {
        ready(Ok(()))
    }

    /// Before a delete: may refuse it with [`Error::refused`].
    fn before_delete(_ctx: &ContextFor<Self>, _document: &Self) -> impl Future<Output = Result<()>> + Send {
        ready(Ok(()))
    }

    /// After a delete.
    fn after_delete(_ctx: &ContextFor<Self>, _document: &Self) -> impl Future<Output = Result<()>> + Send {
        ready(Ok(()))
    }

    /// Turns a document of an older version into the present shape. It runs on older documents only, on stored names.
    ///
    /// The tenant and the `_id` have to stay as they are: else each operation on the document is a `Decode` error. The
    /// rest is validated when it is written back, by the next write or by `migrate_all`; a read returns it unvalidated.
    ///
    /// # Errors
    /// The default: a model whose version is above 1 has to say how its documents got there.
    fn migrate(_document: Document, info: &MigrateInfo) -> Result<Document> {
        Err(Error::new(
            ErrorKind::Decode,
            format!(
                "a document of version {} needs `migrate` to become version {}",
                info.stored_version, info.current_version
            ),
        ))
    }
}

/// The stored names of what the context's actor is not shown.
pub(crate) fn hidden_names<M: BaseModel>(ctx: &ContextFor<M>) -> Vec<String> {
    if AnyContext::<M::Scope, M::Actor>::global(ctx)
        .caller()
        .bypass
        .is_some()
    {
        return Vec::new();
    }
    top_names(M::hidden_from(ctx))
}

/// The stored names of the fields of a set: what a flat variant has is a part of its field.
pub(crate) fn top_names<M: BaseModel>(set: FieldSet<M>) -> Vec<String> {
    let top = |name: String| {
        M::schema()
            .top(&name)
            .map_or(name, |field| field.stored.to_owned())
    };
    set.into_names().into_iter().map(top).collect()
}

/// The JSON keys of what views do not show to the context's actor.
pub(crate) fn hidden_fields<M: BaseModel>(ctx: &ContextFor<M>) -> HiddenFields {
    let names = hidden_names::<M>(ctx);
    let keys = names.iter().filter_map(|name| M::schema().field(name));
    HiddenFields::new(keys.map(|field| field.json).collect())
}
