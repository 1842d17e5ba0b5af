//! Facets: several answers about the same documents, made by the server, by the embedded store, or from what was read.

use bson::doc;
use model_core::prelude::*;
use model_core::query::Group;
use model_core::testing;

use crate::harness::{Stage, on_both_stores};

#[derive(Clone)]
struct Clerk {
    all: bool,
}

impl Actor for Clerk {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("clerk")
    }
}

type Ctx = Context<Clerk>;

#[derive(Clone, Model)]
#[model(collection = "tickets", id = string, soft_delete)]
struct Ticket {
    #[model(id)]
    id: Id<Ticket>,
    #[model(tenant)]
    organization: TenantId,
    state: String,
    points: Option<i64>,
    #[model(default)]
    tags: Vec<String>,
    #[model(hidden, default = 1)]
    rank: i64,
    #[model(blind_index)]
    pin: Option<Encrypted<String>>,
    #[model(default = true)]
    readable: bool,
}

/// It is read where `can_read` has to be asked, and the store answers where permissions are bypassed.
impl BaseModel for Ticket {
    type Actor = Clerk;

    fn can_read(&self, ctx: &Ctx) -> bool {
        ctx.actor().all || self.readable
    }

    fn can_create(&self, _ctx: &Ctx) -> bool {
        true
    }

    fn can_update(&self, _ctx: &Ctx, _after: &Self) -> bool {
        true
    }

    fn can_delete(&self, _ctx: &Ctx) -> bool {
        true
    }
}

#[derive(Clone, PartialEq, Embedded)]
struct PerState {
    state: String,
    count: u32,
    points: i64,
}

#[derive(Clone, PartialEq, Embedded)]
struct PerTag {
    tag: String,
    count: i64,
}

#[derive(Projection)]
#[projection(of = Ticket)]
struct Line {
    id: Id<Ticket>,
    points: Option<i64>,
    rank: i64,
    pin: Option<Encrypted<String>>,
}

async fn open(stage: Stage) -> Db {
    let builder = stage
        .builder()
        .keys(testing::keyring().unwrap())
        .model::<Ticket>();
    let db = builder.build_lazy().unwrap();
    db.sync_indexes(model_core::SyncOptions::default()).await.unwrap();
    for n in 0..40_i64 {
        let mut ticket = doc! {
            "_id": format!("t{n:02}"), "organization": if n % 10 == 9 { "globex" } else { "acme" }, "rank": n,
            "readable": n % 7 != 0, "tags": if n % 2 == 0 { vec!["a", "b"] } else { vec!["b"] },
        };
        ticket.insert("state", ["open", "done", "held"][usize::try_from(n % 3).unwrap()]);
        if n % 4 != 0 {
            ticket.insert("points", n % 5);
        }
        if n == 13 {
            ticket.insert("_deleted_at", bson::DateTime::from_millis(1));
        }
        testing::store_raw(&db, "tickets", &ticket).await.unwrap();
    }
    db
}

fn context(db: &Db, tenant: &str, all: bool) -> Ctx {
    db.context(TenantId::new(tenant).unwrap(), Clerk { all })
}

type Answers = (Vec<PerState>, Vec<PerTag>, Vec<String>, Vec<String>, u64);

fn ids(lines: Vec<Line>) -> Vec<String> {
    lines.into_iter().map(|line| line.id.to_string()).collect()
}

async fn answers(ctx: &Ctx, limit: u64) -> Result<Answers> {
    let (states, tags, best, rest, count) = Ticket::query(ctx)
        .filter(|t| t.readable.eq(true))
        .sort(|t| t.id.desc())
        .skip(1)
        .limit(limit)
        .facet(|f| {
            (
                f.group::<PerState>(|t, row| {
                    Group::by(&row.state, &t.state)
                        .count(&row.count)
                        .sum(&row.points, &t.points)
                })
                .filter(|row| row.count.gt(1))
                .sort(|row| row.count.desc().then(row.state.asc()))
                .limit(2),
                f.group::<PerTag>(|t, row| Group::by(&row.tag, &t.tags).unwind(&t.tags).count(&row.count))
                    .sort(|row| row.tag.asc())
                    .skip(1),
                f.select::<Line>()
                    .filter(|t| t.state.ne("held"))
                    .sort(|t| t.points.desc().then(t.id.asc()))
                    .skip(1)
                    .limit(4),
                f.select::<Line>().limit(3),
                f.count(),
            )
        })
        .await?;
    Ok((states, tags, ids(best), ids(rest), count))
}

