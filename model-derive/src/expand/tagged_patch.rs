//! The patch of an enum with data: changes to parts of the variant that is stored.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt as _;

use super::tagged::{bound, shape, tag};
use super::{enums, local, named, parse, runtime, values};
use crate::ast::{Field, Head, Variant, VariantBody};

/// The variants that have parts.
fn with_parts(variants: &[Variant]) -> impl Iterator<Item = &Variant> {
    variants.iter().filter(|variant| !variant.fields().is_empty())
}

/// `ShapeCirclePatch`
fn part_name(head: &Head, variant: &Variant) -> Ident {
    named("", head, &format!("{}Patch", variant.ident.unraw()))
}

/// `ShapePatch`, and for each variant with named fields `ShapeCirclePatch`; one around a value is changed as that is.
pub(super) fn types(head: &Head, variants: &[Variant]) -> TokenStream {
    let (vis, ident, name, runtime) = (&head.vis, &head.ident, named("", head, "Patch"), runtime(head));
    let members = with_parts(variants).map(|variant| {
        let ident = &variant.ident;
        let docs = values::docs_or(&variant.docs, &format!("Changes to a stored `{ident}`."));
        let changes = match &variant.body {
            VariantBody::Newtype(field) => {
                let ty = &field.ty;
                emit!(#runtime::Edit<#ty>)
            }
            VariantBody::Unit | VariantBody::Struct(_) => {
                let part = part_name(head, variant);
                emit!(#part)
            }
        };
        emit!(#docs #ident(#changes),)
    });
    let parts = variants.iter().filter_map(|variant| match &variant.body {
        VariantBody::Struct(fields) if !fields.is_empty() => Some(part_type(head, variant, fields)),
        _ => None,
    });
    let doc = format!("Changes to a [`{ident}`] that is of the named variant: what is not set is kept.");
    emit! {
        #[doc = #doc]
        #[derive(#runtime::Clone, #runtime::Debug)]
        #[allow(dead_code)]
        #vis enum #name {
            #(#members)*
            /// From JSON: what is of another variant becomes this one, if the patch has all of it.
            #[doc(hidden)]
            __Named(#runtime::Box<#name>),
        }
        #(#parts)*
    }
}

fn part_type(head: &Head, variant: &Variant, fields: &[Field]) -> TokenStream {
    let (vis, name, runtime) = (&head.vis, part_name(head, variant), runtime(head));
    let members = fields.iter().map(|field| {
        let (member, ty, docs) = (&field.ident, &field.ty, values::docs(field));
        emit!(#docs #vis #member: #runtime::Edit<#ty>,)
    });
    let doc = format!(
        "Changes to a [`{}::{}`]: what is not set is kept.",
        head.ident, variant.ident
    );
    emit! {
        #[doc = #doc]
        #[derive(#runtime::Clone, #runtime::Debug, #runtime::Default)]
        #[allow(dead_code)]
        #vis struct #name { #(#members)* }
    }
}

/// The edit of a field, out of `patch`.
fn edit(variant: &Variant, field: &Field) -> TokenStream {
    let member = &field.ident;
    match &variant.body {
        VariantBody::Newtype(_) => emit!(patch),
        VariantBody::Unit | VariantBody::Struct(_) => emit!(patch.#member),
    }
}

/// What `FieldValue` does with patches.
pub(super) fn methods(head: &Head, variants: &[Variant]) -> TokenStream {
    let parse = parse_patch(head, variants);
    let apply = apply(head, variants);
    let make = from_patch(head, variants);
    emit!(#parse #apply #make)
}

fn parse_patch(head: &Head, variants: &[Variant]) -> TokenStream {
    let (name, tag, expected) = (named("", head, "Patch"), tag(head), enums::expected(variants));
    let arms = with_parts(variants).map(|variant| {
        let (ident, stored) = (&variant.ident, &variant.stored);
        let withheld = parse::withheld(variant.fields());
        let edits = variant.fields().iter().map(|field| {
            let (member, edit) = (&field.ident, parse::edit(field));
            match &variant.body {
                VariantBody::Newtype(_) => edit,
                VariantBody::Unit | VariantBody::Struct(_) => emit!(#member: #edit,),
            }
        });
        let made = match &variant.body {
            VariantBody::Newtype(_) => emit!(#(#edits)*),
            VariantBody::Unit | VariantBody::Struct(_) => {
                let part = part_name(head, variant);
                emit!(#part { #(#edits)* })
            }
        };
        emit! {
            #stored => {
                #withheld
                let patch = #name::#ident(#made);
                keys.finish();
                patch
            }
        }
    });
    emit! {
        fn parse_patch(
            value: __model::Value,
            cx: &mut __model::InputCx,
        ) -> __model::Result<__model::Option<#name>, __model::Value> {
            // A variant without parts is a string, and set.
            if !value.is_object() {
                return __model::Result::Err(value);
            }
            let __model::Option::Some(mut keys) = __model::ObjectInput::new(value, cx) else {
                return __model::Result::Ok(__model::Option::None);
            };
            let __model::Option::Some(name) = keys.required::<__model::String>(#tag) else {
                return __model::Result::Ok(__model::Option::None);
            };
            let patch = match name.as_str() {
                #(#arms)*
                _ => {
                    keys.cx().at(#tag, |cx| cx.reject("enum", #expected));
                    return __model::Result::Ok(__model::Option::None);
                }
            };
            __model::Result::Ok(__model::Option::Some(#name::__Named(__model::Box::new(patch))))
        }
    }
}

fn apply(head: &Head, variants: &[Variant]) -> TokenStream {
    let name = named("", head, "Patch");
    let arms = with_parts(variants).map(|variant| {
        let (ident, pattern) = (&variant.ident, bound(variant));
        let edits = variant.fields().iter().enumerate().map(|(index, field)| {
            let (local, json, edit) = (local(index), &field.json, edit(variant, field));
            emit!(#edit.apply(#local, #json, cx);)
        });
        emit!((Self::#pattern, #name::#ident(patch)) => { #(#edits)* })
    });
    emit! {
        fn apply(field: &mut Self, patch: #name, cx: &mut __model::InputCx) {
            let (patch, is_named) = match patch {
                #name::__Named(patch) => (*patch, true),
                patch => (patch, false),
            };
            match (field, patch) {
                #(#arms)*
                (field, patch) if is_named => {
                    if let __model::Option::Some(value) = <Self as __model::FieldValue>::from_patch(patch, cx) {
                        *field = value;
                    }
                }
                _ => cx.reject("variant", "the stored value is of another variant"),
            }
        }
    }
}

fn from_patch(head: &Head, variants: &[Variant]) -> TokenStream {
    let name = named("", head, "Patch");
    let arms = with_parts(variants).map(|variant| {
        let ident = &variant.ident;
        let statements = variant.fields().iter().enumerate().map(|(index, field)| {
            let (local, json, edit) = (local(index), &field.json, edit(variant, field));
            let default = values::maybe_default(field);
            emit!(let #local = #edit.build(#default, #json, cx);)
        });
        let statements: Vec<_> = statements.collect();
        let made = shape(variant, |index, _| {
            let local = local(index);
            emit!(#local?)
        });
        emit! {
            #name::#ident(patch) => {
                #(#statements)*
                __model::Option::Some(Self::#made)
            }
        }
    });
    emit! {
        fn from_patch(patch: #name, cx: &mut __model::InputCx) -> __model::Option<Self> {
            match patch {
                #(#arms)*
                #name::__Named(patch) => <Self as __model::FieldValue>::from_patch(*patch, cx),
            }
        }
    }
}
