//! Views out: the only thing that serialises.

use serde::Serialize;
use serde::ser::SerializeStruct;

/// A value inside a view.
pub trait ViewValue: Serialize + Send + Sync + 'static {
    /// Whether the key is left out.
    fn is_absent(&self) -> bool {
        false
    }
}

impl<T: ViewValue> ViewValue for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: ViewValue> ViewValue for Vec<T> {}

/// The name of an enum's variant.
impl ViewValue for &'static str {}

/// Serialises one key of a view.
#[inline]
pub fn view_field<S: SerializeStruct, V: ViewValue>(
    out: &mut S,
    key: &'static str,
    value: &V,
) -> Result<(), S::Error> {
    if value.is_absent() {
        out.skip_field(key)
    } else {
        out.serialize_field(key, value)
    }
}

/// The JSON keys at the top level of a view that its reader is not shown.
#[derive(Debug, Clone, Default)]
pub struct HiddenFields(Vec<&'static str>);

impl HiddenFields {
    pub(crate) fn new(keys: Vec<&'static str>) -> Self {
        Self(keys)
    }
}

/// Serialises one key of a view, if its reader is shown it.
#[inline]
pub fn shown_field<S: SerializeStruct, V: ViewValue>(
    out: &mut S,
    hidden: &HiddenFields,
    key: &'static str,
    value: &V,
) -> Result<(), S::Error> {
    if hidden.0.contains(&key) {
        out.skip_field(key)
    } else {
        view_field(out, key, value)
    }
}

/// An `ObjectId` as its 24 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HexId(pub bson::oid::ObjectId);

impl Serialize for HexId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 24];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0.bytes()) {
            if let ([high, low], (Some(h), Some(l))) = (
                pair,
                (
                    DIGITS.get(usize::from(byte >> 4)),
                    DIGITS.get(usize::from(byte & 15)),
                ),
            ) {
                (*high, *low) = (*h, *l);
            }
        }
        serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl ViewValue for HexId {}
