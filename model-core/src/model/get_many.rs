//! `get_many`, and the reading of many ids at once.

use std::collections::HashMap;

use super::unit::Reader;
use crate::engine::{self, Listing};
use crate::error::Result;
use crate::policy::{BaseModel, ContextFor};
use crate::query::{Node, Test};
use crate::value::{Id, IdValue, Identified};

/// How many ids one command names: far below the largest message, and few enough for one plan.
const AT_ONCE: usize = 1_000;

/// Ids, each once, in the order of their first naming.
pub(super) type Places = HashMap<IdValue, usize>;

/// The readable documents of `ids`, in their order.
pub(super) async fn get_many<M: BaseModel + Identified>(
    ctx: &ContextFor<M>,
    ids: Vec<&Id<M>>,
) -> Result<Vec<M>> {
    let mut places = Places::with_capacity(ids.len());
    for id in ids {
        name(&mut places, id);
    }
    read(ctx, &places, AT_ONCE, "get_many").await
}

/// Names an id, if it was not named yet.
pub(super) fn name<M>(places: &mut Places, id: &Id<M>) {
    if !places.contains_key(id.value()) {
        places.insert(id.value().clone(), places.len());
    }
}

/// The readable documents of the ids, in their order, by commands that name `at_once` of them.
pub(super) async fn read<M: BaseModel + Identified>(
    ctx: &ContextFor<M>,
    places: &Places,
    at_once: usize,
    verb: &'static str,
) -> Result<Vec<M>> {
    let mut wanted: Vec<_> = places.iter().collect();
    wanted.sort_unstable_by_key(|(_, place)| **place);
    let mut reader = Reader::<M>::new(ctx);
    for ids in wanted.chunks(at_once) {
        let listing = Listing {
            filter: Some(Node::field(
                M::schema().id_field,
                Test::In(ids.iter().map(|(id, _)| id.to_bson()).collect()),
            )),
            // An id is there once: what is asked for is all that comes.
            batch: u32::try_from(ids.len() + 1).ok(),
            ..Listing::default()
        };
        engine::list(&mut reader, listing)
            .await
            .map_err(|error| error.at_model(M::NAME, verb))?;
    }
    let mut documents = reader.into_documents();
    documents.sort_by_key(|document| places.get(document.id().value()).copied());
    Ok(documents)
}
