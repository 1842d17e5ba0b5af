//! The pages tell the truth: what they say of the code is held against the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

/// The names in the derive's table of attribute keys.
fn keys() -> BTreeSet<String> {
    let source = read("model-derive/src/keys.rs");
    let table = source
        .split("\nkeys! {")
        .nth(1)
        .unwrap()
        .split("\n}")
        .next()
        .unwrap();
    let names: BTreeSet<_> = table
        .lines()
        .filter(|line| line.starts_with("    ") && !line.starts_with("     "))
        .map(|line| line.split('"').nth(1).unwrap().to_owned())
        .collect();
    assert!(names.len() > 30, "the table was not found: {names:?}");
    names
}

#[test]
fn the_readme_tells_every_attribute() {
    let readme = read("README.md");
    let section = readme
        .split("## Attributes")
        .nth(1)
        .unwrap()
        .split("\n## ")
        .next()
        .unwrap();
    for key in keys() {
        let told = section.match_indices('`').any(|(at, _)| {
            let rest = &section[at + 1..];
            rest.strip_prefix(key.as_str())
                .is_some_and(|rest| rest.starts_with(['`', ' ', '(', '=']))
        });
        assert!(told, "README.md does not tell of the attribute `{key}`");
    }
}

#[test]
fn the_readme_names_no_attribute_that_does_not_exist() {
    let readme = read("README.md");
    let section = readme
        .split("## Attributes")
        .nth(1)
        .unwrap()
        .split("\n## ")
        .next()
        .unwrap();
    let keys = keys();
    let mut rows = 0;
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let cell = row.split('|').nth(1).unwrap();
        for name in cell.split('`').skip(1).step_by(2) {
            let name: String = name
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let form = ["uuid", "string", "object_id"].contains(&name.as_str());
            assert!(
                form || keys.contains(&name),
                "README.md tells of `{name}`, which is no attribute"
            );
            rows += 1;
        }
    }
    assert!(rows > 20);
}

/// Every test file that ARCHITECTURE.md names exists.
#[test]
fn the_architecture_names_tests_that_exist() {
    let page = read("ARCHITECTURE.md");
    let section = page
        .split("## Invariants")
        .nth(1)
        .unwrap()
        .split("\n## ")
        .next()
        .unwrap();
    let mut named = 0;
    for row in section
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| invariant"))
    {
        let cell = row.rsplit('|').nth(1).unwrap();
        for name in cell
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|name| name.contains('/') || Path::new(name).extension().is_some())
        {
            let places = ["tests/tests", "tests", "model-core/src"].map(|folder| format!("{folder}/{name}"));
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
            assert!(
                places.iter().any(|place| root.join(place).exists()),
                "{name} does not exist"
            );
            named += 1;
        }
    }
    assert!(named > 5);
}
