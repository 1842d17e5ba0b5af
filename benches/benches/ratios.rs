//! Prints every ratio, and keeps them in `benches/results/<date>-<commit>.json`, with a drawing beside it:
//!
//! ```text
//! cargo bench -p model-benches                    codec, verbs one after the other, references
//! cargo bench -p model-benches -- --all           everything below too
//! cargo bench -p model-benches -- --short         instruction counts of codec and verbs; for CI, keeps nothing
//! cargo bench -p model-benches -- --instructions  instructions, allocations and code of the verbs
//! cargo bench -p model-benches -- --profile       where the instructions of the verbs go, layer by layer
//! cargo bench -p model-benches -- --together      the verbs by 64 tasks at a time
//! cargo bench -p model-benches -- --populate      references, loaded together
//! cargo bench -p model-benches -- --growth [--documents 1000000]
//! cargo bench -p model-benches -- --migration [--documents 1000000]
//! cargo bench -p model-benches -- --secrets       sealing, opening, what is sealed and not revealed, logins that wait
//! cargo bench -p model-benches -- --load [--seconds 60]
//! cargo bench -p model-benches -- --compile [--models 100]
//! cargo bench -p model-benches -- --clean         a user's crate from nothing, against one with the driver alone
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

use model_benches::report::{self, Row};
use model_benches::server::{self, Effort};
use model_benches::stage::Verb;
use model_benches::{codec, compile, document_seal, growth, load, migration, populate, secrets, unrevealed};

/// The parts that can be asked for; without any, there are the usual ones.
const PARTS: [&str; 11] = [
    "--short",
    "--instructions",
    "--profile",
    "--together",
    "--populate",
    "--growth",
    "--migration",
    "--secrets",
    "--load",
    "--compile",
    "--clean",
];

/// What was asked for.
struct Asked(Vec<String>);

impl Asked {
    fn has(&self, flag: &str) -> bool {
        self.0.iter().any(|argument| argument == flag)
    }

    fn number(&self, flag: &str, default: u32) -> u32 {
        let mut value = self.0.iter().skip_while(|argument| *argument != flag).skip(1);
        value
            .next()
            .map_or(default, |count| count.parse().expect("the flag takes a number"))
    }

    /// Whether a part is run that has to be asked for.
    fn wants(&self, flag: &str) -> bool {
        self.has(flag) || self.has("--all")
    }

    /// Whether nothing special was asked for, or all.
    fn is_usual(&self) -> bool {
        !PARTS.iter().any(|flag| self.has(flag))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let asked = Asked(env::args().collect());
    codec::assert_equal();
    let mut rows = in_process(&asked).await;
    rows.extend(on_the_server(&asked).await);
    rows.extend(apart(&asked).await);
    if !asked.has("--short") {
        report::keep(&rows);
    }
    report::verdict(&rows)
}

/// The codec.
async fn in_process(asked: &Asked) -> Vec<Row> {
    let program = Path::new(env!("CARGO_BIN_EXE_codec-probe"));
    let mut rows = Vec::new();
    if asked.is_usual() || asked.has("--short") {
        report::heading("Codec against serde");
        rows.extend(codec::instructions(program));
    }
    if asked.is_usual() {
        rows.extend(codec::allocations(program));
        rows.extend(codec::time(30).await);
    }
    rows
}

/// The verbs on a server, by one task and by many.
async fn on_the_server(asked: &Asked) -> Vec<Row> {
    let program = Path::new(env!("CARGO_BIN_EXE_verb-probe"));
    let mut rows = Vec::new();
    if asked.is_usual() || asked.has("--instructions") {
        report::heading("Verbs against the bare driver, the same commands, one after the other");
        rows.extend(server::count(program, &Verb::ALL).await);
        rows.extend(server::allocations_and_code(program, &Verb::ALL).await);
    } else if asked.has("--short") {
        report::heading("Verbs against the bare driver, the same commands");
        rows.extend(server::count(program, &Verb::COUNTED).await);
    }
    let effort = Effort {
        rounds: 60,
        times: 40,
        large: 40,
    };
    if asked.is_usual() {
        rows.extend(server::time(effort).await);
    }
    if asked.wants("--together") {
        report::heading("Verbs against the bare driver, the same commands, 64 tasks at a time");
        let effort = Effort { large: 12, ..effort };
        rows.extend(server::time_together(effort).await);
    }
    if asked.wants("--profile") {
        server::profile(program).await;
    }
    if asked.is_usual() || asked.has("--populate") {
        report::heading("References against a hand-written `$in`, the same commands");
        rows.extend(populate::time(60).await);
    }
    rows
}

/// What takes long, each part for itself.
async fn apart(asked: &Asked) -> Vec<Row> {
    let mut rows = Vec::new();
    if asked.wants("--growth") {
        let documents = asked.number("--documents", 1_000_000);
        report::heading("Growth: the large case against the small one");
        rows.extend(growth::indexes().await);
        rows.extend(growth::populate().await);
        rows.extend(growth::pages(60).await);
        let probe = Path::new(env!("CARGO_BIN_EXE_stream-probe"));
        rows.extend(growth::stream(probe, documents).await);
        rows.extend(growth::bulk(documents).await);
    }
    if asked.wants("--migration") {
        rows.extend(migration::all(asked.number("--documents", 1_000_000)).await);
    }
    if asked.wants("--load") {
        report::heading("Many tasks against the bare driver, the same commands");
        let seconds = asked.number("--seconds", 60);
        rows.extend(load::run(Duration::from_secs(seconds.into())).await);
    }
    if asked.wants("--secrets") {
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
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile");
    if asked.wants("--compile") {
        rows.extend(compile::measure(&folder, asked.number("--models", 100) as usize));
    }
    if asked.wants("--clean") {
        rows.extend(compile::clean(&folder));
    }
    rows
}
