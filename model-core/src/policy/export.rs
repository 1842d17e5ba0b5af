//! `export_tenant` and `export_subject`.

use std::fmt;
use std::future::IntoFuture;
use std::io::Write;

use futures_util::future::{BoxFuture, FutureExt};

use super::base_model::BaseModel;
use super::context::{Context, GlobalContext};
use super::{Actor, GlobalScope, TenantScope};
use crate::engine::{Export, ExportReport};
use crate::error::Result;
use crate::schema::ModelSchema;
use crate::value::{Id, IdValue, Identified};

/// An archive of everything that belongs to a tenant, written when awaited.
#[must_use = "an export does nothing until it is awaited"]
pub struct ExportTenant<'a, A: Actor> {
    ctx: &'a Context<A>,
    secrets: bool,
    out: &'a mut (dyn Write + Send),
}

/// An archive of everything that belongs to a person, written when awaited; none if there is no such person.
#[must_use = "an export does nothing until it is awaited"]
pub struct ExportSubject<'a, A: Actor> {
    ctx: &'a GlobalContext<A>,
    schema: &'static ModelSchema,
    id: IdValue,
    secrets: bool,
    out: &'a mut (dyn Write + Send),
}

impl<A: Actor> Context<A> {
    /// Writes all documents of this context's tenant, of every model of the handle, as one archive: JSON lines, as
    /// `ARCHITECTURE.md` describes them. It takes a bypass, and leaves an audit entry (`tenant.export`) before the first
    /// line.
    ///
    /// Documents are told as they are stored, in the present version, those that are marked as deleted and hidden fields
    /// included. Encrypted values are left out unless [`open_secrets`](ExportTenant::open_secrets) says otherwise, and the
    /// hashes of passwords and tokens always. Broken off, the archive lacks its last line:
    /// [`ExportReport::check`].
    ///
    /// # Errors
    /// `Forbidden` without a bypass; `Unavailable` if the archive cannot be written; `Decode` and `Crypto` with model and
    /// id; those of the store.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// # Note::create(&ctx, note("Buy milk")).await?;
    /// let job = ctx.dangerously_bypass_permissions("the customer asked for a copy");
    /// let mut archive = Vec::new(); // or a file
    /// let report = job.export_tenant(&mut archive).await?;
    /// assert_eq!(report.documents["Note"], 1);
    /// assert!(String::from_utf8(archive).unwrap().contains("Buy milk"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn export_tenant<'a>(&'a self, out: &'a mut (dyn Write + Send)) -> ExportTenant<'a, A> {
        ExportTenant {
            ctx: self,
            secrets: false,
            out,
        }
    }

    /// Writes a person's document and all that is theirs, as [`export_tenant`](Self::export_tenant) does: the documents
    /// that name it by a field with `#[model(subject)]`, those that name such a document so, and so on. The audit entry's
    /// event is that of the person's model: `user.export`.
    ///
    /// # Errors
    /// As [`export_tenant`](Self::export_tenant).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// let job = ctx.dangerously_bypass_permissions("request 17, by the person concerned");
    /// let mut archive = Vec::new();
    /// let report = job.export_subject(&created.id, &mut archive).await?;
    /// assert_eq!(report.unwrap().total(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn export_subject<'a, M>(
        &'a self,
        id: &Id<M>,
        out: &'a mut (dyn Write + Send),
    ) -> ExportSubject<'a, A>
    where
        M: BaseModel<Actor = A, Scope = TenantScope> + Identified,
    {
        ExportSubject {
            ctx: self,
            schema: M::schema(),
            id: id.value().clone(),
            secrets: false,
            out,
        }
    }
}

impl<A: Actor> GlobalContext<A> {
    /// As [`Context::export_subject`], of a person whose documents belong to no tenant. No reference with a rule leads from there
    /// into a tenant, so the archive holds documents of global models.
    ///
    /// # Errors
    /// As [`Context::export_subject`].
    ///
    /// ```
    /// # use model_core::prelude::*;
    /// async fn copy<M>(ctx: &GlobalContext<M::Actor>, id: &Id<M>) -> Result<Vec<u8>>
    /// where
    ///     M: BaseModel<Scope = model_core::GlobalScope>,
    /// {
    ///     let job = ctx.dangerously_bypass_permissions("the person asked for a copy");
    ///     let mut archive = Vec::new(); // or a file
    ///     job.export_subject(id, &mut archive).await?;
    ///     Ok(archive)
    /// }
    /// ```
    pub fn export_subject<'a, M>(
        &'a self,
        id: &Id<M>,
        out: &'a mut (dyn Write + Send),
    ) -> ExportSubject<'a, A>
    where
        M: BaseModel<Actor = A, Scope = GlobalScope>,
    {
        ExportSubject {
            ctx: self,
            schema: M::schema(),
            id: id.value().clone(),
            secrets: false,
            out,
        }
    }
}

impl<A: Actor> ExportTenant<'_, A> {
    /// Encrypted values stand in the archive in the clear, which its manifest and the audit entry say.
    pub fn open_secrets(mut self) -> Self {
        self.secrets = true;
        self
    }

    async fn run(self) -> Result<ExportReport> {
        export(self.ctx, self.secrets).tenant(self.out).await
    }
}

impl<A: Actor> ExportSubject<'_, A> {
    /// As [`ExportTenant::open_secrets`].
    pub fn open_secrets(mut self) -> Self {
        self.secrets = true;
        self
    }

    async fn run(self) -> Result<Option<ExportReport>> {
        let export = export(self.ctx, self.secrets);
        export.subject(self.schema, self.id, self.out).await
    }
}

fn export<A: Actor>(ctx: &GlobalContext<A>, secrets: bool) -> Export<'_> {
    Export {
        caller: ctx.caller(),
        context: ctx,
        secrets,
    }
}

impl<A: Actor> fmt::Debug for ExportTenant<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportTenant").finish_non_exhaustive()
    }
}

impl<A: Actor> fmt::Debug for ExportSubject<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportSubject").finish_non_exhaustive()
    }
}

impl<'a, A: Actor> IntoFuture for ExportTenant<'a, A> {
    type Output = Result<ExportReport>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}

impl<'a, A: Actor> IntoFuture for ExportSubject<'a, A> {
    type Output = Result<Option<ExportReport>>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
