//! What stands in the way of a unique index.

use bson::{Bson, Document, doc};
use mongodb::Database;

use super::super::StoreResult;
use super::read;

/// Two ids of each group of documents with one key, of `limit` groups.
///
/// It errs on the side of the index: what it does not find, the build does.
pub(super) async fn find(
    db: &Database,
    collection: &str,
    index: &Document,
    limit: u32,
) -> StoreResult<Vec<[Bson; 2]>> {
    let mut command = doc! {
        "aggregate": collection,
        "pipeline": pipeline(index, limit),
        "cursor": {},
        "allowDiskUse": true,
    };
    if let Ok(collation) = index.get_document("collation") {
        command.insert("collation", collation.clone());
    }
    let groups = read::all(db, &command).await?;
    let pair = |mut group: Document| Some([group.remove("one")?, group.remove("other")?]);
    Ok(groups.into_iter().filter_map(pair).collect())
}

fn pipeline(index: &Document, limit: u32) -> Vec<Document> {
    let mut stages = Vec::new();
    if let Ok(partial) = index.get_document("partialFilterExpression") {
        stages.push(doc! { "$match": partial.clone() });
    }
    let key = index.get_document("key").cloned().unwrap_or_default();
    if index.get_bool("sparse").unwrap_or_default() {
        let any: Vec<Bson> = key
            .keys()
            .map(|path| doc! { path: { "$exists": true } }.into())
            .collect();
        stages.push(doc! { "$match": { "$or": any } });
    }
    let (mut values, mut unwound, mut group) = (Document::new(), Vec::new(), Document::new());
    for (number, path) in key.keys().enumerate() {
        let (name, value) = (format!("k{number}"), format!("${path}"));
        // A document without the field has the key null; one with an empty array has a key of its own.
        let some = doc! { "$ifNull": [&value, null] };
        let empty = doc! { "$eq": [&value, []] };
        values.insert(&name, doc! { "$cond": [empty, [Bson::MinKey], some] });
        unwound.push(doc! { "$unwind": { "path": format!("${name}"), "preserveNullAndEmptyArrays": true } });
        group.insert(&name, format!("${name}"));
    }
    stages.push(doc! { "$project": values });
    stages.extend(unwound);
    stages.push(doc! { "$group": { "_id": group, "one": { "$min": "$_id" }, "other": { "$max": "$_id" } } });
    // One document may have one key several times over.
    stages.push(doc! { "$match": { "$expr": { "$ne": ["$one", "$other"] } } });
    stages.push(doc! { "$limit": limit });
    stages.push(doc! { "$project": { "_id": 0, "one": 1, "other": 1 } });
    stages
}
