//! The view: the only thing that serialises.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt as _;

use super::{named, projection, runtime, values};
use crate::ast::{Field, Head};

/// Whose view it is: that of a model hides what this reader is not shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Model,
    Embedded,
}

/// The JSON key of a virtual: in the style of the fields.
fn virtual_key(head: &Head, name: &Ident) -> String {
    let name = name.unraw().to_string();
    match head.attrs.rename_all {
        Some(style) => style.field(&name),
        None => name,
    }
}

/// `.virtuals(..)`, in the metadata.
pub(super) fn virtual_keys(head: &Head) -> Option<TokenStream> {
    let virtuals = &head.attrs.virtuals;
    let keys = virtuals.iter().map(|member| virtual_key(head, &member.name));
    (!virtuals.is_empty()).then(|| emit!(.virtuals(&[#(#keys),*])))
}

fn visible(fields: &[Field]) -> impl Iterator<Item = &Field> {
    fields.iter().filter(|field| field.is_visible())
}

/// `WidgetView`
pub(super) fn struct_type(head: &Head, fields: &[Field], whose: Whose) -> TokenStream {
    let (vis, ident, name) = (&head.vis, &head.ident, named("", head, "View"));
    let runtime = runtime(head);
    let members = visible(fields).map(|field| {
        let (vis, member, docs) = (&field.vis, &field.ident, values::docs(field));
        let ty = projection(&field.ty, &runtime, "View");
        emit!(#docs #vis #member: #ty,)
    });
    let virtuals = head.attrs.virtuals.iter().map(|member| {
        let (name, ty) = (&member.name, &member.ty);
        let doc = format!("What `{ident}::{name}` gave.");
        emit!(#[doc = #doc] #vis #name: #ty,)
    });
    let doc = format!("What a client sees of a [`{ident}`].");
    let hidden = (whose == Whose::Model).then(|| emit!(__hidden: #runtime::HiddenFields,));
    emit! {
        #[doc = #doc]
        #vis struct #name { #(#members)* #(#virtuals)* #hidden }
    }
}

/// How the view serialises and prints.
pub(super) fn struct_impls(head: &Head, fields: &[Field], whose: Whose) -> TokenStream {
    let name = named("", head, "View");
    let text = name.to_string();
    let mut keys: Vec<(String, &Ident)> = visible(fields)
        .map(|field| (field.json.clone(), &field.ident))
        .collect();
    keys.extend(
        head.attrs
            .virtuals
            .iter()
            .map(|member| (virtual_key(head, &member.name), &member.name)),
    );
    let count = keys.len();
    let mutable = (count > 0).then(|| emit!(mut));
    let entries = keys.iter().map(|(key, member)| match whose {
        Whose::Model => emit!(__model::shown_field(&mut out, &self.__hidden, #key, &self.#member)?;),
        Whose::Embedded => emit!(__model::view_field(&mut out, #key, &self.#member)?;),
    });
    let debug = opaque_debug(&name, keys.iter().map(|(_, member)| *member));
    emit! {
        impl __model::serde::Serialize for #name {
            fn serialize<S: __model::serde::Serializer>(
                &self,
                serializer: S,
            ) -> __model::Result<S::Ok, S::Error> {
                let #mutable out = __model::serde::Serializer::serialize_struct(serializer, #text, #count)?;
                #(#entries)*
                __model::serde::ser::SerializeStruct::end(out)
            }
        }

        #debug
    }
}

/// A `Debug` that shows the names of the members, never their values.
pub(super) fn opaque_debug<'f>(name: &Ident, members: impl Iterator<Item = &'f Ident>) -> TokenStream {
    let members: Vec<_> = members.map(|member| format!("{}: ..", member.unraw())).collect();
    let text = format!("{name} {{ {} }}", members.join(", "));
    emit! {
        impl __model::Debug for #name {
            fn fmt(&self, f: &mut __model::Formatter<'_>) -> __model::Formatted {
                f.write_str(#text)
            }
        }
    }
}

/// The body of `view` or `into_view`.
pub(super) fn make(head: &Head, fields: &[Field], whose: Whose) -> TokenStream {
    let name = named("", head, "View");
    let members = visible(fields).map(|field| {
        let member = &field.ident;
        emit!(#member: __model::FieldValue::into_view(self.#member),)
    });
    let locals = head.attrs.virtuals.iter().enumerate().map(|(index, member)| {
        let (local, name) = (super::local(index), &member.name);
        emit!(let #local = self.#name();)
    });
    let virtuals = head.attrs.virtuals.iter().enumerate().map(|(index, member)| {
        let (local, name) = (super::local(index), &member.name);
        emit!(#name: #local,)
    });
    let hidden = (whose == Whose::Model).then(|| emit!(__hidden: hidden,));
    emit! {
        #(#locals)*
        #name { #(#members)* #(#virtuals)* #hidden }
    }
}
