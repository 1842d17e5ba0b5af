//! Contract N 51: changes as they happen, decoded, migrated, of this tenant and this actor, resumable.

mod kinds;
mod load;
mod sight;

use std::time::Duration;

use bson::doc;
use futures_util::StreamExt;
use model_core::prelude::*;
use model_core::{CollectionStep, Event, ModelExt, SyncOptions, WatchStream, Watched, testing};

use crate::harness::{Stage, on_both_stores};
use crate::models::{Ctx, User};

/// Read by its owner and by admins; its second version has a `rank`.
#[derive(Clone, Model)]
#[model(collection = "memos", version = 2, watch, soft_delete, audit)]
struct Memo {
    #[model(id)]
    id: Id<Memo>,
    #[model(tenant)]
    org: TenantId,
    owner: String,
    #[model(rename = "words")]
    text: String,
    #[model(since = 2, default = 1)]
    rank: i64,
    #[model(hidden, default = 0)]
    score: i64,
    token: Option<Encrypted<String>>,
    #[model(updated_at)]
    updated_at: DateTime<Utc>,
}

impl BaseModel for Memo {
    type Actor = User;

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

    /// Nobody but admins sees what is secret, whoever owns it.
    fn read_scope(ctx: &Ctx) -> Filter<Self> {
        if ctx.actor().admin {
            Filter::all()
        } else {
            Self::filter(|m| m.text.ne("secret"))
        }
    }

    fn migrate(mut document: Document, _info: &MigrateInfo) -> Result<Document> {
        document.insert("rank", 7_i64);
        Ok(document)
    }
}

/// Of no tenant, and really deleted.
#[derive(Clone, Model)]
#[model(collection = "beacons", global, watch)]
struct Beacon {
    #[model(id)]
    id: Id<Beacon>,
    name: String,
}

impl BaseModel for Beacon {
    type Actor = User;
    crate::models::open_policy!(Self, GlobalContext<User>);
}

/// The same collection, as a release that watches it no more declares it.
#[derive(Clone, Model)]
#[model(collection = "beacons", global)]
struct Unwatched {
    #[model(id)]
    id: Id<Unwatched>,
    name: String,
}

impl BaseModel for Unwatched {
    type Actor = User;
    crate::models::open_policy!(Self, GlobalContext<User>);
}

/// A handle, an admin of either tenant, and one who only owns memos.
struct Desk {
    db: Db,
    admin: Ctx,
    rival: Ctx,
    eve: Ctx,
}

async fn desk(stage: Stage) -> Desk {
    let builder = stage.builder().keys(testing::keyring().unwrap());
    let db = builder.model::<Memo>().model::<Beacon>().build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    db.sync_collections().await.unwrap();
    let tenant = |name| TenantId::new(name).unwrap();
    Desk {
        admin: db.context(tenant("acme"), User::admin("ada")),
        rival: db.context(tenant("globex"), User::admin("rita")),
        eve: db.context(tenant("acme"), User::viewer("eve", &[])),
        db,
    }
}

fn memo(owner: &str, text: &str) -> NewMemo {
    NewMemo {
        owner: owner.into(),
        text: text.into(),
        optional: NewMemoOptional {
            token: Some(Secret::from("tok_canary")),
            ..Default::default()
        },
    }
}

fn says(text: &str) -> MemoPatch {
    MemoPatch {
        text: Set(text.into()),
        ..Default::default()
    }
}

async fn next<M: BaseModel>(stream: &mut WatchStream<M>) -> Watched<M> {
    try_next(stream).await.unwrap()
}

async fn try_next<M: BaseModel>(stream: &mut WatchStream<M>) -> Result<Watched<M>> {
    let next = tokio::time::timeout(Duration::from_secs(20), stream.next()).await;
    next.expect("an event comes").expect("the stream goes on")
}

/// What an event says, briefly: the kind, and the texts before and after.
fn told(watched: &Watched<Memo>) -> String {
    match &watched.event {
        Event::Created(memo) => format!("+ {}", memo.text),
        Event::Updated { before, after, .. } => format!("{} -> {}", before.text, after.text),
        Event::Deleted(memo) => format!("- {}", memo.text),
        other => panic!("{other:?}"),
    }
}

