#![no_main]

#[path = "../../tests/tests/codec/envelope.rs"]
mod envelope;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    envelope::judge(bytes);
});
