//! Plans and their carrying out.

use bson::{Document, doc};

use super::super::sync::sync;
use super::super::verify::missing_unique;
use super::super::{IndexStep, SyncOptions, plan};
use super::{Fake, planned, run, schema};
use crate::schema::{IndexKey, IndexSpec};
use crate::store::memory::MemoryStore;

#[test]
fn after_a_sync_the_plan_is_empty() {
    let model = model![
        index!("project", "slug"),
        IndexSpec::new(&[IndexKey::descending("slug")]),
        index!("email").unique(),
        index!("slug").unique().global(),
        index!("expires").expire_after_seconds(60),
        index!("project").exists(&["email", "slug"]),
    ];
    let fake = Fake::default();
    let first = planned(model, &fake);
    assert_eq!(first.steps.len(), 6);
    assert_eq!(run(missing_unique(&[model], &fake)).unwrap().len(), 2);
    let report = run(sync(&first, &fake, SyncOptions::new())).unwrap();
    assert_eq!((report.done.len(), report.left.len()), (6, 0));
    let second = planned(model, &fake);
    assert!(second.is_empty(), "{second}");
    assert!(run(missing_unique(&[model], &fake)).unwrap().is_empty());
    assert_eq!(second.to_string(), "the indexes are as declared");
}

#[test]
fn the_embedded_store_takes_every_form() {
    let store = MemoryStore::new();
    let model = model![
        index!("project", "slug"),
        IndexSpec::new(&[IndexKey::descending("slug")]),
        index!("email").unique(),
        index!("slug").unique().global(),
        index!("expires").expire_after_seconds(60),
        index!("project").exists(&["email", "slug"]),
    ];
    let first = run(plan(&[model], &store)).unwrap();
    assert_eq!(first.steps.len(), 6);
    run(sync(&first, &store, SyncOptions::new())).unwrap();
    let second = run(plan(&[model], &store)).unwrap();
    assert!(second.is_empty(), "{second}");
}

#[test]
fn one_changed_option_is_one_step() {
    let fake = Fake::default();
    let before = model![index!("slug"), index!("expires").expire_after_seconds(60)];
    run(sync(&planned(before, &fake), &fake, SyncOptions::new())).unwrap();

    let longer = model![index!("slug"), index!("expires").expire_after_seconds(90)];
    let step = planned(longer, &fake);
    assert_eq!(step.to_string(), "~ ttl widgets: expires_1_ttl 60 s -> 90 s");
    run(sync(&step, &fake, SyncOptions::new())).unwrap();
    assert!(planned(longer, &fake).is_empty());
    fake.log();

    let unique = model![
        index!("slug").unique(),
        index!("expires").expire_after_seconds(90)
    ];
    let step = planned(unique, &fake);
    assert_eq!(
        step.to_string(),
        "~ replace widgets: organization_1_slug_1 (differs: unique) by organization_1_slug_1_unique \
         { \"organization\": 1, \"slug\": 1 } unique: true"
    );
    let report = run(sync(&step, &fake, SyncOptions::new())).unwrap();
    assert!(
        matches!(report.left.as_slice(), [IndexStep::Extra { name, .. }] if name == "organization_1_slug_1")
    );
    assert_eq!(
        planned(unique, &fake).to_string(),
        "- extra widgets: organization_1_slug_1 { \"organization\": 1, \"slug\": 1 }"
    );
    run(sync(
        &planned(unique, &fake),
        &fake,
        SyncOptions::new().drop_extra(true),
    ))
    .unwrap();
    assert!(planned(unique, &fake).is_empty());
    assert_eq!(
        fake.log(),
        [
            "create organization_1_slug_1_unique",
            "drop organization_1_slug_1"
        ]
    );
}

#[test]
fn a_name_that_is_taken_is_not_taken_again() {
    let fake = Fake::default();
    let before = model![index!("slug").name("lookup")];
    run(sync(&planned(before, &fake), &fake, SyncOptions::new())).unwrap();
    let after = model![index!("slug").unique().name("lookup")];
    run(sync(
        &planned(after, &fake),
        &fake,
        SyncOptions::new().drop_extra(true),
    ))
    .unwrap();
    assert!(planned(after, &fake).is_empty());
    assert_eq!(fake.log(), ["create lookup", "create lookup_2", "drop lookup"]);
}

#[test]
fn an_index_that_cannot_stand_beside_the_old_one_waits_for_leave_to_drop() {
    let fake = Fake::with(vec![
        doc! { "v": 2, "key": { "_id": 1 }, "name": "_id_" },
        doc! { "v": 2, "key": { "expires": 1 }, "name": "old", "expireAfterSeconds": 5 },
    ]);
    let model = model![index!("expires").global()];
    let step = planned(model, &fake);
    let report = run(sync(&step, &fake, SyncOptions::new())).unwrap();
    assert_eq!((report.done.len(), &report.left), (0, &step.steps));
    fake.log();
    run(sync(&step, &fake, SyncOptions::new().drop_foreign(true))).unwrap();
    assert_eq!(fake.log(), ["create expires_1", "drop old", "create expires_1"]);
    assert!(planned(model, &fake).is_empty());
}

#[test]
fn a_failure_stops_one_index_and_every_drop_in_its_collection() {
    let mut fake = Fake::with(vec![doc! { "key": { "x": 1 }, "name": "x_1" }]);
    fake.duplicates = Some("slug_1_unique");
    let model = model![index!("slug").unique().global(), index!("project")];
    let error = run(sync(
        &planned(model, &fake),
        &fake,
        SyncOptions::new().drop_foreign(true),
    ))
    .unwrap_err();
    assert!(error.is_duplicate());
    assert_eq!(error.index(), Some("slug_1_unique"));
    assert!(
        error
            .to_string()
            .contains("1 of 3 index steps failed: widgets.slug_1_unique"),
        "{error}"
    );
    assert_eq!(
        fake.log(),
        ["create slug_1_unique", "create organization_1_project_1"]
    );
}

#[test]
fn a_wider_unique_index_stands_in_for_a_declared_one() {
    let model = model![index!("email").unique()];
    let key = doc! { "organization": 1, "email": 1.0 };
    let missing = |index: Document| {
        run(missing_unique(&[model], &Fake::with(vec![index])))
            .unwrap()
            .len()
    };
    assert_eq!(missing(doc! { "key": key.clone(), "name": "a" }), 1);
    assert_eq!(
        missing(doc! { "key": key.clone(), "name": "a", "unique": true }),
        0
    );
    let partial = |field: &str| doc! { field: { "$exists": true } };
    let with = |expression: Document| {
        doc! { "key": key.clone(), "name": "a", "unique": true, "partialFilterExpression": expression }
    };
    assert_eq!(missing(with(partial("email"))), 0);
    assert_eq!(missing(with(partial("slug"))), 1);
}
