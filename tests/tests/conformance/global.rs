//! Work before a tenant is known: global models, and look-ups by what is unique over all tenants.

use model_core::ModelExt;
use model_core::prelude::*;
use model_core::query::UniqueField;

use crate::harness::on_both_stores;
use crate::models::{Member, MemberPatch, NewMember, NewPlan, Plan, PlanPatch, User};

fn member(email: &str) -> NewMember {
    NewMember {
        email: email.into(),
        password: NewPassword::new("correct horse".to_owned()).unwrap(),
    }
}

on_both_stores! {
    /// A global model takes a context without a tenant, and one with a tenant.
    async fn global_models_take_either_context(stage: Stage) {
        let shop = stage.shop().await;
        let before = shop.db.global_context(User::admin("system"));
        let plan = Plan::create(&before, NewPlan { code: "pro".into(), optional: Default::default() }).await.unwrap();
        assert_eq!(plan.seats, 1);
        let seen = Plan::fetch(&shop.admin, &plan.id).await.unwrap();
        assert_eq!(seen.code, "pro");
        let patch = PlanPatch { seats: Set(5), ..Default::default() };
        Plan::update(&shop.rival, &plan.id, patch).await.unwrap();
        assert_eq!(Plan::query(&before).filter(|p| p.seats.gte(5)).count().await.unwrap(), 1);
        let log = shop.audit_log().await;
        assert!(log[0].get("tenant").is_none(), "no tenant was known");
        assert_eq!(log[1].get_str("tenant").unwrap(), "globex", "the actor's own tenant is told");
        let error = Plan::create(&before, NewPlan { code: "pro".into(), optional: Default::default() }).await.unwrap_err();
        assert!(error.is_duplicate(), "{error}");
    }

    /// `unique(global)`: an e-mail exists once over all tenants, and finds its document before the tenant is known.
    async fn a_globally_unique_field_finds_its_document(stage: Stage) {
        let shop = stage.shop().await;
        let created = Member::create(&shop.admin, member("ada@example.com")).await.unwrap();
        let error = Member::create(&shop.rival, member(" ADA@example.com")).await.unwrap_err();
        assert!(error.is_duplicate(), "{error}");
        let sign_in = shop.db.global_context(User::admin("sign-in"));
        let found = Member::find_unique(&sign_in, |m| m.email.lookup("Ada@Example.com ")).await.unwrap().unwrap();
        assert_eq!(found.id, created.id);
        assert_eq!(found.organization, TenantId::new("acme").unwrap());
        assert!(Member::find_unique(&sign_in, |m| m.email.lookup("nobody@example.com")).await.unwrap().is_none());
        let candidate = model_core::crypto::Candidate::new("correct horse".to_owned());
        let verdict = sign_in.verify_password(Some(&found.password), &candidate).await.unwrap();
        assert!(matches!(verdict, model_core::crypto::Verdict::Match { .. }), "before the tenant is entered");
        let ctx = sign_in.enter(found.organization.clone());
        let candidate = model_core::crypto::Candidate::new("correct horse".to_owned());
        let verdict = ctx.verify_password(Some(&found.password), &candidate).await.unwrap();
        assert!(matches!(verdict, model_core::crypto::Verdict::Match { .. }));
        let patch = MemberPatch { email: Set("ada@example.org".into()), ..Default::default() };
        Member::update(&ctx, &found.id, patch).await.unwrap();
        assert!(Member::find_unique(&sign_in, |m| m.email.lookup("ada@example.com")).await.unwrap().is_none());
    }

    /// Only a field that is declared unique over all tenants looks across them, however its handle came to be.
    async fn no_other_field_looks_across_tenants(stage: Stage) {
        let shop = stage.shop().await;
        Member::create(&shop.admin, member("ada@example.com")).await.unwrap();
        let sign_in = shop.db.global_context(User::admin("sign-in"));
        let schema = Member::schema().fields.iter().find(|field| field.name == "organization").unwrap();
        let handle: &'static UniqueField<Member, TenantId> = Box::leak(Box::new(UniqueField::new(schema)));
        let acme = TenantId::new("acme").unwrap();
        let error = Member::find_unique(&sign_in, |_| handle.lookup(&acme)).await.unwrap_err();
        assert!(error.to_string().contains("not unique over all tenants"), "{error}");
    }

    /// C 11: work across tenants has one name and a reason, and is audited with the tenant that the actor came from.
    async fn work_across_tenants_has_a_reason(stage: Stage) {
        let shop = stage.shop().await;
        let globex = TenantId::new("globex").unwrap();
        let silent = shop.admin.enter(globex.clone());
        let new = || member("ada@example.com");
        assert!(Member::create(&silent, new()).await.unwrap_err().is_configuration());
        assert!(Member::query(&silent).await.unwrap_err().is_configuration());
        assert!(Member::query(&silent).count().await.unwrap_err().is_configuration());
        assert!(shop.stored("members").await.is_empty() && shop.audit_log().await.is_empty());
        let support = silent.with_reason("ticket 4711");
        let created = Member::create(&support, new()).await.unwrap();
        assert_eq!(created.organization, globex);
        assert_eq!(Member::query(&shop.admin).count().await.unwrap(), 0);
        let log = shop.rival.audit_log().await.unwrap();
        assert_eq!((log[0].tenant.as_ref(), log[0].reason.as_deref()), (Some(&globex), Some("ticket 4711")));
        assert_eq!(log[0].came_from.as_ref(), Some(shop.admin.tenant()));
        let home = support.enter(shop.admin.tenant().clone());
        assert_eq!(Member::query(&home).count().await.unwrap(), 0, "back home, with the reason still said");
        let job = shop.admin.dangerously_bypass_permissions("clean-up").enter(globex);
        assert_eq!(Member::query(&job).count().await.unwrap(), 1, "a bypass has its reason");
    }
}
