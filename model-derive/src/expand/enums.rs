//! `#[derive(Embedded)]` on an enum without data: a string.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;

use super::hidden;
use crate::ast::{Head, Variant};
use crate::check::TAG;

pub(super) fn expand(head: &Head, variants: &[Variant]) -> TokenStream {
    let ident = &head.ident;
    let (name, count) = (ident.unraw().to_string(), variants.len());
    let schemas = variants.iter().map(|variant| {
        let stored = &variant.stored;
        emit!(__model::VariantSchema::new(#stored, &[]))
    });
    let idents: Vec<_> = variants.iter().map(|variant| &variant.ident).collect();
    let names: Vec<_> = variants
        .iter()
        .map(|variant| variant.ident.unraw().to_string())
        .collect();
    let value = field_value(head, variants);
    let operands = operands(head);
    hidden(
        head,
        &emit! {
            static __MODEL_VARIANTS: [__model::VariantSchema; #count] = [#(#schemas),*];
            static __MODEL_SCHEMA: __model::EnumSchema = __model::EnumSchema::new(#name, #TAG, &__MODEL_VARIANTS);
            fn __model_schema() -> &'static __model::EnumSchema {
                &__MODEL_SCHEMA
            }

            #value
            #operands

            impl __model::Debug for #ident {
                fn fmt(&self, f: &mut __model::Formatter<'_>) -> __model::Formatted {
                    f.write_str(match self { #(Self::#idents => #names,)* })
                }
            }
        },
    )
}

/// "expected one of `a`, `b`"
pub(super) fn expected(variants: &[Variant]) -> String {
    format!(
        "expected one of {}",
        crate::suggest::list(variants.iter().map(|variant| variant.stored.as_str()))
    )
}

/// "unknown variant of `Status`"
pub(super) fn unknown(head: &Head) -> String {
    format!("unknown variant of `{}`", head.ident.unraw())
}

fn field_value(head: &Head, variants: &[Variant]) -> TokenStream {
    let ident = &head.ident;
    let idents: Vec<_> = variants.iter().map(|variant| &variant.ident).collect();
    let stored: Vec<_> = variants.iter().map(|variant| &variant.stored).collect();
    let (unknown, expected) = (unknown(head), expected(variants));
    emit! {
        impl __model::FieldValue for #ident {
            const TYPE: __model::TypeSchema = __model::TypeSchema::Enum(__model_schema);
            const INERT: bool = true;
            type Input = #ident;
            type Patch = __model::Never;
            type View = &'static str;
            type Fields<__M: 'static> = __model::NoFields;

            fn encode(&self, out: &mut __model::Writer<'_>, key: &str) {
                out.string(key, match self { #(Self::#idents => #stored,)* });
            }

            fn decode(
                value: __model::RawValue<'_>,
                _: &__model::DecodeCx<'_>,
            ) -> __model::Result<Self, __model::DecodeError> {
                match value.str()? {
                    #(#stored => __model::Result::Ok(Self::#idents),)*
                    _ => __model::Result::Err(__model::DecodeError::new(#unknown)),
                }
            }

            fn from_input(input: Self) -> Self {
                input
            }

            fn parse(value: __model::Value, cx: &mut __model::InputCx) -> __model::Option<Self> {
                match value.as_str() {
                    #(__model::Option::Some(#stored) => __model::Option::Some(Self::#idents),)*
                    _ => {
                        cx.reject("enum", #expected);
                        __model::Option::None
                    }
                }
            }

            fn into_view(self) -> &'static str {
                match self { #(Self::#idents => #stored,)* }
            }
        }
    }
}

fn operands(head: &Head) -> TokenStream {
    let ident = &head.ident;
    emit! {
        impl __model::Editable for #ident {}

        impl __model::Queryable for #ident {
            type Item = Self;
        }

        impl __model::Operand<#ident> for #ident {
            fn into_operand(self) -> __model::Bson {
                __model::operand_of(&self)
            }
        }

        impl __model::Operand<#ident> for &#ident {
            fn into_operand(self) -> __model::Bson {
                __model::operand_of(self)
            }
        }
    }
}
