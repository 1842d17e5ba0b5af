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

on_both_stores! {
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
