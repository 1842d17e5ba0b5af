//! Prints every ratio, and keeps them in `benches/results/latest.json`:
//!
//! ```text
//! cargo bench -p model-benches                    codec and verbs
//! cargo bench -p model-benches -- --short         instruction counts of the codec alone; for CI
//! cargo bench -p model-benches -- --instructions  instruction counts of the verbs alone
//! cargo bench -p model-benches -- --populate      references, loaded together
//! cargo bench -p model-benches -- --load [--short | --seconds 60]
//! cargo bench -p model-benches -- --secrets
//! cargo bench -p model-benches -- --compile [--models 100]
//! ```
//!
//! It fails where a limit is broken that does not depend on how busy the machine is.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that does not run has nobody to report to but a terminal"
)]

use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use model_benches::report::{self, Row};
use model_benches::server::{self, Effort};
use model_benches::{codec, compile, load, populate, secrets};

/// By how much a limit may be missed before it counts: another compiler makes other instructions.
const MARGIN: f64 = 0.05;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let number = |flag: &str, default: usize| {
        let mut value = arguments.iter().skip_while(|argument| *argument != flag).skip(1);
        value
            .next()
            .map_or(default, |count| count.parse().expect("the flag takes a number"))
    };
    if has("--load") {
        report::heading("Many tasks against the bare driver, the same commands");
        let seconds = number("--seconds", if has("--short") { 5 } else { 60 }) as u64;
        return judged(&load::run(Duration::from_secs(seconds)).await);
    }
    if has("--populate") {
        report::heading("References against a hand-written `$in`, the same commands");
        return judged(&populate::time(60).await);
    }
    if has("--secrets") {
        report::heading("Sealing and opening against bare AES-GCM with a nonce from the system");
        let mut rows = secrets::envelopes(60).await;
        report::heading("Reading what is sealed and not revealed, against the same with binary fields");
        rows.extend(secrets::unrevealed(40).await);
        report::heading("Logins that wait");
        // A runtime of its own, on a thread of its own.
        let logins = std::thread::spawn(secrets::logins);
        logins.join().expect("the logins are measured");
        return judged(&rows);
    }
    if has("--compile") {
        let models = number("--models", 100);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile");
        return judged(&compile::measure(&folder, models));
    }

    let probe = Path::new(env!("CARGO_BIN_EXE_verb-probe"));
    if has("--instructions") {
        report::heading("Verbs against the bare driver, the same commands");
        return judged(&server::count(probe).await);
    }

    codec::assert_equal();
    report::heading("Codec against serde");
    let mut rows = codec::count(Path::new(env!("CARGO_BIN_EXE_codec-probe")));
    if has("--short") {
        return judged(&rows);
    }
    rows.extend(codec::time(30).await);
    report::heading("Verbs against the bare driver, the same commands, one after the other");
    rows.extend(server::count(probe).await);
    let effort = Effort {
        rounds: 60,
        times: 40,
        queries: 40,
    };
    rows.extend(server::time(effort).await);
    rows.extend(populate::time(60).await);
    report::keep(&rows);
    judged(&rows)
}

fn judged(rows: &[Row]) -> ExitCode {
    let is_over = |row: &Row| row.interval.is_none() && row.is_over(MARGIN);
    if rows.iter().any(is_over) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
