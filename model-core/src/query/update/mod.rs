//! Update operators: what one write changes, said field by field, and applied with MongoDB's own meaning.
//!
//! The pipeline applies them in memory, to the document that it judged, and guards the write by its revision: so they
//! keep every promise of an ordinary update, and need nothing of a store.

mod apply;
mod array;
mod field;
mod fixed;
mod kind;
mod map;
mod number;
mod operand;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use bson::Bson;

use self::number::Bitwise;
use super::filter::Node;
use super::sort::SortKey;
use crate::error::{Error, Result, Violation};

pub use array::{Each, Push};
pub use fixed::{FixedField, GivenByModel};
pub use kind::{Array, Bits, Countable, Editable, MapOf, Ordered, Removable};
pub use map::Key;
pub(super) use operand::stored;

/// The path of a value that stands alone: an element of an array, the value of a map's key.
pub(super) const ALONE: &str = "e";

/// What is done to one path. This is the table of operators; each has its meaning in `apply.rs` and its case in the test
/// that holds it against a server.
#[derive(Clone)]
enum Action {
    Set(Bson),
    Unset,
    Add(Bson),
    Multiply(Bson),
    Bits(Bitwise, Bson),
    Min(Bson),
    Max(Bson),
    Push(Pushed),
    AddToSet(Vec<Bson>),
    PullAll(Vec<Bson>),
    PullWhere(Node),
    PopFirst,
    PopLast,
    /// Operators on those elements of an array that the filter selects.
    Each {
        filter: Node,
        operators: Vec<Operator>,
    },
    /// The value or the key that was given cannot be stored.
    Refused(Vec<Violation>),
}

/// What `$push` takes.
#[derive(Clone, Default)]
struct Pushed {
    values: Vec<Bson>,
    position: Option<i64>,
    sort: Vec<SortKey>,
    slice: Option<i64>,
}

/// One operator on one path.
#[derive(Clone)]
struct Operator {
    path: Cow<'static, str>,
    /// Where the name of each variant that the path lies in stands, and the name: another variant has no such field.
    variants: Vec<(String, &'static str)>,
    action: Action,
}

/// What a write does to a document of the model `M`: update operators, made by field handles and combined by
/// [`and`](Self::and).
///
/// ```
/// # model_core::__example!();
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # let ctx = example().await?;
/// let created = Note::create(&ctx, note("Buy milk")).await?;
/// let starred = Note::update_with(&ctx, &created.id, |n| n.stars.inc(1).and(n.tags.push("home"))).await?;
/// assert_eq!((starred.stars, starred.tags), (1, vec!["home".to_owned()]));
/// # Ok(())
/// # }
/// ```
#[must_use = "operators do nothing until an update carries them out"]
pub struct Operators<M> {
    all: Vec<Operator>,
    model: PhantomData<fn() -> M>,
}

impl<M> Operators<M> {
    fn one(path: Cow<'static, str>, action: Action) -> Self {
        Self::new(vec![Operator {
            path,
            variants: Vec::new(),
            action,
        }])
    }

    /// All of them are about fields inside of these variants.
    fn inside(mut self, variants: &[(String, &'static str)]) -> Self {
        for operator in &mut self.all {
            operator.variants.extend_from_slice(variants);
        }
        self
    }

    fn new(all: Vec<Operator>) -> Self {
        Self {
            all,
            model: PhantomData,
        }
    }

    /// These operators, and `more`. No two may change the same path, or a path inside another's: the update is then
    /// `Invalid`, as on the server.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// let twice = Note::update_with(&ctx, &created.id, |n| n.stars.inc(1).and(n.stars.mul(2))).await;
    /// assert!(twice.unwrap_err().is_invalid());
    /// # Ok(())
    /// # }
    /// ```
    pub fn and(mut self, more: impl Into<Self>) -> Self {
        self.all.extend(more.into().all);
        self
    }

    /// Whether they can be carried out at all, whatever the document.
    ///
    /// # Errors
    /// `Invalid`: a value or a map's key cannot be stored, or two operators change the same path.
    pub(crate) fn check(&self) -> Result<()> {
        let mut violations = Vec::new();
        check(&self.all, "", &mut violations);
        invalid(violations)
    }

    /// The document after the operators; `document` is in this crate's own form.
    ///
    /// # Errors
    /// `Invalid`, with everything that could not be done to this document.
    pub(crate) fn apply(&self, document: &[u8]) -> Result<Vec<u8>> {
        apply::apply(&self.all, document)
    }

    /// Whether an operator changes the field stored under this name, or a part of it.
    pub(crate) fn touches(&self, stored: &str) -> bool {
        self.all.iter().any(|operator| operator.field() == stored)
    }
}

impl Operator {
    /// The stored name of the field at the top.
    fn field(&self) -> &str {
        top(&self.path)
    }

    /// Whether it changes the field stored under this name, or looks there for the variant that it changes.
    fn asks(&self, stored: &str) -> bool {
        self.field() == stored || self.variants.iter().any(|(tag, _)| top(tag) == stored)
    }
}

fn top(path: &str) -> &str {
    path.split_once('.').map_or(path, |(first, _)| first)
}

fn invalid(violations: Vec<Violation>) -> Result<()> {
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Error::invalid(violations))
    }
}

/// `path`, below `base`: inside a value that stands alone, its own name is dropped.
fn below(base: &str, path: &str) -> String {
    match path.strip_prefix(ALONE) {
        Some(rest) if !base.is_empty() => format!("{base}{rest}"),
        _ => path.to_owned(),
    }
}

fn check(operators: &[Operator], base: &str, violations: &mut Vec<Violation>) {
    for operator in operators {
        let path = below(base, &operator.path);
        match &operator.action {
            Action::Refused(found) => violations.extend(found.iter().map(|violation| Violation {
                path: below(&path, &violation.path),
                ..violation.clone()
            })),
            Action::Each { operators, .. } => check(operators, &format!("{path}[]"), violations),
            _ => {}
        }
    }
    let mut paths: Vec<Vec<&str>> = operators
        .iter()
        .map(|operator| operator.path.split('.').collect())
        .collect();
    // Sorted name by name, a path is followed by those inside it.
    paths.sort_unstable();
    for pair in paths.windows(2) {
        if let [outer, inner] = pair
            && inner.starts_with(outer)
        {
            violations.push(Violation::new(
                below(base, &inner.join(".")),
                "operators",
                "two operators change this path or a part of it",
            ));
        }
    }
}

impl<M> Clone for Operators<M> {
    fn clone(&self) -> Self {
        Self::new(self.all.clone())
    }
}

/// Shows the paths, not the values.
impl<M> fmt::Debug for Operators<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Operators")?;
        f.debug_list()
            .entries(self.all.iter().map(|operator| &operator.path))
            .finish()
    }
}
