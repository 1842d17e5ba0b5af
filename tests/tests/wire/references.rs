//! Documents that belong together: one command for each relation and level, the tenant in each.

use model_core::ModelExt;
use model_core::prelude::*;
use model_core::{SyncOptions, testing};
use model_tests::events::CommandLog;
use model_tests::server::recorded_database;

use super::tenancy::carries_the_tenant;
use super::{Ctx, Person, Rival, policy};

/// A superset for a scope.
#[derive(Clone, Model)]
#[model(collection = "shelves")]
struct Shelf {
    #[model(id)]
    id: Id<Shelf>,
    #[model(tenant)]
    organization: TenantId,
    name: String,
}

policy!(Shelf, Superset);

/// An exact scope.
#[derive(Clone, Model)]
#[model(collection = "books")]
struct Book {
    #[model(id)]
    id: Id<Book>,
    #[model(tenant)]
    organization: TenantId,
    name: String,
    first: Ref<Shelf>,
    second: Option<Ref<Shelf>>,
    others: Vec<Ref<Shelf>>,
    sequel_of: Option<Ref<Book>>,
}

policy!(Book, Exact);

/// Goes with its book, and then with what replaces it.
#[derive(Clone, Model)]
#[model(collection = "loans", index(book))]
struct Loan {
    #[model(id)]
    id: Id<Loan>,
    #[model(tenant)]
    organization: TenantId,
    #[model(on_delete = cascade)]
    book: Ref<Book>,
    #[model(on_delete = nullify)]
    replaced_by: Option<Ref<Loan>>,
}

policy!(Loan, Superset);

struct Wire {
    db: Db,
    log: CommandLog,
    ctx: Ctx,
}

impl Wire {
    async fn new() -> Self {
        let (database, log) = recorded_database().await;
        let db = Db::mongo(database)
            .keys(testing::keyring().unwrap())
            .state(Rival::default())
            .model::<Shelf>()
            .model::<Book>()
            .model::<Loan>()
            .build_lazy()
            .unwrap();
        db.sync_indexes(SyncOptions::default()).await.unwrap();
        let person = Person {
            reads: true,
            writes: true,
        };
        let ctx = db.context(TenantId::new("acme").unwrap(), person);
        assert_eq!(Book::query(&ctx).count().await.unwrap(), 0);
        Self { db, log, ctx }
    }

    async fn sends<R>(&self, operation: impl Future<Output = R>) -> (R, Vec<String>) {
        self.log.take();
        let result = operation.await;
        let sent = self.log.take();
        for command in &sent {
            carries_the_tenant(&self.db, command, "acme");
        }
        (result, sent.into_iter().map(|command| command.name).collect())
    }

    async fn shelves(&self, count: usize) -> Vec<Shelf> {
        let new = (0..count).map(|n| NewShelf {
            name: format!("s{n}"),
        });
        Shelf::create_many(&self.ctx, new).await.unwrap()
    }

    async fn books(&self, shelves: &[Shelf]) -> Vec<Book> {
        let at = |n: usize| Ref::to(&shelves[n % shelves.len()].id);
        let new = (0..shelves.len()).map(|n| NewBook {
            name: format!("b{n}"),
            first: at(n),
            others: vec![at(n + 2), at(n + 3)],
            optional: NewBookOptional {
                second: Some(at(n + 1)),
                sequel_of: None,
            },
        });
        Book::create_many(&self.ctx, new).await.unwrap()
    }
}

/// A thousand documents with three references: three commands more.
#[tokio::test]
async fn a_relation_is_one_command() {
    let wire = Wire::new().await;
    let shelves = wire.shelves(1_000).await;
    let books = wire.books(&shelves).await;
    let ctx = &wire.ctx;
    let load = async {
        let first = Shelf::populate(ctx, &books, |book| &book.first).await.unwrap();
        let second = Shelf::populate(ctx, &books, |book| &book.second).await.unwrap();
        let others = Shelf::populate(ctx, &books, |book| &book.others).await.unwrap();
        [first, second, others].map(|loaded| loaded.documents().len())
    };
    let (loaded, sent) = wire.sends(load).await;
    assert_eq!(loaded, [1_000; 3]);
    assert_eq!(sent, ["find"; 3]);
    let none = Shelf::populate(ctx, &books[..0], |book| &book.first);
    assert_eq!(
        wire.sends(async { none.await.unwrap() }).await.1,
        Vec::<String>::new()
    );
}

