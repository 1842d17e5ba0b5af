//! Contract K 39-42, form by form and option by option: what is declared is built, a plan is empty after that; one
//! changed option is exactly one step of a plan, and a plan is empty after that, too.

use model_core::prelude::*;
use model_core::{Model, SyncOptions};

use crate::harness::Stage;
use crate::models::{Ctx, User, open_policy};

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase")]
struct Place {
    #[model(rename = "type")]
    kind: String,
    coordinates: Vec<f64>,
    local_name: Option<String>,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "snake_case")]
enum Status {
    Open,
    Done,
}

/// What the embedded store says to a form.
enum Embedded {
    Holds,
    Refuses,
}

/// Every form changes one option of an index and goes back again.
async fn changes<A: BaseModel, B: BaseModel>(expected: &[&str], embedded: Embedded) {
    let database = model_tests::server::fresh_database().await;
    let before = Db::mongo(database.clone()).model::<A>().build_lazy().unwrap();
    let after = Db::mongo(database.clone()).model::<B>().build_lazy().unwrap();
    settle(&before).await;
    let plan = after.plan_indexes().await.unwrap();
    let lines: Vec<_> = plan.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines, expected);
    settle(&after).await;
    settle(&before).await;

    // The embedded store belongs to one handle, so there is no other declaration to change to.
    let db = Stage::memory().builder().model::<A>().build_lazy().unwrap();
    match embedded {
        Embedded::Holds => settle(&db).await,
        Embedded::Refuses => {
            let error = db.sync_indexes(SyncOptions::new()).await.unwrap_err();
            assert!(error.is_unsupported(), "{error}");
            // It is no reason not to begin: results do not depend on it.
            let built = Stage::memory().builder().model::<A>().build().await;
            assert!(built.is_ok() || error.to_string().contains("unique"), "{built:?}");
        }
    }
}

/// A sync, after which nothing is left to do.
async fn settle(db: &Db) {
    db.sync_indexes(SyncOptions::new().drop_extra(true))
        .await
        .unwrap();
    db.check_indexes().await.unwrap();
    let again = db
        .sync_indexes(SyncOptions::new().drop_extra(true))
        .await
        .unwrap();
    assert!(again.done.is_empty() && again.left.is_empty(), "{again:?}");
}

