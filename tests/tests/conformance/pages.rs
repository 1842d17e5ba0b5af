//! Contract D 14: keyset pages.

use bson::{Bson, Document, doc};
use model_core::prelude::*;
use model_core::query::Sort;
use model_core::testing;

use crate::harness::{Stage, on_both_stores};

/// Somebody who reads some rows only.
#[derive(Clone)]
struct Reader {
    all: bool,
}

impl Actor for Reader {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("reader")
    }
}

type Ctx = Context<Reader>;

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "snake_case")]
enum Grade {
    Low,
    High,
}

#[derive(Clone, PartialEq, Embedded)]
struct Inner {
    n: Option<i64>,
    #[model(hidden)]
    secret: Option<i64>,
}

/// A row with a sort key of every kind. Documents of version 1 may lack `flag`.
#[derive(Clone, Model)]
#[model(collection = "rows", id = string, version = 2, index(a, id), index(a = desc, b, id))]
struct Row {
    #[model(id)]
    id: Id<Row>,
    #[model(tenant)]
    organization: TenantId,
    a: Option<i64>,
    b: Option<f64>,
    c: Option<String>,
    at: Option<DateTime<Utc>>,
    grade: Option<Grade>,
    flag: bool,
    readable: bool,
    inner: Option<Inner>,
    #[model(hidden)]
    score: Option<i64>,
    tags: Option<Vec<String>>,
    parts: Option<Vec<Inner>>,
    any: Option<Bson>,
}

impl BaseModel for Row {
    type Actor = Reader;

    fn can_read(&self, ctx: &Ctx) -> bool {
        ctx.actor().all || self.readable
    }

    fn can_create(&self, _ctx: &Ctx) -> bool {
        true
    }

    fn can_update(&self, _ctx: &Ctx, _after: &Self) -> bool {
        true
    }

    fn can_delete(&self, _ctx: &Ctx) -> bool {
        true
    }

    fn migrate(mut document: Document, _info: &MigrateInfo) -> Result<Document> {
        if !document.contains_key("flag") {
            document.insert("flag", false);
        }
        Ok(document)
    }
}

async fn open(stage: Stage) -> Db {
    let db = stage.builder().model::<Row>().build_lazy().unwrap();
    db.sync_indexes(model_core::SyncOptions::default()).await.unwrap();
    db
}

fn context(db: &Db, tenant: &str, all: bool) -> Ctx {
    db.context(TenantId::new(tenant).unwrap(), Reader { all })
}

/// A source of random choices (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % limit as u64).unwrap()
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}

/// A row as any client may have stored it: fields missing, null, or a number of another kind.
fn row(random: &mut Random, n: usize) -> Document {
    let mut row = doc! { "_id": format!("r{n:03}"), "organization": "acme", "readable": random.below(4) > 0 };
    let choices: [(&str, Vec<Bson>); 5] = [
        (
            "a",
            vec![
                1_i64.into(),
                2_i32.into(),
                2.0.into(),
                i64::MAX.into(),
                Bson::Int64(-5),
            ],
        ),
        (
            "b",
            vec![
                f64::NAN.into(),
                f64::NEG_INFINITY.into(),
                (-0.0).into(),
                0_i32.into(),
                0.5.into(),
                f64::INFINITY.into(),
            ],
        ),
        (
            "c",
            vec!["".into(), "a".into(), "A".into(), "é".into(), "ab".into()],
        ),
        (
            "at",
            vec![
                bson::DateTime::from_millis(0).into(),
                bson::DateTime::from_millis(-5).into(),
            ],
        ),
        ("grade", vec!["low".into(), "high".into()]),
    ];
    for (key, values) in choices {
        match random.below(5) {
            0 => {}
            1 => drop(row.insert(key, Bson::Null)),
            _ => drop(row.insert(key, random.of(&values))),
        }
    }
    match random.below(4) {
        0 => {}
        1 => drop(row.insert("inner", Bson::Null)),
        2 => drop(row.insert("inner", doc! {})),
        _ => drop(row.insert("inner", doc! { "n": random.of(&[1_i64, 2]) })),
    }
    // A document of version 1 may lack what version 2 requires.
    if random.below(2) == 0 {
        row.insert("_sv", 2);
        row.insert("flag", random.below(2) == 0);
    }
    row
}

