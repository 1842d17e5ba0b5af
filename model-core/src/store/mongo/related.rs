//! Aggregations for documents that belong together: the first few of each parent, and ways through a tree.

use bson::{RawDocumentBuf, doc};

use super::super::{Find, FirstOfEach, Selection, Shape, StoreResult, Walk};
use super::{command, vectors};
use crate::codec::{Writer, write_bson};
use crate::query::Node;

/// The value that a document is listed under, while it is.
const OF: &str = "__of";
/// Which one of that value's documents it is.
const NTH: &str = "__nth";
/// A document that was reached.
const REACHED: &str = "__reached";

/// The aggregation of a read that has another shape than a list; none if it has not.
pub(super) fn find(find: &Find, read_concern: Option<&str>) -> StoreResult<Option<RawDocumentBuf>> {
    match &find.shape {
        Shape::All => Ok(None),
        Shape::Each(each) => first_of_each(find, each, read_concern).map(Some),
        Shape::Walk(walk) => walked(find, walk, read_concern).map(Some),
        Shape::Vectors(search) => vectors::find(find, search, read_concern).map(Some),
    }
}

pub(super) type Stage<'a> = &'a dyn Fn(&mut Writer<'_>);

pub(super) fn pipeline(stages: &[Stage<'_>], out: &mut Writer<'_>) {
    out.array("pipeline", stages, |out, key, stage| {
        out.document(key, |out| stage(out));
    });
}

/// An array counts once for each of its different elements, and its document comes once all the same.
fn first_of_each(find: &Find, each: &FirstOfEach, read_concern: Option<&str>) -> StoreResult<RawDocumentBuf> {
    let path = format!("${}", each.path);
    let select = |out: &mut Writer<'_>| {
        out.document("$match", |out| command::select(&find.selection, out));
    };
    let list = |out: &mut Writer<'_>| {
        out.document("$set", |out| {
            if each.array {
                let elements = doc! { "$cond": [{ "$isArray": [&path] }, &path, [&path]] };
                write_bson(out, OF, &doc! { "$setUnion": [elements] }.into());
            } else {
                out.string(OF, &path);
            }
        });
    };
    let unwind = |out: &mut Writer<'_>| out.string("$unwind", &format!("${OF}"));
    let wanted = |out: &mut Writer<'_>| {
        let values = each.values.clone();
        write_bson(out, "$match", &doc! { OF: { "$in": values } }.into());
    };
    let number = |out: &mut Writer<'_>| {
        out.document("$setWindowFields", |out| {
            out.string("partitionBy", &format!("${OF}"));
            out.document("sortBy", |out| command::sort(&find.sort, out));
            out.document("output", |out| {
                // A count so far: `$documentNumber` takes one sort key only.
                let so_far = doc! { "$sum": 1, "window": { "documents": ["unbounded", "current"] } };
                write_bson(out, NTH, &so_far.into());
            });
        });
    };
    let first = |out: &mut Writer<'_>| {
        out.document("$match", |out| {
            out.document(NTH, |out| out.i64("$lte", command::signed(each.count)));
        });
    };
    let bare = |out: &mut Writer<'_>| {
        out.array("$unset", &[OF, NTH], |out, key, name| out.string(key, name));
    };
    let once = |out: &mut Writer<'_>| {
        write_bson(
            out,
            "$group",
            &doc! { "_id": "$_id", REACHED: { "$first": "$$ROOT" } }.into(),
        );
    };
    let itself = |out: &mut Writer<'_>| out.string("$replaceWith", &format!("${REACHED}"));
    let ordered = |out: &mut Writer<'_>| out.document("$sort", |out| command::sort(&find.sort, out));
    let mut stages: Vec<Stage<'_>> = vec![&select, &list];
    if each.array {
        stages.extend([&unwind as Stage<'_>, &wanted]);
    }
    stages.extend([&number as Stage<'_>, &first, &bare]);
    if each.array {
        stages.extend([&once as Stage<'_>, &itself]);
    }
    stages.push(&ordered);
    command::aggregate(find, read_concern, |out| pipeline(&stages, out))
}

/// The selection holds for each document on the way, so that no step leaves the tenant or the scope.
fn walked(find: &Find, walk: &Walk, read_concern: Option<&str>) -> StoreResult<RawDocumentBuf> {
    let begin = Selection {
        id: Some(walk.from.clone()),
        rest: Node::Everything,
        ..find.selection.clone()
    };
    command::check(&begin)?;
    let begin = |out: &mut Writer<'_>| out.document("$match", |out| command::select(&begin, out));
    let from = walk.from.0;
    let bare = |out: &mut Writer<'_>| out.document("$project", |out| out.i32(from, 1));
    let reach = |out: &mut Writer<'_>| {
        out.document("$graphLookup", |out| {
            out.string("from", find.collection);
            out.string("startWith", &format!("${from}"));
            out.string("connectFromField", &walk.next);
            out.string("connectToField", &walk.matching);
            out.string("as", REACHED);
            if let Some(depth) = walk.depth {
                // The server counts the steps after the first one.
                out.i64("maxDepth", i64::from(depth.saturating_sub(1)));
            }
            out.document("restrictSearchWithMatch", |out| {
                command::select(&find.selection, out);
            });
        });
    };
    // Together with the stage before, no single document holds all that is reached.
    let unwind = |out: &mut Writer<'_>| out.string("$unwind", &format!("${REACHED}"));
    let itself = |out: &mut Writer<'_>| out.string("$replaceWith", &format!("${REACHED}"));
    let stages: [Stage<'_>; 5] = [&begin, &bare, &reach, &unwind, &itself];
    command::aggregate(find, read_concern, |out| pipeline(&stages, out))
}
