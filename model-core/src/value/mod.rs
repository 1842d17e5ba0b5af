//! The field types: facts that must hold everywhere are types.

mod bson_types;
mod bytes;
mod collections;
mod dynamic;
mod encrypted;
mod foreign;
mod id;
mod id_value;
mod number;
mod old;
mod password;
mod reference;
mod revision;
mod scalar;
mod sealed;
mod secret;
mod tenant_id;
mod token;
mod vector;

pub use bytes::{Bytes, BytesView};
pub use collections::MAX_MAP_KEYS;
pub(crate) use collections::bad_map_key;
pub use dynamic::DynamicView;
pub use encrypted::Encrypted;
pub use foreign::Foreign;
pub use id::{Id, Identified};
pub(crate) use id_value::IdValue;
pub use password::PasswordHash;
pub use reference::{Pointer, Ref, Refers};
pub use revision::Revision;

pub use secret::{OpenSecrets, Secret};
pub use tenant_id::TenantId;
pub use token::{Token, TokenDigest};
pub use vector::{Vector, VectorView};
pub(crate) use vector::{each_number, packed};
