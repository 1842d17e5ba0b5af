//! The verbs on a real MongoDB, against the bare driver's typed collection that sends the same commands.

use std::cell::Cell;
use std::path::Path;
use std::process::{self, Command};

use bson::oid::ObjectId;
use bson::{Document, doc};
use futures_util::{StreamExt, TryStreamExt};
use model_core::prelude::*;
use model_tests::server;
use mongodb::{Collection, Database};

use crate::document::{Row as Stored, TENANT, User, Widget, WidgetPatch, row};
use crate::instructions;
use crate::report::{self, Row};
use crate::rounds::{Series, Variant, take};

/// How many documents a query reads.
const DOCUMENTS: u32 = 10_000;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// One document is created.
    Create,
    /// One document is read by its id.
    Get,
    /// One field of one document is changed.
    Update,
    /// Ten thousand documents are read.
    Query,
}

impl Verb {
    /// All verbs.
    pub const ALL: [Self; 4] = [Self::Create, Self::Get, Self::Update, Self::Query];

    /// What it is called in a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Get => "get by id",
            Self::Update => "update one field",
            Self::Query => "query of 10,000",
        }
    }

    /// The ratio to the bare driver that must be held.
    fn limit(self) -> f64 {
        match self {
            Self::Query => 0.70,
            _ => 1.10,
        }
    }
}

/// Who does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `model-core`.
    Ours,
    /// The driver's typed collection.
    Bare,
    /// The driver's batches, of which no document is decoded; for queries.
    Floor,
}

/// One database, seen from both sides.
#[derive(Debug)]
pub struct Stage {
    ctx: Context<User>,
    bare: Collection<Stored>,
    /// The ids of the documents that are read and changed.
    ids: Vec<(Id<Widget>, ObjectId)>,
    /// The number of the next operation, so that no two are alike.
    next: Cell<u32>,
}

impl Stage {
    /// The stage on a database that is filled, or stays empty.
    pub async fn new(database: Database) -> Self {
        let bare = database.collection("widgets");
        let db = Db::mongo(database).model::<Widget>().build().await.unwrap();
        Self {
            ctx: db.context(TenantId::new(TENANT).unwrap(), User),
            bare,
            ids: (0..DOCUMENTS)
                .map(row)
                .map(|row| (row.clone().into_model().id, row.id))
                .collect(),
            // Another process that goes on with this database sets other values.
            next: Cell::new(process::id() << 12),
        }
    }

    /// Does something so many times.
    pub async fn run(&self, verb: Verb, side: Side, times: usize) {
        for _ in 0..times {
            match (verb, side) {
                (Verb::Create, Side::Ours) => self.create().await,
                (Verb::Create, _) => self.bare_create().await,
                (Verb::Get, Side::Ours) => self.get().await,
                (Verb::Get, _) => drop(self.bare_get(self.some().1).await),
                (Verb::Update, Side::Ours) => self.update().await,
                (Verb::Update, _) => self.bare_update().await,
                (Verb::Query, Side::Ours) => self.query().await,
                (Verb::Query, Side::Bare) => self.bare_query().await,
                (Verb::Query, Side::Floor) => self.batches().await,
            }
        }
    }

    fn next(&self) -> u32 {
        self.next.replace(self.next.get().wrapping_add(1))
    }

    /// The ids of some document, of all in turn.
    fn some(&self) -> &(Id<Widget>, ObjectId) {
        let place = self.next() % DOCUMENTS;
        &self.ids[place as usize]
    }

