//! A stream reads when it is asked, and holds one batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bson::doc;
use futures_util::StreamExt;
use model_core::SyncOptions;
use model_core::prelude::*;
use model_core::query::Join;

use super::{Ctx, Person, Plain, PlainLine, Wire};

/// How many documents there are, and how many a batch has.
const ALL: usize = 1_000;
const BATCH: usize = 10;

async fn filled() -> Wire {
    let wire = Wire::new().await;
    let stored = (0..ALL).map(|n| {
        doc! { "organization": "acme", "name": format!("n{n:04}"), "tags": [], "updated": bson::DateTime::from_millis(0) }
    });
    wire.unrecorded("plain").await.insert_many(stored).await.unwrap();
    wire.log.take();
    wire
}

/// Polls to the end: before the `n`th document no more is fetched than the batch that it stands in.
async fn each_batch_on_demand<T>(
    wire: &Wire,
    first: &str,
    mut stream: impl futures_util::Stream<Item = Result<T>> + Unpin,
) {
    assert!(
        wire.log.take().is_empty(),
        "nothing is sent before the first poll"
    );
    let mut fetched = 0;
    for n in 0..ALL {
        stream.next().await.unwrap().unwrap();
        let expected = match (n, n % BATCH) {
            (0, _) => vec![first],
            (_, 0) => vec!["getMore"],
            _ => vec![],
        };
        assert_eq!(wire.log.take_names(), expected, "at document {n}");
        fetched += expected.len();
    }
    assert_eq!(fetched, ALL / BATCH);
    assert!(stream.next().await.is_none());
    // Whether there is more, the server may have to be asked once.
    assert!(wire.log.take().len() <= 1);
}

#[tokio::test]
async fn a_stream_fetches_a_batch_when_it_is_polled() {
    let wire = filled().await;
    let query = || {
        Plain::query(&wire.ctx)
            .sort(|p| p.name.asc())
            .batch_size(BATCH as u32)
    };
    each_batch_on_demand(&wire, "find", query().stream()).await;
    each_batch_on_demand(&wire, "find", query().select::<PlainLine>().stream()).await;
    let lookup = query().select::<PlainLine>();
    let lookup = lookup.lookup::<PlainLine>(|p, other| Join::on(&p.id, &other.id));
    each_batch_on_demand(&wire, "aggregate", lookup.stream()).await;
}

/// Left alone it fetches nothing by itself, and dropped it sends no more than the end of its cursor.
#[tokio::test]
async fn a_stream_that_is_not_polled_does_nothing() {
    let wire = filled().await;
    let mut stream = Plain::query(&wire.ctx).batch_size(BATCH as u32).stream();
    stream.next().await.unwrap().unwrap();
    assert_eq!(wire.log.take_names(), ["find"]);
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(wire.log.take().is_empty());
    drop(stream);
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(wire.log.take_names().iter().all(|name| name == "killCursors"));
}

/// How many documents `can_read` was asked about.
#[derive(Clone, Default)]
struct Judged(Arc<AtomicUsize>);

/// Asked about one by one.
#[derive(Clone, Model)]
#[model(collection = "judged")]
struct Counted {
    #[model(id)]
    id: Id<Counted>,
    #[model(tenant)]
    organization: TenantId,
    n: i64,
}

impl BaseModel for Counted {
    type Actor = Person;

    fn can_read(&self, ctx: &Ctx) -> bool {
        ctx.state::<Judged>().unwrap().0.fetch_add(1, Ordering::SeqCst);
        ctx.actor().reads
    }

    fn can_create(&self, ctx: &Ctx) -> bool {
        ctx.actor().writes
    }

    fn can_update(&self, ctx: &Ctx, _after: &Self) -> bool {
        ctx.actor().writes
    }

    fn can_delete(&self, ctx: &Ctx) -> bool {
        ctx.actor().writes
    }

    fn read_scope(_ctx: &Ctx) -> Filter<Self> {
        Filter::all()
    }
}

/// What was decoded and not yet handed out is never more than one batch.
#[tokio::test]
async fn a_stream_holds_one_batch() {
    let judged = Judged::default();
    let database = model_tests::server::fresh_database().await;
    let db = Db::mongo(database).state(judged.clone()).model::<Counted>();
    let db = db.build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    let person = Person {
        reads: true,
        writes: true,
    };
    let ctx = db.context(TenantId::new("acme").unwrap(), person);
    let new = (0..ALL).map(|n| NewCounted { n: n as i64 });
    Counted::create_many(&ctx, new).await.unwrap();
    let before = judged.0.load(Ordering::SeqCst);
    let mut stream = Counted::query(&ctx)
        .sort(|c| c.n.asc())
        .batch_size(BATCH as u32)
        .stream();
    let mut handed_out = 0;
    while let Some(one) = stream.next().await {
        assert_eq!(one.unwrap().n, handed_out as i64);
        let decoded = judged.0.load(Ordering::SeqCst) - before;
        assert!(
            decoded - handed_out <= BATCH,
            "{decoded} are decoded, {handed_out} handed out"
        );
        handed_out += 1;
    }
    assert_eq!(handed_out, ALL);
}
