//! Declarations that cannot hold, found without a server.

use std::collections::HashSet;
use std::fmt::Display;

use super::ledger;
use super::specs::check_indexes;
use crate::audit;
use crate::codec::ELEMENT_ID;
use crate::crypto::{KEYS_COLLECTION, Keyring};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{DeleteRule, FieldSchema, ModelSchema, Rule, TypeSchema, reserved};

/// Refuses declarations that cannot hold; the error names all of them.
///
/// # Errors
/// `Configuration`.
pub(crate) fn check_schemas(schemas: &[&'static ModelSchema], keyring: Option<&Keyring>) -> Result<()> {
    let mut problems = Problems::default();
    let mut collections = HashSet::from([audit::COLLECTION, KEYS_COLLECTION, ledger::COLLECTION]);
    for schema in schemas {
        if !collections.insert(schema.collection) {
            let collection = schema.collection;
            problems.add(
                schema.name,
                format_args!("the collection `{collection}` is taken by another model or by the crate"),
            );
        }
        check_fields(schema, keyring, &mut problems);
        check_indexes(schema, &mut problems);
        check_audit_name(schema, &mut problems);
        check_listed(schema, &mut problems);
        check_delete_rules(schema, &mut problems);
        check_form(schema, &mut problems);
    }
    problems.into_result()
}

/// What is wrong, model by model.
#[derive(Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    pub(super) fn add(&mut self, model: &str, problem: impl Display) {
        self.0.push(format!("{model}: {problem}"));
    }

    fn into_result(self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::Configuration, self.0.join("; ")))
        }
    }
}

fn check_fields(schema: &'static ModelSchema, keyring: Option<&Keyring>, problems: &mut Problems) {
    let mut walk = Walk {
        model: schema.name,
        at: Vec::new(),
        seen: HashSet::new(),
        keyring,
        problems,
    };
    walk.fields(schema.fields, Place::Direct);
}

/// Whether a value has a path of its own, that its encryption can be bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Direct,
    /// One of many, each with an id.
    Keyed,
    /// One of many.
    Element,
}

/// A walk over all types of a model; a type that contains itself is entered once for each kind of place.
struct Walk<'a> {
    model: &'static str,
    at: Vec<&'static str>,
    seen: HashSet<(*const (), Place)>,
    keyring: Option<&'a Keyring>,
    problems: &'a mut Problems,
}

impl Walk<'_> {
    fn fields(&mut self, fields: &'static [FieldSchema], place: Place) {
        for field in fields {
            self.at.push(field.stored);
            self.flat(field, fields);
            for rule in field.rules {
                if let Rule::Pattern(pattern) = rule
                    && let Some(fault) = pattern.fault()
                {
                    self.report(format_args!(
                        "the pattern `{}` is not a regular expression of `regex-lite`: {fault}",
                        pattern.source()
                    ));
                }
            }
            if field.blind.is_some() && place != Place::Direct {
                self.report(
                    "a blind index is over one value of the document: not over those of an array, a map or an enum",
                );
            }
            if field.legacy_plaintext.is_some() && is_sealed_binary(&field.ty) {
                self.report("`legacy_plaintext` tells plaintext by its type, and this plaintext is binary as a sealed value is");
            }
            if let (Some(old), Some(keyring)) = (field.old_format, self.keyring)
                && keyring.old_format(old.name).is_none()
            {
                self.report(format_args!(
                    "the keyring has no decoder for its old format: `.old_format(\"{}\", ...)`",
                    old.name
                ));
            }
            self.ty(&field.ty, place);
            self.at.pop();
        }
    }

    /// What a flat enum puts into the document around it has names that nothing else has there.
    fn flat(&mut self, field: &FieldSchema, siblings: &'static [FieldSchema]) {
        if field.ty.flat().is_none() {
            return;
        }
        for name in field.stored_names() {
            let is_other = |other: &&FieldSchema| !std::ptr::eq(*other, field);
            let mut others = siblings.iter().filter(is_other);
            if name == reserved::ID || reserved::ALL.contains(&name) {
                self.report(format_args!(
                    "its flat enum stores `{name}`, which is the crate's own"
                ));
            } else if others.any(|other| other.stored_names().any(|taken| taken == name)) {
                self.report(format_args!(
                    "its flat enum stores `{name}` beside another field of that name"
                ));
            }
        }
    }

    fn ty(&mut self, ty: &'static TypeSchema, place: Place) {
        match ty {
            TypeSchema::Array(inner) | TypeSchema::Map(inner) if inner.flat_key().is_some() => {
                self.report("a flat enum is stored in the document around it, which an element does not have");
            }
            TypeSchema::Optional(inner) => self.ty(inner, place),
            TypeSchema::Array(inner) if place != Place::Element && has_id(inner) => self.ty(inner, Place::Keyed),
            TypeSchema::Map(inner) if place != Place::Element => self.ty(inner, Place::Keyed),
            TypeSchema::Array(inner) | TypeSchema::Map(inner) => self.ty(inner, Place::Element),
            TypeSchema::Embedded(schema) => {
                let schema = schema();
                if self.seen.insert((std::ptr::from_ref(schema).cast(), place)) {
                    self.fields(schema.fields, place);
                }
            }
            TypeSchema::Enum(schema) | TypeSchema::Flat(_, schema) => {
                let schema = schema();
                if self.seen.insert((std::ptr::from_ref(schema).cast(), place)) {
                    for variant in schema.variants {
                        if variant.fields.iter().any(|field| field.ty.flat().is_some()) {
                            self.report("a flat enum is a field of a struct, not of a variant");
                        }
                        self.fields(variant.fields, Place::Element);
                    }
                }
            }
            TypeSchema::Encrypted(_) | TypeSchema::PasswordHash if place == Place::Element => self.report(
                "an encrypted value inside an array is bound to its element: let the element be a struct whose first \
                 field is stored as `id`, and always there (inside an enum it is not supported)",
            ),
            TypeSchema::TokenDigest if place != Place::Direct => self.report(
                "the digest of a token inside an array, a map or an enum could not be found by its token: give it a \
                 field of its own",
            ),
            _ => {}
        }
    }

    fn report(&mut self, problem: impl Display) {
        let path = self.at.join(".");
        self.problems
            .add(self.model, format_args!("field `{path}`: {problem}"));
    }
}

