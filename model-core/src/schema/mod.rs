//! What a model is, as static data: fields, types, rules, indexes. The derive emits it, everything else reads it.

use std::sync::OnceLock;

mod blind;
mod dialect;
mod external;
mod field;
mod form;
mod index;
pub mod json;
mod legacy;
mod personal;
mod reference;
pub(crate) mod reserved;
mod rule;
mod seal;
mod validator;
mod vector;

pub use blind::{BlindNormaliser, BlindSpec};
pub(crate) use blind::{BlindPlace, token_index};
pub use external::{Comparison, External, ReadOperand};
pub use field::{EmbeddedSchema, EnumSchema, Erased, FieldRole, FieldSchema, TypeSchema, VariantSchema};
pub use form::{CappedSpec, CollectionForm, Granularity, TimeSeriesSpec};
pub use index::{
    Collation, Condition, Direction, IndexKey, IndexSpec, KeyForm, Literal, Projected, Relation, TenantPrefix,
};
pub use legacy::{OldFormatSpec, Term};
pub(crate) use reference::Step;
pub use reference::{DeleteRule, Reference};
pub use rule::{Normaliser, Number, Pattern, Rule};
pub use seal::SealSpec;
pub use validator::{ValidatorAction, ValidatorLevel, ValidatorSpec};
pub use vector::{Similarity, vector_indexes};

/// How the ids of a model look in storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdKind {
    /// A 12-byte `ObjectId`.
    ObjectId,
    /// A UUID of version 7 (RFC 9562), stored as BSON binary subtype 4.
    Uuid,
    /// A string: the prefix (may be empty) and a sortable random part.
    String {
        /// What every id of the model begins with: `wgt_`.
        prefix: &'static str,
    },
}

/// Which keys the tokens of a model's fields are made with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TokenScopes {
    /// Those of the document's tenant.
    pub(crate) own: bool,
    /// Those that all tenants share.
    pub(crate) global: bool,
}

impl TokenScopes {
    /// Whether there are tokens at all.
    pub(crate) fn any(self) -> bool {
        self.own || self.global
    }
}

/// Whose documents the collection holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tenancy {
    /// Each document belongs to the tenant named in this stored field.
    Tenant {
        /// The stored name of the tenant field.
        field: &'static str,
    },
    /// The documents belong to no tenant.
    Global,
}

/// The event names of an audited model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditSpec {
    /// The entity type that entries name: `widget`.
    pub entity: &'static str,
    /// The event of a create: `widget.create`.
    pub create: &'static str,
    /// The event of an update.
    pub update: &'static str,
    /// The event of a delete.
    pub delete: &'static str,
    /// The stored field whose string names the entity for a reader.
    pub name_field: Option<&'static str>,
    /// Whether entries wait inside the document until a relay moves them.
    pub outbox: bool,
}

impl AuditSpec {
    /// The events of `entity`.
    pub const fn new(
        entity: &'static str,
        create: &'static str,
        update: &'static str,
        delete: &'static str,
    ) -> Self {
        Self {
            entity,
            create,
            update,
            delete,
            name_field: None,
            outbox: false,
        }
    }

    /// Lets entries wait inside the document until a relay moves them.
    pub const fn outbox(mut self) -> Self {
        self.outbox = true;
        self
    }

    /// The stored field whose string names the entity for a reader.
    pub const fn name_field(mut self, field: &'static str) -> Self {
        self.name_field = Some(field);
        self
    }
}

