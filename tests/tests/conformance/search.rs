//! Contract N 52: searches by relevance, inside tenant, scope, filter and permission.

use futures_util::TryStreamExt;
use model_core::prelude::*;
use model_core::{Scored, SyncOptions};

use crate::harness::{Stage, on_both_stores};
use crate::models::{Ctx, User};

/// Its notes are an admin's business; drafts are for nobody.
#[derive(Clone, Model)]
#[model(collection = "articles", soft_delete)]
#[model(index(title = text(3), body = text, tags = text, language = "none", language_override = "lang"))]
struct Article {
    #[model(id)]
    id: Id<Article>,
    #[model(tenant)]
    organization: TenantId,
    title: String,
    #[model(default)]
    body: String,
    #[model(default)]
    tags: Vec<String>,
    #[model(default = 0)]
    year: i64,
}

impl BaseModel for Article {
    type Actor = User;

    fn can_read(&self, _ctx: &Ctx) -> bool {
        self.title != "sealed"
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
        Self::filter(|a| a.year.gte(0))
    }

    fn hidden_from(ctx: &Ctx) -> FieldSet<Self> {
        if ctx.actor().admin {
            FieldSet::none()
        } else {
            Self::field_set(|a| a.tags.only())
        }
    }
}

#[derive(Projection)]
#[projection(of = Article)]
struct Line {
    title: String,
}

/// A handle whose indexes are there: the embedded store searches without one, and takes the declaration all the same.
async fn open(stage: Stage) -> (Db, Ctx) {
    let db = stage.builder().model::<Article>().build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    db.check_indexes().await.unwrap();
    let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
    (db, ctx)
}

fn new(title: &str, body: &str, tags: &[&str]) -> NewArticle {
    NewArticle {
        title: title.into(),
        optional: NewArticleOptional {
            body: Some(body.into()),
            tags: Some(tags.iter().map(|tag| (*tag).to_owned()).collect()),
            ..Default::default()
        },
    }
}

fn titles(found: &[Scored<Article>]) -> Vec<&str> {
    found.iter().map(|found| &*found.item.title).collect()
}

async fn fill(ctx: &Ctx) {
    // The best come last, so that no order but that of relevance puts them first.
    for new in [
        new("Tools", "widgets and blue-green things; don't panic", &[]),
        new("sealed", "blue blue blue", &[]),
        new("Café", "naïve résumé", &["Blue", "sky blue"]),
        new("Red", "Nothing about the other colour, but a widget", &[]),
        new("Blue widget", "A widget that is blue.", &[]),
    ] {
        Article::create(ctx, new).await.unwrap();
    }
}

