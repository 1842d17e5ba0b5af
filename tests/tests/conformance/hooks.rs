//! Contract F 25 to 27 and H 33: what a hook changes is judged, and no after-hook runs for what did not happen.

use model_core::ModelExt;
use model_core::prelude::*;

use crate::harness::{Shop, Stage, on_both_stores};
use crate::models::{Ctx, Hooked, HookedPatch, Hooks, NewHooked, User};

/// What its owner alone writes. Its hooks do what its text tells them.
#[derive(Clone, Model)]
#[model(collection = "motions", audit)]
pub(crate) struct Motion {
    #[model(id)]
    id: Id<Motion>,
    #[model(tenant)]
    organization: TenantId,
    #[model(default = "ada")]
    owner: String,
    #[model(range(..=10), default = 0)]
    level: i32,
    text: String,
}

impl Motion {
    fn obey(&mut self) {
        match self.text.as_str() {
            "give away" => self.owner = "mallory".into(),
            "raise" => self.level = 11,
            "contradict" => self.text = "a contradiction".into(),
            "raise and contradict" => {
                self.level = 11;
                self.text = "a contradiction".into();
            }
            _ => {}
        }
    }
}

impl BaseModel for Motion {
    type Actor = User;

    fn can_read(&self, _ctx: &Ctx) -> bool {
        true
    }

    fn can_create(&self, ctx: &Ctx) -> bool {
        self.owner == ctx.actor().name
    }

    fn can_update(&self, ctx: &Ctx, after: &Self) -> bool {
        self.owner == ctx.actor().name && after.owner == ctx.actor().name
    }

    fn can_delete(&self, _ctx: &Ctx) -> bool {
        true
    }

    async fn validate(&self, _ctx: &Ctx) -> Result<()> {
        if self.text == "a contradiction" {
            return Err(Error::violation("text", "sense", "must make sense"));
        }
        Ok(())
    }

    async fn before_create(_ctx: &Ctx, document: &mut Self) -> Result<()> {
        document.obey();
        Ok(())
    }

    async fn after_create(ctx: &Ctx, document: &Self) -> Result<()> {
        if document.text == "look it up" {
            Hooked::fetch(ctx, &Id::generate()).await?;
        }
        Hooks::call(ctx, "after_create", &document.text)
    }

    async fn before_update(_ctx: &Ctx, change: &mut Change<Self>) -> Result<()> {
        change.after_mut().obey();
        Ok(())
    }

    async fn after_update(ctx: &Ctx, change: &Change<Self>) -> Result<()> {
        Hooks::call(ctx, "after_update", &change.after().text)
    }
}

/// What the hooks make of a text: forbidden, or the rules that it breaks.
const ORDERS: [(&str, &[(&str, &str)]); 4] = [
    ("give away", &[]),
    ("raise", &[("level", "range")]),
    ("contradict", &[("text", "sense")]),
    ("raise and contradict", &[("level", "range"), ("text", "sense")]),
];

fn assert_refused(error: &Error, broken: &[(&str, &str)]) {
    let violations = error.violations().iter();
    let found: Vec<_> = violations.map(|v| (v.path.as_str(), v.rule.as_ref())).collect();
    assert_eq!(
        (error.is_forbidden(), found.as_slice()),
        (broken.is_empty(), broken),
        "{error}"
    );
    assert!(!error.is_after_write());
}

fn motion(text: &str) -> NewMotion {
    NewMotion {
        text: text.into(),
        optional: Default::default(),
    }
}

fn named(name: &str) -> HookedPatch {
    HookedPatch {
        name: Set(name.into()),
        ..Default::default()
    }
}

/// A shop with one document, and nothing told of its making.
async fn with_one(stage: Stage) -> (Shop, Id<Hooked>) {
    let shop = stage.shop().await;
    let new = NewHooked {
        name: "one".into(),
        optional: Default::default(),
    };
    let id = Hooked::create(&shop.admin, new).await.unwrap().id;
    shop.hooks.take();
    (shop, id)
}

async fn events(shop: &Shop) -> Vec<String> {
    let log = shop.audit_log().await;
    let events = log.iter().map(|entry| entry.get_str("event").unwrap().to_owned());
    events.collect()
}

/// Another writer removes the document, or renames it, once the next write has read it.
fn let_remove(shop: &Shop, id: &Id<Hooked>) {
    let id = id.clone();
    shop.hooks
        .let_first(|ctx| async move { assert!(Hooked::delete(&ctx, &id).await.unwrap()) });
}

