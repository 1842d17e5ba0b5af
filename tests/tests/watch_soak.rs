//! A consumer of changes in a process of its own, killed by a signal that it cannot see while others write, and started again
//! from the token that it stored last: each event at least once, none lost, none of another tenant.
//! `MODEL_TEST_SIZE=full` makes, changes and deletes 50,000 documents, a number that many; `MODEL_TEST_SEED` sets the seed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use model_core::prelude::*;
use model_core::{Event, ModelExt, Watched};
use mongodb::{Client, Database};

/// Where the consumer finds the server, the database, and its own files.
const URI: &str = "WATCH_SOAK_URI";
const DATABASE: &str = "WATCH_SOAK_DATABASE";
const FOLDER: &str = "WATCH_SOAK_FOLDER";
/// After how many events it is to be killed before it stores the token.
const BETWEEN: &str = "WATCH_SOAK_BETWEEN";

#[derive(Clone)]
struct Robot;

impl Actor for Robot {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::system("soak")
    }
}

type Ctx = Context<Robot>;

#[derive(Clone, Model)]
#[model(collection = "parcels", id = string, watch)]
struct Parcel {
    #[model(id)]
    id: Id<Parcel>,
    #[model(tenant)]
    organization: TenantId,
    name: String,
    weight: i64,
}

impl BaseModel for Parcel {
    type Actor = Robot;

