//! The rules that a declaration must keep: one function a rule.

mod embedded;
mod field;
mod form;
mod index;
mod shard;

use std::collections::HashMap;

use proc_macro2::Span;

use crate::ast::{Field, ID, Model, REVISION};
use crate::attr::{DeleteRule, IdForm, Role};
use crate::ctxt::Ctxt;
use crate::spelling;
use crate::suggest;

pub(crate) use embedded::{TAG, embedded};
pub(crate) use index::dotted;

/// Checks a model.
pub(crate) fn model(cx: &Ctxt, model: &Model) {
    collection(cx, model);
    one_of_each_role(cx, model);
    id(cx, model);
    tenancy(cx, model);
    for field in &model.fields {
        field::common(cx, field);
        field::not_the_id(cx, field);
        field::role(cx, model, field);
        emitted_names(cx, field);
        since(cx, model, field);
        on_delete(cx, model, field);
    }
    distinct_names(cx, &model.fields);
    virtuals(cx, model);
    audit_name(cx, model);
    lives(cx, model);
    key(cx, model);
    seal(cx, model);
    index::all(cx, model);
    shard::key(cx, model);
    form::all(cx, model);
}

/// The names that the server accepts, and that it does not keep to itself.
fn collection(cx: &Ctxt, model: &Model) {
    let ident = &model.head.ident;
    match &model.head.attrs.collection {
        None => cx.error(
            ident.span(),
            format_args!("`{ident}` has no collection\nhelp: write `#[model(collection = \"...\")]`"),
        ),
        Some(name) => {
            let text = &name.value;
            if text.is_empty() || text.starts_with("system.") || text.contains(['$', '\0']) {
                let message =
                    "a collection's name is not empty, does not begin with `system.`, has no `$` and no NUL";
                cx.error(name.span, message);
            }
        }
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Plain => "plain",
        Role::Id => "id",
        Role::Tenant => "tenant",
        Role::CreatedAt => "created_at",
        Role::UpdatedAt => "updated_at",
        Role::Revision => "revision",
    }
}

/// A role is one field's, and a field has one role.
fn one_of_each_role(cx: &Ctxt, model: &Model) {
    let ident = &model.head.ident;
    let mut taken: Vec<Role> = Vec::new();
    for field in &model.fields {
        let mut roles = field.attrs.roles.iter();
        let Some(first) = roles.next() else { continue };
        for second in roles {
            let (a, b) = (role_name(first.value), role_name(second.value));
            cx.error(
                second.span,
                format_args!("a field cannot be both `{a}` and `{b}`"),
            );
        }
        if taken.contains(&first.value) {
            let name = role_name(first.value);
            cx.error(
                first.span,
                format_args!("`{ident}` has two fields marked `{name}`"),
            );
        }
        taken.push(first.value);
    }
}

fn id(cx: &Ctxt, model: &Model) {
    let ident = &model.head.ident;
    if model.role(Role::Id).is_none() && model.head.attrs.key.is_empty() {
        cx.error(
            ident.span(),
            format_args!(
                "`{ident}` has no id field\nhelp: add `pub id: Id<{ident}>`, or name the fields that are its key: \
                 `#[model(key(..))]`"
            ),
        );
    }
    no_id(cx, model);
    let Some(prefix) = &model.head.attrs.id_prefix else {
        return;
    };
    if let Some(form) = &model.head.attrs.id_form
        && form.value != IdForm::String
    {
        cx.error(
            prefix.span,
            "only string ids have a prefix\nhelp: remove `id = ..`, or the prefix",
        );
    }
    let text = &prefix.value;
    if text.is_empty()
        || !text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    {
        cx.error(
            prefix.span,
            "a prefix consists of ASCII letters, digits, `_` and `-`\nhelp: ids without a prefix are `id = string`",
        );
    }
}

