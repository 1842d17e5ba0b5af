//! Groups: put together by the server, by the embedded store, or from what was read, with one answer.

use bson::{Bson, Document, doc};
use model_core::prelude::*;
use model_core::query::Group;
use model_core::testing;

use crate::harness::{Stage, on_both_stores};

#[derive(Clone)]
struct Clerk {
    all: bool,
}

impl Actor for Clerk {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("clerk")
    }
}

type Ctx = Context<Clerk>;

#[derive(Clone, PartialEq, Embedded)]
struct Part {
    label: Option<String>,
    n: i64,
}

#[derive(Clone, Model)]
#[model(collection = "sales", id = string)]
struct Sale {
    #[model(id)]
    id: Id<Sale>,
    #[model(tenant)]
    organization: TenantId,
    kind: Option<String>,
    amount: Option<i64>,
    weight: Option<f64>,
    tags: Option<Vec<String>>,
    #[model(default)]
    parts: Vec<Part>,
    rows: Option<Vec<Vec<i64>>>,
    at: DateTime<Utc>,
    #[model(default = true)]
    readable: bool,
}

/// It is read where `can_read` has to be asked, and put together by the store where permissions are bypassed.
impl BaseModel for Sale {
    type Actor = Clerk;

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
}

#[derive(Clone, PartialEq, Embedded)]
struct PerKind {
    kind: Option<String>,
    #[model(rename = "how_many")]
    count: i32,
    total: i64,
    weight: f64,
    mean: Option<f64>,
    least: Option<i64>,
    most: Option<i64>,
    first: Option<String>,
    last: Option<Id<Sale>>,
    amounts: Vec<i64>,
    kinds: Vec<i64>,
}

#[derive(Clone, PartialEq, Embedded)]
struct PerLabel {
    label: Option<String>,
    tag: Option<String>,
    count: u64,
    n: i64,
}

#[derive(Clone, PartialEq, Embedded)]
struct Total {
    n: i64,
    count: i64,
}

async fn open(stage: Stage) -> Db {
    stage.builder().model::<Sale>().build().await.unwrap()
}

fn context(db: &Db, all: bool) -> Ctx {
    db.context(TenantId::new("acme").unwrap(), Clerk { all })
}

/// A sale as any client may have stored it.
fn sale(n: u64) -> Document {
    let mix = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 7;
    let mut sale =
        doc! { "_id": format!("s{n:03}"), "organization": "acme", "readable": !n.is_multiple_of(5) };
    sale.insert("at", bson::DateTime::from_millis(i64::try_from(n % 7).unwrap()));
    let choose = |key: u64, values: &[Bson]| {
        values
            .get(usize::try_from((mix >> key) % (values.len() as u64 + 1)).unwrap())
            .cloned()
    };
    let fields: [(&str, Option<Bson>); 5] = [
        (
            "kind",
            choose(0, &["a".into(), "b".into(), "c".into(), Bson::Null]),
        ),
        (
            "amount",
            choose(
                3,
                &[
                    1_i32.into(),
                    7_i64.into(),
                    2.0.into(),
                    Bson::Null,
                    Bson::Int64(1 << 40),
                    Bson::Int64(-3),
                ],
            ),
        ),
        (
            "weight",
            choose(
                9,
                &[
                    0.1.into(),
                    0.7.into(),
                    1e6.into(),
                    (-1e6).into(),
                    3_i32.into(),
                    1e-9.into(),
                ],
            ),
        ),
        (
            "tags",
            choose(
                13,
                &[
                    Bson::Array(vec![]),
                    vec!["x", "y"].into(),
                    vec!["x"].into(),
                    Bson::Null,
                ],
            ),
        ),
        (
            "rows",
            choose(
                15,
                &[vec![Bson::from(vec![1_i64, 2]), Bson::from(vec![3_i64])].into()],
            ),
        ),
    ];
    for (key, value) in fields {
        if let Some(value) = value {
            sale.insert(key, value);
        }
    }
    let part = |label: &str, n: i64| doc! { "label": label, "n": n };
    let parts = [
        vec![],
        vec![part("p", 1), part("q", 2)],
        vec![doc! { "n": 5_i64 }, part("p", 3)],
    ];
    sale.insert("parts", parts[usize::try_from((mix >> 20) % 3).unwrap()].clone());
    sale
}

