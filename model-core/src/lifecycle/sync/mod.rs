//! Makes the indexes on the server as declared.

mod step;

use std::collections::BTreeMap;
use std::fmt;
use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt as _};

use self::step::{Failure, Refusal, create, is_conflict, swap};
use super::forms;
use super::ledger;
use super::options::{SyncEvent, SyncOptions, SyncReport};
use super::plan::{IndexPlan, IndexStep, name_of, plan};
use crate::engine::Ports;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Store, into_error};

/// Who is told of each step.
type Progress<'a> = Box<dyn FnMut(SyncEvent<'_>) + Send + 'a>;

/// A sync that is about to be made: see [`Db::sync_indexes`](crate::Db::sync_indexes).
#[must_use = "nothing happens before it is awaited"]
pub struct SyncIndexes<'a> {
    ports: &'a Ports,
    options: SyncOptions,
    progress: Option<Progress<'a>>,
}

impl fmt::Debug for SyncIndexes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncIndexes")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl<'a> SyncIndexes<'a> {
    pub(crate) fn new(ports: &'a Ports, options: SyncOptions) -> Self {
        Self {
            ports,
            options,
            progress: None,
        }
    }

    /// Tells `progress` of each step, before and after: a build over many documents takes its time.
    pub fn on_progress(mut self, progress: impl FnMut(SyncEvent<'_>) + Send + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }
}

impl<'a> IntoFuture for SyncIndexes<'a> {
    type Output = Result<SyncReport>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move {
            let store = &*self.ports.store;
            // An index over a collection that is not there makes an ordinary one.
            forms::make_absent(&self.ports.models, store).await?;
            let plan = plan(&self.ports.collections(), store).await?;
            run(&plan, store, self.options, self.progress).await
        }
        .boxed()
    }
}

/// Carries a plan out: what is created comes before what is dropped. A step that fails does not stop the others, but
/// nothing is dropped in its collection.
///
/// # Errors
/// That of the first step that failed, with its index; the message names every index that failed.
pub(crate) async fn sync(plan: &IndexPlan, store: &dyn Store, options: SyncOptions) -> Result<SyncReport> {
    run(plan, store, options, None).await
}

async fn run(
    plan: &IndexPlan,
    store: &dyn Store,
    options: SyncOptions,
    progress: Option<Progress<'_>>,
) -> Result<SyncReport> {
    let mut there: BTreeMap<&'static str, Names> = BTreeMap::new();
    for (collection, names) in &plan.present {
        there
            .entry(collection)
            .or_default()
            .there
            .extend(names.iter().cloned());
    }
    let mut work = Work {
        store,
        options,
        progress,
        steps: plan.steps.len(),
        number: 0,
        report: SyncReport::default(),
        old: Vec::new(),
        names: there,
        failed: Vec::new(),
    };
    for step in &plan.steps {
        work.add(step).await;
    }
    work.drop_old().await;
    for (collection, names) in &work.names {
        ledger::note_indexes(store, collection, &names.there, &names.gone).await?;
    }
    work.finish()
}

/// What is known of the indexes of one collection by name.
#[derive(Default)]
struct Names {
    there: Vec<String>,
    gone: Vec<String>,
}

struct Work<'a> {
    store: &'a dyn Store,
    options: SyncOptions,
    progress: Option<Progress<'a>>,
    steps: usize,
    number: usize,
    report: SyncReport,
    /// Steps that drop an index, and whether the new one is there already.
    old: Vec<(IndexStep, bool)>,
    names: BTreeMap<&'static str, Names>,
    failed: Vec<Failure>,
}

