//! A run of steps.

use std::fmt;
use std::future::IntoFuture;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use super::{Kind, Step, StepPreview, StepReport, StepSample, Steps};
use crate::engine::{self, Caller, MOST_FAILURES, Progress, Record};
use crate::error::Result;

/// How many documents a batch has, if nothing is said.
const BATCH: u32 = 200;
/// How long a run that says nothing keeps others out.
const LEASE: Duration = Duration::from_mins(1);

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
    pub(super) fn new(steps: &'a Steps, caller: &'a Caller) -> Self {
        Self {
            steps,
            caller,
            batch: BATCH,
            throttle: Duration::ZERO,
            lease: LEASE,
            progress: None,
            stop: None,
        }
    }

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
                        Ok((before, parts)) => preview.sample.push(StepSample::of(id, &before, &parts)),
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

impl<'a> IntoFuture for RunSteps<'a> {
    type Output = Result<Vec<StepReport>>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.take().boxed()
    }
}
