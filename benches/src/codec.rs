//! Storage and views of one document, against serde on the same document.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use bson::Document;
use model_core::Model;
use model_core::codec::{DecodeCx, DocReader, Writer};

use crate::document::{Row as Stored, Widget, row};
use crate::report::{self, Row};
use crate::rounds::{self, Variant};
use crate::valgrind;

/// One thing done in two ways. Both are told how often.
#[derive(Debug)]
pub struct Pair {
    /// What is done.
    pub name: &'static str,
    /// By `model-core`.
    pub ours: fn(u64),
    /// By serde.
    pub theirs: fn(u64),
    /// The ratio of instructions that wakes somebody up.
    pub alarm: f64,
    /// The ratio of instructions that is to be reached, where one is.
    pub aim: Option<f64>,
}

/// All pairs.
pub const PAIRS: [Pair; 6] = [
    Pair {
        name: "encode",
        ours: |times| encode(times, &row(1).into_model()),
        theirs: |times| {
            let row = row(1);
            repeat(times, || bson::serialize_to_vec(black_box(&row)).unwrap());
        },
        alarm: 0.15,
        aim: Some(0.15),
    },
    Pair {
        name: "decode",
        ours: |times| decode(times, &stored(&row(1))),
        theirs: |times| deserialize(times, &stored(&row(1))),
        alarm: 0.32,
        aim: Some(0.25),
    },
    Pair {
        name: "decode, optional field absent",
        ours: |times| decode(times, &stored(&without_note())),
        theirs: |times| deserialize(times, &stored(&without_note())),
        alarm: 0.36,
        aim: None,
    },
    Pair {
        name: "decode, optional field added later",
        ours: |times| decode(times, &note_at_end()),
        theirs: |times| deserialize(times, &note_at_end()),
        alarm: 0.60,
        aim: None,
    },
    Pair {
        name: "decode, fields in reverse order",
        ours: |times| decode(times, &reversed(&row(1))),
        theirs: |times| deserialize(times, &reversed(&row(1))),
        alarm: 0.72,
        aim: None,
    },
    Pair {
        name: "view to JSON",
        ours: |times| {
            let view = row(1)
                .into_model()
                .view(model_core::__private::HiddenFields::default());
            repeat(times, || serde_json::to_vec(black_box(&view)).unwrap());
        },
        theirs: |times| {
            let view = row(1).into_json();
            repeat(times, || serde_json::to_vec(black_box(&view)).unwrap());
        },
        alarm: 0.93,
        aim: Some(1.05),
    },
];

fn repeat<T>(times: u64, mut work: impl FnMut() -> T) {
    for _ in 0..times {
        black_box(work());
    }
}

fn encode(times: u64, document: &Widget) {
    repeat(times, || encoded(black_box(document)));
}

fn encoded(document: &Widget) -> Vec<u8> {
    let mut out = Writer::new();
    document.encode(&mut out);
    // As the pipeline does.
    out.i64("_rev", 1 << 33);
    out.finish().unwrap()
}

fn decode(times: u64, bytes: &[u8]) {
    repeat(times, || decoded(black_box(bytes)));
}

fn decoded(bytes: &[u8]) -> Widget {
    let cx = DecodeCx::root(None);
    let mut reader = DocReader::new(bytes, &cx).unwrap();
    let document = Widget::decode(&mut reader).unwrap();
    reader.finish().unwrap();
    document
}

fn deserialize(times: u64, bytes: &[u8]) {
    repeat(times, || {
        bson::deserialize_from_slice::<Stored>(black_box(bytes)).unwrap()
    });
}

fn stored(row: &Stored) -> Vec<u8> {
    bson::serialize_to_vec(row).unwrap()
}

fn without_note() -> Stored {
    Stored { note: None, ..row(1) }
}

/// The server puts a field that an update adds behind all others.
fn note_at_end() -> Vec<u8> {
    let mut document = bson::serialize_to_document(&row(1)).unwrap();
    let note = document.remove("note").unwrap();
    document.insert("note", note);
    document.to_vec().unwrap()
}

fn reversed(row: &Stored) -> Vec<u8> {
    let fields: Vec<_> = bson::serialize_to_document(row).unwrap().into_iter().collect();
    fields.into_iter().rev().collect::<Document>().to_vec().unwrap()
}

/// Checks that both ways do the same: bytes, values and JSON are equal.
///
/// # Panics
/// They are not.
pub fn assert_equal() {
    for row in [row(1), without_note()] {
        let document = row.clone().into_model();
        assert_eq!(encoded(&document), stored(&row), "both ways write the same bytes");
        for bytes in [stored(&row), reversed(&row)] {
            assert_eq!(
                encoded(&decoded(&bytes)),
                stored(&row),
                "what is read is what was written"
            );
        }
        assert_eq!(
            serde_json::to_string(&document.view(model_core::__private::HiddenFields::default())).unwrap(),
            serde_json::to_string(&row.into_json()).unwrap(),
            "both ways show the same JSON",
        );
    }
}

/// How often a thing is done in the shorter of two counted runs, and in a timed round.
const TIMES: usize = 2_000;

/// What one side of one pair does, as a program of its own.
fn program(probe: &Path, pair: &Pair, side: &'static str) -> impl Fn(&str) -> Command {
    let (probe, name) = (probe.to_owned(), pair.name);
    move |times| {
        let mut command = Command::new(&probe);
        command.args([name, side, times]);
        command
    }
}

/// Counts the instructions of all pairs; `probe` is the program that does them.
pub fn instructions(probe: &Path) -> Vec<Row> {
    let rows = PAIRS.iter().map(|pair| {
        let of = |side| valgrind::instructions(TIMES as u64, program(probe, pair, side));
        let row = Row::exact(pair.name, "instructions", of("ours"), of("theirs")).at_most(pair.alarm);
        match pair.aim {
            Some(aim) => row.aims_at(aim),
            None => row,
        }
    });
    report::show(rows).collect()
}

/// Counts the blocks of memory that all pairs ask for: none that serde would not.
pub fn allocations(probe: &Path) -> Vec<Row> {
    let rows = PAIRS.iter().map(|pair| {
        let of = |side| valgrind::allocations(TIMES as u64, program(probe, pair, side));
        Row::exact(pair.name, "allocations", of("ours"), of("theirs")).at_most(1.0)
    });
    report::show(rows).collect()
}

/// Measures the time of all pairs.
pub async fn time(rounds: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for pair in &PAIRS {
        let side = |work: fn(u64)| Variant::computing(move |times| work(times as u64));
        let [ours, theirs] = rounds::take([side(pair.ours), side(pair.theirs)], rounds, TIMES).await;
        rows.extend(report::show([Row::sampled(
            pair.name,
            "wall us",
            &ours.wall,
            &theirs.wall,
        )]));
    }
    rows
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_ways_do_the_same() {
        super::assert_equal();
    }
}
