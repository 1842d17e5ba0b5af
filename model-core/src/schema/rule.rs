//! Normalisers and validation rules, as static data.

use std::sync::OnceLock;

use regex_lite::Regex;
use zeroize::Zeroize as _;

use super::dialect;

/// What is done to a string before it is validated, stored or compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Normaliser {
    /// Removes white space at both ends.
    Trim,
    /// Unicode lower case.
    Lowercase,
    /// Unicode upper case.
    Uppercase,
}

impl Normaliser {
    /// Applies the normalisers in order; allocates only where letters change. What was there is overwritten, since the text
    /// may be a secret.
    pub fn apply_all(normalisers: &[Self], text: &mut String) {
        for normaliser in normalisers {
            match normaliser {
                Self::Trim => {
                    text.truncate(text.trim_end().len());
                    let start = text.len() - text.trim_start().len();
                    text.drain(..start);
                }
                Self::Lowercase => {
                    if text.chars().any(|c| !c.to_lowercase().eq([c])) {
                        let lower = text.to_lowercase();
                        std::mem::replace(text, lower).zeroize();
                    }
                }
                Self::Uppercase => {
                    if text.chars().any(|c| !c.to_uppercase().eq([c])) {
                        let upper = text.to_uppercase();
                        std::mem::replace(text, upper).zeroize();
                    }
                }
            }
        }
    }
}

/// A bound of a numeric rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Float(f64),
}

/// A regular expression in the syntax of the [`regex-lite`](https://docs.rs/regex-lite) crate, compiled on first use and
/// matched in time linear in the text.
///
/// `\d`, `\w`, `\s`, `\b` and `(?i)` know ASCII alone, as on the server; there are no Unicode classes (`\p{L}`).
pub struct Pattern {
    source: &'static str,
    compiled: OnceLock<Result<Regex, regex_lite::Error>>,
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Pattern").field(&self.source).finish()
    }
}

impl Pattern {
    /// A pattern; `build()` refuses one that does not compile.
    pub const fn new(source: &'static str) -> Self {
        Self {
            source,
            compiled: OnceLock::new(),
        }
    }

    /// The pattern as written.
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// As the server would have to read it; none if it may read it otherwise.
    pub(crate) fn for_server(&self) -> Option<String> {
        dialect::translate(self.source, &dialect::SERVER)
    }

    /// As a validator of JSON Schema would have to read it; none if it may read it otherwise.
    pub(crate) fn for_json_schema(&self) -> Option<String> {
        dialect::translate(self.source, &dialect::JSON_SCHEMA)
    }

    /// Whether some part of the text matches; never, if the pattern is not a valid one.
    pub fn is_match(&self, text: &str) -> bool {
        self.compiled().is_ok_and(|regex| regex.is_match(text))
    }

    /// What is wrong with the pattern, if it is not a valid one.
    pub(crate) fn fault(&self) -> Option<&regex_lite::Error> {
        self.compiled().err()
    }

    fn compiled(&self) -> Result<&Regex, &regex_lite::Error> {
        self.compiled.get_or_init(|| Regex::new(self.source)).as_ref()
    }
}

/// What a value must satisfy. A rule on a field of an array or map type holds for each element, but `Items`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Rule {
    /// A string's length in characters, both ends inclusive.
    Len {
        /// The least.
        min: Option<usize>,
        /// The most.
        max: Option<usize>,
    },
    /// The number of elements of an array or map, both ends inclusive.
    Items {
        /// The least.
        min: Option<usize>,
        /// The most.
        max: Option<usize>,
    },
    /// A number's bounds, both ends inclusive.
    Range {
        /// The least.
        min: Option<Number>,
        /// The most.
        max: Option<Number>,
    },
    /// A string must match.
    Pattern(&'static Pattern),
    /// A string must be an e-mail address (RFC 5322 `addr-spec`).
    Email,
    /// A string must be an absolute URL with a host (RFC 3986, and RFC 3987 for what is not ASCII).
    Url,
    /// A string must be one of these.
    OneOf(&'static [&'static str]),
}
