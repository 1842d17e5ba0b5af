//! The contexts: nothing is read or written without one.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use zeroize::Zeroizing;

use super::actor::Actor;
use crate::audit::RequestMeta;
use crate::crypto::{Candidate, Plaintext, Verdict};
use crate::engine::{Caller, OpenTransaction, Ports, Reach, is_token, open_old, open_sealed, upgrade};
use crate::error::Result;
use crate::value::{OpenSecrets, PasswordHash, TenantId};

/// A context without a tenant: for work before the tenant is known (sign-in, sign-up, webhooks). It reaches global
/// models only.
///
/// Every [`Context`] is also one of these, so a global model takes either.
pub struct GlobalContext<A: Actor> {
    caller: Caller,
    actor: Arc<A>,
}

impl<A: Actor> Clone for GlobalContext<A> {
    fn clone(&self) -> Self {
        Self {
            caller: self.caller.clone(),
            actor: Arc::clone(&self.actor),
        }
    }
}

impl<A: Actor> fmt::Debug for GlobalContext<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GlobalContext")
            .field("actor", &self.caller.actor)
            .field("bypass", &self.caller.bypass)
            .finish_non_exhaustive()
    }
}

impl<A: Actor> GlobalContext<A> {
    pub(crate) fn new(ports: Arc<Ports>, actor: A) -> Self {
        let caller = Caller {
            ports,
            tenant: None,
            actor: actor.identity(),
            request: RequestMeta::default(),
            bypass: None,
            reason: None,
            came_from: None,
            transaction: None,
        };
        Self {
            caller,
            actor: Arc::new(actor),
        }
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    pub(super) fn in_transaction(&self, transaction: Option<Arc<OpenTransaction>>) -> Self {
        let mut ctx = self.clone();
        ctx.caller.transaction = transaction;
        ctx
    }

    /// Who acts.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// assert!(ctx.actor().admin);
    /// # Ok(())
    /// # }
    /// ```
    pub fn actor(&self) -> &A {
        &self.actor
    }

    /// The application's own state of type `T`, given to the database handle with `.state(...)`: loggers, caches,
    /// other services.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// assert!(ctx.state::<String>().is_none(), "nothing was given with `.state(...)`");
    /// # Ok(())
    /// # }
    /// ```
    pub fn state<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.caller.ports.state.get()
    }

