//! Contract D 12, 13: a limited read where documents are denied, and the scope does not say which.

use futures_util::TryStreamExt;
use model_core::prelude::*;

use crate::harness::{Stage, on_both_stores};

/// Somebody who reads the rows whose numbers leave no rest, and these only from some number on.
#[derive(Clone)]
struct Reader {
    every: i64,
    from: i64,
}

impl Actor for Reader {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("reader")
    }
}

type Ctx = Context<Reader>;

#[derive(Clone, Model)]
#[model(collection = "marks", index(number))]
struct Mark {
    #[model(id)]
    id: Id<Mark>,
    #[model(tenant)]
    organization: TenantId,
    number: i64,
}

impl BaseModel for Mark {
    type Actor = Reader;

    fn can_read(&self, ctx: &Ctx) -> bool {
        let Reader { every, from } = *ctx.actor();
        self.number % every == 0 && self.number >= from
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

async fn forty(stage: Stage) -> Db {
    let db = stage.builder().model::<Mark>().build_lazy().unwrap();
    db.sync_indexes(model_core::SyncOptions::default()).await.unwrap();
    let all = reader(&db, 1, 0);
    Mark::create_many(&all, (0..40).map(|number| NewMark { number }))
        .await
        .unwrap();
    db
}

fn reader(db: &Db, every: i64, from: i64) -> Ctx {
    db.context(TenantId::new("acme").unwrap(), Reader { every, from })
}

fn numbers(marks: &[Mark]) -> Vec<i64> {
    marks.iter().map(|mark| mark.number).collect()
}

on_both_stores! {
    /// Whoever is denied some of the first documents gets as many as there are readable ones, in order, each once.
    async fn a_limited_read_goes_on_behind_what_is_denied(stage: Stage) {
        let db = forty(stage).await;
        for (every, from) in [(1, 0), (3, 0), (2, 30), (1, 39), (1, 50)] {
            let ctx = reader(&db, every, from);
            let readable: Vec<i64> = (from..40).filter(|number| number % every == 0).collect();
            for (skip, limit) in [(0, 1), (0, 5), (2, 4), (0, 14), (1, 40), (0, 50), (7, 3), (0, 0)] {
                let marks = || Mark::query(&ctx).sort(|m| m.number.asc()).skip(skip).limit(limit);
                let expected: Vec<i64> =
                    readable.iter().copied().skip(skip as usize).take(limit as usize).collect();
                let case = format!("every {every} from {from}, skip {skip}, limit {limit}");
                assert_eq!(numbers(&marks().await.unwrap()), expected, "{case}");
                let streamed: Vec<Mark> = marks().stream().try_collect().await.unwrap();
                assert_eq!(numbers(&streamed), expected, "{case}, streamed");
            }
            let first = Mark::query(&ctx).sort(|m| m.number.desc()).first().await.unwrap();
            assert_eq!(first.map(|mark| mark.number), readable.last().copied());
            let (mut paged, mut after) = (Vec::new(), None::<model_core::PageCursor>);
            loop {
                let page = Mark::query(&ctx).sort(|m| m.number.asc()).page(4, after.as_deref()).await.unwrap();
                paged.extend(numbers(&page.items));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(paged, readable, "every {every} from {from}, by pages");
        }
    }
}
