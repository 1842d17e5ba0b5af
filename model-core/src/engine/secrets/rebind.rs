//! The secrets of a document that goes to another tenant: opened where they are bound to the one, and sealed for the other.

use bson::spec::BinarySubtype;
use bson::{Binary, Bson, Document};

use super::blind::{TokenKeys, Tokens};
use super::keys::StoreKeys;
use super::seal::{Primary, primary};
use super::sealed::{Found, sealed};
use crate::codec::DocOrigin;
use crate::crypto::{Plaintext, Suites};
use crate::engine::caller::Caller;
use crate::engine::read::load;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::ModelSchema;

/// A document in another tenant.
pub(in crate::engine) struct Rebound {
    pub(in crate::engine) document: Vec<u8>,
    /// The tokens of its secrets, under the other tenant's keys, by stored path.
    pub(in crate::engine) tokens: Vec<(&'static str, Tokens)>,
}

/// The document, of the present version, as the tenant of `to` has it.
///
/// # Errors
/// `Crypto` or `Decode` for a secret that does not open: what nobody can read is not vouched for anew.
pub(in crate::engine) async fn rebind(
    from: &Caller,
    to: &Caller,
    schema: &'static ModelSchema,
    present: &[u8],
) -> Result<Rebound> {
    let mut document = load::document(present)?;
    if let (Some(field), Some(tenant)) = (schema.tenant_field(), &to.tenant) {
        document.insert(field, tenant.value().to_bson());
    }
    let there = bytes(&document)?;
    let primary = primary(to, schema).await?;
    let (Some(here), Some(place), Some(primary)) = (
        load::origin(schema, present)?,
        load::origin(schema, &there)?,
        primary,
    ) else {
        return Ok(Rebound {
            document: there,
            tokens: Vec::new(),
        });
    };
    let Primary { keyring, key, .. } = &primary;
    let keys = TokenKeys::load(to, schema, schema.token_scopes()).await?;
    let mut tokens = Vec::new();
    for found in sealed(schema, present)? {
        let done = async {
            let plain = opened(from, schema, &primary, here, &found).await?;
            let pad = found.field(schema).and_then(|field| field.pad);
            let envelope = keyring.seal(key, &found.origin(place), &plain, pad)?;
            if let Some(blind) = schema.blind_place(&found.path) {
                tokens.push((blind.path, keys.of_value(schema.collection, blind, &plain)?));
            }
            put(&mut document, &found.path, envelope)
        };
        done.await
            .map_err(|error: Error| error.at_path(found.path.clone()))?;
    }
    Ok(Rebound {
        document: bytes(&document)?,
        tokens,
    })
}

async fn opened(
    from: &Caller,
    schema: &'static ModelSchema,
    primary: &Primary<'_>,
    here: DocOrigin<'_>,
    found: &Found<'_>,
) -> Result<Plaintext> {
    match found.envelope() {
        Some(envelope) => {
            let (id, envelope) = envelope?;
            let key = primary.keyring.load(&StoreKeys(&*from.ports.store), id).await?;
            let origin = found.origin(here);
            Ok(primary.keyring.open(&key, &origin, envelope, Suites::ALL)?)
        }
        None => found
            .before(schema, &from.ports)?
            .ok_or_else(|| Error::new(ErrorKind::Decode, "plaintext where a sealed value should be")),
    }
}

fn bytes(document: &Document) -> Result<Vec<u8>> {
    document
        .to_vec()
        .map_err(|_| Error::internal("a document that cannot be stored"))
}

/// Puts an envelope where another value stands.
fn put(document: &mut Document, path: &str, envelope: Vec<u8>) -> Result<()> {
    let gone = || Error::internal("a sealed value that is not where it was found");
    let (first, rest) = path
        .split_once('.')
        .map_or((path, None), |(first, rest)| (first, Some(rest)));
    let mut slot = document.get_mut(first).ok_or_else(gone)?;
    for step in rest.into_iter().flat_map(|rest| rest.split('.')) {
        slot = match slot {
            Bson::Document(inner) => inner.get_mut(step),
            Bson::Array(items) => step.parse().ok().and_then(|index: usize| items.get_mut(index)),
            _ => None,
        }
        .ok_or_else(gone)?;
    }
    *slot = Bson::Binary(Binary {
        subtype: BinarySubtype::Sensitive,
        bytes: envelope,
    });
    Ok(())
}
