//! Rules for the shard key.

use super::index::{dotted, has_one_key};
use crate::ast::{Field, Model};
use crate::attr::{Direction, Index, IndexKey, KeyForm, Role};
use crate::ctxt::Ctxt;

/// What a shard key is made of is what every operation on one document names: the tenant and the id. So no verb by id asks
/// every shard, and no update moves a document from one to another.
pub(super) fn key(cx: &Ctxt, model: &Model) {
    let Some(key) = &model.head.attrs.shard_key else {
        return;
    };
    let role = |key: &IndexKey| {
        let name = key.path.first().filter(|_| key.path.len() == 1)?;
        let field = model.fields.iter().find(|field| field.ident == *name)?;
        Some(field.role)
    };
    let mut seen = Vec::new();
    for part in &key.value {
        if let Some(first) = part.path.first() {
            super::field_exists(cx, model, first, &[]);
        }
        // Said already.
        let is_field = |field: &Field| part.path.first() == Some(&field.ident);
        if !model.fields.iter().any(is_field) {
            continue;
        }
        let role = role(part);
        if !matches!(role, Some(Role::Tenant | Role::Id)) {
            cx.error(
                part.span,
                "a shard key is made of the tenant and the id: every operation on one document names those, and they never \
                 change",
            );
        } else if seen.contains(&role) {
            cx.error(part.span, format_args!("`{}` is there twice", dotted(&part.path)));
        }
        seen.push(role);
        if !matches!(
            part.form,
            KeyForm::Ordered(Direction::Ascending) | KeyForm::Hashed
        ) {
            cx.error(part.span, "a shard key is in ascending order, or `hashed`");
        }
    }
    let hashed = key.value.iter().filter(|part| part.form == KeyForm::Hashed);
    if let Some(second) = hashed.skip(1).last() {
        cx.error(second.span, "a shard key has one `hashed` part at the most");
    }
    if let Some(tenant) = model.role(Role::Tenant)
        && seen.first() != Some(&Some(Role::Tenant))
    {
        cx.error(
            key.span,
            format_args!(
                "the tenant goes first in a shard key, since every command names it: `shard_key({}, ..)`",
                tenant.ident
            ),
        );
    }
    for index in model.indexes().iter().filter(|index| index.unique) {
        unique(cx, model, &key.value, index);
    }
    for field in &model.fields {
        let blind = field.attrs.blind.as_ref();
        if let Some(blind) = blind.filter(|blind| blind.value.unique) {
            let first = model.role(Role::Tenant).filter(|_| !blind.value.global);
            if !is_prefix(&key.value, first.map(|tenant| tenant.name.as_str()).into_iter()) {
                refuse(cx, model, blind.span);
            }
        }
    }
}

/// Each shard keeps its own index: two of them do not see each other's duplicates, unless the key says which shard it is.
fn unique(cx: &Ctxt, model: &Model, key: &[IndexKey], index: &Index) {
    let first = model
        .role(Role::Tenant)
        .filter(|_| !index.global && !has_one_key(index))
        .map(|tenant| tenant.name.clone());
    let paths = index.keys.iter().map(|key| dotted(&key.path));
    let names: Vec<String> = first.into_iter().chain(paths).collect();
    if !is_prefix(key, names.iter().map(String::as_str)) {
        refuse(cx, model, index.span);
    }
}

fn is_prefix<'a>(key: &[IndexKey], mut names: impl Iterator<Item = &'a str>) -> bool {
    key.iter()
        .all(|part| names.next() == Some(dotted(&part.path).as_str()))
}

fn refuse(cx: &Ctxt, model: &Model, span: proc_macro2::Span) {
    let help = match model.role(Role::Tenant) {
        Some(tenant) => format!(
            "`shard_key({})` alone keeps each tenant on one shard",
            tenant.ident
        ),
        None => "remove `unique`, or the shard key".to_owned(),
    };
    cx.error(
        span,
        format_args!(
            "a unique index of a sharded model begins with the whole shard key: the shards do not see each other's duplicates\n\
             help: {help}"
        ),
    );
}
