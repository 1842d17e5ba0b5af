//! What the server itself is to refuse.

/// Which documents the server checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValidatorLevel {
    /// Every document that is written (the default).
    Strict,
    /// Not those that were invalid before: an update of one goes through.
    Moderate,
}

impl ValidatorLevel {
    /// The server's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Moderate => "moderate",
        }
    }
}

/// What the server does with a document that is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValidatorAction {
    /// It refuses the write (the default).
    Error,
    /// It writes, and says so in its log.
    Warn,
}

impl ValidatorAction {
    /// The server's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
        }
    }
}

/// That the server checks what is written to the model's collection, whoever writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ValidatorSpec {
    /// Which documents.
    pub level: ValidatorLevel,
    /// What happens.
    pub action: ValidatorAction,
}

impl ValidatorSpec {
    /// A validator.
    pub const fn new(level: ValidatorLevel, action: ValidatorAction) -> Self {
        Self { level, action }
    }
}