on_both_stores! {
    /// Every kind of write tells what was before and after, whole, and of secrets nothing in the clear.
    async fn an_event_has_what_was_and_what_is(stage: Stage) {
        let desk = desk(stage).await;
        let mut stream = Memo::watch(&desk.admin).await.unwrap();
        let made = Memo::create(&desk.admin, memo("eve", "one")).await.unwrap();
        Memo::update(&desk.admin, &made.id, says("two")).await.unwrap();
        Memo::update_with(&desk.admin, &made.id, |m| m.score.inc(5).and(m.rank.inc(1))).await.unwrap();
        Memo::delete(&desk.admin, &made.id).await.unwrap();

        let created = next(&mut stream).await;
        assert_eq!(told(&created), "+ one");
        let memo = created.event.after().unwrap();
        assert_eq!((memo.id.clone(), memo.rank, memo.org.clone()), (made.id.clone(), 1, made.org.clone()));
        let token = memo.token.as_ref().unwrap().reveal(&desk.admin).await.unwrap();
        assert_eq!(token.expose(), "tok_canary");
        assert!(!format!("{created:?}").contains("tok_canary"));

        let updated = next(&mut stream).await;
        assert_eq!(told(&updated), "one -> two");
        let Event::Updated { changed, .. } = &updated.event else { panic!("{updated:?}") };
        assert!(changed.contains(&"words".to_owned()) && !changed.contains(&"rank".to_owned()), "{changed:?}");

        let counted = next(&mut stream).await;
        let Event::Updated { before, after, changed } = &counted.event else { panic!("{counted:?}") };
        assert_eq!((before.score, after.score, before.rank, after.rank), (0, 5, 1, 2));
        assert!(changed.contains(&"score".to_owned()));
        let json = serde_json::to_value(after.clone().into_view(&desk.admin)).unwrap();
        assert!(json.get("score").is_none() && json.get("token").is_none());

        assert_eq!(told(&next(&mut stream).await), "- two");
    }

    /// A deletion that removes the document tells what it was; global models are watched without a tenant.
    async fn of_a_deleted_document_what_it_was(stage: Stage) {
        let desk = desk(stage).await;
        let ctx = desk.db.global_context(User::admin("ada"));
        let mut stream = Beacon::watch(&ctx).await.unwrap();
        let beacon = Beacon::create(&ctx, NewBeacon { name: "north".into() }).await.unwrap();
        Beacon::delete(&ctx, &beacon.id).await.unwrap();
        assert_eq!(next(&mut stream).await.event.after().unwrap().name, "north");
        let gone = next(&mut stream).await;
        assert!(matches!(&gone.event, Event::Deleted(was) if was.name == "north" && was.id == beacon.id));
        assert!(gone.event.after().is_none() && gone.event.before().is_some());
    }

    /// What a transaction does comes when it has taken effect, and never if it has not.
    async fn a_transaction_comes_as_a_whole(stage: Stage) {
        let desk = desk(stage).await;
        let one = Memo::create(&desk.admin, memo("eve", "one")).await.unwrap();
        let mut stream = Memo::watch(&desk.admin).await.unwrap();
        let id = one.id.clone();
        let undone = desk.admin.transaction(|tx| async move {
            Memo::update(&tx, &id, says("undone")).await?;
            Err::<(), _>(Error::refused("no"))
        }).await;
        assert!(undone.unwrap_err().is_refused());
        let id = one.id.clone();
        desk.admin.transaction(|tx| async move {
            Memo::update(&tx, &id, says("two")).await?;
            let spare = Memo::create(&tx, memo("eve", "spare")).await?;
            Memo::purge(&tx, &spare.id).await?;
            let inside = Memo::watch(&tx).await;
            assert!(inside.is_err_and(|error| error.is_unsupported()));
            Ok::<_, Error>(())
        }).await.unwrap();
        Memo::create_many(&desk.admin, [memo("eve", "a"), memo("eve", "b")]).await.unwrap();
        let mut seen = Vec::new();
        while seen.last().is_none_or(|last| last != "+ b") {
            seen.push(told(&next(&mut stream).await));
        }
        // What came and went inside of one transaction, a server may tell or not.
        seen.retain(|told| !told.contains("spare"));
        assert_eq!(seen, ["one -> two", "+ a", "+ b"]);
    }

    /// A consumer goes on where it was; a text that is no token, or one of another model, is refused.
    async fn a_token_goes_on(stage: Stage) {
        let desk = desk(stage).await;
        let mut stream = Memo::watch(&desk.admin).await.unwrap();
        let start = stream.token().unwrap();
        for text in ["one", "two", "three"] {
            Memo::create(&desk.admin, memo("eve", text)).await.unwrap();
        }
        let first = next(&mut stream).await;
        assert_eq!(stream.token(), Some(first.token.clone()));
        drop(stream);
        let mut stream = Memo::watch(&desk.admin).resume_after(&first.token).await.unwrap();
        assert_eq!(told(&next(&mut stream).await), "+ two");
        assert_eq!(told(&next(&mut stream).await), "+ three");
        let mut again = Memo::watch(&desk.admin).resume_after(start).await.unwrap();
        assert_eq!(told(&next(&mut again).await), "+ one");
        // Another process, which is told the text.
        let db = testing::another_process(&desk.db).keys(testing::keyring().unwrap());
        let db = db.model::<Memo>().build().await.unwrap();
        let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
        let mut stream = Memo::watch(&ctx).resume_after(&first.token).await.unwrap();
        assert_eq!(told(&next(&mut stream).await), "+ two");

        let ctx = desk.db.global_context(User::admin("ada"));
        for (token, message) in [("no token", "no place in a watch"), (&*first.token, "another model")] {
            let error = Beacon::watch(&ctx).resume_after(token).await.unwrap_err();
            assert!(error.is_invalid() && error.to_string().contains(message), "{error}");
            assert_eq!(error.violations()[0].path, "resume_after");
        }
    }

    /// An event that nobody else's are told by: the place moves on all the same.
    async fn the_place_moves_on_without_events(stage: Stage) {
        let desk = desk(stage).await;
        let mut stream = Memo::watch(&desk.eve).await.unwrap();
        let start = stream.token().unwrap();
        Memo::create(&desk.rival, memo("eve", "theirs")).await.unwrap();
        Memo::create(&desk.admin, memo("bob", "not hers")).await.unwrap();
        let waited = tokio::time::timeout(Duration::from_secs(4), stream.next()).await;
        assert!(waited.is_err(), "{waited:?}");
        let later = stream.token().unwrap();
        assert_ne!(start, later);
        Memo::create(&desk.admin, memo("eve", "hers")).await.unwrap();
        let mut stream = Memo::watch(&desk.eve).resume_after(later).await.unwrap();
        assert_eq!(told(&next(&mut stream).await), "+ hers");
    }

    /// A document that does not decode is an error of its own; what comes after it comes.
    async fn an_error_of_one_document_ends_nothing(stage: Stage) {
        let desk = desk(stage).await;
        let mut stream = Memo::watch(&desk.admin).await.unwrap();
        let bad = doc! { "_id": bson::oid::ObjectId::from_bytes([7; 12]), "org": "acme", "_sv": 2, "words": 5 };
        testing::store_raw(&desk.db, "memos", &bad).await.unwrap();
        Memo::create(&desk.admin, memo("eve", "good")).await.unwrap();
        let error = try_next(&mut stream).await.unwrap_err();
        assert!(error.is_decode() && error.id() == Some("070707070707070707070707"), "{error}");
        assert_eq!((error.model(), error.operation()), (Some("Memo"), Some("watch")));
        assert_eq!(told(&next(&mut stream).await), "+ good");
    }

    /// Without what was before a change nothing can be watched: the plan says so, and the sync makes it so.
    async fn images_are_planned_and_kept(stage: Stage) {
        let builder = stage.builder();
        let lazy = builder.model::<Beacon>().build_lazy().unwrap();
        let plan = lazy.plan_collections().await.unwrap();
        assert_eq!(plan.steps, [CollectionStep::KeepImages { collection: "beacons" }]);
        assert_eq!(plan.to_string(), "+ images beacons (what was before each change)");
        assert!(lazy.check_collections().await.unwrap_err().is_configuration());
        let sibling = || testing::another_process(&lazy);
        match sibling().model::<Beacon>().build().await {
            // Nobody else can have prepared the embedded store.
            Ok(db) => assert!(db.plan_collections().await.unwrap().is_empty()),
            Err(error) => assert!(error.is_configuration() && error.to_string().contains("sync_collections"), "{error}"),
        }
        lazy.sync_collections().await.unwrap();
        lazy.check_collections().await.unwrap();
        sibling().model::<Beacon>().build().await.unwrap();
        // What an earlier sync has made goes when nobody declares it any more.
        let later = sibling().model::<Unwatched>().build_lazy().unwrap();
        let plan = later.sync_collections().await.unwrap();
        assert_eq!(plan.steps, [CollectionStep::DropImages { collection: "beacons" }]);
        assert!(later.plan_collections().await.unwrap().is_empty());
        assert!(!lazy.plan_collections().await.unwrap().is_empty());
    }

    /// What happened while nobody kept it is lost, and the error says so.
    async fn a_history_that_is_lost_is_an_error(stage: Stage) {
        let desk = desk(stage).await;
        let ctx = desk.db.global_context(User::admin("ada"));
        let mut stream = Beacon::watch(&ctx).await.unwrap();
        Beacon::create(&ctx, NewBeacon { name: "north".into() }).await.unwrap();
        let token = next(&mut stream).await.token;
        let later = testing::another_process(&desk.db).model::<Unwatched>().build_lazy().unwrap();
        later.sync_collections().await.unwrap();
        let beacon = Beacon::create(&ctx, NewBeacon { name: "south".into() }).await.unwrap();
        Beacon::delete(&ctx, &beacon.id).await.unwrap();
        desk.db.sync_collections().await.unwrap();
        let mut lost = None;
        match Beacon::watch(&ctx).resume_after(token).await {
            Err(error) => lost = Some(error),
            Ok(mut stream) => {
                while lost.is_none() {
                    lost = try_next(&mut stream).await.err();
                }
                assert!(stream.next().await.is_none(), "the stream has ended");
            }
        }
        let lost = lost.unwrap();
        assert!(lost.is_history_lost() && !lost.is_retryable(), "{lost}");
        assert_eq!(lost.kind(), ErrorKind::HistoryLost);
    }
}

