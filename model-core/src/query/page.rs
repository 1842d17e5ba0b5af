//! Keyset pages: a total order, a place in it, and what comes after that place.

use std::fmt;
use std::ops::Deref;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bson::Bson;
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::evaluate::sort_key;
use super::filter::{Node, Test};
use super::options::Collation;
use super::page_key::PageKey;
use super::sort::SortKey;
use crate::codec::{Elements, Writer, read_bson, write_bson};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Direction, ModelSchema};

/// The form of a cursor; another one is another version.
const VERSION: u8 = 1;
const DIGEST: usize = 16;

/// Where the next page begins: opaque, safe in a URL, and good for the same query of the same tenant only.
///
/// It holds the sort values and the id of the last document of its page, which the reader has seen, and a digest; it is
/// no secret, and gives no right.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PageCursor(Box<str>);

impl PageCursor {
    pub(crate) fn new(text: String) -> Self {
        Self(text.into())
    }

    /// The text of the cursor: letters, digits, `-` and `_`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for PageCursor {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for PageCursor {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Shows nothing of the values inside.
impl fmt::Debug for PageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageCursor").finish_non_exhaustive()
    }
}

impl Serialize for PageCursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A total order of a model's documents: what was asked for, and the id among equals.
#[derive(Debug)]
pub(crate) struct PageOrder {
    sort: Vec<SortKey>,
    /// What may stand there, for each sort key.
    keys: Vec<PageKey>,
}

impl PageOrder {
    /// The order of `sort`, and among equals that of the id, or of the composite key where that alone names the documents, in
    /// the direction of the last key.
    ///
    /// # Errors
    /// `Invalid` for a key by which no page can be continued, or whose values a reader must not see.
    pub(crate) fn new(schema: &ModelSchema, sort: Vec<SortKey>) -> Result<Self> {
        let last = sort.last().map_or(Direction::Ascending, |key| key.direction);
        let names = if schema.has_id() {
            std::slice::from_ref(&schema.id_field)
        } else {
            schema.key
        };
        let tie_break = names.iter().map(|name| SortKey {
            path: (*name).into(),
            direction: last,
            outside: false,
        });
        let mut order = Self {
            sort: Vec::with_capacity(sort.len() + names.len()),
            keys: Vec::with_capacity(sort.len() + names.len()),
        };
        for key in sort.into_iter().chain(tie_break) {
            // Nothing sorts among documents of one id.
            let is_told = |known: &SortKey| known.path == key.path || known.path == schema.id_field;
            if !order.sort.iter().any(is_told) {
                order.keys.push(PageKey::new(schema, &key.path)?);
                order.sort.push(key);
            }
        }
        Ok(order)
    }

    pub(crate) fn sort(&self) -> &[SortKey] {
        &self.sort
    }

    /// The place of a stored document.
    pub(crate) fn place(&self, document: &[u8]) -> Result<Vec<u8>> {
        let values = sort_key(document, &self.sort).map_err(|_| Error::internal("a page over an array"))?;
        let mut out = Writer::with_capacity(64);
        for value in values {
            // The long-deprecated undefined sorts as null does.
            if value.is_null() {
                out.null("");
            } else {
                out.raw("", value.tag, value.bytes);
            }
        }
        out.finish()
    }

    /// Lets every key be absent, as it may be in a document that does not decode.
    pub(crate) fn admit_absent(&mut self) {
        for key in &mut self.keys {
            key.admit_absent();
        }
    }

    /// The place of a stored document that does not decode.
    ///
    /// # Errors
    /// `Decode` where a sort key holds a value of another kind than declared: what comes after it is no range of the
    /// declared one, and would be lost.
    pub(crate) fn place_of_any(&self, document: &[u8]) -> Result<Vec<u8>> {
        let values = sort_key(document, &self.sort).unwrap_or_default();
        let mut values = values.iter();
        for (sort, key) in self.sort.iter().zip(&self.keys) {
            if !values.next().is_some_and(|value| key.admits(*value)) {
                let message = "no page continues after a value of another type: sort by another field, or read the query \
                               without pages";
                return Err(Error::new(ErrorKind::Decode, message).at_path(sort.path.to_string()));
            }
        }
        self.place(document)
    }

