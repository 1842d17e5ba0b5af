//! `check_stored`.

use std::fmt;
use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt};

use super::global;
use super::unit::Reader;
use crate::engine::{self, CheckReport, ResumeToken};
use crate::error::{Error, Result};
use crate::policy::{BaseModel, ContextFor};

/// How many documents a batch has, if nothing is said.
const BATCH: u32 = 500;

/// A check of the stored documents that the context reaches, carried out when awaited. It writes nothing.
#[must_use = "a check does nothing until it is awaited"]
pub struct CheckStored<'a, M: BaseModel> {
    ctx: &'a ContextFor<M>,
    batch: u32,
    resume: Option<ResumeToken>,
    progress: Option<Progress<'a>>,
    stop: Option<Stop<'a>>,
}

type Progress<'a> = Box<dyn FnMut(&CheckReport) + Send + 'a>;
type Stop<'a> = Box<dyn Fn() -> bool + Send + Sync + 'a>;

impl<'a, M: BaseModel> CheckStored<'a, M> {
    pub(super) fn new(ctx: &'a ContextFor<M>) -> Self {
        Self {
            ctx,
            batch: BATCH,
            resume: None,
            progress: None,
            stop: None,
        }
    }

    /// That many documents at a time: 500 if nothing is said, at least one.
    pub fn batch(mut self, documents: u32) -> Self {
        self.batch = documents.max(1);
        self
    }

    /// Goes on where another run stopped: after the document that the token names.
    pub fn resume(mut self, token: ResumeToken) -> Self {
        self.resume = Some(token);
        self
    }

    /// Is told after every batch what was found so far.
    pub fn on_progress(mut self, progress: impl FnMut(&CheckReport) + Send + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Is asked after every batch whether to stop; the report then says where to go on.
    pub fn stop_when(mut self, stop: impl Fn() -> bool + Send + Sync + 'a) -> Self {
        self.stop = Some(Box::new(stop));
        self
    }

    async fn run(mut self) -> Result<CheckReport> {
        let caller = global::<M>(self.ctx).caller();
        engine::admit_pass(caller, M::schema()).await?;
        let mut report = CheckReport {
            resume: self.resume.take(),
            ..CheckReport::default()
        };
        let mut reader = Reader::<M>::new(self.ctx);
        loop {
            engine::check(&mut reader, self.batch, &mut report).await?;
            if let Some(progress) = &mut self.progress {
                progress(&report);
            }
            if report.resume.is_none() || self.stop.as_ref().is_some_and(|stop| stop()) {
                return Ok(report);
            }
        }
    }
}

impl<M: BaseModel> fmt::Debug for CheckStored<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckStored")
            .field("model", &M::NAME)
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel> IntoFuture for CheckStored<'a, M> {
    type Output = Result<CheckReport>;
    type IntoFuture = BoxFuture<'a, Result<CheckReport>>;

    fn into_future(self) -> Self::IntoFuture {
        let named = |error: Error| error.at_model(M::NAME, "check_stored");
        async move { self.run().await.map_err(named) }.boxed()
    }
}
