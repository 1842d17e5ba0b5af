//! Filters from outside: what is declared can be asked, typed and within limits; everything else is refused, with a
//! pointer and a rule, and no value. The numbers are those of the attacks that they stand for.

use bson::Decimal128;
use model_core::prelude::*;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{Shop, on_both_stores};
use crate::models::{Ctx, Project, User, open_policy};

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "snake_case")]
pub(crate) enum Status {
    Open,
    InWork,
    Done,
}

#[derive(Clone, Embedded)]
pub(crate) struct Place {
    #[model(filterable, sortable)]
    pub(crate) floor: i32,
    pub(crate) room: String,
}

/// A step of the work, in a list.
#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase")]
pub(crate) struct Step {
    #[model(lowercase, filterable(eq, ne, in_))]
    pub(crate) done_by: String,
    #[model(filterable)]
    pub(crate) hours: i32,
    pub(crate) remark: Option<String>,
    #[model(hidden)]
    pub(crate) cost: Option<i32>,
    #[model(default)]
    pub(crate) stops: Vec<Place>,
}

#[derive(Clone, Model)]
#[model(collection = "tickets", id_prefix = "tkt_")]
pub(crate) struct Ticket {
    #[model(id, filterable)]
    pub(crate) id: Id<Ticket>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    #[model(filterable(eq, in_))]
    pub(crate) status: Status,
    #[model(trim, lowercase, filterable(eq, starts_with), sortable)]
    pub(crate) title: String,
    #[model(rename = "storedPoints", filterable, sortable)]
    pub(crate) points: i32,
    #[model(filterable)]
    pub(crate) ratio: Option<f64>,
    #[model(filterable, default)]
    pub(crate) big: u64,
    #[model(filterable)]
    pub(crate) price: Option<Decimal128>,
    #[model(filterable)]
    pub(crate) project: Option<Id<Project>>,
    #[model(filterable)]
    pub(crate) uuid: Option<Uuid>,
    #[model(filterable)]
    pub(crate) due: Option<DateTime<Utc>>,
    #[model(filterable, default)]
    pub(crate) urgent: bool,
    #[model(lowercase, filterable, default)]
    pub(crate) tags: Vec<String>,
    pub(crate) place: Place,
    #[model(rename = "workSteps", default)]
    pub(crate) steps: Vec<Step>,
    #[model(hidden, default)]
    pub(crate) secret_steps: Vec<Step>,
    #[model(filterable(eq_ignore_case, starts_with_ignore_case, contains_ignore_case))]
    pub(crate) label: Option<String>,
    #[model(hidden)]
    pub(crate) vault: Option<Place>,
    #[model(hidden)]
    pub(crate) internal: Option<String>,
    pub(crate) token: Option<Encrypted<String>>,
    #[model(created_at, filterable, sortable)]
    pub(crate) created_at: DateTime<Utc>,
}

impl BaseModel for Ticket {
    type Actor = User;

    open_policy!(Self, Ctx);
}

async fn ticket(shop: &Shop, title: &str, status: Status, points: i32) -> Ticket {
    let new = NewTicket {
        status,
        title: title.into(),
        points,
        place: Place {
            floor: points % 3,
            room: "r".into(),
        },
        optional: NewTicketOptional {
            ratio: (points > 1).then_some(0.5),
            project: Some(Id::parse("prj_apollo").unwrap()),
            due: (points > 2).then_some(DateTime::UNIX_EPOCH),
            tags: Some(vec!["Red".into(), format!("n{points}")]),
            urgent: Some(points == 3),
            steps: Some(vec![step("Ada", points), step("Bob", 1)]),
            vault: Some(Place {
                floor: 7,
                room: "v".into(),
            }),
            internal: Some("canary".into()),
            label: Some(format!("Label.{title}")),
            token: Some(Secret::from("tok_canary_2")),
            ..Default::default()
        },
    };
    Ticket::create(&shop.admin, new).await.unwrap()
}

fn step(done_by: &str, hours: i32) -> Step {
    Step {
        done_by: done_by.into(),
        hours,
        remark: Some("canary".into()),
        cost: Some(9),
        stops: vec![Place {
            floor: hours,
            room: "r".into(),
        }],
    }
}

