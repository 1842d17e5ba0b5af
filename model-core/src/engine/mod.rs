//! The one pipeline of every read and write. It is not generic and names no model: it works on units, behind which the
//! typed shells of `model/` stand.

mod audit;
mod blind;
mod caller;
mod change;
mod clock;
mod commit;
mod diff;
mod keys;
mod load;
mod ports;
mod read;
mod reencrypt;
mod report;
mod reseal;
mod rotate;
mod seal;
mod sealed;
mod stored;
mod unit;
mod write;

pub(crate) use blind::is_token;
pub(crate) use caller::Caller;
pub use clock::Clock;
pub(crate) use clock::SystemClock;
pub(crate) use keys::{Reach, check_keyring, open_sealed};
pub(crate) use ports::{AuditTarget, Ports, State};
pub(crate) use read::{Listing, Open, accept, count, find_any_tenant, get, list, open, pull, tenant_of};
pub(crate) use reencrypt::{admit as admit_pass, inspect, note as note_reencryption, reencrypt};
pub use report::{ReencryptReport, ResumeToken, SecretsReport};
pub(crate) use rotate::{Administration, tenant_id};
pub(crate) use unit::{Action, ReadUnit, Unit, WriteUnit};
pub(crate) use write::{Plan, Written, write};
