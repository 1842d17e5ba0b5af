//! Re-encryption of a model's documents, batch by batch.

use std::borrow::Cow;

use bson::{Bson, RawDocumentBuf};

use super::blind::{self, TokenKeys, Tokens};
use super::document_seal;
use super::keys::StoreKeys;
use super::report::{ReencryptReport, ResumeToken};
use super::seal::{Primary, primary};
use super::sealed::{Found, sealed};
use crate::codec::{DecodeError, DocOrigin, Writer, read_bson};
use crate::crypto::{KeyId, Suites, TenantKey};
use crate::engine::audit;
use crate::engine::caller::Caller;
use crate::engine::read::load;
use crate::engine::read::scan;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, Test};
use crate::schema::{ModelSchema, SealSpec};
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
    audit::note(caller, &event, entity, "*".to_owned(), Vec::new()).await
}

/// The next documents in the order of their ids.
pub(super) async fn batch(
    caller: &Caller,
    schema: &'static ModelSchema,
    after: Option<&ResumeToken>,
    size: u32,
) -> Result<Vec<RawDocumentBuf>> {
    let selection = caller.select(schema, scan::after(after)?)?;
    scan::batch(&caller.ports, schema.collection, selection, size).await
}

/// How often a sealed document that others write at the same moment is read anew.
const ATTEMPTS: u32 = 8;

/// Re-encrypts the next documents, and says in the report where to go on.
pub(crate) async fn reencrypt(
    caller: &Caller,
    schema: &'static ModelSchema,
    size: u32,
    report: &mut ReencryptReport,
) -> Result<()> {
    let documents = batch(caller, schema, report.resume.as_ref(), size).await?;
    let job = Job {
        caller,
        schema,
        primary: primary(caller, schema).await?,
        keys: TokenKeys::load(caller, schema, schema.token_scopes()).await?,
        seal: match schema.seal {
            Some(spec) => Some((spec, document_seal::primary_of(caller, schema).await?)),
            None => None,
        },
    };
    if job.primary.is_none() && job.seal.is_none() {
        report.resume = None;
        return Ok(());
    }
    for document in &documents {
        report.scanned += 1;
        job.document(document, report).await?;
    }
    report.resume = scan::resume(&documents, size)?;
    Ok(())
}

/// What the documents of a batch have in common.
struct Job<'a> {
    caller: &'a Caller,
    schema: &'static ModelSchema,
    primary: Option<Primary<'a>>,
    keys: TokenKeys,
    seal: Option<(SealSpec, KeyId)>,
}

