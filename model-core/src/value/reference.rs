//! References: the ids of other models' documents.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::id::{Id, Identified};
use crate::codec::{
    DecodeCx, DecodeError, FieldValue, InputCx, Never, NoFields, RawValue, ViewValue, Writer,
};
use crate::schema::TypeSchema;

/// A reference to a document of the model `M`, stored as that document's bare id.
///
/// It loads nothing by itself: [`populate`](crate::ModelExt::populate) loads the documents that many references name with
/// one command. Nothing keeps the document from being deleted either, unless the field says so
/// (`#[model(on_delete = restrict)]`), so a reference may dangle.
///
/// ```
/// # model_core::__example!();
/// let id = Id::<Note>::generate();
/// let reference = Ref::to(&id);
/// assert_eq!(reference.id(), &id);
/// assert_eq!(Ref::from(id), reference);
/// ```
pub struct Ref<M>(Id<M>);

impl<M> Ref<M> {
    /// A reference to the document with this id.
    pub fn to(id: &Id<M>) -> Self {
        Self(id.clone())
    }

    /// The id of the document.
    pub fn id(&self) -> &Id<M> {
        &self.0
    }

    /// The id of the document.
    pub fn into_id(self) -> Id<M> {
        self.0
    }
}

impl<M> From<Id<M>> for Ref<M> {
    fn from(id: Id<M>) -> Self {
        Self(id)
    }
}

impl<M> From<&Id<M>> for Ref<M> {
    fn from(id: &Id<M>) -> Self {
        Self::to(id)
    }
}

impl<M> From<Ref<M>> for Id<M> {
    fn from(reference: Ref<M>) -> Self {
        reference.0
    }
}

impl<M> Clone for Ref<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M> PartialEq for Ref<M> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<M> PartialEq<Id<M>> for Ref<M> {
    fn eq(&self, other: &Id<M>) -> bool {
        self.0 == *other
    }
}

impl<M> Eq for Ref<M> {}

impl<M> PartialOrd for Ref<M> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<M> Ord for Ref<M> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl<M> Hash for Ref<M> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<M> fmt::Display for Ref<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<M> fmt::Debug for Ref<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<M> Serialize for Ref<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<M: 'static> ViewValue for Ref<M> {}

impl<M: Identified> FieldValue for Ref<M> {
    const TYPE: TypeSchema = TypeSchema::Reference(M::ID, M::SCHEMA);
    const INERT: bool = true;
    type Input = Self;
    type Patch = Never;
    type Fields<N: 'static> = NoFields;
    type View = Self;

    #[inline]
    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        self.0.encode(out, key);
    }

    #[inline]
    fn decode(value: RawValue<'_>, cx: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        Id::decode(value, cx).map(Self)
    }

    fn from_input(input: Self) -> Self {
        input
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
        <Id<M> as FieldValue>::parse(value, cx).map(Self)
    }

    fn into_view(self) -> Self {
        self
    }
}

/// What names one document of the model `M`: a [`Ref`], an [`Id`], or the document itself.
pub trait Pointer<M>: 'static {
    /// The id of the document.
    fn id(&self) -> &Id<M>;
}

impl<M: Identified> Pointer<M> for M {
    fn id(&self) -> &Id<M> {
        Identified::id(self)
    }
}

impl<M: 'static> Pointer<M> for Ref<M> {
    fn id(&self) -> &Id<M> {
        &self.0
    }
}

impl<M: 'static> Pointer<M> for Id<M> {
    fn id(&self) -> &Self {
        self
    }
}

/// What names documents of the model `M`: a reference or an id, an option of one, an array of them.
///
/// For a reference inside of an enum, give what a `match` finds: `Option<&Ref<M>>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not refer to documents of `{M}`",
    note = "give a `&Ref<{M}>`, a `&Option<Ref<{M}>>`, an `Option<&Ref<{M}>>` or a `&Vec<Ref<{M}>>`; a `&Id<{M}>` does too"
)]
pub trait Refers<M> {
    /// Hands each id to `each`, in order.
    fn each(self, each: &mut dyn FnMut(&Id<M>));
}

macro_rules! pointers {
    ($($pointer:ident),*) => {$(
        impl<M: 'static> Refers<M> for &$pointer<M> {
            fn each(self, each: &mut dyn FnMut(&Id<M>)) {
                each(Pointer::id(self));
            }
        }
    )*};
}

pointers!(Ref, Id);

impl<M, P: Pointer<M>> Refers<M> for Option<&P> {
    fn each(self, each: &mut dyn FnMut(&Id<M>)) {
        self.map(Pointer::id).into_iter().for_each(each);
    }
}

impl<M, P: Pointer<M>> Refers<M> for &Option<P> {
    fn each(self, each: &mut dyn FnMut(&Id<M>)) {
        self.as_ref().each(each);
    }
}

impl<M, P: Pointer<M>> Refers<M> for &[P] {
    fn each(self, each: &mut dyn FnMut(&Id<M>)) {
        self.iter().map(Pointer::id).for_each(each);
    }
}

impl<M, P: Pointer<M>> Refers<M> for &Vec<P> {
    fn each(self, each: &mut dyn FnMut(&Id<M>)) {
        self.as_slice().each(each);
    }
}
