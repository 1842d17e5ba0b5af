//! Rules for one field.

use syn::spanned::Spanned as _;

use super::{name_span, role_name};
use crate::ast::{Field, ID, Model, REVISION};
use crate::attr::{DefaultValue, DeleteRule, Filterable, Normaliser, Role, Written};
use crate::ctxt::Ctxt;
use crate::keys::{self, KeyId};
use crate::spelling::{self, Scalar};

/// The stored names that belong to the library (`model_core::schema::reserved` is the same list).
const RESERVED: [&str; 8] = [
    REVISION,
    "_sv",
    "_bi",
    "_seal",
    "_outbox",
    "_deleted_at",
    "_joined",
    "_meta",
];

/// What holds for a field wherever it stands.
pub(super) fn common(cx: &Ctxt, field: &Field) {
    stored_name(cx, field);
    stored_as(cx, field);
    one_default(cx, field);
    one_letter_case(cx, field);
    open_to_outside(cx, field);
    delete_rule(cx, field);
    personal(cx, field);
    if field.is_plain() {
        storable(cx, field);
        rules_fit(cx, field);
    }
}

/// What a delete rule changes may be changed.
fn delete_rule(cx: &Ctxt, field: &Field) {
    if let Some(rule) = &field.attrs.on_delete
        && matches!(rule.value, DeleteRule::Nullify | DeleteRule::Pull)
        && field.attrs.readonly.is_some()
    {
        cx.error(rule.span, "the rule changes the field, which is read-only");
    }
}

/// Something stands in the place of what was erased, and somebody's data has an end.
fn personal(cx: &Ctxt, field: &Field) {
    if let Some(subject) = field.attrs.subject
        && field.attrs.on_delete.is_none()
    {
        cx.error(
            subject,
            "`subject` needs `on_delete`: what becomes of the document when the person is erased\n\
             help: `cascade` deletes it; `nullify` and `restrict` keep it, without what is `pii`",
        );
    }
    let Some(pii) = &field.attrs.pii else { return };
    let given = pii.value.as_ref().or(field.attrs.default.as_ref());
    match given {
        _ if pii.value.is_none() && spelling::is_option(&field.ty) => {}
        None => cx.error(
            pii.span,
            format_args!(
                "an erasure puts something in the place of `{}`\n\
                 help: make it an `Option`, or write `pii(erased = ..)`",
                field.name
            ),
        ),
        Some(DefaultValue::Now(_)) => {
            cx.error(
                pii.span,
                "an erasure knows no instant of create: write `pii(erased = ..)`",
            );
        }
        Some(_) => {}
    }
}

/// What the compiler would say too, at every use of the field: here it is one error.
fn storable(cx: &Ctxt, field: &Field) {
    if let Some((name, help)) = spelling::unstorable(&field.ty) {
        cx.error_across(
            &field.ty,
            format_args!("{name} cannot be stored as a model field\nhelp: {help}"),
        );
    }
}

/// MongoDB's rules for field names, and ours. The id's stored name and its key in JSON are written apart.
fn stored_name(cx: &Ctxt, field: &Field) {
    if let Some(name) = &field.attrs.stored_as
        && let Some(wrong) = wrong_name(&name.value)
    {
        cx.error(name.span, wrong);
    } else if let Some(wrong) = wrong_name(&field.stored).or_else(|| wrong_name(&field.json)) {
        cx.error(name_span(field), wrong);
    } else if field.role != Role::Revision && RESERVED.contains(&field.stored.as_str()) {
        let span = match &field.attrs.stored_as {
            Some(name) => name.span,
            None => name_span(field),
        };
        let stored = &field.stored;
        cx.error(
            span,
            format_args!("the stored name `{stored}` belongs to the library\nhelp: rename the field"),
        );
    }
}

fn wrong_name(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("a stored name is not empty")
    } else if name.starts_with('$') {
        Some("a stored name does not begin with `$`")
    } else if name.contains(['.', '\0']) {
        Some("a stored name has no `.` and no NUL character")
    } else {
        None
    }
}

