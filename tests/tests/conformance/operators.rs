//! Contract F 27 and 28: update operators and `modify` keep every promise of an update, and lose no race.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use bson::doc;
use model_core::prelude::*;

use crate::harness::{Shop, change, on_both_stores};
use crate::models::{
    Ctx, Hooked, Hooks, NewHooked, NewNote, Note, Source, User, Widget, WidgetPatch, new_widget, open_policy,
};

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "snake_case")]
pub(crate) enum Role {
    Guest,
    Member,
}

#[derive(Clone, PartialEq, Embedded)]
pub(crate) struct Person {
    #[model(trim, lowercase)]
    pub(crate) name: String,
    pub(crate) role: Role,
    #[model(default = 0, range(..=3))]
    pub(crate) strikes: i32,
    #[model(readonly)]
    pub(crate) since: Option<String>,
    pub(crate) memo: Option<String>,
}

#[derive(Clone, PartialEq, Embedded)]
pub(crate) struct Spot {
    pub(crate) name: String,
    pub(crate) floor: i32,
}

/// A field for every kind of operator.
#[derive(Clone, Model)]
#[model(collection = "baskets", id = string, audit)]
pub(crate) struct Basket {
    #[model(id)]
    pub(crate) id: Id<Basket>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    #[model(readonly)]
    pub(crate) owner: String,
    #[model(default = 0, range(0..=1000))]
    pub(crate) count: i32,
    pub(crate) total: Option<i64>,
    #[model(default = 1.5)]
    pub(crate) price: f64,
    #[model(trim, lowercase, len(2..=20), items(..=5), default)]
    pub(crate) tags: Vec<String>,
    #[model(default)]
    pub(crate) people: Vec<Person>,
    #[model(rename = "marks", default)]
    pub(crate) labels: BTreeMap<String, i64>,
    pub(crate) first: Option<Spot>,
    pub(crate) seen: Option<DateTime<Utc>>,
    pub(crate) token: Option<Encrypted<String>>,
    #[model(updated_at)]
    pub(crate) changed: DateTime<Utc>,
}

/// Whoever sets this price finds that another writer was first.
const CONTESTED: f64 = 666.0;

impl BaseModel for Basket {
    type Actor = User;

    open_policy!(Self, Ctx);

    async fn before_update(ctx: &Ctx, change: &mut Change<Self>) -> Result<()> {
        Hooks::race(ctx).await;
        #[allow(clippy::float_cmp, reason = "it is set, not computed")]
        if change.after().price == CONTESTED {
            Self::update_with(ctx, &change.before().id, |b| b.total.inc(1)).await?;
        }
        Ok(())
    }
}

fn person(name: &str, role: Role) -> Person {
    Person {
        name: name.into(),
        role,
        strikes: 0,
        since: None,
        memo: None,
    }
}

async fn basket(shop: &Shop) -> Basket {
    let new = NewBasket {
        owner: "ada".into(),
        optional: NewBasketOptional {
            tags: Some(vec!["red".into(), "blue".into()]),
            people: Some(vec![
                person("ann", Role::Guest),
                Person {
                    since: Some("1999".into()),
                    ..person("bob", Role::Member)
                },
            ]),
            token: Some(Secret::from("tok_canary_1")),
            ..Default::default()
        },
    };
    Basket::create(&shop.admin, new).await.unwrap()
}

