//! `results`: a document that cannot be read stands in the way of no other, and is never left out unnoticed.

use std::error::Error as _;

use bson::{Bson, Document};
use futures_util::TryStreamExt;
use model_core::ErrorKind;
use model_core::prelude::*;
use model_core::testing;

use crate::harness::{Stage, on_both_stores};
use crate::models::User;

/// What may have been stored by anybody, in whatever shape. Documents of version 1 may be beyond repair.
#[derive(Clone, Model)]
#[model(collection = "books", id = string, version = 2, seal(shelf))]
struct Book {
    #[model(id)]
    id: Id<Book>,
    #[model(tenant)]
    organization: TenantId,
    title: String,
    shelf: String,
    pages: i64,
    readable: bool,
    #[model(blind_index(bits = 4, allow_low_entropy))]
    mark: Option<Encrypted<i64>>,
    code: Option<Encrypted<String>>,
}

type Ctx = Context<User>;

impl BaseModel for Book {
    type Actor = User;

    fn can_read(&self, ctx: &Ctx) -> bool {
        ctx.actor().admin || self.readable
    }

    fn can_create(&self, _: &Ctx) -> bool {
        true
    }

    fn can_update(&self, _: &Ctx, _: &Self) -> bool {
        true
    }

    fn can_delete(&self, _: &Ctx) -> bool {
        true
    }

    fn migrate(_: Document, _: &MigrateInfo) -> Result<Document> {
        Err(Error::refused("nothing can be made of it"))
    }
}

/// A book without a seal, so that another client may write what it likes.
#[derive(Clone, Model)]
#[model(collection = "loose", id = string)]
struct Loose {
    #[model(id)]
    id: Id<Loose>,
    #[model(tenant)]
    organization: TenantId,
    title: String,
    pages: i64,
}

impl BaseModel for Loose {
    type Actor = User;

    crate::models::open_policy!(Self, Ctx);
}

struct Library {
    db: Db,
    admin: Ctx,
    guest: Ctx,
    rival: Ctx,
}

async fn library(stage: Stage) -> Library {
    let builder = stage.builder().keys(testing::keyring().unwrap());
    let db = builder.model::<Book>().model::<Loose>().build_lazy().unwrap();
    let of = |tenant: &str, user| db.context(TenantId::new(tenant).unwrap(), user);
    Library {
        admin: of("acme", User::admin("ada")),
        guest: of("acme", User::viewer("gus", &[])),
        rival: of("globex", User::admin("rita")),
        db,
    }
}

const TITLES: [&str; 5] = ["a", "b", "c", "d", "e"];

impl Library {
    /// Five books; `c` is not for guests.
    async fn books(&self) -> Vec<Book> {
        let mut books = Vec::new();
        for (title, number) in TITLES.into_iter().zip(1..) {
            let new = NewBook {
                title: title.into(),
                shelf: "low".into(),
                pages: number,
                readable: title != "c",
                optional: NewBookOptional {
                    mark: Some(Secret::new(number)),
                    code: Some(Secret::from("canary")),
                },
            };
            books.push(Book::create(&self.admin, new).await.unwrap());
        }
        books
    }

    /// The same without seals.
    async fn loose(&self) -> Vec<Loose> {
        let mut books = Vec::new();
        for (title, pages) in TITLES.into_iter().zip(1..) {
            let new = NewLoose {
                title: title.into(),
                pages,
            };
            books.push(Loose::create(&self.admin, new).await.unwrap());
        }
        books
    }

    /// Another client changes a document.
    async fn spoil(&self, collection: &'static str, id: &str, change: impl FnOnce(&mut Document)) {
        let all = testing::stored(&self.db, collection).await.unwrap();
        let own = |document: &Document| document.get_str("_id").unwrap() == id;
        let mut document = all.into_iter().find(own).unwrap();
        change(&mut document);
        if collection == "books" {
            Book::purge_raw(self, id).await;
        } else {
            Loose::delete(&self.admin, &Id::parse(id).unwrap()).await.unwrap();
        }
        testing::store_raw(&self.db, collection, &document).await.unwrap();
    }
}

impl Book {
    async fn purge_raw(library: &Library, id: &str) {
        Self::delete(&library.admin, &Id::parse(id).unwrap())
            .await
            .unwrap();
    }
}

/// The titles, and a question mark for what cannot be read.
fn shown<M>(found: &[Result<M>], title: impl Fn(&M) -> &str) -> String {
    let one = |book: &Result<M>| {
        book.as_ref()
            .map_or("?".to_owned(), |book| title(book).to_owned())
    };
    found.iter().map(one).collect()
}

fn titles(found: &[Result<Book>]) -> String {
    shown(found, |book| &book.title)
}

fn loose(found: &[Result<Loose>]) -> String {
    shown(found, |book| &book.title)
}

