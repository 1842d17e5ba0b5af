//! The verbs of a model that is not audited.

use bson::oid::ObjectId;
use bson::{Document, doc};
use futures_util::{StreamExt, TryStreamExt};
use model_core::prelude::*;
use mongodb::ClientSession;

use super::{DOCUMENTS, MANY, Stage};
use crate::document::{Row, TENANT, Widget, WidgetPatch, row};

impl Stage {
    pub(super) async fn create(&self) {
        let new = row(self.next()).into_new();
        Widget::create(&self.ctx, new).await.unwrap();
    }

    pub(super) async fn bare_create(&self) {
        self.bare.insert_one(self.new_row()).await.unwrap();
    }

    /// Creates so many documents at a time.
    ///
    /// # Panics
    /// If the server does not answer.
    pub async fn create_many(&self, count: u32) {
        let first = self.next();
        let new = (first..first.wrapping_add(count)).map(|number| row(number).into_new());
        let made = Widget::create_many(&self.ctx, new).await.unwrap();
        assert_eq!(made.len(), count as usize);
    }

    pub(super) async fn bare_create_many(&self) {
        let rows: Vec<Row> = (0..MANY).map(|_| self.new_row()).collect();
        let insert = async |session: &mut ClientSession| {
            self.bare.insert_many(&rows).session(session).await?;
            Ok(())
        };
        self.transaction(insert).await;
    }

    /// Inserts so many documents by the driver's own `insert_many`, which is no transaction.
    ///
    /// # Panics
    /// If the server does not answer.
    pub async fn bare_insert(&self, count: u32) {
        let rows: Vec<Row> = (0..count).map(|_| self.new_row()).collect();
        self.bare.insert_many(&rows).await.unwrap();
    }

    pub(super) async fn get(&self) {
        let found = Widget::get(&self.ctx, &self.some().plain).await;
        found.unwrap().unwrap();
    }

    pub(super) async fn bare_get(&self, id: ObjectId) -> Row {
        self.bare.find_one(own(id)).await.unwrap().unwrap()
    }

    pub(super) async fn update(&self) {
        let patch = WidgetPatch {
            count: Set(i64::from(self.next())),
            ..Default::default()
        };
        let id = &self.some().plain;
        Widget::update(&self.ctx, id, patch).await.unwrap();
    }

    pub(super) async fn bare_update(&self) {
        let count = i64::from(self.next());
        let row = self.bare_get(self.some().bare).await;
        let (guarded, set) = self.change(&row, count);
        let result = self.bare.update_one(guarded, set).await.unwrap();
        assert_eq!(result.matched_count, 1);
    }

    /// The same by one command, which judges nothing.
    ///
    /// # Panics
    /// If the server does not answer.
    pub async fn bare_set(&self) {
        let set = doc! { "$set": { "count": i64::from(self.next()) } };
        let result = self.bare.update_one(own(self.some().bare), set).await.unwrap();
        assert_eq!(result.matched_count, 1);
    }

    /// The filter and the operators by which a document that was read is changed, if it is still what was read.
    pub(super) fn change(&self, row: &Row, count: i64) -> (Document, Document) {
        let mut guarded = own(row.id);
        guarded.insert("_rev", row.revision);
        let now = bson::DateTime::from_chrono(self.ctx.now());
        let set = doc! { "$set": { "count": count, "updated_at": now, "_rev": row.revision + 1 } };
        (guarded, set)
    }

    pub(super) async fn query(&self, documents: u32) {
        let query = Widget::query(&self.ctx);
        let found = match documents {
            DOCUMENTS => query.await,
            fewer => query.limit(u64::from(fewer)).await,
        };
        assert_eq!(found.unwrap().len(), documents as usize);
    }

    pub(super) async fn bare_query(&self, documents: u32, batch: Option<u32>) {
        let mut find = self.bare.find(tenants());
        if let Some(batch) = batch {
            find = find.batch_size(batch);
        }
        let cursor = match documents {
            DOCUMENTS => find.await,
            fewer => find.limit(i64::from(fewer)).await,
        };
        let found: Vec<Row> = cursor.unwrap().try_collect().await.unwrap();
        assert_eq!(found.len(), documents as usize);
    }

    pub(super) async fn batches(&self) {
        let mut batches = self.bare.find(tenants()).batch().await.unwrap();
        let mut found = 0;
        while let Some(batch) = batches.next().await {
            found += batch.unwrap().doc_slices().unwrap().into_iter().count();
        }
        assert_eq!(found, DOCUMENTS as usize);
    }
}

pub(super) fn tenants() -> Document {
    doc! { "organization": { "$eq": TENANT } }
}

pub(super) fn own(id: ObjectId) -> Document {
    doc! { "_id": id, "organization": { "$eq": TENANT } }
}
