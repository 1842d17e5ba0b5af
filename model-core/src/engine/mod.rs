//! The one pipeline of every read and write. It is not generic and names no model: it works on units, behind which the
//! typed shells of `model/` stand.

mod audit;
mod caller;
mod clock;
mod export;
mod migration;
mod ports;
mod read;
mod references;
mod secrets;
mod transaction;
mod unit;
mod write;

pub use audit::chain::ChainReport;
pub(crate) use audit::chain::verify as verify_chain;
pub(crate) use audit::entity::entity_of_key;
pub(crate) use audit::history::{AuditPage, history};
pub(crate) use audit::outbox::relay;
pub(crate) use caller::Caller;
pub use clock::Clock;
pub(crate) use clock::SystemClock;
pub(crate) use export::Export;
pub use export::archive::ExportReport;
pub(crate) use migration::backlog::Settled;
pub use migration::check::CheckReport;
pub(crate) use migration::check::{check, tenants};
pub use migration::migrate::{MigratePreview, MigrateReport, MigrateSample};
pub(crate) use migration::migrate::{
    MigrateScan, admit as admit_migration, migrate, preview as preview_migration,
};
pub(crate) use migration::migrations::Hold;
pub(crate) use migration::steps::{
    Carry, MOST_FAILURES, Parts, Progress, Record, Work, admit as admit_steps, batch as step_batch,
    count as step_count, moved_id, note_run as note_step, preview as preview_step,
    rename as rename_collection, state as step_is_done,
};
pub(crate) use ports::{AuditTarget, Ports, State};
pub(crate) use read::distinct::distinct;
pub use read::explain::Access;
pub(crate) use read::explain::explain;
pub(crate) use read::facet::{facet, number as row_number};
pub(crate) use read::group::group;
pub(crate) use read::load::decoding;
pub(crate) use read::lookup::{OpenLookup, open_lookup, pull_lookup};
pub(crate) use read::nearest::{Near, nearest};
pub(crate) use read::page::page;
pub(crate) use read::pick::stored as stored_fields;
pub(crate) use read::related::{Relation, Way, count_related, related, walk};
pub(crate) use read::score::pull_scored;
pub(crate) use read::watch::{Kinds, OpenWatch, Seen, open_watch, pull_watch};
pub(crate) use read::{Listing, Open, accept, count, find_any_tenant, get, list, open, pull, tenant_of};
pub use references::batches::{DeletePlan, DeleteStep};
pub(crate) use references::batches::{delete_in_batches, plan_deletion};
pub(crate) use references::erase::{erase_tenant, plan_erasure};
pub(crate) use references::graph::{Graph, Kin, Registered};
pub(crate) use references::loss::Loosened;
pub(crate) use references::subject::{erase_subject, plan_subject};
pub(crate) use secrets::blind::is_token;
pub(crate) use secrets::inspect::inspect;
pub(crate) use secrets::keys::{Reach, check_keyring, open_old, open_sealed};
pub(crate) use secrets::reencrypt::{admit as admit_pass, note as note_reencryption, reencrypt};
pub use secrets::report::{ReencryptReport, ResumeToken, RewrapReport, SecretsReport};
pub(crate) use secrets::rotate::{Administration, tenant_id};
pub(crate) use secrets::upgrade::upgrade;
pub(crate) use transaction::{Open as OpenTransaction, in_transaction};
pub(crate) use unit::{Action, Deleted, Lent, ReadUnit, Side, Unit, WriteUnit};
pub(crate) use write::bulk::{BATCH, Maker, Tally, write_matching};
pub(crate) use write::plan::{Item, Plan, Written};
pub(crate) use write::retry::write_again;
pub(crate) use write::transfer::transfer;
pub(crate) use write::upsert::{find_by_key, stored_by_key, stored_by_keys};
pub(crate) use write::{write, write_all, write_found};
