//! What a client sends to the server, command by command.

use std::mem;
use std::sync::{Arc, Mutex};

use bson::Document;
use mongodb::event::EventHandler;
use mongodb::event::command::CommandEvent;
use mongodb::options::ClientOptions;

/// The commands that end a transaction. They go to the database `admin`, whatever the transaction wrote to.
const ENDS_OF_TRANSACTIONS: [&str; 2] = ["abortTransaction", "commitTransaction"];

/// A command as it went over the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct SentCommand {
    /// Which command, as in `insert` or `commitTransaction`.
    pub name: String,
    /// All of it.
    pub body: Document,
}

/// A record of the commands that a client sends to one database, retries included, in the order of sending. Ends of
/// transactions are in it too.
///
/// Clones share the record.
#[derive(Debug, Clone)]
pub struct CommandLog {
    database: Arc<str>,
    commands: Arc<Mutex<Vec<SentCommand>>>,
}

impl CommandLog {
    /// An empty record of the commands to the named database.
    pub fn new(database: &str) -> Self {
        Self {
            database: database.into(),
            commands: Arc::default(),
        }
    }

    /// Makes the clients that are built with these options write to this record.
    pub fn attach(&self, options: &mut ClientOptions) {
        let log = self.clone();
        options.command_event_handler = Some(EventHandler::callback(move |event| log.record(event)));
    }

    fn record(&self, event: CommandEvent) {
        let CommandEvent::Started(event) = event else {
            return;
        };
        if event.db != *self.database && !ENDS_OF_TRANSACTIONS.contains(&event.command_name.as_str()) {
            return;
        }
        let command = SentCommand {
            name: event.command_name,
            body: event.command,
        };
        self.commands.lock().unwrap().push(command);
    }

    /// What was sent since the last call.
    pub fn take(&self) -> Vec<SentCommand> {
        mem::take(&mut *self.commands.lock().unwrap())
    }

    /// The names alone of what was sent since the last call.
    pub fn take_names(&self) -> Vec<String> {
        self.take().into_iter().map(|command| command.name).collect()
    }
}
