//! Events of some kinds: what kind an event is follows from what may be seen, whoever filters.

use model_core::EventKind::{Created, Deleted, Updated};
use model_core::prelude::*;
use model_core::{EventKind, ModelExt, WatchStream};

use super::{Memo, MemoPatch, desk, memo, next, says, told};
use crate::harness::{Stage, on_both_stores};
use crate::models::{Ctx, User};

/// Read by its owner and by admins, which the scope alone says: the server can tell the kinds apart.
#[derive(Clone, Model)]
#[model(collection = "lamps", watch)]
struct Lamp {
    #[model(id)]
    id: Id<Lamp>,
    #[model(tenant)]
    org: TenantId,
    owner: String,
    step: i64,
}

impl BaseModel for Lamp {
    type Actor = User;

    const READ_SCOPE: ReadScope = ReadScope::Exact;

    fn can_read(&self, ctx: &Ctx) -> bool {
        ctx.actor().admin || self.owner == ctx.actor().name
    }

    fn can_create(&self, ctx: &Ctx) -> bool {
        ctx.actor().admin
    }

    fn can_update(&self, ctx: &Ctx, _after: &Self) -> bool {
        ctx.actor().admin
    }

    fn can_delete(&self, ctx: &Ctx) -> bool {
        ctx.actor().admin
    }

    fn read_scope(ctx: &Ctx) -> Filter<Self> {
        if ctx.actor().admin {
            Filter::all()
        } else {
            Self::filter(|l| l.owner.eq(&ctx.actor().name))
        }
    }
}

/// Every choice of kinds, with the numbers of the steps that are events of them.
const CHOICES: [(&[EventKind], &[i64]); 7] = [
    (&[Created], &[1, 4, 9]),
    (&[Updated], &[2]),
    (&[Deleted], &[3, 5, 9]),
    (&[Created, Updated], &[1, 2, 4, 9]),
    (&[Created, Deleted], &[1, 3, 4, 5, 9]),
    (&[Updated, Deleted], &[2, 3, 5, 9]),
    (&[Created, Updated, Deleted], &[1, 2, 3, 4, 5, 9]),
];

async fn lamps(stage: Stage) -> (Db, Ctx, Ctx) {
    let db = stage.builder().model::<Lamp>().build_lazy().unwrap();
    db.sync_indexes(model_core::SyncOptions::default()).await.unwrap();
    db.sync_collections().await.unwrap();
    let tenant = TenantId::new("acme").unwrap();
    let admin = db.context(tenant.clone(), User::admin("ada"));
    let eve = db.context(tenant, User::viewer("eve", &[]));
    (db, admin, eve)
}

/// The steps that the stream tells, up to the ninth, which is the last.
async fn steps(stream: &mut WatchStream<Lamp>) -> Vec<i64> {
    let mut steps = Vec::new();
    while steps.last() != Some(&9) {
        let event = next(stream).await.event;
        let lamp = event.after().or(event.before()).unwrap().step;
        // What went out of sight is told as it was: a step before.
        steps.push(match event.kind() {
            Deleted if lamp != 9 => lamp + 1,
            _ => lamp,
        });
    }
    steps
}

on_both_stores! {
    /// Where the scope alone decides.
    async fn of_an_exact_scope(stage: Stage) {
        let (_db, admin, eve) = lamps(stage).await;
        let mut streams = Vec::new();
        for (kinds, expected) in CHOICES {
            streams.push((Lamp::watch(&eve).only(kinds.iter().copied()).await.unwrap(), kinds, expected));
        }
        let none = Lamp::watch(&eve).only([Created]).only([Deleted]).await.unwrap();
        let new = |step| NewLamp { owner: "eve".into(), step };
        let one = Lamp::create(&admin, new(1)).await.unwrap();
        let set = async |owner: &str, step: i64| {
            let patch = LampPatch { owner: Set(owner.into()), step: Set(step) , ..Default::default() };
            Lamp::update(&admin, &one.id, patch).await.unwrap();
        };
        set("eve", 2).await;
        set("bob", 3).await;
        set("eve", 4).await;
        Lamp::delete(&admin, &one.id).await.unwrap();
        // Created, changed and deleted: the last event of any kind.
        let last = Lamp::create(&admin, new(9)).await.unwrap();
        let kept = LampPatch { owner: Set("bob".into()), ..Default::default() };
        Lamp::update(&admin, &last.id, kept).await.unwrap();
        let back = LampPatch { owner: Set("eve".into()), ..Default::default() };
        Lamp::update(&admin, &last.id, back).await.unwrap();
        for (mut stream, kinds, expected) in streams {
            let expected: Vec<i64> = expected.to_vec();
            if kinds == [Updated] {
                assert_eq!(next(&mut stream).await.event.after().unwrap().step, 2);
                continue;
            }
            assert_eq!(steps(&mut stream).await, expected, "{kinds:?}");
        }
        drop(none);
    }

    /// Where `can_read` has a say: a document that comes into sight by it is created, and none is lost.
    async fn of_a_scope_that_is_none(stage: Stage) {
        let desk = desk(stage).await;
        let mut created = Memo::watch(&desk.eve).only([Created]).await.unwrap();
        let mut updated = Memo::watch(&desk.eve).only([Updated]).await.unwrap();
        let mut deleted = Memo::watch(&desk.eve).only([Deleted]).await.unwrap();
        let mut filtered = Memo::watch(&desk.eve).only([Created]).filter(|m| m.text.eq("hers")).await.unwrap();
        let one = Memo::create(&desk.admin, memo("bob", "bobs")).await.unwrap();
        let owner = |owner: &str| MemoPatch { owner: Set(owner.into()), ..Default::default() };
        Memo::update(&desk.admin, &one.id, owner("eve")).await.unwrap();
        Memo::update(&desk.admin, &one.id, says("hers")).await.unwrap();
        Memo::update(&desk.admin, &one.id, owner("bob")).await.unwrap();
        Memo::update(&desk.admin, &one.id, owner("eve")).await.unwrap();
        Memo::delete(&desk.admin, &one.id).await.unwrap();
        assert_eq!(told(&next(&mut created).await), "+ bobs");
        assert_eq!(told(&next(&mut created).await), "+ hers");
        assert_eq!(told(&next(&mut updated).await), "bobs -> hers");
        assert_eq!(told(&next(&mut deleted).await), "- hers");
        assert_eq!(told(&next(&mut deleted).await), "- hers");
        assert_eq!(told(&next(&mut filtered).await), "+ hers", "it came to satisfy the filter");
        assert_eq!(told(&next(&mut filtered).await), "+ hers", "it came to be hers");
    }
}
