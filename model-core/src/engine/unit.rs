//! What the pipeline asks of one typed operation.

use std::any::Any;

use bson::{Bson, Document};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use crate::codec::{DecodeCx, DecodeError, Visitor, Writer};
use crate::engine::audit::outbox;
use crate::engine::caller::Caller;
use crate::engine::migration::backlog;
use crate::engine::read::asked;
use crate::engine::secrets::blind;
use crate::error::{Error, Result};
use crate::query::{Node, Test};
use crate::schema::{FieldSchema, ModelSchema, reserved};
use crate::store::Selection;
use crate::value::IdValue;

/// What is to be permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Read,
    Create,
    Update,
    Delete,
    /// Removes for good, a soft-deleted document too.
    Purge,
    /// Undoes a soft delete.
    Restore,
    /// Writes back what the migration of an older document made of it, a soft-deleted one too.
    Migrate,
}

impl Action {
    /// Whether the document is not to be found afterwards.
    pub(super) fn is_delete(self) -> bool {
        matches!(self, Self::Delete | Self::Purge)
    }

    /// Which documents of a model with soft deletes it is about.
    pub(super) fn deleted(self) -> Deleted {
        match self {
            Self::Purge | Self::Migrate => Deleted::Included,
            Self::Restore => Deleted::Only,
            _ => Deleted::Hidden,
        }
    }

    /// The verb, for messages and event names.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Purge => "purge",
            Self::Restore => "restore",
            Self::Migrate => "migrate",
        }
    }
}

/// Whether soft-deleted documents are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Deleted {
    /// They are not there.
    #[default]
    Hidden,
    /// They are seen like the others.
    Included,
    /// They alone are seen.
    Only,
}

/// What reads and writes have in common.
pub(crate) trait Unit: Send + Sync {
    fn schema(&self) -> &'static ModelSchema;
    fn caller(&self) -> &Caller;
    /// What every document of the model satisfies.
    fn base_filter(&self) -> Node;
    /// The policy's scope of what may be read.
    fn read_scope(&self) -> Node;
    /// The stored names of the fields that the caller is not shown.
    fn hidden(&self) -> Vec<String>;
    /// The user's migration of a document of an older version.
    fn migrate(&self, document: Document, stored_version: u32) -> Result<Document>;
}

