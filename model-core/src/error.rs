//! One opaque error for the whole crate: a kind, predicates, and where it happened; never a value.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// The result of every fallible operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as a fieldless kind that a service maps to its own status codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An input breaks its type's shape or a validation rule (HTTP 422); see [`Error::violations`].
    Invalid,
    /// A policy denied the operation (HTTP 403).
    Forbidden,
    /// No such document for this tenant and actor (HTTP 404).
    NotFound,
    /// Somebody else changed the document first (HTTP 409).
    Conflict,
    /// A unique index has that key already (HTTP 409).
    Duplicate,
    /// A hook of the model refused the operation, or documents that refer to it stand in its way (HTTP 409).
    Refused,
    /// A stored document does not have the shape of its model.
    Decode,
    /// A secret could not be sealed, opened, hashed or verified.
    Crypto,
    /// The declaration of a model or the set-up of the database handle is wrong.
    Configuration,
    /// The store cannot do this.
    Unsupported,
    /// The store did not answer in time (HTTP 503).
    Unavailable,
    /// What is asked for lies further back than the server remembers: begin anew, from what is stored now (HTTP 410).
    HistoryLost,
    /// The store answered with an error of its own.
    Store,
    /// A bug in this crate.
    Internal,
}

impl ErrorKind {
    fn text(self) -> &'static str {
        match self {
            Self::Invalid => "invalid input",
            Self::Forbidden => "not permitted",
            Self::NotFound => "not found",
            Self::Conflict => "changed by somebody else",
            Self::Duplicate => "duplicate key",
            Self::Refused => "refused",
            Self::Decode => "stored document does not decode",
            Self::Crypto => "secret",
            Self::Configuration => "configuration",
            Self::Unsupported => "unsupported",
            Self::Unavailable => "store unavailable",
            Self::HistoryLost => "history lost",
            Self::Store => "store",
            Self::Internal => "internal error",
        }
    }
}

/// One broken rule of an input: where, which rule, and what it asks for. It never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The path in the JSON form of the model, with array indexes: `members[2].role`.
    pub path: String,
    /// The rule's name: `required`, `len`, `type`, `unknown`, …
    pub rule: Cow<'static, str>,
    /// What the rule asks for.
    pub message: Cow<'static, str>,
}

impl Violation {
    /// A violation of `rule` at `path`.
    pub fn new(
        path: impl Into<String>,
        rule: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            path: path.into(),
            rule: rule.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            write!(f, "{} ({})", self.message, self.rule)
        } else {
            write!(f, "{}: {} ({})", self.path, self.message, self.rule)
        }
    }
}

/// What failed, where, and what to do. It never carries a field's value.
pub struct Error(Box<Inner>);

#[derive(Default)]
struct Place {
    model: Option<&'static str>,
    operation: Option<&'static str>,
    id: Option<String>,
    path: Option<String>,
    index: Option<String>,
    position: Option<usize>,
}

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    place: Place,
    violations: Vec<Violation>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    after_write: bool,
    retryable: bool,
    written: u64,
}

