//! The view of an enum with data.

use proc_macro2::TokenStream;

use super::tagged::{shape, tag};
use super::{local, named, projection, runtime, values};
use crate::ast::{Field, Head, Variant};

/// A hidden field, or one that is spelled as a secret, has no member in the view.
fn visible(variant: &Variant) -> Vec<(usize, &Field)> {
    variant
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, field)| field.is_visible())
        .collect()
}

/// `ShapeView`
pub(super) fn view_type(head: &Head, variants: &[Variant]) -> TokenStream {
    let (vis, ident, name, runtime) = (&head.vis, &head.ident, named("", head, "View"), runtime(head));
    let variants = variants.iter().map(|variant| {
        let ident = &variant.ident;
        let docs = values::docs_or(&variant.docs, &format!("The variant `{ident}`."));
        let members = visible(variant).into_iter().map(|(_, field)| {
            let (member, docs) = (&field.ident, values::docs(field));
            let ty = projection(&field.ty, &runtime, "View");
            emit!(#docs #member: #ty,)
        });
        if variant.fields().is_empty() {
            emit!(#docs #ident,)
        } else {
            emit!(#docs #ident { #(#members)* },)
        }
    });
    let doc = format!("What a client sees of a [`{ident}`].");
    emit! {
        #[doc = #doc]
        #vis enum #name { #(#variants)* }
    }
}

pub(super) fn into_view(head: &Head, variants: &[Variant]) -> TokenStream {
    let shown = named("", head, "View");
    let arms = variants.iter().map(|variant| {
        let ident = &variant.ident;
        let pattern = shape(variant, |index, field| {
            let local = local(index);
            if field.is_visible() {
                emit!(#local)
            } else {
                emit!(_)
            }
        });
        let members = visible(variant).into_iter().map(|(index, field)| {
            let (local, member) = (local(index), &field.ident);
            emit!(#member: __model::FieldValue::into_view(#local))
        });
        let data = (!variant.fields().is_empty()).then(|| emit!({ #(#members),* }));
        emit!(Self::#pattern => #shown::#ident #data,)
    });
    emit! {
        fn into_view(self) -> #shown {
            match self { #(#arms)* }
        }
    }
}

pub(super) fn impls(head: &Head, variants: &[Variant]) -> TokenStream {
    let (name, tag) = (named("", head, "View"), tag(head));
    let text = name.to_string();
    let arms = variants.iter().map(|variant| {
        let (ident, stored, visible) = (&variant.ident, &variant.stored, visible(variant));
        if variant.fields().is_empty() {
            return emit!(Self::#ident => __model::serde::Serializer::serialize_str(serializer, #stored),);
        }
        let count = visible.len() + 1;
        let pattern = visible.iter().map(|(index, field)| {
            let (local, member) = (local(*index), &field.ident);
            emit!(#member: #local)
        });
        let entries = visible.iter().map(|(index, field)| {
            let (local, json) = (local(*index), &field.json);
            emit!(__model::view_field(&mut out, #json, #local)?;)
        });
        emit! {
            Self::#ident { #(#pattern),* } => {
                let mut out = __model::serde::Serializer::serialize_struct(serializer, #text, #count)?;
                __model::view_field(&mut out, #tag, &#stored)?;
                #(#entries)*
                __model::serde::ser::SerializeStruct::end(out)
            }
        }
    });
    emit! {
        impl __model::serde::Serialize for #name {
            fn serialize<S: __model::serde::Serializer>(
                &self,
                serializer: S,
            ) -> __model::Result<S::Ok, S::Error> {
                match self { #(#arms)* }
            }
        }

        impl __model::ViewValue for #name {}

        impl __model::Debug for #name {
            fn fmt(&self, f: &mut __model::Formatter<'_>) -> __model::Formatted {
                f.write_str(#text)
            }
        }
    }
}
