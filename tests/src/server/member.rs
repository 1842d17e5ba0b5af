//! A `mongod` that can be killed and started again on the same data, for tests of what survives that.
//!
//! As in `process`, a shell stands between, so that neither the server nor its files outlive this process.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use tokio::time::sleep;

use super::process::{self, ARGUMENTS};
use super::{POLL, START};

/// Makes a data folder and prints its path; then obeys: `start` and `kill`, each answered when it is done; at the end of
/// standard input it kills the server and removes the folder.
const SUPERVISOR: &str = r#"
    data=$(mktemp -d "${TMPDIR:-/tmp}/model-tests-XXXXXX") || exit 1
    echo "$data"
    exec 3<&0
    mongod=
    stop() { [ -z "$mongod" ] || { kill -KILL "$mongod"; wait "$mongod"; }; mongod=; }
    while read -r order <&3; do
        case $order in
            start) "$@" --dbpath "$data" </dev/null >"$data/log" 2>&1 3<&- & mongod=$! ;;
            kill) stop ;;
        esac
        echo "$order"
    done
    stop
    rm -rf "$data"
"#;

/// Ports that the system does not give to clients: else one of them may hold a killed server's.
const PORTS: std::ops::Range<u16> = 15_000..32_000;

/// One `mongod` of a replica set, running or killed. Dropping it ends it and removes its data.
#[derive(Debug)]
pub(super) struct Member {
    supervisor: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    data: PathBuf,
    port: u16,
}

impl Member {
    /// Starts one on a free port.
    pub(super) async fn start(mongod: &Path, arguments: &[&str]) -> Result<Self, String> {
        let port = free_port()?;
        let mut supervisor = Command::new("sh")
            .args(["-c", SUPERVISOR, "mongod-supervisor"])
            .arg(mongod)
            .args(ARGUMENTS)
            .args(["--port", &port.to_string()])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("sh cannot be run: {error}"))?;
        let orders = supervisor.stdin.take();
        let mut answers = BufReader::new(supervisor.stdout.take().expect("standard output is piped"));
        let data = process::read_path(&mut answers)?;
        let mut member = Self {
            supervisor,
            orders,
            answers,
            data,
            port,
        };
        member.restart().await?;
        Ok(member)
    }

    /// Host and port.
    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `SIGKILL`; it is gone when this returns.
    pub(super) fn kill(&mut self) {
        self.order("kill");
    }

    /// Starts the killed one on its data, and waits until it accepts connections.
    pub(super) async fn restart(&mut self) -> Result<(), String> {
        self.order("start");
        let deadline = Instant::now() + START;
        while process::logged_port(&self.data).is_none() {
            if Instant::now() > deadline {
                let log = fs::read_to_string(self.data.join("log")).unwrap_or_default();
                let end: Vec<_> = log.lines().rev().take(20).collect();
                return Err(format!(
                    "mongod accepts no connections after {START:?}:\n{}",
                    end.join("\n")
                ));
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    fn order(&mut self, order: &str) {
        let orders = self.orders.as_mut().expect("orders are taken by drop alone");
        writeln!(orders, "{order}").expect("the supervisor listens");
        let mut answer = String::new();
        self.answers
            .read_line(&mut answer)
            .expect("the supervisor answers");
        assert_eq!(answer.trim_end(), order, "the supervisor does as it is told");
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.supervisor.wait();
    }
}

fn free_port() -> Result<u16, String> {
    let count = u64::from(PORTS.end - PORTS.start);
    (0..100)
        .map(|_| {
            let random = getrandom::u64().expect("the system has random numbers") % count;
            PORTS.start + u16::try_from(random).expect("below the number of ports")
        })
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .ok_or_else(|| "no free port is found".to_owned())
}
