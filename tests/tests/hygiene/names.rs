//! A module that calls its own things by the names that the standard library and the expansion use.
#![allow(dead_code, clippy::struct_excessive_bools)]

use ::std::option::Option as Maybe;

/// Not the standard library's.
#[derive(Debug)]
pub struct Option;
/// Not the standard library's.
#[derive(Debug)]
pub struct Result;
/// Not the standard library's.
#[derive(Debug)]
pub struct String;
/// Not the standard library's.
#[derive(Debug)]
pub struct Vec;
/// Not the standard library's.
#[derive(Debug)]
pub struct Ok;
/// Not the standard library's.
#[derive(Debug)]
pub struct Err;
/// Not the standard library's.
#[derive(Debug)]
pub struct Some;
/// Not the standard library's.
#[derive(Debug)]
pub struct None;
/// Not the standard library's.
#[derive(Debug)]
pub struct Box;
/// Not the runtime's.
#[derive(Debug)]
pub struct Field;
/// Not the runtime's.
#[derive(Debug)]
pub struct Edit;
/// Not the runtime's.
#[derive(Debug)]
pub struct Model;
/// Not the runtime's.
#[derive(Debug)]
pub struct Value;
/// Not the standard library's.
pub trait Default {}
/// Not the standard library's.
pub trait Clone {}
/// Not the standard library's.
pub trait Into {}
/// Not the standard library's.
pub trait Debug {}
/// Not the standard library's.
pub trait From {}
/// Not the crate.
pub mod core {}
/// Not the crate.
pub mod std {}
/// Not the crate.
pub mod serde {}
/// Not the crate.
pub mod model_core {}

/// A type with the name of a type parameter.
#[derive(::core::clone::Clone, ::model_core::Embedded)]
pub enum M {
    /// A variant.
    S,
    /// A variant with the name of another.
    D(::std::string::String),
}

/// Every field is called like a local of the expansion, or by a raw name.
#[derive(::core::clone::Clone, ::model_core::Model)]
#[model(collection = "names", index(r#type, value = desc), virtuals(shown: ::std::string::String))]
pub struct Names {
    /// The id.
    #[model(id)]
    pub id: ::model_core::Id<Names>,
    /// The tenant.
    #[model(tenant)]
    pub stamp: ::model_core::TenantId,
    /// A raw name.
    pub r#type: ::std::string::String,
    /// A raw name.
    #[model(readonly)]
    pub r#match: Maybe<::std::string::String>,
    /// A local's name.
    pub new: M,
    /// A local's name.
    #[model(default = 1)]
    pub value: u32,
    /// A local's name.
    #[model(default = "x", validate = check)]
    pub cx: ::std::string::String,
    /// A local's name.
    pub keys: ::std::vec::Vec<M>,
    /// A local's name.
    #[model(default_with = ::std::vec::Vec::new)]
    pub out: ::std::vec::Vec<::std::string::String>,
    /// A local's name.
    pub patch: Maybe<Parts>,
    /// A local's name.
    pub field_0: bool,
    /// A local's name.
    pub visitor: bool,
    /// A local's name.
    pub f: bool,
    /// A local's name.
    pub before: bool,
    /// A local's name.
    pub handles: bool,
}

/// Every field is called like a local of the expansion.
#[derive(::core::clone::Clone, ::model_core::Embedded)]
pub struct Parts {
    /// A local's name.
    pub path: ::std::string::String,
    /// A local's name.
    pub field: bool,
    /// A local's name.
    pub key: bool,
    /// A local's name.
    #[model(readonly)]
    pub input: bool,
    /// A local's name.
    pub constraints: bool,
    /// A local's name.
    pub value: Unit,
}

/// Variants that are called like the standard library's.
#[derive(::core::clone::Clone, Copy, PartialEq, Eq, ::model_core::Embedded)]
pub enum Unit {
    /// A variant.
    Some,
    /// A variant.
    None,
    /// A variant.
    Ok,
}

/// A newtype.
#[derive(::core::clone::Clone, ::model_core::Embedded)]
pub struct Text(pub ::std::string::String);

impl Names {
    fn shown(&self) -> ::std::string::String {
        self.r#type.clone()
    }
}

fn check(text: &str) -> ::std::result::Result<(), &'static str> {
    if text.is_empty() {
        ::std::result::Result::Err("must not be empty")
    } else {
        ::std::result::Result::Ok(())
    }
}

crate::allow_all!(Names);

#[test]
fn raw_names_are_stored_without_the_mark() {
    let stored: ::std::vec::Vec<&str> = <Names as ::model_core::Model>::schema()
        .fields
        .iter()
        .map(|field| field.stored)
        .collect();
    assert_eq!(
        stored.get(..4),
        ::std::option::Option::Some(&["_id", "stamp", "type", "match"][..])
    );
}
