//! Declared indexes as the server describes them.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document, doc};

use super::{name, path};
use crate::schema::{
    Collation, Condition, Direction, IndexSpec, KeyForm, Literal, ModelSchema, Number, Projected, Relation,
    TenantPrefix, reserved,
};

/// One key as the server has it: a stored path, and how its values are held.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) path: String,
    pub(super) form: KeyForm,
}

impl Key {
    fn ascending(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            form: KeyForm::Ordered(Direction::Ascending),
        }
    }

    /// The path that the values are found by: that of a wildcard is the path above.
    pub(super) fn root(&self) -> &str {
        match self.form {
            KeyForm::Wildcard => self.path.trim_end_matches("$**").trim_end_matches('.'),
            _ => &self.path,
        }
    }

    fn value(&self) -> Bson {
        match self.form {
            KeyForm::Ordered(Direction::Ascending) | KeyForm::Wildcard => Bson::Int32(1),
            KeyForm::Ordered(Direction::Descending) => Bson::Int32(-1),
            KeyForm::Text { .. } => "text".into(),
            KeyForm::Hashed => "hashed".into(),
            KeyForm::Sphere => "2dsphere".into(),
        }
    }

    /// As it stands in the index's name.
    pub(super) fn label(&self) -> String {
        let value = match self.value() {
            Bson::String(form) => form,
            number => number.to_string(),
        };
        format!("{}_{value}", self.path)
    }
}

/// The declared indexes of a model, each as `key`, `name` and options.
pub(super) fn describe_all(schema: &ModelSchema) -> Vec<Document> {
    let indexes = schema.all_indexes().iter();
    indexes.map(|spec| describe(schema, spec)).collect()
}

/// Whether the index called so keeps the ids of a model apart.
pub(crate) fn is_of_id(schema: &ModelSchema, name: &str) -> bool {
    if schema.id_field == reserved::ID {
        return name == "_id_";
    }
    let is_id = |path: &str| schema.stored_path(path).as_deref() == Some(schema.id_field);
    schema
        .indexes
        .iter()
        .filter(|spec| spec.unique && matches!(spec.keys, [key] if is_id(key.path)))
        .any(|spec| {
            describe(schema, spec)
                .get_str("name")
                .is_ok_and(|own| own == name)
        })
}

/// One declared index as `key`, `name` and options.
pub(super) fn describe(schema: &ModelSchema, spec: &IndexSpec) -> Document {
    let keys = keys(schema, spec);
    let partial = Partial::of(schema, spec, &keys);
    let key: Document = keys.iter().map(|key| (key.path.clone(), key.value())).collect();
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
    if let Some(expression) = partial.expression() {
        index.insert("partialFilterExpression", expression);
    }
    if spec.sparse {
        index.insert("sparse", true);
    }
    if spec.hidden {
        index.insert("hidden", true);
    }
    if let Some(rules) = spec.collation {
        index.insert("collation", collation(&rules));
    }
    if let Some(projected) = spec.projected {
        let value = i32::from(matches!(projected, Projected::Only(_)));
        let paths = projected.names().iter().map(|path| stored(schema, path));
        let projection: Document = paths.map(|path| (path, value.into())).collect();
        index.insert("wildcardProjection", projection);
    }
    if spec.is_text() {
        text(spec, &keys, &mut index);
    }
    index
}

/// The options of a text index, as the server fills them in.
fn text(spec: &IndexSpec, keys: &[Key], index: &mut Document) {
    let weights: Document = keys
        .iter()
        .filter_map(|key| match key.form {
            KeyForm::Text { weight } => Some((key.path.clone(), whole(u64::from(weight)))),
            _ => None,
        })
        .collect();
    index.insert("weights", weights);
    if let Some(language) = spec.language {
        index.insert("default_language", language);
    }
    if let Some(field) = spec.language_override {
        index.insert("language_override", field);
    }
}

fn collation(rules: &Collation) -> Document {
    let options = rules
        .options
        .iter()
        .map(|(option, value)| ((*option).to_owned(), literal(*value)));
    std::iter::once(("locale".to_owned(), rules.locale.into()))
        .chain(options)
        .collect()
}

/// The stored path of a declared one, which names fields as Rust does: a macro cannot see the names inside a nested type.
/// A path that leads nowhere stays as it is, for the message.
pub(super) fn stored(schema: &ModelSchema, path: &str) -> String {
    schema.stored_path(path).unwrap_or_else(|| path.to_owned())
}

/// The declared shard key, by stored names.
pub(super) fn shard_key(schema: &ModelSchema) -> Document {
    let keys = schema.shard_key.iter().map(|key| Key {
        path: stored(schema, key.path),
        form: key.form,
    });
    keys.map(|key| (key.path.clone(), key.value())).collect()
}

/// The variants of enums that a declared path leads through: where the name of each stands, and the name.
pub(super) fn variants(schema: &ModelSchema, path: &str) -> Vec<(String, &'static str)> {
    schema
        .locate(path)
        .map(|(_, variants)| variants)
        .unwrap_or_default()
}

