//! The handles of the fields inside a value, built on demand.

/// A struct of field handles below one path.
pub trait FieldGroup: Send + Sync + 'static {
    /// The handles below `path` (a stored path, dotted).
    fn below(path: &str) -> Self;
}

/// The group of a type without fields.
#[derive(Debug, Clone, Copy)]
pub struct NoFields;

impl FieldGroup for NoFields {
    fn below(_: &str) -> Self {
        Self
    }
}
