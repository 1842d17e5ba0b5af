//! One database, seen from both sides: each verb by `model-core`, and by hand with the bare driver's typed collection that
//! sends the same commands.

mod audited;
mod plain;

use std::cell::Cell;
use std::fmt;
use std::process;

use bson::oid::ObjectId;
use futures_util::future::join_all;
use model_core::prelude::*;
use model_tests::server;
use mongodb::{Collection, Database};

use self::audited::{Audited, Entry};
use crate::document::{Row, TENANT, User, Widget, row};

/// How many documents there are, and how many a query of all of them reads.
pub const DOCUMENTS: u32 = 10_000;
/// How many documents a query reads where many tasks read at a time, and how many are created together.
pub const MANY: u32 = 1_000;
/// How many documents a batch of ours has at most.
const BATCH: u32 = 2_000;
/// How much memory the server has, in MiB: sixty-four transactions of a thousand documents have to fit into it together.
const CACHE: u32 = 2_048;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// One document is created.
    Create,
    /// A thousand documents are created.
    CreateMany,
    /// One document is read by its id.
    Get,
    /// One field of one document is changed.
    Update,
    /// Ten thousand documents are read.
    Query,
    /// A thousand documents are read.
    QuerySome,
    /// One document is created, with its audit entry.
    CreateAudited,
    /// A thousand documents are created, with their audit entries.
    CreateManyAudited,
    /// One field of one document is changed, with an audit entry.
    UpdateAudited,
}

impl Verb {
    /// What is measured one after the other.
    pub const ALL: [Self; 8] = [
        Self::Create,
        Self::CreateMany,
        Self::Get,
        Self::Update,
        Self::Query,
        Self::CreateAudited,
        Self::CreateManyAudited,
        Self::UpdateAudited,
    ];
    /// Whose profile is taken.
    pub const COUNTED: [Self; 4] = [Self::Create, Self::Get, Self::Update, Self::Query];
    /// What is measured with many tasks.
    pub const TOGETHER: [Self; 8] = [
        Self::Create,
        Self::CreateMany,
        Self::Get,
        Self::Update,
        Self::QuerySome,
        Self::CreateAudited,
        Self::CreateManyAudited,
        Self::UpdateAudited,
    ];

    /// What it is called in a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::CreateMany => "create 1,000",
            Self::Get => "get by id",
            Self::Update => "update one field",
            Self::Query => "query of 10,000",
            Self::QuerySome => "query of 1,000",
            Self::CreateAudited => "create, audited",
            Self::CreateManyAudited => "create 1,000, audited",
            Self::UpdateAudited => "update one field, audited",
        }
    }

    /// The verb of that name.
    pub fn named(name: &str) -> Option<Self> {
        let all = Self::ALL.into_iter().chain([Self::QuerySome]);
        all.into_iter().find(|verb| verb.name() == name)
    }

    /// Whether it adds documents.
    pub fn adds(self) -> bool {
        matches!(
            self,
            Self::Create | Self::CreateMany | Self::CreateAudited | Self::CreateManyAudited
        )
    }

    /// Whether one time of it is thousands of documents.
    pub fn is_large(self) -> bool {
        matches!(
            self,
            Self::CreateMany | Self::Query | Self::QuerySome | Self::CreateManyAudited
        )
    }
}

/// Who does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `model-core`.
    Ours,
    /// The driver's typed collection.
    Bare,
    /// The driver's typed collection, asked for batches of the size of ours; for queries of all documents.
    Batched,
    /// The driver's batches, of which no document is decoded; for queries.
    Floor,
}

impl Side {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ours, Self::Bare, Self::Batched, Self::Floor];
}

/// One database, seen from both sides.
pub struct Stage {
    ctx: Context<User>,
    database: Database,
    bare: Collection<Row>,
    audited: Collection<Row>,
    log: Collection<Entry>,
    /// The ids of the documents that are read and changed.
    ids: Vec<Place>,
    /// The number of the next operation, so that no two are alike.
    next: Cell<u32>,
}

/// The id of one document, as each side has it.
struct Place {
    plain: Id<Widget>,
    audited: Id<Audited>,
    bare: ObjectId,
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stage")
    }
}

impl Stage {
    /// The stage on a database that is filled, or stays empty.
    pub async fn new(database: Database) -> Self {
        let db = Db::mongo(database.clone())
            .model::<Widget>()
            .model::<Audited>()
            .build()
            .await
            .unwrap();
        let ids = (0..DOCUMENTS).map(row).map(|row| Place {
            plain: Id::parse(&row.id.to_hex()).unwrap(),
            audited: Id::parse(&row.id.to_hex()).unwrap(),
            bare: row.id,
        });
        Self {
            ctx: db.context(TenantId::new(TENANT).unwrap(), User),
            bare: database.collection("widgets"),
            audited: database.collection("audited"),
            log: database.collection("audit_log"),
            ids: ids.collect(),
            // Another process that goes on with this database sets other values.
            next: Cell::new(process::id() << 12),
            database,
        }
    }

