#![no_main]

//! A filter from outside is refused or made, as JSON, as a query string and as a sort order; and it is refused in the same
//! way each time, without repeating more of the input than the keys.

#[path = "../../tests/tests/codec/outside.rs"]
mod outside;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = outside::verdict(text) {
        panic!("{error}");
    }
});
