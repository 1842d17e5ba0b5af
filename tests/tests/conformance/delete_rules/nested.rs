//! Rules on references inside of embedded structs, lists of them, enums and maps.

use std::collections::BTreeMap;

use bson::doc;
use model_core::SyncOptions;
use model_core::prelude::*;
use model_core::{CheckReport, testing};

use super::{Boss, Ctx};
use crate::harness::{Stage, on_both_stores};

macro_rules! open_policy {
    ($($model:ident)*) => {$(
        impl BaseModel for $model {
            type Actor = Boss;
            fn can_read(&self, _: &Ctx) -> bool { true }
            fn can_create(&self, _: &Ctx) -> bool { true }
            fn can_update(&self, _: &Ctx, _: &Self) -> bool { true }
            fn can_delete(&self, _: &Ctx) -> bool { true }
        }
    )*};
}

/// Its ids are given by whoever creates it, so that they may be those of a `Robot` too.
#[derive(Clone, Model)]
#[model(collection = "persons", id = string)]
struct Person {
    #[model(id)]
    id: Id<Person>,
    #[model(tenant)]
    organization: TenantId,
}

#[derive(Clone, Model)]
#[model(collection = "robots", id = string)]
struct Robot {
    #[model(id)]
    id: Id<Robot>,
    #[model(tenant)]
    organization: TenantId,
}

#[derive(Clone, Embedded)]
struct Approval {
    #[model(on_delete = nullify)]
    by: Option<Ref<Person>>,
    note: String,
}

#[derive(Clone, Embedded)]
struct Seat {
    #[model(on_delete = pull)]
    taken_by: Ref<Person>,
    row: i32,
    #[model(default)]
    approvals: Vec<Approval>,
    #[model(default, on_delete = pull)]
    guests: Vec<Ref<Person>>,
}

#[derive(Clone, Embedded)]
enum Owner {
    Nobody,
    Human {
        #[model(on_delete = cascade)]
        who: Ref<Person>,
    },
    Machine {
        #[model(on_delete = cascade)]
        who: Ref<Robot>,
    },
}

#[derive(Clone, Embedded)]
struct Terms {
    #[model(on_delete = restrict)]
    signed_by: Option<Ref<Person>>,
    approval: Approval,
}

#[derive(Clone, Model)]
#[model(collection = "halls", rename_all = "camelCase", audit)]
struct Hall {
    #[model(id)]
    id: Id<Hall>,
    #[model(tenant)]
    organization: TenantId,
    owner: Owner,
    #[model(default)]
    seats: Vec<Seat>,
    terms: Option<Terms>,
    #[model(default, on_delete = pull)]
    keys: BTreeMap<String, Ref<Person>>,
    #[model(default)]
    doors: BTreeMap<String, Approval>,
}

open_policy!(Person Robot Hall);

struct House {
    db: Db,
    ctx: Ctx,
}

impl House {
    async fn open(stage: Stage) -> Self {
        let builder = stage.builder().model::<Person>().model::<Robot>().model::<Hall>();
        let db = builder.build_lazy().unwrap();
        db.sync_indexes(SyncOptions::default()).await.unwrap();
        let ctx = db.context(TenantId::new("acme").unwrap(), Boss);
        Self { db, ctx }
    }

    async fn person(&self, id: &str) -> Ref<Person> {
        let id = Id::parse(id).unwrap();
        Person::create_with_id(&self.ctx, id, NewPerson {})
            .await
            .unwrap()
            .id
            .into()
    }

    async fn robot(&self, id: &str) -> Ref<Robot> {
        let id = Id::parse(id).unwrap();
        Robot::create_with_id(&self.ctx, id, NewRobot {})
            .await
            .unwrap()
            .id
            .into()
    }

    async fn hall(&self, owner: Owner, optional: NewHallOptional) -> Hall {
        Hall::create(&self.ctx, NewHall { owner, optional })
            .await
            .unwrap()
    }

    async fn now(&self, hall: &Hall) -> Hall {
        Hall::fetch(&self.ctx, &hall.id).await.unwrap()
    }

    async fn dangling(&self) -> u64 {
        let job = self.ctx.dangerously_bypass_permissions("count");
        let report: CheckReport = Hall::check_stored(&job).await.unwrap();
        assert_eq!(report.unreadable, 0, "{:?}", report.errors);
        report.dangling
    }
}

