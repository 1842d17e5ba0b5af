//! Groups: documents put together by the values of fields, and what is made of each group.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use bson::Document;
use chrono::{DateTime, Utc};

use super::field::Field;
use super::filter::Node;
use super::operand::Queryable;
use super::sort::SortKey;
use super::window::Window;
use crate::codec::FieldValue;

/// What is made of the values of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    Count,
    Sum,
    Avg,
    Min,
    Max,
    First,
    Last,
    Push,
    AddToSet,
}

/// A field of a row: its stored name, and the stored path that it is made of.
#[derive(Debug, Clone)]
pub(crate) struct RowField {
    pub(crate) name: Cow<'static, str>,
    pub(crate) path: Cow<'static, str>,
    /// Only of a key: the instant is that of the window which the date lies in.
    pub(crate) window: Option<Window>,
}

impl RowField {
    fn new<M, R, T: FieldValue, K: FieldValue>(row: &Field<R, K>, field: &Field<M, T>) -> Self {
        Self {
            name: row.path().to_owned().into(),
            path: field.path().to_owned().into(),
            window: None,
        }
    }
}

/// A grouping without its model: what is grouped, and what becomes of the rows.
#[derive(Debug, Clone)]
pub(crate) struct Grouping {
    /// Arrays whose elements are grouped one by one, the outermost first.
    pub(crate) unwind: Vec<String>,
    pub(crate) keys: Vec<RowField>,
    pub(crate) folds: Vec<(Fold, RowField)>,
    /// Stages of the user's own, over the rows.
    pub(crate) raw: Vec<Document>,
    /// Which rows, in which order.
    pub(crate) rows: Node,
    pub(crate) sort: Vec<SortKey>,
    pub(crate) skip: u64,
    pub(crate) limit: Option<u64>,
}

/// A number that can be added up. Decimals cannot: their sum would depend on the store.
#[diagnostic::on_unimplemented(message = "values of type `{Self}` cannot be added up")]
pub trait Summable {}

macro_rules! summable {
    ($($type:ty),*) => {$(impl Summable for $type {})*};
}

summable!(i16, u16, i32, u32, i64, u64, f32, f64);

/// How documents of the model `M` are put together into rows, each an embedded struct `R`. Every part names the row's
/// field first, and then the model's field that it is made of; their types have to agree.
///
/// An encrypted field, a password and a foreign type cannot be grouped: that does not compile.
pub struct Group<M: 'static, R: 'static> {
    grouping: Grouping,
    types: PhantomData<fn() -> (M, R)>,
}

impl<M: 'static, R: 'static> Group<M, R> {
    /// One row for each value of a field; a missing value counts as null.
    pub fn by<T, K>(row: &Field<R, K>, field: &Field<M, T>) -> Self
    where
        T: Queryable,
        K: Queryable<Item = T::Item>,
    {
        Self::all().and_by(row, field)
    }

    /// One row over all documents; none if there is no document.
    pub fn all() -> Self {
        Self {
            grouping: Grouping {
                unwind: Vec::new(),
                keys: Vec::new(),
                folds: Vec::new(),
                raw: Vec::new(),
                rows: Node::Everything,
                sort: Vec::new(),
                skip: 0,
                limit: None,
            },
            types: PhantomData,
        }
    }

    /// And by another field.
    pub fn and_by<T, K>(mut self, row: &Field<R, K>, field: &Field<M, T>) -> Self
    where
        T: Queryable,
        K: Queryable<Item = T::Item>,
    {
        self.grouping.keys.push(RowField::new(row, field));
        self
    }

    /// One row for each window of time that a date lies in, with the instant at which it begins; a missing date counts as null.
    ///
    /// Both stores cut time alike: see [`Window`]. A window without a document has no row.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// use model_core::query::{Group, Window};
    ///
    /// #[derive(Clone, Embedded)]
    /// struct PerDay {
    ///     day: DateTime<Utc>,
    ///     notes: u32,
    /// }
    ///
    /// Note::create(&ctx, note("Buy tea")).await?;
    /// let days = Note::query(&ctx)
    ///     .group::<PerDay>(|n, row| {
    ///         Group::by_window(&row.day, &n.created_at, Window::days(1)).count(&row.notes)
    ///     })
    ///     .await?;
    /// assert_eq!((days.len(), days[0].notes), (1, 1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn by_window<T, K>(row: &Field<R, K>, field: &Field<M, T>, window: Window) -> Self
    where
        T: Queryable<Item = DateTime<Utc>>,
        K: Queryable<Item = DateTime<Utc>>,
    {
        Self::all().and_by_window(row, field, window)
    }

