//! Blind indexes over secrets inside of embedded structs: everything that is so of a field of the model's own.

use bson::{Bson, Document};
use model_core::crypto::Purpose;
use model_core::prelude::*;
use model_core::testing;
use model_core::{DbBuilder, ModelExt, SyncOptions};

use crate::harness::{Stage, on_both_stores};
use crate::models::{Ctx, User, open_policy};

/// Where somebody is reached.
#[derive(Clone, Embedded)]
struct Contact {
    #[model(trim, blind_index(unique, normalize = "email"))]
    email: Option<Encrypted<String>>,
    #[model(rename = "tel", blind_index(normalize = "digits", bits = 8))]
    phone: Option<Encrypted<String>>,
    note: Option<String>,
}

/// Who somebody is.
#[derive(Clone, Embedded)]
struct Profile {
    #[model(rename = "c")]
    contact: Contact,
    #[model(blind_index(unique, scope = "global"))]
    login: Option<Encrypted<String>>,
}

/// Somebody.
#[derive(Clone, Model)]
#[model(collection = "members")]
struct Person {
    #[model(id)]
    id: Id<Person>,
    #[model(tenant)]
    organization: TenantId,
    name: String,
    #[model(blind_index)]
    code: Option<Encrypted<String>>,
    profile: Option<Profile>,
}

impl BaseModel for Person {
    type Actor = User;

    open_policy!(Self, Ctx);
}

/// One of many people, whose addresses no index can be over.
#[derive(Clone, Model)]
#[model(collection = "crowds", global)]
struct Crowd {
    #[model(id)]
    id: Id<Crowd>,
    contacts: Vec<Contact>,
}

impl BaseModel for Crowd {
    type Actor = User;

    open_policy!(Self, GlobalContext<User>);
}

struct House {
    db: Db,
    clock: testing::FixedClock,
    ctx: Ctx,
    rival: Ctx,
}

async fn house(stage: Stage) -> House {
    let clock = stage.clock.clone();
    let builder = stage.builder().keys(testing::keyring().unwrap());
    let db = builder
        .clock(clock.clone())
        .model::<Person>()
        .build_lazy()
        .unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    let of = |tenant: &str| db.context(TenantId::new(tenant).unwrap(), User::admin("ada"));
    House {
        ctx: of("acme"),
        rival: of("globex"),
        clock,
        db,
    }
}

fn contact(email: Option<&str>, phone: Option<&str>) -> Contact {
    Contact {
        email: email.map(Encrypted::new),
        phone: phone.map(Encrypted::new),
        note: None,
    }
}

fn person(name: &str, profile: Option<Profile>) -> NewPerson {
    NewPerson {
        name: name.into(),
        optional: NewPersonOptional {
            code: Some(Secret::from("code")),
            profile,
        },
    }
}

fn profile(email: &str, phone: &str, login: Option<&str>) -> Option<Profile> {
    Some(Profile {
        contact: contact(Some(email), Some(phone)),
        login: login.map(Encrypted::new),
    })
}

impl House {
    async fn named(&self, ctx: &Ctx, filter: Filter<Person>) -> Vec<String> {
        let found = Person::query(ctx)
            .matching(filter)
            .sort(|p| p.name.asc())
            .await
            .unwrap();
        found.into_iter().map(|person| person.name).collect()
    }

    async fn by_email(&self, email: &str) -> Vec<String> {
        let filter = Person::filter(|p| p.profile.contact.email.eq(email));
        self.named(&self.ctx, filter).await
    }

    async fn stored(&self) -> Vec<Document> {
        testing::stored(&self.db, "members").await.unwrap()
    }

    async fn rotate(&self) {
        let keys = self.db.keys(ActorIdentity::system("rotation"));
        let id = keys
            .stage(Purpose::BlindIndex, Some(&TenantId::new("acme").unwrap()))
            .await
            .unwrap();
        self.clock.advance(chrono::TimeDelta::minutes(15));
        keys.promote(id).await.unwrap();
    }
}

/// What lies at a dotted path.
fn at<'a>(document: &'a Document, path: &str) -> Option<&'a Bson> {
    let (first, rest) = path
        .split_once('.')
        .map_or((path, None), |(first, rest)| (first, Some(rest)));
    match (document.get(first), rest) {
        (Some(Bson::Document(inner)), Some(rest)) => at(inner, rest),
        (found, None) => found,
        _ => None,
    }
}

/// The keys that the tokens at a path were made with.
fn versions(document: &Document, path: &str) -> Option<Vec<u8>> {
    let tokens = at(document, &format!("_bi.{path}"))?.as_array()?;
    let version = |token: &Bson| match token {
        Bson::Binary(token) => token.bytes[0],
        other => panic!("no token: {other}"),
    };
    Some(tokens.iter().map(version).collect())
}

