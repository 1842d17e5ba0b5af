//! Instruction counts, by valgrind: the same on a busy machine as on an idle one.
//!
//! Where `MODEL_BENCH_PROFILES` names a folder, the profiles are kept there, for `callgrind_annotate`.

use std::env;
use std::io::ErrorKind;
use std::process::Command;

/// The instructions of one time of what `program`, given a number of times, does: the difference between `times` and
/// twice as many, which leaves start and end out.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub fn per_time(times: u64, program: impl Fn(&str) -> Command) -> f64 {
    let of = |times: u64| collected(&program(&times.to_string()));
    let (shorter, longer) = (of(times), of(2 * times));
    longer.saturating_sub(shorter) as f64 / times as f64
}

/// All instructions of one run.
fn collected(program: &Command) -> u64 {
    let profile = env::var("MODEL_BENCH_PROFILES").map_or_else(
        |_| "/dev/null".to_owned(),
        |folder| {
            let words: Vec<_> = program.get_args().map(|word| word.to_string_lossy()).collect();
            format!("{folder}/{}", words.join("-").replace(' ', "_"))
        },
    );
    let mut valgrind = Command::new("valgrind");
    valgrind
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={profile}"))
        .arg(program.get_program())
        .args(program.get_args());
    for (name, value) in program.get_envs() {
        valgrind.env(name, value.unwrap_or_default());
    }
    let output = match valgrind.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("instructions are counted by valgrind: install it (`apt-get install valgrind`)")
        }
        outcome => outcome.expect("valgrind starts"),
    };
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the probe failed: {text}");
    text.lines()
        .find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
        .expect("valgrind says how many instructions it collected")
}
