//! What every program under measurement shares: the lines by which it is told what to do, and the document.
//!
//! A program says `ready`, is told `<peer> <verb> <times>` line by line, and answers each line with the nanoseconds that it
//! took, or with `none` if the library has nothing for it. The server is `PEERS_URI`, which names the database too.

use std::io::{self, BufRead, Write};
use std::thread;
use std::time::{Duration, Instant};

use futures_channel::mpsc::{UnboundedReceiver, unbounded};
use futures_util::StreamExt;

/// How many documents are there to read and change, and how many are inserted at a time.
pub const DOCUMENTS: u32 = 10_000;
/// Whose documents they are.
pub const TENANT: &str = "acme";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// One document by its id.
    Get,
    /// Ten thousand documents.
    Read,
    /// One field of one document, unseen.
    Update,
    /// One field of one document, which is read first, and not changed if somebody else has in between.
    Judged,
    /// One document more.
    Insert,
    /// Ten thousand documents more.
    InsertMany,
}

impl Verb {
    /// All of them; those that add documents come last.
    pub const ALL: [Self; 6] = [
        Self::Get,
        Self::Read,
        Self::Update,
        Self::Judged,
        Self::Insert,
        Self::InsertMany,
    ];

    /// The word for it in a line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Read => "read",
            Self::Update => "update",
            Self::Judged => "judged",
            Self::Insert => "insert",
            Self::InsertMany => "insert_many",
        }
    }
}

/// One line.
#[derive(Debug)]
pub struct Turn {
    /// Whose turn it is.
    pub peer: String,
    verb: Verb,
    times: u32,
}

/// Tells that the program is ready, and gives the lines as they come.
pub fn listen() -> UnboundedReceiver<Turn> {
    let (sender, receiver) = unbounded();
    // A thread of its own, so that the driver's tasks go on while there is nothing to read.
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let line = line.unwrap();
            let mut words = line.split(' ');
            let peer = words.next().unwrap().to_owned();
            let word = words.next().unwrap();
            let verb = Verb::ALL.into_iter().find(|verb| verb.word() == word).unwrap();
            let times = words.next().unwrap().parse().unwrap();
            if sender.unbounded_send(Turn { peer, verb, times }).is_err() {
                return;
            }
        }
    });
    say("ready");
    receiver
}

/// The next line, if there is one.
pub async fn next(lines: &mut UnboundedReceiver<Turn>) -> Option<Turn> {
    lines.next().await
}

/// Answers a line.
pub fn answer(took: Option<Duration>) {
    say(&took.map_or_else(|| "none".to_owned(), |took| took.as_nanos().to_string()));
}

fn say(line: &str) {
    println!("{line}");
    io::stdout().flush().unwrap();
}

/// The server and the database.
pub fn uri() -> String {
    std::env::var("PEERS_URI").unwrap()
}

/// One library, or the bare driver. Every method fails loudly.
#[allow(async_fn_in_trait)]
pub trait Peer {
    /// What it has nothing for.
    const LACKS: &[Verb] = &[];

    /// Reads the document of that number.
    async fn get(&self, number: u32);

    /// Reads all documents of the tenant, and gives their count.
    async fn read(&self) -> usize;

    /// Sets the count of the document of that number.
    async fn update(&self, number: u32, count: i64);

    /// Reads the document, then sets its count, its instant of change and its revision, if the revision is what was read.
    async fn judged(&self, number: u32, count: i64);

    /// Inserts a document.
    async fn insert(&self, number: u32);

    /// Inserts so many documents.
    async fn insert_many(&self, count: u32);
}

/// Does what the line says; gives how long it took.
pub async fn take(peer: &impl Peer, turn: &Turn) -> Option<Duration> {
    if lacks(peer).contains(&turn.verb) {
        return None;
    }
    let start = Instant::now();
    for time in 0..turn.times {
        // Another document each time.
        let number = time.wrapping_mul(7_919) % DOCUMENTS;
        let count = i64::from(start.elapsed().subsec_nanos());
        match turn.verb {
            Verb::Get => peer.get(number).await,
            Verb::Read => assert_eq!(peer.read().await, DOCUMENTS as usize),
            Verb::Update => peer.update(number, count).await,
            Verb::Judged => peer.judged(number, count).await,
            Verb::Insert => peer.insert(number).await,
            Verb::InsertMany => peer.insert_many(DOCUMENTS).await,
        }
    }
    Some(start.elapsed())
}

fn lacks<P: Peer>(_: &P) -> &'static [Verb] {
    P::LACKS
}

/// The id of the document of that number.
pub fn id(number: u32) -> [u8; 12] {
    let [a, b, c, d] = number.to_be_bytes();
    [0x65, 0x5c, 0x00, 0x00, 0xa1, 0xb2, 0xc3, 0xd4, a, b, c, d]
}

/// The same, in hexadecimal.
pub fn hex(number: u32) -> String {
    id(number).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Declares the document as one library wants it declared: `bson` is the crate of that name, `oid` makes an id of bytes,
/// `now` tells the time. Types come in brackets: some derives do not know a type that a macro has read as one.
#[macro_export]
macro_rules! document {
    (
        use $bson:ident, $oid:expr, [$($date:tt)+] = $now:expr;
        $(#[$on_struct:meta])*
        pub struct $name:ident {
            $(#[$on_id:meta])*
            $id:ident: [$($id_type:tt)+] = $no_id:expr,
            $($extra:ident = $value:expr,)*
        }
    ) => {
        #[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
        pub struct Limits {
            pub daily: i64,
            pub weekly: i64,
            pub label: String,
        }

        $(#[$on_struct])*
        pub struct $name {
            $(#[$on_id])*
            pub $id: $($id_type)+,
            pub organization: String,
            pub project: $bson::oid::ObjectId,
            pub name: String,
            pub note: Option<String>,
            pub tags: Vec<String>,
            pub limits: Limits,
            pub count: i64,
            pub score: f64,
            pub enabled: bool,
            pub created_at: $($date)+,
            pub updated_at: $($date)+,
            pub _rev: i64,
        }

        impl $name {
            /// The document of that number, which has no id yet.
            pub fn numbered(number: u32) -> Self {
                Self {
                    $id: $no_id,
                    organization: $crate::TENANT.to_owned(),
                    project: $oid($crate::id(7)),
                    name: format!("Blue widget {number}"),
                    note: Some("Ships on Tuesdays, unless it rains".to_owned()),
                    tags: ["alpha", "beta", "release-candidate"].map(str::to_owned).to_vec(),
                    limits: Limits {
                        daily: 100,
                        weekly: 500,
                        label: "standard".to_owned(),
                    },
                    count: i64::from(number) << 33,
                    score: f64::from(number) + 0.25,
                    enabled: true,
                    created_at: $now,
                    updated_at: $now,
                    _rev: 1 << 33,
                    $($extra: $value,)*
                }
            }
        }
    };
}