type Key = fn(&'static RowFields) -> Sort<Row>;

const KEYS: [Key; 16] = [
    |r| r.a.asc(),
    |r| r.a.desc(),
    |r| r.b.asc(),
    |r| r.b.desc(),
    |r| r.c.asc(),
    |r| r.c.desc(),
    |r| r.at.asc(),
    |r| r.at.desc(),
    |r| r.grade.asc(),
    |r| r.grade.desc(),
    |r| r.flag.asc(),
    |r| r.flag.desc(),
    |r| r.inner.n.asc(),
    |r| r.inner.n.desc(),
    |r| r.id.asc(),
    |r| r.id.desc(),
];

async fn pages(ctx: &Ctx, filter: &Filter<Row>, keys: &[Key], limit: u64) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let mut query = Row::query(ctx).matching(filter.clone());
        for key in keys {
            query = query.sort(key);
        }
        let page = query.page(limit, cursor.as_deref()).await.unwrap();
        let full = page.items.len() as u64 == limit;
        assert!(full || page.next.is_none(), "a page that is not full is the last");
        found.extend(page.items.iter().map(|row| row.id.to_string()));
        assert!(
            !page.items.is_empty() || found.is_empty(),
            "no empty page at the end"
        );
        match page.next {
            Some(next) => cursor = Some(next),
            None => return found,
        }
    }
}

fn rounds() -> usize {
    let full = std::env::var("MODEL_TEST_SIZE").is_ok_and(|size| size == "full");
    if full { 400 } else { 40 }
}

