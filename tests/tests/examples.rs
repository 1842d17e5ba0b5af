//! The examples are what they say: programs on the library alone, told of in a README each.

use std::fs;
use std::path::{Path, PathBuf};

/// The systems that were something else before.
const SYSTEMS: [&str; 5] = [
    "meta-ads",
    "telegram-ads",
    "notion-rag",
    "growth-widgets",
    "ai-platform",
];

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

fn read(path: &str) -> String {
    fs::read_to_string(examples().join(path)).unwrap()
}

/// The Rust files below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The function that a line of a file stands in.
fn function<'a>(lines: &[&'a str], at: usize) -> &'a str {
    let above = lines[..=at].iter().rev();
    let head = above.copied().find_map(|line| line.split_once("fn "));
    head.map_or("", |(_, rest)| rest.split(['(', '<']).next().unwrap_or_default())
}

/// BSON written by hand is for documents of before, and for what makes new ones of them.
#[test]
fn no_example_writes_bson_by_hand_but_for_documents_of_before() {
    let mut files = Vec::new();
    for entry in fs::read_dir(examples()).unwrap() {
        let source = entry.unwrap().path().join("src");
        if source.is_dir() {
            sources(&source, &mut files);
        }
    }
    assert!(files.len() > 60, "the examples were not found");
    let mut wrong = Vec::new();
    for file in files {
        if file.components().any(|part| part.as_os_str() == "legacy") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<_> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let by_hand = ["doc! {", "bson!(", "rawdoc!", "Document::new()", "RawDocumentBuf"];
            let by_hand = by_hand.iter().any(|way| line.contains(way));
            // What an old version had, and what another program left.
            let of_before = ["migrate", "migration", "existing"].contains(&function(&lines, at));
            if by_hand && !of_before {
                wrong.push(format!("{}:{}: {}", file.display(), at + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_system_tells_how_it_runs_and_what_was_decided() {
    for system in SYSTEMS {
        let readme = read(&format!("{system}/README.md"));
        for told in [
            &*format!("cargo run -p {system}"),
            &*format!("cargo test -p {system}"),
            "MONGODB_URI=mongodb://",
            "## Where the ",
        ] {
            assert!(readme.contains(told), "{system}'s README does not tell: {told}");
        }
    }
}

/// Lines that are neither blank nor a comment.
fn lines_of_code(text: &str) -> usize {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}

/// A tenth more or less is told as it was; then the table is to be brought up to date.
#[test]
fn the_table_of_lines_is_true() {
    let table = read("README.md");
    for system in SYSTEMS {
        let mut files = Vec::new();
        sources(&examples().join(system).join("src/models"), &mut files);
        let lines: usize = files
            .iter()
            .map(|file| lines_of_code(&fs::read_to_string(file).unwrap()))
            .sum();
        let row = table
            .lines()
            .find(|line| line.starts_with(&format!("| [{system}]")))
            .unwrap();
        let told: usize = row.split('|').nth(4).unwrap().trim().parse().unwrap();
        assert!(
            told.abs_diff(lines) * 10 <= lines,
            "examples/README.md says that {system} has {told} lines of models: there are {lines}"
        );
    }
}
