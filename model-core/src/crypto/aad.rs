//! Where a value lives, as bytes that bind its ciphertext to that place.

use super::{CryptoError, Result};

const PREFIX: &[u8] = b"model-core/aad/1\0";
const NO_TENANT: u8 = 0x00;
const TENANT: u8 = 0x01;

/// The place of an encrypted value: its collection, stored path, tenant and document id.
///
/// A tenant and an id are a BSON element type and the value's bytes *as they stand in a raw document* after the
/// element's name (a string is its `i32` length, the text and a zero byte; an `ObjectId` is twelve bytes), so that a
/// raw codec can slice them and [`bson_value`](super::bson_value) gives the same. The type keeps an id `"5f…"` apart
/// from `ObjectId("5f…")`, and an `i32` from an `i64`.
///
/// Encoded as `LP(collection) ‖ LP(path) ‖ (0x00 | 0x01 ‖ type ‖ LP(tenant)) ‖ type ‖ LP(id)`, which is injective:
/// no two places share their bytes. A part is at most what BSON allows (2 GiB), far below what a length can say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The collection's name.
    pub collection: &'a str,
    /// The stored path, with `[]` and `{}` for the steps into arrays and maps.
    pub path: &'a str,
    /// The tenant's BSON type and value bytes; `None` in a global model.
    pub tenant: Option<(u8, &'a [u8])>,
    /// The document id's BSON type and value bytes.
    pub id: (u8, &'a [u8]),
}

impl core::fmt::Debug for Origin<'_> {
    /// Leaves the tenant and the id out: they are values.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Origin")
            .field("collection", &self.collection)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl<'a> Origin<'a> {
    /// The origin as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let tenant = self.tenant.map_or(1, |(_, bytes)| 6 + bytes.len());
        let mut out =
            Vec::with_capacity(13 + self.collection.len() + self.path.len() + tenant + self.id.1.len());
        self.encode_into(&mut out);
        out
    }

    /// Appends the origin's bytes.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        put(out, self.collection.as_bytes());
        put(out, self.path.as_bytes());
        put_tenant(out, self.tenant);
        put_typed(out, self.id);
    }

    /// Reads an origin back, borrowed from its bytes.
    ///
    /// # Errors
    /// [`CryptoError::MalformedOrigin`] if the bytes are not exactly one origin.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        OriginParts::parse(bytes)?.origin()
    }
}

/// The parts of an origin's bytes; keys are looked up and checked by two of them.
pub(crate) struct OriginParts<'a> {
    /// `LP(collection) ‖ LP(path)`.
    pub(crate) field: &'a [u8],
    /// `0x00 | 0x01 ‖ type ‖ LP(tenant)`.
    pub(crate) tenant: &'a [u8],
    collection: &'a [u8],
    path: &'a [u8],
    typed_tenant: Option<(u8, &'a [u8])>,
    id: (u8, &'a [u8]),
}

impl<'a> OriginParts<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self> {
        Self::read(bytes).ok_or(CryptoError::MalformedOrigin)
    }

    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = bytes;
        let (collection, path) = (take(&mut rest)?, take(&mut rest)?);
        let (field, before) = bytes.split_at_checked(bytes.len() - rest.len())?;
        let typed_tenant = match take_byte(&mut rest)? {
            NO_TENANT => None,
            TENANT => Some((take_byte(&mut rest)?, take(&mut rest)?)),
            _ => return None,
        };
        let tenant = before.get(..before.len() - rest.len())?;
        let id = (take_byte(&mut rest)?, take(&mut rest)?);
        rest.is_empty().then_some(Self {
            field,
            tenant,
            collection,
            path,
            typed_tenant,
            id,
        })
    }

    /// The origin, whose names are text.
    fn origin(&self) -> Result<Origin<'a>> {
        let text = |bytes| core::str::from_utf8(bytes).map_err(|_| CryptoError::MalformedOrigin);
        Ok(Origin {
            collection: text(self.collection)?,
            path: text(self.path)?,
            tenant: self.typed_tenant,
            id: self.id,
        })
    }
}

/// The associated data of an envelope: `"model-core/aad/1\0" ‖ LP(header) ‖ LP(realm) ‖ origin`.
pub(crate) fn associated_data(header: &[u8], realm: &str, origin: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(PREFIX.len() + 8 + header.len() + realm.len() + origin.len());
    out.extend_from_slice(PREFIX);
    put(&mut out, header);
    put(&mut out, realm.as_bytes());
    out.extend_from_slice(origin);
    out
}

/// Appends `LP(bytes)`.
pub(crate) fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    // Nothing that comes out of BSON, whose own lengths are i32, reaches the limit.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Appends the tenant part of an origin.
pub(crate) fn put_tenant(out: &mut Vec<u8>, tenant: Option<(u8, &[u8])>) {
    match tenant {
        None => out.push(NO_TENANT),
        Some(tenant) => {
            out.push(TENANT);
            put_typed(out, tenant);
        }
    }
}

fn put_typed(out: &mut Vec<u8>, (bson_type, bytes): (u8, &[u8])) {
    out.push(bson_type);
    put(out, bytes);
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, tail) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (part, tail) = tail.split_at_checked(length)?;
    *rest = tail;
    Some(part)
}

fn take_byte(rest: &mut &[u8]) -> Option<u8> {
    let (byte, tail) = rest.split_first()?;
    *rest = tail;
    Some(*byte)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn places_that_concatenate_alike_have_distinct_bytes() {
        let names = [
            "",
            "a",
            "b",
            "ab",
            "\0",
            "users",
            "userst",
            "token",
            "oken",
            "\0\0\0\u{1}a",
        ];
        let typed: [(u8, &[u8]); 6] = [
            (2, b""),
            (2, b"a"),
            (7, b"a"),
            (0x10, &[1, 0, 0, 0]),
            (0x12, &[1, 0, 0, 0, 0, 0, 0, 0]),
            (1, b"\0\0\0\x01"),
        ];
        let tenants = core::iter::once(None).chain(typed.into_iter().map(Some));
        let mut seen = HashSet::new();
        let mut count = 0;
        for tenant in tenants {
            for collection in names {
                for path in names {
                    for id in typed {
                        let origin = Origin {
                            collection,
                            path,
                            tenant,
                            id,
                        };
                        let bytes = origin.encode();
                        assert_eq!(Origin::parse(&bytes).unwrap(), origin);
                        seen.insert(associated_data(b"header", "prod", &bytes));
                        count += 1;
                    }
                }
            }
        }
        assert_eq!(seen.len(), count);
    }

    #[test]
    fn header_and_realm_do_not_run_into_each_other() {
        assert_ne!(associated_data(b"ab", "c", b""), associated_data(b"a", "bc", b""));
        assert_ne!(associated_data(b"a", "b", b"c"), associated_data(b"a", "bc", b""));
    }

    #[test]
    fn parse_is_strict() {
        let origin = Origin {
            collection: "users",
            path: "token",
            tenant: Some((2, b"t")),
            id: (7, b"123456789012"),
        };
        let bytes = origin.encode();
        for length in 0..bytes.len() {
            assert_eq!(
                Origin::parse(bytes.get(..length).unwrap()),
                Err(CryptoError::MalformedOrigin)
            );
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(Origin::parse(&longer), Err(CryptoError::MalformedOrigin));
    }

    #[test]
    fn debug_shows_no_value() {
        let origin = Origin {
            collection: "users",
            path: "token",
            tenant: Some((2, b"acme")),
            id: (2, b"id-1"),
        };
        assert_eq!(
            format!("{origin:?}"),
            r#"Origin { collection: "users", path: "token", .. }"#
        );
    }
}
