//! Documents with sealed values that nobody looks at, against the same with binary values of the same length: read by
//! ten thousands, and written under a seal of the whole document.

use std::path::Path;
use std::process::Command;

use model_core::prelude::*;
use model_core::value::Bytes;
use model_core::{ModelExt, testing};
use model_tests::server;
use mongodb::Database;

use crate::document::{TENANT, User};
use crate::report::{self, Row};
use crate::rounds::{self, Variant};
use crate::valgrind;

/// How many documents a read has.
const DOCUMENTS: usize = 10_000;
/// How much a sealed value that is not revealed may cost of a binary one.
const LIMIT: f64 = 1.02;

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
parcel!(Binary, "binary", Bytes);

/// A database with both kinds of documents, or none yet.
#[derive(Debug)]
pub struct Shelf(Context<User>);

impl Shelf {
    /// The shelf of a database.
    pub async fn new(database: Database) -> Self {
        let builder = Db::mongo(database).keys(testing::keyring().unwrap());
        let db = builder.model::<Sealed>().model::<Binary>().build().await.unwrap();
        Self(db.context(TenantId::new(TENANT).unwrap(), User))
    }

    /// Puts ten thousand of each there.
    async fn fill(&self) {
        let secret = || Secret::from("x".repeat(56).as_str());
        let sealed = (0..DOCUMENTS).map(|n| NewSealed {
            name: format!("parcel {n}"),
            count: n as i64,
            one: secret(),
            two: secret(),
            three: secret(),
            optional: Default::default(),
        });
        Sealed::create_many(&self.0, sealed).await.unwrap();
        // The document `{v: value}`, and what an envelope adds.
        let length = 56 + 13 + model_core::crypto::OVERHEAD;
        // As random as what is sealed, so that the server can store neither in less.
        let bytes = || {
            let mut random = vec![0; length];
            getrandom::fill(&mut random).unwrap();
            Bytes::from(random)
        };
        let binary = (0..DOCUMENTS).map(|n| NewBinary {
            name: format!("parcel {n}"),
            count: n as i64,
            one: bytes(),
            two: bytes(),
            three: bytes(),
            optional: Default::default(),
        });
        Binary::create_many(&self.0, binary).await.unwrap();
    }

    /// Reads all of one kind, so many times.
    pub async fn read(&self, side: &str, times: usize) {
        for _ in 0..times {
            let found = match side {
                "sealed" => Sealed::query(&self.0).await.unwrap().len(),
                _ => Binary::query(&self.0).await.unwrap().len(),
            };
            assert_eq!(found, DOCUMENTS);
        }
    }
}

/// A read of ten thousand documents with three sealed values that are not revealed, against the same with binary values of
/// the same length. `probe` is the program whose instructions are counted.
pub async fn measure(probe: &Path, rounds: usize) -> Vec<Row> {
    let database = server::fresh_database().await;
    let shelf = Shelf::new(database.clone()).await;
    shelf.fill().await;
    let uri = server::server().await.uri();
    let of = |side: &str| {
        valgrind::instructions(3, |times| {
            let mut command = Command::new(probe);
            command
                .args([database.name(), side, times])
                .env("MONGODB_URI", uri);
            command
        })
    };
    let name = "10,000, not revealed";
    let counted = Row::exact(name, "instructions", of("sealed"), of("binary")).at_most(LIMIT);
    let mut rows: Vec<_> = report::show([counted]).collect();
    let shelf = &shelf;
    let ours = move |times: usize| shelf.read("sealed", times);
    let theirs = move |times: usize| shelf.read("binary", times);
    let [ours, theirs] = rounds::take([Variant::new(ours), Variant::new(theirs)], rounds, 1).await;
    rows.extend(report::show([
        Row::sampled(name, "CPU us", &ours.cpu, &theirs.cpu),
        Row::sampled(name, "wall us", &ours.wall, &theirs.wall).at_most(LIMIT),
    ]));
    server::drop_database(database).await;
    rows
}
