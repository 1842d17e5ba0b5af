//! Deletions that one transaction is not to hold.

use model_core::ModelExt;
use model_core::prelude::*;

use super::{Badge, Member, NewBadge, NewBadgeOptional, NewMember, Office, Team};
use crate::harness::on_both_stores;

const MEMBERS: usize = 400;

/// A team with many members, who have three badges each.
async fn large(office: &Office) -> Team {
    let team = office.team("large").await;
    let new = (0..MEMBERS).map(|n| NewMember {
        name: format!("m{n}"),
        team: Ref::to(&team.id),
    });
    let members = Member::create_many(&office.ctx, new).await.unwrap();
    let new = members.iter().flat_map(|member| {
        (0..3).map(|n| NewBadge {
            name: format!("b{n}"),
            optional: NewBadgeOptional {
                member: Some(Ref::to(&member.id)),
                backup: None,
            },
        })
    });
    Badge::create_many(&office.ctx, new).await.unwrap();
    team
}

/// Documents that refer to what is gone.
async fn orphans(office: &Office) -> usize {
    let badges = Badge::query(&office.ctx).await.unwrap();
    let members = Member::populate(&office.ctx, &badges, |badge| &badge.member)
        .await
        .unwrap();
    let all = Member::query(&office.ctx).await.unwrap();
    let teams = Team::populate(&office.ctx, &all, |member| &member.team)
        .await
        .unwrap();
    members.dangling().len() + teams.dangling().len()
}

on_both_stores! {
    /// One transaction refuses it; batches do it, and what was broken off goes on: there is no orphan at any time.
    async fn a_large_deletion_goes_on_after_a_failure(stage: Stage) {
        let office = Office::open(stage).await;
        let team = large(&office).await;
        let error = Team::delete(&office.ctx, &team.id).await.unwrap_err();
        assert!(error.is_unsupported() && error.to_string().contains("delete_in_batches"), "{error}");
        assert_eq!(office.count("badges").await, 3 * MEMBERS);

        let dry = Team::delete_in_batches(&office.ctx, &team.id).dry_run().await.unwrap().unwrap();
        assert_eq!(dry.deleted() as usize, 1 + 4 * MEMBERS);
        for burns in [450, 900] {
            office.fuse.burn_after(burns);
            let mut last = 0;
            let broken = Team::delete_in_batches(&office.ctx, &team.id)
                .batch(200)
                .on_progress(|done| last = done.deleted())
                .await;
            assert!(broken.unwrap_err().is_refused());
            assert!(last > 0 && last < dry.deleted(), "some of it was done: {last}");
            assert_eq!(orphans(&office).await, 0);
            assert!(Team::get(&office.ctx, &team.id).await.unwrap().is_some());
        }
        office.fuse.burn_after(i64::MAX);
        let rest = Team::delete_in_batches(&office.ctx, &team.id).batch(200).await.unwrap().unwrap();
        assert!(rest.deleted() < dry.deleted());
        assert_eq!((office.count("teams").await, office.count("members").await, office.count("badges").await), (0, 0, 0));
    }
}
