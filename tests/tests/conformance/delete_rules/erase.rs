//! The end of a tenant.

use model_core::prelude::*;
use model_core::{ModelExt, testing};

use super::{Badge, File, Folder, Member, NewFile, NewFolder, NewTeam, Office, Team};
use crate::harness::on_both_stores;

/// Two teams, members with badges, an invoice that stands in the way of a deletion, a folder that is marked with its file.
async fn fill(office: &Office) {
    for name in ["red", "blue"] {
        let team = office.team(name).await;
        let member = office.member("ada", &team).await;
        office.badge("locked", Some(&member), None).await;
        office.plan("plan", &member, &[&member]).await;
        office.invoice(&team, None).await;
    }
    let folder = Folder::create(
        &office.ctx,
        NewFolder {
            name: "folder".into(),
        },
    )
    .await
    .unwrap();
    File::create(
        &office.ctx,
        NewFile {
            name: "file".into(),
            folder: Ref::to(&folder.id),
        },
    )
    .await
    .unwrap();
    assert!(Folder::delete(&office.ctx, &folder.id).await.unwrap());
}

const COLLECTIONS: [&str; 7] = [
    "teams", "members", "badges", "plans", "invoices", "folders", "files",
];

on_both_stores! {
    /// All models, whatever marks and policies say; nothing of another tenant; each document leaves an entry.
    async fn a_tenant_is_erased(stage: Stage) {
        let office = Office::open(stage).await;
        fill(&office).await;
        Team::create(&office.rival, NewTeam { name: "theirs".into() }).await.unwrap();
        let error = office.ctx.erase_tenant().await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        assert!(office.ctx.erase_tenant().dry_run().await.unwrap_err().is_forbidden());

        let job = office.ctx.dangerously_bypass_permissions("contract has ended");
        let dry = job.erase_tenant().dry_run().await.unwrap();
        assert_eq!(dry.deleted(), 12, "{dry}");
        let before = testing::stored(&office.db, "audit_log").await.unwrap().len();
        let mut told = 0;
        let done = job.erase_tenant().batch(1).on_progress(|_| told += 1).await.unwrap();
        assert_eq!((done.deleted(), told), (12, 12));
        assert_eq!(done.of("Member").unwrap().deleted, 2);
        for collection in COLLECTIONS {
            let left = usize::from(collection == "teams");
            assert_eq!(office.count(collection).await, left, "{collection}");
        }
        assert_eq!(Team::query(&office.rival).await.unwrap().len(), 1);
        let log = testing::stored(&office.db, "audit_log").await.unwrap();
        assert_eq!(log.len() - before, 12, "a bypass is audited whatever the model says");
        assert_eq!(job.erase_tenant().await.unwrap().deleted(), 0);
    }

    /// Broken off, it goes on; what refers to others went before them.
    async fn an_erasure_goes_on(stage: Stage) {
        let office = Office::open(stage).await;
        fill(&office).await;
        let job = office.ctx.dangerously_bypass_permissions("contract has ended");
        for _ in 0..12 {
            office.fuse.burn_after(1);
            let broken = job.erase_tenant().batch(1).await;
            let badges = Badge::query(&job).await.unwrap();
            let members = Member::populate(&job, &badges, |badge| &badge.member).await.unwrap();
            let all = Member::query(&job).await.unwrap();
            let teams = Team::populate(&job, &all, |member| &member.team).await.unwrap();
            assert!(members.dangling().is_empty() && teams.dangling().is_empty());
            if broken.is_ok() {
                break;
            }
        }
        for collection in COLLECTIONS {
            assert_eq!(office.count(collection).await, 0, "{collection}");
        }
    }
}
