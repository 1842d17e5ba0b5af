//! `#[derive(Model)]`: the four types, and the impls.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt as _;

use super::{asserts, codec, fields, hidden, inputs, named, parse, schema, view};
use crate::ast::{Field, Model};
use crate::attr::{Index, Role};

/// Everything that a model's declaration stands for.
pub(super) fn expand(model: &Model) -> TokenStream {
    let types = types(model);
    let statics = schema::model(model);
    let handles = fields::model_handles(model);
    let identified = identified(model);
    let implementation = implementation(model);
    let markers = markers(model);
    let debug = codec::debug(&model.head, &model.fields);
    let inputs = inputs::model_impls(model);
    let view = view::struct_impls(&model.head, &model.fields, view::Whose::Model);
    let asserts = asserts::model(model);
    let items = hidden(
        &model.head,
        &emit!(#statics #handles #identified #implementation #markers #debug #inputs #view #asserts),
    );
    emit!(#types #items)
}

/// The types that the user names.
pub(super) fn types(model: &Model) -> TokenStream {
    let new = inputs::new_types(model);
    let patch = inputs::patch_type(&model.head, &model.fields);
    let fields = fields::model_type(model);
    let view = view::struct_type(&model.head, &model.fields, view::Whose::Model);
    emit!(#new #patch #fields #view)
}

/// What ids and references know of the model; nothing if it has no id.
fn identified(model: &Model) -> Option<TokenStream> {
    let (ident, kind) = (&model.head.ident, schema::id_kind(&model.head));
    let id = own(model.role(Role::Id)?);
    Some(emit! {
        impl __model::Identified for #ident {
            const ID: __model::IdKind = #kind;
            const SCHEMA: fn() -> &'static __model::ModelSchema = || &__MODEL_SCHEMA;

            fn id(&self) -> &__model::Id<Self> {
                #id
            }
        }
    })
}

/// The name, and the associated types, of `Model`.
pub(super) fn associated(model: &Model) -> TokenStream {
    let head = &model.head;
    let name = head.ident.unraw().to_string();
    let (new, patch) = (named("New", head, ""), named("", head, "Patch"));
    let (fields, view) = (named("", head, "Fields"), named("", head, "View"));
    let scope = if model.role(Role::Tenant).is_some() {
        emit!(TenantScope)
    } else {
        emit!(GlobalScope)
    };
    emit! {
        const NAME: &'static str = #name;
        type Scope = __model::#scope;
        type New = #new;
        type Patch = #patch;
        type Fields = #fields;
        type View = #view;
    }
}

/// Which verbs the model has.
pub(super) fn markers(model: &Model) -> TokenStream {
    let (ident, attrs) = (&model.head.ident, &model.head.attrs);
    let mutable = (!attrs.is_written_once()).then(|| emit!(impl __model::Mutable for #ident {}));
    let singleton = attrs
        .singleton
        .map(|_| emit!(impl __model::Singleton for #ident {}));
    let searchable = model
        .indexes()
        .iter()
        .any(Index::is_text)
        .then(|| emit!(impl __model::Searchable for #ident {}));
    let watchable = attrs.watch.map(|_| emit!(impl __model::Watchable for #ident {}));
    emit!(#mutable #singleton #searchable #watchable)
}

fn implementation(model: &Model) -> TokenStream {
    let ident = &model.head.ident;
    let associated = associated(model);
    let metadata = metadata(model);
    let identity = identity(model);
    let codec = storage(model);
    let input = input(model);
    emit! {
        impl __model::Model for #ident {
            #associated
            #metadata
            #identity
            #codec
            #input
        }
    }
}

fn metadata(model: &Model) -> TokenStream {
    let handles = named("", &model.head, "Fields");
    let identity = match model.role(Role::Id) {
        Some(_) => emit!(__model::Option::Some(__model::Identified::id(self))),
        None => emit!(__model::Option::None),
    };
    let tenant = match model.role(Role::Tenant).map(own) {
        Some(tenant) => emit!(__model::Option::Some(#tenant)),
        None => emit!(__model::Option::None),
    };
    emit! {
        fn schema() -> &'static __model::ModelSchema {
            &__MODEL_SCHEMA
        }

        fn fields() -> &'static #handles {
            &__MODEL_HANDLES
        }

        fn tenant(&self) -> __model::Option<&__model::TenantId> {
            #tenant
        }

        fn identity(&self) -> __model::Option<&__model::Id<Self>> {
            #identity
        }
    }
}

/// `&self.field`, such that a wrong type is an error at the type.
fn own(field: &Field) -> TokenStream {
    let member = &field.ident;
    let span = super::ends(&field.ty).0;
    quote::quote_spanned!(span=> &self.#member)
}

/// What the caller has no say in.
fn identity(model: &Model) -> TokenStream {
    let member = |role| model.role(role).map(|field| &field.ident);
    let copy = |role, from: TokenStream| {
        member(role).map(|member| emit!(self.#member = __model::Clone::clone(&#from);))
    };
    let instant =
        |role, now: TokenStream| member(role).map(|member| emit!(self.#member = __model::timestamp(#now);));
    let kept = |role| {
        copy(
            role,
            member(role)
                .map(|member| emit!(before.#member))
                .unwrap_or_default(),
        )
    };
    let (id, tenant) = (
        copy(Role::Id, emit!(stamp.id)),
        copy(Role::Tenant, emit!(stamp.tenant)),
    );
    let (created, updated) = (
        instant(Role::CreatedAt, emit!(stamp.now)),
        instant(Role::UpdatedAt, emit!(stamp.now)),
    );
    let (kept_id, kept_tenant) = (kept(Role::Id), kept(Role::Tenant));
    let (kept_created, kept_revision) = (kept(Role::CreatedAt), kept(Role::Revision));
    let touched = instant(Role::UpdatedAt, emit!(now));
    let now = argument("now", touched.is_some());
    emit! {
        fn stamp(&mut self, stamp: &__model::Stamp<Self>) {
            #id #tenant #created #updated
        }

        fn keep_identity(&mut self, before: &Self) {
            #kept_id #kept_tenant #kept_created #kept_revision
        }

        fn touch(&mut self, #now: __model::DateTime<__model::Utc>) {
            #touched
        }
    }
}

/// The name of an argument, with an underscore if it has no use.
fn argument(name: &str, used: bool) -> Ident {
    let underscore = if used { "" } else { "_" };
    Ident::new(&format!("{underscore}{name}"), Span::mixed_site())
}

fn storage(model: &Model) -> TokenStream {
    let fields = &model.fields;
    let encode = codec::encode(fields);
    let decode = codec::decode(fields);
    let visit = codec::visit(
        &Ident::new("__MODEL_FIELDS", Span::mixed_site()),
        fields,
        codec::own,
    );
    let visitor = argument("visitor", !visit.is_empty());
    emit! {
        fn encode(&self, out: &mut __model::Writer<'_>) {
            #encode
        }

        fn decode(
            keys: &mut __model::DocReader<'_, '_>,
        ) -> __model::Result<Self, __model::DecodeError> {
            __model::Result::Ok(Self { #decode })
        }

        fn visit(&mut self, #visitor: &mut __model::Visitor<'_>) {
            #visit
        }
    }
}

fn input(model: &Model) -> TokenStream {
    let head = &model.head;
    let (new, patch, shown) = (
        named("New", head, ""),
        named("", head, "Patch"),
        named("", head, "View"),
    );
    let build = inputs::build(model);
    let apply = inputs::apply(&model.fields, |field| {
        let member = &field.ident;
        emit!(self.#member)
    });
    let parse_new = parse::new(model);
    let parse_patch = parse::patch(head, &model.fields);
    let view = view::make(head, &model.fields, view::Whose::Model);
    let given = argument("new", model.fields.iter().any(Field::is_plain));
    let asked = model
        .fields
        .iter()
        .any(|field| field.is_plain() && !inputs::is_required(field));
    let (asked, list) = (argument("new", asked), inputs::given(model));
    emit! {
        fn build(#given: #new, stamp: &__model::Stamp<Self>) -> Self {
            #build
        }

        fn given(#asked: &#new) -> __model::Vec<&'static str> {
            #list
        }

        fn apply(&mut self, patch: #patch, cx: &mut __model::InputCx) {
            #apply
        }

        fn parse_new(
            value: __model::Value,
            cx: &mut __model::InputCx,
        ) -> __model::Option<#new> {
            #parse_new
        }

        fn parse_patch(
            value: __model::Value,
            cx: &mut __model::InputCx,
        ) -> __model::Option<#patch> {
            let mut keys = __model::ObjectInput::new(value, cx)?;
            #parse_patch
            __model::Option::Some(patch)
        }

        fn view(self, hidden: __model::HiddenFields) -> #shown {
            #view
        }
    }
}