/// The typed side of a read: documents are handed in as bytes, and judged batch by batch.
pub(crate) trait ReadUnit: Unit {
    /// Decodes a document, which is then to be judged.
    fn decode(&mut self, raw: &[u8], cx: &DecodeCx<'_>) -> Result<(), DecodeError>;
    /// Whether the unit does without documents that cannot be read.
    fn is_lenient(&self) -> bool {
        false
    }
    /// Takes the reason in the place of a document that cannot be read; a unit that is not lenient gives it back, and the
    /// read fails by it.
    fn miss(&mut self, reason: Error) -> Result<()> {
        Err(reason)
    }
    /// Loads what `can_read` needs for the decoded documents; never called for none, nor where permissions are bypassed.
    fn preload(&self) -> BoxFuture<'_, Result<()>>;
    /// Judges the decoded documents, in order: `keep` is told whether the policy allows one, and says whether to keep it.
    /// The id is that of a document that was asked about. Where a document was missed, nobody can be asked.
    fn judge(&mut self, keep: &mut dyn FnMut(bool, Option<&IdValue>) -> bool);
    /// The fields that alone are needed; none: the whole documents.
    fn picks(&self) -> Option<&[&'static FieldSchema]> {
        None
    }
    /// Throws away what was kept last.
    fn drop_last(&mut self);
    /// Throws away all that was kept, and tells how many.
    fn discard(&mut self) -> u64;
    /// Whether `read_scope` alone decides.
    fn scope_is_exact(&self) -> bool;
}

/// One of the documents of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

/// The documents of a unit, whose type only its model's units know.
pub(crate) type Lent = Box<dyn Any + Send>;

/// The typed side of a write: the document before and after.
pub(crate) trait WriteUnit: Unit {
    /// The caller's `GlobalContext`, by which other models are opened.
    fn context(&self) -> &(dyn Any + Send + Sync);
    /// The policy's scope of what may be written.
    fn write_scope(&self) -> Node;
    /// The stored names of the fields that the caller does not change.
    fn readonly_for(&self) -> Vec<String>;
    /// The document's id.
    fn id(&self) -> &IdValue;
    /// Takes the stored document in, as what is before and, unchanged, as what is after.
    fn load(&mut self, raw: &[u8], cx: &DecodeCx<'_>) -> Result<(), DecodeError>;
    /// Makes what is after: moves the create input in, or applies the patch. The answer is the JSON keys of the fields
    /// that a patch names; and of those that a create gives, if there are fields that the caller does not change.
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
    /// Takes in what is after as a read would return it; fails if that is `exact`, and yet not what the unit holds.
    fn settle(&mut self, raw: &[u8], exact: bool, cx: &DecodeCx<'_>) -> Result<()>;
    /// Loads what the policy needs for the document on that side, if there is one.
    fn preload(&self, side: Side) -> BoxFuture<'_, Result<()>>;
    /// The same at once for the documents that units of this model have lent, which come back.
    fn preload_lent(&self, lent: Vec<Lent>, side: Side) -> BoxFuture<'_, (Vec<Lent>, Result<()>)>;
    /// Hands out the documents; the unit is to get them back.
    fn lend(&mut self) -> Lent;
    /// Takes back what it has lent.
    fn take_back(&mut self, lent: Lent);
    /// Asks the policy.
    fn can(&self, action: Action) -> bool;
    /// Asks the model's own rules about what is after.
    fn validate(&self) -> BoxFuture<'_, Result<()>>;
    /// Runs the hook before the write.
    fn before(&mut self) -> BoxFuture<'_, Result<()>>;
    /// Runs the hook after the write.
    fn after(&self) -> BoxFuture<'_, Result<()>>;
    /// The same, to be run when the application's transaction has taken effect, on the documents as they were written.
    fn after_commit(&self, before: Option<Vec<u8>>, after: Vec<u8>) -> BoxFuture<'static, Result<()>>;
}

/// What a caller sees of a model at all: base filter, policy, and `rest`.
pub(crate) async fn visible(unit: &(impl Unit + ?Sized), deleted: Deleted, rest: Node) -> Result<Selection> {
    let scope = unit.caller().scoped(|| unit.read_scope());
    held(unit, deleted, scope.and(rest)).await
}

/// What the model holds for a caller's tenant, whatever the policy says of it.
pub(crate) async fn held(unit: &(impl Unit + ?Sized), deleted: Deleted, rest: Node) -> Result<Selection> {
    let (schema, caller) = (unit.schema(), unit.caller());
    let marked = match (schema.soft_delete, deleted) {
        (false, _) | (true, Deleted::Included) => Node::Everything,
        (true, Deleted::Hidden) => Node::field(reserved::DELETED_AT, Test::Eq(Bson::Null)),
        (true, Deleted::Only) => Node::field(reserved::DELETED_AT, Test::Ne(Bson::Null)),
    };
    // What only waits for the relay to take its last entry along is deleted.
    let leaving = if schema.has_outbox() {
        Node::field(outbox::PURGE_PATH, Test::Ne(Bson::Boolean(true)))
    } else {
        Node::Everything
    };
    let own = marked.and(leaving).and(unit.base_filter());
    let all = own.and(rest);
    if all == Node::Everything {
        return caller.select(schema, all);
    }
    asked::check(unit, &all)?;
    backlog::check(caller, schema, &all).await?;
    let rest = blind::resolve(caller, schema, all).await?;
    caller.select(schema, rest)
}

/// Whether the policy allows it, or is bypassed.
pub(super) fn permitted(unit: &dyn WriteUnit, action: Action) -> bool {
    unit.caller().bypass.is_some() || unit.can(action)
}
