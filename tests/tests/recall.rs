//! Contract N 52: `nearest` finds what brute force finds, all of it.
//!
//! `MODEL_TEST_SIZE=full` compares 10,000 vectors of 1,536 numbers, and tells how long it took.

use std::time::Instant;

use model_core::prelude::*;
use model_core::schema::Similarity;
use model_core::{DbBuilder, ModelExt};

const NUMBERS: usize = 1_536;
const NEAREST: usize = 20;

struct Reader;

impl Actor for Reader {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("ada")
    }
}

#[derive(Clone, Model)]
#[model(collection = "points")]
struct Point {
    #[model(id)]
    id: Id<Point>,
    #[model(tenant)]
    organization: TenantId,
    number: i64,
    embedding: Vector<NUMBERS>,
}

impl BaseModel for Point {
    type Actor = Reader;

    const READ_SCOPE: ReadScope = ReadScope::Exact;

    fn can_read(&self, _ctx: &Context<Reader>) -> bool {
        true
    }

    fn can_create(&self, _ctx: &Context<Reader>) -> bool {
        true
    }

    fn can_update(&self, _ctx: &Context<Reader>, _after: &Self) -> bool {
        true
    }

    fn can_delete(&self, _ctx: &Context<Reader>) -> bool {
        true
    }

    fn read_scope(_ctx: &Context<Reader>) -> Filter<Self> {
        Filter::all()
    }
}

/// Numbers between -1 and 1, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    fn vector(&mut self) -> Vector<NUMBERS> {
        let numbers: Vec<f32> = (0..NUMBERS).map(|_| self.next()).collect();
        numbers.try_into().unwrap()
    }
}

/// The numbers of the points by their likeness, the plain way.
fn by_brute_force(points: &[Vector<NUMBERS>], to: &Vector<NUMBERS>, similarity: Similarity) -> Vec<i64> {
    let pairs = |point: &Vector<NUMBERS>| {
        let pairs = point.as_slice().iter().zip(to.as_slice());
        pairs
            .map(|(a, b)| (f64::from(*a), f64::from(*b)))
            .collect::<Vec<_>>()
    };
    let mut scored: Vec<(f64, i64)> = points
        .iter()
        .enumerate()
        .map(|(number, point)| {
            let pairs = pairs(point);
            let dot: f64 = pairs.iter().map(|(a, b)| a * b).sum();
            let length: f64 = pairs.iter().map(|(a, _)| a * a).sum::<f64>().sqrt();
            let distance: f64 = pairs.iter().map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
            let score = match similarity {
                Similarity::Dot => dot,
                Similarity::Euclidean => -distance,
                _ => dot / length,
            };
            (score, i64::try_from(number).unwrap())
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored
        .into_iter()
        .take(NEAREST)
        .map(|(_, number)| number)
        .collect()
}

async fn finds_all(builder: DbBuilder, store: &str) {
    let full = std::env::var("MODEL_TEST_SIZE").is_ok_and(|size| size == "full");
    let count = if full { 10_000 } else { 300 };
    let db = builder.model::<Point>().build().await.unwrap();
    let ctx = db.context(TenantId::new("acme").unwrap(), Reader);
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    let points: Vec<_> = (0..count).map(|_| numbers.vector()).collect();
    for (batch, some) in points.chunks(500).enumerate() {
        let new = some.iter().enumerate().map(|(place, point)| NewPoint {
            number: i64::try_from(batch * 500 + place).unwrap(),
            embedding: point.clone(),
        });
        Point::create_many(&ctx, new).await.unwrap();
    }
    for similarity in [Similarity::Cosine, Similarity::Dot, Similarity::Euclidean] {
        let to = numbers.vector();
        let begun = Instant::now();
        let found = Point::query(&ctx)
            .nearest(|p| &p.embedding, &to, NEAREST)
            .by(similarity)
            .await
            .unwrap();
        let time = begun.elapsed();
        let found: Vec<i64> = found.iter().map(|found| found.item.number).collect();
        assert_eq!(
            found,
            by_brute_force(&points, &to, similarity),
            "{store} {similarity:?}"
        );
        println!("{store}: {NEAREST} of {count} x {NUMBERS} by {similarity:?}: {time:.1?}");
    }
}

#[tokio::test]
async fn on_the_embedded_store() {
    finds_all(Db::memory(), "embedded").await;
}

#[tokio::test]
async fn on_mongodb() {
    finds_all(Db::mongo(model_tests::server::fresh_database().await), "mongodb").await;
}
