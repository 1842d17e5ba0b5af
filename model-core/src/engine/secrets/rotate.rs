//! Key administration: each change of key rows together with its audit entry, or not at all.

use std::time::Duration;

use bson::{Bson, Document, RawDocumentBuf, doc};
use chrono::{DateTime, Utc};

use super::keys::{SLOT, StoreKeys, by_id, keyring, own_numbers, slot};
use super::report::RewrapReport;
use crate::audit::{ActorIdentity, AuditChange, AuditEntry};
use crate::codec::RawValue;
use crate::crypto::{
    KEYS_COLLECTION, KekRef, KeyId, KeyRow, KeyState, KeyStore as _, Purpose, TenantKey, Wrapped,
    next_version,
};
use crate::engine::audit::chain;
use crate::engine::caller::equals;
use crate::engine::ports::{AuditTarget, Ports};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Selection, StoreError, UpdateOne, into_error};
use crate::value::{IdValue, TenantId};

/// How often a transaction is begun anew when it ran into another.
const ATTEMPTS: u32 = 8;

/// Who changes key rows, of which handle.
pub(crate) struct Administration<'a> {
    pub(crate) ports: &'a Ports,
    pub(crate) actor: &'a ActorIdentity,
}

/// A change of one row.
enum Step {
    Insert(KeyRow),
    /// From its present state to another.
    Move(KeyRow, KeyState),
    /// Under another key-encryption key.
    Rewrap(KeyRow, Wrapped),
}

impl Step {
    fn row(&self) -> &KeyRow {
        let (Self::Insert(row) | Self::Move(row, _) | Self::Rewrap(row, _)) = self;
        row
    }
}

