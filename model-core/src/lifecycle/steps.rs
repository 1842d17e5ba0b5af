//! Steps over whole collections: rename, backfill, split, move with every reference rewritten. They work on stored
//! documents, of models and of others.

use std::fmt;
use std::future::IntoFuture;
use std::time::Duration;

use bson::{Bson, Document};
use futures_util::future::{BoxFuture, FutureExt};

use crate::engine::{self, Caller, MOST_FAILURES, Parts, Progress, Record, Work};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{Actor, GlobalContext};

/// How many documents a batch has, if nothing is said.
const BATCH: u32 = 200;
/// How long a run that says nothing keeps others out.
const LEASE: Duration = Duration::from_mins(1);

/// Steps over whole collections, in the order in which they are to be taken; each is taken once, as the ledger
/// `__model_migrations` knows by its name.
///
/// They work on stored documents, below models: nothing is validated, no hook runs, no tenant is enforced, and the audit log
/// has one entry for each run of a step. They are for what a model's own `migrate` cannot do, and they need transactions: a batch
/// is read, written and noted as a whole, so that a run that is killed goes on after its last batch. Run them while no
/// program works on these collections in another form.
///
/// ```
/// # model_core::__example!();
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # let ctx = example().await?;
/// # let db_wide: &GlobalContext<User> = &ctx;
/// use model_core::Steps;
/// let steps = Steps::new()
///     .rename("2026-03 entries are notes", "entries", "notes")
///     .backfill("2026-03 notes have tags", "notes", |mut note| {
///         if !note.contains_key("tags") {
///             note.insert("tags", Vec::<String>::new());
///         }
///         Ok(note)
///     });
/// let job = db_wide.dangerously_bypass_permissions("release 7");
/// for report in steps.run(&job).await? {
///     assert!(report.complete, "{report}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Steps(Vec<Step>);

struct Step {
    name: &'static str,
    kind: Kind,
    references: Vec<(&'static str, &'static str)>,
}

enum Kind {
    Rename(&'static str, &'static str),
    Carry {
        from: &'static str,
        carry: Box<engine::Carry>,
        notes_ids: bool,
        to: Vec<&'static str>,
    },
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|step| step.name))
            .finish()
    }
}

