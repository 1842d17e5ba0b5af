//! What is not as it was sealed: no read gives it out.

use super::*;

on_both_stores! {
    /// 21: whatever a writer of the database changes below the seal, no read gives it out and no policy is asked about it.
    async fn what_was_altered_is_not_read(stage: Stage) {
        let office = office(stage).await;
        let staff = office.hire("ada").await;
        let other = office.hire("bob").await;
        let good = office.one(&staff).await;
        let strange = office.one(&other).await;
        assert_eq!(binary(&good, "_seal").len(), 58);
        let edits: Vec<Edit> = vec![
            ("role", Box::new(|stored| { stored.insert("r", "owner"); })),
            ("part of a listed field", Box::new(|stored| {
                stored.get_document_mut("grants").unwrap().insert("level", 9_i64);
            })),
            ("number's type", Box::new(|stored| {
                stored.get_document_mut("grants").unwrap().insert("level", 1_i32);
            })),
            ("element of a listed field", Box::new(|stored| {
                let grants = stored.get_document_mut("grants").unwrap();
                grants.get_array_mut("areas").unwrap().push("vault".into());
            })),
            ("unknown part of a listed field", Box::new(|stored| {
                stored.get_document_mut("grants").unwrap().insert("root", true);
            })),
            ("tenant", Box::new(|stored| { stored.insert("organization", "globex"); })),
            ("revision", Box::new(|stored| {
                let revision = stored.get_i64("_rev").unwrap();
                stored.insert("_rev", revision + 1);
            })),
            ("version", Box::new(|stored| { stored.insert("_sv", 1_i32); })),
            ("a secret taken away", Box::new(|stored| { stored.remove("email"); })),
            ("a token taken away", Box::new(|stored| { stored.remove("_bi"); })),
            ("an element taken away", Box::new(|stored| { stored.insert("tokens", Vec::<Bson>::new()); })),
            ("other tokens", Box::new(|stored| {
                stored.insert("_bi", doc! { "email": [secret(vec![1; 17])] });
            })),
            ("no seal", Box::new(|stored| { stored.remove("_seal"); })),
            ("another's seal", { let theirs = strange.get("_seal").cloned().unwrap();
                Box::new(move |stored| { stored.insert("_seal", theirs.clone()); }) }),
            ("a seal of nothing", Box::new(|stored| { stored.insert("_seal", secret(Vec::new())); })),
            ("a seal that is none", Box::new(|stored| { stored.insert("_seal", "seal"); })),
            ("a seal over other fields", Box::new(|stored| {
                let mut seal = binary(stored, "_seal");
                seal[20] ^= 1;
                stored.insert("_seal", secret(seal));
            })),
        ];
        let seen: BTreeSet<_> = edits.iter().map(|(name, _)| *name).collect();
        assert_eq!(seen.len(), edits.len());
        for (name, edit) in edits {
            let mut altered = good.clone();
            edit(&mut altered);
            office.put(&staff, altered).await;
            let ctx = if name == "tenant" { &office.rival } else { &office.admin };
            office.asked.0.store(0, Ordering::Relaxed);
            let error = Staff::get(ctx, &staff.id).await.map(drop).unwrap_err();
            assert!(is_broken(&error), "{name}: {error}");
            assert_eq!((error.model(), error.id()), (Some("Staff"), Some(staff.id.to_string().as_str())), "{name}");
            assert!(!error.to_string().contains("owner"), "{name}: {error}");
            let listed = Staff::query(ctx).filter(|s| s.id.eq(&staff.id)).await.map(drop);
            assert!(is_broken(&listed.unwrap_err()), "{name}");
            let patch = StaffPatch { visits: Set(Some(1)), ..Default::default() };
            assert!(is_broken(&Staff::update(ctx, &staff.id, patch).await.map(drop).unwrap_err()), "{name}");
            assert!(is_broken(&Staff::delete(ctx, &staff.id).await.unwrap_err()), "{name}");
            assert_eq!(office.asked.0.load(Ordering::Relaxed), 0, "{name}");
            let job = ctx.dangerously_bypass_permissions("look");
            let found = Staff::reencrypt(&job).inspect().await.unwrap();
            let unsealed = u64::from(["no seal", "a seal over other fields"].contains(&name));
            assert_eq!((found.broken_seals, found.unsealed), (1 - unsealed, unsealed), "{name}");
            assert_eq!(Staff::check_stored(&job).await.unwrap().unreadable, 1, "{name}");
            let run = Staff::reencrypt(&job).await.unwrap();
            assert_eq!((run.failed.len(), run.resealed), (1, 0), "{name}");
            assert!(is_broken(&run.failed[0]), "{name}");
            // Who removes it has to be able to.
            assert!(Staff::purge(&job, &staff.id).await.unwrap());
            testing::store_raw(&office.db, "staff", &good).await.unwrap();
        }
        assert_eq!(Staff::fetch(&office.admin, &staff.id).await.unwrap().role, "clerk");
        office.all_hold(2).await;
    }

    /// Its soft deletion, which takes a bypass, gives a broken document no new seal, and nothing brings it back.
    async fn a_deletion_vouches_for_nothing(stage: Stage) {
        let office = office(stage).await;
        let staff = office.hire("ada").await;
        let mut altered = office.one(&staff).await;
        altered.insert("r", "owner");
        office.put(&staff, altered).await;
        assert!(Staff::delete(&office.job(), &staff.id).await.unwrap());
        assert!(office.one(&staff).await.contains_key("_deleted_at"));
        assert!(is_broken(&Staff::restore(&office.job(), &staff.id).await.unwrap_err()));
        assert_eq!(Staff::reencrypt(&office.job()).inspect().await.unwrap().broken_seals, 1);
        assert!(Staff::purge(&office.job(), &staff.id).await.unwrap());
        assert!(office.stored("staff").await.is_empty());
    }

    /// What is not under the seal is another client's to change, and so is the order of keys.
    async fn what_is_not_sealed_is_free(stage: Stage) {
        let office = office(stage).await;
        let staff = office.hire("ada").await;
        let good = office.one(&staff).await;
        let mut other = doc! { "_id": good.get_object_id("_id").unwrap() };
        let mut rest: Vec<_> = good.clone().into_iter().filter(|(key, _)| key != "_id").collect();
        rest.reverse();
        other.extend(rest);
        let grants = other.get_document_mut("grants").unwrap();
        *grants = doc! { "areas": grants.get_array("areas").unwrap().clone(), "level": 1_i64 };
        other.insert("name", "Ada of another client");
        other.insert("stray", doc! { "anything": 1 });
        office.put(&staff, other).await;
        let found = Staff::fetch(&office.admin, &staff.id).await.unwrap();
        assert_eq!(found.name.as_deref(), Some("Ada of another client"));
        // What another client left as it was, an update leaves too, and seals as it stands.
        let raised = office.raise(&staff, 2).await.unwrap();
        assert_eq!((raised.grants.level, raised.grants.areas.as_slice()), (2, &["desk".to_owned()][..]));
        assert_eq!(office.one(&staff).await.get_document("grants").unwrap().keys().next().unwrap(), "areas");
        office.all_hold(1).await;
    }

    /// 20: a ciphertext of the same document and field, put back, opens by itself; under a seal the document is not read.
    /// 22: the whole document as it was is read: there is nothing to tell it by.
    async fn an_older_value_is_not_put_back(stage: Stage) {
        let office = office(stage).await;
        let staff = office.hire("ada").await;
        let before = office.one(&staff).await;
        let patch = StaffPatch { email: Set(Some(Secret::from("new@example.com"))), ..Default::default() };
        Staff::update(&office.admin, &staff.id, patch).await.unwrap();
        let after = office.one(&staff).await;
        let mut replayed = after.clone();
        replayed.insert("email", before.get("email").cloned().unwrap());
        office.put(&staff, replayed.clone()).await;
        assert!(is_broken(&Staff::get(&office.admin, &staff.id).await.map(drop).unwrap_err()));
        replayed.insert("_seal", before.get("_seal").cloned().unwrap());
        office.put(&staff, replayed).await;
        assert!(is_broken(&Staff::get(&office.admin, &staff.id).await.map(drop).unwrap_err()));
        let mut password = after.clone();
        password.insert("password", before.get("email").cloned().unwrap());
        office.put(&staff, password).await;
        assert!(is_broken(&Staff::get(&office.admin, &staff.id).await.map(drop).unwrap_err()));
        office.put(&staff, before).await;
        let found = Staff::fetch(&office.admin, &staff.id).await.unwrap();
        assert_eq!(found.email.unwrap().reveal(&office.admin).await.unwrap().expose(), "ada@example.com");
    }

    /// A projection comes whole and is checked; what the server alone computes is as it is stored.
    async fn reads_of_parts(stage: Stage) {
        let office = office(stage).await;
        let staff = office.hire("ada").await;
        let mut altered = office.one(&staff).await;
        altered.insert("r", "owner");
        office.put(&staff, altered).await;
        let ctx = &office.admin;
        assert!(is_broken(&Staff::query(ctx).select::<NameOnly>().await.map(drop).unwrap_err()));
        assert!(is_broken(&Staff::query(ctx).page(5, None).await.map(drop).unwrap_err()));
        assert!(is_broken(&Staff::get_many(ctx, std::slice::from_ref(&staff.id)).await.map(drop).unwrap_err()));
        assert!(is_broken(&Staff::query(ctx).count().await.unwrap_err()), "counted by reading");
        let job = office.job();
        assert_eq!(Staff::query(&job).count().await.unwrap(), 1, "the server's count");
        assert!(is_broken(&Staff::query(&job).await.map(drop).unwrap_err()), "a bypass trusts no more");
    }
}
