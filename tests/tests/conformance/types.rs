//! Contract L: every field type, from the input to storage and back into the view.

use std::collections::{BTreeMap, HashMap};

use bson::oid::ObjectId;
use bson::{Bson, Decimal128, Document, Regex, Timestamp, doc};
use model_core::ModelExt;
use model_core::prelude::*;
use model_core::testing;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Stage, date, on_both_stores};
use crate::models::{Ctx, User, open_policy};

/// One field of every type.
#[derive(Clone, Model)]
#[model(collection = "kits")]
struct Kit {
    #[model(id)]
    id: Id<Kit>,
    #[model(tenant)]
    organization: TenantId,
    flag: bool,
    small: i16,
    port: u16,
    int: i32,
    count: u32,
    long: i64,
    big: u64,
    single: f32,
    double: f64,
    text: String,
    at: DateTime<Utc>,
    oid: ObjectId,
    uuid: Uuid,
    decimal: Decimal128,
    stamp: Timestamp,
    bytes: Bytes,
    regex: Regex,
    any: Bson,
    link: Option<Id<Kit>>,
    note: Option<String>,
    list: Vec<String>,
    holes: Vec<Option<i32>>,
    sorted: BTreeMap<String, i64>,
    hashed: HashMap<String, Option<f64>>,
    nested: Part,
    other: Option<Part>,
    many: Vec<Part>,
    by_name: BTreeMap<String, Part>,
    status: Status,
    shape: Shape,
    shapes: Vec<Shape>,
    email: Email,
    foreign: Foreign<Outer>,
}

impl BaseModel for Kit {
    type Actor = User;

    open_policy!(Self, Ctx);
}

#[derive(Clone, PartialEq, Embedded)]
#[model(rename_all = "camelCase")]
struct Part {
    max_size: u32,
    label_text: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "snake_case")]
enum Status {
    InReview,
    #[model(rename = "gone")]
    Deleted,
}

#[derive(Clone, PartialEq, Embedded)]
#[model(tag = "kind", rename_all = "lowercase")]
enum Shape {
    Nothing,
    Circle { radius: u32, note: Option<String> },
    Tagged(Vec<String>),
}

#[derive(Clone, PartialEq, Embedded)]
struct Email(String);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Outer {
    name: String,
    more: HashMap<String, i32>,
}

fn part(max_size: u32) -> Part {
    Part {
        max_size,
        label_text: None,
    }
}

