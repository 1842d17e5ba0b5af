//! Many documents at once: creates, and writes of everything that a filter selects.

use std::fmt;
use std::future::IntoFuture;
use std::iter::Peekable;

use bson::Document;
use futures_util::future::{BoxFuture, FutureExt};

use super::global;
use super::unit::{Input, Writing};
use crate::engine::{self, Action, BATCH, Caller, Item, Maker, Plan, Tally, Unit, WriteUnit, Written};
use crate::error::{Error, Result};
use crate::policy::{BaseModel, ContextFor, MigrateInfo, hidden_names};
use crate::query::{Filter, Node};
use crate::schema::ModelSchema;
use crate::value::{Id, IdValue, Identified};

/// Creates the documents in batches, each all or nothing where the server has transactions.
pub(super) async fn create_many<M: BaseModel>(
    ctx: &ContextFor<M>,
    mut inputs: Peekable<impl Iterator<Item = M::New>>,
) -> Result<Vec<M>> {
    let mut created = Vec::new();
    while inputs.peek().is_some() {
        let batch = inputs.by_ref().take(BATCH);
        let mut units: Vec<_> = batch
            .map(|new| Writing::<M>::create(ctx, Id::fresh(M::schema().id), new))
            .collect();
        let mut items: Vec<_> = units
            .iter_mut()
            .map(|unit| Item::new(unit, Plan::new(Action::Create)))
            .collect();
        let done = created.len();
        engine::write_all(&mut items).await.map_err(|error| {
            let position = done + error.position().unwrap_or_default();
            error
                .at_position(position)
                .after(done as u64)
                .at_model(M::NAME, "create_many")
        })?;
        created.extend(
            units
                .into_iter()
                .filter_map(|unit| unit.into_document(Written::Yes)),
        );
    }
    Ok(created)
}

/// What `update_many` and `delete_many` did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkReport {
    /// The documents that the filter selected and the actor may read.
    pub matched: u64,
    /// Those that were written; the others were as they should be already.
    pub written: u64,
    /// Whether the limit left documents out.
    pub limited: bool,
}

/// What a write by filter did to one of the documents that it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BulkEffect {
    /// Changed or deleted.
    Written,
    /// It was as it should be already.
    Unchanged,
    /// Not there any more when its turn came, or not for this actor.
    Missing,
}

/// What is told of each document.
type OnEach<'a, M> = Box<dyn FnMut(&Id<M>, BulkEffect) + Send + 'a>;

/// A write of everything that a filter selects, carried out when awaited.
///
/// Documents are read, judged and written in batches of 1,000: permission, validation, hooks, timestamps, encryption and
/// audit are those of a single write. A batch is all or nothing where the server has transactions; an error names the
/// document and says how many were written in the batches before. A batch of which somebody else changed a document
/// first is read and judged again.
#[must_use = "a bulk write does nothing until it is awaited"]
pub struct BulkWrite<'a, M: BaseModel> {
    ctx: &'a ContextFor<M>,
    filter: Node,
    /// A patch, or a delete.
    patch: Option<M::Patch>,
    limit: Option<u64>,
    all: bool,
    on_each: Option<OnEach<'a, M>>,
}

impl<'a, M: BaseModel> BulkWrite<'a, M> {
    pub(super) fn new(ctx: &'a ContextFor<M>, filter: Filter<M>, patch: Option<M::Patch>) -> Self {
        Self {
            ctx,
            filter: filter.into_node(),
            patch,
            limit: None,
            all: false,
            on_each: None,
        }
    }

