//! The static metadata of indexes.

use proc_macro2::{Literal as Token, TokenStream};
use syn::ext::IdentExt as _;

use super::schema::number;
use crate::attr::{Collation, Condition, Direction, Index, IndexKey, KeyForm, Literal, Relation};
use crate::check::dotted;

/// `IndexSpec::new(..)`
pub(super) fn one(index: &Index) -> TokenStream {
    let keys = index.keys.iter().map(key);
    let name = index.name.as_ref().map(|name| emit!(.name(#name)));
    let unique = index.unique.then(|| emit!(.unique()));
    let ttl = index.ttl.as_ref().map(|ttl| {
        let seconds = Token::u64_unsuffixed(ttl.value);
        emit!(.expire_after_seconds(#seconds))
    });
    let exists = (!index.exists.is_empty()).then(|| {
        let fields = index.exists.iter().map(|field| field.unraw().to_string());
        emit!(.exists(&[#(#fields),*]))
    });
    let conditions = (!index.conditions.is_empty()).then(|| {
        let conditions = index.conditions.iter().map(condition);
        emit!(.conditions(const { &[#(#conditions),*] }))
    });
    let sparse = index.sparse.map(|_| emit!(.sparse()));
    let hidden = index.hidden.then(|| emit!(.hidden()));
    let collation = index.collation.as_ref().map(collation);
    let language = index.language.as_ref().map(|language| {
        let language = &language.value;
        emit!(.language(#language))
    });
    let language_override = index.language_override.as_ref().map(|field| {
        let field = &field.value;
        emit!(.language_override(#field))
    });
    let replaces = (!index.replaces.is_empty()).then(|| {
        let names = index.replaces.iter().map(|name| &name.value);
        emit!(.replaces(&[#(#names),*]))
    });
    let projected = index.projected.as_ref().map(|(only, fields)| {
        let fields = fields.iter().map(|field| field.unraw().to_string());
        if *only {
            emit!(.only(&[#(#fields),*]))
        } else {
            emit!(.except(&[#(#fields),*]))
        }
    });
    let global = index.global.then(|| emit!(.global()));
    emit! {
        __model::IndexSpec::new(const { &[#(#keys),*] })
            #name #unique #ttl #exists #conditions #sparse #hidden #collation #language #language_override #replaces
            #projected #global
    }
}

/// `IndexKey::ascending(..)`
pub(super) fn key(key: &IndexKey) -> TokenStream {
    let path = dotted(&key.path);
    let form = match key.form {
        KeyForm::Ordered(Direction::Ascending) => return emit!(__model::IndexKey::ascending(#path)),
        KeyForm::Ordered(Direction::Descending) => return emit!(__model::IndexKey::descending(#path)),
        KeyForm::Text(weight) => {
            let weight = Token::u32_unsuffixed(weight);
            emit!(Text { weight: #weight })
        }
        KeyForm::Hashed => emit!(Hashed),
        KeyForm::Sphere => emit!(Sphere),
        KeyForm::Wildcard => emit!(Wildcard),
    };
    emit!(__model::IndexKey::new(#path, __model::KeyForm::#form))
}

fn condition(condition: &Condition) -> TokenStream {
    let path = dotted(&condition.path);
    let comparison = match condition.comparison {
        Relation::Eq => emit!(Eq),
        Relation::Gt => emit!(Gt),
        Relation::Gte => emit!(Gte),
        Relation::Lt => emit!(Lt),
        Relation::Lte => emit!(Lte),
    };
    let literal = literal(&condition.literal);
    emit!(__model::Condition::new(#path, __model::Relation::#comparison, #literal))
}

fn collation(collation: &Collation) -> TokenStream {
    let locale = &collation.locale;
    let options = collation.options.iter().map(|(name, value)| {
        let value = literal(value);
        emit!((#name, #value))
    });
    emit!(.collation(__model::Collation::new(#locale, const { &[#(#options),*] })))
}

fn literal(literal: &Literal) -> TokenStream {
    match literal {
        Literal::Bool(value) => emit!(__model::Literal::Bool(#value)),
        Literal::Number(value) => {
            let value = number(*value);
            emit!(__model::Literal::Number(#value))
        }
        Literal::Text(value) => emit!(__model::Literal::Text(#value)),
    }
}