/// The keys with the tenant in front.
///
/// A TTL index gets no tenant, and one over every path neither: the server admits no second key there.
pub(super) fn keys(schema: &ModelSchema, spec: &IndexSpec) -> Vec<Key> {
    let declared = spec.keys.iter().map(|key| {
        let path = match (key.form, key.path) {
            (KeyForm::Wildcard, "") => "$**".to_owned(),
            (KeyForm::Wildcard, path) => stored(schema, path) + ".$**",
            (_, path) => stored(schema, path),
        };
        Key {
            path: packed(schema, path),
            form: key.form,
        }
    });
    let own = schema
        .tenant_field()
        .filter(|_| spec.tenant == TenantPrefix::First);
    match own {
        Some(tenant)
            if !spec.has_one_key() && !spec.keys.iter().any(|key| stored(schema, key.path) == tenant) =>
        {
            std::iter::once(Key::ascending(&packed(schema, tenant.to_owned())))
                .chain(declared)
                .collect()
        }
        _ => declared.collect(),
    }
}

/// The path that the server finds the packs of a time series by, where it is another.
fn packed(schema: &ModelSchema, path: String) -> String {
    let series = schema.time_series();
    series.and_then(|series| series.packed(&path)).unwrap_or(path)
}

/// Which documents are in the index.
struct Partial {
    /// Fields that must exist, in the order of the alphabet: the order of a declaration says nothing.
    paths: BTreeSet<String>,
    /// Conditions on values, by stored path.
    conditions: BTreeMap<String, Vec<Condition>>,
    /// Some of it follows from the declaration's own list, not from the types of the keys.
    asked_for: bool,
}

impl Partial {
    /// An optional key of a unique index has to exist: `None` is stored as absence, which the server indexes as null,
    /// so that two documents without the field would be duplicates. A sparse index does not help: a compound one
    /// leaves out only documents that lack every key, and each has a tenant.
    fn of(schema: &ModelSchema, spec: &IndexSpec, keys: &[Key]) -> Self {
        let optional = |path: &str| path::resolve(schema.fields, path).is_some_and(|target| target.optional);
        let by_type = keys
            .iter()
            .map(|key| &key.path)
            .filter(|path| spec.unique && !spec.sparse && optional(path));
        let mut paths: BTreeSet<_> = by_type.cloned().collect();
        let implied = paths.len();
        paths.extend(spec.exists.iter().map(|path| stored(schema, path)));
        let mut conditions: BTreeMap<String, Vec<Condition>> = BTreeMap::new();
        for condition in spec.conditions {
            let of_path = conditions.entry(stored(schema, condition.path)).or_default();
            of_path.push(*condition);
            of_path.sort_by_key(|condition| condition.comparison);
        }
        // What lies in one variant of an enum is indexed for that variant.
        for (tag, name) in spec.keys.iter().flat_map(|key| variants(schema, key.path)) {
            let is_it = Condition::new("", Relation::Eq, Literal::Text(name));
            let of_tag = conditions.entry(tag).or_default();
            if !of_tag.contains(&is_it) {
                of_tag.push(is_it);
            }
        }
        Self {
            asked_for: paths.len() > implied,
            paths,
            conditions,
        }
    }

    fn expression(&self) -> Option<Document> {
        let mut all = Document::new();
        for path in self.paths.iter().chain(self.conditions.keys()) {
            let mut tests = Document::new();
            if self.paths.contains(path) {
                tests.insert("$exists", true);
            }
            for condition in self.conditions.get(path).into_iter().flatten() {
                let operator = match condition.comparison {
                    Relation::Eq => "$eq",
                    Relation::Gt => "$gt",
                    Relation::Gte => "$gte",
                    Relation::Lt => "$lt",
                    Relation::Lte => "$lte",
                };
                tests.insert(operator, literal(condition.literal));
            }
            all.insert(path.clone(), tests);
        }
        (!all.is_empty()).then_some(all)
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
    if spec.sparse {
        options.push("sparse".to_owned());
    }
    if let Some(collation) = spec.collation {
        options.push(collation.locale.to_owned());
    }
    if partial.asked_for {
        options.push("exists".to_owned());
        options.extend(partial.paths.iter().cloned());
    } else if !partial.paths.is_empty() || !partial.conditions.is_empty() {
        options.push("partial".to_owned());
    }
    options
}

fn literal(literal: Literal) -> Bson {
    match literal {
        Literal::Bool(value) => value.into(),
        Literal::Number(Number::Int(value)) => i32::try_from(value).map_or(Bson::Int64(value), Bson::Int32),
        Literal::Number(Number::Float(value)) => value.into(),
        Literal::Text(value) => value.into(),
    }
}

fn whole(number: u64) -> Bson {
    i32::try_from(number).map_or_else(
        |_| Bson::Int64(i64::try_from(number).unwrap_or(i64::MAX)),
        Bson::Int32,
    )
}
