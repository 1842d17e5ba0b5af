//! Sort orders.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use crate::schema::Direction;

/// One key of a sort order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SortKey {
    pub(crate) path: Cow<'static, str>,
    pub(crate) direction: Direction,
    /// Whether somebody outside asks for it.
    pub(crate) outside: bool,
}

impl SortKey {
    /// By the id, which no two documents share.
    pub(crate) fn by_id() -> Self {
        Self {
            path: Cow::Borrowed("_id"),
            direction: Direction::Ascending,
            outside: false,
        }
    }
}

/// In which order.
pub struct Sort<M> {
    keys: Vec<SortKey>,
    model: PhantomData<fn() -> M>,
}

impl<M> Sort<M> {
    pub(crate) fn by(path: Cow<'static, str>, direction: Direction) -> Self {
        Self {
            keys: vec![SortKey {
                path,
                direction,
                outside: false,
            }],
            model: PhantomData,
        }
    }

    pub(crate) fn from_keys(keys: Vec<SortKey>) -> Self {
        Self {
            keys,
            model: PhantomData,
        }
    }

    /// Among equals, by `next`.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// assert!(Note::query(&ctx).sort(|n| n.done.asc().then(n.text.asc())).await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn then(mut self, next: Self) -> Self {
        self.keys.extend(next.keys);
        self
    }

    pub(crate) fn into_keys(self) -> Vec<SortKey> {
        self.keys
    }
}

impl<M> fmt::Debug for Sort<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sort").field(&self.keys).finish()
    }
}
