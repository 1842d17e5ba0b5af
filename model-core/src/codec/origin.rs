//! What a sealed value is bound to: collection, tenant, document and path.

use std::cell::Cell;
use std::fmt::{self, Debug};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use zeroize::Zeroizing;

use super::place::{Place, element_id, key_id};
use super::reader::{DecodeError, Elements, RawValue};
use crate::crypto::Origin;
use crate::error::Error;
use crate::schema::{FieldSchema, ModelSchema, Term};

/// The identity of a document, for values that are sealed to it.
#[derive(Debug, Clone, Copy)]
pub struct DocOrigin<'a> {
    /// The model, and so the collection.
    pub(crate) schema: &'static ModelSchema,
    /// The tenant's BSON type and bytes, in a tenant model.
    pub(crate) tenant: Option<(u8, &'a [u8])>,
    /// The id's BSON type and bytes.
    pub(crate) id: (u8, &'a [u8]),
}

impl<'a> DocOrigin<'a> {
    /// The identity of a document in the present version; none without an id.
    pub(crate) fn of(schema: &'static ModelSchema, document: &'a [u8]) -> Result<Option<Self>, DecodeError> {
        let fields = Elements::new(document)?;
        let value = |field| {
            fields
                .find(field)
                .map(|found| found.map(|found| (found.tag, found.bytes)))
        };
        let tenant = match schema.tenant_field() {
            Some(field) => value(field)?,
            None => None,
        };
        let id = value(schema.id_field)?;
        Ok(id.map(|id| Self { schema, tenant, id }))
    }

    /// What a value at `path` of it is bound to; inside elements, `id` stands for theirs too.
    pub(crate) fn bind(&self, path: &str, id: (u8, &[u8])) -> Vec<u8> {
        let (collection, tenant) = (self.schema.collection, self.tenant);
        Origin {
            collection,
            path,
            tenant,
            id,
        }
        .encode()
    }
}

/// The document that is being decoded, for values that are sealed to it.
pub struct Decoding<'a> {
    pub(crate) schema: &'static ModelSchema,
    document: &'a [u8],
    /// What time it is; none where what is read was read before.
    clock: Option<&'a dyn Today>,
    /// A copy of it, while more sealed values may come that keep it too.
    kept: Cell<Option<Arc<[u8]>>>,
    /// How many may come.
    left: Cell<usize>,
}

/// The largest document that is kept for its sealed values, in bytes: of a larger one each keeps its own.
const KEPT: usize = 2_048;

impl<'a> Decoding<'a> {
    pub(crate) fn new(
        schema: &'static ModelSchema,
        document: &'a [u8],
        clock: Option<&'a dyn Today>,
    ) -> Self {
        Self {
            schema,
            document,
            clock,
            kept: Cell::default(),
            left: Cell::new(schema.encrypted_fields()),
        }
    }

    /// The document's identity; none without an id.
    pub(crate) fn origin(&self) -> Result<Option<DocOrigin<'a>>, DecodeError> {
        DocOrigin::of(self.schema, self.document)
    }

    /// A copy of the document, and where in it `part` stands; none if the document is too large to be kept for it.
    pub(crate) fn keep(&self, part: &[u8]) -> Option<(Arc<[u8]>, u16)> {
        let start = part.as_ptr().addr().checked_sub(self.document.as_ptr().addr())?;
        let end = start.checked_add(part.len())?;
        if self.document.len() > KEPT || end > self.document.len() {
            return None;
        }
        let kept = self.kept.take().unwrap_or_else(|| Arc::from(self.document));
        // The last one takes it: each time that it is counted takes as long as to read a number.
        let left = self.left.get().saturating_sub(1);
        self.left.set(left);
        if left > 0 {
            self.kept.set(Some(Arc::clone(&kept)));
        }
        Some((kept, u16::try_from(start).ok()?))
    }
}

impl Debug for Decoding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoding").finish_non_exhaustive()
    }
}

/// What time it is, asked only where something has an end.
pub(crate) trait Today: Debug + Sync {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
}

/// Where a decoding stands. Each level lives on the stack and knows the one above it.
#[derive(Debug, Clone, Copy)]
pub struct DecodeCx<'a> {
    doc: Option<&'a Decoding<'a>>,
    parent: Option<&'a DecodeCx<'a>>,
    key: &'static str,
    element: Option<Element<'a>>,
}

