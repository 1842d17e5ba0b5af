//! The clock.

use std::fmt::Debug;

use chrono::{DateTime, SubsecRound, Utc};

/// What time it is. The default is the system's clock; tests bring their own.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
}

/// The system's clock.
#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        #[allow(clippy::disallowed_methods)] // the one place that reads the clock
        Utc::now()
    }
}

/// The present instant in whole milliseconds, which is what a BSON date holds.
pub(super) fn now(clock: &dyn Clock) -> DateTime<Utc> {
    clock.now().trunc_subsecs(3)
}
