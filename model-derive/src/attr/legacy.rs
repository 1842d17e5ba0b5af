//! `legacy_plaintext` and `old_format`.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{LitStr, Token, parenthesized};

use super::value;
use crate::suggest;

/// The last day on which something old is read, as year, month and day; none without an end.
pub(crate) type Term = Option<(i32, u32, u32)>;

/// Nothing, or `(until = "2027-03-31")`
pub(super) fn plaintext(input: ParseStream<'_>) -> syn::Result<Term> {
    if !value::nothing_or_list(input) {
        return Ok(None);
    }
    let content;
    parenthesized!(content in input);
    until(&content, "legacy_plaintext")
}

/// `("name")` or `("name", until = "2027-03-31")`
pub(super) fn format(input: ParseStream<'_>) -> syn::Result<(String, Term)> {
    let content;
    parenthesized!(content in input);
    let name = content
        .parse::<LitStr>()
        .map_err(|error| syn::Error::new(error.span(), "expected the name of a format, a string"))?;
    if name.value().is_empty() {
        return Err(syn::Error::new(name.span(), "the name of a format is not empty"));
    }
    if content.parse::<Option<Token![,]>>()?.is_none() || content.is_empty() {
        return Ok((name.value(), None));
    }
    Ok((name.value(), until(&content, "old_format")?))
}

fn until(input: ParseStream<'_>, key: &str) -> syn::Result<Term> {
    let name = input.call(Ident::parse_any)?;
    if name != "until" {
        let hint = suggest::hint(&name.to_string(), ["until"], "the options are");
        let message = format_args!("unknown option `{name}` of `{key}`{hint}");
        return Err(syn::Error::new(name.span(), message));
    }
    last_day(input).map(Some)
}

/// `= "2027-03-31"`
pub(super) fn last_day(input: ParseStream<'_>) -> syn::Result<(i32, u32, u32)> {
    let text = value::text(input)?;
    day(&text.value).ok_or_else(|| syn::Error::new(text.span, "expected a day: \"2027-03-31\""))
}

/// A day of the calendar.
fn day(text: &str) -> Option<(i32, u32, u32)> {
    let mut parts = text.splitn(3, '-');
    let mut part = |digits: usize| {
        let part = parts.next()?;
        let plain = part.len() == digits && part.bytes().all(|digit| digit.is_ascii_digit());
        plain.then(|| part.parse::<u32>().ok())?
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    let year = i32::try_from(year).ok()?;
    (1..=last).contains(&day).then_some((year, month, day))
}
