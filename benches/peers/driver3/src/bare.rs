//! The driver's typed collection.

use bson::oid::ObjectId;
use bson::{DateTime, Document, doc};
use futures_util::TryStreamExt;
use mongodb::{Collection, Database};
use serde::{Deserialize, Serialize};
use turns::{Peer, TENANT, document, id};

document! {
    use bson, ObjectId::from_bytes, [DateTime] = DateTime::now();
    #[derive(Debug, Serialize, Deserialize)]
    pub struct Widget {
        #[serde(skip_serializing_if = "Option::is_none")]
        _id: [Option<ObjectId>] = None,
    }
}

pub struct Bare(Collection<Widget>);

impl Bare {
    pub fn new(database: &Database) -> Self {
        Self(database.collection("widgets"))
    }
}

/// The filter of one document.
pub fn own(number: u32) -> Document {
    doc! { "_id": ObjectId::from_bytes(id(number)), "organization": TENANT }
}

/// The filter of all documents.
pub fn tenants() -> Document {
    doc! { "organization": TENANT }
}

/// The filter of one document as it was read.
pub fn guarded(number: u32, revision: i64) -> Document {
    let mut filter = own(number);
    filter.insert("_rev", revision);
    filter
}

/// What a judged update sets.
pub fn change(count: i64, revision: i64) -> Document {
    doc! { "count": count, "updated_at": DateTime::now(), "_rev": revision + 1 }
}

impl Peer for Bare {
    async fn get(&self, number: u32) {
        self.0.find_one(own(number)).await.unwrap().unwrap();
    }

    async fn read(&self) -> usize {
        let cursor = self.0.find(tenants()).await.unwrap();
        cursor.try_collect::<Vec<_>>().await.unwrap().len()
    }

    async fn update(&self, number: u32, count: i64) {
        let set = doc! { "$set": { "count": count } };
        let result = self.0.update_one(own(number), set).await.unwrap();
        assert_eq!(result.matched_count, 1);
    }

    async fn judged(&self, number: u32, count: i64) {
        let seen = self.0.find_one(own(number)).await.unwrap().unwrap();
        let set = doc! { "$set": change(count, seen._rev) };
        let result = self.0.update_one(guarded(number, seen._rev), set).await.unwrap();
        assert_eq!(result.matched_count, 1);
    }

    async fn insert(&self, number: u32) {
        self.0.insert_one(Widget::numbered(number)).await.unwrap();
    }

    async fn insert_many(&self, count: u32) {
        self.0
            .insert_many((0..count).map(Widget::numbered))
            .await
            .unwrap();
    }
}
