//! Declarations, plans and their carrying out, against a store that keeps indexes by the server's rules.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Mutex;

use bson::{Bson, Document, RawDocumentBuf, doc};

use super::plan::name_of;
use super::{IndexPlan, compare, plan};
use crate::schema::{EmbeddedSchema, FieldSchema, IdKind, IndexSpec, ModelSchema, Tenancy, TypeSchema};
use crate::store::{
    Abilities, Changes, Cursor, Find, Operations, Selection, Sharding, Store, StoreError, StoreFuture,
    Transaction, Unwound, UpdateOne, WatchFrom,
};

macro_rules! model {
    ($($spec:expr),* $(,)?) => {{
        static INDEXES: &[IndexSpec] = &[$($spec),*];
        schema(INDEXES)
    }};
}

macro_rules! index {
    ($($key:literal),*) => { IndexSpec::new(&[$(IndexKey::ascending($key)),*]) };
}

/// The server's description of one declared index.
macro_rules! only {
    ($spec:expr $(,)?) => {
        describe(schema(&[]), &model![$spec].indexes[0])
    };
}

mod collections;
mod declared;
mod planned;
mod schemas;

static NOTE: TypeSchema = TypeSchema::String;
static DATE: TypeSchema = TypeSchema::Date;
static MEMBER: EmbeddedSchema = EmbeddedSchema::new(
    "Member",
    &[
        FieldSchema::new("role", "role", TypeSchema::String),
        FieldSchema::new("tags", "tags", TypeSchema::Array(&NOTE)),
    ],
);
static MEMBERS: TypeSchema = TypeSchema::Embedded(|| &MEMBER);
static SECRET: TypeSchema = TypeSchema::Encrypted(&NOTE);

static FIELDS: [FieldSchema; 10] = [
    FieldSchema::new("id", "_id", TypeSchema::Id(IdKind::ObjectId)),
    FieldSchema::new("organization", "organization", TypeSchema::TenantId),
    FieldSchema::new("project", "project", TypeSchema::Id(IdKind::ObjectId)),
    FieldSchema::new("email", "email", TypeSchema::Optional(&NOTE)),
    FieldSchema::new("slug", "slug", TypeSchema::String),
    FieldSchema::new("expires", "expires", TypeSchema::Optional(&DATE)),
    FieldSchema::new("members", "members", TypeSchema::Array(&MEMBERS)),
    FieldSchema::new("labels", "labels", TypeSchema::Map(&NOTE)),
    FieldSchema::new("names", "names", TypeSchema::Array(&NOTE)),
    FieldSchema::new("token", "token", SECRET),
];

