//! Secrets: sealing and opening against bare AES-GCM, logins that wait against a ticker.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{Aes256Gcm, KeyInit};
use futures_util::future::join_all;
use model_core::crypto::{
    Candidate, HashPolicy, KeyStore, Keyring, Limits, LoadedKey, MemoryKeyStore, NewPassword, Origin,
    PasswordHasher, Purpose, Suites, TenantKey,
};
use model_core::prelude::*;
use model_core::testing;

use crate::report::{self, Row};
use crate::rounds::{self, Variant};
use crate::statistics::median;
use crate::valgrind;

/// The sizes of plaintexts, and the most that sealing may take of bare AES-GCM with a nonce from the operating system.
const SIZES: [(usize, Option<f64>); 3] = [(32, Some(2.5)), (256, None), (4096, Some(1.6))];

/// Sealing and opening.
pub async fn envelopes(rounds: usize) -> Vec<Row> {
    let (ring, key) = loaded().await;
    let tenant = TenantKey::new(2, b"\x05\0\0\0acme\0").unwrap();
    let id = [7u8; 12];
    let origin = Origin {
        collection: "users",
        path: "token",
        tenant: Some(tenant.typed()),
        id: (7, &id),
    }
    .encode();
    let bare = Aes256Gcm::new(&[7; 32].into());
    let mut rows = Vec::new();
    for (size, limit) in SIZES {
        let plain = vec![0x5A; size];
        let envelope = ring.seal(&key, &origin, &plain, None).unwrap();
        let (ring, key, origin, plain, bare) = (&ring, &key, &origin, &plain, &bare);
        let seal = move |times: usize| {
            for _ in 0..times {
                black_box(ring.seal(key, origin, black_box(plain), None).unwrap());
            }
        };
        let bare_seal = move |times: usize| {
            for _ in 0..times {
                black_box(seal_bare(bare, black_box(plain)));
            }
        };
        let opened = &envelope;
        let open = move |times: usize| {
            for _ in 0..times {
                black_box(ring.open(key, origin, black_box(opened), Suites::ALL).unwrap());
            }
        };
        let bytes = seal_bare(bare, plain);
        let bytes = &bytes;
        let bare_open = move |times: usize| {
            for _ in 0..times {
                black_box(open_bare(bare, black_box(bytes)));
            }
        };
        let variants = [
            Variant::computing(seal),
            Variant::computing(bare_seal),
            Variant::computing(open),
            Variant::computing(bare_open),
        ];
        let [ours, theirs, opens, bare_opens] = rounds::take(variants, rounds, 4_000).await;
        let row = Row::sampled(format!("seal {size} B"), "µs", &ours.wall, &theirs.wall);
        rows.push(limit.map_or(row.clone(), |limit| row.at_most(limit)));
        // Bare opening asks the system for no nonce, so that the limit is on the way there and back.
        rows.push(Row::sampled(
            format!("open {size} B"),
            "µs",
            &opens.wall,
            &bare_opens.wall,
        ));
        let both = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + b).collect::<Vec<_>>();
        let (ours, theirs) = (
            both(&ours.wall, &opens.wall),
            both(&theirs.wall, &bare_opens.wall),
        );
        let row = Row::sampled(format!("seal and open {size} B"), "µs", &ours, &theirs);
        rows.push(limit.map_or(row.clone(), |limit| row.at_most(limit)));
    }
    report::show(rows).collect()
}

/// Seals and opens 32 bytes so many times: by us, or `bare`.
pub async fn there_and_back(side: &str, times: usize) {
    let (ring, key) = loaded().await;
    let tenant = TenantKey::new(2, b"\x05\0\0\0acme\0").unwrap();
    let origin = Origin {
        collection: "users",
        path: "token",
        tenant: Some(tenant.typed()),
        id: (7, &[7; 12]),
    }
    .encode();
    let bare = Aes256Gcm::new(&[7; 32].into());
    let plain = [0x5A; 32];
    for _ in 0..times {
        if side == "bare" {
            let sealed = seal_bare(&bare, black_box(&plain));
            black_box(open_bare(&bare, black_box(&sealed)));
        } else {
            let sealed = ring.seal(&key, &origin, black_box(&plain), None).unwrap();
            black_box(ring.open(&key, &origin, black_box(&sealed), Suites::ALL).unwrap());
        }
    }
}

