//! Indexes: their descriptions, and the keys of the unique ones.

use std::cmp::Ordering;
use std::sync::Arc;

use bson::{Bson, Document, RawDocument, doc};

use super::tree::Tree;
use super::{partial, refused};
use crate::codec::{Elements, RawValue, Writer, write_bson};
use crate::query::{KeyError, Node, index_keys, matches, order_values};
use crate::store::{StoreError, StoreResult};

/// A key of an index: its values as the elements of a document, in the server's order.
#[derive(Clone)]
pub(super) struct Key(Arc<[u8]>);

impl Key {
    pub(super) fn new(values: &[RawValue<'_>]) -> Self {
        let mut out = Writer::new();
        for value in values {
            out.raw("", value.tag, value.bytes);
        }
        // Each value is part of a document, so that all of them together are hardly larger than one.
        Self(out.finish().unwrap_or_default().into())
    }

    /// The key of these values, in their order; none of what is too large for a document.
    pub(super) fn of<'v>(values: impl IntoIterator<Item = &'v Bson>) -> Option<Self> {
        let mut out = Writer::new();
        for value in values {
            write_bson(&mut out, "", value);
        }
        Some(Self(out.finish().ok()?.into()))
    }

    fn values(&self) -> impl Iterator<Item = RawValue<'_>> {
        let mut elements = Elements::new(&self.0).ok();
        std::iter::from_fn(move || elements.as_mut()?.next().ok().flatten().map(|(_, value)| value))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let mut pairs = self.values().zip(other.values());
        pairs
            .find_map(|(a, b)| Some(order_values(a, b)).filter(|order| order.is_ne()))
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key {}

/// What decides which documents share a key; two indexes that agree in it are equivalent.
#[derive(PartialEq)]
struct Shape {
    paths: Vec<(String, Direction)>,
    unique: bool,
    sparse: bool,
    partial: Option<Document>,
    /// It holds words: searches do without it, and no document is refused for it.
    words: bool,
}

impl Shape {
    /// Whether every document has keys: one path alone has no parallel arrays, and names that are no numbers are not
    /// ambiguous.
    fn admits_all(&self) -> bool {
        let is_number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
        matches!(self.paths.as_slice(), [(path, _)] if !path.split('.').any(is_number))
    }
}

/// Which way a key goes, whatever kind of number says so.
#[derive(PartialEq)]
struct Direction(f64);

impl Direction {
    /// None: the words of a text have no order.
    const WORDS: Self = Self(0.0);

    fn is_words(&self) -> bool {
        *self == Self::WORDS
    }
}

/// An index.
#[derive(Clone)]
pub(super) struct Index {
    name: Arc<str>,
    shape: Arc<Shape>,
    filter: Option<Arc<Node>>,
    seconds: Option<i64>,
    /// The description as the server would list it, without the time to live.
    listed: Arc<Document>,
    /// Unique indexes only: which document has the key.
    holders: Tree<Key, u64>,
}

impl Index {
    /// The index that every collection has.
    pub(super) fn of_ids() -> Self {
        let shape = Shape {
            paths: vec![("_id".to_owned(), Direction(1.0))],
            unique: true,
            sparse: false,
            partial: None,
            words: false,
        };
        Self {
            name: "_id_".into(),
            shape: Arc::new(shape),
            filter: None,
            seconds: None,
            listed: Arc::new(doc! { "v": 2, "key": { "_id": 1 }, "name": "_id_" }),
            holders: Tree::default(),
        }
    }

