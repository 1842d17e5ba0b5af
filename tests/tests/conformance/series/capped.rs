//! Collections of fixed size.

use model_core::prelude::*;
use model_core::{ModelExt, testing};

use super::{Desk, Meter, desk, policy};
use crate::harness::on_both_stores;

/// The last lines of a log.
#[derive(Clone, Model)]
#[model(collection = "lines", global, capped(size = 100_000, max = 3), watch)]
pub(super) struct Line {
    #[model(id)]
    id: Id<Line>,
    #[model(unique)]
    text: String,
    #[model(created_at)]
    at: DateTime<Utc>,
}

policy!(Line, GlobalContext<Meter>, |_, _| true);

/// The same, with room for fewer bytes and any number.
mod smaller {
    use super::*;

    #[derive(Clone, Model)]
    #[model(collection = "lines", global, capped(size = 1_000))]
    pub(super) struct Line {
        #[model(id)]
        id: Id<Line>,
        pub(super) text: String,
    }
    policy!(Line, GlobalContext<Meter>, |_, _| true);
}

async fn texts(desk: &Desk) -> Vec<String> {
    let ctx = desk.db.global_context(Meter { all: true });
    let lines = Line::query(&ctx).sort(|l| l.text.asc()).await.unwrap();
    lines.into_iter().map(|line| line.text).collect()
}

async fn write(desk: &Desk, text: &str) -> Result<Line> {
    let ctx = desk.db.global_context(Meter { all: true });
    Line::create(&ctx, NewLine { text: text.into() }).await
}

on_both_stores! {
    /// The oldest make room, and their unique values are free again.
    async fn the_oldest_documents_make_room(stage: Stage) {
        let desk = desk(stage).await;
        for text in ["a", "b", "c", "d"] {
            write(&desk, text).await.unwrap();
        }
        assert_eq!(texts(&desk).await, ["b", "c", "d"]);
        assert!(write(&desk, "d").await.unwrap_err().is_duplicate());
        write(&desk, "a").await.unwrap();
        assert_eq!(texts(&desk).await, ["a", "c", "d"]);
        let ctx = desk.db.global_context(Meter { all: true });
        let more = ["e", "f"].map(|text| NewLine { text: text.into() });
        Line::create_many(&ctx, more).await.unwrap();
        assert_eq!(texts(&desk).await, ["a", "e", "f"]);
    }

    /// Size and number are changed in place.
    async fn its_size_is_changed_in_place(stage: Stage) {
        let desk = desk(stage).await;
        let other = testing::another_process(&desk.db).model::<smaller::Line>().build_lazy().unwrap();
        let plan = other.plan_collections().await.unwrap().to_string();
        assert!(plan.contains("cappedSize") && plan.contains("cappedMax"), "{plan}");
        other.sync_collections().await.unwrap();
        other.check_collections().await.unwrap();
        let ctx = other.global_context(Meter { all: true });
        for n in 0..40 {
            smaller::Line::create(&ctx, smaller::NewLine { text: format!("{n:0100}") }).await.unwrap();
        }
        let left = smaller::Line::query(&ctx).sort(|l| l.text.asc()).await.unwrap();
        assert!((3..=20).contains(&left.len()), "{}", left.len());
        assert_eq!(left.last().unwrap().text, format!("{:0100}", 39));
    }

    /// What comes is told; what makes room is not.
    async fn what_comes_is_told(stage: Stage) {
        use futures_util::TryStreamExt as _;
        let desk = desk(stage).await;
        let ctx = desk.db.global_context(Meter { all: true });
        let mut watch = Line::watch(&ctx).await.unwrap();
        for text in ["a", "b", "c", "d"] {
            write(&desk, text).await.unwrap();
        }
        let mut told = Vec::new();
        while told.len() < 4 {
            let watched = watch.try_next().await.unwrap().unwrap();
            match watched.event {
                model_core::Event::Created(line) => told.push(line.text),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(told, ["a", "b", "c", "d"]);
    }
}