/// Every model says whose its documents are.
fn tenancy(cx: &Ctxt, model: &Model) {
    let ident = &model.head.ident;
    match (model.head.attrs.global, model.role(Role::Tenant)) {
        (None, None) => cx.error(
            ident.span(),
            format_args!(
                "`{ident}` has no tenant field\nhelp: add one of type `TenantId` (of several, mark it with `#[model(tenant)]`), or write `#[model(global)]`"
            ),
        ),
        (Some(global), Some(field)) => cx.error(
            global,
            format_args!("`{ident}` has the tenant field `{}` and is `global`: remove one of the two", field.name),
        ),
        _ => {}
    }
}

/// A field came with a version that there has been, and the first is no news.
fn since(cx: &Ctxt, model: &Model, field: &Field) {
    let Some(since) = &field.attrs.since else { return };
    let version = model.head.attrs.version.unwrap_or(1);
    if since.value < 2 || since.value > version {
        let ident = &model.head.ident;
        cx.error(
            since.span,
            format_args!("`since` names a version from 2 on, and `{ident}` has come to version {version}"),
        );
    }
}

/// What a delete rule does to the document, the document allows.
fn on_delete(cx: &Ctxt, model: &Model, field: &Field) {
    let Some(rule) = &field.attrs.on_delete else {
        return;
    };
    if rule.value != DeleteRule::Restrict && model.head.attrs.is_written_once() {
        cx.error(
            rule.span,
            "the documents of an `append_only` model are never changed or deleted\nhelp: `on_delete = restrict`",
        );
    }
}

/// Names that emitted structs need for themselves.
fn emitted_names(cx: &Ctxt, field: &Field) {
    if field.name == "__echo" {
        cx.error(
            field.ident.span(),
            "`__echo` is the name of a hidden member of the patch: call the field otherwise",
        );
    }
    if field.name == "optional" {
        cx.error(
            field.ident.span(),
            "`optional` is the member of the create input that holds the optional fields\n\
             help: call the field otherwise, and write `#[model(rename = \"optional\")]` for the stored name",
        );
    }
}

/// No two fields have the same stored name, nor the same key in JSON.
fn distinct_names(cx: &Ctxt, fields: &[Field]) {
    let mut stored: HashMap<&str, &Field> = HashMap::new();
    let mut json: HashMap<&str, &Field> = HashMap::new();
    for field in fields {
        if let Some(before) = stored.insert(&field.stored, field) {
            // Two ids, or another field stored as `_id`, are reported as such.
            if field.stored == ID || field.stored == REVISION {
                continue;
            }
            clash(cx, before, field, &field.stored, "are stored as");
        } else if let Some(before) = json.insert(&field.json, field) {
            clash(cx, before, field, &field.json, "have the JSON key");
        }
    }
}

fn clash(cx: &Ctxt, before: &Field, field: &Field, name: &str, how: &str) {
    let (a, b) = (&before.name, &field.name);
    cx.error(
        name_span(field),
        format_args!("the fields `{a}` and `{b}` both {how} `{name}`"),
    );
}

/// Where a field's stored name comes from.
fn name_span(field: &Field) -> Span {
    field
        .attrs
        .rename
        .as_ref()
        .map_or_else(|| field.ident.span(), |rename| rename.span)
}

/// A virtual is a member of the view like the fields that it shows.
fn virtuals(cx: &Ctxt, model: &Model) {
    virtual_names(cx, &model.head.attrs.virtuals, &model.fields);
}

fn virtual_names(cx: &Ctxt, virtuals: &[crate::attr::Virtual], fields: &[Field]) {
    for (index, member) in virtuals.iter().enumerate() {
        let name = &member.name;
        if fields
            .iter()
            .any(|field| field.is_visible() && field.ident == *name)
        {
            cx.error(name.span(), format_args!("the view has a field `{name}` already"));
        }
        if virtuals.iter().take(index).any(|before| before.name == *name) {
            cx.error(name.span(), format_args!("`{name}` is written twice"));
        }
    }
}

