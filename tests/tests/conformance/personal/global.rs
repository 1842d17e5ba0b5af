//! A person whose documents belong to no tenant.

use model_core::prelude::*;
use model_core::{ModelExt, SyncOptions, testing};
use serde_json::Value;

use super::Clerk;
use crate::harness::on_both_stores;

#[derive(Clone, Model)]
#[model(collection = "accounts", global)]
struct Account {
    #[model(id)]
    id: Id<Account>,
    #[model(pii(erased = "erased@example.com"))]
    mail: String,
}

#[derive(Clone, Model)]
#[model(collection = "devices", global)]
struct Device {
    #[model(id)]
    id: Id<Device>,
    #[model(subject, on_delete = cascade)]
    owner: Ref<Account>,
    name: String,
}

macro_rules! open {
    ($($model:ident)*) => {$(
        impl BaseModel for $model {
            type Actor = Clerk;

            fn can_read(&self, _ctx: &GlobalContext<Clerk>) -> bool {
                true
            }

            fn can_create(&self, _ctx: &GlobalContext<Clerk>) -> bool {
                true
            }

            fn can_update(&self, _ctx: &GlobalContext<Clerk>, _after: &Self) -> bool {
                true
            }

            fn can_delete(&self, _ctx: &GlobalContext<Clerk>) -> bool {
                true
            }
        }
    )*};
}

open!(Account Device);

on_both_stores! {
    /// The archive holds what is theirs and nothing else; then nothing of it is left.
    async fn a_global_person_is_exported_and_erased(stage: Stage) {
        let db = stage.builder().model::<Account>().model::<Device>().build_lazy().unwrap();
        db.sync_indexes(SyncOptions::default()).await.unwrap();
        let ctx = db.global_context(Clerk);
        let mut accounts = Vec::new();
        for mail in ["ada@example.com", "eve@example.com"] {
            let account = Account::create(&ctx, NewAccount { mail: mail.into() }).await.unwrap();
            let device = NewDevice { owner: Ref::to(&account.id), name: format!("{mail}'s") };
            Device::create(&ctx, device).await.unwrap();
            accounts.push(account);
        }
        let mut archive = Vec::new();
        let error = ctx.export_subject(&accounts[0].id, &mut archive).await.unwrap_err();
        assert!(error.is_forbidden() && archive.is_empty(), "{error}");
        let job = ctx.dangerously_bypass_permissions("request 17");
        let report = job.export_subject(&accounts[0].id, &mut archive).await.unwrap().unwrap();
        assert_eq!((report.documents["Account"], report.documents["Device"]), (1, 1));
        let archive = String::from_utf8(archive).unwrap();
        assert!(archive.contains("ada@example.com's") && !archive.contains("eve@example.com"), "{archive}");
        let head: Value = serde_json::from_str(archive.lines().next().unwrap()).unwrap();
        assert!(head["tenant"].is_null(), "{head}");
        let done = job.erase_subject(&accounts[0].id).await.unwrap().unwrap();
        assert_eq!(done.deleted(), 2);
        for collection in ["accounts", "devices"] {
            let left = testing::stored(&db, collection).await.unwrap();
            assert_eq!(left.len(), 1);
            assert!(!left[0].to_string().contains("ada@example.com"));
        }
        let nobody = Id::generate();
        assert!(job.erase_subject::<Account>(&nobody).await.unwrap().is_none());
    }
}
