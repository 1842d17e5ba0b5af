//! A tenant as keys see it: a BSON value as bytes.

use bson::{Bson, Document, doc};

use super::aad::put_tenant;
use super::{CryptoError, Result};

/// The length of `i32` document length, element type and the name `"v\0"`, in a document of one element.
const ELEMENT_HEAD: usize = 7;
const NULL: u8 = 0x0A;
/// Embedded document, array, undefined, null, code with scope, min key, max key: nothing to name a tenant by.
const NOT_A_TENANT: [u8; 7] = [0x03, 0x04, 0x06, NULL, 0x0F, 0xFF, 0x7F];

/// The tenant that a key belongs to: a scalar BSON value, compared by its type and bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TenantKey {
    /// As in an origin (`0x01 ‖ type ‖ LP(bytes)`), so that the two are compared and looked up without copying.
    part: Box<[u8]>,
}

impl core::fmt::Debug for TenantKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TenantKey([REDACTED])")
    }
}

impl TenantKey {
    /// A tenant from its BSON type and value bytes, as an [`Origin`](super::Origin) has them.
    ///
    /// # Errors
    /// [`CryptoError::Config`] for a type that names no tenant: null, a document, an array.
    pub fn new(bson_type: u8, value_bytes: &[u8]) -> Result<Self> {
        if NOT_A_TENANT.contains(&bson_type) {
            return Err(CryptoError::Config(
                "a tenant is a scalar BSON value, and not null",
            ));
        }
        let mut part = Vec::with_capacity(6 + value_bytes.len());
        put_tenant(&mut part, Some((bson_type, value_bytes)));
        Ok(Self { part: part.into() })
    }

    /// A tenant from a BSON value.
    ///
    /// # Errors
    /// As [`TenantKey::new`].
    pub fn from_bson(value: &Bson) -> Result<Self> {
        let (bson_type, bytes) = bson_value(value)?;
        Self::new(bson_type, &bytes)
    }

    /// The tenant as the BSON value it was made from, for a key row and for the filter of a key store.
    ///
    /// # Errors
    /// [`CryptoError::MalformedKeyRow`] if the bytes are not a BSON value of the type.
    pub fn to_bson(&self) -> Result<Bson> {
        let malformed = || CryptoError::MalformedKeyRow { field: "tenant" };
        let bytes = self.value_bytes();
        let length = i32::try_from(ELEMENT_HEAD + bytes.len() + 1).map_err(|_| malformed())?;
        let raw = [
            &length.to_le_bytes(),
            [self.bson_type()].as_slice(),
            b"v\0",
            bytes,
            b"\0",
        ]
        .concat();
        let mut document = Document::from_reader(raw.as_slice()).map_err(|_| malformed())?;
        document.remove("v").ok_or_else(malformed)
    }

    /// The BSON element type.
    pub fn bson_type(&self) -> u8 {
        self.part.get(1).copied().unwrap_or(NULL)
    }

    /// The value's bytes.
    pub fn value_bytes(&self) -> &[u8] {
        self.part.get(6..).unwrap_or_default()
    }

    /// The type and the bytes, as an [`Origin`](super::Origin) takes them.
    pub fn typed(&self) -> (u8, &[u8]) {
        (self.bson_type(), self.value_bytes())
    }

    /// The tenant part of an origin for this tenant, or for none.
    pub(crate) fn part(tenant: Option<&Self>) -> &[u8] {
        tenant.map_or(&[0x00], |tenant| &tenant.part)
    }
}

/// A BSON value's element type and bytes, as they stand in a raw document: what an [`Origin`](super::Origin) is made of.
///
/// # Errors
/// [`CryptoError::Decode`] if the value cannot be written as BSON.
pub fn bson_value(value: &Bson) -> Result<(u8, Vec<u8>)> {
    let raw = doc! { "v": value.clone() }
        .to_vec()
        .map_err(|_| CryptoError::Decode)?;
    let bson_type = raw.get(4).copied().ok_or(CryptoError::Decode)?;
    let bytes = raw.get(ELEMENT_HEAD..raw.len() - 1).ok_or(CryptoError::Decode)?;
    Ok((bson_type, bytes.to_vec()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bson::oid::ObjectId;

    use super::*;

    #[test]
    fn value_bytes_are_those_of_a_raw_document() {
        assert_eq!(
            bson_value(&Bson::from("ab")).unwrap(),
            (2, b"\x03\0\0\0ab\0".to_vec())
        );
        assert_eq!(bson_value(&Bson::from(1_i32)).unwrap(), (0x10, vec![1, 0, 0, 0]));
        let id = ObjectId::from_bytes([7; 12]);
        assert_eq!(bson_value(&Bson::from(id)).unwrap(), (7, vec![7; 12]));
    }

    #[test]
    fn round_trip_through_bson() {
        for value in [
            Bson::from("acme"),
            Bson::from(""),
            Bson::from(7_i32),
            Bson::from(7_i64),
            Bson::from(ObjectId::from_bytes([7; 12])),
        ] {
            let tenant = TenantKey::from_bson(&value).unwrap();
            assert_eq!(tenant.to_bson().unwrap(), value);
            assert_eq!(
                tenant,
                TenantKey::new(tenant.bson_type(), tenant.value_bytes()).unwrap()
            );
        }
    }

    #[test]
    fn same_bytes_of_another_type_are_another_tenant() {
        assert_ne!(TenantKey::new(2, b"x").unwrap(), TenantKey::new(5, b"x").unwrap());
        assert_ne!(
            TenantKey::from_bson(&Bson::from(1_i32)),
            TenantKey::from_bson(&Bson::from(1_i64))
        );
    }

    #[test]
    fn no_tenant_is_null_or_a_document() {
        for value in [Bson::Null, Bson::from(doc! { "a": 1 }), Bson::from(vec![1])] {
            assert!(TenantKey::from_bson(&value).is_err());
        }
    }
}
