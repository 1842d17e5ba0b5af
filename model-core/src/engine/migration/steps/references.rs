//! Old ids where others name them.

use std::collections::HashMap;

use bson::{Bson, Document};

use super::{Failure, by_id, difference, ids};
use crate::store::{Operations, UpdateOne};

/// Puts the new ids in the place of the old ones; in how many documents.
pub(super) async fn rewrite(
    store: &dyn Operations,
    step: &str,
    collection: &'static str,
    path: &str,
    documents: Vec<Document>,
) -> Result<u64, Failure> {
    let mut olds = Vec::new();
    for document in &documents {
        each(document, path, &mut |value| olds.push(value.clone()));
    }
    olds.sort_by_key(|old| ids::text(Some(old)));
    olds.dedup();
    let mut news: HashMap<String, Bson> = HashMap::new();
    for some in olds.chunks(1_000) {
        news.extend(ids::news(store, step, some).await?);
    }
    let mut changed = 0;
    for document in documents {
        let mut after = document.clone();
        replace(&mut after, path, &news);
        let changed_how = difference(&document, &after);
        let Some((set, unset)) =
            changed_how.map_err(|error| error.at_id(|| ids::text(document.get("_id"))))?
        else {
            continue;
        };
        let update = UpdateOne {
            selection: by_id(document.get("_id").cloned().unwrap_or(Bson::Null)),
            set,
            unset,
        };
        changed += store.update(collection, &[&update]).await?;
    }
    Ok(changed)
}

/// Every value at a path, in arrays too.
fn each(document: &Document, path: &str, tell: &mut dyn FnMut(&Bson)) {
    fn values(value: &Bson, rest: Option<&str>, tell: &mut dyn FnMut(&Bson)) {
        match (value, rest) {
            (Bson::Array(items), _) => items.iter().for_each(|item| values(item, rest, tell)),
            (Bson::Document(inner), Some(rest)) => each(inner, rest, tell),
            (_, Some(_)) => {}
            (value, None) => tell(value),
        }
    }
    let (name, rest) = split(path);
    if let Some(value) = document.get(name) {
        values(value, rest, tell);
    }
}

/// The same, to change them.
fn replace(document: &mut Document, path: &str, news: &HashMap<String, Bson>) {
    fn values(value: &mut Bson, rest: Option<&str>, news: &HashMap<String, Bson>) {
        match (value, rest) {
            (Bson::Array(items), _) => items.iter_mut().for_each(|item| values(item, rest, news)),
            (Bson::Document(inner), Some(rest)) => replace(inner, rest, news),
            (_, Some(_)) => {}
            (value, None) => {
                if let Some(new) = news.get(&ids::text(Some(value))) {
                    *value = new.clone();
                }
            }
        }
    }
    let (name, rest) = split(path);
    if let Some(value) = document.get_mut(name) {
        values(value, rest, news);
    }
}

fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('.')
        .map_or((path, None), |(name, rest)| (name, Some(rest)))
}