/// Everything static about one model.
#[derive(Debug)]
#[non_exhaustive]
pub struct ModelSchema {
    /// The Rust name of the struct.
    pub name: &'static str,
    /// The collection.
    pub collection: &'static str,
    /// Whose documents it holds.
    pub tenancy: Tenancy,
    /// How its ids look.
    pub id: IdKind,
    /// The stored name of the id: `_id`, or another one beside an `_id` that nobody sees. Of a model that has no id, `_id`.
    pub id_field: &'static str,
    /// The stored names of the fields that name a document together; empty if the model has no composite key.
    pub key: &'static [&'static str],
    /// The schema version that this code writes; stored documents without one are of version 1.
    pub version: u32,
    /// The fields, in declaration order, which is the order of storage.
    pub fields: &'static [FieldSchema],
    /// The declared indexes.
    pub indexes: &'static [IndexSpec],
    /// The audit events, if the model is audited.
    pub audit: Option<AuditSpec>,
    /// Whether a delete marks the document instead of removing it.
    pub soft_delete: bool,
    /// Whether documents are never changed or deleted.
    pub append_only: bool,
    /// Whether each tenant has one document.
    pub singleton: bool,
    /// The keys of its virtuals in a view.
    pub virtuals: &'static [&'static str],
    /// What the server itself checks, if anything.
    pub validator: Option<ValidatorSpec>,
    /// The seal over its documents, if they have one.
    pub seal: Option<SealSpec>,
    /// Whether its changes can be watched: the server then keeps what was before each.
    pub watch: bool,
    /// By what its documents are spread over the shards of a cluster; empty if nothing is said.
    pub shard_key: &'static [IndexKey],
    /// What kind of collection they lie in, if it is not an ordinary one.
    pub form: Option<CollectionForm>,
    /// The doc comment of the struct.
    pub doc: &'static str,
    sealed: OnceLock<usize>,
    blind: OnceLock<blind::BlindIndexes>,
}

impl ModelSchema {
    /// A schema with no indexes and no audit, at version 1.
    pub const fn new(
        name: &'static str,
        collection: &'static str,
        tenancy: Tenancy,
        id: IdKind,
        fields: &'static [FieldSchema],
    ) -> Self {
        let sealed = OnceLock::new();
        let blind = OnceLock::new();
        Self {
            name,
            collection,
            tenancy,
            id,
            id_field: reserved::ID,
            key: &[],
            version: 1,
            fields,
            indexes: &[],
            audit: None,
            soft_delete: false,
            append_only: false,
            singleton: false,
            virtuals: &[],
            validator: None,
            seal: None,
            watch: false,
            shard_key: &[],
            form: None,
            doc: "",
            sealed,
            blind,
        }
    }

    /// Stores the id under another name than `_id`.
    pub const fn id_field(mut self, stored: &'static str) -> Self {
        self.id_field = stored;
        self
    }

