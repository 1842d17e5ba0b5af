//! Fields that some actors do not see, or do not change.

use model_core::ModelExt;
use model_core::prelude::*;

use crate::harness::on_both_stores;
use crate::models::{Ctx, User};

/// What an employee earns is an admin's business.
#[derive(Clone, Model)]
#[model(collection = "employees")]
pub(crate) struct Employee {
    #[model(id)]
    id: Id<Employee>,
    #[model(tenant)]
    organization: TenantId,
    name: String,
    #[model(default = 0)]
    salary: i64,
    contract: Option<Contract>,
    #[model(default)]
    tags: Vec<String>,
    #[model(default = 0)]
    changes: i64,
    pin: Option<Encrypted<String>>,
}

#[derive(Clone, Embedded)]
struct Contract {
    hours: i32,
}

#[derive(Projection)]
#[projection(of = Employee)]
struct Line {
    name: String,
    salary: i64,
}

impl BaseModel for Employee {
    type Actor = User;

    fn can_read(&self, _ctx: &Ctx) -> bool {
        true
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

    fn hidden_from(ctx: &Ctx) -> FieldSet<Self> {
        if ctx.actor().admin {
            FieldSet::none()
        } else {
            Self::field_set(|e| e.salary.only() | e.contract.hours.only())
        }
    }

    fn readonly_for(ctx: &Ctx) -> FieldSet<Self> {
        if ctx.actor().admin {
            FieldSet::none()
        } else {
            Self::field_set(|e| e.salary.only() | e.contract.only() | e.changes.only() | e.pin.only())
        }
    }

    async fn before_update(_ctx: &Ctx, change: &mut Change<Self>) -> Result<()> {
        change.after_mut().changes += 1;
        Ok(())
    }
}

fn new() -> NewEmployee {
    let mut new = NewEmployee {
        name: "Ada".into(),
        optional: Default::default(),
    };
    new.optional.salary = Some(5_000);
    new.optional.contract = Some(Contract { hours: 40 });
    new
}

on_both_stores! {
    /// Views and projections leave out what their reader does not see; Rust code has it.
    async fn views_hide(stage: Stage) {
        let shop = stage.shop().await;
        let id = Employee::create(&shop.admin, new()).await.unwrap().id;
        let viewer = shop.acme(User::viewer("vi", &[]));
        let seen = Employee::fetch(&viewer, &id).await.unwrap();
        assert_eq!(seen.salary, 5_000);
        let json = serde_json::to_value(seen.into_view(&viewer)).unwrap();
        assert_eq!(json["name"], "Ada");
        assert!(json.get("salary").is_none() && json.get("contract").is_none(), "{json}");
        let line = Employee::query(&viewer).select::<Line>().first().await.unwrap().unwrap();
        let json = serde_json::to_value(line.into_view(&viewer)).unwrap();
        assert_eq!(json, serde_json::json!({ "name": "Ada" }));
        let whole = Employee::fetch(&shop.admin, &id).await.unwrap().into_view(&shop.admin);
        assert_eq!(serde_json::to_value(whole).unwrap()["salary"], 5_000);
        let job = viewer.dangerously_bypass_permissions("payroll");
        let whole = Employee::fetch(&job, &id).await.unwrap().into_view(&job);
        assert_eq!(serde_json::to_value(whole).unwrap()["contract"]["hours"], 40);
    }

    /// By whatever verb: what the actor does not change is forbidden, with the path, and nothing is written. What it does not
    /// touch, and what hooks change, is no matter.
    async fn writes_keep(stage: Stage) {
        let shop = stage.shop().await;
        let id = Employee::create(&shop.admin, new()).await.unwrap().id;
        let viewer = shop.acme(User::viewer("vi", &[]));
        let before = shop.stored_one("employees").await;
        let raise = || EmployeePatch { salary: Set(9_000), ..Default::default() };
        let secret = || EmployeePatch { pin: Set(Some(Secret::new("1".to_owned()))), ..Default::default() };
        let error = Employee::update(&viewer, &id, raise()).await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        assert_eq!(error.path(), Some("salary"));
        let refused = [
            Employee::update(&viewer, &id, secret()).await.unwrap_err(),
            Employee::update(&viewer, &id, EmployeePatch { contract: Set(None), ..Default::default() }).await.unwrap_err(),
            Employee::update_many(&viewer, |e| e.name.eq("Ada"), raise()).await.unwrap_err(),
            Employee::update_with(&viewer, &id, |e| e.salary.inc(1)).await.unwrap_err(),
            Employee::modify(&viewer, &id, |_| Ok(Some(raise()))).await.unwrap_err(),
            Employee::bulk(&viewer).update(id.clone(), raise()).await.unwrap_err(),
            Employee::replace(&viewer, &id, NewEmployee { name: "Ada".into(), optional: Default::default() }).await.unwrap_err(),
            Employee::upsert(&viewer, |e| e.id.eq(&id), new(), raise()).await.unwrap_err(),
            Employee::query(&viewer).filter(|e| e.salary.lt(6_000)).claim(raise()).await.unwrap_err(),
        ];
        for error in refused {
            assert!(error.is_forbidden(), "{error}");
        }
        assert_eq!(shop.stored_one("employees").await, before);

        let same = EmployeePatch { name: Set("Ada L.".into()), salary: Set(5_000), ..Default::default() };
        let updated = Employee::update(&viewer, &id, same).await.unwrap();
        assert_eq!((updated.name.as_str(), updated.salary, updated.changes), ("Ada L.", 5_000, 1));
        assert_eq!(Employee::update(&shop.admin, &id, raise()).await.unwrap().salary, 9_000);
        let job = viewer.dangerously_bypass_permissions("payroll");
        Employee::update(&job, &id, EmployeePatch { salary: Set(1), ..Default::default() }).await.unwrap();
    }
}