    /// And by the window of time that a date lies in.
    pub fn and_by_window<T, K>(mut self, row: &Field<R, K>, field: &Field<M, T>, window: Window) -> Self
    where
        T: Queryable<Item = DateTime<Utc>>,
        K: Queryable<Item = DateTime<Utc>>,
    {
        let mut key = RowField::new(row, field);
        key.window = Some(window);
        self.grouping.keys.push(key);
        self
    }

    /// Groups the elements of an array one by one: a document with three elements counts three times, one without any not
    /// at all. A path through the array means the one element.
    pub fn unwind<T: FieldValue>(mut self, field: &Field<M, T>) -> Self {
        self.grouping.unwind.push(field.path().to_owned());
        self
    }

    /// How many documents (or elements).
    pub fn count<K>(mut self, row: &Field<R, K>) -> Self
    where
        K: Queryable,
        K::Item: Summable,
    {
        let field = RowField {
            name: row.path().to_owned().into(),
            path: "".into(),
            window: None,
        };
        self.grouping.folds.push((Fold::Count, field));
        self
    }

    /// The sum of the numbers; 0 if there are none. Doubles are rounded by whoever adds them.
    pub fn sum<T, K>(self, row: &Field<R, K>, field: &Field<M, T>) -> Self
    where
        T: Queryable,
        T::Item: Summable,
        K: Queryable,
        K::Item: Summable,
    {
        self.fold(Fold::Sum, row, field)
    }

    /// The mean of the numbers; none if there are none.
    pub fn avg<T>(self, row: &Field<R, Option<f64>>, field: &Field<M, T>) -> Self
    where
        T: Queryable,
        T::Item: Summable,
    {
        self.fold(Fold::Avg, row, field)
    }

    /// The smallest value, null and missing aside; null if there is none.
    pub fn min<T, K>(self, row: &Field<R, K>, field: &Field<M, T>) -> Self
    where
        T: Queryable,
        K: Queryable<Item = T::Item>,
    {
        self.fold(Fold::Min, row, field)
    }

    /// The largest value, null and missing aside; null if there is none.
    pub fn max<T, K>(self, row: &Field<R, K>, field: &Field<M, T>) -> Self
    where
        T: Queryable,
        K: Queryable<Item = T::Item>,
    {
        self.fold(Fold::Max, row, field)
    }

    /// The value of the first document, in the query's order; null if it has none.
    pub fn first<T, K>(self, row: &Field<R, K>, field: &Field<M, T>) -> Self
    where
        T: Queryable,
        K: Queryable<Item = T::Item>,
    {
        self.fold(Fold::First, row, field)
    }

    /// The value of the last document, in the query's order; null if it has none.
    pub fn last<T, K>(self, row: &Field<R, K>, field: &Field<M, T>) -> Self
    where
        T: Queryable,
        K: Queryable<Item = T::Item>,
    {
        self.fold(Fold::Last, row, field)
    }

    /// All values, in the query's order; null and missing ones are left out.
    pub fn push<T>(self, row: &Field<R, Vec<T::Item>>, field: &Field<M, T>) -> Self
    where
        T: Queryable,
        T::Item: FieldValue,
    {
        self.fold(Fold::Push, row, field)
    }

    /// All values, each once, in no order; null and missing ones are left out.
    pub fn add_to_set<T>(self, row: &Field<R, Vec<T::Item>>, field: &Field<M, T>) -> Self
    where
        T: Queryable,
        T::Item: FieldValue,
    {
        self.fold(Fold::AddToSet, row, field)
    }

    fn fold<T: FieldValue, K: FieldValue>(
        mut self,
        fold: Fold,
        row: &Field<R, K>,
        field: &Field<M, T>,
    ) -> Self {
        self.grouping.folds.push((fold, RowField::new(row, field)));
        self
    }

    /// How many documents, as the field `n` of one row; no row if there is none.
    pub(crate) fn counted() -> Grouping {
        let mut grouping = Self::all().grouping;
        let field = RowField {
            name: "n".into(),
            path: "".into(),
            window: None,
        };
        grouping.folds.push((Fold::Count, field));
        grouping
    }

    pub(crate) fn into_grouping(self) -> Grouping {
        self.grouping
    }
}

impl<M: 'static, R: 'static> fmt::Debug for Group<M, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").finish_non_exhaustive()
    }
}
