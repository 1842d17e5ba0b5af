//! What the compiler is asked to check: the policy, the paths of indexes, the date of a TTL index.

use proc_macro2::{Ident, Span, TokenStream};

use super::{form, named};
use crate::ast::{Field, Model};
use crate::attr::{DeleteRule, KeyForm};
use crate::spelling;

/// The assertions of a model.
pub(super) fn model(model: &Model) -> TokenStream {
    let policy = policy(model);
    let indexes = indexes(model);
    let blind = blind_indexes(&model.fields);
    let time = form::time_is_a_date(model);
    let rules = delete_rules(&model.fields, "assert_pull");
    emit!(#policy #indexes #time #(#blind)* #(#rules)*)
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
/// the name inside the attribute. The digest of a token cannot be sorted on, and has an index all the same.
fn indexes(model: &Model) -> Option<TokenStream> {
    let indexes = model.indexes();
    let handles = named("", &model.head, "Fields");
    let walks = indexes.iter().flat_map(|index| {
        let keys = index
            .keys
            .iter()
            .filter(|key| !is_digest(model, &key.path))
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

fn is_digest(model: &Model, path: &[Ident]) -> bool {
    let [only] = path else { return false };
    let field = model.fields.iter().find(|field| field.ident == *only);
    field.is_some_and(|field| spelling::name(&field.ty).as_deref() == Some("TokenDigest"))
}

/// A blind index over a type of few values would show which documents have the same one.
fn blind_indexes<'a>(fields: impl IntoIterator<Item = &'a Field>) -> impl Iterator<Item = TokenStream> {
    fields.into_iter().filter_map(|field| {
        let blind = field.attrs.blind.as_ref()?.value;
        let ty = &field.ty;
        let span = super::ends(ty).0;
        Some(if blind.allow_low_entropy {
            quote::quote_spanned!(span=> const _: fn() = __model::assert_blindable::<#ty>;)
        } else {
            quote::quote_spanned!(span=> const _: fn() = __model::assert_distinct::<#ty>;)
        })
    })
}

/// The assertions of an embedded type. What `pull` takes out may be the element that the reference lies in.
pub(super) fn embedded<'a>(fields: impl IntoIterator<Item = &'a Field> + Clone) -> TokenStream {
    let blind = blind_indexes(fields.clone());
    let rules = delete_rules(fields, "assert_restrict");
    emit!(#(#blind)* #(#rules)*)
}

/// A delete rule does to the field what its type allows.
fn delete_rules<'a>(
    fields: impl IntoIterator<Item = &'a Field>,
    pull: &str,
) -> impl Iterator<Item = TokenStream> {
    fields.into_iter().filter_map(move |field| {
        let assert = match field.attrs.on_delete.as_ref()?.value {
            DeleteRule::Cascade => "assert_cascade",
            DeleteRule::Restrict => "assert_restrict",
            DeleteRule::Nullify => "assert_nullify",
            DeleteRule::Pull => pull,
        };
        let ty = &field.ty;
        let span = super::ends(ty).0;
        let assert = Ident::new(assert, span);
        let subject = field
            .attrs
            .subject
            .map(|_| quote::quote_spanned!(span=> const _: fn() = __model::assert_subject::<#ty>;));
        Some(quote::quote_spanned!(span=> const _: fn() = __model::#assert::<#ty>; #subject))
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