impl Job<'_> {
    /// One document. Of a sealed one, each value is put in its place together with the seal that follows: if somebody
    /// else was first, all of it is looked at anew.
    async fn document(&self, document: &RawDocumentBuf, report: &mut ReencryptReport) -> Result<()> {
        let Some((spec, primary)) = self.seal else {
            return self
                .values(document, &mut Cow::Borrowed(document), report)
                .await
                .map(drop);
        };
        let mut present = Cow::Borrowed(document);
        for _ in 0..ATTEMPTS {
            let (raced, failed) = (report.raced, report.failed.len());
            if self.sealed_document(spec, primary, &present, report).await? {
                return Ok(());
            }
            report.raced = raced;
            report.failed.truncate(failed);
            match self.again(&present).await? {
                Some(document) => present = Cow::Owned(document),
                None => return Ok(()),
            }
        }
        report.raced += 1;
        Ok(())
    }

    /// Whether nobody else wrote a sealed document meanwhile.
    async fn sealed_document(
        &self,
        spec: SealSpec,
        primary: KeyId,
        document: &RawDocumentBuf,
        report: &mut ReencryptReport,
    ) -> Result<bool> {
        let ports = &self.caller.ports;
        document_seal::prepare(ports, self.schema, [document.as_bytes()]).await?;
        if let Err(error) = document_seal::check(ports, self.schema, document.as_bytes()) {
            if Error::is_retryable(&error) {
                return Err(error);
            }
            report
                .failed
                .push(error.at_id(|| load::id_text(self.schema, document.as_bytes())));
            return Ok(true);
        }
        let seal = document_seal::examine(ports, self.schema, spec, document.as_bytes())?;
        let mut present = Cow::Borrowed(document);
        let mut done = self.values(document, &mut present, report).await?;
        let is_current = seal == Some(primary);
        if done == Done::Nothing && !is_current {
            let nothing = Writer::new().finish()?;
            done = if self.put(&mut present, Node::Everything, nothing).await? {
                Done::Written
            } else {
                Done::Raced
            };
        }
        report.resealed += u64::from(done == Done::Written && !is_current);
        Ok(done != Done::Raced)
    }

    /// The document as it is now, if it is still there.
    async fn again(&self, document: &RawDocumentBuf) -> Result<Option<RawDocumentBuf>> {
        let selection = self
            .caller
            .own(self.schema, &load::id(self.schema, document.as_bytes())?)?;
        let found = self
            .caller
            .ports
            .store
            .find_one(self.schema.collection, &selection);
        found.await.map_err(into_error)
    }

    /// The values of a document, each in its turn; `present` is what it becomes.
    async fn values(
        &self,
        stored: &RawDocumentBuf,
        present: &mut Cow<'_, RawDocumentBuf>,
        report: &mut ReencryptReport,
    ) -> Result<Done> {
        let mut all = Done::Nothing;
        let Some(primary) = &self.primary else {
            return Ok(all);
        };
        let Some(place) = load::origin(self.schema, stored.as_bytes())? else {
            return Ok(all);
        };
        for found in sealed(self.schema, stored.as_bytes())? {
            let done = async {
                let (caller, schema) = (self.caller, self.schema);
                let new = renewed(caller, schema, primary, place, &found).await?;
                let tokens =
                    renewed_tokens(caller, schema, primary, &self.keys, place, stored, &found).await?;
                if new.is_none() && tokens.is_none() {
                    return Ok(Done::Nothing);
                }
                let old = read_bson(found.value).map_err(DecodeError::into_error)?;
                let mut set = Writer::new();
                if let Some(new) = &new {
                    set.binary(&found.path, SENSITIVE, new);
                }
                if let Some(tokens) = &tokens {
                    blind::write_array(&blind::path(&found.path), tokens, &mut set);
                }
                let unchanged = Node::field(found.path.clone(), Test::Eq(old));
                if !self.put(present, unchanged, set.finish()?).await? {
                    return Ok(Done::Raced);
                }
                report.rewritten += u64::from(new.is_some());
                report.reindexed += u64::from(tokens.is_some());
                Ok(Done::Written)
            };
            match done.await {
                Ok(Done::Nothing) => {}
                Ok(Done::Written) => all = Done::Written,
                Ok(Done::Raced) => {
                    report.raced += 1;
                    if self.seal.is_some() {
                        return Ok(Done::Raced);
                    }
                }
                // Not a matter of this value: the job stops, and goes on from its token.
                Err(error) if Error::is_retryable(&error) => return Err(error),
                Err(error) => report.failed.push(
                    error
                        .at_path(found.path)
                        .at_id(|| load::id_text(self.schema, stored.as_bytes())),
                ),
            }
        }
        Ok(all)
    }

    /// Changes a document where it is still `unchanged`, together with its seal; whether it was.
    async fn put(
        &self,
        document: &mut Cow<'_, RawDocumentBuf>,
        unchanged: Node,
        set: Vec<u8>,
    ) -> Result<bool> {
        let id = load::raw_field(document.as_bytes(), self.schema.id_field)?
            .and_then(|id| read_bson(id).ok())
            .unwrap_or(Bson::Null);
        let set = RawDocumentBuf::from_bytes(set).map_err(|_| Error::internal("a malformed update"))?;
        let mut update = UpdateOne {
            selection: Selection {
                id: Some((self.schema.id_field, id)),
                ..self.caller.select(self.schema, unchanged)?
            },
            set,
            unset: Vec::new(),
        };
        let ports = &self.caller.ports;
        if self.seal.is_some() {
            document_seal::amend(ports, self.schema, document.as_bytes(), &mut update).await?;
        }
        let matched = ports.store.update(self.schema.collection, &[&update]).await;
        let done = matched.map_err(into_error)? == 1;
        if done && self.seal.is_some() {
            *document = Cow::Owned(document_seal::applied(document.as_bytes(), &update)?);
        }
        Ok(done)
    }
}

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Nothing,
    Written,
    /// Somebody else wrote it first.
    Raced,
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
    let Some(blind) = schema.blind_place(&found.path) else {
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
    let tokens = keys.of_value(place.schema.collection, blind, &plain)?;
    let stored = blind::stored(document.as_bytes(), blind.path)?;
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