    /// Where the request came from.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let ctx = ctx.with_request(model_core::audit::RequestMeta::new().ip("203.0.113.7"));
    /// assert_eq!(ctx.request().ip.as_deref(), Some("203.0.113.7"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(&self) -> &RequestMeta {
        &self.caller.request
    }

    /// The present instant, by the database handle's clock.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// assert_eq!(ctx.now().timestamp_subsec_micros() % 1000, 0, "whole milliseconds");
    /// # Ok(())
    /// # }
    /// ```
    pub fn now(&self) -> DateTime<Utc> {
        self.caller.ports.now()
    }

    /// The same actor, with what is known of the request.
    pub fn with_request(mut self, request: RequestMeta) -> Self {
        self.caller.request = request;
        self
    }

    /// The same actor, who says why: the reason stands in the audit entry of every write.
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.caller.reason = Some(reason.into().into());
        self
    }

    /// The same actor, acting for a tenant.
    ///
    /// From the context of another tenant this is work across tenants: it takes a reason, either
    /// [`with_reason`](Context::with_reason) or that of a bypass, without which every operation is refused as
    /// [`Configuration`](crate::ErrorKind::Configuration), and every write is audited, whatever the model says, with the tenant
    /// that the actor came from.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let support = ctx.enter(TenantId::new("globex")?).with_reason("ticket 4711");
    /// Note::create(&support, note("Done for another tenant, and audited")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn enter(&self, tenant: impl Into<TenantId>) -> Context<A> {
        let tenant = tenant.into();
        let mut entered = self.clone();
        if let Some(own) = &self.caller.tenant
            && *own != tenant
        {
            entered.caller.came_from.get_or_insert_with(|| own.clone());
        }
        Context::new(entered, tenant)
    }

    /// The same context without permission checks. The reason stands in the audit entry of every write, and every
    /// write is audited, whatever the model says.
    pub fn dangerously_bypass_permissions(&self, reason: impl Into<String>) -> Self {
        let mut ctx = self.clone();
        ctx.caller.bypass = Some(reason.into().into());
        ctx
    }

    /// Compares a password with a stored hash, in the same time whether there is a hash or not. It takes the hash of any
    /// tenant's document, since it is asked before the tenant is known.
    ///
    /// # Errors
    /// [`Crypto`](crate::ErrorKind::Crypto): the hash is of an unknown scheme, asks for more than the bounds allow, was
    /// tampered with, or the hasher is busy.
    pub async fn verify_password(
        &self,
        hash: Option<&PasswordHash>,
        candidate: &Candidate,
    ) -> Result<Verdict> {
        let phc = match hash {
            Some(hash) => hash.phc(&AnyTenant(&self.caller)).await?,
            None => None,
        };
        Ok(self.caller.ports.hasher.verify(phc.as_deref(), candidate).await?)
    }

    /// As [`verify_password`](Self::verify_password); a hash that matches and needs it is replaced by one that follows the
    /// policy, if it is still the stored one: a password that was changed meanwhile stays. So the hashes of another system
    /// go with the logins of their owners.
    ///
    /// `needs_rehash` then says that it was not replaced: it is no longer stored, stands in an element of an array or map, the
    /// password is too short to be hashed anew, or there was no answer. A login need not care.
    ///
    /// # Errors
    /// As [`verify_password`](Self::verify_password).
    ///
    /// ```
    /// # use model_core::prelude::*;
    /// # use model_core::crypto::{Candidate, Verdict};
    /// async fn is_let_in(
    ///     door: &GlobalContext<impl Actor>,
    ///     hash: Option<&PasswordHash>,
    ///     typed: String,
    /// ) -> Result<bool> {
    ///     let verdict = door.verify_and_upgrade(hash, &Candidate::new(typed)).await?;
    ///     Ok(matches!(verdict, Verdict::Match { .. }))
    /// }
    /// ```
    pub async fn verify_and_upgrade(
        &self,
        hash: Option<&PasswordHash>,
        candidate: &Candidate,
    ) -> Result<Verdict> {
        let verdict = self.verify_password(hash, candidate).await?;
        let stored = hash.and_then(PasswordHash::stored);
        let (Verdict::Match { needs_rehash: true }, Some((origin, stored))) = (verdict, stored) else {
            return Ok(verdict);
        };
        let Ok(password) = candidate.to_new_password() else {
            return Ok(verdict);
        };
        let Ok(phc) = self.caller.ports.hasher.hash(&password).await else {
            return Ok(verdict);
        };
        match upgrade(&self.caller, &origin, &stored, &phc).await {
            Ok(true) => Ok(Verdict::Match { needs_rehash: false }),
            Ok(false) | Err(_) => Ok(verdict),
        }
    }
}

/// Opens password hashes of any tenant.
struct AnyTenant<'a>(&'a Caller);

impl OpenSecrets for AnyTenant<'_> {
    async fn open_sealed(&self, origin: &[u8], envelope: &[u8]) -> Result<Plaintext> {
        open_sealed(self.0, origin, envelope, Reach::Any).await
    }
    async fn is_token(&self, collection: &str, path: &str, presented: &[u8], digest: &[u8]) -> Result<bool> {
        is_token(self.0, collection, path, presented, digest).await
    }
    fn open_old(&self, format: &str, stored: &str) -> Result<Option<Zeroizing<String>>> {
        open_old(self.0, format, stored)
    }
}

