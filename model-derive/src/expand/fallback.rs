//! What is emitted besides errors: the types and impls that other code names, without what they do, so that one mistake
//! is one error.

use proc_macro2::TokenStream;
use syn::DeriveInput;

use super::{embedded as full, hidden, model as full_model, named, runtime, schema};
use crate::ast::{Body, Embedded, Field, Head, Model};
use crate::attr::Role;
use crate::ctxt::Ctxt;
use crate::keys::Place;
use crate::spelling;

/// The declaration without what would be an error in emitted code: it was reported.
fn sound(mut model: Model) -> Model {
    storable(&model.head, &mut model.fields);
    model
        .fields
        .retain(|field| !matches!(field.name.as_str(), "__echo" | "optional"));
    model.head.attrs.virtuals.clear();
    model
}

/// Puts a type that can be stored in the place of each that cannot.
fn storable(head: &Head, fields: &mut [Field]) {
    let runtime = runtime(head);
    for field in fields
        .iter_mut()
        .filter(|field| spelling::unstorable(&field.ty).is_some())
    {
        field.ty = syn::Type::Verbatim(emit!(#runtime::Bson));
    }
}

/// Stubs for a model; without a declaration that could be read, there is nothing to go by.
pub(super) fn model(input: &DeriveInput, model: Option<Model>) -> TokenStream {
    match model {
        Some(model) => known_model(&sound(model)),
        None if input.generics.params.is_empty() => shapeless_model(&head_of(Place::Model, input)),
        None => TokenStream::new(),
    }
}

/// What the attributes say; their mistakes were reported.
fn head_of(place: Place, input: &DeriveInput) -> Head {
    let cx = Ctxt::new();
    let head = Head::read(&cx, place, input);
    drop(cx.finish());
    head
}

fn known_model(model: &Model) -> TokenStream {
    let types = full_model::types(model);
    // One whose id is missing by mistake has one for all others.
    let by_key = model.role(Role::Id).is_none() && !model.head.attrs.key.is_empty();
    let identified = (!by_key).then(|| identified(&model.head));
    let associated = full_model::associated(model);
    let mut stubs = model_stubs(&model.head, identified.as_ref(), &associated);
    for input in [named("New", &model.head, ""), named("", &model.head, "Patch")] {
        stubs = emit!(#stubs #[allow(unused)] impl #input {
            pub fn from_json(text: &str) -> __model::Result<Self, __model::Error> {
                loop {}
            }
        });
    }
    let view = serialize(&named("", &model.head, "View"));
    let items = hidden(&model.head, &emit!(#stubs #view));
    emit!(#types #items)
}

fn shapeless_model(head: &Head) -> TokenStream {
    let scope = if head.attrs.global.is_some() {
        emit!(GlobalScope)
    } else {
        emit!(TenantScope)
    };
    let associated = emit! {
        const NAME: &'static str = "";
        type Scope = __model::#scope;
        type New = ();
        type Patch = ();
        type Fields = ();
        type View = ();
    };
    hidden(head, &model_stubs(head, Some(&identified(head)), &associated))
}

fn identified(head: &Head) -> TokenStream {
    let (ident, kind) = (&head.ident, schema::id_kind(head));
    emit! {
        impl __model::Identified for #ident {
            const ID: __model::IdKind = #kind;
            const SCHEMA: fn() -> &'static __model::ModelSchema = || loop {};
            fn id(&self) -> &__model::Id<Self> { loop {} }
        }
    }
}

fn debug(ident: &syn::Ident) -> TokenStream {
    emit! {
        impl __model::Debug for #ident {
            fn fmt(&self, f: &mut __model::Formatter<'_>) -> __model::Formatted {
                loop {}
            }
        }
    }
}

fn serialize(view: &syn::Ident) -> TokenStream {
    emit! {
        impl __model::serde::Serialize for #view {
            fn serialize<S: __model::serde::Serializer>(
                &self,
                serializer: S,
            ) -> __model::Result<S::Ok, S::Error> {
                loop {}
            }
        }
    }
}

fn model_stubs(head: &Head, identified: Option<&TokenStream>, associated: &TokenStream) -> TokenStream {
    let ident = &head.ident;
    let debug = debug(ident);
    emit! {
        #identified
        #debug
        impl __model::Mutable for #ident {}
        impl __model::Singleton for #ident {}
        impl __model::Searchable for #ident {}
        impl __model::Watchable for #ident {}

        #[allow(unused)]
        impl __model::Model for #ident {
            #associated
            fn schema() -> &'static __model::ModelSchema { loop {} }
            fn fields() -> &'static Self::Fields { loop {} }
            fn tenant(&self) -> __model::Option<&__model::TenantId> { loop {} }
            fn identity(&self) -> __model::Option<&__model::Id<Self>> { loop {} }
            fn build(new: Self::New, stamp: &__model::Stamp<Self>) -> Self { loop {} }
            fn given(new: &Self::New) -> __model::Vec<&'static str> { loop {} }
            fn stamp(&mut self, stamp: &__model::Stamp<Self>) {}
            fn keep_identity(&mut self, before: &Self) {}
            fn touch(&mut self, now: __model::DateTime<__model::Utc>) {}
            fn encode(&self, out: &mut __model::Writer<'_>) {}
            fn decode(
                keys: &mut __model::DocReader<'_, '_>,
            ) -> __model::Result<Self, __model::DecodeError> { loop {} }
            fn visit(&mut self, visitor: &mut __model::Visitor<'_>) {}
            fn apply(&mut self, patch: Self::Patch, cx: &mut __model::InputCx) {}
            fn parse_new(
                value: __model::Value,
                cx: &mut __model::InputCx,
            ) -> __model::Option<Self::New> { loop {} }
            fn parse_patch(
                value: __model::Value,
                cx: &mut __model::InputCx,
            ) -> __model::Option<Self::Patch> { loop {} }
            fn view(self, hidden: __model::HiddenFields) -> Self::View { loop {} }
        }
    }
}

/// Stubs for an embedded type.
pub(super) fn embedded(input: &DeriveInput, embedded: Option<Embedded>) -> TokenStream {
    if !input.generics.params.is_empty() || matches!(input.data, syn::Data::Union(_)) {
        return TokenStream::new();
    }
    match embedded {
        Some(Embedded {
            head,
            body: Body::Struct(mut fields),
        }) => {
            storable(&head, &mut fields);
            fields.retain(|field| field.name != "__echo");
            let types = full::types(&head, &fields);
            let associated = full::associated(&head);
            let (handles, view) = (named("", &head, "Fields"), named("", &head, "View"));
            let value = value_stubs(&head, &associated);
            let serialize = serialize(&view);
            let items = hidden(
                &head,
                &emit! {
                    #value
                    #serialize
                    impl __model::ViewValue for #view {}
                    #[allow(unused)]
                    impl<__M: 'static> __model::FieldGroup for #handles<__M> {
                        fn below(prefix: &__model::Prefix) -> Self { loop {} }
                    }
                },
            );
            emit!(#types #items)
        }
        Some(embedded) => shapeless_value(&embedded.head),
        None => shapeless_value(&head_of(Place::Struct, input)),
    }
}

fn shapeless_value(head: &Head) -> TokenStream {
    let ident = &head.ident;
    let associated = emit! {
        type Input = #ident;
        type Patch = __model::Never;
        type View = &'static str;
        type Fields<__M: 'static> = __model::NoFields;
    };
    hidden(head, &value_stubs(head, &associated))
}

fn value_stubs(head: &Head, associated: &TokenStream) -> TokenStream {
    let ident = &head.ident;
    let debug = debug(ident);
    emit! {
        #debug

        #[allow(unused)]
        impl __model::FieldValue for #ident {
            const TYPE: __model::TypeSchema = __model::TypeSchema::Dynamic;
            #associated
            fn encode(&self, out: &mut __model::Writer<'_>, key: &str) {}
            fn decode(
                value: __model::RawValue<'_>,
                cx: &__model::DecodeCx<'_>,
            ) -> __model::Result<Self, __model::DecodeError> { loop {} }
            fn from_input(input: Self) -> Self { input }
            fn parse(
                value: __model::Value,
                cx: &mut __model::InputCx,
            ) -> __model::Option<Self> { loop {} }
            fn into_view(self) -> Self::View { loop {} }
        }
    }
}
