//! `migrate_all`.

use std::fmt;
use std::future::IntoFuture;
use std::time::Duration;

use bson::RawDocumentBuf;
use futures_util::future::{BoxFuture, FutureExt};

use super::global;
use super::unit::{Input, Writing};
use crate::engine::{self, Caller, Hold, MigratePreview, MigrateReport, MigrateScan, ResumeToken, WriteUnit};
use crate::error::{Error, Result};
use crate::policy::{BaseModel, ContextFor};
use crate::value::{Id, IdValue, TenantId};

/// How many documents a batch has, if nothing is said.
const BATCH: u32 = 500;

/// How long a run that says nothing keeps others out.
const LEASE: Duration = Duration::from_mins(1);

/// After how many documents that failed a run stops.
const MOST_FAILURES: usize = 1_000;

/// A migration of the stored documents of older versions, carried out when awaited.
///
/// Each document goes through the one write path: migrated, validated, written if nobody has changed it since it was
/// read, and audited as `<entity>.migrate`. `updated_at` stays as it is, and no hook runs. One run at a time works on the
/// same documents; one that was interrupted goes on after the last batch that it finished.
#[must_use = "a migration does nothing until it is awaited"]
pub struct MigrateAll<'a, M: BaseModel> {
    caller: &'a Caller,
    every_tenant: bool,
    enter: Enter<'a, M>,
    batch: u32,
    throttle: Duration,
    lease: Duration,
    progress: Option<Progress<'a>>,
    stop: Option<Stop<'a>>,
}

type Stop<'a> = Box<dyn Fn() -> bool + Send + Sync + 'a>;

type Progress<'a> = Box<dyn FnMut(&MigrateReport) + Send + 'a>;

/// Makes the context in which a tenant's documents are written.
type Enter<'a, M> = Box<dyn Fn(Option<TenantId>) -> Result<ContextFor<M>> + Send + Sync + 'a>;

impl<'a, M: BaseModel> MigrateAll<'a, M> {
    /// Of the documents that the context reaches.
    pub(super) fn new(ctx: &'a ContextFor<M>) -> Self {
        let caller = global::<M>(ctx).caller();
        Self::of(caller, false, Box::new(|_| Ok(ctx.clone())))
    }

    /// Of every tenant's; `enter` makes the context of one.
    pub(super) fn every(
        caller: &'a Caller,
        enter: impl Fn(Option<TenantId>) -> Option<ContextFor<M>> + Send + Sync + 'a,
    ) -> Self {
        let enter = move |tenant: Option<TenantId>| {
            enter(tenant).ok_or_else(|| Error::internal("a document without a tenant"))
        };
        Self::of(caller, true, Box::new(enter))
    }

    fn of(caller: &'a Caller, every_tenant: bool, enter: Enter<'a, M>) -> Self {
        Self {
            caller,
            every_tenant,
            enter,
            batch: BATCH,
            throttle: Duration::ZERO,
            lease: LEASE,
            progress: None,
            stop: None,
        }
    }

    /// That many documents at a time: 500 if nothing is said, at least one.
    pub fn batch(mut self, documents: u32) -> Self {
        self.batch = documents.max(1);
        self
    }

    /// Waits that long after each batch, so that others get their turn.
    pub fn throttle(mut self, pause: Duration) -> Self {
        self.throttle = pause;
        self
    }

