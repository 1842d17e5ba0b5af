//! Every write.

use bson::{Bson, Document};
use model_core::ModelExt;
use model_core::prelude::*;

use super::ID;
use super::model::{CANARY, Ctx, Full, Stage, is_sealed, leaks, new_full, rename};

/// What a verb does to the one document of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Create,
    Update,
    Delete,
    Restore,
}

impl Kind {
    fn says_a_name(self) -> bool {
        matches!(self, Self::Create | Self::Update)
    }
}

/// How a verb ended: whether it found the document and did something.
type Outcome = Result<bool>;

macro_rules! writes {
    ($($variant:ident $verb:literal $kind:ident => |$ctx:ident, $target:ident, $name:ident| $body:expr;)*) => {
        /// A public verb that writes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Write { $($variant),* }

        impl Write {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];

            /// The verb's name, as `complete` finds it in the source.
            pub(crate) fn verb(self) -> &'static str {
                match self { $(Self::$variant => $verb),* }
            }

            pub(crate) fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind),* }
            }

            /// Does it, to the document `target` (of which only the key counts for a create), with this name.
            async fn run(self, ctx: &Ctx, target: &Full, name: &str) -> Outcome {
                match self {
                    $(Self::$variant => {
                        let ($ctx, $target, $name) = (ctx, target, name);
                        $body
                    })*
                }
            }
        }
    };
}

fn done<T>(result: Result<T>) -> Outcome {
    result.map(|_| true)
}

writes! {
    Create "create" Create => |ctx, target, name| done(Full::create(ctx, new_full(&target.key, name)).await);
    CreateWithId "create_with_id" Create => |ctx, target, name|
        done(Full::create_with_id(ctx, Id::generate(), new_full(&target.key, name)).await);
    CreateMany "create_many" Create => |ctx, target, name|
        Full::create_many(ctx, [new_full(&target.key, name)]).await.map(|all| all.len() == 1);
    CreateTwo "create_many" Create => |ctx, target, name|
        Full::create_many(ctx, [new_full("beside", "beside"), new_full(&target.key, name)]).await.map(|all| all.len() == 2);
    BulkCreate "Bulk::create" Create => |ctx, target, name| done(Full::bulk(ctx).create(new_full(&target.key, name)).await);
    BulkCreateWithId "Bulk::create_with_id" Create => |ctx, target, name|
        done(Full::bulk(ctx).create_with_id(Id::generate(), new_full(&target.key, name)).await);
    UpsertNew "upsert" Create => |ctx, target, name| Full::upsert(
        ctx, |f| f.key.eq(&target.key), new_full(&target.key, name), rename(name)).await.map(|one| one.is_created());
    Update "update" Update => |ctx, target, name| done(Full::update(ctx, &target.id, rename(name)).await);
    UpdateBy "update_by" Update => |ctx, target, name|
        done(Full::update_by(ctx, |f| f.key.eq(&target.key), rename(name)).await);
    Replace "replace" Update => |ctx, target, name| done(Full::replace(ctx, &target.id, new_full(&target.key, name)).await);
    ReplaceBy "replace_by" Update => |ctx, target, name|
        done(Full::replace_by(ctx, |f| f.key.eq(&target.key), new_full(&target.key, name)).await);
    UpdateWithBy "update_with_by" Update => |ctx, target, name|
        done(Full::update_with_by(ctx, |f| f.key.eq(&target.key), |f| f.name.set(name)).await);
    ModifyBy "modify_by" Update => |ctx, target, name| {
        let patch = |_: &Full| Ok(Some(rename(name)));
        done(Full::modify_by(ctx, |f| f.key.eq(&target.key), patch).await)
    };
    UpdateWith "update_with" Update => |ctx, target, name| {
        // Operators touch no secret: those are there from before.
        done(Full::update_with(ctx, &target.id, |f| f.name.set(name)).await)
    };
    Modify "modify" Update => |ctx, target, name| {
        let patch = |_: &Full| Ok(Some(rename(name)));
        done(Full::modify(ctx, &target.id, patch).await)
    };
    UpdateMany "update_many" Update => |ctx, target, name|
        Full::update_many(ctx, |f| f.key.eq(&target.key), rename(name)).await.map(|report| report.written == 1);
    UpdateTwo "update_many" Update => |ctx, _target, name|
        Full::update_many(ctx, |f| f.key.in_(["a", "beside"]), rename(name)).await.map(|report| report.written == 2);
    BulkUpdate "Bulk::update" Update => |ctx, target, name| done(Full::bulk(ctx).update(target.id.clone(), rename(name)).await);
    BulkUpdateBy "Bulk::update_by" Update => |ctx, target, name|
        done(Full::bulk(ctx).update_by(|f| f.key.eq(&target.key), rename(name)).await);
    BulkReplaceBy "Bulk::replace_by" Update => |ctx, target, name|
        done(Full::bulk(ctx).replace_by(|f| f.key.eq(&target.key), new_full(&target.key, name)).await);
    BulkReplace "Bulk::replace" Update => |ctx, target, name|
        done(Full::bulk(ctx).replace(target.id.clone(), new_full(&target.key, name)).await);
    UpsertOld "upsert" Update => |ctx, target, name| Full::upsert(
        ctx, |f| f.id.eq(&target.id), new_full("other", name), rename(name)).await.map(|one| !one.is_created());
    Claim "Query::claim" Update => |ctx, target, name| {
        let mut patch = rename(name);
        patch.closed = Set(true);
        Full::query(ctx).filter(|f| f.key.eq(&target.key) & f.closed.eq(false)).claim(patch).await.map(|one| one.is_some())
    };
    Delete "delete" Delete => |ctx, target, _name| Full::delete(ctx, &target.id).await;
    DeleteBy "delete_by" Delete => |ctx, target, _name| Full::delete_by(ctx, |f| f.key.eq(&target.key)).await;
    PurgeBy "purge_by" Delete => |ctx, target, _name| Full::purge_by(ctx, |f| f.key.eq(&target.key)).await;
    Purge "purge" Delete => |ctx, target, _name| Full::purge(ctx, &target.id).await;
    DeleteMany "delete_many" Delete => |ctx, target, _name|
        Full::delete_many(ctx, |f| f.key.eq(&target.key)).await.map(|report| report.written == 1);
    Restore "restore" Restore => |ctx, target, _name| Full::restore(ctx, &target.id).await;
    RestoreBy "restore_by" Restore => |ctx, target, _name| Full::restore_by(ctx, |f| f.key.eq(&target.key)).await;
    BulkDeleteBy "Bulk::delete_by" Delete => |ctx, target, _name|
        Full::bulk(ctx).delete_by(|f| f.key.eq(&target.key)).await
            .map(|all| matches!(all[..], [model_core::BulkOutcome::Deleted]));
    BulkDelete "Bulk::delete" Delete => |ctx, target, _name| Full::bulk(ctx).delete(target.id.clone()).await
        .map(|all| matches!(all[..], [model_core::BulkOutcome::Deleted]));
}