/// Whether the plaintext of an encrypted type may be stored as binary.
fn is_sealed_binary(ty: &TypeSchema) -> bool {
    match ty {
        TypeSchema::Optional(inner) | TypeSchema::Array(inner) | TypeSchema::Map(inner) => {
            is_sealed_binary(inner)
        }
        TypeSchema::Encrypted(plain) => matches!(
            plain.required(),
            TypeSchema::Binary
                | TypeSchema::Uuid
                | TypeSchema::Id(_)
                | TypeSchema::Reference(..)
                | TypeSchema::TenantId
                | TypeSchema::Vector(_)
                | TypeSchema::Dynamic
                | TypeSchema::Foreign
        ),
        _ => false,
    }
}

/// Whether an element of an array has an id that its secrets are bound to: elements move.
fn has_id(element: &TypeSchema) -> bool {
    let TypeSchema::Embedded(schema) = element else {
        return false;
    };
    schema().fields.first().is_some_and(|field| {
        field.stored == ELEMENT_ID
            && matches!(
                field.ty,
                TypeSchema::Id(_)
                    | TypeSchema::Reference(..)
                    | TypeSchema::String
                    | TypeSchema::ObjectId
                    | TypeSchema::Uuid
                    | TypeSchema::Int32
                    | TypeSchema::Int64
            )
    })
}

/// A delete rule does what can be done, to what may be changed.
fn check_delete_rules(schema: &'static ModelSchema, problems: &mut Problems) {
    for at in schema.references() {
        let Some(rule) = at.on_delete else { continue };
        let changes = matches!(rule, DeleteRule::Nullify | DeleteRule::Pull);
        let wrong = [
            (
                // A global document's deletion would reach into all tenants.
                schema.tenant_field().is_some() && at.to.tenant_field().is_none(),
                "refers to a global model, whose deletion does not know of tenants",
            ),
            (
                at.endless,
                "lies in a type that contains itself: what is deeper in it would not be found",
            ),
            (
                rule == DeleteRule::Cascade && at.is_in_elements(),
                "would delete the whole document for one of its elements: `pull` takes out the element",
            ),
            (
                rule == DeleteRule::Pull && !at.is_in_elements(),
                "takes out the element of an array or map around it, and there is none",
            ),
            (changes && at.readonly, "changes what is set at create only"),
            (
                rule != DeleteRule::Restrict && schema.append_only,
                "changes or deletes documents of an `append_only` model: only `restrict` leaves them as they are",
            ),
        ];
        for (_, problem) in wrong.iter().filter(|(is_wrong, _)| *is_wrong) {
            let path = &at.path;
            problems.add(
                schema.name,
                format_args!("`{path}` has a delete rule and {problem}"),
            );
        }
    }
}

/// What cannot be written again keeps no secrets: their keys could not be rotated, nor passwords hashed anew.
fn check_form(schema: &'static ModelSchema, problems: &mut Problems) {
    let Some(form) = schema.form else { return };
    let noun = form.noun();
    for field in schema.fields {
        if field.ty.has_encrypted() || field.ty.is_secret() || field.ty.has_digest() {
            problems.add(
                schema.name,
                format_args!(
                    "field `{}`: {noun} holds no secrets, since its documents cannot be written again",
                    field.stored
                ),
            );
        }
    }
}

/// What a seal, a source or an entry names is one stored value, which a flat enum is not.
fn check_listed(schema: &'static ModelSchema, problems: &mut Problems) {
    let sealed = schema.seal.map_or(&[][..], |seal| seal.fields);
    let source = schema.time_series().map_or(&[][..], |series| series.source);
    let named = schema.audit.and_then(|audit| audit.name_field);
    for name in sealed.iter().chain(source).chain(named.as_ref()) {
        if schema.field(name).is_none() {
            problems.add(
                schema.name,
                format_args!("`{name}` is listed as one value, and a flat enum is stored as several"),
            );
        }
    }
}

/// The name of an entity stands in the audit log for a reader.
fn check_audit_name(schema: &'static ModelSchema, problems: &mut Problems) {
    let name = schema
        .audit
        .and_then(|audit| audit.name_field)
        .and_then(|name| schema.field(name));
    if let Some(field) = name.filter(|field| field.hidden || field.pii.is_some() || field.ty.is_secret()) {
        problems.add(
            schema.name,
            format_args!(
                "the audit log would show `{}`, which is hidden, personal or secret",
                field.stored
            ),
        );
    }
}
