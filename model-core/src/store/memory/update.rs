//! `$set` and `$unset` on raw bytes: what is not named is copied as it is.

use std::borrow::Cow;

use bson::{RawDocument, RawDocumentBuf};

use super::refused;
use crate::codec::{Elements, RawValue, Writer, tag};
use crate::store::{StoreError, StoreResult};

/// As many nulls as the server puts before a new element of an array.
const MAX_PADDING: usize = 1_500_000;

/// What happens to one name, and below it.
enum Change<'u> {
    Set(RawValue<'u>),
    Unset,
    Inside(Changes<'u>),
}

/// The changes of one document, in the order in which the server appends new fields.
#[derive(Default)]
struct Changes<'u>(Vec<(&'u str, Change<'u>)>);

/// The document after `set` (whose keys are dotted paths) and `unset`.
///
/// # Errors
/// The server's refusals: two paths of which one contains the other, an empty name, a path through a scalar.
pub(crate) fn updated(
    document: &RawDocument,
    set: &RawDocument,
    unset: &[String],
) -> StoreResult<RawDocumentBuf> {
    let mut changes = Changes::default();
    let mut elements = Elements::new(set.as_bytes()).map_err(|_| malformed())?;
    while let Some((path, value)) = elements.next().map_err(|_| malformed())? {
        changes.add_path(path, Change::Set(value))?;
    }
    for path in unset {
        changes.add_path(path, Change::Unset)?;
    }
    if changes.0.iter().any(|(name, _)| name.starts_with('$')) {
        return Err(refused(52, "DollarPrefixedFieldName"));
    }
    changes.sort();
    let bytes = changes.apply(document.as_bytes())?;
    if id(&bytes) != id(document.as_bytes()) {
        return Err(refused(66, "ImmutableField"));
    }
    RawDocumentBuf::from_bytes(bytes).map_err(|_| malformed())
}

impl<'u> Changes<'u> {
    fn add_path(&mut self, path: &'u str, change: Change<'u>) -> StoreResult<()> {
        let mut names = path.split('.');
        if names.clone().any(str::is_empty) {
            return Err(refused(56, "EmptyFieldName"));
        }
        if names.clone().any(|name| name == "$" || name.starts_with("$[")) {
            return Err(StoreError::Unsupported {
                what: "positional update operators in memory",
            });
        }
        let first = names.next().unwrap_or_default();
        self.add(first, names, change)
    }

    fn add(
        &mut self,
        name: &'u str,
        mut rest: std::str::Split<'u, char>,
        change: Change<'u>,
    ) -> StoreResult<()> {
        let known = self.0.iter_mut().find(|(known, _)| *known == name);
        match (known, rest.next()) {
            (None, None) => self.0.push((name, change)),
            (None, Some(next)) => {
                let mut inside = Changes::default();
                inside.add(next, rest, change)?;
                self.0.push((name, Change::Inside(inside)));
            }
            (Some((_, Change::Inside(inside))), Some(next)) => inside.add(next, rest, change)?,
            (Some(_), _) => return Err(refused(40, "ConflictingUpdateOperators")),
        }
        Ok(())
    }

    fn sort(&mut self) {
        self.0.sort_by(|(a, _), (b, _)| rank(a).cmp(&rank(b)));
        for (_, change) in &mut self.0 {
            if let Change::Inside(inside) = change {
                inside.sort();
            }
        }
    }

    fn sets(&self) -> bool {
        self.0.iter().any(|(_, change)| match change {
            Change::Set(_) => true,
            Change::Unset => false,
            Change::Inside(inside) => inside.sets(),
        })
    }

    /// The bytes of the document `bytes` after the changes.
    fn apply(&self, bytes: &[u8]) -> StoreResult<Vec<u8>> {
        let mut out = Writer::with_capacity(bytes.len() + 64);
        let mut pending: Vec<_> = self.0.iter().map(Some).collect();
        let mut elements = Elements::new(bytes).map_err(|_| malformed())?;
        while let Some((key, value)) = elements.next().map_err(|_| malformed())? {
            // A name that stands twice is changed where it stands first, as on the server.
            let slot = pending
                .iter_mut()
                .find(|slot| slot.is_some_and(|(name, _)| *name == key));
            match slot.and_then(Option::take) {
                None => out.raw(key, value.tag, value.bytes),
                Some((_, Change::Set(new))) => out.raw(key, new.tag, new.bytes),
                Some((_, Change::Unset)) => {}
                Some((_, Change::Inside(inside))) => {
                    let (tag, bytes) = inside.apply_inside(value)?;
                    out.raw(key, tag, &bytes);
                }
            }
        }
        for (name, change) in pending.into_iter().flatten() {
            if let Some((tag, bytes)) = change.create()? {
                out.raw(name, tag, &bytes);
            }
        }
        out.finish().map_err(|_| refused(10334, "BSONObjectTooLarge"))
    }

    fn apply_inside<'v>(&self, value: RawValue<'v>) -> StoreResult<(u8, Cow<'v, [u8]>)> {
        let bytes = match value.tag {
            tag::DOCUMENT => Cow::Owned(self.apply(value.bytes)?),
            tag::ARRAY => Cow::Owned(self.apply_in_array(value.bytes)?),
            _ if self.sets() => return Err(not_viable()),
            _ => Cow::Borrowed(value.bytes),
        };
        Ok((value.tag, bytes))
    }

    fn apply_in_array(&self, array: &[u8]) -> StoreResult<Vec<u8>> {
        let mut items: Vec<(u8, Cow<'_, [u8]>)> = Vec::new();
        let mut elements = Elements::new(array).map_err(|_| malformed())?;
        while let Some((_, value)) = elements.next().map_err(|_| malformed())? {
            items.push((value.tag, Cow::Borrowed(value.bytes)));
        }
        for (name, change) in &self.0 {
            let index = if name.bytes().all(|byte| byte.is_ascii_digit()) {
                name.parse().ok()
            } else {
                None
            };
            match (index, change) {
                (Some(index), change) if index < items.len() => change_item(&mut items, index, change)?,
                (index, change) => {
                    let Some(created) = change.create()? else { continue };
                    let index: usize = index.ok_or_else(not_viable)?;
                    if index - items.len() > MAX_PADDING {
                        return Err(refused(34, "CannotBackfillArray"));
                    }
                    items.resize(index, (tag::NULL, Cow::Borrowed(&[])));
                    items.push(created);
                }
            }
        }
        let mut out = Writer::with_capacity(array.len() + 64);
        for (index, (tag, bytes)) in items.iter().enumerate() {
            out.raw(&index.to_string(), *tag, bytes);
        }
        out.finish().map_err(|_| refused(10334, "BSONObjectTooLarge"))
    }
}

impl<'u> Change<'u> {
    /// The value that this change makes where there is none.
    fn create(&self) -> StoreResult<Option<(u8, Cow<'u, [u8]>)>> {
        const EMPTY: &[u8] = &[5, 0, 0, 0, 0];
        Ok(match self {
            Self::Set(value) => Some((value.tag, Cow::Borrowed(value.bytes))),
            Self::Inside(inside) if inside.sets() => Some((tag::DOCUMENT, Cow::Owned(inside.apply(EMPTY)?))),
            Self::Unset | Self::Inside(_) => None,
        })
    }
}

fn change_item<'u>(items: &mut [(u8, Cow<'u, [u8]>)], index: usize, change: &Change<'u>) -> StoreResult<()> {
    let Some(item) = items.get_mut(index) else {
        return Ok(());
    };
    match change {
        Change::Set(value) => *item = (value.tag, Cow::Borrowed(value.bytes)),
        // Removing it would move the others.
        Change::Unset => *item = (tag::NULL, Cow::Borrowed(&[])),
        Change::Inside(inside) => {
            let (tag, bytes) = inside.apply_inside(RawValue {
                tag: item.0,
                bytes: &item.1,
            })?;
            *item = (tag, Cow::Owned(bytes.into_owned()));
        }
    }
    Ok(())
}

/// The place of a new field among new fields: numbers by value, then the others by their bytes.
fn rank(name: &str) -> (bool, usize, &str) {
    let digits = name.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits && (name == "0" || !name.starts_with('0'));
    (!digits, if number { name.len() } else { 0 }, name)
}

/// The type and the bytes of the `_id`, which is stored first.
fn id(document: &[u8]) -> Option<(u8, &[u8])> {
    let (key, value) = Elements::new(document).ok()?.next().ok()??;
    (key == "_id").then_some((value.tag, value.bytes))
}

fn not_viable() -> StoreError {
    refused(28, "PathNotViable")
}

fn malformed() -> StoreError {
    refused(22, "InvalidBSON")
}
