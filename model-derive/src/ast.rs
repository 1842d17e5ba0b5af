//! The declaration as the rest of the crate sees it: names resolved, fields in the order of storage.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt as _;
use syn::{Attribute, DataEnum, DataStruct, DeriveInput, Fields, Path, Type, Visibility};

use crate::attr::{
    Container, DefaultValue, Direction, FieldAttrs, Index, IndexKey, Role, UniqueScope, VariantAttrs,
};
use crate::case::Case;
use crate::ctxt::Ctxt;
use crate::docs::{doc, docs};
use crate::keys::Place;
use crate::role;
use crate::shape;
use crate::spelling;

/// The stored name of the id.
pub(crate) const ID: &str = "_id";
/// The stored name of the revision.
pub(crate) const REVISION: &str = "_rev";

/// What every derived type has.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) krate: Option<Path>,
    pub(crate) doc: String,
    pub(crate) attrs: Container,
}

/// A field of a struct or variant.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) ty: Type,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) doc: String,
    /// The Rust name, without `r#`.
    pub(crate) name: String,
    pub(crate) stored: String,
    pub(crate) json: String,
    pub(crate) role: Role,
    pub(crate) attrs: FieldAttrs,
}

impl Field {
    /// Whether a caller gives its value.
    pub(crate) fn is_plain(&self) -> bool {
        self.role == Role::Plain
    }

    /// Whether an update may change it.
    pub(crate) fn is_editable(&self) -> bool {
        self.is_plain() && self.attrs.readonly.is_none()
    }

    /// Whether a create may leave it out.
    pub(crate) fn is_optional(&self) -> bool {
        self.attrs.has_default() || spelling::is_option(&self.ty)
    }

    /// Whether a view has it.
    pub(crate) fn is_visible(&self) -> bool {
        !self.attrs.hidden && !spelling::is_secret(&self.ty)
    }
}

/// A struct with `#[derive(Model)]`.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) head: Head,
    /// The id first, the revision last.
    pub(crate) fields: Vec<Field>,
}

impl Model {
    /// The field with this role.
    pub(crate) fn role(&self, role: Role) -> Option<&Field> {
        self.fields.iter().find(|field| field.role == role)
    }

    /// The fields of the composite key, in its order.
    pub(crate) fn key(&self) -> impl Iterator<Item = &Field> {
        let named = |part: &Ident| self.fields.iter().find(|field| field.ident == *part);
        self.head.attrs.key.iter().filter_map(named)
    }

    /// The indexes, those that fields declare for themselves last.
    pub(crate) fn indexes(&self) -> Vec<Index> {
        let own = self.fields.iter().flat_map(field_indexes);
        let declared = self.head.attrs.indexes.iter().cloned();
        declared
            .chain(key_index(&self.head.attrs.key))
            .chain(own)
            .collect()
    }

    /// Reads the declaration; none if it is not a struct with named fields.
    pub(crate) fn read(cx: &Ctxt, input: &DeriveInput) -> Option<Self> {
        let head = Head::read(cx, Place::Model, input);
        let named = shape::model(cx, input)?;
        let written = named.fields.iter();
        let written: Vec<_> = written
            .map(|field| (field, FieldAttrs::read(cx, Place::Field, &field.attrs)))
            .collect();
        let roles = role::of_fields(&written, head.attrs.global.is_some());
        let style = head.attrs.rename_all;
        let written = written.into_iter().zip(roles);
        let mut fields: Vec<_> = written
            .filter_map(|((field, attrs), role)| self::named(field, attrs, role, style))
            .collect();
        fields.sort_by_key(|field| match field.role {
            Role::Id => 0,
            Role::Revision => 2,
            _ => 1,
        });
        for part in &head.attrs.key {
            let field = fields.iter_mut().find(|field| field.ident == *part);
            if let Some(field) = field {
                field.attrs.readonly.get_or_insert(part.span());
            }
        }
        Some(Self { head, fields })
    }
}

/// A key is unique; none if there is none.
fn key_index(parts: &[Ident]) -> Option<Index> {
    let keys = parts
        .iter()
        .map(|part| IndexKey::ordered(part.clone(), Direction::Ascending));
    Some(Index {
        unique: true,
        keys: keys.collect(),
        ..Index::new(parts.first()?.span())
    })
}

/// Each of `index`, `unique` and `ttl` on a field declares an index of its own; so does an id that is not stored as `_id`.
fn field_indexes(field: &Field) -> Vec<Index> {
    let over = |span, direction| {
        let mut index = Index::new(span);
        index.keys.push(IndexKey::ordered(field.ident.clone(), direction));
        index
    };
    let attrs = &field.attrs;
    let plain = attrs.index.as_ref().map(|index| over(index.span, index.value));
    let own_id = attrs.stored_as.as_ref().filter(|_| field.role == Role::Id);
    let unique = match (&attrs.unique, own_id) {
        (Some(unique), _) => Some((unique.span, unique.value)),
        (None, Some(name)) => Some((name.span, UniqueScope::Tenant)),
        (None, None) => None,
    };
    let unique = unique.map(|(span, scope)| Index {
        unique: true,
        global: scope == UniqueScope::Global,
        ..over(span, Direction::Ascending)
    });
    let ttl = attrs.ttl.as_ref().map(|ttl| Index {
        ttl: Some(ttl.clone()),
        ..over(ttl.span, Direction::Ascending)
    });
    plain.into_iter().chain(unique).chain(ttl).collect()
}

