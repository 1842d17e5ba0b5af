//! rustling-data: a repository of five verbs.

use bson::DateTime;
use bson::oid::ObjectId;
use mongodb::Client;
use rustling_data::drivers::mongo::MongoDriver;
use serde::{Deserialize, Serialize};
use turns::{Peer, Verb, document};

use crate::bare::own;

document! {
    use bson, ObjectId::from_bytes, [DateTime] = DateTime::now();
    #[derive(Debug, Serialize, Deserialize)]
    pub struct Widget {
        #[serde(skip_serializing_if = "Option::is_none")]
        _id: [Option<ObjectId>] = None,
    }
}

pub struct Rustling(MongoDriver);

impl Rustling {
    pub fn new(client: &Client, database: &str) -> Self {
        Self(MongoDriver::new(client.clone(), database))
    }

    async fn found(&self, number: u32) -> Widget {
        self.0.find_one("widgets", own(number)).await.unwrap().unwrap()
    }
}

impl Peer for Rustling {
    const LACKS: &[Verb] = &[Verb::InsertMany];

    async fn get(&self, number: u32) {
        self.found(number).await;
    }

    async fn read(&self) -> usize {
        self.0.find_all::<Widget>("widgets").await.unwrap().len()
    }

    // All fields, and then it is read again.
    async fn update(&self, number: u32, count: i64) {
        let document = Widget {
            count,
            ..Widget::numbered(number)
        };
        self.0
            .update_one("widgets", own(number), &document)
            .await
            .unwrap()
            .unwrap();
    }

    async fn judged(&self, number: u32, count: i64) {
        let seen = self.found(number).await;
        let document = Widget {
            count,
            updated_at: DateTime::now(),
            _rev: seen._rev + 1,
            ..seen
        };
        self.0
            .update_one("widgets", own(number), &document)
            .await
            .unwrap()
            .unwrap();
    }

    async fn insert(&self, number: u32) {
        self.0
            .insert_one("widgets", &Widget::numbered(number))
            .await
            .unwrap();
    }

    async fn insert_many(&self, _: u32) {
        unreachable!("it has none");
    }
}
