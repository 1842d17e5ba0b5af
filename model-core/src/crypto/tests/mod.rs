//! Tests across the files of this module: formats, attacks, key loading, passwords.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod attacks;
mod keyring;
#[cfg(feature = "old-formats")]
mod old_formats;
#[cfg(all(feature = "bcrypt", feature = "pbkdf2", feature = "scrypt"))]
mod other_hashes;
mod password_limits;
mod passwords;
mod published;
mod vectors;
mod wrapping;

use core::fmt::Write as _;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::store::{KeyRow, KeyState};
use super::wrapper::{KekRef, Wrapped};
use super::{Dek, Keyring, LoadedKey, LocalKek, Origin, Purpose, TenantKey};

const KEK: [u8; 32] = *b"\x80local kek of tests, no text...!";

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(future)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_700_000_000_000).unwrap()
}

fn ring() -> Keyring {
    Keyring::builder()
        .realm("prod")
        .wrapper(LocalKek::new(&KEK).unwrap())
        .build()
        .unwrap()
}

/// 0x00, 0x01, … 0x1f, xored with a number.
fn dek(number: u8) -> Dek {
    Dek::from_bytes(&core::array::from_fn(|i| number ^ u8::try_from(i).unwrap())).unwrap()
}

fn tenant(name: &str) -> TenantKey {
    TenantKey::from_bson(&name.into()).unwrap()
}

fn row(dek: &Dek, purpose: Purpose, tenant: Option<TenantKey>, state: KeyState) -> KeyRow {
    let kek = KekRef {
        provider: "local".into(),
        id: "test".into(),
        version: String::new(),
    };
    KeyRow {
        id: dek.id(),
        purpose,
        tenant,
        realm: "prod".into(),
        ver: 1,
        wrapped: Wrapped {
            kek,
            bytes: Vec::new(),
        },
        state,
        created_at: now(),
        promoted_at: Some(now()),
        not_after: None,
        destroyed_at: None,
    }
}

fn loaded_in(
    realm: &str,
    number: u8,
    purpose: Purpose,
    tenant: Option<TenantKey>,
    state: KeyState,
) -> LoadedKey {
    let dek = dek(number);
    LoadedKey::new(row(&dek, purpose, tenant, state), dek, &Arc::from(realm)).unwrap()
}

fn loaded(number: u8, tenant: Option<TenantKey>) -> LoadedKey {
    loaded_in("prod", number, Purpose::Enc, tenant, KeyState::Primary)
}

const ACME: (u8, &[u8]) = (2, b"\x05\0\0\0acme\0");
const ID: (u8, &[u8]) = (7, b"\x65\x43\x21\0\0\0\0\0\0\0\0\x01");
const PLACE: Origin<'_> = Origin {
    collection: "users",
    path: "token",
    tenant: Some(ACME),
    id: ID,
};
