//! What is to be written, one document at a time.

use bson::RawDocumentBuf;

use super::commit::Effect;
use super::stored::Stored;
use super::transfer::Carried;
use crate::engine::unit::{Action, Side, WriteUnit};
use crate::error::{Error, Result};
use crate::query::Node;
use crate::value::Revision;

/// What is to be written.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) action: Action,
    /// The revision that the caller has seen, if it insists on it.
    pub(crate) expected: Option<Revision>,
    /// Leaves the instant of the last change as it is.
    pub(crate) keep_updated_at: bool,
    /// What the stored document must satisfy, one that does not being missing; and what a new one must. The same for all
    /// documents of a write.
    pub(crate) condition: Node,
    /// The condition must not hold afterwards: who comes next must not find the document again.
    pub(crate) claims: bool,
    /// Whether a missing document is an error.
    pub(crate) required: bool,
    /// The caller need not be able to read the document: it goes along with another one.
    pub(crate) unseen: bool,
    /// What is set at create only changes too: the document is rid of what is personal.
    pub(crate) erases: bool,
}

impl Plan {
    pub(crate) fn new(action: Action) -> Self {
        Self {
            action,
            expected: None,
            keep_updated_at: false,
            condition: Node::Everything,
            claims: false,
            required: action == Action::Update,
            unseen: false,
            erases: false,
        }
    }
}

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// It took effect; the unit holds the document as a read would return it.
    Yes,
    /// Nothing differed, so nothing was written.
    Unchanged,
    /// There is no such document for this tenant and actor.
    Missing,
}

/// One document of a write.
pub(crate) struct Item<'u> {
    pub(in crate::engine) unit: &'u mut dyn WriteUnit,
    pub(in crate::engine) plan: Plan,
    /// The document as it was read a moment ago; read by its id if there is none.
    pub(in crate::engine) found: Option<RawDocumentBuf>,
    /// What a new document has beside its fields.
    pub(in crate::engine) carried: Option<Carried>,
    pub(in crate::engine) stored: Option<Stored>,
    /// The keys that the caller names, once what is after was made; or why it could not be.
    pub(in crate::engine) begun: Option<Result<Vec<&'static str>>>,
    pub(in crate::engine) effect: Option<Effect>,
    pub(crate) written: Written,
}

impl<'u> Item<'u> {
    pub(crate) fn new(unit: &'u mut dyn WriteUnit, plan: Plan) -> Self {
        Self {
            unit,
            plan,
            found: None,
            carried: None,
            stored: None,
            begun: None,
            effect: None,
            written: Written::Missing,
        }
    }

    /// With the document as it was read already.
    pub(crate) fn found(mut self, document: RawDocumentBuf) -> Self {
        self.found = Some(document);
        self
    }

    /// Whether the unit has a document on that side.
    pub(in crate::engine) fn has(&self, side: Side) -> bool {
        match side {
            Side::Before => self.stored.is_some(),
            Side::After => matches!(self.begun, Some(Ok(_))),
        }
    }

    pub(in crate::engine) fn collection(&self) -> &'static str {
        self.unit.schema().collection
    }

    pub(in crate::engine) fn named(&self, error: Error, position: Option<usize>) -> Error {
        match position {
            Some(position) => error.at_position(position).at_id(|| self.unit.id().to_string()),
            None => error,
        }
    }
}
