//! What a declaration says without attributes: roles by name and type, defaults of types; and a policy in one statement.

use model_core::prelude::*;
use model_core::query::Field;
use model_core::schema::FieldRole;
use model_core::testing::{self, FixedClock};
use serde_json::json;

use crate::harness::{Stage, on_both_stores};

/// Somebody with a shelf.
#[derive(Clone)]
struct Reader {
    name: &'static str,
    librarian: bool,
}

impl Actor for Reader {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user(self.name)
    }
}

impl Reader {
    fn is_librarian(&self) -> bool {
        self.librarian
    }

    fn owns(&self, owner: &str) -> bool {
        self.librarian || self.name == owner
    }

    fn may_lend(&self, owner: &str, lent: &Lent) -> bool {
        self.owns(owner) && lent.times < 3
    }

    fn own<M: Model>(&self, owner: &Field<M, String>) -> Filter<M> {
        if self.librarian {
            Filter::all()
        } else {
            owner.eq(self.name)
        }
    }
}

#[derive(Clone, PartialEq, Embedded)]
#[model(defaults)]
struct Lent {
    times: u32,
    #[model(default = "nobody")]
    to: String,
    ever: bool,
    places: Vec<String>,
    note: Option<String>,
}

#[derive(Clone, Model)]
#[model(collection = "spelled_books", rename_all = "camelCase")]
struct Book {
    id: Id<Book>,
    library: TenantId,
    owner: String,
    #[model(default)]
    lent: Lent,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    seen: Revision,
}

impl BaseModel for Book {
    policy!(
        Reader, read, create: owns(owner), update: may_lend(owner, lent), delete: is_librarian, exact_scope: own(owner)
    );

    async fn validate(&self, _ctx: &Context<Reader>) -> Result<()> {
        if self.owner.is_empty() {
            return Err(Error::violation("owner", "owner", "has to be somebody"));
        }
        Ok(())
    }
}

/// One of two tenants is the tenant, and a date of another name is a date.
#[derive(Clone, Model)]
#[model(collection = "spelled_loans")]
struct Loan {
    id: Id<Loan>,
    #[model(tenant)]
    lender: TenantId,
    borrower: TenantId,
    #[model(created_at)]
    since: DateTime<Utc>,
}

impl BaseModel for Loan {
    policy!(Reader, read, create, update, delete: true);
}

/// A global model's tenants are plain.
#[derive(Clone, Model)]
#[model(collection = "spelled_members", global)]
struct Membership {
    id: Id<Membership>,
    library: TenantId,
}

impl BaseModel for Membership {
    policy!(Reader, read: true, create: is_librarian, update, delete: false);
}

struct Hall {
    db: Db,
    clock: FixedClock,
    ann: Context<Reader>,
    librarian: Context<Reader>,
}

async fn open(stage: Stage) -> Hall {
    let clock = stage.clock.clone();
    let builder = stage.builder().clock(clock.clone());
    let builder = builder.model::<Book>().model::<Loan>().model::<Membership>();
    let db = builder.build().await.unwrap();
    let tenant = TenantId::new("acme").unwrap();
    let ann = Reader {
        name: "ann",
        librarian: false,
    };
    let librarian = Reader {
        name: "lib",
        librarian: true,
    };
    Hall {
        ann: db.context(tenant.clone(), ann),
        librarian: db.context(tenant, librarian),
        db,
        clock,
    }
}

fn book(owner: &str) -> NewBook {
    NewBook {
        owner: owner.to_owned(),
        optional: NewBookOptional::default(),
    }
}

#[test]
fn roles_are_those_of_names_and_types() {
    let role =
        |schema: &'static model_core::schema::ModelSchema, name: &str| schema.field(name).unwrap().role;
    let book = ["_id", "library", "createdAt", "updatedAt"].map(|name| role(Book::schema(), name));
    assert_eq!(
        book,
        [
            FieldRole::Id,
            FieldRole::Tenant,
            FieldRole::CreatedAt,
            FieldRole::UpdatedAt
        ]
    );
    let loan = ["lender", "borrower", "since"].map(|name| role(Loan::schema(), name));
    assert_eq!(loan, [FieldRole::Tenant, FieldRole::Plain, FieldRole::CreatedAt]);
    assert_eq!(role(Membership::schema(), "library"), FieldRole::Plain);
}