/// `_id` names a model's documents; what stands in them may have one of its own, as Mongoose gives to elements of arrays.
pub(super) fn not_the_id(cx: &Ctxt, field: &Field) {
    if field.role == Role::Plain && field.stored == ID {
        let message = format_args!(
            "only the id is stored as `{ID}`\nhelp: mark the field with `#[model(id)]`, or rename it"
        );
        cx.error(name_span(field), message);
    }
}

/// The id alone has two names: what `rename` says is the key in JSON.
fn stored_as(cx: &Ctxt, field: &Field) {
    let Some(name) = &field.attrs.stored_as else {
        return;
    };
    if field.role != Role::Id {
        let message = "`stored_as` is for the id\nhelp: another field's stored name is `rename`";
        cx.error(name.span, message);
    } else if name.value == ID {
        cx.error(
            name.span,
            format_args!("the id is stored as `{ID}` if nothing is said"),
        );
    }
}

fn written(field: &Field, key: KeyId) -> Option<&Written> {
    field.attrs.written.iter().find(|written| written.value == key)
}

fn one_default(cx: &Ctxt, field: &Field) {
    if let (Some(_), Some(second)) = (written(field, KeyId::Default), written(field, KeyId::DefaultWith)) {
        cx.error(second.span, "the field has a `default` already");
    }
}

fn one_letter_case(cx: &Ctxt, field: &Field) {
    let has = |normaliser| field.attrs.normalise.contains(&normaliser);
    if has(Normaliser::Lowercase)
        && has(Normaliser::Uppercase)
        && let Some(second) = written(field, KeyId::Uppercase)
    {
        cx.error(second.span, "a string cannot be both `lowercase` and `uppercase`");
    }
}

/// What filters and sort orders from outside may not name: an answer, and an order, tell of the values. And what they
/// could not name, since the word is part of their grammar.
fn open_to_outside(cx: &Ctxt, field: &Field) {
    const WORDS: [&str; 6] = ["and", "or", "not", "sort", "limit", "after"];
    for key in [KeyId::Filterable, KeyId::Sortable] {
        let Some(written) = written(field, key) else {
            continue;
        };
        let name = keys::row(key).map_or("", |row| row.name);
        if field.attrs.hidden {
            let message = format_args!(
                "a `hidden` field cannot be `{name}`: the answers would tell what nobody may see"
            );
            cx.error(written.span, message);
        } else if spelling::is_secret(&field.ty) {
            cx.error(
                written.span,
                format_args!("a secret cannot be `{name}`: the answers would tell what nobody may see"),
            );
        } else if key == KeyId::Filterable && WORDS.contains(&field.json.as_str()) {
            cx.error(
                written.span,
                format_args!(
                    "`{}` is a word of the filters from outside, which cannot name this field\nhelp: rename it",
                    field.json
                ),
            );
        }
    }
    if let (Some(written), Some(Filterable::Listed(listed))) =
        (written(field, KeyId::Filterable), &field.attrs.filterable)
        && let Some(comparison) = listed.iter().find_map(|name| of_text(name))
        && let Some(other @ (Scalar::Number | Scalar::Bool | Scalar::Other)) = spelling::scalar(&field.ty)
    {
        let noun = other.noun();
        cx.error(
            written.span,
            format_args!("`{comparison}` is for strings, the field is {noun}"),
        );
    }
}

/// How a comparison of texts is written; none if it is of other values too.
fn of_text(name: &str) -> Option<&'static str> {
    Some(match name {
        "StartsWith" => "starts_with",
        "EqIgnoreCase" => "eq_ignore_case",
        "StartsWithIgnoreCase" => "starts_with_ignore_case",
        "ContainsIgnoreCase" => "contains_ignore_case",
        _ => return None,
    })
}

