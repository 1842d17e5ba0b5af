//! Secrets: sealing and opening against bare AES-GCM, reads of what is not revealed against reads of binary, logins that
//! wait against a ticker.

use std::fs;
use std::hint::black_box;
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
use model_core::{ModelExt, testing};
use model_tests::server;

use crate::document::User;
use crate::report::{self, Row};
use crate::rounds::{self, Variant};
use crate::statistics::median;

/// The sizes of plaintexts, and the most that sealing may take of bare AES-GCM with a nonce from the operating system.
const SIZES: [(usize, Option<f64>); 3] = [(32, Some(2.5)), (256, None), (4096, Some(1.6))];
/// How many documents a read has.
const DOCUMENTS: usize = 10_000;

/// A document with three values of 64 bytes that nobody looks at.
macro_rules! parcel {
    ($name:ident, $collection:literal, $type:ty) => {
        #[derive(Clone, Model)]
        #[model(collection = $collection)]
        #[allow(missing_docs, reason = "the fields stand for nothing but their types")]
        pub struct $name {
            #[model(id)]
            pub id: Id<$name>,
            #[model(tenant)]
            pub organization: TenantId,
            pub name: String,
            pub count: i64,
            pub note: Option<String>,
            pub one: $type,
            pub two: $type,
            pub three: $type,
            #[model(created_at)]
            pub created_at: DateTime<Utc>,
            #[model(updated_at)]
            pub updated_at: DateTime<Utc>,
        }

        impl BaseModel for $name {
            type Actor = User;

            fn can_read(&self, _: &Context<User>) -> bool {
                true
            }

            fn can_create(&self, _: &Context<User>) -> bool {
                true
            }

            fn can_update(&self, _: &Context<User>, _: &Self) -> bool {
                true
            }

            fn can_delete(&self, _: &Context<User>) -> bool {
                true
            }
        }
    };
}

parcel!(Sealed, "sealed", Encrypted<String>);
parcel!(Binary, "binary", model_core::value::Bytes);

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

/// A read of ten thousand documents with three sealed values that are not revealed, against the same with binary values of
/// the same length.
pub async fn unrevealed(rounds: usize) -> Vec<Row> {
    let builder = Db::mongo(server::fresh_database().await).keys(testing::keyring().unwrap());
    let db = builder.model::<Sealed>().model::<Binary>().build().await.unwrap();
    let ctx = db.context(TenantId::new("acme").unwrap(), User);
    let secret = || Secret::from("x".repeat(56).as_str());
    let sealed = (0..DOCUMENTS).map(|n| NewSealed {
        name: format!("parcel {n}"),
        count: n as i64,
        one: secret(),
        two: secret(),
        three: secret(),
        optional: Default::default(),
    });
    Sealed::create_many(&ctx, sealed).await.unwrap();
    let stored = testing::stored(&db, "sealed").await.unwrap();
    let length = match stored[0].get("one") {
        Some(bson::Bson::Binary(binary)) => binary.bytes.len(),
        other => panic!("{other:?}"),
    };
    let bytes = || model_core::value::Bytes::from(vec![0xE1; length]);
    let binary = (0..DOCUMENTS).map(|n| NewBinary {
        name: format!("parcel {n}"),
        count: n as i64,
        one: bytes(),
        two: bytes(),
        three: bytes(),
        optional: Default::default(),
    });
    Binary::create_many(&ctx, binary).await.unwrap();
    let ctx = &ctx;
    let ours = move |times: usize| async move {
        for _ in 0..times {
            assert_eq!(Sealed::query(ctx).await.unwrap().len(), DOCUMENTS);
        }
    };
    let theirs = move |times: usize| async move {
        for _ in 0..times {
            assert_eq!(Binary::query(ctx).await.unwrap().len(), DOCUMENTS);
        }
    };
    let [ours, theirs] = rounds::take([Variant::new(ours), Variant::new(theirs)], rounds, 1).await;
    let name = "read of 10,000, three sealed values against binary ones";
    let rows = vec![
        Row::sampled(format!("{name}: CPU"), "µs", &ours.cpu, &theirs.cpu),
        Row::sampled(name, "µs", &ours.wall, &theirs.wall).at_most(1.02),
    ];
    report::show(rows).collect()
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
