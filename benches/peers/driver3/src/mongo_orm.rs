//! mongo-orm: a repository that goes by way of JSON.

use bson::DateTime;
use bson::oid::ObjectId;
use mongo_orm::instance::MongoInstance;
use mongo_orm::mongo_orm_macro::mongo_doc;
use mongo_orm::repo::{FindOption, MongoRepo, MongoRepository};
use serde::{Deserialize, Serialize};
use turns::{Peer, document};

use crate::bare::{change, guarded, own, tenants};

document! {
    use bson, ObjectId::from_bytes, [DateTime] = DateTime::now();
    #[derive(Debug, Serialize, Deserialize, mongo_doc)]
    pub struct Widget {
        #[primary_key]
        #[serde(skip_serializing_if = "Option::is_none")]
        id: [Option<String>] = None,
    }
}

pub struct MongoOrm(MongoRepo<Widget>);

impl MongoOrm {
    pub async fn new(uri: &str) -> Self {
        Self(MongoInstance::setup(uri).await.unwrap().repo("widgets"))
    }
}

impl Peer for MongoOrm {
    async fn get(&self, number: u32) {
        self.0.find_one_by(own(number)).await.unwrap();
    }

    async fn read(&self) -> usize {
        self.0
            .find(FindOption::builder().filter(tenants()).build())
            .await
            .len()
    }

    async fn update(&self, number: u32, count: i64) {
        self.0
            .update_one_by(own(number), bson::doc! { "count": count })
            .await;
    }

    async fn judged(&self, number: u32, count: i64) {
        let seen = self.0.find_one_by(own(number)).await.unwrap();
        self.0
            .update_one_by(guarded(number, seen._rev), change(count, seen._rev))
            .await;
    }

    async fn insert(&self, number: u32) {
        self.0.insert(&Widget::numbered(number)).await;
    }

    async fn insert_many(&self, count: u32) {
        let documents: Vec<_> = (0..count).map(Widget::numbered).collect();
        self.0.insert_many(&documents).await;
    }
}
