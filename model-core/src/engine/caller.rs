//! On whose behalf the pipeline works.

use std::sync::Arc;

use super::ports::Ports;
use crate::audit::{ActorIdentity, RequestMeta};
use crate::query::{Node, Test};
use crate::schema::ModelSchema;
use crate::store::{Guard, Selection};
use crate::value::TenantId;

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
}

impl Caller {
    /// The documents of `schema` that this caller's tenant has and `rest` selects.
    ///
    /// # Errors
    /// `Invalid` for a filter that nests deeper than the server allows; a tenant model without a tenant: there is no
    /// such context, so this is a bug, and it selects nothing.
    pub(crate) fn select(&self, schema: &'static ModelSchema, rest: Node) -> crate::Result<Selection> {
        if rest.depth() > MAX_DEPTH {
            let message = "the filter nests deeper than 40 levels";
            return Err(crate::Error::violation("filter", "depth", message));
        }
        if rest.is_blind() {
            return Err(crate::Error::internal(
                "a secret in a filter was not turned into tokens",
            ));
        }
        let tenant = match (schema.tenant_field(), &self.tenant) {
            (None, _) => None,
            (Some(field), Some(tenant)) => Some((field, tenant.value().to_bson())),
            (Some(_), None) => {
                return Err(crate::Error::internal(
                    "a tenant model was reached without a tenant",
                ));
            }
        };
        Ok(Selection {
            tenant,
            id: None,
            revision: Guard::None,
            rest,
        })
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

/// A filter on one stored field.
pub(crate) fn equals(field: &'static str, value: bson::Bson) -> Node {
    Node::field(field, Test::Eq(value))
}
