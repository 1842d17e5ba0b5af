//! What the compiler is asked to check: the policy, the paths of indexes, the date of a TTL index.

use proc_macro2::{Ident, Span, TokenStream};

use super::named;
use crate::ast::Model;
use crate::attr::KeyForm;

/// The assertions of a model.
pub(super) fn model(model: &Model) -> TokenStream {
    let policy = policy(model);
    let indexes = indexes(model);
    emit!(#policy #indexes)
}

/// The caret is at the struct's name.
fn policy(model: &Model) -> TokenStream {
    let ident = &model.head.ident;
    let span = ident.span().resolved_at(Span::mixed_site());
    quote::quote_spanned! {span=>
        const _: fn() = __model::assert_policy::<#ident>;
        const _: fn() = <#ident as __model::ModelIsNotSerializable<_>>::assert;
    }
}

/// Every path is walked through the handles, so that a missing field, and one that cannot be indexed so, is an error at
/// the name inside the attribute.
fn indexes(model: &Model) -> Option<TokenStream> {
    let indexes = model.indexes();
    let handles = named("", &model.head, "Fields");
    let walks = indexes.iter().flat_map(|index| {
        let keys = index
            .keys
            .iter()
            .map(|key| walk(&key.path, Some(key.form), index.ttl.is_some()));
        let conditions = index
            .conditions
            .iter()
            .map(|condition| walk(&condition.path, None, false));
        keys.chain(conditions)
    });
    (!indexes.is_empty()).then(|| {
        emit! {
            const _: fn(&#handles) = |handles| { #(#walks)* };
        }
    })
}

/// The handle of one path, put to the use that the index makes of it.
fn walk(path: &[Ident], form: Option<KeyForm>, expires: bool) -> TokenStream {
    let Some(last) = path.last() else {
        return TokenStream::new();
    };
    let span = last.span().resolved_at(Span::mixed_site());
    match form {
        _ if expires => quote::quote_spanned!(span=> __model::assert_ttl(&handles #(.#path)*);),
        Some(KeyForm::Text(_)) => quote::quote_spanned!(span=> __model::assert_text(&handles #(.#path)*);),
        Some(KeyForm::Ordered(_) | KeyForm::Hashed) | None => {
            quote::quote_spanned!(span=> _ = handles #(.#path)* .asc();)
        }
        Some(KeyForm::Sphere | KeyForm::Wildcard) => {
            quote::quote_spanned!(span=> _ = handles #(.#path)* .path();)
        }
    }
}
