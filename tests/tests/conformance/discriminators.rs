//! Documents of Mongoose's discriminators, which stand flat beside the common fields under `__t`: read as variants, and moved
//! by a migration.

use bson::doc;
use model_core::prelude::*;
use model_core::{ModelExt, SyncOptions, testing};

use crate::harness::on_both_stores;
use crate::models::{Ctx, User};

#[derive(Clone, PartialEq, Embedded)]
#[model(tag = "__t")]
enum What {
    #[model(rename = "ClickEvent")]
    Click {
        url: String,
        #[model(default = 1)]
        count: i64,
    },
    #[model(rename = "SignupEvent")]
    Signup { email: String, referrer: Option<String> },
    /// The base itself, which has no `__t`.
    Event { note: Option<String> },
}

#[derive(Clone, Model)]
#[model(collection = "happenings", version = 2, index(what.click.url))]
struct Happening {
    #[model(id)]
    id: Id<Happening>,
    #[model(tenant, rename = "tenantId")]
    tenant: TenantId,
    time: i64,
    what: What,
}

impl BaseModel for Happening {
    type Actor = User;
    crate::models::open_policy!(Self, Ctx);

    /// What is no common field is the variant's.
    fn migrate(mut document: Document, _info: &MigrateInfo) -> Result<Document> {
        let mut what = Document::new();
        for name in ["__t", "url", "count", "email", "referrer", "note"] {
            if let Some(value) = document.remove(name) {
                what.insert(name, value);
            }
        }
        if !what.contains_key("__t") {
            what.insert("__t", "Event");
        }
        document.insert("what", what);
        Ok(document)
    }
}

on_both_stores! {
    /// Each is read as its variant, whether it was moved yet or not, and a filter by variant passes over none.
    async fn mongooses_discriminators_are_variants(stage: Stage) {
        let db = stage.builder().model::<Happening>().build_lazy().unwrap();
        db.sync_indexes(SyncOptions::default()).await.unwrap();
        let id = |n| bson::oid::ObjectId::from_bytes([n; 12]);
        let stored = [
            doc! { "_id": id(1), "tenantId": "acme", "time": 1_i64, "__t": "ClickEvent", "url": "/a", "__v": 0 },
            doc! { "_id": id(2), "tenantId": "acme", "time": 2_i64, "__t": "SignupEvent", "email": "ada@example.com", "__v": 0 },
            doc! { "_id": id(3), "tenantId": "acme", "time": 3_i64, "note": "base", "__v": 0 },
            doc! { "_id": id(4), "tenantId": "globex", "time": 4_i64, "__t": "ClickEvent", "url": "/a" },
        ];
        for mut document in stored {
            // The model needs what Mongoose would have filled in.
            if document.contains_key("url") {
                document.insert("count", 1_i64);
            }
            testing::store_raw(&db, "happenings", &document).await.unwrap();
        }
        let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
        let all = Happening::query(&ctx).sort(|h| h.time.asc()).await.unwrap();
        let click = What::Click { url: "/a".into(), count: 1 };
        let signup = What::Signup { email: "ada@example.com".into(), referrer: None };
        let event = What::Event { note: Some("base".into()) };
        assert!(all.iter().map(|one| &one.what).eq([&click, &signup, &event]));
        let new = NewHappening { time: 5, what: What::Click { url: "/b".into(), count: 2 } };
        Happening::create(&ctx, new).await.unwrap();
        let job = ctx.dangerously_bypass_permissions("the move from Mongoose");
        let report = Happening::migrate_all(&job).await.unwrap();
        assert_eq!((report.migrated, report.complete), (3, true));
        let clicks = Happening::query(&ctx).filter(|h| h.what.click.is()).sort(|h| h.time.asc()).await.unwrap();
        assert!(clicks.iter().map(|one| one.time).eq([1, 5]));
        assert_eq!(Happening::query(&ctx).filter(|h| h.what.click.url.eq("/a")).count().await.unwrap(), 1);
        Happening::update_with(&ctx, &clicks[0].id, |h| h.what.click.count.inc(1)).await.unwrap();
        let raw = testing::stored(&db, "happenings").await.unwrap();
        let first = raw.iter().find(|one| one.get_i64("time").is_ok_and(|time| time == 1)).unwrap();
        assert_eq!(first.get_document("what").unwrap(), &doc! { "__t": "ClickEvent", "url": "/a", "count": 2_i64 });
        assert!(first.contains_key("__v") && !first.contains_key("url"));
    }
}
