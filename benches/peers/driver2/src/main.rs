//! The bare driver of the second generation, and the crate `mongoose`, which stands on it.

use bson::oid::ObjectId;
use bson::{DateTime, Document, doc};
use futures_util::TryStreamExt;
use mongodb::{Client, Collection};
use mongoose::Model;
use mongoose::types::ListOptions;
use serde::{Deserialize, Serialize};
use turns::{Peer, TENANT, document, id};

document! {
    use bson, ObjectId::from_bytes, [DateTime] = DateTime::now();
    #[derive(Debug, Clone, Serialize, Deserialize)]
    pub struct Widget {
        #[serde(skip_serializing_if = "Option::is_none")]
        _id: [Option<ObjectId>] = None,
    }
}

impl Model for Widget {}

/// What the library asks of a model.
impl Default for Widget {
    fn default() -> Self {
        Self::numbered(0)
    }
}

fn own(number: u32) -> Document {
    doc! { "_id": ObjectId::from_bytes(id(number)), "organization": TENANT }
}

fn guarded(number: u32, revision: i64) -> Document {
    let mut filter = own(number);
    filter.insert("_rev", revision);
    filter
}

struct Bare(Collection<Widget>);

impl Peer for Bare {
    async fn get(&self, number: u32) {
        self.0.find_one(own(number), None).await.unwrap().unwrap();
    }

    async fn read(&self) -> usize {
        let cursor = self.0.find(doc! { "organization": TENANT }, None).await.unwrap();
        cursor.try_collect::<Vec<_>>().await.unwrap().len()
    }

    async fn update(&self, number: u32, count: i64) {
        let set = doc! { "$set": { "count": count } };
        let result = self.0.update_one(own(number), set, None).await.unwrap();
        assert_eq!(result.matched_count, 1);
    }

    async fn judged(&self, number: u32, count: i64) {
        let seen = self.0.find_one(own(number), None).await.unwrap().unwrap();
        let set = doc! { "$set": { "count": count, "updated_at": DateTime::now(), "_rev": seen._rev + 1 } };
        let result = self
            .0
            .update_one(guarded(number, seen._rev), set, None)
            .await
            .unwrap();
        assert_eq!(result.matched_count, 1);
    }

    async fn insert(&self, number: u32) {
        self.0.insert_one(Widget::numbered(number), None).await.unwrap();
    }

    async fn insert_many(&self, count: u32) {
        self.0
            .insert_many((0..count).map(Widget::numbered), None)
            .await
            .unwrap();
    }
}

/// Its client is the process's, at `MONGO_URI`.
struct Mongoose;

impl Peer for Mongoose {
    async fn get(&self, number: u32) {
        Widget::read(own(number)).await.unwrap();
    }

    async fn read(&self) -> usize {
        let all = ListOptions {
            limit: 0,
            ..ListOptions::default()
        };
        Widget::list(doc! { "organization": TENANT }, all)
            .await
            .unwrap()
            .len()
    }

    async fn update(&self, number: u32, count: i64) {
        Widget::update(own(number), doc! { "count": count })
            .await
            .unwrap();
    }

    async fn judged(&self, number: u32, count: i64) {
        let seen = Widget::read(own(number)).await.unwrap();
        let change = doc! { "count": count, "_rev": seen._rev + 1 };
        Widget::update(guarded(number, seen._rev), change).await.unwrap();
    }

    async fn insert(&self, number: u32) {
        Widget::numbered(number).save().await.unwrap();
    }

    async fn insert_many(&self, count: u32) {
        let documents: Vec<_> = (0..count).map(Widget::numbered).collect();
        Widget::bulk_insert(&documents).await.unwrap();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let client = Client::with_uri_str(turns::uri()).await.unwrap();
    let bare = Bare(client.default_database().unwrap().collection("widgets"));
    let mut lines = turns::listen();
    while let Some(turn) = turns::next(&mut lines).await {
        turns::answer(match turn.peer.as_str() {
            "bare" => turns::take(&bare, &turn).await,
            "mongoose" => turns::take(&Mongoose, &turn).await,
            other => panic!("who is {other}?"),
        });
    }
}
