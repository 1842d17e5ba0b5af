//! What `can_read` needs, loaded for a batch at once.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use bson::doc;
use futures_util::TryStreamExt;
use model_core::prelude::*;
use model_core::testing;

use crate::harness::{Stage, on_both_stores};

#[derive(Clone)]
struct Anyone;

impl Actor for Anyone {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("anyone")
    }
}

type Ctx = Context<Anyone>;

/// Which teams the actor is in: known once they were asked for.
#[derive(Clone, Default)]
struct Teams(Arc<Mutex<Asked>>);

#[derive(Default)]
struct Asked {
    known: BTreeSet<String>,
    batches: Vec<usize>,
    fails: bool,
}

#[derive(Clone, Model)]
#[model(collection = "cards", id = string)]
struct Card {
    #[model(id)]
    id: Id<Card>,
    #[model(tenant)]
    organization: TenantId,
    team: String,
    #[model(default = 0)]
    n: i32,
}

impl BaseModel for Card {
    type Actor = Anyone;

    async fn preload(ctx: &Ctx, cards: &[Self]) -> Result<()> {
        tokio::task::yield_now().await;
        let teams = ctx.state::<Teams>().unwrap();
        let mut asked = teams.0.lock().unwrap();
        asked.batches.push(cards.len());
        if asked.fails {
            return Err(Error::refused("the directory does not answer"));
        }
        asked.known.extend(
            cards
                .iter()
                .map(|card| card.team.clone())
                .filter(|team| team != "secret"),
        );
        Ok(())
    }

    fn can_read(&self, ctx: &Ctx) -> bool {
        ctx.state::<Teams>()
            .unwrap()
            .0
            .lock()
            .unwrap()
            .known
            .contains(&self.team)
    }

    fn can_create(&self, _ctx: &Ctx) -> bool {
        true
    }

    fn can_update(&self, ctx: &Ctx, _after: &Self) -> bool {
        self.can_read(ctx)
    }

    fn can_delete(&self, ctx: &Ctx) -> bool {
        self.can_read(ctx)
    }
}

async fn open(stage: Stage) -> (Db, Teams, Ctx) {
    let teams = Teams::default();
    let db = stage
        .builder()
        .model::<Card>()
        .state(teams.clone())
        .build()
        .await
        .unwrap();
    for n in 0..6 {
        let team = ["red", "secret", "blue"][n % 3];
        let card = doc! { "_id": format!("c{n}"), "organization": "acme", "team": team, "n": i32::try_from(n).unwrap() };
        testing::store_raw(&db, "cards", &card).await.unwrap();
    }
    let ctx = db.context(TenantId::new("acme").unwrap(), Anyone);
    (db, teams, ctx)
}

fn take(teams: &Teams) -> Vec<usize> {
    let mut asked = teams.0.lock().unwrap();
    asked.known.clear();
    std::mem::take(&mut asked.batches)
}

on_both_stores! {
    /// Once for each batch, before the judging, never for an empty one, and not where permissions are bypassed.
    async fn a_batch_is_loaded_at_once(stage: Stage) {
        let (_db, teams, ctx) = open(stage).await;
        let query = || Card::query(&ctx).sort(|c| c.n.asc());
        assert_eq!(query().await.unwrap().len(), 4);
        assert_eq!(take(&teams), [6]);
        assert_eq!(query().count().await.unwrap(), 4);
        assert_eq!(take(&teams), [6]);
        assert_eq!(query().stream().try_collect::<Vec<_>>().await.unwrap().len(), 4);
        assert_eq!(take(&teams), [6]);
        let page = query().page(3, None).await.unwrap();
        assert_eq!(page.items.iter().map(|card| card.n).collect::<Vec<_>>(), [0, 2, 3]);
        take(&teams);
        assert!(query().filter(|c| c.n.gt(100)).await.unwrap().is_empty());
        assert!(take(&teams).is_empty());
        let card = |n: usize| Id::parse(&format!("c{n}")).unwrap();
        assert!(Card::get(&ctx, &card(0)).await.unwrap().is_some());
        assert!(Card::get(&ctx, &card(1)).await.unwrap().is_none());
        assert_eq!(take(&teams), [1, 1]);
        assert!(Card::get(&ctx, &card(9)).await.unwrap().is_none());
        assert!(take(&teams).is_empty());
        let patch = CardPatch { n: Set(7), ..Default::default() };
        assert_eq!(Card::update(&ctx, &card(0), patch).await.unwrap().n, 7);
        assert!(Card::delete(&ctx, &card(2)).await.unwrap());
        assert_eq!(take(&teams), [1, 1]);
        let system = ctx.dangerously_bypass_permissions("a test");
        assert_eq!(Card::query(&system).await.unwrap().len(), 5);
        assert!(take(&teams).is_empty());
    }

    /// Its failure is the operation's: nothing is denied silently.
    async fn a_failure_is_the_operations(stage: Stage) {
        let (_db, teams, ctx) = open(stage).await;
        teams.0.lock().unwrap().fails = true;
        let id = Id::parse("c0").unwrap();
        assert!(Card::query(&ctx).await.unwrap_err().is_refused());
        assert!(Card::query(&ctx).count().await.unwrap_err().is_refused());
        assert!(Card::query(&ctx).page(2, None).await.unwrap_err().is_refused());
        assert!(Card::query(&ctx).stream().try_collect::<Vec<_>>().await.unwrap_err().is_refused());
        let error = Card::get(&ctx, &id).await.unwrap_err();
        assert!(error.is_refused());
        assert_eq!((error.model(), error.operation()), (Some("Card"), Some("get")));
        let patch = CardPatch { n: Set(7), ..Default::default() };
        assert!(Card::update(&ctx, &id, patch).await.unwrap_err().is_refused());
        assert!(Card::delete(&ctx, &id).await.unwrap_err().is_refused());
    }
}