impl Administration<'_> {
    /// The rows of a tenant, or of the global models, by purpose and number.
    pub(crate) async fn rows(&self, tenant: Option<&TenantId>) -> Result<Vec<KeyRow>> {
        let (keyring, tenant) = (keyring(self.ports)?, tenant_key(tenant)?);
        let mut rows = Vec::new();
        for purpose in Purpose::ALL {
            rows.extend(
                self.store()
                    .list(keyring.realm(), purpose, tenant.as_ref())
                    .await?,
            );
        }
        rows.sort_by_key(|row| (row.purpose, row.ver));
        Ok(rows)
    }

    /// Stores a new key that opens but does not seal yet.
    pub(crate) async fn stage(&self, purpose: Purpose, tenant: Option<&TenantId>) -> Result<KeyId> {
        let (keyring, tenant) = (keyring(self.ports)?, tenant_key(tenant)?);
        own_numbers(&*self.ports.store).await?;
        let rows = self
            .store()
            .list(keyring.realm(), purpose, tenant.as_ref())
            .await?;
        let version = next_version(&rows)?;
        let (row, _) = keyring
            .generate(purpose, tenant.as_ref(), version, self.ports.now())
            .await?;
        let id = row.id;
        self.carry_out("key.stage", &[Step::Insert(row)]).await?;
        Ok(id)
    }

    /// Makes a staged key the primary one, once every process can know it.
    pub(crate) async fn promote(&self, id: KeyId) -> Result<()> {
        let keyring = keyring(self.ports)?;
        let row = self.row(id).await?;
        if row.state == KeyState::Primary {
            return Ok(());
        }
        if row.state != KeyState::DecryptOnly {
            return Err(refuse("only a key that opens values can be promoted"));
        }
        let ttl = chrono::TimeDelta::from_std(keyring.ttl()).unwrap_or(chrono::TimeDelta::MAX);
        let known = row.created_at.checked_add_signed(ttl);
        if known.is_none_or(|known| self.ports.now() < known) {
            return Err(refuse(
                "the key is younger than the keyring's time to live: another process may not know it yet",
            ));
        }
        let store = self.store();
        let old = store
            .primary(keyring.realm(), row.purpose, row.tenant.as_ref())
            .await?;
        let mut steps: Vec<_> = old
            .into_iter()
            .map(|old| Step::Move(old, KeyState::DecryptOnly))
            .collect();
        steps.push(Step::Move(row, KeyState::Primary));
        self.carry_out("key.promote", &steps).await
    }

    /// Disables, enables or destroys a key that is not the primary one.
    pub(crate) async fn set_state(&self, event: &'static str, id: KeyId, state: KeyState) -> Result<()> {
        let row = self.row(id).await?;
        if row.state == state {
            return Ok(());
        }
        match row.state {
            KeyState::Primary => Err(refuse(
                "the key is the primary one: stage and promote another first",
            )),
            KeyState::Destroyed => Err(refuse("the key was destroyed")),
            _ => self.carry_out(event, &[Step::Move(row, state)]).await,
        }
    }

    /// Destroys all keys of a tenant.
    pub(crate) async fn shred(&self, tenant: &TenantId) -> Result<u64> {
        let mut rows = self.rows(Some(tenant)).await?;
        rows.retain(|row| row.state != KeyState::Destroyed);
        let count = rows.len() as u64;
        let steps: Vec<_> = rows
            .into_iter()
            .map(|row| Step::Move(row, KeyState::Destroyed))
            .collect();
        self.carry_out("key.shred", &steps).await?;
        Ok(count)
    }

    /// Wraps every key of the realm anew that does not lie under the wrapper's present key; each is one transaction, so
    /// that a run that stopped goes on where it was.
    pub(crate) async fn rewrap(&self) -> Result<RewrapReport> {
        let keyring = keyring(self.ports)?;
        let mut report = RewrapReport::default();
        for row in self.store().every(keyring.realm()).await? {
            // Of a destroyed key there is nothing left to wrap.
            if row.state == KeyState::Destroyed {
                continue;
            }
            report.scanned += 1;
            let id = row.id;
            let done = async {
                let Some(wrapped) = keyring.rewrap(&row).await? else {
                    return Ok(false);
                };
                self.carry_out("key.rewrap", &[Step::Rewrap(row, wrapped)])
                    .await?;
                Ok(true)
            };
            match done.await {
                Ok(rewrapped) => report.rewrapped += u64::from(rewrapped),
                Err(error) if Error::is_retryable(&error) => return Err(error),
                Err(error) => report.failed.push(error.at_id(|| id.id8())),
            }
        }
        Ok(report)
    }

    fn store(&self) -> StoreKeys<'_> {
        StoreKeys(&*self.ports.store)
    }

    async fn row(&self, id: KeyId) -> Result<KeyRow> {
        let realm = keyring(self.ports)?.realm();
        let row = self.store().load(id).await?;
        row.filter(|row| row.realm == realm)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("no key {}… in this realm", id.id8())))
    }

    /// All steps and their audit entries, or none of them.
    async fn carry_out(&self, event: &'static str, steps: &[Step]) -> Result<()> {
        let abilities = match self.ports.checked.get() {
            Some(abilities) => *abilities,
            None => self.ports.store.abilities().await.map_err(into_error)?,
        };
        if !abilities.transactions {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "keys are changed in a transaction, and this server has none: use a replica set",
            ));
        }
        let now = self.ports.now();
        let entries = steps
            .iter()
            .map(|step| self.entry(event, step, now))
            .collect::<Result<Vec<_>>>()?;
        let mut attempt = 1;
        loop {
            match self.once(steps, &entries, now).await {
                Ok(()) => break,
                Err(Failure::Again) if attempt < ATTEMPTS => {
                    tokio::time::sleep(Duration::from_millis(1 << attempt)).await;
                    attempt += 1;
                }
                Err(Failure::Again) => return Err(into_error(StoreError::Transient)),
                Err(Failure::Final(error)) => return Err(error),
            }
        }
        for step in steps {
            keyring(self.ports)?.forget(step.row().id);
        }
        if let AuditTarget::Sink(sink) = &self.ports.audit {
            for entry in &entries {
                sink.record(entry).await.map_err(Error::after_write)?;
            }
        }
        Ok(())
    }

    async fn once(&self, steps: &[Step], entries: &[AuditEntry], now: DateTime<Utc>) -> Result<(), Failure> {
        let transaction = self.ports.store.begin().await?;
        let work = async {
            for step in steps {
                let done = match step {
                    Step::Insert(row) => {
                        let row = bytes(&row.to_document().map_err(Error::from)?)?;
                        transaction
                            .insert(KEYS_COLLECTION, &[&row])
                            .await
                            .map(|()| true)?
                    }
                    Step::Move(row, state) => {
                        transaction
                            .update(KEYS_COLLECTION, &[&change(row, *state, now)?])
                            .await?
                            == 1
                    }
                    Step::Rewrap(row, wrapped) => {
                        let change = replaced(row, wrapped)?;
                        transaction.update(KEYS_COLLECTION, &[&change]).await? == 1
                    }
                };
                if !done {
                    return Err(Failure::from(changed_meanwhile()));
                }
            }
            if matches!(self.ports.audit, AuditTarget::Collection) {
                let entries: Vec<_> = entries.iter().map(AuditEntry::to_bytes).collect::<Result<_>>()?;
                let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
                chain::insert(&*transaction, self.ports.chained, &entries).await?;
            }
            transaction.commit().await.map_err(Failure::from)
        };
        let result = work.await;
        if result.is_err() {
            transaction.abort().await;
        }
        result
    }

    fn entry(&self, event: &'static str, step: &Step, now: DateTime<Utc>) -> Result<AuditEntry> {
        let row = step.row();
        let (path, before, after) = match step {
            Step::Insert(row) => ("state", None, row.state.as_str()),
            Step::Move(row, state) => ("state", Some(row.state.as_str()), state.as_str()),
            Step::Rewrap(row, wrapped) => ("kek", Some(&*row.wrapped.kek.id), &*wrapped.kek.id),
        };
        let name = |text: &str| Box::new(Bson::from(text));
        Ok(AuditEntry {
            tenant: tenant_id(row)?,
            entity_name: Some(format!("{} {}", row.purpose.as_str(), row.ver)),
            changes: vec![AuditChange::Plain {
                path: path.to_owned(),
                before: before.map(name),
                after: Some(name(after)),
            }],
            ..crate::engine::audit::bare(self.actor, event.to_owned(), "key", row.id.id8(), now)
        })
    }
}

