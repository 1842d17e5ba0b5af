//! Raw BSON out, in one pass.

use std::collections::HashSet;

use super::origin::Seal;
use super::place::Place;
use super::tag;
use crate::crypto::wipe;
use crate::error::{Error, Violation};

/// The most bytes that a MongoDB document may have (the server's `maxBsonObjectSize`).
const MAX_DOCUMENT: usize = 16 * 1024 * 1024;

/// Writes the elements of one document, and those of documents inside it.
///
/// A value that cannot be stored is noted with its path and reported by [`Writer::finish`]; nothing is half-written.
pub struct Writer<'a> {
    pub(super) buf: Vec<u8>,
    /// Where the element of the innermost open document begins. Until a document is closed, the place of its length
    /// holds where the element around it begins: so the path is known wherever it is asked for, and costs nothing.
    pub(super) open: usize,
    violations: Vec<Violation>,
    pub(super) seal: Option<&'a dyn Seal>,
    pub(super) crypto: Option<Error>,
    keeps_keys: bool,
    /// Whether reading back what was written gives just the values that were written.
    exact: bool,
    /// Vectors are written as arrays of numbers.
    arrays: bool,
    /// Where the open maps begin.
    pub(super) maps: Vec<usize>,
    /// What is written is in the clear: no copy of it is left behind where the room grows.
    wipes: bool,
    /// The places of secrets in elements: two elements with one id would have the same.
    pub(super) taken: HashSet<Place<'static>>,
}

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("len", &self.buf.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Writer<'a> {
    /// A writer without keys: a secret that has to be sealed is an error.
    pub fn new() -> Self {
        Self::with_capacity(512)
    }

    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let mut buf = Vec::with_capacity(capacity);
        buf.extend_from_slice(&[0; 4]);
        Self {
            buf,
            open: 0,
            violations: Vec::new(),
            seal: None,
            crypto: None,
            keeps_keys: false,
            exact: true,
            arrays: false,
            maps: Vec::new(),
            wipes: false,
            taken: HashSet::new(),
        }
    }

    /// For what is in the clear and will be sealed.
    pub(super) fn wiping(mut self) -> Self {
        self.wipes = true;
        self
    }

    /// Seals secrets with these keys.
    pub(crate) fn sealing(mut self, seal: Option<&'a dyn Seal>) -> Self {
        self.seal = seal;
        self
    }

    /// Writes keys of maps as they are: the stored ones are kept, whoever wrote them, and the new ones are judged where
    /// the two are compared.
    pub(crate) fn keeping_keys(mut self, keeps: bool) -> Self {
        self.keeps_keys = keeps;
        self
    }

    pub(crate) fn keeps_keys(&self) -> bool {
        self.keeps_keys
    }

    /// Notes that the value which is read back is not, or may not be, the one that was written: a secret that is sealed now,
    /// a date whose microseconds are not stored.
    pub fn inexact(&mut self) {
        self.exact = false;
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.exact
    }

    /// Writes vectors as arrays of numbers, for readers that know no packed ones.
    pub fn with_arrays(&mut self, write: impl FnOnce(&mut Self)) {
        self.arrays = true;
        write(self);
        self.arrays = false;
    }

    pub(crate) fn writes_arrays(&self) -> bool {
        self.arrays
    }

    /// The finished document.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) with every value that could not be stored;
    /// [`Crypto`](crate::ErrorKind::Crypto) if a secret could not be sealed.
    pub fn finish(mut self) -> Result<Vec<u8>, Error> {
        self.close(0);
        if self.wipes && (self.crypto.is_some() || !self.violations.is_empty()) {
            wipe(&mut self.buf);
        }
        if let Some(error) = self.crypto {
            return Err(error);
        }
        if self.buf.len() > MAX_DOCUMENT {
            self.violations
                .push(Violation::new("", "size", "the document is larger than 16 MiB"));
        }
        if self.violations.is_empty() {
            Ok(self.buf)
        } else {
            Err(Error::invalid(self.violations))
        }
    }

    /// Notes that the value at the current path, and `key` in it, cannot be stored.
    #[cold]
    pub(crate) fn reject(&mut self, key: &str, rule: &'static str, message: &'static str) {
        self.violations
            .push(Violation::new(self.path_to(key), rule, message));
    }

    /// Writes a map under `key`; `entries` writes its entries.
    pub(crate) fn map(&mut self, key: &str, entries: impl FnOnce(&mut Self)) {
        self.maps.push(self.buf.len());
        self.nested(tag::DOCUMENT, key, entries);
        self.maps.pop();
    }

    /// The path of `key` in the innermost open document.
    pub(super) fn path_to(&self, key: &str) -> String {
        let mut path = key.to_owned();
        let mut open = self.open;
        while open > 0 {
            let after_tag = self.buf.get(open + 1..).unwrap_or_default();
            let mut parts = after_tag.splitn(2, |byte| *byte == 0);
            let (name, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            if !path.is_empty() {
                path.insert(0, '.');
            }
            path.insert_str(0, &String::from_utf8_lossy(name));
            open = rest
                .first_chunk()
                .map_or(0, |outer| u32::from_le_bytes(*outer) as usize);
        }
        path
    }

    /// Makes room for so many bytes, before they are written.
    #[inline]
    fn reserve(&mut self, more: usize) {
        if self.wipes && self.buf.capacity() - self.buf.len() < more {
            self.grow(more);
        }
    }

    /// A vector that grows leaves what it held where it was.
    #[cold]
    fn grow(&mut self, more: usize) {
        let mut larger = Vec::with_capacity(2 * self.buf.len() + more);
        larger.extend_from_slice(&self.buf);
        wipe(&mut std::mem::replace(&mut self.buf, larger));
    }

    /// Begins an element; there is room for a value of a fixed length after it, and for the end of the document.
    #[inline]
    fn element(&mut self, tag: u8, key: &str) {
        self.reserve(key.len() + 32);
        self.buf.push(tag);
        self.buf.extend_from_slice(key.as_bytes());
        self.buf.push(0);
    }

    /// Closes the document that began at `start`.
    #[inline]
    fn close(&mut self, start: usize) {
        self.reserve(1);
        self.buf.push(0);
        let length = i32::try_from(self.buf.len() - start)
            .unwrap_or(i32::MAX)
            .to_le_bytes();
        if let Some(slot) = self.buf.get_mut(start..start + 4) {
            slot.copy_from_slice(&length);
        }
    }

    /// Writes a document under `key`; `fields` writes its elements.
    #[inline]
    pub fn document(&mut self, key: &str, fields: impl FnOnce(&mut Self)) {
        self.nested(tag::DOCUMENT, key, fields);
    }

    #[inline]
    fn nested(&mut self, tag: u8, key: &str, fields: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.open, self.buf.len());
        self.element(tag, key);
        let start = self.buf.len();
        // A document of 4 GiB is refused when it is finished.
        let place = u32::try_from(outer).unwrap_or(0).to_le_bytes();
        self.buf.extend_from_slice(&place);
        fields(self);
        self.open = outer;
        self.close(start);
    }

    /// Writes an array under `key`; `item` writes one element under the index that it is given as a key.
    #[inline]
    pub(crate) fn array<T>(&mut self, key: &str, items: &[T], mut item: impl FnMut(&mut Self, &str, &T)) {
        self.nested(tag::ARRAY, key, |out| {
            let mut digits = Decimal::default();
            for (index, value) in items.iter().enumerate() {
                item(out, digits.text(index), value);
            }
        });
    }

    /// Writes a value that is encoded already.
    #[inline]
    pub(crate) fn raw(&mut self, key: &str, tag: u8, bytes: &[u8]) {
        self.element(tag, key);
        self.reserve(bytes.len() + 1);
        self.buf.extend_from_slice(bytes);
    }

    /// Writes a boolean.
    #[inline]
    pub fn bool(&mut self, key: &str, value: bool) {
        self.element(tag::BOOL, key);
        self.buf.push(u8::from(value));
    }

    /// Writes a 32-bit integer.
    #[inline]
    pub fn i32(&mut self, key: &str, value: i32) {
        self.element(tag::INT32, key);
        self.buf.extend_from_slice(&value.to_le_bytes());
    }

    /// Writes a 64-bit integer.
    #[inline]
    pub fn i64(&mut self, key: &str, value: i64) {
        self.element(tag::INT64, key);
        self.buf.extend_from_slice(&value.to_le_bytes());
    }

    /// Writes a double.
    #[inline]
    pub fn f64(&mut self, key: &str, value: f64) {
        self.element(tag::DOUBLE, key);
        self.buf.extend_from_slice(&value.to_le_bytes());
    }

    /// Writes a string.
    #[inline]
    pub fn string(&mut self, key: &str, value: &str) {
        self.element(tag::STRING, key);
        let length = i32::try_from(value.len() + 1).unwrap_or(i32::MAX);
        self.reserve(value.len() + 6);
        self.buf.extend_from_slice(&length.to_le_bytes());
        self.buf.extend_from_slice(value.as_bytes());
        self.buf.push(0);
    }

    /// Writes a date: milliseconds since the Unix epoch.
    #[inline]
    pub fn date(&mut self, key: &str, millis: i64) {
        self.element(tag::DATE, key);
        self.buf.extend_from_slice(&millis.to_le_bytes());
    }

    /// Writes an `ObjectId`.
    #[inline]
    pub fn object_id(&mut self, key: &str, bytes: [u8; 12]) {
        self.element(tag::OBJECT_ID, key);
        self.buf.extend_from_slice(&bytes);
    }

    /// Writes binary of a subtype other than the obsolete 2.
    #[inline]
    pub fn binary(&mut self, key: &str, subtype: u8, bytes: &[u8]) {
        self.element(tag::BINARY, key);
        let length = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
        self.reserve(bytes.len() + 6);
        self.buf.extend_from_slice(&length.to_le_bytes());
        self.buf.push(subtype);
        self.buf.extend_from_slice(bytes);
    }

    /// Writes null.
    #[inline]
    pub fn null(&mut self, key: &str) {
        self.element(tag::NULL, key);
    }
}

impl Default for Writer<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// The decimal digits of array indexes, without an allocation for each.
#[derive(Default)]
struct Decimal([u8; 20]);

impl Decimal {
    #[inline]
    fn text(&mut self, number: usize) -> &str {
        const SHORT: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        match SHORT.get(number) {
            Some(digit) => digit,
            None => self.write(number),
        }
    }

    fn write(&mut self, mut number: usize) -> &str {
        let mut start = self.0.len();
        for slot in self.0.iter_mut().rev() {
            *slot = b'0' + u8::try_from(number % 10).unwrap_or(0);
            start -= 1;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.0
            .get(start..)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .unwrap_or_default()
    }
}
