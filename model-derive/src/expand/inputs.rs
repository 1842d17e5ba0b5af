//! The inputs: `NewX`, `XPatch`, and what becomes of them.

use proc_macro2::{Ident, TokenStream};

use super::{named, projection, runtime, values, view};
use crate::ast::{Field, Head, Model};
use crate::attr::Role;

/// The fields of the create input that have to be given.
fn required(fields: &[Field]) -> impl Iterator<Item = &Field> {
    fields
        .iter()
        .filter(|field| field.is_plain() && !field.is_optional())
}

/// Those that may be left out.
pub(super) fn optional(fields: &[Field]) -> impl Iterator<Item = &Field> + Clone {
    fields
        .iter()
        .filter(|field| field.is_plain() && field.is_optional())
}

/// `NewWidget` and `NewWidgetOptional`
pub(super) fn new_types(model: &Model) -> TokenStream {
    let (vis, ident) = (&model.head.vis, &model.head.ident);
    let (name, group) = (
        named("New", &model.head, ""),
        named("New", &model.head, "Optional"),
    );
    let runtime = runtime(&model.head);
    let members = required(&model.fields).map(|field| {
        let (vis, member, docs) = (&field.vis, &field.ident, values::docs(field));
        let ty = projection(&field.ty, &runtime, "Input");
        emit!(#docs #vis #member: #ty,)
    });
    let optionals: Vec<_> = optional(&model.fields)
        .map(|field| {
            let (vis, member, docs) = (&field.vis, &field.ident, values::docs(field));
            let mut ty = projection(&field.ty, &runtime, "Input");
            if field.attrs.has_default() {
                ty = emit!(#runtime::Option<#ty>);
            }
            emit!(#docs #vis #member: #ty,)
        })
        .collect();
    let has_optional = !optionals.is_empty();
    let member = has_optional.then(|| {
        emit! {
            /// The fields that may be left out.
            #vis optional: #group,
        }
    });
    // A missing required field is to be a compile error, so that only an input without any has a default.
    let default = required(&model.fields)
        .next()
        .is_none()
        .then(|| emit!(, #runtime::Default));
    let doc = format!("What a caller gives to create a [`{ident}`].");
    let group_doc = format!("The fields that may be left out when a [`{ident}`] is created.");
    let group_type = has_optional.then(|| {
        emit! {
            #[doc = #group_doc]
            #[derive(#runtime::Clone, #runtime::Default)]
            #[allow(dead_code)]
            #vis struct #group { #(#optionals)* }
        }
    });
    emit! {
        #[doc = #doc]
        #[derive(#runtime::Clone #default)]
        #[allow(dead_code)]
        #vis struct #name { #(#members)* #member }
        #group_type
    }
}

/// `WidgetPatch`
pub(super) fn patch_type(head: &Head, fields: &[Field]) -> TokenStream {
    let (vis, ident, name) = (&head.vis, &head.ident, named("", head, "Patch"));
    let runtime = runtime(head);
    let members = fields.iter().filter(|field| field.is_editable()).map(|field| {
        let (vis, member, ty, docs) = (&field.vis, &field.ident, &field.ty, values::docs(field));
        emit!(#docs #vis #member: #runtime::Edit<#ty>,)
    });
    let doc = format!("Changes to a [`{ident}`]: what is not set is kept.");
    emit! {
        #[doc = #doc]
        #[derive(#runtime::Clone, #runtime::Debug, #runtime::Default)]
        #[allow(dead_code)]
        #vis struct #name {
            #(#members)*
            #[doc(hidden)]
            #vis __echo: #runtime::Echo,
        }
    }
}

/// How a model's inputs print and are read.
pub(super) fn model_impls(model: &Model) -> TokenStream {
    let head = &model.head;
    let (name, group, patch) = (
        named("New", head, ""),
        named("New", head, "Optional"),
        named("", head, "Patch"),
    );
    let optional_ident = Ident::new("optional", proc_macro2::Span::mixed_site());
    let has_optional = optional(&model.fields).next().is_some();
    let members = required(&model.fields)
        .map(|field| &field.ident)
        .chain(has_optional.then_some(&optional_ident));
    let debug = view::opaque_debug(&name, members);
    let group_debug =
        has_optional.then(|| view::opaque_debug(&group, optional(&model.fields).map(|field| &field.ident)));
    let new = readers(head, &name, "new_from_json", "deserialize_new");
    let edit = readers(head, &patch, "patch_from_json", "deserialize_patch");
    emit!(#debug #group_debug #new #edit)
}

fn readers(head: &Head, name: &Ident, from_json: &str, deserialize: &str) -> TokenStream {
    let (vis, ident) = (super::own(&head.vis), &head.ident);
    let mixed = proc_macro2::Span::mixed_site();
    let (from_json, deserialize) = (Ident::new(from_json, mixed), Ident::new(deserialize, mixed));
    emit! {
        #[allow(dead_code)]
        impl #name {
            /// Reads the input from JSON text; every mistake in it is reported, by its path.
            ///
            /// # Errors
            /// The text is not JSON, a key is unknown, missing or forbidden, or a value is of the wrong type.
            #vis fn from_json(text: &str) -> __model::Result<Self, __model::Error> {
                __model::#from_json::<#ident>(text)
            }
        }

        impl<'de> __model::serde::Deserialize<'de> for #name {
            fn deserialize<D: __model::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> __model::Result<Self, D::Error> {
                __model::#deserialize::<#ident, D>(deserializer)
            }
        }
    }
}

/// The members of the model that a create input and a stamp make.
pub(super) fn build(model: &Model) -> TokenStream {
    let members = model.fields.iter().map(|field| {
        let member = &field.ident;
        let value = match field.role {
            Role::Id => emit!(__model::Clone::clone(&stamp.id)),
            Role::Tenant => emit!(__model::Clone::clone(&stamp.tenant)),
            Role::CreatedAt | Role::UpdatedAt => emit!(__model::timestamp(stamp.now)),
            Role::Revision => emit!(__model::Default::default()),
            Role::Plain => match values::default(field) {
                Some(default) => {
                    let ty = &field.ty;
                    emit!(new.optional.#member.map_or_else(|| -> #ty { #default }, __model::FieldValue::from_input))
                }
                None if field.is_optional() => emit!(__model::FieldValue::from_input(new.optional.#member)),
                None => emit!(__model::FieldValue::from_input(new.#member)),
            },
        };
        emit!(#member: #value,)
    });
    emit!(Self { #(#members)* })
}

/// Which fields a create input gives: by their JSON keys, all that have to be given, and the others if they are.
pub(super) fn given(model: &Model) -> TokenStream {
    let fields = model.fields.iter().filter(|field| field.is_plain()).map(|field| {
        let (member, json) = (&field.ident, &field.json);
        if is_required(field) {
            emit!((#json, true),)
        } else {
            emit!((#json, new.optional.#member.is_some()),)
        }
    });
    emit!(__model::given(&[#(#fields)*]))
}

/// Whether a create input cannot leave the field out.
pub(super) fn is_required(field: &Field) -> bool {
    values::default(field).is_none() && !field.is_optional()
}

/// The statements that carry a patch out.
pub(super) fn apply(fields: &[Field], place: impl Fn(&Field) -> TokenStream) -> TokenStream {
    let checks = fields
        .iter()
        .filter(|field| field.role != Role::Tenant && !field.is_editable())
        .map(|field| {
            let (place, json) = (place(field), &field.json);
            let check = if field.role == Role::Revision {
                emit!(check_revision)
            } else {
                emit!(check)
            };
            emit!(patch.__echo.#check(&#place, #json, cx);)
        });
    let edits = fields.iter().filter(|field| field.is_editable()).map(|field| {
        let (place, member, json) = (place(field), &field.ident, &field.json);
        emit!(patch.#member.apply(&mut #place, #json, cx);)
    });
    emit!(#(#checks)* #(#edits)*)
}
