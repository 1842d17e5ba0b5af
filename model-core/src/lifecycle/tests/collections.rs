//! What collections need.

use bson::doc;

use super::super::{CollectionPlan, CollectionStep, plan_collections, sync_collections};
use super::{FIELDS, Fake, run};
use crate::schema::{IdKind, IndexKey, KeyForm, ModelSchema, Tenancy};
use crate::store::Sharding;

fn sharded() -> &'static ModelSchema {
    static KEY: &[IndexKey] = &[
        IndexKey::ascending("organization"),
        IndexKey::new("id", KeyForm::Hashed),
    ];
    let tenancy = Tenancy::Tenant {
        field: "organization",
    };
    Box::leak(Box::new(
        ModelSchema::new("Widget", "widgets", tenancy, IdKind::ObjectId, &FIELDS).shard_key(KEY),
    ))
}

fn planned(fake: &Fake) -> CollectionPlan {
    run(plan_collections(&[sharded()], fake)).unwrap()
}

/// By stored names, in the order of the declaration; a replica set has nothing to spread over.
#[test]
fn a_collection_is_spread_over_the_shards() {
    let fake = Fake::default();
    assert!(planned(&fake).is_empty());
    *fake.sharding.lock().unwrap() = Some(Sharding::Whole);
    let plan = planned(&fake);
    let key = doc! { "organization": 1, "_id": "hashed" };
    let collection = "widgets";
    assert_eq!(plan.steps, [CollectionStep::Shard { collection, key }]);
    let told = r#"+ shards widgets { "organization": 1, "_id": "hashed" }"#;
    assert_eq!(plan.to_string(), told);
    run(sync_collections(&plan, &fake)).unwrap();
    assert_eq!(
        fake.log(),
        [r#"shard widgets { "organization": 1, "_id": "hashed" }"#]
    );
    assert!(planned(&fake).is_empty());
}

/// Shells write doubles; another key, or another order, is told and left.
#[test]
fn another_key_is_told_and_left() {
    let fake = Fake::default();
    *fake.sharding.lock().unwrap() = Some(Sharding::By(doc! { "organization": 1.0, "_id": "hashed" }));
    assert!(planned(&fake).is_empty());
    for found in [
        doc! { "_id": "hashed", "organization": 1 },
        doc! { "organization": "hashed" },
    ] {
        *fake.sharding.lock().unwrap() = Some(Sharding::By(found.clone()));
        let plan = planned(&fake);
        assert!(
            matches!(&plan.steps[..], [CollectionStep::OtherShardKey { found: there, .. }] if *there == found)
        );
        assert!(plan.to_string().ends_with("(`reshardCollection`)"), "{plan}");
        run(sync_collections(&plan, &fake)).unwrap();
        assert!(fake.log().is_empty());
    }
}
