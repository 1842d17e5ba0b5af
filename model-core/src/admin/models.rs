//! The models behind one interface: the command knows them by name only.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use super::progress::{Progress, Watch};
use crate::engine::{
    CheckReport, MigratePreview, MigrateReport, ReencryptReport, ResumeToken, SecretsReport,
};
use crate::error::{Error, Result};
use crate::model::ModelExt;
use crate::policy::{Actor, AnyContext, AuditLog, BaseModel, ContextFor, GlobalContext};
use crate::schema::ModelSchema;
use crate::value::TenantId;

/// How a migration runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) batch: u32,
    pub(super) throttle: Duration,
    pub(super) lease: Duration,
}

/// One model. Where a tenant may be left out, every tenant is meant; where it may not, a global model takes none.
pub(super) trait Administered<A: Actor>: Send + Sync {
    fn schema(&self) -> &'static ModelSchema;

    fn tenants<'a>(&'a self, ctx: &'a GlobalContext<A>) -> BoxFuture<'a, Result<Vec<TenantId>>>;

    fn preview<'a>(
        &'a self,
        ctx: &'a GlobalContext<A>,
        tenant: Option<&'a TenantId>,
        sample: u32,
    ) -> BoxFuture<'a, Result<MigratePreview>>;

    fn migrate<'a>(
        &'a self,
        ctx: &'a GlobalContext<A>,
        tenant: Option<&'a TenantId>,
        pace: Pace,
        watch: &'a Watch,
    ) -> BoxFuture<'a, Result<MigrateReport>>;

    fn inspect<'a>(
        &'a self,
        ctx: &'a GlobalContext<A>,
        tenant: Option<&'a TenantId>,
    ) -> BoxFuture<'a, Result<SecretsReport>>;

    fn reencrypt<'a>(
        &'a self,
        ctx: &'a GlobalContext<A>,
        tenant: Option<&'a TenantId>,
        batch: u32,
        resume: Option<ResumeToken>,
        watch: &'a Watch,
    ) -> BoxFuture<'a, Result<ReencryptReport>>;

    fn check<'a>(
        &'a self,
        ctx: &'a GlobalContext<A>,
        tenant: Option<&'a TenantId>,
        watch: &'a Watch,
    ) -> BoxFuture<'a, Result<CheckReport>>;

    /// Narrows a look into the audit log to this model, or to one document of it.
    fn history<'a>(&self, log: AuditLog<'a>, id: Option<&str>) -> Result<AuditLog<'a>>;
}

pub(super) struct Typed<M>(PhantomData<fn() -> M>);

impl<M> Typed<M> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<M> fmt::Debug for Typed<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed")
    }
}

/// The context of a tenant, for a model that needs one.
fn enter<M: BaseModel>(ctx: &GlobalContext<M::Actor>, tenant: Option<&TenantId>) -> Result<ContextFor<M>> {
    AnyContext::<M::Scope, M::Actor>::entered(ctx, tenant.cloned())
        .ok_or_else(|| Error::violation("--tenant", "required", "the model's documents belong to tenants"))
}

fn label<M: BaseModel>(tenant: Option<&TenantId>) -> String {
    match tenant {
        Some(tenant) => format!("{} of {tenant}", M::NAME),
        None => M::NAME.to_owned(),
    }
}

impl<M: BaseModel> Administered<M::Actor> for Typed<M> {
    fn schema(&self) -> &'static ModelSchema {
        M::schema()
    }

    fn tenants<'a>(&'a self, ctx: &'a GlobalContext<M::Actor>) -> BoxFuture<'a, Result<Vec<TenantId>>> {
        M::tenants(ctx).boxed()
    }

    fn preview<'a>(
        &'a self,
        ctx: &'a GlobalContext<M::Actor>,
        tenant: Option<&'a TenantId>,
        sample: u32,
    ) -> BoxFuture<'a, Result<MigratePreview>> {
        async move {
            match tenant {
                None => M::migrate_every_tenant(ctx).dry_run(sample).await,
                Some(_) => M::migrate_all(&enter::<M>(ctx, tenant)?).dry_run(sample).await,
            }
        }
        .boxed()
    }

    fn migrate<'a>(
        &'a self,
        ctx: &'a GlobalContext<M::Actor>,
        tenant: Option<&'a TenantId>,
        pace: Pace,
        watch: &'a Watch,
    ) -> BoxFuture<'a, Result<MigrateReport>> {
        async move {
            let older = self.preview(ctx, tenant, 0).await?.older;
            let mut progress = Progress::new(label::<M>(tenant), Some(older));
            let entered;
            let run = match tenant {
                None => M::migrate_every_tenant(ctx),
                Some(_) => {
                    entered = enter::<M>(ctx, tenant)?;
                    M::migrate_all(&entered)
                }
            };
            run.batch(pace.batch)
                .throttle(pace.throttle)
                .lease(pace.lease)
                .stop_when(|| watch.is_stopped())
                .on_progress(|so_far| progress.at(so_far.scanned))
                .await
        }
        .boxed()
    }

    fn inspect<'a>(
        &'a self,
        ctx: &'a GlobalContext<M::Actor>,
        tenant: Option<&'a TenantId>,
    ) -> BoxFuture<'a, Result<SecretsReport>> {
        async move { M::reencrypt(&enter::<M>(ctx, tenant)?).inspect().await }.boxed()
    }

    fn reencrypt<'a>(
        &'a self,
        ctx: &'a GlobalContext<M::Actor>,
        tenant: Option<&'a TenantId>,
        batch: u32,
        resume: Option<ResumeToken>,
        watch: &'a Watch,
    ) -> BoxFuture<'a, Result<ReencryptReport>> {
        async move {
            let ctx = enter::<M>(ctx, tenant)?;
            let mut progress = Progress::new(label::<M>(tenant), None);
            let run = M::reencrypt(&ctx)
                .batch(batch)
                .stop_when(|| watch.is_stopped())
                .on_progress(|so_far| progress.at(so_far.scanned));
            match resume {
                Some(token) => run.resume(token).await,
                None => run.await,
            }
        }
        .boxed()
    }

    fn check<'a>(
        &'a self,
        ctx: &'a GlobalContext<M::Actor>,
        tenant: Option<&'a TenantId>,
        watch: &'a Watch,
    ) -> BoxFuture<'a, Result<CheckReport>> {
        async move {
            let ctx = enter::<M>(ctx, tenant)?;
            let mut progress = Progress::new(label::<M>(tenant), None);
            M::check_stored(&ctx)
                .stop_when(|| watch.is_stopped())
                .on_progress(|so_far| progress.at(so_far.scanned))
                .await
        }
        .boxed()
    }

    fn history<'a>(&self, log: AuditLog<'a>, id: Option<&str>) -> Result<AuditLog<'a>> {
        match id {
            Some(name) => log.of_name::<M>(name),
            None => Ok(log.entity::<M>()),
        }
    }
}
