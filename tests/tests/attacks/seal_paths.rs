//! 21: a document that was forged beneath its seal is refused whichever way it is come upon: never handed out, never left
//! out in silence.

use std::time::Duration;

use bson::{Document, doc};
use futures_util::StreamExt;
use model_core::prelude::*;
use model_core::query::Join;
use model_core::{DbBuilder, Error, ModelExt, Steps, SyncOptions, testing};
use model_tests::server;

use crate::{User, open_policy};

/// Its role is in the clear, and nobody's to change but the application's.
#[derive(Clone, Model)]
#[model(collection = "agents", id = string, watch, seal(role))]
struct Agent {
    #[model(id)]
    id: Id<Agent>,
    #[model(tenant)]
    organization: TenantId,
    role: String,
    color: String,
    team: Ref<Team>,
    boss: Option<Ref<Agent>>,
    token: Option<Encrypted<String>>,
}

impl BaseModel for Agent {
    type Actor = User;
    const READ_SCOPE: ReadScope = ReadScope::Exact;
    open_policy!();
}

#[derive(Clone, Model)]
#[model(collection = "teams", id = string)]
struct Team {
    #[model(id)]
    id: Id<Team>,
    #[model(tenant)]
    organization: TenantId,
    name: String,
}

impl BaseModel for Team {
    type Actor = User;
    open_policy!();
}

#[derive(Projection)]
#[projection(of = Agent)]
struct AgentLine {
    role: String,
}

#[derive(Projection)]
#[projection(of = Team)]
struct TeamLine {
    name: String,
}

struct House {
    db: Db,
    ctx: Context<User>,
    /// The forged one's.
    team: Team,
    /// Forged, and above the next.
    boss: Id<Agent>,
    worker: Agent,
}

async fn house(builder: DbBuilder) -> House {
    let builder = builder.keys(testing::keyring().unwrap());
    let db = builder.model::<Agent>().model::<Team>().build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    db.sync_collections().await.unwrap();
    let ctx = db.context(TenantId::new("acme").unwrap(), User);
    let team = |name: &str| NewTeam { name: name.into() };
    let red = Team::create(&ctx, team("red")).await.unwrap();
    let blue = Team::create(&ctx, team("blue")).await.unwrap();
    let new = |team: &Team, boss: Option<&Agent>| NewAgent {
        role: "clerk".into(),
        color: team.name.clone(),
        team: Ref::to(&team.id),
        optional: NewAgentOptional {
            boss: boss.map(|boss| Ref::to(&boss.id)),
            token: Some(Secret::from("token")),
        },
    };
    let boss = Agent::create(&ctx, new(&red, None)).await.unwrap();
    let worker = Agent::create(&ctx, new(&blue, Some(&boss))).await.unwrap();
    House {
        db,
        ctx,
        team: red,
        boss: boss.id,
        worker,
    }
}

impl House {
    /// Makes the boss an owner, as a writer without keys can.
    async fn forge(&self) {
        let all = testing::stored(&self.db, "agents").await.unwrap();
        let own = |found: &&Document| found.get("_id") == Some(&self.boss.to_bson());
        let mut forged = all.iter().find(own).unwrap().clone();
        forged.insert("role", "owner");
        assert!(Agent::delete(&self.ctx, &self.boss).await.unwrap());
        testing::store_raw(&self.db, "agents", &forged).await.unwrap();
    }
}

/// The seal is broken, and that is all that is said.
fn refused<T>(way: &str, outcome: Result<T>) {
    let Err(error) = outcome else {
        panic!("{way}: it is handed out")
    };
    is_broken(way, &error);
}

fn is_broken(way: &str, error: &Error) {
    assert!(
        error.is_crypto() && error.to_string().contains("seal"),
        "{way}: {error}"
    );
    assert!(!format!("{error:?}").contains("owner"), "{way}: {error:?}");
}

