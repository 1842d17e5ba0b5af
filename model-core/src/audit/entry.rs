//! One entry of the audit log.

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use chrono::{DateTime, Utc};

use super::identity::ActorIdentity;
use super::request::RequestMeta;
use crate::value::TenantId;

/// What happened to one field.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AuditChange {
    /// The values before and after; none where the field was or is absent.
    Plain {
        /// The stored path.
        path: String,
        /// Before.
        before: Option<Box<Bson>>,
        /// After.
        after: Option<Box<Bson>>,
    },
    /// A secret or hidden field changed: its values are not repeated.
    Redacted {
        /// The stored path.
        path: String,
    },
}

impl AuditChange {
    /// The stored path.
    pub fn path(&self) -> &str {
        match self {
            Self::Plain { path, .. } | Self::Redacted { path } => path,
        }
    }

    fn to_document(&self) -> Document {
        match self {
            Self::Plain { path, before, after } => {
                let mut document = doc! { "path": path };
                for (key, value) in [("before", before), ("after", after)] {
                    if let Some(value) = value {
                        document.insert(key, (**value).clone());
                    }
                }
                document
            }
            Self::Redacted { path } => doc! { "path": path, "changed": true },
        }
    }
}

/// One entry: who did what to which document.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AuditEntry {
    /// The entry's own id.
    pub id: ObjectId,
    /// The tenant for which the actor acted; none outside of any tenant.
    pub tenant: Option<TenantId>,
    /// Who acted.
    pub actor: ActorIdentity,
    /// The event: `widget.update`.
    pub event: String,
    /// The type of the entity: `widget`.
    pub entity_type: String,
    /// The document's id, in its text form.
    pub entity_id: String,
    /// The document's name, if the model declares which field that is.
    pub entity_name: Option<String>,
    /// What changed.
    pub changes: Vec<AuditChange>,
    /// Where the request came from.
    pub request: RequestMeta,
    /// Why permissions were bypassed, if they were.
    pub bypass_reason: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
    /// How long the operation took until the entry was written, in milliseconds.
    pub duration_ms: u64,
}

impl AuditEntry {
    /// The stored form.
    pub(crate) fn to_document(&self) -> Document {
        let mut document = doc! { "_id": self.id };
        if let Some(tenant) = &self.tenant {
            document.insert("tenant", tenant.value().to_bson());
        }
        let mut actor = doc! { "kind": self.actor.kind.as_str(), "id": &self.actor.id };
        if let Some(name) = &self.actor.name {
            actor.insert("name", name);
        }
        let mut entity = doc! { "type": &self.entity_type, "id": &self.entity_id };
        if let Some(name) = &self.entity_name {
            entity.insert("name", name);
        }
        document.insert("actor", actor);
        document.insert("event", &self.event);
        document.insert("entity", entity);
        document.insert(
            "changes",
            self.changes
                .iter()
                .map(AuditChange::to_document)
                .collect::<Vec<_>>(),
        );
        document.insert("metadata", self.metadata());
        if let Some(reason) = &self.bypass_reason {
            document.insert("bypass_reason", reason);
        }
        document.insert("at", bson::DateTime::from_chrono(self.at));
        document
    }

    fn metadata(&self) -> Document {
        let mut metadata = Document::new();
        let RequestMeta {
            ip,
            user_agent,
            route,
            extra,
        } = &self.request;
        for (key, value) in [("ip", ip), ("user_agent", user_agent), ("route", route)] {
            if let Some(value) = value {
                metadata.insert(key, value);
            }
        }
        for (key, value) in extra {
            metadata.insert(key, value);
        }
        metadata.insert("duration_ms", i64::try_from(self.duration_ms).unwrap_or(i64::MAX));
        metadata.insert("success", true);
        metadata
    }
}
