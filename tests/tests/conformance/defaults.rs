//! Contract E 18: defaults that are more than a value: the instant of the create, and a nested document's own.

use model_core::ModelExt;
use model_core::prelude::*;
use serde_json::json;

use crate::harness::{START, Stage, on_both_stores};
use crate::models::{Ctx, User, open_policy};

#[derive(Clone, Model)]
#[model(collection = "alarms")]
struct Alarm {
    #[model(id)]
    id: Id<Alarm>,
    #[model(tenant)]
    organization: TenantId,
    #[model(default = now)]
    since: DateTime<Utc>,
    #[model(readonly, default = now)]
    first: Option<DateTime<Utc>>,
    #[model(default)]
    rights: Rights,
}

#[derive(Clone, PartialEq, Embedded)]
#[model(defaults)]
struct Rights {
    #[model(default = true)]
    read: bool,
    #[model(default = "nobody")]
    owner: String,
    #[model(default)]
    nested: Nested,
    note: Option<String>,
}

#[derive(Clone, PartialEq, Embedded)]
#[model(defaults)]
struct Nested {
    #[model(default = 24)]
    hours: u32,
}

impl BaseModel for Alarm {
    type Actor = User;

    open_policy!(Self, Ctx);
}

async fn open(stage: Stage) -> (model_core::testing::FixedClock, Ctx) {
    let clock = stage.clock.clone();
    let db = stage
        .builder()
        .clock(clock.clone())
        .model::<Alarm>()
        .build()
        .await
        .unwrap();
    (
        clock,
        db.context(TenantId::new("acme").unwrap(), User::admin("ada")),
    )
}

on_both_stores! {
    /// What is left out gets the instant of the create and every nested default; what is given stands; nothing moves later.
    async fn fill_absence(stage: Stage) {
        let (clock, ctx) = open(stage).await;
        let left_out = Alarm::create(&ctx, NewAlarm::default()).await.unwrap();
        let start = DateTime::parse_from_rfc3339(START).unwrap().to_utc();
        assert_eq!((left_out.since, left_out.first), (start, Some(start)));
        assert!(left_out.rights == Rights::default() && left_out.rights.read && left_out.rights.nested.hours == 24);
        assert_eq!((left_out.rights.owner.as_str(), &left_out.rights.note), ("nobody", &None));
        let given = r#"{"since": "2020-01-01T00:00:00Z", "rights": {"read": false, "nested": {}}}"#;
        let given = Alarm::create(&ctx, NewAlarm::from_json(given).unwrap()).await.unwrap();
        assert_eq!((given.since.timestamp(), given.first), (1_577_836_800, Some(start)));
        assert!(!given.rights.read && given.rights.owner == "nobody" && given.rights.nested.hours == 24);
        clock.advance(chrono::TimeDelta::hours(1));
        let patch = AlarmPatch { rights: Merge(RightsPatch { owner: Set("eve".into()), ..Default::default() }), ..Default::default() };
        let patched = Alarm::update(&ctx, &left_out.id, patch).await.unwrap();
        assert_eq!((patched.since, patched.first), (start, Some(start)));
        let shown = serde_json::to_value(patched.into_view(&ctx)).unwrap();
        assert_eq!(shown["rights"], json!({ "read": true, "owner": "eve", "nested": { "hours": 24 } }));
    }
}