/// A server that keeps no log cannot be watched.
#[tokio::test]
async fn a_standalone_server_is_refused() {
    let server = model_tests::server::standalone().await;
    let builder = Db::mongo(server.fresh_database().await);
    let db = builder.model::<Beacon>().build_lazy().unwrap();
    let refused = db.sync_collections().await.err();
    let ctx = db.global_context(User::admin("ada"));
    let watched = Beacon::watch(&ctx).await.err();
    assert!(refused.is_some() || watched.is_some());
    if let Some(error) = watched {
        assert!(error.is_unsupported() || error.is_configuration(), "{error}");
    }
}

/// The collection is gone, and with it what was to be told.
#[tokio::test]
async fn a_dropped_collection_ends_the_watch() {
    let database = model_tests::server::fresh_database().await;
    let db = Db::mongo(database.clone())
        .model::<Beacon>()
        .build_lazy()
        .unwrap();
    db.sync_collections().await.unwrap();
    let ctx = db.global_context(User::admin("ada"));
    let mut stream = Beacon::watch(&ctx).await.unwrap();
    database.collection::<Document>("beacons").drop().await.unwrap();
    assert!(try_next(&mut stream).await.unwrap_err().is_history_lost());
    assert!(stream.next().await.is_none());
}

/// The embedded log forgets: who comes too late is told so.
#[tokio::test]
async fn the_embedded_log_is_bounded() {
    let db = Db::memory().model::<Beacon>().build().await.unwrap();
    let ctx = db.global_context(User::admin("ada"));
    let start = Beacon::watch(&ctx).await.unwrap().token().unwrap();
    let new = |n: u32| NewBeacon { name: n.to_string() };
    Beacon::create_many(&ctx, (0..4_096).map(new)).await.unwrap();
    let mut stream = Beacon::watch(&ctx).resume_after(&*start).await.unwrap();
    assert_eq!(next(&mut stream).await.event.after().unwrap().name, "0");
    Beacon::create_many(&ctx, (0..2).map(new)).await.unwrap();
    assert!(
        Beacon::watch(&ctx)
            .resume_after(start)
            .await
            .unwrap_err()
            .is_history_lost()
    );
    assert!(try_next(&mut stream).await.unwrap_err().is_history_lost());
    // A token of another database, as of the process that was there before.
    let other = Db::memory().model::<Beacon>().build().await.unwrap();
    let ctx = other.global_context(User::admin("ada"));
    let token = stream.token().unwrap();
    assert!(
        Beacon::watch(&ctx)
            .resume_after(token)
            .await
            .unwrap_err()
            .is_history_lost()
    );
}