fn instant(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn regex(pattern: &str, options: &str) -> Regex {
    Regex {
        pattern: pattern.try_into().unwrap(),
        options: options.try_into().unwrap(),
    }
}

fn new_kit() -> NewKit {
    NewKit {
        flag: true,
        small: i16::MIN,
        port: u16::MAX,
        int: i32::MIN,
        count: u32::MAX,
        long: i64::MIN,
        big: u64::try_from(i64::MAX).unwrap(),
        single: 0.1,
        double: 5e-324,
        text: "é\0😀".into(),
        at: instant("2026-03-01T09:00:00.123Z"),
        oid: ObjectId::parse_str("0123456789abcdef01234567").unwrap(),
        uuid: Uuid::parse_str("01890a5d-ac96-774b-bcce-b302099a8057").unwrap(),
        decimal: "12.50".parse().unwrap(),
        stamp: Timestamp {
            time: 7,
            increment: 9,
        },
        bytes: Bytes(vec![0, 1, 255]),
        regex: regex("^a", ""),
        any: doc! { "a": [1, Bson::Null, "x"] }.into(),
        list: vec!["a".into(), String::new()],
        holes: vec![Some(1), None],
        sorted: [("k".to_owned(), 1)].into(),
        hashed: [("k".to_owned(), None)].into(),
        nested: part(1),
        many: vec![
            part(2),
            Part {
                max_size: 3,
                label_text: Some("three".into()),
            },
        ],
        by_name: [("four".to_owned(), part(4))].into(),
        status: Status::InReview,
        shape: Shape::Circle {
            radius: 5,
            note: None,
        },
        shapes: vec![Shape::Nothing, Shape::Tagged(vec!["t".into()])],
        email: Email("a@b.example".into()),
        foreign: Foreign(Outer {
            name: "n".into(),
            more: [("m".to_owned(), 1)].into(),
        }),
        optional: NewKitOptional::default(),
    }
}

/// Dates alone, so that nothing else makes a write read back what it has stored.
#[derive(Clone, Model)]
#[model(collection = "moments")]
struct Moment {
    #[model(id)]
    id: Id<Moment>,
    #[model(tenant)]
    organization: TenantId,
    at: DateTime<Utc>,
    ends: Option<DateTime<Utc>>,
    laps: Vec<DateTime<Utc>>,
}

impl BaseModel for Moment {
    type Actor = User;

    open_policy!(Self, Ctx);
}

async fn open(stage: Stage) -> (Db, Context<User>) {
    let db = stage.builder().model::<Kit>().build().await.unwrap();
    let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
    (db, ctx)
}

async fn only(db: &Db) -> Document {
    let mut all = testing::stored(db, "kits").await.unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// A document as another client would store it, for changes.
async fn plain() -> Document {
    let (db, ctx) = open(Stage::memory()).await;
    Kit::create(&ctx, new_kit()).await.unwrap();
    let mut document = only(&db).await;
    document.remove("_rev");
    document
}

fn id(document: &Document) -> Id<Kit> {
    Id::parse(&document.get_object_id("_id").unwrap().to_hex()).unwrap()
}

/// Neither a patch that changes nothing nor one of another field touches what another client has stored.
async fn stays_as_it_is(stage: Stage, other: Document) {
    let (db, ctx) = open(stage).await;
    let mut document = plain().await;
    document.extend(other.clone());
    testing::store_raw(&db, "kits", &document).await.unwrap();
    let id = id(&document);
    for flag in [true, false] {
        Kit::update(
            &ctx,
            &id,
            KitPatch {
                flag: Set(flag),
                ..Default::default()
            },
        )
        .await
        .unwrap();
        let stored = only(&db).await;
        let changed: Vec<_> = other
            .iter()
            .filter(|(key, value)| stored.get(key) != Some(value))
            .collect();
        assert!(changed.is_empty(), "flag = {flag} changed {changed:?}: {stored}");
        assert_eq!(
            stored.contains_key("_rev"),
            !flag,
            "a patch that changes nothing is not written"
        );
    }
}

fn view(kit: Kit, ctx: &Ctx) -> Value {
    serde_json::to_value(kit.into_view(ctx)).unwrap()
}

on_both_stores! {
    /// What is finer than BSON's milliseconds is not stored, and does not come back from the write either.
    async fn writes_return_what_is_stored(stage: Stage) {
        let db = stage.builder().model::<Moment>().build().await.unwrap();
        let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
        let (fine, coarse) = (instant("2026-03-01T09:00:00.123456789Z"), instant("2026-03-01T09:00:00.123Z"));
        let shown = |moment: &Moment| (moment.at, moment.ends, moment.laps.clone());
        let new = |at| NewMoment {
            at,
            laps: vec![coarse, at],
            optional: NewMomentOptional { ends: Some(at) },
        };
        let created = Moment::create(&ctx, new(fine)).await.unwrap();
        assert_eq!(shown(&created), (coarse, Some(coarse), vec![coarse, coarse]));
        let batch = Moment::create_many(&ctx, vec![new(coarse), new(fine)]).await.unwrap();
        assert!(batch.iter().all(|moment| shown(moment) == shown(&created)));
        let patch = MomentPatch { ends: Set(Some(fine)), laps: Set(vec![fine]), ..Default::default() };
        let updated = Moment::update(&ctx, &created.id, patch).await.unwrap();
        assert_eq!(shown(&updated), (coarse, Some(coarse), vec![coarse]));
        assert_eq!(shown(&Moment::fetch(&ctx, &created.id).await.unwrap()), shown(&updated));
    }

    /// What create returns is what a read returns, in every field; and so of an update of every field.
    async fn every_type_round_trips(stage: Stage) {
        let (db, ctx) = open(stage).await;
        let created = Kit::create(&ctx, new_kit()).await.unwrap();
        let read = Kit::fetch(&ctx, &created.id).await.unwrap();
        assert_eq!(format!("{read:?}"), format!("{created:?}"));
        assert_eq!((read.small, read.port, read.int, read.count), (i16::MIN, u16::MAX, i32::MIN, u32::MAX));
        assert_eq!((read.long, read.big, read.single.to_bits()), (i64::MIN, i64::MAX as u64, 0.1_f32.to_bits()));
        assert_eq!((read.double.to_bits(), read.text.as_str(), read.flag), (1, "é\0😀", true));
        assert_eq!((read.hashed.get("k"), &read.nested), (Some(&None), &part(1)));
        assert_eq!((&read.foreign.0.more, &read.bytes), (&[("m".to_owned(), 1)].into(), &Bytes(vec![0, 1, 255])));
        let patch = KitPatch {
            flag: Set(false),
            small: Set(i16::MAX),
            port: Set(0),
            int: Set(i32::MAX),
            count: Set(0),
            long: Set(i64::MAX),
            big: Set(0),
            single: Set(f32::MAX),
            double: Set(f64::NEG_INFINITY),
            text: Set(String::new()),
            at: Set(DateTime::UNIX_EPOCH),
            oid: Set(ObjectId::from_bytes([0; 12])),
            uuid: Set(Uuid::nil()),
            decimal: Set("NaN".parse().unwrap()),
            stamp: Set(Timestamp { time: 1, increment: 0 }),
            bytes: Set(Bytes(vec![])),
            regex: Set(regex("b$", "i")),
            any: Set(Bson::Null),
            link: Set(Some(created.id.clone())),
            note: Set(Some("n".into())),
            list: Set(vec![]),
            holes: Set(vec![None, None]),
            sorted: Set([("0".to_owned(), 1), ("é".to_owned(), 2)].into()),
            hashed: Set([("k".to_owned(), Some(1.5))].into()),
            nested: Merge(PartPatch { label_text: Set(Some("l".into())), ..Default::default() }),
            other: Set(Some(part(9))),
            many: Set(vec![part(2)]),
            by_name: Set(BTreeMap::new()),
            status: Set(Status::Deleted),
            shape: Set(Shape::Nothing),
            shapes: Set(vec![Shape::Circle { radius: 1, note: Some("c".into()) }]),
            email: Set(Email(String::new())),
            foreign: Set(Foreign(Outer { name: String::new(), more: HashMap::new() })),
            ..Default::default()
        };
        let updated = Kit::update(&ctx, &created.id, patch).await.unwrap();
        let read = Kit::fetch(&ctx, &created.id).await.unwrap();
        assert_eq!(format!("{read:?}"), format!("{updated:?}"));
        assert_eq!((read.single.to_bits(), read.double), (f32::MAX.to_bits(), f64::NEG_INFINITY));
        assert_eq!((read.nested.max_size, read.nested.label_text.as_deref()), (1, Some("l")));
        assert!(read.any == Bson::Null && read.by_name.is_empty() && read.shape == Shape::Nothing);
        let stored = only(&db).await;
        assert_eq!(stored.get("any"), Some(&Bson::Null), "a dynamic null is a value");
        assert_eq!(stored.get_str("shape").unwrap(), "nothing");
        // And back to none.
        let patch = KitPatch { link: Set(None), note: Set(None), other: Set(None), ..Default::default() };
        let updated = Kit::update(&ctx, &created.id, patch).await.unwrap();
        assert!(updated.link.is_none() && updated.note.is_none() && updated.other.is_none());
        let stored = only(&db).await;
        assert!(["link", "note", "other"].iter().all(|key| !stored.contains_key(key)), "{stored}");
    }

    /// The JSON forms of a view: dates of RFC 3339, ids and decimals as strings, bytes in base64, no absent options.
    async fn views_have_plain_json_forms(stage: Stage) {
        let (_, ctx) = open(stage).await;
        let created = Kit::create(&ctx, new_kit()).await.unwrap();
        let id = created.id.to_string();
        let expected = json!({
            "id": id, "organization": "acme", "flag": true, "small": -32768, "port": 65535, "int": i32::MIN,
            "count": u32::MAX, "long": i64::MIN, "big": i64::MAX, "single": 0.1_f32, "double": 5e-324,
            "text": "é\0😀", "at": "2026-03-01T09:00:00.123Z", "oid": "0123456789abcdef01234567",
            "uuid": "01890a5d-ac96-774b-bcce-b302099a8057", "decimal": "12.50",
            "stamp": { "time": 7, "increment": 9 }, "bytes": "AAH/", "regex": "/^a/", "any": { "a": [1, null, "x"] },
            "list": ["a", ""], "holes": [1, null], "sorted": { "k": 1 }, "hashed": { "k": null },
            "nested": { "maxSize": 1 }, "many": [{ "maxSize": 2 }, { "maxSize": 3, "labelText": "three" }],
            "by_name": { "four": { "maxSize": 4 } }, "status": "in_review",
            "shape": { "kind": "circle", "radius": 5 }, "shapes": ["nothing", { "kind": "tagged", "value": ["t"] }],
            "email": "a@b.example", "foreign": { "name": "n", "more": { "m": 1 } }
        });
        let shown = view(created, &ctx);
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&shown[key], value, "{key}");
        }
        assert_eq!(shown, expected);
    }

    /// Design 7.6: clients send back what they got. A view sent back as a patch reads back as what is stored.
    async fn a_view_sent_back_changes_nothing(stage: Stage) {
        let (db, ctx) = open(stage).await;
        let created = Kit::create(&ctx, new_kit()).await.unwrap();
        let before = only(&db).await;
        let mut shown = view(created.clone(), &ctx);
        shown.as_object_mut().unwrap().remove("organization");
        // What a dynamic value was, its JSON does not tell; and the regular expression has a test of its own.
        for key in ["any", "regex"] {
            shown.as_object_mut().unwrap().remove(key);
        }
        let patch = KitPatch::from_json(&shown.to_string()).unwrap();
        Kit::update(&ctx, &created.id, patch).await.unwrap();
        assert_eq!(only(&db).await, before);
    }

    /// The same of a regular expression.
    async fn a_regular_expression_sent_back_is_the_same(stage: Stage) {
        let (_, ctx) = open(stage).await;
        let created = Kit::create(&ctx, NewKit { regex: regex("^a", "i"), ..new_kit() }).await.unwrap();
        let shown = view(created.clone(), &ctx);
        let patch = KitPatch::from_json(&json!({ "regex": shown["regex"] }).to_string()).unwrap();
        let updated = Kit::update(&ctx, &created.id, patch).await.unwrap();
        assert_eq!(updated.regex, created.regex);
    }

    /// A number that BSON does not hold is refused with its path, on create and on update; nothing is stored.
    async fn a_number_above_bsons_is_refused(stage: Stage) {
        let (db, ctx) = open(stage).await;
        let error = Kit::create(&ctx, NewKit { big: 1 << 63, ..new_kit() }).await.unwrap_err();
        assert_eq!((error.violations()[0].path.as_str(), error.violations()[0].rule.as_ref()), ("big", "range"));
        assert!(testing::stored(&db, "kits").await.unwrap().is_empty());
        let created = Kit::create(&ctx, new_kit()).await.unwrap();
        let before = only(&db).await;
        let patch = KitPatch { big: Set(u64::MAX), flag: Set(false), ..Default::default() };
        let error = Kit::update(&ctx, &created.id, patch).await.unwrap_err();
        assert_eq!(error.violations()[0].path, "big");
        assert_eq!(only(&db).await, before);
    }

    /// The keys of a map are checked on every way in.
    async fn map_keys_are_checked(stage: Stage) {
        let (db, ctx) = open(stage).await;
        let created = Kit::create(&ctx, new_kit()).await.unwrap();
        let before = only(&db).await;
        for key in ["", "$a", "a.b", "a\0b", "__proto__", &"k".repeat(257), &"k".repeat(10 << 20)] {
            let sorted: BTreeMap<_, _> = [(key.to_owned(), 1)].into();
            let error = Kit::create(&ctx, NewKit { sorted: sorted.clone(), ..new_kit() }).await.unwrap_err();
            assert_eq!(error.violations()[0].rule, "key", "{key:.40}");
            let patch = KitPatch { sorted: Set(sorted), ..Default::default() };
            let error = Kit::update(&ctx, &created.id, patch).await.unwrap_err();
            assert_eq!((error.violations()[0].path.as_str(), error.violations().len()), ("sorted", 1), "{key:.40}");
            let json = json!({ "by_name": { key: { "maxSize": 1 } }, "any": { key: 1 } }).to_string();
            assert_eq!(KitPatch::from_json(&json).unwrap_err().violations().len(), 2, "{key:.40}");
        }
        let many: BTreeMap<_, _> = (0..1_001).map(|n| (format!("k{n}"), n)).collect();
        let error = Kit::create(&ctx, NewKit { sorted: many, ..new_kit() }).await.unwrap_err();
        assert_eq!((error.violations()[0].path.as_str(), error.violations()[0].rule.as_ref()), ("sorted", "keys"));
        assert_eq!(only(&db).await, before);
    }

    /// What is stored and unknown is an error that names the path and no value, in a read and in a list.
    async fn an_unknown_variant_in_storage_is_a_decode_error(stage: Stage) {
        let (db, ctx) = open(stage).await;
        for (key, value, path) in [
            ("status", Bson::from("canary"), "status"),
            ("status", Bson::Int32(77_123), "status"),
            ("shape", doc! { "kind": "canary" }.into(), "shape.kind"),
            ("shapes", vec![Bson::from("nothing"), "canary".into()].into(), "shapes.1"),
            ("shape", doc! { "kind": "circle", "radius": "canary" }.into(), "shape.radius"),
        ] {
            let mut document = plain().await;
            document.insert(key, value);
            testing::store_raw(&db, "kits", &document).await.unwrap();
            let id = id(&document);
            let error = Kit::get(&ctx, &id).await.unwrap_err();
            assert!(error.is_decode(), "{error}");
            assert_eq!((error.path(), error.id()), (Some(path), Some(id.to_string().as_str())));
            let text = format!("{error} {error:?}");
            assert!(!text.contains("canary") && !text.contains("77123"), "{text}");
            assert!(Kit::query(&ctx).filter(|k| k.id.eq(&id)).await.unwrap_err().is_decode());
            assert!(Kit::update(&ctx, &id, KitPatch { flag: Set(false), ..Default::default() }).await.unwrap_err().is_decode());
        }
    }

    /// A map of options: a key with null is a key. Taking it away takes it away, and adding one adds it.
    async fn a_null_in_a_map_is_an_entry(stage: Stage) {
        let (db, ctx) = open(stage).await;
        let created = Kit::create(&ctx, new_kit()).await.unwrap();
        assert_eq!(only(&db).await.get_document("hashed").unwrap(), &doc! { "k": Bson::Null });
        for hashed in [
            HashMap::new(),
            HashMap::from([("n".to_owned(), None)]),
            HashMap::from([("m".to_owned(), Some(1.0))]),
            HashMap::from([("m".to_owned(), None), ("n".to_owned(), None)]),
        ] {
            let patch = KitPatch { hashed: Set(hashed.clone()), ..Default::default() };
            let updated = Kit::update(&ctx, &created.id, patch).await.unwrap();
            let read = Kit::fetch(&ctx, &created.id).await.unwrap();
            assert_eq!((&updated.hashed, &read.hashed), (&hashed, &hashed), "returned, read");
        }
    }

    /// "A document of another writer is not rewritten by a patch that changes nothing", and not in the fields that a
    /// patch does not name: numbers of other types, other orders, unknown keys.
    async fn other_writers_values_stay_as_they_are(stage: Stage) {
        stays_as_it_is(stage, doc! {
            "double": 3, "count": 4.0, "long": 5, "sorted": { "b": 2, "a": 1.0 }, "nested": { "unknown": 1, "maxSize": 1 },
            "many": [{ "maxSize": 2.0, "zz": 1 }], "note": Bson::Null, "other": Bson::Null,
            "at": date("2026-03-01T09:00:00.123Z"),
        }).await;
    }

    /// The same of digits that an `f32` does not hold.
    async fn other_writers_doubles_stay_as_they_are(stage: Stage) {
        stays_as_it_is(stage, doc! { "single": 0.1_f64 }).await;
    }

    /// The same inside enums with data.
    async fn other_writers_variants_stay_as_they_are(stage: Stage) {
        stays_as_it_is(stage, doc! {
            "shape": { "note": "n", "radius": 5, "kind": "circle" },
            "shapes": [{ "kind": "circle", "radius": 5, "unknown": true }],
        }).await;
    }

    /// The same of a foreign type: what it writes is not what it read.
    async fn other_writers_foreign_values_stay_as_they_are(stage: Stage) {
        stays_as_it_is(stage, doc! { "foreign": { "more": { "x": 1_i64 }, "name": "n", "unknown": 1 } }).await;
    }

    /// A foreign type that writes itself in another order each time has not changed.
    async fn a_foreign_map_has_no_order(stage: Stage) {
        let (db, ctx) = open(stage).await;
        let more = (0..20).map(|n| (n.to_string(), n)).collect();
        let new = NewKit { foreign: Foreign(Outer { name: "n".into(), more }), ..new_kit() };
        let created = Kit::create(&ctx, new).await.unwrap();
        let before = only(&db).await;
        Kit::update(&ctx, &created.id, KitPatch { flag: Set(true), ..Default::default() }).await.unwrap();
        assert_eq!(only(&db).await.get("_rev"), before.get("_rev"), "an update that changes nothing was written");
    }

    /// Other writers may have given a map any key: the document is read, and its other fields can be changed.
    async fn any_key_of_another_writer_is_kept(stage: Stage) {
        let (db, ctx) = open(stage).await;
        let mut document = plain().await;
        document.insert("sorted", doc! { "a.b": 1, "c": 2 });
        testing::store_raw(&db, "kits", &document).await.unwrap();
        let id = id(&document);
        assert_eq!(Kit::fetch(&ctx, &id).await.unwrap().sorted.len(), 2);
        let updated = Kit::update(&ctx, &id, KitPatch { text: Set("new".into()), ..Default::default() }).await.unwrap();
        assert_eq!((updated.text.as_str(), updated.sorted.len()), ("new", 2));
        assert_eq!(only(&db).await.get_document("sorted").unwrap(), &doc! { "a.b": 1, "c": 2 });
    }

    /// A stored null is absence, and what is set there then is set whole.
    async fn a_stored_null_can_be_set(stage: Stage) {
        let (db, ctx) = open(stage).await;
        let mut document = plain().await;
        document.extend(doc! { "other": Bson::Null, "note": Bson::Null, "link": Bson::Undefined });
        testing::store_raw(&db, "kits", &document).await.unwrap();
        let id = id(&document);
        let read = Kit::fetch(&ctx, &id).await.unwrap();
        assert!(read.other.is_none() && read.note.is_none() && read.link.is_none());
        let patch = KitPatch {
            other: Merge(PartPatch { max_size: Set(7), ..Default::default() }),
            note: Set(Some("n".into())),
            ..Default::default()
        };
        let updated = Kit::update(&ctx, &id, patch).await.unwrap();
        assert_eq!((updated.other, updated.note.as_deref()), (Some(part(7)), Some("n")));
        assert_eq!(only(&db).await.get_document("other").unwrap(), &doc! { "maxSize": 7_i64 });
    }

    /// A date has whole milliseconds, before the epoch too, and what comes back is what is stored.
    async fn dates_have_milliseconds(stage: Stage) {
        let (_, ctx) = open(stage).await;
        for (given, stored) in [
            ("2026-03-01T09:00:00.123999999Z", "2026-03-01T09:00:00.123Z"),
            ("1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z"),
            ("2026-03-01T10:00:00+01:00", "2026-03-01T09:00:00Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ] {
            let created = Kit::create(&ctx, NewKit { at: instant(given), ..new_kit() }).await.unwrap();
            let read = Kit::fetch(&ctx, &created.id).await.unwrap();
            assert_eq!((created.at, read.at), (instant(stored), instant(stored)));
            assert_eq!(view(read, &ctx)["at"], stored);
        }
    }
}

/// A create input from JSON has the forms of the view.
#[test]
fn inputs_have_the_forms_of_the_view() {
    let patch = KitPatch::from_json(
        r#"{"at": "2026-03-01T10:00:00+01:00", "oid": "0123456789ABCDEF01234567", "decimal": "1E+3", "bytes": "AAH/",
            "uuid": "01890A5DAC96774BBCCEB302099A8057", "link": "0123456789abcdef01234567", "note": null}"#,
    )
    .unwrap();
    assert!(matches!(&patch.at, Set(at) if *at == instant("2026-03-01T09:00:00Z")));
    assert!(matches!(&patch.bytes, Set(Bytes(bytes)) if bytes == &[0, 1, 255]));
    assert!(matches!((&patch.note, &patch.link), (Set(None), Set(Some(_)))));
    let wrong = json!({
        "at": "2026-03-01", "oid": "123", "decimal": 12.5, "bytes": "A", "uuid": "x", "link": 5, "regex": 1,
        "stamp": { "time": -1, "increment": 0 }, "status": "Deleted", "shape": { "kind": "nothing" },
        "small": 32768, "single": "1", "email": { "0": "a" }, "nested": { "maxSize": 1, "max_size": 1 },
    });
    let error = KitPatch::from_json(&wrong.to_string()).unwrap_err();
    let mut paths: Vec<_> = error
        .violations()
        .iter()
        .map(|violation| violation.path.as_str())
        .collect();
    paths.sort_unstable();
    let mut expected: Vec<_> = wrong
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .filter(|key| *key != "nested")
        .collect();
    expected.push("nested.max_size");
    expected.sort_unstable();
    // A variant is refused at its tag.
    let paths: Vec<_> = paths
        .into_iter()
        .map(|path| if path == "shape.kind" { "shape" } else { path })
        .collect();
    assert_eq!(paths, expected);
}
