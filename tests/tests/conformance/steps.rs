//! Contract J 38: steps over whole collections, and the move of everybody into a default tenant, with new ids and every
//! reference rewritten.

use std::time::Duration;

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use futures_util::future::{Either, select};
use model_core::prelude::*;
use model_core::testing::{self, FixedClock};
use model_core::{Error, StepReport, Steps, SyncOptions};
use tokio::sync::Notify;

use crate::harness::{Stage, on_both_stores};
use crate::models::{Ctx, User, open_policy};

const MOVE: &str = "users belong to a tenant";

/// What comes of documents without names, of nobody.
#[derive(Clone, Model)]
#[model(collection = "guests", id_prefix = "gst_")]
struct Guest {
    #[model(id)]
    id: Id<Guest>,
    #[model(tenant)]
    organization: TenantId,
    #[model(unique)]
    name: String,
}

impl BaseModel for Guest {
    type Actor = User;

    open_policy!(Self, Ctx);
}

/// A database as it was before there were tenants.
struct Old {
    db: Db,
    clock: FixedClock,
}

impl Old {
    async fn open(stage: Stage) -> Self {
        let clock = stage.clock.clone();
        let db = stage.builder().clock(clock.clone()).build().await.unwrap();
        Self { db, clock }
    }

    fn job(&self) -> GlobalContext<User> {
        self.db
            .global_context(User::admin("ada"))
            .dangerously_bypass_permissions("release 4")
    }

    async fn store(&self, collection: &'static str, documents: impl IntoIterator<Item = Document>) {
        for document in documents {
            testing::store_raw(&self.db, collection, &document).await.unwrap();
        }
    }

    async fn stored(&self, collection: &'static str) -> Vec<Document> {
        testing::stored(&self.db, collection).await.unwrap()
    }

    async fn record(&self, step: &str) -> Document {
        let id = format!("step/{step}");
        let all = self.stored("__model_migrations").await;
        all.into_iter()
            .find(|record| record.get_str("_id").unwrap() == id)
            .unwrap()
    }

    /// Users with ids of every kind, messages and teams that name them.
    async fn with_users(stage: Stage) -> Self {
        let old = Self::open(stage).await;
        for (number, id) in ids().into_iter().enumerate() {
            let user = doc! { "_id": id, "email": format!("{number}@example.com") };
            old.store("legacy_users", [user]).await;
        }
        let messages = ids().into_iter().enumerate().map(|(number, user)| {
            doc! { "_id": format!("m{number}"), "_rev": 5_i64, "user": user, "text": "Hello" }
        });
        old.store("messages", messages).await;
        let first = ids()[0].as_object_id().unwrap();
        // Ids as texts, nested in arrays, absent, of nobody.
        old.store("teams", [
            doc! { "_id": 1, "owner": first.to_hex(), "members": [{ "user": ids()[9].clone() }, { "user": "nobody" }, {}] },
            doc! { "_id": "t2", "members": [] },
        ]).await;
        old
    }
}

/// Twelve ids, as years of other programs leave them.
fn ids() -> Vec<Bson> {
    let object_ids = (1..=6_u8).map(|number| Bson::ObjectId(ObjectId::from_bytes([number; 12])));
    let texts = (1..=4).map(|number| Bson::String(format!("user-{number}")));
    object_ids
        .chain(texts)
        .chain([Bson::Int32(7), Bson::Int64(8)])
        .collect()
}

/// The new id is made of the old one here; it may be any.
fn new_id(old: &Bson) -> String {
    match old {
        Bson::ObjectId(id) => format!("usr_{}", id.to_hex()),
        Bson::String(text) => format!("usr_{text}"),
        number => format!("usr_{number}"),
    }
}

fn into_tenant() -> Steps {
    Steps::new()
        .move_documents(MOVE, "legacy_users", "users", |mut user| {
            if user.get_bool("poison").unwrap_or_default() {
                return Err(Error::refused("poison"));
            }
            let id = new_id(user.get("_id").unwrap());
            user.extend(doc! { "_id": id, "organization": "default" });
            Ok(user)
        })
        .references("messages", "user")
        .references("teams", "owner")
        .references("teams", "members.user")
}

