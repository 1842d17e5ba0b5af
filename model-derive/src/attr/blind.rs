//! `blind_index`.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{LitInt, Token, parenthesized};

use super::value;
use crate::suggest;

/// What is done to a value before its token is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum BlindNormaliser {
    #[default]
    Exact,
    Email,
    Digits,
}

/// A blind index over a field.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BlindIndex {
    pub(crate) unique: bool,
    pub(crate) global: bool,
    pub(crate) normalise: BlindNormaliser,
    pub(crate) allow_low_entropy: bool,
    pub(crate) bits: Option<u8>,
}

impl BlindIndex {
    pub(super) fn read(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut all = Self::default();
        if !value::nothing_or_list(input) {
            return Ok(all);
        }
        let content;
        parenthesized!(content in input);
        while !content.is_empty() {
            let span = content.span();
            all.option(&content)?;
            if all.unique && all.bits.is_some() {
                let message = "a blind index with `bits` cannot be `unique`: several values share a token, and the second \
                               of them would be refused";
                return Err(syn::Error::new(span, message));
            }
            if !content.is_empty() {
                content.parse::<Token![,]>()?;
            }
        }
        Ok(all)
    }

    fn option(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        const OPTIONS: [&str; 5] = ["unique", "normalize", "scope", "allow_low_entropy", "bits"];
        let name = input.call(Ident::parse_any)?;
        match name.to_string().as_str() {
            "unique" => self.unique = true,
            "allow_low_entropy" => self.allow_low_entropy = true,
            "bits" => self.bits = Some(bits(input)?),
            "normalize" => {
                self.normalise = one_of(
                    input,
                    "normalizer",
                    [
                        ("exact", BlindNormaliser::Exact),
                        ("email", BlindNormaliser::Email),
                        ("digits", BlindNormaliser::Digits),
                    ],
                )?;
            }
            "scope" => self.global = one_of(input, "scope", [("tenant", false), ("global", true)])?,
            other => {
                let hint = suggest::hint(other, OPTIONS, "the options are");
                let message = format_args!("unknown option `{other}` of `blind_index`{hint}");
                return Err(syn::Error::new(name.span(), message));
            }
        }
        Ok(())
    }
}

/// `= 16`
fn bits(input: ParseStream<'_>) -> syn::Result<u8> {
    input.parse::<Token![=]>()?;
    let literal: LitInt = input.parse()?;
    match literal.base10_parse() {
        Ok(bits @ 4..=64) => Ok(bits),
        _ => Err(syn::Error::new(literal.span(), "expected 4 to 64 bits")),
    }
}

fn one_of<T: Copy, const N: usize>(
    input: ParseStream<'_>,
    noun: &str,
    options: [(&'static str, T); N],
) -> syn::Result<T> {
    let text = value::text(input)?;
    match options.iter().find(|(name, _)| *name == text.value) {
        Some((_, value)) => Ok(*value),
        None => {
            let names = options.map(|(name, _)| name);
            let hint = suggest::hint(&text.value, names, "there are");
            let message = format_args!("unknown {noun} `{}`{hint}", text.value);
            Err(syn::Error::new(text.span, message))
        }
    }
}
