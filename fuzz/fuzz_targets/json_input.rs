#![no_main]

#[path = "../../tests/tests/codec/judge.rs"]
#[allow(dead_code)]
mod judge;
#[path = "../../tests/tests/codec/model.rs"]
#[allow(dead_code)]
mod model;
#[path = "../../tests/tests/codec/verdict.rs"]
#[allow(dead_code)]
mod verdict;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = verdict::json(text) {
        panic!("{error}");
    }
});
