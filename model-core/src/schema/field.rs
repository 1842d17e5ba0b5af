//! Fields and their types.

use core::any::Any;
use core::num::NonZeroU32;

use super::blind::BlindSpec;
use super::external::{Comparison, External, ReadOperand};
use super::legacy::{OldFormatSpec, Term};
use super::reference::DeleteRule;
use super::rule::{Normaliser, Rule};
use super::vector::Similarity;
use super::{IdKind, ModelSchema};

/// What a field is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldRole {
    /// An ordinary field.
    Plain,
    /// The document's id, stored as `_id`.
    Id,
    /// The tenant that the document belongs to.
    Tenant,
    /// The instant of creation.
    CreatedAt,
    /// The instant of the last change.
    UpdatedAt,
    /// The revision, shown to the application.
    Revision,
}

/// How a value is stored. Nested types are reached through functions, so that a type may contain itself.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum TypeSchema {
    /// BSON boolean.
    Bool,
    /// BSON 32-bit integer: a signed number of 16 bits.
    Int16,
    /// BSON 32-bit integer: an unsigned number of 16 bits.
    Uint16,
    /// BSON 32-bit integer.
    Int32,
    /// BSON 64-bit integer: an unsigned number of 32 bits.
    Uint32,
    /// BSON 64-bit integer.
    Int64,
    /// BSON 64-bit integer: an unsigned number.
    Uint64,
    /// BSON double: a number of 32 bits.
    Single,
    /// BSON double.
    Double,
    /// BSON decimal128.
    Decimal128,
    /// BSON string.
    String,
    /// BSON `ObjectId`.
    ObjectId,
    /// BSON binary, subtype 4.
    Uuid,
    /// BSON date: milliseconds since the Unix epoch.
    Date,
    /// BSON binary, subtype 0.
    Binary,
    /// BSON timestamp (the server's internal type).
    Timestamp,
    /// BSON regular expression.
    Regex,
    /// The id of a model, as that model declares it.
    Id(IdKind),
    /// The id of another model's document, and that model.
    Reference(IdKind, fn() -> &'static ModelSchema),
    /// A tenant's id: `ObjectId`, UUID or string.
    TenantId,
    /// The revision: 64-bit integer.
    Revision,
    /// Absent when `None`.
    Optional(&'static TypeSchema),
    /// BSON array.
    Array(&'static TypeSchema),
    /// BSON document with string keys.
    Map(&'static TypeSchema),
    /// BSON document of a derived struct.
    Embedded(fn() -> &'static EmbeddedSchema),
    /// A derived enum: a string, or a tagged document.
    Enum(fn() -> &'static EnumSchema),
    /// A derived enum that is flat: its variant's name stands under this key, whatever the field is called, and the variant's fields
    /// beside it.
    Flat(&'static str, fn() -> &'static EnumSchema),
    /// A sealed envelope: BSON binary, subtype 8.
    Encrypted(&'static TypeSchema),
    /// A password hash: sealed, or a PHC string where there is no keyring.
    PasswordHash,
    /// The digest of a token: BSON binary, subtype 8.
    TokenDigest,
    /// A vector of that many numbers: BSON binary, subtype 9.
    Vector(usize),
    /// Any BSON value.
    Dynamic,
    /// A foreign serde type, stored as its serde form.
    Foreign,
}

impl TypeSchema {
    /// Whether a value of this type, at any depth, is encrypted. A type that contains itself counts once.
    pub fn has_encrypted(&self) -> bool {
        self.any(&mut Vec::new(), &mut |ty| {
            matches!(ty, Self::Encrypted(_) | Self::PasswordHash)
        })
    }

    /// Whether a secret, hidden or personal field lies in a value of this type, at any depth.
    pub fn has_secret_parts(&self) -> bool {
        fn hides(fields: &'static [FieldSchema]) -> bool {
            fields.iter().any(|field| field.hidden || field.pii.is_some())
        }
        self.any(&mut Vec::new(), &mut |ty| match ty {
            Self::Encrypted(_) | Self::PasswordHash | Self::TokenDigest => true,
            Self::Embedded(schema) => hides(schema().fields),
            Self::Enum(schema) | Self::Flat(_, schema) => {
                schema().variants.iter().any(|variant| hides(variant.fields))
            }
            _ => false,
        })
    }

    /// Whether replacing a value of this type as a whole would reset hidden or read-only fields: the elements of an array
    /// or map have them.
    pub fn replaces_guarded_parts(&self) -> bool {
        match self {
            Self::Optional(inner) => inner.replaces_guarded_parts(),
            Self::Array(inner) | Self::Map(inner) => inner.any(&mut Vec::new(), &mut |ty| match ty {
                Self::Embedded(schema) => schema().fields.iter().any(|field| field.hidden || field.readonly),
                _ => false,
            }),
            _ => false,
        }
    }

    /// Whether values of this type are secrets that no view, log or audit entry shows.
    pub fn is_secret(&self) -> bool {
        match self {
            Self::Encrypted(_) | Self::PasswordHash | Self::TokenDigest => true,
            Self::Optional(inner) | Self::Array(inner) | Self::Map(inner) => inner.is_secret(),
            _ => false,
        }
    }

    /// Whether a value of this type, at any depth, cannot be stored without a keyring.
    pub fn needs_keyring(&self) -> bool {
        self.any(&mut Vec::new(), &mut |ty| {
            matches!(ty, Self::Encrypted(_) | Self::TokenDigest)
        })
    }

    /// Whether a value of this type, at any depth, is the digest of a token.
    pub fn has_digest(&self) -> bool {
        self.any(&mut Vec::new(), &mut |ty| matches!(ty, Self::TokenDigest))
    }

    /// The fields inside a derived struct, looking through options and arrays.
    pub fn inner_fields(&self) -> &'static [FieldSchema] {
        match self {
            Self::Optional(inner) | Self::Array(inner) => inner.inner_fields(),
            Self::Embedded(schema) => schema().fields,
            _ => &[],
        }
    }

    /// The fields inside a derived struct, or inside the variants of a derived enum, looking through options and arrays.
    pub(crate) fn parts(&self) -> Vec<&'static FieldSchema> {
        let variants = match self.variants().filter(|_| self.flat().is_none()) {
            Some(choice) => choice.variants,
            None => &[],
        };
        let fields = variants.iter().flat_map(|variant| variant.fields);
        self.inner_fields().iter().chain(fields).collect()
    }

    /// The derived enum, looking through options and arrays.
    pub fn variants(&self) -> Option<&'static EnumSchema> {
        match self {
            Self::Optional(inner) | Self::Array(inner) => inner.variants(),
            Self::Enum(schema) | Self::Flat(_, schema) => Some(schema()),
            _ => None,
        }
    }

    /// The key under which a flat enum has its variant's name, looking through options.
    pub(crate) const fn flat_key(&self) -> Option<&'static str> {
        match self {
            Self::Flat(key, _) => Some(*key),
            Self::Optional(inner) => inner.flat_key(),
            _ => None,
        }
    }

    /// The derived enum, if it is flat, looking through options.
    pub(crate) fn flat(&self) -> Option<&'static EnumSchema> {
        match self.required() {
            Self::Flat(_, schema) => Some(schema()),
            _ => None,
        }
    }

    /// The fields inside a derived struct, looking through options, arrays and maps.
    pub(crate) fn element_fields(&self) -> &'static [FieldSchema] {
        match self {
            Self::Optional(inner) | Self::Array(inner) | Self::Map(inner) => inner.element_fields(),
            Self::Embedded(schema) => schema().fields,
            _ => &[],
        }
    }

    /// The type inside options.
    pub fn required(&self) -> &Self {
        match self {
            Self::Optional(inner) => inner.required(),
            other => other,
        }
    }

    /// As [`required`](Self::required), for what lives as long as the program.
    pub(crate) fn required_static(&'static self) -> &'static Self {
        match self {
            Self::Optional(inner) => inner.required_static(),
            other => other,
        }
    }

    /// The fields of a derived struct, looking through options.
    pub fn embedded(&self) -> Option<&'static EmbeddedSchema> {
        match self.required() {
            Self::Embedded(schema) => Some(schema()),
            _ => None,
        }
    }

    fn any(&self, seen: &mut Vec<&'static str>, test: &mut dyn FnMut(&Self) -> bool) -> bool {
        if test(self) {
            return true;
        }
        match self {
            Self::Optional(inner) | Self::Array(inner) | Self::Map(inner) => inner.any(seen, test),
            Self::Embedded(schema) => {
                let schema = schema();
                if seen.contains(&schema.name) {
                    return false;
                }
                seen.push(schema.name);
                schema.fields.iter().any(|field| field.ty.any(seen, test))
            }
            Self::Enum(schema) | Self::Flat(_, schema) => {
                let schema = schema();
                if seen.contains(&schema.name) {
                    return false;
                }
                seen.push(schema.name);
                schema
                    .variants
                    .iter()
                    .flat_map(|variant| variant.fields)
                    .any(|field| field.ty.any(seen, test))
            }
            _ => false,
        }
    }
}