    /// What comes after a place, as filters to be asked one after the other: each selects one range of an index over the
    /// keys, and the ranges follow each other in the order. In one disjunction, the server would have to find out by
    /// itself that it can begin at the place and need not sort; with several indexes at hand it often does not.
    pub(crate) fn after(&self, place: &[Bson]) -> Vec<Node> {
        let mut ranges = Vec::new();
        let mut equal = Node::Everything;
        for ((sort, key), value) in self.sort.iter().zip(&self.keys).zip(place) {
            let node = |test| Node::field(sort.path.clone(), test);
            let of_key = key.beyond(sort.direction, value).into_iter().map(node);
            // What shares more of the place comes first.
            ranges.insert(0, of_key.map(|node| equal.clone().and(node)).collect::<Vec<_>>());
            equal = equal.and(node(Test::Eq(value.clone())));
        }
        ranges.concat()
    }
}

/// What a cursor is bound to: another query's, or another tenant's, is refused.
#[derive(Debug)]
pub(crate) struct Binding(Sha256);

impl Binding {
    pub(crate) fn new(description: &[u8]) -> Self {
        Self(
            Sha256::new()
                .chain_update(b"model-core page cursor 1")
                .chain_update(description),
        )
    }

    fn digest(&self, place: &[u8]) -> Vec<u8> {
        let mut digest = self.0.clone().chain_update(place).finalize().to_vec();
        digest.truncate(DIGEST);
        digest
    }

    /// The text of a place.
    pub(crate) fn write(&self, place: &[u8]) -> PageCursor {
        let bytes = [&[VERSION], &*self.digest(place), place].concat();
        PageCursor::new(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The place that a text stands for: the values of `keys`.
    ///
    /// # Errors
    /// `Invalid`: it is no cursor, or not of this query.
    pub(crate) fn read(&self, text: &str, keys: usize) -> Result<Vec<Bson>> {
        self.parse(text, keys).ok_or_else(|| {
            let message = "not a cursor of this query: a cursor goes with the same filter, order and tenant";
            Error::violation("cursor", "cursor", message)
        })
    }

    fn parse(&self, text: &str, keys: usize) -> Option<Vec<Bson>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (digest, place) = rest.split_at_checked(DIGEST)?;
        if *version != VERSION || self.digest(place) != digest {
            return None;
        }
        let mut elements = Elements::new(place).ok()?;
        let mut values = Vec::with_capacity(keys);
        while let Some((_, value)) = elements.next().ok()? {
            values.push(read_bson(value).ok().filter(is_single)?);
        }
        (values.len() == keys).then_some(values)
    }
}

/// Whether a value is of the kinds that a [`PageKey`] is of. The digest holds no key, so anybody can make one.
fn is_single(value: &Bson) -> bool {
    matches!(
        value,
        Bson::Null
            | Bson::Boolean(_)
            | Bson::Int32(_)
            | Bson::Int64(_)
            | Bson::Double(_)
            | Bson::Decimal128(_)
            | Bson::String(_)
            | Bson::ObjectId(_)
            | Bson::DateTime(_)
            | Bson::Binary(_)
            | Bson::Timestamp(_)
    )
}

/// The description of a query that a cursor is bound to.
pub(crate) fn describe(
    collection: &str,
    tenant: Option<&Bson>,
    filter: &Node,
    order: &PageOrder,
    collation: Option<&Collation>,
) -> Result<Vec<u8>> {
    let mut out = Writer::new();
    out.string("collection", collection);
    if let Some(tenant) = tenant {
        write_bson(&mut out, "tenant", tenant);
    }
    out.document("filter", |out| super::render::render(filter, out));
    out.document("sort", |out| {
        for sort in &order.sort {
            out.bool(&sort.path, sort.direction == Direction::Ascending);
        }
    });
    if let Some(Collation {
        locale,
        strength,
        numeric,
    }) = collation
    {
        out.string("locale", locale);
        out.i32("strength", strength.map_or(0, i32::from));
        out.bool("numeric", *numeric);
    }
    out.finish()
}
