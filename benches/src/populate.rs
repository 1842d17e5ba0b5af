//! A thousand documents with three references each, populated: against the `$in` that one would write by hand with the
//! bare driver, which sends the same three commands.

use std::collections::HashMap;

use bson::doc;
use bson::oid::ObjectId;
use futures_util::TryStreamExt;
use model_core::prelude::*;
use model_tests::server;
use mongodb::Collection;

use crate::document::{Row as Stored, TENANT, User, Widget, row};
use crate::report::{self, Row};
use crate::rounds::{Variant, take};

/// How many documents refer to others.
const PARENTS: u32 = 1_000;
/// How many documents there are to refer to; some are named twice.
const TARGETS: u32 = 2_000;
/// The ratio to the bare driver that must be held.
const LIMIT: f64 = 1.10;

/// A document with references, as both sides have it in memory.
struct Parent {
    ours: [Ref<Widget>; 3],
    bare: [ObjectId; 3],
}

struct Stage {
    ctx: Context<User>,
    bare: Collection<Stored>,
    parents: Vec<Parent>,
}

impl Stage {
    async fn ours(&self) {
        for place in 0..3 {
            let loaded = Widget::populate(&self.ctx, &self.parents, |parent| &parent.ours[place])
                .await
                .unwrap();
            for parent in &self.parents {
                assert!(loaded.get(&parent.ours[place]).is_some());
            }
        }
    }

    async fn bare(&self) {
        for place in 0..3 {
            let mut ids: Vec<_> = self.parents.iter().map(|parent| parent.bare[place]).collect();
            ids.sort_unstable();
            ids.dedup();
            let filter = doc! { "_id": { "$in": &ids }, "organization": TENANT };
            // As ours does, all of it in one batch.
            let size = u32::try_from(ids.len() + 1).unwrap();
            let mut cursor = self.bare.find(filter).batch_size(size).await.unwrap();
            let mut loaded = HashMap::with_capacity(ids.len());
            while let Some(row) = cursor.try_next().await.unwrap() {
                loaded.insert(row.id, row);
            }
            for parent in &self.parents {
                assert!(loaded.contains_key(&parent.bare[place]));
            }
        }
    }
}

/// Measures it in so many rounds.
///
/// # Panics
/// If a server does not answer, or a reference dangles.
pub async fn time(rounds: usize) -> Vec<Row> {
    let database = server::fresh_database().await;
    let bare = database.collection::<Stored>("widgets");
    bare.insert_many((0..TARGETS).map(row)).await.unwrap();
    let db = Db::mongo(database.clone())
        .model::<Widget>()
        .build()
        .await
        .unwrap();
    let ids: Vec<_> = (0..TARGETS)
        .map(row)
        .map(|row| (Ref::from(row.clone().into_model().id), row.id))
        .collect();
    let at = |parent: u32, place: u32| &ids[((parent * 7 + place * 13) % TARGETS) as usize];
    let parents = (0..PARENTS).map(|parent| Parent {
        ours: [0, 1, 2].map(|place| at(parent, place).0.clone()),
        bare: [0, 1, 2].map(|place| at(parent, place).1),
    });
    let stage = &Stage {
        ctx: db.context(TenantId::new(TENANT).unwrap(), User),
        bare,
        parents: parents.collect(),
    };
    let ours = Variant::new(move |times| async move {
        for _ in 0..times {
            stage.ours().await;
        }
    });
    let theirs = Variant::new(move |times| async move {
        for _ in 0..times {
            stage.bare().await;
        }
    });
    let [ours, theirs] = take([ours, theirs], rounds, 1).await;
    let name = "populate 1,000 x 3";
    let rows = vec![
        Row::sampled(name, "wall us", &ours.wall, &theirs.wall).at_most(LIMIT),
        Row::sampled(name, "CPU us", &ours.cpu, &theirs.cpu).at_most(LIMIT),
    ];
    server::drop_database(database).await;
    report::show(rows).collect()
}
