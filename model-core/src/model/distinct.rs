//! `distinct`.

use super::query::Query;
use super::unit::Reader;
use crate::codec::{DecodeCx, FieldValue};
use crate::engine;
use crate::error::Result;
use crate::policy::BaseModel;
use crate::query::{Field, Queryable};

impl<M: BaseModel> Query<'_, M> {
    /// The values that a field has in the readable documents: each once, in ascending order; of an array, its elements. A
    /// document without the field adds none. All values are held in memory. Where the read scope is declared exact, the
    /// server collects them; else the documents are read.
    ///
    /// # Errors
    /// As awaiting the query; `Invalid` for `skip` and `limit`.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// for text in ["Buy tea", "Buy milk", "Buy tea"] {
    ///     Note::create(&ctx, note(text)).await?;
    /// }
    /// assert_eq!(Note::query(&ctx).distinct(|n| &n.text).await?, ["Buy milk", "Buy tea"]);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn distinct<T>(
        self,
        field: impl FnOnce(&'static M::Fields) -> &'static Field<M, T>,
    ) -> Result<Vec<T::Item>>
    where
        T: Queryable,
        T::Item: FieldValue,
    {
        let field = field(M::fields());
        let path = field.path();
        let (ctx, listing) = self.matching(field.within()).into_parts();
        let mut reader = Reader::<M>::new(ctx);
        let mut values = Vec::new();
        engine::distinct(&mut reader, listing, path, &mut |value| {
            let value = T::Item::decode(value, &DecodeCx::root(None));
            values.push(value.map_err(|error| error.at(path).into_error())?);
            Ok(())
        })
        .await
        .map_err(|error| error.at_model(M::NAME, "distinct"))?;
        Ok(values)
    }
}
