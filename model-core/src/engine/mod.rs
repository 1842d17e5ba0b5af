//! The one pipeline of every read and write. It is not generic and names no model: it works on units, behind which the
//! typed shells of `model/` stand.

mod audit;
mod caller;
mod change;
mod clock;
mod commit;
mod diff;
mod distinct;
mod explain;
mod group;
mod keys;
mod load;
mod options;
mod page;
mod pick;
mod ports;
mod read;
mod seal;
mod stored;
mod unit;
mod write;

pub(crate) use caller::Caller;
pub use clock::Clock;
pub(crate) use clock::SystemClock;
pub(crate) use distinct::distinct;
pub use explain::Access;
pub(crate) use explain::explain;
pub(crate) use group::group;
pub(crate) use keys::{Reach, open_sealed};
pub(crate) use page::page;
pub(crate) use ports::{AuditTarget, Ports, State};
pub(crate) use read::{Listing, Open, accept, count, find_any_tenant, get, list, open, pull, tenant_of};
pub(crate) use unit::{Action, ReadUnit, Unit, WriteUnit};
pub(crate) use write::{Plan, Written, write};
