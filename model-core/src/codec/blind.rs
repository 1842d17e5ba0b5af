//! The form of a value that blind-index tokens are made of.

use unicode_normalization::UnicodeNormalization;

use super::reader::{Elements, RawValue};
use super::tag;
use crate::crypto::Plaintext;
use crate::schema::BlindNormaliser;

/// The longest value that a token is made of; a longer one is not found by its value.
const MAX_VALUE: usize = 8 * 1024;

/// The form of the value in the document `{v: value}`: its BSON type, and its text or bytes. A file format.
///
/// None if the document is not of that shape, or the value too long to be looked up.
pub(crate) fn blind_value(normalise: BlindNormaliser, plain: &[u8]) -> Option<Plaintext> {
    let (_, value) = Elements::new(plain).ok()?.next().ok()??;
    let text = (value.tag == tag::STRING).then(|| value.str()).transpose().ok()?;
    let out = match text {
        Some(text) => normalised(normalise, text),
        None => typed(value),
    };
    (out.len() <= MAX_VALUE).then_some(out)
}

fn typed(value: RawValue<'_>) -> Plaintext {
    let mut out = Vec::with_capacity(1 + value.bytes.len());
    out.push(value.tag);
    out.extend_from_slice(value.bytes);
    out.into()
}

fn normalised(normalise: BlindNormaliser, text: &str) -> Plaintext {
    // Allocated once: growing would leave a copy behind. Neither form nor case makes a text three times as long.
    let mut out = Vec::with_capacity(1 + 3 * text.len());
    out.push(tag::STRING);
    let mut push = |c: char| out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    match normalise {
        BlindNormaliser::Exact => text.chars().for_each(push),
        BlindNormaliser::Digits => text.chars().filter(char::is_ascii_digit).for_each(push),
        BlindNormaliser::Email => text
            .trim()
            .nfc()
            .flat_map(char::to_lowercase)
            .nfc()
            .for_each(&mut push),
    }
    out.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::writer::Writer;
    use super::*;

    fn form(normalise: BlindNormaliser, text: &str) -> Vec<u8> {
        let mut out = Writer::new();
        out.string("v", text);
        blind_value(normalise, &out.finish().unwrap()).unwrap().to_vec()
    }

    #[test]
    fn what_means_the_same_has_one_form() {
        let email = |text| form(BlindNormaliser::Email, text);
        assert_eq!(email(" A@X.com"), email("a@x.COM "));
        assert_eq!(email("e\u{301}@x.com"), email("\u{c9}@x.com"));
        assert_ne!(email("a@x.com"), email("b@x.com"));
        let digits = |text| form(BlindNormaliser::Digits, text);
        assert_eq!(digits("+49 (30) 1234"), digits("4930-1234"));
        let exact = |text| form(BlindNormaliser::Exact, text);
        assert_ne!(exact("a"), exact("A"));
        assert_eq!(exact("a"), [tag::STRING, b'a']);
    }

    #[test]
    fn the_type_tells_values_apart() {
        let of = |write: &dyn Fn(&mut Writer<'_>)| {
            let mut out = Writer::new();
            write(&mut out);
            blind_value(BlindNormaliser::Exact, &out.finish().unwrap()).map(|form| form.to_vec())
        };
        assert_ne!(of(&|out| out.i32("v", 1)), of(&|out| out.i64("v", 1)));
        assert_ne!(of(&|out| out.date("v", 1)), of(&|out| out.i64("v", 1)));
        assert_eq!(of(&|_| ()), None);
        assert_eq!(of(&|out| out.string("v", &"x".repeat(9_000))), None);
    }
}
