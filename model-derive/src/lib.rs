//! The derive macros of `model-core`, which re-exports them: name that crate, not this one.
//!
//! keys → attr → ast → check → expand: the table of keys says what may be written, `attr` reads it, `ast` resolves
//! names, `check` holds the rules, `expand` writes code. All mistakes are reported at once.

mod ast;
mod attr;
mod case;
mod check;
mod ctxt;
mod docs;
mod expand;
mod keys;
mod role;
mod shape;
mod spelling;
mod suggest;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

#[doc = include_str!("../docs/model.md")]
#[proc_macro_derive(Model, attributes(model))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::model(&input).into()
}

#[doc = include_str!("../docs/projection.md")]
#[proc_macro_derive(Projection, attributes(projection))]
pub fn derive_projection(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::pick(&input).into()
}

#[doc = include_str!("../docs/embedded.md")]
#[proc_macro_derive(Embedded, attributes(model))]
pub fn derive_embedded(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::embedded(&input).into()
}
