//! Options of collections as the server's `create` and `collMod` take them, and the room that a capped one has.

use bson::{Bson, Document};

const SERIES: &str = "timeseries";
const EXPIRES: &str = "expireAfterSeconds";

/// Puts changed options in the place of old ones.
pub(super) fn change(options: &mut Document, changes: &Document) {
    for (option, value) in changes {
        match (option.as_str(), value) {
            (EXPIRES, Bson::String(_)) => {
                options.remove(EXPIRES);
            }
            ("cappedSize", size) => {
                options.insert("size", size.clone());
            }
            // No number of documents is too large.
            ("cappedMax", max) if whole(Some(max)) == 0 => {
                options.remove("max");
            }
            ("cappedMax", max) => {
                options.insert("max", max.clone());
            }
            (SERIES, Bson::Document(changes)) => match options.get_document_mut(SERIES) {
                Ok(series) => series.extend(changes.clone()),
                Err(_) => {
                    options.insert(SERIES, changes.clone());
                }
            },
            (option, value) => {
                options.insert(option, value.clone());
            }
        }
    }
}

/// How much a capped collection may hold, and how much it holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cap {
    size: u64,
    max: u64,
    bytes: u64,
    documents: u64,
}

impl Cap {
    /// That of a collection with these options, which holds nothing yet.
    pub(super) fn of(options: &Document) -> Option<Self> {
        let number = |option| {
            u64::try_from(whole(options.get(option)))
                .ok()
                .filter(|number| *number > 0)
        };
        options.get_bool("capped").ok().filter(|capped| *capped)?;
        Some(Self {
            size: number("size").unwrap_or(u64::MAX),
            max: number("max").unwrap_or(u64::MAX),
            bytes: 0,
            documents: 0,
        })
    }

    pub(super) fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.documents += 1;
    }

    pub(super) fn remove(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes as u64);
        self.documents = self.documents.saturating_sub(1);
    }

    /// Whether there is too much; one document always has room.
    pub(super) fn is_over(&self) -> bool {
        self.documents > self.max || self.bytes > self.size && self.documents > 1
    }
}

fn whole(value: Option<&Bson>) -> i64 {
    match value {
        Some(Bson::Int32(number)) => i64::from(*number),
        Some(Bson::Int64(number)) => *number,
        _ => 0,
    }
}
