//! The ledger of migrations: which run goes on where, how far it has come, what is done. One record for the documents of
//! a collection, or of one tenant in it.

use std::time::Duration;

use bson::{Bson, Document, RawDocumentBuf, doc};
use chrono::{DateTime, TimeDelta, Utc};

use super::migrate::MigrateReport;
use crate::engine::caller::Caller;
use crate::engine::secrets::report::ResumeToken;
use crate::error::{Error, ErrorKind, Result};
use crate::query::Node;
use crate::schema::{ModelSchema, reserved};
use crate::store::{Guard, Selection, StoreError, UpdateOne, into_error};
use crate::value::TenantId;

pub(in crate::engine) const COLLECTION: &str = "__model_migrations";

/// Whose documents: a collection's, or those that one tenant has in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place(String);

impl Place {
    /// What the caller reaches: with a tenant in a tenant model, the tenant's documents.
    pub(crate) fn of(caller: &Caller, schema: &'static ModelSchema) -> Self {
        match (schema.tenant_field(), &caller.tenant) {
            (Some(_), Some(tenant)) => Self(format!("{}@{}", schema.collection, tenant_text(tenant))),
            _ => Self::all(schema),
        }
    }

    /// The whole collection.
    pub(in crate::engine) fn all(schema: &'static ModelSchema) -> Self {
        Self(schema.collection.to_owned())
    }

    fn selection(&self) -> Selection {
        Selection {
            id: Some(("_id", Bson::String(self.0.clone()))),
            ..Selection::of(Node::Everything)
        }
    }
}

/// With its kind, so that no two tenants have one text.
fn tenant_text(tenant: &TenantId) -> String {
    ResumeToken(tenant.value().clone()).to_string()
}

async fn read(caller: &Caller, place: &Place) -> Result<Option<Document>> {
    let found = caller.ports.store.find_one(COLLECTION, &place.selection()).await;
    let malformed = |_| Error::new(ErrorKind::Decode, "the ledger of migrations is malformed");
    found
        .map_err(into_error)?
        .map(|raw| Document::try_from(&*raw).map_err(malformed))
        .transpose()
}

/// The version that no document of the place is older than, as the ledger tells; 1 if it tells nothing.
pub(in crate::engine) async fn done(caller: &Caller, place: &Place) -> Result<u32> {
    let done = number(read(caller, place).await?.as_ref(), "done");
    Ok(u32::try_from(done).unwrap_or_default().max(1))
}

fn number(record: Option<&Document>, key: &str) -> i64 {
    record
        .and_then(|record| record.get_i64(key).ok())
        .unwrap_or_default()
}

/// The right to migrate the documents of a place, until it runs out. Whoever takes it over writes the record, and whoever
/// has lost it sees that by the record's revision.
#[derive(Debug)]
pub(crate) struct Hold {
    place: Place,
    revision: i64,
    lease: TimeDelta,
    version: u32,
    /// What earlier runs to the same version have done.
    earlier: [i64; 2],
}

impl Hold {
    /// Takes the right to migrate, and tells where the last run to this version stopped.
    ///
    /// # Errors
    /// `Conflict` while another run has it; those of the store.
    pub(crate) async fn take(
        caller: &Caller,
        schema: &'static ModelSchema,
        lease: Duration,
    ) -> Result<(Self, Option<ResumeToken>)> {
        let mut hold = Self {
            place: Place::of(caller, schema),
            revision: 0,
            lease: TimeDelta::from_std(lease).unwrap_or(TimeDelta::MAX),
            version: schema.version,
            earlier: [0, 0],
        };
        let Some(record) = read(caller, &hold.place).await? else {
            return hold.begin(caller).await.map(|hold| (hold, None));
        };
        let now = caller.ports.now();
        let until = record.get_datetime("until").map(|until| until.to_chrono());
        if let Ok(until) = until
            && until > now
        {
            return Err(taken(Some(until)));
        }
        hold.revision = number(Some(&record), reserved::REVISION);
        let mut resume = None;
        if number(Some(&record), "to") == i64::from(hold.version) {
            hold.earlier = ["migrated", "raced"].map(|key| number(Some(&record), key));
            resume = record.get_str("after").ok().and_then(|text| text.parse().ok());
        }
        let mut set = hold.held(caller)?;
        set.insert("to", i64::from(hold.version));
        if resume.is_none() {
            set.insert("after", Bson::Null);
        }
        hold.put(caller, set).await?;
        Ok((hold, resume))
    }