on_both_stores! {
    /// Found by equality, after the index's own and the field's normalisers, in the tenant alone, and sifted.
    async fn a_nested_value_is_found_by_its_token(stage: Stage) {
        let house = house(stage).await;
        Person::create(&house.ctx, person("ada", profile(" Canary@X.com ", "+49 30", None))).await.unwrap();
        Person::create(&house.ctx, person("bob", profile("bob@x.com", "555", None))).await.unwrap();
        Person::create(&house.ctx, person("eve", None)).await.unwrap();
        Person::create(&house.rival, person("rita", profile("canary@x.com", "555", None))).await.unwrap();
        assert_eq!(house.by_email("CANARY@x.COM").await, ["ada"]);
        assert!(house.by_email("nobody@x.com").await.is_empty());
        let filter = Person::filter(|p| p.profile.contact.email.in_(["canary@x.com", "bob@x.com"]) & p.code.eq("code"));
        assert_eq!(house.named(&house.ctx, filter).await, ["ada", "bob"]);
        let filter = Person::filter(|p| !p.profile.contact.email.eq("canary@x.com"));
        assert_eq!(house.named(&house.ctx, filter).await, ["bob", "eve"]);
        // Of 256 tokens, the second value shares one with nobody here, or is sifted out.
        let filter = Person::filter(|p| p.profile.contact.phone.eq("(49)-30"));
        assert_eq!(house.named(&house.ctx, filter).await, ["ada"]);
        let filter = Person::filter(|p| p.profile.contact.phone.in_(["4930", "555"]));
        assert_eq!(Person::query(&house.ctx).matching(filter).count().await.unwrap(), 2);
        let filter = Person::filter(|p| p.profile.contact.email.eq("canary"));
        assert!(!format!("{filter:?}").contains("canary"));
        let stored = house.stored().await;
        assert!(!format!("{stored:?}").to_lowercase().contains("canary"));
        assert_eq!(versions(&stored[0], "profile.c.email"), Some(vec![1]));
        assert_eq!(versions(&stored[0], "profile.c.tel"), Some(vec![1]));
        assert_eq!(versions(&stored[2], "profile.c.email"), None);
        let token = |n: usize| at(&stored[n], "_bi.profile.c.email").cloned();
        assert_ne!(token(0), token(3), "another tenant's key");
    }

    /// Unique in the tenant, or over all of them: then it finds a document before the tenant is known.
    async fn a_nested_blind_index_can_be_unique(stage: Stage) {
        let house = house(stage).await;
        let ada = Person::create(&house.ctx, person("ada", profile("a@x.com", "1", Some("ada")))).await.unwrap();
        let error = Person::create(&house.ctx, person("bob", profile("A@X.com", "2", None))).await.unwrap_err();
        assert!(error.is_duplicate() && error.index().unwrap().contains("_bi.profile.c.email"), "{error}");
        Person::create(&house.rival, person("rita", profile("a@x.com", "1", None))).await.unwrap();
        let error = Person::create(&house.rival, person("rob", profile("r@x.com", "1", Some("ada")))).await.unwrap_err();
        assert!(error.is_duplicate() && error.index().unwrap().contains("_bi.profile.login"), "{error}");
        let door = house.db.global_context(User::admin("door"));
        let found = Person::find_unique(&door, |p| p.profile.login.lookup("ada")).await.unwrap().unwrap();
        assert_eq!(found.id, ada.id);
        let patch = || PersonPatch { name: Set("ada two".into()), ..Default::default() };
        let upsert = async |email: &str| {
            let new = person("new", profile("new@x.com", "1", None));
            Person::upsert(&house.ctx, |p| p.profile.contact.email.eq(email), new, patch()).await
        };
        assert!(!upsert("a@x.com").await.unwrap().is_created());
        assert!(upsert("new@x.com").await.unwrap().is_created());
        assert!(upsert("other@x.com").await.unwrap_err().is_invalid());
        let plan = house.db.plan_indexes().await.unwrap();
        assert!(plan.is_empty(), "{plan:?}");
    }

    /// A token moves with its value, whatever of the struct is changed, and goes with it.
    async fn nested_tokens_follow_their_value(stage: Stage) {
        let house = house(stage).await;
        let ada = Person::create(&house.ctx, person("ada", profile("a@x.com", "1", None))).await.unwrap();
        let before = house.stored().await.remove(0);
        let merge = |patch: ContactPatch| PersonPatch {
            profile: Merge(ProfilePatch { contact: Merge(patch), ..Default::default() }),
            ..Default::default()
        };
        let note = ContactPatch { note: Set(Some("x".into())), ..Default::default() };
        Person::update(&house.ctx, &ada.id, merge(note)).await.unwrap();
        let after = house.stored().await.remove(0);
        for path in ["_bi", "profile.c.email", "profile.c.tel"] {
            assert_eq!(at(&before, path), at(&after, path), "{path}");
        }
        let email = ContactPatch { email: Set(Some(Secret::from("b@x.com"))), ..Default::default() };
        Person::update(&house.ctx, &ada.id, merge(email)).await.unwrap();
        assert!(house.by_email("a@x.com").await.is_empty());
        assert_eq!(house.by_email("b@x.com").await, ["ada"]);
        let stored = house.stored().await.remove(0);
        assert_eq!(at(&stored, "_bi.profile.c.tel"), at(&before, "_bi.profile.c.tel"), "another field's token stays");
        // One value goes, then the struct with all of them, then all comes back.
        let none = ContactPatch { email: Set(None), ..Default::default() };
        Person::update(&house.ctx, &ada.id, merge(none)).await.unwrap();
        let stored = house.stored().await.remove(0);
        assert_eq!((versions(&stored, "profile.c.email"), versions(&stored, "profile.c.tel")), (None, Some(vec![1])));
        let whole = |profile| PersonPatch { profile: Set(profile), ..Default::default() };
        Person::update(&house.ctx, &ada.id, whole(profile("c@x.com", "2", None))).await.unwrap();
        assert_eq!(house.by_email("c@x.com").await, ["ada"]);
        let less = Some(Profile { contact: contact(None, Some("2")), login: None });
        Person::update(&house.ctx, &ada.id, whole(less)).await.unwrap();
        assert!(house.by_email("c@x.com").await.is_empty());
        assert_eq!(versions(&house.stored().await[0], "profile.c.email"), None);
        Person::update(&house.ctx, &ada.id, whole(profile("c@x.com", "2", Some("ada")))).await.unwrap();
        Person::update(&house.ctx, &ada.id, whole(None)).await.unwrap();
        let stored = house.stored().await.remove(0);
        for path in ["profile.c.email", "profile.c.tel", "profile.login"] {
            assert_eq!(versions(&stored, path), None, "{path}");
        }
        assert_eq!(versions(&stored, "code"), Some(vec![1]));
        Person::create(&house.ctx, person("bob", profile("c@x.com", "2", Some("ada")))).await.unwrap();
    }

    /// Through a rotation of the index key, values are found and unique at every step.
    async fn nested_tokens_are_rotated(stage: Stage) {
        let house = house(stage).await;
        let new = |name: &str, email: &str| person(name, profile(email, "1", None));
        Person::create(&house.ctx, new("one", "one@x.com")).await.unwrap();
        house.rotate().await;
        Person::create(&house.ctx, new("two", "two@x.com")).await.unwrap();
        let stored: Vec<_> = house.stored().await.iter().map(|one| versions(one, "profile.c.email").unwrap()).collect();
        assert_eq!(stored, [vec![1], vec![2, 1]]);
        let check = async || {
            for name in ["one", "two"] {
                let email = format!("{name}@x.com");
                assert_eq!(house.by_email(&email).await, [name]);
                assert!(Person::create(&house.ctx, new("x", &email)).await.unwrap_err().is_duplicate());
            }
        };
        check().await;
        let job = house.ctx.dangerously_bypass_permissions("key rotation");
        let done = Person::reencrypt(&job).await.unwrap();
        assert_eq!((done.reindexed, done.rewritten, done.failed.len()), (3, 0, 0), "code, e-mail and phone of the first");
        let stored: Vec<_> = house.stored().await.iter().map(|one| versions(one, "profile.c.email").unwrap()).collect();
        assert_eq!(stored, [vec![2, 1], vec![2, 1]]);
        assert_eq!(Person::reencrypt(&job).await.unwrap().reindexed, 0);
        check().await;
    }

    /// A document that goes to another tenant gets the tokens of that one's keys.
    async fn nested_tokens_go_along(stage: Stage) {
        let house = house(stage).await;
        let ada = Person::create(&house.ctx, person("ada", profile("a@x.com", "1", Some("ada")))).await.unwrap();
        let mover = house.ctx.clone().with_reason("ticket 9");
        Person::move_to_tenant(&mover, &ada.id, TenantId::new("globex").unwrap()).await.unwrap();
        assert!(house.by_email("a@x.com").await.is_empty());
        let filter = Person::filter(|p| p.profile.contact.email.eq("a@x.com") & p.profile.contact.phone.eq("1"));
        assert_eq!(house.named(&house.rival, filter).await, ["ada"]);
        let door = house.db.global_context(User::admin("door"));
        assert!(Person::find_unique(&door, |p| p.profile.login.lookup("ada")).await.unwrap().is_some());
    }
}

/// What cannot be so is said before anything is stored.
#[test]
fn a_blind_index_in_an_array_is_refused() {
    let builder: DbBuilder = Db::memory();
    let error = builder
        .keys(testing::keyring().unwrap())
        .model::<Crowd>()
        .build_lazy()
        .unwrap_err();
    let said = error.to_string();
    assert!(
        error.is_configuration()
            && said.contains("contacts.email")
            && said.contains("not over those of an array"),
        "{said}"
    );
}
