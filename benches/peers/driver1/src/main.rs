//! The bare driver of the first generation, which knows documents only, and `wither`, which stands on it.

use chrono::Utc;
use futures_util::StreamExt;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{self, DateTime, Document, doc};
use mongodb::{Client, Database};
use serde::{Deserialize, Serialize};
use turns::{Peer, TENANT, Verb, document, id};
use wither::prelude::*;

document! {
    use bson, ObjectId::with_bytes, [DateTime] = DateTime(Utc::now());
    #[derive(Debug, Serialize, Deserialize, Model)]
    #[model(collection_name = "widgets")]
    pub struct Widget {
        #[serde(rename = "_id", skip_serializing_if = "Option::is_none")]
        id: [Option<ObjectId>] = None,
    }
}

fn own(number: u32) -> Document {
    doc! { "_id": ObjectId::with_bytes(id(number)), "organization": TENANT }
}

fn guarded(revision: i64) -> Document {
    doc! { "organization": TENANT, "_rev": revision }
}

struct Wither(Database);

impl Peer for Wither {
    const LACKS: &[Verb] = &[Verb::InsertMany];

    async fn get(&self, number: u32) {
        Widget::find_one(&self.0, own(number), None)
            .await
            .unwrap()
            .unwrap();
    }

    async fn read(&self) -> usize {
        let filter = doc! { "organization": TENANT };
        let mut cursor = Widget::find(&self.0, filter, None).await.unwrap();
        let mut found = Vec::new();
        while let Some(document) = cursor.next().await {
            found.push(document.unwrap());
        }
        found.len()
    }

    async fn update(&self, number: u32, count: i64) {
        let set = doc! { "$set": { "count": count } };
        let found = Widget::find_one_and_update(&self.0, own(number), set, None).await;
        found.unwrap().unwrap();
    }

    async fn judged(&self, number: u32, count: i64) {
        let seen = Widget::find_one(&self.0, own(number), None)
            .await
            .unwrap()
            .unwrap();
        let revision = seen._rev;
        let now = bson::Bson::DateTime(Utc::now());
        let set = doc! { "$set": { "count": count, "updated_at": now, "_rev": revision + 1 } };
        seen.update(&self.0, Some(guarded(revision)), set, None)
            .await
            .unwrap();
    }

    async fn insert(&self, number: u32) {
        Widget::numbered(number).save(&self.0, None).await.unwrap();
    }

    async fn insert_many(&self, _: u32) {
        unreachable!("it has none");
    }
}

#[tokio::main(basic_scheduler)]
async fn main() {
    let client = Client::with_uri_str(&turns::uri()).await.unwrap();
    let wither = Wither(client.database("peers"));
    let mut lines = turns::listen();
    while let Some(turn) = turns::next(&mut lines).await {
        turns::answer(match turn.peer.as_str() {
            "wither" => turns::take(&wither, &turn).await,
            other => panic!("who is {other}?"),
        });
    }
}
