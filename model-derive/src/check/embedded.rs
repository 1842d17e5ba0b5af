//! Rules for embedded structs and enums.

use std::collections::HashSet;

use super::{distinct_names, field, name_span, virtual_names};
use crate::ast::{Body, Embedded, Field, Variant, VariantBody};
use crate::attr::DefaultValue;
use crate::ctxt::Ctxt;

/// The key that names the variant, if nothing else is said.
pub(crate) const TAG: &str = "type";

/// Checks an embedded type.
pub(crate) fn embedded(cx: &Ctxt, embedded: &Embedded) {
    match &embedded.body {
        Body::Struct(fields) => {
            for one in fields {
                field::common(cx, one);
                no_instant(cx, one);
                if one.name == "__echo" {
                    let message =
                        "`__echo` is the name of a hidden member of the patch: call the field otherwise";
                    cx.error(one.ident.span(), message);
                }
            }
            distinct_names(cx, fields);
            virtual_names(cx, &embedded.head.attrs.virtuals, fields);
        }
        Body::Newtype(_) => newtype(cx, embedded),
        Body::Enum(variants) => {
            tag(cx, embedded, variants);
            distinct_variants(cx, variants);
            variant_fields(cx, embedded, variants);
        }
    }
}

/// The instant of a create is known to the model that is created.
fn no_instant(cx: &Ctxt, field: &Field) {
    if let Some(DefaultValue::Now(span)) = &field.attrs.default {
        cx.error(
            *span,
            "only a field of a model itself defaults to `now`: give it where the value is made, by `ctx.now()`",
        );
    }
}

/// A newtype is what it wraps: it has no names of its own.
fn newtype(cx: &Ctxt, embedded: &Embedded) {
    for key in &embedded.head.attrs.written {
        let name = crate::keys::row(key.value).map_or("", |row| row.name);
        if name != "crate" {
            cx.error(
                key.span,
                format_args!("a newtype is stored as what it wraps: `{name}` has no effect on it"),
            );
        }
    }
}

fn tag(cx: &Ctxt, embedded: &Embedded, variants: &[Variant]) {
    let (tag, flat) = (&embedded.head.attrs.tag, embedded.head.attrs.flat);
    let has_data = |variant: &Variant| !matches!(variant.body, VariantBody::Unit);
    if let Some(span) = tag.as_ref().map(|tag| tag.span).or(flat)
        && !variants.iter().any(has_data)
    {
        cx.error(
            span,
            "no variant has data: variants without data are stored as plain strings",
        );
    }
    let Some(tag) = tag else { return };
    if tag.value.is_empty() || tag.value.starts_with('$') || tag.value.contains(['.', '\0']) {
        cx.error(
            tag.span,
            "a stored name is not empty, does not begin with `$`, has no `.` and no NUL character",
        );
    }
}

fn distinct_variants(cx: &Ctxt, variants: &[Variant]) {
    let mut stored = HashSet::new();
    for variant in variants {
        if !stored.insert(&variant.stored) {
            let (ident, name) = (&variant.ident, &variant.stored);
            cx.error(
                ident.span(),
                format_args!("another variant is stored as `{name}` too: rename `{ident}`"),
            );
        }
    }
}

fn variant_fields(cx: &Ctxt, embedded: &Embedded, variants: &[Variant]) {
    let tag = embedded.head.attrs.tag();
    for variant in variants {
        for one in variant.fields() {
            field::common(cx, one);
            no_instant(cx, one);
            if one.stored == tag {
                cx.error(
                    name_span(one),
                    format_args!("`{tag}` holds the variant's name\nhelp: rename the field, or write `#[model(tag = ..)]`"),
                );
            }
        }
        distinct_names(cx, variant.fields());
    }
}
