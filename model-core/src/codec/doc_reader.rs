//! The fields of one document, by key.

use super::field_value::FieldValue;
use super::origin::DecodeCx;
use super::reader::{DecodeError, Elements, RawValue};
use crate::schema::reserved;

/// Takes the fields of one document by key.
///
/// Fields are asked for in the order in which this crate writes them, so the next element is nearly always the one.
/// A document that another client wrote, or that an update added a field to, has them in another order: what comes
/// too early is passed over and kept.
pub struct DocReader<'a, 'c> {
    document: &'a [u8],
    next: Elements<'a>,
    passed: Vec<Passed<'a>>,
    /// Where in `passed` the next field is to be expected.
    expected: usize,
    /// Whether the model itself asks for the revision.
    asks_revision: bool,
    cx: &'c DecodeCx<'c>,
}

/// An element that came before it was asked for.
struct Passed<'a> {
    key: &'a [u8],
    value: RawValue<'a>,
    taken: bool,
}

impl Passed<'_> {
    fn is(&self, key: &[u8]) -> bool {
        !self.taken && self.key == key
    }
}

impl std::fmt::Debug for DocReader<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DocReader").finish_non_exhaustive()
    }
}

impl<'a, 'c> DocReader<'a, 'c> {
    /// Reads the bytes of a whole document.
    #[inline]
    pub fn new(document: &'a [u8], cx: &'c DecodeCx<'c>) -> Result<Self, DecodeError> {
        Elements::new(document).map(|elements| Self::over(document, elements, cx))
    }

    /// Reads a document inside another.
    #[inline]
    pub fn nested(value: RawValue<'a>, cx: &'c DecodeCx<'c>) -> Result<Self, DecodeError> {
        value
            .document()
            .map(|elements| Self::over(value.bytes, elements, cx))
    }

    #[inline]
    fn over(document: &'a [u8], elements: Elements<'a>, cx: &'c DecodeCx<'c>) -> Self {
        Self {
            document,
            next: elements,
            passed: Vec::new(),
            expected: 0,
            asks_revision: false,
            cx,
        }
    }

    /// The field stored under `key`.
    ///
    /// # Errors
    /// It is missing and not optional, or does not decode.
    #[allow(
        clippy::inline_always,
        reason = "a key is compared in place where it is known: see `next_if`"
    )]
    #[inline(always)]
    pub fn field<T: FieldValue>(&mut self, key: &'static str) -> Result<T, DecodeError> {
        if let Some(tag) = const { T::TYPE.flat_key() } {
            return self.flat(tag);
        }
        match self.take(key)? {
            Some(value) => T::decode(value, &self.cx.child(key)).map_err(|error| error.at(key)),
            None => T::absent().ok_or_else(|| DecodeError::missing().at(key)),
        }
    }

    /// A flat enum, whose variant's name stands under `tag`: what the variant has is read from this document too.
    fn flat<T: FieldValue>(&mut self, tag: &'static str) -> Result<T, DecodeError> {
        match self.take(tag)? {
            Some(value) if !value.is_null() => T::decode(RawValue::document_of(self.document), self.cx),
            _ => T::absent().ok_or_else(|| DecodeError::missing().at(tag)),
        }
    }

    /// The raw value stored under `key`.
    #[allow(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    pub fn take(&mut self, key: &'static str) -> Result<Option<RawValue<'a>>, DecodeError> {
        self.asks_revision |= key == reserved::REVISION;
        match self.next.next_if(key.as_bytes())? {
            None if !self.next.is_at_end() || !self.passed.is_empty() => self.search(key.as_bytes()),
            value => Ok(value),
        }
    }

    /// Looks among what was passed over, then ahead. A field that is absent moves nothing.
    #[inline(never)]
    fn search(&mut self, key: &[u8]) -> Result<Option<RawValue<'a>>, DecodeError> {
        let here = self
            .passed
            .get(self.expected)
            .is_some_and(|passed| passed.is(key));
        let place = if here {
            Some(self.expected)
        } else {
            self.passed.iter().position(|passed| passed.is(key))
        };
        if let Some(place) = place
            && let Some(passed) = self.passed.get_mut(place)
        {
            passed.taken = true;
            self.expected = place + 1;
            return Ok(Some(passed.value));
        }
        let mut ahead = self.next;
        while let Some((name, value)) = ahead.next_bytes()? {
            if name == key {
                self.passed.reserve(16);
                self.pass_over(key)?;
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Goes to behind the element `key`, and keeps what stands before it.
    fn pass_over(&mut self, key: &[u8]) -> Result<(), DecodeError> {
        while let Some((name, value)) = self.next.next_bytes()?.filter(|(name, _)| *name != key) {
            self.passed.push(Passed {
                key: name,
                value,
                taken: false,
            });
        }
        Ok(())
    }

    /// Ends the reading: unknown elements are ignored, a key that stands twice is refused.
    ///
    /// # Errors
    /// A key that was taken stands in the document a second time: the server matches the first, many clients decode
    /// the last.
    #[inline]
    pub fn finish(self) -> Result<(), DecodeError> {
        let mut end = self.next;
        if !self.asks_revision {
            end.next_if(reserved::REVISION.as_bytes())?;
        }
        end.next_if(reserved::SCHEMA_VERSION.as_bytes())?;
        if end.is_at_end() && self.passed.is_empty() {
            return Ok(());
        }
        self.refuse_duplicates()
    }

    /// Of a key that stands twice, one is left over: it is asked for once.
    #[inline(never)]
    fn refuse_duplicates(mut self) -> Result<(), DecodeError> {
        let passed = self.passed.iter().filter(|passed| !passed.taken);
        let mut left: Vec<(&[u8], bool)> = passed.map(|passed| (passed.key, false)).collect();
        while let Some((key, _)) = self.next.next_bytes()? {
            left.push((key, false));
        }
        if left.is_empty() {
            return Ok(());
        }
        left.sort_unstable();
        let mut whole = Elements::new(self.document)?;
        while let Some((key, _)) = whole.next_bytes()? {
            if let Ok(place) = left.binary_search_by_key(&key, |(key, _)| *key)
                && let Some((_, seen)) = left.get_mut(place)
                && std::mem::replace(seen, true)
            {
                let name = String::from_utf8_lossy(key);
                return Err(DecodeError::new("the key stands twice in the document").at(&name));
            }
        }
        Ok(())
    }
}
