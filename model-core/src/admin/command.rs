//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::crypto::{KeyId, Purpose};
use crate::engine::ResumeToken;
use crate::value::TenantId;

/// Administers the database of this service.
///
/// It parses by itself (`AdminCommand::parse()`), and stands among a service's own commands:
///
/// ```
/// use clap::Parser;
/// use model_core::admin::AdminCommand;
///
/// #[derive(Parser)]
/// enum Command {
///     Serve,
///     Admin(AdminCommand),
/// }
///
/// assert!(matches!(Command::parse_from(["shop", "admin", "indexes", "plan"]), Command::Admin(_)));
/// ```
#[derive(Debug, Clone, Parser)]
#[command(about = "Administers the database of this service", long_about = None)]
pub struct AdminCommand {
    /// Print one JSON value instead of text
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) task: Task,
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum Task {
    /// Indexes and validators
    Indexes {
        #[command(subcommand)]
        task: IndexTask,
    },
    /// The models as this program declares them
    Schema {
        #[command(subcommand)]
        task: SchemaTask,
    },
    /// Stored documents of older versions
    Migrate {
        #[command(subcommand)]
        task: MigrateTask,
    },
    /// Data keys
    Keys {
        #[command(subcommand)]
        task: KeyTask,
    },
    /// The audit log
    Audit {
        #[command(subcommand)]
        task: AuditTask,
    },
    /// Read everything that is stored: count what cannot be read, references that lead nowhere, secrets in the clear
    Verify {
        #[command(flatten)]
        scope: Scope,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum IndexTask {
    /// Show what a sync would do
    Plan,
    /// Make indexes and validators as declared
    Sync {
        /// Also drop indexes of earlier syncs that are not declared any more
        #[arg(long)]
        drop_extra: bool,
        /// Also drop indexes that others have made
        #[arg(long)]
        drop_foreign: bool,
        /// Hide what is to be dropped, and drop it in a later sync
        #[arg(long)]
        hide_first: bool,
    },
    /// Exit with 1 unless they are exactly as declared; change nothing
    Check,
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum SchemaTask {
    /// Exit with 1 if the manifest is stale, or if stored documents need a version step that is not there
    Check {
        /// The manifest under version control
        #[arg(long, default_value = "models.json")]
        manifest: std::path::PathBuf,
        /// The manifest of the release before: what documents were stored by
        #[arg(long)]
        base: Option<std::path::PathBuf>,
    },
    /// Show what separates the manifest from the models
    Diff {
        /// The manifest under version control
        #[arg(long, default_value = "models.json")]
        manifest: std::path::PathBuf,
    },
    /// Print the manifest of the models
    Print,
    /// Draw models, fields, references and indexes
    Graph {
        /// What to draw in
        #[arg(long, value_enum, default_value_t = GraphFormat::Mermaid)]
        format: GraphFormat,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum GraphFormat {
    /// Text that Markdown viewers draw
    Mermaid,
    /// A picture
    Svg,
}

/// Which documents.
#[derive(Debug, Clone, Args)]
pub(super) struct Scope {
    /// Only this model; may be given several times
    #[arg(long = "model", value_name = "NAME")]
    pub(super) models: Vec<String>,
    /// Only this tenant: its id, `oid:` and an `ObjectId`, or `uuid:` and a UUID
    #[arg(long, value_parser = tenant)]
    pub(super) tenant: Option<TenantId>,
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum MigrateTask {
    /// Count the documents of older versions; exit with 1 if there are any
    Status {
        #[command(flatten)]
        scope: Scope,
    },
    /// Show what a migration would do to some documents, and write nothing
    DryRun {
        #[command(flatten)]
        scope: Scope,
        /// How many documents of each model
        #[arg(long, default_value_t = 3)]
        sample: u32,
    },
    /// Migrate them; run again, it goes on where it stopped
    Run {
        #[command(flatten)]
        scope: Scope,
        /// How many documents at a time
        #[arg(long, default_value_t = 500)]
        batch: u32,
        /// Milliseconds to wait after each batch
        #[arg(long, default_value_t = 0)]
        throttle: u64,
        /// Seconds for which a run that was killed keeps others out, from its last batch on
        #[arg(long, default_value_t = 60)]
        lease: u64,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum KeyTask {
    /// List the keys of a tenant, or of global models
    Status {
        /// The tenant
        #[arg(long, value_parser = tenant)]
        tenant: Option<TenantId>,
    },
    /// Stage a new key; with `--promote`, let a staged one seal from now on
    Rotate {
        /// The tenant; without one, the key of global models
        #[arg(long, value_parser = tenant)]
        tenant: Option<TenantId>,
        /// `enc`, `bidx`, `pepper` or `seal`
        #[arg(long, default_value = "enc", value_parser = purpose)]
        purpose: Purpose,
        /// The key that was staged, once every process knows it
        #[arg(long, value_parser = key, value_name = "KEY", conflicts_with_all = ["tenant", "purpose"])]
        promote: Option<KeyId>,
    },
    /// Put secrets under the primary key, so that older ones can go
    Reencrypt {
        #[command(flatten)]
        scope: Scope,
        /// How many documents at a time
        #[arg(long, default_value_t = 500)]
        batch: u32,
        /// Where an earlier run stopped; needs one `--model` and, for a tenant model, `--tenant`
        #[arg(long)]
        resume: Option<ResumeToken>,
    },
    /// Destroy all keys of a tenant: its secrets are erased for good
    Shred {
        /// The tenant
        #[arg(long, value_parser = tenant)]
        tenant: TenantId,
        /// The tenant's id once more
        #[arg(long, value_parser = tenant)]
        confirm: TenantId,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum AuditTask {
    /// Follow the hash chain of a tenant; exit with 1 if it is broken
    Verify {
        /// The tenant; without one, the entries that belong to none
        #[arg(long, value_parser = tenant)]
        tenant: Option<TenantId>,
    },
    /// Show what happened, the newest first
    History {
        /// The tenant; without one, the entries that belong to none
        #[arg(long, value_parser = tenant)]
        tenant: Option<TenantId>,
        /// Only documents of this model
        #[arg(long, value_name = "NAME")]
        model: Option<String>,
        /// Only this document
        #[arg(long, requires = "model")]
        id: Option<String>,
        /// Only this event: `widget.update`
        #[arg(long)]
        event: Option<String>,
        /// Only what this actor did
        #[arg(long)]
        by: Option<String>,
        /// At most that many entries
        #[arg(long, default_value_t = 20)]
        limit: u64,
    },
}

fn tenant(text: &str) -> Result<TenantId, String> {
    let told = |error: crate::error::Error| error.to_string();
    match text.split_once(':') {
        Some(("oid", id)) => id
            .parse::<bson::oid::ObjectId>()
            .map(TenantId::from)
            .map_err(|_| "is no `ObjectId`".to_owned()),
        Some(("uuid", id)) => id
            .parse::<uuid::Uuid>()
            .map(TenantId::from)
            .map_err(|_| "is no UUID".to_owned()),
        _ => TenantId::new(text).map_err(told),
    }
}

fn purpose(text: &str) -> Result<Purpose, String> {
    Purpose::parse(text).ok_or_else(|| "is none of `enc`, `bidx`, `pepper`, `seal`".to_owned())
}

fn key(text: &str) -> Result<KeyId, String> {
    let digits = (0..text.len()).step_by(2).map(|at| text.get(at..at + 2));
    let bytes: Option<Vec<u8>> = digits
        .map(|pair| pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    bytes
        .and_then(|bytes| KeyId::from_slice(&bytes))
        .ok_or_else(|| "is no key: 32 hexadecimal digits, as `keys status` tells them".to_owned())
}
