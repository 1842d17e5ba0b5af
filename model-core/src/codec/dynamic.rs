//! `bson::Bson` values to and from raw bytes, for dynamic fields and for filters.

use bson::{Bson, RawDocument};

use super::reader::{DecodeError, RawValue};
use super::tag;
use super::writer::Writer;

/// Writes any BSON value under `key`.
pub(crate) fn write_bson(out: &mut Writer<'_>, key: &str, value: &Bson) {
    match value {
        Bson::Double(number) => out.f64(key, *number),
        Bson::String(text) => out.string(key, text),
        Bson::Boolean(flag) => out.bool(key, *flag),
        Bson::Null => out.null(key),
        Bson::Undefined => out.raw(key, tag::UNDEFINED, &[]),
        Bson::Int32(number) => out.i32(key, *number),
        Bson::Int64(number) => out.i64(key, *number),
        Bson::ObjectId(id) => out.object_id(key, id.bytes()),
        Bson::DateTime(date) => out.date(key, date.timestamp_millis()),
        Bson::Decimal128(number) => out.raw(key, tag::DECIMAL128, &number.bytes()),
        Bson::MinKey => out.raw(key, tag::MIN_KEY, &[]),
        Bson::MaxKey => out.raw(key, tag::MAX_KEY, &[]),
        Bson::Binary(binary) if binary.subtype != bson::spec::BinarySubtype::BinaryOld => {
            out.binary(key, binary.subtype.into(), &binary.bytes);
        }
        Bson::Document(document) => out.document(key, |out| {
            for (key, value) in document {
                if key.contains('\0') {
                    out.reject("", "key", "a key must not contain a NUL character");
                } else {
                    write_bson(out, key, value);
                }
            }
        }),
        Bson::Array(items) => out.array(key, items, write_bson),
        rare => write_rare(out, key, rare),
    }
}

/// The types that hardly anyone stores go through the `bson` crate.
fn write_rare(out: &mut Writer<'_>, key: &str, value: &Bson) {
    let mut document = bson::Document::new();
    document.insert("v", value.clone());
    let bytes = document.to_vec();
    // int32 length, type byte, "v\0", value, NUL
    match bytes
        .as_ref()
        .ok()
        .and_then(|bytes| Some((*bytes.get(4)?, bytes.get(7..bytes.len() - 1)?)))
    {
        Some((tag, bytes)) => out.raw(key, tag, bytes),
        None => out.reject(key, "bson", "the value has no BSON form"),
    }
}

/// Reads any BSON value.
pub(crate) fn read_bson(value: RawValue<'_>) -> Result<Bson, DecodeError> {
    let malformed = || DecodeError::new("malformed BSON");
    Ok(match value.tag {
        tag::DOCUMENT => {
            let raw = RawDocument::from_bytes(value.bytes).map_err(|_| malformed())?;
            Bson::Document(raw.try_into().map_err(|_| malformed())?)
        }
        tag::STRING => Bson::String(value.str()?.to_owned()),
        tag::NULL => Bson::Null,
        tag::BOOL => Bson::Boolean(value.bool()?),
        tag::DATE => Bson::DateTime(bson::DateTime::from_millis(value.date()?)),
        tag::INT32 => Bson::Int32(value.int32()?),
        tag::INT64 => Bson::Int64(value.i64()?),
        tag::DOUBLE => Bson::Double(value.f64()?),
        tag::OBJECT_ID => Bson::ObjectId(bson::oid::ObjectId::from_bytes(value.object_id()?)),
        _ => {
            let wrapped = wrap(value);
            let raw = RawDocument::from_bytes(&wrapped).map_err(|_| malformed())?;
            let inner = raw.get("v").ok().flatten().ok_or_else(malformed)?;
            inner.try_into().map_err(|_| malformed())?
        }
    })
}

/// The value as the document `{v: value}`.
fn wrap(value: RawValue<'_>) -> Vec<u8> {
    let mut out = Writer::with_capacity(value.bytes.len() + 8);
    out.raw("v", value.tag, value.bytes);
    out.finish().unwrap_or_default()
}
