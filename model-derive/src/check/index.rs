//! Rules for indexes.

use crate::ast::Model;
use crate::attr::{Index, KeyForm, Role};
use crate::ctxt::Ctxt;

/// Checks all indexes of a model.
pub(super) fn all(cx: &Ctxt, model: &Model) {
    let indexes = model.indexes();
    for index in &indexes {
        fields_exist(cx, model, index);
        tenant_is_first(cx, model, index);
        one_date(cx, index);
        special_forms(cx, index);
        text(cx, model, index);
        sparse(cx, model, index);
        replaces(cx, index);
        projected(cx, model, index);
    }
    distinct(cx, model, &indexes);
    one_text_index(cx, &indexes);
}

/// Only the first name of a path: what is below it, the compiler checks through the handles.
fn fields_exist(cx: &Ctxt, model: &Model, index: &Index) {
    for key in &index.keys {
        if let Some(first) = key.path.first() {
            let options: &[&str] = if key.path.len() == 1 {
                &["unique", "global", "sparse", "hidden"]
            } else {
                &[]
            };
            super::field_exists(cx, model, first, options);
        }
    }
    let conditions = index
        .conditions
        .iter()
        .filter_map(|condition| condition.path.first());
    for name in index.exists.iter().chain(conditions) {
        super::field_exists(cx, model, name, &[]);
    }
}

/// The tenant goes first in every index by itself; to name it once more would put it there twice.
fn tenant_is_first(cx: &Ctxt, model: &Model, index: &Index) {
    let Some(tenant) = model.role(Role::Tenant) else {
        return;
    };
    if index.global || has_one_key(index) {
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

/// Whether the server admits no second key, so that the tenant does not go first.
pub(super) fn has_one_key(index: &Index) -> bool {
    index.ttl.is_some() || index.keys.iter().any(|key| key.form == KeyForm::Wildcard)
}

/// What the server refuses of the forms that do not hold values in order.
fn special_forms(cx: &Ctxt, index: &Index) {
    let mut hashed = false;
    for key in &index.keys {
        let name = match key.form {
            KeyForm::Ordered(_) => continue,
            KeyForm::Text(_) => "text",
            KeyForm::Hashed => "hashed",
            KeyForm::Sphere => "sphere",
            KeyForm::Wildcard => "wildcard",
        };
        if index.unique {
            cx.error(
                key.span,
                format_args!("a `{name}` key cannot be unique\nhelp: declare a second index for that"),
            );
        }
        if index.ttl.is_some() {
            cx.error(key.span, "a TTL index is over a date in order");
        }
        if key.form == KeyForm::Wildcard && index.keys.len() > 1 {
            cx.error(key.span, "an index over every path has no other key");
        }
        if key.form == KeyForm::Hashed && std::mem::replace(&mut hashed, true) {
            cx.error(key.span, "an index has one `hashed` key at the most");
        }
    }
}

/// What holds for an index with words in it.
fn text(cx: &Ctxt, model: &Model, index: &Index) {
    let is_text = |form: KeyForm| matches!(form, KeyForm::Text(_));
    let Some(first) = index.keys.iter().find(|key| is_text(key.form)) else {
        if let Some(option) = index.language.as_ref().or(index.language_override.as_ref()) {
            cx.error(option.span, "only an index with a `text` key has a language");
        }
        return;
    };
    if let Some(collation) = &index.collation {
        cx.error(
            collation.span,
            "a text index has no collation: its `language` says how words are compared",
        );
    }
    let words = index.keys.iter().skip_while(|key| !is_text(key.form));
    if words
        .skip_while(|key| is_text(key.form))
        .any(|key| is_text(key.form))
    {
        cx.error(first.span, "the `text` keys of an index stand together");
    }
    // The server takes the language of each document from there, and refuses documents with any other word in it.
    let named = model.fields.iter().any(|field| field.stored == "language");
    if named && index.language_override.is_none() {
        cx.error(
            first.span,
            "the server would read the field `language` as the language of the text, and refuse documents where it is none\n\
             help: name the field that says so, or one that does not exist: `language_override = \"..\"`",
        );
    }
}

/// Each document has a tenant, so that an index with the tenant in front leaves none out.
fn sparse(cx: &Ctxt, model: &Model, index: &Index) {
    let Some(span) = index.sparse else { return };
    let tenant_first = model.role(Role::Tenant).is_some() && !index.global && !has_one_key(index);
    if tenant_first {
        cx.error(
            span,
            "a sparse index leaves out what has none of its keys, and each document has the tenant\n\
             help: `exists(field)`, or `global`",
        );
    } else if !index.exists.is_empty() || !index.conditions.is_empty() {
        cx.error(
            span,
            "an index cannot be both sparse and partial\nhelp: remove `sparse`",
        );
    } else if index.unique && index.keys.len() > 1 {
        cx.error(
            span,
            "a sparse index leaves out only what has none of its keys: with several, two documents without one of them \
             are duplicates\nhelp: remove `sparse`; an optional key of a unique index has to exist by itself",
        );
    } else if index
        .keys
        .iter()
        .any(|key| matches!(key.form, KeyForm::Wildcard | KeyForm::Text(_) | KeyForm::Sphere))
    {
        cx.error(
            span,
            "an index of this form is sparse by itself\nhelp: remove `sparse`",
        );
    }
}

fn replaces(cx: &Ctxt, index: &Index) {
    for old in &index.replaces {
        if index.name.as_ref() == Some(&old.value) {
            cx.error(old.span, "an index cannot replace itself: give it another name");
        }
    }
}

/// The server chooses among the fields of whole documents only.
fn projected(cx: &Ctxt, model: &Model, index: &Index) {
    let Some((only, fields)) = &index.projected else {
        return;
    };
    for field in fields {
        super::field_exists(cx, model, field, &[]);
    }
    let every_path = index
        .keys
        .iter()
        .any(|key| key.form == KeyForm::Wildcard && key.path.is_empty());
    if !every_path || fields.is_empty() {
        let option = if *only { "only" } else { "except" };
        cx.error(
            index.span,
            format_args!("`{option}` names fields of an index over every path: `index(*, {option}(field))`"),
        );
    }
}

/// Two indexes over the same keys: the server keeps one, and the other's options are lost.
fn distinct(cx: &Ctxt, model: &Model, indexes: &[Index]) {
    let tenant = model.role(Role::Tenant).is_some();
    let pattern = |index: &Index| {
        let keys: Vec<(String, KeyForm)> = index
            .keys
            .iter()
            .map(|key| (dotted(&key.path), key.form))
            .collect();
        (keys, tenant && !index.global && !has_one_key(index))
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

fn one_text_index(cx: &Ctxt, indexes: &[Index]) {
    for second in indexes.iter().filter(|index| index.is_text()).skip(1) {
        cx.error(
            second.span,
            "a collection has one text index at the most\nhelp: put all `text` keys into one",
        );
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