impl Steps {
    /// No steps.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn step(mut self, name: &'static str, kind: Kind) -> Self {
        self.0.push(Step {
            name,
            kind,
            references: Vec::new(),
        });
        self
    }

    /// Gives a collection another name, its indexes included. There is nothing to do if there is none of the old name; if
    /// there is one of the new name already, the step fails.
    pub fn rename(self, name: &'static str, from: &'static str, to: &'static str) -> Self {
        self.step(name, Kind::Rename(from, to))
    }

    /// Turns each document into another under the same id. An error leaves a document as it is, and stands in the report; a
    /// run that goes over the collection again meets documents that it has changed already.
    pub fn backfill(
        self,
        name: &'static str,
        collection: &'static str,
        change: impl Fn(Document) -> Result<Document> + Send + Sync + 'static,
    ) -> Self {
        let carry = move |document| {
            let keep = Some(change(document)?);
            Ok(Parts {
                keep,
                put: Vec::new(),
            })
        };
        self.carry(name, collection, Vec::new(), Box::new(carry), false)
    }

    /// Takes a part out of each document, to be stored in `to` as a document of its own, which needs an `_id`: the closure gives
    /// what stays, and what goes there, if anything does.
    pub fn split(
        self,
        name: &'static str,
        from: &'static str,
        to: &'static str,
        split: impl Fn(Document) -> Result<(Document, Option<Document>)> + Send + Sync + 'static,
    ) -> Self {
        let carry = move |document| {
            let (keep, part) = split(document)?;
            let put = part.map(|part| (to, part)).into_iter().collect();
            Ok(Parts {
                keep: Some(keep),
                put,
            })
        };
        self.carry(name, from, vec![to], Box::new(carry), false)
    }

    /// Moves each document into another collection, as what the closure makes of it: its `_id` there may be a new one, made
    /// anew or out of the old one. Which became which is kept in `__model_moves`: [`references`](Self::references) are
    /// rewritten by it, and [`moved_id`](Self::moved_id) looks one up.
    pub fn move_documents(
        self,
        name: &'static str,
        from: &'static str,
        to: &'static str,
        change: impl Fn(Document) -> Result<Document> + Send + Sync + 'static,
    ) -> Self {
        let carry = move |document| {
            let put = vec![(to, change(document)?)];
            Ok(Parts { keep: None, put })
        };
        self.carry(name, from, vec![to], Box::new(carry), true)
    }

    fn carry(
        self,
        name: &'static str,
        from: &'static str,
        to: Vec<&'static str>,
        carry: Box<engine::Carry>,
        notes_ids: bool,
    ) -> Self {
        self.step(
            name,
            Kind::Carry {
                from,
                carry,
                notes_ids,
                to,
            },
        )
    }

    /// Says where others name the documents of the last move: by a stored path, through arrays too (`members.user`). When all
    /// documents are moved, the new ids are put in the place of the old ones, as `ObjectId`s and as texts alike.
    pub fn references(mut self, collection: &'static str, path: &'static str) -> Self {
        if let Some(step) = self.0.last_mut() {
            step.references.push((collection, path));
        }
        self
    }

    /// Takes the steps that were not taken yet. It needs a bypass.
    ///
    /// # Errors
    /// Awaited: `Forbidden`, `Unsupported` without transactions, `Configuration` for steps that cannot be meant, `Conflict`
    /// while another run takes the same step, and those of the store; run again, it goes on where it stopped.
    pub fn run<'a, A: Actor>(&'a self, ctx: &'a GlobalContext<A>) -> RunSteps<'a> {
        RunSteps {
            steps: self,
            caller: ctx.caller(),
            batch: BATCH,
            throttle: Duration::ZERO,
            lease: LEASE,
            progress: None,
            stop: None,
        }
    }

    /// The id that a moved document has now; none if no step of that name has moved it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn moved_id<A: Actor>(
        ctx: &GlobalContext<A>,
        step: &str,
        old: impl Into<Bson> + Send,
    ) -> Result<Option<Bson>> {
        engine::moved_id(ctx.caller(), step, &old.into()).await
    }

    fn check(&self) -> Result<()> {
        let wrong = |step: &Step, why: &str| {
            let message = format!("the step `{}`: {why}", step.name);
            Err(Error::new(ErrorKind::Configuration, message))
        };
        for (number, step) in self.0.iter().enumerate() {
            if self.0.iter().take(number).any(|other| other.name == step.name) {
                return wrong(step, "another has this name");
            }
            let mut collections: Vec<&str> = step.references.iter().map(|(place, _)| *place).collect();
            match &step.kind {
                Kind::Rename(from, to) => collections.extend([from, to]),
                Kind::Carry { from, to, .. } => {
                    if to.contains(from) {
                        return wrong(step, "it would find what it has stored");
                    }
                    collections.push(from);
                    collections.extend(to);
                }
            }
            if collections.iter().any(|name| is_own(name)) {
                return wrong(step, "the collection is the crate's own");
            }
            if !step.references.is_empty() && !step.moves() {
                return wrong(step, "only a move changes ids");
            }
        }
        Ok(())
    }
}

/// Whether a collection holds the crate's own records.
fn is_own(collection: &str) -> bool {
    collection.starts_with("__model_")
        || collection.starts_with("system.")
        || [crate::audit::COLLECTION, "audit_chain"].contains(&collection)
}

impl Step {
    fn moves(&self) -> bool {
        matches!(self.kind, Kind::Carry { notes_ids: true, .. })
    }

