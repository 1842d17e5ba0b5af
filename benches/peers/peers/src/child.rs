//! Another program, told line by line what to do.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child as Process, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;
use turns::Verb;

/// A program that runs; it ends with this one.
pub struct Child {
    _process: Process,
    lines: Mutex<(ChildStdin, Lines<BufReader<ChildStdout>>)>,
}

impl Child {
    /// Starts it, and waits until it is ready.
    pub async fn start(program: &Path, script: Option<&Path>, uri: &str) -> io::Result<Self> {
        let mut command = Command::new(program);
        command
            .args(script)
            .env("PEERS_URI", uri)
            // What the crate `mongoose` reads.
            .env("MONGO_URI", uri)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut process = command.spawn()?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::Error::other("it has no lines"));
        };
        let mut output = BufReader::new(output).lines();
        match output.next_line().await? {
            Some(line) if line == "ready" => Ok(Self {
                _process: process,
                lines: Mutex::new((input, output)),
            }),
            other => Err(io::Error::other(format!(
                "it says {other:?} instead of being ready"
            ))),
        }
    }

    /// Whether the library has that verb.
    pub async fn does(&self, peer: &str, verb: Verb) -> bool {
        self.take(peer, verb, 1).await.is_some()
    }

    /// Has it done so many times; gives how long that took, if it does it at all.
    ///
    /// # Panics
    /// If the program has ended: what it said of that stands on the terminal.
    pub async fn take(&self, peer: &str, verb: Verb, times: usize) -> Option<Duration> {
        let mut lines = self.lines.lock().await;
        let (input, output) = &mut *lines;
        let line = format!("{peer} {} {times}\n", verb.word());
        input.write_all(line.as_bytes()).await.expect("the program runs");
        let answer = output
            .next_line()
            .await
            .expect("the program runs")
            .expect("the program runs");
        answer.parse().ok().map(Duration::from_nanos)
    }
}
