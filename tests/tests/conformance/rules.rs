//! Contract L 44: every rule on scalars, options, arrays, maps and nested values; normalisers on every way in.

use std::collections::BTreeMap;

use model_core::ModelExt;
use model_core::prelude::*;
use model_core::testing;
use serde_json::{Value, json};

use crate::harness::{Stage, on_both_stores};
use crate::models::{Ctx, User, open_policy};

/// Every rule on every shape that it fits.
#[derive(Clone, Model)]
#[model(collection = "ruled")]
struct Ruled {
    #[model(id)]
    id: Id<Ruled>,
    #[model(tenant)]
    organization: TenantId,
    #[model(len(2..=4))]
    name: String,
    #[model(len(2..))]
    alias: Option<String>,
    #[model(len(..=4), items(1..=3))]
    words: Vec<String>,
    #[model(len(2..=4), items(..=2))]
    labels: BTreeMap<String, String>,
    #[model(items(1..))]
    parts: Vec<Inner>,
    #[model(range(0..=10))]
    count: i64,
    #[model(range(0..=10))]
    small: Option<u16>,
    #[model(range(..=9_223_372_036_854_775_806))]
    big: u64,
    #[model(range(-1.5..=1.5))]
    score: f64,
    #[model(range(0.0..=0.1))]
    ratio: f32,
    #[model(range(0..=10), items(..=3))]
    counts: Vec<Option<i32>>,
    #[model(range(0.5..))]
    weights: BTreeMap<String, f64>,
    #[model(pattern = "^[a-z]+$")]
    slug: String,
    #[model(pattern = "b")]
    codes: Vec<String>,
    #[model(email)]
    email: Option<String>,
    #[model(url)]
    site: Option<String>,
    #[model(one_of("a", "b"))]
    grade: String,
    #[model(one_of("x", "y"))]
    grades: Vec<Option<String>>,
    #[model(validate = is_even)]
    even: i32,
    #[model(validate = not_both)]
    pair: Option<Vec<i32>>,
    nested: Inner,
    maybe: Option<Inner>,
    by_key: BTreeMap<String, Inner>,
    shape: Shape,
    shapes: Vec<Shape>,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "camelCase")]
struct Inner {
    #[model(len(..=3))]
    inner_code: String,
    #[model(range(1..), validate = is_even)]
    n: i32,
}

#[derive(Clone, Embedded)]
#[model(tag = "kind", rename_all = "lowercase")]
enum Shape {
    Dot,
    Circle {
        #[model(range(0.0..))]
        radius: f64,
    },
    Named(Inner),
}

fn is_even(number: &i32) -> Result<(), &'static str> {
    if number % 2 == 0 {
        Ok(())
    } else {
        Err("must be even")
    }
}

fn not_both(pair: &Option<Vec<i32>>) -> Result<(), String> {
    match pair {
        Some(numbers) if numbers.len() > 1 => Err("at most one".to_owned()),
        _ => Ok(()),
    }
}

impl BaseModel for Ruled {
    type Actor = User;

    open_policy!(Self, Ctx);
}

fn good() -> Value {
    json!({
        "name": "abc", "alias": "ab", "words": ["a"], "labels": { "k": "vv" }, "parts": [{ "innerCode": "abc", "n": 2 }],
        "count": 0, "small": 10, "big": 1, "score": 1.5, "ratio": 0.05, "counts": [0, null, 10], "weights": { "w": 0.5 },
        "slug": "slug", "codes": ["abc"], "email": "a@example.com", "site": "https://example.com/x", "grade": "a",
        "grades": ["x", null], "even": 2, "pair": [1], "nested": { "innerCode": "", "n": 2 },
        "maybe": { "innerCode": "x", "n": 4 }, "by_key": { "k": { "innerCode": "x", "n": 2 } },
        "shape": { "kind": "circle", "radius": 0 }, "shapes": ["dot", { "kind": "named", "value": { "innerCode": "", "n": 2 } }]
    })
}

/// Key, value, and the violations that it makes: path and rule.
type Broken = (&'static str, Value, &'static [(&'static str, &'static str)]);

