//! What models cost the compiler: a hundred of them with four verbs each, against a hundred serde structs with the same
//! calls of the bare driver. Only the crate itself is measured; its dependencies are built before.

mod clean;
pub mod crates;
mod sources;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

pub use self::clean::clean;
use crate::report::{Row, heading, show};
use crate::statistics::median;

/// How often each build is repeated, in turns.
const ROUNDS: usize = 3;
/// The ratio that wakes somebody up.
const ALARM: f64 = 2.0;
/// The ratios to be reached, of checking, of a build and of an optimised one.
const AIMS: [f64; 3] = [1.3, 1.0, 0.7];
/// What `cargo` is asked to do.
const BUILDS: [(&str, &[&str]); 3] = [
    ("check", &["check"]),
    ("dev", &["build"]),
    ("release", &["build", "--release"]),
];

/// What one build took, in seconds.
#[derive(Debug, Clone, Copy)]
struct Took {
    wall: f64,
    cpu: f64,
}

/// Measures both crates, in a workspace of their own in `folder`, whose builds are kept for the next time.
pub fn measure(folder: &Path, models: usize) -> Vec<Row> {
    let sides = ["ours", "bare"];
    let target = folder.join("target");
    lay_out(folder);
    for side in sides {
        fs::write(source(folder, side), "").expect("the folder is ours");
    }
    println!("building the dependencies, once: this takes minutes");
    for (_, arguments) in BUILDS {
        for side in sides {
            cargo(folder, &target, side, arguments);
        }
    }
    fs::write(source(folder, "ours"), sources::ours(models)).expect("the folder is ours");
    fs::write(source(folder, "bare"), sources::bare(models)).expect("the folder is ours");

    heading(&format!("Compilation of {models} models with four verbs each"));
    let mut rows = Vec::new();
    for ((name, arguments), aim) in BUILDS.into_iter().zip(AIMS) {
        let mut took = sides.map(|_| Vec::new());
        for round in 0..ROUNDS {
            for turn in in_turns(round) {
                touch(&source(folder, sides[turn]));
                took[turn].push(cargo(folder, &target, sides[turn], arguments));
            }
        }
        let both = compared(name, &took);
        rows.extend(show(both.map(|row| row.at_most(ALARM).aims_at(aim))));
    }
    rows
}

/// Which of the two sides comes first: each in every second round.
fn in_turns(round: usize) -> [usize; 2] {
    if round.is_multiple_of(2) { [0, 1] } else { [1, 0] }
}

/// The medians of both sides: by the clock, and of the processors' time.
fn compared(name: &str, [ours, bare]: &[Vec<Took>; 2]) -> [Row; 2] {
    let middle = |series: &[Took], of: fn(&Took) -> f64| median(&series.iter().map(of).collect::<Vec<_>>());
    let row = |unit, of| Row::exact(name, unit, middle(ours, of), middle(bare, of));
    [row("wall s", |took| took.wall), row("CPU s", |took| took.cpu)]
}

fn source(folder: &Path, side: &str) -> std::path::PathBuf {
    folder.join(side).join("src/lib.rs")
}

/// Makes cargo take the file for changed.
fn touch(file: &Path) {
    let text = fs::read(file).expect("the file was written");
    fs::write(file, text).expect("the folder is ours");
}

/// The workspace, with the very versions that this one has.
fn lay_out(folder: &Path) {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    for side in ["ours", "bare"] {
        fs::create_dir_all(folder.join(side).join("src")).expect("the folder is ours");
        fs::write(folder.join(side).join("Cargo.toml"), sources::manifest(side)).expect("the folder is ours");
    }
    let inherited = fs::read_to_string(root.join("Cargo.toml")).expect("the workspace has a manifest");
    let dependencies = inherited
        .split("\n\n")
        .skip_while(|part| !part.starts_with("[workspace.dependencies]"))
        .take_while(|part| !part.starts_with("[workspace.lints"))
        .collect::<Vec<_>>()
        .join("\n\n")
        .replace("path = \"", &format!("path = \"{}/", root.display()));
    let workspace =
        format!("[workspace]\nresolver = \"3\"\nmembers = [\"ours\", \"bare\"]\n\n{dependencies}\n");
    fs::write(folder.join("Cargo.toml"), workspace).expect("the folder is ours");
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).expect("the workspace is locked");
}

/// Runs cargo on one crate.
fn cargo(folder: &Path, target: &Path, side: &str, arguments: &[&str]) -> Took {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(arguments)
        .args(["--quiet", "--package", side])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_INCREMENTAL", "0");
    // What the cargo that runs this benchmark tells it about itself would count as a change of the environment.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_MANIFEST_") || text.starts_with("CARGO_PKG_") {
            command.env_remove(&name);
        }
    }
    let (cpu, start) = (children_seconds(), Instant::now());
    let status = command.status().expect("cargo starts");
    assert!(status.success(), "the crate `{side}` does not build");
    Took {
        wall: start.elapsed().as_secs_f64(),
        cpu: children_seconds() - cpu,
    }
}

/// What the children that ended have computed so far, in the hundredths of a second of Linux.
fn children_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").expect("Linux tells what children computed");
    let after_name = text.rsplit_once(')').expect("a name in parentheses").1;
    // Fields 16 and 17 of proc(5); the third is the first after the name.
    let ticks = after_name.split_whitespace().skip(13).take(2);
    ticks
        .map(|ticks| ticks.parse::<f64>().expect("a number"))
        .sum::<f64>()
        / 100.0
}
