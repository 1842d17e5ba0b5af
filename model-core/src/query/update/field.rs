//! Operators on fields with one value.

use std::borrow::Cow;

use super::kind::{Bits, Countable, Editable, Ordered, Removable};
use super::number::Bitwise;
use super::{Action, Operators, operand};
use crate::codec::FieldValue;
use crate::query::Field;

impl<M: 'static, T: FieldValue> Field<M, T> {
    /// Gives the field a value; `None` removes an optional one.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// assert!(Note::update_with(&ctx, &created.id, |n| n.done.set(true)).await?.done);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set(&self, value: impl Into<T::Input>) -> Operators<M>
    where
        T: Editable,
    {
        // A type that knows absence stores it as absence, not as null.
        let action = operand::with::<T>(self.schema, value, |value| match value {
            bson::Bson::Null if T::absent().is_some() => Action::Unset,
            value => Action::Set(value),
        });
        self.operator(action)
    }

    /// Removes the field.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// assert_eq!(Note::update_with(&ctx, &created.id, |n| n.due.unset()).await?.due, None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn unset(&self) -> Operators<M>
    where
        T: Removable,
    {
        self.operator(Action::Unset)
    }

    /// Adds to a number; an absent one counts as 0. A result that does not fit the field is `Invalid`.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// assert_eq!(Note::update_with(&ctx, &created.id, |n| n.stars.inc(3)).await?.stars, 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn inc(&self, by: T::Step) -> Operators<M>
    where
        T: Countable,
    {
        self.operator(Action::Add(by.into()))
    }

    /// Multiplies a number; an absent one counts as 0. A result that does not fit the field is `Invalid`.
    pub fn mul(&self, by: T::Step) -> Operators<M>
    where
        T: Countable,
    {
        self.operator(Action::Multiply(by.into()))
    }

    /// Keeps those bits that `mask` has too.
    pub fn bit_and(&self, mask: T::Step) -> Operators<M>
    where
        T: Bits,
    {
        self.operator(Action::Bits(Bitwise::And, mask.into()))
    }

    /// Sets the bits of `mask`.
    pub fn bit_or(&self, mask: T::Step) -> Operators<M>
    where
        T: Bits,
    {
        self.operator(Action::Bits(Bitwise::Or, mask.into()))
    }

    /// Flips the bits of `mask`.
    pub fn bit_xor(&self, mask: T::Step) -> Operators<M>
    where
        T: Bits,
    {
        self.operator(Action::Bits(Bitwise::Xor, mask.into()))
    }

    /// Sets the field to `value` if that is less, in the server's order, or if the field is absent.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// let id = &created.id;
    /// let updated = Note::update_with(&ctx, id, |n| n.due.min(DateTime::UNIX_EPOCH).and(n.stars.max(5))).await?;
    /// assert_eq!((updated.due, updated.stars), (Some(DateTime::UNIX_EPOCH), 5));
    /// # Ok(())
    /// # }
    /// ```
    pub fn min(&self, value: impl Into<<T::Scalar as FieldValue>::Input>) -> Operators<M>
    where
        T: Ordered,
    {
        self.operator(operand::with::<T::Scalar>(self.schema, value, Action::Min))
    }

    /// Sets the field to `value` if that is greater, in the server's order, or if the field is absent.
    pub fn max(&self, value: impl Into<<T::Scalar as FieldValue>::Input>) -> Operators<M>
    where
        T: Ordered,
    {
        self.operator(operand::with::<T::Scalar>(self.schema, value, Action::Max))
    }
}

impl<M: 'static, T: FieldValue> Field<M, T> {
    pub(super) fn operator(&self, action: Action) -> Operators<M> {
        Operators::one(self.path.clone(), action).inside(&self.variants)
    }

    /// The handle of a value inside this one that stands alone: an element, the value of a key.
    pub(super) fn alone<V: FieldValue>(&self) -> Field<M, V> {
        Field::at(Cow::Borrowed(super::ALONE), self.schema)
    }
}
