//! oximod: a derive and typed queries.

use bson::oid::ObjectId;
use bson::{DateTime, doc};
use oximod::{Model, OxiClient, Queryable};
use serde::{Deserialize, Serialize};
use turns::{Peer, TENANT, Verb, document, id};

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

/// By its typed queries, with the tenant in each filter.
pub struct Oximod;

/// By its verbs for an id alone, which ask for no tenant and no revision.
pub struct OximodById;

impl Oximod {
    pub async fn new(uri: &str) -> Self {
        OxiClient::init_global(uri.to_owned()).await.unwrap();
        Self
    }
}

/// The query of one document; the library does not give its type a name.
macro_rules! own {
    ($number:expr) => {{
        let id = ObjectId::from_bytes(id($number));
        Widget::query()
            .filter(|widget| widget._id.eq(Some(id)))
            .filter(|widget| widget.organization.eq(TENANT))
    }};
}

impl Peer for Oximod {
    async fn get(&self, number: u32) {
        own!(number).first().await.unwrap().unwrap();
    }

    async fn read(&self) -> usize {
        let query = Widget::query().filter(|widget| widget.organization.eq(TENANT));
        query.all().await.unwrap().len()
    }

    // Its `update_one` reads the document back.
    async fn update(&self, number: u32, count: i64) {
        let result = own!(number).update_all(|widget| widget.count.set(count)).await;
        assert_eq!(result.unwrap().matched_count, 1);
    }

    async fn judged(&self, number: u32, count: i64) {
        let seen = own!(number).first().await.unwrap().unwrap();
        let guarded = own!(number).filter(|widget| widget._rev.eq(seen._rev));
        let change = guarded.update_all(|widget| {
            widget.count.set(count)
                & widget.updated_at.set(DateTime::now())
                & widget._rev.set(seen._rev + 1)
        });
        assert_eq!(change.await.unwrap().matched_count, 1);
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

impl Peer for OximodById {
    const LACKS: &[Verb] = &[Verb::Read, Verb::Judged, Verb::Insert, Verb::InsertMany];

    async fn get(&self, number: u32) {
        let found = Widget::find_by_id(ObjectId::from_bytes(id(number))).await;
        found.unwrap().unwrap();
    }

    async fn read(&self) -> usize {
        unreachable!("it lacks it")
    }

    async fn update(&self, number: u32, count: i64) {
        let set = doc! { "$set": { "count": count } };
        let result = Widget::update_by_id(ObjectId::from_bytes(id(number)), set).await;
        assert_eq!(result.unwrap().matched_count, 1);
    }

    async fn judged(&self, _: u32, _: i64) {
        unreachable!("it lacks it")
    }

    async fn insert(&self, _: u32) {
        unreachable!("it lacks it")
    }

    async fn insert_many(&self, _: u32) {
        unreachable!("it lacks it")
    }
}
