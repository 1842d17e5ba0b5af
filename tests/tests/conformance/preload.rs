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

    fn can_create(&self, ctx: &Ctx) -> bool {
        self.can_read(ctx)
    }

    fn can_update(&self, ctx: &Ctx, after: &Self) -> bool {
        self.can_read(ctx) && after.can_read(ctx)
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
        assert_eq!(take(&teams), [1, 1], "before and after");
        assert!(Card::delete(&ctx, &card(2)).await.unwrap());
        assert_eq!(take(&teams), [1]);
        let system = ctx.dangerously_bypass_permissions("a test");
        assert_eq!(Card::query(&system).await.unwrap().len(), 5);
        assert!(take(&teams).is_empty());
    }

    /// Of a write of many documents: once for what is there, once for what is to be; no document gets lost on the way.
    async fn a_batch_of_writes_is_loaded_at_once(stage: Stage) {
        let (db, teams, ctx) = open(stage).await;
        let new = |team: &str, n| NewCard { team: team.into(), optional: NewCardOptional { n: Some(n) } };
        let created = Card::create_many(&ctx, (10..40).map(|n| new(["green", "pink"][n % 2], i32::try_from(n).unwrap()))).await.unwrap();
        assert_eq!(created.iter().map(|card| card.n).collect::<Vec<_>>(), (10..40).collect::<Vec<_>>());
        assert_eq!(take(&teams), [30]);
        assert_eq!(Card::create(&ctx, new("green", 40)).await.unwrap().n, 40);
        assert_eq!(take(&teams), [1]);
        assert!(Card::create(&ctx, new("secret", 41)).await.unwrap_err().is_forbidden());
        let error = Card::create_many(&ctx, [new("green", 41), new("secret", 42)]).await.unwrap_err();
        assert!(error.is_forbidden());
        assert_eq!(error.position(), Some(1));
        take(&teams);
        // Unreadable ones are passed over, and moved cards are asked about where they go to.
        let rename = CardPatch { team: Set("orange".into()), ..Default::default() };
        let report = Card::update_many(&ctx, |c| c.n.lt(20), rename).await.unwrap();
        assert_eq!((report.matched, report.written), (14, 14));
        assert_eq!(take(&teams), [16, 14]);
        let secret = CardPatch { team: Set("secret".into()), ..Default::default() };
        assert!(Card::update_many(&ctx, |c| c.n.lt(20), secret).await.unwrap_err().is_forbidden());
        take(&teams);
        let (first, second) = (created[20].id.clone(), created[21].id.clone());
        let bulk = Card::bulk(&ctx)
            .create(new("green", 50))
            .delete(first.clone())
            .update(second.clone(), CardPatch { n: Set(60), ..Default::default() });
        bulk.await.unwrap();
        assert_eq!(take(&teams), [2, 2], "two there are, and two there will be");
        let stored = testing::stored(&db, "cards").await.unwrap();
        let n = |id: &Id<Card>| stored.iter().find(|card| card.get("_id") == Some(&id.to_bson())).map(|card| card.get_i32("n").unwrap());
        assert_eq!((n(&first), n(&second), n(&created[22].id)), (None, Some(60), Some(32)));
        let deleted = Card::delete_many(&ctx, |c| c.n.gte(30)).await.unwrap();
        assert_eq!(deleted.written, 11);
        assert_eq!(take(&teams), [11]);
        let system = ctx.dangerously_bypass_permissions("a test");
        Card::create_many(&system, [new("secret", 1), new("secret", 2)]).await.unwrap();
        assert!(take(&teams).is_empty());
        teams.0.lock().unwrap().fails = true;
        assert!(Card::create_many(&ctx, [new("green", 1), new("green", 2)]).await.unwrap_err().is_refused());
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
