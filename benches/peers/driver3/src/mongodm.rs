//! mongodm: a repository, which is the driver's typed collection.

use bson::oid::ObjectId;
use bson::{DateTime, doc};
use futures_util::TryStreamExt;
use mongodm::{CollectionConfig, Model, Repository, ToRepository};
use serde::{Deserialize, Serialize};
use turns::{Peer, document};

use crate::bare::{change, guarded, own, tenants};

document! {
    use bson, ObjectId::from_bytes, [DateTime] = DateTime::now();
    #[derive(Debug, Serialize, Deserialize)]
    pub struct Widget {
        #[serde(skip_serializing_if = "Option::is_none")]
        _id: [Option<ObjectId>] = None,
    }
}

pub struct Widgets;

impl CollectionConfig for Widgets {
    fn collection_name() -> &'static str {
        "widgets"
    }
}

impl Model for Widget {
    type CollConf = Widgets;
}

pub struct Mongodm(Repository<Widget>);

impl Mongodm {
    pub fn new(database: &mongodb::Database) -> Self {
        Self(database.repository())
    }
}

impl Peer for Mongodm {
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