fn approval(by: &Ref<Person>) -> Approval {
    Approval {
        by: Some(by.clone()),
        note: "fine".into(),
    }
}

fn seat(taken_by: &Ref<Person>, row: i32) -> Seat {
    Seat {
        taken_by: taken_by.clone(),
        row,
        approvals: Vec::new(),
        guests: Vec::new(),
    }
}

on_both_stores! {
    /// Nullify and pull reach every depth: elements of arrays of elements, maps of references and maps of structs. All else stays.
    async fn a_document_loses_what_refers_to_the_deleted(stage: Stage) {
        let house = House::open(stage).await;
        let (ada, bob) = (house.person("ada").await, house.person("bob").await);
        let crowded = Seat {
            approvals: vec![approval(&ada), approval(&bob)],
            guests: vec![ada.clone(), bob.clone(), ada.clone()],
            ..seat(&bob, 2)
        };
        let optional = NewHallOptional {
            seats: Some(vec![seat(&ada, 1), crowded, seat(&ada, 3)]),
            terms: Some(Terms { signed_by: Some(bob.clone()), approval: approval(&ada) }),
            keys: Some(BTreeMap::from([("a".into(), ada.clone()), ("b".into(), bob.clone())])),
            doors: Some(BTreeMap::from([("front".into(), approval(&ada)), ("back".into(), approval(&bob))])),
        };
        let hall = house.hall(Owner::Nobody, optional).await;
        let other = house.hall(Owner::Nobody, NewHallOptional {
            doors: Some(BTreeMap::from([("front".into(), approval(&bob))])), ..Default::default()
        }).await;
        assert_eq!(house.dangling().await, 0);

        let plan = Person::delete_in_batches(&house.ctx, ada.id()).dry_run().await.unwrap().unwrap();
        assert_eq!((plan.deleted(), plan.loosened(), plan.is_free()), (1, 1, true), "{plan}");
        assert!(Person::delete(&house.ctx, ada.id()).await.unwrap());
        let now = house.now(&hall).await;
        let rows: Vec<_> = now.seats.iter().map(|seat| seat.row).collect();
        assert_eq!(rows, [2]);
        let seat = &now.seats[0];
        assert_eq!(seat.guests, std::slice::from_ref(&bob));
        assert_eq!(seat.approvals.iter().map(|one| one.by.clone()).collect::<Vec<_>>(), [None, Some(bob.clone())]);
        assert!(seat.approvals.iter().all(|one| one.note == "fine"));
        let terms = now.terms.unwrap();
        assert_eq!((terms.signed_by, terms.approval.by), (Some(bob.clone()), None));
        assert_eq!(now.keys, BTreeMap::from([("b".into(), bob.clone())]));
        assert_eq!((&now.doors["front"].by, &now.doors["back"].by), (&None, &Some(bob.clone())));
        assert_eq!(house.now(&other).await.doors["front"].by, Some(bob.clone()));
        assert_eq!(house.dangling().await, 0);
        let log = testing::stored(&house.db, "audit_log").await.unwrap();
        assert_eq!(log.iter().filter(|entry| entry.get_str("event").unwrap() == "hall.update").count(), 1);
    }

    /// A restriction inside of an optional struct refuses, by its path; batches keep the same rules.
    async fn a_nested_restriction_refuses(stage: Stage) {
        let house = House::open(stage).await;
        let (ada, bob) = (house.person("ada").await, house.person("bob").await);
        let optional = NewHallOptional {
            terms: Some(Terms { signed_by: Some(ada.clone()), approval: approval(&bob) }),
            ..Default::default()
        };
        let hall = house.hall(Owner::Nobody, optional).await;
        let error = Person::delete(&house.ctx, ada.id()).await.unwrap_err();
        assert!(error.is_refused() && error.to_string().contains("terms.signed_by"), "{error}");
        let plan = Person::delete_in_batches(&house.ctx, ada.id()).dry_run().await.unwrap().unwrap();
        assert_eq!(plan.of("Hall").unwrap().in_the_way, 1);
        let done = Person::delete_in_batches(&house.ctx, bob.id()).batch(1).await.unwrap().unwrap();
        assert_eq!((done.deleted(), done.loosened()), (1, 1));
        assert_eq!(house.now(&hall).await.terms.unwrap().approval.by, None);
        Hall::update(&house.ctx, &hall.id, HallPatch { terms: Set(None), ..Default::default() }).await.unwrap();
        assert!(Person::delete(&house.ctx, ada.id()).await.unwrap());
        assert_eq!(house.dangling().await, 0);
    }

    /// The variants of an enum share a path, and their ids may be the same: only the one that is meant goes.
    async fn a_variant_is_told_from_another(stage: Stage) {
        let house = House::open(stage).await;
        let (person, robot) = (house.person("sam").await, house.robot("sam").await);
        let human = house.hall(Owner::Human { who: person.clone() }, Default::default()).await;
        let machine = house.hall(Owner::Machine { who: robot.clone() }, Default::default()).await;
        let nobody = house.hall(Owner::Nobody, Default::default()).await;
        let plan = Person::delete_in_batches(&house.ctx, person.id()).dry_run().await.unwrap().unwrap();
        assert_eq!(plan.of("Hall").unwrap().deleted, 1);
        assert!(Person::delete(&house.ctx, person.id()).await.unwrap());
        assert!(Hall::get(&house.ctx, &human.id).await.unwrap().is_none());
        house.now(&machine).await;
        assert_eq!(house.dangling().await, 0);
        let done = Robot::delete_in_batches(&house.ctx, robot.id()).await.unwrap().unwrap();
        assert_eq!(done.deleted(), 2);
        house.now(&nobody).await;
    }

    /// A check of what is stored finds what leads nowhere, in maps and variants too.
    async fn a_check_counts_what_dangles(stage: Stage) {
        let house = House::open(stage).await;
        let gone = Ref::to(&Id::<Person>::parse("gone").unwrap());
        let robot = house.robot("gone").await;
        let hall = house.hall(Owner::Machine { who: robot.clone() }, NewHallOptional {
            seats: Some(vec![seat(&gone, 1)]),
            keys: Some(BTreeMap::from([("a".into(), gone.clone())])),
            doors: Some(BTreeMap::from([("front".into(), approval(&gone))])),
            ..Default::default()
        }).await;
        assert_eq!(house.dangling().await, 3, "the robot is there");
        let raw = doc! {
            "_id": Id::<Hall>::generate().to_bson(), "organization": "acme",
            "owner": { "type": "Human", "who": "gone" }, "seats": [], "keys": {}, "doors": {},
        };
        testing::store_raw(&house.db, "halls", &raw).await.unwrap();
        assert_eq!(house.dangling().await, 4);
        Hall::delete(&house.ctx, &hall.id).await.unwrap();
        assert_eq!(house.dangling().await, 1);
    }
}