/// How it is run: alone, or as part of a transaction of the application's.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    Alone,
    InTransaction,
}

impl Write {
    pub(super) async fn by(self, way: Way, ctx: &Ctx, target: &Full, name: &str) -> Outcome {
        match way {
            Way::Alone => self.run(ctx, target, name).await,
            Way::InTransaction => {
                let work = |tx: Ctx| async move { self.run(&tx, target, name).await };
                ctx.transaction(work).await
            }
        }
    }

    pub(super) fn writes_two(self) -> bool {
        matches!(self, Self::CreateTwo | Self::UpdateTwo)
    }
}

/// A stage with the document that verbs are about (or only its key, for a create), and one beside it.
async fn set(stage: &Stage, write: Write) -> Full {
    let target = Full::create(&stage.admin, new_full("a", "before")).await.unwrap();
    if write.kind() == Kind::Create {
        Full::purge(&stage.admin, &target.id).await.unwrap();
    }
    if write.kind() == Kind::Restore {
        Full::delete(&stage.admin, &target.id).await.unwrap();
    }
    if write == Write::UpdateTwo {
        Full::create(&stage.admin, new_full("beside", "before"))
            .await
            .unwrap();
    }
    stage.clock.advance(chrono::TimeDelta::seconds(1));
    stage.calls.take();
    target
}

/// Runs `check` for every verb, in both ways, on both stores.
pub(super) async fn each(check: impl AsyncFn(&Stage, Write, Way, Full)) {
    for way in [Way::Alone, Way::InTransaction] {
        for stage in Stage::both().await {
            for write in Write::ALL {
                let target = set(&stage, *write).await;
                check(&stage, *write, way, target).await;
                for leftover in Full::query(&stage.admin).with_deleted().await.unwrap() {
                    Full::purge(&stage.admin, &leftover.id).await.unwrap();
                }
                for raw in stage.stored().await {
                    let id = raw.get_object_id(ID).unwrap();
                    let job = stage.admin.dangerously_bypass_permissions("sweep");
                    Full::purge(&job, &Id::parse(&id.to_hex()).unwrap())
                        .await
                        .unwrap();
                }
            }
        }
    }
}

/// The state of a collection and of the audit log, to see that nothing changed.
async fn state(stage: &Stage) -> (Vec<Document>, usize) {
    (stage.stored().await, stage.log().await.len())
}

