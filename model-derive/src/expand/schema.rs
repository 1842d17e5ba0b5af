//! The static metadata.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use syn::ext::IdentExt as _;

use super::{form, index, values, view};
use crate::ast::{Field, Head, ID, Model};
use crate::attr::{
    Audit, BlindIndex, BlindNormaliser, Bounds, DeleteRule, Filterable, IdForm, IndexKey, KeyForm,
    Normaliser, Number, Role, Rule, Seal, Similarity, Term,
};
use crate::case;
use crate::check::dotted;

/// The statics of one list of fields: patterns, and the array of schemas called `name`.
pub(super) fn fields(name: &Ident, fields: &[Field]) -> TokenStream {
    let patterns = fields.iter().enumerate().filter_map(|(index, field)| {
        let source = field.attrs.rules.iter().find_map(|rule| match rule {
            Rule::Pattern(source) => Some(source),
            _ => None,
        })?;
        let pattern = pattern_name(name, index);
        Some(emit!(static #pattern: __model::Pattern = __model::Pattern::new(#source);))
    });
    let schemas = fields
        .iter()
        .enumerate()
        .map(|(index, field)| one_field(&pattern_name(name, index), field));
    let count = fields.len();
    emit! {
        #(#patterns)*
        static #name: [__model::FieldSchema; #count] = [#(#schemas),*];
    }
}

fn pattern_name(fields: &Ident, index: usize) -> Ident {
    Ident::new(&format!("{fields}_PATTERN_{index}"), Span::mixed_site())
}

fn one_field(pattern: &Ident, field: &Field) -> TokenStream {
    let (name, stored, json, attrs) = (&field.name, &field.stored, &field.json, &field.attrs);
    let ty = &field.ty;
    let json = (stored != json).then(|| emit!(.json(#json)));
    let role = match field.role {
        Role::Plain => None,
        Role::Id => Some(emit!(Id)),
        Role::Tenant => Some(emit!(Tenant)),
        Role::CreatedAt => Some(emit!(CreatedAt)),
        Role::UpdatedAt => Some(emit!(UpdatedAt)),
        Role::Revision => Some(emit!(Revision)),
    };
    let role = role.map(|role| emit!(.role(__model::FieldRole::#role)));
    let hidden = attrs.hidden.then(|| emit!(.hidden()));
    let readonly = attrs.readonly.map(|_| emit!(.readonly()));
    let skip_updated_at = attrs.skip_updated_at.then(|| emit!(.skip_updated_at()));
    let skip_audit = attrs.skip_audit.then(|| emit!(.skip_audit()));
    let default = attrs.has_default().then(|| emit!(.with_default()));
    let normalisers = attrs.normalise.iter().map(|normaliser| match normaliser {
        Normaliser::Trim => emit!(__model::Normaliser::Trim),
        Normaliser::Lowercase => emit!(__model::Normaliser::Lowercase),
        Normaliser::Uppercase => emit!(__model::Normaliser::Uppercase),
    });
    let normalise = (!attrs.normalise.is_empty()).then(|| emit!(.normalise(&[#(#normalisers),*])));
    let rules = attrs.rules.iter().map(|rule| one_rule(pattern, rule));
    let rules = (!attrs.rules.is_empty()).then(|| emit!(.rules(&[#(#rules),*])));
    let filterable = attrs.filterable.as_ref().map(|filterable| {
        let comparisons = comparisons(filterable);
        emit!(.filterable(#comparisons, __model::read_operand::<#ty>))
    });
    let sortable = attrs
        .sortable
        .then(|| emit!(.sortable(__model::assert_comparable::<#ty>)));
    let blind = attrs.blind.as_ref().map(|blind| one_blind(blind.value));
    let pad = attrs.pad.map(|bytes| emit!(.pad(#bytes)));
    let legacy = attrs.legacy_plaintext.map(|until| {
        let term = term(until);
        emit!(.legacy_plaintext(#term))
    });
    let old_format = attrs.old_format.as_ref().map(|(name, until)| {
        let term = term(*until);
        emit!(.old_format(#name, #term))
    });
    let since = attrs.since.as_ref().map(|since| {
        let version = since.value;
        emit!(.since(#version))
    });
    let on_delete = attrs.on_delete.as_ref().map(|on_delete| {
        let name = match on_delete.value {
            DeleteRule::Cascade => emit!(Cascade),
            DeleteRule::Restrict => emit!(Restrict),
            DeleteRule::Nullify => emit!(Nullify),
            DeleteRule::Pull => emit!(Pull),
        };
        emit!(.on_delete(__model::DeleteRule::#name))
    });
    let subject = attrs.subject.map(|_| emit!(.subject()));
    let pii = values::erased(field).map(|value| emit!(.pii(|| __model::boxed::<#ty>(#value))));
    let vector = attrs.vector.map(|vector| {
        let name = match vector.similarity {
            Similarity::Cosine => emit!(Cosine),
            Similarity::Dot => emit!(Dot),
            Similarity::Euclidean => emit!(Euclidean),
        };
        emit!(.similarity(__model::Similarity::#name, __model::assert_vectors::<#ty>))
    });
    let doc = doc(&field.doc);
    emit! {
        __model::field::<#ty>(#name, #stored)
            #json #role #hidden #readonly #skip_updated_at #skip_audit #default #normalise #rules
            #filterable #sortable #blind #pad #legacy #old_format #since #on_delete #subject #pii #vector #doc
    }
}

fn term(until: Term) -> TokenStream {
    match until {
        Some((year, month, day)) => emit!(__model::Term::until(#year, #month, #day)),
        None => emit!(__model::Term::OPEN),
    }
}

fn comparisons(filterable: &Filterable) -> TokenStream {
    match filterable {
        Filterable::Plain => emit!(__model::Comparison::PLAIN),
        Filterable::Listed(names) => {
            let names = names.iter().map(|name| Ident::new(name, Span::mixed_site()));
            emit!(&[#(__model::Comparison::#names),*])
        }
    }
}

fn doc(text: &str) -> Option<TokenStream> {
    (!text.is_empty()).then(|| emit!(.doc(#text)))
}

fn option<T>(value: Option<T>, tokens: impl FnOnce(T) -> TokenStream) -> TokenStream {
    match value.map(tokens) {
        Some(value) => emit!(__model::Option::Some(#value)),
        None => emit!(__model::Option::None),
    }
}

fn counts(bounds: Bounds<usize>) -> TokenStream {
    let count = |count: usize| {
        let count = Literal::usize_unsuffixed(count);
        emit!(#count)
    };
    let (min, max) = (option(bounds.min, count), option(bounds.max, count));
    emit!({ min: #min, max: #max })
}

pub(super) fn number(number: Number) -> TokenStream {
    match number {
        Number::Int(number) => emit!(__model::Number::Int(#number)),
        Number::Float(number) => emit!(__model::Number::Float(#number)),
    }
}

fn one_rule(pattern: &Ident, rule: &Rule) -> TokenStream {
    match rule {
        Rule::Len(bounds) => {
            let bounds = counts(*bounds);
            emit!(__model::Rule::Len #bounds)
        }
        Rule::Items(bounds) => {
            let bounds = counts(*bounds);
            emit!(__model::Rule::Items #bounds)
        }
        Rule::Range(bounds) => {
            let (min, max) = (option(bounds.min, number), option(bounds.max, number));
            emit!(__model::Rule::Range { min: #min, max: #max })
        }
        Rule::Pattern(_) => emit!(__model::Rule::Pattern(&#pattern)),
        Rule::Email => emit!(__model::Rule::Email),
        Rule::Url => emit!(__model::Rule::Url),
        Rule::OneOf(allowed) => {
            let allowed = allowed.iter().map(|text| &text.value);
            emit!(__model::Rule::OneOf(&[#(#allowed),*]))
        }
    }
}

/// `IdKind::..`
pub(super) fn id_kind(head: &Head) -> TokenStream {
    let attrs = &head.attrs;
    let prefix = attrs.id_prefix.as_ref().map(|prefix| prefix.value.as_str());
    match (prefix, attrs.id_form.as_ref().map(|form| form.value)) {
        (Some(_), _) | (None, Some(IdForm::String)) => {
            let prefix = prefix.unwrap_or_default();
            emit!(__model::IdKind::String { prefix: #prefix })
        }
        (None, Some(IdForm::Uuid)) => emit!(__model::IdKind::Uuid),
        (None, Some(IdForm::ObjectId) | None) => emit!(__model::IdKind::ObjectId),
    }
}

/// The statics of a model.
pub(super) fn model(model: &Model) -> TokenStream {
    let attrs = &model.head.attrs;
    let name = model.head.ident.unraw().to_string();
    let collection = attrs
        .collection
        .as_ref()
        .map(|collection| collection.value.as_str())
        .unwrap_or_default();
    let tenancy = match model.role(Role::Tenant) {
        Some(tenant) => {
            let field = &tenant.stored;
            emit!(__model::Tenancy::Tenant { field: #field })
        }
        None => emit!(__model::Tenancy::Global),
    };
    let id = id_kind(&model.head);
    let fields = fields(&Ident::new("__MODEL_FIELDS", Span::mixed_site()), &model.fields);
    let id_field = model.role(Role::Id).map(|field| field.stored.as_str());
    let id_field = id_field
        .filter(|stored| *stored != ID)
        .map(|stored| emit!(.id_field(#stored)));
    let parts = model.key().map(|field| &field.stored);
    let key = (!attrs.key.is_empty()).then(|| emit!(.key(&[#(#parts),*])));
    let version = attrs.version.map(|version| emit!(.version(#version)));
    let blind = model.fields.iter().filter_map(blind_index);
    let outbox = attrs.audit.as_ref().filter(|audit| audit.outbox).map(|_| {
        emit! {
            __model::IndexSpec::new(const { &[__model::IndexKey::ascending("_outbox.purge")] })
                .exists(&["_outbox"]) .global()
        }
    });
    let sharded = shard_index(model);
    let indexes: Vec<_> = model
        .indexes()
        .iter()
        .map(index::one)
        .chain(blind)
        .chain(outbox)
        .chain(sharded)
        .collect();
    let count = indexes.len();
    let indexes =
        (count > 0).then(|| emit!(static __MODEL_INDEXES: [__model::IndexSpec; #count] = [#(#indexes),*];));
    let with_indexes = (count > 0).then(|| emit!(.indexes(&__MODEL_INDEXES)));
    let audit = attrs.audit.as_ref().map(|audit| one_audit(model, audit));
    let soft_delete = attrs.soft_delete.map(|_| emit!(.soft_delete()));
    let append_only = attrs.is_written_once().then(|| emit!(.append_only()));
    let form = form::of(model);
    let singleton = attrs.singleton.map(|_| emit!(.singleton()));
    let watch = attrs.watch.map(|_| emit!(.watch()));
    let shard_key = attrs.shard_key.as_ref().map(|key| {
        let keys = key.value.iter().map(index::key);
        emit!(.shard_key(const { &[#(#keys),*] }))
    });
    let virtuals = view::virtual_keys(&model.head);
    let validator = attrs.validator.as_ref().map(|validator| {
        let level = if validator.moderate { emit!(Moderate) } else { emit!(Strict) };
        let action = if validator.warn { emit!(Warn) } else { emit!(Error) };
        emit! {
            .validator(__model::ValidatorSpec::new(__model::ValidatorLevel::#level, __model::ValidatorAction::#action))
        }
    });
    let seal = attrs.seal.as_ref().map(|seal| one_seal(model, seal));
    let doc = doc(&model.head.doc);
    emit! {
        #fields
        #indexes
        static __MODEL_SCHEMA: __model::ModelSchema =
            __model::ModelSchema::new(#name, #collection, #tenancy, #id, &__MODEL_FIELDS)
                #id_field #key #version #with_indexes #audit #soft_delete #append_only #singleton #virtuals #validator #seal #watch #shard_key #form #doc;
    }
}

fn one_seal(model: &Model, seal: &Seal) -> TokenStream {
    let stored = seal.fields.iter().filter_map(|name| {
        let field = model.fields.iter().find(|field| field.ident == *name);
        field.map(|field| &field.stored)
    });
    let unsealed = seal.unsealed_until.map(|day| {
        let term = term(Some(day));
        emit!(.unsealed(#term))
    });
    emit!(.seal(__model::SealSpec::new(&[#(#stored),*]) #unsealed))
}

/// The server asks for an index over the shard key. That over the ids is there already.
fn shard_index(model: &Model) -> Option<TokenStream> {
    let keys = &model.head.attrs.shard_key.as_ref()?.value;
    let is_id = |part: &Ident| model.role(Role::Id).is_some_and(|id| id.ident == *part);
    let by_id =
        matches!(keys.as_slice(), [only] if only.form != KeyForm::Hashed && only.path.iter().all(is_id));
    let declared = model.indexes().iter().any(|index| {
        let names = |keys: &[IndexKey]| {
            keys.iter()
                .map(|key| (dotted(&key.path), key.form))
                .collect::<Vec<_>>()
        };
        index.global && names(&index.keys) == names(keys)
    });
    let keys = keys.iter().map(index::key);
    (!by_id && !declared).then(|| emit!(__model::IndexSpec::new(const { &[#(#keys),*] }).global()))
}

fn one_blind(blind: BlindIndex) -> TokenStream {
    let normalise = match blind.normalise {
        BlindNormaliser::Exact => None,
        BlindNormaliser::Email => Some(emit!(Email)),
        BlindNormaliser::Digits => Some(emit!(Digits)),
    };
    let normalise = normalise.map(|normaliser| emit!(.normalise(__model::BlindNormaliser::#normaliser)));
    let unique = blind.unique.then(|| emit!(.unique()));
    let global = blind.global.then(|| emit!(.global()));
    let bits = blind.bits.map(|bits| emit!(.bits(#bits)));
    emit!(.blind(__model::BlindSpec::new() #normalise #unique #global #bits))
}

/// The index over the tokens of a field.
fn blind_index(field: &Field) -> Option<TokenStream> {
    let blind = field.attrs.blind.as_ref()?.value;
    let path = format!("_bi.{}", field.stored);
    let unique = blind.unique.then(|| emit!(.unique()));
    let global = blind.global.then(|| emit!(.global()));
    Some(emit! {
        __model::IndexSpec::new(const { &[__model::IndexKey::ascending(#path)] }) #unique .exists(&[#path]) #global
    })
}

fn one_audit(model: &Model, audit: &Audit) -> TokenStream {
    let entity = audit
        .entity
        .clone()
        .unwrap_or_else(|| case::snake(&model.head.ident.unraw().to_string()));
    let event =
        |name: &Option<String>, verb: &str| name.clone().unwrap_or_else(|| format!("{entity}.{verb}"));
    let (create, update, delete) = (
        event(&audit.create, "create"),
        event(&audit.update, "update"),
        event(&audit.delete, "delete"),
    );
    let named = audit
        .name
        .as_ref()
        .and_then(|name| model.fields.iter().find(|field| field.ident == *name));
    let name_field = named.map(|field| {
        let stored = &field.stored;
        emit!(.name_field(#stored))
    });
    let outbox = audit.outbox.then(|| emit!(.outbox()));
    emit!(.audit(__model::AuditSpec::new(#entity, #create, #update, #delete) #name_field #outbox))
}
