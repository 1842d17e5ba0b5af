//! `related`: the documents that refer to given ones.

use std::collections::HashMap;
use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;

use futures_util::future::{BoxFuture, FutureExt};

use super::get_many::{self, Places};
use super::query::Query;
use super::unit::Reader;
use crate::engine::{self, Relation};
use crate::error::{Error, Result};
use crate::policy::{BaseModel, Model};
use crate::query::{Field, Filter, Queryable, Sort};
use crate::value::{IdValue, Pointer};

/// A query for the documents of the model `M` that refer to given documents of the model `P`: awaited, it gives them, by
/// the document that they refer to.
#[must_use = "a query does nothing until it is awaited"]
pub struct RelatedQuery<'a, M: BaseModel, P> {
    query: Query<'a, M>,
    relation: Relation,
    parents: PhantomData<fn() -> P>,
}

impl<'a, M: BaseModel, P: Model> RelatedQuery<'a, M, P> {
    pub(super) fn new<'p, D: Pointer<P>, R>(
        query: Query<'a, M>,
        parents: impl IntoIterator<Item = &'p D>,
        by: &'static Field<M, R>,
    ) -> Self
    where
        R: Queryable,
        R::Item: Pointer<P>,
    {
        let mut places = Places::new();
        for parent in parents {
            get_many::name(&mut places, Pointer::id(parent));
        }
        let mut parents: Vec<_> = places.into_iter().collect();
        parents.sort_unstable_by_key(|(_, place)| *place);
        Self {
            query: query.matching(by.within()),
            relation: Relation {
                path: by.path().into(),
                parents: parents.into_iter().map(|(id, _)| id).collect(),
                each: None,
            },
            parents: PhantomData,
        }
    }

    /// Only documents that satisfy the filter. A second call narrows further.
    pub fn filter(mut self, make: impl FnOnce(&'static M::Fields) -> Filter<M>) -> Self {
        self.query = self.query.filter(make);
        self
    }

    /// In this order; equal documents, and without a call all of them, in the order of their ids.
    pub fn sort(mut self, make: impl FnOnce(&'static M::Fields) -> Sort<M>) -> Self {
        self.query = self.query.sort(make);
        self
    }

    /// At most that many readable documents for each of the given ones.
    pub fn limit_each(mut self, limit: u64) -> Self {
        self.relation.each = Some(limit);
        self
    }

    /// How many there are for each of the given documents; a limit counts.
    ///
    /// # Errors
    /// As awaiting a query.
    pub async fn count(self) -> Result<RelatedCounts<P>> {
        let (ctx, listing) = self.query.into_parts();
        let mut reader = Reader::<M>::new(ctx);
        let counts = engine::count_related(&mut reader, listing, &self.relation)
            .await
            .map_err(named::<M>)?;
        let each = self.relation.each.unwrap_or(u64::MAX);
        let counts = self.relation.parents.into_iter().zip(counts);
        Ok(RelatedCounts {
            counts: counts.map(|(id, count)| (id, count.min(each))).collect(),
            parents: PhantomData,
        })
    }

    async fn run(self) -> Result<Related<P, M>> {
        let (ctx, listing) = self.query.into_parts();
        let mut reader = Reader::<M>::new(ctx);
        let of = engine::related(&mut reader, listing, &self.relation)
            .await
            .map_err(named::<M>)?;
        let mut lists = vec![Vec::new(); self.relation.parents.len()];
        for (place, parents) in of.into_iter().enumerate() {
            for parent in parents {
                if let Some(list) = lists.get_mut(parent) {
                    list.push(place);
                }
            }
        }
        Ok(Related {
            documents: reader.into_documents(),
            lists: self.relation.parents.into_iter().zip(lists).collect(),
            parents: PhantomData,
        })
    }
}

fn named<M: BaseModel>(error: Error) -> Error {
    error.at_model(M::NAME, "related")
}

impl<M: BaseModel, P> fmt::Debug for RelatedQuery<'_, M, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelatedQuery")
            .field("model", &M::NAME)
            .field("by", &self.relation.path)
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel, P: Model> IntoFuture for RelatedQuery<'a, M, P> {
    type Output = Result<Related<P, M>>;
    type IntoFuture = BoxFuture<'a, Result<Related<P, M>>>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}

/// Documents of the model `M`, by the documents of the model `P` that they refer to.
pub struct Related<P, M> {
    documents: Vec<M>,
    lists: HashMap<IdValue, Vec<usize>>,
    parents: PhantomData<fn() -> P>,
}

impl<P: Model, M: BaseModel> Related<P, M> {
    /// The documents that refer to this one, in the order of the query.
    pub fn of(&self, parent: &impl Pointer<P>) -> Vec<&M> {
        let id = parent.id().value();
        let places = self.lists.get(id).map_or(&[][..], Vec::as_slice);
        places
            .iter()
            .filter_map(|place| self.documents.get(*place))
            .collect()
    }

    /// All of them, one by one.
    pub fn iter(&self) -> std::slice::Iter<'_, M> {
        self.documents.iter()
    }

    /// All of them, each once, in the order of the query.
    pub fn documents(&self) -> &[M] {
        &self.documents
    }

    /// The same, to keep.
    pub fn into_documents(self) -> Vec<M> {
        self.documents
    }
}

impl<'a, P: Model, M: BaseModel> IntoIterator for &'a Related<P, M> {
    type Item = &'a M;
    type IntoIter = std::slice::Iter<'a, M>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<P: Model, M: BaseModel> fmt::Debug for Related<P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Related")
            .field("documents", &self.documents)
            .finish_non_exhaustive()
    }
}

/// How many documents refer to each of given ones.
pub struct RelatedCounts<P> {
    counts: HashMap<IdValue, u64>,
    parents: PhantomData<fn() -> P>,
}

impl<P: Model> RelatedCounts<P> {
    /// How many refer to this one.
    pub fn of(&self, parent: &impl Pointer<P>) -> u64 {
        self.counts.get(parent.id().value()).copied().unwrap_or_default()
    }
}

impl<P: Model> fmt::Debug for RelatedCounts<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelatedCounts")
            .field("of", &P::NAME)
            .field("parents", &self.counts.len())
            .finish()
    }
}
