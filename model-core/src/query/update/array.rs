//! Operators on arrays.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use super::kind::Array;
use super::{ALONE, Action, Operators, Pushed, operand};
use crate::codec::FieldValue;
use crate::query::{Field, Filter, Sort};
use crate::schema::FieldSchema;

/// What an element of the array `T` is given as.
type Input<T> = <<T as Array>::Element as FieldValue>::Input;

impl<M: 'static, T: FieldValue> Field<M, T> {
    /// Appends one element.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// assert_eq!(Note::update_with(&ctx, &created.id, |n| n.tags.push("home")).await?.tags, ["home"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn push(&self, value: impl Into<Input<T>>) -> Operators<M>
    where
        T: Array,
    {
        self.push_each([value.into()]).into()
    }

    /// Inserts several elements: at the end, unless [`at`](Push::at) says otherwise.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// let id = &created.id;
    /// let tags = ["shop", "home", "food"];
    /// let updated = Note::update_with(&ctx, id, |n| n.tags.push_each(tags).sort(|t| t.asc()).keep_first(2)).await?;
    /// assert_eq!(updated.tags, ["food", "home"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn push_each(&self, values: impl IntoIterator<Item: Into<Input<T>>>) -> Push<M, T>
    where
        T: Array,
    {
        let action = operand::with_all::<T::Element>(self.schema, values, |values| {
            Action::Push(Pushed {
                values,
                ..Pushed::default()
            })
        });
        Push {
            operators: self.operator(action),
            schema: self.schema,
            types: PhantomData,
        }
    }

    /// Appends an element that the array does not have yet.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// for _ in 0..2 {
    ///     let updated = Note::update_with(&ctx, &created.id, |n| n.tags.add_to_set("home")).await?;
    ///     assert_eq!(updated.tags, ["home"]);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_to_set(&self, value: impl Into<Input<T>>) -> Operators<M>
    where
        T: Array,
    {
        self.add_each_to_set([value.into()])
    }

    /// Appends those of the elements that the array does not have yet.
    pub fn add_each_to_set(&self, values: impl IntoIterator<Item: Into<Input<T>>>) -> Operators<M>
    where
        T: Array,
    {
        let schema = self.schema;
        self.operator(operand::with_all::<T::Element>(schema, values, Action::AddToSet))
    }

    /// Removes every element that equals `value`.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// Note::update_with(&ctx, &created.id, |n| n.tags.push_each(["home", "shop"])).await?;
    /// assert_eq!(Note::update_with(&ctx, &created.id, |n| n.tags.pull("home")).await?.tags, ["shop"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn pull(&self, value: impl Into<Input<T>>) -> Operators<M>
    where
        T: Array,
    {
        self.pull_all([value.into()])
    }

    /// Removes every element that equals one of the values.
    pub fn pull_all(&self, values: impl IntoIterator<Item: Into<Input<T>>>) -> Operators<M>
    where
        T: Array,
    {
        let schema = self.schema;
        self.operator(operand::with_all::<T::Element>(schema, values, Action::PullAll))
    }

    /// Removes every element that satisfies the filter, which is given the handle of an element.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// Note::update_with(&ctx, &created.id, |n| n.tags.push_each(["home", "shop"])).await?;
    /// let updated = Note::update_with(&ctx, &created.id, |n| n.tags.pull_where(|t| t.lt("i"))).await?;
    /// assert_eq!(updated.tags, ["shop"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn pull_where(&self, filter: impl FnOnce(&Field<M, T::Element>) -> Filter<M>) -> Operators<M>
    where
        T: Array,
    {
        self.operator(Action::PullWhere(filter(&self.alone()).into_node()))
    }

    /// Removes the first element, if there is one.
    pub fn pop_first(&self) -> Operators<M>
    where
        T: Array,
    {
        self.operator(Action::PopFirst)
    }

    /// Removes the last element, if there is one.
    pub fn pop_last(&self) -> Operators<M>
    where
        T: Array,
    {
        self.operator(Action::PopLast)
    }

    /// Those elements that satisfy the filter, which is given the handle of an element; [`Filter::all`] is each of them.
    ///
    /// An optional array that is absent has no elements, and the update is `Invalid`, as on the server. Beside `each` no
    /// other operator may change the same array: say everything in one [`update`](Each::update).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// Note::update_with(&ctx, &created.id, |n| n.tags.push_each(["home", "shop"])).await?;
    /// let renamed = Note::update_with(&ctx, &created.id, |n| n.tags.each(|t| t.eq("shop")).set("market")).await?;
    /// assert_eq!(renamed.tags, ["home", "market"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn each(&self, filter: impl FnOnce(&Field<M, T::Element>) -> Filter<M>) -> Each<M, T>
    where
        T: Array,
    {
        Each {
            array: self.path.clone(),
            variants: self.variants.clone(),
            filter: filter(&self.alone()),
            schema: self.schema,
            types: PhantomData,
        }
    }
}

