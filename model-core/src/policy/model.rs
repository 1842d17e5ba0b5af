//! What `#[derive(Model)]` makes known about a struct.

use std::fmt::Debug;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::scope::Scope;
use crate::codec::{DecodeError, DocReader, HiddenFields, InputCx, Visitor, Writer};
use crate::schema::ModelSchema;
use crate::value::{Id, TenantId};

/// What the pipeline gives a new document, and gives it again after a hook: identity is not the caller's to choose.
#[derive(Debug)]
pub struct Stamp<M: Model> {
    /// The id; of a model without one, the `_id` that is stored.
    pub id: Id<M>,
    /// The context's tenant; `()` for a global model.
    pub tenant: <M::Scope as Scope>::Tenant,
    /// The instant of the operation, in whole milliseconds.
    pub now: DateTime<Utc>,
}

/// A model whose documents may be changed and deleted: every one that is not declared `append_only`, `time_series` or `capped`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is append-only",
    label = "its documents are created and read, never changed or deleted",
    note = "`append_only`, `time_series` or `capped` in `#[model(..)]` on `{Self}` says so"
)]
pub trait Mutable: Model {}

/// A model that has a text index.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no text index",
    label = "its words cannot be searched",
    note = "declare one on the struct: `#[model(index(title = text(3), body = text))]`"
)]
pub trait Searchable: Model {}

/// A model of which each tenant has one document.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a singleton",
    note = "put `#[model(singleton)]` on the struct, if each tenant is to have one"
)]
pub trait Singleton: Model {}

/// A model whose changes can be watched as they happen.
#[diagnostic::on_unimplemented(
    message = "the changes of `{Self}` are not watched",
    label = "the server does not keep what was before a change",
    note = "put `#[model(watch)]` on the struct, and make the collection with `sync_collections`"
)]
pub trait Watchable: Model {}

/// A struct that is stored as the documents of a collection.
///
/// It is implemented by `#[derive(Model)]` and by nothing else: its hidden methods are the derive's business. What a
/// user writes is [`BaseModel`](super::BaseModel).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    note = "put `#[derive(Model)]` and `#[model(collection = \"...\")]` on the struct"
)]
pub trait Model: Sized + Debug + Send + Sync + 'static {
    /// The model's name: that of the struct.
    const NAME: &'static str;

    /// Whether its documents belong to tenants: [`TenantScope`](super::TenantScope) or
    /// [`GlobalScope`](super::GlobalScope).
    type Scope: Scope;
    /// The create input, `NewX`.
    type New: Clone + Send + Sync + 'static;
    /// The patch, `XPatch`.
    type Patch: Clone + Send + Sync + 'static;
    /// The field handles, `XFields`.
    type Fields: 'static;
    /// The redacted view, `XView`.
    type View: Serialize + Send + 'static;

    /// The static metadata.
    fn schema() -> &'static ModelSchema;

    /// The field handles.
    fn fields() -> &'static Self::Fields;

    /// The document's tenant, in a tenant model.
    fn tenant(&self) -> Option<&TenantId>;

    #[doc(hidden)]
    fn identity(&self) -> Option<&Id<Self>>;
    #[doc(hidden)]
    fn build(new: Self::New, stamp: &Stamp<Self>) -> Self;
    #[doc(hidden)]
    fn given(new: &Self::New) -> Vec<&'static str>;
    #[doc(hidden)]
    fn stamp(&mut self, stamp: &Stamp<Self>);
    #[doc(hidden)]
    fn keep_identity(&mut self, before: &Self);
    #[doc(hidden)]
    fn touch(&mut self, now: DateTime<Utc>);
    #[doc(hidden)]
    fn encode(&self, out: &mut Writer<'_>);
    #[doc(hidden)]
    fn decode(document: &mut DocReader<'_, '_>) -> Result<Self, DecodeError>;
    #[doc(hidden)]
    fn visit(&mut self, visitor: &mut Visitor<'_>);
    #[doc(hidden)]
    fn apply(&mut self, patch: Self::Patch, cx: &mut InputCx);
    #[doc(hidden)]
    fn parse_new(value: Value, cx: &mut InputCx) -> Option<Self::New>;
    #[doc(hidden)]
    fn parse_patch(value: Value, cx: &mut InputCx) -> Option<Self::Patch>;
    #[doc(hidden)]
    fn view(self, hidden: HiddenFields) -> Self::View;
}
