//! 26: a process that re-encrypts is killed by a signal that it cannot see, and another one goes on: no value is lost, what
//! fails is listed, and a run after it finds nothing to do.

use std::process::Stdio;
use std::time::Duration;

use bson::{Bson, Document, doc};
use chrono::TimeDelta;
use model_core::crypto::Purpose;
use model_core::prelude::*;
use model_core::testing::{self, FixedClock};
use model_core::{ModelExt, ReencryptReport};
use model_tests::server;
use mongodb::Database;

use crate::{User, child, open_policy};

const TOTAL: usize = 240;
const KILLS: usize = 3;
/// Before and after the rotation.
const DAYS: [&str; 2] = ["2026-03-01T09:00:00Z", "2026-03-02T09:00:00Z"];

#[derive(Clone, Model)]
#[model(collection = "deposits")]
struct Deposit {
    #[model(id)]
    id: Id<Deposit>,
    #[model(tenant)]
    organization: TenantId,
    number: i64,
    token: Encrypted<String>,
}

impl BaseModel for Deposit {
    type Actor = User;
    open_policy!();
}

async fn open(database: Database, day: &str) -> (Db, FixedClock) {
    let clock = FixedClock::at(day);
    let builder = Db::mongo(database).keys(testing::keyring().unwrap());
    let db = builder.clock(clock.clone()).model::<Deposit>().build().await;
    (db.unwrap(), clock)
}

fn job(db: &Db) -> Context<User> {
    let acme = TenantId::new("acme").unwrap();
    db.context(acme, User).dangerously_bypass_permissions("rotation")
}

/// The process that is killed.
#[tokio::test]
#[ignore = "a part of the next"]
async fn a_process_that_reencrypts() {
    let Some(database) = child::database().await else {
        return;
    };
    let (db, _clock) = open(database, DAYS[1]).await;
    let slowly = |_: &ReencryptReport| std::thread::sleep(Duration::from_millis(40));
    Deposit::reencrypt(&job(&db))
        .batch(5)
        .on_progress(slowly)
        .await
        .unwrap();
}

/// Puts a document's token in another one's place: it does not open there.
async fn swap_tokens(database: &Database, from: i64, to: i64) {
    let deposits = database.collection::<Document>("deposits");
    let found = deposits.find_one(doc! { "number": from }).await.unwrap().unwrap();
    let set = doc! { "$set": { "token": found.get("token").cloned() } };
    deposits.update_one(doc! { "number": to }, set).await.unwrap();
}

async fn stored(db: &Db) -> Vec<(i64, Bson)> {
    let all = testing::stored(db, "deposits").await.unwrap();
    all.into_iter()
        .map(|found| {
            (
                found.get_i64("number").unwrap(),
                found.get("token").cloned().unwrap(),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_reencryption_goes_on() {
    let database = server::fresh_database().await;
    let (db, clock) = open(database.clone(), DAYS[0]).await;
    let new = (0..TOTAL).map(|number| NewDeposit {
        number: number as i64,
        token: Secret::from(format!("token {number}")),
    });
    Deposit::create_many(&job(&db), new).await.unwrap();
    swap_tokens(&database, 3, 7).await;
    swap_tokens(&database, 5, TOTAL as i64 - 2).await;
    let keys = db.keys(ActorIdentity::system("rotation"));
    let acme = TenantId::new("acme").unwrap();
    let key = keys.stage(Purpose::Enc, Some(&acme)).await.unwrap();
    clock.advance(TimeDelta::hours(20));
    keys.promote(key).await.unwrap();
    let outdated = async || {
        let found = Deposit::reencrypt(&job(&db)).inspect().await.unwrap();
        assert_eq!(found.current + found.outdated, TOTAL as u64, "nothing is lost");
        found.outdated
    };
    let mut left = outdated().await;
    assert_eq!(left, TOTAL as u64);
    for number in 0..KILLS {
        let mut process = child::command("killed::a_process_that_reencrypts", database.name())
            .await
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while outdated().await + 15 > left {
            assert!(process.try_wait().unwrap().is_none(), "it ends by itself");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(13 * number as u64)).await;
        process.kill().unwrap();
        assert_eq!(process.wait().unwrap().code(), None, "it was killed");
        let now = outdated().await;
        assert!(now < left && now > 2, "{now} of {left}");
        left = now;
    }
    // From where the killed ones were: what lies under the new key already is left as it is.
    let done = Deposit::reencrypt(&job(&db)).batch(50).await.unwrap();
    assert_eq!(
        (done.scanned, done.rewritten, done.failed.len()),
        (TOTAL as u64, left - 2, 2)
    );
    for failed in &done.failed {
        assert!(
            failed.is_crypto() && failed.path() == Some("token") && failed.id().is_some(),
            "{failed}"
        );
    }
    let before = stored(&db).await;
    let again = Deposit::reencrypt(&job(&db)).batch(50).await.unwrap();
    assert_eq!((again.rewritten, again.failed.len()), (0, 2));
    assert_eq!(stored(&db).await, before, "a second run changes nothing");
    for deposit in Deposit::query(&job(&db)).await.unwrap() {
        let opened = deposit.token.reveal(&job(&db)).await;
        if deposit.number == 7 || deposit.number == TOTAL as i64 - 2 {
            assert!(opened.unwrap_err().is_crypto());
        } else {
            assert_eq!(*opened.unwrap().expose(), format!("token {}", deposit.number));
        }
    }
}
