//! Declarations, plans and their carrying out, against a store that keeps indexes by the server's rules.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Mutex;

use async_trait::async_trait;
use bson::{Bson, Document, RawDocumentBuf, doc};

use super::plan::name_of;
use super::{IndexPlan, compare, plan};
use crate::schema::{EmbeddedSchema, FieldSchema, IdKind, IndexSpec, ModelSchema, Tenancy, TypeSchema};
use crate::store::{
    Abilities, Changes, Cursor, Find, Operations, Selection, Sharding, Store, StoreError, StoreResult,
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

#[async_trait]
impl Operations for Fake {
    async fn find_one(&self, _: &'static str, _: &Selection) -> StoreResult<Option<RawDocumentBuf>> {
        unreachable!()
    }
    async fn find(&self, _: &Find) -> StoreResult<Box<dyn Cursor>> {
        unreachable!()
    }
    async fn count(&self, _: &Find) -> StoreResult<u64> {
        unreachable!()
    }
    async fn distinct(&self, _: &Find, _: &Unwound) -> StoreResult<Box<dyn Cursor>> {
        unreachable!()
    }
    async fn group(&self, _: &Find, _: &crate::query::Grouping) -> StoreResult<Box<dyn Cursor>> {
        unreachable!()
    }
    async fn facet(&self, _: &Find, _: &[crate::query::Branch]) -> StoreResult<Box<dyn Cursor>> {
        unreachable!()
    }
    async fn insert(&self, _: &'static str, _: &[&[u8]]) -> StoreResult<()> {
        unreachable!()
    }
    async fn update(&self, _: &'static str, _: &[&UpdateOne]) -> StoreResult<u64> {
        unreachable!()
    }
    async fn delete(&self, _: &'static str, _: &[&Selection]) -> StoreResult<u64> {
        unreachable!()
    }
}

#[async_trait]
impl Store for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }
    async fn abilities(&self) -> StoreResult<Abilities> {
        Ok(Abilities::new(true))
    }
    async fn begin(&self) -> StoreResult<Box<dyn Transaction>> {
        unreachable!()
    }
    async fn list_indexes(&self, collection: &str) -> StoreResult<Vec<Document>> {
        Ok(self
            .indexes
            .lock()
            .unwrap()
            .get(collection)
            .cloned()
            .unwrap_or_default())
    }
    async fn create_index(&self, collection: &str, index: &Document) -> StoreResult<()> {
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
    }
    async fn set_index_ttl(&self, collection: &str, name: &str, seconds: i64) -> StoreResult<()> {
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
    }
    async fn drop_index(&self, collection: &str, name: &str) -> StoreResult<()> {
        assert_ne!(name, "_id_");
        self.log.lock().unwrap().push(format!("drop {name}"));
        self.indexes
            .lock()
            .unwrap()
            .get_mut(collection)
            .unwrap()
            .retain(|index| name_of(index) != name);
        Ok(())
    }
    fn knows_index(&self, _: &Document) -> bool {
        true
    }
    async fn set_index_hidden(&self, collection: &str, name: &str, hidden: bool) -> StoreResult<()> {
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
    }
    async fn collection_options(&self, _: &str) -> StoreResult<Option<Document>> {
        Ok(None)
    }

    async fn create_collection(&self, _: &str, _: &Document) -> StoreResult<()> {
        Ok(())
    }

    async fn change_collection(&self, _: &str, _: &Document) -> StoreResult<()> {
        Ok(())
    }

    async fn delete_measurements(&self, _: &str, _: &str, _: &Bson) -> StoreResult<()> {
        Ok(())
    }

    async fn images(&self, _: &str) -> StoreResult<bool> {
        Ok(*self.images.lock().unwrap())
    }
    async fn keep_images(&self, collection: &str, keep: bool) -> StoreResult<()> {
        self.log
            .lock()
            .unwrap()
            .push(format!("images {collection} {keep}"));
        *self.images.lock().unwrap() = keep;
        Ok(())
    }
    async fn sharding(&self, _: &str) -> StoreResult<Sharding> {
        Ok(self
            .sharding
            .lock()
            .unwrap()
            .clone()
            .unwrap_or(Sharding::NoCluster))
    }
    async fn shard(&self, collection: &str, key: &Document) -> StoreResult<()> {
        self.log.lock().unwrap().push(format!("shard {collection} {key}"));
        *self.sharding.lock().unwrap() = Some(Sharding::By(key.clone()));
        Ok(())
    }
    async fn watch(&self, _: &WatchFrom) -> StoreResult<Box<dyn Changes>> {
        unreachable!()
    }
    async fn duplicates(&self, _: &str, _: &Document, _: u32) -> StoreResult<Vec<[Bson; 2]>> {
        Ok(Vec::new())
    }
    async fn rename(&self, _: &str, _: &str) -> StoreResult<bool> {
        Ok(false)
    }

    async fn record(&self, _: &str, id: &str) -> StoreResult<Option<Document>> {
        Ok(self.records.lock().unwrap().get(id).cloned())
    }
    async fn put_record(&self, _: &str, record: &Document) -> StoreResult<()> {
        let id = record.get_str("_id").unwrap().to_owned();
        self.records.lock().unwrap().insert(id, record.clone());
        Ok(())
    }
    async fn validator(&self, _: &str) -> StoreResult<Option<Document>> {
        Ok(None)
    }
    async fn set_validator(&self, _: &str, _: &Document) -> StoreResult<()> {
        Ok(())
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
