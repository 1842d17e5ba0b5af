//! Change streams. The driver itself goes on after a broken connection or a step-down.

use bson::{Document, RawDocument, RawDocumentBuf, doc};
use mongodb::Database;
use mongodb::change_stream::ChangeStream;
use mongodb::change_stream::event::ResumeToken;
use mongodb::error::{CommandError, Error, ErrorKind};
use mongodb::options::{FullDocumentBeforeChangeType, FullDocumentType, ReadConcern};

use super::super::{Changes, Selection, StoreError, StoreFuture, StoreResult, StoredChange, Told, WatchFrom};
use super::error::store_error;
use super::{command, validator};
use crate::query::{Node, Test};
use crate::schema::reserved;

const AFTER: &str = "fullDocument";
const BEFORE: &str = "fullDocumentBeforeChange";
const IMAGES: &str = "changeStreamPreAndPostImages";

/// The codes that say that the log, or the images beside it, do not reach back to where the watch is to go on, or that the
/// place lies in another collection: `NoMatchingDocument`, `CappedPositionLost`, `InvalidResumeToken`,
/// `ChangeStreamFatalError`, `ChangeStreamHistoryLost`.
const LOST: [i32; 5] = [47, 136, 260, 280, 286];

/// `$changeStream` on a server that is no member of a replica set.
const NO_REPLICA_SET: i32 = 40573;

pub(super) async fn images(db: &Database, collection: &str) -> StoreResult<bool> {
    let options = validator::options(db, collection).await?.unwrap_or_default();
    let images = options.get_document(IMAGES);
    Ok(images.is_ok_and(|images| images.get_bool("enabled").unwrap_or_default()))
}

pub(super) async fn keep_images(db: &Database, collection: &str, keep: bool) -> StoreResult<()> {
    validator::set(db, collection, &doc! { IMAGES: { "enabled": keep } }).await
}

/// A watch over one collection.
struct Watching {
    stream: ChangeStream<RawDocumentBuf>,
}

pub(super) async fn open(db: &Database, from: &WatchFrom) -> StoreResult<Box<dyn Changes>> {
    let place = from.after.as_deref().map(bson::deserialize_from_slice);
    let place: Option<ResumeToken> = place.transpose().map_err(|_| StoreError::HistoryLost)?;
    let collection = db.collection::<Document>(from.collection);
    let watch = collection
        .watch()
        .pipeline(pipeline(from)?)
        // An image that is missing is an error: without one nobody can tell whose document it was.
        .full_document(FullDocumentType::Required)
        .full_document_before_change(FullDocumentBeforeChangeType::Required)
        // The only one that the server admits here, whatever the database says.
        .read_concern(ReadConcern::majority());
    let watch = match place {
        Some(place) => watch.resume_after(place),
        None => watch,
    };
    let stream = watch.await.map_err(|error| failed(&error))?;
    Ok(Box::new(Watching {
        stream: stream.with_type(),
    }))
}

/// What the server sends: the changes of the tenant's documents that may be of concern, and of each the two documents alone.
fn pipeline(from: &WatchFrom) -> StoreResult<Vec<Document>> {
    let told = match &from.tenant {
        // A document that was made has nothing before, one that was deleted nothing after.
        Some((field, tenant)) => {
            let side = |side: &str| doc! { format!("{side}.{field}"): { "$eq": tenant } };
            doc! { "$or": [side(AFTER), side(BEFORE)] }
        }
        None => doc! { "operationType": { "$in": ["insert", "update", "replace", "delete"] } },
    };
    let mut stages = vec![doc! { "$match": told }];
    if let Some(sides) = either(from) {
        stages.push(doc! { "$match": command::filter(&Selection::of(sides))? });
    }
    stages.push(doc! { "$project": { AFTER: 1, BEFORE: 1 } });
    Ok(stages)
}

/// That the document satisfies the whole filter, before or after the change, or as is told; none if all of them do, or the server
/// cannot be asked. A side that is not there satisfies nothing.
fn either(from: &WatchFrom) -> Option<Node> {
    if from.rest == Node::Everything && from.told == Told::ALL {
        return None;
    }
    let side = |side: &'static str| {
        let there = match &from.tenant {
            Some((field, tenant)) => Node::field(format!("{side}.{field}"), Test::Eq(tenant.clone())),
            None => Node::field(format!("{side}.{}", reserved::ID), Test::Exists(true)),
        };
        Some(there.and(from.rest.below(side)?))
    };
    let (before, after) = (side(BEFORE)?, side(AFTER)?);
    let Told {
        after: comes,
        both: stays,
        before: goes,
    } = from.told;
    Some(match (comes, stays, goes) {
        (true, true, true) => after.or(before),
        (true, true, false) => after,
        (false, true, true) => before,
        (false, true, false) => after.and(before),
        (comes, false, goes) => {
            let only = |side: &Node, other: &Node| side.clone().and(!other.clone());
            let told = |is_told, node| if is_told { node } else { Node::Nothing };
            told(comes, only(&after, &before)).or(told(goes, only(&before, &after)))
        }
    })
}