fn broken() -> Vec<Broken> {
    let inner = |code: &str, n: i32| json!({ "innerCode": code, "n": n });
    vec![
        ("name", json!("a"), &[("name", "len")]),
        ("name", json!("éééé"), &[]),
        ("name", json!("ééééé"), &[("name", "len")]),
        ("alias", json!("a"), &[("alias", "len")]),
        ("alias", json!(null), &[]),
        ("words", json!([]), &[("words", "items")]),
        (
            "words",
            json!(["a", "abcde", "", "abcde"]),
            &[("words", "items"), ("words[1]", "len"), ("words[3]", "len")],
        ),
        (
            "labels",
            json!({ "a": "v", "b": "vv", "c": "vv" }),
            &[("labels", "items"), ("labels.a", "len")],
        ),
        ("parts", json!([]), &[("parts", "items")]),
        (
            "parts",
            json!([inner("abcd", 3)]),
            &[("parts[0].innerCode", "len"), ("parts[0].n", "custom")],
        ),
        ("count", json!(-1), &[("count", "range")]),
        ("count", json!(11), &[("count", "range")]),
        ("small", json!(11), &[("small", "range")]),
        ("small", json!(null), &[]),
        ("big", json!(9_223_372_036_854_775_806_u64), &[]),
        ("big", json!(9_223_372_036_854_775_807_u64), &[("big", "range")]),
        ("score", json!(1.500_000_1), &[("score", "range")]),
        ("score", json!(-2), &[("score", "range")]),
        ("ratio", json!(0.11), &[("ratio", "range")]),
        (
            "counts",
            json!([-1, null, 5, 11]),
            &[
                ("counts", "items"),
                ("counts[0]", "range"),
                ("counts[3]", "range"),
            ],
        ),
        ("weights", json!({ "a": 0.4, "b": 1 }), &[("weights.a", "range")]),
        ("slug", json!("Slug"), &[("slug", "pattern")]),
        ("slug", json!("slug\n"), &[("slug", "pattern")]),
        ("codes", json!(["b", "c", "abc"]), &[("codes[1]", "pattern")]),
        ("email", json!("nobody"), &[("email", "email")]),
        ("email", json!("a b@example.com"), &[("email", "email")]),
        ("email", json!("a@@example.com"), &[("email", "email")]),
        ("site", json!("example.com"), &[("site", "url")]),
        ("site", json!("/relative"), &[("site", "url")]),
        ("site", json!("mailto:a@example.com"), &[("site", "url")]),
        ("site", json!("javascript:alert(1)"), &[("site", "url")]),
        ("site", json!("http:///path"), &[("site", "url")]),
        ("site", json!("http:example.com"), &[("site", "url")]),
        ("site", json!(" https://example.com"), &[("site", "url")]),
        ("site", json!("https://example.com/a b"), &[("site", "url")]),
        ("site", json!("https://example.com\\b"), &[("site", "url")]),
        ("site", json!("https://example.com\n"), &[("site", "url")]),
        ("site", json!("https://[::1/"), &[("site", "url")]),
        ("site", json!("https://example.com:65536/"), &[("site", "url")]),
        ("site", json!("https://example.com\u{a0}"), &[("site", "url")]),
        ("site", json!("https://\u{202e}example.com/"), &[("site", "url")]),
        ("site", json!("https://exa\u{61c}mple.com/"), &[("site", "url")]),
        ("site", json!("https://example.com/#/a?q=100%#b"), &[]),
        ("site", json!("https://exa%00mple.com/"), &[("site", "url")]),
        ("site", json!("https://exa[mple.com/"), &[("site", "url")]),
        (
            "site",
            json!("https://example.com/a[1]?filter[name]=A|B&to={{id}}#^"),
            &[],
        ),
        ("site", json!("https://example.com:65535/a%20b?c=d#e"), &[]),
        ("site", json!("https://user@[::1]:8080"), &[]),
        ("site", json!("https://müller.example/straße?q=ü"), &[]),
        ("grade", json!("A"), &[("grade", "one_of")]),
        ("grades", json!(["z", null, "x"]), &[("grades[0]", "one_of")]),
        ("even", json!(3), &[("even", "custom")]),
        ("pair", json!([1, 2]), &[("pair", "custom")]),
        ("pair", json!(null), &[]),
        (
            "nested",
            inner("abcd", 0),
            &[("nested.innerCode", "len"), ("nested.n", "range")],
        ),
        (
            "nested",
            inner("", -1),
            &[("nested.n", "range"), ("nested.n", "custom")],
        ),
        ("maybe", inner("abcd", 2), &[("maybe.innerCode", "len")]),
        ("maybe", json!(null), &[]),
        (
            "by_key",
            json!({ "a": inner("", 3), "b": inner("", 0) }),
            &[("by_key.a.n", "custom"), ("by_key.b.n", "range")],
        ),
        (
            "shape",
            json!({ "kind": "circle", "radius": -0.1 }),
            &[("shape.radius", "range")],
        ),
        (
            "shapes",
            json!(["dot", { "kind": "named", "value": inner("abcd", 2) }]),
            &[("shapes[1].value.innerCode", "len")],
        ),
    ]
}

