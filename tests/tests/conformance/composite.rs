//! Contract B 5: composite keys.

use model_core::ModelExt;
use model_core::prelude::*;

use crate::harness::on_both_stores;
use crate::models::{Ctx, User, open_policy};

/// One for each feature and day.
#[derive(Clone, Model)]
#[model(collection = "metrics", key(feature, day))]
pub(crate) struct Metric {
    #[model(id)]
    id: Id<Metric>,
    #[model(tenant)]
    organization: TenantId,
    #[model(trim, lowercase)]
    feature: String,
    day: i32,
    #[model(default = 0)]
    hits: i64,
}

impl BaseModel for Metric {
    type Actor = User;

    open_policy!(Self, Ctx);
}

fn metric(feature: &str, day: i32) -> NewMetric {
    NewMetric {
        feature: feature.into(),
        day,
        optional: Default::default(),
    }
}

fn hits(hits: i64) -> MetricPatch {
    MetricPatch {
        hits: Set(hits),
        ..Default::default()
    }
}

/// Known by its key alone.
#[derive(Clone, Model)]
#[model(collection = "shares", key(feature, day), audit(name = feature))]
pub(crate) struct Share {
    #[model(tenant)]
    organization: TenantId,
    #[model(trim, lowercase)]
    feature: String,
    day: i32,
    #[model(default = 0)]
    hits: i64,
}

impl BaseModel for Share {
    type Actor = User;

    open_policy!(Self, Ctx);
}

on_both_stores! {
    /// A model that is known by its key needs no other id: nothing shows one, and every verb goes by the key.
    async fn the_key_is_all_that_is_known(stage: Stage) {
        let shop = stage.open(|builder| builder.model::<Share>()).await;
        let new = || NewShare { feature: "search".into(), day: 1, optional: Default::default() };
        for ctx in [&shop.admin, &shop.rival] {
            let view = serde_json::to_value(Share::create(ctx, new()).await.unwrap().into_view(ctx)).unwrap();
            assert_eq!(view, serde_json::json!({ "organization": ctx.tenant().to_string(), "feature": "search", "day": 1, "hits": 0 }));
        }
        assert!(NewShare::from_json(r#"{"id": "x", "feature": "a", "day": 1}"#).is_err());
        let key = |s: &'static ShareFields| s.feature.eq(" SEARCH") & s.day.eq(1);
        let patch = |hits| SharePatch { hits: Set(hits), ..Default::default() };
        let updated = Share::update_by(&shop.admin, key, patch(5)).await.unwrap();
        assert_eq!((updated.feature.as_str(), updated.hits), ("search", 5));
        let few = Share::update_by(&shop.admin, |s| s.day.eq(1), patch(6)).await.unwrap_err();
        assert!(few.is_configuration(), "{few}");
        let none = Share::update_by(&shop.admin, |s| s.feature.eq("search") & s.day.eq(2), patch(6)).await.unwrap_err();
        assert!(none.is_not_found(), "{none}");
        let viewer = shop.acme(User::viewer("vic", &[]));
        assert!(Share::update_by(&viewer, key, patch(6)).await.unwrap_err().is_forbidden());
        assert!(Share::delete_by(&viewer, key).await.unwrap_err().is_forbidden());
        assert!(Share::delete_by(&shop.admin, |s| s.day.eq(1)).await.unwrap_err().is_configuration());
        assert!(Share::delete_by(&shop.admin, key).await.unwrap());
        assert!(!Share::delete_by(&shop.admin, key).await.unwrap());
        assert_eq!(Share::get_by(&shop.rival, key).await.unwrap().unwrap().hits, 0);
        let told = shop.audit_log().await;
        assert!(told.iter().all(|entry| entry.get_document("entity").unwrap().get_str("name").unwrap() == "search"), "{told:?}");
        assert_eq!(told.len(), 4);
    }

    /// Unique within the tenant, found by all its parts and by no fewer.
    async fn the_parts_name_the_document(stage: Stage) {
        let shop = stage.shop().await;
        let first = Metric::create(&shop.admin, metric(" Search ", 1)).await.unwrap();
        Metric::create(&shop.admin, metric("search", 2)).await.unwrap();
        Metric::create(&shop.rival, metric("search", 1)).await.unwrap();
        let again = Metric::create(&shop.admin, metric("search", 1)).await.unwrap_err();
        assert!(again.is_duplicate(), "{again}");
        let found = Metric::get_by(&shop.admin, |m| m.feature.eq("SEARCH") & m.day.eq(1)).await.unwrap().unwrap();
        assert_eq!(found.id, first.id);
        assert!(Metric::get_by(&shop.admin, |m| m.feature.eq("search") & m.day.eq(3)).await.unwrap().is_none());
        let few = Metric::get_by(&shop.admin, |m| m.day.eq(1)).await.unwrap_err();
        assert!(few.is_configuration(), "{few}");
        let loose = Metric::get_by(&shop.admin, |m| m.feature.eq("search") & m.day.gte(1)).await.unwrap_err();
        assert!(loose.is_configuration(), "{loose}");
        let upserted = Metric::upsert(&shop.admin, |m| m.feature.eq("search") & m.day.eq(1), metric("search", 1), hits(5)).await.unwrap();
        assert!(!upserted.is_created());
        assert_eq!(upserted.into_document().hits, 5);
        assert_eq!(shop.stored("metrics").await.len(), 3);
    }

    /// A missing part is an error before anything is sent; a patch has no part, and from JSON no more than its echo.
    async fn the_parts_are_given_once(stage: Stage) {
        let shop = stage.shop().await;
        let missing = NewMetric::from_json(r#"{"feature": "search"}"#).unwrap_err();
        assert_eq!((missing.violations()[0].path.as_str(), &*missing.violations()[0].rule), ("day", "required"));
        let created = Metric::create(&shop.admin, metric("search", 1)).await.unwrap();
        let echo = MetricPatch::from_json(r#"{"feature": "search", "day": 1, "hits": 2}"#).unwrap();
        assert_eq!(Metric::update(&shop.admin, &created.id, echo).await.unwrap().hits, 2);
        let moved = MetricPatch::from_json(r#"{"day": 2}"#).unwrap();
        assert!(Metric::update(&shop.admin, &created.id, moved).await.unwrap_err().is_invalid());
        let replaced = Metric::replace(&shop.admin, &created.id, metric("search", 2)).await.unwrap_err();
        assert!(replaced.is_invalid(), "{replaced}");
    }
}
