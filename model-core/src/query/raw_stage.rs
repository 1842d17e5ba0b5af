//! Raw stages of an aggregation: what may stand in one.

use bson::{Bson, Document};

use crate::error::{Error, Result};

/// The stages that work on the documents that are handed to them, and on nothing else.
const STAGES: [&str; 20] = [
    "$addFields",
    "$bucket",
    "$bucketAuto",
    "$count",
    "$densify",
    "$facet",
    "$fill",
    "$group",
    "$limit",
    "$match",
    "$project",
    "$redact",
    "$replaceRoot",
    "$replaceWith",
    "$set",
    "$setWindowFields",
    "$skip",
    "$sort",
    "$unset",
    "$unwind",
];

/// What runs code on the server, or reaches another collection, at whatever depth: the list of stages keeps all others out.
const DENIED: [&str; 13] = [
    "$accumulator",
    "$changeStream",
    "$collStats",
    "$currentOp",
    "$documents",
    "$function",
    "$geoNear",
    "$graphLookup",
    "$lookup",
    "$merge",
    "$out",
    "$unionWith",
    "$where",
];

/// Refuses a stage that would leave the documents that are handed to it.
pub(crate) fn check_stage(stage: &Document) -> Result<()> {
    let refuse = |why: &'static str| Err(Error::violation("stage", "stage", why));
    let mut entries = stage.iter();
    let (Some((name, body)), None) = (entries.next(), entries.next()) else {
        return refuse("a stage is a document with one key");
    };
    if !STAGES.contains(&name.as_str()) {
        return refuse("a raw stage works on the rows alone: no other collection, no output, no code");
    }
    if name == "$facet" {
        let pipelines = body
            .as_document()
            .into_iter()
            .flatten()
            .map(|(_, pipeline)| pipeline);
        for stage in pipelines.filter_map(Bson::as_array).flatten() {
            check_stage(stage.as_document().unwrap_or(&Document::new()))?;
        }
    }
    if names_denied(body) {
        return refuse("a raw stage names an operator that reaches further than the rows, or runs code");
    }
    Ok(())
}

fn names_denied(value: &Bson) -> bool {
    match value {
        Bson::Document(document) => document
            .iter()
            .any(|(key, value)| DENIED.contains(&key.as_str()) || names_denied(value)),
        Bson::Array(items) => items.iter().any(names_denied),
        Bson::JavaScriptCode(_) | Bson::JavaScriptCodeWithScope(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::check_stage;

    #[test]
    fn a_stage_works_on_the_rows_alone() {
        for stage in [
            doc! { "$set": { "share": { "$divide": ["$n", 2] } } },
            doc! { "$match": { "$expr": { "$gt": ["$n", 1] } } },
            doc! { "$facet": { "a": [{ "$limit": 1 }], "b": [{ "$sort": { "n": 1 } }] } },
        ] {
            assert!(check_stage(&stage).is_ok(), "{stage}");
        }
        let function = doc! { "$function": { "body": "return 1", "args": [], "lang": "js" } };
        for stage in [
            doc! {},
            doc! { "$limit": 1, "$skip": 1 },
            doc! { "$out": "other" },
            doc! { "$merge": { "into": "other" } },
            doc! { "$lookup": { "from": "other", "as": "x" } },
            doc! { "$graphLookup": {} },
            doc! { "$unionWith": "other" },
            doc! { "$sample": { "size": 1 } },
            doc! { "$match": { "$where": "true" } },
            doc! { "$match": { "$or": [{ "$where": "true" }] } },
            doc! { "$set": { "x": function.clone() } },
            doc! { "$group": { "_id": 1, "x": { "$accumulator": {} } } },
            doc! { "$facet": { "a": [{ "$lookup": { "from": "other" } }] } },
            doc! { "$facet": { "a": [{ "$sample": { "size": 1 } }] } },
            doc! { "$facet": { "a": [{ "$set": { "x": [1, { "y": function }] } }] } },
        ] {
            assert!(check_stage(&stage).is_err(), "{stage}");
        }
    }
}
