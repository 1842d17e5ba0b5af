//! Storage out and in, and the walks over a value.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt as _;

use crate::ast::Field;
use crate::ast::Head;
use crate::attr::Role;

/// The statements that write the fields, read from `self`.
pub(super) fn encode(fields: &[Field]) -> TokenStream {
    // The revision is written by the engine.
    let stored = fields.iter().filter(|field| field.role != Role::Revision);
    let statements = stored.map(|field| {
        let (member, key) = (&field.ident, &field.stored);
        if field.attrs.vector.is_some_and(|vector| vector.arrays) {
            return emit!(out.with_arrays(|out| __model::FieldValue::encode(&self.#member, out, #key)););
        }
        emit!(__model::FieldValue::encode(&self.#member, out, #key);)
    });
    emit!(#(#statements)*)
}

/// The members of the struct literal that reads the fields, from `keys`.
pub(super) fn decode(fields: &[Field]) -> TokenStream {
    let members = fields.iter().map(|field| {
        let (member, key) = (&field.ident, &field.stored);
        emit!(#member: keys.field(#key)?,)
    });
    emit!(#(#members)*)
}

/// The statements that walk over the fields: `statics` are their schemas, `place` gives each one's `&mut`.
pub(super) fn visit(
    statics: &Ident,
    fields: &[Field],
    place: impl Fn(usize, &Field) -> TokenStream,
) -> TokenStream {
    let plain: Vec<(usize, &Field)> = fields
        .iter()
        .enumerate()
        .filter(|(_, field)| field.is_plain())
        .collect();
    let walks = plain.iter().map(|(index, field)| {
        let place = place(*index, field);
        emit!(visitor.field(&#statics[#index], #place);)
    });
    let customs = plain.iter().filter_map(|(index, field)| {
        let rule = field.attrs.validate.as_ref()?;
        let place = place(*index, field);
        // A type that does not fit is an error at the path.
        let value = Ident::new("value", super::ends(rule).0);
        Some(emit!(visitor.custom(&#statics[#index], #place, |#value| #rule(#value));))
    });
    emit!(#(#walks)* #(#customs)*)
}

/// `&mut self.field`
pub(super) fn own(_: usize, field: &Field) -> TokenStream {
    let member = &field.ident;
    emit!(&mut self.#member)
}

/// The statements that overwrite what the fields hold.
pub(super) fn wipe(fields: &[Field]) -> TokenStream {
    let statements = fields.iter().map(|field| {
        let member = &field.ident;
        emit!(__model::FieldValue::wipe(&mut self.#member);)
    });
    emit!(#(#statements)*)
}

/// A `Debug` that prints no hidden field; secrets redact themselves.
pub(super) fn debug(head: &Head, fields: &[Field]) -> TokenStream {
    let ident = &head.ident;
    let text = ident.unraw().to_string();
    let members = fields.iter().map(|field| {
        let (member, name) = (&field.ident, &field.name);
        if field.attrs.hidden {
            emit!(.field(#name, &"[HIDDEN]"))
        } else {
            emit!(.field(#name, &self.#member))
        }
    });
    emit! {
        impl __model::Debug for #ident {
            fn fmt(&self, f: &mut __model::Formatter<'_>) -> __model::Formatted {
                f.debug_struct(#text) #(#members)* .finish()
            }
        }
    }
}
