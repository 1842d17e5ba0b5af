//! Small values: defaults, documentation.

use proc_macro2::TokenStream;
use syn::Attribute;

use crate::ast::Field;
use crate::attr::DefaultValue;
use crate::spelling;

/// The default of a field, as an expression of its type.
pub(super) fn default(field: &Field) -> Option<TokenStream> {
    field.attrs.default.as_ref().map(given)
}

/// What an erasure puts in the field's place: what is said, the default, or absence; none if the field is not personal.
pub(super) fn erased(field: &Field) -> Option<TokenStream> {
    let said = field.attrs.pii.as_ref()?.value.as_ref();
    Some(match said {
        Some(value) => given(value),
        None if spelling::is_option(&field.ty) => emit!(__model::Option::None),
        None => default(field)?,
    })
}

fn given(value: &DefaultValue) -> TokenStream {
    match value {
        DefaultValue::Trait(span) => {
            let span = span.resolved_at(proc_macro2::Span::mixed_site());
            quote::quote_spanned!(span=> __model::Default::default())
        }
        DefaultValue::Now(span) => {
            let span = span.resolved_at(proc_macro2::Span::mixed_site());
            quote::quote_spanned!(span=> __model::timestamp(stamp.now))
        }
        DefaultValue::Text(text) => emit!(__model::Into::into(#text)),
        DefaultValue::Expr(expr) => emit!(#expr),
        DefaultValue::Function(path) => emit!(#path()),
    }
}

/// `Some(default)` or `None`.
pub(super) fn maybe_default(field: &Field) -> TokenStream {
    match default(field) {
        Some(value) => emit!(__model::Option::Some(#value)),
        None => emit!(__model::Option::None),
    }
}

/// The field's documentation, for the member that stands for it in an emitted struct.
pub(super) fn docs(field: &Field) -> TokenStream {
    docs_or(&field.docs, &format!("The field `{}`.", field.name))
}

pub(super) fn docs_or(docs: &[Attribute], otherwise: &str) -> TokenStream {
    if docs.is_empty() {
        emit!(#[doc = #otherwise])
    } else {
        emit!(#(#docs)*)
    }
}
