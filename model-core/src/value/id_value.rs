//! The three stored forms of an identity.

use bson::Bson;
use bson::oid::ObjectId;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::codec::{DecodeError, HexId, RawValue, Writer, tag};
use crate::schema::IdKind;

/// An identity: of a document or of a tenant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum IdValue {
    ObjectId(ObjectId),
    Uuid(Uuid),
    Text(Box<str>),
}

impl IdValue {
    /// A fresh one. UUIDs of version 7 (RFC 9562) sort by time, in the string form too.
    pub(crate) fn generate(kind: IdKind) -> Self {
        #[allow(clippy::disallowed_methods)] // the one place that makes ids
        match kind {
            IdKind::ObjectId => Self::ObjectId(ObjectId::new()),
            IdKind::Uuid => Self::Uuid(Uuid::now_v7()),
            IdKind::String { prefix } => {
                let mut buffer = Uuid::encode_buffer();
                let random = Uuid::now_v7().simple().encode_lower(&mut buffer).to_owned();
                Self::Text(format!("{prefix}{random}").into())
            }
        }
    }

    /// The one id that a document of `tenant` has, where there is one for each: made from a digest of `seed` and tenant, as a
    /// UUID of version 8 (RFC 9562).
    pub(crate) fn of_tenant(kind: IdKind, seed: &str, tenant: Option<&Self>) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"model-core/singleton/1\0");
        hash.update(seed.as_bytes());
        let mut out = Writer::new();
        if let Some(tenant) = tenant {
            tenant.encode(&mut out, "tenant");
        }
        hash.update(out.finish().unwrap_or_default());
        let digest: [u8; 32] = hash.finalize().into();
        let first = |count: usize| digest.iter().copied().take(count);
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(first(16)).for_each(|(to, from)| *to = from);
        let uuid = uuid::Builder::from_custom_bytes(bytes).into_uuid();
        match kind {
            IdKind::ObjectId => {
                let mut bytes = [0; 12];
                bytes.iter_mut().zip(first(12)).for_each(|(to, from)| *to = from);
                Self::ObjectId(ObjectId::from_bytes(bytes))
            }
            IdKind::Uuid => Self::Uuid(uuid),
            IdKind::String { prefix } => {
                let mut buffer = Uuid::encode_buffer();
                let text = uuid.simple().encode_lower(&mut buffer).to_owned();
                Self::Text(format!("{prefix}{text}").into())
            }
        }
    }

    /// Reads the text form of `kind`; what is wrong is said without the text.
    pub(crate) fn parse(kind: IdKind, text: &str) -> Result<Self, String> {
        match kind {
            IdKind::ObjectId => ObjectId::parse_str(text)
                .map(Self::ObjectId)
                .map_err(|_| "expected 24 hexadecimal digits".to_owned()),
            IdKind::Uuid => Uuid::parse_str(text)
                .map(Self::Uuid)
                .map_err(|_| "expected a UUID".to_owned()),
            IdKind::String { prefix } => match text.strip_prefix(prefix) {
                Some(rest) if is_id_text(rest) => Ok(Self::Text(text.into())),
                Some(_) => Err("expected 1 to 200 letters, digits, `_`, `-`, `.`, `:` or `@`".to_owned()),
                None => Err(format!("expected the prefix `{prefix}`")),
            },
        }
    }

    pub(crate) fn kind_fits(&self, kind: IdKind) -> bool {
        matches!(
            (self, kind),
            (Self::ObjectId(_), IdKind::ObjectId)
                | (Self::Uuid(_), IdKind::Uuid)
                | (Self::Text(_), IdKind::String { .. })
        )
    }

    #[inline]
    pub(crate) fn encode(&self, out: &mut Writer<'_>, key: &str) {
        match self {
            Self::ObjectId(id) => out.object_id(key, id.bytes()),
            Self::Uuid(id) => out.binary(key, 4, id.as_bytes()),
            Self::Text(text) => out.string(key, text),
        }
    }

    #[inline]
    pub(crate) fn decode(value: RawValue<'_>) -> Result<Self, DecodeError> {
        match value.tag {
            tag::OBJECT_ID => value
                .object_id()
                .map(|bytes| Self::ObjectId(ObjectId::from_bytes(bytes))),
            tag::STRING => value.str().map(|text| Self::Text(text.into())),
            tag::BINARY => match value.binary()? {
                (4, bytes) => Uuid::from_slice(bytes)
                    .map(Self::Uuid)
                    .map_err(|_| DecodeError::new("a UUID has 16 bytes")),
                _ => Err(DecodeError::new("expected an id, found binary that is no UUID")),
            },
            other => Err(DecodeError::wrong_type("an id (string, objectId or UUID)", other)),
        }
    }

    /// From its BSON form.
    pub(crate) fn from_bson(value: &Bson) -> Option<Self> {
        match value {
            Bson::ObjectId(id) => Some(Self::ObjectId(*id)),
            Bson::String(text) => Some(Self::Text(text.as_str().into())),
            Bson::Binary(binary) if binary.subtype == bson::spec::BinarySubtype::Uuid => {
                Uuid::from_slice(&binary.bytes).ok().map(Self::Uuid)
            }
            _ => None,
        }
    }

    pub(crate) fn to_bson(&self) -> Bson {
        match self {
            Self::ObjectId(id) => Bson::ObjectId(*id),
            Self::Uuid(id) => bson::Uuid::from_bytes(*id.as_bytes()).into(),
            Self::Text(text) => Bson::String(text.to_string()),
        }
    }
}

fn is_id_text(text: &str) -> bool {
    (1..=200).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.:@".contains(&byte))
}

/// The text form, as `Display` has it.
impl Serialize for IdValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::ObjectId(id) => HexId(*id).serialize(serializer),
            Self::Uuid(id) => {
                serializer.serialize_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
            }
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl std::fmt::Display for IdValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ObjectId(id) => std::fmt::Display::fmt(id, f),
            Self::Uuid(id) => std::fmt::Display::fmt(id, f),
            Self::Text(text) => f.write_str(text),
        }
    }
}
