//! Contract K 43: the JSON Schemas say what the parser and the rules say, judged by the `jsonschema` crate.

use jsonschema::Validator;
use model_core::prelude::*;
use model_core::schema::json;
use model_core::{Model, ModelExt};
use serde_json::{Value, json as value};

use crate::harness::Stage;
use crate::models::{Ctx, User, open_policy};

/// What is nested, with parts of every kind.
#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase", virtuals(total: u32))]
struct Part {
    #[model(range(0..=100))]
    per_day: u16,
    #[model(len(..=5))]
    label: Option<String>,
    #[model(default)]
    below: Vec<Part>,
    #[model(hidden, default = 7)]
    score: i64,
    #[model(readonly, default)]
    origin: String,
}

impl Part {
    fn total(&self) -> u32 {
        u32::from(self.per_day) * 7
    }
}

#[derive(Clone, Embedded)]
struct Plain {
    x: f64,
}

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "snake_case")]
enum Status {
    Open,
    InReview,
}

#[derive(Clone, Embedded)]
#[model(tag = "kind", rename_all = "lowercase")]
enum Source {
    Unknown,
    Link {
        href: String,
        #[model(default)]
        hits: u32,
    },
    Files(Vec<String>),
}

/// Everything that JSON may hold.
#[derive(Clone, Model)]
#[model(collection = "described", id_prefix = "dsc_", rename_all = "camelCase", virtuals(full_name: String))]
struct Described {
    #[model(id)]
    id: Id<Described>,
    #[model(tenant)]
    org: TenantId,
    /// What it is called.
    #[model(len(2..=8), pattern = "^[a-z]+$")]
    name: String,
    #[model(trim, len(2..=4))]
    trimmed: Option<String>,
    #[model(pattern = r"^\d+$")]
    number: Option<String>,
    #[model(url)]
    site: Option<String>,
    #[model(one_of("a", "b"))]
    grade: Option<String>,
    #[model(readonly)]
    parent: Option<Id<Described>>,
    #[model(items(..=2), len(..=3))]
    tags: Vec<String>,
    holes: Option<Vec<Option<i32>>>,
    #[model(range(0..=10))]
    rank: i64,
    #[model(default = 5)]
    count: u32,
    ratio: f64,
    at: Option<DateTime<Utc>>,
    uuid: Option<uuid::Uuid>,
    flag: bool,
    part: Part,
    maybe: Option<Part>,
    plains: Vec<Plain>,
    status: Status,
    source: Source,
    labels: std::collections::BTreeMap<String, i32>,
    any: bson::Bson,
    #[model(hidden, default)]
    secret_score: i32,
    #[model(len(3..))]
    token: Encrypted<String>,
    spare: Option<Encrypted<String>>,
    #[model(revision)]
    revision: Revision,
    #[model(created_at)]
    created: DateTime<Utc>,
}

impl Described {
    fn full_name(&self) -> String {
        format!("{} of {}", self.name, self.org)
    }
}

/// No JSON can be a whole input of it.
#[derive(Clone, Model)]
#[model(collection = "withheld")]
struct Withheld {
    #[model(id)]
    id: Id<Withheld>,
    #[model(tenant)]
    org: TenantId,
    #[model(hidden)]
    score: i32,
}

macro_rules! open {
    ($($model:ident),*) => {$(
        impl BaseModel for $model {
            type Actor = User;

            open_policy!(Self, Ctx);
        }
    )*};
}

open!(Described, Withheld);

fn judge(schema: &Value) -> Validator {
    jsonschema::meta::validate(schema).unwrap();
    jsonschema::options()
        .should_validate_formats(true)
        .build(schema)
        .unwrap()
}

fn whole() -> Value {
    let part = value!({ "perDay": 3, "label": "abc", "below": [{ "perDay": 0, "origin": "x" }] });
    value!({
        "name": "widget", "trimmed": "abc", "number": "12", "site": "https://example.com/a?b#c", "grade": "a", "parent": null, "tags": ["x"], "holes": [1, null], "rank": 10,
        "count": 4_000_000_000_u32, "ratio": 1.5, "at": "2026-01-31T12:00:00Z",
        "uuid": "67e55044-10b1-426f-9247-bb680e5fe0c8", "flag": true, "part": part, "maybe": null,
        "plains": [{ "x": 1.0 }], "status": "in_review", "source": { "kind": "link", "href": "x" },
        "labels": { "k": 1 }, "any": { "a": [1, "x", null] }, "token": "tok", "spare": null,
    })
}

