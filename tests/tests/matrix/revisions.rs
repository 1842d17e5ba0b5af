//! Every verb that takes the revision which its caller has seen.

use model_core::ModelExt;
use model_core::prelude::*;

use super::model::{Ctx, Full, Stage, new_full, rename};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guarded {
    Update,
    Replace,
    UpdateWith,
    Modify,
    Delete,
    Purge,
    Restore,
}

const ALL: [Guarded; 7] = [
    Guarded::Update,
    Guarded::Replace,
    Guarded::UpdateWith,
    Guarded::Modify,
    Guarded::Delete,
    Guarded::Purge,
    Guarded::Restore,
];

impl Guarded {
    async fn run(self, ctx: &Ctx, id: &Id<Full>, seen: Revision) -> Result<bool> {
        let done = |result: Result<Full>| result.map(|_| true);
        match self {
            Self::Update => done(Full::update(ctx, id, rename("after")).if_revision(seen).await),
            Self::Replace => done(
                Full::replace(ctx, id, new_full("a", "after"))
                    .if_revision(seen)
                    .await,
            ),
            Self::UpdateWith => done(
                Full::update_with(ctx, id, |f| f.name.set("after"))
                    .if_revision(seen)
                    .await,
            ),
            Self::Modify => {
                let patch = |_: &Full| Ok(Some(rename("after")));
                done(Full::modify(ctx, id, patch).if_revision(seen).await)
            }
            Self::Delete => Full::delete(ctx, id).if_revision(seen).await,
            Self::Purge => Full::purge(ctx, id).if_revision(seen).await,
            Self::Restore => Full::restore(ctx, id).if_revision(seen).await,
        }
    }
}

/// Another revision than the stored one is a conflict that runs no hook and leaves nothing; the stored one writes.
#[tokio::test]
async fn revisions() {
    for stage in Stage::both().await {
        for (verb, in_transaction) in ALL.into_iter().flat_map(|verb| [(verb, false), (verb, true)]) {
            let case = format!("{verb:?}, in a transaction: {in_transaction}");
            let created = Full::create(&stage.admin, new_full("a", "before")).await.unwrap();
            Full::update(&stage.admin, &created.id, rename("between"))
                .await
                .unwrap();
            if verb == Guarded::Restore {
                assert!(Full::delete(&stage.admin, &created.id).await.unwrap());
            }
            let id = &created.id;
            let run = async |seen: Revision| match in_transaction {
                false => verb.run(&stage.admin, id, seen).await,
                true => {
                    let work = |tx: Ctx| async move { verb.run(&tx, id, seen).await };
                    stage.admin.transaction(work).await
                }
            };
            stage.calls.take();
            let before = (stage.stored().await, stage.log().await.len());
            let error = run(created.revision).await.unwrap_err();
            assert!(error.is_conflict(), "{case}: {error}");
            assert_eq!((stage.stored().await, stage.log().await.len()), before, "{case}");
            assert!(stage.calls.take().is_empty(), "{case}");
            let mut all = Full::query(&stage.admin).with_deleted().await.unwrap();
            assert!(run(all.remove(0).revision).await.unwrap(), "{case}");
            assert_eq!(stage.log().await.len(), before.1 + 1, "{case}");
            Full::purge(&stage.admin, id).await.unwrap();
        }
    }
}
