//! Declarations of indexes that cannot hold, found without a server.

use std::collections::{HashMap, HashSet};

use super::declared::{describe, keys, stored, variants};
use super::path::{self, Target};
use super::plan::name_of;
use super::schemas::Problems;
use crate::schema::{
    Condition, IdKind, IndexSpec, KeyForm, Literal, ModelSchema, TenantPrefix, TypeSchema, reserved,
};

/// The most seconds that the server takes for a time to live.
const LONGEST_TTL: u64 = i32::MAX as u64;

/// Refuses what cannot hold of the indexes of one model.
pub(super) fn check_indexes(schema: &'static ModelSchema, problems: &mut Problems) {
    let mut patterns = HashSet::new();
    let mut names = HashSet::new();
    for spec in schema.all_indexes() {
        let index = describe(schema, spec);
        let name = name_of(&index).to_owned();
        let mut report = |problem: &str| problems.add(schema.name, format_args!("index `{name}`: {problem}"));
        if !patterns.insert(keys(schema, spec)) {
            report("another index has the same keys");
        } else if !names.insert(name.clone()) {
            report("another index has the same name");
        }
        check_keys(schema, spec, &mut report);
        if let Some(seconds) = spec.expire_after_seconds {
            check_ttl(schema, spec, seconds, &mut report);
        }
        for path in spec.exists {
            if !is_reserved(path) && target(schema, &stored(schema, path)).is_none() {
                report(&format!("no field `{path}`"));
            }
        }
        if let Some(projected) = spec.projected {
            let every_path = spec
                .keys
                .iter()
                .any(|key| key.form == KeyForm::Wildcard && key.path.is_empty());
            if !every_path || projected.names().is_empty() {
                report("only an index over every path of the document, `*`, holds chosen fields");
            }
            for path in projected.names() {
                if target(schema, &stored(schema, path)).is_none() {
                    report(&format!("no field `{path}`"));
                }
            }
        }
        for condition in spec.conditions {
            check_condition(schema, condition, &mut report);
        }
    }
}

fn check_keys(schema: &'static ModelSchema, spec: &IndexSpec, report: &mut dyn FnMut(&str)) {
    let keys = keys(schema, spec);
    if spec.keys.is_empty() {
        report("it has no keys");
    }
    if spec
        .name
        .is_some_and(|name| matches!(name, "" | "*" | "_id_") || name.contains(['\0', '$']))
    {
        report("this name is reserved");
    }
    if matches!(keys.as_slice(), [key] if key.path == "_id" && matches!(key.form, KeyForm::Ordered(_))) {
        report("every collection has this index already");
    }
    let tenant = schema
        .tenant_field()
        .filter(|_| spec.tenant == TenantPrefix::First);
    if spec
        .keys
        .iter()
        .skip(1)
        .any(|key| Some(stored(schema, key.path).as_str()) == tenant)
    {
        report("the tenant goes first: leave it out, or say `global`");
    }
    let mut chosen: HashMap<String, &str> = HashMap::new();
    for (tag, name) in spec.keys.iter().flat_map(|key| variants(schema, key.path)) {
        if chosen.insert(tag, name).is_some_and(|other| other != name) {
            report("its keys lie in different variants of one enum: no document has them all");
        }
    }
    let mut arrays: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    for key in keys {
        if key.root().is_empty() {
            continue;
        }
        let path = key.root().to_owned();
        if !seen.insert(path.clone()) {
            report(&format!("the key `{path}` is there twice"));
        }
        let Some(target) = target(schema, &path) else {
            if !is_reserved(&path) {
                report(&format!("no field `{path}`"));
            }
            continue;
        };
        if target.ty.has_encrypted() {
            report(&format!("`{path}` is encrypted: its index would find nothing"));
        }
        if let Some(problem) = misfit(key.form, &target) {
            report(&format!("`{path}` {problem}"));
        }
        arrays.extend(target.array);
    }
    let parallel = |a: &String| arrays.iter().any(|b| !is_below(a, b) && !is_below(b, a));
    if arrays.iter().any(parallel) {
        report("it runs through two arrays at once, which the server refuses with the first document");
    }
}

