//! Documents with how well they fit what was asked for.

use std::collections::VecDeque;

use super::load;
use crate::codec::DecodeError;
use crate::engine::read::{self, Notes, Open};
use crate::engine::unit::ReadUnit;
use crate::error::{Error, Result};
use crate::schema::reserved;

/// The scores that came with the documents.
struct Scores<'s> {
    decoded: VecDeque<f64>,
    kept: &'s mut Vec<f64>,
}

impl Notes for Scores<'_> {
    fn note(&mut self, stored: &[u8], _: &[u8]) -> Result<()> {
        self.decoded.push_back(of(stored)?);
        Ok(())
    }

    fn judged(&mut self, kept: bool) -> bool {
        self.kept.extend(self.decoded.pop_front().filter(|_| kept));
        kept
    }
}

/// The score that came with a document.
pub(super) fn of(stored: &[u8]) -> Result<f64> {
    let score = load::raw_field(stored, reserved::SCORE)?
        .ok_or_else(|| Error::internal("a search gave a document no score"))?;
    score.f64().map_err(DecodeError::into_error)
}

/// Hands the next batch of readable documents to the unit, and the score of each that is kept to `scores`, even if an error
/// ends the batch; false at the end.
pub(crate) async fn pull_scored(
    unit: &mut dyn ReadUnit,
    open: &mut Open,
    scores: &mut Vec<f64>,
) -> Result<bool> {
    let mut scores = Scores {
        decoded: VecDeque::new(),
        kept: scores,
    };
    read::pull_noting(unit, open, &mut scores).await
}
