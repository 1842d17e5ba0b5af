//! Who acted.

use std::fmt;

/// What kind of actor acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ActorKind {
    /// A person.
    User,
    /// A program with a key of its own.
    ApiKey,
    /// The application itself.
    System,
}

impl ActorKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ApiKey => "api_key",
            Self::System => "system",
        }
    }
}

/// Who acts, as the audit log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActorIdentity {
    /// A person, a program, or the application itself.
    pub kind: ActorKind,
    /// The actor's id.
    pub id: String,
    /// The actor's name, for a reader.
    pub name: Option<String>,
}

impl ActorIdentity {
    /// A person.
    pub fn user(id: impl fmt::Display) -> Self {
        Self {
            kind: ActorKind::User,
            id: id.to_string(),
            name: None,
        }
    }

    /// A program with a key of its own.
    pub fn api_key(id: impl fmt::Display) -> Self {
        Self {
            kind: ActorKind::ApiKey,
            id: id.to_string(),
            name: None,
        }
    }

    /// The application itself: a job, a webhook, a sign-in.
    pub fn system(id: impl fmt::Display) -> Self {
        Self {
            kind: ActorKind::System,
            id: id.to_string(),
            name: None,
        }
    }

    /// Adds a name for a reader.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}
