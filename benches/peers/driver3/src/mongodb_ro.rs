//! mongodb-ro: a model with its own builder of queries, which goes by way of documents.

use bson::oid::ObjectId;
use bson::{DateTime, doc};
use mongodb::Database;
use mongodb_ro::Model;
use mongodb_ro::event::Boot;
use serde::{Deserialize, Serialize};
use turns::{Peer, document};

use crate::bare::{change, guarded, own, tenants};

document! {
    use bson, ObjectId::from_bytes, [DateTime] = DateTime::now();
    #[derive(Debug, Serialize, Deserialize, Model)]
    #[model(collection = "widgets", add_times = false)]
    pub struct Widget {
        _id: [Option<ObjectId>] = None,
    }
}

/// What the library asks of a model.
impl Default for Widget {
    fn default() -> Self {
        Self::numbered(0)
    }
}

impl Boot for Widget {
    type Req = bool;
}

pub struct MongodbRo(Database);

impl MongodbRo {
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }
}

impl Peer for MongodbRo {
    async fn get(&self, number: u32) {
        let mut query = Widget::new_model(&self.0).r#where(own(number));
        query.first().await.unwrap().unwrap();
    }

    async fn read(&self) -> usize {
        let query = Widget::new_model(&self.0).r#where(tenants());
        query.get().await.unwrap().len()
    }

    async fn update(&self, number: u32, count: i64) {
        let query = Widget::new_model(&self.0).r#where(own(number));
        query.update(doc! { "count": count }).await.unwrap();
    }

    async fn judged(&self, number: u32, count: i64) {
        let mut query = Widget::new_model(&self.0).r#where(own(number));
        let seen = query.first().await.unwrap().unwrap();
        let query = Widget::new_model(&self.0).r#where(guarded(number, seen._rev));
        query.update(change(count, seen._rev)).await.unwrap();
    }

    async fn insert(&self, number: u32) {
        let model = Widget::new_model(&self.0).fill(Widget::numbered(number));
        model.create().await.unwrap();
    }

    async fn insert_many(&self, count: u32) {
        let model = Widget::new_model(&self.0);
        let documents = (0..count).map(|number| {
            let mut document = bson::to_document(&Widget::numbered(number)).unwrap();
            document.remove("_id");
            document
        });
        model.create_many_doc(documents.collect()).await.unwrap();
    }
}
