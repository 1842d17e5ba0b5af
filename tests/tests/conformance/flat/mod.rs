//! Flat variants, which stand in the document around them as the discriminators of other libraries do: a collection of those is
//! read and written as it is.

mod stored;
mod typed;
mod within;

use bson::{Document, doc, oid::ObjectId};
use model_core::prelude::*;
use model_core::{ModelExt, SyncOptions, testing};

use crate::harness::Stage;
use crate::models::{Ctx, User, open_policy};

/// Two variants have a `url`, of two types, and one has nothing.
#[derive(Clone, PartialEq, Embedded)]
#[model(flat)]
enum What {
    #[model(rename = "ClickEvent")]
    Click {
        #[model(trim)]
        url: String,
        #[model(default = 1)]
        count: i64,
        #[model(default)]
        tags: Vec<String>,
        place: Option<Spot>,
    },
    #[model(rename = "SignupEvent")]
    Signup {
        #[model(lowercase, email)]
        email: String,
        #[model(on_delete = nullify)]
        by: Option<Ref<Person>>,
        #[model(hidden, default = 0)]
        score: i64,
    },
    #[model(rename = "RedirectEvent")]
    Redirect { url: Spot },
    #[model(rename = "PingEvent")]
    Ping,
}

#[derive(Clone, PartialEq, Embedded)]
struct Spot {
    x: i64,
    y: i64,
}

/// Of somebody who may go.
#[derive(Clone, Model)]
#[model(collection = "people")]
struct Person {
    #[model(id)]
    id: Id<Person>,
    #[model(tenant, rename = "tenantId")]
    tenant: TenantId,
}

/// An event; the base itself has no `__t`.
#[derive(Clone, Model)]
#[model(
    collection = "events_flat",
    audit,
    validator,
    watch,
    index(what.click.url, unique),
    index(what.signup.email, time = desc)
)]
struct Happening {
    #[model(id)]
    id: Id<Happening>,
    #[model(tenant, rename = "tenantId")]
    tenant: TenantId,
    time: i64,
    what: Option<What>,
}

impl BaseModel for Person {
    type Actor = User;
    open_policy!(Self, Ctx);
}

impl BaseModel for Happening {
    type Actor = User;
    open_policy!(Self, Ctx);

    /// Whoever is no admin is not shown what happened.
    fn hidden_from(ctx: &Ctx) -> FieldSet<Self> {
        if ctx.actor().admin {
            FieldSet::none()
        } else {
            Self::field_set(|h| h.what.signup.email.only())
        }
    }
}

struct Desk {
    db: Db,
    ctx: Ctx,
}

impl Desk {
    async fn open(stage: Stage) -> Self {
        let builder = stage.builder().model::<Happening>().model::<Person>();
        let db = builder.build_lazy().unwrap();
        db.sync_indexes(SyncOptions::default()).await.unwrap();
        db.sync_collections().await.unwrap();
        let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
        Self { db, ctx }
    }

    async fn happening(&self, time: i64, what: impl Into<Option<What>>) -> Happening {
        let optional = NewHappeningOptional { what: what.into() };
        Happening::create(&self.ctx, NewHappening { time, optional })
            .await
            .unwrap()
    }

    /// What is stored of the one at this time, without what the crate and the model itself keep.
    async fn stored(&self, time: i64) -> Document {
        let stored = testing::stored(&self.db, "events_flat").await.unwrap();
        let is_it = |one: &&Document| one.get_i64("time").is_ok_and(|stored| stored == time);
        let mut found = stored.iter().find(is_it).unwrap().clone();
        for name in ["_id", "_rev", "tenantId", "time"] {
            found.remove(name);
        }
        found
    }

    async fn times(&self, make: impl FnOnce(&'static HappeningFields) -> Filter<Happening>) -> Vec<i64> {
        let found = Happening::query(&self.ctx)
            .filter(make)
            .sort(|h| h.time.asc())
            .await
            .unwrap();
        found.iter().map(|one| one.time).collect()
    }
}

fn click(url: &str) -> What {
    What::Click {
        url: url.into(),
        count: 1,
        tags: Vec::new(),
        place: None,
    }
}

fn signup(email: &str) -> What {
    What::Signup {
        email: email.into(),
        by: None,
        score: 0,
    }
}

/// As the other library stores them.
fn foreign(n: u8, tenant: &str, fields: Document) -> Document {
    let mut document =
        doc! { "_id": ObjectId::from_bytes([n; 12]), "tenantId": tenant, "__v": 0, "time": i64::from(n) };
    document.extend(fields);
    document
}
