//! Queries that no index serves are found, by what the server has done.

use model_core::prelude::*;
use model_core::testing::IndexCoverage;

use crate::harness::Stage;
use crate::models::{Ctx, User, open_policy};

/// Found by the label, and not by the note.
#[derive(Clone, Model)]
#[model(collection = "coverage_boxes", id_prefix = "box_", index(label))]
struct Crated {
    #[model(id)]
    id: Id<Crated>,
    #[model(tenant)]
    organization: TenantId,
    label: String,
    note: Option<String>,
}

impl BaseModel for Crated {
    type Actor = User;
    open_policy!(Crated, Ctx);
}

/// No index begins with the tenant.
#[derive(Clone, Model)]
#[model(collection = "coverage_bags", id_prefix = "bag_")]
struct Bagged {
    #[model(id)]
    id: Id<Bagged>,
    #[model(tenant)]
    organization: TenantId,
    note: String,
}

impl BaseModel for Bagged {
    type Actor = User;
    open_policy!(Bagged, Ctx);
}

#[tokio::test]
async fn what_no_index_serves_is_told() {
    let db = Stage::mongo()
        .await
        .builder()
        .model::<Crated>()
        .model::<Bagged>()
        .build_lazy()
        .unwrap();
    db.sync_indexes(Default::default()).await.unwrap();
    let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
    let made = Crated::create(
        &ctx,
        NewCrated {
            label: "a".into(),
            optional: Default::default(),
        },
    )
    .await
    .unwrap();
    Bagged::create(&ctx, NewBagged { note: "a".into() })
        .await
        .unwrap();
    let covered = async || {
        Crated::get(&ctx, &made.id).await.unwrap();
        Crated::query(&ctx).filter(|c| c.label.eq("a")).await.unwrap();
        Crated::query(&ctx).filter(|c| c.note.eq("a")).await.unwrap();
        Crated::update(
            &ctx,
            &made.id,
            CratedPatch {
                note: Set(None),
                ..Default::default()
            },
        )
        .await
        .unwrap();
    };
    let coverage = IndexCoverage::begin(&db).await.unwrap();
    covered().await;
    coverage.end().await.unwrap();
    let coverage = IndexCoverage::begin(&db).await.unwrap();
    covered().await;
    Bagged::query(&ctx).filter(|b| b.note.eq("canary")).await.unwrap();
    let bypassing = ctx.dangerously_bypass_permissions("the server counts");
    Bagged::query(&bypassing)
        .filter(|b| b.note.ne("canary"))
        .count()
        .await
        .unwrap();
    let error = coverage.end().await.unwrap_err();
    assert!(error.is_configuration());
    let text = error.to_string();
    assert!(text.contains("Bagged: find by organization, note"), "{text}");
    assert!(text.contains("Bagged: aggregate by organization, note"), "{text}");
    assert!(!text.contains("Crated") && !text.contains("canary"), "{text}");
    // It forgets what it has told, and what comes after it is not noted.
    Bagged::query(&ctx).filter(|b| b.note.eq("canary")).await.unwrap();
    IndexCoverage::begin(&db).await.unwrap().end().await.unwrap();
    let memory = Db::memory().build().await.unwrap();
    assert!(IndexCoverage::begin(&memory).await.unwrap_err().is_unsupported());
}
