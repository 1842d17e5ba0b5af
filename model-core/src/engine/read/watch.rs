//! Changes as they happen, of the documents that may be read.
//!
//! The store tells what a document was and what it became. Each side is judged as a read would: it comes into sight where
//! only what is after may be seen, leaves it where only what is before may, and is of no concern where neither may. So a
//! soft deletion is a deletion, and a document that the actor may no longer read is gone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bson::RawDocument;

use super::load;
use crate::engine::read;
use crate::engine::secrets::document_seal;
use crate::engine::unit::{Deleted, ReadUnit, visible};
use crate::engine::write::diff;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, Test, matches};
use crate::store::{Changes, Selection, StoredChange, Told, WatchFrom, into_error};

/// An open watch.
pub(crate) struct OpenWatch {
    collection: &'static str,
    changes: Box<dyn Changes>,
    /// What the caller sees of the model.
    sight: Node,
    /// Of what is in sight, what may be an event of a kind that is asked for.
    told: Told,
    kinds: Kinds,
    is_over: bool,
}

impl std::fmt::Debug for OpenWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenWatch")
            .field("collection", &self.collection)
            .finish_non_exhaustive()
    }
}

/// Which kinds of events are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kinds {
    pub(crate) created: bool,
    pub(crate) updated: bool,
    pub(crate) deleted: bool,
}

impl Kinds {
    pub(crate) const ALL: Self = Self {
        created: true,
        updated: true,
        deleted: true,
    };

    /// Which changes may be such events, by the sides that are in sight. Where sight alone decides, it is the sides that may be read;
    /// else what is in sight on both may be read on one.
    fn told(self, sight_decides: bool) -> Told {
        let either = self.created || self.deleted;
        Told {
            after: self.created,
            both: self.updated || (either && !sight_decides),
            before: self.deleted,
        }
    }

    /// Whether an event of which these sides may be read is one of them.
    fn has(self, seen: &Seen) -> bool {
        self.told(true).has(seen.before, seen.after)
    }
}

/// Which of the two documents of a change may be read; the unit has kept those.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) before: bool,
    pub(crate) after: bool,
    /// The stored paths that differ, where both may be read.
    pub(crate) changed: Vec<String>,
}

impl OpenWatch {
    /// Where it stands, as a text for the caller to give back.
    pub(crate) fn token(&self) -> Option<String> {
        let place = self.changes.place()?;
        let framed = [self.collection.as_bytes(), &[0], &place].concat();
        Some(URL_SAFE_NO_PAD.encode(framed))
    }

    /// Whether nothing comes any more, since the store failed.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    fn sees(&self, document: Option<&RawDocument>) -> bool {
        document.is_some_and(|document| matches(&self.sight, document))
    }
}

/// Opens a watch: what happens from now on, or after the place of `token`, to the documents that satisfy `filter`.
pub(crate) async fn open_watch(
    unit: &mut dyn ReadUnit,
    filter: Node,
    kinds: Kinds,
    token: Option<&str>,
) -> Result<OpenWatch> {
    let (caller, schema) = (unit.caller(), unit.schema());
    let collection = schema.collection;
    let after = token.map(|token| place(collection, token)).transpose()?;
    caller.ports.admit(schema).await?;
    // Refused where the caller is inside of a transaction's closure and its context is not.
    caller.store()?;
    if caller.transaction.is_some() {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "nothing is watched inside of a transaction: its snapshot does not change",
        ));
    }
    let Selection { tenant, rest, .. } = visible(&*unit, Deleted::Hidden, filter).await?;
    let told = kinds.told(unit.scope_is_exact() || caller.bypass.is_some());
    let from = WatchFrom {
        told,
        collection,
        tenant: tenant.clone(),
        rest: rest.clone(),
        after,
    };
    let own = tenant.map_or(Node::Everything, |(field, tenant)| {
        Node::field(field, Test::Eq(tenant))
    });
    let changes = caller.ports.store.watch(&from).await.map_err(into_error)?;
    Ok(OpenWatch {
        collection,
        changes,
        sight: own.and(rest),
        told,
        kinds,
        is_over: false,
    })
}

/// Waits for the next change and judges it: none if none came for a while, or nothing of it is for the caller to see.
pub(crate) async fn pull_watch(unit: &mut dyn ReadUnit, open: &mut OpenWatch) -> Result<Option<Seen>> {
    let change = match open.changes.next().await {
        Ok(Some(change)) => change,
        Ok(None) => return Ok(None),
        Err(error) => {
            open.is_over = true;
            return Err(into_error(error));
        }
    };
    let StoredChange { before, after } = change;
    let sides = [&before, &after].map(|side| side.as_deref().filter(|side| open.sees(Some(side))));
    if !open.told.has(sides[0].is_some(), sides[1].is_some()) {
        return Ok(None);
    }
    let seen = sides.iter().flatten().map(|side| side.as_bytes());
    document_seal::prepare(&unit.caller().ports, unit.schema(), seen).await?;
    let changed = match sides {
        [None, None] => return Ok(None),
        [Some(before), Some(after)] => {
            let changed = differing(unit, before.as_bytes(), after.as_bytes())?;
            // What the crate keeps for itself has changed, or the form of a value.
            if changed.is_empty() {
                return Ok(None);
            }
            changed
        }
        _ => Vec::new(),
    };
    let clock = load::clock(unit);
    for side in sides.into_iter().flatten() {
        read::decode(unit, clock.as_deref(), side.as_bytes(), None, &mut ())?;
    }
    let mut kept = [false; 2];
    let mut judged = kept
        .iter_mut()
        .zip(sides)
        .filter_map(|(kept, side)| side.map(|_| kept));
    read::judge(unit, &mut |allowed| {
        if let Some(kept) = judged.next() {
            *kept = allowed;
        }
        allowed
    })
    .await?;
    let [before, after] = kept;
    let seen = Seen {
        before,
        after,
        changed,
    };
    Ok(open.kinds.has(&seen).then_some(seen))
}

/// The stored paths at which two documents differ, each in the shape of the present version.
fn differing(unit: &dyn ReadUnit, before: &[u8], after: &[u8]) -> Result<Vec<String>> {
    let differing = || {
        let (old, new) = (load::migrated(unit, before)?, load::migrated(unit, after)?);
        let found = diff::diff(unit.schema().fields, &old, &old, &new)?;
        Ok(found
            .into_iter()
            .map(|difference| difference.path.into_owned())
            .collect())
    };
    differing().map_err(|error: Error| error.at_id(|| load::id_text(unit.schema(), before)))
}

/// The store's place in the text of a token.
fn place(collection: &str, token: &str) -> Result<Vec<u8>> {
    let refused = |message| Error::violation("resume_after", "token", message);
    let framed = URL_SAFE_NO_PAD
        .decode(token)
        .map_err(|_| refused("is no place in a watch"))?;
    let mut parts = framed.splitn(2, |byte| *byte == 0);
    match (parts.next(), parts.next()) {
        (Some(name), Some(place)) if name == collection.as_bytes() => Ok(place.to_vec()),
        (Some(_), Some(_)) => Err(refused("is a place in the changes of another model")),
        _ => Err(refused("is no place in a watch")),
    }
}
