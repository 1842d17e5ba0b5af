//! Re-encryption of a model's documents, batch by batch.

use bson::{Bson, RawDocumentBuf};

use super::blind::{self, TokenKeys, Tokens};
use super::keys::StoreKeys;
use super::report::{ReencryptReport, ResumeToken, SecretsReport};
use super::seal::{Primary, primary};
use super::sealed::{Found, sealed};
use crate::audit::AuditEntry;
use crate::codec::{DecodeError, DocOrigin, Writer, read_bson};
use crate::crypto::{Suites, TenantKey};
use crate::engine::audit::chain;
use crate::engine::caller::Caller;
use crate::engine::ports::AuditTarget;
use crate::engine::read::load;
use crate::engine::read::scan;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, Test};
use crate::schema::ModelSchema;
use crate::store::{Selection, UpdateOne, into_error};

/// The subtype of envelopes.
const SENSITIVE: u8 = 8;

/// Whether the caller may pass over the documents of a tenant, whoever may read them.
///
/// # Errors
/// `Forbidden` unless permissions are bypassed.
pub(crate) async fn admit(caller: &Caller, schema: &'static ModelSchema) -> Result<()> {
    caller.ports.admit(schema).await?;
    if caller.bypass.is_none() {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "it passes over permissions: use a context from `dangerously_bypass_permissions`",
        ));
    }
    Ok(())
}

/// Notes in the audit log that a re-encryption begins.
pub(crate) async fn note(caller: &Caller, schema: &'static ModelSchema) -> Result<()> {
    let entity = schema.audit.map_or(schema.name, |spec| spec.entity);
    let event = format!("{entity}.reencrypt");
    let entry = AuditEntry {
        tenant: caller.tenant.clone(),
        request: caller.request.clone(),
        bypass_reason: caller.bypass.as_deref().map(str::to_owned),
        ..crate::engine::audit::bare(&caller.actor, event, entity, "*".to_owned(), caller.ports.now())
    };
    match &caller.ports.audit {
        AuditTarget::Sink(sink) => sink.record(&entry).await,
        AuditTarget::Collection => {
            let document = entry
                .to_document()
                .to_vec()
                .map_err(|_| Error::internal("an audit entry that cannot be stored"))?;
            chain::record(&caller.ports, vec![document]).await
        }
    }
}

/// The next documents in the order of their ids.
async fn batch(
    caller: &Caller,
    schema: &'static ModelSchema,
    after: Option<&ResumeToken>,
    size: u32,
) -> Result<Vec<RawDocumentBuf>> {
    let selection = caller.select(schema, scan::after(after))?;
    scan::batch(&caller.ports, schema.collection, selection, size).await
}

/// Re-encrypts the next documents, and says in the report where to go on.
pub(crate) async fn reencrypt(
    caller: &Caller,
    schema: &'static ModelSchema,
    size: u32,
    report: &mut ReencryptReport,
) -> Result<()> {
    let documents = batch(caller, schema, report.resume.as_ref(), size).await?;
    let Some(primary) = primary(caller, schema).await? else {
        report.resume = None;
        return Ok(());
    };
    let keys = TokenKeys::load(caller, schema, schema.token_scopes()).await?;
    for document in &documents {
        report.scanned += 1;
        let Some(place) = load::origin(schema, document.as_bytes())? else {
            continue;
        };
        for found in sealed(schema, document.as_bytes())? {
            let done = async {
                let new = renewed(caller, schema, &primary, place, &found).await?;
                let tokens = renewed_tokens(caller, schema, &primary, &keys, place, document, &found).await?;
                if new.is_none() && tokens.is_none() {
                    return Ok(());
                }
                let put = put(
                    caller,
                    document,
                    schema,
                    &found,
                    new.as_deref(),
                    tokens.as_deref(),
                );
                if put.await? {
                    report.rewritten += u64::from(new.is_some());
                    report.reindexed += u64::from(tokens.is_some());
                } else {
                    report.raced += 1;
                }
                Ok(())
            };
            match done.await {
                Ok(()) => {}
                // Not a matter of this value: the job stops, and goes on from its token.
                Err(error) if Error::is_retryable(&error) => return Err(error),
                Err(error) => report.failed.push(
                    error
                        .at_path(found.path)
                        .at_id(|| load::id_text(schema, document.as_bytes())),
                ),
            }
        }
    }
    report.resume = scan::resume(&documents, size)?;
    Ok(())
}