fn schema(indexes: &'static [IndexSpec]) -> &'static ModelSchema {
    let tenancy = Tenancy::Tenant {
        field: "organization",
    };
    Box::leak(Box::new(
        ModelSchema::new("Widget", "widgets", tenancy, IdKind::ObjectId, &FIELDS).indexes(indexes),
    ))
}

/// Keeps indexes as the server does, and what was asked of it.
#[derive(Default)]
struct Fake {
    indexes: Mutex<BTreeMap<String, Vec<Document>>>,
    log: Mutex<Vec<String>>,
    records: Mutex<BTreeMap<String, Document>>,
    duplicates: Option<&'static str>,
    images: Mutex<bool>,
    sharding: Mutex<Option<Sharding>>,
}

impl Fake {
    fn with(indexes: Vec<Document>) -> Self {
        let fake = Self::default();
        fake.indexes.lock().unwrap().insert("widgets".to_owned(), indexes);
        fake
    }

    fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

impl Operations for Fake {
    fn find_one<'a>(&'a self, _: &'static str, _: &'a Selection) -> StoreFuture<'a, Option<RawDocumentBuf>> {
        unreachable!()
    }
    fn find<'a>(&'a self, _: &'a Find) -> StoreFuture<'a, Box<dyn Cursor>> {
        unreachable!()
    }
    fn count<'a>(&'a self, _: &'a Find) -> StoreFuture<'a, u64> {
        unreachable!()
    }
    fn distinct<'a>(&'a self, _: &'a Find, _: &'a Unwound) -> StoreFuture<'a, Box<dyn Cursor>> {
        unreachable!()
    }
    fn group<'a>(&'a self, _: &'a Find, _: &'a crate::query::Grouping) -> StoreFuture<'a, Box<dyn Cursor>> {
        unreachable!()
    }
    fn facet<'a>(&'a self, _: &'a Find, _: &'a [crate::query::Branch]) -> StoreFuture<'a, Box<dyn Cursor>> {
        unreachable!()
    }
    fn insert<'a>(&'a self, _: &'static str, _: &'a [&'a [u8]]) -> StoreFuture<'a, ()> {
        unreachable!()
    }
    fn update<'a>(&'a self, _: &'static str, _: &'a [&'a UpdateOne]) -> StoreFuture<'a, u64> {
        unreachable!()
    }
    fn delete<'a>(&'a self, _: &'static str, _: &'a [&'a Selection]) -> StoreFuture<'a, u64> {
        unreachable!()
    }
}

impl Store for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }
    fn abilities(&self) -> StoreFuture<'_, Abilities> {
        Box::pin(async move { Ok(Abilities::new(true)) })
    }
    fn begin(&self) -> StoreFuture<'_, Box<dyn Transaction>> {
        unreachable!()
    }
    fn list_indexes<'a>(&'a self, collection: &'a str) -> StoreFuture<'a, Vec<Document>> {
        Box::pin(async move {
            Ok(self
                .indexes
                .lock()
                .unwrap()
                .get(collection)
                .cloned()
                .unwrap_or_default())
        })
    }
    fn create_index<'a>(&'a self, collection: &'a str, index: &'a Document) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.log
                .lock()
                .unwrap()
                .push(format!("create {}", name_of(index)));
            if self.duplicates.is_some_and(|name| name_of(index) == name) {
                return Err(StoreError::Duplicate {
                    index: name_of(index).to_owned(),
                });
            }
            let mut indexes = self.indexes.lock().unwrap();
            let indexes = indexes
                .entry(collection.to_owned())
                .or_insert_with(|| vec![doc! { "v": 2, "key": { "_id": 1 }, "name": "_id_" }]);
            let refused = |code: i32| {
                Err(StoreError::Refused {
                    code,
                    name: String::new(),
                })
            };
            for found in indexes.iter() {
                let differs = compare::differences(found, index);
                if differs.is_empty() {
                    return Ok(());
                }
                if name_of(found) == name_of(index) {
                    return refused(86);
                }
                if differs
                    .iter()
                    .all(|option| matches!(option.as_str(), "expireAfterSeconds" | "hidden"))
                {
                    return refused(85);
                }
            }
            let mut index = index.clone();
            index.insert("v", 2);
            indexes.push(index);
            Ok(())
        })
    }
    fn set_index_ttl<'a>(&'a self, collection: &'a str, name: &'a str, seconds: i64) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.log.lock().unwrap().push(format!("ttl {name}"));
            let mut indexes = self.indexes.lock().unwrap();
            let index = indexes
                .get_mut(collection)
                .unwrap()
                .iter_mut()
                .find(|index| name_of(index) == name)
                .unwrap();
            index.insert("expireAfterSeconds", seconds);
            Ok(())
        })
    }
    fn drop_index<'a>(&'a self, collection: &'a str, name: &'a str) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            assert_ne!(name, "_id_");
            self.log.lock().unwrap().push(format!("drop {name}"));
            self.indexes
                .lock()
                .unwrap()
                .get_mut(collection)
                .unwrap()
                .retain(|index| name_of(index) != name);
            Ok(())
        })
    }
    fn knows_index(&self, _: &Document) -> bool {
        true
    }
    fn set_index_hidden<'a>(
        &'a self,
        collection: &'a str,
        name: &'a str,
        hidden: bool,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.log
                .lock()
                .unwrap()
                .push(format!("{} {name}", if hidden { "hide" } else { "show" }));
            let mut indexes = self.indexes.lock().unwrap();
            let index = indexes
                .get_mut(collection)
                .unwrap()
                .iter_mut()
                .find(|index| name_of(index) == name)
                .unwrap();
            index.insert("hidden", hidden);
            Ok(())
        })
    }
    fn collection_options<'a>(&'a self, _: &'a str) -> StoreFuture<'a, Option<Document>> {
        Box::pin(async move { Ok(None) })
    }

    fn create_collection<'a>(&'a self, _: &'a str, _: &'a Document) -> StoreFuture<'a, ()> {
        Box::pin(async move { Ok(()) })
    }

    fn change_collection<'a>(&'a self, _: &'a str, _: &'a Document) -> StoreFuture<'a, ()> {
        Box::pin(async move { Ok(()) })
    }

    fn delete_measurements<'a>(&'a self, _: &'a str, _: &'a str, _: &'a Bson) -> StoreFuture<'a, ()> {
        Box::pin(async move { Ok(()) })
    }

    fn images<'a>(&'a self, _: &'a str) -> StoreFuture<'a, bool> {
        Box::pin(async move { Ok(*self.images.lock().unwrap()) })
    }
    fn keep_images<'a>(&'a self, collection: &'a str, keep: bool) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.log
                .lock()
                .unwrap()
                .push(format!("images {collection} {keep}"));
            *self.images.lock().unwrap() = keep;
            Ok(())
        })
    }
    fn sharding<'a>(&'a self, _: &'a str) -> StoreFuture<'a, Sharding> {
        Box::pin(async move {
            Ok(self
                .sharding
                .lock()
                .unwrap()
                .clone()
                .unwrap_or(Sharding::NoCluster))
        })
    }
    fn shard<'a>(&'a self, collection: &'a str, key: &'a Document) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.log.lock().unwrap().push(format!("shard {collection} {key}"));
            *self.sharding.lock().unwrap() = Some(Sharding::By(key.clone()));
            Ok(())
        })
    }
    fn watch<'a>(&'a self, _: &'a WatchFrom) -> StoreFuture<'a, Box<dyn Changes>> {
        unreachable!()
    }
    fn duplicates<'a>(&'a self, _: &'a str, _: &'a Document, _: u32) -> StoreFuture<'a, Vec<[Bson; 2]>> {
        Box::pin(async move { Ok(Vec::new()) })
    }
    fn rename<'a>(&'a self, _: &'a str, _: &'a str) -> StoreFuture<'a, bool> {
        Box::pin(async move { Ok(false) })
    }

    fn record<'a>(&'a self, _: &'a str, id: &'a str) -> StoreFuture<'a, Option<Document>> {
        Box::pin(async move { Ok(self.records.lock().unwrap().get(id).cloned()) })
    }
    fn put_record<'a>(&'a self, _: &'a str, record: &'a Document) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let id = record.get_str("_id").unwrap().to_owned();
            self.records.lock().unwrap().insert(id, record.clone());
            Ok(())
        })
    }
    fn validator<'a>(&'a self, _: &'a str) -> StoreFuture<'a, Option<Document>> {
        Box::pin(async move { Ok(None) })
    }
    fn set_validator<'a>(&'a self, _: &'a str, _: &'a Document) -> StoreFuture<'a, ()> {
        Box::pin(async move { Ok(()) })
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn planned(model: &'static ModelSchema, fake: &Fake) -> IndexPlan {
    run(plan(&[model], fake)).unwrap()
}
