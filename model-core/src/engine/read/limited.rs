//! Limited reads where documents may be denied.
//!
//! As a rule none is, so the server is asked for as many as are wanted, which lets it stop there and leaves no cursor behind.
//! Where some are denied, the query is asked once more without a limit, and what came before is passed over.

use std::collections::HashSet;

use super::{Open, load};
use crate::engine::unit::ReadUnit;
use crate::error::Result;
use crate::schema::reserved;
use crate::store::{Cursor, Find, into_error};

/// The most that are asked for so: the documents that came are remembered until it is clear that they were enough.
pub(super) const MOST: u64 = 1_000;

/// A limited query, and what came of it.
pub(super) struct Limited {
    find: Find,
    state: State,
    passed: HashSet<Vec<u8>>,
}

enum State {
    /// As many documents may still come as the server was asked for.
    Asked(u64),
    /// It was asked once more.
    Again,
}

impl Limited {
    /// The query as it was sent; none if the server was told no limit.
    pub(super) fn new(find: Find) -> Option<Box<Self>> {
        let state = State::Asked(find.limit?);
        Some(Box::new(Self {
            find,
            state,
            passed: HashSet::new(),
        }))
    }

    /// Whether a document has not come before.
    pub(super) fn is_new(&self, raw: &[u8]) -> Result<bool> {
        Ok(match self.state {
            State::Asked(_) => true,
            State::Again => !self.passed.contains(&id(raw)?),
        })
    }

    /// The query once more, without a limit; none if the server had no more than it has sent.
    async fn again(&mut self, unit: &dyn ReadUnit) -> Result<Option<Box<dyn Cursor>>> {
        if !matches!(self.state, State::Asked(0)) {
            return Ok(None);
        }
        self.state = State::Again;
        (self.find.limit, self.find.batch) = (None, None);
        let cursor = unit.caller().store()?.find(&self.find).await;
        cursor.map(Some).map_err(into_error)
    }
}

impl Open {
    /// Fetches the next batch; false at the end.
    pub(super) async fn advance(&mut self, unit: &dyn ReadUnit) -> Result<bool> {
        if self.left == Some(0) {
            return Ok(false);
        }
        if self.cursor.advance().await.map_err(into_error)? {
            return Ok(true);
        }
        let Some(limited) = &mut self.limited else {
            return Ok(false);
        };
        match limited.again(unit).await? {
            Some(cursor) => self.cursor = cursor,
            None => return Ok(false),
        }
        self.cursor.advance().await.map_err(into_error)
    }

    /// Once a batch is judged: notes what has come, if more is wanted.
    pub(super) fn note_passed(&mut self) -> Result<()> {
        let Some(limited) = self.limited.as_deref_mut().filter(|_| self.left != Some(0)) else {
            return Ok(());
        };
        let State::Asked(to_come) = &mut limited.state else {
            return Ok(());
        };
        self.cursor.each(&mut |raw| {
            *to_come = to_come.saturating_sub(1);
            limited.passed.insert(id(raw)?);
            Ok(true)
        })?;
        Ok(())
    }
}

/// A document's `_id`: its type and its bytes.
fn id(raw: &[u8]) -> Result<Vec<u8>> {
    let id = load::raw_field(raw, reserved::ID)?;
    Ok(id.map_or_else(Vec::new, |id| [&[id.tag], id.bytes].concat()))
}
