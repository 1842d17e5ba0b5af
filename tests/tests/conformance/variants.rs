//! Contract N 53: documents of several kinds in one collection, with fields in common and fields of their own.

use model_core::prelude::*;
use model_core::{ModelExt, SyncOptions};

use crate::harness::{Stage, on_both_stores};
use crate::models::{Ctx, User};

#[derive(Clone, PartialEq, Embedded)]
struct Size {
    width: i64,
    height: i64,
}

/// Two variants have a `url`, and one has a name that Rust has taken.
#[derive(Clone, PartialEq, Embedded)]
#[model(tag = "kind", rename_all = "camelCase")]
enum Body {
    Empty,
    Text {
        words: String,
        #[model(hidden, default = 0)]
        score: i64,
    },
    BigImage {
        #[model(trim)]
        url: String,
        #[model(rename = "dim")]
        size: Size,
        tags: Vec<String>,
        alt: Option<String>,
    },
    Ref {
        url: String,
    },
    Type(Size),
}

#[derive(Clone, Model)]
#[model(
    collection = "posts",
    id_prefix = "pst_",
    audit,
    index(body.big_image.url, unique),
    index(body.r#ref.url, created_at = desc)
)]
struct Post {
    #[model(id)]
    id: Id<Post>,
    #[model(tenant)]
    organization: TenantId,
    author: String,
    body: Body,
    #[model(default)]
    blocks: Vec<Body>,
    spare: Option<Body>,
    #[model(created_at)]
    created_at: DateTime<Utc>,
}

impl BaseModel for Post {
    type Actor = User;
    crate::models::open_policy!(Self, Ctx);
}

async fn desk(stage: Stage) -> (Db, Ctx) {
    let db = stage.builder().model::<Post>().build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
    (db, ctx)
}

fn post(author: &str, body: Body) -> NewPost {
    NewPost {
        author: author.into(),
        body,
        optional: NewPostOptional::default(),
    }
}

fn text(words: &str) -> Body {
    Body::Text {
        words: words.into(),
        score: 3,
    }
}

fn image(url: &str, width: i64) -> Body {
    Body::BigImage {
        url: url.into(),
        size: Size { width, height: 10 },
        tags: vec!["a".into()],
        alt: None,
    }
}

fn link(url: &str) -> Body {
    Body::Ref { url: url.into() }
}

async fn authors(ctx: &Ctx, filter: Filter<Post>) -> Vec<String> {
    let found = Post::query(ctx)
        .matching(filter)
        .sort(|p| p.author.asc())
        .await
        .unwrap();
    found.into_iter().map(|post| post.author).collect()
}

async fn all_kinds(ctx: &Ctx) {
    let mut full = post("full", Body::Empty);
    full.optional.blocks = Some(vec![
        Body::Empty,
        text("inner"),
        image("/inner", 7),
        link("/deep"),
    ]);
    full.optional.spare = Some(image("/spare", 1));
    let bodies = [
        post("empty", Body::Empty),
        post("text", text("Hello")),
        post("image", image("/a", 80)),
        post("link", link("/a")),
        post("type", Body::Type(Size { width: 1, height: 2 })),
        full,
    ];
    Post::create_many(ctx, bodies).await.unwrap();
}

