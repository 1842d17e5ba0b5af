//! One test, two stores: a test is written once against a [`Stage`] and runs on the embedded store and on MongoDB.

use bson::{Document, doc};
use model_core::crypto::Keyring;
use model_core::prelude::*;
use model_core::testing::{self, CollectingSink, FixedClock};
use model_core::{DbBuilder, SyncOptions};

use crate::models::{Hooks, User};

/// Runs each test on both stores.
macro_rules! on_both_stores {
    ($($(#[doc = $doc:literal])* async fn $name:ident($stage:ident: Stage) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $(#[doc = $doc])*
            async fn check($stage: $crate::harness::Stage) $body

            #[tokio::test]
            async fn on_the_embedded_store() {
                check($crate::harness::Stage::memory()).await;
            }

            #[tokio::test]
            async fn on_mongodb() {
                check($crate::harness::Stage::mongo().await).await;
            }
        }
    )*};
}

pub(crate) use on_both_stores;

/// When the clock of a stage begins.
pub(crate) const START: &str = "2026-03-01T09:00:00Z";

/// A database of one of the two kinds, empty.
pub(crate) struct Stage {
    builder: DbBuilder,
    pub(crate) clock: FixedClock,
    pub(crate) hooks: Hooks,
}

/// A handle over all models of the suite, and who may use it.
pub(crate) struct Shop {
    pub(crate) db: Db,
    pub(crate) clock: FixedClock,
    pub(crate) hooks: Hooks,
    /// May do everything in the tenant `acme`.
    pub(crate) admin: Context<User>,
    /// May do everything in the tenant `globex`.
    pub(crate) rival: Context<User>,
}

impl Stage {
    pub(crate) fn memory() -> Self {
        Self::over(Db::memory())
    }

    pub(crate) async fn mongo() -> Self {
        Self::over(Db::mongo(model_tests::server::fresh_database().await))
    }

    fn over(builder: DbBuilder) -> Self {
        Self {
            builder,
            clock: FixedClock::at(START),
            hooks: Hooks::default(),
        }
    }

    /// The bare builder, for tests of `build()` itself.
    pub(crate) fn builder(self) -> DbBuilder {
        self.builder
    }

    /// A handle over all models of the suite, with the default audit log.
    pub(crate) async fn shop(self) -> Shop {
        self.open(|builder| builder).await
    }

    /// As [`shop`](Self::shop), with a chained audit log.
    pub(crate) async fn shop_with_chain(self) -> Shop {
        self.open(DbBuilder::audit_chain).await
    }

    /// As [`shop`](Self::shop), with audit entries collected.
    pub(crate) async fn shop_with_sink(self) -> (Shop, CollectingSink) {
        let sink = CollectingSink::new();
        let shop = self.open(|builder| builder.audit_to(sink.clone())).await;
        (shop, sink)
    }

    /// As [`shop`](Self::shop), with more said to the builder.
    pub(crate) async fn open(self, more: impl FnOnce(DbBuilder) -> DbBuilder) -> Shop {
        let (policy, limits) = testing::fast_passwords();
        let builder = self
            .builder
            .keys(testing::keyring().unwrap())
            .clock(self.clock.clone())
            .passwords(policy, limits)
            .state(self.hooks.clone());
        let db = more(crate::models::register(builder)).build_lazy().unwrap();
        db.sync_indexes(SyncOptions::default()).await.unwrap();
        Shop {
            admin: db.context(TenantId::new("acme").unwrap(), User::admin("ada")),
            rival: db.context(TenantId::new("globex").unwrap(), User::admin("rita")),
            db,
            clock: self.clock,
            hooks: self.hooks,
        }
    }
}

impl Shop {
    /// Another process's handle of the same database, with a keyring of its own.
    pub(crate) async fn another_process(&self, keyring: Keyring) -> Result<Db> {
        let builder = testing::another_process(&self.db)
            .keys(keyring)
            .clock(self.clock.clone());
        crate::models::register(builder).build().await
    }

    /// A context of the tenant `acme` for another user.
    pub(crate) fn acme(&self, user: User) -> Context<User> {
        self.db.context(TenantId::new("acme").unwrap(), user)
    }

    /// The raw documents of a collection.
    pub(crate) async fn stored(&self, collection: &'static str) -> Vec<Document> {
        testing::stored(&self.db, collection).await.unwrap()
    }

    /// The one raw document of a collection.
    pub(crate) async fn stored_one(&self, collection: &'static str) -> Document {
        let mut all = self.stored(collection).await;
        assert_eq!(all.len(), 1, "expected one document in {collection}");
        all.remove(0)
    }

    /// Another client's write.
    pub(crate) async fn store_raw(&self, collection: &'static str, document: Document) {
        testing::store_raw(&self.db, collection, &document).await.unwrap();
    }

    pub(crate) async fn audit_log(&self) -> Vec<Document> {
        self.stored("audit_log").await
    }

    pub(crate) fn tick(&self) {
        self.clock.advance(chrono::TimeDelta::seconds(1));
    }
}

/// The changes of an audit entry, by path.
pub(crate) fn change<'a>(entry: &'a Document, path: &str) -> Option<&'a Document> {
    entry
        .get_array("changes")
        .unwrap()
        .iter()
        .map(|change| change.as_document().unwrap())
        .find(|change| change.get_str("path").is_ok_and(|text| text == path))
}

/// A date as storage has it.
pub(crate) fn date(text: &str) -> bson::DateTime {
    bson::DateTime::parse_rfc3339_str(text).unwrap()
}

/// A document that only the driver could have written: no revision, no version.
pub(crate) fn foreign_widget(id: &str) -> Document {
    doc! {
        "_id": id, "organization": "acme", "project": "prj_apollo", "name": "Foreign", "enabled": false,
        "internal_score": 0, "limits": { "daily": 1, "weekly": 2 },
        "created_at": date(START), "updated_at": date(START),
    }
}
