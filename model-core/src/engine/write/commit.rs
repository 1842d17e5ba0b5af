//! The effects of writes on the store, together with their audit entries.

use std::collections::HashMap;
use std::mem::discriminant;

use futures_util::future::FutureExt;

use super::once;
use super::plan::Item;
use crate::codec::DecodeError;
use crate::engine::audit::{Entry, chain};
use crate::engine::caller::Caller;
use crate::engine::ports::AuditTarget;
use crate::engine::read::load;
use crate::engine::transaction::{Open, Patience};
use crate::engine::unit::WriteUnit;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, Test};
use crate::schema::reserved;
use crate::store::{Find, Operations, Selection, StoreError, UpdateOne, into_error};

/// What is done to the store for one document.
pub(in crate::engine) struct Effect {
    pub(in crate::engine) kind: Kind,
    /// The document as it will be stored; empty for one that will not be.
    pub(in crate::engine) after: Vec<u8>,
    /// Whether reading `after` gives just what the unit holds.
    pub(in crate::engine) exact: bool,
    pub(in crate::engine) entry: Option<Entry>,
}

pub(in crate::engine) enum Kind {
    /// Inserts `after`.
    Insert,
    Update(UpdateOne),
    Delete(Selection),
}

/// A document's effect, and which of the documents of the write it is.
#[derive(Clone, Copy)]
struct Placed<'a> {
    /// None for the only one, and for what goes along.
    position: Option<usize>,
    unit: &'a dyn WriteUnit,
    effect: &'a Effect,
}

impl<'a> Placed<'a> {
    fn of(item: &'a Item<'_>, position: Option<usize>) -> Option<Self> {
        let unit = &*item.unit;
        item.effect.as_ref().map(|effect| Self {
            position,
            unit,
            effect,
        })
    }

    /// The entry that is stored with the effect.
    fn stored_entry(&self) -> Option<&'a [u8]> {
        match &self.effect.entry {
            Some(Entry::Stored(entry)) => Some(entry),
            Some(Entry::Told(_)) | None => None,
        }
    }

    fn collection(&self) -> &'static str {
        self.unit.schema().collection
    }

    fn named(&self, error: Error) -> Error {
        match self.position {
            Some(position) => error.at_position(position).at_id(|| self.unit.id().to_string()),
            None => error,
        }
    }
}

/// Why effects did not take place.
enum Failure {
    /// The transaction ran into another: the same may be tried again.
    Again,
    Final(Error),
}

