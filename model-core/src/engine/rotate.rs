//! Key administration: each change of key rows together with its audit entry, or not at all.

use std::time::Duration;

use bson::{Bson, Document, RawDocumentBuf, doc};
use chrono::{DateTime, Utc};

use super::caller::equals;
use super::keys::{SLOT, StoreKeys, by_id, keyring, own_numbers, slot};
use super::ports::{AuditTarget, Ports};
use crate::audit::{self, ActorIdentity, AuditChange, AuditEntry};
use crate::codec::RawValue;
use crate::crypto::{
    KEYS_COLLECTION, KeyId, KeyRow, KeyState, KeyStore as _, Purpose, TenantKey, next_version,
};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Selection, StoreError, UpdateOne, into_error};
use crate::value::{IdValue, TenantId};

/// How often a transaction is begun anew when it ran into another.
const ATTEMPTS: u32 = 8;
const PURPOSES: [Purpose; 3] = [Purpose::Enc, Purpose::BlindIndex, Purpose::Pepper];

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
}

impl Administration<'_> {
    /// The rows of a tenant, or of the global models, by purpose and number.
    pub(crate) async fn rows(&self, tenant: Option<&TenantId>) -> Result<Vec<KeyRow>> {
        let (keyring, tenant) = (keyring(self.ports)?, tenant_key(tenant)?);
        let mut rows = Vec::new();
        for purpose in PURPOSES {
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
            let (Step::Insert(row) | Step::Move(row, _)) = step;
            keyring(self.ports)?.forget(row.id);
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
                            .insert_one(KEYS_COLLECTION, &row)
                            .await
                            .map(|()| true)?
                    }
                    Step::Move(row, state) => transaction.update_one(&change(row, *state, now)?).await?,
                };
                if !done {
                    return Err(Failure::from(changed_meanwhile()));
                }
            }
            if matches!(self.ports.audit, AuditTarget::Collection) {
                for entry in entries {
                    transaction
                        .insert_one(audit::COLLECTION, &bytes(&entry.to_document())?)
                        .await?;
                }
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
        let (row, before, after) = match step {
            Step::Insert(row) => (row, None, row.state),
            Step::Move(row, state) => (row, Some(row.state), *state),
        };
        let name = |state: KeyState| Box::new(Bson::from(state.as_str()));
        Ok(AuditEntry {
            tenant: tenant_id(row)?,
            entity_name: Some(format!("{} {}", row.purpose.as_str(), row.ver)),
            changes: vec![AuditChange::Plain {
                path: "state".to_owned(),
                before: before.map(name),
                after: Some(name(after)),
            }],
            ..super::audit::bare(self.actor, event.to_owned(), "key", row.id.id8(), now)
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
        collection: KEYS_COLLECTION,
        selection: Selection {
            rest: equals("state", row.state.as_str().into()),
            ..by_id(row.id)
        },
        set,
        unset,
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
