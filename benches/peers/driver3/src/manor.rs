//! manor: a typed collection that clients make.

use bson::oid::ObjectId;
use bson::{DateTime, doc};
use futures_util::StreamExt;
use manor::{Client, Collection, schema};
use turns::{Peer, document};

use crate::bare::{change, guarded, own, tenants};

document! {
    use bson, ObjectId::from_bytes, [DateTime] = DateTime::now();
    #[schema(collection = "widgets")]
    pub struct Widget {
        #[field(id = ObjectId::new)]
        id: [ObjectId] = ObjectId::new(),
        _collection = None,
    }
}

pub struct Manor(Collection<Widget>);

impl Manor {
    pub async fn new(client: &mongodb::Client, database: &str) -> Self {
        Self(
            Client::connect_with_client(client.clone(), database)
                .await
                .collection(),
        )
    }
}

impl Peer for Manor {
    async fn get(&self, number: u32) {
        self.0.find_one(own(number)).await.unwrap().unwrap();
    }

    async fn read(&self) -> usize {
        let mut cursor = self.0.find_many(tenants()).await.unwrap();
        let mut found = Vec::new();
        while let Some(document) = cursor.next().await {
            found.push(document.unwrap());
        }
        found.len()
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

    // Not `save`, which looks for the document first.
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