/// The tokens of a value under the keys in use; none if it has them already, or no blind index.
async fn renewed_tokens(
    caller: &Caller,
    schema: &'static ModelSchema,
    primary: &Primary<'_>,
    keys: &TokenKeys,
    place: DocOrigin<'_>,
    document: &RawDocumentBuf,
    found: &Found<'_>,
) -> Result<Option<Tokens>> {
    let Some((field, spec)) = blind::field(schema, &found.path) else {
        return Ok(None);
    };
    let plain = match found.envelope() {
        Some(envelope) => {
            let (id, envelope) = envelope?;
            let key = primary.keyring.load(&StoreKeys(&*caller.ports.store), id).await?;
            primary
                .keyring
                .open(&key, &found.origin(place), envelope, Suites::ALL)?
        }
        None => match found.before(schema, &caller.ports)? {
            Some(plain) => plain,
            None => return Ok(None),
        },
    };
    let tokens = keys.of_value(place.collection, field, spec, &plain)?;
    let stored = blind::stored(document.as_bytes(), field.stored)?;
    Ok((stored != tokens).then_some(tokens))
}

/// The value under the primary key; none if it lies there already.
async fn renewed(
    caller: &Caller,
    schema: &'static ModelSchema,
    primary: &Primary<'_>,
    place: DocOrigin<'_>,
    found: &Found<'_>,
) -> Result<Option<Vec<u8>>> {
    let Primary { keyring, key, tenant } = primary;
    if place.tenant != tenant.as_ref().map(TenantKey::typed) {
        return Err(Error::internal("a document of another tenant"));
    }
    let origin = found.origin(place);
    match found.envelope() {
        Some(envelope) => {
            let (id, envelope) = envelope?;
            if id == key.id() {
                return Ok(None);
            }
            let old = keyring.load(&StoreKeys(&*caller.ports.store), id).await?;
            Ok(Some(keyring.reseal(&old, key, &origin, envelope)?))
        }
        None => match found.before(schema, &caller.ports)? {
            Some(plain) => {
                let pad = found.field(schema).and_then(|field| field.pad);
                Ok(Some(keyring.seal(key, &origin, &plain, pad)?))
            }
            None => Err(Error::new(
                ErrorKind::Decode,
                "plaintext where a sealed value should be",
            )),
        },
    }
}

/// Puts the new value, and the new tokens, in the place of the old ones, if the old value is still there.
async fn put(
    caller: &Caller,
    document: &RawDocumentBuf,
    schema: &'static ModelSchema,
    found: &Found<'_>,
    new: Option<&[u8]>,
    tokens: Option<&[Vec<u8>]>,
) -> Result<bool> {
    let old = read_bson(found.value).map_err(DecodeError::into_error)?;
    let id = load::raw_field(document.as_bytes(), schema.id_field)?
        .and_then(|id| read_bson(id).ok())
        .unwrap_or(Bson::Null);
    let mut set = Writer::new();
    if let Some(new) = new {
        set.binary(&found.path, SENSITIVE, new);
    }
    if let Some(tokens) = tokens {
        blind::write_array(&blind::path(&found.path), tokens, &mut set);
    }
    let set = RawDocumentBuf::from_bytes(set.finish()?).map_err(|_| Error::internal("a malformed update"))?;
    let selection = Selection {
        id: Some((schema.id_field, id)),
        ..caller.select(schema, Node::field(found.path.clone(), Test::Eq(old)))?
    };
    let update = UpdateOne {
        selection,
        set,
        unset: Vec::new(),
    };
    caller
        .ports
        .store
        .update(schema.collection, &[&update])
        .await
        .map(|matched| matched == 1)
        .map_err(into_error)
}

/// Counts what lies under which key, a batch at a time.
pub(crate) async fn inspect(
    caller: &Caller,
    schema: &'static ModelSchema,
    size: u32,
) -> Result<SecretsReport> {
    let mut report = SecretsReport::default();
    let mut after = None;
    let primary = primary(caller, schema).await?;
    let current = primary.map(|primary| primary.key.id());
    loop {
        let documents = batch(caller, schema, after.as_ref(), size).await?;
        for document in &documents {
            report.scanned += 1;
            for found in sealed(schema, document.as_bytes())? {
                match found.envelope() {
                    None if found.is_old(schema, &caller.ports) => report.old_format += 1,
                    None => report.plaintext += 1,
                    Some(Err(_)) => report.malformed += 1,
                    Some(Ok((id, _))) if Some(id) == current => report.current += 1,
                    Some(Ok(_)) => report.outdated += 1,
                }
            }
        }
        after = scan::resume(&documents, size)?;
        if after.is_none() {
            return Ok(report);
        }
    }
}
