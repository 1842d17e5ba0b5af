#![no_main]

use libfuzzer_sys::fuzz_target;
use model_core::crypto;

fuzz_target!(|bytes: &[u8]| {
    if crypto::shape(bytes).is_ok() {
        assert!((crypto::OVERHEAD..=crypto::OVERHEAD + crypto::MAX_PLAINTEXT).contains(&bytes.len()));
        assert_eq!(bytes[0], 0xE1);
    }
});
