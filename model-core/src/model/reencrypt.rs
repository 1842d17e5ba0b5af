//! `reencrypt`.

use std::fmt;
use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt};

use super::global;
use crate::engine::{self, ReencryptReport, ResumeToken, SecretsReport};
use crate::error::{Error, Result};
use crate::policy::{BaseModel, ContextFor};

/// How many documents a batch has, if nothing is said.
const BATCH: u32 = 500;

/// A re-encryption of a model's documents in the context of a tenant, carried out when awaited.
#[must_use = "a re-encryption does nothing until it is awaited"]
pub struct Reencrypt<'a, M: BaseModel> {
    ctx: &'a ContextFor<M>,
    batch: u32,
    resume: Option<ResumeToken>,
    progress: Option<Progress<'a>>,
    stop: Option<Stop<'a>>,
}

type Stop<'a> = Box<dyn Fn() -> bool + Send + Sync + 'a>;

type Progress<'a> = Box<dyn FnMut(&ReencryptReport) + Send + 'a>;

impl<'a, M: BaseModel> Reencrypt<'a, M> {
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

    /// Is told after every batch what was done so far, and from where a run could go on.
    pub fn on_progress(mut self, progress: impl FnMut(&ReencryptReport) + Send + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Is asked after every batch whether to stop; the report then says where to go on.
    pub fn stop_when(mut self, stop: impl Fn() -> bool + Send + Sync + 'a) -> Self {
        self.stop = Some(Box::new(stop));
        self
    }

    /// Counts what lies under which key, and what is not sealed at all. It writes nothing and opens nothing.
    ///
    /// # Errors
    /// As awaiting it.
    pub async fn inspect(self) -> Result<SecretsReport> {
        let (caller, schema) = (global::<M>(self.ctx).caller(), M::schema());
        let named = |error: Error| error.at_model(M::NAME, "inspect");
        engine::admit_pass(caller, schema).await.map_err(named)?;
        engine::inspect(caller, schema, self.batch).await.map_err(named)
    }

    async fn run(mut self) -> Result<ReencryptReport> {
        let (caller, schema) = (global::<M>(self.ctx).caller(), M::schema());
        let named = |error: Error| error.at_model(M::NAME, "reencrypt");
        engine::admit_pass(caller, schema).await.map_err(named)?;
        engine::note_reencryption(caller, schema).await.map_err(named)?;
        let mut report = ReencryptReport {
            resume: self.resume.take(),
            ..ReencryptReport::default()
        };
        loop {
            engine::reencrypt(caller, schema, self.batch, &mut report)
                .await
                .map_err(named)?;
            if let Some(progress) = &mut self.progress {
                progress(&report);
            }
            if report.resume.is_none() || self.stop.as_ref().is_some_and(|stop| stop()) {
                return Ok(report);
            }
        }
    }
}

impl<M: BaseModel> fmt::Debug for Reencrypt<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reencrypt")
            .field("model", &M::NAME)
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel> IntoFuture for Reencrypt<'a, M> {
    type Output = Result<ReencryptReport>;
    type IntoFuture = BoxFuture<'a, Result<ReencryptReport>>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