/// The instructions of that; the system's, for the nonce, are not among them.
pub fn count(probe: &Path) -> Vec<Row> {
    let of = |side: &str| {
        valgrind::instructions(2_000, |times| {
            let mut command = Command::new(probe);
            command.args(["envelope", side, times]);
            command
        })
    };
    let row = Row::exact("seal and open 32 B", "instructions", of("ours"), of("bare"));
    report::show([row]).collect()
}

async fn loaded() -> (Keyring, Arc<LoadedKey>) {
    let ring = testing::keyring().unwrap();
    let store: &dyn KeyStore = &MemoryKeyStore::new();
    let tenant = TenantKey::new(2, b"\x05\0\0\0acme\0").unwrap();
    let key = ring
        .ensure_primary(store, Purpose::Enc, Some(&tenant), DateTime::UNIX_EPOCH)
        .await
        .unwrap();
    (ring, key)
}

/// `nonce ‖ ciphertext ‖ tag`
fn seal_bare(cipher: &Aes256Gcm, plain: &[u8]) -> Vec<u8> {
    let mut nonce = [0u8; 12];
    getrandom::fill(&mut nonce).unwrap();
    let mut out = Vec::with_capacity(28 + plain.len());
    out.extend_from_slice(&nonce);
    out.extend_from_slice(plain);
    let tag = cipher
        .encrypt_inout_detached((&nonce).into(), b"", InOutBuf::from(&mut out[12..]))
        .unwrap();
    out.extend_from_slice(&tag);
    out
}

fn open_bare(cipher: &Aes256Gcm, sealed: &[u8]) -> Vec<u8> {
    let (nonce, rest) = sealed.split_first_chunk::<12>().unwrap();
    let (body, tag) = rest.split_last_chunk::<16>().unwrap();
    let mut out = body.to_vec();
    cipher
        .decrypt_inout_detached(nonce.into(), b"", InOutBuf::from(&mut out[..]), tag.into())
        .unwrap();
    out
}

/// 256 logins at once at two permits: hashes in a second, the memory at its peak, and how late a ticker of 1 ms is.
pub fn logins() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let limits = Limits {
            permits: 2,
            queue: 256,
            wait: Duration::from_secs(120),
        };
        let hasher = PasswordHasher::new(HashPolicy::default(), limits).unwrap();
        let stored = hasher.hash(&NewPassword::new("correct horse".to_owned()).unwrap()).await.unwrap();
        let before = resident_peak();
        let late = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&late);
        let ticker = tokio::spawn(async move {
            loop {
                let due = Instant::now() + Duration::from_millis(1);
                tokio::time::sleep_until(due.into()).await;
                noted.lock().unwrap().push(due.elapsed().as_secs_f64() * 1e3);
            }
        });
        let started = Instant::now();
        let candidate = Candidate::new("correct horse".to_owned());
        let verdicts = join_all((0..256).map(|_| hasher.verify(Some(&stored), &candidate))).await;
        let seconds = started.elapsed().as_secs_f64();
        ticker.abort();
        assert!(verdicts.iter().all(Result::is_ok));
        let mut late = std::mem::take(&mut *late.lock().unwrap());
        late.sort_by(f64::total_cmp);
        let p99 = late[late.len() * 99 / 100];
        println!(
            "256 logins, two permits: {:.1} hashes/s, peak +{:.1} MiB, ticker of 1 ms late by {:.2} ms (median), {p99:.2} ms (p99)",
            256.0 / seconds,
            (resident_peak() - before) / 1024.0,
            median(&late),
        );
    });
}

/// The most memory that the process has had, in KiB.
fn resident_peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells the peak of a process");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number
        .and_then(|number| number.parse().ok())
        .expect("a number of KiB")
}
