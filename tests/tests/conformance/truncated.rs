//! Blind indexes that store a part of each token: a store finds too much by them, a reader does not.

use std::collections::BTreeSet;

use bson::{Bson, Document};
use model_core::ModelExt;
use model_core::crypto::Purpose;
use model_core::prelude::*;
use model_core::query::Group;
use model_core::testing::{self, FixedClock};

use crate::harness::{Stage, on_both_stores};
use crate::models::{Ctx, User, open_policy};

macro_rules! person {
    ($name:ident, $collection:literal $(, $scope:item)?) => {
        /// A person of whom the city is known by four bits of a token: a sixteenth of all cities share one.
        #[derive(Clone, Model)]
        #[model(collection = $collection)]
        pub(crate) struct $name {
            #[model(id)]
            pub(crate) id: Id<$name>,
            #[model(tenant)]
            pub(crate) organization: TenantId,
            pub(crate) number: i64,
            #[model(trim, blind_index(bits = 4, normalize = "email"))]
            pub(crate) city: Option<Encrypted<String>>,
            #[model(blind_index)]
            pub(crate) phone: Option<Encrypted<String>>,
            pub(crate) note: Option<String>,
        }

        impl BaseModel for $name {
            type Actor = User;

            $($scope)?

            open_policy!(Self, Ctx);
        }
    };
}

mod superset {
    use super::*;

    person!(Person, "people");
}

mod exact {
    use super::*;

    person!(Person, "people", const READ_SCOPE: ReadScope = ReadScope::Exact;);
}

#[derive(Projection)]
#[projection(of = exact::Person)]
struct Number {
    number: i64,
}

#[derive(Clone, model_core::Embedded)]
struct Total {
    count: i64,
}

const CITIES: i64 = 60;

fn city(number: i64) -> String {
    format!("City {}", number % CITIES)
}

async fn open<M: BaseModel<Actor = User>>(stage: Stage) -> (Db, Ctx, FixedClock) {
    let clock = stage.clock.clone();
    let builder = stage
        .builder()
        .keys(testing::keyring().unwrap())
        .clock(clock.clone());
    let db = builder.model::<M>().build_lazy().unwrap();
    let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
    (db, ctx, clock)
}

macro_rules! filled {
    ($module:ident, $stage:ident) => {{
        use $module::{NewPerson, NewPersonOptional, Person};
        let (db, ctx, clock) = open::<Person>($stage).await;
        let new = |number: i64| NewPerson {
            number,
            optional: NewPersonOptional {
                city: (number % 10 != 7).then(|| Secret::from(city(number))),
                phone: Some(Secret::from(format!("{}", number % 3))),
                ..Default::default()
            },
        };
        Person::create_many(&ctx, (0..2 * CITIES).map(new)).await.unwrap();
        (db, ctx, clock)
    }};
}

/// How many bytes the tokens of a field have, and how many different ones there are.
fn tokens(all: &[Document], field: &str) -> (BTreeSet<usize>, usize) {
    let of = |document: &Document| match document.get_document("_bi").ok()?.get(field)? {
        Bson::Array(tokens) => match &tokens[0] {
            Bson::Binary(token) => Some(token.bytes.clone()),
            other => panic!("{other}"),
        },
        other => panic!("{other}"),
    };
    let found: BTreeSet<_> = all.iter().filter_map(of).collect();
    (found.iter().map(Vec::len).collect(), found.len())
}