impl Failure {
    fn into_error(self) -> Error {
        match self {
            Self::Again => into_error(StoreError::Transient),
            Self::Final(error) => error,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Transient => Self::Again,
            other => Self::Final(into_error(other)),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// Carries out what is to be done: all or nothing, where there are several documents or audit entries and the server has
/// transactions. What goes `along` follows.
///
/// Where all of it stands and the application's own sink failed, the sink's first error is the answer.
pub(in crate::engine) async fn commit(
    items: &[Item<'_>],
    along: &[Item<'_>],
    transactions: bool,
) -> Result<Option<Error>> {
    let Some(caller) = items.first().map(|item| item.unit.caller()) else {
        return Ok(None);
    };
    caller.check_crossing()?;
    let asked = items.iter().enumerate().filter_map(|(position, item)| {
        let position = (items.len() > 1).then_some(position);
        Placed::of(item, position)
    });
    let along = along.iter().filter_map(|item| Placed::of(item, None));
    let effects: Vec<Placed<'_>> = asked.chain(along).collect();
    if effects.is_empty() {
        return Ok(None);
    }
    for placed in &effects {
        let changes = !matches!(placed.effect.kind, Kind::Insert);
        let told = placed.effect.entry.is_some();
        once::admit(caller, placed.unit.schema(), changes, told)?;
    }
    // No transaction writes there.
    let no_transaction = effects.iter().any(|placed| placed.unit.schema().form.is_some());
    let entries: Vec<&[u8]> = effects.iter().filter_map(Placed::stored_entry).collect();
    let work = Work {
        effects: &effects,
        entries: &entries,
        chained: caller.ports.chained,
    };
    match &caller.transaction {
        Some(open) => work.joined(open, caller).await?,
        None if !entries.is_empty() || (effects.len() > 1 && transactions && !no_transaction) => {
            work.together(caller).await?;
        }
        None => work.run(caller.store()?).await.map_err(Failure::into_error)?,
    }
    Ok(record(caller, &effects).await)
}

/// Tells the application's own sink, once the write stands. One entry that it does not take keeps no other from it.
async fn record(caller: &Caller, effects: &[Placed<'_>]) -> Option<Error> {
    let AuditTarget::Sink(sink) = &caller.ports.audit else {
        return None;
    };
    let mut first = None;
    for placed in effects {
        let Some(Entry::Told(entry)) = &placed.effect.entry else {
            continue;
        };
        let entry = entry.clone();
        let (sink, id) = (sink.clone(), placed.unit.id().to_string());
        let told = async move {
            let told = sink.record(&entry).await;
            told.map_err(|error| error.after_write_of(|| id))
        };
        match &caller.transaction {
            Some(open) => open.defer(told.boxed()),
            None => {
                if let Err(error) = told.await {
                    first.get_or_insert(placed.named(error));
                }
            }
        }
    }
    first
}

/// Effects and the audit entries that belong to them.
struct Work<'a> {
    effects: &'a [Placed<'a>],
    entries: &'a [&'a [u8]],
    chained: bool,
}

impl Work<'_> {
    /// In the application's own transaction, which does not survive a failure: half of a batch may lie in it.
    async fn joined(&self, open: &Open, caller: &Caller) -> Result<()> {
        let result = self.run(caller.store()?).await;
        result.map_err(|failure| {
            open.doom();
            failure.into_error()
        })
    }

    /// In a transaction of its own.
    async fn together(&self, caller: &Caller) -> Result<()> {
        crate::engine::transaction::check_outside(&caller.ports)?;
        let mut patience = Patience::new();
        loop {
            match self.once(caller).await {
                Ok(()) => return Ok(()),
                Err(Failure::Again) if patience.wait().await => {}
                Err(failure) => return Err(failure.into_error()),
            }
        }
    }

    async fn once(&self, caller: &Caller) -> Result<(), Failure> {
        let transaction = caller.ports.store.begin().await?;
        let done = async {
            self.run(&*transaction).await?;
            transaction.commit().await.map_err(Failure::from)
        };
        let result = done.await;
        if result.is_err() {
            transaction.abort().await;
        }
        result
    }

    /// Neighbours of one kind go in one command.
    async fn run(&self, store: &(impl Operations + ?Sized)) -> Result<(), Failure> {
        let alike = |one: &Placed<'_>, other: &Placed<'_>| {
            one.collection() == other.collection()
                && discriminant(&one.effect.kind) == discriminant(&other.effect.kind)
        };
        for group in self.effects.chunk_by(alike) {
            apply(store, group).await?;
        }
        if !self.entries.is_empty() {
            chain::insert(store, self.chained, self.entries).await?;
        }
        Ok(())
    }
}

/// Carries out effects of one kind on one collection, and checks what the store matched.
async fn apply(store: &(impl Operations + ?Sized), group: &[Placed<'_>]) -> Result<(), Failure> {
    let Some(first) = group.first() else {
        return Ok(());
    };
    let collection = first.collection();
    let matched = match first.effect.kind {
        Kind::Insert => {
            let documents: Vec<_> = group
                .iter()
                .map(|placed| placed.effect.after.as_slice())
                .collect();
            let inserted = store.insert(collection, &documents).await;
            inserted.map(|()| group.len() as u64)
        }
        Kind::Update(_) => {
            let updates: Vec<_> = group.iter().filter_map(|placed| placed.effect.update()).collect();
            store.update(collection, &updates).await
        }
        Kind::Delete(_) => {
            let selections: Vec<_> = group
                .iter()
                .filter_map(|placed| placed.effect.selection())
                .collect();
            store.delete(collection, &selections).await
        }
    };
    let matched = matched.map_err(|error| match error {
        StoreError::Statement { position, error } => {
            let error = into_error(*error);
            Failure::Final(match group.get(position) {
                Some(placed) => placed.named(error),
                None => error,
            })
        }
        error => match (Failure::from(error), group) {
            (Failure::Final(error), [only]) => Failure::Final(only.named(error)),
            (failure, _) => failure,
        },
    })?;
    if matched == group.len() as u64 {
        Ok(())
    } else {
        // In a box, as everything that few writes come to: all of them have the room of the largest.
        Err(Failure::Final(Box::pin(lost(store, group)).await?))
    }
}

impl Effect {
    fn update(&self) -> Option<&UpdateOne> {
        match &self.kind {
            Kind::Update(update) => Some(update),
            _ => None,
        }
    }

    fn selection(&self) -> Option<&Selection> {
        match &self.kind {
            Kind::Delete(selection) => Some(selection),
            _ => None,
        }
    }
}

/// A guard failed: was the document changed, or is it gone? One more read tells, however many documents there are.
async fn lost(store: &(impl Operations + ?Sized), group: &[Placed<'_>]) -> Result<Error, Failure> {
    let Some(first) = group.first() else {
        return Ok(Error::internal("a guard failed on nothing"));
    };
    let schema = first.unit.schema();
    let mut selection = first.unit.caller().own(schema, first.unit.id())?;
    if group.len() > 1 {
        selection.id = None;
        let ids = group.iter().map(|placed| placed.unit.id().to_bson()).collect();
        selection.rest = Node::field(schema.id_field, Test::In(ids));
    }
    let find = Find::all(first.collection(), selection);
    let mut revisions = HashMap::with_capacity(group.len());
    let mut cursor = store.find(&find).await?;
    while cursor.advance().await? {
        cursor.each(&mut |raw| {
            let revision = load::raw_field(raw, reserved::REVISION)?.and_then(|value| value.i64().ok());
            revisions.insert(load::id(schema, raw)?, revision);
            Ok(true)
        })?;
    }
    let many = group.len() > 1;
    for placed in group {
        let error = match (revisions.get(placed.unit.id()), &placed.effect.kind) {
            (Some(revision), Kind::Update(_)) if *revision == written_revision(placed.effect)? => continue,
            (Some(_), _) => Error::new(ErrorKind::Conflict, "somebody else changed the document first"),
            (None, Kind::Delete(_)) if many => continue,
            (None, _) => Error::new(ErrorKind::NotFound, "the document is gone"),
        };
        return Ok(placed.named(error));
    }
    // All that are left are gone, some by another's hand.
    Ok(Error::new(
        ErrorKind::Conflict,
        "somebody else deleted a document first",
    ))
}

fn written_revision(effect: &Effect) -> Result<Option<i64>> {
    let Some(update) = effect.update() else {
        return Ok(None);
    };
    let value = load::raw_field(update.set.as_bytes(), reserved::REVISION)?;
    value
        .map(|value| value.i64().map_err(DecodeError::into_error))
        .transpose()
}
