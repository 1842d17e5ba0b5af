//! Keys of 32 bytes as operators give them: as text, or in an environment variable.

use zeroize::{Zeroize, Zeroizing};

use super::{CryptoError, Result};

type Key = Zeroizing<[u8; 32]>;

/// 64 hexadecimal digits, or base64 of 32 bytes (either alphabet, padding optional); white space around them is nothing.
pub(super) fn parse(text: &str) -> Result<Key> {
    let text = text.trim();
    let key = if text.len() == 64 {
        decode_hex(text)
    } else {
        decode_base64(text)
    };
    key.ok_or(CryptoError::WeakKey)
}

/// What an environment variable holds, as [`parse`] reads it.
pub(super) fn from_env(name: &str) -> Result<Key> {
    let text = std::env::var(name).map_err(|_| CryptoError::KeySource {
        name: name.to_owned(),
    })?;
    parse(&Zeroizing::new(text))
}

/// 64 hexadecimal digits as bytes.
fn decode_hex(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0u8; 32]);
    let mut digits = text.chars().map(|c| c.to_digit(16));
    for byte in key.iter_mut() {
        let (high, low) = (digits.next()??, digits.next()??);
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    digits.next().is_none().then_some(key)
}

/// Base64 of exactly 32 bytes (RFC 4648, sections 4 and 5): 43 digits, the last with two zero bits, and at most one `=`.
fn decode_base64(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let digits = text.strip_suffix('=').unwrap_or(text);
    if digits.len() != 43 {
        return None;
    }
    let mut key = Zeroizing::new([0u8; 32]);
    let mut out = key.iter_mut();
    let (mut bits, mut count) = (0u32, 0u32);
    for digit in digits.bytes() {
        bits = bits << 6 | u32::from(base64_digit(digit)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            *out.next()? = u8::try_from(bits >> count & 0xFF).ok()?;
        }
    }
    let canonical = bits.trailing_zeros() >= 2;
    bits.zeroize();
    (canonical && out.next().is_none()).then_some(key)
}

fn base64_digit(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}
