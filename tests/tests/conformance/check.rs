//! What is stored is read only to see whether it can be; tenants are found; passes stop between two batches.

use bson::doc;
use model_core::prelude::*;

use crate::harness::{foreign_widget, on_both_stores};
use crate::models::{User, Widget};

on_both_stores! {
    /// Each document that cannot be read is told with its id and never with a value; another tenant's are not looked at.
    async fn unreadable_documents_are_found(stage: Stage) {
        let shop = stage.shop().await;
        for number in 0..7 {
            shop.store_raw("widgets", foreign_widget(&format!("wgt_{number}"))).await;
        }
        let mut broken = foreign_widget("wgt_broken");
        broken.insert("name", 7);
        broken.insert("note", "canary");
        let mut newer = foreign_widget("wgt_newer");
        newer.insert("_sv", 99);
        let mut foreign = foreign_widget("wgt_foreign");
        foreign.extend(doc! { "organization": "globex", "name": 7 });
        for document in [broken, newer, foreign] {
            shop.store_raw("widgets", document).await;
        }
        assert!(Widget::check_stored(&shop.admin).await.unwrap_err().is_forbidden());
        let job = shop.admin.dangerously_bypass_permissions("check");
        let mut told = Vec::new();
        let report = Widget::check_stored(&job).batch(4).on_progress(|so_far| told.push(so_far.scanned)).await.unwrap();
        assert_eq!((report.scanned, report.unreadable, report.errors.len()), (9, 2, 2), "{report:?}");
        assert_eq!(told, [4, 8, 9]);
        assert_eq!(report.errors.iter().filter_map(model_core::Error::id).collect::<Vec<_>>(), ["wgt_broken", "wgt_newer"]);
        assert!(!format!("{report:?}").contains("canary"));
    }

    /// Stopped, it says where to go on.
    async fn a_check_stops_and_goes_on(stage: Stage) {
        let shop = stage.shop().await;
        for number in 0..7 {
            shop.store_raw("widgets", foreign_widget(&format!("wgt_{number}"))).await;
        }
        let job = shop.admin.dangerously_bypass_permissions("check");
        let report = Widget::check_stored(&job).batch(3).stop_when(|| true).await.unwrap();
        assert_eq!(report.scanned, 3);
        let rest = Widget::check_stored(&job).resume(report.resume.unwrap()).await.unwrap();
        assert_eq!((rest.scanned, rest.resume), (4, None));
        let stopped = Widget::reencrypt(&job).batch(2).stop_when(|| true).await.unwrap();
        assert_eq!((stopped.scanned, stopped.resume.map(|token| token.to_string()).as_deref()), (2, Some("s:wgt_1")));
    }

    /// Each once, and no others.
    async fn tenants_are_found(stage: Stage) {
        let shop = stage.shop().await;
        for (number, tenant) in ["globex", "acme", "globex"].into_iter().enumerate() {
            let mut document = foreign_widget(&format!("wgt_{number}"));
            document.insert("organization", tenant);
            shop.store_raw("widgets", document).await;
        }
        let global = shop.db.global_context(User::admin("ada"));
        assert!(Widget::tenants(&global).await.unwrap_err().is_forbidden());
        let tenants = Widget::tenants(&global.dangerously_bypass_permissions("list")).await.unwrap();
        assert_eq!(tenants, ["acme", "globex"].map(|name| TenantId::new(name).unwrap()));
    }
}
