//! Whether a model's documents belong to tenants, and which context reaches them.

use super::actor::Actor;
use super::base_model::BaseModel;
use super::context::{Context, GlobalContext};
use super::model::Model;
use crate::value::TenantId;

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::TenantScope {}
    impl Sealed for super::GlobalScope {}
}

/// Whose documents a model holds; see the two implementations.
pub trait Scope: sealed::Sealed + Send + Sync + 'static {
    /// What a document is stamped with.
    type Tenant: Clone + Send + Sync + std::fmt::Debug + 'static;
    /// The context that reaches the documents.
    type Context<A: Actor>: AnyContext<Self, A>;
}

/// What the pipeline needs of either context.
pub trait AnyContext<S: Scope + ?Sized, A: Actor>: Clone + Send + Sync + 'static {
    /// The part that all contexts have.
    fn global(&self) -> &GlobalContext<A>;

    /// What a document is stamped with.
    fn stamp_tenant(&self) -> S::Tenant;

    /// The context of this kind that a global one and a tenant make; none where a tenant is needed and there is none.
    fn entered(global: &GlobalContext<A>, tenant: Option<TenantId>) -> Option<Self>;

    /// The same context outside of any transaction.
    fn outside(&self) -> Self;

    /// The context of the same caller, if it has what this one needs: a tenant.
    #[doc(hidden)]
    fn of_caller(caller: &GlobalContext<A>) -> Option<Self>;
}

/// Each document belongs to a tenant: only a [`Context`] reaches it.
#[derive(Debug)]
pub enum TenantScope {}

/// The documents belong to no tenant: any context reaches them, one without a tenant too.
#[derive(Debug)]
pub enum GlobalScope {}

impl Scope for TenantScope {
    type Tenant = TenantId;
    type Context<A: Actor> = Context<A>;
}

impl Scope for GlobalScope {
    type Tenant = ();
    type Context<A: Actor> = GlobalContext<A>;
}

impl<A: Actor> AnyContext<TenantScope, A> for Context<A> {
    fn global(&self) -> &GlobalContext<A> {
        self
    }

    fn stamp_tenant(&self) -> TenantId {
        self.tenant().clone()
    }

    fn entered(global: &GlobalContext<A>, tenant: Option<TenantId>) -> Option<Self> {
        tenant.map(|tenant| global.enter(tenant))
    }

    fn outside(&self) -> Self {
        self.in_transaction(None)
    }

    fn of_caller(caller: &GlobalContext<A>) -> Option<Self> {
        let tenant = caller.caller().tenant.clone()?;
        Some(Self::new(caller.clone(), tenant))
    }
}

impl<A: Actor> AnyContext<GlobalScope, A> for GlobalContext<A> {
    fn global(&self) -> &GlobalContext<A> {
        self
    }

    fn stamp_tenant(&self) {}

    fn entered(global: &GlobalContext<A>, _: Option<TenantId>) -> Option<Self> {
        Some(global.clone())
    }

    fn outside(&self) -> Self {
        self.in_transaction(None)
    }

    fn of_caller(caller: &GlobalContext<A>) -> Option<Self> {
        Some(caller.clone())
    }
}

/// A context that reaches the documents of another scope too: a [`Context`] those of both, a [`GlobalContext`] the global
/// ones alone.
#[diagnostic::on_unimplemented(
    message = "this context does not reach the other model",
    note = "both models have the same actor, and a global model's context has no tenant to look a tenant's documents up in"
)]
pub trait Reaches<S: Scope, A: Actor> {
    #[doc(hidden)]
    fn reach(&self) -> &S::Context<A>;
}

impl<A: Actor> Reaches<TenantScope, A> for Context<A> {
    fn reach(&self) -> &Context<A> {
        self
    }
}

impl<A: Actor> Reaches<GlobalScope, A> for Context<A> {
    fn reach(&self) -> &GlobalContext<A> {
        self
    }
}

impl<A: Actor> Reaches<GlobalScope, A> for GlobalContext<A> {
    fn reach(&self) -> &GlobalContext<A> {
        self
    }
}

/// The context that the model `M` takes: [`Context`] for a tenant model, [`GlobalContext`] for a global one.
pub type ContextFor<M> = <<M as Model>::Scope as Scope>::Context<<M as BaseModel>::Actor>;
