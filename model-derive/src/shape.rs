//! What can be derived for at all.

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::{Data, DataEnum, DataStruct, DeriveInput, Field, Fields, Type};

use crate::ctxt::Ctxt;

/// The struct's body, if it is one with named fields and no parameters.
pub(crate) fn model<'i>(cx: &Ctxt, input: &'i DeriveInput) -> Option<&'i DataStruct> {
    let wrong = |span: Span| {
        cx.error(
            span,
            "`Model` can only be derived for a struct with named fields and no type parameters",
        );
        None
    };
    if let Some(span) = parameters(input) {
        return wrong(span);
    }
    match &input.data {
        Data::Struct(
            data @ DataStruct {
                fields: Fields::Named(_),
                ..
            },
        ) => Some(data),
        Data::Struct(data) if data.fields.is_empty() => wrong(input.ident.span()),
        Data::Struct(data) => wrong(data.fields.span()),
        Data::Enum(data) => wrong(data.enum_token.span),
        Data::Union(data) => wrong(data.union_token.span),
    }
}

/// A shape that can be embedded.
pub(crate) enum Embedded<'i> {
    Struct(&'i DataStruct),
    Newtype(&'i Type),
    Enum(&'i DataEnum),
}

/// The type's body, if it can be stored inside a document.
pub(crate) fn embedded<'i>(cx: &Ctxt, input: &'i DeriveInput) -> Option<Embedded<'i>> {
    if let Some(span) = parameters(input) {
        cx.error(
            span,
            "`Embedded` can only be derived for a type without parameters",
        );
        return None;
    }
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(named) if !named.named.is_empty() => Some(Embedded::Struct(data)),
            Fields::Unnamed(unnamed) if unnamed.unnamed.len() == 1 => {
                let field = unnamed.unnamed.first()?;
                no_keys(cx, field);
                Some(Embedded::Newtype(&field.ty))
            }
            Fields::Unnamed(unnamed) if !unnamed.unnamed.is_empty() => {
                cx.error_across(
                    unnamed,
                    "a struct of several values needs names for them: their order is not stored",
                );
                None
            }
            _ => {
                cx.error(input.ident.span(), "there is nothing in the struct to store");
                None
            }
        },
        Data::Enum(data) if data.variants.is_empty() => {
            cx.error(input.ident.span(), "there is no variant that could be stored");
            None
        }
        Data::Enum(data) => Some(Embedded::Enum(data)),
        Data::Union(data) => {
            cx.error(
                data.union_token.span,
                "`Embedded` can only be derived for a struct or an enum",
            );
            None
        }
    }
}

/// The one value in a variant with parentheses.
pub(crate) fn newtype_variant<'i>(cx: &Ctxt, variant: &'i syn::Variant) -> Option<&'i Field> {
    let mut fields = variant.fields.iter();
    match (fields.next(), fields.next()) {
        (Some(field), None) => Some(field),
        (Some(_), Some(_)) => {
            cx.error_across(
                &variant.fields,
                "a variant of several values needs names for them: their order is not stored",
            );
            None
        }
        (None, _) => {
            cx.error_across(&variant.fields, "remove the empty parentheses");
            None
        }
    }
}

/// Where the parameters are, if there are any.
fn parameters(input: &DeriveInput) -> Option<Span> {
    input.generics.params.first().map(syn::spanned::Spanned::span)
}

/// A newtype is what it wraps: rules stand on the field that uses it.
fn no_keys(cx: &Ctxt, field: &Field) {
    for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("model")) {
        cx.error_across(
            attr,
            "a newtype takes no keys inside: put them on the fields that are of this type",
        );
    }
}
