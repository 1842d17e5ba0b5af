//! `page`.

use super::query::Query;
use super::unit::Reader;
use crate::engine;
use crate::error::Result;
use crate::policy::BaseModel;
use crate::query::PageCursor;

/// One page of a query.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Page<T> {
    /// The documents, in the query's order.
    pub items: Vec<T>,
    /// Where the next page begins; none if this is the last one.
    pub next: Option<PageCursor>,
}

impl<T> Page<T> {
    /// The same page of something else, say of views.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let page = Note::query(&ctx).page(20, None).await?.map(|note| note.into_view(&ctx));
    /// assert!(page.next.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(each).collect(),
            next: self.next,
        }
    }
}

impl<M: BaseModel> Query<'_, M> {
    /// One page: `limit` readable documents, if that many are left, and where the next page begins. `after` is the `next`
    /// of the page before; none asks for the first page.
    ///
    /// Pages continue after a document, not after a number of them: what is inserted or deleted before it shifts nothing,
    /// and the thousandth page costs what the first does, if there is an index over the sort keys and the id
    /// (`index(created_at = desc, id = desc)`). Among equals the id decides, in the direction of the last key; a missing
    /// value sorts as null, below all others.
    ///
    /// A cursor goes with the same filter, order and tenant, so give a filter that holds an instant the same instant for
    /// all pages.
    ///
    /// # Errors
    /// As awaiting the query; `Invalid` for a cursor of another query or of none, for a page without room, for `skip`
    /// and `limit`, and for an order by a hidden field (its values would stand in the cursor), an array or a dynamic value.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// for n in 0..5 {
    ///     Note::create(&ctx, note(&format!("Note {n}"))).await?;
    /// }
    /// let query = || Note::query(&ctx).sort(|n| n.text.desc());
    /// let first = query().page(3, None).await?;
    /// let second = query().page(3, first.next.as_deref()).await?;
    /// assert_eq!((first.items.len(), second.items.len()), (3, 2));
    /// assert!(second.next.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn page(self, limit: u64, after: Option<&str>) -> Result<Page<M>> {
        let (ctx, listing) = self.into_parts();
        let mut reader = Reader::<M>::new(ctx);
        let next = engine::page(&mut reader, listing, limit, after)
            .await
            .map_err(|error| error.at_model(M::NAME, "page"))?;
        Ok(Page {
            items: reader.into_documents(),
            next,
        })
    }
}
