//! What an update does, for hooks.

/// A document before and after an update.
///
/// In [`before_update`](super::BaseModel::before_update) the after-side may still be changed; identity, tenant and
/// timestamps are put right again afterwards, and the change is validated and permission-checked like the caller's own.
#[derive(Debug)]
pub struct Change<M> {
    before: M,
    after: M,
}

impl<M> Change<M> {
    pub(crate) fn new(before: M, after: M) -> Self {
        Self { before, after }
    }

    /// The document as it was.
    pub fn before(&self) -> &M {
        &self.before
    }

    /// The document as it is to become, or became.
    pub fn after(&self) -> &M {
        &self.after
    }

    /// The document as it is to become.
    pub fn after_mut(&mut self) -> &mut M {
        &mut self.after
    }

    pub(crate) fn split_mut(&mut self) -> (&M, &mut M) {
        (&self.before, &mut self.after)
    }

    pub(crate) fn into_sides(self) -> (M, M) {
        (self.before, self.after)
    }

    pub(crate) fn into_before(self) -> M {
        self.before
    }

    pub(crate) fn into_after(self) -> M {
        self.after
    }
}
