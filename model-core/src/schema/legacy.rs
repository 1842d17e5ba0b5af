//! What an encrypted field still reads of the time before it was one: plaintext, and what another system encrypted.

use core::fmt;

use chrono::{DateTime, Datelike as _, Utc};

use super::field::FieldSchema;

/// How long something old is still read: to the end of a day (UTC), or without an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    last: Option<(i32, u32, u32)>,
}

impl Term {
    /// Without an end.
    pub const OPEN: Self = Self { last: None };

    /// To the end of that day.
    pub const fn until(year: i32, month: u32, day: u32) -> Self {
        Self {
            last: Some((year, month, day)),
        }
    }

    /// Whether it has ended.
    pub(crate) fn is_over(self, now: DateTime<Utc>) -> bool {
        self.last
            .is_some_and(|last| (now.year(), now.month(), now.day()) > last)
    }

    /// What is said of a value that is not sealed, though it has ended.
    pub(crate) fn ended(self) -> String {
        format!(
            "not sealed, and what is not was read until {self}: seal it with `reencrypt` under a later `until`"
        )
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last {
            Some((year, month, day)) => write!(f, "{year:04}-{month:02}-{day:02}"),
            None => f.write_str("never"),
        }
    }
}

/// The format of another system, in which a field may still be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldFormatSpec {
    /// The name that the keyring has its decoder under.
    pub name: &'static str,
    /// How long it is read.
    pub term: Term,
}

impl FieldSchema {
    /// Takes plaintext that was stored before the field was encrypted.
    pub const fn legacy_plaintext(mut self, term: Term) -> Self {
        self.legacy_plaintext = Some(term);
        self
    }

    /// Takes values that another system encrypted.
    pub const fn old_format(mut self, name: &'static str, term: Term) -> Self {
        self.old_format = Some(OldFormatSpec { name, term });
        self
    }
}
