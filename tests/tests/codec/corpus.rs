//! Replays the corpora of `fuzz/`: what a fuzzing run has found stays found.

use std::fs;
use std::path::{Path, PathBuf};

use model_core::crypto;

use crate::malformed;

/// The files of one corpus, sorted; there is at least one.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "the corpus of {target} is empty");
    files
        .into_iter()
        .map(|path| {
            let bytes = fs::read(&path).unwrap();
            (path, bytes)
        })
        .collect()
}

#[test]
fn document_decode() {
    let mut values = 0;
    for (path, bytes) in corpus("document_decode") {
        values +=
            u32::from(malformed::check(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    }
    assert!(values >= 1, "no document of the corpus decodes");
}

#[test]
fn json_input() {
    let mut read = 0;
    for (path, bytes) in corpus("json_input") {
        let Ok(text) = std::str::from_utf8(&bytes) else {
            continue;
        };
        read +=
            u32::from(crate::json::check(text).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    }
    assert!(read >= 1, "no input of the corpus is read");
}

#[test]
fn envelope_shape() {
    let mut shaped = 0;
    for (_, bytes) in corpus("envelope_shape") {
        let is_shaped = crypto::shape(&bytes).is_ok();
        assert!(!is_shaped || bytes.len() >= crypto::OVERHEAD);
        shaped += u32::from(is_shaped);
    }
    assert!(shaped >= 1, "no envelope of the corpus has the shape of one");
}
