//! Steps over whole collections: rename, backfill, split, move with every reference rewritten. They work on stored
//! documents, of models and of others.

mod report;
mod run;

use std::fmt;

use bson::{Bson, Document};

pub use self::report::{StepPreview, StepReport, StepSample};
pub use self::run::RunSteps;
use crate::engine::{self, Parts, Work};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{Actor, GlobalContext};

/// Steps over whole collections, in the order in which they are to be taken; each is taken once, as the ledger
/// `__model_migrations` knows by its name.
///
/// They work on stored documents, below models: nothing is validated, no hook runs, no tenant is enforced, and the audit log
/// has one entry for each run of a step. They are for what a model's own `migrate` cannot do, and they need transactions: a batch
/// is read, written and noted as a whole, so that a run that is killed goes on after its last batch. They ask for no index, and
/// so may run on a handle of [`build_lazy`](crate::DbBuilder::build_lazy) before there is any. Run them while no
/// program works on these collections in another form.
///
/// ```
/// # model_core::__example!();
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # let ctx = example().await?;
/// # let db_wide: &GlobalContext<User> = &ctx;
/// use model_core::Steps;
/// let steps = Steps::new()
///     .rename("2026-03 entries are notes", "entries", "notes")
///     .backfill("2026-03 notes have tags", "notes", |mut note| {
///         if !note.contains_key("tags") {
///             note.insert("tags", Vec::<String>::new());
///         }
///         Ok(note)
///     });
/// let job = db_wide.dangerously_bypass_permissions("release 7");
/// for report in steps.run(&job).await? {
///     assert!(report.complete, "{report}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Steps(Vec<Step>);

struct Step {
    name: &'static str,
    kind: Kind,
    references: Vec<(&'static str, &'static str)>,
}

enum Kind {
    Rename(&'static str, &'static str),
    Carry {
        from: &'static str,
        carry: Box<engine::Carry>,
        notes_ids: bool,
        to: Vec<&'static str>,
    },
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|step| step.name))
            .finish()
    }
}

