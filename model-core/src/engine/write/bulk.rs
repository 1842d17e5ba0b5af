//! Writes of everything that a filter selects: batch by batch through the one pipeline.

use bson::RawDocumentBuf;

use super::plan::{Item, Plan, Written};
use super::write_all;
use crate::engine::read::load;
use crate::engine::unit::{Unit, WriteUnit, visible};
use crate::error::Result;
use crate::query::SortKey;
use crate::store::{Find, into_error};
use crate::value::IdValue;

/// How many documents are judged and written together.
pub(crate) const BATCH: usize = 1_000;

/// How many bytes of stored documents are held at once.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// How often a batch of which a document was changed by somebody else is read again.
const ATTEMPTS: u32 = 8;

/// What a write by filter did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) matched: u64,
    pub(crate) written: u64,
    /// The limit left documents out.
    pub(crate) limited: bool,
}

/// A model's part in a write by filter.
pub(crate) trait Maker: Unit {
    /// The unit of one document.
    fn make(&self, id: IdValue) -> Box<dyn WriteUnit + '_>;
    /// The policy's scope of what may be written.
    fn write_scope(&self) -> crate::query::Node;
}

/// What is told of each document, once its batch stands.
pub(crate) type Told<'t> = dyn FnMut(&IdValue, Written) + Send + 't;

/// Writes each document that satisfies the plan's condition, once, and at most `limit` of them.
pub(crate) async fn write_matching(
    maker: &dyn Maker,
    plan: &Plan,
    limit: Option<u64>,
    told: Option<&mut Told<'_>>,
) -> Result<Tally> {
    let caller = maker.caller();
    caller.ports.admit(maker.schema()).await?;
    let scope = caller.scoped(|| maker.write_scope());
    let rest = plan.condition.clone().and(scope);
    let mut find = Find::all(
        maker.schema().collection,
        visible(maker, plan.action.deleted(), rest).await?,
    );
    // One more than the limit tells whether it left anything out.
    let wanted = limit.map(|limit| limit.saturating_add(1));
    find.limit = wanted;
    // A write may move a document to where a cursor has yet to come, in every order but that of what no write changes. So none
    // comes twice, and nothing has to be remembered of those that came.
    find.sort = vec![SortKey::by_id()];
    find.batch = u32::try_from(wanted.map_or(BATCH as u64, |wanted| wanted.min(BATCH as u64))).ok();
    let mut run = Run {
        maker,
        plan,
        batch: Batch::default(),
        tally: Tally::default(),
        told,
    };
    let mut cursor = caller.store()?.find(&find).await.map_err(into_error)?;
    while cursor.advance().await.map_err(into_error)? {
        let mut fetched = Vec::new();
        cursor.each(&mut |raw| {
            fetched.push((load::id(maker.schema(), raw)?, load::owned(raw)?));
            Ok(true)
        })?;
        for (id, document) in fetched {
            if limit.is_some_and(|limit| run.tally.matched + run.batch.len() >= limit) {
                run.tally.limited = true;
                break;
            }
            run.batch.push(id, document);
            if run.batch.is_full() {
                run.flush().await?;
            }
        }
    }
    run.flush().await?;
    Ok(run.tally)
}

#[derive(Default)]
struct Batch {
    documents: Vec<(IdValue, RawDocumentBuf)>,
    bytes: usize,
}

impl Batch {
    fn len(&self) -> u64 {
        self.documents.len() as u64
    }

    fn push(&mut self, id: IdValue, document: RawDocumentBuf) {
        self.bytes += document.as_bytes().len();
        self.documents.push((id, document));
    }

    fn is_full(&self) -> bool {
        self.documents.len() >= BATCH || self.bytes >= BATCH_BYTES
    }
}

struct Run<'a, 't> {
    maker: &'a dyn Maker,
    plan: &'a Plan,
    batch: Batch,
    tally: Tally,
    told: Option<&'a mut Told<'t>>,
}

impl Run<'_, '_> {
    async fn flush(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.batch).documents;
        if batch.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = batch.iter().map(|(id, _)| id.clone()).collect();
        let done = write_batch(self.maker, self.plan, &ids, batch)
            .await
            .map_err(|error| error.after(self.tally.written))?;
        for (id, written) in ids.iter().zip(done) {
            self.tally.matched += u64::from(written != Written::Missing);
            self.tally.written += u64::from(written == Written::Yes);
            if let Some(told) = &mut self.told {
                told(id, written);
            }
        }
        Ok(())
    }
}

/// Writes a batch; one in which somebody else changed a document first is read and judged again.
async fn write_batch(
    maker: &dyn Maker,
    plan: &Plan,
    ids: &[IdValue],
    batch: Vec<(IdValue, RawDocumentBuf)>,
) -> Result<Vec<Written>> {
    let joined = maker.caller().transaction.is_some();
    let mut documents = Some(batch);
    for attempt in 1.. {
        let mut units: Vec<_> = ids.iter().map(|id| maker.make(id.clone())).collect();
        let items = units.iter_mut().map(|unit| Item::new(&mut **unit, plan.clone()));
        let mut items: Vec<_> = match documents.take() {
            Some(documents) => items
                .zip(documents)
                .map(|(item, (_, document))| item.found(document))
                .collect(),
            None => items.collect(),
        };
        match write_all(&mut items).await {
            Ok(()) => return Ok(items.iter().map(|item| item.written).collect()),
            Err(error) if is_stale(&error) && !joined && attempt < ATTEMPTS => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Vec::new())
}

pub(in crate::engine) fn is_stale(error: &crate::Error) -> bool {
    (error.is_conflict() || error.is_not_found()) && !error.is_after_write()
}
