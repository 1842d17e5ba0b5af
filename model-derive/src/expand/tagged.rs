//! `#[derive(Embedded)]` on an enum with data: a document that names its variant, or a string for a variant without.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt as _;

use super::{
    asserts, codec, enums, fields, hidden, local, named, parse, schema, tagged_patch, tagged_view, variants,
};
use crate::ast::{Field, Head, Variant, VariantBody};

pub(super) fn expand(head: &Head, variants: &[Variant]) -> TokenStream {
    let view_type = tagged_view::view_type(head, variants);
    let patch_types = tagged_patch::types(head, variants);
    let statics = statics(head, variants);
    let value = field_value(head, variants);
    let debug = debug(head, variants);
    let view = tagged_view::impls(head, variants);
    // An operator sets one path, and a flat enum has several.
    let editable = match head.attrs.flat {
        Some(_) => None,
        None => fields::editable(head, variants.iter().flat_map(Variant::fields)),
    };
    let asserts = asserts::embedded(variants.iter().flat_map(Variant::fields));
    let handles = variants::handles(head, variants);
    let items = hidden(
        head,
        &emit!(#statics #handles #value #editable #debug #view #asserts),
    );
    emit!(#patch_types #view_type #items)
}

pub(super) fn tag(head: &Head) -> &str {
    head.attrs.tag()
}

/// The static with the fields of the variant at `index`.
pub(super) fn fields_name(index: usize) -> Ident {
    Ident::new(&format!("__MODEL_FIELDS_{index}"), Span::mixed_site())
}

fn statics(head: &Head, variants: &[Variant]) -> TokenStream {
    let (name, tag, count) = (head.ident.unraw().to_string(), tag(head), variants.len());
    let fields = variants
        .iter()
        .enumerate()
        .filter(|(_, variant)| !variant.fields().is_empty())
        .map(|(index, variant)| schema::fields(&fields_name(index), variant.fields()));
    let schemas = variants.iter().enumerate().map(|(index, variant)| {
        let (stored, fields) = (&variant.stored, fields_name(index));
        let name = variants::member(variant).unraw().to_string();
        if variant.fields().is_empty() {
            emit!(__model::VariantSchema::new(#stored, &[]).named(#name))
        } else {
            emit!(__model::VariantSchema::new(#stored, &#fields).named(#name))
        }
    });
    emit! {
        #(#fields)*
        static __MODEL_VARIANTS: [__model::VariantSchema; #count] = [#(#schemas),*];
        static __MODEL_SCHEMA: __model::EnumSchema = __model::EnumSchema::new(#name, #tag, &__MODEL_VARIANTS);
        fn __model_schema() -> &'static __model::EnumSchema {
            &__MODEL_SCHEMA
        }
    }
}

/// The variant with its fields bound to locals, or made from `value` of each.
pub(super) fn shape(variant: &Variant, value: impl Fn(usize, &Field) -> TokenStream) -> TokenStream {
    let ident = &variant.ident;
    let values = variant
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| (field, value(index, field)));
    match &variant.body {
        VariantBody::Unit => emit!(#ident),
        VariantBody::Newtype(_) => {
            let values = values.map(|(_, value)| value);
            emit!(#ident(#(#values),*))
        }
        VariantBody::Struct(_) => {
            let members = values.map(|(field, value)| {
                let member = &field.ident;
                emit!(#member: #value)
            });
            emit!(#ident { #(#members),* })
        }
    }
}

/// A pattern that binds every field to its local.
pub(super) fn bound(variant: &Variant) -> TokenStream {
    shape(variant, |index, _| {
        let local = local(index);
        emit!(#local)
    })
}

fn field_value(head: &Head, variants: &[Variant]) -> TokenStream {
    let (ident, shown, patch) = (&head.ident, named("", head, "View"), named("", head, "Patch"));
    let patches = tagged_patch::methods(head, variants);
    let handles = variants::name(head);
    let encode = encode(head, variants);
    let decode = decode(head, variants);
    let walks = walks(variants);
    let parse = parse_value(head, variants);
    let view = tagged_view::into_view(head, variants);
    let ty = match head.attrs.flat {
        Some(_) => {
            let tag = tag(head);
            emit!(Flat(#tag, __model_schema))
        }
        None => emit!(Enum(__model_schema)),
    };
    emit! {
        impl __model::FieldValue for #ident {
            const TYPE: __model::TypeSchema = __model::TypeSchema::#ty;
            type Input = #ident;
            type Patch = #patch;
            type View = #shown;
            type Fields<__M: 'static> = #handles<__M>;

            #encode
            #decode
            #walks

            fn from_input(input: Self) -> Self {
                input
            }

            #parse
            #patches
            #view
        }
    }
}

fn encode(head: &Head, variants: &[Variant]) -> TokenStream {
    let (tag, is_flat) = (tag(head), head.attrs.flat.is_some());
    let arms = variants.iter().map(|variant| {
        let (pattern, stored) = (bound(variant), &variant.stored);
        if variant.fields().is_empty() && !is_flat {
            return emit!(Self::#pattern => out.string(key, #stored),);
        }
        let fields = variant.fields().iter().enumerate().map(|(index, field)| {
            let (local, key) = (local(index), &field.stored);
            emit!(__model::FieldValue::encode(#local, out, #key);)
        });
        if is_flat {
            return emit! {
                Self::#pattern => {
                    out.string(#tag, #stored);
                    #(#fields)*
                }
            };
        }
        emit! {
            Self::#pattern => out.document(key, |out| {
                out.string(#tag, #stored);
                #(#fields)*
            }),
        }
    });
    let key = if is_flat { emit!(_) } else { emit!(key) };
    emit! {
        fn encode(&self, out: &mut __model::Writer<'_>, #key: &str) {
            match self { #(#arms)* }
        }
    }
}

fn decode(head: &Head, variants: &[Variant]) -> TokenStream {
    let (tag, unknown) = (tag(head), enums::unknown(head));
    let units: Vec<_> = variants
        .iter()
        .filter(|variant| variant.fields().is_empty())
        .collect();
    let unit_arms = units.iter().map(|variant| {
        let (ident, stored) = (bound(variant), &variant.stored);
        emit!(#stored => __model::Result::Ok(Self::#ident),)
    });
    let is_flat = head.attrs.flat.is_some();
    let as_string = (!units.is_empty() && !is_flat).then(|| {
        emit! {
            if let __model::Result::Ok(name) = value.str() {
                return match name {
                    #(#unit_arms)*
                    _ => __model::Result::Err(__model::DecodeError::new(#unknown)),
                };
            }
        }
    });
    let arms = variants
        .iter()
        .filter(|variant| is_flat || !variant.fields().is_empty())
        .map(|variant| {
            let stored = &variant.stored;
            let made = shape(variant, |_, field| {
                let key = &field.stored;
                emit!(keys.field(#key)?)
            });
            emit!(#stored => Self::#made,)
        });
    // The whole document is looked through by whoever reads it.
    let finish = (!is_flat).then(|| emit!(keys.finish()?;));
    emit! {
        fn decode(
            value: __model::RawValue<'_>,
            cx: &__model::DecodeCx<'_>,
        ) -> __model::Result<Self, __model::DecodeError> {
            #as_string
            let mut keys = __model::DocReader::nested(value, cx)?;
            let value = match keys.field::<__model::String>(#tag)?.as_str() {
                #(#arms)*
                _ => return __model::Result::Err(__model::DecodeError::new(#unknown).at(#tag)),
            };
            #finish
            __model::Result::Ok(value)
        }
    }
}

fn walks(variants: &[Variant]) -> TokenStream {
    let visits = variants.iter().enumerate().map(|(index, variant)| {
        let pattern = bound(variant);
        let walk = codec::visit(&fields_name(index), variant.fields(), |index, _| {
            let local = local(index);
            emit!(#local)
        });
        emit!(Self::#pattern => { #walk })
    });
    let wipes = variants.iter().map(|variant| {
        let pattern = bound(variant);
        let wipes = (0..variant.fields().len()).map(|index| {
            let local = local(index);
            emit!(__model::FieldValue::wipe(#local);)
        });
        emit!(Self::#pattern => { #(#wipes)* })
    });
    emit! {
        fn visit(&mut self, _: __model::Constraints, visitor: &mut __model::Visitor<'_>) {
            match self { #(#visits)* }
        }

        fn wipe(&mut self) {
            match self { #(#wipes)* }
        }
    }
}

fn parse_value(head: &Head, variants: &[Variant]) -> TokenStream {
    let (tag, expected) = (tag(head), enums::expected(variants));
    let units: Vec<_> = variants
        .iter()
        .filter(|variant| variant.fields().is_empty())
        .collect();
    let unit_arms = units.iter().map(|variant| {
        let (ident, stored) = (bound(variant), &variant.stored);
        emit!(#stored => return __model::Option::Some(Self::#ident),)
    });
    let as_string = (!units.is_empty()).then(|| {
        emit! {
            if let __model::Option::Some(name) = value.as_str() {
                match name {
                    #(#unit_arms)*
                    _ => cx.reject("enum", #expected),
                }
                return __model::Option::None;
            }
        }
    });
    let arms = variants
        .iter()
        .filter(|variant| !variant.fields().is_empty())
        .map(parse_variant);
    emit! {
        fn parse(value: __model::Value, cx: &mut __model::InputCx) -> __model::Option<Self> {
            #as_string
            let mut keys = __model::ObjectInput::new(value, cx)?;
            match keys.required::<__model::String>(#tag)?.as_str() {
                #(#arms)*
                _ => {
                    keys.cx().at(#tag, |cx| cx.reject("enum", #expected));
                    __model::Option::None
                }
            }
        }
    }
}

fn parse_variant(variant: &Variant) -> TokenStream {
    let stored = &variant.stored;
    let fields = variant.fields();
    let reads = parse::reads(fields);
    let made = shape(variant, parse::read);
    emit! {
        #stored => {
            #reads
            keys.finish();
            __model::Option::Some(Self::#made)
        }
    }
}

fn debug(head: &Head, variants: &[Variant]) -> TokenStream {
    let ident = &head.ident;
    let arms = variants.iter().map(|variant| {
        let name = variant.ident.unraw().to_string();
        let pattern = shape(variant, |index, field| {
            let local = local(index);
            if field.attrs.hidden {
                emit!(_)
            } else {
                emit!(#local)
            }
        });
        let members: Vec<_> = variant
            .fields()
            .iter()
            .enumerate()
            .map(|(index, field)| {
                let (local, name) = (local(index), &field.name);
                let value = if field.attrs.hidden {
                    emit!(&"[HIDDEN]")
                } else {
                    emit!(#local)
                };
                match &variant.body {
                    VariantBody::Newtype(_) => emit!(.field(#value)),
                    VariantBody::Unit | VariantBody::Struct(_) => emit!(.field(#name, #value)),
                }
            })
            .collect();
        match &variant.body {
            VariantBody::Unit => emit!(Self::#pattern => f.write_str(#name),),
            VariantBody::Newtype(_) => emit!(Self::#pattern => f.debug_tuple(#name) #(#members)* .finish(),),
            VariantBody::Struct(_) => emit!(Self::#pattern => f.debug_struct(#name) #(#members)* .finish(),),
        }
    });
    emit! {
        impl __model::Debug for #ident {
            fn fmt(&self, f: &mut __model::Formatter<'_>) -> __model::Formatted {
                match self { #(#arms)* }
            }
        }
    }
}