    /// Sets the composite key.
    pub const fn key(mut self, stored: &'static [&'static str]) -> Self {
        self.key = stored;
        self
    }

    /// Sets the schema version.
    pub const fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// Sets the declared indexes.
    pub const fn indexes(mut self, indexes: &'static [IndexSpec]) -> Self {
        self.indexes = indexes;
        self
    }

    /// Audits the model.
    pub const fn audit(mut self, audit: AuditSpec) -> Self {
        self.audit = Some(audit);
        self
    }

    /// Makes a delete mark the document instead of removing it.
    pub const fn soft_delete(mut self) -> Self {
        self.soft_delete = true;
        self
    }

    /// Declares that documents are never changed or deleted.
    pub const fn append_only(mut self) -> Self {
        self.append_only = true;
        self
    }

    /// Declares that each tenant has one document.
    pub const fn singleton(mut self) -> Self {
        self.singleton = true;
        self
    }

    /// Sets the keys of its virtuals.
    pub const fn virtuals(mut self, virtuals: &'static [&'static str]) -> Self {
        self.virtuals = virtuals;
        self
    }

    /// Lets the server check what is written.
    pub const fn validator(mut self, validator: ValidatorSpec) -> Self {
        self.validator = Some(validator);
        self
    }

    /// Seals its documents.
    pub const fn seal(mut self, seal: SealSpec) -> Self {
        self.seal = Some(seal);
        self
    }

    /// Lets changes be watched.
    pub const fn watch(mut self) -> Self {
        self.watch = true;
        self
    }

    /// Spreads the documents over the shards of a cluster.
    pub const fn shard_key(mut self, shard_key: &'static [IndexKey]) -> Self {
        self.shard_key = shard_key;
        self
    }

    /// Keeps the documents in a collection of another kind than the ordinary one.
    pub const fn form(mut self, form: CollectionForm) -> Self {
        self.form = Some(form);
        self
    }

    /// Sets the documentation.
    pub const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// Whether its documents have an id; if not, its composite key alone names them, and nobody sees their `_id`.
    pub fn has_id(&self) -> bool {
        self.role(FieldRole::Id).is_some()
    }

    /// The time series that the documents are, if they are one.
    pub fn time_series(&self) -> Option<&TimeSeriesSpec> {
        match &self.form {
            Some(CollectionForm::TimeSeries(series)) => Some(series),
            _ => None,
        }
    }

    /// Whether audit entries wait inside the document until a relay moves them.
    pub fn has_outbox(&self) -> bool {
        self.audit.is_some_and(|audit| audit.outbox)
    }

    /// The stored name of the tenant field of a tenant model.
    pub fn tenant_field(&self) -> Option<&'static str> {
        match self.tenancy {
            Tenancy::Tenant { field } => Some(field),
            Tenancy::Global => None,
        }
    }

    /// The field with this stored name.
    pub fn field(&self, stored: &str) -> Option<&'static FieldSchema> {
        self.fields.iter().find(|field| field.stored == stored)
    }

    /// The field that what stands at the stored path is a part of.
    pub(crate) fn top(&self, path: &str) -> Option<&'static FieldSchema> {
        let name = path.split('.').next().unwrap_or_default();
        let beside = || {
            self.fields
                .iter()
                .find(|field| field.stored_names().any(|own| own == name))
        };
        self.field(name).or_else(beside)
    }

    /// The field at the stored path, with `[]` and `{}` for the steps into arrays and maps.
    pub(crate) fn field_at(&self, path: &str) -> Option<&'static FieldSchema> {
        let mut fields = self.fields;
        let mut found = None;
        for step in path.split('.').filter(|step| !matches!(*step, "[]" | "{}")) {
            let field = fields.iter().find(|field| field.stored == step)?;
            fields = field.ty.element_fields();
            found = Some(field);
        }
        found
    }

    /// The field with this role.
    pub fn role(&self, role: FieldRole) -> Option<&'static FieldSchema> {
        self.fields.iter().find(|field| field.role == role)
    }

    /// Whether any field, at any depth, holds a value that is or may be sealed.
    pub fn has_encrypted(&self) -> bool {
        self.encrypted_fields() > 0
    }

    /// How many fields hold, at any depth, a value that is or may be sealed.
    pub(crate) fn encrypted_fields(&self) -> usize {
        let holds = |field: &&FieldSchema| field.ty.has_encrypted();
        *self
            .sealed
            .get_or_init(|| self.fields.iter().filter(holds).count())
    }

    /// Whether the model cannot do without a keyring: a password hash can.
    pub fn needs_keyring(&self) -> bool {
        self.seal.is_some() || self.fields.iter().any(|field| field.ty.needs_keyring())
    }

    /// The stored path of a dotted path of Rust names; none if there is no such field.
    pub fn stored_path(&self, path: &str) -> Option<String> {
        self.locate(path).map(|(stored, _)| stored)
    }

    /// The stored path of a dotted path of Rust names, and the variants of enums that it leads through: where the name of each
    /// stands, and the name.
    pub(crate) fn locate(&self, path: &str) -> Option<(String, Vec<(String, &'static str)>)> {
        let mut fields = self.fields;
        let mut choice: Option<&'static EnumSchema> = None;
        let mut is_flat = false;
        let (mut stored, mut variants) = (String::new(), Vec::new());
        for name in path.split('.') {
            // A variant is a step in Rust, and none in storage.
            if let Some(choice) = choice.take() {
                let variant = choice.variants.iter().find(|variant| variant.name == name)?;
                if is_flat {
                    let beside = beside(&stored).to_owned();
                    variants.push((std::mem::replace(&mut stored, beside), variant.stored));
                } else {
                    variants.push((format!("{stored}.{}", choice.tag), variant.stored));
                }
                fields = variant.fields;
                continue;
            }
            let field = fields.iter().find(|field| field.name == name)?;
            if !stored.is_empty() {
                stored.push('.');
            }
            stored.push_str(field.stored);
            fields = field.ty.inner_fields();
            choice = field.ty.variants();
            is_flat = field.ty.flat().is_some();
        }
        Some((stored, variants))
    }
}

/// The path of the document that the value at `path` is stored in: nothing for that of the whole.
pub(crate) fn beside(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(parent, _)| parent)
}
