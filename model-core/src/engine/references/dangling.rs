//! References that lead nowhere: the documents that they name are not there, or are another tenant's.

use std::collections::HashSet;

use bson::RawDocumentBuf;

use super::loss::each_named;
use crate::codec::{DecodeError, RawValue};
use crate::engine::audit::outbox;
use crate::engine::caller::Caller;
use crate::engine::read::load;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, Test};
use crate::schema::{ModelSchema, Reference};
use crate::store::{Find, Selection, into_error};
use crate::value::IdValue;

/// What the documents of one batch name, by the stored paths of their model's references.
pub(in crate::engine) struct Links(Vec<Link>);

struct Link {
    at: Reference,
    /// What is named, and the place of the document that names it.
    named: Vec<(IdValue, usize)>,
}

impl Links {
    pub(in crate::engine) fn of(schema: &'static ModelSchema) -> Self {
        let links = schema.references().into_iter().map(|at| Link {
            at,
            named: Vec::new(),
        });
        Self(links.collect())
    }

    /// Takes in what a document of the present version names.
    pub(in crate::engine) fn note(&mut self, place: usize, present: &[u8]) -> Result<()> {
        for Link { at, named } in &mut self.0 {
            let mut note = |value: RawValue<'_>| {
                // What is no id at all is the decoder's to refuse.
                named.extend(IdValue::decode(value).map(|id| (id, place)));
            };
            each_named(RawValue::document_of(present), &at.steps, &mut note)
                .map_err(DecodeError::into_error)?;
        }
        Ok(())
    }

    /// Hands over one error for each reference that leads nowhere.
    pub(in crate::engine) async fn judge(
        self,
        caller: &Caller,
        schema: &ModelSchema,
        documents: &[RawDocumentBuf],
        found: &mut (dyn FnMut(Error) + Send),
    ) -> Result<()> {
        for Link { at, mut named } in self.0 {
            let present = present(caller, at.to, &named).await?;
            named.retain(|(id, _)| !present.contains(id));
            for (_, place) in &named {
                let message = format!("the {} that it refers to", at.to.name);
                let error = Error::new(ErrorKind::NotFound, message).at_path(&at.path);
                let document = documents.get(*place).map(|document| document.as_bytes());
                found(error.at_id(|| {
                    let id = document.map(|document| load::id_text(schema, document));
                    id.unwrap_or_default()
                }));
            }
        }
        Ok(())
    }
}

/// Which of these documents there are, deleted ones that are kept included.
async fn present(
    caller: &Caller,
    to: &'static ModelSchema,
    named: &[(IdValue, usize)],
) -> Result<HashSet<IdValue>> {
    let ids: HashSet<&IdValue> = named.iter().map(|(id, _)| id).collect();
    let mut present = HashSet::with_capacity(ids.len());
    if ids.is_empty() {
        return Ok(present);
    }
    let mut node = Node::field(
        to.id_field,
        Test::In(ids.into_iter().map(IdValue::to_bson).collect()),
    );
    if to.has_outbox() {
        node = node.and(Node::field(outbox::PURGE_PATH, Test::Ne(true.into())));
    }
    // A document of no tenant may name one of any.
    let selection = if caller.tenant.is_none() {
        Selection::of(node)
    } else {
        caller.select(to, node)?
    };
    let find = Find {
        fields: vec![to.id_field],
        ..Find::all(to.collection, selection)
    };
    let mut cursor = caller.ports.store.find(&find).await.map_err(into_error)?;
    while cursor.advance().await.map_err(into_error)? {
        cursor.each(&mut |raw| {
            present.insert(load::id(to, raw)?);
            Ok(true)
        })?;
    }
    Ok(present)
}
