//! `export_tenant` and `export_subject`.

use std::io;

use model_core::ExportReport;
use model_core::crypto::NewPassword;
use model_core::prelude::*;
use serde_json::{Value, json};

use super::{Ctx, Customer, CustomerPatch, Store};
use crate::harness::on_both_stores;

fn lines(archive: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(archive).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A disk that is full at once.
struct Full;

impl io::Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn events(ctx: &Ctx, id: &Id<Customer>) -> Vec<(String, String)> {
    let history = ctx.audit_log().of::<Customer>(id).await.unwrap();
    let events = history
        .iter()
        .map(|entry| (entry.event.clone(), format!("{:?}", entry.changes)));
    events.collect()
}

on_both_stores! {
    /// Their own document, and what names it as its subject at any remove; nothing of others, and no secret.
    async fn a_person_gets_what_is_theirs(stage: Stage) {
        let store = Store::open(stage).await;
        let bob = store.customer(&store.ctx, "bob").await;
        let ada = store.ada(&bob).await;
        let order = store.order(&ada.customer, None).await;
        store.invoice(&order, "ada").await;
        let mut archive = Vec::new();
        assert!(store.ctx.export_subject(&ada.customer.id, &mut archive).await.unwrap_err().is_forbidden());
        let foreign = store.rival.dangerously_bypass_permissions("no business of theirs");
        assert!(foreign.export_subject(&ada.customer.id, &mut archive).await.unwrap().is_none());
        assert!(archive.is_empty());

        let report = store.job.export_subject(&ada.customer.id, &mut archive).await.unwrap().unwrap();
        let counts: Vec<_> = report.documents.iter().map(|(model, count)| (model.as_str(), *count)).collect();
        assert_eq!(counts, [("Comment", 1), ("Customer", 1), ("Invoice", 1), ("Order", 2), ("Post", 2)]);
        assert_eq!(ExportReport::check(&archive[..]).unwrap(), report);
        let lines = lines(&archive);
        let head = &lines[0];
        assert_eq!(head["format"], "model-core/export/1");
        assert_eq!((&head["tenant"], &head["secrets"]), (&json!("acme"), &json!("left out")));
        assert_eq!(head["subject"], json!({ "model": "Customer", "id": ada.customer.id.to_string() }));
        let models = head["models"].as_array().unwrap();
        let described = models.iter().find(|model| model["model"] == "Customer").unwrap();
        assert_eq!(described["pii"], json!(["mail", "fullName", "nicknames", "addresses.{}.street", "taxNumber"]));
        let own = lines.iter().find(|line| line["model"] == "Customer").unwrap();
        let own = own["document"].as_object().unwrap();
        assert_eq!((&own["fullName"], &own["score"]), (&json!("ada Lovelace"), &json!(0)));
        assert!(!own.contains_key("taxNumber") && !own.contains_key("_rev"), "{own:?}");
        let marked = lines.iter().filter(|line| line["document"].get("_deleted_at").is_some()).count();
        assert_eq!(marked, 1);
        let text = String::from_utf8(archive).unwrap();
        assert!(!text.contains("bob"), "{text}");
        let events = events(&store.job, &ada.customer.id).await;
        assert!(events.iter().any(|(event, changes)| event == "customer.export" && changes.contains("left out")), "{events:?}");
    }

    /// Secrets are opened when that is asked for, which manifest and audit entry say; hashes are not.
    async fn secrets_are_opened_on_request(stage: Stage) {
        let store = Store::open(stage).await;
        let ada = store.customer(&store.ctx, "ada").await;
        let password = Set(Some(NewPassword::new("correct horse battery staple".into()).unwrap()));
        let patch = CustomerPatch { password, ..Default::default() };
        Customer::update(&store.ctx, &ada.id, patch).await.unwrap();
        let mut archive = Vec::new();
        store.job.export_subject(&ada.id, &mut archive).open_secrets().await.unwrap().unwrap();
        let lines = lines(&archive);
        assert_eq!(lines[0]["secrets"], "opened");
        assert_eq!(lines[1]["document"]["taxNumber"], "tax of ada");
        assert!(lines[1]["document"].get("password").is_none());
        let events = events(&store.job, &ada.id).await;
        assert!(events.iter().any(|(event, changes)| event == "customer.export" && changes.contains("opened")), "{events:?}");
    }

    /// All documents of one tenant, of every model; the archive shows when it is not whole.
    async fn a_tenant_takes_everything_along(stage: Stage) {
        let store = Store::open(stage).await;
        let bob = store.customer(&store.ctx, "bob").await;
        store.ada(&bob).await;
        store.customer(&store.rival, "eve").await;
        let mut archive = Vec::new();
        assert!(store.ctx.export_tenant(&mut archive).await.unwrap_err().is_forbidden());
        let error = store.job.export_tenant(&mut Full).await.unwrap_err();
        assert!(error.is_unavailable(), "{error}");
        let report = store.job.export_tenant(&mut archive).await.unwrap();
        let counts: Vec<_> = report.documents.iter().map(|(model, count)| (model.as_str(), *count)).collect();
        assert_eq!(counts, [("Comment", 2), ("Customer", 2), ("Order", 1), ("Post", 3)]);
        assert_eq!((report.total(), ExportReport::check(&archive[..]).unwrap()), (8, report.clone()));
        assert!(!String::from_utf8(archive.clone()).unwrap().contains("eve"));
        let ends: Vec<_> = archive.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(end, _)| end + 1).collect();
        for end in &ends[..ends.len() - 1] {
            assert!(ExportReport::check(&archive[..*end]).unwrap_err().is_invalid());
        }
        let twice: Vec<u8> = [&archive[..ends[1]], &archive[ends[0]..]].concat();
        assert!(ExportReport::check(&twice[..]).unwrap_err().is_invalid());
        let changed = String::from_utf8(archive).unwrap().replacen("bob", "bub", 1);
        assert!(ExportReport::check(changed.as_bytes()).unwrap_err().is_invalid());
        let log = model_core::testing::stored(&store.db, "audit_log").await.unwrap();
        assert_eq!(log.iter().filter(|entry| entry.get_str("event").unwrap() == "tenant.export").count(), 2);
    }
}
