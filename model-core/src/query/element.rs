//! Conditions of one element of an array of single values.

use std::fmt;
use std::marker::PhantomData;

use super::field::Field;
use super::filter::{Filter, Test};
use super::operand::Queryable;

/// One element of an array in the model `M`: what [`Field::any`] makes filters on.
pub struct Element<M>(PhantomData<fn() -> M>);

impl<M> fmt::Debug for Element<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Element")
    }
}

impl<M: 'static, T: Queryable<Item = T>> Field<M, Vec<T>> {
    /// One element of the array satisfies all of the filter: `n.scores.any(|score| score.gte(3) & score.lt(5))`, where
    /// `n.scores.gte(3) & n.scores.lt(5)` might find one element for each. An index over the array serves what `gte`, `lt` and the
    /// like ask of the element, as it serves them alone.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.tags.any(|tag| tag.starts_with("h") & !tag.eq("home")));
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn any(&self, filter: impl FnOnce(&Field<Element<M>, T>) -> Filter<Element<M>>) -> Filter<M> {
        let element = Field::at("".into(), self.schema);
        self.filter(Test::Element(Box::new(filter(&element).into_node())))
    }
}
