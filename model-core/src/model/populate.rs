//! `populate`: the documents that references name, loaded together.

use std::collections::HashMap;

use super::get_many::{self, Places};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{BaseModel, ContextFor};
use crate::value::{Id, IdValue, Identified, Pointer, Refers};

/// How many ids one command names: a relation of one level is one command up to here, and a message holds that many.
const AT_ONCE: usize = 50_000;

/// The documents of the model `M` that references name: what the actor may read of them.
///
/// A reference whose document is missing, or not for this actor to read (nobody can tell which), *dangles*: it gives `None`.
pub struct Loaded<M> {
    documents: Vec<M>,
    /// Where each document is; nowhere for a reference that dangles.
    places: HashMap<IdValue, Option<usize>>,
    dangling: Vec<Id<M>>,
}

impl<M: BaseModel> Loaded<M> {
    /// The document that a reference names.
    pub fn get(&self, reference: &impl Pointer<M>) -> Option<&M> {
        let place = self.places.get(reference.id().value()).copied().flatten();
        place.and_then(|place| self.documents.get(place))
    }

    /// The documents that a field names, in its order: an optional reference, an array of them. Those that dangle are
    /// left out.
    pub fn of(&self, references: impl Refers<M>) -> Vec<&M> {
        let mut found = Vec::new();
        references.each(&mut |id| found.extend(self.get(id)));
        found
    }

    /// The document that a reference names.
    ///
    /// # Errors
    /// `NotFound` if the reference dangles, or was not among those that were loaded.
    pub fn require(&self, reference: &impl Pointer<M>) -> Result<&M> {
        self.get(reference).ok_or_else(|| dangles(reference.id()))
    }

    /// The references that dangle, each once.
    pub fn dangling(&self) -> &[Id<M>] {
        &self.dangling
    }

    /// The same documents, if no reference dangles.
    ///
    /// # Errors
    /// `NotFound`, with the id of the first that does.
    pub fn complete(self) -> Result<Self> {
        match self.dangling.first() {
            None => Ok(self),
            Some(id) => Err(dangles(id)),
        }
    }

    /// The same, one by one.
    pub fn iter(&self) -> std::slice::Iter<'_, M> {
        self.documents.iter()
    }

    /// The documents, each once, in the order of their first naming.
    pub fn documents(&self) -> &[M] {
        &self.documents
    }

    /// The same, to keep.
    pub fn into_documents(self) -> Vec<M> {
        self.documents
    }
}

impl<'a, M: BaseModel> IntoIterator for &'a Loaded<M> {
    type Item = &'a M;
    type IntoIter = std::slice::Iter<'a, M>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<M: BaseModel> std::fmt::Debug for Loaded<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded")
            .field("documents", &self.documents)
            .field("dangling", &self.dangling)
            .finish_non_exhaustive()
    }
}

fn dangles<M: BaseModel>(id: &Id<M>) -> Error {
    Error::new(ErrorKind::NotFound, "a reference dangles")
        .at_model(M::NAME, "populate")
        .at_id(|| id.to_string())
}

/// The ids that `of` finds in the documents.
pub(super) fn named<'a, M, D: 'a, R: Refers<M>>(
    documents: impl IntoIterator<Item = &'a D>,
    of: impl Fn(&'a D) -> R,
) -> Places {
    let mut places = Places::new();
    for document in documents {
        of(document).each(&mut |id| get_many::name(&mut places, id));
    }
    places
}

pub(super) async fn populate<M: BaseModel + Identified>(
    ctx: &ContextFor<M>,
    named: Places,
) -> Result<Loaded<M>> {
    let documents = get_many::read::<M>(ctx, &named, AT_ONCE, "populate").await?;
    let mut order: Vec<_> = named.into_iter().collect();
    order.sort_unstable_by_key(|(_, place)| *place);
    // Both stand in one order.
    let mut loaded = documents
        .iter()
        .map(|document| document.id().value())
        .enumerate()
        .peekable();
    let mut dangling = Vec::new();
    let mut places = HashMap::with_capacity(order.len());
    for (id, _) in order {
        let found = loaded.next_if(|(_, loaded)| **loaded == id);
        if found.is_none() {
            dangling.push(Id::from_value(id.clone()));
        }
        places.insert(id, found.map(|(place, _)| place));
    }
    Ok(Loaded {
        documents,
        places,
        dangling,
    })
}