on_both_stores! {
    /// F 28: each operator does what MongoDB's does, and what comes back equals a fresh read.
    async fn operators_combine(stage: Stage) {
        let shop = stage.shop().await;
        let made = basket(&shop).await;
        let id = &made.id;
        let updated = Basket::update_with(&shop.admin, id, |b| {
            b.count.inc(5)
                .and(b.total.mul(3))
                .and(b.price.mul(2.0))
                .and(b.tags.push_each(["green", "amber"]).at(0).sort(|t| t.asc()).keep_first(3))
                .and(b.people.each(|p| p.role.eq(Role::Guest)).update(|p| p.role.set(Role::Member).and(p.strikes.inc(2))))
                .and(b.labels.key("x").inc(4))
                .and(b.first.set(Spot { name: "attic".into(), floor: 3 }))
                .and(b.seen.max(DateTime::UNIX_EPOCH))
        }).await.unwrap();
        assert_eq!((updated.count, updated.total, updated.price), (5, Some(0), 3.0));
        assert_eq!(updated.tags, ["amber", "blue", "green"]);
        assert_eq!((updated.people[0].role, updated.people[0].strikes), (Role::Member, 2));
        assert_eq!((updated.people[1].strikes, updated.people[1].since.as_deref()), (0, Some("1999")));
        assert_eq!(updated.labels["x"], 4);
        let read = Basket::fetch(&shop.admin, id).await.unwrap();
        assert_eq!(format!("{read:?}"), format!("{updated:?}"));

        let updated = Basket::update_with(&shop.admin, id, |b| {
            b.count.min(-1).and(b.first.unset()).and(b.labels.key("x").unset()).and(b.tags.pop_first())
        }).await;
        assert_eq!(updated.unwrap_err().violations()[0].path, "count", "what comes out is validated");
        let updated = Basket::update_with(&shop.admin, id, |b| {
            b.first.unset().and(b.labels.key("x").unset()).and(b.tags.pop_first()).and(b.people.pull_where(|p| p.name.eq("ANN")))
        }).await.unwrap();
        assert!(updated.first.is_none() && updated.labels.is_empty());
        assert_eq!(updated.tags, ["blue", "green"]);
        assert_eq!(updated.people.len(), 1);
        assert!(!shop.stored_one("baskets").await.contains_key("first"));
    }

    /// D 17, F 25: pushed and pulled values are normalised as the field is, so that a set stays one.
    async fn operands_are_normalised(stage: Stage) {
        let shop = stage.shop().await;
        let id = basket(&shop).await.id;
        let updated = Basket::update_with(&shop.admin, &id, |b| b.tags.add_each_to_set([" RED", "Green "])).await.unwrap();
        assert_eq!(updated.tags, ["red", "blue", "green"]);
        let updated = Basket::update_with(&shop.admin, &id, |b| b.tags.pull(" Blue ")).await.unwrap();
        assert_eq!(updated.tags, ["red", "green"]);
        let updated = Basket::update_with(&shop.admin, &id, |b| b.people.push(person(" EVE ", Role::Guest))).await.unwrap();
        assert_eq!(updated.people[2].name, "eve");
    }

    /// F 29: rules hold for what comes out, every violation is told, and nothing is written.
    async fn the_result_is_validated(stage: Stage) {
        let shop = stage.shop().await;
        let id = basket(&shop).await.id;
        let before = shop.stored("baskets").await;
        let error = Basket::update_with(&shop.admin, &id, |b| {
            b.count.inc(2000).and(b.tags.push("x")).and(b.people.each(|_| Filter::all()).update(|p| p.strikes.inc(4)))
        }).await.unwrap_err();
        let paths: Vec<_> = error.violations().iter().map(|violation| violation.path.as_str()).collect();
        assert_eq!(paths, ["count", "tags[2]", "people[0].strikes", "people[1].strikes"]);
        assert_eq!((error.model(), error.operation()), (Some("Basket"), Some("update_with")));
        let error = Basket::update_with(&shop.admin, &id, |b| b.tags.push_each(["aa", "bb", "cc", "dd"])).await.unwrap_err();
        assert_eq!(error.violations()[0].rule, "items");
        assert_eq!(shop.stored("baskets").await, before);
        assert_eq!(shop.audit_log().await.len(), 1);
    }

    /// What a server refuses is refused, and so is what does not fit the field.
    async fn what_cannot_be_done_is_told(stage: Stage) {
        let shop = stage.shop().await;
        let id = basket(&shop).await.id;
        Basket::update_with(&shop.admin, &id, |b| b.total.set(i64::MAX).and(b.count.set(1000))).await.unwrap();
        let told = async |operators: fn(&'static BasketFields) -> Operators<Basket>| {
            let error = Basket::update_with(&shop.admin, &id, operators).await.unwrap_err();
            let violation = error.violations().first().unwrap_or_else(|| panic!("{error}")).clone();
            format!("{}: {}", violation.path, violation.rule)
        };
        assert_eq!(told(|b| b.total.inc(1)).await, "total: overflow");
        assert_eq!(told(|b| b.count.mul(i32::MAX)).await, "count: type", "a long in a field for ints");
        assert_eq!(told(|b| b.count.inc(1).and(b.count.mul(2))).await, "count: operators");
        assert_eq!(told(|b| b.first.unset().and(b.first.name.set("x"))).await, "first.name: operators");
        assert_eq!(told(|b| b.people.role.set(Role::Guest)).await, "people.role: array");
        assert_eq!(told(|b| b.first.name.set("x")).await, "first.floor: type", "no half a struct");
        for key in ["", "a.b", "$x", "__proto__", "nul\0"] {
            let error = Basket::update_with(&shop.admin, &id, |b| b.labels.key(key).inc(1)).await.unwrap_err();
            assert_eq!((&*error.violations()[0].path, &*error.violations()[0].rule), ("marks", "key"), "{key:?}");
        }
    }

    /// F 22: the read-only part of an embedded struct stays, and what is hidden in it too.
    async fn readonly_parts_stay(stage: Stage) {
        let shop = stage.shop().await;
        let mut new = NewNote { text: "a".into(), optional: Default::default() };
        new.optional.source = Some(Source { label: "l".into(), external: Some("x".into()), weight: 9 });
        let id = Note::create(&shop.admin, new).await.unwrap().id;
        let other = || Source { label: "m".into(), external: Some("y".into()), weight: 9 };
        for operators in [Note::fields().source.set(other()), Note::fields().source.unset()] {
            let error = Note::update_with(&shop.admin, &id, |_| operators).await.unwrap_err();
            assert_eq!(&*error.violations()[0].rule, "readonly", "{error}");
        }
        let updated = Note::update_with(&shop.admin, &id, |n| n.source.label.set("m").and(n.source.weight.inc(1))).await.unwrap();
        assert_eq!(updated.source, Some(Source { label: "m".into(), external: Some("x".into()), weight: 10 }));
    }

    /// F 21, F 23: nothing changed, nothing written; `updated_at` moves with what counts, or not at all if so asked.
    async fn updated_at_moves_with_a_change(stage: Stage) {
        let shop = stage.shop().await;
        let made = basket(&shop).await;
        let before = shop.stored("baskets").await;
        shop.tick();
        let same = Basket::update_with(&shop.admin, &made.id, |b| b.count.inc(0).and(b.tags.add_to_set("red"))).await.unwrap();
        assert_eq!((same.changed, shop.stored("baskets").await), (made.changed, before));
        let moved = Basket::update_with(&shop.admin, &made.id, |b| b.count.inc(1)).await.unwrap();
        assert_eq!((moved.changed - made.changed).num_seconds(), 1);
        shop.tick();
        let kept = Basket::update_with(&shop.admin, &made.id, |b| b.count.inc(1)).keep_updated_at().await.unwrap();
        assert_eq!((kept.count, kept.changed), (2, moved.changed));
        assert_eq!(shop.audit_log().await.len(), 3);
    }

    /// I 34: one entry, with the difference and no secret; the secret beside it is as it was.
    async fn an_entry_is_written_once(stage: Stage) {
        let shop = stage.shop().await;
        let id = basket(&shop).await.id;
        let sealed = shop.stored_one("baskets").await.get("token").cloned();
        let updated = Basket::update_with(&shop.admin, &id, |b| b.count.inc(7).and(b.tags.pull("red"))).await.unwrap();
        let log = shop.audit_log().await;
        assert_eq!(log.len(), 2);
        assert_eq!(change(&log[1], "count").unwrap(), &doc! { "path": "count", "before": 0, "after": 7 });
        assert!(change(&log[1], "token").is_none() && !format!("{log:?}").contains("canary"));
        assert_eq!(shop.stored_one("baskets").await.get("token").cloned(), sealed);
        assert_eq!(updated.token.unwrap().reveal(&shop.admin).await.unwrap().expose(), "tok_canary_1");
    }

    /// H 33: each hook once; what the before-hook changes is kept.
    async fn hooks_run_once(stage: Stage) {
        let shop = stage.shop().await;
        let new = NewHooked { name: "one".into(), optional: Default::default() };
        let id = Hooked::create(&shop.admin, new).await.unwrap().id;
        shop.hooks.take();
        let updated = Hooked::update_with(&shop.admin, &id, |h| h.name.set(" two ")).await.unwrap();
        assert_eq!((updated.name.as_str(), updated.slug.as_str()), ("two", "two-slug"));
        assert_eq!(updated.organization, TenantId::new("acme").unwrap());
        assert_eq!(shop.hooks.take(), ["before_update(one -> two)", "after_update(  one-slug -> two-slug)"]);
        shop.hooks.fail(Some("after_update"));
        let error = Hooked::update_with(&shop.admin, &id, |h| h.name.set("three")).await.unwrap_err();
        assert!(error.is_after_write(), "{error}");
        assert_eq!(shop.hooks.take().len(), 2, "what is written is not tried again");
    }

    /// Permissions and tenants as for every update.
    async fn permissions_hold(stage: Stage) {
        let shop = stage.shop().await;
        let id = Widget::create(&shop.admin, new_widget("prj_apollo", "Blue")).await.unwrap().id;
        let viewer = shop.acme(User::viewer("vic", &["prj_apollo"]));
        let outsider = shop.acme(User::editor("olga", &["prj_other"]));
        let computed = AtomicU32::new(0);
        let patch = |_: &Widget| {
            computed.fetch_add(1, Ordering::SeqCst);
            Ok(Some(WidgetPatch { enabled: Set(true), ..Default::default() }))
        };
        assert!(Widget::update_with(&viewer, &id, |w| w.enabled.set(true)).await.unwrap_err().is_forbidden());
        assert!(Widget::modify(&viewer, &id, patch).await.unwrap_err().is_forbidden());
        assert_eq!(computed.load(Ordering::SeqCst), 1, "a permission error is not tried again");
        for ctx in [&shop.rival, &outsider] {
            // Not even that it could not be done is told of a document that may not be read.
            let error = Widget::update_with(ctx, &id, |w| w.limits.daily.inc(i64::MAX)).await.unwrap_err();
            assert!(error.is_not_found(), "{error}");
            assert!(Widget::modify(ctx, &id, patch).await.unwrap_err().is_not_found());
        }
        assert!(!Widget::fetch(&shop.admin, &id).await.unwrap().enabled);
    }

    /// A document of an older version is migrated first; what the operators name is written even if the migration made
    /// it up.
    async fn a_migrated_document_is_changed(stage: Stage) {
        let shop = stage.shop().await;
        let mut old = crate::harness::foreign_widget("wgt_old");
        old.remove("limits");
        shop.store_raw("widgets", old).await;
        let id = Id::parse("wgt_old").unwrap();
        Widget::update_with(&shop.admin, &id, |w| w.limits.daily.max(3_u32)).await.unwrap();
        let stored = shop.stored_one("widgets").await;
        assert_eq!(stored.get_document("limits").unwrap(), &doc! { "daily": 10_i64, "weekly": 20_i64 });
        let updated = Widget::update_with(&shop.admin, &id, |w| w.limits.daily.inc(-4)).await.unwrap();
        assert_eq!((updated.limits.daily, updated.limits.weekly), (6, 20));
    }

    /// F 27: ten increments at once end at ten, five appends keep all five, and each has its audit entry.
    async fn no_race_is_lost(stage: Stage) {
        let shop = stage.shop().await;
        let id = basket(&shop).await.id;
        shop.hooks.meet(15);
        let tasks: Vec<_> = (0..15)
            .map(|n| {
                let (ctx, id) = (shop.admin.clone(), id.clone());
                tokio::spawn(async move {
                    if n < 10 {
                        Basket::update_with(&ctx, &id, |b| b.count.inc(1)).await.map(|_| ())
                    } else {
                        Basket::update_with(&ctx, &id, |b| b.people.push(person(&format!("p{n}"), Role::Guest))).await.map(|_| ())
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let end = Basket::fetch(&shop.admin, &id).await.unwrap();
        assert_eq!((end.count, end.people.len()), (10, 7));
        assert_eq!(shop.audit_log().await.len(), 16);
    }

    /// F 27: `modify` computes from what is there; a compute that declines writes nothing; exhaustion counts.
    async fn modify_recomputes(stage: Stage) {
        let shop = stage.shop().await;
        let id = basket(&shop).await.id;
        shop.hooks.meet(10);
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let (ctx, id) = (shop.admin.clone(), id.clone());
                tokio::spawn(async move {
                    let more = |before: &Basket| Ok(Some(BasketPatch { count: Set(before.count + 1), ..Default::default() }));
                    Basket::modify(&ctx, &id, more).await.map(|_| ())
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let before = shop.stored("baskets").await;
        let declined = Basket::modify(&shop.admin, &id, |_| Ok(None)).await.unwrap();
        assert_eq!((declined.count, shop.stored("baskets").await, shop.audit_log().await.len()), (10, before, 11));
        let refused = Basket::modify(&shop.admin, &id, |_| Err(Error::refused("not now"))).await.unwrap_err();
        assert!(refused.is_refused(), "{refused}");
    }

    /// F 27: each attempt is validated anew: what was in range before another writer came is refused after it.
    async fn a_later_attempt_is_validated(stage: Stage) {
        let shop = stage.shop().await;
        let id = basket(&shop).await.id;
        let more = |_: &Basket| Ok(Some(BasketPatch { count: Set(600), ..Default::default() }));
        Basket::modify(&shop.admin, &id, more).await.unwrap();
        for by_operator in [true, false] {
            let rivals = id.clone();
            shop.hooks.let_first(|ctx| async move {
                Basket::update_with(&ctx, &rivals, |b| b.count.inc(150)).await.unwrap();
            });
            let attempts = AtomicU32::new(0);
            let doubled = |before: &Basket| {
                attempts.fetch_add(1, Ordering::Relaxed);
                Ok(Some(BasketPatch { count: Set(before.count + 260), ..Default::default() }))
            };
            let error = if by_operator {
                Basket::update_with(&shop.admin, &id, |b| b.count.inc(400)).await.unwrap_err()
            } else {
                Basket::modify(&shop.admin, &id, doubled).await.unwrap_err()
            };
            assert!(error.is_invalid() && error.violations()[0].path == "count", "{error}");
            assert_eq!(attempts.into_inner(), if by_operator { 0 } else { 2 });
            let end = Basket::fetch(&shop.admin, &id).await.unwrap().count;
            assert_eq!(end, if by_operator { 750 } else { 800 }, "what the rival made of it");
            if by_operator {
                Basket::update_with(&shop.admin, &id, |b| b.count.set(650)).await.unwrap();
            }
        }
        assert_eq!(shop.audit_log().await.len(), 5, "create, the first change, two rivals, and one in between");
    }

    /// F 27: a race that is lost each time ends with a conflict that says after how many attempts: nothing is written,
    /// no after-hook runs, nothing is audited.
    async fn exhaustion_says_how_often(stage: Stage) {
        let shop = stage.shop().await;
        let id = basket(&shop).await.id;
        let error = Basket::update_with(&shop.admin, &id, |b| b.price.set(CONTESTED)).attempts(4).await.unwrap_err();
        assert!(error.is_conflict() && error.to_string().contains("in 4 attempts"), "{error}");
        let end = Basket::fetch(&shop.admin, &id).await.unwrap();
        assert_eq!((end.price, end.total), (1.5, Some(4)), "the rival was first four times");
        assert_eq!(shop.audit_log().await.len(), 5);
        let seen = Basket::fetch(&shop.admin, &id).await.unwrap();
        let patch = |_: &Basket| Ok(Some(BasketPatch { price: Set(CONTESTED), ..Default::default() }));
        let error = Basket::modify(&shop.admin, &seen.id, patch).attempts(2).await.unwrap_err();
        assert!(error.is_conflict() && error.to_string().contains("in 2 attempts"), "{error}");
    }
}
