//! Each rule, over several models, in one transaction.

use bson::doc;
use model_core::prelude::*;
use model_core::{ModelExt, testing};

use super::{Badge, Boss, Invoice, Member, NewNode, NewNodeOptional, Node, NodePatch, Office, Plan, Team};
use crate::harness::on_both_stores;

async fn events(office: &Office) -> Vec<String> {
    let log = testing::stored(&office.db, "audit_log").await.unwrap();
    let mut events: Vec<_> = log
        .iter()
        .map(|entry| entry.get_str("event").unwrap().to_owned())
        .collect();
    events.sort_unstable();
    events
}

on_both_stores! {
    /// Cascade over two levels, nullify and pull: what a dry run counts, and nothing of another tenant or team.
    async fn a_deletion_takes_along_what_refers_to_it(stage: Stage) {
        let office = Office::open(stage).await;
        let (red, blue) = (office.team("red").await, office.team("blue").await);
        let (ada, bob, eve) =
            (office.member("ada", &red).await, office.member("secret", &red).await, office.member("eve", &blue).await);
        office.badge("ada's", Some(&ada), Some(&blue)).await;
        let kept = office.badge("eve's", Some(&eve), Some(&red)).await;
        office.badge("nobody's", None, None).await;
        let plan = office.plan("plan", &ada, &[&bob, &eve, &ada, &bob]).await;
        // Another tenant's document may name what it likes.
        let mut theirs = testing::stored(&office.db, "members").await.unwrap().remove(0);
        theirs.insert("_id", "mem_theirs");
        theirs.insert("organization", "globex");
        testing::store_raw(&office.db, "members", &theirs).await.unwrap();
        testing::store_raw(&office.db, "badges", &doc! {
            "_id": Id::<Badge>::generate().to_bson(), "organization": "globex", "name": "x", "backup": red.id.to_bson(),
        }).await.unwrap();
        let before = events(&office).await.len();

        let dry = Team::delete_in_batches(&office.ctx, &red.id).dry_run().await.unwrap().unwrap();
        let counts = |model: &str| dry.of(model).map(|step| (step.deleted, step.loosened));
        assert_eq!(counts("Team"), Some((1, 0)));
        assert_eq!(counts("Member"), Some((2, 0)), "whoever may read them");
        assert_eq!(counts("Badge"), Some((1, 1)));
        assert_eq!(counts("Plan"), Some((0, 1)));
        assert!(dry.is_free() && counts("Invoice").is_none());
        assert_eq!((dry.deleted(), dry.loosened()), (4, 2));
        assert_eq!(office.count("members").await, 4, "nothing is written");

        assert!(Team::delete(&office.ctx, &red.id).await.unwrap());
        assert_eq!((office.count("teams").await, office.count("members").await), (1, 2));
        assert_eq!(office.count("badges").await, 3);
        let kept = Badge::fetch(&office.ctx, &kept.id).await.unwrap();
        assert!(kept.backup.is_none() && kept.member.is_some());
        let after = Plan::fetch(&office.ctx, &plan.id).await.unwrap();
        assert!(after.lead.is_none());
        assert_eq!(after.members, [Ref::to(&eve.id)]);
        assert!(Member::get(&office.rival, &Id::parse("mem_theirs").unwrap()).await.unwrap().is_some());
        let theirs = Badge::query(&office.rival).first().await.unwrap().unwrap();
        assert_eq!(theirs.backup, Some(Ref::to(&red.id)));
        let events = events(&office).await;
        assert_eq!(events.len() - before, 4, "{events:?}");
        assert_eq!(events.iter().filter(|event| *event == "member.delete").count(), 2);
        assert!(events.iter().any(|event| event == "plan.update"), "{events:?}");
    }

    /// What stands in the way is named by model and field, and nothing is written; what goes along does not stand in it.
    async fn a_restriction_refuses(stage: Stage) {
        let office = Office::open(stage).await;
        let red = office.team("red").await;
        let ada = office.member("ada", &red).await;
        let invoice = office.invoice(&red, None).await;
        let error = Team::delete(&office.ctx, &red.id).await.unwrap_err();
        assert!(error.is_refused(), "{error}");
        assert!(error.to_string().contains("Invoice") && error.to_string().contains("team"), "{error}");
        assert!(!error.to_string().contains(&invoice.id.to_string()), "{error}");
        assert_eq!((office.count("teams").await, office.count("members").await), (1, 1));
        let dry = Team::delete_in_batches(&office.ctx, &red.id).dry_run().await.unwrap().unwrap();
        assert_eq!(dry.of("Invoice").unwrap().in_the_way, 1);
        assert!(!dry.is_free());
        assert!(Team::delete_in_batches(&office.ctx, &red.id).await.unwrap_err().is_refused());
        assert_eq!(office.count("members").await, 1);

        assert!(Invoice::delete(&office.ctx, &invoice.id).await.unwrap());
        office.invoice(&red, Some(&ada)).await;
        assert!(Team::delete(&office.ctx, &red.id).await.unwrap(), "the invoice goes with ada");
        assert_eq!(office.count("invoices").await, 0);
    }

    /// Each document is judged: one that may not be deleted, or changed, refuses the whole; a hook too.
    async fn each_document_is_judged(stage: Stage) {
        let office = Office::open(stage).await;
        let red = office.team("red").await;
        let ada = office.member("ada", &red).await;
        let locked = office.badge("locked", Some(&ada), None).await;
        let error = Team::delete(&office.ctx, &red.id).await.unwrap_err();
        assert!(error.is_forbidden() && error.to_string().contains("Badge"), "{error}");
        assert_eq!((office.count("teams").await, office.count("members").await), (1, 1));
        let job = office.ctx.dangerously_bypass_permissions("clean up");
        assert!(Badge::delete(&job, &locked.id).await.unwrap());
        let plan = office.plan("locked", &ada, &[]).await;
        let error = Team::delete(&office.ctx, &red.id).await.unwrap_err();
        assert!(error.is_forbidden() && error.to_string().contains("Plan"), "{error}");
        Plan::delete(&job, &plan.id).await.unwrap();
        office.fuse.burn_after(1);
        let error = Team::delete(&office.ctx, &red.id).await.unwrap_err();
        assert!(error.is_refused(), "{error}");
        assert_eq!((office.count("teams").await, office.count("members").await), (1, 1));
        office.fuse.burn_after(100);
        assert!(Team::delete(&office.ctx, &red.id).await.unwrap());
        assert_eq!((office.count("teams").await, office.count("members").await), (0, 0));
    }

    /// Every verb that deletes keeps the rules, inside of a transaction too.
    async fn every_deletion_keeps_the_rules(stage: Stage) {
        let office = Office::open(stage).await;
        let mut teams = Vec::new();
        for name in ["many", "bulk", "transaction", "undone", "batches"] {
            let team = office.team(name).await;
            let member = office.member("m", &team).await;
            office.badge(name, Some(&member), None).await;
            teams.push(team);
        }
        let report = Team::delete_many(&office.ctx, |t| t.name.eq("many")).await.unwrap();
        assert_eq!((report.matched, report.written), (1, 1));
        assert_eq!((office.count("members").await, office.count("badges").await), (4, 4));
        Team::bulk(&office.ctx).delete(teams[1].id.clone()).await.unwrap();
        assert_eq!((office.count("members").await, office.count("badges").await), (3, 3));
        let id = teams[2].id.clone();
        office.ctx.transaction(|tx| async move { Team::delete(&tx, &id).await }).await.unwrap();
        assert_eq!((office.count("members").await, office.count("badges").await), (2, 2));
        let id = teams[3].id.clone();
        let undone = office.ctx.transaction(|tx| async move {
            Team::delete(&tx, &id).await?;
            Err::<(), _>(Error::refused("not now"))
        });
        assert!(undone.await.unwrap_err().is_refused());
        assert_eq!((office.count("members").await, office.count("badges").await), (2, 2));
        let done = Team::delete_in_batches(&office.ctx, &teams[4].id).batch(1).await.unwrap().unwrap();
        assert_eq!((done.deleted(), office.count("members").await, office.count("badges").await), (3, 1, 1));
        assert!(Team::delete_in_batches(&office.ctx, &teams[4].id).await.unwrap().is_none());
        assert!(Team::delete_in_batches(&office.rival, &teams[3].id).await.unwrap().is_none());
    }

    /// Documents that refer to each other, and to themselves, in circles.
    async fn circles_are_deleted_once(stage: Stage) {
        let office = Office::open(stage).await;
        let node = |name: &str, parent: Option<&Node>| {
            let optional = NewNodeOptional { parent: parent.map(|node| Ref::to(&node.id)) };
            Node::create(&office.ctx, NewNode { name: name.into(), optional })
        };
        for batches in [false, true] {
            let a = node("a", None).await.unwrap();
            let b = node("b", Some(&a)).await.unwrap();
            let c = node("c", Some(&b)).await.unwrap();
            node("other", None).await.unwrap();
            let patch = |of: &Node| NodePatch { parent: Set(Some(Ref::to(&of.id))), ..Default::default() };
            Node::update(&office.ctx, &a.id, patch(&c)).await.unwrap();
            if batches {
                let done = Node::delete_in_batches(&office.ctx, &b.id).batch(1).await.unwrap().unwrap();
                assert_eq!(done.deleted(), 3);
            } else {
                assert!(Node::delete(&office.ctx, &b.id).await.unwrap());
            }
            assert_eq!(office.count("nodes").await, if batches { 2 } else { 1 });
        }
        let all = Node::delete_many(&office.ctx, |_| Filter::all()).allow_all().await.unwrap();
        assert_eq!(all.written, 2);
    }
}