/// The server loses more to rounding than the embedded store does.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

async fn per_kind(ctx: &Ctx, skip: u64) -> Vec<PerKind> {
    let mut rows = Sale::query(ctx)
        .filter(|s| s.readable.eq(true))
        .sort(|s| s.at.asc().then(s.id.desc()))
        .skip(skip)
        .limit(70)
        .group::<PerKind>(|s, row| {
            Group::by(&row.kind, &s.kind)
                .count(&row.count)
                .sum(&row.total, &s.amount)
                .sum(&row.weight, &s.weight)
                .avg(&row.mean, &s.weight)
                .min(&row.least, &s.amount)
                .max(&row.most, &s.amount)
                .first(&row.first, &s.kind)
                .last(&row.last, &s.id)
                .push(&row.amounts, &s.amount)
                .add_to_set(&row.kinds, &s.amount)
        })
        .sort(|row| row.kind.asc())
        .await
        .unwrap();
    for row in &mut rows {
        row.kinds.sort_unstable();
        row.weight = rounded(row.weight);
        row.mean = row.mean.map(rounded);
    }
    rows
}

async fn per_label(ctx: &Ctx) -> Vec<PerLabel> {
    Sale::query(ctx)
        .filter(|s| s.readable.eq(true))
        .group::<PerLabel>(|s, row| {
            Group::by(&row.label, &s.parts.label)
                .and_by(&row.tag, &s.tags)
                .unwind(&s.parts)
                .unwind(&s.tags)
                .count(&row.count)
                .sum(&row.n, &s.parts.n)
        })
        .filter(|row| row.count.gt(1))
        .sort(|row| row.label.desc().then(row.tag.asc()))
        .skip(1)
        .limit(4)
        .await
        .unwrap()
}

