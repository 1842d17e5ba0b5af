//! Contract L 44 and 45: virtuals in the view, stored names, timestamps, defaults.

use bson::doc;
use model_core::ModelExt;
use model_core::prelude::*;
use model_core::testing;
use serde_json::json;

use crate::harness::{Stage, on_both_stores};
use crate::models::{Ctx, User, open_policy};

/// Renamed in both ways, with virtuals and with both timestamps optional and renamed.
#[derive(Clone, Model)]
#[model(collection = "people", rename_all = "camelCase", virtuals(full_name: String, nick_name: Option<String>))]
struct Person {
    #[model(id, rename = "key")]
    id: Id<Person>,
    #[model(tenant, rename = "org")]
    organization: TenantId,
    first_name: String,
    last_name: String,
    #[model(rename = "n")]
    nick: Option<String>,
    #[model(hidden, default_with = first_login)]
    login_count: u32,
    #[model(default = "en")]
    language: String,
    #[model(default = vec!["new".to_owned()])]
    labels: Vec<String>,
    home: Address,
    #[model(created_at, rename = "born")]
    created_at: Option<DateTime<Utc>>,
    #[model(updated_at)]
    last_change: Option<DateTime<Utc>>,
}

fn first_login() -> u32 {
    1
}

impl Person {
    fn full_name(&self) -> String {
        // It sees what the view does not show.
        format!("{} {} ({})", self.first_name, self.last_name, self.login_count)
    }

    fn nick_name(&self) -> Option<String> {
        self.nick.clone()
    }
}

impl BaseModel for Person {
    type Actor = User;

    open_policy!(Self, Ctx);
}

#[derive(Clone, Embedded)]
#[model(rename_all = "kebab-case", virtuals(line: String))]
struct Address {
    street_name: String,
    #[model(default = 1)]
    house_number: u32,
    #[model(hidden)]
    door_code: Option<String>,
}

impl Address {
    fn line(&self) -> String {
        format!("{} {}", self.street_name, self.house_number)
    }
}

/// Only when it changed.
#[derive(Clone, Model)]
#[model(collection = "stamps")]
struct Stamped {
    #[model(id)]
    id: Id<Stamped>,
    #[model(tenant)]
    organization: TenantId,
    text: String,
    #[model(skip_updated_at, default)]
    seen: u32,
    #[model(updated_at, rename = "changed")]
    at: DateTime<Utc>,
}

impl BaseModel for Stamped {
    type Actor = User;

    open_policy!(Self, Ctx);
}

fn new_person() -> NewPerson {
    NewPerson {
        first_name: "Ada".into(),
        last_name: "Lovelace".into(),
        home: Address {
            street_name: "Main".into(),
            house_number: 7,
            door_code: Some("secret".into()),
        },
        optional: NewPersonOptional::default(),
    }
}

async fn open(stage: Stage) -> (Db, model_core::testing::FixedClock, Context<User>) {
    let clock = stage.clock.clone();
    let db = stage
        .builder()
        .clock(clock.clone())
        .model::<Person>()
        .model::<Stamped>()
        .build()
        .await
        .unwrap();
    let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
    (db, clock, ctx)
}