impl Work<'_> {
    fn tell(&mut self, event: SyncEvent<'_>) {
        if let Some(progress) = &mut self.progress {
            progress(event);
        }
    }

    fn begin(&mut self, step: &IndexStep) {
        self.number += 1;
        let (number, of) = (self.number, self.steps);
        self.tell(SyncEvent::Begun { step, number, of });
    }

    /// Carries out what drops nothing.
    async fn add(&mut self, step: &IndexStep) {
        if let IndexStep::Extra { .. } = step {
            return self.old.push((step.clone(), true));
        }
        self.begin(step);
        let (collection, name, outcome) = match step {
            IndexStep::Create { collection, index } => (
                *collection,
                name_of(index),
                create(self.store, collection, index).await,
            ),
            IndexStep::SetTtl {
                collection, name, to, ..
            } => (
                *collection,
                name.as_str(),
                self.store
                    .set_index_ttl(collection, name, *to)
                    .await
                    .map_err(Into::into),
            ),
            IndexStep::SetHidden {
                collection,
                name,
                hidden,
            } => (
                *collection,
                name.as_str(),
                self.store
                    .set_index_hidden(collection, name, *hidden)
                    .await
                    .map_err(Into::into),
            ),
            IndexStep::Replace {
                collection, index, ..
            } => {
                let outcome = create(self.store, collection, index).await;
                let conflicts = is_conflict(&outcome, index);
                if outcome.is_ok() || conflicts {
                    if !conflicts {
                        self.is_there(collection, name_of(index));
                    }
                    self.old.push((step.clone(), !conflicts));
                    return;
                }
                (*collection, name_of(index), outcome)
            }
            IndexStep::Extra { .. } => return,
        };
        match outcome {
            Ok(()) => {
                self.is_there(collection, name);
                self.done(step.clone());
            }
            Err(refusal) => self.fail(step, collection, name, refusal),
        }
    }

    /// Drops what may be dropped.
    async fn drop_old(&mut self) {
        for (step, is_replaced) in std::mem::take(&mut self.old) {
            let (collection, name, origin, hidden) = match &step {
                IndexStep::Replace {
                    collection,
                    found,
                    origin,
                    ..
                } => {
                    let hidden = found.get_bool("hidden").unwrap_or_default();
                    (*collection, name_of(found), *origin, hidden)
                }
                IndexStep::Extra {
                    collection,
                    name,
                    origin,
                    hidden,
                    ..
                } => (*collection, name.as_str(), *origin, *hidden),
                _ => continue,
            };
            let name = name.to_owned();
            let is_spared = self.failed.iter().any(|failure| failure.collection == collection);
            if !self.options.drops(origin) || is_spared || name == "_id_" {
                self.leave(step, is_replaced);
                continue;
            }
            if let IndexStep::Extra { .. } = step {
                self.begin(&step);
            }
            let hides = self.options.hides_first() && !hidden && is_replaced;
            let outcome = match &step {
                _ if hides => self.store.set_index_hidden(collection, &name, true).await,
                IndexStep::Replace { index, found, .. } if !is_replaced => {
                    swap(self.store, collection, found, index).await
                }
                _ => self.store.drop_index(collection, &name).await,
            };
            match outcome {
                Ok(()) if hides => {
                    self.tell(SyncEvent::Done { step: &step });
                    self.report.hidden.push(step);
                }
                Ok(()) => {
                    if let IndexStep::Replace { index, .. } = &step {
                        self.is_there(collection, name_of(index));
                    }
                    self.names.entry(collection).or_default().gone.push(name);
                    self.done(step);
                }
                Err(error) => self.fail(&step, collection, &name, error.into()),
            }
        }
    }

    /// What remains to be done of a step whose old index stays.
    fn leave(&mut self, step: IndexStep, is_replaced: bool) {
        if let (
            IndexStep::Replace {
                collection,
                found,
                origin,
                ..
            },
            true,
        ) = (&step, is_replaced)
        {
            self.report.left.push(IndexStep::Extra {
                collection,
                name: name_of(found).to_owned(),
                key: found.get_document("key").cloned().unwrap_or_default(),
                origin: *origin,
                hidden: found.get_bool("hidden").unwrap_or_default(),
            });
            self.done(step);
        } else {
            self.report.left.push(step);
        }
    }

    fn is_there(&mut self, collection: &'static str, name: &str) {
        self.names
            .entry(collection)
            .or_default()
            .there
            .push(name.to_owned());
    }

    fn done(&mut self, step: IndexStep) {
        self.tell(SyncEvent::Done { step: &step });
        self.report.done.push(step);
    }

    fn fail(&mut self, step: &IndexStep, collection: &'static str, name: &str, refusal: Refusal) {
        self.tell(SyncEvent::Failed { step });
        self.failed.push(Failure {
            collection,
            name: name.to_owned(),
            error: refusal.error,
            duplicates: refusal.duplicates,
        });
    }

    fn finish(self) -> Result<SyncReport> {
        let all: Vec<_> = self.failed.iter().map(Failure::to_string).collect();
        let (failed, steps) = (all.len(), self.steps);
        let message = format!("{failed} of {steps} index steps failed: {}", all.join("; "));
        let Some(first) = self.failed.into_iter().next() else {
            return Ok(self.report);
        };
        let cause = into_error(first.error);
        let error = Error::new(cause.kind(), message).at_index(first.name);
        Err(if cause.is_retryable() {
            error.retryable()
        } else {
            error
        })
    }
}

/// Refuses a plan that is not empty.
///
/// # Errors
/// `Configuration`, with the plan.
pub(crate) fn refuse_drift(plan: &IndexPlan) -> Result<()> {
    if plan.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Configuration,
        format!("the indexes are not as declared:\n{plan}"),
    ))
}