on_both_stores! {
    /// Read and put together here, or by the store: the same rows. And by hand: what the documents say.
    async fn whoever_groups_the_rows_are_the_same(stage: Stage) {
        let db = open(stage).await;
        for n in 0..100 {
            testing::store_raw(&db, "sales", &sale(n)).await.unwrap();
        }
        testing::store_raw(&db, "sales", &doc! { "_id": "other", "organization": "globex", "kind": "z", "amount": 1_000_000 })
            .await
            .unwrap();
        let read = context(&db, false);
        let stored = read.dangerously_bypass_permissions("a test");
        for skip in [0, 3] {
            let rows = per_kind(&read, skip).await;
            assert_eq!(rows, per_kind(&stored, skip).await, "read, put together by the store");
            let sales = Sale::query(&read).sort(|s| s.at.asc().then(s.id.desc())).skip(skip).limit(70).await.unwrap();
            assert_eq!(rows.len(), 4);
            for row in rows {
                let of_kind: Vec<&Sale> = sales.iter().filter(|sale| sale.kind == row.kind).collect();
                let amounts: Vec<i64> = of_kind.iter().filter_map(|sale| sale.amount).collect();
                assert_eq!(usize::try_from(row.count).unwrap(), of_kind.len());
                assert_eq!(row.total, amounts.iter().sum::<i64>());
                assert_eq!((row.least, row.most), (amounts.iter().min().copied(), amounts.iter().max().copied()));
                assert_eq!(row.last, of_kind.last().map(|sale| sale.id.clone()));
                assert_eq!(row.amounts, amounts);
                assert_eq!(row.first, row.kind);
            }
        }
        let rows = per_label(&read).await;
        assert_eq!(rows, per_label(&stored).await, "read, put together by the store");
        assert_eq!(rows.len(), 4);
        let total = async |ctx: &Ctx| {
            let query = Sale::query(ctx).filter(|s| s.readable.eq(true));
            let rows = query.group::<Total>(|s, row| {
                Group::all().unwind(&s.rows).unwind(&s.rows).count(&row.count).sum(&row.n, &s.rows)
            });
            rows.await.unwrap()
        };
        let rows = total(&read).await;
        assert_eq!(rows, total(&stored).await);
        assert_eq!((rows[0].count % 3, rows[0].n), (0, rows[0].count * 2), "1, 2 and 3 of each");
    }

    /// A raw stage works on the rows, on a server that made them, and reaches nothing else.
    async fn a_raw_stage_works_on_the_rows(stage: Stage) {
        let db = open(stage).await;
        for n in 0..9 {
            testing::store_raw(&db, "sales", &sale(n)).await.unwrap();
        }
        let read = context(&db, true);
        let stored = read.dangerously_bypass_permissions("a test");
        let total = async |ctx: &Ctx, stage: Document| {
            let rows = Sale::query(ctx).group::<Total>(|s, row| Group::all().count(&row.count).sum(&row.n, &s.amount));
            rows.dangerously_add_stage("no typed way", stage).filter(|row| row.n.gte(18)).await
        };
        let doubled = doc! { "$set": { "n": { "$multiply": ["$count", 2] } } };
        assert!(total(&read, doubled.clone()).await.map(|_| ()).unwrap_err().is_unsupported(), "it is read");
        match total(&stored, doubled).await {
            Ok(rows) => assert_eq!(rows, [Total { n: 18, count: 9 }]),
            Err(error) => assert!(error.is_unsupported() && error.to_string().contains("embedded"), "{error}"),
        }
        for stage in [
            doc! { "$lookup": { "from": "sales", "as": "x", "pipeline": [] } },
            doc! { "$unionWith": "sales" },
            doc! { "$out": "stolen" },
            doc! { "$set": { "n": { "$function": { "body": "return 1", "args": [], "lang": "js" } } } },
        ] {
            assert!(total(&stored, stage).await.map(|_| ()).unwrap_err().is_invalid());
        }
    }

    /// What may not be read adds to no row.
    async fn what_may_not_be_read_does_not_count(stage: Stage) {
        let db = open(stage).await;
        for n in 0..10 {
            let sale = doc! { "_id": format!("s{n}"), "organization": "acme", "kind": "a", "amount": 1, "parts": [], "readable": n != 3, "at": bson::DateTime::from_millis(0) };
            testing::store_raw(&db, "sales", &sale).await.unwrap();
        }
        let total = async |ctx: &Ctx, limit| {
            let rows = Sale::query(ctx).limit(limit).group::<Total>(|s, row| {
                Group::all().count(&row.count).sum(&row.n, &s.amount)
            });
            rows.await.unwrap()
        };
        assert_eq!(total(&context(&db, false), 100).await, [Total { n: 9, count: 9 }]);
        assert_eq!(total(&context(&db, true), 100).await, [Total { n: 10, count: 10 }]);
        assert_eq!(total(&context(&db, false), 5).await, [Total { n: 5, count: 5 }]);
        assert_eq!(total(&context(&db, false), 0).await, []);
        let other = db.context(TenantId::new("globex").unwrap(), Clerk { all: true });
        assert_eq!(total(&other, 100).await, []);
    }

    /// An array stands for its elements only where it is unwound; a value that the row cannot hold is an error.
    async fn an_array_is_unwound_first(stage: Stage) {
        let db = open(stage).await;
        let ctx = context(&db, true);
        let sale = doc! { "_id": "s", "organization": "acme", "parts": [], "readable": true, "at": bson::DateTime::from_millis(0) };
        testing::store_raw(&db, "sales", &sale).await.unwrap();
        for ctx in [&ctx, &ctx.dangerously_bypass_permissions("a test")] {
            let whole = Sale::query(ctx).group::<PerLabel>(|s, row| Group::by(&row.label, &s.parts.label));
            assert!(whole.await.unwrap_err().is_invalid());
            let scalar = Sale::query(ctx).group::<Total>(|s, row| Group::all().unwind(&s.kind).count(&row.count));
            assert!(scalar.await.unwrap_err().is_invalid());
            #[derive(Clone, Embedded)]
            struct Strict {
                amount: i64,
            }
            let strict = Sale::query(ctx).group::<Strict>(|s, row| Group::by(&row.amount, &s.amount));
            let error = strict.await.map(|rows| rows.len()).unwrap_err();
            assert!(error.is_decode() && error.path() == Some("amount"), "{error}");
        }
    }
}
