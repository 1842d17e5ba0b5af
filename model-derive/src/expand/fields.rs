//! The field handles.

use proc_macro2::TokenStream;

use super::{named, runtime, values};
use crate::ast::{Field, Head, Model};
use crate::attr::{Role, UniqueScope};
use crate::spelling;

/// The type of a field's handle: what can be asked of it. What the model gives by itself, and what is read-only, no
/// operator changes.
fn handle(field: &Field) -> TokenStream {
    let (unique, blind) = (field.attrs.unique.as_ref(), field.attrs.blind.as_ref());
    match (unique, blind) {
        _ if field.role == Role::Id => emit!(FixedField),
        (_, Some(blind)) if blind.value.unique && blind.value.global => emit!(UniqueBlindField),
        (_, Some(_)) => emit!(BlindField),
        (Some(unique), None) if unique.value == UniqueScope::Global => emit!(UniqueField),
        _ if field.is_editable() => emit!(Field),
        _ => emit!(FixedField),
    }
}

/// `WidgetFields`
pub(super) fn model_type(model: &Model) -> TokenStream {
    let (vis, ident, name) = (
        &model.head.vis,
        &model.head.ident,
        named("", &model.head, "Fields"),
    );
    let runtime = runtime(&model.head);
    let members = model.fields.iter().map(|field| {
        let (vis, member, ty, docs) = (&field.vis, &field.ident, &field.ty, values::docs(field));
        let handle = handle(field);
        emit!(#docs #vis #member: #runtime::#handle<#ident, #ty>)
    });
    let doc =
        format!("The handles of the fields of [`{ident}`], for filters, sort orders and update operators.");
    emit! {
        #[doc = #doc]
        #[derive(#runtime::Debug)]
        #[allow(dead_code)]
        #vis struct #name { #(#members),* }
    }
}

/// The static with the handles.
pub(super) fn model_handles(model: &Model) -> TokenStream {
    let name = named("", &model.head, "Fields");
    let members = model.fields.iter().enumerate().map(|(index, field)| {
        let member = &field.ident;
        let handle = handle(field);
        emit!(#member: __model::#handle::new(&__MODEL_FIELDS[#index]))
    });
    emit!(static __MODEL_HANDLES: #name = #name { #(#members),* };)
}

/// `LimitsFields<M>`
pub(super) fn embedded_type(head: &Head, fields: &[Field]) -> TokenStream {
    let (vis, ident, name) = (&head.vis, &head.ident, named("", head, "Fields"));
    let runtime = runtime(head);
    let members = fields.iter().map(|field| {
        let (vis, member, ty, docs) = (&field.vis, &field.ident, &field.ty, values::docs(field));
        let handle = handle(field);
        emit!(#docs #vis #member: #runtime::#handle<__M, #ty>)
    });
    let doc =
        format!("The handles of the fields of [`{ident}`], for filters, sort orders and update operators.");
    emit! {
        #[doc = #doc]
        #[allow(dead_code)]
        #vis struct #name<__M: 'static> { #(#members),* }
    }
}

/// `impl FieldGroup for LimitsFields<M>`
pub(super) fn embedded_group(head: &Head, fields: &[Field]) -> TokenStream {
    let name = named("", head, "Fields");
    let text = name.to_string();
    let editable = editable(head, fields);
    let members = fields.iter().enumerate().map(|(index, field)| {
        let member = &field.ident;
        let handle = handle(field);
        emit!(#member: __model::#handle::below(prefix, &__MODEL_FIELDS[#index]))
    });
    emit! {
        #editable
        impl<__M: 'static> __model::FieldGroup for #name<__M> {
            fn below(prefix: &__model::Prefix) -> Self {
                Self { #(#members),* }
            }
        }

        impl<__M: 'static> __model::Debug for #name<__M> {
            fn fmt(&self, f: &mut __model::Formatter<'_>) -> __model::Formatted {
                f.write_str(#text)
            }
        }
    }
}

/// Operators may set it as a whole, unless it holds a secret.
pub(super) fn editable<'a>(head: &Head, fields: impl IntoIterator<Item = &'a Field>) -> Option<TokenStream> {
    let ident = &head.ident;
    let plain = fields.into_iter().all(|field| !spelling::is_secret(&field.ty));
    plain.then(|| emit!(impl __model::Editable for #ident {}))
}
