//! The handles of an enum with data: variant by variant.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt as _;

use super::named;
use super::tagged::{fields_name, tag};
use crate::ast::{Head, Variant};
use crate::case;

/// `ShapeFields`
pub(super) fn name(head: &Head) -> Ident {
    named("", head, "Fields")
}

/// The member of the handles that stands for a variant: `InReview` is `in_review`.
pub(super) fn member(variant: &Variant) -> Ident {
    let text = case::snake(&variant.ident.unraw().to_string());
    let span = variant.ident.span();
    match text.as_str() {
        // They cannot be raw.
        "self" | "super" | "crate" => Ident::new(&format!("{text}_"), span),
        _ if syn::parse_str::<Ident>(&text).is_err() => Ident::new_raw(&text, span),
        _ => Ident::new(&text, span),
    }
}

/// The group of one variant's fields: a name that nobody writes, since users may have any of their own.
fn group(index: usize) -> Ident {
    Ident::new(&format!("__Variant{index}"), Span::mixed_site())
}

/// The group of the variants, and that of each one's fields. They stand where users cannot name them.
pub(super) fn handles(head: &Head, variants: &[Variant]) -> TokenStream {
    let (name, tag) = (name(head), tag(head));
    let text = name.to_string();
    let (mut members, mut makes) = (Vec::new(), Vec::new());
    for (index, variant) in variants.iter().enumerate() {
        let (member, stored) = (member(variant), &variant.stored);
        if variant.fields().is_empty() {
            members.push(emit!(pub #member: __model::Variant<__M, __model::NoFields>));
            makes.push(emit!(#member: __model::Variant::plain(prefix, #stored)));
        } else {
            let group = group(index);
            members.push(emit!(pub #member: __model::Variant<__M, #group<__M>>));
            makes.push(match head.attrs.flat {
                Some(_) => emit!(#member: __model::Variant::flat(prefix, #stored)),
                None => emit!(#member: __model::Variant::tagged(prefix, #tag, #stored)),
            });
        }
    }
    let groups = variants
        .iter()
        .enumerate()
        .filter(|(_, variant)| !variant.fields().is_empty())
        .map(|(index, variant)| fields_of(index, variant));
    emit! {
        #[allow(dead_code)]
        pub struct #name<__M: 'static> { #(#members),* }

        impl<__M: 'static> __model::FieldGroup for #name<__M> {
            fn below(prefix: &__model::Prefix) -> Self {
                Self { #(#makes),* }
            }
        }

        impl<__M: 'static> __model::Debug for #name<__M> {
            fn fmt(&self, f: &mut __model::Formatter<'_>) -> __model::Formatted {
                f.write_str(#text)
            }
        }

        #(#groups)*
    }
}

fn fields_of(index: usize, variant: &Variant) -> TokenStream {
    let (group, statics) = (group(index), fields_name(index));
    let members = variant.fields().iter().map(|field| {
        let (member, ty) = (&field.ident, &field.ty);
        emit!(pub #member: __model::Field<__M, #ty>)
    });
    let makes = variant.fields().iter().enumerate().map(|(index, field)| {
        let member = &field.ident;
        emit!(#member: __model::Field::below(prefix, &#statics[#index]))
    });
    emit! {
        #[allow(dead_code)]
        pub struct #group<__M: 'static> { #(#members),* }

        impl<__M: 'static> __model::FieldGroup for #group<__M> {
            fn below(prefix: &__model::Prefix) -> Self {
                Self { #(#makes),* }
            }
        }
    }
}
