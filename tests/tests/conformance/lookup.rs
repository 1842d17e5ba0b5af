//! Lookups: documents with those of another model, each side by its own rules; contract C 8, D 12 and D 13.

use bson::{Bson, doc};
use futures_util::TryStreamExt;
use model_core::prelude::*;
use model_core::query::{Collation, Join};
use model_core::{Joined, SyncOptions, testing};

use crate::harness::{Stage, on_both_stores};

#[derive(Clone)]
struct Clerk {
    all: bool,
}

impl Actor for Clerk {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("clerk")
    }
}

type Ctx = Context<Clerk>;

macro_rules! policy {
    ($model:ident, $read:expr) => {
        fn can_read(&self, ctx: &ContextFor<Self>) -> bool {
            let read: fn(&$model, bool) -> bool = $read;
            read(self, ctx.actor().all)
        }

        fn can_create(&self, _ctx: &ContextFor<Self>) -> bool {
            true
        }

        fn can_update(&self, _ctx: &ContextFor<Self>, _after: &Self) -> bool {
            true
        }

        fn can_delete(&self, _ctx: &ContextFor<Self>) -> bool {
            true
        }
    };
}

use model_core::ContextFor;

/// An exact scope and no versions: the server decides.
#[derive(Clone, Model)]
#[model(collection = "shelves", id = string)]
struct Shelf {
    #[model(id)]
    id: Id<Shelf>,
    #[model(tenant)]
    organization: TenantId,
    #[model(default)]
    names: Vec<String>,
    best: Option<Id<Book>>,
    country: Option<Id<Country>>,
    rows: Option<Vec<Vec<i64>>>,
}

impl BaseModel for Shelf {
    type Actor = Clerk;
    const READ_SCOPE: ReadScope = ReadScope::Exact;
    policy!(Shelf, |_, _| true);
}

/// Everything that can be forgotten: soft deletes, a base filter, a scope, a `can_read` beside it, versions, secrets.
#[derive(Clone, Model)]
#[model(collection = "books", id = string, soft_delete, version = 2, index(shelf))]
struct Book {
    #[model(id)]
    id: Id<Book>,
    #[model(tenant)]
    organization: TenantId,
    shelf: Option<Ref<Shelf>>,
    #[model(default)]
    kind: String,
    title: String,
    #[model(default)]
    tags: Vec<String>,
    #[model(hidden, default = 7)]
    rank: i64,
    pin: Option<Encrypted<String>>,
    #[model(since = 2)]
    added: Option<i64>,
}

impl BaseModel for Book {
    type Actor = Clerk;
    policy!(Book, |book, all| all || book.title != "denied");

    fn read_scope(ctx: &Ctx) -> Filter<Self> {
        if ctx.actor().all {
            Filter::all()
        } else {
            Self::filter(|b| b.title.ne("draft"))
        }
    }

    fn base_filter() -> Filter<Self> {
        Self::filter(|b| b.kind.eq("book"))
    }

    fn migrate(mut document: bson::Document, _info: &MigrateInfo) -> Result<bson::Document> {
        if document.contains_key("_joined") {
            return Err(Error::refused("what a lookup adds is no part of the document"));
        }
        let Some(name) = document.remove("name") else {
            return Err(Error::refused("a part of a document was migrated"));
        };
        document.insert("title", name);
        Ok(document)
    }
}

/// Of no tenant.
#[derive(Clone, Model)]
#[model(collection = "countries", id = string, global)]
struct Country {
    #[model(id)]
    id: Id<Country>,
    name: String,
}

impl BaseModel for Country {
    type Actor = Clerk;
    policy!(Country, |_, _| true);
}

#[derive(Projection)]
#[projection(of = Shelf)]
struct ShelfLine {
    id: Id<Shelf>,
}

#[derive(Projection)]
#[projection(of = Book)]
struct BookLine {
    title: String,
    rank: i64,
    pin: Option<Encrypted<String>>,
}

#[derive(Projection)]
#[projection(of = Country)]
struct CountryLine {
    name: String,
}

