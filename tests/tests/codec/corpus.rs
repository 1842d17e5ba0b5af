//! Replays the corpora of `fuzz/`: what a fuzzing run has found stays found.

use std::fs;
use std::path::{Path, PathBuf};

use model_core::crypto;

use crate::{encode, envelope, expected, json, outside, sample, verdict};

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
        values += u32::from(
            verdict::document(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        );
    }
    assert!(values >= 1, "no document of the corpus decodes");
}

#[test]
fn password_string() {
    let bounds = crypto::HashPolicy::default().max;
    let mut known = 0;
    for (_, bytes) in corpus("password_string") {
        let Ok(text) = std::str::from_utf8(&bytes) else {
            continue;
        };
        known += u32::from(bounds.check(text).is_ok());
    }
    assert!(known >= 4, "hashes of every scheme are known");
}

#[test]
fn old_format() {
    use crypto::OldFormat as _;
    let key = "8f1d3b5a7c9e0f2143658709badcfe1032547698badcfe0123456789abcdef01";
    let format = crypto::LibreChat::new(key).unwrap();
    let format = format.with_iv("0f1e2d3c4b5a69788796a5b4c3d2e1f0").unwrap();
    let mut opened = 0;
    for (path, bytes) in corpus("old_format") {
        let Ok(text) = std::str::from_utf8(&bytes) else {
            continue;
        };
        let is_open = format.open(text).is_ok();
        assert!(format.is(text) || !is_open, "{}", path.display());
        opened += u32::from(is_open);
    }
    assert!(opened >= 3, "each generation opens");
}

#[test]
fn json_input() {
    let mut read = 0;
    for (path, bytes) in corpus("json_input") {
        let Ok(text) = std::str::from_utf8(&bytes) else {
            continue;
        };
        read += u32::from(verdict::json(text).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    }
    assert!(read >= 1, "no input of the corpus is read");
}

#[test]
fn outside_filter() {
    let mut asked = 0;
    for (path, bytes) in corpus("outside_filter") {
        let Ok(text) = std::str::from_utf8(&bytes) else {
            continue;
        };
        asked +=
            u32::from(outside::verdict(text).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    }
    assert!(asked >= 1, "no text of the corpus is a filter");
}

/// Not a fuzzer, but never without one: the words of the grammar, put together at random.
#[test]
fn words_of_filters_in_any_order() {
    const WORDS: [&str; 40] = [
        "{",
        "}",
        "{",
        "}",
        "[",
        "]",
        ":",
        ":",
        ",",
        "\"",
        "\"name\"",
        "\"count\"",
        "\"any\"",
        "\"limits.daily\"",
        "\"vault.daily\"",
        "\"and\"",
        "\"or\"",
        "\"not\"",
        "\"in\"",
        "\"gte\"",
        "\"$gte\"",
        "\"exists\"",
        "true",
        "null",
        "1",
        "\"canary\"",
        "1e400",
        "name",
        "count",
        "tags",
        "sort",
        "limit",
        "=",
        "&",
        "[gte]",
        "[in]",
        "%24",
        "%",
        "-",
        "+",
    ];
    let (mut state, mut asked) = (7_u64, 0);
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..12 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = usize::try_from(state >> 33).unwrap() % WORDS.len();
            text.push_str(WORDS[at]);
            asked += u32::from(outside::verdict(&text).unwrap_or_else(|error| panic!("{text}: {error}")));
        }
    }
    assert!(asked > 100, "too few were filters: {asked}");
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

#[test]
fn envelope_open() {
    let (mut opened, mut refused) = (0, 0);
    for (_, bytes) in corpus("envelope_open") {
        let is_open = envelope::judge(&bytes);
        opened += u32::from(is_open);
        refused += u32::from(!is_open);
    }
    assert!(opened >= 2 && refused >= 5, "{opened} opened, {refused} did not");
}

/// Not a fuzzer, but never without one: envelopes, places and seals altered at random.
#[test]
fn altered_envelopes_do_not_open() {
    let mut state = 11_u64;
    let mut byte = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    for _ in 0..1_500 {
        let length = byte() % 40;
        let changes = usize::from(byte() % 4);
        let mut input = vec![byte() % 3 * 32, length];
        input.extend((0..usize::from(length) + 4 * changes).map(|_| byte()));
        envelope::judge(&input);
    }
}

/// Writes the first members of the corpora: run it by hand after the model has changed.
#[test]
#[ignore = "it writes into fuzz/corpus"]
fn write_the_corpora() {
    let write = |target: &str, name: &str, bytes: &[u8]| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../fuzz/corpus")
            .join(target);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), bytes).unwrap();
    };
    let whole = encode(&sample());
    write("document_decode", "whole", &whole);
    write("document_decode", "cut", &whole[..whole.len() / 2]);
    write("document_decode", "empty", &[5, 0, 0, 0, 0]);
    let plain = expected(&sample());
    let mut entries: Vec<_> = plain.clone().into_iter().collect();
    entries.reverse();
    let reversed: bson::Document = entries.into_iter().collect();
    write("document_decode", "reversed", &reversed.to_vec().unwrap());
    let mut least = plain;
    for key in ["note", "maybe", "other", "updated"] {
        least.remove(key);
    }
    write("document_decode", "least", &least.to_vec().unwrap());
    let input = json::whole();
    write("json_input", "whole", input.to_string().as_bytes());
    write("json_input", "empty", b"{}");
    write(
        "json_input",
        "operators",
        br#"{"any": {"$where": "1"}, "sorted": {"a.b": 1, "$c": 2}, "_id": 1, "tenant": "x"}"#,
    );
    let mut wrong = input;
    for value in wrong.as_object_mut().unwrap().values_mut() {
        *value = serde_json::json!([[], {}, "canary", -1.5]);
    }
    write("json_input", "wrong", wrong.to_string().as_bytes());
    for (name, pad, changes) in [
        ("plain", 0, &[][..]),
        ("padded", 64, &[]),
        ("flipped", 0, &[0, 6, 2, 1]),
        ("cut", 0, &[1, 7, 0, 0]),
        ("longer", 0, &[2, 0, 0, 0]),
        ("shorter", 64, &[3, 1, 0, 0]),
        ("turned", 0, &[4, 0, 3, 0]),
        ("moved", 0, &[0x83, 0, 0, 7]),
        ("shifted", 0, &[0x82, 0, 0, 0]),
        ("foreign", 0, &[0x85, 0, 0, 0]),
    ] {
        let input = [&[pad, 6][..], b"secret", changes].concat();
        write("envelope_open", name, &input);
    }
    for (name, suite, length) in [
        ("plain", 1, 75),
        ("padded", 2, 58),
        ("short", 1, 57),
        ("unknown", 9, 75),
    ] {
        let mut envelope = vec![7; length];
        envelope[..2].copy_from_slice(&[0xE1, suite]);
        write("envelope_shape", name, &envelope);
    }
}
