//! Filters: which documents.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr, Not};

use bson::Bson;

use super::blind::Blind;
use super::words::Words;

/// What one field must satisfy. This is the table of operators: each has its rendering in `render.rs`, its meaning in
/// `evaluate.rs`, and its case in the test that holds the two together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    Eq(Bson),
    Ne(Bson),
    Gt(Bson),
    Gte(Bson),
    Lt(Bson),
    Lte(Bson),
    In(Vec<Bson>),
    NotIn(Vec<Bson>),
    Exists(bool),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    /// A part of a text, whatever the case of its letters.
    IgnoreCase(Part, String),
    /// Divided by the first, the second is left over.
    Remainder(i64, i64),
    Size(u32),
    All(Vec<Bson>),
    ElemMatch(Box<Node>),
    /// One element that is a single value satisfies the conditions, whose paths are empty.
    Element(Box<Node>),
    /// A secret value: the engine puts its tokens in its place.
    Blind(Blind),
}

/// Which part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    Start,
    Any,
}

/// A filter without its model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// Every document.
    Everything,
    /// No document.
    Nothing,
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// Somebody outside asks this: of what that actor is not shown, it asks nothing.
    Outside(Box<Node>),
    Field {
        path: Cow<'static, str>,
        test: Test,
    },
    /// Words, in the fields of the text index: asked of a whole query alone, side by side with its filter.
    Words(Box<Words>),
}

impl Node {
    /// How deep the filter nests.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::Everything | Self::Nothing => 0,
            Self::And(nodes) | Self::Or(nodes) => 1 + nodes.iter().map(Self::depth).max().unwrap_or_default(),
            Self::Outside(inner) => inner.depth(),
            Self::Not(inner)
            | Self::Field {
                test: Test::ElemMatch(inner),
                ..
            } => 1 + inner.depth(),
            // A disjunction is a negation of negations there.
            Self::Field {
                test: Test::Element(inner),
                ..
            } => 1 + 2 * inner.depth(),
            Self::Field { .. } | Self::Words(_) => 1,
        }
    }

    /// As somebody outside asks it.
    pub(crate) fn asked_outside(self) -> Self {
        match self {
            Self::Everything | Self::Nothing => self,
            node => Self::Outside(Box::new(node)),
        }
    }

    /// The same of a document that lies at `parent` in another one; none if it cannot be asked there.
    #[cfg(feature = "mongo")]
    pub(crate) fn below(&self, parent: &str) -> Option<Self> {
        let all =
            |nodes: &[Self]| -> Option<Vec<Self>> { nodes.iter().map(|node| node.below(parent)).collect() };
        Some(match self {
            Self::Everything | Self::Nothing => self.clone(),
            Self::And(nodes) => Self::And(all(nodes)?),
            Self::Or(nodes) => Self::Or(all(nodes)?),
            Self::Not(inner) => Self::Not(Box::new(inner.below(parent)?)),
            Self::Outside(inner) => inner.below(parent)?,
            Self::Field {
                test: Test::Blind(_), ..
            }
            | Self::Words(_) => return None,
            Self::Field { path, test } => Self::field(format!("{parent}.{path}"), test.clone()),
        })
    }

    pub(crate) fn field(path: impl Into<Cow<'static, str>>, test: Test) -> Self {
        Self::Field {
            path: path.into(),
            test,
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Everything, node) | (node, Self::Everything) => node,
            (Self::Nothing, _) | (_, Self::Nothing) => Self::Nothing,
            (Self::And(mut nodes), Self::And(more)) => {
                nodes.extend(more);
                Self::And(nodes)
            }
            (Self::And(mut nodes), node) => {
                nodes.push(node);
                Self::And(nodes)
            }
            (node, Self::And(mut nodes)) => {
                nodes.insert(0, node);
                Self::And(nodes)
            }
            (a, b) => Self::And(vec![a, b]),
        }
    }

    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, node) | (node, Self::Nothing) => node,
            (Self::Everything, _) | (_, Self::Everything) => Self::Everything,
            (Self::Or(mut nodes), Self::Or(more)) => {
                nodes.extend(more);
                Self::Or(nodes)
            }
            (Self::Or(mut nodes), node) => {
                nodes.push(node);
                Self::Or(nodes)
            }
            (node, Self::Or(mut nodes)) => {
                nodes.insert(0, node);
                Self::Or(nodes)
            }
            (a, b) => Self::Or(vec![a, b]),
        }
    }
}

impl Not for Node {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Everything => Self::Nothing,
            Self::Nothing => Self::Everything,
            Self::Not(inner) => *inner,
            node => Self::Not(Box::new(node)),
        }
    }
}

/// Which documents of the model `M`: made by field handles, combined by `&`, `|` and `!`.
///
/// The same filter is rendered for the server and evaluated in memory, with MongoDB's own meaning of null, missing
/// fields, arrays and numbers.
pub struct Filter<M> {
    node: Node,
    model: PhantomData<fn() -> M>,
}

impl<M> Filter<M> {
    /// Every document (that the tenant and the policy allow).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// assert_eq!(Note::query(&ctx).matching(Filter::all()).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn all() -> Self {
        Self::from_node(Node::Everything)
    }

    /// No document.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// assert!(Note::query(&ctx).matching(Filter::nothing()).await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn nothing() -> Self {
        Self::from_node(Node::Nothing)
    }

    pub(crate) fn from_node(node: Node) -> Self {
        Self {
            node,
            model: PhantomData,
        }
    }

    pub(crate) fn into_node(self) -> Node {
        self.node
    }
}

impl<M> Clone for Filter<M> {
    fn clone(&self) -> Self {
        Self::from_node(self.node.clone())
    }
}

/// Shows the shape, not the values.
impl<M> fmt::Debug for Filter<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn shape(node: &Node, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let (name, nodes): (&str, &[Node]) = match node {
                Node::Everything => return f.write_str("all"),
                Node::Nothing => return f.write_str("nothing"),
                Node::Field { path, .. } => return f.write_str(path),
                Node::Words(_) => return f.write_str("words"),
                Node::And(nodes) => (" & ", nodes),
                Node::Or(nodes) => (" | ", nodes),
                Node::Outside(inner) => return shape(inner, f),
                Node::Not(inner) => ("!", std::slice::from_ref(&**inner)),
            };
            f.write_str(if name == "!" { "!(" } else { "(" })?;
            for (index, node) in nodes.iter().enumerate() {
                if index > 0 {
                    f.write_str(name)?;
                }
                shape(node, f)?;
            }
            f.write_str(")")
        }
        f.write_str("Filter(")?;
        shape(&self.node, f)?;
        f.write_str(")")
    }
}

impl<M> BitAnd for Filter<M> {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self::from_node(self.node.and(other.node))
    }
}

impl<M> BitOr for Filter<M> {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self::from_node(self.node.or(other.node))
    }
}

impl<M> Not for Filter<M> {
    type Output = Self;

    fn not(self) -> Self {
        Self::from_node(self.node.not())
    }
}

/// The key of one document by a field that is unique over all tenants.
pub struct Lookup<M> {
    filter: Filter<M>,
}

impl<M> Lookup<M> {
    pub(crate) fn new(filter: Filter<M>) -> Self {
        Self { filter }
    }

    pub(crate) fn into_node(self) -> Node {
        self.filter.into_node()
    }
}

impl<M> fmt::Debug for Lookup<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup").finish_non_exhaustive()
    }
}
