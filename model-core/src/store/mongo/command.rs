//! Commands as raw bytes, each written into one buffer. A read concern is given by its level; a transaction has its own.

use bson::{Bson, Document, RawDocument, RawDocumentBuf};

use super::super::{Find, Guard, Selection, StoreError, StoreResult, Unwound, UpdateOne};
use super::error::statement_error;
use super::join;
use super::related;
use crate::codec::{DecodeError, Elements, Writer, read_bson, tag, write_bson};
use crate::query::{Node, ReadConcern, ReadOptions, SortKey, render};
use crate::schema::{Direction, reserved};

/// The field that [`count`] answers with.
pub(super) const COUNT: &str = "n";

/// The one document of a selection, in one batch that leaves no cursor behind.
pub(super) fn find_one(
    collection: &str,
    selection: &Selection,
    read_concern: Option<&str>,
) -> StoreResult<RawDocumentBuf> {
    check(selection)?;
    let mut out = Writer::new();
    out.string("find", collection);
    out.document("filter", |out| select(selection, out));
    out.i64("limit", 1);
    out.bool("singleBatch", true);
    concern(read_concern, &mut out);
    finish(out)
}

/// Many documents, and the size of the batches; none if none are asked for, since the server takes a limit of zero for
/// no limit.
pub(super) fn find(
    find: &Find,
    read_concern: Option<&str>,
) -> StoreResult<Option<(RawDocumentBuf, Option<u32>)>> {
    check(&find.selection)?;
    if find.limit == Some(0) {
        return Ok(None);
    }
    if let Some(command) = related::find(find, read_concern)? {
        return Ok(Some((command, find.batch)));
    }
    if let Some(join) = &find.join {
        return join::find(find, join, read_concern).map(|command| Some((command, find.batch)));
    }
    let mut out = Writer::new();
    out.string("find", find.collection);
    out.document("filter", |out| select(&find.selection, out));
    if !find.sort.is_empty() {
        out.document("sort", |out| sort(&find.sort, out));
    }
    if find.scored || !find.fields.is_empty() {
        out.document("projection", |out| {
            find.fields.iter().for_each(|field| out.i32(field, 1));
            if find.scored {
                relevance(out);
            }
        });
    }
    if find.skip > 0 {
        out.i64("skip", signed(find.skip));
    }
    if let Some(limit) = find.limit {
        out.i64("limit", signed(limit));
    }
    options(&find.options, &mut out);
    let batch = batch_size(find);
    if let Some(batch) = batch {
        out.i64("batchSize", i64::from(batch));
    }
    concern(read_concern, &mut out);
    Ok(Some((finish(out)?, batch)))
}

/// How many documents a batch holds that is fetched while the one before it is decoded: so many that the trips to the server do
/// not count, so few that there is something to do meanwhile.
const AHEAD: u64 = 2_000;

/// How many documents to ask for at once: what the reader expects, else all of a limited read.
fn batch_size(find: &Find) -> Option<u32> {
    let expected = find.batch.map(u64::from).filter(|batch| *batch > 0);
    let size = match (expected, find.limit) {
        (Some(expected), Some(limit)) => expected.min(limit),
        (Some(size), None) | (None, Some(size)) => size,
        (None, None) if find.whole => AHEAD,
        (None, None) => return None,
    };
    // The server closes a cursor together with its last batch, unless that batch is full: one document more keeps the
    // batches from ending where the limit does.
    let ends_full = find.limit.is_some_and(|limit| limit.is_multiple_of(size));
    Some(u32::try_from(size.saturating_add(u64::from(ends_full))).unwrap_or(i32::MAX.unsigned_abs()))
}

/// How many documents, by an aggregation, because a transaction does not admit the `count` command.
pub(super) fn count(find: &Find, read_concern: Option<&str>) -> StoreResult<Option<RawDocumentBuf>> {
    let Find { selection, limit, .. } = find;
    if *limit == Some(0) {
        return check(selection).map(|()| None);
    }
    let mut stages = vec![Stage::Match];
    stages.extend(limit.map(Stage::Limit));
    stages.push(Stage::Group);
    aggregate(find, read_concern, |out| {
        out.array("pipeline", &stages, |out, key, stage| {
            out.document(key, |out| match stage {
                Stage::Match => out.document("$match", |out| select(selection, out)),
                Stage::Limit(limit) => out.i64("$limit", signed(*limit)),
                Stage::Group => out.document("$group", |out| {
                    out.null("_id");
                    out.document(COUNT, |out| out.i64("$sum", 1));
                }),
            });
        });
    })
    .map(Some)
}