/// A type with `#[derive(Embedded)]`.
#[derive(Debug)]
pub(crate) struct Embedded {
    pub(crate) head: Head,
    pub(crate) body: Body,
}

/// Its kind.
#[derive(Debug)]
pub(crate) enum Body {
    Struct(Vec<Field>),
    /// A struct around one value.
    Newtype(Box<Type>),
    Enum(Vec<Variant>),
}

/// A variant of an enum.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) stored: String,
    pub(crate) body: VariantBody,
}

/// What a variant holds.
#[derive(Debug)]
pub(crate) enum VariantBody {
    Unit,
    Newtype(Box<Field>),
    Struct(Vec<Field>),
}

impl Variant {
    /// Its fields; the one of a newtype variant is stored as `value`.
    pub(crate) fn fields(&self) -> &[Field] {
        match &self.body {
            VariantBody::Unit => &[],
            VariantBody::Newtype(field) => std::slice::from_ref(field),
            VariantBody::Struct(fields) => fields,
        }
    }
}

impl Embedded {
    /// Reads the declaration; none if it has a shape that cannot be stored.
    pub(crate) fn read(cx: &Ctxt, input: &DeriveInput) -> Option<Self> {
        let place = if matches!(input.data, syn::Data::Enum(_)) {
            Place::Enum
        } else {
            Place::Struct
        };
        let head = Head::read(cx, place, input);
        let style = head.attrs.rename_all;
        let body = match shape::embedded(cx, input)? {
            shape::Embedded::Struct(data) => {
                let mut fields = fields(cx, Place::Inner, data, style);
                if let Some(span) = head.attrs.defaults {
                    default_by_type(&mut fields, span);
                }
                Body::Struct(fields)
            }
            shape::Embedded::Newtype(ty) => Body::Newtype(Box::new(ty.clone())),
            shape::Embedded::Enum(data) => Body::Enum(variants(cx, data, style)?),
        };
        Some(Self { head, body })
    }
}

/// `defaults` gives a field that names no default that of its type; an `Option` is left out as it is.
fn default_by_type(fields: &mut [Field], span: Span) {
    for field in fields.iter_mut().filter(|field| !field.is_optional()) {
        field.attrs.default = Some(DefaultValue::Trait(span));
    }
}

impl Head {
    pub(crate) fn read(cx: &Ctxt, place: Place, input: &DeriveInput) -> Self {
        let attrs = Container::read(cx, place, &input.attrs);
        Self {
            ident: input.ident.clone(),
            vis: input.vis.clone(),
            krate: attrs.krate.clone(),
            doc: doc(&input.attrs),
            attrs,
        }
    }
}

fn fields(cx: &Ctxt, place: Place, data: &DataStruct, style: Option<Case>) -> Vec<Field> {
    data.fields
        .iter()
        .filter_map(|field| self::field(cx, place, field, style))
        .collect()
}

fn field(cx: &Ctxt, place: Place, field: &syn::Field, style: Option<Case>) -> Option<Field> {
    let attrs = FieldAttrs::read(cx, place, &field.attrs);
    named(field, attrs, Role::Plain, style)
}

fn named(field: &syn::Field, attrs: FieldAttrs, role: Role, style: Option<Case>) -> Option<Field> {
    let ident = field.ident.clone()?;
    let name = ident.unraw().to_string();
    let renamed = match (&attrs.rename, style) {
        (Some(rename), _) => rename.value.clone(),
        (None, Some(style)) if role != Role::Id => style.field(&name),
        (None, _) => name.clone(),
    };
    let stored = match role {
        Role::Id => match &attrs.stored_as {
            Some(name) => name.value.clone(),
            None => ID.to_owned(),
        },
        Role::Revision => REVISION.to_owned(),
        _ => renamed.clone(),
    };
    Some(Field {
        vis: field.vis.clone(),
        ty: field.ty.clone(),
        docs: docs(&field.attrs),
        doc: doc(&field.attrs),
        json: renamed,
        ident,
        name,
        stored,
        role,
        attrs,
    })
}

fn variants(cx: &Ctxt, data: &DataEnum, style: Option<Case>) -> Option<Vec<Variant>> {
    let variants: Vec<_> = data
        .variants
        .iter()
        .map(|variant| self::variant(cx, variant, style))
        .collect();
    variants.into_iter().collect()
}

fn variant(cx: &Ctxt, variant: &syn::Variant, style: Option<Case>) -> Option<Variant> {
    let attrs = VariantAttrs::read(cx, &variant.attrs);
    let name = variant.ident.unraw().to_string();
    let stored = match (attrs.rename, style) {
        (Some(rename), _) => rename.value,
        (None, Some(style)) => style.variant(&name),
        (None, None) => name,
    };
    let body = match &variant.fields {
        Fields::Unit => VariantBody::Unit,
        Fields::Named(named) => VariantBody::Struct(
            named
                .named
                .iter()
                .filter_map(|field| self::field(cx, Place::VariantField, field, None))
                .collect(),
        ),
        Fields::Unnamed(_) => {
            let inner = shape::newtype_variant(cx, variant)?;
            let named = syn::Field {
                ident: Some(Ident::new("value", variant.ident.span())),
                ..inner.clone()
            };
            VariantBody::Newtype(Box::new(field(cx, Place::VariantField, &named, None)?))
        }
    };
    Some(Variant {
        ident: variant.ident.clone(),
        docs: docs(&variant.attrs),
        stored,
        body,
    })
}