    /// The pieces of work, one after the other; none for a rename.
    fn work(&self, phase: u32) -> Option<Work<'_>> {
        let Kind::Carry {
            from,
            carry,
            notes_ids,
            ..
        } = &self.kind
        else {
            return None;
        };
        match (phase as usize).checked_sub(1) {
            None => Some(Work::Carry {
                from,
                carry: &**carry,
                notes_ids: *notes_ids,
            }),
            Some(number) => {
                let (collection, path) = *self.references.get(number)?;
                Some(Work::References { collection, path })
            }
        }
    }
}

/// What was done of a step.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct StepReport {
    /// The step.
    pub step: &'static str,
    /// The documents that were changed, split or moved.
    pub written: u64,
    /// The documents in which references were rewritten.
    pub rewritten: u64,
    /// The documents that stay as they were, each with its id and the reason.
    pub failed: Vec<Error>,
    /// Whether it went on where an earlier run had stopped.
    pub resumed: bool,
    /// Whether an earlier run had done it all.
    pub was_done: bool,
    /// Whether it is done.
    pub complete: bool,
}

impl fmt::Display for StepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.was_done {
            return write!(f, "{}: was done", self.step);
        }
        let end = if self.complete { "complete" } else { "not complete" };
        let (step, written, rewritten) = (self.step, self.written, self.rewritten);
        let failed = self.failed.len();
        write!(
            f,
            "{step}: {written} documents, {rewritten} with references, {failed} failed: {end}"
        )
    }
}

/// What a step would do.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct StepPreview {
    /// The step.
    pub step: &'static str,
    /// Whether it was taken already.
    pub was_done: bool,
    /// The documents to look at.
    pub documents: u64,
    /// What would become of the first of them, by their ids: which top-level fields change, and where else something is stored. No
    /// values are shown, since nothing says which are secret.
    pub sample: Vec<StepSample>,
    /// Those of the sample that would fail, each with its id and the reason.
    pub failed: Vec<Error>,
}

/// What a step would do with one document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepSample {
    /// The document's id.
    pub id: String,
    /// The names of the top-level fields that change; none if the document goes away.
    pub changed: Option<Vec<String>>,
    /// The collections in which something is stored.
    pub stored: Vec<&'static str>,
}

/// A run of [`Steps`], carried out when awaited.
#[must_use = "steps are taken when it is awaited"]
pub struct RunSteps<'a> {
    steps: &'a Steps,
    caller: &'a Caller,
    batch: u32,
    throttle: Duration,
    lease: Duration,
    progress: Option<Told<'a>>,
    stop: Option<Stop<'a>>,
}

type Told<'a> = Box<dyn FnMut(&StepReport) + Send + 'a>;
type Stop<'a> = Box<dyn Fn() -> bool + Send + Sync + 'a>;

impl fmt::Debug for RunSteps<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunSteps")
            .field("steps", self.steps)
            .finish_non_exhaustive()
    }
}

impl<'a> RunSteps<'a> {
    /// That many documents at a time: 200 if nothing is said, at least one. A batch is one transaction.
    pub fn batch(mut self, documents: u32) -> Self {
        self.batch = documents.max(1);
        self
    }

    /// Waits that long after each batch, so that others get their turn.
    pub fn throttle(mut self, pause: Duration) -> Self {
        self.throttle = pause;
        self
    }