/// What an actor without the right wants is forbidden, and leaves nothing.
#[tokio::test]
async fn permission() {
    each(async |stage, write, way, target| {
        let before = state(stage).await;
        let error = write
            .by(way, &stage.acme(true, false), &target, "after")
            .await
            .unwrap_err();
        assert!(error.is_forbidden(), "{write:?} {way:?}: {error}");
        assert_eq!(state(stage).await, before, "{write:?} {way:?}");
        assert!(stage.calls.take().is_empty(), "{write:?} {way:?}");
    })
    .await;
}

/// What an actor cannot read is not there for it.
#[tokio::test]
async fn unreadable_is_missing() {
    each(async |stage, write, way, target| {
        if write.kind() == Kind::Create {
            return;
        }
        let before = state(stage).await;
        let outcome = write.by(way, &stage.acme(false, true), &target, "after").await;
        assert!(is_missing(write, &outcome), "{write:?} {way:?}: {outcome:?}");
        if write != Write::UpsertOld {
            assert_eq!(state(stage).await, before, "{write:?} {way:?}");
        }
    })
    .await;
}

/// What is missing, is.
fn is_missing(write: Write, outcome: &Outcome) -> bool {
    match outcome {
        Ok(found) => !found,
        // An upsert by an id creates under another one, which its own filter does not find.
        Err(error) => error.is_not_found() || (write == Write::UpsertOld && error.is_invalid()),
    }
}

/// Another tenant's document is not there; what is created is one's own.
#[tokio::test]
async fn tenant() {
    each(async |stage, write, way, target| {
        let before = state(stage).await;
        let outcome = write.by(way, &stage.rival(), &target, "after").await;
        if write.kind() == Kind::Create {
            assert!(outcome.unwrap(), "{write:?} {way:?}");
            let created = stage.stored_key("a").await.unwrap();
            assert_eq!(
                created.get_str("organization").unwrap(),
                "globex",
                "{write:?} {way:?}"
            );
            for one in Full::query(&stage.rival()).await.unwrap() {
                Full::purge(&stage.rival(), &one.id).await.unwrap();
            }
        } else {
            assert!(is_missing(write, &outcome), "{write:?} {way:?}: {outcome:?}");
            assert_eq!(state(stage).await, before, "{write:?} {way:?}");
        }
    })
    .await;
}

/// What breaks a rule is refused, and leaves nothing.
#[tokio::test]
async fn validation() {
    each(async |stage, write, way, target| {
        if !write.kind().says_a_name() {
            return;
        }
        let before = state(stage).await;
        let error = write
            .by(way, &stage.admin, &target, "much too long")
            .await
            .unwrap_err();
        assert!(error.is_invalid(), "{write:?} {way:?}: {error}");
        assert_eq!(error.violations()[0].path, "name", "{write:?} {way:?}");
        assert_eq!(state(stage).await, before, "{write:?} {way:?}");
    })
    .await;
}

/// Strings are stored as the field says, secrets sealed and hashed, timestamps and revision moved, and read back the same.
#[tokio::test]
async fn what_is_stored() {
    each(async |stage, write, way, target| {
        if !write.kind().says_a_name() {
            return;
        }
        let before = stage.stored_key("a").await;
        assert!(
            write.by(way, &stage.admin, &target, "  AFTER ").await.unwrap(),
            "{write:?} {way:?}"
        );
        let after = stage.stored_key("a").await.unwrap();
        assert_eq!(after.get_str("name").unwrap(), "after", "{write:?} {way:?}");
        assert_eq!(
            after.get_str("organization").unwrap(),
            "acme",
            "{write:?} {way:?}"
        );
        assert!(
            is_sealed(&after, "token") && is_sealed(&after, "password"),
            "{write:?} {way:?}: {after}"
        );
        assert!(!leaks(&after), "{write:?} {way:?}");
        assert_eq!(after.get_i32("_sv").unwrap(), 2, "{write:?} {way:?}");
        let now = Bson::DateTime(bson::DateTime::from_chrono(stage.admin.now()));
        assert_eq!(after.get("updated_at"), Some(&now), "{write:?} {way:?}");
        match &before {
            Some(before) => {
                assert_eq!(
                    after.get("created_at"),
                    before.get("created_at"),
                    "{write:?} {way:?}"
                );
                assert_ne!(after.get("_rev"), before.get("_rev"), "{write:?} {way:?}");
                for id in ["_id", ID] {
                    assert_eq!(after.get(id), before.get(id), "{write:?} {way:?}");
                }
            }
            None => assert_eq!(after.get("created_at"), Some(&now), "{write:?} {way:?}"),
        }
        let read = Full::query(&stage.admin)
            .filter(|f| f.key.eq("a"))
            .first()
            .await
            .unwrap()
            .unwrap();
        let token = read.token.as_ref().unwrap().reveal(&stage.admin).await.unwrap();
        assert_eq!(token.expose(), CANARY, "{write:?} {way:?}");
    })
    .await;
}

