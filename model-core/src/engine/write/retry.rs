//! A write that begins again when another writer was first.

use std::time::Duration;

use bson::RawDocumentBuf;

use super::plan::{Plan, Written};
use super::write_found;
use crate::engine::unit::WriteUnit;
use crate::error::{Error, ErrorKind, Result};

/// The longest pause between two attempts, as a power of two of milliseconds.
const LONGEST_PAUSE: u32 = 5;

/// Carries out a write whose unit computes what is after from what is before, as [`write`](super::write) does. If the race for the
/// document is lost, everything is done anew: it is read, computed, permitted and validated again, up to `attempts`
/// times. A revision that the caller insists on is not waited for.
///
/// `found` is the document as it was read a moment ago, if it was.
pub(crate) async fn write_again(
    unit: &mut dyn WriteUnit,
    plan: &Plan,
    mut found: Option<RawDocumentBuf>,
    attempts: u32,
) -> Result<Written> {
    let mut attempt = 1;
    loop {
        match write_found(unit, plan.clone(), found.take()).await {
            Err(error) if !error.is_conflict() || error.is_after_write() || plan.expected.is_some() => {
                return Err(error);
            }
            // It is the application's transaction that has to begin again.
            Err(error) if unit.caller().transaction.is_some() => return Err(error),
            Err(_) if attempt < attempts => {
                // Someone got through, so the first pause is short, and none is long.
                let pause = (attempt - 1).min(LONGEST_PAUSE);
                tokio::time::sleep(Duration::from_millis(1 << pause)).await;
                attempt += 1;
            }
            Err(_) => {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!("other writers were first each time, in {attempt} attempts"),
                ));
            }
            Ok(written) => return Ok(written),
        }
    }
}
