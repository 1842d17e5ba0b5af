//! Tokens of secret values: made where a document is written, put into filters before a store sees them.

use std::sync::Arc;

use super::keys::{StoreKeys, keyring};
use super::rotate::tenant_key;
use crate::codec::{DecodeError, Writer, blind_value};
use crate::crypto::{LoadedKey, TOKEN_LEN, TenantKey};
use crate::engine::caller::Caller;
use crate::engine::read::load;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{BLIND_LEN, Node};
use crate::schema::{BlindPlace, ModelSchema, TokenScopes, reserved, token_index};

/// The subtype of tokens: "sensitive".
const SENSITIVE: u8 = 8;

/// The tokens of one value, one for each key in use.
pub(in crate::engine) type Tokens = Vec<Vec<u8>>;

/// The keys that the tokens of a model's fields are made with, the primary ones first.
#[derive(Default)]
pub(in crate::engine) struct TokenKeys {
    own: Option<Arc<[Arc<LoadedKey>]>>,
    global: Option<Arc<[Arc<LoadedKey>]>>,
}

impl TokenKeys {
    /// The keys of those scopes; made where there are none yet.
    pub(in crate::engine) async fn load(
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
    pub(in crate::engine) fn of(&self, global: bool) -> Result<&[Arc<LoadedKey>]> {
        let keys = if global { &self.global } else { &self.own };
        keys.as_deref()
            .ok_or_else(|| Error::internal("the keys of a blind index were not loaded"))
    }

    /// The tokens of the value in `{v: value}`, one for each key in use; none if it is too long to be looked up.
    pub(in crate::engine) fn of_value(
        &self,
        collection: &str,
        blind: BlindPlace,
        plain: &[u8],
    ) -> Result<Tokens> {
        let mut tokens = self.of_value_whole(collection, blind, plain)?;
        if let Some(bits) = blind.spec.bits {
            for token in &mut tokens {
                truncate(token, bits);
            }
        }
        Ok(tokens)
    }

    /// As [`of_value`](Self::of_value), of a value whose tokens are truncated too.
    pub(in crate::engine) fn of_value_whole(
        &self,
        collection: &str,
        blind: BlindPlace,
        plain: &[u8],
    ) -> Result<Tokens> {
        let Some(value) = blind_value(blind.spec.normalise, plain) else {
            return Ok(Tokens::new());
        };
        let index = blind.index();
        self.of(blind.spec.global)?
            .iter()
            .map(|key| Ok(key.index_token(collection, &index, &value, BLIND_LEN)?))
            .collect()
    }

    /// The digest of a token, under the primary key.
    pub(in crate::engine) fn digest(&self, collection: &str, path: &str, token: &[u8]) -> Result<Vec<u8>> {
        let primary = self.of(true)?.first();
        let primary = primary.ok_or_else(|| Error::internal("a blind index without a key"))?;
        Ok(primary.index_token(collection, &token_index(path), token, TOKEN_LEN)?)
    }
}

/// Leaves that many bits of a token, after the byte of its version: whole bytes, the rest of the last one zero.
fn truncate(token: &mut Vec<u8>, bits: u8) {
    token.truncate(1 + usize::from(bits.div_ceil(8)));
    let spare = (8 - bits % 8) % 8;
    if let Some(last) = token.last_mut() {
        *last &= u8::MAX << spare;
    }
}

/// Writes the tokens of values into a document, by their stored paths.
pub(in crate::engine) fn write(tokens: &[(&'static str, Tokens)], out: &mut Writer<'_>) {
    write_under(reserved::BLIND_INDEX, tokens, out);
}

/// As [`write`], under another name.
pub(super) fn write_under(name: &str, tokens: &[(&'static str, Tokens)], out: &mut Writer<'_>) {
    if !tokens.is_empty() {
        let all: Vec<_> = tokens.iter().map(|(path, tokens)| (*path, &**tokens)).collect();
        out.document(name, |out| write_below(&all, out));
    }
}

/// What shares the first step of its path stands in one document.
fn write_below(tokens: &[(&str, &[Vec<u8>])], out: &mut Writer<'_>) {
    let mut written: Vec<&str> = Vec::new();
    for (path, values) in tokens {
        let Some((step, _)) = path.split_once('.') else {
            write_array(path, values, out);
            continue;
        };
        if written.contains(&step) {
            continue;
        }
        written.push(step);
        let mut inside = Vec::new();
        for (path, values) in tokens {
            if let Some(rest) = path.strip_prefix(step).and_then(|rest| rest.strip_prefix('.')) {
                inside.push((rest, *values));
            }
        }
        out.document(step, |out| write_below(&inside, out));
    }
}

/// Writes the tokens of one field.
pub(in crate::engine) fn write_array(key: &str, tokens: &[Vec<u8>], out: &mut Writer<'_>) {
    out.array(key, tokens, |out, key, token| out.binary(key, SENSITIVE, token));
}

/// What an update of the document `stored` does to tokens: those of newly sealed values are set, those of values that are
/// gone are removed.
pub(in crate::engine) fn amend(
    stored: &[u8],
    after: &[u8],
    set: &mut Writer<'_>,
    unset: &mut Vec<String>,
    schema: &'static ModelSchema,
) -> Result<()> {
    for place in schema.blind_places() {
        let tokens = path(place.path);
        if let Some(made) = load::raw_at(after, &tokens)? {
            set.raw(&tokens, made.tag, made.bytes);
        } else if load::raw_at(after, place.path)?.is_none() && load::raw_at(stored, &tokens)?.is_some() {
            unset.push(tokens);
        }
    }
    Ok(())
}

/// Where the tokens of a field are stored.
pub(in crate::engine) fn path(field: &str) -> String {
    format!("{}.{field}", reserved::BLIND_INDEX)
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
///
/// # Errors
/// `Unsupported` by truncated tokens, which do not decide: only a reader can be given what they find.
pub(in crate::engine) async fn resolve(
    caller: &Caller,
    schema: &'static ModelSchema,
    node: Node,
) -> Result<Node> {
    if node.is_truncated() {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "a blind index with `bits` finds too much, which is sifted out where documents are read: it stands in the \
             filter of a query, and neither in a scope nor in what a write asks for",
        ));
    }
    if !node.is_blind() {
        return Ok(node);
    }
    // In a box, so that a write and a query of models without a blind index stay small.
    Box::pin(put_tokens(caller, schema, node)).await
}

/// As [`resolve`], by truncated tokens too: what it selects is to be sifted.
pub(in crate::engine) async fn resolve_relaxed(
    caller: &Caller,
    schema: &'static ModelSchema,
    mut node: Node,
) -> Result<Node> {
    node.relax(false);
    if !node.is_blind() {
        return Ok(node);
    }
    Box::pin(put_tokens(caller, schema, node)).await
}

async fn put_tokens(caller: &Caller, schema: &'static ModelSchema, mut node: Node) -> Result<Node> {
    let keys = TokenKeys::load(caller, schema, schema.token_scopes()).await?;
    node.resolve(&|blind| {
        let keys = keys.of(blind.global)?;
        blind.resolved(|value| {
            keys.iter()
                .map(|key| {
                    let mut token = key.index_token(schema.collection, &blind.index, value, blind.length)?;
                    if let Some(bits) = blind.bits {
                        truncate(&mut token, bits);
                    }
                    Ok(token)
                })
                .collect::<Result<Vec<_>>>()
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

/// The stored tokens of the value at a path; none where another writer has stored something else.
pub(in crate::engine) fn stored(document: &[u8], field: &str) -> Result<Tokens> {
    let Some(tokens) = load::raw_at(document, &path(field))? else {
        return Ok(Tokens::new());
    };
    let mut items = tokens.array().map_err(DecodeError::into_error)?;
    let mut found = Tokens::new();
    while let Some((_, item)) = items.next().map_err(DecodeError::into_error)? {
        found.extend(item.binary().ok().map(|(_, token)| token.to_vec()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::truncate;

    /// A file format: what is left of a token.
    #[test]
    fn whole_bytes_and_the_rest_zero() {
        for (bits, left) in [
            (4, &[9, 0xF0][..]),
            (8, &[9, 0xFF]),
            (9, &[9, 0xFF, 0x80]),
            (16, &[9, 0xFF, 0xFF]),
        ] {
            let mut token = vec![0xFF; 17];
            token[0] = 9;
            truncate(&mut token, bits);
            assert_eq!(token, left);
        }
    }
}