macro_rules! forms {
    ($($(#[doc = $doc:literal])* $name:ident: [$($before:tt)*] => [$($after:tt)*], [$($line:literal),*], $embedded:ident;)*) => {$(
        mod $name {
            use super::*;

            forms!(@model Before [$($before)*]);
            forms!(@model After [$($after)*]);

            $(#[doc = $doc])*
            #[tokio::test]
            async fn one_changed_option_is_one_step() {
                changes::<Before, After>(&[$($line),*], Embedded::$embedded).await;
            }
        }
    )*};
    (@model $model:ident [$($index:tt)*]) => {
        #[derive(Clone, Model)]
        #[model(collection = "forms", rename_all = "camelCase", $($index)*)]
        struct $model {
            #[model(id)]
            id: Id<$model>,
            #[model(tenant)]
            org: TenantId,
            title: String,
            body_text: Option<String>,
            tags: Vec<String>,
            rank: i64,
            done: bool,
            status: Status,
            place: Place,
            labels: std::collections::BTreeMap<String, String>,
            due: Option<DateTime<Utc>>,
        }

        impl BaseModel for $model {
            type Actor = User;

            open_policy!(Self, Ctx);
        }
    };
}

forms! {
    direction: [index(rank)] => [index(rank = desc)], [
        r#"+ create forms: org_1_rank_-1 { "org": 1, "rank": -1 }"#,
        r#"- extra forms: org_1_rank_1 { "org": 1, "rank": 1 }"#
    ], Holds;
    order_of_keys: [index(rank, title)] => [index(title, rank)], [
        r#"+ create forms: org_1_title_1_rank_1 { "org": 1, "title": 1, "rank": 1 }"#,
        r#"- extra forms: org_1_rank_1_title_1 { "org": 1, "rank": 1, "title": 1 }"#
    ], Holds;
    order_of_keys_under_a_name: [index(rank, title, name = "mine")] => [index(title, rank, name = "mine")], [
        r#"+ create forms: mine_2 { "org": 1, "title": 1, "rank": 1 }"#,
        r#"- extra forms: mine { "org": 1, "rank": 1, "title": 1 }"#
    ], Holds;
    unique: [index(title)] => [index(title, unique)], [
        r#"~ replace forms: org_1_title_1 (differs: unique) by org_1_title_1_unique { "org": 1, "title": 1 } unique: true"#
    ], Holds;
    tenant: [index(title)] => [index(title, global)], [
        r#"+ create forms: title_1 { "title": 1 }"#,
        r#"- extra forms: org_1_title_1 { "org": 1, "title": 1 }"#
    ], Holds;
    time_to_live: [index(due, ttl = "1d")] => [index(due, ttl = "2d")], [
        "~ ttl forms: due_1_ttl 86400 s -> 172800 s"
    ], Holds;
    no_time_to_live: [index(due, ttl = "1d")] => [index(due, global)], [
        r#"~ replace forms: due_1_ttl (differs: expireAfterSeconds) by due_1 { "due": 1 }"#
    ], Holds;
    hidden: [index(title)] => [index(title, hidden)], [
        "~ hide forms: org_1_title_1"
    ], Holds;
    shown_with_another_time_to_live: [index(due, ttl = "1d", hidden)] => [index(due, ttl = "2d")], [
        "~ ttl forms: due_1_ttl 86400 s -> 172800 s", "~ show forms: due_1_ttl"
    ], Holds;
    sparse: [index(body_text, global)] => [index(body_text, global, sparse)], [
        r#"~ replace forms: bodyText_1 (differs: sparse) by bodyText_1_sparse { "bodyText": 1 } sparse: true"#
    ], Holds;
    sparse_and_unique: [index(body_text, global, sparse)] => [index(body_text, global, sparse, unique)], [
        r#"~ replace forms: bodyText_1_sparse (differs: unique) by bodyText_1_unique_sparse { "bodyText": 1 } unique: true sparse: true"#
    ], Holds;
    partial: [index(title, partial(rank >= 5, done == true))] => [index(title, partial(rank >= 6, done == true))], [
        r#"~ replace forms: org_1_title_1_partial (differs: partialFilterExpression) by org_1_title_1_partial_2 { "org": 1, "title": 1 } partialFilterExpression: { "done": { "$eq": true }, "rank": { "$gte": 6 } }"#
    ], Holds;
    partial_in_other_words: [index(title, partial(rank < 9, rank > -1, status == "open", exists(body_text)))] => [index(title, partial(exists(body_text), status == "open", rank > -1, rank < 9))], [
        "the indexes are as declared"
    ], Holds;
    text: [index(title = text)] => [index(title = text, body_text = text)], [
        r#"~ replace forms: org_1_title_text (differs: weights) by org_1_title_text_bodyText_text { "org": 1, "title": "text", "bodyText": "text" } weights: { "title": 1, "bodyText": 1 }"#
    ], Holds;
    text_weight: [index(title = text(5), tags = text)] => [index(title = text(6), tags = text)], [
        r#"~ replace forms: org_1_title_text_tags_text (differs: weights) by org_1_title_text_tags_text_2 { "org": 1, "title": "text", "tags": "text" } weights: { "title": 6, "tags": 1 }"#
    ], Holds;
    text_language: [index(title = text)] => [index(title = text, language = "german")], [
        r#"~ replace forms: org_1_title_text (differs: default_language) by org_1_title_text_2 { "org": 1, "title": "text" } weights: { "title": 1 } default_language: "german""#
    ], Holds;
    text_language_override: [index(title = text)] => [index(title = text, language_override = "idiom")], [
        r#"~ replace forms: org_1_title_text (differs: language_override) by org_1_title_text_2 { "org": 1, "title": "text" } weights: { "title": 1 } language_override: "idiom""#
    ], Holds;
    text_of_all_tenants: [index(title = text)] => [index(title = text, global)], [
        r#"~ replace forms: org_1_title_text (differs: key) by title_text { "title": "text" } weights: { "title": 1 }"#
    ], Holds;
    wildcard: [index(labels.*)] => [index(*)], [
        r#"+ create forms: $**_1 { "$**": 1 }"#,
        r#"- extra forms: labels.$**_1 { "labels.$**": 1 }"#
    ], Refuses;
    wildcard_projection: [index(*, only(labels, body_text))] => [index(*, except(title))], [
        r#"~ replace forms: $**_1 (differs: wildcardProjection) by $**_1_2 { "$**": 1 } wildcardProjection: { "title": 0 }"#
    ], Refuses;
    wildcard_hidden: [index(*)] => [index(*, hidden)], [
        "~ hide forms: $**_1"
    ], Refuses;
    hashed: [index(title)] => [index(title = hashed)], [
        r#"+ create forms: org_1_title_hashed { "org": 1, "title": "hashed" }"#,
        r#"- extra forms: org_1_title_1 { "org": 1, "title": 1 }"#
    ], Holds;
    hashed_partial: [index(title = hashed)] => [index(title = hashed, exists(body_text))], [
        r#"~ replace forms: org_1_title_hashed (differs: partialFilterExpression) by org_1_title_hashed_exists_bodyText { "org": 1, "title": "hashed" } partialFilterExpression: { "bodyText": { "$exists": true } }"#
    ], Refuses;
    sphere: [index(place = sphere)] => [index(place = sphere, rank)], [
        r#"+ create forms: org_1_place_2dsphere_rank_1 { "org": 1, "place": "2dsphere", "rank": 1 }"#,
        r#"- extra forms: org_1_place_2dsphere { "org": 1, "place": "2dsphere" }"#
    ], Refuses;
    collation: [index(title, collation("en", strength = 2))] => [index(title, collation("en", strength = 1))], [
        r#"~ replace forms: org_1_title_1_en (differs: collation) by org_1_title_1_en_2 { "org": 1, "title": 1 } collation: { "locale": "en", "strength": 1 }"#
    ], Refuses;
    collation_locale: [index(place.local_name, collation("de"))] => [index(place.local_name, collation("fr_CA"))], [
        r#"~ replace forms: org_1_place.localName_1_de (differs: collation) by org_1_place.localName_1_fr_CA { "org": 1, "place.localName": 1 } collation: { "locale": "fr_CA" }"#
    ], Refuses;
    collation_with_defaults_of_its_own: [index(title, collation("th", numeric_ordering)), index(rank, title, collation("da"))] => [index(title, collation("th", numeric_ordering)), index(rank, title, collation("da", case_first = "off"))], [
        r#"~ replace forms: org_1_rank_1_title_1_da (differs: collation) by org_1_rank_1_title_1_da_2 { "org": 1, "rank": 1, "title": 1 } collation: { "locale": "da", "caseFirst": "off" }"#
    ], Refuses;
    collation_case_level: [index(title, collation("en", strength = 1))] => [index(title, collation("en", strength = 1, case_level))], [
        r#"~ replace forms: org_1_title_1_en (differs: collation) by org_1_title_1_en_2 { "org": 1, "title": 1 } collation: { "locale": "en", "strength": 1, "caseLevel": true }"#
    ], Refuses;
    collation_alternate: [index(title, collation("en"))] => [index(title, collation("en", alternate = "shifted", max_variable = "space"))], [
        r#"~ replace forms: org_1_title_1_en (differs: collation) by org_1_title_1_en_2 { "org": 1, "title": 1 } collation: { "locale": "en", "alternate": "shifted", "maxVariable": "space" }"#
    ], Refuses;
    collation_numbers: [index(title, collation("en"))] => [index(title, collation("en", numeric_ordering))], [
        r#"~ replace forms: org_1_title_1_en (differs: collation) by org_1_title_1_en_2 { "org": 1, "title": 1 } collation: { "locale": "en", "numericOrdering": true }"#
    ], Refuses;
    collation_normalization: [index(title, collation("en"))] => [index(title, collation("en", normalization))], [
        r#"~ replace forms: org_1_title_1_en (differs: collation) by org_1_title_1_en_2 { "org": 1, "title": 1 } collation: { "locale": "en", "normalization": true }"#
    ], Refuses;
    collation_backwards: [index(title, collation("fr"))] => [index(title, collation("fr", backwards))], [
        r#"~ replace forms: org_1_title_1_fr (differs: collation) by org_1_title_1_fr_2 { "org": 1, "title": 1 } collation: { "locale": "fr", "backwards": true }"#
    ], Refuses;
    exists: [index(title, exists(body_text))] => [index(title, exists(body_text), exists(due))], [
        r#"~ replace forms: org_1_title_1_exists_bodyText (differs: partialFilterExpression) by org_1_title_1_exists_bodyText_due { "org": 1, "title": 1 } partialFilterExpression: { "bodyText": { "$exists": true }, "due": { "$exists": true } }"#
    ], Holds;
    text_partial: [index(title = text)] => [index(title = text, partial(done == true))], [
        r#"~ replace forms: org_1_title_text (differs: partialFilterExpression) by org_1_title_text_partial { "org": 1, "title": "text" } partialFilterExpression: { "done": { "$eq": true } } weights: { "title": 1 }"#
    ], Holds;
    text_hidden: [index(title = text)] => [index(title = text, hidden)], [
        "~ hide forms: org_1_title_text"
    ], Holds;
    wildcard_partial: [index(*)] => [index(*, partial(rank > 5))], [
        r#"~ replace forms: $**_1 (differs: partialFilterExpression) by $**_1_partial { "$**": 1 } partialFilterExpression: { "rank": { "$gt": 5 } }"#
    ], Refuses;
    sphere_partial: [index(place = sphere)] => [index(place = sphere, exists(due))], [
        r#"~ replace forms: org_1_place_2dsphere (differs: partialFilterExpression) by org_1_place_2dsphere_exists_due { "org": 1, "place": "2dsphere" } partialFilterExpression: { "due": { "$exists": true } }"#
    ], Refuses;
    nested: [index(place.local_name)] => [index(place.local_name = desc)], [
        r#"+ create forms: org_1_place.localName_-1 { "org": 1, "place.localName": -1 }"#,
        r#"- extra forms: org_1_place.localName_1 { "org": 1, "place.localName": 1 }"#
    ], Holds;
    array: [index(tags)] => [index(tags, rank)], [
        r#"+ create forms: org_1_tags_1_rank_1 { "org": 1, "tags": 1, "rank": 1 }"#,
        r#"- extra forms: org_1_tags_1 { "org": 1, "tags": 1 }"#
    ], Holds;
    time_to_live_partial: [index(due, ttl = "1d")] => [index(due, ttl = "1d", partial(done == true))], [
        r#"~ replace forms: due_1_ttl (differs: partialFilterExpression) by due_1_ttl_partial { "due": 1 } expireAfterSeconds: 86400 partialFilterExpression: { "done": { "$eq": true } }"#
    ], Holds;
    unique_by_collation: [index(title, unique, collation("en", strength = 2))] => [index(title, unique)], [
        r#"~ replace forms: org_1_title_1_unique_en (differs: collation) by org_1_title_1_unique { "org": 1, "title": 1 } unique: true"#
    ], Refuses;
}
