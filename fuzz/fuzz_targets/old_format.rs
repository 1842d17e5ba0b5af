#![no_main]

use libfuzzer_sys::fuzz_target;
use model_core::crypto::{AesCbc, AesCtr, CryptoJs, LibreChat, OldFormat};

const KEY: &str = "8f1d3b5a7c9e0f2143658709badcfe1032547698badcfe0123456789abcdef01";
const IV: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

// What is not of a format does not open; what is, opens or is an error.
fuzz_target!(|text: &str| {
    let librechat = LibreChat::new(KEY).and_then(|format| format.with_iv(IV)).unwrap();
    let formats: [&dyn OldFormat; 4] = [
        &AesCbc::new(&[7; 32]),
        &AesCtr::new(&[7; 32]),
        &CryptoJs::new("dev-encryption-key"),
        &librechat,
    ];
    for format in formats {
        let opened = format.open(text);
        assert!(format.is(text) || opened.is_err());
    }
});
