//! The verbs on a real MongoDB, against the bare driver's typed collection that sends the same commands: instructions,
//! allocations, wall time and CPU time, one after the other and by many tasks at a time.

use std::path::Path;
use std::process::Command;

use model_tests::server;

use crate::report::{self, Row};
use crate::rounds::{Series, Variant, take};
use crate::stage::{Databases, Side, Stage, Verb};
use crate::valgrind;

/// How many tasks there are where there are many.
const TASKS: usize = 64;
/// The ratio to the bare driver that wakes somebody up.
const ALARM: f64 = 1.10;
/// The ratio to the bare driver that is to be reached.
const AIM: f64 = 1.05;
/// The same of the wall time, where many tasks wait for one another.
const AIM_TOGETHER: f64 = 1.10;

/// The row with its limits.
fn judged(row: Row, verb: Verb) -> Row {
    match verb {
        // Nothing is decoded by way of serde.
        Verb::Query | Verb::QuerySome => row.at_most(0.70).aims_at(0.62),
        _ => row.at_most(ALARM).aims_at(AIM),
    }
}

/// The row of instructions with its limits, which are near what was last counted, since counts repeat.
fn counted_row(row: Row, verb: Verb) -> Row {
    let most = match verb {
        Verb::Create => 1.05,
        Verb::CreateMany | Verb::Get => 0.93,
        Verb::Update => 1.10,
        Verb::Query | Verb::QuerySome => 0.50,
        Verb::CreateAudited => 1.02,
        Verb::CreateManyAudited => 0.70,
        Verb::UpdateAudited => 1.05,
    };
    judged(row, verb).at_most(most)
}

/// How often a verb is done in the shorter of two counted runs.
fn counted(verb: Verb) -> u64 {
    if verb.is_large() { 3 } else { 200 }
}

/// What one verb does on one side, as a program of its own.
fn probe(probe: &Path, database: &str, uri: &str, verb: Verb, side: Side, times: &str) -> Command {
    let mut command = Command::new(probe);
    command
        .args([database, verb.name(), &format!("{side:?}"), times])
        .env("MONGODB_URI", uri);
    command
}

/// The instructions of this process alone, counted by valgrind in a process of its own: what the library and the driver
/// do, without the waiting.
///
/// # Panics
/// If there is no server or no valgrind.
pub async fn count(program: &Path, verbs: &[Verb]) -> Vec<Row> {
    let databases = Databases::new().await;
    let uri = server::server().await.uri();
    let mut rows = Vec::new();
    for &verb in verbs {
        let database = databases.of(verb).name();
        let of = |side| {
            valgrind::instructions(counted(verb), |times| {
                probe(program, database, uri, verb, side, times)
            })
        };
        let row = Row::exact(verb.name(), "instructions", of(Side::Ours), of(Side::Bare));
        rows.extend(report::show([counted_row(row, verb)]));
    }
    databases.drop().await;
    rows
}

/// The blocks of memory that each verb asks for, and the code that it runs through, counted in the same way.
///
/// # Panics
/// If there is no server or no valgrind.
pub async fn allocations_and_code(program: &Path, verbs: &[Verb]) -> Vec<Row> {
    let databases = Databases::new().await;
    let uri = server::server().await.uri();
    let mut rows = Vec::new();
    for &verb in verbs {
        let database = databases.of(verb).name();
        let of = |side| {
            let program = |times: &str| probe(program, database, uri, verb, side, times);
            let blocks = valgrind::allocations(counted(verb), program);
            (blocks, valgrind::code(counted(verb), program) / 1024.0)
        };
        let (ours, bare) = (of(Side::Ours), of(Side::Bare));
        let blocks = Row::exact(verb.name(), "allocations", ours.0, bare.0);
        let code = Row::exact(verb.name(), "KiB of code", ours.1, bare.1);
        rows.extend(report::show([blocks, code]));
    }
    databases.drop().await;
    rows
}

/// Where the instructions of some verbs go, layer by layer, on both sides.
///
/// # Panics
/// If there is no server or no valgrind.
pub async fn profile(program: &Path) {
    let databases = Databases::new().await;
    let uri = server::server().await.uri();
    for verb in Verb::COUNTED {
        let database = databases.of(verb).name();
        let of = |side| {
            valgrind::profile(counted(verb), |times| {
                probe(program, database, uri, verb, side, times)
            })
        };
        report::layers(verb.name(), &of(Side::Ours), &of(Side::Bare));
    }
    databases.drop().await;
}

/// How long each verb is measured.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Rounds of single operations.
    pub rounds: usize,
    /// Single operations of each kind in a round.
    pub times: usize,
    /// Rounds of what is thousands of documents each time.
    pub large: usize,
}

impl Effort {
    fn of(self, verb: Verb) -> (usize, usize) {
        if verb.is_large() {
            (self.large, 1)
        } else {
            (self.rounds, self.times)
        }
    }
}

/// Measures the time of all verbs, one after the other.
///
/// # Panics
/// If there is no server.
pub async fn time(effort: Effort) -> Vec<Row> {
    let databases = Databases::new().await;
    let mut rows = Vec::new();
    for verb in Verb::ALL {
        let stage = &Stage::new(databases.of(verb).clone()).await;
        let variant = |side| Variant::new(move |times| stage.run(verb, side, times));
        let (rounds, times) = effort.of(verb);
        let series = if verb == Verb::Query {
            let variants = [Side::Ours, Side::Bare, Side::Batched, Side::Floor].map(variant);
            let [ours, bare, batched, floor] = take(variants, rounds, times).await;
            rows.extend(report::show(both("floor: batches, no decode", &floor, &bare)));
            let name = format!("{}, equal batches", verb.name());
            let batched = both(&name, &ours, &batched).map(|row| judged(row, verb));
            rows.extend(report::show(batched));
            [ours, bare]
        } else {
            take([variant(Side::Ours), variant(Side::Bare)], rounds, times).await
        };
        let [ours, bare] = &series;
        let judged = both(verb.name(), ours, bare).map(|row| judged(row, verb));
        rows.extend(report::show(judged));
    }
    databases.drop().await;
    rows
}

/// Measures the time of all verbs, by sixty-four tasks at a time.
///
/// # Panics
/// If there is no server.
pub async fn time_together(effort: Effort) -> Vec<Row> {
    let databases = Databases::new().await;
    let mut rows = Vec::new();
    for verb in Verb::TOGETHER {
        let stage = &Stage::new(databases.of(verb).clone()).await;
        let variant = |side| Variant::new(move |times| stage.run_together(verb, side, times, TASKS));
        let (rounds, times) = effort.of(verb);
        // As many for each task as there are one after the other.
        let times = if verb.is_large() {
            TASKS
        } else {
            TASKS * times.div_ceil(8)
        };
        let [ours, bare] = take([variant(Side::Ours), variant(Side::Bare)], rounds, times).await;
        let name = format!("{TASKS} tasks, {}", verb.name());
        let [mut wall, cpu] = both(&name, &ours, &bare).map(|row| judged(row, verb));
        if verb != Verb::QuerySome {
            wall = wall.aims_at(AIM_TOGETHER);
        }
        rows.extend(report::show([wall, cpu]));
    }
    databases.drop().await;
    rows
}

fn both(name: &str, ours: &Series, bare: &Series) -> [Row; 2] {
    [
        Row::sampled(name, "wall us", &ours.wall, &bare.wall),
        Row::sampled(name, "CPU us", &ours.cpu, &bare.cpu),
    ]
}
