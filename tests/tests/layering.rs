//! The architecture's layers, held by a test: each module of `model-core` imports only from those above it in the table
//! of ARCHITECTURE.md, and the driver, the clock and the random source are named in one place each.

use std::fs;
use std::path::{Path, PathBuf};

/// The table of ARCHITECTURE.md, lowest layer first.
const LAYERS: [&[&str]; 14] = [
    &["error"],
    &["schema"],
    &["crypto"],
    &["codec"],
    &["value"],
    &["query"],
    &["store"],
    &["audit"],
    &["engine"],
    &["policy"],
    &["lifecycle"],
    &["keys", "model"],
    &["db"],
    &["admin", "testing", "prelude", "__private", "example", "lib"],
];

/// Re-exports at the crate root, and where they come from.
const ROOT_NAMES: [(&str, &str); 6] = [
    ("Error", "error"),
    ("ErrorKind", "error"),
    ("Result", "error"),
    ("Violation", "error"),
    ("Id", "value"),
    ("TenantId", "value"),
];

fn layer(module: &str) -> usize {
    LAYERS
        .iter()
        .position(|layer| layer.contains(&module))
        .unwrap_or_else(|| {
            panic!("`{module}` stands in no layer: add it to the table and to ARCHITECTURE.md")
        })
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model-core/src")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The files of the library with their module and their code, without comments.
fn modules() -> Vec<(String, PathBuf, String)> {
    let mut found = Vec::new();
    files(&source(), &mut found);
    assert!(found.len() > 40, "the sources were not found");
    found
        .into_iter()
        .map(|path| {
            let relative = path.strip_prefix(source()).unwrap().to_path_buf();
            let first = relative
                .components()
                .next()
                .unwrap()
                .as_os_str()
                .to_string_lossy()
                .into_owned();
            let code: String = fs::read_to_string(&path)
                .unwrap()
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .map(|line| format!("{line}\n"))
                .collect();
            (first.trim_end_matches(".rs").to_owned(), relative, code)
        })
        .collect()
}

/// The modules that a piece of code reaches through `crate::`.
fn reached(code: &str) -> Vec<String> {
    code.match_indices("crate::")
        .filter(|(at, _)| !code[..*at].ends_with('$'))
        .map(|(at, _)| {
            let rest = &code[at + "crate::".len()..];
            let name: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            ROOT_NAMES
                .iter()
                .find(|(root, _)| *root == name)
                .map_or(name, |(_, module)| (*module).to_owned())
        })
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn modules_import_only_from_layers_below() {
    let mut broken = Vec::new();
    for (module, path, code) in modules() {
        for other in reached(&code) {
            if other != module && layer(&other) >= layer(&module) {
                broken.push(format!("{} imports from `{other}`", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_table_of_the_architecture_page_is_this_one() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md")).unwrap();
    for (number, layer) in LAYERS.iter().enumerate() {
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| {number} |")))
            .unwrap_or_default();
        for module in layer
            .iter()
            .filter(|module| ![&"lib", &"example"].contains(module))
        {
            assert!(
                row.contains(&format!("`{module}")),
                "layer {number} of ARCHITECTURE.md lacks `{module}`: {row}"
            );
        }
    }
}

/// Asserts that `needle` stands only in files whose path begins with one of `allowed`.
fn only_in(needle: &str, allowed: &[&str]) {
    let mut seen = 0;
    for (_, path, code) in modules() {
        if code.contains(needle) {
            seen += 1;
            let place = path.to_string_lossy().replace('\\', "/");
            assert!(
                allowed.iter().any(|allowed| place.starts_with(allowed)),
                "{place} names `{needle}`"
            );
        }
    }
    assert!(seen > 0, "nothing names `{needle}`: the check checks nothing");
}

#[test]
fn the_driver_is_named_in_one_place() {
    only_in("mongodb::", &["store/mongo", "db.rs"]);
}

#[test]
fn the_clock_is_read_in_one_place() {
    only_in("Utc::now", &["engine/clock.rs"]);
}

#[test]
fn ids_are_made_in_one_place() {
    only_in("Uuid::now_v7", &["value/id_value.rs"]);
    only_in("ObjectId::new()", &["value/id_value.rs", "engine/audit/mod.rs"]);
}

#[test]
fn the_engine_names_no_model() {
    for (module, path, code) in modules() {
        if module == "engine" {
            for name in ["BaseModel", "GlobalContext", "policy::"] {
                assert!(!code.contains(name), "{} names `{name}`", path.display());
            }
        }
    }
}
