//! `get_many`.

use std::collections::HashMap;

use super::unit::Reader;
use crate::engine::{self, Listing};
use crate::error::Result;
use crate::policy::{BaseModel, ContextFor};
use crate::query::{Node, Test};
use crate::value::{Id, IdValue};

/// How many ids one command names: far below the largest message, and few enough for one plan.
const AT_ONCE: usize = 1_000;

/// The readable documents of `ids`, in their order.
pub(super) async fn get_many<M: BaseModel>(ctx: &ContextFor<M>, ids: Vec<&Id<M>>) -> Result<Vec<M>> {
    let mut places: HashMap<IdValue, usize> = HashMap::with_capacity(ids.len());
    let mut wanted = Vec::with_capacity(ids.len());
    for id in ids {
        if !places.contains_key(id.value()) {
            places.insert(id.value().clone(), wanted.len());
            wanted.push(id.to_bson());
        }
    }
    let mut reader = Reader::<M>::new(ctx);
    for ids in wanted.chunks(AT_ONCE) {
        let listing = Listing {
            filter: Some(Node::field("_id", Test::In(ids.to_vec()))),
            // An id is there once: what is asked for is all that comes.
            batch: u32::try_from(ids.len() + 1).ok(),
            ..Listing::default()
        };
        engine::list(&mut reader, listing)
            .await
            .map_err(|error| error.at_model(M::NAME, "get_many"))?;
    }
    let mut documents = reader.into_documents();
    documents.sort_by_key(|document| places.get(document.id().value()).copied());
    Ok(documents)
}
