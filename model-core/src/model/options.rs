//! How a query is carried out.

use std::time::Duration;

use super::query::Query;
use crate::policy::BaseModel;
use crate::query::{Collation, ReadConcern, ReadPreference, Sort};

impl<M: BaseModel> Query<'_, M> {
    /// From these members of the replica set.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// use model_core::query::{ReadConcern, ReadPreference};
    /// let query = Note::query(&ctx)
    ///     .read_preference(ReadPreference::SecondaryPreferred)
    ///     .read_concern(ReadConcern::Majority)
    ///     .max_time(std::time::Duration::from_secs(2))
    ///     .batch_size(100)
    ///     .comment("the weekly report");
    /// assert!(query.await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_preference(mut self, preference: ReadPreference) -> Self {
        self.listing.options.preference = Some(preference);
        self
    }

    /// Of this durability.
    pub fn read_concern(mut self, concern: ReadConcern) -> Self {
        self.listing.options.concern = Some(concern);
        self
    }

    /// By the declared index over these keys, named without the tenant.
    ///
    /// # Errors
    /// The read fails with `Configuration` if the model declares no such index, and with `Store` if the server lacks it.
    pub fn hint(mut self, keys: impl FnOnce(&'static M::Fields) -> Sort<M>) -> Self {
        self.listing.options.hint = Some(keys(M::fields()).into_keys());
        self
    }

    /// The server gives up after this time, at least a millisecond, of work on one command.
    pub fn max_time(mut self, time: Duration) -> Self {
        self.listing.options.max_time = Some(time);
        self
    }

    /// How many documents the server sends at once.
    pub fn batch_size(mut self, documents: u32) -> Self {
        self.listing.batch = Some(documents.max(1));
        self
    }

    /// Strings compare and sort by the rules of a language.
    ///
    /// # Errors
    /// The read fails with `Unsupported` on the embedded store, where the tenant is a string, and where the read scope is
    /// declared exact: both would be compared by the same rules.
    pub fn collation(mut self, collation: Collation) -> Self {
        self.listing.options.collation = Some(collation);
        self
    }

    /// A remark for the server's log and profiler. No place for anything secret.
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.listing.options.comment = Some(comment.into());
        self
    }
}