on_both_stores! {
    /// The best first, with its score; both stores make the same scores.
    async fn by_relevance(stage: Stage) {
        let (_db, ctx) = open(stage).await;
        fill(&ctx).await;
        let found = Article::query(&ctx).search("blue").await.unwrap();
        assert_eq!(titles(&found), ["Blue widget", "Café", "Tools"]);
        // By the server's formula, with the weights: 3 * 0.75 + 0.5 * 1.2, 1.1 + 0.75, 0.5 + 0.5 / 8.
        let scores: Vec<_> = found.iter().map(|found| (found.score * 1_000.0).round()).collect();
        assert_eq!(scores, [2850.0, 1850.0, 563.0]);
        let found = Article::query(&ctx).search("widget colour").await.unwrap();
        assert_eq!(titles(&found), ["Blue widget", "Red"]);
        // Case and accents do not count, unless they are said to.
        let found = Article::query(&ctx).search("RESUME").await.unwrap();
        assert_eq!(titles(&found), ["Café"]);
        assert!(Article::query(&ctx).search("resume").diacritic_sensitive().await.unwrap().is_empty());
        assert!(Article::query(&ctx).search("red").case_sensitive().await.unwrap().is_empty());
        assert_eq!(Article::query(&ctx).search("Red").case_sensitive().await.unwrap().len(), 1);
    }

    /// Phrases and negations are the server's own syntax; nothing else in a text is special.
    async fn what_a_text_may_say(stage: Stage) {
        let (_db, ctx) = open(stage).await;
        fill(&ctx).await;
        let cases: [(&str, &[&str]); 12] = [
            ("blue -widget", &["Café", "Tools"]),
            ("\"blue widget\"", &["Blue widget"]),
            ("\"widget blue\"", &[]),
            ("widget -\"blue widget\"", &["Red"]),
            ("-widget", &[]),
            ("", &[]),
            ("   ", &[]),
            ("\"", &[]),
            ("wid", &[]),
            (".*", &[]),
            ("$where {\"organization\": 1}", &[]),
            ("don't", &["Tools"]),
        ];
        for (text, expected) in cases {
            let found = Article::query(&ctx).search(text).await.unwrap();
            assert_eq!(titles(&found), expected, "{text}");
        }
        let long = "blue ".repeat(820);
        let error = Article::query(&ctx).search(long).await.unwrap_err();
        assert!(error.is_invalid() && !error.to_string().contains("blue"), "{error}");
    }

    /// What other queries leave out, a search leaves out: other tenants, what the scope and `can_read` deny, what is deleted.
    async fn inside_of_what_may_be_read(stage: Stage) {
        let (db, ctx) = open(stage).await;
        fill(&ctx).await;
        let rival = db.context(TenantId::new("globex").unwrap(), User::admin("rita"));
        assert!(Article::query(&rival).search("blue").await.unwrap().is_empty());
        Article::create(&rival, new("Blue whale", "blue blue", &[])).await.unwrap();
        let mut out = new("Blue beyond", "", &[]);
        out.optional.year = Some(-1);
        Article::create(&ctx, out).await.unwrap();
        let gone = Article::create(&ctx, new("Blue gone", "", &[])).await.unwrap();
        assert!(Article::delete(&ctx, &gone.id).await.unwrap());
        let found = Article::query(&ctx).search("blue").await.unwrap();
        assert_eq!(titles(&found), ["Blue widget", "Café", "Tools"]);
        let job = ctx.dangerously_bypass_permissions("a look at all");
        let all = Article::query(&job).with_deleted().search("blue").await.unwrap();
        assert_eq!(all.len(), 6);
        let theirs = Article::query(&rival).search("blue").await.unwrap();
        assert_eq!(titles(&theirs), ["Blue whale"]);
        // Words of a field that the actor is not shown could be guessed.
        let viewer = db.context(TenantId::new("acme").unwrap(), User::viewer("vi", &[]));
        let error = Article::query(&viewer).search("blue").await.unwrap_err();
        assert!(error.is_invalid() && !error.to_string().contains("tags"), "{error}");
    }

    /// Filters, limits, orders, counts, pages, projections and groups go with it.
    async fn with_all_that_a_query_has(stage: Stage) {
        let (_db, ctx) = open(stage).await;
        fill(&ctx).await;
        let search = || Article::query(&ctx).search("blue");
        let found = search().filter(|a| a.title.ne("Blue widget")).limit(1).await.unwrap();
        assert_eq!(titles(&found), ["Café"]);
        // What `can_read` denies takes no place among the skipped.
        assert_eq!(titles(&search().skip(1).await.unwrap()), ["Café", "Tools"]);
        assert_eq!(search().first().await.unwrap().unwrap().item.title, "Blue widget");
        let streamed: Vec<_> = search().stream().try_collect().await.unwrap();
        assert_eq!(titles(&streamed), ["Blue widget", "Café", "Tools"]);
        assert_eq!(search().documents().count().await.unwrap(), 3);
        assert!(search().documents().exists().await.unwrap());
        let lines = search().documents().select::<Line>().await.unwrap();
        assert_eq!(lines.iter().map(|line| &*line.title).collect::<Vec<_>>(), ["Blue widget", "Café", "Tools"]);
        let mut names = search().documents().distinct(|a| &a.title).await.unwrap();
        names.sort();
        assert_eq!(names, ["Blue widget", "Café", "Tools"]);
        let sorted = || Article::query(&ctx).sort(|a| a.title.desc()).search("blue");
        let found = sorted().await.unwrap();
        assert_eq!(titles(&found), ["Tools", "Café", "Blue widget"]);
        assert!(found[0].score < found[1].score);
        let page = sorted().documents().page(2, None).await.unwrap();
        let rest = sorted().documents().page(2, page.next.as_deref()).await.unwrap();
        assert_eq!((page.items.len(), &*rest.items[0].title, rest.items.len()), (2, "Blue widget", 1));
        let error = search().documents().page(2, None).await.unwrap_err();
        assert!(error.is_invalid(), "{error}");
        let counted = ctx.transaction(|tx| async move { Article::query(&tx).search("blue").await.map(|found| found.len()) });
        assert_eq!(counted.await.unwrap(), 3);
    }
}

/// What the embedded store cannot do: the server compares words by their stems, in the language of the search.
#[tokio::test]
async fn languages() {
    let (_db, ctx) = open(Stage::mongo().await).await;
    fill(&ctx).await;
    let search = || Article::query(&ctx).search("widgets");
    assert_eq!(titles(&search().await.unwrap()), ["Tools"]);
    let english = search().language("english").await.unwrap();
    assert_eq!(titles(&english), ["Blue widget", "Red"]);
    let error = search().language("klingon").await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
}