impl Error {
    /// An error of `kind`, with a message that must hold no field's value.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            place: Place::default(),
            violations: Vec::new(),
            source: None,
            after_write: false,
            retryable: false,
            written: 0,
        }))
    }

    /// A hook's refusal: the operation is not carried out, and the message goes to the caller.
    pub fn refused(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Refused, message)
    }

    /// A hook's failure with a cause of the application's own. The cause is reachable by
    /// [`std::error::Error::source`] and is not part of the message.
    pub fn hook(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let mut error = Self::new(ErrorKind::Refused, "a hook failed");
        error.0.source = Some(source.into());
        error
    }

    /// A validation failure with these violations.
    pub fn invalid(violations: Vec<Violation>) -> Self {
        let mut error = Self::new(ErrorKind::Invalid, "");
        error.0.violations = violations;
        error
    }

    /// A validation failure of one rule at one path.
    pub fn violation(
        path: impl Into<String>,
        rule: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::invalid(vec![Violation::new(path, rule, message)])
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The model's name, where one was involved.
    pub fn model(&self) -> Option<&str> {
        self.0.place.model
    }

    /// The operation: `create`, `get`, `query`, `update`, `delete`, …
    pub fn operation(&self) -> Option<&str> {
        self.0.place.operation
    }

    /// The document's id, where one was involved.
    pub fn id(&self) -> Option<&str> {
        self.0.place.id.as_deref()
    }

    /// The path of the field in the stored document.
    pub fn path(&self) -> Option<&str> {
        self.0.place.path.as_deref()
    }

    /// The name of the index whose key exists already.
    pub fn index(&self) -> Option<&str> {
        self.0.place.index.as_deref()
    }

    /// Which of the documents of a bulk operation it was, counted from 0.
    pub fn position(&self) -> Option<usize> {
        self.0.place.position
    }

    /// How many documents a bulk operation had written, in batches before the one that failed.
    pub fn written(&self) -> u64 {
        self.0.written
    }

    /// Every broken rule of the input; empty unless the kind is [`ErrorKind::Invalid`].
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    /// The input breaks a rule.
    pub fn is_invalid(&self) -> bool {
        self.0.kind == ErrorKind::Invalid
    }

    /// A policy denied the operation.
    pub fn is_forbidden(&self) -> bool {
        self.0.kind == ErrorKind::Forbidden
    }

    /// There is no such document for this tenant and actor.
    pub fn is_not_found(&self) -> bool {
        self.0.kind == ErrorKind::NotFound
    }

    /// Somebody else changed the document first; read it again and decide again.
    pub fn is_conflict(&self) -> bool {
        self.0.kind == ErrorKind::Conflict
    }

    /// A unique index has that key already; see [`Error::index`].
    pub fn is_duplicate(&self) -> bool {
        self.0.kind == ErrorKind::Duplicate
    }

    /// A hook refused the operation.
    pub fn is_refused(&self) -> bool {
        self.0.kind == ErrorKind::Refused
    }

    /// A stored document does not have the shape of its model.
    pub fn is_decode(&self) -> bool {
        self.0.kind == ErrorKind::Decode
    }

    /// A secret could not be sealed, opened, hashed or verified.
    pub fn is_crypto(&self) -> bool {
        self.0.kind == ErrorKind::Crypto
    }

    /// A declaration or the set-up is wrong.
    pub fn is_configuration(&self) -> bool {
        self.0.kind == ErrorKind::Configuration
    }

    /// The store cannot do this.
    pub fn is_unsupported(&self) -> bool {
        self.0.kind == ErrorKind::Unsupported
    }

    /// The store did not answer in time.
    pub fn is_unavailable(&self) -> bool {
        self.0.kind == ErrorKind::Unavailable
    }

    /// The server does not remember that far back: read what is stored now, and watch anew from there.
    pub fn is_history_lost(&self) -> bool {
        self.0.kind == ErrorKind::HistoryLost
    }

    /// The write stands: what failed came after it (an after-hook, the caller's own sink). The [`id`](Self::id) is that of
    /// the document written; an operation on another that failed is the [`source`](StdError::source).
    pub fn is_after_write(&self) -> bool {
        self.0.after_write
    }

    /// The same call may succeed when made again. Never after a write that stands: it would be made twice.
    pub fn is_retryable(&self) -> bool {
        !self.0.after_write && (self.0.retryable || self.0.kind == ErrorKind::Conflict)
    }
}

/// How the crate itself completes an error on its way up.
impl Error {
    pub(crate) fn internal(message: &'static str) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    pub(crate) fn at_model(mut self, model: &'static str, operation: &'static str) -> Self {
        self.0.place.model.get_or_insert(model);
        self.0.place.operation.get_or_insert(operation);
        self
    }

    pub(crate) fn at_id(mut self, id: impl FnOnce() -> String) -> Self {
        self.0.place.id.get_or_insert_with(id);
        self
    }

    pub(crate) fn at_path(mut self, path: impl Into<String>) -> Self {
        self.0.place.path.get_or_insert_with(|| path.into());
        self
    }

    pub(crate) fn at_index(mut self, index: impl Into<String>) -> Self {
        self.0.place.index.get_or_insert_with(|| index.into());
        self
    }

    pub(crate) fn at_position(mut self, position: usize) -> Self {
        self.0.place.position = Some(position);
        self
    }

    pub(crate) fn after(mut self, written: u64) -> Self {
        self.0.written = written;
        self
    }

    pub(crate) fn retryable(mut self) -> Self {
        self.0.retryable = true;
        self
    }

    pub(crate) fn after_write(mut self) -> Self {
        self.0.after_write = true;
        self
    }

    /// What failed once the write of the document stood. An error that tells of another operation becomes the cause: its
    /// place is not this document's.
    pub(crate) fn after_write_of(self, id: impl FnOnce() -> String) -> Self {
        let mut error = if self.0.place.model.is_some() || self.0.place.id.is_some() {
            let mut outer = Self::new(self.0.kind, "what runs after a write failed");
            outer.0.source = Some(Box::new(self));
            outer
        } else {
            self
        };
        error.0.place.id = Some(id());
        error.after_write()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            kind,
            message,
            place,
            violations,
            after_write,
            written,
            ..
        } = &*self.0;
        if let (Some(model), Some(operation)) = (place.model, place.operation) {
            write!(f, "{model}::{operation}: ")?;
        }
        f.write_str(kind.text())?;
        if !message.is_empty() {
            write!(f, ": {message}")?;
        }
        for (name, part) in [("id", &place.id), ("field", &place.path), ("index", &place.index)] {
            if let Some(part) = part {
                write!(f, " [{name} {part}]")?;
            }
        }
        if let Some(position) = place.position {
            write!(f, " [document {position}]")?;
        }
        for (i, violation) in violations.iter().enumerate() {
            write!(f, "{}{violation}", if i == 0 { ": " } else { "; " })?;
        }
        if *written > 0 {
            write!(f, " (after {written} documents, which stand)")?;
        }
        if *after_write {
            f.write_str(" (the write itself stands)")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("text", &format_args!("{self}"))
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}
