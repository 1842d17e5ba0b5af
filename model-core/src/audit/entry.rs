//! One entry of the audit log.

use std::borrow::Cow;

use bson::oid::ObjectId;
use bson::{Bson, Document};
use chrono::{DateTime, Utc};

use super::identity::{ActorIdentity, ActorKind};
use super::request::RequestMeta;
use crate::codec::{Writer, write_bson};
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

    fn write(&self, out: &mut Writer<'_>) {
        out.string("path", self.path());
        match self {
            Self::Plain { before, after, .. } => {
                for (key, value) in [("before", before), ("after", after)] {
                    if let Some(value) = value {
                        write_bson(out, key, value);
                    }
                }
            }
            Self::Redacted { .. } => out.bool("changed", true),
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
    ///
    /// # Errors
    /// `Invalid` if it is larger than 16 MiB, or a key has a NUL in it.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let head = EntryHead {
            id: self.id,
            tenant: self.tenant.as_ref(),
            actor: &self.actor,
            event: Cow::Borrowed(&self.event),
            entity_type: &self.entity_type,
            entity_id: Cow::Borrowed(&self.entity_id),
            entity_name: self.entity_name.as_deref(),
            request: &self.request,
            bypass_reason: self.bypass_reason.as_deref(),
            reason: self.reason.as_deref(),
            came_from: self.came_from.as_ref(),
            at: self.at,
            duration_ms: self.duration_ms,
        };
        head.to_bytes(&self.changes, |out, change| change.write(out))
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
}

/// An entry without its changes, as far as its parts stand elsewhere: most entries are only stored, and nothing is copied for
/// them.
pub(crate) struct EntryHead<'a> {
    pub(crate) id: ObjectId,
    pub(crate) tenant: Option<&'a TenantId>,
    pub(crate) actor: &'a ActorIdentity,
    pub(crate) event: Cow<'a, str>,
    pub(crate) entity_type: &'a str,
    pub(crate) entity_id: Cow<'a, str>,
    pub(crate) entity_name: Option<&'a str>,
    pub(crate) request: &'a RequestMeta,
    pub(crate) bypass_reason: Option<&'a str>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) came_from: Option<&'a TenantId>,
    pub(crate) at: DateTime<Utc>,
    pub(crate) duration_ms: u64,
}

impl EntryHead<'_> {
    /// The entry by itself, with its changes.
    pub(crate) fn with(self, changes: Vec<AuditChange>) -> AuditEntry {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        AuditEntry {
            id: self.id,
            tenant: self.tenant.cloned(),
            actor: self.actor.clone(),
            event: self.event.into_owned(),
            entity_type: self.entity_type.to_owned(),
            entity_id: self.entity_id.into_owned(),
            entity_name: owned(self.entity_name),
            changes,
            request: self.request.clone(),
            bypass_reason: owned(self.bypass_reason),
            reason: owned(self.reason),
            came_from: self.came_from.cloned(),
            at: self.at,
            duration_ms: self.duration_ms,
        }
    }

    /// The stored form, with its changes, each written by `change`.
    ///
    /// # Errors
    /// `Invalid` if it is larger than 16 MiB, or a key has a NUL in it.
    pub(crate) fn to_bytes<T>(
        &self,
        changes: &[T],
        mut change: impl FnMut(&mut Writer<'_>, &T),
    ) -> Result<Vec<u8>> {
        let mut out = Writer::with_capacity(ROOM);
        out.object_id("_id", self.id.bytes());
        if let Some(tenant) = self.tenant {
            tenant.value().encode(&mut out, "tenant");
        }
        let named = |out: &mut Writer<'_>, id: &str, name: Option<&str>| {
            out.string("id", id);
            if let Some(name) = name {
                out.string("name", name);
            }
        };
        out.document("actor", |out| {
            out.string("kind", self.actor.kind.as_str());
            named(out, &self.actor.id, self.actor.name.as_deref());
        });
        out.string("event", &self.event);
        out.document("entity", |out| {
            out.string("type", self.entity_type);
            named(out, &self.entity_id, self.entity_name);
        });
        out.array("changes", changes, |out, index, item| {
            out.document(index, |out| change(out, item));
        });
        out.document("metadata", |out| self.write_metadata(out));
        for (key, reason) in [("bypass_reason", self.bypass_reason), ("reason", self.reason)] {
            if let Some(reason) = reason {
                out.string(key, reason);
            }
        }
        if let Some(tenant) = self.came_from {
            tenant.value().encode(&mut out, "came_from");
        }
        out.date("at", self.at.timestamp_millis());
        out.finish()
    }

    /// Of two values for one name, that of the application's own key counts before the request's, and the entry's own before
    /// both.
    fn write_metadata(&self, out: &mut Writer<'_>) {
        let RequestMeta {
            ip,
            user_agent,
            route,
            extra,
        } = self.request;
        let request = [("ip", ip), ("user_agent", user_agent), ("route", route)];
        for (key, value) in request {
            if let Some(value) = extra.get(key).or(value.as_ref()) {
                out.string(key, value);
            }
        }
        let known = |key: &str| request.iter().any(|(known, _)| *known == key) || OWN.contains(&key);
        for (key, value) in extra.iter().filter(|(key, _)| !known(key)) {
            if key.contains('\0') {
                out.reject(key, "key", "must not contain a NUL character");
            } else {
                out.string(key, value);
            }
        }
        let [duration, success] = OWN;
        out.i64(duration, i64::try_from(self.duration_ms).unwrap_or(i64::MAX));
        out.bool(success, true);
    }
}

/// What the metadata tells of the operation itself.
const OWN: [&str; 2] = ["duration_ms", "success"];
/// How much room an entry of a few changes takes.
const ROOM: usize = 1_024;
