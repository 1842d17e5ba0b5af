//! The keys of seals, one after the other.

use super::*;

on_both_stores! {
    /// Under a new key, a write and a batch seal anew; without the old one nothing under it is read, and it can be removed.
    async fn keys_of_seals_rotate(stage: Stage) {
        let office = office(stage).await;
        let (ada, bob) = (office.hire("ada").await, office.hire("bob").await);
        let revision = Staff::fetch(&office.admin, &bob.id).await.unwrap().revision;
        let acme = TenantId::new("acme").unwrap();
        let keys = office.db.keys(ActorIdentity::system("rotation"));
        let new = keys.stage(Purpose::Seal, Some(&acme)).await.unwrap();
        office.clock.advance(TimeDelta::minutes(15));
        keys.promote(new).await.unwrap();
        let found = Staff::reencrypt(&office.job()).inspect().await.unwrap();
        assert_eq!((found.outdated_seals, found.broken_seals), (2, 0));
        office.raise(&ada, 2).await.unwrap();
        let found = Staff::reencrypt(&office.job()).inspect().await.unwrap();
        assert_eq!(found.outdated_seals, 1);
        let run = Staff::reencrypt(&office.job()).await.unwrap();
        assert_eq!((run.scanned, run.resealed, run.rewritten, run.raced, run.failed.len()), (2, 1, 0, 0, 0));
        office.all_hold(2).await;
        assert_eq!(Staff::fetch(&office.admin, &bob.id).await.unwrap().revision, revision);
        assert_eq!(&binary(&office.one(&bob).await, "_seal")[2..18], new.as_bytes());
        // All kinds of keys at once.
        for purpose in [Purpose::Enc, Purpose::BlindIndex, Purpose::Seal] {
            let key = keys.stage(purpose, Some(&acme)).await.unwrap();
            office.clock.advance(TimeDelta::minutes(15));
            keys.promote(key).await.unwrap();
        }
        let run = Staff::reencrypt(&office.job()).await.unwrap();
        assert_eq!((run.resealed, run.rewritten, run.reindexed, run.failed.len()), (2, 6, 2, 0));
        office.all_hold(2).await;
        let found = Staff::query(&office.admin).filter(|s| s.email.eq("BOB@example.com")).await.unwrap();
        assert_eq!(found.len(), 1);
        let old = keys.status(Some(&acme)).await.unwrap();
        for old in old.iter().filter(|key| key.purpose == Purpose::Seal && key.state == KeyState::DecryptOnly) {
            keys.disable(old.id).await.unwrap();
        }
        office.all_hold(2).await;
        keys.shred(&acme, Confirm::CryptoShred).await.unwrap();
        let error = Staff::get(&office.admin, &ada.id).await.map(drop).unwrap_err();
        assert!(error.is_crypto() && error.to_string().contains("destroyed"), "{error}");
        assert!(Staff::purge(&office.job(), &ada.id).await.unwrap());
    }

    /// Writers, readers, logins and re-encryptions at once: no error, and every seal holds in the end.
    async fn seals_under_load(stage: Stage) {
        let office = office(stage).await;
        let mut all = Vec::new();
        for number in 0..4 {
            all.push(office.hire(&format!("staff{number}")).await);
        }
        let acme = TenantId::new("acme").unwrap();
        let keys = office.db.keys(ActorIdentity::system("rotation"));
        let (office, all) = (&office, &all);
        let writers = all.iter().map(|staff| async move {
            for round in 0..12 {
                let next = |_: &Staff| Ok(Some(StaffPatch {
                    role: Set(format!("role {round}")),
                    email: Set(Some(Secret::from(format!("{}-{round}@example.com", staff.id)))),
                    ..Default::default()
                }));
                Staff::modify(&office.admin, &staff.id, next).await.unwrap();
                assert_eq!(Staff::fetch(&office.admin, &staff.id).await.unwrap().role, format!("role {round}"));
            }
        });
        let rotations = async {
            for purpose in [Purpose::Seal, Purpose::Enc, Purpose::Seal, Purpose::BlindIndex] {
                let key = keys.stage(purpose, Some(&acme)).await.unwrap();
                office.clock.advance(TimeDelta::minutes(15));
                keys.promote(key).await.unwrap();
                let done = Staff::reencrypt(&office.job()).batch(3).await.unwrap();
                assert!(done.failed.is_empty(), "{:?}", done.failed);
            }
        };
        futures_util::future::join(futures_util::future::join_all(writers), rotations).await;
        let done = Staff::reencrypt(&office.job()).await.unwrap();
        assert_eq!((done.raced, done.failed.len()), (0, 0));
        office.all_hold(4).await;
        for staff in Staff::query(&office.admin).await.unwrap() {
            assert_eq!(staff.role, "role 11");
        }
    }
}