on_both_stores! {
    /// The reason stands where the document would, and names it; what is asked for otherwise fails as ever.
    async fn each_in_its_place(stage: Stage) {
        let library = library(stage).await;
        let books = library.loose().await;
        library.spoil("loose", &books[1].id.to_string(), |book| { book.insert("pages", "canary"); }).await;
        let query = || Loose::query(&library.admin).sort(|b| b.title.asc());
        assert!(query().await.unwrap_err().is_decode());
        let found = query().results().await.unwrap();
        assert_eq!(loose(&found), "a?cde");
        let error = found.into_iter().nth(1).unwrap().map(drop).unwrap_err();
        assert!(error.is_decode(), "{error}");
        assert_eq!((error.model(), error.id(), error.path()), (Some("Loose"), Some(&*books[1].id.to_string()), Some("pages")));
        let said = format!("{error} {error:?} {:?}", error.source());
        assert!(!said.contains("canary"), "{said}");
        let streamed: Vec<_> = query().batch_size(2).results().stream().try_collect().await.unwrap();
        assert_eq!(loose(&streamed), "a?cde");
        assert_eq!(loose(&query().skip(1).limit(2).results().await.unwrap()), "?c");
        assert_eq!(loose(&query().limit(1).results().await.unwrap()), "a");
        assert!(Loose::query(&library.rival).results().await.unwrap().is_empty());
        // What is none of its results is the query's own error.
        let nonsense = query().results().page(2, Some("nonsense")).await;
        assert!(nonsense.unwrap_err().is_invalid());
    }

    /// Whatever the reason is: a seal that does not hold, an unrepairable older version, plaintext in the place of a
    /// secret, a later version.
    async fn whatever_the_reason(stage: Stage) {
        let library = library(stage).await;
        let books = library.books().await;
        let query = || Book::query(&library.admin).sort(|b| b.title.asc());
        let spoil = async |n: usize, change: fn(&mut Document)| {
            library.spoil("books", &books[n].id.to_string(), change).await;
        };
        spoil(0, |book| { book.insert("shelf", "high"); }).await;
        spoil(1, |book| { book.insert("code", "canary"); }).await;
        spoil(3, |book| { book.insert("_sv", 7); }).await;
        let found = query().results().await.unwrap();
        assert_eq!(titles(&found), "??c?e");
        let kinds: Vec<_> = found.iter().filter_map(|book| book.as_ref().err().map(Error::kind)).collect();
        assert_eq!(kinds[0], ErrorKind::Crypto);
        for error in found.into_iter().filter_map(Result::err) {
            let said = format!("{error} {error:?}");
            assert!(error.id().is_some() && !said.contains("canary"), "{said}");
        }
        // Who may not read `c` does not get it, and is told of the others.
        let found = Book::query(&library.guest).sort(|b| b.title.asc()).results().await.unwrap();
        assert_eq!(titles(&found), "???e");
    }

    /// Of a document that cannot be opened, nobody can tell whether a truncated index found it rightly.
    async fn a_value_that_cannot_be_compared(stage: Stage) {
        let library = library(stage).await;
        let books = library.books().await;
        // Under a key that nobody has.
        library.spoil("books", &books[2].id.to_string(), |book| {
            let Some(Bson::Binary(sealed)) = book.get_mut("mark") else { panic!("not sealed") };
            sealed.bytes[2..18].fill(0x5A);
        }).await;
        let query = || Book::query(&library.admin).filter(|b| b.mark.eq(3));
        let error = query().await.map(drop).unwrap_err();
        assert_eq!((error.kind(), error.id()), (ErrorKind::Crypto, Some(&*books[2].id.to_string())));
        assert_eq!(titles(&query().results().await.unwrap()), "?");
        let all = Book::query(&library.admin).filter(|b| b.mark.in_([1, 2, 3, 4, 5])).sort(|b| b.title.asc());
        assert_eq!(titles(&all.results().await.unwrap()), "ab?de");
    }

    /// Pages have each document once, in either direction, also one that lacks what it is sorted by.
    async fn in_pages(stage: Stage) {
        let library = library(stage).await;
        let books = library.loose().await;
        library.spoil("loose", &books[1].id.to_string(), |book| { book.insert("pages", "canary"); }).await;
        library.spoil("loose", &books[3].id.to_string(), |book| { book.remove("title"); }).await;
        for size in 1..=5 {
            for (descending, wanted) in [(false, "?a?ce"), (true, "ec?a?")] {
                let mut seen = String::new();
                let mut after: Option<model_core::PageCursor> = None;
                loop {
                    let query = Loose::query(&library.admin);
                    let query = if descending { query.sort(|b| b.title.desc()) } else { query.sort(|b| b.title.asc()) };
                    let page = query.results().page(size, after.as_deref()).await.unwrap();
                    assert!(page.items.len() <= size as usize);
                    seen += &loose(&page.items);
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
                assert_eq!(seen, wanted, "{size} {descending}");
            }
        }
        // By a text where a number belongs, there is no saying what comes next.
        let error = Loose::query(&library.admin).sort(|b| b.pages.asc()).results().page(9, None).await.unwrap_err();
        assert_eq!((error.kind(), error.path()), (ErrorKind::Decode, Some("pages")));
    }
}
