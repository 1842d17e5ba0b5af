//! Seals of whole documents: made where a document is written, checked where it is read, before anybody is asked what
//! may be done with it.
//!
//! A seal is over the id, the tenant, the revision, the schema version, the mark of a soft delete, the fields that the
//! model lists, and everything secret wherever it lies: each binary value of subtype 8, be it an envelope, a digest or a
//! token. What is stored is what counts, not what this program reads of it.

use std::sync::Arc;

use bson::{Binary, Bson, RawDocument, RawDocumentBuf, spec::BinarySubtype};

use super::keys::{StoreKeys, keyring};
use super::reseal::with_binary;
use super::rotate::tenant_key;
use crate::codec::{DecodeError, Elements, RawValue, tag};
use crate::crypto::{CryptoError, DocumentSeal, KeyId, LoadedKey, Purpose, TenantKey, put};
use crate::engine::caller::Caller;
use crate::engine::ports::Ports;
use crate::engine::read::load;
use crate::engine::write::commit::{Effect, Kind};
use crate::error::{Error, Result};
use crate::query::{Node, Test};
use crate::schema::{ModelSchema, SealSpec, reserved};
use crate::store::{UpdateOne, into_error, updated};

/// The subtype of everything secret.
const SENSITIVE: u8 = 8;
/// As deep as the server lets documents be.
const DEEPEST: usize = 200;
/// What comes and goes beside the document proper.
const BESIDE: [&str; 3] = [reserved::SEAL, reserved::OUTBOX, reserved::JOINED];

/// Seals what an effect stores; `stored` is the document that an update begins from.
pub(in crate::engine) async fn put_on(
    ports: &Ports,
    schema: &'static ModelSchema,
    effect: &mut Effect,
    stored: Option<&[u8]>,
) -> Result<()> {
    let Some(spec) = schema.seal else { return Ok(()) };
    match &mut effect.kind {
        Kind::Insert => {
            let seal = made(ports, schema, spec, &effect.after).await?;
            effect.after = with_binary(&effect.after, reserved::SEAL, &seal)?;
        }
        Kind::Update(update) => {
            let stored = stored.ok_or_else(|| Error::internal("an update of nothing"))?;
            amend(ports, schema, stored, update).await?;
        }
        Kind::Delete(_) => {}
    }
    Ok(())
}

/// Adds the seal to an update of `stored`, and lets it take place only where the seal is still the stored one: some writes
/// move no revision.
pub(in crate::engine) async fn amend(
    ports: &Ports,
    schema: &'static ModelSchema,
    stored: &[u8],
    update: &mut UpdateOne,
) -> Result<()> {
    let Some(spec) = schema.seal else { return Ok(()) };
    let after = applied(stored, update)?;
    let seal = made(ports, schema, spec, after.as_bytes()).await?;
    let set = with_binary(update.set.as_bytes(), reserved::SEAL, &seal)?;
    update.set = RawDocumentBuf::from_bytes(set).map_err(|_| Error::internal("a malformed update"))?;
    let unchanged = match load::raw_field(stored, reserved::SEAL)? {
        Some(seal) => {
            let (subtype, bytes) = seal.binary().map_err(|_| CryptoError::SealInvalid)?;
            Test::Eq(Bson::Binary(Binary {
                subtype: BinarySubtype::from(subtype),
                bytes: bytes.to_vec(),
            }))
        }
        None => Test::Exists(false),
    };
    let rest = std::mem::replace(&mut update.selection.rest, Node::Everything);
    update.selection.rest = rest.and(Node::field(reserved::SEAL, unchanged));
    Ok(())
}

/// What the store has of a document once the update has taken place.
pub(super) fn applied(stored: &[u8], update: &UpdateOne) -> Result<RawDocumentBuf> {
    let stored =
        RawDocument::from_bytes(stored).map_err(|_| Error::internal("a malformed stored document"))?;
    updated(stored, &update.set, &update.unset).map_err(into_error)
}

/// The key that seals the documents of a tenant, made on first use.
async fn primary(ports: &Ports, tenant: Option<&TenantKey>) -> Result<Arc<LoadedKey>> {
    let keyring = keyring(ports)?;
    if let Some(key) = keyring.cached_primary(Purpose::Seal, tenant) {
        return Ok(key);
    }
    let store = StoreKeys(&*ports.store);
    // In a box: it happens once for each tenant.
    let key = Box::pin(keyring.ensure_primary(&store, Purpose::Seal, tenant, ports.now()));
    Ok(key.await?)
}