/// Why values of the target cannot be held in this form.
fn misfit(form: KeyForm, target: &Target) -> Option<&'static str> {
    let shapeless = matches!(target.ty, TypeSchema::Dynamic | TypeSchema::Foreign);
    match form {
        KeyForm::Ordered(_) => None,
        KeyForm::Text { .. } => (!shapeless && !matches!(target.ty, TypeSchema::String))
            .then_some("is no text: a `text` key needs a string"),
        KeyForm::Hashed => target
            .array
            .is_some()
            .then_some("is or lies in an array: the server hashes no array"),
        KeyForm::Sphere => (!shapeless
            && !matches!(
                target.ty,
                TypeSchema::Embedded(_) | TypeSchema::Enum(_) | TypeSchema::Map(_)
            ))
        .then_some("is no place: a `sphere` key needs a document in GeoJSON"),
        KeyForm::Wildcard => (!shapeless
            && !matches!(
                target.ty,
                TypeSchema::Embedded(_) | TypeSchema::Enum(_) | TypeSchema::Map(_)
            ))
        .then_some("has nothing below it that `.*` could stand for"),
    }
}

/// A condition that compares a value of one type with one of another holds for no document.
fn check_condition(schema: &'static ModelSchema, condition: &Condition, report: &mut dyn FnMut(&str)) {
    let path = condition.path;
    let Some(target) = target(schema, &stored(schema, path)) else {
        return report(&format!("no field `{path}`"));
    };
    let fits = match (target.ty, condition.literal) {
        (TypeSchema::Dynamic | TypeSchema::Foreign, _)
        | (TypeSchema::Bool, Literal::Bool(_))
        | (
            TypeSchema::Int16
            | TypeSchema::Uint16
            | TypeSchema::Int32
            | TypeSchema::Uint32
            | TypeSchema::Int64
            | TypeSchema::Uint64
            | TypeSchema::Single
            | TypeSchema::Double
            | TypeSchema::Decimal128
            | TypeSchema::Revision,
            Literal::Number(_),
        )
        | (
            TypeSchema::String
            | TypeSchema::Id(IdKind::String { .. })
            | TypeSchema::Reference(IdKind::String { .. }, _)
            | TypeSchema::TenantId,
            Literal::Text(_),
        ) => true,
        (TypeSchema::Enum(variants) | TypeSchema::Flat(_, variants), Literal::Text(name)) => {
            variants().variants.iter().any(|variant| variant.stored == name)
        }
        _ => false,
    };
    if !fits {
        report(&format!(
            "no value of `{path}` compares with that of its condition"
        ));
    }
}

fn check_ttl(schema: &'static ModelSchema, spec: &IndexSpec, seconds: u64, report: &mut dyn FnMut(&str)) {
    let [key] = spec.keys else {
        return report("an index with a time to live has one key");
    };
    if target(schema, &stored(schema, key.path)).is_some_and(|target| !matches!(target.ty, TypeSchema::Date))
    {
        report(&format!(
            "a time to live needs a date, and `{}` is none",
            key.path
        ));
    }
    if seconds > LONGEST_TTL {
        report("the time to live is longer than the server's 2,147,483,647 seconds");
    }
    if spec.unique && spec.tenant == TenantPrefix::First && schema.tenant_field().is_some() {
        report(
            "an index with a time to live has no room for the tenant: make it `unique` and `global`, or two indexes",
        );
    }
}

fn target(schema: &'static ModelSchema, path: &str) -> Option<Target> {
    path::resolve(schema.fields, path)
}

/// The crate's own fields, and what is inside them.
fn is_reserved(path: &str) -> bool {
    let first = path.split('.').next().unwrap_or_default();
    reserved::ALL.contains(&first)
}

/// Whether `path` is `parent` or something inside it.
fn is_below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
