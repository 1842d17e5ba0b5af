//! `upsert`.

use std::time::Duration;

use super::unit::{Input, Reader, Writing};
use crate::engine::{self, Action, Plan, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{BaseModel, ContextFor};
use crate::query::{Filter, Node};
use crate::value::Id;

/// How often a race with another upsert, or with a delete, is run again.
const ATTEMPTS: u32 = 32;

/// What an upsert did.
#[derive(Debug)]
#[non_exhaustive]
pub enum Upserted<M> {
    /// There was none: it was created.
    Created(M),
    /// There was one: it was patched. It may have been as it should be already.
    Updated(M),
}

impl<M> Upserted<M> {
    /// The document.
    pub fn into_document(self) -> M {
        match self {
            Self::Created(document) | Self::Updated(document) => document,
        }
    }

    /// Whether it was created.
    pub fn is_created(&self) -> bool {
        matches!(self, Self::Created(_))
    }
}

pub(super) async fn upsert<M: BaseModel>(
    ctx: &ContextFor<M>,
    filter: Filter<M>,
    new: M::New,
    patch: M::Patch,
) -> Result<Upserted<M>> {
    let key = filter.into_node();
    let mut stood_in_the_way = false;
    for attempt in 1.. {
        let result = match engine::find_by_key(&mut Reader::<M>::new(ctx), &key).await? {
            Some(id) => {
                let input = Input::Patch(patch.clone());
                update(ctx, Id::from_value(id), input, &key).await
            }
            None => create(ctx, new.clone(), &key).await,
        };
        match result {
            Ok(Some(upserted)) => return Ok(upserted),
            // Deleted, or no longer what the filter asks for.
            Ok(None) if attempt < ATTEMPTS => {}
            // It has undone the application's transaction, which alone can begin again.
            Err(error) if super::global::<M>(ctx).caller().transaction.is_some() => return Err(error),
            // Created, or changed, by somebody else.
            Err(error) if is_race(&error) && attempt < ATTEMPTS => {
                // What stands in the way twice, and is not found, is not the caller's to see.
                if error.is_duplicate() && stood_in_the_way {
                    return Err(error);
                }
                stood_in_the_way = error.is_duplicate();
            }
            Ok(None) => break,
            Err(error) => return Err(error),
        }
        // Who loses again and again lets the others get through.
        tokio::time::sleep(Duration::from_millis(u64::from(attempt.min(20)))).await;
    }
    Err(Error::new(
        ErrorKind::Conflict,
        format!("others created and deleted the document in each of {ATTEMPTS} attempts"),
    ))
}

fn is_race(error: &Error) -> bool {
    (error.is_duplicate() || error.is_conflict() || error.is_not_found()) && !error.is_after_write()
}

async fn update<M: BaseModel>(
    ctx: &ContextFor<M>,
    id: Id<M>,
    input: Input<'_, M>,
    key: &Node,
) -> Result<Option<Upserted<M>>> {
    let mut unit = Writing::of(ctx, id, Some(input));
    let plan = Plan {
        condition: key.clone(),
        required: false,
        ..Plan::new(Action::Update)
    };
    let written = engine::write(&mut unit, plan).await?;
    Ok(unit.into_document(written).map(Upserted::Updated))
}

async fn create<M: BaseModel>(ctx: &ContextFor<M>, new: M::New, key: &Node) -> Result<Option<Upserted<M>>> {
    let mut unit = Writing::create(ctx, Id::fresh(M::schema().id), new);
    let plan = Plan {
        condition: key.clone(),
        ..Plan::new(Action::Create)
    };
    engine::write(&mut unit, plan).await?;
    Ok(unit.into_document(Written::Yes).map(Upserted::Created))
}
