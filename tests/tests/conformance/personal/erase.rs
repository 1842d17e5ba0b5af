//! `erase_subject`.

use std::sync::atomic::Ordering;

use model_core::prelude::*;

use super::{Comment, Customer, CustomerPatch, Invoice, Order, Store};
use crate::harness::on_both_stores;

on_both_stores! {
    /// What nothing keeps is deleted, marked or not; what stays no longer names the person. Nobody else loses anything.
    async fn a_person_is_forgotten(stage: Stage) {
        let store = Store::open(stage).await;
        let bob = store.customer(&store.ctx, "bob").await;
        let ada = store.ada(&bob).await;
        let theirs = store.customer(&store.rival, "eve").await;
        assert!(store.ctx.erase_subject(&ada.customer.id).await.unwrap_err().is_forbidden());
        let foreign = store.rival.dangerously_bypass_permissions("no business of theirs");
        assert!(foreign.erase_subject(&ada.customer.id).await.unwrap().is_none());

        let plan = store.job.erase_subject(&ada.customer.id).dry_run().await.unwrap().unwrap();
        let counts = |model: &str| plan.of(model).map(|step| (step.deleted, step.loosened, step.erased, step.in_the_way));
        assert_eq!(counts("Customer"), Some((1, 0, 0, 0)));
        assert_eq!(counts("Post"), Some((2, 0, 0, 0)));
        assert_eq!(counts("Comment"), Some((1, 0, 1, 0)));
        assert_eq!(counts("Order"), Some((1, 0, 0, 0)));
        assert_eq!(counts("Invoice"), None);
        assert_eq!(store.count("posts").await, 3, "nothing is written");

        let done = store.job.erase_subject(&ada.customer.id).batch(1).await.unwrap().unwrap();
        assert_eq!((done.deleted(), done.erased()), (plan.deleted(), plan.erased()));
        assert_eq!((store.count("customers").await, store.count("posts").await, store.count("orders").await), (2, 1, 0));
        let comment = Comment::fetch(&store.ctx, &ada.own_comment.id).await.unwrap();
        assert_eq!((comment.by, comment.signature.as_deref(), &*comment.text), (None, None, "well said"));
        let all = store.everything().await;
        for personal in ["ada@", "ada Lovelace", "adanick", "ada street"] {
            assert!(!all.contains(personal), "{personal}: {all}");
        }
        assert!(all.contains("bob street") && all.contains("bob Lovelace"));
        assert!(Customer::get(&store.rival, &theirs.id).await.unwrap().is_some());
        assert!(store.job.erase_subject(&ada.customer.id).await.unwrap().is_none());
    }

    /// An invoice keeps its order, and the order its customer: all three stay, without what is personal, whatever is
    /// read-only or append-only. The rest goes all the same.
    async fn what_has_to_stay_is_rid_of_what_is_personal(stage: Stage) {
        let store = Store::open(stage).await;
        let bob = store.customer(&store.ctx, "bob").await;
        let ada = store.ada(&bob).await;
        let kept = store.order(&ada.customer, Some(&ada.posts[0])).await;
        let invoice = store.invoice(&kept, "ada").await;
        let patch = CustomerPatch { favourite: Set(Some(Ref::to(&ada.posts[0].id))), ..Default::default() };
        Customer::update(&store.ctx, &ada.customer.id, patch).await.unwrap();

        let plan = store.job.erase_subject(&ada.customer.id).dry_run().await.unwrap().unwrap();
        let counts = |model: &str| plan.of(model).map(|step| (step.deleted, step.erased));
        assert_eq!(counts("Customer"), Some((0, 1)));
        assert_eq!(counts("Order"), Some((1, 1)));
        assert_eq!(counts("Invoice"), Some((0, 1)));
        assert_eq!((counts("Post"), counts("Comment")), (Some((2, 0)), Some((1, 1))));
        let done = store.job.erase_subject(&ada.customer.id).await.unwrap().unwrap();
        assert_eq!((done.deleted(), done.erased()), (plan.deleted(), plan.erased()));

        let customer = Customer::fetch(&store.ctx, &ada.customer.id).await.unwrap();
        assert_eq!(customer.mail, "erased@example.com");
        assert!(customer.full_name.is_none() && customer.nicknames.is_empty() && customer.tax_number.is_none());
        assert_eq!((&*customer.addresses["home"].street, &*customer.addresses["home"].country), ("?", "UK"));
        assert!(customer.favourite.is_none(), "the post is gone");
        let order = Order::fetch(&store.ctx, &kept.id).await.unwrap();
        assert_eq!((&*order.remark, order.price, order.seen_in, order.customer), ("", 42, None, Ref::to(&customer.id)));
        assert!(Order::get(&store.ctx, &ada.free_order.id).await.unwrap().is_none());
        let invoice = Invoice::fetch(&store.ctx, &invoice.id).await.unwrap();
        assert_eq!((&*invoice.address.street, invoice.price), ("?", 42));
        let all = store.everything().await;
        for personal in ["ada@", "ada Lovelace", "adanick", "ada street"] {
            assert!(!all.contains(personal), "{personal}: {all}");
        }
        let again = store.job.erase_subject(&ada.customer.id).await.unwrap().unwrap();
        assert_eq!((again.deleted(), again.erased()), (0, 0), "there is nothing left to erase");
        for report in [Order::check_stored(&store.job).await, Customer::check_stored(&store.job).await] {
            assert_eq!(report.unwrap().dangling, 0);
        }
    }

    /// Broken off by a hook, it leaves nothing that dangles, and goes on with what is left.
    async fn it_goes_on_where_it_was_broken_off(stage: Stage) {
        let store = Store::open(stage).await;
        let bob = store.customer(&store.ctx, "bob").await;
        let ada = store.ada(&bob).await;
        let mut broken = 0;
        for burns in 0.. {
            store.fuse.0.store(burns, Ordering::SeqCst);
            let result = store.job.erase_subject(&ada.customer.id).batch(1).await;
            store.fuse.0.store(i64::MAX, Ordering::SeqCst);
            let dangling = [Comment::check_stored(&store.job).await, Order::check_stored(&store.job).await];
            assert!(dangling.into_iter().all(|report| report.unwrap().dangling == 0));
            match result {
                Ok(done) => {
                    assert!(done.is_some());
                    break;
                }
                Err(error) => assert!(error.is_refused(), "{error}"),
            }
            broken += 1;
        }
        assert!(broken >= 2);
        assert!(Customer::get(&store.ctx, &ada.customer.id).await.unwrap().is_none());
        assert_eq!((store.count("posts").await, store.count("comments").await), (1, 1));
    }

    /// The audit log tells that personal data changed, and never what it was.
    async fn the_audit_log_shows_no_personal_data(stage: Stage) {
        let store = Store::open(stage).await;
        let ada = store.customer(&store.ctx, "ada").await;
        let patch = CustomerPatch { full_name: Set(Some("Countess".into())), ..Default::default() };
        Customer::update(&store.ctx, &ada.id, patch).await.unwrap();
        let history = store.job.audit_log().of::<Customer>(&ada.id).await.unwrap();
        assert_eq!(history.len(), 2);
        let text = format!("{history:?}");
        assert!(text.contains("fullName"), "{text}");
        for personal in ["Countess", "ada Lovelace", "ada@", "adanick", "ada street"] {
            assert!(!text.contains(personal), "{personal}: {text}");
        }
    }
}
