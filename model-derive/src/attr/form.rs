//! `time_series(...)` and `capped(...)`.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{LitInt, Token, parenthesized};

use super::container::comma;
use super::{Spanned, value};
use crate::suggest;

/// How far apart measurements usually are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Granularity {
    Seconds,
    Minutes,
    Hours,
}

/// `time_series(...)`
#[derive(Debug)]
pub(crate) struct TimeSeries {
    pub(crate) time: Ident,
    /// Whose measurement it is, the tenant aside.
    pub(crate) meta: Vec<Ident>,
    pub(crate) granularity: Option<Granularity>,
    pub(crate) expire_after: Option<Spanned<u64>>,
}

/// `capped(...)`
#[derive(Debug)]
pub(crate) struct Capped {
    pub(crate) size: u64,
    pub(crate) max: Option<u64>,
}

impl Parse for TimeSeries {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let content;
        let parens = parenthesized!(content in input);
        let (mut time, mut meta, mut granularity, mut expire_after) = (None, None, None, None);
        while !content.is_empty() {
            let key = content.call(Ident::parse_any)?;
            let again = match key.to_string().as_str() {
                "time" => time.replace(name(&content)?).is_some(),
                "meta" => meta.replace(names(&content)?).is_some(),
                "granularity" => granularity.replace(self::granularity(&content)?).is_some(),
                "expire_after" => expire_after.replace(value::duration(&content)?).is_some(),
                other => {
                    let keys = ["time", "meta", "granularity", "expire_after"];
                    return Err(unknown(&key, other, &keys));
                }
            };
            once(&key, again)?;
            comma(&content)?;
        }
        let time = time.ok_or_else(|| {
            syn::Error::new(
                parens.span.join(),
                "a time series says which field is its time: `time = at`",
            )
        })?;
        Ok(Self {
            time,
            meta: meta.unwrap_or_default(),
            granularity,
            expire_after,
        })
    }
}

impl Parse for Capped {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let content;
        let parens = parenthesized!(content in input);
        let (mut size, mut max) = (None, None);
        while !content.is_empty() {
            let key = content.call(Ident::parse_any)?;
            let again = match key.to_string().as_str() {
                "size" => size.replace(count(&content)?).is_some(),
                "max" => max.replace(count(&content)?).is_some(),
                other => return Err(unknown(&key, other, &["size", "max"])),
            };
            once(&key, again)?;
            comma(&content)?;
        }
        let size = size.ok_or_else(|| {
            syn::Error::new(
                parens.span.join(),
                "a capped collection has a size in bytes: `size = 1048576`",
            )
        })?;
        Ok(Self { size, max })
    }
}

fn once(key: &Ident, again: bool) -> syn::Result<()> {
    if again {
        return Err(syn::Error::new(
            key.span(),
            format_args!("`{key}` is written twice"),
        ));
    }
    Ok(())
}

fn unknown(key: &Ident, text: &str, keys: &[&'static str]) -> syn::Error {
    let hint = suggest::hint(text, keys.iter().copied(), "the keys here are");
    syn::Error::new(key.span(), format_args!("unknown key `{text}`{hint}"))
}

/// `= field`
fn name(input: ParseStream<'_>) -> syn::Result<Ident> {
    input.parse::<Token![=]>()?;
    input.call(Ident::parse_any)
}

/// `= field` or `(field, field)`
fn names(input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    if value::nothing_or_list(input) {
        value::list(input)
    } else {
        Ok(vec![name(input)?])
    }
}

fn granularity(input: ParseStream<'_>) -> syn::Result<Granularity> {
    let text = value::text(input)?;
    match text.value.as_str() {
        "seconds" => Ok(Granularity::Seconds),
        "minutes" => Ok(Granularity::Minutes),
        "hours" => Ok(Granularity::Hours),
        other => {
            let hint = suggest::hint(other, ["seconds", "minutes", "hours"], "it is one of");
            Err(syn::Error::new(
                text.span,
                format_args!("unknown granularity `{other}`{hint}"),
            ))
        }
    }
}

/// The server takes no more than that of either.
const MOST: u64 = 1 << 50;

fn count(input: ParseStream<'_>) -> syn::Result<u64> {
    input.parse::<Token![=]>()?;
    let literal: LitInt = input.parse()?;
    match literal.base10_parse()? {
        count @ 1..=MOST => Ok(count),
        _ => Err(syn::Error::new(
            literal.span(),
            "it is between 1 and 1125899906842624",
        )),
    }
}
