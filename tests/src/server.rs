//! A real MongoDB for tests, which ends with the process that started it.
//!
//! The server is the one that `MONGODB_URI` names, if that is set; else one that this process starts, as a replica
//! set of a single node, so that transactions and change streams work, and with test commands, so that fail points
//! do. Its `mongod` is the one on `PATH`, or else one that is fetched once into the build folder.
//!
//! Tests share the server of their process but no client: each `#[tokio::test]` has a runtime of its own, and a
//! client of the driver lives on one runtime.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> mongodb::error::Result<()> {
//! let database = model_tests::server::fresh_database().await;
//! database.run_command(bson::doc! { "ping": 1 }).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Tests fail, with what to install, when there is no server to be had: they never pass by being skipped.

mod binary;
mod member;
mod process;
mod replica_set;

use std::env;
use std::time::Duration;

use bson::doc;
use mongodb::error::Error;
use mongodb::options::ClientOptions;
use mongodb::{Client, Database};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use self::process::Process;
pub use self::replica_set::ReplicaSet;
use crate::events::CommandLog;

/// The variable that names a server to use instead of one started here.
const URI_VARIABLE: &str = "MONGODB_URI";
/// The replica set that a started server is.
const REPLICA_SET: &str = "tests";
/// How long a client looks for its server before an operation fails.
const SERVER_SELECTION: Duration = Duration::from_secs(10);
/// How long a started server may take until it accepts connections, and then until it accepts writes.
const START: Duration = Duration::from_mins(1);
/// How long to wait before asking a starting server again.
const POLL: Duration = Duration::from_millis(10);

/// A running MongoDB. Dropping it stops it, if it was started here, and waits until it is gone.
#[derive(Debug)]
pub struct Server {
    uri: String,
    /// Absent when the server was running before.
    process: Option<Process>,
}

/// The server that the tests of this process share: the one that `MONGODB_URI` names, else a replica set of a single
/// node, started by the first call and stopped when the process ends, however it ends.
///
/// # Panics
///
/// When there is no server to be had; the message says what to install.
pub async fn server() -> &'static Server {
    static SERVER: OnceCell<Result<Server, String>> = OnceCell::const_new();
    expect_started(SERVER.get_or_init(Server::start).await)
}

/// A server that is no replica set, and so has no transactions and no change streams; for the tests of what happens
/// then. It is started by the first call, whatever `MONGODB_URI` says, and stopped when the process ends.
///
/// # Panics
///
/// When there is no `mongod` to be had; the message says what to install.
pub async fn standalone() -> &'static Server {
    static SERVER: OnceCell<Result<Server, String>> = OnceCell::const_new();
    expect_started(SERVER.get_or_init(Server::start_standalone).await)
}

/// An empty database on [`server`], under a name that no other call gets, with a client of its own.
///
/// It goes away with a server that was started here; on one that stays, [`drop_database`] removes it.
pub async fn fresh_database() -> Database {
    server().await.fresh_database().await
}

/// As [`fresh_database`], with a record of the commands that its client sends to it.
pub async fn recorded_database() -> (Database, CommandLog) {
    server().await.recorded_database().await
}

/// Drops a database and all that is in it.
pub async fn drop_database(database: Database) {
    database.drop().await.expect("the database is dropped");
}

impl Server {
    /// As [`server`], but not shared, for a program that stops it before it ends.
    ///
    /// # Errors
    ///
    /// When there is no server to be had; the message says what to install.
    pub async fn start() -> Result<Self, String> {
        match env::var(URI_VARIABLE) {
            Ok(uri) if !uri.is_empty() => Ok(Self { uri, process: None }),
            _ => Self::start_replica_set().await,
        }
    }

    async fn start_replica_set() -> Result<Self, String> {
        let process = start_process(&["--replSet", REPLICA_SET]).await?;
        let address = process.address();
        let started = timeout(START, initiate(&address)).await;
        match started {
            Ok(Ok(())) => Ok(Self {
                uri: format!("mongodb://{address}/?replicaSet={REPLICA_SET}"),
                process: Some(process),
            }),
            Ok(Err(error)) => Err(format!("the replica set is not initiated: {error}")),
            Err(_) => Err(format!("the replica set accepts no writes after {START:?}")),
        }
    }

    async fn start_standalone() -> Result<Self, String> {
        let process = start_process(&[]).await?;
        Ok(Self {
            uri: format!("mongodb://{}/?directConnection=true", process.address()),
            process: Some(process),
        })
    }

    /// Where clients find the server.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Gives the server so much memory for its cache, if it was started here: what is enough for tests makes it turn back
    /// transactions that are large or many.
    pub async fn set_cache(&self, mebibytes: u32) {
        if self.process.is_none() {
            return;
        }
        let size = format!("cache_size={mebibytes}M");
        let admin = self.client().await.database("admin");
        let set = admin.run_command(doc! { "setParameter": 1, "wiredTigerEngineRuntimeConfig": size });
        set.await.expect("the server sets its cache");
    }

    /// Options for a client of the server: its address, and ten seconds to find it.
    pub async fn client_options(&self) -> ClientOptions {
        let mut options = ClientOptions::parse(&self.uri)
            .await
            .expect("the server's URI is valid");
        options.server_selection_timeout = Some(SERVER_SELECTION);
        options
    }

    /// A client of the server, for use on the current runtime.
    pub async fn client(&self) -> Client {
        Client::with_options(self.client_options().await).expect("the server's options are valid")
    }

    /// As [`fresh_database`], on this server.
    pub async fn fresh_database(&self) -> Database {
        self.client().await.database(&fresh_name())
    }

    /// As [`recorded_database`], on this server.
    pub async fn recorded_database(&self) -> (Database, CommandLog) {
        let name = fresh_name();
        let log = CommandLog::new(&name);
        let mut options = self.client_options().await;
        log.attach(&mut options);
        let client = Client::with_options(options).expect("the server's options are valid");
        (client.database(&name), log)
    }
}

fn expect_started(server: &'static Result<Server, String>) -> &'static Server {
    match server {
        Ok(server) => server,
        Err(error) => panic!("no MongoDB for the tests: {error}"),
    }
}

/// Finds or fetches a `mongod` and starts it.
async fn start_process(arguments: &'static [&'static str]) -> Result<Process, String> {
    spawn_blocking(|| Process::start(&binary::find()?, arguments, START))
        .await
        .map_err(|error| format!("the start of mongod panicked: {error}"))?
}

/// Makes the server at the address a replica set, and waits until it accepts writes.
async fn initiate(address: &str) -> Result<(), Error> {
    let admin = Client::with_uri_str(format!("mongodb://{address}/?directConnection=true"))
        .await?
        .database("admin");
    let configuration = doc! {
        "_id": REPLICA_SET,
        "members": [{ "_id": 0, "host": address }],
        // No test survives its server, so none has to wait for the disk.
        "writeConcernMajorityJournalDefault": false,
    };
    admin
        .run_command(doc! { "replSetInitiate": configuration })
        .await?;
    while !admin
        .run_command(doc! { "hello": 1 })
        .await?
        .get_bool("isWritablePrimary")
        .unwrap_or(false)
    {
        sleep(POLL).await;
    }
    Ok(())
}

/// A name that no other database has.
fn fresh_name() -> String {
    format!(
        "t_{:016x}",
        getrandom::u64().expect("the system has random numbers")
    )
}