/// Values of every kind, fitting and not.
fn battery() -> Vec<Value> {
    let long = "x".repeat(300);
    vec![
        value!(null),
        value!(true),
        value!(0),
        value!(1),
        value!(-1),
        value!(11),
        value!(70_000),
        value!(5_000_000_000_u64),
        value!(u64::MAX),
        value!(1.5),
        value!(1e300),
        value!(""),
        value!("a"),
        value!("ab"),
        value!("abcdefghi"),
        value!("AB"),
        value!("open"),
        value!("unknown"),
        value!("2026-01-31T12:00:00Z"),
        value!("2026-01-31"),
        value!("67e55044-10b1-426f-9247-bb680e5fe0c8"),
        value!("7"),
        value!("٧"),
        value!("7٧"),
        value!("7x"),
        value!("https://müller.example:8080/ü?q=ü"),
        value!("https://example.com/a b"),
        value!("https://example.com/?filter[name]=x|y{z}"),
        value!("//example.com"),
        value!("mailto:a@example.com"),
        value!("dsc_1"),
        value!("wgt_1"),
        value!([]),
        value!([null]),
        value!(["abc"]),
        value!(["abcd"]),
        value!(["a", "b", "c"]),
        value!([1, 2]),
        value!([{}]),
        value!([{ "x": 1 }]),
        value!([{ "x": 1, "y": 2 }]),
        value!({}),
        value!({ "k": "x" }),
        value!({ "k": 1 }),
        value!({ "": 1 }),
        value!({ "$k": 1 }),
        value!({ "a.b": 1 }),
        value!({ "__proto__": 1 }),
        value!({ long: 1 }),
        value!({ "perDay": 1 }),
        value!({ "perDay": 101 }),
        value!({ "perDay": 1, "below": [{ "perDay": -1 }] }),
        value!({ "perDay": 1, "label": "toolong" }),
        value!({ "perDay": 1, "score": 1 }),
        value!({ "perDay": 1, "zz": 1 }),
        value!({ "perDay": 1, "origin": 5 }),
        value!({ "label": "abc" }),
        value!({ "label": null }),
        value!({ "kind": "link", "href": "x" }),
        value!({ "kind": "link", "href": "x", "hits": 5 }),
        value!({ "kind": "link", "href": "x", "hits": -5 }),
        value!({ "kind": "link" }),
        value!({ "kind": "link", "href": "x", "more": 1 }),
        value!({ "kind": "unknown" }),
        value!({ "kind": "files" }),
        value!({ "kind": "files", "value": ["f"] }),
        value!({ "kind": "files", "value": "f" }),
        value!({ "kind": 5 }),
    ]
}

/// Where a schema cannot say what the model does: it says yes, and the model no.
fn is_beyond_a_schema(key: &str, value: &Value) -> bool {
    match (key, value) {
        // What is left after trimming; operators, at any depth; ids of a prefix and more; a URL.
        ("trimmed" | "site", Value::String(_)) | ("any", Value::Object(_)) | ("parent", Value::String(_)) => {
            true
        }
        _ => false,
    }
}

fn changed(key: &str, value: Value) -> Value {
    let mut whole = whole();
    whole[key] = value;
    whole
}

fn keys() -> Vec<String> {
    let mut keys: Vec<String> = whole().as_object().unwrap().keys().cloned().collect();
    keys.extend(["id", "org", "secretScore", "revision", "created", "zz"].map(str::to_owned));
    keys
}

async fn admin() -> Ctx {
    let builder = Stage::memory()
        .builder()
        .keys(model_core::testing::keyring().unwrap());
    let db = builder.model::<Described>().build().await.unwrap();
    db.context(TenantId::new("acme").unwrap(), User::admin("ada"))
}

