//! The crates that a user's build has beyond those of the driver.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// What a service that uses the driver by hand would name itself.
const DRIVERS: [&str; 4] = ["mongodb", "bson", "serde", "tokio"];
/// What `bson` brings along only because this library asks for it.
const ASKED_FOR: [&str; 1] = ["chrono"];

/// The names of the crates that `model-core`, with its default features, brings along and the driver does not, itself
/// included.
///
/// # Panics
/// If cargo does not answer.
pub fn beyond_the_driver() -> BTreeSet<String> {
    let arguments = [
        "--package",
        "model-core",
        "--edges",
        "normal,build",
        "--no-dedupe",
        "--prefix",
        "depth",
    ];
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--format", " {p}"])
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output()
        .expect("cargo starts");
    let text = String::from_utf8(output.stdout).expect("names are text");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let (mut all, mut driver) = (BTreeSet::new(), BTreeSet::new());
    // How deep the driver's crate stands whose own crates follow, and within it one that the driver by itself has not.
    let (mut within, mut asked): (Option<usize>, Option<usize>) = (None, None);
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let (Some(depth), Some(name)) = (words.next().and_then(|depth| depth.parse().ok()), words.next())
        else {
            continue;
        };
        if within.is_some_and(|top| depth <= top) {
            within = None;
        }
        if within.is_none() && DRIVERS.contains(&name) {
            within = Some(depth);
        }
        if asked.is_some_and(|top| depth <= top) {
            asked = None;
        }
        if asked.is_none() && ASKED_FOR.contains(&name) {
            asked = Some(depth);
        }
        all.insert(name.to_owned());
        if within.is_some() && asked.is_none() {
            driver.insert(name.to_owned());
        }
    }
    assert!(
        driver.len() > 20,
        "cargo has shown no crates of the driver: {text}"
    );
    all.retain(|name| !driver.contains(name));
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// The crates that the page gives a reason for.
    fn told() -> BTreeSet<String> {
        let page = include_str!("../../README.md");
        let section = page
            .split("## Crates beyond the driver's")
            .nth(1)
            .expect("the page has the section");
        let section = section.split("\n## ").next().expect("a section");
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        rows.flat_map(|row| {
            row.split('|')
                .nth(1)
                .unwrap_or_default()
                .split('`')
                .skip(1)
                .step_by(2)
        })
        .map(str::to_owned)
        .collect()
    }

    #[test]
    fn each_crate_beyond_the_driver_has_its_reason() {
        let (found, told) = (super::beyond_the_driver(), told());
        let missing: Vec<_> = found.difference(&told).collect();
        let gone: Vec<_> = told.difference(&found).collect();
        assert!(
            missing.is_empty(),
            "benches/README.md gives no reason for {missing:?}"
        );
        assert!(
            gone.is_empty(),
            "benches/README.md gives a reason for {gone:?}, which are not used"
        );
    }
}