/// Rules for strings stand on strings, rules for numbers on numbers: where the spelling of the type tells.
fn rules_fit(cx: &Ctxt, field: &Field) {
    let scalar = spelling::scalar(&field.ty);
    for key in &field.attrs.written {
        let Some(row) = keys::row(key.value) else { continue };
        match key.value {
            KeyId::Items if spelling::has_no_elements(&field.ty) => {
                cx.error(
                    key.span,
                    "`items` counts the elements of an array or map\nhelp: a string's length is `len`",
                );
            }
            KeyId::Range => {
                if let Some(other @ (Scalar::String | Scalar::Bool | Scalar::Other)) = scalar {
                    let noun = other.noun();
                    cx.error(
                        key.span,
                        format_args!("`range` is a rule for numbers, the field is {noun}"),
                    );
                }
            }
            KeyId::Pad | KeyId::LegacyPlaintext | KeyId::OldFormat if !spelling::is_encrypted(&field.ty) => {
                let name = row.name;
                cx.error(
                    key.span,
                    format_args!("`{name}` is for encrypted fields\nhelp: `Encrypted<T>`"),
                );
            }
            KeyId::Trim
            | KeyId::Lowercase
            | KeyId::Uppercase
            | KeyId::Len
            | KeyId::Pattern
            | KeyId::Email
            | KeyId::Url
            | KeyId::OneOf => {
                if let Some(other @ (Scalar::Number | Scalar::Bool | Scalar::Other)) = scalar {
                    let (name, noun) = (row.name, other.noun());
                    cx.error(
                        key.span,
                        format_args!("`{name}` is for strings, the field is {noun}"),
                    );
                }
            }
            _ => {}
        }
    }
}

/// What holds for the id, the tenant, the timestamps and the revision, which the model gives by itself.
pub(super) fn role(cx: &Ctxt, model: &Model, field: &Field) {
    if field.role == Role::Plain {
        return;
    }
    role_keys(cx, field);
    role_type(cx, model, field);
}

fn role_keys(cx: &Ctxt, field: &Field) {
    let dates = matches!(field.role, Role::CreatedAt | Role::UpdatedAt);
    for key in &field.attrs.written {
        let fits = match key.value {
            // Where `stored_as` has no place, it is told already.
            KeyId::Rename
            | KeyId::StoredAs
            | KeyId::Hidden
            | KeyId::Id
            | KeyId::Tenant
            | KeyId::CreatedAt
            | KeyId::UpdatedAt
            | KeyId::Revision => true,
            KeyId::Index | KeyId::Ttl => dates || field.role == Role::Tenant,
            KeyId::Filterable | KeyId::Sortable => field.role != Role::Tenant,
            KeyId::Unique => field.role == Role::Tenant || field.attrs.stored_as.is_some(),
            _ => false,
        };
        if fits {
            continue;
        }
        let name = keys::row(key.value).map_or("", |row| row.name);
        let role = role_name(field.role);
        let message = match key.value {
            KeyId::Index | KeyId::Unique if field.role == Role::Id => {
                format!("the id has a unique index by itself: `{name}` has no place here")
            }
            _ => format!("the model gives `{role}` by itself: `{name}` has no effect on it"),
        };
        cx.error(key.span, message);
    }
}

fn role_type(cx: &Ctxt, model: &Model, field: &Field) {
    let ident = &model.head.ident;
    let (names, expected): (&[&str], String) = match field.role {
        Role::Plain => return,
        Role::Id => (&["Id"], format!("the id is of type `Id<{ident}>`")),
        Role::Tenant => (&["TenantId"], "the tenant is of type `TenantId`".to_owned()),
        Role::CreatedAt | Role::UpdatedAt => (
            &["DateTime"],
            "a timestamp is of type `DateTime<Utc>` or `Option<DateTime<Utc>>`".to_owned(),
        ),
        Role::Revision => (&["Revision"], "the revision is of type `Revision`".to_owned()),
    };
    let name = spelling::name(&field.ty).unwrap_or_default();
    let optional = spelling::is_option(&field.ty) && !matches!(field.role, Role::CreatedAt | Role::UpdatedAt);
    let known = spelling::scalar(&field.ty).is_some() && !names.contains(&name.as_str());
    if optional || known {
        cx.error_across(&field.ty, expected);
    } else if field.role == Role::Id && another_model(ident, field) {
        cx.error(field.ty.span(), format_args!("the id is of type `Id<{ident}>`"));
    }
}

/// Whether the id is spelled as that of another model.
fn another_model(ident: &syn::Ident, field: &Field) -> bool {
    spelling::argument(&field.ty).is_some_and(|name| name != "Self" && *ident != name)
}
