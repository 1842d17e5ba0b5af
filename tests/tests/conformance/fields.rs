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
    #[model(filterable, sortable)]
    name: String,
    #[model(default = 0, filterable, sortable)]
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
    #[model(filterable, sortable)]
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
    /// A create gives no more than a patch may change, by whatever verb; what is left out has its default.
    async fn creates_give_no_more(stage: Stage) {
        let shop = stage.shop().await;
        let viewer = shop.acme(User::viewer("vi", &[]));
        let plain = || NewEmployee { name: "Vi".into(), optional: Default::default() };
        let error = Employee::create(&viewer, new()).await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        assert_eq!(error.path(), Some("salary"));
        let default = NewEmployee { name: "Vi".into(), optional: NewEmployeeOptional { salary: Some(0), ..Default::default() } };
        let json = NewEmployee::from_json(r#"{"name": "Vi", "contract": {"hours": 60}}"#).unwrap();
        let id = Id::generate();
        let refused = [
            Employee::create(&viewer, default).await.unwrap_err(),
            Employee::create(&viewer, json.clone()).await.unwrap_err(),
            Employee::create_with_id(&viewer, Id::generate(), json.clone()).await.unwrap_err(),
            Employee::create_many(&viewer, [plain(), json.clone()]).await.unwrap_err(),
            Employee::bulk(&viewer).create(plain()).create(json.clone()).await.unwrap_err(),
            Employee::upsert(&viewer, |e| e.id.eq(&id), json.clone(), EmployeePatch::default()).await.unwrap_err(),
        ];
        for error in refused {
            assert!(error.is_forbidden(), "{error}");
        }
        assert!(shop.stored("employees").await.is_empty());
        assert_eq!(Employee::create(&viewer, plain()).await.unwrap().salary, 0);
        let job = viewer.dangerously_bypass_permissions("payroll");
        assert_eq!(Employee::create(&job, json).await.unwrap().contract.unwrap().hours, 60);
    }

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

    /// What an actor is not shown it does not ask for either, by whatever way in: as if there were no such field. The application's
    /// own filters ask what they like.
    async fn outside_filters_ask_for_what_is_shown(stage: Stage) {
        let shop = stage.shop().await;
        Employee::create(&shop.admin, new()).await.unwrap();
        let viewer = shop.acme(User::viewer("vi", &[]));
        let asked = |text: &str| Employee::parse_query(text).unwrap();
        for text in ["salary[gte]=1", "salary=5000", "contract.hours[gt]=1", "name=Ada&salary[exists]=true", "sort=salary", "sort=name,-contract.hours"] {
            let error = asked(text).query(&viewer, 10).await.unwrap_err();
            assert!(error.is_invalid(), "{text}: {error}");
            assert_eq!(error.violations()[0].rule, "unknown", "{text}");
            assert_eq!(asked(text).query(&shop.admin, 10).await.unwrap().len(), 1, "{text}");
            let job = viewer.dangerously_bypass_permissions("payroll");
            assert_eq!(asked(text).query(&job, 10).await.unwrap().len(), 1, "{text}");
        }
        let filter = || {
            let outside = Employee::filter_from_json(r#"{"not": {"or": [{"name": "x"}, {"salary": {"lt": 1}}]}}"#).unwrap();
            Employee::filter(|e| e.name.ne("y")) & !(outside | Employee::filter(|e| e.name.eq("z")))
        };
        let query = || Employee::query(&viewer).matching(filter());
        let raise = EmployeePatch { name: Set("x".into()), ..Default::default() };
        let refused = [
            query().await.unwrap_err(),
            query().count().await.unwrap_err(),
            query().exists().await.unwrap_err(),
            query().page(3, None).await.unwrap_err(),
            query().distinct(|e| &e.name).await.unwrap_err(),
            query().select::<Line>().await.unwrap_err(),
            query().facet(|f| (f.count(),)).await.unwrap_err(),
            Employee::query(&viewer).facet(|f| (f.select::<Line>().filter(|_| filter()),)).await.unwrap_err(),
            query().claim(raise.clone()).await.unwrap_err(),
            Employee::update_many(&viewer, |_| filter(), raise).await.unwrap_err(),
            Employee::delete_many(&viewer, |_| filter()).await.unwrap_err(),
            asked("sort=salary").query(&viewer, 3).select::<Line>().await.unwrap_err(),
            Employee::query(&viewer).sort(|_| Employee::sort_from_text("salary").unwrap()).page(3, None).await.unwrap_err(),
        ];
        for error in refused {
            assert!(error.is_invalid(), "{error}");
            assert_eq!(error.violations()[0].path, "/salary");
        }
        assert_eq!(asked("name=Ada&sort=name").query(&viewer, 10).await.unwrap().len(), 1);
        let own = Employee::query(&viewer).filter(|e| e.salary.gt(1)).sort(|e| e.salary.asc());
        assert_eq!(own.await.unwrap().len(), 1);
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
