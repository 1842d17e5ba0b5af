//! Collections of other kinds than the ordinary one: a write or an index would make an ordinary one where there is none.

use bson::{Bson, Document, doc};

use super::collections::CollectionStep;
use super::compare;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{CappedSpec, CollectionForm, Granularity, ModelSchema, TimeSeriesSpec};
use crate::store::{Store, into_error};

const SERIES: &str = "timeseries";
const EXPIRES: &str = "expireAfterSeconds";
/// How the server tells that any number of documents may be there.
const NO_MAX: i64 = i32::MAX as i64;

/// What separates the server from the declared kind of collection.
///
/// # Errors
/// `Unavailable` and `Store`.
pub(super) async fn plan(schema: &'static ModelSchema, store: &dyn Store) -> Result<Option<CollectionStep>> {
    let Some(form) = schema.form else { return Ok(None) };
    let found = store
        .collection_options(schema.collection)
        .await
        .map_err(into_error)?;
    Ok(step(schema.collection, form, found))
}

/// Makes the collections that are not there.
///
/// # Errors
/// `Unavailable` and `Store`.
pub(super) async fn make_absent(schemas: &[&'static ModelSchema], store: &dyn Store) -> Result<()> {
    for schema in schemas {
        if let Some(CollectionStep::Create { collection, options }) = plan(schema, store).await? {
            store
                .create_collection(collection, &options)
                .await
                .map_err(into_error)?;
        }
    }
    Ok(())
}

/// Refuses to begin where the documents would lie in a collection of another kind.
///
/// # Errors
/// `Configuration` with what to do; `Unavailable` and `Store`.
pub(super) async fn check(schemas: &[&'static ModelSchema], store: &dyn Store) -> Result<()> {
    for schema in schemas {
        let refuse =
            |why: String| Err(Error::new(ErrorKind::Configuration, why).at_model(schema.name, "build"));
        let noun = schema.form.map_or("", CollectionForm::noun);
        match plan(schema, store).await? {
            Some(CollectionStep::Create { .. }) => {
                return refuse(format!(
                    "its documents lie in {noun}, and there is none: make the collection with `sync_collections` on a handle made \
                     by `build_lazy()`"
                ));
            }
            Some(step @ CollectionStep::OtherForm { .. }) => {
                return refuse(format!(
                    "its documents would not lie in {noun} as declared: {step}"
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether the server has made this index of a time series by itself, as it does from version 6.3 on.
pub(super) fn is_servers_own(schema: &ModelSchema, index: &Document) -> bool {
    let Some(series) = schema.time_series() else {
        return false;
    };
    let Some(meta) = series.meta_field() else {
        return false;
    };
    compare::same_key(index, &doc! { "key": { meta: 1, series.time: 1 } })
}

/// The options that the collection is made with.
pub(super) fn options(form: CollectionForm) -> Document {
    match form {
        CollectionForm::TimeSeries(series) => {
            let mut options = doc! { "timeField": series.time };
            if let Some(meta) = series.meta_field() {
                options.insert("metaField", meta);
            }
            options.insert("granularity", series.granularity.as_str());
            let mut options = doc! { SERIES: options };
            if let Some(seconds) = expires(&series) {
                options.insert(EXPIRES, seconds);
            }
            options
        }
        CollectionForm::Capped(capped) => {
            let mut options = doc! { "capped": true, "size": whole(capped.size) };
            if let Some(max) = capped.max {
                options.insert("max", whole(max));
            }
            options
        }
    }
}

fn expires(series: &TimeSeriesSpec) -> Option<i64> {
    series.expire_after_seconds.map(whole)
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn step(collection: &'static str, form: CollectionForm, found: Option<Document>) -> Option<CollectionStep> {
    let Some(found) = found else {
        let options = options(form);
        return Some(CollectionStep::Create { collection, options });
    };
    let changes = match form {
        CollectionForm::TimeSeries(series) => series_changes(&series, &found),
        CollectionForm::Capped(capped) => capped_changes(capped, &found),
    };
    match changes {
        Some(changes) if changes.is_empty() => None,
        Some(changes) => Some(CollectionStep::Change { collection, changes }),
        None => Some(CollectionStep::OtherForm {
            collection,
            options: options(form),
            found,
        }),
    }
}

/// What `collMod` has to be told; none if that is not enough.
fn series_changes(declared: &TimeSeriesSpec, found: &Document) -> Option<Document> {
    let series = found.get_document(SERIES).ok()?;
    let text = |name: &str| series.get_str(name).ok();
    if text("timeField") != Some(declared.time) || text("metaField") != declared.meta_field() {
        return None;
    }
    let mut changes = Document::new();
    let granularity = Granularity::parse(text("granularity")?)?;
    // The server packs more together, never less.
    match granularity.cmp(&declared.granularity) {
        std::cmp::Ordering::Equal => {}
        std::cmp::Ordering::Less => {
            changes.insert(SERIES, doc! { "granularity": declared.granularity.as_str() });
        }
        std::cmp::Ordering::Greater => return None,
    }
    let expires = expires(declared);
    if compare::whole(found.get(EXPIRES)) != expires {
        changes.insert(EXPIRES, expires.map_or_else(|| Bson::from("off"), Bson::from));
    }
    Some(changes)
}

fn capped_changes(declared: CappedSpec, found: &Document) -> Option<Document> {
    if !found.get_bool("capped").unwrap_or_default() {
        return None;
    }
    let mut changes = Document::new();
    let size = whole(declared.size);
    if compare::whole(found.get("size")) != Some(size) {
        changes.insert("cappedSize", size);
    }
    let max = declared.max.map(whole);
    let there = compare::whole(found.get("max")).filter(|max| (1..NO_MAX).contains(max));
    if there != max {
        changes.insert("cappedMax", max.unwrap_or_default());
    }
    Some(changes)
}

#[cfg(test)]
mod tests {
    use bson::{Document, doc};

    use super::{CollectionStep, is_servers_own, options, step};
    use crate::schema::{
        CappedSpec, CollectionForm, Granularity, IdKind, ModelSchema, Tenancy, TimeSeriesSpec,
    };

    fn series() -> CollectionForm {
        let spec = TimeSeriesSpec::new("at", &["org", "campaign"]);
        CollectionForm::TimeSeries(spec.granularity(Granularity::Minutes).expire_after_seconds(60))
    }

    fn told(form: CollectionForm, found: Document) -> Option<Document> {
        match step("points", form, Some(found)) {
            None => Some(Document::new()),
            Some(CollectionStep::Change { changes, .. }) => Some(changes),
            _ => None,
        }
    }

    /// As MongoDB 6.0.5 lists them.
    #[test]
    fn what_can_be_changed_in_place_is_and_the_rest_is_told() {
        let listed = |time: &str, granularity: &str| {
            doc! {
                "expireAfterSeconds": 60_i64,
                "timeseries": { "timeField": time, "metaField": "_meta", "granularity": granularity, "bucketMaxSpanSeconds": 86400 },
            }
        };
        assert_eq!(told(series(), listed("at", "minutes")), Some(doc! {}));
        let coarser = doc! { "timeseries": { "granularity": "minutes" } };
        assert_eq!(told(series(), listed("at", "seconds")), Some(coarser));
        assert_eq!(told(series(), listed("at", "hours")), None);
        assert_eq!(told(series(), listed("time", "minutes")), None);
        assert_eq!(told(series(), doc! {}), None);
        let mut forever = listed("at", "minutes");
        forever.remove("expireAfterSeconds");
        assert_eq!(
            told(series(), forever),
            Some(doc! { "expireAfterSeconds": 60_i64 })
        );
        let kept = CollectionForm::TimeSeries(
            TimeSeriesSpec::new("at", &["org", "campaign"]).granularity(Granularity::Minutes),
        );
        assert_eq!(
            told(kept, listed("at", "minutes")),
            Some(doc! { "expireAfterSeconds": "off" })
        );
    }

    /// From version 6.3 on.
    #[test]
    fn an_index_that_the_server_makes_by_itself_is_no_drift() {
        let schema =
            ModelSchema::new("Point", "points", Tenancy::Global, IdKind::ObjectId, &[]).form(series());
        let own = doc! { "v": 2, "key": { "_meta": 1, "at": 1 }, "name": "_meta_1_at_1" };
        assert!(is_servers_own(&schema, &own));
        assert!(!is_servers_own(
            &schema,
            &doc! { "v": 2, "key": { "at": 1 }, "name": "at_1" }
        ));
    }

    #[test]
    fn the_size_of_a_capped_collection_is_a_multiple_of_256() {
        let capped = CollectionForm::Capped(CappedSpec::new(1_000).max(3));
        assert_eq!(
            options(capped),
            doc! { "capped": true, "size": 1024_i64, "max": 3_i64 }
        );
        assert_eq!(
            told(capped, doc! { "capped": true, "size": 1024, "max": 3 }),
            Some(doc! {})
        );
        let other = doc! { "capped": true, "size": 512, "max": i32::MAX };
        assert_eq!(
            told(capped, other),
            Some(doc! { "cappedSize": 1024_i64, "cappedMax": 3_i64 })
        );
        let endless = CollectionForm::Capped(CappedSpec::new(1_024));
        assert_eq!(
            told(endless, doc! { "capped": true, "size": 1024, "max": i32::MAX }),
            Some(doc! {})
        );
        assert_eq!(told(capped, doc! {}), None);
    }
}
