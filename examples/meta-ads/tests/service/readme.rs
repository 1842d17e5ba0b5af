//! The README's table of conventions: what it says guarantees them stands where it says.

use std::fs;
use std::path::{Path, PathBuf};

/// The texts between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Without the white space that formatting brings.
fn packed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The files that a cell names; `*` stands for all of a folder.
fn named(root: &Path, cell: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for name in quoted(cell) {
        match name.strip_suffix("*.rs") {
            Some(folder) => files.extend(
                fs::read_dir(root.join(folder))
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            ),
            None => files.push(root.join(name)),
        }
    }
    files
}

#[test]
fn each_convention_has_the_line_that_guarantees_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let (_, table) = readme.split_once("| in the Mongoose models |").unwrap();
    let mut rows = 0;
    for row in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").collect();
        let [_, lines, places] = cells[..] else {
            panic!("a row has three cells: {row}");
        };
        let files = named(root, places);
        let code: Vec<_> = files
            .iter()
            .map(|file| packed(&fs::read_to_string(file).unwrap()))
            .collect();
        assert!(!quoted(lines).is_empty() && !code.is_empty(), "{row}");
        for line in quoted(lines) {
            let line = packed(line);
            assert!(
                code.iter().any(|code| code.contains(&line)),
                "`{line}` is in none of {places}"
            );
        }
        rows += 1;
    }
    assert!(rows >= 17, "{rows} rows");
}
