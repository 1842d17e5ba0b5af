//! What a seal of the whole document costs: the same verbs on the same documents, with and without one, on the embedded
//! store, where nothing else takes time.

use model_core::prelude::*;
use model_core::{ModelExt, testing};

use crate::document::{TENANT, User};
use crate::report::{self, Row};
use crate::rounds::{self, Variant};

/// A document with a role in the clear, and a secret.
macro_rules! badge {
    ($name:ident, $new:ident, $patch:ident, $collection:literal, $($seal:tt)*) => {
        #[derive(Clone, Model)]
        #[model(collection = $collection, $($seal)*)]
        #[allow(missing_docs, reason = "the fields stand for nothing but their types")]
        pub struct $name {
            #[model(id)]
            pub id: Id<$name>,
            #[model(tenant)]
            pub organization: TenantId,
            pub role: String,
            pub visits: i64,
            pub token: Encrypted<String>,
            #[model(updated_at)]
            pub updated_at: DateTime<Utc>,
        }

        impl BaseModel for $name {
            type Actor = User;

            fn can_read(&self, _: &Context<User>) -> bool {
                true
            }

            fn can_create(&self, _: &Context<User>) -> bool {
                true
            }

            fn can_update(&self, _: &Context<User>, _: &Self) -> bool {
                true
            }

            fn can_delete(&self, _: &Context<User>) -> bool {
                true
            }
        }

        impl $name {
            async fn make(ctx: &Context<User>) -> Self {
                let new = $new {
                    role: "clerk".to_owned(),
                    visits: 0,
                    token: Secret::from("tok_live_0123456789abcdef"),
                };
                Self::create(ctx, new).await.unwrap()
            }

            async fn change(ctx: &Context<User>, id: &Id<Self>, visits: i64) {
                let patch = $patch {
                    visits: Set(visits),
                    ..Default::default()
                };
                Self::update(ctx, id, patch).await.unwrap();
            }
        }
    };
}

badge!(Guarded, NewGuarded, GuardedPatch, "guarded", seal(role));
badge!(Bare, NewBare, BarePatch, "bare",);

/// A create, an update and a read by id, with a seal against without.
pub async fn measure(rounds: usize) -> Vec<Row> {
    let builder = Db::memory().keys(testing::keyring().unwrap());
    let db = builder.model::<Guarded>().model::<Bare>().build().await.unwrap();
    let ctx = &db.context(TenantId::new(TENANT).unwrap(), User);
    let (guarded, bare) = (Guarded::make(ctx).await.id, Bare::make(ctx).await.id);
    let (guarded, bare) = (&guarded, &bare);
    let mut rows = Vec::new();
    // Reads first: what creates leave behind makes the store larger.
    let [with, without] = rounds::take(
        [
            Variant::new(move |times: usize| async move {
                for _ in 0..times {
                    Guarded::fetch(ctx, guarded).await.unwrap();
                }
            }),
            Variant::new(move |times: usize| async move {
                for _ in 0..times {
                    Bare::fetch(ctx, bare).await.unwrap();
                }
            }),
        ],
        rounds,
        500,
    )
    .await;
    rows.push(Row::sampled(
        "get, with a seal",
        "wall us",
        &with.wall,
        &without.wall,
    ));
    let [with, without] = rounds::take(
        [
            Variant::new(move |times: usize| async move {
                for visits in 0..times {
                    Guarded::change(ctx, guarded, visits as i64).await;
                }
            }),
            Variant::new(move |times: usize| async move {
                for visits in 0..times {
                    Bare::change(ctx, bare, visits as i64).await;
                }
            }),
        ],
        rounds,
        500,
    )
    .await;
    rows.push(Row::sampled(
        "update, with a seal",
        "wall us",
        &with.wall,
        &without.wall,
    ));
    let [with, without] = rounds::take(
        [
            Variant::new(move |times: usize| async move {
                for _ in 0..times {
                    Guarded::make(ctx).await;
                }
            }),
            Variant::new(move |times: usize| async move {
                for _ in 0..times {
                    Bare::make(ctx).await;
                }
            }),
        ],
        rounds,
        100,
    )
    .await;
    rows.push(Row::sampled(
        "create, with a seal",
        "wall us",
        &with.wall,
        &without.wall,
    ));
    report::show(rows).collect()
}
