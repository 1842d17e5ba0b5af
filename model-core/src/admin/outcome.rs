//! What a command comes to, and how it is told.

use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::error::{Error, Result};

/// How a command ended, as its exit code tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// As it should be.
    Good,
    /// Something was found that somebody should look at.
    Found,
    /// Stopped between two batches.
    Stopped,
}

impl Status {
    /// Found, if that is so.
    pub(super) fn found(is_found: bool) -> Self {
        if is_found { Self::Found } else { Self::Good }
    }

    fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Found => 1,
            Self::Stopped => 130,
        }
    }
}

/// What a command comes to: for people, for programs, for the shell.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) text: String,
    pub(super) json: Value,
    pub(super) status: Status,
}

impl Outcome {
    pub(super) fn new(text: impl Into<String>, json: Value, status: Status) -> Self {
        Self {
            text: text.into(),
            json,
            status,
        }
    }
}

/// An exit code for what failed.
const FAILED: u8 = 3;
/// An exit code for arguments that are wrong, as clap has it.
const USAGE: u8 = 2;

/// Prints what came out; nobody may be listening any more, and that is no failure of the command.
pub(super) fn print(result: Result<Outcome>, as_json: bool) -> ExitCode {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    match result {
        Ok(outcome) => {
            let _ = if as_json {
                writeln!(out, "{:#}", outcome.json)
            } else {
                writeln!(out, "{}", outcome.text.trim_end())
            };
            ExitCode::from(outcome.status.code())
        }
        Err(error) => {
            if as_json {
                let told = json!({ "error": error.to_string(), "kind": format!("{:?}", error.kind()) });
                let _ = writeln!(out, "{told:#}");
            }
            let _ = writeln!(err, "error: {error}");
            ExitCode::from(if error.is_invalid() { USAGE } else { FAILED })
        }
    }
}

/// Errors of documents, a line each.
pub(super) fn lines(errors: &[Error]) -> String {
    errors.iter().map(|error| format!("\n  ! {error}")).collect()
}

/// The same for programs.
pub(super) fn values(errors: &[Error]) -> Vec<Value> {
    let value = |error: &Error| json!({ "id": error.id(), "path": error.path(), "error": error.to_string() });
    errors.iter().map(value).collect()
}