/// Related documents of many parents are one cursor; a limit for each parent is cut off by the server.
#[tokio::test]
async fn a_limit_for_each_is_the_servers() {
    let wire = Wire::new().await;
    let shelves = wire.shelves(50).await;
    for _ in 0..10 {
        wire.books(&shelves).await;
    }
    let ctx = &wire.ctx;
    for limit in [1, 3] {
        let query = || Book::related(ctx, &shelves, |b| &b.first).sort(|b| b.name.asc());
        let (related, sent) = wire
            .sends(async { query().limit_each(limit).await.unwrap() })
            .await;
        assert_eq!(
            sent.iter().filter(|name| *name == "aggregate").count(),
            1,
            "{sent:?}"
        );
        assert_eq!(related.documents().len() as u64, 50 * limit);
        let query = || Book::related(ctx, &shelves, |b| &b.others).sort(|b| b.name.asc());
        let (related, sent) = wire
            .sends(async { query().limit_each(limit).await.unwrap() })
            .await;
        assert_eq!(
            sent.iter().filter(|name| *name == "aggregate").count(),
            1,
            "{sent:?}"
        );
        assert!(
            shelves
                .iter()
                .all(|shelf| related.of(shelf).len() as u64 == limit)
        );
    }
    let (counts, sent) = wire
        .sends(async { Book::related(ctx, &shelves, |b| &b.first).count().await.unwrap() })
        .await;
    assert_eq!(
        (counts.of(&shelves[0]), &*sent[0], sent.len()),
        (10, "aggregate", 1)
    );
}

/// A tree is one read of its root and one walk, the way up one walk.
#[tokio::test]
async fn a_tree_is_one_walk() {
    let wire = Wire::new().await;
    let shelves = wire.shelves(1).await;
    let root = wire.books(&shelves).await.remove(0);
    let patch = |of: &Book| BookPatch {
        sequel_of: Set(Some(Ref::to(&of.id))),
        ..Default::default()
    };
    let mut last = root.clone();
    for _ in 0..5 {
        let next = wire.books(&shelves).await.remove(0);
        last = Book::update(&wire.ctx, &next.id, patch(&last)).await.unwrap();
    }
    let tree = Book::subtree(&wire.ctx, &root.id, |b| &b.sequel_of);
    let (tree, sent) = wire.sends(async { tree.await.unwrap().unwrap() }).await;
    assert_eq!(
        (tree.documents().count(), sent),
        (6, vec!["find".to_owned(), "aggregate".to_owned()])
    );
    let above = Book::ancestors(&wire.ctx, &last.id, |b| &b.sequel_of);
    let (above, sent) = wire.sends(async { above.await.unwrap() }).await;
    assert_eq!((above.len(), sent), (5, vec!["aggregate".to_owned()]));
}

/// A deletion with rules is one find more for each field that refers to what is deleted, level by level, and a
/// transaction.
#[tokio::test]
async fn a_rule_is_a_find_for_each_field() {
    let wire = Wire::new().await;
    let shelves = wire.shelves(3).await;
    let books = wire.books(&shelves).await;
    let ctx = &wire.ctx;
    let alone = async { Book::delete(ctx, &books[0].id).await.unwrap() };
    assert_eq!(
        wire.sends(alone).await,
        (true, ["find", "find", "delete"].map(String::from).to_vec())
    );
    for _ in 0..3 {
        let new = NewLoan {
            book: Ref::to(&books[1].id),
            optional: NewLoanOptional::default(),
        };
        Loan::create(ctx, new).await.unwrap();
    }
    let along = async { Book::delete(ctx, &books[1].id).await.unwrap() };
    let (deleted, sent) = wire.sends(along).await;
    assert!(deleted);
    assert_eq!(
        sent,
        ["find", "find", "find", "delete", "delete", "commitTransaction"]
    );
    let shelf = async { Shelf::delete(ctx, &shelves[0].id).await.unwrap() };
    assert_eq!(
        wire.sends(shelf).await.1,
        ["find", "delete"],
        "nothing has a rule for shelves"
    );
}
