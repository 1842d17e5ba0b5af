//! One document of the old system while it takes its new form.

use bson::{Bson, Document, Uuid};
use model_core::prelude::*;

/// The old fields that are left, and the new ones so far.
pub(super) struct Old {
    from: Document,
    to: Document,
}

fn wrong(field: &str, why: &str) -> Error {
    Error::refused(format!("`{field}` {why}"))
}

/// A UUID that was stored as text.
fn parsed(field: &str, text: &str) -> Result<Uuid> {
    Uuid::parse_str(text).map_err(|_| wrong(field, "is no UUID"))
}

impl Old {
    /// A null was as good as no field.
    pub(super) fn new(document: Document) -> Self {
        let present = document.into_iter().filter(|(_, value)| *value != Bson::Null);
        Self {
            from: present.collect(),
            to: Document::new(),
        }
    }

    /// The document in its new form. What has no place in it is dropped by [`drop`](Self::drop) alone, so that nothing is lost
    /// that nobody has thought of.
    pub(super) fn finish(mut self, tenant: &Bson) -> Result<Document> {
        self.keep(&["createdAt", "updatedAt"]);
        self.drop(&["_id", "__v"]);
        if let Some(left) = self.from.keys().next() {
            return Err(wrong(left, "has no place in the new form"));
        }
        self.to.insert("tenantId", tenant.clone());
        Ok(self.to)
    }

    pub(super) fn drop(&mut self, fields: &[&str]) {
        for field in fields {
            self.from.remove(field);
        }
    }

    pub(super) fn take(&mut self, field: &str) -> Option<Bson> {
        self.from.remove(field)
    }

    pub(super) fn text(&mut self, field: &str) -> Result<Option<String>> {
        match self.take(field) {
            None => Ok(None),
            Some(Bson::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(field, "is no text")),
        }
    }

    /// JavaScript stored each number as a double, or as an integer where it was one.
    pub(super) fn number(&mut self, field: &str) -> Result<Option<f64>> {
        match self.take(field) {
            None => Ok(None),
            Some(Bson::Double(number)) => Ok(Some(number)),
            Some(Bson::Int32(number)) => Ok(Some(f64::from(number))),
            #[allow(clippy::cast_precision_loss, reason = "it was a double to begin with")]
            Some(Bson::Int64(number)) => Ok(Some(number as f64)),
            Some(_) => Err(wrong(field, "is no number")),
        }
    }

    pub(super) fn flag(&mut self, field: &str) -> Result<bool> {
        match self.take(field) {
            None => Ok(false),
            Some(Bson::Boolean(flag)) => Ok(flag),
            Some(_) => Err(wrong(field, "is neither true nor false")),
        }
    }

    /// A part, to be turned around by itself.
    pub(super) fn part(&mut self, field: &str) -> Result<Self> {
        match self.take(field) {
            None => Ok(Self::new(Document::new())),
            Some(Bson::Document(part)) => Ok(Self::new(part)),
            Some(_) => Err(wrong(field, "is no sub-document")),
        }
    }

    /// What has become of a part.
    pub(super) fn into_part(self) -> Result<Document> {
        match self.from.keys().next() {
            Some(left) => Err(wrong(left, "has no place in the new form")),
            None => Ok(self.to),
        }
    }

    /// What has become of a part that need not be there.
    pub(super) fn into_part_if_any(self) -> Result<Option<Document>> {
        let part = self.into_part()?;
        Ok((!part.is_empty()).then_some(part))
    }

    pub(super) fn put(&mut self, field: &str, value: impl Into<Bson>) {
        self.to.insert(field, value);
    }

    pub(super) fn put_some(&mut self, field: &str, value: Option<impl Into<Bson>>) {
        if let Some(value) = value {
            self.to.insert(field, value);
        }
    }

    pub(super) fn put_whole(&mut self, from: &str, to: &str) -> Result<()> {
        if let Some(number) = self.number(from)? {
            if number.fract() != 0.0 || number.abs() > 9e15 {
                return Err(wrong(from, "is no whole number"));
            }
            #[allow(clippy::cast_possible_truncation, reason = "it is whole, and in range")]
            self.put(to, number as i64);
        }
        Ok(())
    }

    /// What a new document would begin with. A stored one that lacks a field is an error, and never made up by a reader.
    pub(super) fn default(&mut self, field: &str, value: impl Into<Bson>) {
        if !self.to.contains_key(field) {
            self.to.insert(field, value);
        }
    }

    /// The same field under the same name.
    pub(super) fn keep(&mut self, fields: &[&str]) {
        for field in fields {
            self.rename(field, field);
        }
    }

    /// The same value under another name.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        if let Some(value) = self.take(from) {
            self.to.insert(to, value);
        }
    }

    /// A choice, in small letters; a default where there was none.
    pub(super) fn choice(&mut self, from: &str, to: &str, default: &str) -> Result<()> {
        let choice = self.text(from)?.map(|text| text.to_lowercase());
        self.put(to, choice.unwrap_or_else(|| default.to_owned()));
        Ok(())
    }

    /// A new id, where the old one was an `ObjectId`.
    pub(super) fn new_id(&mut self) {
        self.to.insert("_id", Uuid::new());
    }

    /// A UUID that was stored as text.
    pub(super) fn uuid(&mut self, from: &str, to: &str) -> Result<()> {
        let text = self.text(from)?.ok_or_else(|| wrong(from, "is missing"))?;
        self.to.insert(to, parsed(from, &text)?);
        Ok(())
    }

    /// A UUID that was stored as text, where there was one that says something.
    pub(super) fn uuid_unless(&mut self, from: &str, to: &str, nothing: &str) -> Result<()> {
        match self.text(from)? {
            Some(text) if text != nothing && !text.is_empty() => {
                self.to.insert(to, parsed(from, &text)?);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// UUIDs that were stored as texts.
    pub(super) fn uuids(&mut self, from: &str, to: &str) -> Result<()> {
        let Some(Bson::Array(items)) = self.take(from) else {
            return Ok(());
        };
        let ids = items.iter().map(|item| {
            let text = item
                .as_str()
                .ok_or_else(|| wrong(from, "holds something that is no text"))?;
            Ok(Bson::from(parsed(from, text)?))
        });
        let ids = ids.collect::<Result<Vec<_>>>()?;
        self.put(to, ids);
        Ok(())
    }
}
