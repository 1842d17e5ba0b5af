//! The verbs on a real MongoDB, against the bare driver's typed collection that sends the same commands.

use std::cell::Cell;

use bson::oid::ObjectId;
use bson::{Document, doc};
use futures_util::{StreamExt, TryStreamExt};
use model_core::prelude::*;
use model_tests::server;
use mongodb::Collection;

use crate::document::{Row as Stored, TENANT, User, Widget, WidgetPatch, row};
use crate::report::Row;
use crate::rounds::{Series, Variant, take};

/// How many documents a query reads.
const DOCUMENTS: u32 = 10_000;

/// One database, seen from both sides.
struct Stage {
    ctx: Context<User>,
    bare: Collection<Stored>,
    /// The number of the next operation, so that no two are alike.
    next: Cell<u32>,
}

impl Stage {
    async fn new(documents: u32) -> Self {
        let database = server::fresh_database().await;
        let bare = database.collection("widgets");
        let db = Db::mongo(database).model::<Widget>().build().await.unwrap();
        if documents > 0 {
            bare.insert_many((0..documents).map(row)).await.unwrap();
        }
        Self {
            ctx: db.context(TenantId::new(TENANT).unwrap(), User),
            bare,
            next: Cell::new(0),
        }
    }

    fn next(&self) -> u32 {
        self.next.replace(self.next.get() + 1)
    }

    async fn create(&self) {
        Widget::create(&self.ctx, row(self.next()).into_new()).await.unwrap();
    }

    async fn bare_create(&self) {
        #[allow(clippy::disallowed_methods, reason = "what a user of the bare driver calls")]
        let id = ObjectId::new();
        let now = bson::DateTime::from_chrono(self.ctx.now());
        let row = Stored {
            id,
            created_at: now,
            updated_at: now,
            ..row(self.next())
        };
        self.bare.insert_one(&row).await.unwrap();
    }

    async fn get(&self, id: &Id<Widget>) {
        Widget::get(&self.ctx, id).await.unwrap().unwrap();
    }

    async fn bare_get(&self, id: ObjectId) -> Stored {
        self.bare.find_one(own(id)).await.unwrap().unwrap()
    }

    async fn update(&self, id: &Id<Widget>) {
        let patch = WidgetPatch {
            count: Set(i64::from(self.next())),
            ..Default::default()
        };
        Widget::update(&self.ctx, id, patch).await.unwrap();
    }

    async fn bare_update(&self, id: ObjectId) {
        let mut row = self.bare_get(id).await;
        let mut guarded = own(id);
        guarded.insert("_rev", row.revision);
        row.count = i64::from(self.next());
        row.updated_at = bson::DateTime::from_chrono(self.ctx.now());
        row.revision += 1;
        let set = doc! { "$set": { "count": row.count, "updated_at": row.updated_at, "_rev": row.revision } };
        let result = self.bare.update_one(guarded, set).await.unwrap();
        assert_eq!(result.matched_count, 1);
    }

    async fn query(&self) {
        let found = Widget::query(&self.ctx).await.unwrap();
        assert_eq!(found.len(), DOCUMENTS as usize);
    }

    async fn bare_query(&self) {
        let cursor = self.bare.find(tenants()).await.unwrap();
        let found: Vec<Stored> = cursor.try_collect().await.unwrap();
        assert_eq!(found.len(), DOCUMENTS as usize);
    }

    /// The floor of a query: the batches arrive, and no document is decoded.
    async fn batches(&self) {
        let mut batches = self.bare.find(tenants()).batch().await.unwrap();
        let mut found = 0;
        while let Some(batch) = batches.next().await {
            found += batch.unwrap().doc_slices().unwrap().into_iter().count();
        }
        assert_eq!(found, DOCUMENTS as usize);
    }

    /// Some document's id, of all in turn.
    fn some_id(&self) -> ObjectId {
        row(self.next() % DOCUMENTS).id
    }
}

fn tenants() -> Document {
    doc! { "organization": { "$eq": TENANT } }
}

fn own(id: ObjectId) -> Document {
    doc! { "_id": id, "organization": { "$eq": TENANT } }
}

fn model_id(id: ObjectId) -> Id<Widget> {
    Id::parse(&id.to_hex()).unwrap()
}

/// How long each verb is measured.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Rounds of single operations.
    pub rounds: usize,
    /// Single operations of each kind in a round.
    pub times: usize,
    /// Rounds of queries.
    pub queries: usize,
}

/// Measures all verbs.
pub async fn measure(effort: Effort) -> Vec<Row> {
    let Effort { rounds, times, queries } = effort;
    let mut rows = Vec::new();

    let empty = Stage::new(0).await;
    let stage = &empty;
    let series = take(
        [
            Variant::new(move |times| repeat(times, move || stage.create())),
            Variant::new(move |times| repeat(times, move || stage.bare_create())),
        ],
        rounds,
        times,
    );
    rows.extend(both("create", &series.await, 1.10));

    let filled = Stage::new(DOCUMENTS).await;
    let stage = &filled;
    let ids: Vec<_> = (0..DOCUMENTS).map(|number| model_id(row(number).id)).collect();
    let id = |stage: &Stage| &ids[(stage.next() % DOCUMENTS) as usize];
    let series = take(
        [
            Variant::new(|times| repeat(times, || stage.get(id(stage)))),
            Variant::new(|times| repeat(times, || stage.bare_get(stage.some_id()))),
        ],
        rounds,
        times,
    );
    rows.extend(both("get by id", &series.await, 1.10));
    let series = take(
        [
            Variant::new(|times| repeat(times, || stage.update(id(stage)))),
            Variant::new(|times| repeat(times, || stage.bare_update(stage.some_id()))),
        ],
        rounds,
        times,
    );
    rows.extend(both("update one field", &series.await, 1.10));
    let series = take(
        [
            Variant::new(move |times| repeat(times, move || stage.query())),
            Variant::new(move |times| repeat(times, move || stage.bare_query())),
            Variant::new(move |times| repeat(times, move || stage.batches())),
        ],
        queries,
        1,
    );
    let [ours, bare, floor] = series.await;
    let series = [ours, bare];
    rows.extend(both("query of 10,000", &series, 0.70));
    let [_, bare] = &series;
    rows.extend(both_of("floor: batches of 10,000, no decode", &floor, bare));

    for stage in [empty, filled] {
        server::drop_database(stage.bare.client().database(&stage.bare.namespace().db)).await;
    }
    rows
}

async fn repeat<T, F: Future<Output = T>>(times: usize, work: impl Fn() -> F) {
    for _ in 0..times {
        work().await;
    }
}

/// The rows of ours against the bare driver.
fn both(name: &str, [ours, bare]: &[Series; 2], limit: f64) -> Vec<Row> {
    both_of(name, ours, bare)
        .into_iter()
        .map(|row| row.at_most(limit))
        .collect()
}

fn both_of(name: &str, ours: &Series, bare: &Series) -> Vec<Row> {
    vec![
        Row::sampled(name, "wall us", &ours.wall, &bare.wall),
        Row::sampled(name, "CPU us", &ours.cpu, &bare.cpu),
    ]
}
