//! What is declared of encrypted fields: blind indexes, padding.

use core::num::NonZeroU32;

use super::field::{FieldSchema, TypeSchema};
use super::index::{IndexKey, IndexSpec};
use super::{ModelSchema, TokenScopes, reserved};

/// What is done to a value before its token is made, so that what means the same is found. The name is part of the key
/// that tokens are made with: another normaliser is another index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlindNormaliser {
    /// Nothing.
    Exact,
    /// Trimmed, in Unicode's normal form C, in lower case.
    Email,
    /// Only the digits 0 to 9 count.
    Digits,
}

/// A blind index over an encrypted field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlindSpec {
    /// What is done to a value before its token is made.
    pub normalise: BlindNormaliser,
    /// No two documents have the same value.
    pub unique: bool,
    /// The tokens are made with one key for all tenants.
    pub global: bool,
    /// How many bits of a token are stored, if not all: several values share one, so that it tells less.
    pub bits: Option<u8>,
}

impl BlindSpec {
    /// A blind index within the tenant, that is not unique and compares exactly.
    pub const fn new() -> Self {
        Self {
            normalise: BlindNormaliser::Exact,
            unique: false,
            global: false,
            bits: None,
        }
    }

    /// Sets what is done to a value before its token is made.
    pub const fn normalise(mut self, normalise: BlindNormaliser) -> Self {
        self.normalise = normalise;
        self
    }

    /// Makes the index unique.
    pub const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// Lets the index span all tenants.
    pub const fn global(mut self) -> Self {
        self.global = true;
        self
    }

    /// Stores that many bits of each token.
    pub const fn bits(mut self, bits: u8) -> Self {
        self.bits = Some(bits);
        self
    }

    /// The name of the index over the field stored at `path`, which its key is derived by: a file format.
    pub(crate) fn index(self, path: &str) -> String {
        let normaliser = match self.normalise {
            BlindNormaliser::Exact => "exact/1",
            BlindNormaliser::Email => "email/1",
            BlindNormaliser::Digits => "digits/1",
        };
        match self.bits {
            None => format!("{path}#{normaliser}"),
            Some(bits) => format!("{path}#{normaliser}/{bits}"),
        }
    }
}

impl Default for BlindSpec {
    fn default() -> Self {
        Self::new()
    }
}

/// The name of the index that the digest of a token at `path` is made by: a file format.
pub(crate) fn token_index(path: &str) -> String {
    format!("{path}#token/1")
}

/// A field of a model that has a blind index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlindPlace {
    /// Where it is stored; its tokens stand at the same path below [`reserved::BLIND_INDEX`].
    pub(crate) path: &'static str,
    /// How it is indexed.
    pub(crate) spec: BlindSpec,
}

impl BlindPlace {
    /// The name of the index, which its key is derived by: a file format.
    pub(crate) fn index(&self) -> String {
        self.spec.index(self.path)
    }
}

/// What a model's blind indexes are, told once by its types: a macro cannot see into a nested one.
#[derive(Debug, Default)]
pub(super) struct BlindIndexes {
    places: Vec<BlindPlace>,
    /// The declared indexes and those over nested tokens; none where these are none.
    indexes: Option<Vec<IndexSpec>>,
    scopes: TokenScopes,
}

impl BlindIndexes {
    pub(super) fn of(schema: &ModelSchema) -> Self {
        let mut all = Self::default();
        all.walk(schema.fields, "", &mut Vec::new());
        let nested = all
            .places
            .iter()
            .filter(|place| place.path.contains('.'))
            .map(over);
        let nested: Vec<_> = nested.collect();
        if !nested.is_empty() {
            all.indexes = Some(schema.indexes.iter().copied().chain(nested).collect());
        }
        all.scopes = TokenScopes {
            own: all.places.iter().any(|place| !place.spec.global),
            global: all.places.iter().any(|place| place.spec.global)
                || schema.fields.iter().any(|field| field.ty.has_digest()),
        };
        all
    }

    /// Not into arrays, maps and enums, where `build()` admits none, and into no type that is entered already.
    fn walk(&mut self, fields: &'static [FieldSchema], prefix: &str, open: &mut Vec<*const FieldSchema>) {
        if open.contains(&fields.as_ptr()) {
            return;
        }
        open.push(fields.as_ptr());
        for field in fields {
            if let Some(spec) = field.blind {
                let path = if prefix.is_empty() {
                    field.stored
                } else {
                    kept(format!("{prefix}{}", field.stored))
                };
                self.places.push(BlindPlace { path, spec });
            } else if let TypeSchema::Embedded(inner) = field.ty.required() {
                self.walk(inner().fields, &format!("{prefix}{}.", field.stored), open);
            }
        }
        open.pop();
    }
}

/// The index over nested tokens: what the derive declares of those that are not.
fn over(place: &BlindPlace) -> IndexSpec {
    let path = kept(format!("{}.{}", reserved::BLIND_INDEX, place.path));
    let keys: &'static [IndexKey] = Box::leak(Box::new([IndexKey::ascending(path)]));
    let exists: &'static [&'static str] = Box::leak(Box::new([path]));
    let mut index = IndexSpec::new(keys).exists(exists);
    if place.spec.unique {
        index = index.unique();
    }
    if place.spec.global {
        index = index.global();
    }
    index
}

/// A part of a schema, which lives as long as the program.
fn kept(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

impl ModelSchema {
    /// The fields that have a blind index, at any depth.
    pub(crate) fn blind_places(&self) -> &[BlindPlace] {
        &self.blind_indexes().places
    }

    /// The blind-indexed field that is stored at `path`.
    pub(crate) fn blind_place(&self, path: &str) -> Option<BlindPlace> {
        self.blind_places()
            .iter()
            .find(|place| place.path == path)
            .copied()
    }

    /// Which keys the tokens of its fields are made with.
    pub(crate) fn token_scopes(&self) -> TokenScopes {
        self.blind_indexes().scopes
    }

    /// The declared indexes, and those over the tokens of nested fields.
    pub(crate) fn all_indexes(&self) -> &[IndexSpec] {
        self.blind_indexes().indexes.as_deref().unwrap_or(self.indexes)
    }

    fn blind_indexes(&self) -> &BlindIndexes {
        self.blind.get_or_init(|| BlindIndexes::of(self))
    }
}

impl FieldSchema {
    /// Hides the length of an encrypted value in steps of that many bytes.
    pub const fn pad(mut self, bytes: u32) -> Self {
        self.pad = NonZeroU32::new(bytes);
        self
    }

    /// Lets the field be found by its value.
    pub const fn blind(mut self, blind: BlindSpec) -> Self {
        self.blind = Some(blind);
        self
    }
}