impl<A: Actor> OpenSecrets for GlobalContext<A> {
    async fn open_sealed(&self, origin: &[u8], envelope: &[u8]) -> Result<Plaintext> {
        open_sealed(&self.caller, origin, envelope, Reach::Own).await
    }
    async fn is_token(&self, collection: &str, path: &str, presented: &[u8], digest: &[u8]) -> Result<bool> {
        is_token(&self.caller, collection, path, presented, digest).await
    }
    fn open_old(&self, format: &str, stored: &str) -> Result<Option<Zeroizing<String>>> {
        open_old(&self.caller, format, stored)
    }
}

/// A tenant and an actor: what every operation on a tenant model takes.
///
/// It dereferences to its [`GlobalContext`], which has the actor, the state and the request.
pub struct Context<A: Actor> {
    global: GlobalContext<A>,
    tenant: TenantId,
}

impl<A: Actor> Clone for Context<A> {
    fn clone(&self) -> Self {
        Self {
            global: self.global.clone(),
            tenant: self.tenant.clone(),
        }
    }
}

impl<A: Actor> fmt::Debug for Context<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("tenant", &self.tenant)
            .field("actor", &self.global.caller.actor)
            .field("bypass", &self.global.caller.bypass)
            .finish_non_exhaustive()
    }
}

impl<A: Actor> Context<A> {
    pub(super) fn in_transaction(&self, transaction: Option<Arc<OpenTransaction>>) -> Self {
        Self {
            global: self.global.in_transaction(transaction),
            tenant: self.tenant.clone(),
        }
    }

    pub(crate) fn new(mut global: GlobalContext<A>, tenant: TenantId) -> Self {
        global.caller.tenant = Some(tenant.clone());
        Self { global, tenant }
    }

    /// The same context, for work that goes on in another tenant: it takes a reason, and is audited.
    pub(crate) fn crossing(&self) -> Self {
        let mut ctx = self.clone();
        ctx.global
            .caller
            .came_from
            .get_or_insert_with(|| self.tenant.clone());
        ctx
    }

    /// The tenant.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// assert_eq!(ctx.tenant(), &TenantId::new("acme")?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The same tenant and actor, with what is known of the request.
    pub fn with_request(mut self, request: RequestMeta) -> Self {
        self.global.caller.request = request;
        self
    }

    /// The same tenant and actor, who says why: the reason stands in the audit entry of every write.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?.dangerously_bypass_permissions("an example");
    /// let ctx = ctx.with_reason("asked for by the customer");
    /// let note = Note::create(&ctx, note("Why it is there")).await?;
    /// let history = ctx.audit_log().of::<Note>(&note.id).await?;
    /// assert_eq!(history[0].reason.as_deref(), Some("asked for by the customer"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.global.caller.reason = Some(reason.into().into());
        self
    }

    /// The same context without permission checks, still bound to the tenant. The reason stands in the audit entry of
    /// every write, and every write is audited, whatever the model says.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let job = ctx.dangerously_bypass_permissions("nightly cleanup");
    /// Note::create(&job, note("Written by a job")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn dangerously_bypass_permissions(&self, reason: impl Into<String>) -> Self {
        Self {
            global: self.global.dangerously_bypass_permissions(reason),
            tenant: self.tenant.clone(),
        }
    }
}

impl<A: Actor> Deref for Context<A> {
    type Target = GlobalContext<A>;

    fn deref(&self) -> &GlobalContext<A> {
        &self.global
    }
}

impl<A: Actor> OpenSecrets for Context<A> {
    async fn open_sealed(&self, origin: &[u8], envelope: &[u8]) -> Result<Plaintext> {
        open_sealed(self.global.caller(), origin, envelope, Reach::Own).await
    }
    async fn is_token(&self, collection: &str, path: &str, presented: &[u8], digest: &[u8]) -> Result<bool> {
        is_token(self.global.caller(), collection, path, presented, digest).await
    }
    fn open_old(&self, format: &str, stored: &str) -> Result<Option<Zeroizing<String>>> {
        open_old(self.global.caller(), format, stored)
    }
}