on_both_stores! {
    /// The view has the methods' results under their names, and not what is hidden or absent.
    async fn virtuals_stand_in_the_view(stage: Stage) {
        let (_, _, ctx) = open(stage).await;
        let created = Person::create(&ctx, new_person()).await.unwrap();
        let id = created.id.to_string();
        let shown = serde_json::to_value(created.into_view(&ctx)).unwrap();
        let expected = json!({
            "key": id, "org": "acme", "firstName": "Ada", "lastName": "Lovelace", "language": "en", "labels": ["new"],
            "home": { "street-name": "Main", "house-number": 7, "line": "Main 7" },
            "born": "2026-03-01T09:00:00Z", "lastChange": "2026-03-01T09:00:00Z", "fullName": "Ada Lovelace (1)",
        });
        assert_eq!(shown, expected);
    }

    /// A virtual is an output: sent back, it is refused like any key that is no field.
    async fn virtuals_are_not_stored(stage: Stage) {
        let (db, _, ctx) = open(stage).await;
        let created = Person::create(&ctx, new_person()).await.unwrap();
        let stored = testing::stored(&db, "people").await.unwrap().remove(0);
        assert!(!stored.contains_key("fullName") && !stored.get_document("home").unwrap().contains_key("line"));
        let mut shown = serde_json::to_value(created.clone().into_view(&ctx)).unwrap();
        shown.as_object_mut().unwrap().remove("org");
        let error = PersonPatch::from_json(&shown.to_string()).unwrap_err();
        let mut paths: Vec<_> = error.violations().iter().map(|v| v.path.as_str()).collect();
        paths.sort_unstable();
        assert_eq!(paths, ["fullName", "home.line"]);
        shown.as_object_mut().unwrap().remove("fullName");
        shown["home"].as_object_mut().unwrap().remove("line");
        let patch = PersonPatch::from_json(&shown.to_string()).unwrap();
        Person::update(&ctx, &created.id, patch).await.unwrap();
        assert_eq!(testing::stored(&db, "people").await.unwrap().remove(0), stored);
    }

    /// Stored names: `rename` before `rename_all`, the id as `_id`, the JSON key of the id as it says.
    async fn stored_names_follow_the_attributes(stage: Stage) {
        let (db, _, ctx) = open(stage).await;
        let mut new = new_person();
        new.optional.nick = Some("ada".into());
        Person::create(&ctx, new).await.unwrap();
        let stored = testing::stored(&db, "people").await.unwrap().remove(0);
        let keys: Vec<_> = stored.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            ["_id", "org", "firstName", "lastName", "n", "loginCount", "language", "labels", "home", "born", "lastChange", "_rev"]
        );
        let home = doc! { "street-name": "Main", "house-number": 7_i64, "door-code": "secret" };
        assert_eq!(stored.get_document("home").unwrap(), &home);
        let found = Person::query(&ctx).filter(|p| p.nick.eq("ada") & p.home.street_name.eq("Main")).await.unwrap();
        assert_eq!(found.len(), 1);
        let none = PersonPatch::from_json(r#"{"first_name": "x", "nick": "y", "_id": 1}"#).unwrap_err();
        assert_eq!(none.violations().len(), 3, "{none}");
    }

    /// Defaults: a value, an expression, a function, nested; each document has its own; none on an update.
    async fn defaults_fill_in(stage: Stage) {
        let (_, _, ctx) = open(stage).await;
        let json = r#"{"firstName": "A", "lastName": "B", "home": {"street-name": "S"}}"#;
        let first = Person::create(&ctx, NewPerson::from_json(json).unwrap()).await.unwrap();
        assert_eq!((first.login_count, first.language.as_str(), first.home.house_number), (1, "en", 1));
        let mut new = new_person();
        new.optional = NewPersonOptional { labels: Some(vec![]), language: Some(String::new()), login_count: Some(0), ..Default::default() };
        let second = Person::create(&ctx, new).await.unwrap();
        assert_eq!((second.login_count, second.language.as_str(), second.labels.len()), (0, "", 0));
        let patch = PersonPatch { labels: Set(vec!["x".into()]), ..Default::default() };
        Person::update(&ctx, &first.id, patch).await.unwrap();
        let third = Person::create(&ctx, new_person()).await.unwrap();
        assert_eq!(third.labels, ["new"]);
        let patch = PersonPatch { home: Merge(AddressPatch { street_name: Set("T".into()), ..Default::default() }), ..Default::default() };
        let updated = Person::update(&ctx, &second.id, patch).await.unwrap();
        assert_eq!((updated.home.house_number, updated.language.as_str()), (7, ""), "an update gives no defaults");
    }

    /// Timestamps renamed and optional are kept; a document without them can be read and changed.
    async fn timestamps_may_be_optional_and_renamed(stage: Stage) {
        let (db, clock, ctx) = open(stage).await;
        let created = Person::create(&ctx, new_person()).await.unwrap();
        assert_eq!(created.created_at, created.last_change);
        clock.advance(chrono::TimeDelta::seconds(5));
        let patch = PersonPatch { first_name: Set("Eve".into()), ..Default::default() };
        let updated = Person::update(&ctx, &created.id, patch).await.unwrap();
        assert_eq!(updated.created_at, created.created_at);
        assert_eq!((updated.last_change.unwrap() - created.last_change.unwrap()).num_seconds(), 5);
        let foreign = doc! {
            "_id": bson::oid::ObjectId::from_bytes([7; 12]), "org": "acme", "firstName": "F", "lastName": "G",
            "loginCount": 3, "language": "de", "labels": [], "home": { "street-name": "H", "house-number": 2 },
        };
        testing::store_raw(&db, "people", &foreign).await.unwrap();
        let id = Id::parse(&bson::oid::ObjectId::from_bytes([7; 12]).to_hex()).unwrap();
        let read = Person::fetch(&ctx, &id).await.unwrap();
        assert!(read.created_at.is_none() && read.last_change.is_none());
        let patch = PersonPatch { language: Set("fr".into()), ..Default::default() };
        let updated = Person::update(&ctx, &id, patch).await.unwrap();
        assert!(updated.created_at.is_none() && updated.last_change.is_some());
        let read = Person::fetch(&ctx, &id).await.unwrap();
        assert_eq!(format!("{read:?}"), format!("{updated:?}"));
    }

    /// A model without `created_at`; a field that does not move `updated_at`, alone and together with one that does.
    async fn a_skipped_field_does_not_move_updated_at(stage: Stage) {
        let (_, clock, ctx) = open(stage).await;
        let new = NewStamped { text: "a".into(), optional: Default::default() };
        let created = Stamped::create(&ctx, new).await.unwrap();
        clock.advance(chrono::TimeDelta::seconds(5));
        let patch = StampedPatch { seen: Set(1), ..Default::default() };
        let seen = Stamped::update(&ctx, &created.id, patch).await.unwrap();
        assert_eq!((seen.seen, seen.at), (1, created.at));
        assert_eq!(Stamped::fetch(&ctx, &created.id).await.unwrap().at, created.at);
        let patch = StampedPatch { seen: Set(2), text: Set("b".into()), ..Default::default() };
        let both = Stamped::update(&ctx, &created.id, patch).await.unwrap();
        assert_eq!((both.at - created.at).num_seconds(), 5);
        let json = r#"{"text": "c", "changed": "2020-01-01T00:00:00Z"}"#;
        let patch = StampedPatch::from_json(json).unwrap();
        let error = Stamped::update(&ctx, &created.id, patch).await.unwrap_err();
        assert_eq!(error.violations()[0].path, "changed");
    }
}
