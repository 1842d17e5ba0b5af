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
use super::sort::SortKey;
use crate::codec::{Elements, Writer, read_bson, write_bson};
use crate::error::{Error, Result};
use crate::schema::{Direction, ModelSchema, TypeSchema, reserved};

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
                order.keys.push(page_key(schema, &key.path)?);
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

/// One key of a page's order.
#[derive(Debug)]
struct PageKey {
    /// Its values may be "not a number", which sorts below all numbers and compares with none.
    may_be_nan: bool,
    /// It may be null or missing, which sorts below everything.
    may_be_null: bool,
}

impl PageKey {
    /// The tests that the values beyond `value` satisfy: each one range, in order.
    fn beyond(&self, direction: Direction, value: &Bson) -> Vec<Test> {
        let nan = || Test::Eq(Bson::Double(f64::NAN));
        let mut tests = Vec::with_capacity(3);
        match direction {
            Direction::Ascending => match value {
                Bson::Null => tests.push(Test::Ne(Bson::Null)),
                value if is_nan(value) => tests.push(Test::Gte(Bson::Double(f64::NEG_INFINITY))),
                value => tests.push(Test::Gt(value.clone())),
            },
            Direction::Descending if *value == Bson::Null => {}
            Direction::Descending => {
                if !is_nan(value) {
                    tests.push(Test::Lt(value.clone()));
                    tests.extend(self.may_be_nan.then(nan));
                }
                tests.extend(self.may_be_null.then_some(Test::Eq(Bson::Null)));
            }
        }
        tests
    }
}

fn is_nan(value: &Bson) -> bool {
    match value {
        Bson::Double(number) => number.is_nan(),
        Bson::Decimal128(number) => number.to_string().ends_with("NaN"),
        _ => false,
    }
}

/// The key, if pages can be sorted by it.
fn page_key(schema: &ModelSchema, path: &str) -> Result<PageKey> {
    let refuse = |why: &'static str| Err(Error::violation(path, "page", why));
    if path == reserved::SCORE {
        return refuse(
            "no page continues by relevance: sort by a field before `search`, or use `skip` and `limit`",
        );
    }
    let mut fields = schema.fields;
    let mut found = None;
    // A document of an older version may lack any field but the id.
    let mut may_be_null = schema.version > 1 && path != schema.id_field;
    for name in path.split('.') {
        let Some(field) = fields.iter().find(|field| field.stored == name) else {
            return refuse("pages are sorted by declared fields only");
        };
        if field.hidden {
            return refuse("pages are not sorted by a hidden field: its values would stand in the cursor");
        }
        may_be_null |= matches!(field.ty, TypeSchema::Optional(_));
        fields = field.ty.embedded().map_or(&[], |inner| inner.fields);
        found = Some(field.ty.required());
    }
    let may_be_nan = matches!(found, Some(TypeSchema::Double | TypeSchema::Decimal128));
    if !may_be_nan && !found.is_some_and(is_single_type) {
        return refuse(
            "pages are sorted by single values: an array, a document or a dynamic value has no one place",
        );
    }
    Ok(PageKey {
        may_be_nan,
        may_be_null,
    })
}

/// Whether all values of the type have one place each, and compare with each other.
fn is_single_type(ty: &TypeSchema) -> bool {
    match ty {
        TypeSchema::Enum(schema) => schema().variants.iter().all(|variant| variant.fields.is_empty()),
        ty => matches!(
            ty,
            TypeSchema::Bool
                | TypeSchema::Int16
                | TypeSchema::Uint16
                | TypeSchema::Int32
                | TypeSchema::Uint32
                | TypeSchema::Int64
                | TypeSchema::Uint64
                | TypeSchema::String
                | TypeSchema::ObjectId
                | TypeSchema::Uuid
                | TypeSchema::Date
                | TypeSchema::Binary
                | TypeSchema::Timestamp
                | TypeSchema::Id(_)
                | TypeSchema::Reference(..)
                | TypeSchema::TenantId
                | TypeSchema::Revision
        ),
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

/// Whether a value is of the kinds that [`page_key`] admits. The digest holds no key, so anybody can make one.
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
