//! Sixty-four tasks on mixed operations, against the bare driver that sends the same commands: first one side, then the
//! other, in slices, so that what slows the machine down slows both down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bson::oid::ObjectId;
use bson::{Document, doc};
use futures_util::TryStreamExt;
use model_core::prelude::*;
use model_tests::server;
use mongodb::Collection;

use crate::document::{Row as Stored, TENANT, User, Widget, WidgetPatch, row};
use crate::growth::resident;
use crate::report::{self, Row};
use crate::statistics::Random;

/// How many tasks there are at one time.
const TASKS: u64 = 64;
/// How many documents there are to read and change; few enough for tasks to collide.
const DOCUMENTS: u32 = 1_000;
/// How long one side has the machine before it is the other's turn.
const SLICE: Duration = Duration::from_millis(500);
/// The least throughput, as a share of the driver's.
const THROUGHPUT: f64 = 0.9;
/// By how much the memory of this process may grow between the first and the last quarter.
const GROWTH: f64 = 1.10;

/// One database, seen from both sides.
struct Stage {
    ctx: Context<User>,
    bare: Collection<Stored>,
    ids: Vec<(Id<Widget>, ObjectId)>,
    /// Operations that lost a race for their document.
    conflicts: AtomicU64,
    next: AtomicU64,
}

/// What a task does next.
#[derive(Clone, Copy)]
enum Operation {
    Get,
    Update,
    Create,
    /// The first ten of a tenant's documents.
    Query,
}

impl Operation {
    /// Half of all are reads.
    fn some(random: &mut Random) -> Self {
        match random.below(10) {
            0..4 => Self::Get,
            4..7 => Self::Update,
            7..9 => Self::Create,
            _ => Self::Query,
        }
    }
}

/// Runs for so long, and gives the ratio of the times that an operation takes and of memory late to memory early.
///
/// # Panics
/// An operation fails for another reason than that somebody else changed its document.
pub async fn run(duration: Duration) -> Vec<Row> {
    let database = server::fresh_database().await;
    let bare = database.collection::<Stored>("widgets");
    bare.insert_many((0..DOCUMENTS).map(row)).await.unwrap();
    let db = Db::mongo(database.clone())
        .model::<Widget>()
        .build()
        .await
        .unwrap();
    let stage = Arc::new(Stage {
        ctx: db.context(TenantId::new(TENANT).unwrap(), User),
        bare,
        ids: (0..DOCUMENTS)
            .map(|number| (row(number).into_model().id, row(number).id))
            .collect(),
        conflicts: AtomicU64::new(0),
        next: AtomicU64::new(u64::from(DOCUMENTS)),
    });
    // Connections and caches.
    for ours in [true, false] {
        stage.slice(ours).await;
    }
    let (mut ours, mut theirs, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    let start = Instant::now();
    while start.elapsed() < duration || ours.len() < 4 {
        // Whose turn is first changes.
        for side in [ours.len() % 2 == 0, ours.len() % 2 == 1] {
            let time = stage.slice(side).await;
            if side { &mut ours } else { &mut theirs }.push(time);
        }
        memory.push(resident());
    }
    let conflicts = stage.conflicts.load(Ordering::Relaxed);
    println!("conflicts: {conflicts}");
    let quarter = |number: usize| memory[(memory.len() - 1) * number / 4];
    let quarters = [1, 2, 3, 4].map(quarter);
    println!("resident memory at the quarters, MiB: {quarters:.1?}");
    let rows = [
        Row::sampled("64 tasks, mixed operations", "us each", &ours, &theirs).at_most(1.0 / THROUGHPUT),
        Row::exact("64 tasks, memory late to early", "MiB", quarters[3], quarters[0]).at_most(GROWTH),
    ];
    let rows = report::show(rows).collect();
    server::drop_database(database).await;
    rows
}

impl Stage {
    /// All tasks on one side for a while; gives the microseconds that an operation takes of it.
    #[allow(clippy::cast_precision_loss, reason = "a few thousand operations")]
    async fn slice(self: &Arc<Self>, ours: bool) -> f64 {
        let start = Instant::now();
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| tokio::spawn(self.clone().work(ours, start + SLICE)))
            .collect();
        let mut done = 0_u64;
        for task in tasks {
            done += task.await.unwrap();
        }
        start.elapsed().as_micros() as f64 / done as f64
    }

    async fn work(self: Arc<Self>, ours: bool, until: Instant) -> u64 {
        let mut random = Random::new(self.next());
        let mut done = 0;
        while Instant::now() < until {
            let (id, object_id) = &self.ids[random.below(self.ids.len())];
            let operation = Operation::some(&mut random);
            if ours {
                match self.ours(operation, id).await {
                    Err(error) if error.is_conflict() => {
                        self.conflicts.fetch_add(1, Ordering::Relaxed);
                    }
                    outcome => outcome.unwrap(),
                }
            } else {
                self.bare(operation, *object_id).await.unwrap();
            }
            done += 1;
        }
        done
    }

    fn next(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn number(&self) -> u32 {
        u32::try_from(self.next() & 0x00FF_FFFF).expect("24 bits")
    }

    async fn ours(&self, operation: Operation, id: &Id<Widget>) -> Result<()> {
        match operation {
            Operation::Get => Widget::fetch(&self.ctx, id).await.map(drop),
            Operation::Update => {
                let patch = WidgetPatch {
                    count: Set(i64::from(self.number())),
                    ..Default::default()
                };
                Widget::update(&self.ctx, id, patch).await.map(drop)
            }
            Operation::Create => Widget::create(&self.ctx, row(self.number()).into_new())
                .await
                .map(drop),
            Operation::Query => Widget::query(&self.ctx).limit(10).await.map(drop),
        }
    }

    async fn bare(&self, operation: Operation, id: ObjectId) -> mongodb::error::Result<()> {
        let own = || doc! { "_id": id, "organization": { "$eq": TENANT } };
        match operation {
            Operation::Get => self.bare.find_one(own()).await.map(drop),
            Operation::Update => {
                let row = self.bare.find_one(own()).await?.expect("none is deleted");
                let mut guarded = own();
                guarded.insert("_rev", row.revision);
                let now = bson::DateTime::from_chrono(self.ctx.now());
                let count = i64::from(self.number());
                let set = doc! { "$set": { "count": count, "updated_at": now, "_rev": row.revision + 1 } };
                let result = self.bare.update_one(guarded, set).await?;
                if result.matched_count == 0 {
                    // Is it changed or gone?
                    self.bare.find_one(own()).await?;
                }
                Ok(())
            }
            Operation::Create => {
                #[allow(clippy::disallowed_methods, reason = "what a user of the bare driver calls")]
                let id = ObjectId::new();
                let now = bson::DateTime::from_chrono(self.ctx.now());
                let row = Stored {
                    id,
                    created_at: now,
                    updated_at: now,
                    ..row(self.number())
                };
                self.bare.insert_one(&row).await.map(drop)
            }
            Operation::Query => {
                let tenants: Document = doc! { "organization": { "$eq": TENANT } };
                let cursor = self.bare.find(tenants).limit(10).await?;
                cursor.try_collect::<Vec<_>>().await.map(drop)
            }
        }
    }
}