async fn open(stage: Stage) -> Db {
    let builder = stage.builder().keys(testing::keyring().unwrap());
    let builder = builder.model::<Shelf>().model::<Book>().model::<Country>();
    let db = builder.build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    for (id, organization, best, names) in [
        ("s1", "acme", "b1".into(), vec!["x", "y"]),
        ("s2", "acme", Bson::Null, vec![]),
        ("s3", "acme", "b9".into(), vec!["z"]),
        ("s4", "globex", "b1".into(), vec!["x"]),
    ] {
        let mut shelf = doc! { "_id": id, "organization": organization, "names": names, "country": "at" };
        if best != Bson::Null {
            shelf.insert("best", best);
        }
        testing::store_raw(&db, "shelves", &shelf).await.unwrap();
    }
    for (id, organization, shelf, title, kind, tags) in [
        ("b1", "acme", "s1", "one", "book", vec!["x"]),
        ("b2", "acme", "s1", "denied", "book", vec!["x", "z"]),
        ("b3", "acme", "s1", "draft", "book", vec![]),
        ("b4", "acme", "s1", "two", "magazine", vec!["x"]),
        ("b5", "acme", "s1", "three", "book", vec!["y", "x"]),
        ("b6", "acme", "s3", "four", "book", vec!["z"]),
        ("b7", "globex", "s1", "theirs", "book", vec!["x"]),
        ("b8", "acme", "s1", "gone", "book", vec!["x"]),
    ] {
        let mut book = doc! {
            "_id": id, "organization": organization, "shelf": shelf, "title": title, "kind": kind, "tags": tags,
            "rank": 3_i64, "_sv": 2,
        };
        if id == "b8" {
            book.insert("_deleted_at", bson::DateTime::from_millis(1));
        }
        testing::store_raw(&db, "books", &book).await.unwrap();
    }
    // Without a shelf, and of version 1.
    let stray = doc! { "_id": "c1", "organization": "acme", "title": "stray", "kind": "book", "tags": [], "rank": 3_i64, "_sv": 2 };
    let old = doc! { "_id": "c2", "organization": "acme", "shelf": "s3", "name": "old", "kind": "book", "tags": [], "rank": 3_i64 };
    testing::store_raw(&db, "books", &stray).await.unwrap();
    testing::store_raw(&db, "books", &old).await.unwrap();
    testing::store_raw(&db, "countries", &doc! { "_id": "at", "name": "Austria" })
        .await
        .unwrap();
    db
}

fn context(db: &Db, tenant: &str, all: bool) -> Ctx {
    db.context(TenantId::new(tenant).unwrap(), Clerk { all })
}

fn shown<P>(found: &[Joined<P, BookLine>]) -> Vec<Vec<&str>> {
    found
        .iter()
        .map(|one| one.joined.iter().map(|book| &*book.title).collect())
        .collect()
}

/// The books of each shelf, by title: the shelf of a book is a reference, joined with the id that it names.
async fn shelved(ctx: &Ctx) -> Result<Vec<Joined<ShelfLine, BookLine>>> {
    Shelf::query(ctx)
        .sort(|s| s.id.asc())
        .select::<ShelfLine>()
        .lookup::<BookLine>(|shelf, book| Join::on(&shelf.id, &book.shelf).sort(book.title.asc()))
        .await
}

