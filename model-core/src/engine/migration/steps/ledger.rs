//! How far a step has come, in the ledger of migrations: one record for each step, written with each batch.

use std::time::Duration;

use bson::{Bson, Document, doc};
use chrono::TimeDelta;

use super::{Failure, one, raw};
use crate::engine::caller::Caller;
use crate::engine::migration::migrations::{COLLECTION, taken};
use crate::engine::read::load;
use crate::error::{Error, Result};
use crate::schema::reserved;
use crate::store::{Guard, Operations, Selection, StoreError, UpdateOne, into_error};

/// What a step has done so far.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) scanned: u64,
    pub(crate) written: u64,
    pub(crate) rewritten: u64,
    pub(crate) failed: Vec<Error>,
}

impl Progress {
    /// The same counts, to go on from.
    pub(super) fn clone_counts(&self) -> Self {
        Self {
            scanned: self.scanned,
            written: self.written,
            rewritten: self.rewritten,
            failed: Vec::new(),
        }
    }

    /// Takes over what a batch has done.
    pub(super) fn settle(&mut self, done: Self, refused: impl Iterator<Item = Error>) {
        let mut failed = std::mem::take(&mut self.failed);
        failed.extend(done.failed);
        failed.extend(refused);
        *self = Self { failed, ..done };
    }
}

/// The right to carry out a step, and how far it has come.
#[derive(Debug)]
pub(crate) struct Record {
    key: String,
    prefix: usize,
    revision: i64,
    lease: TimeDelta,
    /// Which of the step's pieces of work is at hand.
    pub(crate) phase: u32,
    after: Option<Bson>,
    /// Whether an earlier run has begun it.
    pub(crate) resumed: bool,
}

/// What a batch has noted, once its transaction has taken effect.
pub(crate) struct Noted(Option<Bson>);

const PREFIX: &str = "step/";

fn key(step: &str) -> String {
    format!("{PREFIX}{step}")
}

async fn read(caller: &Caller, key: &str) -> Result<Option<Document>> {
    let found = caller.ports.store.find_one(COLLECTION, &one(key)).await;
    found
        .map_err(into_error)?
        .map(|raw| load::document(raw.as_bytes()))
        .transpose()
}

/// Whether a step has been carried out.
pub(crate) async fn state(caller: &Caller, step: &str) -> Result<bool> {
    let record = read(caller, &key(step)).await?;
    Ok(record.is_some_and(|record| record.contains_key("done_at")))
}

impl Record {
    /// Takes the right to carry out a step; none if that has been done.
    ///
    /// # Errors
    /// `Conflict` while another run has it; those of the store.
    pub(crate) async fn take(caller: &Caller, step: &str, lease: Duration) -> Result<Option<Self>> {
        let mut record = Self {
            key: key(step),
            prefix: PREFIX.len(),
            revision: 1,
            lease: TimeDelta::from_std(lease).unwrap_or(TimeDelta::MAX),
            phase: 0,
            after: None,
            resumed: false,
        };
        let Some(stored) = read(caller, &record.key).await? else {
            let mut first = doc! { "_id": &record.key, reserved::REVISION: 1_i64, "phase": 0_i64 };
            first.extend(record.held(caller)?);
            let first = raw(&first)?;
            return match caller.ports.store.insert(COLLECTION, &[first.as_bytes()]).await {
                Ok(()) => Ok(Some(record)),
                Err(StoreError::Duplicate { .. }) => Err(taken(None)),
                Err(error) => Err(into_error(error)),
            };
        };
        if stored.contains_key("done_at") {
            return Ok(None);
        }
        if let Ok(until) = stored.get_datetime("until").map(|until| until.to_chrono())
            && until > caller.ports.now()
        {
            return Err(taken(Some(until)));
        }
        record.revision = stored.get_i64(reserved::REVISION).unwrap_or_default();
        record.phase = stored
            .get_i64("phase")
            .ok()
            .and_then(|phase| u32::try_from(phase).ok())
            .unwrap_or_default();
        record.after = stored.get("after").filter(|after| **after != Bson::Null).cloned();
        record.resumed = record.after.is_some() || record.phase > 0;
        let set = record.held(caller)?;
        record.put(caller, set).await?;
        Ok(Some(record))
    }

    /// The step's name.
    pub(super) fn step(&self) -> &str {
        self.key.get(self.prefix..).unwrap_or_default()
    }

    pub(super) fn after(&self) -> Option<&Bson> {
        self.after.as_ref()
    }

    fn held(&self, caller: &Caller) -> Result<Document> {
        let until = caller.ports.now().checked_add_signed(self.lease);
        let until = until.ok_or_else(|| Error::violation("lease", "range", "is too long"))?;
        Ok(doc! { "owner": &caller.actor.id, "until": bson::DateTime::from_chrono(until) })
    }

    fn update(&self, mut set: Document) -> Result<UpdateOne> {
        set.insert(reserved::REVISION, self.revision + 1);
        Ok(UpdateOne {
            selection: Selection {
                revision: Guard::Is(self.revision),
                ..one(&self.key)
            },
            set: raw(&set)?,
            unset: Vec::new(),
        })
    }

    async fn put(&mut self, caller: &Caller, set: Document) -> Result<()> {
        let update = self.update(set)?;
        let matched = caller.ports.store.update(COLLECTION, &[&update]).await;
        if matched.map_err(into_error)? != 1 {
            return Err(taken(None));
        }
        self.revision += 1;
        Ok(())
    }

    /// Notes with a batch, in its transaction, how far it brings the step.
    pub(super) async fn note(
        &self,
        caller: &Caller,
        store: &dyn Operations,
        after: Option<Bson>,
        progress: &Progress,
    ) -> Result<Noted, Failure> {
        let mut set = self.held(caller)?;
        set.insert("after", after.clone());
        set.insert("written", i64::try_from(progress.written).unwrap_or(i64::MAX));
        set.insert("rewritten", i64::try_from(progress.rewritten).unwrap_or(i64::MAX));
        let update = self.update(set)?;
        if store.update(COLLECTION, &[&update]).await? != 1 {
            return Err(taken(None).into());
        }
        Ok(Noted(after))
    }

    /// The batch has taken effect.
    pub(super) fn settle(&mut self, noted: Noted) {
        self.revision += 1;
        self.after = noted.0;
    }

    /// Goes on to the next piece of work.
    ///
    /// # Errors
    /// `Conflict` if another run has taken over; those of the store.
    pub(crate) async fn advance(&mut self, caller: &Caller) -> Result<()> {
        self.phase += 1;
        self.after = None;
        let mut set = self.held(caller)?;
        set.insert("phase", i64::from(self.phase));
        set.insert("after", Bson::Null);
        self.put(caller, set).await
    }

    /// Lets go; if all is done, that is noted.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
    pub(crate) async fn release(mut self, caller: &Caller, is_done: bool) -> Result<()> {
        let now = bson::DateTime::from_chrono(caller.ports.now());
        let mut set = doc! { "until": now };
        if is_done {
            set.insert("done_at", now);
        }
        self.put(caller, set).await
    }
}