/// Elements to insert: where, and what is kept of the array afterwards. First they are inserted, then the array is
/// sorted, then cut.
#[must_use = "operators do nothing until an update carries them out"]
pub struct Push<M: 'static, T: FieldValue> {
    operators: Operators<M>,
    schema: &'static FieldSchema,
    types: PhantomData<fn() -> T>,
}

impl<M: 'static, T: FieldValue> Push<M, T> {
    /// Inserts at this position; a negative one counts from the end.
    pub fn at(self, position: i32) -> Self {
        self.change(|pushed| pushed.position = Some(position.into()))
    }

    /// Sorts the whole array.
    pub fn sort(self, sort: impl FnOnce(&Field<M, T::Element>) -> Sort<M>) -> Self
    where
        T: Array,
    {
        let keys = sort(&Field::at(Cow::Borrowed(ALONE), self.schema)).into_keys();
        self.change(|pushed| pushed.sort = keys)
    }

    /// Keeps only the first elements of the array.
    pub fn keep_first(self, count: u32) -> Self {
        self.change(|pushed| pushed.slice = Some(count.into()))
    }

    /// Keeps only the last elements of the array.
    pub fn keep_last(self, count: u32) -> Self {
        self.change(|pushed| pushed.slice = Some(-i64::from(count)))
    }

    /// This, and `more`: see [`Operators::and`].
    pub fn and(self, more: impl Into<Operators<M>>) -> Operators<M> {
        self.operators.and(more)
    }

    fn change(mut self, change: impl FnOnce(&mut Pushed)) -> Self {
        if let Some(Action::Push(pushed)) = self
            .operators
            .all
            .first_mut()
            .map(|operator| &mut operator.action)
        {
            change(pushed);
        }
        self
    }
}

impl<M: 'static, T: FieldValue> From<Push<M, T>> for Operators<M> {
    fn from(push: Push<M, T>) -> Self {
        push.operators
    }
}

impl<M: 'static, T: FieldValue> fmt::Debug for Push<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Push").field(&self.operators).finish()
    }
}

/// Some elements of an array, to be changed.
#[must_use = "say what is to be done to the elements"]
pub struct Each<M: 'static, T: FieldValue> {
    array: Cow<'static, str>,
    variants: Vec<(String, &'static str)>,
    filter: Filter<M>,
    schema: &'static FieldSchema,
    types: PhantomData<fn() -> T>,
}

impl<M: 'static, T: FieldValue> Each<M, T> {
    /// Gives each of the elements a value.
    pub fn set(self, value: impl Into<Input<T>>) -> Operators<M>
    where
        T: Array,
    {
        self.update(|element| element.set(value))
    }

    /// Does to each of the elements whatever its type allows: `|m| m.role.set("member").and(m.strikes.inc(1))`.
    pub fn update<O: Into<Operators<M>>>(
        self,
        operators: impl FnOnce(&Field<M, T::Element>) -> O,
    ) -> Operators<M>
    where
        T: Array,
    {
        let operators = operators(&Field::at(Cow::Borrowed(ALONE), self.schema))
            .into()
            .all;
        let filter = self.filter.into_node();
        Operators::one(self.array, Action::Each { filter, operators }).inside(&self.variants)
    }
}

impl<M: 'static, T: FieldValue> fmt::Debug for Each<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Each").field(&self.array).finish()
    }
}