/// One entry for each document, with the actor, the event and no secret.
#[tokio::test]
async fn audit() {
    each(async |stage, write, way, target| {
        let before = stage.log().await.len();
        assert!(
            write.by(way, &stage.admin, &target, "after").await.unwrap(),
            "{write:?} {way:?}"
        );
        let log = stage.log().await;
        let new: Vec<_> = log
            .iter()
            .filter(|entry| entry.get_datetime("at").unwrap().to_chrono() == stage.admin.now())
            .collect();
        let expected = if write.writes_two() { 2 } else { 1 };
        assert_eq!(
            (log.len() - before, new.len()),
            (expected, expected),
            "{write:?} {way:?}"
        );
        for entry in new {
            let event = match write {
                Write::Purge | Write::PurgeBy => "full.purge",
                _ => match write.kind() {
                    Kind::Create => "full.create",
                    Kind::Update => "full.update",
                    Kind::Delete => "full.delete",
                    Kind::Restore => "full.restore",
                },
            };
            assert_eq!(entry.get_str("event").unwrap(), event, "{write:?} {way:?}");
            assert_eq!(entry.get_str("tenant").unwrap(), "acme", "{write:?} {way:?}");
            let actor = entry.get_document("actor").unwrap();
            assert_eq!(actor.get_str("id").unwrap(), "ada", "{write:?} {way:?}");
            assert!(!leaks(entry), "{write:?} {way:?}");
        }
        stage.clock.advance(chrono::TimeDelta::seconds(1));
    })
    .await;
}

/// A softly deleted document is not there; only a purge still finds it.
#[tokio::test]
async fn soft_deleted_is_missing() {
    each(async |stage, write, way, target| {
        if matches!(write.kind(), Kind::Create | Kind::Restore)
            || matches!(write, Write::Purge | Write::PurgeBy)
        {
            return;
        }
        Full::delete_many(&stage.admin, |_| Filter::all())
            .allow_all()
            .await
            .unwrap();
        let before = state(stage).await;
        let outcome = write.by(way, &stage.admin, &target, "after").await;
        assert!(is_missing(write, &outcome), "{write:?} {way:?}: {outcome:?}");
        assert_eq!(state(stage).await, before, "{write:?} {way:?}");
    })
    .await;
}

/// What a write changes it changes in a document of an older version too, which gets the present shape.
#[tokio::test]
async fn older_versions() {
    each(async |stage, write, way, target| {
        if write.kind() == Kind::Create {
            return;
        }
        let mut raw = stage.stored_key("a").await.unwrap();
        Full::purge(&stage.admin, &target.id).await.unwrap();
        let name = raw.remove("name").unwrap();
        raw.insert("title", name);
        raw.remove("_sv");
        raw.remove("_rev");
        raw.remove("_seal");
        stage.store_raw(&raw).await;
        assert!(
            write.by(way, &stage.admin, &target, "after").await.unwrap(),
            "{write:?} {way:?}"
        );
        if write.kind() == Kind::Update {
            let after = stage.stored_key("a").await.unwrap();
            assert_eq!(after.get_str("name").unwrap(), "after", "{write:?} {way:?}");
            assert_eq!(after.get_i32("_sv").unwrap(), 2, "{write:?} {way:?}");
            assert!(!after.contains_key("title"), "{write:?} {way:?}");
        }
    })
    .await;
}

/// What a write leaves has a seal that holds; what has one that does not is nobody's to write, and is left as it is.
#[tokio::test]
async fn seals() {
    each(async |stage, write, way, target| {
        assert!(
            write.by(way, &stage.admin, &target, "after").await.unwrap(),
            "{write:?} {way:?}"
        );
        let job = stage.admin.dangerously_bypass_permissions("a look at the seals");
        let found = Full::reencrypt(&job).inspect().await.unwrap();
        assert_eq!((found.broken_seals, found.unsealed), (0, 0), "{write:?} {way:?}");
    })
    .await;
    each(async |stage, write, way, target| {
        if write.kind() == Kind::Create {
            return;
        }
        let mut raw = stage.stored_key("a").await.unwrap();
        Full::purge(&stage.admin, &target.id).await.unwrap();
        raw.insert("name", "altered");
        stage.store_raw(&raw).await;
        let before = state(stage).await;
        let error = write.by(way, &stage.admin, &target, "after").await.unwrap_err();
        assert!(error.is_crypto(), "{write:?} {way:?}: {error}");
        assert_eq!(state(stage).await, before, "{write:?} {way:?}");
        let job = stage.admin.dangerously_bypass_permissions("cleaning up");
        assert!(Full::purge(&job, &target.id).await.unwrap());
    })
    .await;
}
