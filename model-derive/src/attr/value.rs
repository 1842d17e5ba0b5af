//! The values that keys take.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Lit, LitInt, LitStr, Path, Token, parenthesized};

use super::Spanned;
use crate::suggest;

/// The direction of an index key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

/// A bound of a range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Int(i64),
    Float(f64),
}

/// `min..=max`, either may be missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds<T> {
    pub(crate) min: Option<T>,
    pub(crate) max: Option<T>,
}

/// `= "text"`
pub(super) fn text(input: ParseStream<'_>) -> syn::Result<Spanned<String>> {
    input.parse::<Token![=]>()?;
    let literal = input
        .parse::<LitStr>()
        .map_err(|error| syn::Error::new(error.span(), "expected a string"))?;
    Ok(Spanned::new(literal.value(), literal.span()))
}

/// `= a::path`
pub(super) fn path(input: ParseStream<'_>) -> syn::Result<Path> {
    input.parse::<Token![=]>()?;
    input
        .call(Path::parse_mod_style)
        .map_err(|error| syn::Error::new(error.span(), "expected a path"))
}

/// `asc` or `desc`
pub(super) fn direction(input: ParseStream<'_>) -> syn::Result<Direction> {
    let name = input.call(Ident::parse_any)?;
    match name.to_string().as_str() {
        "asc" => Ok(Direction::Ascending),
        "desc" => Ok(Direction::Descending),
        other => {
            let hint = suggest::hint(other, ["asc", "desc"], "the directions are");
            Err(syn::Error::new(
                name.span(),
                format_args!("unknown direction `{other}`{hint}"),
            ))
        }
    }
}

/// `= "90d"` or `= 3600`
pub(super) fn duration(input: ParseStream<'_>) -> syn::Result<Spanned<u64>> {
    input.parse::<Token![=]>()?;
    let literal: Lit = input.parse()?;
    let seconds = match &literal {
        Lit::Int(number) => number
            .base10_parse()
            .map_err(|error: syn::Error| error.to_string()),
        Lit::Str(text) => seconds(&text.value()),
        _ => Err("expected a duration: a string such as \"90d\", or whole seconds".to_owned()),
    };
    match seconds {
        // The server's own limit (`expireAfterSeconds`).
        Ok(seconds) if seconds <= 2_147_483_647 => Ok(Spanned::new(seconds, literal.span())),
        Ok(_) => Err(syn::Error::new(
            literal.span(),
            "the server takes at most 2147483647 seconds (68 years)",
        )),
        Err(message) => Err(syn::Error::new(literal.span(), message)),
    }
}

fn seconds(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 5] = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400), ("w", 604_800)];
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let (number, unit) = text.split_at(text.len() - digits.len());
    let Ok(number) = number.parse::<u64>() else {
        return Err("a duration begins with a whole number: \"90d\"".to_owned());
    };
    match UNITS.iter().find(|(name, _)| *name == unit) {
        Some((_, factor)) => number
            .checked_mul(*factor)
            .ok_or_else(|| "the duration is too long".to_owned()),
        None => {
            let units = suggest::list(UNITS.map(|(name, _)| name));
            Err(format!("unknown unit of time `{unit}`\nthe units are: {units}"))
        }
    }
}

/// `("a", "b")`
pub(super) fn texts(input: ParseStream<'_>) -> syn::Result<Vec<Spanned<String>>> {
    let items = list::<LitStr>(input)?;
    Ok(items
        .into_iter()
        .map(|item| Spanned::new(item.value(), item.span()))
        .collect())
}

/// `(item, item)`, of which there is at least one.
pub(super) fn list<T: Parse>(input: ParseStream<'_>) -> syn::Result<Vec<T>> {
    let content;
    let parens = parenthesized!(content in input);
    let items = Punctuated::<T, Token![,]>::parse_terminated(&content)?;
    if items.is_empty() {
        return Err(syn::Error::new(
            parens.span.join(),
            "nothing is in the parentheses",
        ));
    }
    Ok(items.into_iter().collect())
}

/// `(min..=max)` of counts
pub(super) fn counts(input: ParseStream<'_>) -> syn::Result<Bounds<usize>> {
    let (bounds, span) = bounds(input, |input| {
        let literal: LitInt = input.parse()?;
        literal.base10_parse::<usize>()
    })?;
    in_order(bounds, span, |min, max| min <= max)
}

/// `(min..=max)` of numbers
pub(super) fn numbers(input: ParseStream<'_>) -> syn::Result<Bounds<Number>> {
    let (bounds, span) = bounds(input, number)?;
    in_order(bounds, span, |min, max| as_f64(min) <= as_f64(max))
}

#[allow(clippy::cast_precision_loss)] // for the order only
fn as_f64(number: Number) -> f64 {
    match number {
        Number::Int(number) => number as f64,
        Number::Float(number) => number,
    }
}

fn in_order<T: Copy>(
    bounds: Bounds<T>,
    span: Span,
    ordered: impl FnOnce(T, T) -> bool,
) -> syn::Result<Bounds<T>> {
    match bounds {
        Bounds {
            min: Some(min),
            max: Some(max),
        } if !ordered(min, max) => Err(syn::Error::new(
            span,
            "the least is greater than the most: nothing fits",
        )),
        Bounds { min: None, max: None } => Err(syn::Error::new(span, "the range has no bound")),
        bounds => Ok(bounds),
    }
}

pub(super) fn number(input: ParseStream<'_>) -> syn::Result<Number> {
    let minus: Option<Token![-]> = input.parse()?;
    match input.parse()? {
        Lit::Int(literal) => {
            let digits = literal.base10_digits();
            let text = if minus.is_some() {
                format!("-{digits}")
            } else {
                digits.to_owned()
            };
            text.parse()
                .map(Number::Int)
                .map_err(|error| syn::Error::new(literal.span(), error))
        }
        Lit::Float(literal) => {
            let number: f64 = literal.base10_parse()?;
            Ok(Number::Float(if minus.is_some() { -number } else { number }))
        }
        other => Err(syn::Error::new(other.span(), "expected a number")),
    }
}

fn bounds<T>(
    input: ParseStream<'_>,
    mut bound: impl FnMut(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<(Bounds<T>, Span)> {
    let content;
    let parens = parenthesized!(content in input);
    let min = if content.peek(Token![..]) {
        None
    } else {
        Some(bound(&content)?)
    };
    let max = if content.peek(Token![..=]) {
        content.parse::<Token![..=]>()?;
        Some(bound(&content)?)
    } else {
        let dots: Token![..] = content
            .parse()
            .map_err(|error| syn::Error::new(error.span(), "expected a range"))?;
        if !content.is_empty() {
            return Err(syn::Error::new(
                dots.span(),
                "a range includes its end: write `..=`",
            ));
        }
        None
    };
    if content.is_empty() {
        Ok((Bounds { min, max }, parens.span.join()))
    } else {
        Err(content.error("expected the end of the range"))
    }
}

/// Notes a parenthesised value where none, or another form, is due.
pub(super) fn nothing_or_list(input: ParseStream<'_>) -> bool {
    input.peek(syn::token::Paren)
}