/// A rule that would reach from a global document into every tenant.
#[derive(Clone, Model)]
#[model(collection = "currencies", global)]
struct Currency {
    #[model(id)]
    id: Id<Currency>,
}

#[derive(Clone, Model)]
#[model(collection = "prices")]
struct Price {
    #[model(id)]
    id: Id<Price>,
    #[model(tenant)]
    organization: TenantId,
    #[model(on_delete = restrict)]
    currency: Ref<Currency>,
}

macro_rules! open_policy {
    ($($model:ident $context:ident)*) => {$(
        impl BaseModel for $model {
            type Actor = Boss;
            fn can_read(&self, _: &$context<Boss>) -> bool { true }
            fn can_create(&self, _: &$context<Boss>) -> bool { true }
            fn can_update(&self, _: &$context<Boss>, _: &Self) -> bool { true }
            fn can_delete(&self, _: &$context<Boss>) -> bool { true }
        }
    )*};
}

open_policy!(Currency GlobalContext Price Context);

#[test]
fn a_rule_stays_in_its_tenant() {
    let error = Db::memory()
        .model::<Currency>()
        .model::<Price>()
        .build_lazy()
        .unwrap_err();
    assert!(error.is_configuration(), "{error}");
    assert!(error.to_string().contains("`currency`"), "{error}");
}
