//! A `mongod` that ends, and whose files go, with the process that started it.
//!
//! A static is never dropped and a killed process runs no code, so a shell stands between: it holds the reading end of
//! a pipe whose writing end is held here alone, and the kernel closes that when this process ends in whatever way.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::POLL;

/// Makes a data folder and prints its path; runs `mongod` there until it ends by itself or standard input does; prints
/// the end of its log, in case somebody is left to read it; removes the folder.
const SUPERVISOR: &str = r#"
    data=$(mktemp -d "${TMPDIR:-/tmp}/model-tests-XXXXXX") || exit 1
    echo "$data"
    exec 3<&0
    "$@" --dbpath "$data" </dev/null >"$data/log" 2>&1 3<&- &
    mongod=$!
    { read -r end <&3; kill -KILL "$mongod"; } >/dev/null &
    watch=$!
    exec 3<&-
    wait "$mongod"
    kill "$watch"
    tail -n 20 "$data/log"
    rm -rf "$data"
"#;

/// What every server here is started with: the loopback interface, fail points, and little memory and disk: its journal
/// has no room reserved.
pub(super) const ARGUMENTS: &[&str] = &[
    "--bind_ip",
    "127.0.0.1",
    "--nounixsocket",
    "--quiet",
    "--setParameter",
    "enableTestCommands=1",
    "--setParameter",
    "diagnosticDataCollectionEnabled=false",
    "--wiredTigerCacheSizeGB",
    "0.25",
    "--wiredTigerEngineConfigString",
    "log=(prealloc=false,file_max=16MB)",
];

/// The log entry by which `mongod` says that it accepts connections, and where.
const WAITING_FOR_CONNECTIONS: u64 = 23016;

/// A running `mongod` under its supervisor. Dropping it stops both and removes the data.
#[derive(Debug)]
pub(super) struct Process {
    supervisor: Child,
    /// Held open for as long as `mongod` is to run.
    lifeline: Option<ChildStdin>,
    port: u16,
}

impl Process {
    /// Starts `mongod` and waits until it accepts connections.
    pub(super) fn start(mongod: &Path, arguments: &[&str], limit: Duration) -> Result<Self, String> {
        let mut supervisor = Command::new("sh")
            .args(["-c", SUPERVISOR, "mongod-supervisor"])
            .arg(mongod)
            .args(ARGUMENTS)
            .args(["--port", "0"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Out of reach of what a terminal or a CI sends to the tests: it ends by their end only.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("sh cannot be run: {error}"))?;
        let lifeline = supervisor.stdin.take();
        let mut output = BufReader::new(supervisor.stdout.take().expect("standard output is piped"));
        let mut process = Self {
            supervisor,
            lifeline,
            port: 0,
        };
        let data = read_path(&mut output)?;
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            if let Some(port) = logged_port(&data) {
                process.port = port;
                return Ok(process);
            }
            if process
                .supervisor
                .try_wait()
                .map_err(|error| error.to_string())?
                .is_some()
            {
                let mut log = String::new();
                output
                    .read_to_string(&mut log)
                    .map_err(|error| error.to_string())?;
                return Err(explain(mongod, &log));
            }
            sleep(POLL);
        }
        Err(format!(
            "{} accepts no connections after {limit:?}",
            mongod.display()
        ))
    }

    /// Host and port.
    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // The supervisor has nothing to say any more, and an error here would hide the test's own.
        let _ = self.supervisor.wait();
    }
}

/// The path that the supervisor prints first.
pub(super) fn read_path(output: &mut impl BufRead) -> Result<PathBuf, String> {
    let mut line = String::new();
    output.read_line(&mut line).map_err(|error| error.to_string())?;
    match line.trim_end() {
        "" => Err("no folder for the data of mongod can be made".to_owned()),
        path => Ok(PathBuf::from(path)),
    }
}

/// The port from the log in the data folder, once `mongod` accepts connections.
pub(super) fn logged_port(data: &Path) -> Option<u16> {
    let log = fs::read_to_string(data.join("log")).ok()?;
    let entry = log
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find(|entry| entry["id"] == WAITING_FOR_CONNECTIONS)?;
    u16::try_from(entry["attr"]["port"].as_u64()?).ok()
}

/// Why `mongod` ended by itself.
fn explain(mongod: &Path, log: &str) -> String {
    let install = if log.contains("error while loading shared libraries") {
        "\nIts libraries are not installed. On Debian: apt-get install libssl3 libcurl4"
    } else {
        ""
    };
    format!(
        "{} ended before it accepted connections:\n{log}{install}",
        mongod.display()
    )
}
