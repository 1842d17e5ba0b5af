//! From the declaration to code: static data and moves of fields.
//!
//! Every token that no user wrote has the hygiene of a `macro_rules!` macro, so that no local of ours meets one of
//! theirs; items, which have no hygiene, are called `__MODEL_*`.

/// `quote!`, with that hygiene.
macro_rules! emit {
    ($($tokens:tt)*) => {
        ::quote::quote_spanned!(::proc_macro2::Span::mixed_site()=> $($tokens)*)
    };
}

mod asserts;
mod codec;
mod embedded;
mod enums;
mod fallback;
mod fields;
mod form;
mod index;
mod inputs;
mod model;
mod newtype;
mod parse;
mod pick;
mod schema;
mod tagged;
mod tagged_patch;
mod tagged_view;
mod values;
mod variants;
mod view;

pub(crate) use pick::expand as pick;
use proc_macro2::{Ident, Span, TokenStream};
use syn::{DeriveInput, Type, Visibility};

use crate::ast::{Embedded, Head, Model};
use crate::check;
use crate::ctxt::Ctxt;

/// `#[derive(Model)]`
pub(crate) fn model(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let model = Model::read(&cx, input);
    if let Some(model) = &model {
        check::model(&cx, model);
    }
    match (model, errors(cx)) {
        (Some(model), None) => model::expand(&model),
        (model, errors) => {
            let stub = fallback::model(input, model);
            emit! { #errors #stub }
        }
    }
}

/// `#[derive(Embedded)]`
pub(crate) fn embedded(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let embedded = Embedded::read(&cx, input);
    if let Some(embedded) = &embedded {
        check::embedded(&cx, embedded);
    }
    match (embedded, errors(cx)) {
        (Some(embedded), None) => embedded::expand(&embedded),
        (embedded, errors) => {
            let stub = fallback::embedded(input, embedded);
            emit! { #errors #stub }
        }
    }
}

/// All errors, as `compile_error!`s.
fn errors(cx: Ctxt) -> Option<TokenStream> {
    let errors = cx.finish();
    (!errors.is_empty()).then(|| errors.iter().map(syn::Error::to_compile_error).collect())
}

/// The module of the runtime that expansions name, from outside of the `const` that renames it `__model`.
fn runtime(head: &Head) -> TokenStream {
    match &head.krate {
        Some(path) => emit!(#path::__private),
        None => emit!(::model_core::__private),
    }
}

/// Puts what has no name for the user into a `const`, where the runtime is called `__model`.
fn hidden(head: &Head, items: &TokenStream) -> TokenStream {
    let runtime = runtime(head);
    emit! {
        const _: () = {
            use #runtime as __model;
            #items
        };
    }
}

/// The name of an emitted type: `NewWidget`, `WidgetPatch`.
fn named(prefix: &str, head: &Head, suffix: &str) -> Ident {
    use syn::ext::IdentExt as _;
    Ident::new(
        &format!("{prefix}{}{suffix}", head.ident.unraw()),
        head.ident.span(),
    )
}

/// `<Type as FieldValue>::Assoc`, such that an error about it underlines the whole type.
fn projection(ty: &Type, runtime: &TokenStream, assoc: &str) -> TokenStream {
    let (first, last) = ends(ty);
    let open = quote::quote_spanned!(first=> <);
    let assoc = Ident::new(assoc, last);
    let close = quote::quote_spanned!(last=> >::#assoc);
    emit!(#open #ty as #runtime::FieldValue #close)
}

/// The visibility as a token of ours: what begins with a token of the user's, lints take for theirs.
fn own(vis: &Visibility) -> TokenStream {
    match vis {
        Visibility::Public(_) => emit!(pub),
        other => emit!(#other),
    }
}

/// The places of a type's first and last token, with our hygiene.
fn ends(tokens: &impl quote::ToTokens) -> (Span, Span) {
    let mut spans = tokens.to_token_stream().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    let last = spans.last().unwrap_or(first);
    (
        first.resolved_at(Span::mixed_site()),
        last.resolved_at(Span::mixed_site()),
    )
}

/// A local of ours for the field at `index`: a user's field may be called like anything.
fn local(index: usize) -> Ident {
    Ident::new(&format!("field_{index}"), Span::mixed_site())
}
