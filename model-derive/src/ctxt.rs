//! The error context: every mistake is noted, none ends the work early.

use std::cell::RefCell;
use std::fmt::Display;

use proc_macro2::Span;
use quote::ToTokens;

/// Collects errors. Dropping it without asking for them is a bug of this crate, and panics.
#[derive(Debug)]
pub(crate) struct Ctxt {
    errors: RefCell<Option<Vec<syn::Error>>>,
}

impl Ctxt {
    pub(crate) fn new() -> Self {
        Self {
            errors: RefCell::new(Some(Vec::new())),
        }
    }

    /// Notes a mistake at one token.
    pub(crate) fn error(&self, span: Span, message: impl Display) {
        self.note(syn::Error::new(span, message));
    }

    /// Notes a mistake that spans several tokens.
    pub(crate) fn error_across(&self, tokens: impl ToTokens, message: impl Display) {
        self.note(syn::Error::new_spanned(tokens, message));
    }

    /// Notes an error of `syn`'s.
    pub(crate) fn note(&self, error: syn::Error) {
        if let Some(errors) = self.errors.borrow_mut().as_mut() {
            errors.push(error);
        }
    }

    /// The value, or none and a note.
    pub(crate) fn ok<T>(&self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.note(error)).ok()
    }

    /// Everything that was noted.
    pub(crate) fn finish(self) -> Vec<syn::Error> {
        self.errors.take().unwrap_or_default()
    }
}

impl Drop for Ctxt {
    fn drop(&mut self) {
        assert!(
            std::thread::panicking() || self.errors.borrow().is_none(),
            "the errors of a derive were not asked for"
        );
    }
}
