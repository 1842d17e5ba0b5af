//! Rules for indexes.

use crate::ast::Model;
use crate::attr::{Direction, Index, Role};
use crate::ctxt::Ctxt;

/// Checks all indexes of a model.
pub(super) fn all(cx: &Ctxt, model: &Model) {
    let indexes = model.indexes();
    for index in &indexes {
        fields_exist(cx, model, index);
        tenant_is_first(cx, model, index);
        one_date(cx, index);
    }
    distinct(cx, model, &indexes);
}

/// Only the first name of a path: what is below it, the compiler checks through the handles.
fn fields_exist(cx: &Ctxt, model: &Model, index: &Index) {
    for key in &index.keys {
        if let Some(first) = key.path.first() {
            let options: &[&str] = if key.path.len() == 1 {
                &["unique", "global"]
            } else {
                &[]
            };
            super::field_exists(cx, model, first, options);
        }
    }
    for name in &index.exists {
        super::field_exists(cx, model, name, &[]);
    }
}

/// The tenant goes first in every index by itself; to name it once more would put it there twice.
fn tenant_is_first(cx: &Ctxt, model: &Model, index: &Index) {
    let Some(tenant) = model.role(Role::Tenant) else {
        return;
    };
    if index.global || index.ttl.is_some() {
        return;
    }
    for key in &index.keys {
        if let [only] = key.path.as_slice()
            && *only == tenant.ident
        {
            let span = if index.keys.len() == 1 {
                index.span
            } else {
                only.span()
            };
            cx.error(
                span,
                format_args!(
                    "`{only}` is the first key of every index by itself\nhelp: remove it, or add `global`"
                ),
            );
        }
    }
}

/// The server expires documents by one date.
fn one_date(cx: &Ctxt, index: &Index) {
    if let Some(ttl) = &index.ttl
        && index.keys.len() > 1
    {
        cx.error(
            ttl.span,
            "a TTL index has one key, the date that documents expire by",
        );
    }
}

/// Two indexes over the same keys: the server keeps one, and the other's options are lost.
fn distinct(cx: &Ctxt, model: &Model, indexes: &[Index]) {
    let tenant = model.role(Role::Tenant).is_some();
    let pattern = |index: &Index| {
        let keys: Vec<(String, Direction)> = index
            .keys
            .iter()
            .map(|key| (dotted(&key.path), key.direction))
            .collect();
        (keys, tenant && !index.global && index.ttl.is_none())
    };
    for (position, index) in indexes.iter().enumerate() {
        if indexes
            .iter()
            .take(position)
            .any(|before| pattern(before) == pattern(index))
        {
            let keys: Vec<_> = index.keys.iter().map(|key| dotted(&key.path)).collect();
            cx.error(
                index.span,
                format_args!(
                    "two indexes over the same keys ({}): the server would keep only one of them\n\
                     help: declare one, with all its options",
                    keys.join(", ")
                ),
            );
        }
    }
}

/// `limits.max`
pub(crate) fn dotted(path: &[syn::Ident]) -> String {
    use syn::ext::IdentExt as _;
    path.iter()
        .map(|name| name.unraw().to_string())
        .collect::<Vec<_>>()
        .join(".")
}
