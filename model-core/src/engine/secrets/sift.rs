//! Queries by truncated tokens: a store finds too many documents, and those whose value is another one are sifted out here,
//! before anybody counts, skips or pages.

use std::collections::HashMap;
use std::sync::Arc;

use bson::RawDocument;

use super::blind::{self, TokenKeys};
use super::keys::{StoreKeys, keyring};
use super::sealed::{Found, sealed};
use crate::codec::{DecodeError, DocOrigin, Elements, Writer};
use crate::crypto::{CryptoError, KeyId, LoadedKey, Suites};
use crate::engine::caller::Caller;
use crate::engine::read::Open;
use crate::engine::read::load;
use crate::error::{Error, Result};
use crate::query::{Node, SIFTED, matches};
use crate::schema::ModelSchema;

/// What a query by truncated tokens really asks for.
pub(in crate::engine) struct Sift {
    schema: &'static ModelSchema,
    /// The filter, with whole tokens of values that are not stored.
    node: Node,
    tokens: TokenKeys,
    /// What the values of the batch are sealed under, or why that is not to be had.
    keys: HashMap<KeyId, Result<Arc<LoadedKey>, CryptoError>>,
}

impl Sift {
    /// The filter that a store is asked with, which selects no fewer documents, and what sifts them; nothing where the
    /// store can tell by itself.
    pub(in crate::engine) async fn split(
        caller: &Caller,
        schema: &'static ModelSchema,
        filter: Node,
    ) -> Result<(Node, Option<Self>)> {
        if !filter.is_truncated() {
            return Ok((filter, None));
        }
        let mut node = filter.clone();
        node.widen();
        let sift = Self {
            schema,
            node: blind::resolve(caller, schema, node).await?,
            tokens: Box::pin(TokenKeys::load(caller, schema, schema.token_scopes())).await?,
            keys: HashMap::new(),
        };
        let relaxed = blind::resolve_relaxed(caller, schema, filter).await?;
        Ok((relaxed, Some(sift)))
    }

    /// Loads the keys that the batch's values are sealed under. Why one does not load is said where its document is judged.
    ///
    /// # Errors
    /// Neither the store nor the key provider answers.
    pub(in crate::engine) async fn prepare(&mut self, caller: &Caller, open: &mut Open) -> Result<()> {
        let mut missing = Vec::new();
        open.each(&mut |raw| {
            for found in self.asked_about(raw)? {
                if let Some(Ok((id, _))) = found.envelope()
                    && !self.keys.contains_key(&id)
                {
                    missing.push(id);
                }
            }
            Ok(true)
        })?;
        for id in missing {
            if let std::collections::hash_map::Entry::Vacant(slot) = self.keys.entry(id) {
                let store = StoreKeys(&*caller.ports.store);
                match keyring(&caller.ports)?.load(&store, id).await {
                    Err(
                        error @ (CryptoError::Store(_) | CryptoError::KeyProvider { retryable: true, .. }),
                    ) => return Err(error.into()),
                    key => slot.insert(key),
                };
            }
        }
        Ok(())
    }

    /// Whether the document is one that was asked for.
    pub(in crate::engine) fn admits(&self, caller: &Caller, raw: &[u8]) -> Result<bool> {
        let Some(place) = load::origin(self.schema, raw)? else {
            return Ok(false);
        };
        let mut out = Writer::with_capacity(raw.len() + 128);
        let mut elements = Elements::new(raw).map_err(DecodeError::into_error)?;
        while let Some((key, value)) = elements.next().map_err(DecodeError::into_error)? {
            out.raw(key, value.tag, value.bytes);
        }
        let mut tokens = Vec::new();
        for found in self.asked_about(raw)? {
            let made = self.whole_tokens(caller, place, &found);
            tokens.push(made.map_err(|error| error.at_path(found.path.clone()))?);
        }
        blind::write_under(SIFTED, &tokens, &mut out);
        let whole = out.finish()?;
        RawDocument::from_bytes(&whole)
            .map(|document| matches(&self.node, document))
            .map_err(|_| Error::internal("a malformed document"))
    }

    /// The values that have truncated tokens.
    fn asked_about<'a>(&self, raw: &'a [u8]) -> Result<Vec<Found<'a>>> {
        let mut found = sealed(self.schema, raw)?;
        found.retain(|found| {
            let blind = self.schema.blind_place(&found.path);
            blind.is_some_and(|blind| blind.spec.bits.is_some())
        });
        Ok(found)
    }

    fn whole_tokens(
        &self,
        caller: &Caller,
        place: DocOrigin<'_>,
        found: &Found<'_>,
    ) -> Result<(&'static str, blind::Tokens)> {
        let blind = self.schema.blind_place(&found.path);
        let blind = blind.ok_or_else(|| Error::internal("a value without a blind index"))?;
        let plain = match found.envelope() {
            Some(envelope) => {
                let (id, envelope) = envelope?;
                let key = self.keys.get(&id);
                let key = key.ok_or_else(|| Error::internal("the key of a value was not loaded"))?;
                let key = key.as_ref().map_err(CryptoError::clone)?;
                keyring(&caller.ports)?.open(key, &found.origin(place), envelope, Suites::ALL)?
            }
            // What has no token yet is not found by its value, here as everywhere.
            None => return Ok((blind.path, blind::Tokens::new())),
        };
        let tokens = self
            .tokens
            .of_value_whole(place.schema.collection, blind, &plain)?;
        Ok((blind.path, tokens))
    }
}