impl Steps {
    /// No steps.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn step(mut self, name: &'static str, kind: Kind) -> Self {
        self.0.push(Step {
            name,
            kind,
            references: Vec::new(),
        });
        self
    }

    /// Gives a collection another name, its indexes included. There is nothing to do if there is none of the old name; if
    /// there is one of the new name already, the step fails.
    pub fn rename(self, name: &'static str, from: &'static str, to: &'static str) -> Self {
        self.step(name, Kind::Rename(from, to))
    }

    /// Turns each document into another under the same id. An error leaves a document as it is, and stands in the report; a
    /// run that goes over the collection again meets documents that it has changed already. A document under a seal is not
    /// changed: a step has no model to seal it anew by.
    pub fn backfill(
        self,
        name: &'static str,
        collection: &'static str,
        change: impl Fn(Document) -> Result<Document> + Send + Sync + 'static,
    ) -> Self {
        let carry = move |document| {
            let keep = Some(change(document)?);
            Ok(Parts {
                keep,
                put: Vec::new(),
            })
        };
        self.carry(name, collection, Vec::new(), Box::new(carry), false)
    }

    /// Takes a part out of each document, to be stored in `to` as a document of its own, which needs an `_id`: the closure gives
    /// what stays, and what goes there, if anything does.
    pub fn split(
        self,
        name: &'static str,
        from: &'static str,
        to: &'static str,
        split: impl Fn(Document) -> Result<(Document, Option<Document>)> + Send + Sync + 'static,
    ) -> Self {
        let carry = move |document| {
            let (keep, part) = split(document)?;
            let put = part.map(|part| (to, part)).into_iter().collect();
            Ok(Parts {
                keep: Some(keep),
                put,
            })
        };
        self.carry(name, from, vec![to], Box::new(carry), false)
    }

    /// Moves each document into another collection, as what the closure makes of it: its `_id` there may be a new one, made
    /// anew or out of the old one. Which became which is kept in `__model_moves`: [`references`](Self::references) are
    /// rewritten by it, and [`moved_id`](Self::moved_id) looks one up.
    pub fn move_documents(
        self,
        name: &'static str,
        from: &'static str,
        to: &'static str,
        change: impl Fn(Document) -> Result<Document> + Send + Sync + 'static,
    ) -> Self {
        let carry = move |document| {
            let put = vec![(to, change(document)?)];
            Ok(Parts { keep: None, put })
        };
        self.carry(name, from, vec![to], Box::new(carry), true)
    }

    fn carry(
        self,
        name: &'static str,
        from: &'static str,
        to: Vec<&'static str>,
        carry: Box<engine::Carry>,
        notes_ids: bool,
    ) -> Self {
        self.step(
            name,
            Kind::Carry {
                from,
                carry,
                notes_ids,
                to,
            },
        )
    }

    /// Says where others name the documents of the last move: by a stored path, through arrays too (`members.user`). When all
    /// documents are moved, the new ids are put in the place of the old ones, as `ObjectId`s and as texts alike.
    pub fn references(mut self, collection: &'static str, path: &'static str) -> Self {
        if let Some(step) = self.0.last_mut() {
            step.references.push((collection, path));
        }
        self
    }

    /// Takes the steps that were not taken yet. It needs a bypass.
    ///
    /// # Errors
    /// Awaited: `Forbidden`, `Unsupported` without transactions, `Configuration` for steps that cannot be meant, `Conflict`
    /// while another run takes the same step, and those of the store; run again, it goes on where it stopped.
    pub fn run<'a, A: Actor>(&'a self, ctx: &'a GlobalContext<A>) -> RunSteps<'a> {
        RunSteps::new(self, ctx.caller())
    }

    /// The id that a moved document has now; none if no step of that name has moved it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn moved_id<A: Actor>(
        ctx: &GlobalContext<A>,
        step: &str,
        old: impl Into<Bson> + Send,
    ) -> Result<Option<Bson>> {
        engine::moved_id(ctx.caller(), step, &old.into()).await
    }

    fn check(&self) -> Result<()> {
        let wrong = |step: &Step, why: &str| {
            let message = format!("the step `{}`: {why}", step.name);
            Err(Error::new(ErrorKind::Configuration, message))
        };
        for (number, step) in self.0.iter().enumerate() {
            if self.0.iter().take(number).any(|other| other.name == step.name) {
                return wrong(step, "another has this name");
            }
            let mut collections: Vec<&str> = step.references.iter().map(|(place, _)| *place).collect();
            match &step.kind {
                Kind::Rename(from, to) => collections.extend([from, to]),
                Kind::Carry { from, to, .. } => {
                    if to.contains(from) {
                        return wrong(step, "it would find what it has stored");
                    }
                    collections.push(from);
                    collections.extend(to);
                }
            }
            if collections.iter().any(|name| is_own(name)) {
                return wrong(step, "the collection is the crate's own");
            }
            if !step.references.is_empty() && !step.moves() {
                return wrong(step, "only a move changes ids");
            }
        }
        Ok(())
    }
}

/// Whether a collection holds the crate's own records.
fn is_own(collection: &str) -> bool {
    collection.starts_with("__model_")
        || collection.starts_with("system.")
        || [crate::audit::COLLECTION, "audit_chain"].contains(&collection)
}

impl Step {
    fn moves(&self) -> bool {
        matches!(self.kind, Kind::Carry { notes_ids: true, .. })
    }

    /// The pieces of work, one after the other; none for a rename.
    fn work(&self, phase: u32) -> Option<Work<'_>> {
        let Kind::Carry {
            from,
            carry,
            notes_ids,
            ..
        } = &self.kind
        else {
            return None;
        };
        match (phase as usize).checked_sub(1) {
            None => Some(Work::Carry {
                from,
                carry: &**carry,
                notes_ids: *notes_ids,
            }),
            Some(number) => {
                let (collection, path) = *self.references.get(number)?;
                Some(Work::References { collection, path })
            }
        }
    }
}