on_both_stores! {
    /// Tenant, base filter, soft delete, scope, `can_read` and migration of the other model, whoever asks.
    async fn each_side_is_judged_by_its_own_rules(stage: Stage) {
        let db = open(stage).await;
        let clerk = context(&db, "acme", false);
        let found = shelved(&clerk).await.unwrap();
        assert_eq!(found.iter().map(|one| one.item.id.to_string()).collect::<Vec<_>>(), ["s1", "s2", "s3"]);
        // An older document stands in its order by what is stored.
        assert_eq!(shown(&found), [vec!["one", "three"], vec![], vec!["old", "four"]]);
        let boss = context(&db, "acme", true);
        let all = [vec!["denied", "draft", "one", "three"], vec![], vec!["old", "four"]];
        assert_eq!(shown(&shelved(&boss).await.unwrap()), all);
        let system = clerk.dangerously_bypass_permissions("a test");
        assert_eq!(shown(&shelved(&system).await.unwrap()), [vec!["denied", "draft", "one", "three"], vec![], vec!["old", "four"]]);
        let theirs = shelved(&context(&db, "globex", true)).await.unwrap();
        assert_eq!(shown(&theirs), [vec![""; 0]], "their shelf has another name, and ours is none of theirs");
        let inside = clerk.transaction(|tx| async move { shelved(&tx).await }).await.unwrap();
        assert_eq!(shown(&inside), shown(&found));
    }

    /// The other way round: the documents themselves are judged, page through page, and their older versions come whole.
    async fn the_documents_themselves_are_judged(stage: Stage) {
        let db = open(stage).await;
        let clerk = context(&db, "acme", false);
        let query = || Book::query(&clerk).sort(|b| b.id.asc()).batch_size(2).select::<BookLine>();
        let lookup = || query().lookup::<ShelfLine>(|book, shelf| Join::on(&book.shelf, &shelf.id));
        let found = lookup().await.unwrap();
        let pairs: Vec<_> = found.iter().map(|one| (&*one.item.title, one.joined.len())).collect();
        assert_eq!(pairs, [("one", 1), ("three", 1), ("four", 1), ("stray", 0), ("old", 1)]);
        let streamed: Vec<_> = lookup().stream().try_collect().await.unwrap();
        assert_eq!(streamed.len(), 5);
        assert_eq!(lookup().first().await.unwrap().unwrap().item.title, "one");
        let lines: Vec<_> = query().stream().map_ok(|line| line.title).try_collect().await.unwrap();
        assert_eq!(lines, ["one", "three", "four", "stray", "old"]);
        assert_eq!((query().count().await.unwrap(), query().exists().await.unwrap()), (5, true));
        let limited = Book::query(&clerk).sort(|b| b.id.asc()).skip(1).limit(2).select::<BookLine>();
        assert_eq!(limited.count().await.unwrap(), 2);
    }

    /// Null and missing belong to nothing; of arrays, on either side, any element; a limit counts what may be read.
    async fn values_join_as_elements_and_null_joins_nothing(stage: Stage) {
        let db = open(stage).await;
        let clerk = context(&db, "acme", false);
        let shelves = || Shelf::query(&clerk).sort(|s| s.id.asc()).select::<ShelfLine>();
        let best = shelves().lookup::<BookLine>(|shelf, book| Join::on(&shelf.best, &book.id)).await.unwrap();
        assert_eq!(shown(&best), [vec!["one"], vec![], vec![]]);
        let tagged = |limit: u64| {
            shelves().lookup::<BookLine>(move |shelf, book| {
                Join::on(&shelf.names, &book.tags).sort(book.title.asc()).limit(limit)
            })
        };
        assert_eq!(shown(&tagged(10).await.unwrap()), [vec!["one", "three"], vec![], vec!["four"]]);
        assert_eq!(shown(&tagged(1).await.unwrap()), [vec!["one"], vec![], vec!["four"]], "`denied` takes no place");
        assert_eq!(shown(&tagged(0).await.unwrap()), [vec![""; 0], vec![], vec![]]);
        let filtered = shelves().lookup::<BookLine>(|shelf, book| {
            Join::on(&shelf.names, &book.tags).filter(book.title.starts_with("t") | book.title.eq("denied"))
        });
        assert_eq!(shown(&filtered.await.unwrap()), [vec!["three"], vec![], vec![]]);
        let limited = Book::query(&clerk).filter(|b| b.title.eq("one")).select::<BookLine>();
        let limited = limited.lookup::<ShelfLine>(|book, shelf| Join::on(&book.tags, &shelf.names).limit(1)).await.unwrap();
        assert_eq!(limited[0].joined.len(), 1, "where the server limits");
    }

    /// What the view of the other model hides, its projection hides here too; a secret opens as ever.
    async fn what_comes_along_is_redacted(stage: Stage) {
        let db = open(stage).await;
        let clerk = context(&db, "acme", false);
        let new = NewBook {
            title: "sealed".into(),
            optional: NewBookOptional {
                shelf: Some(Ref::from(Id::parse("s2").unwrap())),
                kind: Some("book".into()),
                pin: Some(Secret::from("4711")),
                ..Default::default()
            },
        };
        Book::create(&clerk, new).await.unwrap();
        let found = shelved(&clerk).await.unwrap();
        let book = found.into_iter().nth(1).unwrap().joined.remove(0);
        assert_eq!(book.pin.as_ref().unwrap().reveal(&clerk).await.unwrap().expose(), "4711");
        let printed = format!("{book:?}");
        let json = serde_json::to_value(book.into_view(&clerk)).unwrap();
        assert_eq!(json, serde_json::json!({ "title": "sealed" }));
        assert!(!printed.contains('7'), "{printed}");
    }

    /// A context with a tenant reaches global models; what cannot be kept is refused.
    async fn models_of_no_tenant_and_refusals(stage: Stage) {
        let db = open(stage).await;
        let clerk = context(&db, "acme", false);
        let shelves = || Shelf::query(&clerk).select::<ShelfLine>();
        let found = shelves().lookup::<CountryLine>(|shelf, country| Join::on(&shelf.country, &country.id)).await.unwrap();
        assert_eq!(found.iter().map(|one| &*one.joined[0].name).collect::<Vec<_>>(), ["Austria"; 3]);
        let global = db.global_context(Clerk { all: true });
        let countries = Country::query(&global).select::<CountryLine>();
        let found = countries.lookup::<CountryLine>(|a, b| Join::on(&a.name, &b.name)).await.unwrap();
        assert_eq!(found[0].joined.len(), 1);
        // There is a book of version 1, which has no `added` yet.
        let late = shelves().lookup::<BookLine>(|shelf, book| Join::on(&shelf.best, &book.id).filter(book.added.gt(1)));
        assert!(late.await.unwrap_err().is_configuration());
        let late = Book::query(&clerk).select::<BookLine>();
        let late = late.lookup::<ShelfLine>(|book, shelf| Join::on(&book.added, &shelf.rows));
        assert!(late.await.unwrap_err().is_invalid(), "an array of arrays");
        let late = Book::query(&clerk).select::<BookLine>();
        assert!(late.lookup::<BookLine>(|a, b| Join::on(&a.added, &b.rank)).await.unwrap_err().is_configuration());
        let collated = Shelf::query(&clerk).collation(Collation::new("en")).select::<ShelfLine>();
        let collated = collated.lookup::<CountryLine>(|shelf, country| Join::on(&shelf.country, &country.id));
        assert!(collated.await.unwrap_err().is_unsupported());
    }

    /// A model that the handle does not know is not looked into.
    async fn the_other_model_has_to_be_registered(stage: Stage) {
        let db = stage.builder().model::<Shelf>().build().await.unwrap();
        let error = shelved(&context(&db, "acme", false)).await.unwrap_err();
        assert!(error.is_configuration(), "{error}");
    }
}
