//! Tokens of secret values: made where a document is written, put into filters before a store sees them.

use std::sync::Arc;

use super::caller::Caller;
use super::keys::{StoreKeys, keyring};
use super::rotate::tenant_key;
use crate::crypto::{LoadedKey, TOKEN_LEN, TenantKey};
use crate::error::{Error, Result};
use crate::query::Node;
use crate::schema::{ModelSchema, TokenScopes, token_index};

/// The keys that the tokens of a model's fields are made with, the primary ones first.
#[derive(Default)]
pub(super) struct TokenKeys {
    own: Option<Arc<[Arc<LoadedKey>]>>,
    global: Option<Arc<[Arc<LoadedKey>]>>,
}

impl TokenKeys {
    /// The keys of those scopes; made where there are none yet.
    pub(super) async fn load(
        caller: &Caller,
        schema: &'static ModelSchema,
        scopes: TokenScopes,
    ) -> Result<Self> {
        let mut keys = Self::default();
        if scopes.own {
            let tenant = match schema.tenant_field() {
                Some(_) => tenant_key(caller.tenant.as_ref())?,
                None => None,
            };
            keys.own = Some(index_keys(caller, tenant.as_ref()).await?);
        }
        if scopes.global {
            keys.global = Some(index_keys(caller, None).await?);
        }
        Ok(keys)
    }

    /// The keys of a scope.
    pub(super) fn of(&self, global: bool) -> Result<&[Arc<LoadedKey>]> {
        let keys = if global { &self.global } else { &self.own };
        keys.as_deref()
            .ok_or_else(|| Error::internal("the keys of a blind index were not loaded"))
    }

    /// The digest of a token, under the primary key.
    pub(super) fn digest(&self, collection: &str, path: &str, token: &[u8]) -> Result<Vec<u8>> {
        let primary = self.of(true)?.first();
        let primary = primary.ok_or_else(|| Error::internal("a blind index without a key"))?;
        Ok(primary.index_token(collection, &token_index(path), token, TOKEN_LEN)?)
    }
}

async fn index_keys(caller: &Caller, tenant: Option<&TenantKey>) -> Result<Arc<[Arc<LoadedKey>]>> {
    let ports = &caller.ports;
    let keys = keyring(ports)?
        .index_keys(&StoreKeys(&*ports.store), tenant, ports.now())
        .await?;
    Ok(keys)
}

/// The filter with tokens in the place of secret values: one for each key in use, since a document may have been written
/// under any of them.
pub(super) async fn resolve(caller: &Caller, schema: &'static ModelSchema, mut node: Node) -> Result<Node> {
    if !node.is_blind() {
        return Ok(node);
    }
    let keys = TokenKeys::load(caller, schema, schema.token_scopes()).await?;
    node.resolve(&|blind| {
        let keys = keys.of(blind.global)?;
        blind.resolved(|value| {
            keys.iter()
                .map(|key| key.index_token(schema.collection, &blind.index, value, blind.length))
                .collect::<Result<Vec<_>, _>>()
                .map_err(Error::from)
        })
    })?;
    Ok(node)
}

/// Whether `digest` is that of the presented token.
pub(crate) async fn is_token(
    caller: &Caller,
    collection: &str,
    path: &str,
    presented: &[u8],
    digest: &[u8],
) -> Result<bool> {
    let keys = index_keys(caller, None).await?;
    for key in &*keys {
        if key.is_index_token(collection, &token_index(path), presented, digest)? {
            return Ok(true);
        }
    }
    Ok(false)
}
