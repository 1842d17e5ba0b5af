//! Filters and sort orders from outside, as the model's own.

use std::fmt;

use super::page::Page;
use super::query::Query;
use crate::error::Result;
use crate::policy::{BaseModel, ContextFor};
use crate::query::external::Parts;
use crate::query::{Filter, Node, Sort, SortKey};

/// What a query string asks for.
///
/// ```
/// # model_core::__example!();
/// let asked = Note::parse_query("stars[gt]=3&limit=20")?;
/// assert!(asked.sort.is_none());
/// assert_eq!(asked.limit, Some(20));
/// # Ok::<(), Error>(())
/// ```
pub struct QueryString<M> {
    /// Which documents.
    pub filter: Filter<M>,
    /// In which order, if it says so.
    pub sort: Option<Sort<M>>,
    /// How many, if it says so; at least 1.
    pub limit: Option<u32>,
    /// After which place, if it says so: the `next` of the page before.
    pub after: Option<String>,
}

impl<M: BaseModel> QueryString<M> {
    /// The query that is asked for, of at most `most` documents; a place to go on from is for [`page`](Self::page) alone.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let notes = Note::parse_query("tags=home&limit=1000000")?.query(&ctx, 100).await?;
    /// assert!(notes.len() <= 100);
    /// # Ok(())
    /// # }
    /// ```
    pub fn query(self, ctx: &ContextFor<M>, most: u32) -> Query<'_, M> {
        let limit = self.limit.map_or(most, |limit| limit.min(most));
        let query = Query::new(ctx).matching(self.filter).limit(u64::from(limit));
        match self.sort {
            Some(sort) => query.sort(|_| sort),
            None => query,
        }
    }

    /// The page that is asked for, of at most `most` documents: `after=` takes the `next` of the page before.
    ///
    /// # Errors
    /// As [`Query::page`].
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// # Note::create_many(&ctx, ["a", "b", "c"].map(note)).await?;
    /// let first = Note::parse_query("done=false&limit=2")?.page(&ctx, 100).await?;
    /// let next = format!("done=false&limit=2&after={}", first.next.unwrap());
    /// assert_eq!(Note::parse_query(&next)?.page(&ctx, 100).await?.items.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn page(self, ctx: &ContextFor<M>, most: u32) -> Result<Page<M>> {
        let size = self.limit.map_or(most, |limit| limit.min(most));
        let query = Query::new(ctx).matching(self.filter);
        let query = match self.sort {
            Some(sort) => query.sort(|_| sort),
            None => query,
        };
        query.page(u64::from(size), self.after.as_deref()).await
    }
}

impl<M> fmt::Debug for QueryString<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryString")
            .field("filter", &self.filter)
            .field("sort", &self.sort)
            .field("limit", &self.limit)
            .field("after", &self.after)
            .finish()
    }
}

const OPERATION: &str = "query";

pub(super) fn filter<M: BaseModel>(node: Result<Node>) -> Result<Filter<M>> {
    node.map(Filter::from_node)
        .map_err(|error| error.at_model(M::NAME, OPERATION))
}

pub(super) fn sort<M: BaseModel>(keys: Result<Vec<SortKey>>) -> Result<Sort<M>> {
    keys.map(Sort::from_keys)
        .map_err(|error| error.at_model(M::NAME, OPERATION))
}

pub(super) fn query_string<M: BaseModel>(parts: Result<Parts>) -> Result<QueryString<M>> {
    let parts = parts.map_err(|error| error.at_model(M::NAME, OPERATION))?;
    Ok(QueryString {
        filter: Filter::from_node(parts.filter),
        sort: (!parts.sort.is_empty()).then(|| Sort::from_keys(parts.sort)),
        limit: parts.limit,
        after: parts.after,
    })
}
