//! Sets of a model's fields.

use std::fmt;
use std::marker::PhantomData;
use std::ops::BitOr;

use super::field::Field;
use crate::codec::FieldValue;

/// Some of the fields of the model `M`: made by field handles, joined by `|`.
///
/// A part of an embedded struct stands for the whole field that it lies in.
pub struct FieldSet<M> {
    /// Stored names at the top level.
    names: Vec<String>,
    model: PhantomData<fn() -> M>,
}

impl<M> FieldSet<M> {
    /// No field.
    pub fn none() -> Self {
        Self {
            names: Vec::new(),
            model: PhantomData,
        }
    }

    /// Whether there is no field in it.
    pub(crate) fn is_none(&self) -> bool {
        self.names.is_empty()
    }

    /// The stored names of the fields.
    pub(crate) fn into_names(self) -> Vec<String> {
        self.names
    }
}

impl<M: 'static, T: FieldValue> Field<M, T> {
    /// This field alone.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let some = Note::field_set(|n| n.tags.only() | n.due.only());
    /// # let _ = some;
    /// # Ok(())
    /// # }
    /// ```
    pub fn only(&self) -> FieldSet<M> {
        let first = self.path().split('.').next().unwrap_or_default();
        FieldSet {
            names: vec![first.to_owned()],
            model: PhantomData,
        }
    }
}

impl<M> BitOr for FieldSet<M> {
    type Output = Self;

    fn bitor(mut self, other: Self) -> Self {
        self.names.extend(other.names);
        self
    }
}

impl<M> fmt::Debug for FieldSet<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FieldSet").field(&self.names).finish()
    }
}
