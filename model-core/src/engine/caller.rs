//! On whose behalf the pipeline works.

use std::sync::Arc;

use crate::audit::{ActorIdentity, RequestMeta};
use crate::engine::ports::Ports;
use crate::engine::transaction::{self, Open};
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, Test};
use crate::schema::{ModelSchema, TimeSeriesSpec};
use crate::store::{Operations, Selection};
use crate::value::{IdValue, TenantId};

/// How deep a filter may nest: each level is two of the hundred that the server allows a document.
const MAX_DEPTH: usize = 40;

/// A context without its actor's type.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) ports: Arc<Ports>,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) actor: ActorIdentity,
    pub(crate) request: RequestMeta,
    /// The reason, where permissions are bypassed.
    pub(crate) bypass: Option<Arc<str>>,
    /// Why the actor does what it does, in its own words.
    pub(crate) reason: Option<Arc<str>>,
    /// The tenant whose context this one was entered from, where it is another.
    pub(crate) came_from: Option<TenantId>,
    /// The application's transaction, inside of its closure.
    pub(crate) transaction: Option<Arc<Open>>,
}

impl Caller {
    /// The documents of `schema` that this caller's tenant has and `rest` selects.
    ///
    /// # Errors
    /// `Invalid` for a filter that nests deeper than the server allows; a tenant model without a tenant: there is no
    /// such context, so this is a bug, and it selects nothing.
    pub(crate) fn select(&self, schema: &'static ModelSchema, rest: Node) -> Result<Selection> {
        self.check_crossing()?;
        if rest.depth() > MAX_DEPTH {
            let message = "the filter nests deeper than 40 levels";
            return Err(Error::violation("filter", "depth", message));
        }
        if rest.is_blind() {
            return Err(Error::internal("a secret in a filter was not turned into tokens"));
        }
        let tenant = match (schema.tenant_field(), &self.tenant) {
            (None, _) => None,
            (Some(field), Some(tenant)) => Some((field, tenant.value().to_bson())),
            (Some(_), None) => {
                return Err(Error::internal("a tenant model was reached without a tenant"));
            }
        };
        let rest = match schema.time_series() {
            Some(series) => by_source(series, tenant.as_ref(), rest),
            None => rest,
        };
        Ok(Selection {
            tenant,
            ..Selection::of(rest)
        })
    }

    /// Work across tenants has a reason.
    ///
    /// # Errors
    /// `Configuration`: the context was entered from another tenant's, and nobody said why.
    pub(crate) fn check_crossing(&self) -> Result<()> {
        if self.came_from.is_none() || self.reason.is_some() || self.bypass.is_some() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Configuration,
            "the context was entered from another tenant's: say why, with `with_reason`",
        ))
    }

    /// The one document with this id, in this caller's tenant.
    pub(crate) fn own(&self, schema: &'static ModelSchema, id: &IdValue) -> Result<Selection> {
        let selection = self.select(schema, Node::Everything)?;
        Ok(Selection {
            id: Some((schema.id_field, id.to_bson())),
            ..selection
        })
    }

    /// The id of the one document that this caller's tenant has of a singleton.
    pub(crate) fn only_id(&self, schema: &'static ModelSchema) -> IdValue {
        let tenant = match schema.tenant_field() {
            Some(_) => self.tenant.as_ref().map(TenantId::value),
            None => None,
        };
        IdValue::of_tenant(schema.id, schema.collection, tenant)
    }

    /// Where this caller's operations go: the transaction that it is in, or the store itself.
    ///
    /// # Errors
    /// `Configuration`: the transaction has ended, or the caller is not in the transaction whose closure runs.
    pub(crate) fn store(&self) -> Result<&dyn Operations> {
        match &self.transaction {
            Some(open) => {
                open.check_open()?;
                Ok(&**open)
            }
            None => {
                transaction::check_outside(&self.ports)?;
                Ok(&*self.ports.store)
            }
        }
    }

    /// The policy's scope, unless permissions are bypassed.
    pub(crate) fn scoped(&self, scope: impl FnOnce() -> Node) -> Node {
        if self.bypass.is_some() {
            Node::Everything
        } else {
            scope()
        }
    }
}

/// The same documents, found by the packs that the server keeps them in: what is asked of the fields that tell whose a
/// measurement is, is asked of the pack too.
fn by_source(series: &TimeSeriesSpec, tenant: Option<&(&'static str, bson::Bson)>, rest: Node) -> Node {
    let asked = match &rest {
        Node::And(nodes) => nodes.as_slice(),
        node => std::slice::from_ref(node),
    };
    let asked = asked.iter().filter_map(|node| match node {
        Node::Field {
            path,
            test: test @ (Test::Eq(_) | Test::In(_)),
        } => Some(Node::field(series.packed(path)?, test.clone())),
        _ => None,
    });
    let own =
        tenant.and_then(|(field, tenant)| Some(Node::field(series.packed(field)?, Test::Eq(tenant.clone()))));
    let packs: Vec<Node> = own.into_iter().chain(asked).collect();
    packs.into_iter().fold(rest, |all, pack| pack.and(all))
}

/// A filter on one stored field.
pub(crate) fn equals(field: &'static str, value: bson::Bson) -> Node {
    Node::field(field, Test::Eq(value))
}