/// One field of a model, an embedded struct or an enum's variant.
#[derive(Debug)]
#[non_exhaustive]
pub struct FieldSchema {
    /// The Rust name.
    pub name: &'static str,
    /// The name in storage.
    pub stored: &'static str,
    /// The key in views and inputs.
    pub json: &'static str,
    /// How it is stored.
    pub ty: TypeSchema,
    /// What it is for.
    pub role: FieldRole,
    /// Stored, never shown in a view.
    pub hidden: bool,
    /// Set at create, never by an update.
    pub readonly: bool,
    /// A change of it alone does not move `updated_at`.
    pub skip_updated_at: bool,
    /// A change of it alone is not audited.
    pub skip_audit: bool,
    /// A create may leave it out.
    pub has_default: bool,
    /// What is done to a string before it is validated, stored or compared.
    pub normalise: &'static [Normaliser],
    /// What a value must satisfy.
    pub rules: &'static [Rule],
    /// What filters from outside may ask of it.
    pub external: Option<External>,
    /// Whether sort orders from outside may name it.
    pub sortable: bool,
    /// The blind index over an encrypted field.
    pub blind: Option<BlindSpec>,
    /// The length of an encrypted value is hidden in steps of that many bytes.
    pub pad: Option<NonZeroU32>,
    /// How long an encrypted field takes plaintext that was stored before it was encrypted, if it does.
    pub legacy_plaintext: Option<Term>,
    /// What another system encrypted, and the field still takes.
    pub old_format: Option<OldFormatSpec>,
    /// The model's version that introduced it; 1 if nothing is said.
    pub since: u32,
    /// What becomes of the document when one that this field refers to is deleted.
    pub on_delete: Option<DeleteRule>,
    /// It names the person whose data the document is.
    pub subject: bool,
    /// What an erasure puts in its place, if it is personal data.
    pub pii: Option<Erased>,
    /// How vectors are compared, if the field says so.
    pub similarity: Option<Similarity>,
    /// The doc comment.
    pub doc: &'static str,
}