fn counts(report: &StepReport) -> (u64, u64, usize, bool) {
    (
        report.written,
        report.rewritten,
        report.failed.len(),
        report.complete,
    )
}

async fn assert_moved(old: &Old) {
    assert!(old.stored("legacy_users").await.is_empty());
    let users = old.stored("users").await;
    assert_eq!(users.len(), 12);
    for user in &users {
        assert_eq!(user.get_str("organization").unwrap(), "default");
    }
    let mut emails: Vec<_> = users.iter().map(|user| user.get_str("email").unwrap()).collect();
    emails.sort_unstable();
    emails.dedup();
    assert_eq!(emails.len(), 12);
    for (number, id) in ids().iter().enumerate() {
        let messages = old.stored("messages").await;
        let name = format!("m{number}");
        let message = messages
            .iter()
            .find(|message| message.get_str("_id").unwrap() == name)
            .unwrap();
        assert_eq!(message.get_str("user").unwrap(), new_id(id));
        assert_eq!(
            message.get_i64("_rev").unwrap(),
            6,
            "whoever has read it before writes anew"
        );
    }
    let teams = old.stored("teams").await;
    let members = vec![
        Bson::from(doc! { "user": new_id(&ids()[9]) }),
        doc! { "user": "nobody" }.into(),
        doc! {}.into(),
    ];
    assert_eq!(
        teams[0],
        doc! { "_id": 1, "owner": new_id(&ids()[0]), "members": members }
    );
    assert_eq!(teams[1], doc! { "_id": "t2", "members": [] });
}

