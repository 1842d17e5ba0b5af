//! `#[derive(Projection)]`: a struct that holds some of a model's fields.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput, Fields, Path, Token, Type, Visibility};

use super::{errors, local, own};
use crate::ctxt::Ctxt;

const USAGE: &str = "a projection names its model: `#[projection(of = Widget)]`";

/// What was declared.
struct Pick<'a> {
    ident: &'a Ident,
    vis: &'a Visibility,
    model: Path,
    /// Where the runtime is, if it was renamed.
    krate: Option<Path>,
    fields: Vec<(&'a Ident, &'a Visibility, &'a Type)>,
}

/// `#[derive(Projection)]`
pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let pick = read(&cx, input);
    match (pick, errors(cx)) {
        (Some(pick), None) => of_struct(&pick),
        (_, errors) => errors.unwrap_or_default(),
    }
}

fn read<'a>(cx: &Ctxt, input: &'a DeriveInput) -> Option<Pick<'a>> {
    let (mut model, mut krate) = (None, None);
    for attr in input
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("projection"))
    {
        let parsed = attr.parse_nested_meta(|meta| {
            let place = if meta.path.is_ident("of") {
                &mut model
            } else if meta.path.is_ident("crate") {
                &mut krate
            } else {
                return Err(meta.error("unknown key: a projection has `of` and `crate`"));
            };
            meta.input.parse::<Token![=]>()?;
            *place = Some(meta.input.call(Path::parse_mod_style)?);
            Ok(())
        });
        cx.ok(parsed);
    }
    if !input.generics.params.is_empty() {
        cx.error_across(&input.generics, "a projection takes no generic parameters");
    }
    let named = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) if !fields.named.is_empty() => Some(&fields.named),
            _ => None,
        },
        _ => None,
    };
    let (Some(model), Some(named)) = (&model, named) else {
        if model.is_none() {
            cx.error(input.ident.span(), USAGE);
        }
        if named.is_none() {
            cx.error(input.ident.span(), "a projection is a struct with named fields");
        }
        return None;
    };
    let fields = named
        .iter()
        .filter_map(|field| Some((field.ident.as_ref()?, &field.vis, &field.ty)));
    Some(Pick {
        ident: &input.ident,
        vis: &input.vis,
        model: model.clone(),
        krate,
        fields: fields.collect(),
    })
}

fn of_struct(pick: &Pick<'_>) -> TokenStream {
    let runtime = match &pick.krate {
        Some(path) => emit!(#path::__private),
        None => emit!(::model_core::__private),
    };
    let view = Ident::new(&format!("{}View", pick.ident.unraw()), pick.ident.span());
    let shape = view_type(pick, &view, &runtime);
    let (picked, check) = (picked(pick), check(pick));
    let (projection, serialize, debug) = (
        projection(pick, &view),
        serialize(pick, &view),
        debug(pick, &view),
    );
    emit! {
        #shape
        const _: () = {
            use #runtime as __model;
            #picked
            #check
            #projection
            #serialize
            #debug
        };
    }
}

/// `WidgetCardView`
fn view_type(pick: &Pick<'_>, view: &Ident, runtime: &TokenStream) -> TokenStream {
    let doc = format!("What a client sees of a [`{}`].", pick.ident);
    let vis = own(pick.vis);
    let members = pick.fields.iter().map(|(name, vis, ty)| {
        let (vis, doc) = (own(vis), format!("`{name}`; none where the model hides it."));
        emit!(#[doc = #doc] #vis #name: #runtime::Option<<#ty as #runtime::FieldValue>::View>,)
    });
    emit! {
        #[doc = #doc]
        #vis struct #view { #(#members)* __hidden: #runtime::HiddenFields }
    }
}

/// The schemas of the fields, found once.
fn picked(pick: &Pick<'_>) -> TokenStream {
    let (model, count) = (&pick.model, pick.fields.len());
    let found = pick.fields.iter().map(|(name, ..)| {
        let name = name.unraw().to_string();
        emit!(__model::picked::<#model>(#name),)
    });
    emit! {
        static __MODEL_PICKED: __model::OnceLock<[&'static __model::FieldSchema; #count]> = __model::OnceLock::new();
        fn __model_picked() -> &'static [&'static __model::FieldSchema; #count] {
            __MODEL_PICKED.get_or_init(|| [#(#found)*])
        }
    }
}

/// Every field is one of the model's, of the same type: an error is at the name or at the type.
fn check(pick: &Pick<'_>) -> TokenStream {
    let model = &pick.model;
    let checks = pick
        .fields
        .iter()
        .map(|(name, _, ty)| emit!(let _: &__model::Field<#model, #ty> = &handles.#name;));
    emit! {
        const _: fn(&<#model as __model::Model>::Fields) = |handles| { #(#checks)* };
    }
}

fn locals(pick: &Pick<'_>) -> TokenStream {
    let locals = (0..pick.fields.len()).map(local);
    emit!(let [#(#locals),*] = __model_picked();)
}

fn projection(pick: &Pick<'_>, view: &Ident) -> TokenStream {
    let (ident, model, locals) = (pick.ident, &pick.model, locals(pick));
    let decoded = pick.fields.iter().enumerate().map(|(index, (name, ..))| {
        let field = local(index);
        emit!(#name: keys.field(#field.stored)?,)
    });
    let shown = pick.fields.iter().enumerate().map(|(index, (name, ..))| {
        let field = local(index);
        emit!(#name: __model::shown(#field, self.#name),)
    });
    emit! {
        impl __model::Projection for #ident {
            type Model = #model;
            type View = #view;

            fn fields() -> &'static [&'static __model::FieldSchema] {
                __model_picked()
            }

            fn decode(keys: &mut __model::DocReader<'_, '_>) -> __model::Result<Self, __model::DecodeError> {
                #locals
                __model::Result::Ok(Self { #(#decoded)* })
            }

            fn view(self, hidden: __model::HiddenFields) -> #view {
                #locals
                #view { #(#shown)* __hidden: hidden }
            }
        }
    }
}

fn serialize(pick: &Pick<'_>, view: &Ident) -> TokenStream {
    let (text, count, locals) = (view.to_string(), pick.fields.len(), locals(pick));
    let entries = pick.fields.iter().enumerate().map(|(index, (name, ..))| {
        let field = local(index);
        emit!(__model::shown_field(&mut out, &self.__hidden, #field.json, &self.#name)?;)
    });
    emit! {
        impl __model::serde::Serialize for #view {
            fn serialize<S: __model::serde::Serializer>(
                &self,
                serializer: S,
            ) -> __model::Result<S::Ok, S::Error> {
                #locals
                let mut out = __model::serde::Serializer::serialize_struct(serializer, #text, #count)?;
                #(#entries)*
                __model::serde::ser::SerializeStruct::end(out)
            }
        }
    }
}

/// A `Debug` that prints no hidden field, and of the view the names alone.
fn debug(pick: &Pick<'_>, view: &Ident) -> TokenStream {
    let (ident, locals) = (pick.ident, locals(pick));
    let text = ident.unraw().to_string();
    let members = pick.fields.iter().enumerate().map(|(index, (name, ..))| {
        let (field, key) = (local(index), name.unraw().to_string());
        emit!(.field(#key, __model::printed(#field, &self.#name)))
    });
    let opaque = super::view::opaque_debug(view, pick.fields.iter().map(|(name, ..)| *name));
    emit! {
        impl __model::Debug for #ident {
            fn fmt(&self, f: &mut __model::Formatter<'_>) -> __model::Formatted {
                #locals
                f.debug_struct(#text) #(#members)* .finish()
            }
        }

        #opaque
    }
}
