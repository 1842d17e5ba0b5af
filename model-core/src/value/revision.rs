//! The revision of a stored document.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::codec::{
    DecodeCx, DecodeError, FieldValue, InputCx, Never, NoFields, RawValue, ViewValue, Writer,
};
use crate::error::Error;
use crate::schema::TypeSchema;

/// How far one write may move the revision. The step is random, so that a rival's write and our own are told apart.
const MAX_STEP: u32 = 1 << 20;

/// The revision of a document: it grows by a random step with every write.
///
/// Its text form is a string of digits, fit for an `ETag`; in JSON it is a string too, since it may exceed what a
/// JavaScript number holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(i64);

impl Revision {
    pub(crate) fn from_i64(number: i64) -> Self {
        Self(number)
    }

    pub(crate) fn to_i64(self) -> i64 {
        self.0
    }

    /// The revision of the next write. The step has to differ from a rival's, and is no secret: a generator of the thread's own
    /// is enough, and asks nothing of the system.
    pub(crate) fn next(self) -> Self {
        let step = rand::random_range(1..=MAX_STEP);
        Self(self.0.wrapping_add(i64::from(step)))
    }

    /// Reads the text form, as an `If-Match` header carries it (without the quotes).
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if it is not a whole number.
    pub fn parse(text: &str) -> Result<Self, Error> {
        text.parse()
            .map(Self)
            .map_err(|_| Error::violation("revision", "revision", "expected a revision: a string of digits"))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for Revision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl ViewValue for Revision {}

impl FieldValue for Revision {
    const TYPE: TypeSchema = TypeSchema::Revision;
    const INERT: bool = true;
    type Input = Self;
    type Patch = Never;
    type Fields<M: 'static> = NoFields;
    type View = Self;

    #[inline]
    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        out.i64(key, self.0);
    }

    #[inline]
    fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        value.i64().map(Self)
    }

    /// Documents of other writers have none.
    fn absent() -> Option<Self> {
        Some(Self(0))
    }

    fn from_input(input: Self) -> Self {
        input
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
        let parsed = value.as_str().and_then(|text| text.parse().ok()).map(Self);
        if parsed.is_none() {
            cx.reject("revision", "expected a revision: a string of digits");
        }
        parsed
    }

    fn into_view(self) -> Self {
        self
    }
}
