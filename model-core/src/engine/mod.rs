//! The one pipeline of every read and write. It is not generic and names no model: it works on units, behind which the
//! typed shells of `model/` stand.

mod asked;
mod audit;
mod backlog;
mod batches;
mod blind;
mod bulk;
mod caller;
mod cascade;
mod chain;
mod change;
mod check;
mod clock;
mod commit;
mod diff;
mod distinct;
mod explain;
mod facet;
mod graph;
mod group;
mod history;
mod judge;
mod keys;
mod load;
mod lookup;
mod migrate;
mod migrations;
mod options;
mod outbox;
mod page;
mod pick;
mod plan;
mod ports;
mod read;
mod reencrypt;
mod related;
mod report;
mod reseal;
mod retry;
mod rotate;
mod scan;
mod seal;

mod sealed;
mod sift;
mod steps;
mod stored;
mod transaction;
mod unit;
mod upsert;
mod write;

pub(crate) use backlog::Settled;
pub use batches::{DeletePlan, DeleteStep};
pub(crate) use batches::{delete_in_batches, plan_deletion};
pub(crate) use blind::is_token;
pub(crate) use bulk::{BATCH, Maker, Tally, write_matching};
pub(crate) use caller::Caller;
pub use chain::ChainReport;
pub(crate) use chain::verify as verify_chain;
pub use check::CheckReport;
pub(crate) use check::{check, tenants};
pub use clock::Clock;
pub(crate) use clock::SystemClock;
pub(crate) use distinct::distinct;
pub use explain::Access;
pub(crate) use explain::explain;
pub(crate) use facet::{facet, number as row_number};
pub(crate) use graph::{Graph, Kin, Loosened, Registered};
pub(crate) use group::group;
pub(crate) use history::{AuditPage, history};
pub(crate) use keys::{Reach, check_keyring, open_old, open_sealed};
pub(crate) use load::origin;
pub(crate) use lookup::{OpenLookup, open_lookup, pull_lookup};
pub use migrate::{MigratePreview, MigrateReport, MigrateSample};
pub(crate) use migrate::{MigrateScan, admit as admit_migration, migrate, preview as preview_migration};
pub(crate) use migrations::Hold;
pub(crate) use outbox::relay;
pub(crate) use page::page;
pub(crate) use pick::stored as stored_fields;
pub(crate) use plan::{Item, Plan, Written};
pub(crate) use ports::{AuditTarget, Ports, State};
pub(crate) use read::{Listing, Open, accept, count, find_any_tenant, get, list, open, pull, tenant_of};
pub(crate) use reencrypt::{admit as admit_pass, inspect, note as note_reencryption, reencrypt};
pub(crate) use related::{Relation, Way, count_related, related, walk};
pub use report::{ReencryptReport, ResumeToken, SecretsReport};
pub(crate) use retry::write_again;
pub(crate) use rotate::{Administration, tenant_id};
pub(crate) use steps::{
    Carry, MOST_FAILURES, Parts, Progress, Record, Work, admit as admit_steps, batch as step_batch,
    count as step_count, moved_id, note_run as note_step, preview as preview_step,
    rename as rename_collection, state as step_is_done,
};
pub(crate) use transaction::{Open as OpenTransaction, in_transaction};
pub(crate) use unit::{Action, Deleted, ReadUnit, Unit, WriteUnit};
pub(crate) use upsert::find_by_key;
pub(crate) use write::{write, write_all};