/// The id of the key that seals the documents of the caller's tenant.
pub(super) async fn primary_of(caller: &Caller, schema: &'static ModelSchema) -> Result<KeyId> {
    let tenant = match schema.tenant_field() {
        Some(_) => tenant_key(caller.tenant.as_ref())?,
        None => None,
    };
    Ok(primary(&caller.ports, tenant.as_ref()).await?.id())
}

async fn made(
    ports: &Ports,
    schema: &'static ModelSchema,
    spec: SealSpec,
    document: &[u8],
) -> Result<Vec<u8>> {
    let tenant = tenant_of(schema, document)?;
    let key = tenant
        .map(|(tag, bytes)| TenantKey::new(tag, bytes))
        .transpose()?;
    let key = primary(ports, key.as_ref()).await?;
    let content = content(schema, spec, document).map_err(DecodeError::into_error)?;
    Ok(key.seal_document(schema.collection, tenant, spec.mark, &content)?)
}

/// The tenant that a document says it belongs to, as it stands there.
fn tenant_of<'a>(schema: &'static ModelSchema, document: &'a [u8]) -> Result<Option<(u8, &'a [u8])>> {
    Ok(match schema.tenant_field() {
        Some(field) => load::raw_field(document, field)?.map(|value| (value.tag, value.bytes)),
        None => None,
    })
}

/// Loads the keys that the documents' seals are made with, so that [`check`] finds them. Why one does not load is said
/// where its document is checked.
///
/// # Errors
/// Neither the store nor the key provider answers.
pub(in crate::engine) async fn prepare<'a>(
    ports: &Ports,
    schema: &'static ModelSchema,
    documents: impl IntoIterator<Item = &'a [u8]>,
) -> Result<()> {
    let mut wanted = Wanted::default();
    if schema.seal.is_some() {
        for document in documents {
            wanted.note(document)?;
        }
    }
    wanted.load(ports).await
}

/// The ids of keys that documents name.
#[derive(Default)]
pub(in crate::engine) struct Wanted(Vec<KeyId>);

impl Wanted {
    pub(in crate::engine) fn note(&mut self, document: &[u8]) -> Result<()> {
        if let Some(seal) = load::raw_field(document, reserved::SEAL)?
            && let Ok((_, seal)) = seal.binary()
            && let Ok(seal) = DocumentSeal::parse(seal)
            && !self.0.contains(&seal.key())
        {
            self.0.push(seal.key());
        }
        Ok(())
    }

    pub(in crate::engine) async fn load(self, ports: &Ports) -> Result<()> {
        for id in self.0 {
            let store = StoreKeys(&*ports.store);
            if let Err(error @ (CryptoError::Store(_) | CryptoError::KeyProvider { retryable: true, .. })) =
                keyring(ports)?.load(&store, id).await
            {
                return Err(error.into());
            }
        }
        Ok(())
    }
}

/// Refuses a document whose seal does not hold, or that has none where it should. The key must have been loaded.
pub(in crate::engine) fn check(ports: &Ports, schema: &'static ModelSchema, document: &[u8]) -> Result<()> {
    let Some(spec) = schema.seal else { return Ok(()) };
    let error = match examine(ports, schema, spec, document) {
        Ok(Some(_)) => return Ok(()),
        Ok(None) if spec.unsealed.is_some_and(|term| !term.is_over(ports.now())) => return Ok(()),
        Ok(None) => CryptoError::SealMissing.into(),
        Err(error) => error,
    };
    Err(error.at_path(reserved::SEAL))
}

/// The key of a seal that holds; none if there is no seal over these fields.
///
/// # Errors
/// The seal does not hold, or its key is not to be had.
pub(super) fn examine(
    ports: &Ports,
    schema: &'static ModelSchema,
    spec: SealSpec,
    document: &[u8],
) -> Result<Option<KeyId>> {
    let Some(stored) = load::raw_field(document, reserved::SEAL)? else {
        return Ok(None);
    };
    let (_, seal) = stored.binary().map_err(|_| CryptoError::SealInvalid)?;
    let seal = DocumentSeal::parse(seal)?;
    if seal.fields() != spec.mark {
        return Ok(None);
    }
    let tenant = tenant_of(schema, document)?;
    let key = keyring(ports)?.known(seal.key())?;
    let content = content(schema, spec, document).map_err(DecodeError::into_error)?;
    key.check_document(schema.collection, tenant, seal, &content)?;
    Ok(Some(seal.key()))
}

