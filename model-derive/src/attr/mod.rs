//! Attributes: from tokens to values with their places. Nothing is judged here but the spelling.

mod blind;
mod container;
mod field;
mod form;
mod index;
mod legacy;
mod value;

use proc_macro2::{Ident, Span, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Meta, Token};

pub(crate) use blind::{BlindIndex, BlindNormaliser};
pub(crate) use container::{Audit, Container, IdForm, Seal, Virtual};
pub(crate) use field::{
    DefaultValue, DeleteRule, FieldAttrs, Filterable, Normaliser, Role, Rule, Similarity, UniqueScope,
    VariantAttrs,
};
pub(crate) use form::{Granularity, TimeSeries};
pub(crate) use index::{Collation, Condition, Index, IndexKey, KeyForm, Literal, Relation};
pub(crate) use legacy::Term;
pub(crate) use value::{Bounds, Direction, Number};

use crate::ctxt::Ctxt;
use crate::keys::{self, Key, KeyId, Place};
use crate::suggest;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<T> Spanned<T> {
    fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// A key that was written: which, and where.
pub(crate) type Written = Spanned<KeyId>;

/// Calls `read` for every key in the `#[model(...)]` attributes, with the tokens behind it; notes keys that are
/// unknown, in the wrong place, repeated, or wrongly written, and goes on with the next one.
fn each_key(
    cx: &Ctxt,
    place: Place,
    attrs: &[Attribute],
    mut read: impl FnMut(KeyId, Span, ParseStream<'_>) -> syn::Result<()>,
) -> Vec<Written> {
    let mut written = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("model")) {
        let Meta::List(list) = &attr.meta else {
            cx.error_across(&attr.meta, "expected keys in parentheses: `#[model(...)]`");
            continue;
        };
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                one_key(cx, place, input, &mut written, &mut read);
                end_of_item(cx, input);
            }
            Ok(())
        };
        cx.ok(parser.parse2(list.tokens.clone()));
    }
    written
}

fn one_key(
    cx: &Ctxt,
    place: Place,
    input: ParseStream<'_>,
    written: &mut Vec<Written>,
    read: &mut impl FnMut(KeyId, Span, ParseStream<'_>) -> syn::Result<()>,
) {
    let name = match input.call(Ident::parse_any) {
        Ok(name) => name,
        Err(error) => {
            cx.error(error.span(), "expected a key");
            return skip_item(input);
        }
    };
    let Some(key) = keys::find(&name.unraw().to_string(), place) else {
        unknown(cx, place, &name);
        return skip_item(input);
    };
    if key.id != KeyId::Indexes && written.iter().any(|before| before.value == key.id) {
        cx.error(name.span(), format_args!("`{}` is written twice", key.name));
        return skip_item(input);
    }
    written.push(Spanned::new(key.id, name.span()));
    let ahead = input.fork();
    let error = match read(key.id, name.span(), &ahead) {
        Ok(()) if ahead.is_empty() || ahead.peek(Token![,]) => return input.advance_to(&ahead),
        Ok(()) if key.usage == key.name => ahead.error(format_args!("`{}` takes no value", key.name)),
        Ok(()) => ahead.error("there is more than the key takes"),
        // There is no token to point at.
        Err(_) if is_bare(input) => {
            syn::Error::new(name.span(), format_args!("`{}` needs a value", key.name))
        }
        Err(error) => error,
    };
    cx.note(usage(error, key));
    skip_item(input);
}

/// Whether nothing, or only an equals sign, follows the key.
fn is_bare(input: ParseStream<'_>) -> bool {
    let rest = input.fork();
    // Without one, nothing moves.
    let _ = rest.parse::<Option<Token![=]>>();
    rest.is_empty() || rest.peek(Token![,])
}

/// The error, with how the key is written.
fn usage(error: syn::Error, key: &Key) -> syn::Error {
    let mut whole = syn::Error::new(error.span(), format_args!("{error}\nusage: {}", key.usage));
    for other in error.into_iter().skip(1) {
        whole.combine(other);
    }
    whole
}

fn unknown(cx: &Ctxt, place: Place, name: &Ident) {
    let text = name.unraw().to_string();
    let kind = place.kind();
    let message = match keys::belongs(&text, place) {
        Some(noun) => format!("`{text}` belongs on {noun}"),
        None => format!(
            "unknown {kind} key `{text}`{}",
            suggest::hint(&text, keys::at(place).map(|key| key.name), "the keys here are")
        ),
    };
    cx.error(name.span(), message);
}

/// Passes over what is left of an item.
fn skip_item(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) && input.parse::<TokenTree>().is_ok() {}
}

/// The comma after an item.
fn end_of_item(cx: &Ctxt, input: ParseStream<'_>) {
    if !input.is_empty() {
        cx.ok(input.parse::<Token![,]>());
    }
}