on_both_stores! {
    /// Pages put together are the whole query, whatever is null, missing, equal or unreadable, in every direction.
    async fn pages_put_together_are_the_whole(stage: Stage) {
        let db = open(stage).await;
        let mut random = Random(20_260_301);
        for n in 0..60 {
            testing::store_raw(&db, "rows", &row(&mut random, n)).await.unwrap();
        }
        testing::store_raw(&db, "rows", &doc! { "_id": "other", "organization": "globex", "readable": true }).await.unwrap();
        for round in 0..rounds() {
            let mut chosen: Vec<usize> = (0..random.below(4)).map(|_| random.below(KEYS.len())).collect();
            // One direction for each path.
            chosen.sort_unstable();
            chosen.dedup_by_key(|key| *key / 2);
            if random.below(2) == 0 {
                chosen.reverse();
            }
            let keys: Vec<Key> = chosen.iter().map(|key| KEYS[*key]).collect();
            let filter = random.of(&[Filter::all(), Row::filter(|r| r.a.gte(0)), Row::filter(|r| r.c.ne("a"))]);
            let ctx = context(&db, "acme", random.below(2) == 0);
            let descending = chosen.last().is_some_and(|key| key % 2 == 1);
            let mut whole = Row::query(&ctx).matching(filter.clone());
            for key in &keys {
                whole = whole.sort(key);
            }
            let by_id = chosen.iter().any(|key| *key >= 14);
            if !by_id {
                whole = whole.sort(|r| if descending { r.id.desc() } else { r.id.asc() });
            }
            let whole: Vec<String> = whole.await.unwrap().iter().map(|row| row.id.to_string()).collect();
            let limit = 1 + random.below(25) as u64;
            let found = pages(&ctx, &filter, &keys, limit).await;
            assert_eq!(found, whole, "round {round}: keys {chosen:?}, limit {limit}");
            assert!(!whole.contains(&"other".to_owned()));
        }
    }

    /// A page holds as many readable documents as asked for; what may not be read is read over.
    async fn a_page_is_full_of_readable_documents(stage: Stage) {
        let db = open(stage).await;
        for n in 0..40 {
            let readable = n % 4 == 0;
            let row = doc! { "_id": format!("r{n:02}"), "organization": "acme", "readable": readable, "flag": true, "_sv": 2 };
            testing::store_raw(&db, "rows", &row).await.unwrap();
        }
        let ctx = context(&db, "acme", false);
        let first = Row::query(&ctx).page(4, None).await.unwrap();
        assert_eq!(first.items.iter().map(|row| row.id.to_string()).collect::<Vec<_>>(), ["r00", "r04", "r08", "r12"]);
        let second = Row::query(&ctx).page(6, first.next.as_deref()).await.unwrap();
        assert_eq!((second.items.len(), second.next.is_none()), (6, true), "nothing readable is left");
        let none = Row::query(&ctx).filter(|r| r.id.eq(Id::parse("r01").unwrap())).page(4, None).await.unwrap();
        assert!(none.items.is_empty() && none.next.is_none());
    }

    /// A cursor goes with its query and tenant; any other text is refused, and the refusal repeats none of it.
    async fn a_cursor_is_bound_to_its_query(stage: Stage) {
        let db = open(stage).await;
        for n in 0..4 {
            for tenant in ["acme", "globex"] {
                let id = format!("{tenant}{n}");
                let row = doc! { "_id": id, "organization": tenant, "readable": true, "a": n, "flag": true, "c": "s3cret", "_sv": 2 };
                testing::store_raw(&db, "rows", &row).await.unwrap();
            }
        }
        let (acme, globex) = (context(&db, "acme", true), context(&db, "globex", true));
        let query = |ctx| Row::query(ctx).filter(|r| r.a.gte(0)).sort(|r| r.c.asc().then(r.a.asc()));
        let next = query(&acme).page(2, None).await.unwrap().next.unwrap();
        assert!(next.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "{next}");
        assert!(!format!("{next:?}").contains(next.as_str()));
        assert_eq!(query(&acme).page(2, Some(&next)).await.unwrap().items.len(), 2);
        assert_eq!(query(&acme).page(1, Some(&next)).await.unwrap().items.len(), 1, "the size may change");
        let mut wrong = vec![
            query(&globex).page(2, Some(&next)).await,
            query(&acme).filter(|r| r.flag.eq(true)).page(2, Some(&next)).await,
            Row::query(&acme).filter(|r| r.a.gte(1)).sort(|r| r.c.asc().then(r.a.asc())).page(2, Some(&next)).await,
            Row::query(&acme).filter(|r| r.a.gte(0)).sort(|r| r.c.asc().then(r.a.desc())).page(2, Some(&next)).await,
            Row::query(&acme).filter(|r| r.a.gte(0)).sort(|r| r.c.asc()).page(2, Some(&next)).await,
        ];
        for n in 0..next.len() {
            let mut tampered = next.as_bytes().to_vec();
            tampered[n] = if tampered[n] == b'A' { b'B' } else { b'A' };
            wrong.push(query(&acme).page(2, Some(&String::from_utf8(tampered).unwrap())).await);
        }
        for text in ["", "A", "AQ", "%%%", "s3cret", "AQAAAAAAAAAAAAAAAAAAAAAABQAAAAA", &next[..next.len() - 2], &format!("{}AA", &*next)] {
            wrong.push(query(&acme).page(2, Some(text)).await);
        }
        for result in wrong {
            let error = result.unwrap_err();
            assert!(error.is_invalid(), "{error}");
            let text = format!("{error} {error:?}");
            assert!(!text.contains("s3cret") && !text.contains(next.as_str()), "{text}");
        }
    }

    /// What has no one place in an order, and what a reader must not see, is no sort key of pages.
    async fn some_orders_have_no_pages(stage: Stage) {
        let db = open(stage).await;
        let ctx = context(&db, "acme", true);
        let orders: [Key; 6] = [
            |r| r.tags.asc(),
            |r| r.any.asc(),
            |r| r.score.desc(),
            |r| r.inner.secret.asc(),
            |r| r.parts.n.asc(),
            |r| r.a.asc().then(r.score.asc()),
        ];
        for (n, order) in orders.into_iter().enumerate() {
            let error = Row::query(&ctx).sort(order).page(2, None).await.unwrap_err();
            assert!(error.is_invalid(), "{n}: {error}");
        }
        assert!(Row::query(&ctx).page(0, None).await.unwrap_err().is_invalid());
        assert!(Row::query(&ctx).skip(1).page(2, None).await.unwrap_err().is_invalid());
        assert!(Row::query(&ctx).limit(1).page(2, None).await.unwrap_err().is_invalid());
    }
}
