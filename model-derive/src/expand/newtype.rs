//! `#[derive(Embedded)]` on a struct around one value: it is stored, read and shown as that value.

use proc_macro2::TokenStream;
use syn::Type;
use syn::ext::IdentExt as _;

use super::{hidden, projection};
use crate::ast::Head;
use crate::spelling;

pub(super) fn expand(head: &Head, inner: &Type) -> TokenStream {
    let value = field_value(head, inner);
    let queryable = (!spelling::is_opaque(inner)).then(|| queryable(head, inner));
    let editable = (!spelling::is_secret(inner)).then(|| {
        let ident = &head.ident;
        emit!(impl __model::Editable for #ident {})
    });
    let (ident, text) = (&head.ident, head.ident.unraw().to_string());
    hidden(
        head,
        &emit! {
            #value
            #queryable
            #editable

            impl __model::Debug for #ident {
                fn fmt(&self, f: &mut __model::Formatter<'_>) -> __model::Formatted {
                    f.debug_tuple(#text).field(&self.0).finish()
                }
            }
        },
    )
}

fn field_value(head: &Head, inner: &Type) -> TokenStream {
    let ident = &head.ident;
    let model = emit!(__model);
    let schema = projection(inner, &model, "TYPE");
    let inert = projection(inner, &model, "INERT");
    let patch = projection(inner, &model, "Patch");
    let view = projection(inner, &model, "View");
    let handles = projection(inner, &model, "Fields");
    let input = input(inner, &patch);
    emit! {
        impl __model::FieldValue for #ident {
            const TYPE: __model::TypeSchema = #schema;
            const INERT: bool = #inert;
            type Input = #ident;
            type Patch = #patch;
            type View = #view;
            type Fields<__M: 'static> = #handles<__M>;

            fn encode(&self, out: &mut __model::Writer<'_>, key: &str) {
                __model::FieldValue::encode(&self.0, out, key);
            }

            fn encode_item(&self, out: &mut __model::Writer<'_>, key: &str) {
                __model::FieldValue::encode_item(&self.0, out, key);
            }

            fn decode(
                value: __model::RawValue<'_>,
                cx: &__model::DecodeCx<'_>,
            ) -> __model::Result<Self, __model::DecodeError> {
                __model::Result::Ok(Self(__model::FieldValue::decode(value, cx)?))
            }

            fn absent() -> __model::Option<Self> {
                __model::Option::Some(Self(__model::FieldValue::absent()?))
            }

            fn visit(&mut self, constraints: __model::Constraints, visitor: &mut __model::Visitor<'_>) {
                __model::FieldValue::visit(&mut self.0, constraints, visitor);
            }

            fn wipe(&mut self) {
                __model::FieldValue::wipe(&mut self.0);
            }

            #input

            fn into_view(self) -> #view {
                __model::FieldValue::into_view(self.0)
            }
        }
    }
}

fn input(inner: &Type, patch: &TokenStream) -> TokenStream {
    emit! {
        fn from_input(input: Self) -> Self {
            input
        }

        fn parse(value: __model::Value, cx: &mut __model::InputCx) -> __model::Option<Self> {
            let input = <#inner as __model::FieldValue>::parse(value, cx)?;
            __model::Option::Some(Self(__model::FieldValue::from_input(input)))
        }

        fn parse_patch(
            value: __model::Value,
            cx: &mut __model::InputCx,
        ) -> __model::Result<__model::Option<#patch>, __model::Value> {
            <#inner as __model::FieldValue>::parse_patch(value, cx)
        }

        fn apply(field: &mut Self, patch: #patch, cx: &mut __model::InputCx) {
            <#inner as __model::FieldValue>::apply(&mut field.0, patch, cx);
        }

        fn from_patch(patch: #patch, cx: &mut __model::InputCx) -> __model::Option<Self> {
            __model::Option::Some(Self(__model::FieldValue::from_patch(patch, cx)?))
        }
    }
}

/// It is compared as what it wraps.
fn queryable(head: &Head, inner: &Type) -> TokenStream {
    let ident = &head.ident;
    emit! {
        impl __model::Queryable for #ident {
            type Item = <#inner as __model::Queryable>::Item;
        }

        impl __model::Operand<<#inner as __model::Queryable>::Item> for #ident {
            fn into_operand(self) -> __model::Bson {
                __model::operand_of(&self.0)
            }
        }

        impl __model::Operand<<#inner as __model::Queryable>::Item> for &#ident {
            fn into_operand(self) -> __model::Bson {
                __model::operand_of(&self.0)
            }
        }
    }
}
