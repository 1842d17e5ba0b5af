//! Where a sealed value stands: its path, and the elements of arrays and maps on the way.

use std::borrow::Cow;

use super::reader::RawValue;
use super::tag;
use super::writer::Writer;

/// The first field of an element that holds secrets: what they are bound to, since elements move.
pub(crate) const ELEMENT_ID: &str = "id";

/// An id: a BSON type and bytes.
pub(crate) type Typed<'a> = (u8, Cow<'a, [u8]>);

/// Where a value stands, with `[]` and `{}` for the steps into arrays and maps.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place<'a> {
    pub(crate) path: String,
    /// The ids of the elements on the way, the outermost first.
    pub(crate) elements: Vec<Typed<'a>>,
}

impl Place<'_> {
    /// What stands for the document's id in an origin: the id itself; inside elements an array of it and of theirs, which
    /// no document's id can be.
    pub(crate) fn bound_id<'b>(&self, document: (u8, &'b [u8])) -> Typed<'b> {
        if self.elements.is_empty() {
            return (document.0, Cow::Borrowed(document.1));
        }
        let mut out = Writer::new();
        out.raw("0", document.0, document.1);
        for (index, (tag, bytes)) in self.elements.iter().enumerate() {
            out.raw(&(index + 1).to_string(), *tag, bytes);
        }
        (tag::ARRAY, Cow::Owned(out.finish().unwrap_or_default()))
    }
}

/// The id of an element of an array: its first field, if that is called `id`.
pub(crate) fn element_id(first: Option<(&str, RawValue<'_>)>) -> Option<Typed<'static>> {
    match first {
        Some((ELEMENT_ID, value)) if !value.is_null() => Some((value.tag, Cow::Owned(value.bytes.to_vec()))),
        _ => None,
    }
}

/// The id of an element of a map: its key.
pub(crate) fn key_id(key: &str) -> Typed<'static> {
    let mut out = Writer::new();
    out.string("k", key);
    let bytes = out.finish().unwrap_or_default();
    let value = bytes.get(7..bytes.len().saturating_sub(1)).unwrap_or_default();
    (tag::STRING, Cow::Owned(value.to_vec()))
}