on_both_stores! {
    /// Stamped and guarded as what is marked.
    async fn what_is_spelled_so_is_stamped(stage: Stage) {
        let hall = open(stage).await;
        let made = Book::create(&hall.ann, book("ann")).await.unwrap();
        hall.clock.advance(chrono::TimeDelta::seconds(5));
        let lent = Lent { times: 1, ..Default::default() };
        let lent = Book::update(&hall.ann, &made.id, BookPatch { lent: Set(lent), ..Default::default() }).await.unwrap();
        assert_eq!((lent.updated_at - lent.created_at).num_seconds(), 5);
        assert_eq!((&made.library, made.lent.to.as_str()), (hall.ann.tenant(), "nobody"));
        assert_ne!(made.seen, lent.seen);
        let stale = Book::update(&hall.ann, &made.id, BookPatch { owner: Set("lib".into()), ..Default::default() });
        assert!(stale.if_revision(made.seen).await.unwrap_err().is_conflict());
        for given in [json!({"library": "globex"}), json!({"createdAt": "2020-01-01T00:00:00Z"}), json!({"id": made.id})] {
            let mut new = json!({"owner": "ann"});
            new.as_object_mut().unwrap().extend(given.as_object().unwrap().clone());
            assert!(NewBook::from_json(&new.to_string()).is_err(), "{given}");
        }
    }

    /// A field without a default of its own has its type's, in Rust and in JSON.
    async fn defaults_of_types(stage: Stage) {
        let hall = open(stage).await;
        let new = NewBook::from_json(r#"{"owner": "ann", "lent": {"ever": true}}"#).unwrap();
        let made = Book::create(&hall.ann, new).await.unwrap();
        let lent = Lent { ever: true, times: 0, to: "nobody".into(), places: vec![], note: None };
        assert!(made.lent == lent);
        assert!(Book::fetch(&hall.ann, &made.id).await.unwrap().lent == lent);
        let stored = testing::stored(&hall.db, "spelled_books").await.unwrap().remove(0);
        assert_eq!(stored.get_document("lent").unwrap().get_i64("times").unwrap(), 0);
    }

    /// Each verb has its own answer, or that of the next; an update answers on both sides; the scope is the server's.
    async fn a_policy_in_one_statement(stage: Stage) {
        let hall = open(stage).await;
        let own = Book::create(&hall.ann, book("ann")).await.unwrap();
        assert!(Book::create(&hall.ann, book("bob")).await.unwrap_err().is_forbidden());
        assert!(Book::create(&hall.ann, book("")).await.unwrap_err().is_forbidden());
        let error = Book::create(&hall.librarian, book("")).await.unwrap_err();
        assert_eq!(error.violations()[0].path, "owner", "what stands beside the policy holds");
        let other = Book::create(&hall.librarian, book("bob")).await.unwrap();
        assert!(Book::get(&hall.ann, &other.id).await.unwrap().is_none());
        assert_eq!(Book::query(&hall.ann).count().await.unwrap(), 1);
        assert_eq!(Book::query(&hall.librarian).count().await.unwrap(), 2);
        let given = BookPatch { owner: Set("bob".into()), ..Default::default() };
        assert!(Book::update(&hall.ann, &own.id, given).await.unwrap_err().is_forbidden(), "what is after counts");
        let lent = |times| BookPatch { lent: Set(Lent { times, ..Default::default() }), ..Default::default() };
        assert!(Book::update(&hall.ann, &own.id, lent(3)).await.unwrap_err().is_forbidden());
        Book::update(&hall.ann, &own.id, lent(2)).await.unwrap();
        assert!(Book::delete(&hall.ann, &own.id).await.unwrap_err().is_forbidden());
        assert!(Book::delete(&hall.librarian, &own.id).await.unwrap());
        let (ann, librarian) = (&hall.ann, &hall.librarian);
        let new = || NewMembership { library: ann.tenant().clone() };
        assert!(Membership::create(ann, new()).await.unwrap_err().is_forbidden());
        let member = Membership::create(librarian, new()).await.unwrap();
        assert!(Membership::get(ann, &member.id).await.unwrap().is_some());
        assert!(Membership::delete(librarian, &member.id).await.unwrap_err().is_forbidden());
        let loan = NewLoan { borrower: TenantId::new("globex").unwrap() };
        let loan = Loan::create(ann, loan).await.unwrap();
        assert!(loan.lender == *ann.tenant() && Loan::delete(ann, &loan.id).await.unwrap());
    }
}
