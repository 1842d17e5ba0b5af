//! What is written: it has a seal that holds.

use super::*;

on_both_stores! {
    /// Every way of writing leaves a seal that holds.
    async fn every_write_seals(stage: Stage) {
        let office = office(stage).await;
        let ctx = &office.admin;
        let staff = office.hire("ada").await;
        let grants = || Grants { level: 1, areas: Vec::new() };
        let new = |role: &str| NewStaff { role: role.into(), grants: grants(), optional: Default::default() };
        let many = Staff::create_many(ctx, vec![new("a"), new("b"), new("c")]).await.unwrap();
        office.all_hold(4).await;
        office.raise(&staff, 3).await.unwrap();
        office.all_hold(4).await;
        let one = Staff::update_with(ctx, &staff.id, |s| s.visits.inc(1).and(s.grants.areas.push("hall")));
        one.await.unwrap();
        office.all_hold(4).await;
        let shout = |s: &Staff| Ok(Some(StaffPatch { role: Set(format!("{}!", s.role)), ..Default::default() }));
        Staff::modify(ctx, &staff.id, shout).await.unwrap();
        office.all_hold(4).await;
        let patch = StaffPatch { name: Set(Some("everyone".into())), ..Default::default() };
        Staff::update_many(ctx, |s| s.grants.level.gte(1), patch).await.unwrap();
        office.all_hold(4).await;
        let patch = StaffPatch { name: Set(None), email: Set(None), ..Default::default() };
        Staff::update(ctx, &staff.id, patch).await.unwrap();
        office.all_hold(4).await;
        Staff::bulk(ctx)
            .create(new("d"))
            .update(many[0].id.clone(), StaffPatch { role: Set("bulk".into()), ..Default::default() })
            .delete(many[1].id.clone())
            .await
            .unwrap();
        office.all_hold(5).await;
        assert!(Staff::restore(ctx, &many[1].id).await.unwrap());
        office.all_hold(5).await;
        ctx.transaction(|tx| {
            let id = many[2].id.clone();
            async move {
                let patch = StaffPatch { role: Set("tx".into()), ..Default::default() };
                Staff::update(&tx, &id, patch).await?;
                let patch = StaffPatch { visits: Set(Some(4)), ..Default::default() };
                Staff::update(&tx, &id, patch).await
            }
        })
        .await
        .unwrap();
        office.all_hold(5).await;
        assert!(Staff::delete(ctx, &many[2].id).await.unwrap());
        office.all_hold(5).await;
        let mut revived = office.one(&many[2]).await;
        revived.remove("_deleted_at");
        office.put(&many[2], revived).await;
        assert!(is_broken(&Staff::get(ctx, &many[2].id).await.map(drop).unwrap_err()), "a mark taken away");
    }

    /// A login that replaces a hash seals the document anew, from a context without a tenant, and moves no revision.
    async fn a_login_keeps_the_seal(stage: Stage) {
        let office = office(stage).await;
        let staff = office.hire("ada").await;
        let stronger = model_core::crypto::HashPolicy { memory_kib: 128, passes: 1, ..Default::default() };
        let limits = model_core::crypto::Limits::for_policy(&stronger);
        let later = office.release(|builder| builder.passwords(stronger, limits).model::<Staff>().model::<Badge>()).await;
        let door = later.db.global_context(User::admin("door"));
        let hash = staff.password.as_ref();
        let verdict = door.verify_and_upgrade(hash, &Candidate::new("correct horse".to_owned())).await.unwrap();
        assert_eq!(verdict, Verdict::Match { needs_rehash: false });
        office.all_hold(1).await;
        assert_eq!(Staff::fetch(&office.admin, &staff.id).await.unwrap().revision, staff.revision);
        // A document whose seal is broken gets no new one that way.
        let mut altered = office.one(&staff).await;
        let found = Staff::fetch(&office.admin, &staff.id).await.unwrap();
        altered.insert("r", "owner");
        office.put(&staff, altered).await;
        let stronger = model_core::crypto::HashPolicy { memory_kib: 256, passes: 1, ..Default::default() };
        let limits = model_core::crypto::Limits::for_policy(&stronger);
        let later = office.release(|builder| builder.passwords(stronger, limits).model::<Staff>().model::<Badge>()).await;
        let door = later.db.global_context(User::admin("door"));
        let typed = Candidate::new("correct horse".to_owned());
        let verdict = door.verify_and_upgrade(found.password.as_ref(), &typed).await;
        assert_eq!(verdict.unwrap(), Verdict::Match { needs_rehash: true });
        assert!(is_broken(&Staff::get(&office.admin, &staff.id).await.map(drop).unwrap_err()));
    }

    /// A document from before the seal is read until that day; a write, a migration and a batch seal it.
    async fn older_documents_are_sealed(stage: Stage) {
        let office = office(stage).await;
        let before = office.release(|builder| builder.model::<OldGuest>()).await;
        let mut ids = Vec::new();
        for _ in 0..4 {
            let new = NewOldGuest { role: "guest".into(), optional: Default::default() };
            ids.push(OldGuest::create(&before.admin, new).await.unwrap().id.to_string());
        }
        let guest = |at: usize| Id::<Guest>::parse(&ids[at]).unwrap();
        let after = office.release(|builder| builder.model::<Guest>()).await;
        assert_eq!(Guest::query(&after.admin).await.unwrap().len(), 4);
        let sealed = || async {
            let all = office.stored("guests").await;
            all.iter().filter(|found| found.contains_key("_seal")).count()
        };
        let patch = GuestPatch { note: Set(Some("written".into())), ..Default::default() };
        Guest::update(&after.admin, &guest(0), patch).await.unwrap();
        assert_eq!(sealed().await, 1);
        let migrated = Guest::migrate_all(&after.job()).batch(2).await.unwrap();
        assert!(migrated.complete, "{migrated}");
        assert_eq!(sealed().await, 4);
        // One that an older program writes still.
        let new = NewOldGuest { role: "late".into(), optional: Default::default() };
        OldGuest::create(&before.admin, new).await.unwrap();
        let found = Guest::reencrypt(&after.job()).inspect().await.unwrap();
        assert_eq!((found.unsealed, found.broken_seals), (1, 0));
        let run = Guest::reencrypt(&after.job()).await.unwrap();
        assert_eq!((run.resealed, run.failed.len()), (1, 0));
        assert_eq!(sealed().await, 5);
        // A longer list of fields makes every seal one over other fields.
        let wider = office.release(|builder| builder.model::<WiderGuest>()).await;
        assert_eq!(WiderGuest::query(&wider.admin).await.unwrap().len(), 5);
        let found = WiderGuest::reencrypt(&wider.job()).inspect().await.unwrap();
        assert_eq!((found.unsealed, found.broken_seals), (5, 0));
        assert_eq!(WiderGuest::reencrypt(&wider.job()).batch(2).await.unwrap().resealed, 5);
        // After that day a document has a seal, or is not read.
        let new = NewOldGuest { role: "late".into(), optional: Default::default() };
        let late = OldGuest::create(&before.admin, new).await.unwrap();
        let late = Id::<WiderGuest>::parse(&late.id.to_string()).unwrap();
        assert!(WiderGuest::get(&wider.admin, &late).await.unwrap().is_some());
        office.clock.advance(TimeDelta::days(31));
        assert!(is_broken(&WiderGuest::get(&wider.admin, &late).await.map(drop).unwrap_err()));
        let run = WiderGuest::reencrypt(&wider.job()).await.unwrap();
        assert_eq!((run.resealed, run.failed.len()), (0, 1));
        assert_eq!(WiderGuest::query(&wider.admin).filter(|g| g.role.eq("guest")).await.unwrap().len(), 4);
    }

    /// The relay takes entries out of a sealed document, whose seal still holds.
    async fn an_outbox_is_beside_the_seal(stage: Stage) {
        let office = office(stage).await;
        let ctx = office.db.global_context(User::admin("ada"));
        let new = NewBadge { owner: "ada".into(), code: Secret::from("code") };
        let badge = Badge::create(&ctx, new).await.unwrap();
        let patch = BadgePatch { owner: Set("bob".into()), ..Default::default() };
        Badge::update(&ctx, &badge.id, patch).await.unwrap();
        assert_eq!(office.db.relay_outbox().await.unwrap(), 2);
        assert_eq!(Badge::fetch(&ctx, &badge.id).await.unwrap().owner, "bob");
        let mut stored = office.stored("badges").await.remove(0);
        stored.insert("owner", "eve");
        assert!(Badge::delete(&ctx, &badge.id).await.unwrap());
        assert_eq!(office.db.relay_outbox().await.unwrap(), 1);
        testing::store_raw(&office.db, "badges", &stored).await.unwrap();
        assert_eq!(Badge::fetch(&ctx, &badge.id).await.unwrap().owner, "eve", "not listed");
        let job = ctx.dangerously_bypass_permissions("look");
        assert_eq!(Badge::reencrypt(&job).inspect().await.unwrap().broken_seals, 0);
    }
}
