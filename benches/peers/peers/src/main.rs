//! `model-core` beside other libraries: the same work on the same server, in turns.
//!
//! `./run` builds and starts it. It prints for each verb how long everybody takes, as a ratio to the bare driver, and keeps
//! the rows, ours to each other's, in `../results/peers-<date>-<commit>.json`.

mod child;
mod table;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use model_benches::document::{Row as Stored, row};
use model_benches::report::{self, Row};
use model_benches::rounds::{Variant, take_all};
use model_benches::stage::{Side, Stage, Verb as Ours};
use model_tests::server::server;
use mongodb::Database;
use turns::{DOCUMENTS, Verb};

use crate::child::Child;

/// The database's name: some libraries want it at compile time.
const DATABASE: &str = "peers";

/// Who is measured beside us: the name in a table, the program, the name in a line.
const PEERS: [(&str, Program, &str); 15] = [
    ("bare driver 3.9, bson 2", Program::Rust("driver3"), "bare"),
    ("oximod 1.0.1", Program::Rust("driver3"), "oximod"),
    (BY_ID, Program::Rust("driver3"), "oximod-by-id"),
    ("mongodm 0.10.2", Program::Rust("driver3"), "mongodm"),
    ("manor 0.2.5", Program::Rust("driver3"), "manor"),
    ("rustling-data 0.1.0", Program::Rust("driver3"), "rustling-data"),
    ("mongo-orm 0.7.0", Program::Rust("driver3"), "mongo-orm"),
    ("mongodb-ro 2.3.0", Program::Rust("driver3"), "mongodb-ro"),
    ("bare driver 2.8", Program::Rust("driver2"), "bare"),
    ("mongoose (Rust) 0.6.2", Program::Rust("driver2"), "mongoose"),
    ("wither 0.9.0, driver 1.2", Program::Rust("driver1"), "wither"),
    ("Mongoose 9.12.1 (Node)", Program::Node, "mongoose"),
    ("Mongoose, .lean()", Program::Node, "mongoose-lean"),
    ("Beanie 2.2.0 (Python)", Program::Python, "beanie"),
    ("bare driver 3.9, again", Program::Here, "bare"),
];

/// What asks for no tenant: the server looks such a document up without a plan.
const BY_ID: &str = "oximod, by id alone";

/// Where somebody is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    /// A member of this workspace.
    Rust(&'static str),
    Node,
    Python,
    /// In this process: tells how much chance there is in a ratio.
    Here,
}

