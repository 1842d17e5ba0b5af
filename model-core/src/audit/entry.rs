//! One entry of the audit log.

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use chrono::{DateTime, Utc};

use super::identity::{ActorIdentity, ActorKind};
use super::request::RequestMeta;
use crate::error::{Error, ErrorKind, Result};
use crate::value::TenantId;

fn malformed(path: &'static str) -> Error {
    Error::new(ErrorKind::Decode, "the audit entry is malformed").at_path(path)
}

/// What the metadata tells of the request; the rest is the entry's own.
fn request(metadata: &Document) -> RequestMeta {
    let mut request = RequestMeta::new();
    for (key, value) in metadata {
        let Some(text) = value.as_str() else { continue };
        match key.as_str() {
            "ip" => request.ip = Some(text.to_owned()),
            "user_agent" => request.user_agent = Some(text.to_owned()),
            "route" => request.route = Some(text.to_owned()),
            key => drop(request.extra.insert(key.to_owned(), text.to_owned())),
        }
    }
    request
}

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
    /// A secret, hidden or personal field changed: its values are not repeated.
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

    fn from_bson(value: &Bson) -> Result<Self> {
        let document = value.as_document().ok_or_else(|| malformed("changes"))?;
        let path = document
            .get_str("path")
            .map_err(|_| malformed("changes.path"))?
            .to_owned();
        if document.get_bool("changed").unwrap_or_default() {
            return Ok(Self::Redacted { path });
        }
        let value = |key| document.get(key).cloned().map(Box::new);
        Ok(Self::Plain {
            path,
            before: value("before"),
            after: value("after"),
        })
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
    /// Why the actor did it, if it said so with `with_reason`.
    pub reason: Option<String>,
    /// The tenant from whose context the actor entered this one, where it is another.
    pub came_from: Option<TenantId>,
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
        if let Some(reason) = &self.reason {
            document.insert("reason", reason);
        }
        if let Some(tenant) = &self.came_from {
            document.insert("came_from", tenant.value().to_bson());
        }
        document.insert("at", bson::DateTime::from_chrono(self.at));
        document
    }

    /// From the stored form.
    ///
    /// # Errors
    /// `Decode`, with the path.
    pub(crate) fn from_document(document: &Document) -> Result<Self> {
        let part = |key: &'static str| document.get_document(key).map_err(|_| malformed(key));
        let text = |document: &Document, key: &str, path: &'static str| {
            document
                .get_str(key)
                .map(str::to_owned)
                .map_err(|_| malformed(path))
        };
        let (actor, entity) = (part("actor")?, part("entity")?);
        let optional = |document: &Document, key: &str| document.get_str(key).ok().map(str::to_owned);
        let kind = match actor.get_str("kind") {
            Ok("user") => ActorKind::User,
            Ok("api_key") => ActorKind::ApiKey,
            Ok("system") => ActorKind::System,
            _ => return Err(malformed("actor.kind")),
        };
        let changes = document.get_array("changes").map_err(|_| malformed("changes"))?;
        let metadata = document.get_document("metadata").cloned().unwrap_or_default();
        let tenant = |key: &'static str| match document.get(key) {
            Some(tenant) => TenantId::from_bson(tenant)
                .map(Some)
                .ok_or_else(|| malformed(key)),
            None => Ok(None),
        };
        Ok(Self {
            id: document.get_object_id("_id").map_err(|_| malformed("_id"))?,
            tenant: tenant("tenant")?,
            actor: ActorIdentity {
                kind,
                id: text(actor, "id", "actor.id")?,
                name: optional(actor, "name"),
            },
            event: text(document, "event", "event")?,
            entity_type: text(entity, "type", "entity.type")?,
            entity_id: text(entity, "id", "entity.id")?,
            entity_name: optional(entity, "name"),
            changes: changes
                .iter()
                .map(AuditChange::from_bson)
                .collect::<Result<_>>()?,
            request: request(&metadata),
            bypass_reason: optional(document, "bypass_reason"),
            reason: optional(document, "reason"),
            came_from: tenant("came_from")?,
            at: document
                .get_datetime("at")
                .map_err(|_| malformed("at"))?
                .to_chrono(),
            duration_ms: metadata
                .get_i64("duration_ms")
                .ok()
                .and_then(|millis| u64::try_from(millis).ok())
                .unwrap_or_default(),
        })
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