/// Why a change did not take place.
enum Failure {
    /// The transaction ran into another: the same may be tried again.
    Again,
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Transient => Self::Again,
            StoreError::Duplicate { .. } => Self::Final(changed_meanwhile()),
            other => Self::Final(into_error(other)),
        }
    }
}

/// The update that moves a row from its state to another, if nobody else has moved it.
fn change(row: &KeyRow, state: KeyState, now: DateTime<Utc>) -> Result<UpdateOne> {
    let mut set = doc! { "state": state.as_str() };
    let mut unset = Vec::new();
    if state == KeyState::Primary {
        set.insert(SLOT, slot(&row.realm, row.purpose, row.tenant.as_ref())?);
        set.insert("promoted_at", bson::DateTime::from_chrono(now));
    } else {
        unset.push(SLOT.to_owned());
    }
    if state == KeyState::Destroyed {
        set.insert("destroyed_at", bson::DateTime::from_chrono(now));
        set.insert(
            "wrapped",
            bson::Binary {
                subtype: bson::spec::BinarySubtype::Generic,
                bytes: Vec::new(),
            },
        );
    }
    let set = RawDocumentBuf::try_from(&set).map_err(|_| Error::internal("a malformed key row"))?;
    Ok(UpdateOne {
        selection: Selection {
            rest: equals("state", row.state.as_str().into()),
            ..by_id(row.id)
        },
        set,
        unset,
    })
}

/// The update that puts another wrapping in the place of the row's, if that is still there.
fn replaced(row: &KeyRow, wrapped: &Wrapped) -> Result<UpdateOne> {
    let binary = |bytes: &[u8]| {
        Bson::Binary(bson::Binary {
            subtype: bson::spec::BinarySubtype::Generic,
            bytes: bytes.to_vec(),
        })
    };
    let KekRef {
        provider,
        id,
        version,
    } = &wrapped.kek;
    let set = doc! {
        "kek": { "provider": provider, "id": id, "version": version },
        "wrapped": binary(&wrapped.bytes),
    };
    let set = RawDocumentBuf::try_from(&set).map_err(|_| Error::internal("a malformed key row"))?;
    Ok(UpdateOne {
        selection: Selection {
            rest: equals("wrapped", binary(&row.wrapped.bytes)),
            ..by_id(row.id)
        },
        set,
        unset: Vec::new(),
    })
}

fn bytes(document: &Document) -> Result<Vec<u8>> {
    document
        .to_vec()
        .map_err(|_| Error::internal("a document that cannot be stored"))
}

fn refuse(message: &'static str) -> Error {
    Error::new(ErrorKind::Refused, message)
}

fn changed_meanwhile() -> Error {
    Error::new(ErrorKind::Conflict, "somebody else changed the keys first")
}

/// A tenant as keys see it.
pub(crate) fn tenant_key(tenant: Option<&TenantId>) -> Result<Option<TenantKey>> {
    let key = tenant.map(|tenant| TenantKey::from_bson(&tenant.value().to_bson()));
    Ok(key.transpose()?)
}

/// The tenant that a key belongs to.
pub(crate) fn tenant_id(row: &KeyRow) -> Result<Option<TenantId>> {
    let Some(tenant) = &row.tenant else {
        return Ok(None);
    };
    let value = RawValue {
        tag: tenant.bson_type(),
        bytes: tenant.value_bytes(),
    };
    let id = IdValue::decode(value).map_err(|_| Error::internal("a key of a tenant that is no id"))?;
    Ok(Some(TenantId::from_value(id)))
}
