//! Joins: which documents of another model belong to a document.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use super::field::Field;
use super::filter::{Filter, Node};
use super::operand::Queryable;
use super::sort::{Sort, SortKey};
use crate::value::{Id, Ref};

/// A join without its models.
#[derive(Debug, Clone)]
pub(crate) struct Joining {
    /// The stored path in the document.
    pub(crate) local: Cow<'static, str>,
    /// The stored path in the documents that belong to it.
    pub(crate) foreign: Cow<'static, str>,
    pub(crate) filter: Node,
    pub(crate) sort: Vec<SortKey>,
    pub(crate) limit: Option<u64>,
}

/// What a join can compare with a `K`: values of its own type, and a reference with the id that it names.
#[diagnostic::on_unimplemented(
    message = "a join cannot compare `{Self}` with `{K}`",
    note = "both fields hold one type; or one of them a `Ref<M>`, and the other that model's `Id<M>`"
)]
pub trait Joins<K> {}

impl<T> Joins<T> for T {}

impl<M> Joins<Id<M>> for Ref<M> {}

impl<M> Joins<Ref<M>> for Id<M> {}

/// Which documents of the model `N` belong to a document of the model `M`: those of which one field has the same value.
/// Of an array, on either side, it is any element.
///
/// Null and missing belong to nothing; a document of `N` whose array holds a null, or whose elements lack the field, is
/// passed over. An index of `N` that begins with the field of `N` serves it.
///
/// ```
/// # model_core::__example!();
/// # fn main() {
/// use model_core::query::Join;
///
/// // Notes with the same text, the newest three of each.
/// let fields = Note::fields();
/// let same: Join<Note, Note> = Join::on(&fields.text, &fields.text).sort(fields.created_at.desc()).limit(3);
/// # let _ = same;
/// # }
/// ```
pub struct Join<M: 'static, N: 'static> {
    joining: Joining,
    types: PhantomData<fn() -> (M, N)>,
}

impl<M: 'static, N: 'static> Join<M, N> {
    /// By equality of a field of the document and a field of those that belong to it: of one type, or a reference and the id
    /// that it names, on either side.
    pub fn on<T, K>(local: &Field<M, T>, foreign: &Field<N, K>) -> Self
    where
        T: Queryable<Item: Joins<K::Item>>,
        K: Queryable,
    {
        Self {
            joining: Joining {
                local: local.path().to_owned().into(),
                foreign: foreign.path().to_owned().into(),
                filter: Node::Everything,
                sort: Vec::new(),
                limit: None,
            },
            types: PhantomData,
        }
    }

    /// Only documents that satisfy the filter. A second call narrows further.
    pub fn filter(mut self, filter: Filter<N>) -> Self {
        self.joining.filter = self.joining.filter.and(filter.into_node());
        self
    }

    /// In this order; without one, in none. A second call sorts among equals.
    pub fn sort(mut self, sort: Sort<N>) -> Self {
        self.joining.sort.extend(sort.into_keys());
        self
    }

    /// At most that many for each document.
    pub fn limit(mut self, limit: u64) -> Self {
        self.joining.limit = Some(limit);
        self
    }

    pub(crate) fn into_joining(self) -> Joining {
        self.joining
    }
}

impl<M: 'static, N: 'static> fmt::Debug for Join<M, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join").finish_non_exhaustive()
    }
}
