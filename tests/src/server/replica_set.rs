//! A replica set of several servers, of which each can be killed and started again.

use std::time::Duration;

use bson::{Bson, Document, doc};
use mongodb::error::Error;
use mongodb::options::ClientOptions;
use mongodb::{Client, Database};
use tokio::time::{sleep, timeout};

use super::member::Member;
use super::{POLL, REPLICA_SET, SERVER_SELECTION, START, binary, fresh_name};

/// How soon a lost primary is missed: short, since tests wait for it.
const ELECTION_TIMEOUT: Duration = Duration::from_millis(1_000);
const HEARTBEAT: Duration = Duration::from_millis(500);

/// A replica set of its own, which writes to the journal before it acknowledges. Dropping it stops it.
#[derive(Debug)]
pub struct ReplicaSet {
    members: Vec<Member>,
}

impl ReplicaSet {
    /// Starts so many members, and waits until one is primary and all others have its data.
    ///
    /// # Panics
    ///
    /// When there is no `mongod` to be had; the message says what to install.
    pub async fn start(members: usize) -> Self {
        let mongod = tokio::task::spawn_blocking(binary::find)
            .await
            .expect("the search ends")
            .unwrap_or_else(|error| panic!("no MongoDB for the tests: {error}"));
        let mut set = Self { members: Vec::new() };
        for _ in 0..members {
            let member = Member::start(&mongod, &["--replSet", REPLICA_SET]).await;
            set.members.push(member.expect("mongod starts"));
        }
        set.initiate().await.expect("the replica set is initiated");
        timeout(START, set.settle())
            .await
            .expect("all members have the primary's data");
        set
    }

    /// Waits until every member that runs is primary or secondary.
    async fn settle(&self) {
        let admin = self.admin(self.primary().await).await;
        loop {
            let status = admin.run_command(doc! { "replSetGetStatus": 1 }).await;
            let members = status.as_ref().map(|status| status.get_array("members"));
            let settled = |member: &Bson| {
                let state = member.as_document().map(|member| member.get_str("stateStr"));
                matches!(state, Some(Ok("PRIMARY" | "SECONDARY")))
            };
            if let Ok(Ok(members)) = members
                && members.iter().all(settled)
            {
                return;
            }
            sleep(POLL).await;
        }
    }

    async fn initiate(&self) -> Result<(), Error> {
        let members = self.members.iter().zip(0_i32..).map(|(member, number)| {
            doc! { "_id": number, "host": member.address() }
        });
        let settings = doc! {
            "electionTimeoutMillis": i64::try_from(ELECTION_TIMEOUT.as_millis()).expect("short"),
            "heartbeatIntervalMillis": i64::try_from(HEARTBEAT.as_millis()).expect("short"),
        };
        let configuration =
            doc! { "_id": REPLICA_SET, "members": members.collect::<Vec<_>>(), "settings": settings };
        let admin = self.admin(0).await;
        admin
            .run_command(doc! { "replSetInitiate": configuration })
            .await
            .map(drop)
    }

    /// Where clients find the set.
    pub fn uri(&self) -> String {
        let hosts: Vec<_> = self.members.iter().map(Member::address).collect();
        format!("mongodb://{}/?replicaSet={REPLICA_SET}", hosts.join(","))
    }

    /// Options for a client of the set, which waits ten seconds for a primary.
    pub async fn client_options(&self) -> ClientOptions {
        let mut options = ClientOptions::parse(self.uri()).await.expect("the URI is valid");
        options.server_selection_timeout = Some(SERVER_SELECTION);
        options
    }

    /// A client of the set, for use on the current runtime.
    pub async fn client(&self) -> Client {
        Client::with_options(self.client_options().await).expect("the options are valid")
    }

    /// An empty database, with a client of its own.
    pub async fn fresh_database(&self) -> Database {
        self.client().await.database(&fresh_name())
    }

    /// The member that accepts writes; waits for one.
    ///
    /// # Panics
    ///
    /// When there is none after a minute.
    pub async fn primary(&self) -> usize {
        let search = async {
            loop {
                for number in 0..self.members.len() {
                    if self.is_primary(number).await {
                        return number;
                    }
                }
                sleep(POLL).await;
            }
        };
        timeout(START, search).await.expect("a primary is elected")
    }

    async fn is_primary(&self, member: usize) -> bool {
        let hello = self.admin(member).await.run_command(doc! { "hello": 1 }).await;
        hello.is_ok_and(|hello: Document| hello.get_bool("isWritablePrimary").unwrap_or(false))
    }

    /// Makes the primary give way to another, and waits until that one is primary.
    ///
    /// # Panics
    ///
    /// When none follows.
    pub async fn step_down(&self) {
        let old = self.primary().await;
        let order = doc! { "replSetStepDown": 2, "secondaryCatchUpPeriodSecs": 1, "force": true };
        // Whatever the old one answers, or does not: the next one shows that it obeyed.
        let _ = self.admin(old).await.run_command(order).await;
        let next = timeout(START, async { while self.primary().await == old {} });
        next.await.expect("another is elected");
    }

    /// `SIGKILL` for one member; it is gone when this returns.
    pub fn kill(&mut self, member: usize) {
        self.members[member].kill();
    }

    /// Starts a killed member on the data that it left.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn restart(&mut self, member: usize) {
        let started = self.members[member].restart().await;
        started.expect("mongod starts again");
    }

    /// A member alone, whatever it is to the set.
    async fn admin(&self, member: usize) -> Database {
        let uri = format!(
            "mongodb://{}/?directConnection=true",
            self.members[member].address()
        );
        let mut options = ClientOptions::parse(uri).await.expect("the URI is valid");
        options.server_selection_timeout = Some(Duration::from_secs(1));
        Client::with_options(options)
            .expect("the options are valid")
            .database("admin")
    }
}
