//! What stands at the places of references in a document, and what it loses there when others are deleted.

use std::collections::HashSet;
use std::sync::Arc;

use crate::codec::{DecodeError, Elements, RawValue, Writer, tag};
use crate::error::Result;
use crate::schema::{DeleteRule, ModelSchema, Reference, Step};
use crate::value::IdValue;

/// Hands every reference at the end of the steps to `each`.
pub(in crate::engine) fn each_named<'a>(
    value: RawValue<'a>,
    steps: &[Step],
    each: &mut dyn FnMut(RawValue<'a>),
) -> Result<(), DecodeError> {
    let Some((step, rest)) = steps.split_first() else {
        each(value);
        return Ok(());
    };
    match (step, value.tag) {
        (Step::Field(name), tag::DOCUMENT) => match value.document()?.find(name)? {
            Some(inner) => each_named(inner, rest, each),
            None => Ok(()),
        },
        (Step::Elements, tag::ARRAY) | (Step::Values, tag::DOCUMENT) => {
            let mut items = Elements::new(value.bytes)?;
            while let Some(item) = items.next_value()? {
                each_named(item, rest, each)?;
            }
            Ok(())
        }
        (Step::Variant { tag, name }, tag::DOCUMENT) if is_variant(value, tag, name)? => {
            each_named(value, rest, each)
        }
        _ => Ok(()),
    }
}

/// Whether one of `ids` stands at the end of the steps.
pub(in crate::engine) fn names(
    value: RawValue<'_>,
    steps: &[Step],
    ids: &HashSet<IdValue>,
) -> Result<bool, DecodeError> {
    let mut found = false;
    each_named(value, steps, &mut |named| found |= is_one_of(named, ids))?;
    Ok(found)
}

fn is_one_of(value: RawValue<'_>, ids: &HashSet<IdValue>) -> bool {
    IdValue::decode(value).is_ok_and(|id| ids.contains(&id))
}

fn is_variant(value: RawValue<'_>, tag: &str, name: &str) -> Result<bool, DecodeError> {
    let stored = value.document()?.find(tag)?;
    Ok(stored.is_some_and(|stored| stored.str().is_ok_and(|stored| stored == name)))
}

/// What a document that stays loses when others are deleted.
#[derive(Clone, Default)]
pub(crate) struct Loosened {
    losses: Vec<Loss>,
    /// What is personal in it too.
    pub(crate) erased: bool,
}

/// What it loses by one of its fields.
#[derive(Clone)]
struct Loss {
    at: Arc<Reference>,
    /// What is deleted.
    ids: Arc<HashSet<IdValue>>,
}

impl Loosened {
    pub(in crate::engine) fn add(&mut self, at: &Arc<Reference>, ids: &Arc<HashSet<IdValue>>) {
        self.losses.push(Loss {
            at: Arc::clone(at),
            ids: Arc::clone(ids),
        });
    }

    /// Forgets the losses of documents that are not deleted after all.
    pub(in crate::engine) fn retain(&mut self, is_deleted: impl Fn(&'static ModelSchema, &IdValue) -> bool) {
        for loss in &mut self.losses {
            let to = loss.at.to;
            if !loss.ids.iter().all(|id| is_deleted(to, id)) {
                let deleted = loss.ids.iter().filter(|id| is_deleted(to, id));
                loss.ids = Arc::new(deleted.cloned().collect());
            }
        }
        self.losses.retain(|loss| !loss.ids.is_empty());
    }

    /// Whether nothing is lost.
    pub(in crate::engine) fn is_nothing(&self) -> bool {
        self.losses.is_empty() && !self.erased
    }

    /// The document after it; `document` is in this crate's own form.
    pub(crate) fn apply(&self, document: Vec<u8>) -> Result<Vec<u8>> {
        self.losses
            .iter()
            .try_fold(document, |document, loss| loss.apply(&document))
    }

    /// Whether it is about the field stored under this name, or a part of it.
    pub(crate) fn touches(&self, stored: &str) -> bool {
        self.losses.iter().any(|loss| match loss.at.steps.first() {
            Some(Step::Field(name) | Step::Variant { tag: name, .. }) => *name == stored,
            _ => false,
        })
    }
}

impl Loss {
    fn apply(&self, document: &[u8]) -> Result<Vec<u8>> {
        let mut out = Writer::with_capacity(document.len()).keeping_keys(true);
        self.fields(document, &self.at.steps, &mut out)
            .map_err(DecodeError::into_error)?;
        out.finish()
    }

    /// The value without what it loses.
    fn value(
        &self,
        value: RawValue<'_>,
        steps: &[Step],
        key: &str,
        out: &mut Writer<'_>,
    ) -> Result<(), DecodeError> {
        let mut done = Ok(());
        match (steps, value.tag) {
            ([Step::Field(_), ..], tag::DOCUMENT) => {
                out.document(key, |out| done = self.fields(value.bytes, steps, out));
            }
            ([Step::Elements, rest @ ..], tag::ARRAY) => {
                let mut kept = Vec::new();
                let mut items = value.array()?;
                while let Some(item) = items.next_value()? {
                    if !self.takes(item, rest)? {
                        kept.push(item);
                    }
                }
                out.array(key, &kept, |out, key, item| {
                    if done.is_ok() {
                        done = self.value(*item, rest, key, out);
                    }
                });
            }
            ([Step::Values, rest @ ..], tag::DOCUMENT) => {
                out.document(key, |out| done = self.values(value.bytes, rest, out));
            }
            ([Step::Variant { tag, name }, rest @ ..], tag::DOCUMENT) if is_variant(value, tag, name)? => {
                return self.value(value, rest, key, out);
            }
            _ => out.raw(key, value.tag, value.bytes),
        }
        done
    }

    /// The fields of a document, whose steps begin with one of them.
    fn fields(&self, document: &[u8], steps: &[Step], out: &mut Writer<'_>) -> Result<(), DecodeError> {
        // A flat variant has its fields here.
        let steps = match steps {
            [Step::Variant { tag, name }, rest @ ..]
                if is_variant(RawValue::document_of(document), tag, name)? =>
            {
                rest
            }
            steps => steps,
        };
        let mut fields = Elements::new(document)?;
        while let Some((key, value)) = fields.next()? {
            match steps {
                [Step::Field(name)] if *name == key && self.nullifies(value) => {}
                [Step::Field(name), rest @ ..] if *name == key => self.value(value, rest, key, out)?,
                _ => out.raw(key, value.tag, value.bytes),
            }
        }
        Ok(())
    }

    /// The entries of a map.
    fn values(&self, map: &[u8], rest: &[Step], out: &mut Writer<'_>) -> Result<(), DecodeError> {
        let mut entries = Elements::new(map)?;
        while let Some((key, value)) = entries.next()? {
            if !self.takes(value, rest)? {
                self.value(value, rest, key, out)?;
            }
        }
        Ok(())
    }

    fn nullifies(&self, value: RawValue<'_>) -> bool {
        self.at.on_delete == Some(DeleteRule::Nullify) && is_one_of(value, &self.ids)
    }

    /// Whether an element goes: the innermost around the reference.
    fn takes(&self, item: RawValue<'_>, rest: &[Step]) -> Result<bool, DecodeError> {
        let is_innermost = !rest
            .iter()
            .any(|step| matches!(step, Step::Elements | Step::Values));
        Ok(self.at.on_delete == Some(DeleteRule::Pull) && is_innermost && names(item, rest, &self.ids)?)
    }
}
