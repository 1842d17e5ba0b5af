//! Several operations of different kinds at once.

use std::collections::HashSet;
use std::fmt;
use std::future::IntoFuture;

use bson::RawDocumentBuf;
use futures_util::future::{BoxFuture, FutureExt};

use super::unit::{Input, Reader, Writing};
use crate::engine::{self, Action, Item, Plan, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{BaseModel, ContextFor};
use crate::query::{Filter, Node};
use crate::value::{Id, IdValue, Identified};

/// What one operation of a [`Bulk`] did.
#[derive(Debug)]
#[non_exhaustive]
pub enum BulkOutcome<M> {
    /// Created, as a read would return it.
    Created(M),
    /// Updated, as a read would return it.
    Updated(M),
    /// Nothing differed: the document as it is.
    Unchanged(M),
    /// Deleted.
    Deleted,
    /// There was nothing to delete.
    Missing,
}

/// Operations of several kinds, carried out together when awaited: all or nothing where the server has transactions.
///
/// Neighbours of one kind go in one command. Each document is judged before the first is written; a document is changed
/// once.
#[must_use = "a bulk write does nothing until it is awaited"]
pub struct Bulk<'a, M: BaseModel> {
    operations: Vec<Operation<'a, M>>,
    ctx: &'a ContextFor<M>,
}

/// One of the operations, and which document it is about.
struct Operation<'a, M: BaseModel> {
    action: Action,
    target: Target<M>,
    input: Option<Input<'a, M>>,
}

enum Target<M: BaseModel> {
    Id(Id<M>),
    Key(Node),
}

impl<'a, M: BaseModel> Bulk<'a, M> {
    pub(super) fn new(ctx: &'a ContextFor<M>) -> Self {
        Self {
            operations: Vec::new(),
            ctx,
        }
    }

    /// Creates a document.
    pub fn create(self, new: M::New) -> Self {
        self.with(
            Action::Create,
            Target::Id(Id::fresh(M::schema().id)),
            Some(Input::New(new)),
        )
    }

    /// Creates a document under an id of the caller's own choice.
    pub fn create_with_id(self, id: Id<M>, new: M::New) -> Self
    where
        M: Identified,
    {
        self.with(Action::Create, Target::Id(id), Some(Input::New(new)))
    }

    /// Changes a document by a patch; one that is not there fails the whole.
    pub fn update(self, id: Id<M>, patch: M::Patch) -> Self
    where
        M: Identified,
    {
        self.with(Action::Update, Target::Id(id), Some(Input::Patch(patch)))
    }