    /// At most that many documents.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// Note::create_many(&ctx, ["a", "b", "c"].map(note)).await?;
    /// let report = Note::delete_many(&ctx, |n| n.done.eq(false)).limit(2).await?;
    /// assert_eq!((report.written, report.limited), (2, true));
    /// # Ok(())
    /// # }
    /// ```
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Says that a filter which selects every document is meant.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// assert!(Note::delete_many(&ctx, |_| Filter::all()).await.unwrap_err().is_invalid());
    /// Note::delete_many(&ctx, |_| Filter::all()).allow_all().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn allow_all(mut self) -> Self {
        self.all = true;
        self
    }

    /// Tells of each document, by its id, what became of it: when its batch stands, so that no more than a batch is held to be
    /// told of. In a transaction, whose closure may run again, it is told again too.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// Note::create_many(&ctx, ["a", "b"].map(note)).await?;
    /// let patch = NotePatch { done: Set(true), ..Default::default() };
    /// let mut lines = Vec::new();
    /// Note::update_many(&ctx, |n| n.done.eq(false), patch)
    ///     .on_each(|id, effect| lines.push(format!("{id}: {effect:?}")))
    ///     .await?;
    /// assert!(lines.len() == 2 && lines[0].ends_with(": Written"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_each(mut self, each: impl FnMut(&Id<M>, BulkEffect) + Send + 'a) -> Self
    where
        M: Identified,
    {
        self.on_each = Some(Box::new(each));
        self
    }

    fn verb(&self) -> &'static str {
        match self.patch {
            Some(_) => "update_many",
            None => "delete_many",
        }
    }

    async fn run(self) -> Result<BulkReport> {
        let verb = self.verb();
        if self.filter == Node::Everything && !self.all {
            let message = "the filter selects every document: say `.allow_all()` if that is meant";
            return Err(Error::violation("filter", "empty", message).at_model(M::NAME, verb));
        }
        let action = match self.patch {
            Some(_) => Action::Update,
            None => Action::Delete,
        };
        let plan = Plan {
            condition: self.filter,
            required: false,
            ..Plan::new(action)
        };
        let each = Each::<M> {
            ctx: self.ctx,
            patch: self.patch,
        };
        let tally = match self.on_each {
            None => engine::write_matching(&each, &plan, self.limit, None).await,
            Some(mut on_each) => {
                let mut told = |id: &IdValue, written| on_each(&Id::from_value(id.clone()), effect(written));
                engine::write_matching(&each, &plan, self.limit, Some(&mut told)).await
            }
        };
        let Tally {
            matched,
            written,
            limited,
        } = tally.map_err(|error| error.at_model(M::NAME, verb))?;
        Ok(BulkReport {
            matched,
            written,
            limited,
        })
    }
}

impl<M: BaseModel> fmt::Debug for BulkWrite<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkWrite")
            .field("model", &M::NAME)
            .field("verb", &self.verb())
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel> IntoFuture for BulkWrite<'a, M> {
    type Output = Result<BulkReport>;
    type IntoFuture = BoxFuture<'a, Result<BulkReport>>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}

fn effect(written: Written) -> BulkEffect {
    match written {
        Written::Yes => BulkEffect::Written,
        Written::Unchanged => BulkEffect::Unchanged,
        Written::Missing => BulkEffect::Missing,
    }
}

/// The same write for each document.
struct Each<'a, M: BaseModel> {
    ctx: &'a ContextFor<M>,
    patch: Option<M::Patch>,
}

impl<M: BaseModel> Unit for Each<'_, M> {
    fn schema(&self) -> &'static ModelSchema {
        M::schema()
    }

    fn caller(&self) -> &Caller {
        global::<M>(self.ctx).caller()
    }

    fn base_filter(&self) -> Node {
        M::base_filter().into_node()
    }

    fn read_scope(&self) -> Node {
        M::read_scope(self.ctx).into_node()
    }

    fn hidden(&self) -> Vec<String> {
        hidden_names::<M>(self.ctx)
    }

    fn migrate(&self, document: Document, stored_version: u32) -> Result<Document> {
        M::migrate(document, &MigrateInfo::new(stored_version, M::schema().version))
    }
}

impl<M: BaseModel> Maker for Each<'_, M> {
    fn make(&self, id: IdValue) -> Box<dyn WriteUnit + '_> {
        let input = self.patch.clone().map(Input::<M>::Patch);
        Box::new(Writing::of(self.ctx, Id::from_value(id), input))
    }

    fn write_scope(&self) -> Node {
        M::write_scope(self.ctx).into_node()
    }
}
