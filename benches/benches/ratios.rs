//! Prints every ratio, and keeps them in `benches/results/latest.json`:
//!
//! ```text
//! cargo bench -p model-benches                    codec and server
//! cargo bench -p model-benches -- --short         instruction counts alone, judged; for CI
//! cargo bench -p model-benches -- --compile [--models 100]
//! ```

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::env;
use std::path::Path;
use std::process::ExitCode;

use model_benches::codec::{self, PAIRS};
use model_benches::report::{self, Row};
use model_benches::rounds::{self, Variant};
use model_benches::server::{self, Effort};
use model_benches::{compile, instructions};

/// By how much a limit on instructions may be missed before it counts: another compiler counts otherwise.
const MARGIN: f64 = 0.05;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    codec::assert_equal();
    if has("--compile") {
        let models = arguments.iter().skip_while(|argument| *argument != "--models").nth(1);
        let models = models.map_or(100, |count| count.parse().expect("--models takes a number"));
        return judged(&compile::measure(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile").as_path(), models));
    }
    let mut rows = count();
    if has("--short") {
        return judged(&rows);
    }
    rows.extend(time().await);
    report::heading("Verbs against the bare driver, the same commands, sequential");
    let effort = Effort {
        rounds: 60,
        times: 40,
        queries: 40,
    };
    rows.extend(report::show(server::measure(effort).await));
    report::keep(&rows);
    judged(&rows)
}

/// Fails where a limit on what does not depend on the machine's mood is broken.
fn judged(rows: &[Row]) -> ExitCode {
    let over = rows.iter().any(|row| row.interval.is_none() && row.is_over(MARGIN));
    if over { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The codec by instructions.
fn count() -> Vec<Row> {
    report::heading("Codec against serde, instructions");
    let probe = Path::new(env!("CARGO_BIN_EXE_codec-probe"));
    PAIRS
        .iter()
        .flat_map(|pair| {
            let count = instructions::count(probe, pair);
            let row = Row::exact(pair.name, "instructions", count.ours, count.theirs);
            report::show(vec![row.at_most(pair.target)])
        })
        .collect()
}

/// The codec by time.
async fn time() -> Vec<Row> {
    report::heading("Codec against serde, time");
    let mut rows = Vec::new();
    for pair in &PAIRS {
        let side = |work: fn(u64)| Variant::computing(move |times| work(times as u64));
        let [ours, theirs] = rounds::take([side(pair.ours), side(pair.theirs)], 30, 2_000).await;
        rows.extend(report::show(vec![Row::sampled(
            pair.name,
            "wall us",
            &ours.wall,
            &theirs.wall,
        )]));
    }
    rows
}