macro_rules! answers {
    ($module:ident, $stage:ident) => {{
        use $module::Person;
        let (db, ctx, _) = filled!($module, $stage);
        let stored = testing::stored(&db, "people").await.unwrap();
        let (lengths, different) = tokens(&stored, "city");
        assert!(
            lengths == BTreeSet::from([2]) && different <= 16,
            "{lengths:?} {different}"
        );
        assert_eq!(tokens(&stored, "phone").0, BTreeSet::from([17]));
        let has = |n: i64| n % 10 != 7;
        type Case = (&'static str, Filter<Person>, Box<dyn Fn(i64) -> bool>);
        let cases: [Case; 7] = [
            (
                "eq",
                Person::filter(|p| p.city.eq(" CITY 3")),
                Box::new(|n| n % 60 == 3),
            ),
            (
                "in",
                Person::filter(|p| p.city.in_(["city 3", "city 4", "city 999"])),
                Box::new(|n| [3, 4].contains(&(n % 60))),
            ),
            (
                "none",
                Person::filter(|p| p.city.eq("city 7")),
                Box::new(|_| false),
            ),
            (
                "not",
                Person::filter(|p| !p.city.eq("city 3")),
                Box::new(|n| n % 60 != 3),
            ),
            (
                "not of and",
                Person::filter(|p| !(p.city.in_(["city 3", "city 4"]) & p.number.gte(60_i64))),
                Box::new(|n| !([3, 4].contains(&(n % 60)) && n >= 60)),
            ),
            (
                "or",
                Person::filter(|p| p.city.eq("city 3") | p.number.lt(2_i64) & p.city.is_some()),
                Box::new(|n| n % 60 == 3 || n < 2),
            ),
            (
                "with another blind index",
                Person::filter(|p| p.phone.eq("0") & !p.city.eq("city 3") & p.city.is_some()),
                Box::new(move |n| n % 3 == 0 && n % 60 != 3 && has(n)),
            ),
        ];
        for (name, filter, expected) in cases {
            let numbers: Vec<i64> = (0..2 * CITIES).filter(|n| expected(*n)).collect();
            let query = || {
                Person::query(&ctx)
                    .matching(filter.clone())
                    .sort(|p| p.number.asc())
            };
            let read = |found: Vec<Person>| found.into_iter().map(|person| person.number).collect::<Vec<_>>();
            assert_eq!(read(query().await.unwrap()), numbers, "{name}");
            assert_eq!(query().count().await.unwrap(), numbers.len() as u64, "{name}");
            assert_eq!(query().exists().await.unwrap(), !numbers.is_empty(), "{name}");
            assert_eq!(
                query().first().await.unwrap().map(|found| found.number),
                numbers.first().copied(),
                "{name}"
            );
            let part: Vec<_> = numbers.iter().skip(1).take(2).copied().collect();
            assert_eq!(read(query().skip(1).limit(2).await.unwrap()), part, "{name}");
            let mut paged = Vec::new();
            let mut cursor: Option<String> = None;
            loop {
                let page = query()
                    .page(1.max(numbers.len() as u64 / 3), cursor.as_deref())
                    .await
                    .unwrap();
                paged.extend(read(page.items));
                match page.next {
                    Some(next) => cursor = Some(next.to_string()),
                    None => break,
                }
            }
            assert_eq!(paged, numbers, "{name}");
            let distinct = query().distinct(|p| &p.number).await.unwrap();
            assert_eq!(distinct, numbers, "{name}");
        }
        (db, ctx)
    }};
}

on_both_stores! {
    /// Every way to read gives what the values say, and nothing of what only shares their tokens: with a scope that the
    /// server decides, and with one that it does not.
    async fn answers_are_exact_with_an_exact_scope(stage: Stage) {
        let (_, ctx) = answers!(exact, stage);
        let numbers: Vec<Number> = exact::Person::query(&ctx).filter(|p| p.city.eq("city 3")).select().await.unwrap();
        assert_eq!(numbers.iter().map(|found| found.number).sum::<i64>(), 3 + 63);
        let rows = exact::Person::query(&ctx)
            .filter(|p| p.city.eq("city 3"))
            .group::<Total>(|_, row| Group::all().count(&row.count));
        assert_eq!(rows.await.unwrap()[0].count, 2);
    }

    async fn answers_are_exact_with_a_superset_scope(stage: Stage) {
        answers!(superset, stage);
    }

    /// Where a store alone would decide, it is refused before anything is sent.
    async fn writes_by_it_are_refused(stage: Stage) {
        use exact::{Person, PersonPatch};
        let (db, ctx, _) = filled!(exact, stage);
        let patch = || PersonPatch { note: Set(Some("x".into())), ..Default::default() };
        let error = Person::update_many(&ctx, |p| p.city.eq("city 3"), patch()).await.unwrap_err();
        assert!(error.is_unsupported() && !format!("{error:?}").contains("city 3"), "{error}");
        assert!(Person::delete_many(&ctx, |p| !p.city.eq("city 3")).await.unwrap_err().is_unsupported());
        let stored = testing::stored(&db, "people").await.unwrap();
        assert!(stored.len() == 120 && stored.iter().all(|found| !found.contains_key("note")));
    }

    /// Through a rotation of the index key, what was written before and after is found, and no more.
    async fn a_rotation_leaves_no_gap(stage: Stage) {
        use exact::{NewPerson, NewPersonOptional, Person};
        let (db, ctx, clock) = filled!(exact, stage);
        let keys = db.keys(ActorIdentity::system("rotation"));
        let acme = TenantId::new("acme").unwrap();
        for purpose in [Purpose::BlindIndex, Purpose::Enc] {
            let new = keys.stage(purpose, Some(&acme)).await.unwrap();
            clock.advance(chrono::TimeDelta::hours(1));
            keys.promote(new).await.unwrap();
        }
        let optional = NewPersonOptional { city: Some(Secret::from("city 3")), ..Default::default() };
        Person::create(&ctx, NewPerson { number: 500, optional }).await.unwrap();
        let count = async || Person::query(&ctx).filter(|p| p.city.eq("city 3")).count().await.unwrap();
        assert_eq!(count().await, 3);
        let job = ctx.dangerously_bypass_permissions("rotation");
        let done = Person::reencrypt(&job).await.unwrap();
        assert!(done.failed.is_empty() && done.reindexed > 100, "{done:?}");
        assert_eq!(count().await, 3);
        assert_eq!(tokens(&testing::stored(&db, "people").await.unwrap(), "city").0, BTreeSet::from([2]));
    }

    /// A value that does not open is an error, with its document and path, and is never passed over.
    async fn what_does_not_open_is_told(stage: Stage) {
        use exact::Person;
        let (db, ctx, _) = filled!(exact, stage);
        let mut document = testing::stored(&db, "people").await.unwrap().remove(3);
        let Some(Bson::Binary(city)) = document.get_mut("city") else { panic!("not sealed") };
        let last = city.bytes.len() - 1;
        city.bytes[last] ^= 1;
        let id = Id::parse(&document.get_object_id("_id").unwrap().to_hex()).unwrap();
        let number = document.get_i64("number").unwrap();
        assert!(Person::delete(&ctx, &id).await.unwrap());
        testing::store_raw(&db, "people", &document).await.unwrap();
        let value = city_of(number);
        let error = Person::query(&ctx).filter(|p| p.city.eq(value.as_str())).await.unwrap_err();
        assert!(error.is_crypto() && error.path() == Some("city") && error.to_string().contains(&id.to_string()), "{error}");
    }
}

fn city_of(number: i64) -> String {
    city(number).to_lowercase()
}