/// The values of a field, by an aggregation: the `distinct` command answers with one document of 16 MiB at most.
pub(super) fn distinct(
    find: &Find,
    field: &Unwound,
    read_concern: Option<&str>,
) -> StoreResult<RawDocumentBuf> {
    let mut stages = vec![ValueStage::Match];
    stages.extend(field.arrays.iter().map(|path| ValueStage::Unwind(path)));
    stages.push(ValueStage::Group);
    aggregate(find, read_concern, |out| {
        out.array("pipeline", &stages, |out, key, stage| {
            out.document(key, |out| match stage {
                ValueStage::Match => out.document("$match", |out| select(&find.selection, out)),
                ValueStage::Unwind(path) => out.string("$unwind", &format!("${path}")),
                ValueStage::Group => {
                    out.document("$group", |out| out.string("_id", &format!("${}", field.path)));
                }
            });
        });
    })
}

/// An aggregation over the documents of a read, with the pipeline that `pipeline` writes.
pub(super) fn aggregate(
    find: &Find,
    read_concern: Option<&str>,
    pipeline: impl FnOnce(&mut Writer<'_>),
) -> StoreResult<RawDocumentBuf> {
    check(&find.selection)?;
    let mut out = Writer::new();
    out.string("aggregate", find.collection);
    pipeline(&mut out);
    out.document("cursor", |out| {
        // What is made of documents has another number than they have.
        let batch = find.batch.filter(|batch| *batch > 0 && find.join.is_some());
        if let Some(batch) = batch {
            out.i64("batchSize", i64::from(batch));
        }
    });
    options(&find.options, &mut out);
    concern(read_concern, &mut out);
    finish(out)
}

enum ValueStage<'a> {
    Match,
    Unwind(&'a str),
    Group,
}

enum Stage {
    Match,
    Limit(u64),
    Group,
}

/// Changes of one document each. The first statement that fails ends the command.
pub(super) fn update(collection: &str, updates: &[&UpdateOne]) -> StoreResult<RawDocumentBuf> {
    for update in updates {
        check(&update.selection)?;
    }
    let mut out = Writer::new();
    out.string("update", collection);
    out.array("updates", updates, |out, key, update| {
        out.document(key, |out| {
            out.document("q", |out| select(&update.selection, out));
            out.document("u", |out| operators(update, out));
        });
    });
    finish(out)
}

/// `$set` and `$unset`, each left out where it is empty: the server refuses an empty operator before version 5.
fn operators(update: &UpdateOne, out: &mut Writer<'_>) {
    let set = update.set.as_bytes();
    if set.len() > EMPTY_DOCUMENT {
        out.raw("$set", tag::DOCUMENT, set);
    }
    if !update.unset.is_empty() {
        out.document("$unset", |out| {
            for path in &update.unset {
                out.bool(path, true);
            }
        });
    }
}

/// The length of a document without elements.
const EMPTY_DOCUMENT: usize = 5;

/// Deletes of one document each.
pub(super) fn delete(collection: &str, selections: &[&Selection]) -> StoreResult<RawDocumentBuf> {
    for selection in selections {
        check(selection)?;
    }
    let mut out = Writer::new();
    out.string("delete", collection);
    out.array("deletes", selections, |out, key, selection| {
        out.document(key, |out| {
            out.document("q", |out| select(selection, out));
            out.i32("limit", 1);
        });
    });
    finish(out)
}

/// How many documents the statements of a command selected, or the first that failed.
pub(super) fn written(reply: &Document) -> Result<u64, (usize, StoreError)> {
    let number = |value: Option<&Bson>| match value {
        Some(Bson::Int32(number)) => u64::try_from(*number).ok(),
        Some(Bson::Int64(number)) => u64::try_from(*number).ok(),
        _ => None,
    };
    if let Some(Bson::Document(failure)) = reply.get_array("writeErrors").ok().and_then(|all| all.first()) {
        let position = number(failure.get("index")).and_then(|at| usize::try_from(at).ok());
        return Err((position.unwrap_or_default(), statement_error(failure)));
    }
    if let Ok(failure) = reply.get_document("writeConcernError") {
        return Err((0, statement_error(failure)));
    }
    number(reply.get("n")).ok_or_else(|| {
        let name = "MalformedReply".to_owned();
        (0, StoreError::Refused { code: 0, name })
    })
}

/// A selection as the filter that the driver's writes take.
pub(super) fn filter(selection: &Selection) -> StoreResult<Document> {
    check(selection)?;
    let mut out = Writer::with_capacity(128);
    select(selection, &mut out);
    document(&finish(out)?)
}

/// Raw bytes as the driver's writes take them.
pub(super) fn document(raw: &RawDocument) -> StoreResult<Document> {
    let read = || {
        let mut elements = Elements::new(raw.as_bytes())?;
        let mut document = Document::new();
        while let Some((key, value)) = elements.next()? {
            document.insert(key, read_bson(value)?);
        }
        Ok(document)
    };
    read().map_err(|_: DecodeError| StoreError::Refused {
        code: 0,
        name: "MalformedBson".to_owned(),
    })
}

/// Writes the elements of a filter: the tenant's equality stands alone at the top level, and the rest is never merged
/// into the same map, so that nothing in it can take the tenant's place.
pub(super) fn select(selection: &Selection, out: &mut Writer<'_>) {
    if let Some((field, id)) = &selection.id {
        write_bson(out, field, id);
    }
    if let Some((field, tenant)) = &selection.tenant {
        out.document(field, |out| write_bson(out, "$eq", tenant));
    }
    match selection.revision {
        Guard::Is(revision) => out.i64(reserved::REVISION, revision),
        Guard::Unwritten => out.document(reserved::REVISION, |out| out.bool("$exists", false)),
        Guard::None => {}
    }
    let nodes = match &selection.rest {
        Node::Everything => return,
        Node::And(nodes) => nodes.as_slice(),
        node => std::slice::from_ref(node),
    };
    out.array("$and", nodes, |out, key, node| {
        out.document(key, |out| render(node, out));
    });
}

/// Refuses what no caller means: a null tenant selects the documents that lack the field, and an id that is a document
/// or a pattern would be read as an operator.
pub(super) fn check(selection: &Selection) -> StoreResult<()> {
    let tenant_is_scalar = selection
        .tenant
        .as_ref()
        .is_none_or(|(_, tenant)| is_scalar(tenant));
    if tenant_is_scalar && selection.id.as_ref().is_none_or(|(_, id)| is_scalar(id)) {
        return Ok(());
    }
    Err(StoreError::Refused {
        code: 0,
        name: "InvalidSelection".to_owned(),
    })
}

fn is_scalar(value: &Bson) -> bool {
    !matches!(
        value,
        Bson::Null | Bson::Undefined | Bson::Document(_) | Bson::Array(_) | Bson::RegularExpression(_)
    )
}

/// The options that stand in the command itself.
fn options(options: &ReadOptions, out: &mut Writer<'_>) {
    if let Some(keys) = &options.hint {
        out.document("hint", |out| sort(keys, out));
    }
    if let Some(collation) = &options.collation {
        out.document("collation", |out| {
            out.string("locale", &collation.locale);
            if let Some(strength) = collation.strength {
                out.i32("strength", i32::from(strength));
            }
            out.bool("numericOrdering", collation.numeric);
        });
    }
    if let Some(time) = options.max_time {
        // Zero would mean no limit.
        let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        out.i64("maxTimeMS", millis.clamp(1, i64::from(i32::MAX)));
    }
    if let Some(comment) = &options.comment {
        out.string("comment", comment);
    }
}

pub(super) fn sort(keys: &[SortKey], out: &mut Writer<'_>) {
    for key in keys {
        if key.is_relevance() {
            relevance(out);
            continue;
        }
        let direction = match key.direction {
            Direction::Ascending => 1,
            Direction::Descending => -1,
        };
        out.i32(&key.path, direction);
    }
}

/// The score, whose order is from the best down.
fn relevance(out: &mut Writer<'_>) {
    out.document(reserved::SCORE, |out| out.string("$meta", "textScore"));
}

/// The name of a read concern's level.
pub(super) fn level(concern: ReadConcern) -> &'static str {
    match concern {
        ReadConcern::Local => "local",
        ReadConcern::Available => "available",
        ReadConcern::Majority => "majority",
        ReadConcern::Linearizable => "linearizable",
        ReadConcern::Snapshot => "snapshot",
    }
}

fn concern(read_concern: Option<&str>, out: &mut Writer<'_>) {
    if let Some(level) = read_concern {
        out.document("readConcern", |out| out.string("level", level));
    }
}

pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn finish(out: Writer<'_>) -> StoreResult<RawDocumentBuf> {
    let malformed = || StoreError::Refused {
        code: 0,
        name: "InvalidCommand".to_owned(),
    };
    let bytes = out.finish().map_err(|_| malformed())?;
    RawDocumentBuf::from_bytes(bytes).map_err(|_| malformed())
}
