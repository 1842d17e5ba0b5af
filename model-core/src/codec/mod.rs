//! Raw BSON in and out in one pass, inputs in, views out. The derive emits calls into this module only.
//!
//! The byte layout is that of the BSON specification (<https://bsonspec.org/spec.html>, version 1.1); the tests hold
//! the `bson` crate up against every byte that is written and read here.

mod blind;
mod doc_reader;
mod dynamic;
mod echo;
mod edit;
mod field_value;
mod group;
mod input;
mod old;
mod origin;
mod path;
mod place;
mod reader;
mod sealing;
mod syntax;
mod view;
mod visit;
mod writer;

pub(crate) use blind::blind_value;
pub use doc_reader::DocReader;
pub(crate) use dynamic::{read_bson, write_bson};
pub use echo::Echo;
pub use edit::Edit;
pub use field_value::{FieldValue, Never};
pub use group::{FieldGroup, NoFields, Prefix};
pub use input::{InputCx, ObjectInput};

pub(crate) use old::old_value;
pub(crate) use origin::Today;
pub use origin::{DecodeCx, Decoding, DocOrigin, Seal};

pub use place::Place;
pub(crate) use place::{ELEMENT_ID, Typed, element_id, key_id};
pub(crate) use reader::Elements;
pub use reader::{DecodeError, RawValue};
pub(crate) use sealing::plaintext;
pub use view::{HexId, HiddenFields, ViewValue, shown_field, view_field};
pub(crate) use visit::Mode;
pub use visit::{Constraints, Visitor};
pub use writer::Writer;

/// The type bytes of BSON elements.
pub(crate) mod tag {
    pub(crate) const DOUBLE: u8 = 0x01;
    pub(crate) const STRING: u8 = 0x02;
    pub(crate) const DOCUMENT: u8 = 0x03;
    pub(crate) const ARRAY: u8 = 0x04;
    pub(crate) const BINARY: u8 = 0x05;
    pub(crate) const UNDEFINED: u8 = 0x06;
    pub(crate) const OBJECT_ID: u8 = 0x07;
    pub(crate) const BOOL: u8 = 0x08;
    pub(crate) const DATE: u8 = 0x09;
    pub(crate) const NULL: u8 = 0x0A;
    pub(crate) const REGEX: u8 = 0x0B;
    pub(crate) const DB_POINTER: u8 = 0x0C;
    pub(crate) const JAVASCRIPT: u8 = 0x0D;
    pub(crate) const SYMBOL: u8 = 0x0E;
    pub(crate) const JAVASCRIPT_SCOPE: u8 = 0x0F;
    pub(crate) const INT32: u8 = 0x10;
    pub(crate) const TIMESTAMP: u8 = 0x11;
    pub(crate) const INT64: u8 = 0x12;
    pub(crate) const DECIMAL128: u8 = 0x13;
    pub(crate) const MAX_KEY: u8 = 0x7F;
    pub(crate) const MIN_KEY: u8 = 0xFF;
}
