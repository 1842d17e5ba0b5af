//! What valgrind counts: the same on a busy machine as on an idle one.
//!
//! Where `MODEL_BENCH_PROFILES` names a folder, the profiles are kept there, for `callgrind_annotate`.

mod code;
mod layers;

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use self::code::Code;
pub use self::layers::{LAYERS, Layers};

/// The instructions of one time of what `program`, given a number of times, does: the difference between `times` and
/// twice as many, which leaves start and end out.
///
/// # Panics
/// If there is no valgrind, or the program fails.
pub fn instructions(times: u64, program: impl Fn(&str) -> Command) -> f64 {
    per_time(times, |times| {
        let profile = Profile::new(&program(times));
        let text = run("callgrind", &[&profile.option()], &program(times));
        number_after(&text, "Collected :")
    })
}

/// The blocks of memory that one time asks for.
///
/// # Panics
/// If there is no valgrind, or the program fails.
pub fn allocations(times: u64, program: impl Fn(&str) -> Command) -> f64 {
    per_time(times, |times| {
        let text = run("dhat", &["--dhat-out-file=/dev/null"], &program(times));
        // `Total: 1,024 bytes in 2 blocks`
        number_after(&text, "bytes in")
    })
}

/// The bytes of code that each time runs through, in whole lines of 64: what a processor fetches anew where others ran meanwhile.
///
/// # Panics
/// If there is no valgrind, or the program fails.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub fn code(times: u64, program: impl Fn(&str) -> Command) -> f64 {
    let of = |times: u64| {
        let command = program(&times.to_string());
        let profile = Profile::new(&command);
        let profiled = profile.option();
        let options = [
            "--dump-instr=yes",
            "--compress-pos=no",
            "--compress-strings=no",
            &profiled,
        ];
        run("callgrind", &options, &command);
        let code = Code::of(&profile.read());
        assert!(!code.is_empty(), "callgrind tells of no instruction");
        code
    };
    of(2 * times).each_time(&of(times), times) as f64
}

/// The instructions of one time, layer by layer.
///
/// # Panics
/// If there is no valgrind, or the program fails.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub fn profile(times: u64, program: impl Fn(&str) -> Command) -> Layers<f64> {
    let of = |times: u64| {
        let command = program(&times.to_string());
        let profile = Profile::new(&command);
        run("callgrind", &[&profile.option()], &command);
        Layers::of(&profile.read())
    };
    let (shorter, longer) = (of(times), of(2 * times));
    longer.less(&shorter).map(|count| count as f64 / times as f64)
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn per_time(times: u64, count: impl Fn(&str) -> u64) -> f64 {
    let of = |times: u64| count(&times.to_string());
    let (shorter, longer) = (of(times), of(2 * times));
    longer.saturating_sub(shorter) as f64 / times as f64
}

/// Where a profile goes: gone in the end, unless somebody wants it.
struct Profile(PathBuf);

impl Profile {
    fn new(program: &Command) -> Self {
        let words: Vec<_> = program.get_args().map(|word| word.to_string_lossy()).collect();
        let folder = env::var_os("MODEL_BENCH_PROFILES").map_or_else(env::temp_dir, PathBuf::from);
        Self(folder.join(format!("{}-{}", words.join("-").replace(' ', "_"), process::id())))
    }

    /// What has callgrind write it.
    fn option(&self) -> String {
        format!("--callgrind-out-file={}", self.0.display())
    }

    fn read(&self) -> String {
        fs::read_to_string(&self.0).expect("callgrind has written its profile")
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        if env::var_os("MODEL_BENCH_PROFILES").is_none() {
            // Whether it is there or not.
            let _ = fs::remove_file(&self.0);
        }
    }
}

/// Runs a program under a tool of valgrind, and gives what that tells.
fn run(tool: &str, options: &[&str], program: &Command) -> String {
    let mut valgrind = Command::new("valgrind");
    valgrind
        .arg(format!("--tool={tool}"))
        .args(options)
        .arg(Path::new(program.get_program()))
        .args(program.get_args());
    for (name, value) in program.get_envs() {
        valgrind.env(name, value.unwrap_or_default());
    }
    let output = match valgrind.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("valgrind counts: install it (`apt-get install valgrind`)")
        }
        outcome => outcome.expect("valgrind starts"),
    };
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "the probe failed: {text}");
    text
}

/// The number that stands behind these words.
fn number_after(text: &str, words: &str) -> u64 {
    let digits = text.lines().find_map(|line| {
        let rest = line.split_once(words)?.1.trim();
        let number = rest.split_whitespace().next()?;
        number.replace(',', "").parse().ok()
    });
    digits.unwrap_or_else(|| panic!("valgrind does not say `{words}`: {text}"))
}
