//! Inputs from JSON.

use proc_macro2::TokenStream;

use super::{inputs, local, named, values};
use crate::ast::{Field, Head, Model};
use crate::attr::Role;
use crate::spelling;

/// Why a create input or a patch must not have a key.
fn forbidden(role: Role) -> Option<&'static str> {
    match role {
        Role::Plain => None,
        Role::Id => Some("is given by the model"),
        Role::Tenant => Some("the tenant comes from the context"),
        Role::CreatedAt | Role::UpdatedAt | Role::Revision => Some("is set by the model"),
    }
}

/// Why an input must not have a hidden field: a client cannot set what it cannot see. Secrets are there to be set.
const WITHHELD: &str = "is given by the application, not by an input";

/// Whether JSON inputs cannot name the field.
fn is_withheld(field: &Field) -> bool {
    field.attrs.hidden && !spelling::is_secret(&field.ty)
}

/// The statements that read each field of a create input into the local of its index: none if it is missing, or if a
/// mistake in it was noted.
pub(super) fn reads(fields: &[Field]) -> TokenStream {
    let reads = fields.iter().enumerate().map(|(index, field)| {
        let (local, ty, json) = (local(index), &field.ty, &field.json);
        match forbidden(field.role) {
            Some(message) => emit!(keys.forbid(#json, #message);),
            None if is_withheld(field) && field.is_optional() => emit! {
                keys.forbid(#json, #WITHHELD);
                let #local = __model::Option::None;
            },
            None if is_withheld(field) => emit!(let #local = keys.withheld::<#ty>(#json);),
            None if field.is_optional() => emit!(let #local = keys.optional::<#ty>(#json);),
            None => emit!(let #local = keys.required::<#ty>(#json);),
        }
    });
    emit!(#(#reads)*)
}

/// The value of the field whose input is in the local of its index.
pub(super) fn read(index: usize, field: &Field) -> TokenStream {
    let local = local(index);
    match values::default(field) {
        Some(default) => {
            let ty = &field.ty;
            emit!(#local.map_or_else(|| -> #ty { #default }, __model::FieldValue::from_input))
        }
        None if field.is_optional() => emit!(__model::FieldValue::from_input(#local.flatten())),
        None => emit!(__model::FieldValue::from_input(#local?)),
    }
}

/// The body of `parse_new`. Every field is read before the first `?`, so that every mistake is reported.
pub(super) fn new(model: &Model) -> TokenStream {
    let (name, group) = (
        named("New", &model.head, ""),
        named("New", &model.head, "Optional"),
    );
    let reads = reads(&model.fields);
    let plain = || {
        model
            .fields
            .iter()
            .enumerate()
            .filter(|(_, field)| field.is_plain())
    };
    let members = plain()
        .filter(|(_, field)| !field.is_optional())
        .map(|(index, field)| {
            let (local, member) = (local(index), &field.ident);
            emit!(#member: #local?,)
        });
    let optionals = plain()
        .filter(|(_, field)| field.is_optional())
        .map(|(index, field)| {
            let (local, member) = (local(index), &field.ident);
            if field.attrs.has_default() {
                emit!(#member: #local,)
            } else {
                emit!(#member: #local.flatten(),)
            }
        });
    let has_optional = inputs::optional(&model.fields).next().is_some();
    let optional = has_optional.then(|| emit!(optional: #group { #(#optionals)* },));
    emit! {
        let mut keys = __model::ObjectInput::new(value, cx)?;
        #reads
        keys.finish();
        __model::Option::Some(#name { #(#members)* #optional })
    }
}

/// The statements that read a patch from `keys` into the local `patch`.
pub(super) fn patch(head: &Head, fields: &[Field]) -> TokenStream {
    let name = named("", head, "Patch");
    let echoes = fields
        .iter()
        .filter(|field| field.role != Role::Tenant && !field.is_editable())
        .map(|field| {
            let (ty, json) = (&field.ty, &field.json);
            emit!(__echo.take::<#ty>(&mut keys, #json);)
        });
    let echoes: Vec<_> = echoes.collect();
    let mutable = (!echoes.is_empty()).then(|| emit!(mut));
    let tenant = fields
        .iter()
        .find(|field| field.role == Role::Tenant)
        .map(|field| {
            let (json, message) = (&field.json, forbidden(Role::Tenant));
            emit!(keys.forbid(#json, #message);)
        });
    let edits = fields.iter().filter(|field| field.is_editable()).map(|field| {
        let (member, edit) = (&field.ident, edit(field));
        emit!(#member: #edit,)
    });
    let withheld = withheld(fields);
    emit! {
        let #mutable __echo: __model::Echo = __model::Default::default();
        #(#echoes)*
        #tenant
        #withheld
        let patch = #name { #(#edits)* __echo };
        keys.finish();
    }
}

/// The edit of a field that a patch from `keys` has.
pub(super) fn edit(field: &Field) -> TokenStream {
    let (ty, json) = (&field.ty, &field.json);
    if is_withheld(field) {
        emit!(__model::Edit::Keep)
    } else {
        emit!(keys.edit::<#ty>(#json))
    }
}

/// The statements that refuse in a patch from `keys` what only the application gives.
pub(super) fn withheld(fields: &[Field]) -> TokenStream {
    let withheld = fields
        .iter()
        .filter(|field| field.is_editable() && is_withheld(field));
    let withheld = withheld.map(|field| {
        let json = &field.json;
        emit!(keys.forbid(#json, #WITHHELD);)
    });
    emit!(#(#withheld)*)
}

/// The statements that make each field from a patch alone, in the local of its index.
pub(super) fn from_patch(fields: &[Field]) -> TokenStream {
    let statements = fields.iter().enumerate().map(|(index, field)| {
        let (local, member, ty, json) = (local(index), &field.ident, &field.ty, &field.json);
        let default = values::maybe_default(field);
        let edit = if field.is_editable() {
            emit!(patch.#member)
        } else {
            emit!(__model::Edit::<#ty>::Keep)
        };
        emit!(let #local = #edit.build(#default, #json, cx);)
    });
    let members = fields.iter().enumerate().map(|(index, field)| {
        let (local, member) = (local(index), &field.ident);
        emit!(#member: #local?,)
    });
    emit! {
        #(#statements)*
        __model::Option::Some(Self { #(#members)* })
    }
}
