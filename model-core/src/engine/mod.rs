//! The one pipeline of every read and write. It is not generic and names no model: it works on units, behind which the
//! typed shells of `model/` stand.

mod audit;
mod bulk;
mod caller;
mod chain;
mod change;
mod clock;
mod commit;
mod diff;
mod history;
mod keys;
mod load;
mod outbox;
mod ports;
mod read;
mod retry;
mod seal;
mod stored;
mod transaction;
mod unit;
mod upsert;
mod write;

pub(crate) use bulk::{BATCH, Maker, Tally, write_matching};
pub(crate) use caller::Caller;
pub use chain::ChainReport;
pub(crate) use chain::verify as verify_chain;
pub use clock::Clock;
pub(crate) use clock::SystemClock;
pub(crate) use history::{AuditPage, history};
pub(crate) use keys::{Reach, open_sealed};
pub(crate) use load::origin;
pub(crate) use outbox::relay;
pub(crate) use ports::{AuditTarget, Ports, State};
pub(crate) use read::{Listing, Open, accept, count, find_any_tenant, get, list, open, pull, tenant_of};
pub(crate) use retry::write_again;
pub(crate) use transaction::{Open as OpenTransaction, in_transaction};
pub(crate) use unit::{Action, Deleted, ReadUnit, Unit, WriteUnit};
pub(crate) use upsert::find_by_key;
pub(crate) use write::{Item, Plan, Written, write, write_all};
