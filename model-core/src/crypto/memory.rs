//! Key rows in memory, beside the embedded store: for tests and examples.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::key::{KeyId, Purpose};
use super::store::{KeyRow, KeyState, KeyStore};
use super::{Result, TenantKey};

/// A [`KeyStore`] that forgets everything when dropped.
#[derive(Debug, Default)]
pub struct MemoryKeyStore {
    rows: Mutex<HashMap<KeyId, KeyRow>>,
}

impl MemoryKeyStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<KeyId, KeyRow>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn belongs(row: &KeyRow, realm: &str, purpose: Purpose, tenant: Option<&TenantKey>) -> bool {
    row.realm == realm && row.purpose == purpose && row.tenant.as_ref() == tenant
}

fn is_primary(row: &KeyRow, realm: &str, purpose: Purpose, tenant: Option<&TenantKey>) -> bool {
    row.state == KeyState::Primary && belongs(row, realm, purpose, tenant)
}

#[async_trait]
impl KeyStore for MemoryKeyStore {
    async fn load(&self, id: KeyId) -> Result<Option<KeyRow>> {
        Ok(self.rows().get(&id).cloned())
    }

    async fn primary(
        &self,
        realm: &str,
        purpose: Purpose,
        tenant: Option<&TenantKey>,
    ) -> Result<Option<KeyRow>> {
        Ok(self
            .rows()
            .values()
            .find(|row| is_primary(row, realm, purpose, tenant))
            .cloned())
    }

    async fn list(&self, realm: &str, purpose: Purpose, tenant: Option<&TenantKey>) -> Result<Vec<KeyRow>> {
        Ok(self
            .rows()
            .values()
            .filter(|row| belongs(row, realm, purpose, tenant))
            .cloned()
            .collect())
    }

    async fn insert_if_no_primary(&self, row: &KeyRow) -> Result<bool> {
        let mut rows = self.rows();
        let taken = rows
            .values()
            .any(|other| is_primary(other, &row.realm, row.purpose, row.tenant.as_ref()));
        if !taken {
            rows.insert(row.id, row.clone());
        }
        Ok(!taken)
    }

    async fn set_state(&self, id: KeyId, state: KeyState, now: DateTime<Utc>) -> Result<bool> {
        let mut rows = self.rows();
        let Some(mut row) = rows
            .get(&id)
            .filter(|row| row.state != KeyState::Destroyed)
            .cloned()
        else {
            return Ok(false);
        };
        row.state = state;
        match state {
            KeyState::Primary => {
                let taken = rows.values().any(|other| {
                    other.id != id && is_primary(other, &row.realm, row.purpose, row.tenant.as_ref())
                });
                if taken {
                    return Ok(false);
                }
                row.promoted_at = Some(now);
            }
            KeyState::Destroyed => {
                row.wrapped.bytes.clear();
                row.destroyed_at = Some(now);
            }
            KeyState::DecryptOnly | KeyState::Disabled => {}
        }
        rows.insert(id, row);
        Ok(true)
    }
}