on_both_stores! {
    /// Everybody moves once, whatever their ids were; who names them names them as they are called now.
    async fn everybody_moves_into_a_default_tenant(stage: Stage) {
        let old = Old::with_users(stage).await;
        let (steps, job) = (into_tenant(), old.job());
        let denied = steps.run(&old.db.global_context(User::admin("ada"))).await.unwrap_err();
        assert!(denied.is_forbidden(), "{denied}");
        let reports = steps.run(&job).batch(5).await.unwrap();
        assert_eq!(counts(&reports[0]), (12, 14, 0, true), "{}", reports[0]);
        assert_moved(&old).await;
        let first = Steps::moved_id(&job, MOVE, ids()[0].clone()).await.unwrap();
        assert_eq!(first, Some(new_id(&ids()[0]).into()));
        assert_eq!(Steps::moved_id(&job, MOVE, "nobody").await.unwrap(), None);
        // Once is enough, whatever comes into the old collection later.
        old.store("legacy_users", [doc! { "_id": "late" }]).await;
        let again = steps.run(&job).await.unwrap();
        assert!(again[0].was_done && again[0].complete);
        assert_eq!(old.stored("legacy_users").await.len(), 1);
        let log = old.stored("audit_log").await;
        assert_eq!(log.len(), 1);
        assert_eq!((log[0].get_str("event").unwrap(), log[0].get_str("bypass_reason").unwrap()), ("step.run", "release 4"));
    }

    /// Killed anywhere, again and again, it goes on after its last batch, and nobody moves twice.
    async fn a_killed_run_is_resumed(stage: Stage) {
        let old = Old::with_users(stage).await;
        let (steps, job) = (into_tenant(), old.job());
        let mut kills = 0;
        for delay in [0_u64, 1, 3, 5, 8, 13, 2, 4] {
            let told = Notify::new();
            let run = steps.run(&job).batch(2).throttle(Duration::from_millis(3)).lease(Duration::from_secs(30)).on_progress(|_| told.notify_one());
            let kill = async {
                told.notified().await;
                tokio::time::sleep(Duration::from_millis(delay)).await;
            };
            match select(std::pin::pin!(run.into_future()), std::pin::pin!(kill)).await {
                Either::Right(_) => {
                    kills += 1;
                    if kills == 1 {
                        let taken = steps.run(&job).await.unwrap_err();
                        assert!(taken.is_conflict(), "{taken}");
                    }
                }
                // What the killed run had sent already may come late, and then it is not over yet.
                Either::Left((Err(error), _)) => assert!(error.is_conflict(), "{error}"),
                Either::Left((Ok(_), _)) => {}
            }
            old.clock.advance(chrono::TimeDelta::minutes(1));
        }
        assert!(kills > 0);
        let last = loop {
            match steps.run(&job).await {
                Err(error) if error.is_conflict() => old.clock.advance(chrono::TimeDelta::minutes(1)),
                result => break result.unwrap(),
            }
        };
        assert!(last[0].complete);
        assert_moved(&old).await;
        let record = old.record(MOVE).await;
        assert!(record.contains_key("done_at"), "{record}");
        assert_eq!(old.stored("__model_moves").await.len(), 12);
    }

    /// Asked to, it stops after a batch, and the next run goes on at once.
    async fn a_stopped_run_goes_on(stage: Stage) {
        let old = Old::with_users(stage).await;
        let (steps, job) = (into_tenant(), old.job());
        let stopped = steps.run(&job).batch(5).stop_when(|| true).await.unwrap();
        assert_eq!((counts(&stopped[0]), stopped[0].resumed), ((5, 0, 0, false), false));
        let done = steps.run(&job).batch(5).await.unwrap();
        assert_eq!((counts(&done[0]), done[0].resumed), ((7, 14, 0, true), true));
        assert_moved(&old).await;
    }

    /// What fails stays where it is and is told; the steps after it wait.
    async fn failures_are_told_and_hold_up(stage: Stage) {
        let old = Old::with_users(stage).await;
        old.store("legacy_users", [doc! { "_id": "z", "poison": true, "name": "canary" }]).await;
        old.store("users", [doc! { "_id": new_id(&ids()[2]) }]).await;
        let sealed = bson::Binary { subtype: bson::spec::BinarySubtype::Sensitive, bytes: vec![0xE1, 1, 2] };
        old.store("legacy_users", [doc! { "_id": "s", "deep": [{ "token": sealed }] }]).await;
        let steps = into_tenant().rename("later", "teams", "groups");
        let reports = steps.run(&old.job()).batch(50).await.unwrap();
        assert_eq!((reports.len(), counts(&reports[0])), (1, (11, 0, 3, false)));
        let mut told: Vec<_> = reports[0].failed.iter().map(|error| error.id().unwrap().to_owned()).collect();
        told.sort_unstable();
        assert_eq!(told, ["030303030303030303030303", "s", "z"]);
        assert!(!format!("{reports:?}").contains("canary"));
        assert_eq!(old.stored("legacy_users").await.len(), 3);
        // Mended by hand, the next run brings the rest, and what comes after.
        for id in ["s", "z"] {
            remove(&old, id).await;
        }
        let reports = steps.run(&old.job()).await.unwrap();
        assert_eq!(counts(&reports[0]), (0, 0, 1, false), "the other document is still there");
    }

    /// Backfill, split and rename, each once, in their order; a dry run tells before, and writes nothing.
    async fn collections_change_their_shape(stage: Stage) {
        let old = Old::open(stage).await;
        let profiles = (0..7).map(|number| {
            let mut profile = doc! { "_id": format!("p{number}"), "name": format!("n {number}"), "city": "Paris" };
            if number % 2 == 0 {
                profile.insert("street", "Rue");
            }
            profile
        });
        old.store("profiles", profiles).await;
        let steps = Steps::new()
            .backfill("upper", "profiles", |mut profile| {
                let name = profile.get_str("name").unwrap().to_uppercase();
                profile.insert("name", name);
                profile.remove("city");
                Ok(profile)
            })
            .split("addresses", "profiles", "addresses", |mut profile| {
                let id = profile.get_str("_id").unwrap().to_owned();
                let part = profile.remove("street").map(|street| doc! { "_id": format!("a-{id}"), "street": street });
                Ok((profile, part))
            })
            .rename("people", "profiles", "people")
            .rename("nothing", "nowhere", "elsewhere");
        let job = old.job();
        let before = old.stored("profiles").await;
        let preview = steps.run(&job).dry_run(1).await.unwrap();
        assert_eq!((preview[0].documents, preview[0].sample[0].id.as_str()), (7, "p0"));
        assert_eq!(preview[0].sample[0].changed.as_deref().unwrap(), ["name", "city"]);
        assert_eq!(preview[1].sample[0].stored, ["addresses"]);
        assert_eq!(old.stored("profiles").await, before);
        assert!(old.stored("__model_migrations").await.is_empty() && old.stored("audit_log").await.is_empty());
        let reports = steps.run(&job).batch(3).await.unwrap();
        assert!(reports.iter().all(|report| report.complete), "{reports:?}");
        assert_eq!(reports.iter().map(|report| report.written).collect::<Vec<_>>(), [7, 4, 0, 0]);
        let people = old.stored("people").await;
        assert_eq!(people[0], doc! { "_id": "p0", "name": "N 0" });
        assert_eq!((people.len(), old.stored("addresses").await.len()), (7, 4));
        assert!(old.stored("profiles").await.is_empty());
        assert!(steps.run(&job).dry_run(1).await.unwrap().iter().all(|preview| preview.was_done));
    }

    /// A step comes before the unique indexes of the new model, which what it finds does not allow yet.
    async fn a_step_comes_before_the_indexes(stage: Stage) {
        let clock = stage.clock.clone();
        let db = stage.builder().clock(clock.clone()).model::<Guest>().build_lazy().unwrap();
        let old = Old { db, clock };
        for number in 0..3 {
            old.store("guests", [doc! { "_id": format!("gst_{number}"), "mail": " SAME@example.com" }]).await;
        }
        // All of no tenant and with no name.
        let too_soon = old.db.sync_indexes(SyncOptions::default()).await.unwrap_err();
        assert!(too_soon.is_duplicate(), "{too_soon}");
        let steps = Steps::new().backfill("guests have names", "guests", |mut guest| {
            let name = guest.get_str("_id").unwrap().replace("gst_", "guest ");
            guest.extend(doc! { "organization": "default", "name": name });
            Ok(guest)
        });
        let reports = steps.run(&old.job()).await.unwrap();
        assert_eq!(counts(&reports[0]), (3, 0, 0, true));
        old.db.sync_indexes(SyncOptions::default()).await.unwrap();
        let ctx = old.db.context(TenantId::new("default").unwrap(), User::admin("ada"));
        assert_eq!(Guest::get_by(&ctx, |g| g.name.eq("guest 1")).await.unwrap().unwrap().name, "guest 1");
        let again = Guest::create(&ctx, NewGuest { name: "guest 1".into() }).await.unwrap_err();
        assert!(again.is_duplicate(), "{again}");
        // The pass is in the log, as each is.
        let log = old.stored("audit_log").await;
        assert_eq!(log.iter().filter(|entry| entry.get_str("event").unwrap() == "step.run").count(), 1);
    }

    /// Steps that cannot be meant are refused before anything is done.
    async fn nonsense_is_refused(stage: Stage) {
        let old = Old::open(stage).await;
        let same = |document| Ok(document);
        let wrong = [
            Steps::new().rename("a", "x", "y").rename("a", "y", "z"),
            Steps::new().move_documents("a", "x", "x", same),
            Steps::new().backfill("a", "audit_log", same),
            Steps::new().rename("a", "__model_keys", "keys"),
            Steps::new().backfill("a", "x", same).references("y", "z"),
        ];
        for steps in wrong {
            let error = steps.run(&old.job()).await.unwrap_err();
            assert!(error.is_configuration(), "{error}");
        }
        assert!(old.stored("__model_migrations").await.is_empty());
        old.store("x", [doc! { "_id": 1 }]).await;
        let changes_id = Steps::new().backfill("b", "x", |_| Ok(doc! { "_id": 2 }));
        let reports = changes_id.run(&old.job()).await.unwrap();
        assert_eq!(counts(&reports[0]), (0, 0, 1, false));
        old.store("y", [doc! { "_id": 1 }]).await;
        let taken = Steps::new().rename("c", "x", "y").run(&old.job()).await.unwrap_err();
        assert!(taken.to_string().contains("NamespaceExists"), "{taken}");
    }
}

/// Another client's delete: as a step of its own, which moves the document away.
async fn remove(old: &Old, id: &'static str) {
    let name: &'static str = if id == "s" { "drop s" } else { "drop z" };
    let steps = Steps::new().move_documents(name, "legacy_users", "bin", move |document| {
        if document.get_str("_id").is_ok_and(|found| found == id) {
            Ok(doc! { "_id": id })
        } else {
            Err(Error::refused("not this one"))
        }
    });
    steps.run(&old.job()).await.unwrap();
}
