//! `#[derive(Embedded)]` on a struct with named fields, and the choice between the shapes.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt as _;

use super::{
    asserts, codec, enums, fields, hidden, inputs, named, newtype, parse, schema, tagged, values, view,
};
use crate::ast::{Body, Embedded, Field, Head, VariantBody};

/// Everything that an embedded type's declaration stands for.
pub(super) fn expand(embedded: &Embedded) -> TokenStream {
    let head = &embedded.head;
    match &embedded.body {
        Body::Struct(fields) => of_struct(head, fields),
        Body::Newtype(inner) => newtype::expand(head, inner),
        Body::Enum(variants)
            if variants
                .iter()
                .all(|variant| matches!(variant.body, VariantBody::Unit)) =>
        {
            enums::expand(head, variants)
        }
        Body::Enum(variants) => tagged::expand(head, variants),
    }
}

/// The types that the user names.
pub(super) fn types(head: &Head, fields: &[Field]) -> TokenStream {
    let patch = inputs::patch_type(head, fields);
    let handles = fields::embedded_type(head, fields);
    let view = view::struct_type(head, fields, view::Whose::Embedded);
    emit!(#patch #handles #view)
}

fn of_struct(head: &Head, fields: &[Field]) -> TokenStream {
    let types = types(head, fields);
    let name = head.ident.unraw().to_string();
    let statics = schema::fields(&Ident::new("__MODEL_FIELDS", Span::mixed_site()), fields);
    let virtuals = view::virtual_keys(head);
    let group = fields::embedded_group(head, fields);
    let value = field_value(head, fields);
    let debug = codec::debug(head, fields);
    let view = view::struct_impls(head, fields, view::Whose::Embedded);
    let shown = named("", head, "View");
    let default = head.attrs.defaults.map(|_| default(head, fields));
    let asserts = asserts::embedded(fields);
    let items = hidden(
        head,
        &emit! {
            #statics
            static __MODEL_SCHEMA: __model::EmbeddedSchema = __model::EmbeddedSchema::new(#name, &__MODEL_FIELDS) #virtuals;
            fn __model_schema() -> &'static __model::EmbeddedSchema {
                &__MODEL_SCHEMA
            }
            #group
            #value
            #debug
            #view
            impl __model::ViewValue for #shown {}
            #default
            #asserts
        },
    );
    emit!(#types #items)
}

/// `Default`, from what each field declares.
fn default(head: &Head, fields: &[Field]) -> TokenStream {
    let ident = &head.ident;
    let members = fields.iter().map(|field| {
        let (member, ty) = (&field.ident, &field.ty);
        match values::default(field) {
            Some(default) => emit!(#member: (|| -> #ty { #default })(),),
            None => emit!(#member: __model::Default::default(),),
        }
    });
    emit! {
        impl __model::Default for #ident {
            fn default() -> Self {
                Self { #(#members)* }
            }
        }
    }
}

fn field_value(head: &Head, fields: &[Field]) -> TokenStream {
    let ident = &head.ident;
    let associated = associated(head);
    let stored = stored(fields);
    let input = input(fields);
    let patch = patch(head, fields);
    let view = view::make(head, fields, view::Whose::Embedded);
    let shown = named("", head, "View");
    emit! {
        impl __model::FieldValue for #ident {
            const TYPE: __model::TypeSchema = __model::TypeSchema::Embedded(__model_schema);
            #associated
            #stored
            #input
            #patch

            fn into_view(self) -> #shown {
                #view
            }
        }
    }
}

/// The associated types of `FieldValue`.
pub(super) fn associated(head: &Head) -> TokenStream {
    let (patch, fields, view) = (
        named("", head, "Patch"),
        named("", head, "Fields"),
        named("", head, "View"),
    );
    // What fails here is `Clone`: the caret goes to the struct.
    let ident = &head.ident;
    emit! {
        type Input = #ident;
        type Patch = #patch;
        type View = #view;
        type Fields<__M: 'static> = #fields<__M>;
    }
}

fn stored(fields: &[Field]) -> TokenStream {
    let encode = codec::encode(fields);
    let decode = codec::decode(fields);
    let visit = codec::visit(
        &Ident::new("__MODEL_FIELDS", Span::mixed_site()),
        fields,
        codec::own,
    );
    let wipe = codec::wipe(fields);
    emit! {
        fn encode(&self, out: &mut __model::Writer<'_>, key: &str) {
            out.document(key, |out| { #encode });
        }

        fn decode(
            value: __model::RawValue<'_>,
            cx: &__model::DecodeCx<'_>,
        ) -> __model::Result<Self, __model::DecodeError> {
            let mut keys = __model::DocReader::nested(value, cx)?;
            let value = Self { #decode };
            keys.finish()?;
            __model::Result::Ok(value)
        }

        fn visit(&mut self, _: __model::Constraints, visitor: &mut __model::Visitor<'_>) {
            #visit
        }

        fn wipe(&mut self) {
            #wipe
        }
    }
}

fn input(fields: &[Field]) -> TokenStream {
    let reads = parse::reads(fields);
    let members = fields.iter().enumerate().map(|(index, field)| {
        let (member, value) = (&field.ident, parse::read(index, field));
        emit!(#member: #value,)
    });
    emit! {
        fn from_input(input: Self) -> Self {
            input
        }

        fn parse(value: __model::Value, cx: &mut __model::InputCx) -> __model::Option<Self> {
            let mut keys = __model::ObjectInput::new(value, cx)?;
            #reads
            keys.finish();
            __model::Option::Some(Self { #(#members)* })
        }
    }
}

fn patch(head: &Head, fields: &[Field]) -> TokenStream {
    let name = named("", head, "Patch");
    let read = parse::patch(head, fields);
    let apply = inputs::apply(fields, |field| {
        let member = &field.ident;
        emit!(field.#member)
    });
    let made = parse::from_patch(fields);
    emit! {
        fn parse_patch(
            value: __model::Value,
            cx: &mut __model::InputCx,
        ) -> __model::Result<__model::Option<#name>, __model::Value> {
            let __model::Option::Some(mut keys) = __model::ObjectInput::new(value, cx) else {
                return __model::Result::Ok(__model::Option::None);
            };
            #read
            __model::Result::Ok(__model::Option::Some(patch))
        }

        fn apply(field: &mut Self, patch: #name, cx: &mut __model::InputCx) {
            #apply
        }

        fn from_patch(patch: #name, cx: &mut __model::InputCx) -> __model::Option<Self> {
            #made
        }
    }
}
