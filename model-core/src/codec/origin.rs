//! What a sealed value is bound to: collection, tenant, document and path.

use crate::error::Error;

/// The identity of the document that is being read, for values that are sealed to it.
#[derive(Debug, Clone, Copy)]
pub struct DocOrigin<'a> {
    /// The collection.
    pub(crate) collection: &'static str,
    /// The tenant's BSON type and bytes, in a tenant model.
    pub(crate) tenant: Option<(u8, &'a [u8])>,
    /// The id's BSON type and bytes.
    pub(crate) id: (u8, &'a [u8]),
}

/// Where a decoding stands. Each level lives on the stack and knows the one above it.
#[derive(Debug, Clone, Copy)]
pub struct DecodeCx<'a> {
    doc: Option<DocOrigin<'a>>,
    parent: Option<&'a DecodeCx<'a>>,
    key: &'static str,
}

impl<'a> DecodeCx<'a> {
    /// The start of a document. Without an origin, a sealed value in it does not decode.
    pub fn root(doc: Option<DocOrigin<'a>>) -> Self {
        Self {
            doc,
            parent: None,
            key: "",
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
        }
    }

    /// The document's identity.
    pub(crate) fn doc(&self) -> Option<DocOrigin<'a>> {
        self.doc
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
    /// The envelope of `plaintext` for the stored path.
    ///
    /// # Errors
    /// [`Crypto`](crate::ErrorKind::Crypto).
    fn seal(&self, path: &str, plaintext: &[u8]) -> Result<Vec<u8>, Error>;

    /// The digest of a token for the stored path.
    ///
    /// # Errors
    /// [`Crypto`](crate::ErrorKind::Crypto).
    fn digest(&self, path: &str, token: &[u8]) -> Result<Vec<u8>, Error>;

    /// The identity that a value at the stored path is bound to.
    fn origin(&self, path: &str) -> Vec<u8>;
}