/// Makes the value that stands for what was erased: of the field's own type.
pub type Erased = fn() -> Box<dyn Any>;

impl FieldSchema {
    /// An ordinary field, stored and shown under `stored`; a flat enum is stored under its own key.
    pub const fn new(name: &'static str, json: &'static str, ty: TypeSchema) -> Self {
        let stored = match ty.flat_key() {
            Some(key) => key,
            None => json,
        };
        Self {
            name,
            stored,
            json,
            ty,
            role: FieldRole::Plain,
            hidden: false,
            readonly: false,
            skip_updated_at: false,
            skip_audit: false,
            has_default: false,
            normalise: &[],
            rules: &[],
            external: None,
            sortable: false,
            blind: None,
            pad: None,
            legacy_plaintext: None,
            old_format: None,
            since: 1,
            on_delete: None,
            subject: false,
            pii: None,
            similarity: None,
            doc: "",
        }
    }

    /// What the variants of a flat enum have beside it.
    pub(crate) fn beside(&self) -> impl Iterator<Item = &'static FieldSchema> {
        let variants = self.ty.flat().map_or(&[][..], |choice| choice.variants);
        variants.iter().flat_map(|variant| variant.fields)
    }

    /// The stored names of all that it puts into a document: its own, and what is beside it.
    pub(crate) fn stored_names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.stored).chain(self.beside().map(|field| field.stored))
    }

    /// Sets the key in views and inputs.
    pub const fn json(mut self, json: &'static str) -> Self {
        self.json = json;
        self
    }

    /// Sets what the field is for.
    pub const fn role(mut self, role: FieldRole) -> Self {
        self.role = role;
        self
    }

    /// Keeps the field out of views.
    pub const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Keeps updates from the field.
    pub const fn readonly(mut self) -> Self {
        self.readonly = true;
        self
    }

    /// A change of it alone does not move `updated_at`.
    pub const fn skip_updated_at(mut self) -> Self {
        self.skip_updated_at = true;
        self
    }

    /// A change of it alone is not audited.
    pub const fn skip_audit(mut self) -> Self {
        self.skip_audit = true;
        self
    }

    /// A create may leave it out.
    pub const fn with_default(mut self) -> Self {
        self.has_default = true;
        self
    }

    /// Sets the normalisers.
    pub const fn normalise(mut self, normalise: &'static [Normaliser]) -> Self {
        self.normalise = normalise;
        self
    }

    /// Sets the rules.
    pub const fn rules(mut self, rules: &'static [Rule]) -> Self {
        self.rules = rules;
        self
    }

    /// Lets filters from outside compare the field so.
    pub const fn filterable(mut self, comparisons: &'static [Comparison], operand: ReadOperand) -> Self {
        self.external = Some(External { comparisons, operand });
        self
    }

    /// Lets sort orders from outside name the field; `_typed` compiles only for a type with an order.
    pub const fn sortable(mut self, _typed: fn()) -> Self {
        self.sortable = true;
        self
    }

    /// Sets the model's version that introduced it.
    pub const fn since(mut self, version: u32) -> Self {
        self.since = version;
        self
    }

    /// Sets what becomes of the document when one that this field refers to is deleted.
    pub const fn on_delete(mut self, rule: DeleteRule) -> Self {
        self.on_delete = Some(rule);
        self
    }

    /// It names the person whose data the document is.
    pub const fn subject(mut self) -> Self {
        self.subject = true;
        self
    }

    /// It is personal data: sets what an erasure puts in its place.
    pub const fn pii(mut self, erased: Erased) -> Self {
        self.pii = Some(erased);
        self
    }

    /// Sets how vectors are compared; `_typed` compiles only for a type that holds some.
    pub const fn similarity(mut self, similarity: Similarity, _typed: fn()) -> Self {
        self.similarity = Some(similarity);
        self
    }

    /// Sets the documentation.
    pub const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }
}

