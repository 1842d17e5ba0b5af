//! Declared indexes as the server describes them.

use std::collections::BTreeSet;

use bson::{Bson, Document, doc};

use super::{name, path};
use crate::schema::{Direction, IndexSpec, ModelSchema, TenantPrefix};

/// The declared indexes of a model, each as `key`, `name` and options.
pub(super) fn describe_all(schema: &ModelSchema) -> Vec<Document> {
    schema.indexes.iter().map(|spec| describe(schema, spec)).collect()
}

/// One declared index as `key`, `name` and options.
pub(super) fn describe(schema: &ModelSchema, spec: &IndexSpec) -> Document {
    let keys = keys(schema, spec);
    let partial = Partial::of(schema, spec, &keys);
    let key: Document = keys
        .iter()
        .map(|(path, direction)| (path.clone(), Bson::Int32(*direction)))
        .collect();
    let name = match spec.name {
        Some(name) => name::fit(name.to_owned()),
        None => name::of(&keys, &options(spec, &partial)),
    };
    let mut index = doc! { "key": key, "name": name };
    if spec.unique {
        index.insert("unique", true);
    }
    if let Some(seconds) = spec.expire_after_seconds {
        index.insert("expireAfterSeconds", whole(seconds));
    }
    if !partial.paths.is_empty() {
        let all: Document = partial
            .paths
            .iter()
            .map(|path| (path.clone(), doc! { "$exists": true }.into()))
            .collect();
        index.insert("partialFilterExpression", all);
    }
    index
}

/// The stored path of a declared one, which names fields as Rust does: a macro cannot see the names inside a nested type.
/// A path that leads nowhere stays as it is, for the message.
pub(super) fn stored(schema: &ModelSchema, path: &str) -> String {
    schema.stored_path(path).unwrap_or_else(|| path.to_owned())
}

/// The keys with the tenant in front.
///
/// A TTL index gets no tenant: the server expires documents by single-key indexes only, and refuses the others.
pub(super) fn keys(schema: &ModelSchema, spec: &IndexSpec) -> Vec<(String, i32)> {
    let declared = spec.keys.iter().map(|key| {
        let direction = match key.direction {
            Direction::Ascending => 1,
            Direction::Descending => -1,
        };
        (stored(schema, key.path), direction)
    });
    let own = schema
        .tenant_field()
        .filter(|_| spec.tenant == TenantPrefix::First);
    match own {
        Some(tenant)
            if spec.expire_after_seconds.is_none()
                && !spec.keys.iter().any(|key| stored(schema, key.path) == tenant) =>
        {
            std::iter::once((tenant.to_owned(), 1)).chain(declared).collect()
        }
        _ => declared.collect(),
    }
}

/// Which fields must exist for a document to be indexed.
struct Partial {
    /// In the order of the alphabet: the order of a declaration says nothing.
    paths: BTreeSet<String>,
    /// Some of them follow from the declaration's own list, not from the types of the keys.
    asked_for: bool,
}

impl Partial {
    /// An optional key of a unique index has to exist: `None` is stored as absence, which the server indexes as null,
    /// so that two documents without the field would be duplicates. A sparse index does not help: a compound one
    /// leaves out only documents that lack every key, and each has a tenant.
    fn of(schema: &ModelSchema, spec: &IndexSpec, keys: &[(String, i32)]) -> Self {
        let optional = |path: &str| path::resolve(schema.fields, path).is_some_and(|target| target.optional);
        let by_type = keys
            .iter()
            .map(|(path, _)| path)
            .filter(|path| spec.unique && optional(path));
        let mut paths: BTreeSet<_> = by_type.cloned().collect();
        let implied = paths.len();
        paths.extend(spec.exists.iter().map(|path| stored(schema, path)));
        Self {
            asked_for: paths.len() > implied,
            paths,
        }
    }
}

fn options(spec: &IndexSpec, partial: &Partial) -> Vec<String> {
    let mut options = Vec::new();
    if spec.unique {
        options.push("unique".to_owned());
    }
    if spec.expire_after_seconds.is_some() {
        options.push("ttl".to_owned());
    }
    if partial.asked_for {
        options.push("exists".to_owned());
        options.extend(partial.paths.iter().cloned());
    } else if !partial.paths.is_empty() {
        options.push("partial".to_owned());
    }
    options
}

fn whole(number: u64) -> Bson {
    i32::try_from(number).map_or_else(
        |_| Bson::Int64(i64::try_from(number).unwrap_or(i64::MAX)),
        Bson::Int32,
    )
}