on_both_stores! {
    /// Each document is read as the variant that it is, and stored with the variant's name.
    async fn each_is_read_as_its_variant(stage: Stage) {
        let (db, ctx) = desk(stage).await;
        all_kinds(&ctx).await;
        let image = Post::query(&ctx).filter(|p| p.author.eq("image")).first().await.unwrap().unwrap();
        assert!(image.body == self::image("/a", 80) && image.spare.is_none());
        let stored = model_core::testing::stored(&db, "posts").await.unwrap();
        let kinds: Vec<_> = stored.iter().filter_map(|one| one.get_document("body").ok()?.get_str("kind").ok()).collect();
        assert_eq!(kinds, ["text", "bigImage", "ref", "type"]);
        let json = serde_json::to_value(Post::query(&ctx).filter(|p| p.body.text.is()).first().await.unwrap().unwrap().into_view(&ctx)).unwrap();
        assert_eq!(json["body"], serde_json::json!({ "kind": "text", "words": "Hello" }));
    }

    /// By variant, with data and without; in options and arrays too.
    async fn queries_by_variant(stage: Stage) {
        let (_db, ctx) = desk(stage).await;
        all_kinds(&ctx).await;
        let by = async |make: fn(&'static PostFields) -> Filter<Post>| authors(&ctx, Post::filter(make)).await;
        assert_eq!(by(|p| p.body.empty.is()).await, ["empty", "full"]);
        assert_eq!(by(|p| p.body.text.is()).await, ["text"]);
        assert_eq!(by(|p| p.body.r#type.is()).await, ["type"]);
        assert_eq!(by(|p| p.body.text.is() | p.body.r#ref.is()).await, ["link", "text"]);
        assert_eq!(by(|p| !p.body.empty.is()).await, ["image", "link", "text", "type"]);
        assert_eq!(by(|p| p.spare.big_image.is()).await, ["full"]);
        assert_eq!(by(|p| p.blocks.empty.is() & p.blocks.text.is()).await, ["full"]);
        assert_eq!(by(|p| p.blocks.r#type.is()).await, Vec::<String>::new());
    }

    /// What is asked of a variant's field is asked of that variant, a negation too, whatever others call theirs.
    async fn filters_on_a_variants_fields(stage: Stage) {
        let (_db, ctx) = desk(stage).await;
        all_kinds(&ctx).await;
        let by = async |make: fn(&'static PostFields) -> Filter<Post>| authors(&ctx, Post::filter(make)).await;
        assert_eq!(by(|p| p.body.big_image.url.eq(" /a ")).await, ["image"], "trimmed, and no link");
        assert_eq!(by(|p| p.body.r#ref.url.eq("/a")).await, ["link"]);
        assert_eq!(by(|p| p.body.r#ref.url.ne("/b")).await, ["link"]);
        assert_eq!(by(|p| p.body.r#ref.url.ne("/a")).await, Vec::<String>::new());
        assert_eq!(by(|p| p.body.big_image.alt.is_none()).await, ["image"]);
        assert_eq!(by(|p| p.body.big_image.size.width.gte(80)).await, ["image"]);
        assert_eq!(by(|p| p.body.r#type.value.width.lt(80)).await, ["type"]);
        assert_eq!(by(|p| p.body.big_image.tags.any(|tag| tag.eq("a"))).await, ["image"]);
        assert_eq!(by(|p| p.spare.big_image.size.width.eq(1)).await, ["full"]);
        assert_eq!(by(|p| p.blocks.elem_match(|b| b.big_image.url.eq("/inner") & b.big_image.size.width.eq(7))).await, ["full"]);
        assert_eq!(by(|p| p.blocks.elem_match(|b| b.r#ref.url.eq("/inner"))).await, Vec::<String>::new());
        let tags = Post::query(&ctx).distinct(|p| &p.body.big_image.tags).await.unwrap();
        assert_eq!(tags, ["a"], "of an array in a variant: its elements");
        let sorted = Post::query(&ctx).filter(|p| p.body.text.is()).sort(|p| p.body.text.words.asc()).await.unwrap();
        assert_eq!(sorted.len(), 1);
    }

    /// An index on a variant's field is of that variant's documents: unique among them, and no matter to the others.
    async fn an_index_of_one_variant(stage: Stage) {
        let (db, ctx) = desk(stage).await;
        assert!(db.plan_indexes().await.unwrap().is_empty());
        Post::create(&ctx, post("one", image("/a", 1))).await.unwrap();
        Post::create(&ctx, post("two", link("/a"))).await.unwrap();
        Post::create(&ctx, post("three", link("/a"))).await.unwrap();
        let error = Post::create(&ctx, post("four", image("/a", 2))).await.unwrap_err();
        assert!(error.is_duplicate() && error.index().is_some_and(|name| name.contains("body.url")), "{error}");
        let plan = db.plan_indexes().await.unwrap();
        assert!(plan.is_empty(), "{plan}");
    }

    /// Operators change a variant's own fields, and leave a document of another variant as it is.
    async fn operators_on_a_variants_fields(stage: Stage) {
        let (_db, ctx) = desk(stage).await;
        let one = Post::create(&ctx, post("one", image("/a", 1))).await.unwrap();
        let changed = Post::update_with(&ctx, &one.id, |p| {
            p.body.big_image.size.width.inc(4).and(p.body.big_image.tags.push("b")).and(p.body.big_image.alt.set(Some("an image".to_owned())))
        }).await.unwrap();
        let expected = Body::BigImage {
            url: "/a".into(), size: Size { width: 5, height: 10 }, tags: vec!["a".into(), "b".into()], alt: Some("an image".into()),
        };
        assert!(changed.body == expected);
        let error = Post::update_with(&ctx, &one.id, |p| p.body.r#ref.url.set("/b")).await.unwrap_err();
        let violation = &error.violations()[0];
        assert_eq!((&*violation.path, &*violation.rule), ("body.url", "variant"));
        assert!(Post::fetch(&ctx, &one.id).await.unwrap().body == expected);
        let patch = PostPatch { blocks: Set(vec![text("x"), link("/b")]), ..Default::default() };
        Post::update(&ctx, &one.id, patch).await.unwrap();
        let moved = Post::update_with(&ctx, &one.id, |p| {
            p.blocks.each(|b| b.r#ref.is()).update(|b| b.r#ref.url.set("/c"))
        }).await.unwrap();
        assert!(moved.blocks == [text("x"), link("/c")]);
    }

    /// From JSON a document is created as the variant that it names, and becomes another when it is given whole.
    async fn variants_from_json(stage: Stage) {
        let (_db, ctx) = desk(stage).await;
        let new = NewPost::from_json(r#"{ "author": "eve", "body": { "kind": "ref", "url": "/a" } }"#).unwrap();
        let one = Post::create(&ctx, new).await.unwrap();
        assert!(one.body == link("/a"));
        let patch = PostPatch::from_json(r#"{ "body": { "kind": "text", "words": "Hi" } }"#).unwrap();
        let one = Post::update(&ctx, &one.id, patch).await.unwrap();
        assert!(matches!(&one.body, Body::Text { words, score: 0 } if words == "Hi"));
        let paths = |json: &str| {
            let error = PostPatch::from_json(json).unwrap_err();
            error.violations().iter().map(|one| format!("{} {}", one.path, one.rule)).collect::<Vec<_>>()
        };
        assert_eq!(paths(r#"{ "body": { "kind": "ref", "words": "Hi" } }"#), ["body.words unknown"]);
        assert_eq!(paths(r#"{ "body": { "kind": "tune" } }"#), ["body.kind enum"]);
        assert_eq!(paths(r#"{ "body": { "words": "Hi" } }"#), ["body.kind required"]);
        assert_eq!(paths(r#"{ "body": { "kind": "text", "score": 7 } }"#), ["body.score forbidden"]);
    }

    /// A patch changes parts of the variant that is stored, and leaves another one alone.
    async fn a_patch_merges(stage: Stage) {
        let (db, ctx) = desk(stage).await;
        let one = Post::create(&ctx, post("one", image("/a", 1))).await.unwrap();
        let mut raw = model_core::testing::stored(&db, "posts").await.unwrap().remove(0);
        raw.insert("_id", "pst_other");
        let body = raw.get_document_mut("body").unwrap();
        body.insert("url", "/other");
        body.insert("unknown", 1);
        model_core::testing::store_raw(&db, "posts", &raw).await.unwrap();
        let patch = |changes| PostPatch { body: Merge(changes), ..Default::default() };
        let size = Merge(SizePatch { width: Set(5), ..Default::default() });
        let wider = BodyPatch::BigImage(BodyBigImagePatch { size, alt: Set(Some("an image".into())), ..Default::default() });
        let other = Id::parse("pst_other").unwrap();
        let changed = Post::update(&ctx, &other, patch(wider.clone())).await.unwrap();
        let Body::BigImage { url, size, tags, alt } = changed.body else { panic!() };
        assert_eq!((&*url, size.width, size.height, tags.len(), alt.as_deref()), ("/other", 5, 10, 1, Some("an image")));
        let stored = model_core::testing::stored(&db, "posts").await.unwrap();
        let other = stored.iter().find(|one| one.get_str("_id").is_ok_and(|id| id == "pst_other")).unwrap();
        assert!(other.get_document("body").unwrap().contains_key("unknown"), "only what changed is written");
        let history = ctx.audit_log().of::<Post>(&Id::parse("pst_other").unwrap()).await.unwrap();
        let paths: Vec<_> = history[0].changes.iter().map(model_core::audit::AuditChange::path).collect();
        assert_eq!(paths, ["body.dim.width", "body.alt"]);

        let text = BodyPatch::Text(BodyTextPatch { words: Set("Hi".into()), ..Default::default() });
        let error = Post::update(&ctx, &one.id, patch(text)).await.unwrap_err();
        let violation = &error.violations()[0];
        assert_eq!((&*violation.path, &*violation.rule), ("body", "variant"));
        // A variant around a value is changed as that is; where there is none, one is made.
        let body = Set(Body::Type(Size { width: 1, height: 2 }));
        Post::update(&ctx, &one.id, PostPatch { body, spare: Merge(wider.clone()), ..Default::default() }).await.unwrap_err();
        let body = Set(Body::Type(Size { width: 1, height: 2 }));
        let changed = Post::update(&ctx, &one.id, PostPatch { body, ..Default::default() }).await.unwrap();
        assert!(changed.spare.is_none());
        let taller = BodyPatch::Type(Merge(SizePatch { height: Set(9), ..Default::default() }));
        let link = BodyPatch::Ref(BodyRefPatch { url: Set("/s".into()) });
        let both = PostPatch { spare: Merge(link), ..patch(taller) };
        let changed = Post::update(&ctx, &one.id, both).await.unwrap();
        assert!(changed.body == Body::Type(Size { width: 1, height: 9 }) && changed.spare == Some(self::link("/s")));
    }

    /// A patch from JSON names the variant: what is stored of it stays, of another one nothing does.
    async fn a_patch_from_json_merges(stage: Stage) {
        let (_db, ctx) = desk(stage).await;
        let one = Post::create(&ctx, post("one", text("Hello"))).await.unwrap();
        let update = async |json: &str| {
            let patch = PostPatch::from_json(&format!(r#"{{ "body": {json} }}"#)).unwrap();
            Post::update(&ctx, &one.id, patch).await.map(|one| one.body)
        };
        let said = async |json: &str| {
            let error = update(json).await.err().unwrap();
            error.violations().iter().map(|one| format!("{} {}", one.path, one.rule)).collect::<Vec<_>>()
        };
        assert!(update(r#"{ "kind": "text", "words": "Hi" }"#).await.unwrap() == text("Hi"), "what is hidden stays");
        assert!(update(r#"{ "kind": "text" }"#).await.unwrap() == text("Hi"));
        assert_eq!(said(r#"{ "kind": "bigImage", "dim": { "width": 5 } }"#).await, [
            "body.url required", "body.dim.height required", "body.tags required",
        ]);
        let whole = r#"{ "kind": "bigImage", "url": " /a ", "dim": { "width": 5, "height": 1 }, "tags": [], "alt": "x" }"#;
        let Body::BigImage { url, alt: Some(_), .. } = update(whole).await.unwrap() else { panic!() };
        assert_eq!(url, "/a", "normalised");
        let Body::BigImage { url, alt, size, .. } = update(r#"{ "kind": "bigImage", "dim": { "width": 7 }, "alt": null }"#).await.unwrap() else {
            panic!()
        };
        assert!(url == "/a" && alt.is_none() && size == Size { width: 7, height: 1 });
        assert!(update(r#"{ "kind": "type", "value": { "width": 1, "height": 2 } }"#).await.unwrap() == Body::Type(Size { width: 1, height: 2 }));
        assert!(update(r#"{ "kind": "type", "value": { "height": 3 } }"#).await.unwrap() == Body::Type(Size { width: 1, height: 3 }));
        assert!(update(r#""empty""#).await.unwrap() == Body::Empty);
        let patch = PostPatch::from_json(r#"{ "spare": { "kind": "ref", "url": "/s" } }"#).unwrap();
        assert!(Post::update(&ctx, &one.id, patch).await.unwrap().spare == Some(link("/s")));
    }
}
