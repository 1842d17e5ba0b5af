//! The aggregations of groupings and of facets.

use bson::{Document, RawDocumentBuf};

use super::super::{Find, StoreResult};
use super::command;
use crate::codec::{Writer, write_bson};
use crate::query::{Branch, Fold, Grouping, Node, RowField, SortKey, Window, render};

/// A stage of a pipeline.
pub(super) enum Stage<'a> {
    Select(&'a Find),
    Match(&'a Node),
    Sort(&'a [SortKey]),
    Number(&'static str, u64),
    Unwind(&'a str),
    Group(&'a Grouping),
    /// The keys, out of the group's `_id`.
    Row(&'a Grouping),
    /// Looked through by the engine.
    Raw(&'a Document),
    Fields(&'a [&'static str]),
    /// Branches over the same documents.
    Facet(Vec<Vec<Stage<'a>>>),
}

/// The documents of a read put together. The tenant's equality stands in the first stage.
pub(super) fn group(
    find: &Find,
    grouping: &Grouping,
    read_concern: Option<&str>,
) -> StoreResult<Option<RawDocumentBuf>> {
    // The server takes no limit of zero.
    if find.limit == Some(0) || grouping.limit == Some(0) {
        return Ok(None);
    }
    let mut stages = chosen(find);
    stages.extend(rows(grouping));
    command::aggregate(find, read_concern, |out| pipeline("pipeline", &stages, out)).map(Some)
}

/// Several branches over the documents of a read, whose limit is not zero.
pub(super) fn facet(
    find: &Find,
    branches: &[Branch],
    read_concern: Option<&str>,
) -> StoreResult<RawDocumentBuf> {
    let mut stages = chosen(find);
    let branches = branches.iter().map(|branch| match branch {
        Branch::Rows(grouping) => rows(grouping),
        Branch::Picked(picked) => {
            let mut stages = vec![Stage::Match(&picked.filter)];
            ordered(&picked.sort, picked.skip, picked.limit, &mut stages);
            stages.push(Stage::Fields(&picked.fields));
            stages
        }
    });
    stages.push(Stage::Facet(branches.collect()));
    command::aggregate(find, read_concern, |out| pipeline("pipeline", &stages, out))
}

/// The stages that choose documents.
fn chosen(find: &Find) -> Vec<Stage<'_>> {
    let mut stages = vec![Stage::Select(find)];
    ordered(&find.sort, find.skip, find.limit, &mut stages);
    stages
}

/// The stages that make rows of documents, and choose among them.
fn rows(grouping: &Grouping) -> Vec<Stage<'_>> {
    let mut stages: Vec<_> = grouping.unwind.iter().map(|path| Stage::Unwind(path)).collect();
    stages.extend([Stage::Group(grouping), Stage::Row(grouping)]);
    stages.extend(grouping.raw.iter().map(Stage::Raw));
    if grouping.rows != Node::Everything {
        stages.push(Stage::Match(&grouping.rows));
    }
    ordered(&grouping.sort, grouping.skip, grouping.limit, &mut stages);
    stages
}

fn pipeline(name: &str, stages: &[Stage<'_>], out: &mut Writer<'_>) {
    out.array(name, stages, |out, key, stage| {
        out.document(key, |out| match stage {
            Stage::Select(find) => out.document("$match", |out| command::select(&find.selection, out)),
            Stage::Match(node) => out.document("$match", |out| render(node, out)),
            Stage::Sort(keys) => out.document("$sort", |out| command::sort(keys, out)),
            Stage::Number(name, number) => out.i64(name, command::signed(*number)),
            Stage::Unwind(path) => out.string("$unwind", &format!("${path}")),
            Stage::Group(grouping) => out.document("$group", |out| group_stage(grouping, out)),
            Stage::Raw(stage) => stage.iter().for_each(|(name, body)| write_bson(out, name, body)),
            Stage::Row(grouping) => out.document("$project", |out| row(grouping, out)),
            Stage::Fields(fields) => out.document("$project", |out| {
                fields.iter().for_each(|field| out.i32(field, 1));
            }),
            Stage::Facet(branches) => out.document("$facet", |out| {
                for (place, stages) in branches.iter().enumerate() {
                    pipeline(&place.to_string(), stages, out);
                }
            }),
        });
    });
}

fn ordered<'a>(sort: &'a [SortKey], skip: u64, limit: Option<u64>, stages: &mut Vec<Stage<'a>>) {
    if !sort.is_empty() {
        stages.push(Stage::Sort(sort));
    }
    if skip > 0 {
        stages.push(Stage::Number("$skip", skip));
    }
    match limit {
        // The server takes no limit of zero.
        Some(0) => stages.push(Stage::Match(&Node::Nothing)),
        Some(limit) => stages.push(Stage::Number("$limit", limit)),
        None => {}
    }
}

/// Missing counts as null, in the keys and where one value is asked for.
fn or_null(name: &str, field: &RowField, out: &mut Writer<'_>) {
    out.document(name, |out| {
        out.array("$ifNull", &[true, false], |out, key, value| {
            if *value {
                out.string(key, &format!("${}", field.path));
            } else {
                out.null(key);
            }
        });
    });
}

/// The beginning of the window that a date lies in; of a missing one, null.
fn truncated(key: &RowField, window: Window, out: &mut Writer<'_>) {
    out.document(&key.name, |out| {
        out.document("$dateTrunc", |out| {
            out.string("date", &format!("${}", key.path));
            out.string("unit", window.unit());
            out.i64("binSize", i64::from(window.size()));
            out.string("timezone", &window.offset());
            out.string("startOfWeek", "monday");
        });
    });
}

fn group_stage(grouping: &Grouping, out: &mut Writer<'_>) {
    out.document("_id", |out| {
        for key in &grouping.keys {
            match key.window {
                Some(window) => truncated(key, window, out),
                None => or_null(&key.name, key, out),
            }
        }
    });
    for (fold, field) in &grouping.folds {
        out.document(&field.name, |out| {
            let path = || format!("${}", field.path);
            match fold {
                Fold::Count => out.i64("$sum", 1),
                Fold::Sum => out.string("$sum", &path()),
                Fold::Avg => out.string("$avg", &path()),
                Fold::Min => out.string("$min", &path()),
                Fold::Max => out.string("$max", &path()),
                Fold::First => or_null("$first", field, out),
                Fold::Last => or_null("$last", field, out),
                Fold::Push => out.string("$push", &path()),
                Fold::AddToSet => out.string("$addToSet", &path()),
            }
        });
    }
}

/// The row: keys from the group's id; lists without null.
fn row(grouping: &Grouping, out: &mut Writer<'_>) {
    out.i32("_id", 0);
    for key in &grouping.keys {
        out.string(&key.name, &format!("$_id.{}", key.name));
    }
    for (fold, field) in &grouping.folds {
        if matches!(fold, Fold::Push | Fold::AddToSet) {
            out.document(&field.name, |out| {
                out.document("$filter", |out| {
                    out.string("input", &format!("${}", field.name));
                    out.document("cond", |out| {
                        out.array("$gt", &[true, false], |out, key, value| {
                            if *value {
                                out.string(key, "$$this");
                            } else {
                                out.null(key);
                            }
                        });
                    });
                });
            });
        } else {
            out.i32(&field.name, 1);
        }
    }
}
