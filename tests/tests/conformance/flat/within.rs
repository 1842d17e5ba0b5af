//! Flat variants inside of documents, in arrays too; and where they cannot stand.

use bson::doc;
use model_core::prelude::*;
use model_core::{ModelExt, testing};

use crate::harness::{Stage, on_both_stores};
use crate::models::{Ctx, User, open_policy};

#[derive(Clone, PartialEq, Embedded)]
#[model(flat, tag = "kind", rename_all = "lowercase")]
enum Shape {
    Round {
        radius: i64,
    },
    Square {
        side: i64,
        #[model(default = false)]
        filled: bool,
    },
}

#[derive(Clone, PartialEq, Embedded)]
struct Part {
    name: String,
    shape: Shape,
}

#[derive(Clone, Model)]
#[model(collection = "drawings", index(main.shape.round.radius))]
struct Drawing {
    #[model(id)]
    id: Id<Drawing>,
    #[model(tenant)]
    organization: TenantId,
    main: Part,
    #[model(default)]
    parts: Vec<Part>,
}

impl BaseModel for Drawing {
    type Actor = User;
    open_policy!(Self, Ctx);
}

fn part(name: &str, shape: Shape) -> Part {
    Part {
        name: name.into(),
        shape,
    }
}

on_both_stores! {
    /// Below a path, and in elements.
    async fn inside_of_documents(stage: Stage) {
        let db = stage.builder().model::<Drawing>().build_lazy().unwrap();
        db.sync_indexes(model_core::SyncOptions::default()).await.unwrap();
        let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
        let parts = vec![part("a", Shape::Square { side: 2, filled: true }), part("b", Shape::Round { radius: 3 })];
        let optional = NewDrawingOptional { parts: Some(parts.clone()) };
        let main = part("main", Shape::Round { radius: 1 });
        let one = Drawing::create(&ctx, NewDrawing { main: main.clone(), optional }).await.unwrap();
        assert!(one.parts == parts && one.main == main);
        let stored = async || testing::stored(&db, "drawings").await.unwrap().remove(0);
        assert_eq!(stored().await.get_document("main").unwrap(), &doc! { "name": "main", "kind": "round", "radius": 1_i64 });
        let elements = stored().await.get_array("parts").unwrap().clone();
        assert_eq!(elements[0].as_document().unwrap(), &doc! { "name": "a", "kind": "square", "side": 2_i64, "filled": true });
        let count = async |make: fn(&'static DrawingFields) -> Filter<Drawing>| {
            Drawing::query(&ctx).filter(make).count().await.unwrap()
        };
        assert_eq!(count(|d| d.main.shape.round.radius.eq(1)).await, 1);
        assert_eq!(count(|d| d.main.shape.square.side.eq(1)).await, 0);
        assert_eq!(count(|d| d.parts.shape.square.is()).await, 1);
        assert_eq!(count(|d| d.parts.elem_match(|p| p.shape.round.radius.gt(2))).await, 1);
        assert_eq!(count(|d| d.parts.elem_match(|p| p.shape.square.side.gt(2))).await, 0);
        let changed = Drawing::update_with(&ctx, &one.id, |d| {
            d.main.shape.round.radius.inc(4).and(d.parts.each(|p| p.shape.square.is()).update(|p| p.shape.square.side.inc(5)))
        }).await.unwrap();
        assert!(changed.main.shape == Shape::Round { radius: 5 });
        assert!(changed.parts[0].shape == Shape::Square { side: 7, filled: true } && changed.parts[1] == parts[1]);
        let patch = DrawingPatch {
            main: Merge(PartPatch { shape: Set(Shape::Square { side: 1, filled: false }), ..Default::default() }),
            ..Default::default()
        };
        let changed = Drawing::update(&ctx, &one.id, patch).await.unwrap();
        assert!(changed.main == part("main", Shape::Square { side: 1, filled: false }));
        let expected = doc! { "name": "main", "kind": "square", "side": 1_i64, "filled": false };
        assert_eq!(stored().await.get_document("main").unwrap(), &expected);
        assert!(db.plan_indexes().await.unwrap().is_empty());
    }
}

macro_rules! drawing {
    ($name:ident $([$($key:tt)*])? { $($fields:tt)* }) => {
        #[derive(Clone, Model)]
        #[model(collection = "refused" $(, $($key)*)?)]
        struct $name {
            #[model(id)]
            id: Id<$name>,
            #[model(tenant)]
            organization: TenantId,
            $($fields)*
        }

        impl BaseModel for $name {
            type Actor = User;
            open_policy!(Self, Ctx);
        }
    };
}

drawing!(Several { shapes: Vec<Shape> });
drawing!(Taken {
    side: String,
    shape: Shape
});
drawing!(Named {
    kind: String,
    shape: Shape
});
drawing!(Twice { one: Shape, other: Option<Shape> });
drawing!(Deep { outer: Outer });
drawing!(Listed [seal(shape)] { shape: Shape });

#[derive(Clone, Embedded)]
enum Outer {
    Inner { shape: Shape },
}

/// Where it would have no document of its own, or not be alone with its names.
#[test]
fn where_it_cannot_stand() {
    let refused = |builder: model_core::DbBuilder, said: &str| {
        let error = builder.build_lazy().unwrap_err();
        assert!(
            error.is_configuration() && error.to_string().contains(said),
            "{error}"
        );
    };
    let builder = || Stage::memory().builder();
    refused(builder().model::<Several>(), "an element");
    refused(builder().model::<Taken>(), "`side`");
    refused(builder().model::<Named>(), "`kind`");
    refused(builder().model::<Twice>(), "`radius`");
    refused(builder().model::<Deep>(), "a variant");
    refused(
        builder().keys(testing::keyring().unwrap()).model::<Listed>(),
        "`shape` is listed",
    );
}
