//! Reading the audit log.

use bson::{Bson, Document};
use chrono::{DateTime, Utc};

use crate::audit::{self, AuditEntry};
use crate::engine::caller::Caller;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, SortKey, Test};
use crate::schema::Direction;
use crate::store::{Find, Selection, into_error};

/// Which entries.
#[derive(Debug, Clone, Default)]
pub(crate) struct AuditPage {
    pub(crate) entity_type: Option<String>,
    pub(crate) entity_id: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) since: Option<DateTime<Utc>>,
    pub(crate) until: Option<DateTime<Utc>>,
    /// Only entries older than this one.
    pub(crate) before: Option<(DateTime<Utc>, bson::oid::ObjectId)>,
    pub(crate) limit: Option<u64>,
}

impl AuditPage {
    fn node(self) -> Node {
        let equal = |path: &'static str, value: Option<String>| {
            value.map_or(Node::Everything, |value| {
                Node::field(path, Test::Eq(value.into()))
            })
        };
        let at = |test: fn(Bson) -> Test, instant: Option<DateTime<Utc>>| {
            instant.map_or(Node::Everything, |at| Node::field("at", test(date(at))))
        };
        let before = match self.before {
            Some((at, id)) => Node::Or(vec![
                Node::field("at", Test::Lt(date(at))),
                Node::field("at", Test::Eq(date(at))).and(Node::field("_id", Test::Lt(id.into()))),
            ]),
            None => Node::Everything,
        };
        equal("entity.type", self.entity_type)
            .and(equal("entity.id", self.entity_id))
            .and(equal("actor.id", self.actor))
            .and(equal("event", self.event))
            .and(at(Test::Gte, self.since))
            .and(at(Test::Lt, self.until))
            .and(before)
    }
}

fn date(at: DateTime<Utc>) -> Bson {
    Bson::DateTime(bson::DateTime::from_chrono(at))
}

/// The entries of the caller's tenant, the newest first.
pub(crate) async fn history(caller: &Caller, page: AuditPage) -> Result<Vec<AuditEntry>> {
    let limit = page.limit;
    let tenant = caller
        .tenant
        .as_ref()
        .map(|tenant| ("tenant", tenant.value().to_bson()));
    let own = match tenant {
        Some(_) => Node::Everything,
        None => Node::field("tenant", Test::Exists(false)),
    };
    let selection = Selection {
        tenant,
        ..Selection::of(own.and(page.node()))
    };
    let mut find = Find::all(audit::COLLECTION, selection);
    find.limit = limit;
    find.sort = ["at", "_id"]
        .map(|path| SortKey {
            path: path.into(),
            direction: Direction::Descending,
            outside: false,
        })
        .into();
    let mut entries = Vec::new();
    let mut cursor = caller.store()?.find(&find).await.map_err(into_error)?;
    while cursor.advance().await.map_err(into_error)? {
        cursor.each(&mut |raw| {
            let document = Document::from_reader(raw)
                .map_err(|_| Error::new(ErrorKind::Decode, "the audit entry is malformed"))?;
            entries.push(AuditEntry::from_document(&document)?);
            Ok(true)
        })?;
    }
    Ok(entries)
}