    /// How long after its last batch a run that was interrupted keeps others out: a minute if nothing is said.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Is told after every batch what was done so far of the step at hand.
    pub fn on_progress(mut self, progress: impl FnMut(&StepReport) + Send + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Is asked after every batch whether to stop. The next run goes on there.
    pub fn stop_when(mut self, stop: impl Fn() -> bool + Send + Sync + 'a) -> Self {
        self.stop = Some(Box::new(stop));
        self
    }

    /// Says what each step would do with the documents that are there now, and writes nothing. What a step finds that an
    /// earlier one has yet to make is not shown.
    ///
    /// # Errors
    /// As awaiting it.
    pub async fn dry_run(self, sample: u32) -> Result<Vec<StepPreview>> {
        self.steps.check()?;
        engine::admit_steps(self.caller).await?;
        let mut previews = Vec::new();
        for step in &self.steps.0 {
            let mut preview = StepPreview {
                step: step.name,
                was_done: engine::step_is_done(self.caller, step.name).await?,
                ..StepPreview::default()
            };
            if let Some(work) = step.work(0).filter(|_| !preview.was_done) {
                preview.documents = engine::step_count(self.caller, work).await?;
                for (id, parts) in engine::preview_step(self.caller, work, sample).await? {
                    match parts {
                        Ok((before, parts)) => preview.sample.push(sampled(id, &before, &parts)),
                        Err(error) => preview.failed.push(error.at_id(|| id)),
                    }
                }
            }
            previews.push(preview);
        }
        Ok(previews)
    }

    async fn take(mut self) -> Result<Vec<StepReport>> {
        self.steps.check()?;
        engine::admit_steps(self.caller).await?;
        let mut reports: Vec<StepReport> = Vec::new();
        let steps = self.steps;
        for step in &steps.0 {
            let report = self.take_one(step).await?;
            let goes_on = report.complete;
            reports.push(report);
            if !goes_on {
                break;
            }
        }
        Ok(reports)
    }

    async fn take_one(&mut self, step: &Step) -> Result<StepReport> {
        let mut report = StepReport {
            step: step.name,
            ..StepReport::default()
        };
        let lease = self.lease + self.throttle;
        let Some(mut record) = Record::take(self.caller, step.name, lease).await? else {
            (report.was_done, report.complete) = (true, true);
            return Ok(report);
        };
        report.resumed = record.resumed;
        let result = self.work(step, &mut record, &mut report).await;
        report.complete = matches!(result, Ok(true)) && report.failed.is_empty();
        // Where the store does not answer, the lease ends it.
        let released = record.release(self.caller, report.complete).await;
        result?;
        released?;
        Ok(report)
    }

    /// Whether it came to the end.
    async fn work(&mut self, step: &Step, record: &mut Record, report: &mut StepReport) -> Result<bool> {
        engine::note_step(self.caller, step.name).await?;
        if let Kind::Rename(from, to) = &step.kind {
            engine::rename_collection(self.caller, from, to).await?;
            return Ok(true);
        }
        let mut progress = Progress::default();
        while let Some(work) = step.work(record.phase) {
            loop {
                let more = engine::step_batch(self.caller, work, record, self.batch, &mut progress).await?;
                (report.written, report.rewritten) = (progress.written, progress.rewritten);
                report.failed.append(&mut progress.failed);
                if let Some(told) = &mut self.progress {
                    told(report);
                }
                if self.stop.as_ref().is_some_and(|stop| stop()) || report.failed.len() >= MOST_FAILURES {
                    return Ok(false);
                }
                if !more {
                    break;
                }
                if !self.throttle.is_zero() {
                    tokio::time::sleep(self.throttle).await;
                }
            }
            if !report.failed.is_empty() {
                return Ok(false);
            }
            record.advance(self.caller).await?;
        }
        Ok(true)
    }
}

fn sampled(id: String, before: &Document, parts: &Parts) -> StepSample {
    let changed = parts.keep.as_ref().map(|kept| {
        let names = before
            .keys()
            .chain(kept.keys().filter(|key| !before.contains_key(key)));
        names
            .filter(|key| before.get(key) != kept.get(key))
            .cloned()
            .collect()
    });
    StepSample {
        id,
        changed,
        stored: parts.put.iter().map(|(collection, _)| *collection).collect(),
    }
}

impl<'a> IntoFuture for RunSteps<'a> {
    type Output = Result<Vec<StepReport>>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.take().boxed()
    }
}