    fn can_read(&self, _ctx: &Ctx) -> bool {
        // What the scope leaves out is judged on the server and here.
        self.weight < 1_000
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

    fn read_scope(_ctx: &Ctx) -> Filter<Self> {
        Self::filter(|p| p.weight.lt(1_000))
    }
}

fn open(database: Database) -> Db {
    Db::mongo(database).model::<Parcel>().build_lazy().unwrap()
}

fn size() -> i64 {
    match std::env::var("MODEL_TEST_SIZE") {
        Ok(size) if size == "full" => 50_000,
        Ok(size) => size.parse().unwrap_or(300),
        Err(_) => 300,
    }
}

fn told(watched: &Watched<Parcel>) -> String {
    match &watched.event {
        Event::Created(parcel) => format!("+ {}", parcel.name),
        Event::Updated { before, after, .. } => format!("{} -> {}", before.name, after.name),
        Event::Deleted(parcel) => format!("- {}", parcel.name),
        other => panic!("{other:?}"),
    }
}

/// Deals with an event by a line in a file, and then stores its token: a kill between the two is seen as a line that comes twice.
/// If it is told to, it waits for that kill between the two, at one of its events.
async fn consume(folder: &Path) {
    let mut until_between: Option<u64> = std::env::var(BETWEEN).ok().and_then(|events| events.parse().ok());
    let client = Client::with_uri_str(std::env::var(URI).unwrap()).await.unwrap();
    let db = open(client.database(&std::env::var(DATABASE).unwrap()));
    let ctx = db.context(TenantId::new("acme").unwrap(), Robot);
    let token = fs::read_to_string(folder.join("token")).unwrap();
    let mut stream = Parcel::watch(&ctx).resume_after(token).await.unwrap();
    let mut lines = OpenOptions::new()
        .append(true)
        .open(folder.join("lines"))
        .unwrap();
    while let Some(watched) = stream.try_next().await.unwrap() {
        lines
            .write_all(format!("{}\n", told(&watched)).as_bytes())
            .unwrap();
        until_between = until_between.map(|events| events - 1);
        if until_between == Some(0) {
            fs::write(folder.join("between"), "").unwrap();
            std::future::pending::<()>().await;
        }
        // A file is replaced as a whole, or not at all.
        fs::write(folder.join("next"), &watched.token).unwrap();
        fs::rename(folder.join("next"), folder.join("token")).unwrap();
    }
}

/// The consumer's own process is this test, started by the other one; by itself it has nothing to do.
#[tokio::test]
async fn the_consumer() {
    if let Ok(folder) = std::env::var(FOLDER) {
        consume(&PathBuf::from(folder)).await;
    }
}

fn start(uri: &str, database: &str, folder: &Path, between: Option<u64>) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .envs(between.map(|events| (BETWEEN, events.to_string())))
        .args(["--exact", "the_consumer", "--nocapture"])
        .env(URI, uri)
        .env(DATABASE, database)
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// How much the consumer has dealt with, in bytes.
fn length(folder: &Path) -> u64 {
    fs::metadata(folder.join("lines")).unwrap().len()
}

/// xorshift: the same seed, the same kills.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

async fn write(ctx: Ctx, writer: &'static str, count: i64) {
    for n in 0..count {
        let name = format!("{writer}{n}");
        // Every tenth is too heavy to be seen.
        let weight = if n % 10 == 9 { 1_000 } else { n % 100 };
        let new = NewParcel {
            name: name.clone(),
            weight,
        };
        let one = Parcel::create(&ctx, new).await.unwrap();
        if weight == 1_000 {
            continue;
        }
        let patch = ParcelPatch {
            name: Set(format!("{name}*")),
            ..Default::default()
        };
        Parcel::update(&ctx, &one.id, patch).await.unwrap();
        assert!(Parcel::delete(&ctx, &one.id).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_goes_on_where_it_was() {
    let seed = std::env::var("MODEL_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let mut seed: u64 = seed.unwrap_or(0x5EED);
    eprintln!("MODEL_TEST_SEED={seed}");
    let server = model_tests::server::server().await;
    let database = server.fresh_database().await;
    let db = open(database.clone());
    db.sync_collections().await.unwrap();
    let context = |tenant: &str| db.context(TenantId::new(tenant).unwrap(), Robot);
    let (ctx, rival) = (context("acme"), context("globex"));
    let folder = std::env::temp_dir().join(format!("model-watch-{}", database.name()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("lines"), "").unwrap();
    let token = Parcel::watch(&ctx).await.unwrap().token().unwrap();
    fs::write(folder.join("token"), token).unwrap();
    let count = size();
    let writers = [("a", &ctx), ("b", &ctx), ("rival", &rival)];
    let writers = writers.map(|(name, ctx)| tokio::spawn(write(ctx.clone(), name, count)));
    let expected = expected(count);
    // What was told last when it was killed before it had stored the token.
    let mut between = Vec::new();
    let (mut kills, end) = (
        0,
        Instant::now() + Duration::from_secs(if count > 1_000 { 3_600 } else { 180 }),
    );
    let lines = loop {
        // Every other time it is killed between an event and its token.
        let waits = (kills % 2 == 1).then(|| 1 + random(&mut seed) % (count.unsigned_abs() / 8 + 1));
        let mut child = start(server.uri(), database.name(), &folder, waits);
        // It takes a moment to start, and is killed somewhere in its work.
        let before = length(&folder);
        let started = Instant::now();
        let works = || match waits {
            Some(_) => folder.join("between").exists(),
            None => length(&folder) > before,
        };
        while !works() && started.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if waits.is_none() {
            tokio::time::sleep(Duration::from_millis(random(&mut seed) % 400)).await;
        }
        assert!(child.try_wait().unwrap().is_none(), "it has no end of its own");
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), None, "it was killed: {status}");
        kills += 1;
        let lines = fs::read_to_string(folder.join("lines")).unwrap();
        let distinct: BTreeSet<&str> = lines.lines().collect();
        let was_between = fs::remove_file(folder.join("between")).is_ok();
        if distinct.len() >= expected.len() {
            break lines;
        }
        if was_between {
            between.extend(lines.lines().last().map(str::to_owned));
        }
        assert!(Instant::now() < end, "{} of {}", distinct.len(), expected.len());
    };
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(
        !between.is_empty(),
        "it was not killed between an event and its token"
    );
    for told in &between {
        let times = lines.lines().filter(|line| line == told).count();
        assert!(
            times > 1,
            "{told} was dealt with, its token was not stored, and it came {times} times"
        );
    }
    let mut first = BTreeMap::new();
    for (place, line) in lines.lines().enumerate() {
        first.entry(line.to_owned()).or_insert(place);
    }
    for told in expected.chunks(3) {
        let places: Vec<_> = told.iter().map(|told| first.remove(told)).collect();
        assert!(
            places.iter().all(Option::is_some) && places.is_sorted(),
            "{told:?}: {places:?}"
        );
    }
    assert!(first.is_empty(), "events of others: {first:?}");
    assert!(kills > 1, "it was not killed while there was work");
    eprintln!(
        "{kills} kills, {} of them between an event and its token; {} events, {} of them told twice",
        between.len(),
        expected.len(),
        lines.lines().count() - expected.len()
    );
    fs::remove_dir_all(&folder).unwrap();
}

/// What happens to one document after the other, three events each.
fn expected(count: i64) -> Vec<String> {
    let seen = ["a", "b"].into_iter().flat_map(|writer| {
        let light = (0..count).filter(|n| n % 10 != 9);
        light.map(move |n| format!("{writer}{n}"))
    });
    seen.flat_map(|name| {
        [
            format!("+ {name}"),
            format!("{name} -> {name}*"),
            format!("- {name}*"),
        ]
    })
    .collect()
}
