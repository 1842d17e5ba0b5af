//! What the pipeline works with: the parts of one database handle.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

use crate::audit::{self, AuditSink};
use crate::codec::Today;
use crate::crypto::{Keyring, PasswordHasher};
use crate::engine::clock::{self, Clock};
use crate::engine::migration::backlog::Settled;
use crate::engine::references::graph::Graph;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::ModelSchema;
use crate::store::{Abilities, Store};

/// The application's own state, by type.
#[derive(Default)]
pub(crate) struct State(HashMap<TypeId, Box<dyn Any + Send + Sync>>);

impl State {
    pub(crate) fn insert<T: Any + Send + Sync>(&mut self, value: T) {
        self.0.insert(TypeId::of::<T>(), Box::new(value));
    }

    pub(crate) fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0
            .get(&TypeId::of::<T>())
            .and_then(|value| value.downcast_ref())
    }
}

/// Where audit entries go.
pub(crate) enum AuditTarget {
    /// The audit collection, in the write's own transaction.
    Collection,
    /// A sink of the application's own, after the write.
    Sink(Arc<dyn AuditSink>),
}

/// The parts of one database handle.
pub(crate) struct Ports {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keyring: Option<Keyring>,
    pub(crate) hasher: PasswordHasher,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) audit: AuditTarget,
    /// Whether the entries of the audit collection are linked to each other.
    pub(crate) chained: bool,
    pub(crate) state: State,
    pub(crate) models: Vec<&'static ModelSchema>,
    /// What refers to what.
    pub(crate) graph: Graph,
    /// Whose documents are known to have none of older versions.
    pub(crate) settled: Settled,
    /// What `build()` checks: keys, unique indexes, the server's abilities.
    pub(crate) check: Check,
    /// Set by `build()`, or by the first operation after `build_lazy()`.
    pub(crate) checked: OnceCell<Abilities>,
}

/// A check of the whole handle, given by the layer above.
pub(crate) type Check = for<'a> fn(&'a Ports) -> BoxFuture<'a, Result<Abilities>>;

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let models: Vec<_> = self.models.iter().map(|schema| schema.name).collect();
        f.debug_struct("Db")
            .field("store", &self.store.name())
            .field("models", &models)
            .finish_non_exhaustive()
    }
}

impl Today for Ports {
    fn now(&self) -> DateTime<Utc> {
        Self::now(self)
    }
}

impl Ports {
    /// The registered models, and the crate's own collection of audit entries if this handle writes there.
    pub(crate) fn collections(&self) -> Vec<&'static ModelSchema> {
        let audited = self.models.iter().any(|schema| schema.audit.is_some());
        let own =
            (audited && matches!(self.audit, AuditTarget::Collection)).then(|| audit::schema(self.chained));
        self.models.iter().copied().chain(own).collect()
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        clock::now(&*self.clock)
    }

    /// Refuses a model that `build()` has not seen: its indexes and keys were not checked.
    pub(crate) async fn admit(&self, schema: &'static ModelSchema) -> Result<Abilities> {
        if !self.models.iter().any(|known| std::ptr::eq(*known, schema)) {
            return Err(Error::new(
                ErrorKind::Configuration,
                "the model is not registered: add `.model::<...>()` to the database handle",
            ));
        }
        self.abilities().await
    }

    /// What the server can do; the first call after `build_lazy()` checks the whole handle.
    pub(crate) async fn abilities(&self) -> Result<Abilities> {
        match self.checked.get() {
            Some(abilities) => Ok(*abilities),
            None => self.checked.get_or_try_init(|| (self.check)(self)).await.copied(),
        }
    }
}