/// Three tickets, with 1, 2 and 3 points.
async fn tickets(shop: &Shop) -> Vec<Ticket> {
    let mut all = Vec::new();
    for (points, title, status) in [
        (1, "Alpha", Status::Open),
        (2, "Beta", Status::InWork),
        (3, "Gamma", Status::Done),
    ] {
        all.push(ticket(shop, title, status, points).await);
        shop.tick();
    }
    all
}

async fn points(query: model_core::Query<'_, Ticket>) -> Vec<i32> {
    query.await.unwrap().iter().map(|ticket| ticket.points).collect()
}

on_both_stores! {
    /// What is declared can be asked, each value as the field's own type, normalised as the field is.
    async fn declared_fields_can_be_asked(stage: Stage) {
        let shop = stage.shop().await;
        let all = tickets(&shop).await;
        let id = all[0].id.to_string();
        for (filter, expected) in [
            (json!({}), vec![1, 2, 3]),
            (json!({ "status": "in_work" }), vec![2]),
            (json!({ "status": { "in": ["open", "done"] } }), vec![1, 3]),
            (json!({ "title": "  BETA " }), vec![2]),
            (json!({ "title": { "starts_with": "GA" } }), vec![3]),
            (json!({ "title": { "starts_with": "." } }), vec![]),
            (json!({ "label": { "eq_ignore_case": "lABEL.aLPHA" } }), vec![1]),
            (json!({ "label": { "starts_with_ignore_case": "LABEL.", "contains_ignore_case": "L.B" } }), vec![2]),
            (json!({ "label": { "contains_ignore_case": ".*" } }), vec![]),
            (json!({ "storedPoints": { "gte": 2, "lt": 3 } }), vec![2]),
            (json!({ "ratio": { "exists": false } }), vec![1]),
            (json!({ "ratio": 0.5, "urgent": true }), vec![3]),
            (json!({ "due": "1970-01-01T00:00:00Z" }), vec![3]),
            (json!({ "id": id }), vec![1]),
            (json!({ "project": "prj_apollo", "tags": "RED" }), vec![1, 2, 3]),
            (json!({ "tags": { "not_in": ["n1", "N2"] } }), vec![3]),
            (json!({ "place.floor": 0 }), vec![3]),
            (json!({ "created_at": { "gt": "2026-03-01T09:00:00Z" } }), vec![2, 3]),
            (json!({ "or": [{ "storedPoints": 1 }, { "and": [{ "storedPoints": 3 }, { "not": { "urgent": false } }] }] }), vec![1, 3]),
            (json!({ "not": { "storedPoints": { "in": [1, 2] } } }), vec![3]),
            (json!({ "price": { "exists": true } }), vec![]),
            // Some element each, or one element both.
            (json!({ "workSteps.doneBy": "bob", "workSteps.hours": { "gte": 2 } }), vec![2, 3]),
            (json!({ "workSteps": { "any": { "doneBy": "bob", "hours": { "gte": 2 } } } }), vec![]),
            (json!({ "workSteps": { "any": { "doneBy": "ADA", "hours": { "gte": 2, "lt": 3 } } } }), vec![2]),
            (json!({ "workSteps": { "any": { "or": [{ "hours": 3 }, { "not": { "doneBy": { "in": ["ada", "bob"] } } }] } } }), vec![3]),
            (json!({ "not": { "workSteps": { "any": { "doneBy": "ada", "hours": 1 } } } }), vec![2, 3]),
            (json!({ "workSteps": { "any": { "doneBy": "ada", "stops": { "any": { "floor": 2 } } } } }), vec![2]),
            (json!({ "big": 0 }), vec![1, 2, 3]),
            (json!({ "uuid": "67e55044-10b1-426f-9247-bb680e5fe0c8" }), vec![]),
        ] {
            let made = Ticket::filter_from_value(&filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
            let query = Ticket::query(&shop.admin).matching(made).sort(|t| t.points.asc());
            assert_eq!(points(query).await, expected, "{filter}");
            let text = Ticket::filter_from_json(&filter.to_string()).unwrap();
            assert_eq!(Ticket::query(&shop.admin).matching(text).count().await.unwrap(), expected.len() as u64);
        }
        let other = Ticket::filter_from_value(&json!({ "storedPoints": { "gte": 0 } })).unwrap();
        assert_eq!(Ticket::query(&shop.rival).matching(other).count().await.unwrap(), 0, "the tenant's wall stands");
    }

    /// The same in a query string, with order and limit.
    async fn query_strings_say_the_same(stage: Stage) {
        let shop = stage.shop().await;
        tickets(&shop).await;
        for (text, expected) in [
            ("", vec![1, 2, 3]),
            ("?status=open&sort=title", vec![1]),
            ("storedPoints[gte]=2&sort=-storedPoints", vec![3, 2]),
            ("storedPoints%5Bgte%5D=2&sort=-created_at&limit=1", vec![3]),
            ("title=+beta%20&limit=5", vec![2]),
            ("status[in]=open,done&sort=storedPoints", vec![1, 3]),
            ("label[contains_ignore_case]=GAM&label[eq_ignore_case]=label.gamma", vec![3]),
            ("tags[in]=n1,n%32&sort=storedPoints", vec![1, 2]),
            ("tags=a%2Cb", vec![]),
            ("ratio[exists]=false&urgent=false", vec![1]),
            ("place.floor=2&due[exists]=false", vec![2]),
            ("created_at[lte]=2026-03-01T09%3A00%3A01Z&sort=place.floor,-storedPoints", vec![1, 2]),
            ("ratio=0.5&ratio[exists]=true&sort=-storedPoints&limit=1000000", vec![3, 2]),
        ] {
            let asked = Ticket::parse_query(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(points(asked.query(&shop.admin, 100)).await, expected, "{text}");
        }
        let asked = Ticket::parse_query("limit=1000000&sort=storedPoints").unwrap();
        assert_eq!(points(asked.query(&shop.admin, 2)).await, [1, 2], "at most what the handler allows");
    }

    /// Pages by the query string alone: each goes on where the one before ended, and a foreign place is refused.
    async fn a_query_string_asks_for_pages(stage: Stage) {
        let shop = stage.shop().await;
        tickets(&shop).await;
        let mut text = "sort=-storedPoints&limit=2".to_owned();
        let mut seen = Vec::new();
        for pages in 1.. {
            let page = Ticket::parse_query(&text).unwrap().page(&shop.admin, 100).await.unwrap();
            seen.extend(page.items.iter().map(|ticket| ticket.points));
            let Some(next) = page.next else {
                assert_eq!(pages, 2);
                break;
            };
            text = format!("sort=-storedPoints&limit=2&after={next}");
        }
        assert_eq!(seen, [3, 2, 1]);
        let most = Ticket::parse_query("limit=1000000").unwrap().page(&shop.admin, 1).await.unwrap();
        assert_eq!(most.items.len(), 1, "at most what the handler allows");
        let other = format!("sort=storedPoints&limit=2&{}", &text[text.find("after").unwrap()..]);
        let error = Ticket::parse_query(&other).unwrap().page(&shop.admin, 100).await.unwrap_err();
        assert!(error.is_invalid(), "{error}");
    }
}

/// What is said of a refusal: pointer and rule.
fn refused(filter: &serde_json::Value) -> String {
    let Err(error) = Ticket::filter_from_value(filter) else {
        panic!("not refused: {filter}");
    };
    assert!(error.is_invalid());
    assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    let violation = &error.violations()[0];
    format!("{} {}", violation.path, violation.rule)
}

/// Attack 38: operators, arrays and documents in the place of a value; and what a filter may not name at all.
#[test]
fn operators_do_not_enter() {
    for (filter, expected) in [
        (json!({ "workSteps": { "any": {} } }), "/workSteps/any empty"),
        (json!({ "workSteps": { "any": "x" } }), "/workSteps/any type"),
        (
            json!({ "workSteps": { "any": { "hours": 1 }, "eq": 1 } }),
            "/workSteps comparison",
        ),
        (
            json!({ "workSteps": { "any": { "remark": "canary" } } }),
            "/workSteps/any/remark unknown",
        ),
        (
            json!({ "workSteps": { "any": { "cost": 9 } } }),
            "/workSteps/any/cost unknown",
        ),
        (
            json!({ "workSteps": { "any": { "storedPoints": 1 } } }),
            "/workSteps/any/storedPoints unknown",
        ),
        (
            json!({ "workSteps": { "any": { "doneBy": { "gt": "a" } } } }),
            "/workSteps/any/doneBy/gt comparison",
        ),
        (
            json!({ "workSteps": { "any": { "$where": "canary" } } }),
            "/workSteps/any/$where unknown",
        ),
        (
            json!({ "workSteps": { "$elemMatch": { "hours": 1 } } }),
            "/workSteps unknown",
        ),
        (
            json!({ "secret_steps": { "any": { "hours": 1 } } }),
            "/secret_steps unknown",
        ),
        (json!({ "place": { "any": { "floor": 1 } } }), "/place unknown"),
        (
            json!({ "tags": { "any": { "eq": "red" } } }),
            "/tags/any comparison",
        ),
        (json!({ "title": { "$ne": null } }), "/title/$ne comparison"),
        (json!({ "$where": "canary" }), "/$where unknown"),
        (json!({ "$expr": {} }), "/$expr unknown"),
        (json!({ "$or": [{ "title": "canary" }] }), "/$or unknown"),
        (
            json!({ "title": { "$not": { "$regex": "canary" } } }),
            "/title/$not comparison",
        ),
        (
            json!({ "title": { "not": { "regex": "canary" } } }),
            "/title/not comparison",
        ),
        (
            json!({ "and": [{ "or": [{ "not": { "and": [{ "or": [{ "$where": "canary" }] }] } }] }] }),
            "/and/0/or/0/not/and/0/or/0/$where unknown",
        ),
        (json!({ "title": ["canary"] }), "/title scalar"),
        (json!({ "title": {} }), "/title empty"),
        (json!({ "title": null }), "/title scalar"),
        (json!({ "title": { "eq": { "canary": 1 } } }), "/title/eq scalar"),
        (json!({ "status": { "in": [["canary"]] } }), "/status/in/0 scalar"),
        (json!({ "status": { "in": "open" } }), "/status/in type"),
        (json!({ "status": { "gt": "open" } }), "/status/gt comparison"),
        (json!({ "status": "canary" }), "/status type"),
        (json!({ "storedPoints": "canary" }), "/storedPoints type"),
        (json!({ "storedPoints": 2_147_483_648_i64 }), "/storedPoints type"),
        (json!({ "points": 1 }), "/points unknown"),
        (json!({ "due": "canary" }), "/due type"),
        (json!({ "id": "prj_canary" }), "/id type"),
        (json!({ "ratio": { "exists": "canary" } }), "/ratio/exists type"),
        (
            json!({ "title": { "starts_with": { "$gt": "canary" } } }),
            "/title/starts_with scalar",
        ),
        (
            json!({ "title": { "starts_with": 5 } }),
            "/title/starts_with type",
        ),
        (json!({ "or": [] }), "/or empty"),
        (json!({ "or": { "title": "canary" } }), "/or type"),
        (json!({ "not": "canary" }), "/not type"),
        (json!(["canary"]), " type"),
        (json!({ "a/b~c": "canary" }), "/a~1b~0c unknown"),
    ] {
        assert_eq!(refused(&filter), expected);
    }
    let key = "k".repeat(5_000);
    assert_eq!(
        refused(&json!({ key: 1 })),
        format!("/{} unknown", "k".repeat(64))
    );
}

/// Attack 42: no oracle on what is secret or hidden, or in what is hidden; and a prefix is no pattern.
#[test]
fn secrets_cannot_be_asked_about() {
    for name in [
        "token",
        "internal",
        "vault",
        "vault.floor",
        "organization",
        "place",
        "place.room",
        "_id",
        "_rev",
    ] {
        assert_eq!(refused(&json!({ name: "canary" })), format!("/{name} unknown"));
        assert_eq!(
            refused(&json!({ name: { "starts_with": "c" } })),
            format!("/{name} unknown")
        );
        let error = Ticket::parse_query(&format!("sort=-{name}")).unwrap_err();
        assert_eq!(
            (&*error.violations()[0].path, &*error.violations()[0].rule),
            ("/sort", "unknown")
        );
    }
    assert_eq!(
        refused(&json!({ "title": { "starts_with": "a".repeat(4_097) } })),
        "/title/starts_with length"
    );
    assert_eq!(
        refused(&json!({ "title": { "starts_with": "\0" } })),
        "/title/starts_with length"
    );
    let pattern = Ticket::filter_from_value(&json!({ "title": { "starts_with": ".*(a+)+$" } }));
    assert!(pattern.is_ok(), "it is text");
}

/// Runs it with the stack of a small thread: a deep recursion would end the process.
fn at_once<R: Send>(run: impl Fn() -> R + Sync) -> R {
    std::thread::scope(|scope| {
        let small = std::thread::Builder::new().stack_size(1024 * 1024);
        small.spawn_scoped(scope, &run).unwrap().join().unwrap()
    })
}

/// Attack 43: bombs are refused by their length and their limits, before anything recurses.
#[test]
fn bombs_are_refused_at_once() {
    let deep = format!("{}{{}}{}", "{\"not\":".repeat(10_000), "}".repeat(10_000));
    assert!(
        at_once(|| Ticket::filter_from_json(&deep))
            .unwrap_err()
            .is_invalid()
    );
    let wide = format!("{{\"storedPoints\":{{\"in\":[{}0]}}}}", "0,".repeat(1_000_000));
    let error = at_once(|| Ticket::filter_from_json(&wide)).unwrap_err();
    assert_eq!(&*error.violations()[0].rule, "length");
    let mut nested = json!({});
    for _ in 0..2_000 {
        nested = json!({ "not": nested });
    }
    assert_eq!(at_once(|| refused(&nested)), "/not/not/not/not/not/not/not depth");
    let mut allowed = json!({ "storedPoints": 1 });
    for _ in 0..6 {
        allowed = json!({ "not": allowed });
    }
    assert!(Ticket::filter_from_value(&allowed).is_ok());
    let values = json!({ "storedPoints": { "in": vec![0; 1_000_000] } });
    assert_eq!(at_once(|| refused(&values)), "/storedPoints/in values");
    assert!(Ticket::filter_from_value(&json!({ "storedPoints": { "in": vec![0; 1_000] } })).is_ok());
    let many = json!({ "or": (0..40).map(|n| json!({ "storedPoints": n })).collect::<Vec<_>>() });
    assert_eq!(at_once(|| refused(&many)), "/or/31/storedPoints nodes");
    let any = json!({ "or": vec![json!({}); 100_000] });
    assert_eq!(at_once(|| refused(&any)), "/or nodes");
    assert_eq!(refused(&json!({ "title": "a".repeat(4_097) })), "/title length");
    for text in [
        "title=1&".repeat(1_000_000),
        format!("status[in]={}", "open,".repeat(2_000)),
        (0..100).map(|n| format!("x{n}=1&")).collect(),
        format!("title={}", "%61".repeat(5_000)),
        format!("sort={}", "title,".repeat(10_000)),
        format!("{}=1", "a[".repeat(30_000)),
    ] {
        assert!(at_once(|| Ticket::parse_query(&text)).unwrap_err().is_invalid());
    }
}

/// What else a query string may not say.
#[test]
fn query_strings_are_refused_with_a_pointer() {
    for (text, expected) in [
        ("title[$ne]=canary", "/title/$ne comparison"),
        ("title[$regex]=canary", "/title/$regex comparison"),
        ("title[eq][x]=canary", "/title/eq][x comparison"),
        ("title[]=canary", "/title/ comparison"),
        ("$where=canary", "/$where unknown"),
        ("token=canary", "/token unknown"),
        ("title=canary&title=b", "/title repeated"),
        ("urgent=canary", "/urgent type"),
        ("storedPoints=canary", "/storedPoints type"),
        ("storedPoints=[1]", "/storedPoints type"),
        ("ratio[exists]=canary", "/ratio/exists type"),
        ("limit=0", "/limit limit"),
        ("limit=-1", "/limit limit"),
        ("limit=canary", "/limit limit"),
        ("sort=token", "/sort unknown"),
        ("sort=title,-title", "/sort sort"),
        ("sort=", "/sort unknown"),
        ("title=%zz", "/title encoding"),
        ("title=%ff", "/title encoding"),
        ("%ff=1", " encoding"),
    ] {
        let error = Ticket::parse_query(text).expect_err(text);
        let violation = &error.violations()[0];
        assert_eq!(
            format!("{} {}", violation.path, violation.rule),
            expected,
            "{text}"
        );
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
}