    async fn create(&self) {
        Widget::create(&self.ctx, row(self.next()).into_new())
            .await
            .unwrap();
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

    async fn get(&self) {
        Widget::get(&self.ctx, &self.some().0).await.unwrap().unwrap();
    }

    async fn bare_get(&self, id: ObjectId) -> Stored {
        self.bare.find_one(own(id)).await.unwrap().unwrap()
    }

    async fn update(&self) {
        let patch = WidgetPatch {
            count: Set(i64::from(self.next())),
            ..Default::default()
        };
        Widget::update(&self.ctx, &self.some().0, patch).await.unwrap();
    }

    async fn bare_update(&self) {
        let count = i64::from(self.next());
        let mut row = self.bare_get(self.some().1).await;
        let mut guarded = own(row.id);
        guarded.insert("_rev", row.revision);
        row.count = count;
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

    async fn batches(&self) {
        let mut batches = self.bare.find(tenants()).batch().await.unwrap();
        let mut found = 0;
        while let Some(batch) = batches.next().await {
            found += batch.unwrap().doc_slices().unwrap().into_iter().count();
        }
        assert_eq!(found, DOCUMENTS as usize);
    }
}

fn tenants() -> Document {
    doc! { "organization": { "$eq": TENANT } }
}

fn own(id: ObjectId) -> Document {
    doc! { "_id": id, "organization": { "$eq": TENANT } }
}

/// What is created stays out of the way of what is read and changed.
struct Databases {
    empty: Database,
    filled: Database,
}

impl Databases {
    async fn new() -> Self {
        let filled = server::fresh_database().await;
        let widgets = filled.collection::<Stored>("widgets");
        widgets.insert_many((0..DOCUMENTS).map(row)).await.unwrap();
        Self {
            empty: server::fresh_database().await,
            filled,
        }
    }

    fn of(&self, verb: Verb) -> &Database {
        match verb {
            Verb::Create => &self.empty,
            Verb::Get | Verb::Update | Verb::Query => &self.filled,
        }
    }

    async fn drop(self) {
        server::drop_database(self.empty).await;
        server::drop_database(self.filled).await;
    }
}

/// The instructions of this process alone, counted by valgrind in a process of its own: what the library and the driver
/// do, without the waiting.
pub async fn count(probe: &Path) -> Vec<Row> {
    let databases = Databases::new().await;
    let uri = server::server().await.uri();
    let mut rows = Vec::new();
    for verb in Verb::ALL {
        let times = if verb == Verb::Query { 3 } else { 200 };
        let database = databases.of(verb).name();
        let of = |side: Side| {
            let (verb, side) = (verb.name(), format!("{side:?}"));
            instructions::per_time(times, |times| {
                let mut command = Command::new(probe);
                command
                    .args([database, verb, &side, times])
                    .env("MONGODB_URI", uri);
                command
            })
        };
        let row = Row::exact(verb.name(), "instructions", of(Side::Ours), of(Side::Bare));
        rows.extend(report::show(vec![row.at_most(verb.limit())]));
    }
    databases.drop().await;
    rows
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

/// Measures the time of all verbs.
pub async fn time(effort: Effort) -> Vec<Row> {
    let databases = Databases::new().await;
    let mut rows = Vec::new();
    for verb in Verb::ALL {
        let stage = &Stage::new(databases.of(verb).clone()).await;
        let variant = |side| Variant::new(move |times| stage.run(verb, side, times));
        let series = if verb == Verb::Query {
            let variants = [variant(Side::Ours), variant(Side::Bare), variant(Side::Floor)];
            let [ours, bare, floor] = take(variants, effort.queries, 1).await;
            rows.extend(report::show(both("floor: batches, no decode", &floor, &bare)));
            [ours, bare]
        } else {
            take(
                [variant(Side::Ours), variant(Side::Bare)],
                effort.rounds,
                effort.times,
            )
            .await
        };
        let [ours, bare] = &series;
        let judged = both(verb.name(), ours, bare).map(|row| row.at_most(verb.limit()));
        rows.extend(report::show(judged));
    }
    databases.drop().await;
    rows
}

fn both(name: &str, ours: &Series, bare: &Series) -> [Row; 2] {
    [
        Row::sampled(name, "wall us", &ours.wall, &bare.wall),
        Row::sampled(name, "CPU us", &ours.cpu, &bare.cpu),
    ]
}