    /// Changes the document that a unique key names, as [`update_by`](super::ModelExt::update_by) finds it; one that is not
    /// there fails the whole. All keys of a bulk are looked up by one command.
    pub fn update_by(self, key: impl FnOnce(&'static M::Fields) -> Filter<M>, patch: M::Patch) -> Self {
        self.with(Action::Update, Target::key(key), Some(Input::Patch(patch)))
    }

    /// Replaces all that a caller may write of a document.
    pub fn replace(self, id: Id<M>, new: M::New) -> Self
    where
        M: Identified,
    {
        self.with(Action::Update, Target::Id(id), Some(Input::Replace(new)))
    }

    /// Replaces all that a caller may write of the document that a unique key names.
    pub fn replace_by(self, key: impl FnOnce(&'static M::Fields) -> Filter<M>, new: M::New) -> Self {
        self.with(Action::Update, Target::key(key), Some(Input::Replace(new)))
    }

    /// Deletes a document, if it is there.
    pub fn delete(self, id: Id<M>) -> Self
    where
        M: Identified,
    {
        self.with(Action::Delete, Target::Id(id), None)
    }

    /// Deletes the document that a unique key names, if it is there.
    pub fn delete_by(self, key: impl FnOnce(&'static M::Fields) -> Filter<M>) -> Self {
        self.with(Action::Delete, Target::key(key), None)
    }

    fn with(mut self, action: Action, target: Target<M>, input: Option<Input<'a, M>>) -> Self {
        self.operations.push(Operation {
            action,
            target,
            input,
        });
        self
    }

    async fn run(self) -> Result<Vec<BulkOutcome<M>>> {
        let (ctx, operations) = (self.ctx, self.operations);
        let outcomes = async {
            let found = by_keys(ctx, &operations).await?;
            carry_out(ctx, operations, found).await
        };
        outcomes
            .await
            .map_err(|error: Error| error.at_model(M::NAME, "bulk"))
    }
}

impl<M: BaseModel> Target<M> {
    fn key(key: impl FnOnce(&'static M::Fields) -> Filter<M>) -> Self {
        Self::Key(key(M::fields()).into_node())
    }
}

/// The documents that keys name, in the order of the operations that go by one.
type ByKeys = std::vec::IntoIter<Option<(IdValue, RawDocumentBuf)>>;

async fn by_keys<M: BaseModel>(ctx: &ContextFor<M>, operations: &[Operation<'_, M>]) -> Result<ByKeys> {
    let keyed = operations
        .iter()
        .enumerate()
        .filter_map(|(position, operation)| match &operation.target {
            Target::Key(key) => Some((position, key)),
            Target::Id(_) => None,
        });
    let (positions, keys): (Vec<usize>, Vec<&Node>) = keyed.unzip();
    let found = engine::stored_by_keys(&Reader::<M>::new(ctx), &keys).await;
    let found = found.map_err(|error| at_place(error, &positions))?;
    Ok(found.into_iter())
}

/// Puts the position of an operation in the place of one among those that were carried out.
fn at_place(error: Error, positions: &[usize]) -> Error {
    match error.position().and_then(|position| positions.get(position)) {
        Some(position) => error.at_position(*position),
        None => error,
    }
}

async fn carry_out<'a, M: BaseModel>(
    ctx: &'a ContextFor<M>,
    operations: Vec<Operation<'a, M>>,
    mut found: ByKeys,
) -> Result<Vec<BulkOutcome<M>>> {
    let mut outcomes: Vec<_> = operations.iter().map(|_| BulkOutcome::Missing).collect();
    let (mut units, mut positions) = (Vec::new(), Vec::new());
    let mut once = HashSet::new();
    for (position, operation) in operations.into_iter().enumerate() {
        let Operation {
            action,
            target,
            input,
        } = operation;
        let (id, document) = match target {
            Target::Id(id) => (id, None),
            Target::Key(_) => match found.next().flatten() {
                Some((id, document)) => (Id::from_value(id), Some(document)),
                None if action == Action::Delete => continue,
                None => return Err(Error::new(ErrorKind::NotFound, "").at_position(position)),
            },
        };
        if action != Action::Create && !once.insert(id.clone()) {
            let message = "a bulk operation changes a document once";
            return Err(Error::violation("id", "unique", message).at_position(position));
        }
        units.push((Writing::of(ctx, id, input), Plan::new(action), document));
        positions.push(position);
    }
    let mut items: Vec<_> = units
        .iter_mut()
        .map(|(unit, plan, document)| {
            let item = Item::new(unit, plan.clone());
            match document.take() {
                Some(document) => item.found(document),
                None => item,
            }
        })
        .collect();
    engine::write_all(&mut items)
        .await
        .map_err(|error| at_place(error, &positions))?;
    let written: Vec<_> = items.iter().map(|item| item.written).collect();
    for (((unit, plan, _), written), position) in units.into_iter().zip(written).zip(positions) {
        let outcome = match (plan.action, written, unit.into_document(written)) {
            (Action::Create, _, Some(document)) => BulkOutcome::Created(document),
            (_, Written::Unchanged, Some(document)) => BulkOutcome::Unchanged(document),
            (_, _, Some(document)) => BulkOutcome::Updated(document),
            (_, Written::Yes, None) => BulkOutcome::Deleted,
            (_, _, None) => BulkOutcome::Missing,
        };
        if let Some(slot) = outcomes.get_mut(position) {
            *slot = outcome;
        }
    }
    Ok(outcomes)
}

impl<M: BaseModel> fmt::Debug for Bulk<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulk")
            .field("model", &M::NAME)
            .field("operations", &self.operations.len())
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel> IntoFuture for Bulk<'a, M> {
    type Output = Result<Vec<BulkOutcome<M>>>;
    type IntoFuture = BoxFuture<'a, Result<Vec<BulkOutcome<M>>>>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
