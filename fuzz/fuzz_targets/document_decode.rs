#![no_main]

#[path = "../../tests/tests/codec/judge.rs"]
mod judge;
#[path = "../../tests/tests/codec/model.rs"]
#[allow(dead_code)]
mod model;
#[path = "../../tests/tests/codec/verdict.rs"]
#[allow(dead_code)]
mod verdict;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = verdict::document(bytes) {
        panic!("{error}");
    }
});