    async fn begin(mut self, caller: &Caller) -> Result<Self> {
        self.revision = 1;
        let mut record =
            doc! { "_id": &self.place.0, reserved::REVISION: 1_i64, "to": i64::from(self.version) };
        record.extend(self.held(caller)?);
        let raw = raw(&record)?;
        match caller.ports.store.insert(COLLECTION, &[raw.as_bytes()]).await {
            Ok(()) => Ok(self),
            Err(StoreError::Duplicate { .. }) => Err(taken(None)),
            Err(error) => Err(into_error(error)),
        }
    }

    fn held(&self, caller: &Caller) -> Result<Document> {
        let until = caller.ports.now().checked_add_signed(self.lease);
        let until = until.ok_or_else(|| Error::violation("lease", "range", "is too long"))?;
        Ok(doc! { "owner": &caller.actor.id, "until": bson::DateTime::from_chrono(until) })
    }

    /// Writes the record, if it is still ours.
    async fn put(&mut self, caller: &Caller, mut set: Document) -> Result<()> {
        set.insert(reserved::REVISION, self.revision + 1);
        let update = UpdateOne {
            selection: Selection {
                revision: Guard::Is(self.revision),
                ..self.place.selection()
            },
            set: raw(&set)?,
            unset: Vec::new(),
        };
        let matched = caller.ports.store.update(COLLECTION, &[&update]).await;
        if matched.map_err(into_error)? != 1 {
            return Err(taken(None));
        }
        self.revision += 1;
        Ok(())
    }

    /// Notes how far the run has come, and holds on.
    ///
    /// # Errors
    /// `Conflict` if another run has taken over; those of the store.
    pub(crate) async fn note(
        &mut self,
        caller: &Caller,
        report: &MigrateReport,
        after: Option<&ResumeToken>,
    ) -> Result<()> {
        let mut set = self.held(caller)?;
        self.count(&mut set, report);
        set.insert("after", after.map(ToString::to_string));
        self.put(caller, set).await
    }

    /// Lets go; if no document is older any more, that is noted.
    ///
    /// # Errors
    /// As [`note`](Self::note).
    pub(crate) async fn release(mut self, caller: &Caller, report: &MigrateReport) -> Result<()> {
        let now = bson::DateTime::from_chrono(caller.ports.now());
        let mut set = doc! { "until": now };
        self.count(&mut set, report);
        if report.complete {
            set.insert("done", i64::from(self.version));
            set.insert("done_at", now);
        }
        self.put(caller, set).await
    }

    fn count(&self, set: &mut Document, report: &MigrateReport) {
        let [migrated, raced] = self.earlier;
        let add = |earlier: i64, now: u64| earlier.saturating_add_unsigned(now);
        set.insert("migrated", add(migrated, report.migrated));
        set.insert("raced", add(raced, report.raced));
        set.insert("failed", add(0, report.failed.len() as u64));
    }
}

fn raw(document: &Document) -> Result<RawDocumentBuf> {
    RawDocumentBuf::try_from(document).map_err(|_| Error::internal("a malformed record"))
}

pub(in crate::engine) fn taken(until: Option<DateTime<Utc>>) -> Error {
    let until = until.map_or_else(String::new, |until| {
        format!("; unless it goes on, its right ends at {}", until.to_rfc3339())
    });
    Error::new(
        ErrorKind::Conflict,
        format!("another run migrates these documents{until}"),
    )
}