    /// Does something so many times, one after the other.
    pub async fn run(&self, verb: Verb, side: Side, times: usize) {
        for _ in 0..times {
            match (verb, side) {
                (Verb::Create, Side::Ours) => self.create().await,
                (Verb::Create, _) => self.bare_create().await,
                (Verb::CreateMany, Side::Ours) => self.create_many(MANY).await,
                (Verb::CreateMany, _) => self.bare_create_many().await,
                (Verb::Get, Side::Ours) => self.get().await,
                (Verb::Get, _) => drop(self.bare_get(self.some().bare).await),
                (Verb::Update, Side::Ours) => self.update().await,
                (Verb::Update, _) => self.bare_update().await,
                (Verb::Query, Side::Ours) => self.query(DOCUMENTS).await,
                (Verb::Query, Side::Bare) => self.bare_query(DOCUMENTS, None).await,
                (Verb::Query, Side::Batched) => self.bare_query(DOCUMENTS, Some(BATCH)).await,
                (Verb::QuerySome, Side::Ours) => self.query(MANY).await,
                (Verb::QuerySome, Side::Bare | Side::Batched) => self.bare_query(MANY, Some(BATCH)).await,
                (Verb::Query | Verb::QuerySome, Side::Floor) => self.batches().await,
                (Verb::CreateAudited, Side::Ours) => self.create_audited().await,
                (Verb::CreateAudited, _) => self.bare_create_audited().await,
                (Verb::CreateManyAudited, Side::Ours) => self.create_many_audited().await,
                (Verb::CreateManyAudited, _) => self.bare_create_many_audited().await,
                (Verb::UpdateAudited, Side::Ours) => self.update_audited().await,
                (Verb::UpdateAudited, _) => self.bare_update_audited().await,
            }
        }
    }

    /// Does something so many times, by so many tasks of this thread at a time.
    pub async fn run_together(&self, verb: Verb, side: Side, times: usize, tasks: usize) {
        join_all((0..tasks).map(|_| self.run(verb, side, times.div_ceil(tasks)))).await;
    }

    fn next(&self) -> u32 {
        self.next.replace(self.next.get().wrapping_add(1))
    }

    /// The ids of some document, of all in turn.
    fn some(&self) -> &Place {
        let place = self.next() % DOCUMENTS;
        &self.ids[place as usize]
    }

    /// A document that is new, with its id and the present instant.
    fn new_row(&self) -> Row {
        #[allow(clippy::disallowed_methods, reason = "what a user of the bare driver calls")]
        let id = ObjectId::new();
        let now = bson::DateTime::from_chrono(self.ctx.now());
        Row {
            id,
            created_at: now,
            updated_at: now,
            ..row(self.next())
        }
    }
}

/// What is created stays out of the way of what is read and changed.
#[derive(Debug)]
pub struct Databases {
    empty: Database,
    filled: Database,
}

impl Databases {
    /// Both of them, on the server of the tests.
    pub async fn new() -> Self {
        server::server().await.set_cache(CACHE).await;
        let filled = server::fresh_database().await;
        for name in ["widgets", "audited"] {
            let rows = filled.collection::<Row>(name);
            rows.insert_many((0..DOCUMENTS).map(row)).await.unwrap();
        }
        Self {
            empty: server::fresh_database().await,
            filled,
        }
    }

    /// The one for a verb.
    pub fn of(&self, verb: Verb) -> &Database {
        if verb.adds() { &self.empty } else { &self.filled }
    }

    /// Drops both.
    pub async fn drop(self) {
        server::drop_database(self.empty).await;
        server::drop_database(self.filled).await;
    }
}

#[cfg(test)]
mod tests {
    use model_tests::server;

    use super::{DOCUMENTS, Row, Side, Stage, Verb, row};

    #[tokio::test]
    async fn both_sides_send_the_same_commands() {
        let (database, log) = server::recorded_database().await;
        for name in ["widgets", "audited"] {
            let rows = database.collection::<Row>(name);
            rows.insert_many((0..DOCUMENTS).map(row)).await.unwrap();
        }
        let stage = Stage::new(database.clone()).await;
        let all = Verb::ALL.into_iter().chain([Verb::QuerySome]);
        // What adds documents comes last: a query counts them.
        let (adding, reading): (Vec<_>, Vec<_>) = all.partition(|verb| verb.adds());
        for verb in reading.into_iter().chain(adding) {
            // The driver by itself asks for batches of another size.
            let bare = match verb {
                Verb::Query => Side::Batched,
                _ => Side::Bare,
            };
            log.take();
            stage.run(verb, Side::Ours, 1).await;
            let ours = log.take_names();
            stage.run(verb, bare, 1).await;
            assert_eq!(ours, log.take_names(), "{verb:?}");
            assert!(!ours.is_empty(), "{verb:?}");
        }
        server::drop_database(database).await;
    }
}
