//! Prints every ratio, and keeps them in `benches/results/latest.json`:
//!
//! ```text
//! cargo bench -p model-benches                    codec, verbs, references
//! cargo bench -p model-benches -- --all           the same, many tasks, secrets, compilation
//! cargo bench -p model-benches -- --short         instruction counts of the codec alone; for CI
//! cargo bench -p model-benches -- --instructions  instruction counts of the verbs alone
//! cargo bench -p model-benches -- --populate      references, loaded together
//! cargo bench -p model-benches -- --secrets       sealing, opening, what is sealed and not revealed, logins that wait
//! cargo bench -p model-benches -- --load [--seconds 60]
//! cargo bench -p model-benches -- --compile [--models 100]
//! ```
//!
//! It fails where a limit is broken: of instructions, which repeat, or of times, where the whole interval lies beyond it.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that does not run has nobody to report to but a terminal"
)]

use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use model_benches::report;
use model_benches::server::{self, Effort};
use model_benches::{codec, compile, document_seal, load, populate, secrets, unrevealed};

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
    let part = |flag: &str| has(flag) || has("--all");
    let any = [
        "--short",
        "--instructions",
        "--populate",
        "--secrets",
        "--load",
        "--compile",
    ];
    let usual = !any.into_iter().any(has);

    codec::assert_equal();
    let mut rows = Vec::new();
    if usual || has("--short") {
        report::heading("Codec against serde");
        rows.extend(codec::count(Path::new(env!("CARGO_BIN_EXE_codec-probe"))));
    }
    if usual {
        rows.extend(codec::time(30).await);
    }
    if usual || has("--instructions") {
        report::heading("Verbs against the bare driver, the same commands, one after the other");
        rows.extend(server::count(Path::new(env!("CARGO_BIN_EXE_verb-probe"))).await);
    }
    if usual {
        let effort = Effort {
            rounds: 60,
            times: 40,
            queries: 40,
        };
        rows.extend(server::time(effort).await);
    }
    if usual || has("--populate") {
        report::heading("References against a hand-written `$in`, the same commands");
        rows.extend(populate::time(60).await);
    }
    if part("--load") {
        report::heading("Many tasks against the bare driver, the same commands");
        rows.extend(load::run(Duration::from_secs(number("--seconds", 60) as u64)).await);
    }
    if part("--secrets") {
        report::heading("Sealing and opening against bare AES-GCM with a nonce from the system");
        let probe = Path::new(env!("CARGO_BIN_EXE_secrets-probe"));
        rows.extend(secrets::count(probe));
        rows.extend(secrets::envelopes(60).await);
        report::heading("Reading what is sealed and not revealed, against the same with binary fields");
        rows.extend(unrevealed::measure(probe, 40).await);
        report::heading("A seal of the whole document, against none");
        rows.extend(document_seal::measure(40).await);
        report::heading("Logins that wait");
        // A runtime of its own, on a thread of its own.
        let logins = std::thread::spawn(secrets::logins);
        logins.join().expect("the logins are measured");
    }
    if part("--compile") {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile");
        rows.extend(compile::measure(&folder, number("--models", 100)));
    }
    if usual {
        report::keep(&rows);
    }
    if rows.iter().any(|row| row.is_over(MARGIN)) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
