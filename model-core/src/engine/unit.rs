//! What the pipeline asks of one typed operation.

use bson::Document;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use super::caller::Caller;
use crate::codec::{DecodeCx, DecodeError, Visitor, Writer};
use crate::error::Result;
use crate::query::Node;
use crate::schema::{FieldSchema, ModelSchema};
use crate::value::IdValue;

/// What is to be permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Read,
    Create,
    Update,
    Delete,
}

impl Action {
    /// The verb, for messages and event names.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// What reads and writes have in common.
pub(crate) trait Unit: Send + Sync {
    fn schema(&self) -> &'static ModelSchema;
    fn caller(&self) -> &Caller;
    /// The policy's scope of what may be read.
    fn read_scope(&self) -> Node;
    /// The user's migration of a document of an older version.
    fn migrate(&self, document: Document, stored_version: u32) -> Result<Document>;
}

/// The typed side of a read: documents are handed in as bytes, and judged batch by batch.
pub(crate) trait ReadUnit: Unit {
    /// Decodes a document, which is then to be judged.
    fn decode(&mut self, raw: &[u8], cx: &DecodeCx<'_>) -> Result<(), DecodeError>;
    /// Loads what `can_read` needs for the decoded documents; never called for none, nor where permissions are bypassed.
    fn preload(&self) -> BoxFuture<'_, Result<()>>;
    /// Judges the decoded documents, in order: `keep` is told whether the policy allows one, and says whether to keep it.
    /// The id is that of a document that was asked about.
    fn judge(&mut self, keep: &mut dyn FnMut(bool, Option<&IdValue>) -> bool);
    /// The fields that alone are needed; none: the whole documents.
    fn picks(&self) -> Option<&'static [&'static FieldSchema]> {
        None
    }
    /// Throws away what was kept last.
    fn drop_last(&mut self);
    /// Throws away all that was kept, and tells how many.
    fn discard(&mut self) -> u64;
    /// Whether `read_scope` alone decides.
    fn scope_is_exact(&self) -> bool;
}

/// The typed side of a write: the document before and after.
pub(crate) trait WriteUnit: Unit {
    /// The document's id.
    fn id(&self) -> &IdValue;
    /// Takes the stored document in, as what is before and, unchanged, as what is after.
    fn load(&mut self, raw: &[u8], cx: &DecodeCx<'_>) -> Result<(), DecodeError>;
    /// Makes what is after: moves the create input in, or applies the patch. The answer is the JSON keys of the fields
    /// that a patch names.
    fn begin(&mut self, now: DateTime<Utc>) -> Result<Vec<&'static str>>;
    /// Puts identity and timestamps where they belong, whatever input and hooks did to them.
    fn stamp(&mut self, now: DateTime<Utc>);
    /// Gives what is after an instant of change.
    fn touch(&mut self, instant: DateTime<Utc>);
    /// Walks over what is after.
    fn visit(&mut self, visitor: &mut Visitor<'_>);
    /// Writes what is before, in this crate's own form.
    fn encode_before(&self, out: &mut Writer<'_>);
    /// Writes what is after.
    fn encode(&self, out: &mut Writer<'_>);
    /// Takes in what is after as a read would return it.
    fn settle(&mut self, raw: &[u8], cx: &DecodeCx<'_>) -> Result<(), DecodeError>;
    /// Loads what `can_read` needs for what is before.
    fn preload(&self) -> BoxFuture<'_, Result<()>>;
    /// Asks the policy.
    fn can(&self, action: Action) -> bool;
    /// Asks the model's own rules about what is after.
    fn validate(&self) -> BoxFuture<'_, Result<()>>;
    /// Runs the hook before the write.
    fn before(&mut self) -> BoxFuture<'_, Result<()>>;
    /// Runs the hook after the write.
    fn after(&self) -> BoxFuture<'_, Result<()>>;
}

/// Whether the policy allows it, or is bypassed.
pub(super) fn permitted(unit: &dyn WriteUnit, action: Action) -> bool {
    unit.caller().bypass.is_some() || unit.can(action)
}
