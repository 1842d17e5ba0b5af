//! Index declarations.

use super::rule::Number;

/// The direction of an index key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Direction {
    /// `1`
    Ascending,
    /// `-1`
    Descending,
}

/// How an index holds the values of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyForm {
    /// In order.
    Ordered(Direction),
    /// The words of a text.
    Text {
        /// How much a hit here counts among the hits in other keys; 1 if nothing is said.
        weight: u32,
    },
    /// By its hash: for equality and for sharding.
    Hashed,
    /// A place on the globe, in `GeoJSON` (`2dsphere`).
    Sphere,
    /// Every path below this one; below an empty one, every path of the document.
    Wildcard,
}

/// One key of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexKey {
    /// The path as declared: Rust names, dotted.
    pub path: &'static str,
    /// How its values are held.
    pub form: KeyForm,
}

impl IndexKey {
    /// A key of any form.
    pub const fn new(path: &'static str, form: KeyForm) -> Self {
        Self { path, form }
    }

    /// An ascending key.
    pub const fn ascending(path: &'static str) -> Self {
        Self::new(path, KeyForm::Ordered(Direction::Ascending))
    }

    /// A descending key.
    pub const fn descending(path: &'static str) -> Self {
        Self::new(path, KeyForm::Ordered(Direction::Descending))
    }
}

/// Whether the tenant goes first in an index of a tenant model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TenantPrefix {
    /// The tenant is the first key (the default).
    First,
    /// The index spans all tenants.
    Global,
}

/// A value in the condition of a partial index.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Literal {
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string, or the stored name of an enum's variant.
    Text(&'static str),
}

/// How a value is compared in the condition of a partial index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Relation {
    /// `==`
    Eq,
    /// `>`
    Gt,
    /// `>=`
    Gte,
    /// `<`
    Lt,
    /// `<=`
    Lte,
}

/// What must hold for a document to be in a partial index.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Condition {
    /// The path as declared: Rust names, dotted.
    pub path: &'static str,
    /// How it is compared.
    pub comparison: Relation,
    /// With what.
    pub literal: Literal,
}

impl Condition {
    /// `path comparison literal`
    pub const fn new(path: &'static str, comparison: Relation, literal: Literal) -> Self {
        Self {
            path,
            comparison,
            literal,
        }
    }
}

/// The rules by which strings are compared, and how much they tell apart: an option of the server's `collation`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Collation {
    /// The locale of ICU: `de`.
    pub locale: &'static str,
    /// The other options by the server's names; what is left out is as the locale has it.
    pub options: &'static [(&'static str, Literal)],
}

impl Collation {
    /// A collation.
    pub const fn new(locale: &'static str, options: &'static [(&'static str, Literal)]) -> Self {
        Self { locale, options }
    }
}

/// Which fields an index over every path holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Projected {
    /// These and no others: Rust names.
    Only(&'static [&'static str]),
    /// All but these.
    Except(&'static [&'static str]),
}

impl Projected {
    /// The fields that it names.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Only(names) | Self::Except(names) => names,
        }
    }
}

/// One declared index.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct IndexSpec {
    /// The keys as declared, without the tenant.
    pub keys: &'static [IndexKey],
    /// A name of the user's own.
    pub name: Option<&'static str>,
    /// No two documents have the same key.
    pub unique: bool,
    /// Seconds after the date in its only key at which the server deletes a document.
    pub expire_after_seconds: Option<u64>,
    /// Only documents in which all of these fields exist are indexed.
    pub exists: &'static [&'static str],
    /// Only documents for which all of these hold are indexed.
    pub conditions: &'static [Condition],
    /// Documents that have none of the keys are left out.
    pub sparse: bool,
    /// The server keeps the index, and no query uses it.
    pub hidden: bool,
    /// How strings are compared; byte by byte if nothing is said.
    pub collation: Option<Collation>,
    /// The language of a text index's words; English if nothing is said.
    pub language: Option<&'static str>,
    /// The stored field that names the language of one document; `language` if nothing is said.
    pub language_override: Option<&'static str>,
    /// The names of indexes that this one takes the place of: they are dropped once it is there.
    pub replaces: &'static [&'static str],
    /// Which fields an index over every path holds; all of them if nothing is said.
    pub projected: Option<Projected>,
    /// Whether the tenant goes first.
    pub tenant: TenantPrefix,
}

impl IndexSpec {
    /// An index over `keys`.
    pub const fn new(keys: &'static [IndexKey]) -> Self {
        Self {
            keys,
            name: None,
            unique: false,
            expire_after_seconds: None,
            exists: &[],
            conditions: &[],
            sparse: false,
            hidden: false,
            collation: None,
            language: None,
            language_override: None,
            replaces: &[],
            projected: None,
            tenant: TenantPrefix::First,
        }
    }

    /// Sets a name of the user's own.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// Makes the index unique.
    pub const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// Makes the server delete documents that many seconds after the date in the key.
    pub const fn expire_after_seconds(mut self, seconds: u64) -> Self {
        self.expire_after_seconds = Some(seconds);
        self
    }

    /// Indexes only documents in which these fields exist.
    pub const fn exists(mut self, fields: &'static [&'static str]) -> Self {
        self.exists = fields;
        self
    }

    /// Indexes only documents for which all of these hold.
    pub const fn conditions(mut self, conditions: &'static [Condition]) -> Self {
        self.conditions = conditions;
        self
    }

    /// Leaves out documents that have none of the keys.
    pub const fn sparse(mut self) -> Self {
        self.sparse = true;
        self
    }

    /// Keeps queries from the index.
    pub const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Sets how strings are compared.
    pub const fn collation(mut self, collation: Collation) -> Self {
        self.collation = Some(collation);
        self
    }

    /// Sets the language of a text index.
    pub const fn language(mut self, language: &'static str) -> Self {
        self.language = Some(language);
        self
    }

    /// Sets the stored field that names the language of one document.
    pub const fn language_override(mut self, field: &'static str) -> Self {
        self.language_override = Some(field);
        self
    }

    /// Takes the place of the indexes with these names.
    pub const fn replaces(mut self, names: &'static [&'static str]) -> Self {
        self.replaces = names;
        self
    }

    /// Holds these fields and no others, in an index over every path.
    pub const fn only(mut self, fields: &'static [&'static str]) -> Self {
        self.projected = Some(Projected::Only(fields));
        self
    }

    /// Holds all fields but these, in an index over every path.
    pub const fn except(mut self, fields: &'static [&'static str]) -> Self {
        self.projected = Some(Projected::Except(fields));
        self
    }

    /// Lets the index span all tenants.
    pub const fn global(mut self) -> Self {
        self.tenant = TenantPrefix::Global;
        self
    }

    /// Whether the server admits no second key: an index that expires documents, and one over every path.
    pub fn has_one_key(&self) -> bool {
        self.expire_after_seconds.is_some() || self.keys.iter().any(|key| key.form == KeyForm::Wildcard)
    }

    /// Whether it holds the words of texts.
    pub fn is_text(&self) -> bool {
        self.keys
            .iter()
            .any(|key| matches!(key.form, KeyForm::Text { .. }))
    }
}
