//! Runs a command with `MONGODB_URI` pointing at a real MongoDB, and ends as the command does:
//!
//! ```text
//! cargo run -p model-tests --bin with-mongod -- <command> [<argument>...]
//! ```
//!
//! The server is the one of the tests: see `model_tests::server`.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, ExitStatus};

use model_tests::server::Server;

/// What a shell reports for a command that cannot be run.
const CANNOT_BE_RUN: u8 = 127;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!("usage: with-mongod <command> [<argument>...]");
        return ExitCode::from(2);
    };
    let server = match Server::start().await {
        Ok(server) => server,
        Err(error) => {
            eprintln!("with-mongod: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut command = Command::new(&program);
    command.args(arguments).env("MONGODB_URI", server.uri());
    for variable in cargo_variables() {
        command.env_remove(variable);
    }
    match command.status() {
        Ok(status) => ExitCode::from(code(status)),
        Err(error) => {
            eprintln!("with-mongod: {}: {error}", program.display());
            ExitCode::from(CANNOT_BE_RUN)
        }
    }
}

/// The exit code by which a shell would report the status.
fn code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// What `cargo run` tells this program about its own package. A cargo that is run in turn would take it for a change to
/// the environment of build scripts, and build their packages again.
fn cargo_variables() -> impl Iterator<Item = OsString> {
    env::vars_os().map(|(name, _)| name).filter(|name| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_")
    })
}
