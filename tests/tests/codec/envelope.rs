//! Envelopes and seals that were made, then altered, then opened: what opens is what was sealed, where it was sealed.

use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};

use model_core::crypto::{
    DocumentSeal, KeyStore, Keyring, LoadedKey, LocalKek, MemoryKeyStore, Origin, Purpose, Suites, TenantKey,
};
use model_core::prelude::{DateTime, Utc};

/// A tenant's keys, and a key of another one.
struct Keys {
    ring: Keyring,
    own: Arc<LoadedKey>,
    seal: Arc<LoadedKey>,
    foreign: Arc<LoadedKey>,
}

const ACME: &[u8] = b"\x05\0\0\0acme\0";
const GLOBEX: &[u8] = b"\x07\0\0\0globex\0";

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let kek: [u8; 32] = core::array::from_fn(|at| 0x80 ^ u8::try_from(at).unwrap());
    let ring = Keyring::builder()
        .realm("fuzz")
        .wrapper(LocalKek::new(&kek).unwrap());
    let (ring, store) = (ring.build().unwrap(), MemoryKeyStore::new());
    let store: &dyn KeyStore = &store;
    let primary = |purpose, tenant: &[u8]| {
        let tenant = TenantKey::new(2, tenant).unwrap();
        let key = ring.ensure_primary(store, purpose, Some(&tenant), DateTime::<Utc>::UNIX_EPOCH);
        runtime.block_on(key).unwrap()
    };
    Keys {
        own: primary(Purpose::Enc, ACME),
        seal: primary(Purpose::Seal, ACME),
        foreign: primary(Purpose::Enc, GLOBEX),
        ring,
    }
});

/// The place of a value, each part of which can be altered.
#[derive(Clone, PartialEq)]
struct Place {
    collection: String,
    path: String,
    tenant: Option<(u8, Vec<u8>)>,
    id: (u8, Vec<u8>),
}

impl Place {
    fn origin(&self) -> Vec<u8> {
        let tenant = self.tenant.as_ref().map(|(tag, bytes)| (*tag, bytes.as_slice()));
        Origin {
            collection: &self.collection,
            path: &self.path,
            tenant,
            id: (self.id.0, &self.id.1),
        }
        .encode()
    }

    fn alter(&mut self, part: u8, byte: u8) {
        match part % 7 {
            0 => self.collection.push(char::from(byte % 128)),
            1 => self.path.push(char::from(byte % 128)),
            2 => drop(self.path.pop().map(|last| self.collection.push(last))),
            3 => self.id.1.push(byte),
            4 => self.id.0 ^= byte,
            5 => self.tenant = byte.is_multiple_of(2).then(|| (2, GLOBEX.to_vec())),
            _ => {
                if let Some((tag, _)) = &mut self.tenant {
                    *tag ^= byte;
                }
            }
        }
    }
}

fn alter(bytes: &mut Vec<u8>, kind: u8, at: usize, byte: u8) {
    let length = bytes.len();
    match kind % 5 {
        0 if length > 0 => bytes[at % length] ^= byte,
        1 => bytes.truncate(at % (length + 1)),
        2 => bytes.push(byte),
        3 if length > 0 => drop(bytes.remove(at % length)),
        4 if length > 0 => bytes.rotate_left(at % length),
        _ => {}
    }
}

/// Seals a plaintext, does to envelope and place what the input says, and opens. The answer is whether it opened.
///
/// The input: the size of padding, the length of the plaintext, the plaintext, and changes of four bytes each.
pub(crate) fn judge(input: &[u8]) -> bool {
    let [pad, length, rest @ ..] = input else {
        return false;
    };
    let (plain, changes) = rest.split_at(rest.len().min(usize::from(*length)));
    let keys = &*KEYS;
    let place = Place {
        collection: "users".to_owned(),
        path: "members.[].token".to_owned(),
        tenant: Some((2, ACME.to_vec())),
        id: (7, vec![9; 12]),
    };
    let pad = NonZeroU32::new(u32::from(*pad));
    let sealed = keys.ring.seal(&keys.own, &place.origin(), plain, pad).unwrap();
    let seal = keys
        .seal
        .seal_document("users", Some((2, ACME)), 7, plain)
        .unwrap();
    let (mut altered, mut elsewhere, mut other_seal) = (sealed.clone(), place.clone(), seal.clone());
    for change in changes.chunks_exact(4) {
        let (what, at, byte) = (
            change[0],
            usize::from(change[1]) << 3 | usize::from(change[2]),
            change[3],
        );
        if what & 0x80 == 0 {
            alter(&mut altered, what, at, byte);
            alter(&mut other_seal, what, at, byte);
        } else {
            elsewhere.alter(what & 0x7F, byte);
        }
    }
    let opened = keys
        .ring
        .open(&keys.own, &elsewhere.origin(), &altered, Suites::ALL);
    let same = altered == sealed && elsewhere == place;
    match &opened {
        Ok(opened) => assert!(same && opened[..] == *plain, "what was altered opens"),
        Err(_) => assert!(!same, "what was not altered does not open"),
    }
    let foreign = keys
        .ring
        .open(&keys.foreign, &elsewhere.origin(), &altered, Suites::ALL);
    assert!(foreign.is_err(), "another tenant's key opens");
    let tenant = elsewhere
        .tenant
        .as_ref()
        .map(|(tag, bytes)| (*tag, bytes.as_slice()));
    let holds = DocumentSeal::parse(&other_seal)
        .and_then(|parsed| {
            keys.seal
                .check_document(&elsewhere.collection, tenant, parsed, plain)
        })
        .is_ok();
    let same = other_seal == seal
        && (&elsewhere.collection, &elsewhere.tenant) == (&place.collection, &place.tenant);
    assert_eq!(
        holds, same,
        "a seal that was altered holds, or one that was not does not"
    );
    opened.is_ok()
}