impl Changes for Watching {
    fn next(&mut self) -> StoreFuture<'_, Option<StoredChange>> {
        Box::pin(async move {
            let event = self.stream.next_if_any().await.map_err(|error| failed(&error))?;
            match event {
                Some(event) => Ok(Some(StoredChange {
                    before: side(&event, BEFORE),
                    after: side(&event, AFTER),
                })),
                None if self.stream.is_alive() => Ok(None),
                // The collection was dropped or renamed.
                None => Err(StoreError::HistoryLost),
            }
        })
    }

    fn place(&self) -> Option<Vec<u8>> {
        bson::serialize_to_vec(&self.stream.resume_token()?).ok()
    }
}

fn side(event: &RawDocument, name: &str) -> Option<RawDocumentBuf> {
    let document = event.get(name).ok().flatten()?.as_document()?;
    Some(document.to_owned())
}

fn failed(error: &Error) -> StoreError {
    match &*error.kind {
        ErrorKind::Command(CommandError { code, .. }) if LOST.contains(code) => StoreError::HistoryLost,
        ErrorKind::Command(CommandError {
            code: NO_REPLICA_SET, ..
        }) => StoreError::Unsupported {
            what: "this deployment cannot be watched: change streams need a replica set",
        },
        _ => store_error(error),
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::{Node, Test, Told, WatchFrom, pipeline};

    fn from(tenant: Option<(&'static str, bson::Bson)>, rest: Node) -> WatchFrom {
        WatchFrom {
            collection: "widgets",
            tenant,
            rest,
            told: Told::ALL,
            after: None,
        }
    }

    /// An operator in the place of the tenant would be a value.
    #[test]
    fn only_the_tenants_changes_are_told() {
        let stages = pipeline(&from(Some(("org", "acme".into())), Node::Everything)).unwrap();
        let expected = doc! { "$or": [
            { "fullDocument.org": { "$eq": "acme" } },
            { "fullDocumentBeforeChange.org": { "$eq": "acme" } },
        ] };
        let shown = doc! { "$project": { "fullDocument": 1, "fullDocumentBeforeChange": 1 } };
        assert_eq!(stages, [doc! { "$match": expected }, shown]);
        let stages = pipeline(&from(None, Node::Everything)).unwrap();
        assert!(
            stages[0]
                .get_document("$match")
                .unwrap()
                .contains_key("operationType")
        );
    }

    /// Of which side a change is told, the server is asked, whatever else is.
    #[test]
    fn what_is_not_told_is_not_sent() {
        let asked = |told: Told| {
            let from = WatchFrom {
                told,
                ..from(None, Node::Everything)
            };
            let stages = pipeline(&from).unwrap();
            assert_eq!(stages.len(), 3);
            stages[1].get_document("$match").unwrap().clone()
        };
        let (after, before) = (
            doc! { "$and": [{ "fullDocument._id": { "$exists": true } }] },
            "fullDocumentBeforeChange._id",
        );
        let mut told = Told {
            after: true,
            both: true,
            before: false,
        };
        assert_eq!(asked(told), after);
        told.both = false;
        let text = asked(told).to_string();
        assert!(text.contains("$nor") && text.contains(before), "{text}");
    }

    /// Each side is asked whole: half of the filter on one and half on the other is no document.
    #[test]
    fn what_is_asked_is_asked_of_either_side() {
        let rest =
            Node::field("kind", Test::Eq("note".into())).and(!Node::field("text", Test::Eq("secret".into())));
        let stages = pipeline(&from(Some(("org", "acme".into())), rest)).unwrap();
        assert_eq!(stages.len(), 3);
        let sides = stages[1].get_document("$match").unwrap().to_string();
        for side in ["fullDocument", "fullDocumentBeforeChange"] {
            for path in ["org", "kind", "text"] {
                assert!(sides.contains(&format!("\"{side}.{path}\"")), "{sides}");
            }
        }
    }
}