impl Program {
    fn command(self, programs: &Path) -> Option<(PathBuf, Option<PathBuf>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        match self {
            Self::Rust(name) => Some((programs.join(name), None)),
            Self::Node => Some(("node".into(), Some(folder.join("node/peer.js")))),
            Self::Python => Some((
                folder.join("python/venv/bin/python"),
                Some(folder.join("python/peer.py")),
            )),
            Self::Here => None,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let rounds = env::args()
        .nth(1)
        .map_or(30, |rounds| rounds.parse().expect("a number of rounds"));
    let programs = env::var_os("PEERS_PROGRAMS")
        .map_or_else(|| env::current_exe().unwrap().with_file_name(""), PathBuf::from);
    let uri = server().await.uri();
    let database = server().await.client().await.database(DATABASE);
    fill(&database).await;

    let uri = uri.replacen("/?", &format!("/{DATABASE}?"), 1);
    let mut started: Vec<(Program, Child)> = Vec::new();
    for (name, program, _) in PEERS {
        let Some((command, script)) = program.command(&programs) else {
            continue;
        };
        if started.iter().any(|(other, _)| *other == program) {
            continue;
        }
        match Child::start(&command, script.as_deref(), &uri).await {
            Ok(child) => started.push((program, child)),
            Err(error) => println!("{name} is left out: {error}"),
        }
    }
    let stage = &Stage::new(database.clone()).await;
    let mut table = table::Table::new(PEERS.map(|(name, ..)| name));
    let mut rows = Vec::new();
    for verb in Verb::ALL {
        rows.extend(measure(verb, rounds, stage, &database, &started, &mut table).await);
    }
    table.print();
    report::heading("model-core, with all it guarantees, beside each of them (`bare` stands for the other)");
    let rows: Vec<Row> = report::show(rows).collect();
    report::keep_as("peers", &rows);
    model_tests::server::drop_database(database).await;
    report::verdict(&rows)
}

/// Everybody in turns; gives our ratio to each of the others.
async fn measure(
    verb: Verb,
    rounds: usize,
    stage: &Stage,
    database: &Database,
    started: &[(Program, Child)],
    table: &mut table::Table,
) -> Vec<Row> {
    let large = matches!(verb, Verb::Read | Verb::InsertMany);
    let times = if large { 1 } else { 40 };
    let rounds = if large { rounds.div_ceil(2) } else { rounds };
    let mut names = vec!["model-core", "bare driver 3.9"];
    let mut variants = vec![
        here(verb, database, move |times| ours(verb, stage, times)),
        bare(verb, stage, database),
    ];
    for (name, program, line) in PEERS {
        if program == Program::Here {
            names.push(name);
            variants.push(bare(verb, stage, database));
        } else if let Some((_, child)) = started.iter().find(|(other, _)| *other == program)
            && child.does(line, verb).await
        {
            names.push(name);
            variants.push(Variant::reporting(move |times| async move {
                emptied(verb, database).await;
                child.take(line, verb, times).await.expect("it does it")
            }));
        }
    }
    let series = take_all(&variants, rounds, times).await;
    let (own, bare) = (&series[0], &series[1]);
    let mut rows = Vec::new();
    for (name, theirs) in names.iter().zip(&series) {
        table.put(verb, name, &theirs.wall, &bare.wall);
        if *name == "model-core" {
            continue;
        }
        let row = Row::sampled(
            format!("{}: {name}", table::title(verb)),
            "wall us",
            &own.wall,
            &theirs.wall,
        );
        // An update that is judged takes a command more than one that is not: only who is not in Rust has to stay behind even so.
        let is_foreign = ["Mongoose", "Beanie"]
            .iter()
            .any(|foreign| name.starts_with(foreign));
        let is_peer = !name.starts_with("bare") && *name != BY_ID && (verb != Verb::Update || is_foreign);
        rows.push(if is_peer {
            row.at_most(1.05).aims_at(1.0)
        } else {
            row
        });
    }
    rows
}

/// Work of this process, on a collection that is emptied before the clock starts.
fn here<'a, F: Future<Output = ()> + 'a>(
    verb: Verb,
    database: &'a Database,
    work: impl Fn(usize) -> F + Copy + 'a,
) -> Variant<'a> {
    Variant::reporting(move |times| async move {
        emptied(verb, database).await;
        let start = Instant::now();
        work(times).await;
        start.elapsed()
    })
}

fn bare<'a>(verb: Verb, stage: &'a Stage, database: &'a Database) -> Variant<'a> {
    here(verb, database, move |times| by_hand(verb, stage, times))
}

async fn by_hand(verb: Verb, stage: &Stage, times: usize) {
    match verb {
        Verb::Get => stage.run(Ours::Get, Side::Bare, times).await,
        Verb::Read => stage.run(Ours::Query, Side::Bare, times).await,
        Verb::Update => {
            for _ in 0..times {
                stage.bare_set().await;
            }
        }
        Verb::Judged => stage.run(Ours::Update, Side::Bare, times).await,
        Verb::Insert => stage.run(Ours::Create, Side::Bare, times).await,
        Verb::InsertMany => stage.bare_insert(DOCUMENTS).await,
    }
}

async fn ours(verb: Verb, stage: &Stage, times: usize) {
    match verb {
        Verb::Get => stage.run(Ours::Get, Side::Ours, times).await,
        Verb::Read => stage.run(Ours::Query, Side::Ours, times).await,
        Verb::Update | Verb::Judged => stage.run(Ours::Update, Side::Ours, times).await,
        Verb::Insert => stage.run(Ours::Create, Side::Ours, times).await,
        Verb::InsertMany => stage.create_many(DOCUMENTS).await,
    }
}

async fn fill(database: &Database) {
    database.drop().await.unwrap();
    let widgets = database.collection::<Stored>("widgets");
    widgets.insert_many((0..DOCUMENTS).map(row)).await.unwrap();
}

/// Whoever adds thousands of documents finds an empty collection.
async fn emptied(verb: Verb, database: &Database) {
    if verb == Verb::InsertMany {
        database.collection::<Stored>("widgets").drop().await.unwrap();
        database.create_collection("widgets").await.unwrap();
    }
}
