//! Rules for time series and capped collections: what the server cannot do there.

use crate::ast::Model;
use crate::attr::{Index, KeyForm, Role, TimeSeries};
use crate::ctxt::Ctxt;
use crate::keys::{self, KeyId};
use crate::spelling;

/// What no transaction writes to, and nobody changes, cannot have these.
const NEVER: [(KeyId, &str); 8] = [
    (
        KeyId::Audit,
        "an audit entry is written in one transaction with its document, and no transaction writes here",
    ),
    (KeyId::SoftDelete, "its documents are never changed or deleted"),
    (
        KeyId::Singleton,
        "it holds what happened, one document after the other",
    ),
    (
        KeyId::Seal,
        "a seal is renewed by writing the document again, which nobody does here",
    ),
    (
        KeyId::ShardKey,
        "the tenant and the id are no shard key here: leave the collection on one shard",
    ),
    (KeyId::Revision, "a document that never changes has no revision"),
    (KeyId::Subject, "the documents could not be erased"),
    (KeyId::Pii, "the documents could not be erased"),
];

/// What a time series cannot have on top of that.
const SERIES: [(KeyId, &str); 4] = [
    (KeyId::StoredAs, "the server keeps no two measurements apart"),
    (KeyId::Validator, "the server checks no measurements"),
    (KeyId::Watch, "the server tells of no measurements"),
    (
        KeyId::BlindIndex,
        "measurements cannot be encrypted: they could not be written again under another key",
    ),
];

/// What a capped collection cannot have.
const CAPPED: [(KeyId, &str); 1] = [(
    KeyId::BlindIndex,
    "the documents cannot be encrypted: they could not be written again under another key",
)];

pub(super) fn all(cx: &Ctxt, model: &Model) {
    let attrs = &model.head.attrs;
    if let Some(series) = &attrs.time_series {
        let form = "a time series";
        refuse(cx, model, form, &NEVER);
        refuse(cx, model, form, &SERIES);
        source(cx, model, &series.value);
        for index in &model.indexes() {
            self::index(cx, index);
        }
    }
    if let Some(capped) = &attrs.capped {
        let form = "a capped collection";
        refuse(cx, model, form, &NEVER);
        refuse(cx, model, form, &CAPPED);
        for index in &model.indexes() {
            if let Some(ttl) = &index.ttl {
                cx.error(
                    ttl.span,
                    "a capped collection has no TTL index: the server deletes by room there",
                );
            }
        }
        if attrs.time_series.is_some() {
            cx.error(capped.span, "a collection is a time series or capped, not both");
        }
        if let Some(tenant) = model.role(Role::Tenant) {
            cx.error(
                capped.span,
                format_args!(
                    "a capped collection has one size for all: a tenant's documents would push out another's\n\
                     help: an index with a `ttl` keeps each tenant's, or remove `{}` and write `global`",
                    tenant.name
                ),
            );
        }
    }
}

fn refuse(cx: &Ctxt, model: &Model, form: &str, keys: &[(KeyId, &str)]) {
    let fields = model.fields.iter().flat_map(|field| &field.attrs.written);
    for written in model.head.attrs.written.iter().chain(fields) {
        if let Some((_, why)) = keys.iter().find(|(key, _)| *key == written.value) {
            let name = keys::row(written.value).map_or("", |row| row.name);
            cx.error(
                written.span,
                format_args!("`{name}` has no place in {form}: {why}"),
            );
        }
    }
}

/// Time and source are fields, each once.
fn source(cx: &Ctxt, model: &Model, series: &TimeSeries) {
    if super::field_exists(cx, model, &series.time, &[]) {
        let field = model.fields.iter().find(|field| field.ident == series.time);
        if field.is_some_and(|field| spelling::is_option(&field.ty)) {
            cx.error(
                series.time.span(),
                "a measurement always has its time: it cannot be an `Option`",
            );
        }
    }
    for (place, name) in series.meta.iter().enumerate() {
        if !super::field_exists(cx, model, name, &[]) {
            continue;
        }
        let role = model
            .fields
            .iter()
            .find(|field| field.ident == *name)
            .map(|field| field.role);
        if role == Some(Role::Tenant) {
            cx.error(
                name.span(),
                format_args!("`{name}` is the first part of `meta` by itself\nhelp: remove it"),
            );
        } else if *name == series.time || role == Some(Role::Id) {
            cx.error(
                name.span(),
                "`meta` says whose a measurement is, not which or when",
            );
        } else if series.meta.iter().take(place).any(|before| before == name) {
            cx.error(name.span(), format_args!("`{name}` is written twice"));
        }
    }
}

/// The forms that the server knows over measurements.
fn index(cx: &Ctxt, index: &Index) {
    if let Some(ttl) = &index.ttl {
        cx.error(
            ttl.span,
            "measurements expire by their own time: `time_series(.., expire_after = \"30d\")`",
        );
    }
    if index.unique {
        cx.error(
            index.span,
            "an index of a time series is not `unique`: the server keeps no two measurements apart",
        );
    }
    if index.sparse.is_some() || !index.exists.is_empty() || !index.conditions.is_empty() {
        cx.error(
            index.span,
            "an index of a time series is over all measurements: neither `sparse` nor `partial`",
        );
    }
    for key in &index.keys {
        if matches!(key.form, KeyForm::Text(_) | KeyForm::Hashed | KeyForm::Wildcard) {
            cx.error(
                key.span,
                "an index of a time series holds values in order, or places (`sphere`)",
            );
        }
    }
}