/// Where a key alone names the documents, there is no id to say anything of, and the key is seen wherever an id would be.
fn no_id(cx: &Ctxt, model: &Model) {
    let attrs = &model.head.attrs;
    if model.role(Role::Id).is_some() || attrs.key.is_empty() {
        return;
    }
    let form = attrs.id_form.as_ref().map(|form| form.span);
    let prefix = attrs.id_prefix.as_ref().map(|prefix| prefix.span);
    for span in form.into_iter().chain(prefix) {
        cx.error(
            span,
            format_args!(
                "`{ident}` has no id: its key names its documents\nhelp: remove it, or add `pub id: Id<{ident}>`",
                ident = model.head.ident
            ),
        );
    }
    for (part, field) in attrs.key.iter().zip(model.key()) {
        let kept_from = match &field.attrs {
            attrs if attrs.pii.is_some() => "personal",
            attrs if attrs.hidden => "hidden",
            _ => continue,
        };
        cx.error(
            part.span(),
            format_args!(
                "the key names the documents in audit entries, and `{part}` is {kept_from}\n\
                 help: give `{ident}` an id: `pub id: Id<{ident}>`",
                ident = model.head.ident
            ),
        );
    }
}

/// A part of a key is always there, and its caller says which.
fn key(cx: &Ctxt, model: &Model) {
    for part in &model.head.attrs.key {
        if !field_exists(cx, model, part, &[]) {
            continue;
        }
        let field = model.fields.iter().find(|field| field.ident == *part);
        if field.is_some_and(|field| spelling::is_option(&field.ty) || field.attrs.has_default()) {
            cx.error(
                part.span(),
                format_args!("a part of a key is always given: `{part}` may be left out"),
            );
        }
    }
}

/// A seal lists plain fields, each once: the others are under it by themselves.
fn seal(cx: &Ctxt, model: &Model) {
    let Some(seal) = &model.head.attrs.seal else {
        return;
    };
    for (index, name) in seal.fields.iter().enumerate() {
        if !field_exists(cx, model, name, &["unsealed_until"]) {
            continue;
        }
        if seal.fields.iter().take(index).any(|before| before == name) {
            cx.error(name.span(), format_args!("`{name}` is written twice"));
        }
        let field = model.fields.iter().find(|field| field.ident == *name);
        if field.is_some_and(|field| {
            matches!(field.role, Role::Id | Role::Tenant | Role::Revision) || spelling::is_secret(&field.ty)
        }) {
            cx.error(
                name.span(),
                format_args!("`{name}` is under the seal by itself: identity, revision and secrets are\nhelp: remove it"),
            );
        }
    }
}

/// What becomes of documents does not contradict itself.
fn lives(cx: &Ctxt, model: &Model) {
    let attrs = &model.head.attrs;
    if let (Some(_), Some(span)) = (attrs.append_only, attrs.soft_delete) {
        cx.error(
            span,
            "`soft_delete` has no meaning beside `append_only`: the documents are never deleted",
        );
    }
}

/// The field that names the entity in audit entries.
fn audit_name(cx: &Ctxt, model: &Model) {
    if let Some(name) = model
        .head
        .attrs
        .audit
        .as_ref()
        .and_then(|audit| audit.name.as_ref())
    {
        field_exists(cx, model, name, &[]);
    }
}

/// Notes a name that no field has.
fn field_exists(cx: &Ctxt, model: &Model, name: &syn::Ident, options: &[&'static str]) -> bool {
    if model.fields.iter().any(|field| field.ident == *name) {
        return true;
    }
    let text = name.to_string();
    let candidates: Vec<&str> = model
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .chain(options.iter().copied())
        .collect();
    let hint = suggest::hint(&text, candidates, "its fields are");
    cx.error(
        name.span(),
        format_args!("`{}` has no field `{text}`{hint}", model.head.ident),
    );
    false
}
