//! oximod: a derive and typed queries.

use bson::oid::ObjectId;
use bson::{DateTime, doc};
use oximod::{Model, OxiClient, Queryable};
use serde::{Deserialize, Serialize};
use turns::{Peer, TENANT, document, id};

use crate::bare::change;

document! {
    use bson, ObjectId::from_bytes, [Option<DateTime>] = Some(DateTime::now());
    #[derive(Debug, Serialize, Deserialize, Model)]
    #[db("peers")]
    #[collection("widgets")]
    pub struct Widget {
        #[serde(skip_serializing_if = "Option::is_none")]
        _id: [Option<ObjectId>] = None,
    }
}

pub struct Oximod;

impl Oximod {
    pub async fn new(uri: &str) -> Self {
        OxiClient::init_global(uri.to_owned()).await.unwrap();
        Self
    }
}

impl Peer for Oximod {
    async fn get(&self, number: u32) {
        let found = Widget::find_by_id(ObjectId::from_bytes(id(number))).await;
        found.unwrap().unwrap();
    }

    async fn read(&self) -> usize {
        let query = Widget::query().filter(|widget| widget.organization.eq(TENANT));
        query.all().await.unwrap().len()
    }

    async fn update(&self, number: u32, count: i64) {
        let set = doc! { "$set": { "count": count } };
        let result = Widget::update_by_id(ObjectId::from_bytes(id(number)), set)
            .await
            .unwrap();
        assert_eq!(result.matched_count, 1);
    }

    async fn judged(&self, number: u32, count: i64) {
        let id = ObjectId::from_bytes(id(number));
        let seen = Widget::find_by_id(id).await.unwrap().unwrap();
        let set = doc! { "$set": change(count, seen._rev) };
        let result = Widget::update_by_id(id, set).await.unwrap();
        assert_eq!(result.matched_count, 1);
    }

    async fn insert(&self, number: u32) {
        Widget::numbered(number).save().await.unwrap();
    }

    // Its own bulk write needs MongoDB 8.
    async fn insert_many(&self, count: u32) {
        let collection = Widget::get_collection().unwrap();
        collection
            .insert_many((0..count).map(Widget::numbered))
            .await
            .unwrap();
    }
}