    /// How long after its last batch a run that was interrupted keeps others out: a minute if nothing is said. Choose it
    /// longer than a batch takes.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Is told after every batch what was done so far.
    pub fn on_progress(mut self, progress: impl FnMut(&MigrateReport) + Send + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Is asked after every batch whether to stop. The next run goes on there.
    pub fn stop_when(mut self, stop: impl Fn() -> bool + Send + Sync + 'a) -> Self {
        self.stop = Some(Box::new(stop));
        self
    }

    fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop())
    }

    /// Counts the older documents, and carries the first `sample` of them through the write path up to the write, which
    /// does not take place. (A tenant that has no key yet gets one where a sample seals a secret.)
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let job = ctx.dangerously_bypass_permissions("release 7");
    /// let preview = Note::migrate_all(&job).dry_run(10).await?;
    /// assert_eq!(preview.older, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Forbidden` without a bypass, and those of the store.
    pub async fn dry_run(self, sample: u32) -> Result<MigratePreview> {
        self.preview(sample)
            .await
            .map_err(|error| error.at_model(M::NAME, "migrate_all"))
    }

    fn scan(&self) -> MigrateScan<'a> {
        MigrateScan {
            caller: self.caller,
            schema: M::schema(),
            base_filter: M::base_filter().into_node(),
            every_tenant: self.every_tenant,
        }
    }

    async fn preview(self, sample: u32) -> Result<MigratePreview> {
        let scan = self.scan();
        engine::admit_migration(scan.caller, M::schema()).await?;
        let mut preview = MigratePreview {
            older: scan.count().await?,
            ..MigratePreview::default()
        };
        if sample == 0 {
            return Ok(preview);
        }
        let (documents, _) = scan.next(None, sample).await?;
        for (tenant, documents) in scan.by_tenant(documents, &mut preview.failed) {
            let ctx = (self.enter)(tenant)?;
            let make = |id| unit::<M>(&ctx, id);
            for document in documents {
                match engine::preview_migration(M::schema(), &make, document).await {
                    Ok(sample) => preview.sample.extend(sample),
                    Err(error) => preview.failed.push(error),
                }
            }
        }
        preview.sample.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(preview)
    }

    async fn run(mut self) -> Result<MigrateReport> {
        let scan = self.scan();
        engine::admit_migration(scan.caller, M::schema()).await?;
        let (mut hold, mut resume) = Hold::take(scan.caller, M::schema(), self.lease + self.throttle).await?;
        let mut report = MigrateReport {
            resumed: resume.is_some(),
            ..MigrateReport::default()
        };
        let result = loop {
            let whole = resume.is_none();
            if whole {
                // It finds again what failed before.
                report.scanned -= report.failed.len() as u64;
                report.failed.clear();
            }
            let before = report.scanned;
            match self.pass(&scan, &mut hold, resume.take(), &mut report).await {
                Ok(()) if self.is_stopped() => break Ok(()),
                // What was written behind the pass is found by the next one, until one finds nothing.
                Ok(()) if !whole || (report.failed.is_empty() && report.scanned > before) => {}
                Ok(()) => {
                    report.complete = report.failed.is_empty();
                    break Ok(());
                }
                Err(error) => break Err(error),
            }
        };
        match result {
            Ok(()) => {
                hold.release(scan.caller, &report).await?;
                Ok(report)
            }
            Err(error) => {
                // The lease ends it where the store does not answer.
                let _ = hold.release(scan.caller, &report).await;
                Err(error)
            }
        }
    }

    /// One pass over the older documents, from where it is to begin.
    async fn pass(
        &mut self,
        scan: &MigrateScan<'_>,
        hold: &mut Hold,
        mut after: Option<ResumeToken>,
        report: &mut MigrateReport,
    ) -> Result<()> {
        loop {
            let (documents, next) = scan.next(after.as_ref(), self.batch).await?;
            if !documents.is_empty() {
                self.migrate(scan, documents, report).await?;
            }
            hold.note(scan.caller, report, next.as_ref()).await?;
            if let Some(progress) = &mut self.progress {
                progress(report);
            }
            after = next;
            if after.is_none() || report.failed.len() >= MOST_FAILURES || self.is_stopped() {
                return Ok(());
            }
            if !self.throttle.is_zero() {
                tokio::time::sleep(self.throttle).await;
            }
        }
    }

    async fn migrate(
        &mut self,
        scan: &MigrateScan<'_>,
        documents: Vec<RawDocumentBuf>,
        report: &mut MigrateReport,
    ) -> Result<()> {
        report.scanned += documents.len() as u64;
        for (tenant, documents) in scan.by_tenant(documents, &mut report.failed) {
            let ctx = (self.enter)(tenant)?;
            engine::migrate(M::schema(), &|id| unit::<M>(&ctx, id), documents, report).await?;
        }
        Ok(())
    }
}

fn unit<M: BaseModel>(ctx: &ContextFor<M>, id: IdValue) -> Box<dyn WriteUnit + '_> {
    Box::new(Writing::<M>::of(ctx, Id::from_value(id), Some(Input::Migrated)))
}

impl<M: BaseModel> fmt::Debug for MigrateAll<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MigrateAll")
            .field("model", &M::NAME)
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel> IntoFuture for MigrateAll<'a, M> {
    type Output = Result<MigrateReport>;
    type IntoFuture = BoxFuture<'a, Result<MigrateReport>>;

    fn into_future(self) -> Self::IntoFuture {
        let run = self.run();
        async move { run.await.map_err(|error| error.at_model(M::NAME, "migrate_all")) }.boxed()
    }
}