/// The element of an array or map that is being read.
#[derive(Debug, Clone, Copy)]
enum Element<'a> {
    Item(RawValue<'a>),
    Entry(&'a str),
}

impl<'a> DecodeCx<'a> {
    /// The start of a document. Where it is not known, a sealed value in it does not decode.
    pub fn root(doc: Option<&'a Decoding<'a>>) -> Self {
        Self {
            doc,
            parent: None,
            key: "",
            element: None,
        }
    }

    /// One level down.
    #[inline]
    pub fn child<'b>(&'b self, key: &'static str) -> DecodeCx<'b>
    where
        'a: 'b,
    {
        DecodeCx {
            doc: self.doc,
            parent: Some(self),
            key,
            element: None,
        }
    }

    /// The same place, at an element of the array.
    #[inline]
    pub(crate) fn at_item(&mut self, item: RawValue<'a>) {
        self.element = Some(Element::Item(item));
    }

    /// The same place, at an entry of the map.
    #[inline]
    pub(crate) fn at_entry(&mut self, key: &'a str) {
        self.element = Some(Element::Entry(key));
    }

    /// Where a sealed value stands here.
    ///
    /// # Errors
    /// An element of an array on the way has no id as its first field.
    pub(crate) fn place(&self) -> Result<Place<'static>, DecodeError> {
        let mut elements = Vec::new();
        let mut level = Some(self);
        while let Some(cx) = level {
            match cx.element {
                None => {}
                Some(Element::Entry(key)) => elements.push(key_id(key)),
                Some(Element::Item(item)) => {
                    let first = item.document().and_then(|mut fields| fields.next());
                    let id = element_id(first.ok().flatten());
                    elements.push(id.ok_or_else(|| {
                        DecodeError::new(
                            "a sealed value in an array whose element does not begin with its `id`",
                        )
                    })?);
                }
            }
            level = cx.parent;
        }
        elements.reverse();
        Ok(Place {
            path: self.path(),
            elements,
        })
    }

    /// The field here.
    pub(crate) fn field(&self) -> Option<&'static FieldSchema> {
        self.doc.and_then(|doc| doc.schema.field_at(&self.path()))
    }

    /// Whether what was to be read for a time is read no more.
    pub(crate) fn is_over(&self, term: Term) -> bool {
        let clock = self.doc.and_then(|doc| doc.clock);
        clock.is_some_and(|clock| term.is_over(clock.now()))
    }

    /// The document.
    #[inline]
    pub(crate) fn doc(&self) -> Option<&'a Decoding<'a>> {
        self.doc
    }

    /// Whether the field here is one of the document's own: its path is then its key.
    #[inline]
    pub(crate) fn is_top_level(&self) -> bool {
        let own = |root: &DecodeCx<'_>| root.parent.is_none() && root.element.is_none();
        self.element.is_none() && self.parent.is_some_and(own)
    }

    /// The stored path: `limits.token`, `members.[].token`.
    pub(crate) fn path(&self) -> String {
        let parent = self.parent.map(DecodeCx::path).unwrap_or_default();
        if parent.is_empty() {
            self.key.to_owned()
        } else {
            format!("{parent}.{}", self.key)
        }
    }
}

/// Seals the values of one document: the keys of its tenant, bound to its identity.
pub trait Seal: Send + Sync {
    /// The envelope of `plaintext` for a place.
    ///
    /// # Errors
    /// [`Crypto`](crate::ErrorKind::Crypto).
    fn seal(&self, place: &Place<'_>, plaintext: &[u8]) -> Result<Vec<u8>, Error>;

    /// The digest of a token for the stored path.
    ///
    /// # Errors
    /// [`Crypto`](crate::ErrorKind::Crypto).
    fn digest(&self, path: &str, token: &[u8]) -> Result<Vec<u8>, Error>;

    /// The plaintext of what another system encrypted; none if it is not of that format.
    ///
    /// # Errors
    /// [`Crypto`](crate::ErrorKind::Crypto).
    fn open_old(&self, format: &str, stored: &str) -> Result<Option<Zeroizing<String>>, Error>;

    /// The identity that a value at a place is bound to.
    fn origin(&self, place: &Place<'_>) -> Vec<u8>;
}
