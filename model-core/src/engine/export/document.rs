//! A stored document as an archive tells it: in the present version, without what the crate keeps for itself.

use bson::{Bson, Document};

use crate::codec::{DecodeError, Elements, read_bson};
use crate::engine::read::load;
use crate::engine::secrets::document_seal;
use crate::engine::secrets::keys::{Reach, open_sealed};
use crate::engine::secrets::sealed::{Found, sealed};
use crate::engine::unit::Unit;
use crate::error::{Error, Result};
use crate::schema::{FieldSchema, ModelSchema, TypeSchema, reserved};

/// The document; its encrypted values are left out, or stand in it opened. The hashes of passwords and tokens never do.
pub(super) async fn of(unit: &(impl Unit + ?Sized), raw: &[u8], secrets: bool) -> Result<Document> {
    let schema = unit.schema();
    document_seal::prepare(&unit.caller().ports, unit.schema(), [raw]).await?;
    let present = load::migrated(unit, raw)?;
    let mut document = load::document(&present)?;
    for name in reserved::ALL {
        if name != reserved::DELETED_AT {
            document.remove(name);
        }
    }
    leave_out(schema.fields, &mut document);
    if secrets && let Some(origin) = load::origin(schema, &present)? {
        for found in sealed(schema, &present)? {
            if !matches!(found.ty, TypeSchema::Encrypted(_)) {
                continue;
            }
            let Some(value) = opened(unit, &found, schema, &found.origin(origin)).await? else {
                continue;
            };
            put(&mut document, &found.path, value);
        }
    }
    Ok(document)
}

async fn opened(
    unit: &(impl Unit + ?Sized),
    found: &Found<'_>,
    schema: &'static ModelSchema,
    origin: &[u8],
) -> Result<Option<Bson>> {
    let caller = unit.caller();
    let plain = match found.envelope() {
        Some(envelope) => {
            let (_, envelope) = envelope.map_err(Error::from)?;
            Some(open_sealed(caller, origin, envelope, Reach::Own).await?)
        }
        None => found.before(schema, &caller.ports)?,
    };
    let Some(plain) = plain else { return Ok(None) };
    let value = Elements::new(&plain).and_then(|elements| elements.find("v"));
    let value = value.and_then(|value| value.map(read_bson).transpose());
    value.map_err(DecodeError::into_error)
}

/// Takes out what is secret.
fn leave_out(fields: &'static [FieldSchema], document: &mut Document) {
    for field in fields {
        if field.ty.is_secret() {
            document.remove(field.stored);
        } else if let Some(choice) = field.ty.flat() {
            for variant in choice.variants {
                leave_out(variant.fields, document);
            }
        } else if let Some(value) = document.get_mut(field.stored) {
            inside(&field.ty, value);
        }
    }
}

fn inside(ty: &'static TypeSchema, value: &mut Bson) {
    match (ty, value) {
        (TypeSchema::Optional(inner), value) => inside(inner, value),
        (TypeSchema::Array(inner), Bson::Array(items)) => {
            for item in items {
                inside(inner, item);
            }
        }
        (TypeSchema::Map(inner), Bson::Document(entries)) => {
            for (_, value) in entries.iter_mut() {
                inside(inner, value);
            }
        }
        (TypeSchema::Embedded(schema), Bson::Document(document)) => leave_out(schema().fields, document),
        (TypeSchema::Enum(schema), Bson::Document(document)) => {
            for variant in schema().variants {
                leave_out(variant.fields, document);
            }
        }
        _ => {}
    }
}

/// Puts a value at a path, dotted, with the positions in arrays.
fn put(document: &mut Document, path: &str, value: Bson) {
    let Some((name, rest)) = path.split_once('.') else {
        document.insert(path, value);
        return;
    };
    // A map of secrets was left out as a whole.
    let inner = document
        .entry(name.to_owned())
        .or_insert_with(|| Bson::Document(Document::new()));
    match inner {
        Bson::Document(inner) => put(inner, rest, value),
        Bson::Array(items) => {
            let Some((position, rest)) = rest.split_once('.') else {
                return;
            };
            let item = position
                .parse()
                .ok()
                .and_then(|position: usize| items.get_mut(position));
            if let Some(Bson::Document(item)) = item {
                put(item, rest, value);
            }
        }
        _ => {}
    }
}