fn violations(error: &Error) -> Vec<(String, String)> {
    error
        .violations()
        .iter()
        .map(|v| (v.path.clone(), v.rule.clone().into_owned()))
        .collect()
}

async fn open(stage: Stage) -> (Db, Context<User>) {
    let db = stage
        .builder()
        .model::<Ruled>()
        .model::<Tidy>()
        .build()
        .await
        .unwrap();
    let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
    (db, ctx)
}

on_both_stores! {
    /// Each broken rule, alone, on create and on update; and nothing is stored.
    async fn each_rule_is_asked_everywhere(stage: Stage) {
        let (db, ctx) = open(stage).await;
        let created = Ruled::create(&ctx, NewRuled::from_json(&good().to_string()).unwrap()).await.unwrap();
        let before = testing::stored(&db, "ruled").await.unwrap();
        let mut wrong = Vec::new();
        for (key, value, expected) in broken() {
            let mut input = good();
            input[key] = value.clone();
            let new = NewRuled::from_json(&input.to_string()).unwrap();
            let patch = RuledPatch::from_json(&json!({ key: value }).to_string()).unwrap();
            let expected: Vec<_> = expected.iter().map(|(path, rule)| ((*path).to_owned(), (*rule).to_owned())).collect();
            if expected.is_empty() {
                let made = Ruled::create(&ctx, new).await.unwrap();
                Ruled::delete(&ctx, &made.id).await.unwrap();
                continue;
            }
            let on_create = Ruled::create(&ctx, new).await.err().as_ref().map(violations);
            let on_update = Ruled::update(&ctx, &created.id, patch).await.err().as_ref().map(violations);
            if [&on_create, &on_update] != [&Some(expected.clone()), &Some(expected.clone())] {
                wrong.push(format!("{key} = {value}: create {on_create:?}, update {on_update:?}, expected {expected:?}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(testing::stored(&db, "ruled").await.unwrap(), before);
    }

    /// NaN is in no range; infinity is where there is no bound.
    async fn nan_is_in_no_range(stage: Stage) {
        let (_, ctx) = open(stage).await;
        let created = Ruled::create(&ctx, NewRuled::from_json(&good().to_string()).unwrap()).await.unwrap();
        let weights = |weight: f64| Set(BTreeMap::from([("w".to_owned(), weight)]));
        for (patch, path) in [
            (RuledPatch { score: Set(f64::NAN), ..Default::default() }, Some("score")),
            (RuledPatch { score: Set(f64::INFINITY), ..Default::default() }, Some("score")),
            (RuledPatch { ratio: Set(f32::NAN), ..Default::default() }, Some("ratio")),
            (RuledPatch { weights: weights(f64::NAN), ..Default::default() }, Some("weights.w")),
            (RuledPatch { shape: Set(Shape::Circle { radius: f64::NAN }), ..Default::default() }, Some("shape.radius")),
            (RuledPatch { weights: weights(f64::NEG_INFINITY), ..Default::default() }, Some("weights.w")),
            (RuledPatch { weights: weights(f64::INFINITY), ..Default::default() }, None),
            (RuledPatch { score: Set(-0.0), ..Default::default() }, None),
        ] {
            let result = Ruled::update(&ctx, &created.id, patch).await;
            let found = result.err().map(|error| error.violations()[0].path.clone());
            assert_eq!(found.as_deref(), path);
        }
    }

    /// A bound that an `f32` does not hold exactly is a bound all the same: the value written like it is in range.
    async fn an_f32_reaches_its_bound(stage: Stage) {
        let (_, ctx) = open(stage).await;
        let created = Ruled::create(&ctx, NewRuled::from_json(&json_with("ratio", json!(0.05))).unwrap()).await.unwrap();
        let patch = RuledPatch { ratio: Set(0.1), ..Default::default() };
        assert_eq!(Ruled::update(&ctx, &created.id, patch).await.unwrap().ratio, 0.1);
    }

    /// An e-mail address and nothing around it, with a domain that has a dot or is a literal: two spellings of one address
    /// would be two values of a unique field.
    async fn an_email_is_an_address_and_no_more(stage: Stage) {
        let (_, ctx) = open(stage).await;
        let created = Ruled::create(&ctx, NewRuled::from_json(&good().to_string()).unwrap()).await.unwrap();
        for (text, fits) in [
            ("a@example.com", true),
            ("a.b+c@sub.example.com", true),
            ("a@[127.0.0.1]", true),
            ("é@example.com", true),
            ("Ada <a@example.com>", false),
            ("<a@example.com>", false),
            ("a@localhost", false),
            ("a@example.com\r\nBcc: b@example.com", false),
            (" a@example.com", false),
            ("", false),
        ] {
            let patch = RuledPatch { email: Set(Some(text.into())), ..Default::default() };
            assert_eq!(Ruled::update(&ctx, &created.id, patch).await.is_ok(), fits, "{text:?}");
        }
    }

    /// All violations of one input at once; those of a rule of one's own come after the declared ones.
    async fn all_at_once(stage: Stage) {
        let (db, ctx) = open(stage).await;
        let mut input = good();
        for (key, value) in [("name", json!("")), ("count", json!(-1)), ("email", json!("x")), ("even", json!(1))] {
            input[key] = value;
        }
        input["nested"]["n"] = json!(-1);
        let error = Ruled::create(&ctx, NewRuled::from_json(&input.to_string()).unwrap()).await.unwrap_err();
        let paths: Vec<_> = error.violations().iter().map(|v| v.path.as_str()).collect();
        assert_eq!(paths, ["name", "count", "email", "nested.n", "nested.n", "even"]);
        assert!(testing::stored(&db, "ruled").await.unwrap().is_empty());
    }

    /// Normalisers on create, on patches, in arrays, maps, options and nested values: before the rules are asked.
    async fn normalisers_run_first(stage: Stage) {
        let (db, ctx) = open(stage).await;
        let new = NewTidy {
            name: "  Ada \u{a0}".into(),
            code: " éCode ".into(),
            shout: "straße".into(),
            tags: vec![" A ".into(), "b".into()],
            labels: [(" K ".to_owned(), " V ".to_owned())].into(),
            inner: TidyInner { mail: " ADA@Example.COM ".into() },
            optional: NewTidyOptional { alias: Some(" X ".into()) },
        };
        let created = Tidy::create(&ctx, new).await.unwrap();
        assert_eq!((created.name.as_str(), created.code.as_str(), created.shout.as_str()), ("Ada", "écode", "STRASSE"));
        assert_eq!((&created.tags[..], created.alias.as_deref()), (&["a".to_owned(), "b".to_owned()][..], Some("x")));
        assert_eq!(created.labels, BTreeMap::from([(" K ".to_owned(), "V".to_owned())]), "the values, not the keys");
        assert_eq!(created.inner.mail, "ada@example.com");
        let patch = TidyPatch {
            code: Set(" NEW ".into()),
            tags: Set(vec![" C ".into()]),
            alias: Set(Some(" Y ".into())),
            inner: Merge(TidyInnerPatch { mail: Set(" BOB@example.com".into()), ..Default::default() }),
            ..Default::default()
        };
        let updated = Tidy::update(&ctx, &created.id, patch).await.unwrap();
        assert_eq!((updated.code.as_str(), &updated.tags[..], updated.alias.as_deref()), ("new", &["c".to_owned()][..], Some("y")));
        assert_eq!(updated.inner.mail, "bob@example.com");
        let stored = testing::stored(&db, "tidy").await.unwrap().remove(0);
        assert_eq!((stored.get_str("code").unwrap(), stored.get_str("shout").unwrap()), ("new", "STRASSE"));
        let blank = TidyPatch { name: Set("   ".into()), ..Default::default() };
        let error = Tidy::update(&ctx, &created.id, blank).await.unwrap_err();
        assert_eq!(violations(&error), [("name".to_owned(), "len".to_owned())]);
    }

    /// D 17: a filter's values are normalised as the field is.
    async fn filter_values_are_normalised(stage: Stage) {
        let (_, ctx) = open(stage).await;
        let new = NewTidy {
            name: "Ada".into(),
            code: "abc".into(),
            shout: "LOUD".into(),
            tags: vec!["x".into(), "y".into()],
            labels: BTreeMap::new(),
            inner: TidyInner { mail: "a@example.com".into() },
            optional: NewTidyOptional { alias: Some("al".into()) },
        };
        Tidy::create(&ctx, new).await.unwrap();
        for (name, filter) in [
            ("eq", Tidy::filter(|t| t.code.eq(" ABC "))),
            ("trim only", Tidy::filter(|t| t.name.eq(" Ada "))),
            ("in", Tidy::filter(|t| t.code.in_(["x", " Abc"]))),
            ("not_in", !Tidy::filter(|t| t.code.not_in([" ABC"]))),
            ("ne", !Tidy::filter(|t| t.code.ne("ABC "))),
            ("gte and lte", Tidy::filter(|t| t.code.gte(" ABC") & t.code.lte("ABC "))),
            ("upper", Tidy::filter(|t| t.shout.eq("loud"))),
            ("prefix", Tidy::filter(|t| t.code.starts_with("AB"))),
            ("option", Tidy::filter(|t| t.alias.eq(" AL "))),
            ("element", Tidy::filter(|t| t.tags.eq(" X "))),
            ("all", Tidy::filter(|t| t.tags.all([" X", "Y "]))),
            ("nested", Tidy::filter(|t| t.inner.mail.eq(" A@EXAMPLE.com"))),
        ] {
            assert_eq!(Tidy::query(&ctx).matching(filter).count().await.unwrap(), 1, "{name}");
        }
        assert_eq!(Tidy::query(&ctx).filter(|t| t.name.eq("ada")).count().await.unwrap(), 0, "trim is no lower case");
    }

    /// A pattern that cannot be compiled is refused before anything is asked of it, with what is wrong; so is a class of
    /// Unicode, which no other dialect would read alike.
    async fn a_pattern_that_is_none_is_refused(stage: Stage) {
        let error = stage.builder().model::<Unmatched>().build_lazy().unwrap_err();
        assert!(error.is_configuration(), "{error}");
        let told = error.to_string();
        for part in ["Unmatched", "open", "`[a-z`", "inner.letters", r"`^\p{L}+$`", "Unicode"] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}

/// Patterns that are none.
#[derive(Clone, Model)]
#[model(collection = "unmatched")]
struct Unmatched {
    #[model(id)]
    id: Id<Unmatched>,
    #[model(tenant)]
    organization: TenantId,
    #[model(pattern = "[a-z")]
    open: String,
    inner: UnmatchedInner,
}

#[derive(Clone, Embedded)]
struct UnmatchedInner {
    #[model(pattern = r"^\p{L}+$")]
    letters: String,
}

impl BaseModel for Unmatched {
    type Actor = User;

    open_policy!(Self, Ctx);
}

fn json_with(key: &str, value: Value) -> String {
    let mut input = good();
    input[key] = value;
    input.to_string()
}

/// Every normaliser, alone and together, on every shape.
#[derive(Clone, Model)]
#[model(collection = "tidy")]
struct Tidy {
    #[model(id)]
    id: Id<Tidy>,
    #[model(tenant)]
    organization: TenantId,
    #[model(trim, len(1..))]
    name: String,
    #[model(trim, lowercase)]
    code: String,
    #[model(uppercase)]
    shout: String,
    #[model(trim, lowercase)]
    alias: Option<String>,
    #[model(trim, lowercase)]
    tags: Vec<String>,
    #[model(trim)]
    labels: BTreeMap<String, String>,
    inner: TidyInner,
}

#[derive(Clone, Embedded)]
struct TidyInner {
    #[model(trim, lowercase, email)]
    mail: String,
}

impl BaseModel for Tidy {
    type Actor = User;

    open_policy!(Self, Ctx);
}