    /// An index without entries, from its description.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] for kinds and options that this store does not know.
    pub(super) fn parse(description: &Document) -> StoreResult<Self> {
        let paths = parse_keys(description.get_document("key").map_err(|_| cannot_create())?)?;
        let name = match description.get("name") {
            Some(Bson::String(name)) if !name.is_empty() => name.clone(),
            None => paths
                .iter()
                .map(|(path, way)| {
                    if way.is_words() {
                        format!("{path}_text")
                    } else {
                        format!("{path}_{}", way.0)
                    }
                })
                .collect::<Vec<_>>()
                .join("_"),
            Some(_) => return Err(cannot_create()),
        };
        let words = paths.iter().any(|(_, way)| way.is_words());
        let options = Options::parse(description, words)?;
        if options.seconds.is_some() && paths.len() > 1 || options.sparse && options.partial.is_some() {
            return Err(cannot_create());
        }
        let filter = options
            .partial
            .as_ref()
            .map(partial::parse)
            .transpose()?
            .map(Arc::new);
        let key = description.get("key").cloned().unwrap_or(Bson::Null);
        let mut listed = doc! { "v": 2, "key": key, "name": name.as_str() };
        listed.extend(options.listed);
        Ok(Self {
            name: name.into(),
            shape: Arc::new(Shape {
                paths,
                unique: options.unique,
                sparse: options.sparse,
                partial: options.partial,
                words,
            }),
            filter,
            seconds: options.seconds,
            listed: Arc::new(listed),
            holders: Tree::default(),
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The description as the server lists it.
    pub(super) fn description(&self) -> Document {
        let mut listed = (*self.listed).clone();
        if let Some(seconds) = self.seconds {
            listed.insert(
                "expireAfterSeconds",
                i32::try_from(seconds).map_or(Bson::Int64(seconds), Bson::Int32),
            );
        }
        listed
    }

    /// Changes the time to live.
    pub(super) fn expire_after(&mut self, seconds: i64) -> StoreResult<()> {
        if seconds < 0 || &*self.name == "_id_" || self.shape.paths.len() > 1 {
            return Err(refused(72, "InvalidOptions"));
        }
        self.seconds = Some(seconds.min(i64::from(i32::MAX)));
        Ok(())
    }

    /// Keeps queries from the index, which this store does not use for them anyhow.
    pub(super) fn set_hidden(&mut self, hidden: bool) -> StoreResult<()> {
        if &*self.name == "_id_" {
            return Err(refused(72, "InvalidOptions"));
        }
        let listed = Arc::make_mut(&mut self.listed);
        if hidden {
            listed.insert("hidden", true);
        } else {
            listed.remove("hidden");
        }
        Ok(())
    }

    /// Whether `new` is this index already; an error if the two cannot stand side by side.
    pub(super) fn is_same(&self, new: &Self) -> StoreResult<bool> {
        let equivalent = self.shape == new.shape;
        match (self.name == new.name, equivalent) {
            (true, true) if self.seconds == new.seconds => Ok(true),
            (true | false, true) => Err(refused(85, "IndexOptionsConflict")),
            (true, false) => Err(refused(86, "IndexKeySpecsConflict")),
            (false, false) => Ok(false),
        }
    }

    /// Whether this is an index over `_id` alone, which is there already.
    pub(super) fn is_over_ids(&self) -> bool {
        matches!(self.shape.paths.as_slice(), [(path, way)] if path == "_id" && way.0 > 0.0)
    }

    /// Whether no two documents have the same values at these paths, and every document is in the index.
    pub(super) fn is_unique_over(&self, paths: &[&str]) -> bool {
        let Shape {
            paths: own,
            unique,
            sparse,
            partial,
            words: _,
        } = &*self.shape;
        *unique
            && !sparse
            && partial.is_none()
            && own.len() == paths.len()
            && own.iter().zip(paths).all(|((own, _), path)| own == path)
    }

    /// The keys that `document` has in a unique index.
    ///
    /// # Errors
    /// The document's arrays cannot be indexed by these paths, in any kind of index.
    pub(super) fn keys(&self, document: &RawDocument) -> StoreResult<Vec<Key>> {
        let left_out = self
            .filter
            .as_ref()
            .is_some_and(|filter| !matches(filter, document));
        if left_out || !self.shape.unique && (self.shape.words || self.shape.admits_all()) {
            return Ok(Vec::new());
        }
        let paths: Vec<&str> = self.shape.paths.iter().map(|(path, _)| path.as_str()).collect();
        let keys =
            index_keys(document.as_bytes(), &paths, self.shape.sparse).map_err(|error| match error {
                KeyError::ParallelArrays => refused(171, "CannotIndexParallelArrays"),
                KeyError::Ambiguous => refused(16746, "Location16746"),
            })?;
        Ok(if self.shape.unique {
            keys.iter().map(|key| Key::new(key)).collect()
        } else {
            Vec::new()
        })
    }

    /// The document that has `key`.
    pub(super) fn holder(&self, key: &Key) -> Option<u64> {
        self.holders.get(key).copied()
    }

    pub(super) fn add(&mut self, keys: Vec<Key>, slot: u64) {
        for key in keys {
            self.holders.insert(key, slot);
        }
    }

    pub(super) fn remove(&mut self, keys: &[Key]) {
        for key in keys {
            self.holders.remove(key);
        }
    }
}

fn parse_keys(keys: &Document) -> StoreResult<Vec<(String, Direction)>> {
    if keys.is_empty() {
        return Err(cannot_create());
    }
    let mut paths = Vec::with_capacity(keys.len());
    for (path, value) in keys {
        let way = match value {
            Bson::Int32(way) => f64::from(*way),
            Bson::Int64(way) => f64::from(i32::try_from(*way).unwrap_or(i32::MAX)),
            Bson::Double(way) => *way,
            Bson::String(form) if form == "text" => Direction::WORDS.0,
            Bson::String(form) => {
                return Err(StoreError::Unsupported {
                    what: match form.as_str() {
                        "hashed" => "a hashed index in memory",
                        "2dsphere" => "an index over places in memory",
                        _ => "an index of this kind in memory",
                    },
                });
            }
            _ => return Err(cannot_create()),
        };
        if path.contains('$') {
            return Err(StoreError::Unsupported {
                what: "a wildcard index in memory",
            });
        }
        if (way == 0.0 && !matches!(value, Bson::String(_)))
            || way.is_nan()
            || path.split('.').any(str::is_empty)
        {
            return Err(cannot_create());
        }
        paths.push((path.clone(), Direction(way)));
    }
    Ok(paths)
}

/// The options of a description, as far as this store knows them.
#[derive(Default)]
struct Options {
    unique: bool,
    sparse: bool,
    partial: Option<Document>,
    seconds: Option<i64>,
    listed: Document,
}

impl Options {
    fn parse(description: &Document, words: bool) -> StoreResult<Self> {
        let mut options = Self::default();
        for (option, value) in description {
            match (option.as_str(), value) {
                ("key" | "name" | "v", _) | ("unique" | "hidden", Bson::Boolean(false)) => continue,
                ("unique", Bson::Boolean(true)) => options.unique = true,
                ("sparse", Bson::Boolean(sparse)) => options.sparse = *sparse,
                ("hidden" | "background", Bson::Boolean(_)) => {}
                ("expireAfterSeconds", value) => {
                    options.seconds = Some(
                        whole(value)
                            .filter(|seconds| *seconds >= 0)
                            .ok_or_else(cannot_create)?,
                    );
                    continue;
                }
                ("partialFilterExpression", Bson::Document(filter)) => options.partial = Some(filter.clone()),
                ("weights" | "default_language" | "language_override" | "textIndexVersion", _) if words => {}
                ("collation", _) => {
                    return Err(StoreError::Unsupported {
                        what: "an index with a collation in memory",
                    });
                }
                _ => {
                    return Err(StoreError::Unsupported {
                        what: "an index with this option in memory",
                    });
                }
            }
            options.listed.insert(option, value.clone());
        }
        Ok(options)
    }
}

#[allow(clippy::cast_possible_truncation)] // a time to live is far from the limits
fn whole(value: &Bson) -> Option<i64> {
    match value {
        Bson::Int32(number) => Some(i64::from(*number)),
        Bson::Int64(number) => Some(*number),
        Bson::Double(number) if number.is_finite() => Some(*number as i64),
        _ => None,
    }
}

fn cannot_create() -> StoreError {
    refused(67, "CannotCreateIndex")
}
