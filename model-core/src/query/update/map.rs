//! Operators on the keys of maps.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use super::kind::{Countable, MapOf};
use super::{ALONE, Action, Operators, operand};
use crate::codec::FieldValue;
use crate::error::Violation;
use crate::query::Field;
use crate::schema::FieldSchema;
use crate::value::bad_map_key;

impl<M: 'static, T: FieldValue> Field<M, T> {
    /// One key of a map: what is done to it leaves the others as they are.
    ///
    /// A key that no map may have makes the update `Invalid`.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// let labelled = Note::update_with(&ctx, &created.id, |n| n.labels.key("shop").set("corner")).await?;
    /// assert_eq!(labelled.labels["shop"], "corner");
    /// let bad = Note::update_with(&ctx, &created.id, |n| n.labels.key("a.b").set("x")).await;
    /// assert!(bad.unwrap_err().is_invalid());
    /// # Ok(())
    /// # }
    /// ```
    pub fn key(&self, key: impl Into<String>) -> Key<M, T>
    where
        T: MapOf,
    {
        Key {
            map: self.path.clone(),
            variants: self.variants.clone(),
            name: key.into(),
            schema: self.schema,
            types: PhantomData,
        }
    }
}

/// One key of a map of type `T`, to be changed.
#[must_use = "say what is to be done to the key"]
pub struct Key<M: 'static, T: FieldValue> {
    map: Cow<'static, str>,
    variants: Vec<(String, &'static str)>,
    name: String,
    schema: &'static FieldSchema,
    types: PhantomData<fn() -> (M, T)>,
}

impl<M: 'static, T: FieldValue> Key<M, T> {
    /// Gives the key a value.
    pub fn set(self, value: impl Into<<T::Value as FieldValue>::Input>) -> Operators<M>
    where
        T: MapOf,
    {
        let action = operand::with::<T::Value>(self.schema, value, Action::Set);
        self.rebase(Operators::one(Cow::Borrowed(ALONE), action))
    }

    /// Removes the key.
    pub fn unset(self) -> Operators<M> {
        self.rebase(Operators::one(Cow::Borrowed(ALONE), Action::Unset))
    }

    /// Adds to the key's number; a missing key counts as 0.
    pub fn inc(self, by: <T::Value as Countable>::Step) -> Operators<M>
    where
        T: MapOf,
        T::Value: Countable,
    {
        self.update(|value| value.inc(by))
    }

    /// Does to the key's value whatever its type allows.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// let id = &created.id;
    /// let labelled = Note::update_with(&ctx, id, |n| n.labels.key("due").update(|v| v.max("friday"))).await?;
    /// assert_eq!(labelled.labels["due"], "friday");
    /// # Ok(())
    /// # }
    /// ```
    pub fn update<O: Into<Operators<M>>>(
        self,
        operators: impl FnOnce(&Field<M, T::Value>) -> O,
    ) -> Operators<M>
    where
        T: MapOf,
    {
        let operators = operators(&Field::at(Cow::Borrowed(ALONE), self.schema)).into();
        self.rebase(operators)
    }

    fn rebase(self, operators: Operators<M>) -> Operators<M> {
        if let Some(problem) = bad_map_key(&self.name) {
            let violation = Violation::new(ALONE, "key", problem);
            return Operators::one(self.map, Action::Refused(vec![violation]));
        }
        let base = format!("{}.{}", self.map, self.name);
        let mut all = operators.all;
        for operator in &mut all {
            operator.path = Cow::Owned(super::below(&base, &operator.path));
            for (tag, _) in &mut operator.variants {
                *tag = super::below(&base, tag);
            }
        }
        Operators::new(all).inside(&self.variants)
    }
}

impl<M: 'static, T: FieldValue> fmt::Debug for Key<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.map).finish()
    }
}
