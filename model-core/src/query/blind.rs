//! Look-ups by keyed tokens: the filter holds the value until the engine, which has the keys, puts tokens in its place.

use std::fmt;

use bson::spec::BinarySubtype;
use bson::{Binary, Bson};

use super::field::{Field, UniqueField};
use super::filter::{Filter, Lookup, Node, Test};
use crate::crypto::{Plaintext, TOKEN_LEN};
use crate::schema::{reserved, token_index};
use crate::value::{Token, TokenDigest};

/// The subtype of tokens: "sensitive".
const SENSITIVE: u8 = 8;

/// A test for one of several secret values, not yet turned into tokens. It has no text form, is rendered for no store and
/// matches no document.
#[derive(Clone, PartialEq)]
pub(crate) struct Blind {
    /// The name of the index, by which its key is derived.
    pub(crate) index: String,
    /// Whether one key serves all tenants.
    pub(crate) global: bool,
    /// How long a token is, without its version.
    pub(crate) length: usize,
    /// How many bits of it are stored, if not all.
    pub(crate) bits: Option<u8>,
    pub(crate) values: Vec<Plaintext>,
}

impl fmt::Debug for Blind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl Blind {
    /// The test for the tokens of the values, as `token` makes them: each value has one for each key that is in use.
    pub(crate) fn resolved<E>(&self, token: impl Fn(&[u8]) -> Result<Vec<Vec<u8>>, E>) -> Result<Test, E> {
        let mut tokens = Vec::new();
        for value in &self.values {
            tokens.extend(token(value)?.into_iter().map(|bytes| {
                Bson::Binary(Binary {
                    subtype: BinarySubtype::from(SENSITIVE),
                    bytes,
                })
            }));
        }
        Ok(Test::In(tokens))
    }
}

impl Node {
    /// Whether a secret value stands in the filter.
    pub(crate) fn is_blind(&self) -> bool {
        match self {
            Self::Everything | Self::Nothing | Self::Words(_) => false,
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().any(Self::is_blind),
            Self::Not(inner) | Self::Outside(inner) => inner.is_blind(),
            Self::Field { test, .. } => match test {
                Test::Blind(_) => true,
                Test::ElemMatch(inner) => inner.is_blind(),
                _ => false,
            },
        }
    }

    /// Whether a secret value stands in it that a store finds too much by.
    pub(crate) fn is_truncated(&self) -> bool {
        match self {
            Self::Everything | Self::Nothing | Self::Words(_) => false,
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().any(Self::is_truncated),
            Self::Not(inner) | Self::Outside(inner) => inner.is_truncated(),
            Self::Field { test, .. } => matches!(test, Test::Blind(blind) if blind.bits.is_some()),
        }
    }

    /// Makes the filter select what a store has to be asked for, where it cannot tell: under a negation, where truncated
    /// tokens would leave out too much, everything.
    pub(crate) fn relax(&mut self, negated: bool) {
        match self {
            Self::Everything | Self::Nothing | Self::Words(_) => {}
            Self::And(nodes) | Self::Or(nodes) => nodes.iter_mut().for_each(|node| node.relax(negated)),
            Self::Not(inner) => inner.relax(!negated),
            Self::Outside(inner) => inner.relax(negated),
            Self::Field { .. } => {
                if negated && self.is_truncated() {
                    *self = Self::Nothing;
                }
            }
        }
    }

    /// Lets the tests by truncated tokens ask for whole ones, under [`SIFTED`]. What words find, the store alone knows.
    pub(crate) fn widen(&mut self) {
        match self {
            Self::Everything | Self::Nothing => {}
            Self::Words(_) => *self = Self::Everything,
            Self::And(nodes) | Self::Or(nodes) => nodes.iter_mut().for_each(Self::widen),
            Self::Not(inner) | Self::Outside(inner) => inner.widen(),
            Self::Field { path, test } => {
                if let Test::Blind(blind) = test
                    && blind.bits.take().is_some()
                    && let Some(field) = path.strip_prefix(reserved::BLIND_INDEX)
                {
                    *path = format!("{SIFTED}{field}").into();
                }
            }
        }
    }

    /// Puts another test in the place of every secret value.
    pub(crate) fn resolve<E>(&mut self, resolve: &impl Fn(&Blind) -> Result<Test, E>) -> Result<(), E> {
        match self {
            Self::Everything | Self::Nothing | Self::Words(_) => Ok(()),
            Self::And(nodes) | Self::Or(nodes) => nodes.iter_mut().try_for_each(|node| node.resolve(resolve)),
            Self::Not(inner) | Self::Outside(inner) => inner.resolve(resolve),
            Self::Field { test, .. } => {
                match test {
                    Test::Blind(blind) => *test = resolve(blind)?,
                    Test::ElemMatch(inner) => inner.resolve(resolve)?,
                    _ => {}
                }
                Ok(())
            }
        }
    }
}

/// Where the whole tokens of values with truncated ones stand while documents are sifted: in no stored document.
pub(crate) const SIFTED: &str = "_bx";

/// The length of a blind-index token, without its version: no two values have the same in practice.
pub(crate) const BLIND_LEN: usize = 16;

fn token(path: &str, token: &Token) -> Node {
    Node::field(
        path.to_owned(),
        Test::Blind(Blind {
            index: token_index(path),
            global: true,
            length: TOKEN_LEN,
            bits: None,
            values: vec![token.expose().as_bytes().to_vec().into()],
        }),
    )
}

impl<M: 'static> Field<M, TokenDigest> {
    /// The field is the digest of this token.
    pub fn is(&self, presented: &Token) -> Filter<M> {
        Filter::from_node(token(self.path(), presented))
    }
}

impl<M: 'static> Field<M, Option<TokenDigest>> {
    /// The field is the digest of this token.
    pub fn is(&self, presented: &Token) -> Filter<M> {
        Filter::from_node(token(self.path(), presented))
    }
}

impl<M: 'static> UniqueField<M, TokenDigest> {
    /// The key of the one document, of whatever tenant, that has the digest of this token.
    pub fn lookup_token(&self, presented: &Token) -> Lookup<M> {
        Lookup::new(self.is(presented))
    }
}

impl<M: 'static> UniqueField<M, Option<TokenDigest>> {
    /// The key of the one document, of whatever tenant, that has the digest of this token.
    pub fn lookup_token(&self, presented: &Token) -> Lookup<M> {
        Lookup::new(self.is(presented))
    }
}