async fn every_way_is_checked(builder: DbBuilder) {
    let house = house(builder).await;
    let (ctx, boss) = (&house.ctx, &house.boss);
    let mut changes = Agent::watch(ctx).await.unwrap();
    house.forge().await;
    let (workers, teams) = (
        std::slice::from_ref(&house.worker),
        std::slice::from_ref(&house.team),
    );

    refused("get", Agent::get(ctx, boss).await);
    refused("get_many", Agent::get_many(ctx, std::slice::from_ref(boss)).await);
    refused("query", Agent::query(ctx).await);
    let mut stream = Agent::query(ctx).sort(|a| a.role.desc()).stream();
    refused("stream", stream.next().await.unwrap());
    refused("select", Agent::query(ctx).select::<AgentLine>().await);
    refused("page", Agent::query(ctx).page(5, None).await);
    refused("populate", Agent::populate(ctx, workers, |a| &a.boss).await);
    refused("related", Agent::related(ctx, teams, |a| &a.team).await);
    refused(
        "related, some",
        Agent::related(ctx, teams, |a| &a.team).limit_each(1).await,
    );
    refused("subtree", Agent::subtree(ctx, boss, |a| &a.boss).await);
    refused(
        "ancestors",
        Agent::ancestors(ctx, &house.worker.id, |a| &a.boss).await,
    );
    let teams = || Team::query(ctx).select::<TeamLine>();
    refused(
        "lookup of it",
        teams()
            .lookup::<AgentLine>(|team, agent| Join::on(&team.name, &agent.color))
            .await,
    );
    let agents = || Agent::query(ctx).select::<AgentLine>();
    refused(
        "lookup from it",
        agents()
            .lookup::<TeamLine>(|agent, team| Join::on(&agent.color, &team.name))
            .await,
    );
    let picked = Agent::query(ctx)
        .facet(|f| (f.select::<AgentLine>(), f.count()))
        .await;
    refused(
        "facet",
        picked.map(|(lines, count): (Vec<AgentLine>, u64)| (lines, count)),
    );
    refused("update", Agent::update(ctx, boss, AgentPatch::default()).await);
    refused(
        "update_with",
        Agent::update_with(ctx, boss, |a| a.role.set("clerk".to_owned())).await,
    );
    refused("delete", Agent::delete(ctx, boss).await);
    let job = ctx.dangerously_bypass_permissions("move out");
    refused("export", job.export_tenant(&mut Vec::new()).await);

    // The deletion by which it was forged, and then the forgery itself.
    let deleted = tokio::time::timeout(Duration::from_secs(20), changes.next()).await;
    assert!(deleted.unwrap().unwrap().is_ok());
    let forged = tokio::time::timeout(Duration::from_secs(20), changes.next()).await;
    refused("watch", forged.unwrap().unwrap());
    // What nobody forged is read as ever.
    let worker = Agent::fetch(ctx, &house.worker.id).await.unwrap();
    assert_eq!(worker.role, "clerk");
    assert_eq!(
        Team::populate(ctx, workers, |a| &a.team)
            .await
            .unwrap()
            .documents()
            .len(),
        1
    );
}

/// A step knows no model, and so cannot seal what it changes: it leaves the document as it is, and says so.
async fn a_step_breaks_no_seal(builder: DbBuilder) {
    let house = house(builder).await;
    let steps = Steps::new().backfill("promotion", "agents", |mut agent| {
        agent.insert("role", "owner");
        Ok(agent)
    });
    let job = house.ctx.dangerously_bypass_permissions("release 4");
    let reports = steps.run(&job).await.unwrap();
    assert!(!reports[0].complete);
    assert_eq!(reports[0].failed.len(), 2);
    for failed in &reports[0].failed {
        assert!(failed.is_refused() && failed.id().is_some(), "{failed}");
        assert!(failed.to_string().contains("seal"), "{failed}");
    }
    let agents = Agent::query(&house.ctx).await.unwrap();
    assert!(agents.len() == 2 && agents.iter().all(|agent| agent.role == "clerk"));
}

#[tokio::test]
async fn a_step_breaks_no_seal_on_the_embedded_store() {
    a_step_breaks_no_seal(Db::memory()).await;
}

#[tokio::test]
async fn a_step_breaks_no_seal_on_mongodb() {
    a_step_breaks_no_seal(Db::mongo(server::fresh_database().await)).await;
}

#[tokio::test]
async fn every_way_is_checked_on_the_embedded_store() {
    every_way_is_checked(Db::memory()).await;
}

#[tokio::test]
async fn every_way_is_checked_on_mongodb() {
    every_way_is_checked(Db::mongo(server::fresh_database().await)).await;
}