/// What a seal is over: a file format. The keys of documents are put in order, since no store promises theirs.
///
/// ```text
/// for each of _id, the tenant's field, the listed fields, _rev, _sv, _deleted_at:
///     LP(name) ‖ (0x00 | 0x01 ‖ value)
/// u32 count, and for each secret, in the order of their paths: LP(path) ‖ LP(bytes)
///
/// value:  type ‖ LP(bytes)                                 a scalar, as it stands in the document
///         type ‖ u32 count ‖ (LP(key) ‖ value)…            a document, in the order of its keys
///         type ‖ u32 count ‖ value…                        an array
/// path:   LP(step)…
/// ```
fn content(schema: &ModelSchema, spec: SealSpec, document: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let names: Vec<&str> = [schema.id_field]
        .into_iter()
        .chain(schema.tenant_field())
        .chain(spec.fields.iter().copied())
        .chain([reserved::REVISION, reserved::SCHEMA_VERSION, reserved::DELETED_AT])
        .collect();
    let mut found: Vec<Option<RawValue<'_>>> = vec![None; names.len()];
    let mut secrets = Secrets::default();
    let mut elements = Elements::new(document)?;
    while let Some((key, value)) = elements.next()? {
        let place = names.iter().position(|name| *name == key);
        if let Some(slot) = place.and_then(|place| found.get_mut(place))
            && slot.replace(value).is_some()
        {
            return Err(DecodeError::new("the field stands twice").at(key));
        }
        if !BESIDE.contains(&key) {
            secrets.step(key, value)?;
        }
    }
    let mut out = Vec::with_capacity(256);
    for (name, value) in names.iter().zip(found) {
        put(&mut out, name.as_bytes());
        out.push(u8::from(value.is_some()));
        if let Some(value) = value {
            canonical(&mut out, value, 0)?;
        }
    }
    secrets.write(&mut out);
    Ok(out)
}

fn canonical(out: &mut Vec<u8>, value: RawValue<'_>, depth: usize) -> Result<(), DecodeError> {
    check_depth(depth)?;
    out.push(value.tag);
    if !matches!(value.tag, tag::DOCUMENT | tag::ARRAY) {
        put(out, value.bytes);
        return Ok(());
    }
    let mut entries = Vec::new();
    let mut elements = Elements::new(value.bytes)?;
    while let Some(entry) = elements.next()? {
        entries.push(entry);
    }
    put_count(out, entries.len());
    if value.tag == tag::DOCUMENT {
        entries.sort_by_key(|(key, _)| *key);
    }
    for (key, inner) in entries {
        if value.tag == tag::DOCUMENT {
            put(out, key.as_bytes());
        }
        canonical(out, inner, depth + 1)?;
    }
    Ok(())
}

/// The secret values of a document with their paths.
#[derive(Default)]
struct Secrets<'a> {
    at: Vec<u8>,
    depth: usize,
    found: Vec<(Vec<u8>, &'a [u8])>,
}

impl<'a> Secrets<'a> {
    fn step(&mut self, key: &str, value: RawValue<'a>) -> Result<(), DecodeError> {
        if !matches!(value.tag, tag::BINARY | tag::DOCUMENT | tag::ARRAY) {
            return Ok(());
        }
        check_depth(self.depth)?;
        let length = self.at.len();
        put(&mut self.at, key.as_bytes());
        if value.tag == tag::BINARY {
            let (subtype, bytes) = value.binary()?;
            if subtype == SENSITIVE {
                self.found.push((self.at.clone(), bytes));
            }
        } else {
            self.depth += 1;
            let mut elements = Elements::new(value.bytes)?;
            while let Some((key, value)) = elements.next()? {
                self.step(key, value)?;
            }
            self.depth -= 1;
        }
        self.at.truncate(length);
        Ok(())
    }

    fn write(mut self, out: &mut Vec<u8>) {
        self.found.sort_unstable();
        put_count(out, self.found.len());
        for (path, bytes) in self.found {
            put(out, &path);
            put(out, bytes);
        }
    }
}

fn check_depth(depth: usize) -> Result<(), DecodeError> {
    if depth > DEEPEST {
        return Err(DecodeError::new("the document is nested too deep"));
    }
    Ok(())
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    // A document is far smaller than that many elements.
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
}
