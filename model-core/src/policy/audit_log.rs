//! The audit log, for those who may read it.

use std::fmt;
use std::future::IntoFuture;

use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, FutureExt};

use super::actor::Actor;
use super::context::GlobalContext;
use super::model::Model;
use crate::audit::AuditEntry;
use crate::engine::{self, AuditPage, Caller, ChainReport};
use crate::error::{Error, ErrorKind, Result};
use crate::query::Filter;
#[cfg(feature = "admin")]
use crate::value::IdValue;
use crate::value::{Id, Identified};

/// A query over the audit log of the context's tenant: awaited, it gives the entries, the newest first. A context without a
/// tenant has the entries that belong to none.
///
/// # Errors
/// `Forbidden` unless [`Actor::can_read_audit_log`] or a bypass allows it.
#[must_use = "a query does nothing until it is awaited"]
pub struct AuditLog<'a> {
    caller: &'a Caller,
    allowed: bool,
    page: AuditPage,
}

impl fmt::Debug for AuditLog<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog").finish_non_exhaustive()
    }
}

impl<A: Actor> GlobalContext<A> {
    /// The audit log.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// let history = ctx.audit_log().of::<Note>(&created.id).limit(20).await?;
    /// assert_eq!(history[0].event, "note.create");
    /// # Ok(())
    /// # }
    /// ```
    pub fn audit_log(&self) -> AuditLog<'_> {
        AuditLog {
            caller: self.caller(),
            allowed: self.caller().bypass.is_some() || self.actor().can_read_audit_log(),
            page: AuditPage::default(),
        }
    }
}

impl AuditLog<'_> {
    /// What happened to one document.
    pub fn of<M: Model + Identified>(mut self, id: &Id<M>) -> Self {
        self.page.entity_id = Some(id.to_string());
        self.entity::<M>()
    }

    /// What happened to the document that a composite key names, of a model whose documents have no id.
    ///
    /// # Errors
    /// `Configuration` if the filter is not an `eq` on each part of the key, or the model's documents have ids.
    ///
    /// ```
    /// use model_core::ModelExt;
    /// use model_core::prelude::*;
    ///
    /// #[derive(Model)]
    /// #[model(collection = "hits", key(page, day), audit(entity = "hits"))]
    /// struct Hits {
    ///     #[model(tenant)] organization: TenantId,
    ///     page: String,
    ///     day: i64,
    ///     count: i64,
    /// }
    /// # struct User;
    /// # impl Actor for User {
    /// #     fn identity(&self) -> ActorIdentity { ActorIdentity::user("ada") }
    /// #     fn can_read_audit_log(&self) -> bool { true }
    /// # }
    /// # impl BaseModel for Hits {
    /// #     type Actor = User;
    /// #     fn can_read(&self, _: &Context<User>) -> bool { true }
    /// #     fn can_create(&self, _: &Context<User>) -> bool { true }
    /// #     fn can_update(&self, _: &Context<User>, _: &Self) -> bool { true }
    /// #     fn can_delete(&self, _: &Context<User>) -> bool { true }
    /// # }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let db = Db::memory().model::<Hits>().build().await?;
    /// # let ctx = db.context(TenantId::new("acme")?, User);
    /// Hits::create(&ctx, NewHits { page: "start".into(), day: 1, count: 0 }).await?;
    /// let history = ctx.audit_log().of_key::<Hits>(|h| h.page.eq("start") & h.day.eq(1))?.await?;
    /// assert_eq!(history[0].entity_id, "start/1");
    /// # Ok(())
    /// # }
    /// ```
    pub fn of_key<M: Model>(mut self, key: impl FnOnce(&'static M::Fields) -> Filter<M>) -> Result<Self> {
        let named = engine::entity_of_key(M::schema(), &key(M::fields()).into_node());
        self.page.entity_id = Some(named.map_err(|error| error.at_model(M::NAME, "audit_log"))?);
        Ok(self.entity::<M>())
    }

    /// What happened to the document that entries name so: by its id, or by its key.
    #[cfg(feature = "admin")]
    pub(crate) fn of_name<M: Model>(mut self, name: &str) -> Result<Self> {
        let schema = M::schema();
        if schema.has_id() {
            IdValue::parse(schema.id, name)
                .map_err(|message| Error::violation("id", "id", message).at_model(M::NAME, "id"))?;
        }
        self.page.entity_id = Some(name.to_owned());
        Ok(self.entity::<M>())
    }

    /// What happened to the documents of one model.
    pub fn entity<M: Model>(mut self) -> Self {
        let entity = M::schema().audit.map_or(M::NAME, |audit| audit.entity);
        self.page.entity_type = Some(entity.to_owned());
        self
    }

    /// What one actor did, by the id of its [`identity`](Actor::identity).
    pub fn by(mut self, actor: impl Into<String>) -> Self {
        self.page.actor = Some(actor.into());
        self
    }

    /// The entries of one event: `widget.update`.
    pub fn event(mut self, event: impl Into<String>) -> Self {
        self.page.event = Some(event.into());
        self
    }

    /// From this instant on.
    pub fn since(mut self, at: DateTime<Utc>) -> Self {
        self.page.since = Some(at);
        self
    }

    /// Before this instant.
    pub fn until(mut self, at: DateTime<Utc>) -> Self {
        self.page.until = Some(at);
        self
    }

    /// Only entries that are older than this one: the next page.
    pub fn after(mut self, entry: &AuditEntry) -> Self {
        self.page.before = Some((entry.at, entry.id));
        self
    }

    /// At most that many.
    pub fn limit(mut self, limit: u64) -> Self {
        self.page.limit = Some(limit);
        self
    }

    /// Follows the hash chain of the whole log of this tenant, if the database handle keeps one: whether an entry was
    /// changed, taken out or put in between.
    ///
    /// # Errors
    /// `Configuration` if the handle keeps none; `Forbidden`; those of the store.
    pub async fn verify_chain(self) -> Result<ChainReport> {
        self.check()?;
        if !self.caller.ports.chained {
            return Err(Error::new(
                ErrorKind::Configuration,
                "the audit log is not chained: `.audit_chain()` on the database handle's builder",
            ));
        }
        let tenant = self.caller.tenant.as_ref();
        let tenant = tenant.map(|tenant| ("tenant", tenant.value().to_bson()));
        engine::verify_chain(self.caller.store()?, tenant).await
    }

    fn check(&self) -> Result<()> {
        if self.allowed {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Forbidden, "`can_read_audit_log` denies it"))
    }
}

impl<'a> IntoFuture for AuditLog<'a> {
    type Output = Result<Vec<AuditEntry>>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move {
            self.check()?;
            engine::history(self.caller, self.page).await
        }
        .boxed()
    }
}