fn let_rename(shop: &Shop, id: &Id<Hooked>) {
    let id = id.clone();
    shop.hooks
        .let_first(|ctx| async move { drop(Hooked::update(&ctx, &id, named("rival")).await.unwrap()) });
}

on_both_stores! {
    /// F 25: what a before-hook makes of a new document has to be permitted and valid; the rules that it breaks come at once.
    async fn a_new_document_is_judged_after_the_hook(stage: Stage) {
        let shop = stage.shop().await;
        for (text, broken) in ORDERS {
            assert_refused(&Motion::create(&shop.admin, motion(text)).await.unwrap_err(), broken);
            let many = Motion::create_many(&shop.admin, [motion("fine"), motion(text)]).await.unwrap_err();
            assert_refused(&many, broken);
            assert_eq!(many.position(), Some(1));
        }
        assert!(shop.stored("motions").await.is_empty() && shop.audit_log().await.is_empty());
        assert!(shop.hooks.take().is_empty());
        Motion::create(&shop.admin, motion("fine")).await.unwrap();
        assert_eq!(shop.hooks.take(), ["after_create(fine)"]);
    }

    /// F 25: the same of a change, whatever the verb.
    async fn a_change_is_judged_after_the_hook(stage: Stage) {
        let shop = stage.shop().await;
        let id = Motion::create(&shop.admin, motion("fine")).await.unwrap().id;
        let before = shop.stored_one("motions").await;
        shop.hooks.take();
        for (text, broken) in ORDERS {
            let patch = || MotionPatch { text: Set(text.into()), ..Default::default() };
            let refused = [
                Motion::update(&shop.admin, &id, patch()).await.map(drop),
                Motion::update_with(&shop.admin, &id, |m| m.text.set(text)).await.map(drop),
                Motion::modify(&shop.admin, &id, |_| Ok(Some(patch()))).await.map(drop),
                Motion::replace(&shop.admin, &id, motion(text)).await.map(drop),
                Motion::update_many(&shop.admin, |m| m.text.eq("fine"), patch()).await.map(drop),
                Motion::bulk(&shop.admin).update(id.clone(), patch()).await.map(drop),
                Motion::query(&shop.admin).filter(|m| m.text.eq("fine")).claim(patch()).await.map(drop),
            ];
            for error in refused.map(Result::unwrap_err) {
                assert_refused(&error, broken);
            }
        }
        assert_eq!(shop.stored_one("motions").await, before);
        assert_eq!((events(&shop).await.len(), shop.hooks.take().len()), (1, 0));
    }

    /// F 29: what the model's own rule says joins what the declared ones say.
    async fn own_rules_join_the_declared_ones(stage: Stage) {
        let shop = stage.shop().await;
        let id = Motion::create(&shop.admin, motion("fine")).await.unwrap().id;
        let patch = MotionPatch { level: Set(11), text: Set("a contradiction".into()), ..Default::default() };
        let error = Motion::update(&shop.admin, &id, patch).await.unwrap_err();
        assert_refused(&error, &[("level", "range"), ("text", "sense")]);
    }

    /// F 27: who lost the race wrote nothing: no after-hook, no entry.
    async fn a_lost_race_runs_no_after_hook(stage: Stage) {
        let (shop, id) = with_one(stage).await;
        let_rename(&shop, &id);
        let error = Hooked::update(&shop.admin, &id, named("two")).await.unwrap_err();
        assert!(error.is_conflict() && !error.is_after_write(), "{error}");
        let rivals = ["before_update(one -> rival)", "after_update(  one-slug -> rival-slug)"];
        assert_eq!(shop.hooks.take(), [&["before_update(one -> two)"][..], &rivals].concat());
        assert_eq!(shop.stored_one("hooked").await.get_str("name").unwrap(), "rival");
        assert_eq!(events(&shop).await, ["hooked.create", "hooked.update"]);

        let (removed, renamed) = (id.clone(), id.clone());
        shop.hooks.let_first(|ctx| async move { drop(Hooked::update(&ctx, &renamed, named("again")).await.unwrap()) });
        let error = Hooked::delete(&shop.admin, &removed).await.unwrap_err();
        assert!(error.is_conflict() && !error.is_after_write(), "{error}");
        let rivals = ["before_update(rival -> again)", "after_update(rival-slug -> again-slug)"];
        assert_eq!(shop.hooks.take(), [&["before_delete(rival)"][..], &rivals].concat());
        assert_eq!(events(&shop).await, ["hooked.create", "hooked.update", "hooked.update"]);
    }

    /// F 26: a document that is gone when it is written is not found, whatever the verb: no after-hook, no entry.
    async fn a_vanished_document_is_not_found(stage: Stage) {
        let (shop, id) = with_one(stage).await;
        let again = async || {
            let new = NewHooked { name: "one".into(), optional: Default::default() };
            Hooked::create_with_id(&shop.admin, id.clone(), new).await.unwrap();
            shop.hooks.take();
        };
        let rivals = ["before_delete(one)", "after_delete(one)"];
        for verb in 0..5 {
            let_remove(&shop, &id);
            let result = match verb {
                0 => Hooked::update(&shop.admin, &id, named("two")).await.map(drop),
                1 => Hooked::update_with(&shop.admin, &id, |h| h.name.set("two")).await.map(drop),
                2 => Hooked::modify(&shop.admin, &id, |_| Ok(Some(named("two")))).await.map(drop),
                3 => Hooked::replace(&shop.admin, &id, NewHooked { name: "two".into(), optional: Default::default() }).await.map(drop),
                _ => Hooked::bulk(&shop.admin).update(id.clone(), named("two")).await.map(drop),
            };
            let error = result.unwrap_err();
            assert!(error.is_not_found() && !error.is_after_write(), "{verb}: {error}");
            assert_eq!(shop.hooks.take(), [&["before_update(one -> two)"][..], &rivals].concat(), "{verb}");
            assert!(shop.stored("hooked").await.is_empty());
            again().await;
        }
        let_remove(&shop, &id);
        assert!(!Hooked::delete(&shop.admin, &id).await.unwrap());
        assert_eq!(shop.hooks.take(), [&["before_delete(one)"][..], &rivals].concat());
        let log = events(&shop).await;
        assert_eq!(log.iter().filter(|event| *event == "hooked.delete").count(), 6, "the rival's alone");
        assert_eq!(log.iter().filter(|event| *event == "hooked.update").count(), 0);
    }

    /// H 33: an after-hook that fails says that the write stands, and of which document, whatever the verb.
    async fn a_failing_after_hook_names_the_document(stage: Stage) {
        let (shop, id) = with_one(stage).await;
        let told = |error: Error| {
            assert!(error.is_after_write() && error.is_refused(), "{error}");
            assert_eq!(error.id(), Some(id.to_string().as_str()));
        };
        shop.hooks.fail(Some("after_update"));
        told(Hooked::update(&shop.admin, &id, named("two")).await.unwrap_err());
        told(Hooked::update_with(&shop.admin, &id, |h| h.name.set("three")).await.unwrap_err());
        told(Hooked::modify(&shop.admin, &id, |_| Ok(Some(named("four")))).await.unwrap_err());
        told(Hooked::bulk(&shop.admin).update(id.clone(), named("five")).await.unwrap_err());
        assert_eq!(shop.stored_one("hooked").await.get_str("name").unwrap(), "five");
        shop.hooks.fail(Some("after_delete"));
        told(Hooked::delete(&shop.admin, &id).await.unwrap_err());
        assert!(shop.stored("hooked").await.is_empty());
        let log = events(&shop).await;
        assert_eq!(log, ["hooked.create", "hooked.update", "hooked.update", "hooked.update", "hooked.update", "hooked.delete"]);
    }

    /// H 33: what the hook asked of another document is the cause, and not the place: that is the document written.
    async fn a_hooks_own_operation_is_the_cause(stage: Stage) {
        let shop = stage.shop().await;
        let id: Id<Motion> = Id::generate();
        let create = Motion::create_with_id(&shop.admin, id.clone(), motion("look it up")).await;
        let inside = motion("look it up");
        let within = shop.admin.transaction(|tx| async move { Motion::create(&tx, inside).await }).await;
        for (error, id) in [(create.unwrap_err(), Some(id)), (within.unwrap_err(), None)] {
            assert!(error.is_after_write() && error.is_not_found() && !error.is_retryable(), "{error}");
            let stored = shop.stored("motions").await;
            let id = id.map_or_else(|| stored[1].get_object_id("_id").unwrap().to_hex(), |id| id.to_string());
            assert_eq!(error.id(), Some(id.as_str()));
            assert_ne!(error.model(), Some("Hooked"));
            let cause = std::error::Error::source(&error).unwrap().downcast_ref::<Error>().unwrap();
            assert!(cause.is_not_found() && cause.model() == Some("Hooked") && !cause.is_after_write(), "{cause}");
        }
    }
}
