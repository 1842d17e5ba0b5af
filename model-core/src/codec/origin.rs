//! What a sealed value is bound to: collection, tenant, document and path.

use std::fmt::Debug;

use chrono::{DateTime, Utc};
use zeroize::Zeroizing;

use super::place::{Place, element_id, key_id};
use super::reader::{DecodeError, RawValue};
use crate::error::Error;
use crate::schema::{FieldSchema, ModelSchema, Term};

/// The identity of the document that is being read, for values that are sealed to it.
#[derive(Debug, Clone, Copy)]
pub struct DocOrigin<'a> {
    /// The model, and so the collection.
    pub(crate) schema: &'static ModelSchema,
    /// The tenant's BSON type and bytes, in a tenant model.
    pub(crate) tenant: Option<(u8, &'a [u8])>,
    /// The id's BSON type and bytes.
    pub(crate) id: (u8, &'a [u8]),
    /// What time it is; none where what is read was read before.
    pub(crate) clock: Option<&'a dyn Today>,
}

/// What time it is, asked only where something has an end.
pub(crate) trait Today: Debug + Sync {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
}

/// Where a decoding stands. Each level lives on the stack and knows the one above it.
#[derive(Debug, Clone, Copy)]
pub struct DecodeCx<'a> {
    doc: Option<&'a DocOrigin<'a>>,
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
    /// The start of a document. Without an origin, a sealed value in it does not decode.
    pub fn root(doc: Option<&'a DocOrigin<'a>>) -> Self {
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

    /// The document's identity.
    #[inline]
    pub(crate) fn doc(&self) -> Option<&'a DocOrigin<'a>> {
        self.doc
    }

    /// The field here, if it is one of the document's own: its path is then its key.
    #[inline]
    pub(crate) fn top_level(&self) -> Option<&'static str> {
        match (self.parent, self.element) {
            (Some(root), None) if root.parent.is_none() && root.element.is_none() => Some(self.key),
            _ => None,
        }
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