#[derive(Clone, Embedded)]
struct Branch {
    #[model(on_delete = nullify)]
    planted_by: Option<Ref<Person>>,
    branches: Vec<Branch>,
}

#[derive(Clone, Embedded)]
struct Leaf {
    #[model(on_delete = cascade)]
    painted_by: Option<Ref<Person>>,
    #[model(on_delete = pull)]
    eaten_by: Option<Ref<Person>>,
}

#[derive(Clone, Model)]
#[model(collection = "trees")]
struct Tree {
    #[model(id)]
    id: Id<Tree>,
    #[model(tenant)]
    organization: TenantId,
    trunk: Branch,
    leaves: Vec<Leaf>,
    leaf: Leaf,
    #[model(readonly)]
    plaque: Approval,
}

open_policy!(Tree);

#[test]
fn what_cannot_be_done_is_refused_at_once() {
    let error = Db::memory()
        .model::<Person>()
        .model::<Tree>()
        .build_lazy()
        .unwrap_err();
    assert!(error.is_configuration(), "{error}");
    let text = error.to_string();
    for path in [
        "`trunk.planted_by`",
        "`leaves.painted_by`",
        "`leaf.eaten_by`",
        "`plaque.by`",
    ] {
        assert_eq!(text.matches(path).count(), 1, "{path}: {text}");
    }
    assert!(
        !text.contains("`leaf.painted_by`") && !text.contains("`leaves.eaten_by`"),
        "{text}"
    );
}
