//! Contract N 52: vectors, and the documents nearest to one, inside tenant, scope, filter and permission.

use bson::doc;
use model_core::prelude::*;
use model_core::schema::Similarity;
use model_core::{ModelExt, Scored, SyncOptions};

use crate::harness::{Stage, on_both_stores};
use crate::models::{Ctx, User};

#[derive(Clone, Model)]
#[model(collection = "passages", version = 2, soft_delete, validator)]
struct Passage {
    #[model(id)]
    id: Id<Passage>,
    #[model(tenant)]
    organization: TenantId,
    name: String,
    #[model(vector(similarity = cosine))]
    embedding: Option<Vector<2>>,
    #[model(default)]
    chunks: Vec<Chunk>,
    #[model(hidden, vector(similarity = euclidean, stored = array))]
    place: Option<Vector<2>>,
}

/// A part of a text.
#[derive(Clone, Embedded)]
struct Chunk {
    text: String,
    embedding: Vector<2>,
}

impl BaseModel for Passage {
    type Actor = User;

    fn can_read(&self, _ctx: &Ctx) -> bool {
        !self.name.starts_with("sealed")
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

    fn read_scope(_ctx: &Ctx) -> Filter<Self> {
        Self::filter(|p| p.name.ne("out of scope"))
    }

    /// Version 1 had the numbers side by side.
    fn migrate(mut document: Document, _info: &MigrateInfo) -> Result<Document> {
        let numbers = [document.remove("x"), document.remove("y")];
        if let [Some(x), Some(y)] = numbers {
            document.insert("embedding", vec![x, y]);
        }
        Ok(document)
    }
}

/// At an angle, in degrees.
fn at(degrees: f32) -> Vector<2> {
    let (y, x) = degrees.to_radians().sin_cos();
    [x, y].try_into().unwrap()
}

fn new(name: &str, degrees: f32) -> NewPassage {
    NewPassage {
        name: name.into(),
        optional: NewPassageOptional {
            embedding: Some(at(degrees)),
            ..Default::default()
        },
    }
}

async fn open(stage: Stage) -> (Db, Ctx) {
    let db = stage.builder().model::<Passage>().build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    let synced = db.sync_validators().await;
    assert!(synced.as_ref().is_ok() || synced.is_err_and(|error| error.is_unsupported()));
    let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
    (db, ctx)
}

fn names(found: &[Scored<Passage>]) -> Vec<&str> {
    found.iter().map(|found| &*found.item.name).collect()
}

on_both_stores! {
    /// Written as declared, for other readers; an update that does not touch it leaves it in another writer's form.
    async fn a_vector_is_stored_as_an_array_where_it_is_declared_so(stage: Stage) {
        let (db, ctx) = open(stage).await;
        let mut first = new("a", 0.0);
        first.optional.place = Some([0.5, -2.0].try_into().unwrap());
        Passage::create(&ctx, first).await.unwrap();
        // That with the largest id.
        let stored = async || model_core::testing::stored(&db, "passages").await.unwrap().pop().unwrap();
        assert_eq!(stored().await.get_array("place").unwrap(), &vec![0.5.into(), (-2.0).into()]);
        let mut other = stored().await;
        let packed_id = bson::oid::ObjectId::from_bytes([0xFF; 12]);
        other.insert("_id", packed_id);
        let bson::Bson::Binary(packed) = other.get("embedding").unwrap().clone() else { panic!("{other}") };
        other.insert("place", packed);
        model_core::testing::store_raw(&db, "passages", &other).await.unwrap();
        let id = Id::parse(&packed_id.to_hex()).unwrap();
        let near = Passage::query(&ctx).nearest(|p| &p.place, &[1.0, 0.0].try_into().unwrap(), 1).await.unwrap();
        assert!((near[0].score - 1.0).abs() < 1e-6, "packed ones are read where arrays are written");
        let patch = PassagePatch { name: Set("b".into()), ..Default::default() };
        Passage::update(&ctx, &id, patch).await.unwrap();
        assert!(matches!(stored().await.get("place"), Some(bson::Bson::Binary(_))));
        let patch = PassagePatch { place: Set(Some([1.0, 1.0].try_into().unwrap())), ..Default::default() };
        Passage::update(&ctx, &id, patch).await.unwrap();
        assert!(matches!(stored().await.get("place"), Some(bson::Bson::Array(_))));
    }

    /// Stored packed; in JSON an array of that many numbers; patched as a whole; hidden where a field is declared so.
    async fn a_vector_is_a_field(stage: Stage) {
        let (db, ctx) = open(stage).await;
        let new = NewPassage::from_json(
            r#"{"name": "a", "embedding": [0.5, -2], "chunks": [{"text": "t", "embedding": [1, 0.25]}]}"#,
        ).unwrap();
        let made = Passage::create(&ctx, new).await.unwrap();
        assert_eq!(made.embedding.as_ref().unwrap().as_slice(), [0.5, -2.0]);
        let stored = model_core::testing::stored(&db, "passages").await.unwrap().remove(0);
        let bson::Bson::Binary(packed) = stored.get("embedding").unwrap() else { panic!("{stored}") };
        assert_eq!((u8::from(packed.subtype), &*packed.bytes), (9, &[0x27, 0, 0, 0, 0, 0x3F, 0, 0, 0, 0xC0][..]));
        assert!(!format!("{made:?}").contains("0.5"), "{made:?}");
        let patch = PassagePatch::from_json(r#"{"embedding": null}"#).unwrap();
        let patched = Passage::update(&ctx, &made.id, patch).await.unwrap();
        assert!(patched.embedding.is_none() && patched.chunks.len() == 1);
        let patch = PassagePatch { embedding: Set(Some(at(0.0))), place: Set(Some(at(0.0))), ..Default::default() };
        let patched = Passage::update(&ctx, &made.id, patch).await.unwrap();
        let set = at(90.0);
        Passage::update_with(&ctx, &made.id, |p| p.place.set(set.clone())).await.unwrap();
        assert_eq!(Passage::fetch(&ctx, &made.id).await.unwrap().place, Some(set));
        let view = serde_json::to_value(patched.into_view(&ctx)).unwrap();
        assert_eq!(view["embedding"], serde_json::json!([1.0, 0.0]));
        assert!(view.get("place").is_none(), "{view}");
        for (json, path) in [
            (r#"{"embedding": [1]}"#, "embedding"),
            (r#"{"embedding": [1, 2, 3]}"#, "embedding"),
            (r#"{"embedding": [1, "x"]}"#, "embedding[1]"),
            (r#"{"embedding": [1e300, 1]}"#, "embedding[0]"),
            (r#"{"embedding": "text"}"#, "embedding"),
        ] {
            let error = PassagePatch::from_json(json).unwrap_err();
            assert_eq!(error.violations()[0].path, path, "{json} {error}");
        }
        assert!(Vector::<2>::try_from([f32::NAN, 0.0]).is_err());
    }

    /// The nearest first, none but readable ones, and as many of them as were asked for.
    async fn nearest(stage: Stage) {
        let (db, ctx) = open(stage).await;
        let rival = db.context(TenantId::new("globex").unwrap(), User::admin("rita"));
        Passage::create(&rival, new("theirs", 0.0)).await.unwrap();
        let all = [("ten", 10.0), ("forty", 40.0), ("back", 180.0), ("sealed 1", 1.0), ("sealed 2", 2.0), ("out of scope", 0.0)];
        for (name, degrees) in all {
            Passage::create(&ctx, new(name, degrees)).await.unwrap();
        }
        let gone = Passage::create(&ctx, new("gone", 0.0)).await.unwrap();
        assert!(Passage::delete(&ctx, &gone.id).await.unwrap());
        let mut none = new("without", 0.0);
        none.optional.embedding = None;
        Passage::create(&ctx, none).await.unwrap();
        // Of other writers: an array of numbers, and a document of version 1.
        for document in [
            doc! { "_id": Id::<Passage>::generate().to_bson(), "organization": "acme", "name": "twenty", "_sv": 2, "chunks": [],
                "embedding": [20_f64.to_radians().cos(), 20_f64.to_radians().sin()] },
            doc! { "_id": Id::<Passage>::generate().to_bson(), "organization": "acme", "name": "thirty", "chunks": [],
                "x": 30_f64.to_radians().cos(), "y": 30_f64.to_radians().sin() },
        ] {
            model_core::testing::store_raw(&db, "passages", &document).await.unwrap();
        }
        let query = || Passage::query(&ctx);
        let found = query().nearest(|p| &p.embedding, &at(0.0), 1).await.unwrap();
        assert_eq!(names(&found), ["ten"]);
        let found = query().nearest(|p| &p.embedding, &at(0.0), 4).await.unwrap();
        assert_eq!(names(&found), ["ten", "twenty", "thirty", "forty"]);
        let expected = f64::midpoint(1.0, 10_f64.to_radians().cos());
        assert!((found[0].score - expected).abs() < 1e-6, "{}", found[0].score);
        assert!(found.windows(2).all(|two| two[0].score > two[1].score));
        let found = query().filter(|p| p.name.ne("ten")).nearest(|p| &p.embedding, &at(0.0), 9).await.unwrap();
        assert_eq!(names(&found), ["twenty", "thirty", "forty", "back"]);
        let found = query().nearest(|p| &p.embedding, &at(0.0), 9).filter(|p| p.name.starts_with("t")).await.unwrap();
        assert_eq!(names(&found), ["ten", "twenty", "thirty"]);
        let theirs = Passage::query(&rival).nearest(|p| &p.embedding, &at(90.0), 9).await.unwrap();
        assert_eq!(names(&theirs), ["theirs"]);
        let inside = ctx.transaction(|tx| async move {
            Passage::create(&tx, new("five", 5.0)).await?;
            let found = Passage::query(&tx).nearest(|p| &p.embedding, &at(0.0), 2).await?;
            Ok::<_, Error>(names(&found).join(" "))
        });
        assert_eq!(inside.await.unwrap(), "five ten");
        let bypass = ctx.dangerously_bypass_permissions("a look at all");
        let found = Passage::query(&bypass).with_deleted().nearest(|p| &p.embedding, &at(0.0), 5).await.unwrap();
        let mut all = names(&found);
        all.sort_unstable();
        assert_eq!(all, ["five", "gone", "out of scope", "sealed 1", "sealed 2"]);
    }

    /// By what the field declares, or by what the query says.
    async fn by_every_similarity(stage: Stage) {
        let (_db, ctx) = open(stage).await;
        for (name, numbers) in [("long", [9.0, 9.0]), ("near", [1.0, 0.5]), ("same", [2.0, 0.0])] {
            let mut new = new(name, 0.0);
            new.optional.embedding = Some(numbers.try_into().unwrap());
            new.optional.place = new.optional.embedding.clone();
            Passage::create(&ctx, new).await.unwrap();
        }
        let to = Vector::try_from([1.0, 0.0]).unwrap();
        let by = async |similarity| {
            let found = Passage::query(&ctx).nearest(|p| &p.embedding, &to, 3).by(similarity).await.unwrap();
            names(&found).join(" ")
        };
        assert_eq!(by(Similarity::Cosine).await, "same near long");
        assert_eq!(by(Similarity::Dot).await, "long same near");
        assert_eq!(by(Similarity::Euclidean).await, "near same long");
        // No server here has indexes over vectors: the answer is the exact one.
        let found = Passage::query(&ctx).nearest(|p| &p.embedding, &to, 2).by_index("embedding_vector", 50).await.unwrap();
        assert_eq!(names(&found), ["same", "near"]);
        let declared = Passage::query(&ctx).nearest(|p| &p.place, &to, 3).await.unwrap();
        assert_eq!(names(&declared), ["near", "same", "long"]);
    }

    /// Of several vectors the nearest counts; what is refused says why.
    async fn several_vectors_and_what_is_refused(stage: Stage) {
        let (db, ctx) = open(stage).await;
        for (name, angles) in [("a", [100.0, 30.0]), ("b", [20.0, 170.0])] {
            let mut new = new(name, 90.0);
            new.optional.chunks =
                Some(angles.map(|angle| Chunk { text: "part".into(), embedding: at(angle) }).to_vec());
            Passage::create(&ctx, new).await.unwrap();
        }
        let found = Passage::query(&ctx).nearest(|p| &p.chunks.embedding, &at(0.0), 2).await.unwrap();
        assert_eq!(names(&found), ["b", "a"]);
        let refused = [
            Passage::query(&ctx).limit(1).nearest(|p| &p.embedding, &at(0.0), 1),
            Passage::query(&ctx).skip(1).nearest(|p| &p.embedding, &at(0.0), 1),
            Passage::query(&ctx).sort(|p| p.name.asc()).nearest(|p| &p.embedding, &at(0.0), 1),
            Passage::query(&ctx).nearest(|p| &p.embedding, &at(0.0), 0),
            Passage::query(&ctx).nearest(|p| &p.embedding, &at(0.0), 10_001),
        ];
        for refused in refused {
            let error = refused.await.unwrap_err();
            assert!(error.is_invalid(), "{error}");
        }
        let odd = doc! { "_id": Id::<Passage>::generate().to_bson(), "organization": "acme", "name": "odd", "_sv": 2, "chunks": [], "embedding": [1.0] };
        model_core::testing::store_raw(&db, "passages", &odd).await.unwrap();
        let error = Passage::query(&ctx).nearest(|p| &p.embedding, &at(0.0), 1).await.unwrap_err();
        assert!(error.path() == Some("embedding") && error.to_string().contains("dimension"), "{error}");
        assert!(Passage::query(&ctx).await.is_err());
    }
}

/// JSON Schema, manifest and validator know the type.
#[tokio::test]
async fn the_metadata_know_vectors() {
    let schema = model_core::schema::json::create(Passage::schema());
    assert_eq!(schema["properties"]["embedding"]["minItems"], 2, "{schema}");
    let db = Db::memory().model::<Passage>().build_lazy().unwrap();
    assert!(
        db.manifest().to_string().contains("vector of 2"),
        "{}",
        db.manifest()
    );
    let indexes = model_core::schema::vector_indexes(Passage::schema());
    let named: Vec<_> = indexes
        .iter()
        .map(|index| index.get_str("name").unwrap())
        .collect();
    assert_eq!(named, ["embedding_vector", "place_vector"]);
}
