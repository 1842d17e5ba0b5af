//! The administration command: indexes, schema, migrations, keys and the audit log, from a shell or a job in CI. A
//! service puts it into its own binary, since only that knows its models (feature `admin`).
//!
//! ```no_run
//! # mod service {
//! # use model_core::prelude::*;
//! # pub struct Operator;
//! # impl Actor for Operator { fn identity(&self) -> ActorIdentity { ActorIdentity::system("operator") } }
//! # #[derive(Clone, Model)]
//! # #[model(collection = "widgets")]
//! # pub struct Widget { #[model(id)] id: Id<Widget>, #[model(tenant)] organization: TenantId }
//! # impl BaseModel for Widget {
//! #     type Actor = Operator;
//! #     fn can_read(&self, _: &Context<Operator>) -> bool { true }
//! #     fn can_create(&self, _: &Context<Operator>) -> bool { true }
//! #     fn can_update(&self, _: &Context<Operator>, _: &Self) -> bool { true }
//! #     fn can_delete(&self, _: &Context<Operator>) -> bool { true }
//! # }
//! # }
//! # use service::{Operator, Widget};
//! use model_core::{Db, admin::Admin};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> std::process::ExitCode {
//!     let db = Db::memory().model::<Widget>().build_lazy().unwrap(); // or `Db::mongo(...)`
//!     Admin::new(db, Operator).model::<Widget>().run().await
//! }
//! ```
//!
//! | exit code | what it says |
//! |---|---|
//! | 0 | all is as it should be, or was done |
//! | 1 | something was found: drift, a stale manifest, older or unreadable documents, a broken chain |
//! | 2 | the arguments are wrong |
//! | 3 | it failed: no answer, not allowed, a conflict |
//! | 130 | Ctrl-C stopped it between two batches; run again, it goes on there |
//!
//! What is asked for goes to the standard output, as text or with `--json` as one JSON value; progress and errors go to the
//! standard error, as bars on a terminal and as plain lines elsewhere.

#![allow(
    clippy::format_collect,
    clippy::format_push_string,
    reason = "a page of text for a person is on no hot path"
)]

mod audit;
mod command;
mod graph;
mod indexes;
mod keys;
mod migrate;
mod models;
mod outcome;
mod progress;
mod schema;
mod svg;
mod verify;

use std::ffi::OsString;
use std::fmt;
use std::process::ExitCode;

use clap::Parser;

pub use self::command::AdminCommand;
use self::command::Task;
use self::models::{Administered, Typed};
use self::outcome::Outcome;
use self::progress::Watch;
use crate::db::Db;
use crate::error::{Error, ErrorKind, Result};
use crate::lifecycle::Steps;
use crate::policy::{Actor, BaseModel, GlobalContext, Registry};

/// The administration command of a service: see [the module](self).
///
/// It acts as the actor that it is given, past all permissions; the audit log has the actor and the command.
pub struct Admin<A: Actor> {
    db: Db,
    ctx: GlobalContext<A>,
    models: Vec<Box<dyn Administered<A>>>,
    steps: Steps,
}

impl<A: Actor> fmt::Debug for Admin<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin")
            .field("db", &self.db)
            .finish_non_exhaustive()
    }
}

impl<A: Actor> Registry<A> for Admin<A> {
    fn model<M: BaseModel<Actor = A>>(self) -> Self {
        Self::model::<M>(self)
    }
}

impl<A: Actor> Admin<A> {
    /// The command over a database handle, which may be a lazy one: a database without its indexes is what `indexes
    /// sync` is for.
    pub fn new(db: Db, actor: A) -> Self {
        let ctx = db.global_context(actor);
        Self {
            db,
            ctx,
            models: Vec::new(),
            steps: Steps::new(),
        }
    }

    /// A model that is administered. Each that the handle has must be given, so that none is forgotten; a command refuses to
    /// run otherwise. One function over a [`Registry`] gives them to both.
    pub fn model<M: BaseModel<Actor = A>>(mut self) -> Self {
        self.models.push(Box::new(Typed::<M>::new()));
        self
    }

    /// The steps over whole collections, which `migrate` shows and takes before the documents of models.
    pub fn steps(mut self, steps: Steps) -> Self {
        self.steps = steps;
        self
    }

    /// Carries out what the arguments of the process say.
    pub async fn run(self) -> ExitCode {
        self.run_with(std::env::args_os()).await
    }

    /// Carries out what `arguments` say, the first of which is the program's name.
    pub async fn run_with(self, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
        match AdminCommand::try_parse_from(arguments) {
            Ok(command) => self.execute(&command).await,
            Err(error) => {
                // Nobody listens any more if it cannot be printed.
                let _ = error.print();
                u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
            }
        }
    }

    /// Carries out a command that the service has parsed among its own.
    pub async fn execute(self, command: &AdminCommand) -> ExitCode {
        let result = match self.check_models() {
            Ok(()) => self.outcome(&command.task).await,
            Err(error) => Err(error),
        };
        outcome::print(result, command.json)
    }

    fn check_models(&self) -> Result<()> {
        let given = |name: &str| self.models.iter().any(|model| model.schema().name == name);
        match self.db.models().iter().find(|schema| !given(schema.name)) {
            None => Ok(()),
            Some(schema) => Err(Error::new(
                ErrorKind::Configuration,
                "the database handle has this model, and the command was not given it: `.model::<...>()`",
            )
            .at_model(schema.name, "admin")),
        }
    }

    async fn outcome(&self, task: &Task) -> Result<Outcome> {
        match task {
            Task::Indexes { task } => indexes::carry_out(&self.db, task).await,
            Task::Schema { task } => schema::carry_out(&self.db, task),
            Task::Migrate { task } => migrate::carry_out(self, task, &Watch::begin()).await,
            Task::Keys { task } => keys::carry_out(self, task, &Watch::begin()).await,
            Task::Audit { task } => audit::carry_out(self, task).await,
            Task::Verify { scope } => verify::carry_out(self, scope, &Watch::begin()).await,
        }
    }

    /// The context past all permissions; the audit log tells what for.
    fn bypassing(&self, what: &str) -> GlobalContext<A> {
        self.ctx
            .dangerously_bypass_permissions(format!("administration command: {what}"))
    }

    /// The models that a command is about.
    ///
    /// # Errors
    /// `Invalid`: there is no such model.
    fn chosen(&self, names: &[String]) -> Result<Vec<&dyn Administered<A>>> {
        for name in names {
            if !self.models.iter().any(|model| model.schema().name == name) {
                let known: Vec<_> = self.models.iter().map(|model| model.schema().name).collect();
                let message = format!("there is no model `{name}`; there are {}", known.join(", "));
                return Err(Error::violation("--model", "known", message));
            }
        }
        let chosen = |model: &&dyn Administered<A>| {
            names.is_empty() || names.iter().any(|name| name == model.schema().name)
        };
        Ok(self.models.iter().map(|model| &**model).filter(chosen).collect())
    }
}
