//! One field of a patch.

use super::field_value::FieldValue;
use super::input::InputCx;

/// What a patch does to one field.
///
/// `Set(None)` removes an optional field; `Merge` changes single fields of an embedded struct, or of the variant that an enum has, and
/// keeps the rest.
///
/// A merge into another variant than the stored one is refused; a patch from JSON, which names its variant, makes it that one.
#[derive(Default)]
pub enum Edit<T: FieldValue> {
    /// Leaves the field as it is.
    #[default]
    Keep,
    /// Gives the field a value.
    Set(T::Input),
    /// Changes parts of an embedded struct or of a variant.
    Merge(T::Patch),
}

impl<T: FieldValue> Clone for Edit<T>
where
    T::Input: Clone,
    T::Patch: Clone,
{
    fn clone(&self) -> Self {
        match self {
            Self::Keep => Self::Keep,
            Self::Set(value) => Self::Set(value.clone()),
            Self::Merge(patch) => Self::Merge(patch.clone()),
        }
    }
}

/// Shows what is edited, never the value: it may be anything.
impl<T: FieldValue> std::fmt::Debug for Edit<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Keep => "Keep",
            Self::Set(_) => "Set(..)",
            Self::Merge(_) => "Merge(..)",
        })
    }
}

impl<T: FieldValue> Edit<T> {
    /// Whether the field is left as it is.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Carries the edit out on `field`, which is called `json` in inputs.
    pub fn apply(self, field: &mut T, json: &'static str, cx: &mut InputCx) {
        if !self.is_keep() {
            cx.touch(json);
        }
        match self {
            Self::Keep => {}
            Self::Set(input) => *field = T::from_input(input),
            Self::Merge(patch) => cx.at(json, |cx| T::apply(field, patch, cx)),
        }
    }

    /// The value of a new embedded struct: what is set, else the default, else absence, else a violation.
    pub fn build(self, default: Option<T>, json: &'static str, cx: &mut InputCx) -> Option<T> {
        match self {
            Self::Set(input) => Some(T::from_input(input)),
            Self::Merge(patch) => cx.at(json, |cx| T::from_patch(patch, cx)),
            Self::Keep => {
                let value = default.or_else(T::absent);
                if value.is_none() {
                    cx.at(json, |cx| cx.reject("required", "is required"));
                }
                value
            }
        }
    }
}