/// A derived struct that lives inside documents.
#[derive(Debug)]
#[non_exhaustive]
pub struct EmbeddedSchema {
    /// The Rust name.
    pub name: &'static str,
    /// Its fields, in declaration order.
    pub fields: &'static [FieldSchema],
    /// The keys of its virtuals in a view.
    pub virtuals: &'static [&'static str],
}

impl EmbeddedSchema {
    /// An embedded struct.
    pub const fn new(name: &'static str, fields: &'static [FieldSchema]) -> Self {
        Self {
            name,
            fields,
            virtuals: &[],
        }
    }

    /// Sets the keys of its virtuals.
    pub const fn virtuals(mut self, virtuals: &'static [&'static str]) -> Self {
        self.virtuals = virtuals;
        self
    }
}

/// A derived enum: unit variants are strings, variants with data are tagged documents.
#[derive(Debug)]
#[non_exhaustive]
pub struct EnumSchema {
    /// The Rust name.
    pub name: &'static str,
    /// The key that holds the variant's name in a tagged document.
    pub tag: &'static str,
    /// Its variants.
    pub variants: &'static [VariantSchema],
}

impl EnumSchema {
    /// An enum whose data variants are tagged by `tag`.
    pub const fn new(name: &'static str, tag: &'static str, variants: &'static [VariantSchema]) -> Self {
        Self { name, tag, variants }
    }
}

/// One variant of an enum.
#[derive(Debug)]
#[non_exhaustive]
pub struct VariantSchema {
    /// The stored name.
    pub stored: &'static str,
    /// Its fields; none for a unit variant.
    pub fields: &'static [FieldSchema],
    /// The name by which handles and declared paths reach it; empty for a variant of an enum without data.
    pub name: &'static str,
}

impl VariantSchema {
    /// A variant.
    pub const fn new(stored: &'static str, fields: &'static [FieldSchema]) -> Self {
        Self {
            stored,
            fields,
            name: "",
        }
    }

    /// Sets the name by which handles and declared paths reach it.
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }
}
