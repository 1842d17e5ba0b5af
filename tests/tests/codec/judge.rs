//! Whether what we read from malformed bytes is what the `bson` crate reads there.

use bson::raw::{RawBsonRef, RawDocument, RawDocumentBuf};
use bson::{Bson, Document};

use crate::model::Outer;

/// Every value in `ours` (the fields that our reader returned, encoded again) stands in `theirs` under the same key,
/// can be read there by the `bson` crate, and means the same. What our reader passed over may be as broken as it
/// likes.
///
/// # Errors
/// The path at which we returned what `bson` does not read.
pub(crate) fn agrees(ours: &Document, theirs: &RawDocument) -> Result<(), String> {
    let theirs = readable(theirs, ours)?;
    let mut found = Vec::new();
    for element in theirs.iter_elements() {
        let element = element.map_err(|error| format!("the framing: {error}"))?;
        found.push(element);
    }
    for (key, value) in ours {
        let mut same = found.iter().filter(|element| element.key().as_str() == key);
        let (Some(element), None) = (same.next(), same.next()) else {
            return Err(format!("{key}: it does not stand there once"));
        };
        let theirs = element.value().map_err(|error| format!("{key}: {error}"))?;
        if key == "foreign" {
            // What it means is serde's business: a struct may be read from an array, too.
            let theirs: Bson = theirs.try_into().map_err(|error| format!("{key}: {error}"))?;
            let read: Outer =
                bson::deserialize_from_bson(theirs).map_err(|error| format!("{key}: {error}"))?;
            let again = bson::serialize_to_bson(&read).map_err(|error| format!("{key}: {error}"))?;
            if bytes(value) != bytes(&again) {
                return Err(format!("{key}: ours {value:?}, theirs {again:?}"));
            }
            continue;
        }
        means(value, theirs).map_err(|error| format!("{key}.{error}"))?;
    }
    Ok(())
}

/// Ends with NUL what begins with its length and was passed over: documents and arrays, code with a scope and the code in
/// it, and whatever begins with a text; makes UTF-8 of what is looked at whole.
fn end_value(bytes: &mut [u8], tag: u8, at: usize) {
    match tag {
        0x03 | 0x04 => end_at(bytes, at, 0),
        0x0F => {
            end_at(bytes, at, 0);
            end_at(bytes, at + 4, 4);
        }
        0x02 | 0x0C..=0x0E => end_at(bytes, at, 4),
        0x0B => {
            // A regular expression: two texts, each up to a NUL.
            let texts = bytes[at..].splitn_mut(3, |byte| *byte == 0).take(2).flatten();
            texts
                .filter(|byte| !byte.is_ascii())
                .for_each(|byte| *byte = b'?');
        }
        _ => {}
    }
}

/// Ends what has its length at a place, and of it so much before itself, if that ends inside of the document.
fn end_at(bytes: &mut [u8], at: usize, before: usize) {
    let length = bytes.get(at..at + 4).and_then(|length| length.try_into().ok());
    let end = at + before + length.map_or(0, u32::from_le_bytes) as usize;
    if end > at + 4 && end < bytes.len() {
        bytes[end - 1] = 0;
    }
}

/// NaN differs from itself, wherever it stands: bytes do not.
fn bytes(value: &Bson) -> Option<Vec<u8>> {
    bson::doc! { "v": value.clone() }.to_vec().ok()
}

/// The same elements, where what stops the `bson` crate and is none of ours is made readable: a key that is not UTF-8, and a
/// value that was passed over and does not end with NUL.
fn readable(theirs: &RawDocument, ours: &Document) -> Result<RawDocumentBuf, String> {
    let mut bytes = theirs.as_bytes().to_vec();
    let mut at = 4;
    let mut passed = 0;
    while bytes.len() - at > 1 {
        let end = bytes[at + 1..]
            .iter()
            .position(|byte| *byte == 0)
            .ok_or("the framing: a key without an end")?;
        let key = &mut bytes[at + 1..at + 1 + end];
        if std::str::from_utf8(key).is_err() {
            key.fill(b'?');
        }
        let passed_over = std::str::from_utf8(key).is_ok_and(|key| !ours.contains_key(key));
        if passed_over {
            let tag = bytes[at];
            end_value(&mut bytes, tag, at + 2 + end);
        }
        let document = RawDocument::from_bytes(&bytes).map_err(|error| error.to_string())?;
        let element = document
            .iter_elements()
            .nth(passed)
            .ok_or("the framing: an element less")?;
        at += 2 + end + element.map_err(|error| format!("the framing: {error}"))?.size();
        passed += 1;
    }
    RawDocumentBuf::from_bytes(bytes).map_err(|error| error.to_string())
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::float_cmp,
    reason = "the same number or not"
)]
fn means(ours: &Bson, theirs: RawBsonRef<'_>) -> Result<(), String> {
    match (ours, theirs) {
        (Bson::Document(ours), RawBsonRef::Document(theirs)) => return agrees(ours, theirs),
        (Bson::Array(ours), RawBsonRef::Array(theirs)) => {
            let theirs: Vec<_> = theirs.into_iter().collect();
            if ours.len() != theirs.len() {
                return Err("the number of elements".to_owned());
            }
            for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                let theirs = theirs.map_err(|error| format!("{index}: {error}"))?;
                means(ours, theirs).map_err(|error| format!("{index}.{error}"))?;
            }
            return Ok(());
        }
        (Bson::Null, RawBsonRef::Null | RawBsonRef::Undefined) => return Ok(()),
        _ => {}
    }
    let theirs: Bson = theirs.try_into().map_err(|error| format!(" {error}"))?;
    let number = |value: &Bson| match value {
        Bson::Int32(number) => Some(f64::from(*number)),
        #[allow(clippy::cast_precision_loss, reason = "both sides lose the same")]
        Bson::Int64(number) => Some(*number as f64),
        Bson::Double(number) => Some(*number),
        _ => None,
    };
    let same_number = match (number(ours), number(&theirs)) {
        (Some(ours), Some(theirs)) => {
            ours == theirs || (ours.is_nan() && theirs.is_nan()) || ours == f64::from(theirs as f32)
        }
        _ => false,
    };
    if same_number || *ours == theirs || bytes(ours) == bytes(&theirs) {
        Ok(())
    } else {
        Err(format!(" ours {ours:?}, theirs {theirs:?}"))
    }
}