on_both_stores! {
    /// Read, or made by the store: the same answers. And by hand: what the documents say.
    async fn whoever_answers_the_answers_are_the_same(stage: Stage) {
        let db = open(stage).await;
        let read = context(&db, "acme", false);
        let stored = read.dangerously_bypass_permissions("a test");
        for limit in [0, 1, 20, 100] {
            let all = answers(&read, limit).await.unwrap();
            assert_eq!(all, answers(&stored, limit).await.unwrap(), "{limit}: read, answered by the store");
            let inside = stored.transaction(|tx| async move { answers(&tx, limit).await }).await.unwrap();
            assert_eq!(all, inside);
            let tickets = Ticket::query(&read).sort(|t| t.id.desc()).skip(1).limit(limit).await.unwrap();
            assert_eq!(all.4, tickets.len() as u64);
            let first: Vec<_> = tickets.iter().take(3).map(|ticket| ticket.id.to_string()).collect();
            assert_eq!(all.3, first, "in the order of the query");
            let mut best: Vec<_> = tickets.iter().filter(|ticket| ticket.state != "held").collect();
            best.sort_by_key(|ticket| (std::cmp::Reverse(ticket.points), ticket.id.to_string()));
            let best: Vec<_> = best.iter().skip(1).take(4).map(|ticket| ticket.id.to_string()).collect();
            assert_eq!(all.2, best);
            for row in &all.0 {
                let points = tickets.iter().filter(|ticket| ticket.state == row.state).filter_map(|ticket| ticket.points);
                assert_eq!(row.points, points.sum::<i64>());
            }
            assert_eq!(all.1.len(), usize::from(limit > 1));
        }
        let theirs = answers(&context(&db, "globex", true), 100).await.unwrap();
        assert_eq!(theirs.4, 3, "t29 and t09 and one that was skipped; t49 there is none: {theirs:?}");
    }

    /// A branch without room, and what a bypass, a denial and a soft delete make of it.
    async fn what_may_not_be_read_is_in_no_branch(stage: Stage) {
        let db = open(stage).await;
        let count = async |ctx: &Ctx| Ticket::query(ctx).facet(|f| (f.count(),)).await.unwrap().0;
        let clerk = context(&db, "acme", false);
        let boss = context(&db, "acme", true);
        assert_eq!((count(&clerk).await, count(&boss).await), (29, 35));
        assert_eq!(count(&clerk.dangerously_bypass_permissions("a test")).await, 35);
        for ctx in [&boss, &boss.dangerously_bypass_permissions("a test")] {
            let (none, rows, one) = Ticket::query(ctx)
                .facet(|f| {
                    let rows = f.group::<PerTag>(|t, row| Group::by(&row.tag, &t.state).count(&row.count));
                    (f.select::<Line>().limit(0), rows.limit(0), f.select::<Line>().sort(|t| t.id.asc()).limit(1))
                })
                .await
                .unwrap();
            assert_eq!((none.len(), rows.len(), ids(one)), (0, 0, vec!["t00".to_owned()]));
            let arrays = Ticket::query(ctx).facet(|f| {
                (f.group::<PerTag>(|t, row| Group::by(&row.tag, &t.tags).count(&row.count)),)
            });
            assert!(arrays.await.unwrap_err().is_invalid(), "an array is unwound first");
        }
        let other = context(&db, "initech", true);
        assert_eq!(count(&other).await, 0);
    }

    /// A secret is looked for by its token, and comes sealed; the view shows what the model's would.
    async fn secrets_stay_secrets(stage: Stage) {
        let db = open(stage).await;
        let clerk = context(&db, "acme", false);
        let new = NewTicket {
            state: "open".into(),
            optional: NewTicketOptional { pin: Some(Secret::from("4711")), ..Default::default() },
        };
        let created = Ticket::create(&clerk, new).await.unwrap();
        for ctx in [&clerk, &clerk.dangerously_bypass_permissions("a test")] {
            let facet = Ticket::query(ctx).facet(|f| (f.select::<Line>().filter(|t| t.pin.eq("4711")), f.count()));
            let (mut found, all) = facet.await.unwrap();
            assert!(all > 10);
            assert_eq!(found.len(), 1);
            let line = found.remove(0);
            assert_eq!(line.id, created.id);
            assert_eq!(line.pin.as_ref().unwrap().reveal(ctx).await.unwrap().expose(), "4711");
            assert!(serde_json::to_value(line.into_view(&clerk)).unwrap().get("rank").is_none());
        }
    }
}