#[tokio::test]
async fn a_create_schema_accepts_what_create_accepts() {
    let ctx = admin().await;
    let schema = judge(&json::create(Described::schema()));
    let mut inputs = vec![("", whole())];
    let keys = keys();
    for key in &keys {
        let mut without = whole();
        without.as_object_mut().unwrap().remove(key);
        inputs.push((key, without));
        inputs.extend(
            battery()
                .into_iter()
                .map(|value| (key.as_str(), changed(key, value))),
        );
    }
    let (mut accepted, mut refused) = (0, 0);
    for (key, input) in inputs {
        let ours = match NewDescribed::from_json(&input.to_string()) {
            Ok(new) => Described::create(&ctx, new).await.map(|_| ()),
            Err(error) => Err(error),
        };
        let theirs = schema.is_valid(&input);
        let beyond = ours.is_err() && theirs && is_beyond_a_schema(key, &input[key]);
        assert!(
            ours.is_ok() == theirs || beyond,
            "{key} = {}: {theirs} {ours:?}",
            input[key]
        );
        if theirs { accepted += 1 } else { refused += 1 }
    }
    assert!(accepted > 100 && refused > 500, "{accepted} {refused}");
}

#[tokio::test]
async fn a_patch_schema_accepts_what_update_accepts() {
    let ctx = admin().await;
    let schema = judge(&json::patch(Described::schema()));
    let new = || NewDescribed::from_json(&changed("maybe", value!({ "perDay": 1 })).to_string()).unwrap();
    let stored = Described::create(&ctx, new()).await.unwrap();
    let echo = serde_json::to_value(stored.clone().into_view(&ctx)).unwrap();
    let mut inputs = vec![("", value!({}))];
    let keys = keys();
    for key in &keys {
        inputs.extend(
            battery()
                .into_iter()
                .map(|value| (key.as_str(), value!({ key: value }))),
        );
    }
    for (key, input) in inputs {
        let fresh = Described::create(&ctx, new()).await.unwrap();
        let ours = match DescribedPatch::from_json(&input.to_string()) {
            Ok(patch) => Described::update(&ctx, &fresh.id, patch).await.map(|_| ()),
            Err(error) => Err(error),
        };
        let theirs = schema.is_valid(&input);
        // That a read-only key repeats what is stored is beyond a schema, and so is what lies in a part that goes, and which
        // variant is stored: another one has to be given whole.
        let beyond = ours.is_err()
            && theirs
            && (is_beyond_a_schema(key, &input[key])
                || key == "maybe" && input[key].is_null()
                || key == "source" && input[key]["kind"] == "files"
                || ["id", "revision", "created", "parent"].contains(&key))
            || input[key].get("origin").is_some();
        assert!(
            ours.is_ok() == theirs || beyond,
            "{key} = {}: {theirs} {ours:?}",
            input[key]
        );
    }
    // What a client got, it may send back, but for virtuals.
    let mut back = echo;
    back.as_object_mut().unwrap().remove("fullName");
    back.as_object_mut()
        .unwrap()
        .retain(|key, _| !["part", "maybe", "org"].contains(&key.as_str()));
    assert!(schema.is_valid(&back), "{back}");
}

#[tokio::test]
async fn a_view_fits_its_schema() {
    let ctx = admin().await;
    let description = json::view(Described::schema());
    let schema = judge(&description);
    for (key, value) in [
        ("", value!(null)),
        ("source", value!("unknown")),
        ("source", value!({ "kind": "files", "value": ["f"] })),
        ("at", value!(null)),
        ("maybe", value!({ "perDay": 1 })),
    ] {
        let input = if key.is_empty() {
            whole()
        } else {
            changed(key, value)
        };
        let new = NewDescribed::from_json(&input.to_string()).unwrap();
        let view = Described::create(&ctx, new).await.unwrap().into_view(&ctx);
        let view = serde_json::to_value(view).unwrap();
        let errors: Vec<_> = schema.iter_errors(&view).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?} {view}");
        let mut more = view.clone();
        more["zz"] = value!(1);
        assert!(!schema.is_valid(&more));
        let mut less = view;
        less.as_object_mut().unwrap().remove("name");
        assert!(!schema.is_valid(&less));
    }
    assert_eq!(description["title"], "Described");
    assert_eq!(description["description"], "Everything that JSON may hold.");
    assert_eq!(
        description["properties"]["name"]["description"],
        "What it is called."
    );
    assert_eq!(description["properties"]["fullName"], value!({}));
    let text = description.to_string();
    for hidden in ["token", "spare", "secretScore", "score"] {
        assert!(!text.contains(&format!("\"{hidden}\"")), "{hidden} in {text}");
    }
}

#[test]
fn what_only_the_application_gives_leaves_no_input() {
    let schema = judge(&json::create(Withheld::schema()));
    assert!(!schema.is_valid(&value!({})) && !schema.is_valid(&value!({ "score": 1 })));
    assert!(NewWithheld::from_json("{}").is_err());
}
