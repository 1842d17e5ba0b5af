//! Instruction counts, by valgrind: the same on a busy machine as on an idle one.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use crate::codec::Pair;

/// How often a thing is done in the shorter of two runs, whose difference leaves start and end out.
const TIMES: u64 = 2_000;

/// The instructions of one encode, decode or view, of both sides.
#[derive(Debug, Clone, Copy)]
pub struct Instructions {
    /// By `model-core`.
    pub ours: f64,
    /// By serde.
    pub theirs: f64,
}

impl Instructions {
    /// Ours to theirs.
    pub fn ratio(self) -> f64 {
        self.ours / self.theirs
    }
}

/// Counts for one pair; `probe` is the program that does it.
pub fn count(probe: &Path, pair: &Pair) -> Instructions {
    let of = |side| per_time(probe, pair.name, side);
    Instructions {
        ours: of("ours"),
        theirs: of("theirs"),
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn per_time(probe: &Path, name: &str, side: &str) -> f64 {
    let (shorter, longer) = (
        collected(probe, name, side, TIMES),
        collected(probe, name, side, 2 * TIMES),
    );
    longer.saturating_sub(shorter) as f64 / TIMES as f64
}

/// All instructions of one run.
fn collected(probe: &Path, name: &str, side: &str, times: u64) -> u64 {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(probe)
        .args([name, side, &times.to_string()])
        .output();
    let output = match run {
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
