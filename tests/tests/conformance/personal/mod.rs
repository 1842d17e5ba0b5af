//! Personal data: whose it is, how it leaves as an archive, and how it ends.

mod erase;
mod export;
mod global;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use model_core::SyncOptions;
use model_core::prelude::*;
use model_core::testing;

use crate::harness::Stage;

#[derive(Clone)]
pub(crate) struct Clerk;

impl Actor for Clerk {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("clerk")
    }
}

pub(crate) type Ctx = Context<Clerk>;

/// How many more documents may be deleted before a hook fails.
#[derive(Clone)]
pub(crate) struct Fuse(pub(crate) Arc<AtomicI64>);

#[derive(Clone, Embedded)]
pub(crate) struct Address {
    #[model(pii(erased = "?"))]
    pub(crate) street: String,
    pub(crate) country: String,
}

/// A person whose data is kept.
#[derive(Clone, Model)]
#[model(
    collection = "customers",
    id_prefix = "cus_",
    audit(entity = "customer"),
    rename_all = "camelCase"
)]
pub(crate) struct Customer {
    #[model(id)]
    pub(crate) id: Id<Customer>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    #[model(readonly, pii(erased = "erased@example.com"), email)]
    pub(crate) mail: String,
    #[model(pii)]
    pub(crate) full_name: Option<String>,
    #[model(pii, default)]
    pub(crate) nicknames: Vec<String>,
    #[model(default)]
    pub(crate) addresses: BTreeMap<String, Address>,
    #[model(pii)]
    pub(crate) tax_number: Option<Encrypted<String>>,
    pub(crate) password: Option<PasswordHash>,
    #[model(hidden, default)]
    pub(crate) score: i32,
    #[model(on_delete = nullify)]
    pub(crate) favourite: Option<Ref<Post>>,
}

/// Goes with its author, marked or not.
#[derive(Clone, Model)]
#[model(collection = "posts", soft_delete)]
pub(crate) struct Post {
    #[model(id)]
    pub(crate) id: Id<Post>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    #[model(subject, on_delete = cascade)]
    pub(crate) author: Ref<Customer>,
    pub(crate) text: String,
}

/// Somebody's words under a post, which stay without the name.
#[derive(Clone, Model)]
#[model(collection = "comments")]
pub(crate) struct Comment {
    #[model(id)]
    pub(crate) id: Id<Comment>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    #[model(on_delete = cascade)]
    pub(crate) post: Ref<Post>,
    #[model(subject, on_delete = nullify)]
    pub(crate) by: Option<Ref<Customer>>,
    #[model(pii)]
    pub(crate) signature: Option<String>,
    pub(crate) text: String,
}

/// What was ordered goes with whoever ordered it, unless there is an invoice.
#[derive(Clone, Model)]
#[model(collection = "orders")]
pub(crate) struct Order {
    #[model(id)]
    pub(crate) id: Id<Order>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    #[model(subject, on_delete = cascade)]
    pub(crate) customer: Ref<Customer>,
    #[model(on_delete = nullify)]
    pub(crate) seen_in: Option<Ref<Post>>,
    #[model(pii(erased = ""))]
    pub(crate) remark: String,
    pub(crate) price: i64,
}

/// Has to stay for ten years.
#[derive(Clone, Model)]
#[model(collection = "invoices", append_only, audit)]
pub(crate) struct Invoice {
    #[model(id)]
    pub(crate) id: Id<Invoice>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    #[model(subject, on_delete = restrict)]
    pub(crate) order: Ref<Order>,
    pub(crate) address: Address,
    pub(crate) price: i64,
}

macro_rules! open_policy {
    ($($model:ident)*) => {$(
        impl BaseModel for $model {
            type Actor = Clerk;
            fn can_read(&self, _: &Ctx) -> bool { true }
            fn can_create(&self, _: &Ctx) -> bool { true }
            fn can_update(&self, _: &Ctx, _: &Self) -> bool { true }
            fn can_delete(&self, _: &Ctx) -> bool { true }
            async fn before_delete(ctx: &Ctx, _: &Self) -> Result<()> {
                let left = ctx.state::<Fuse>().unwrap().0.fetch_sub(1, Ordering::SeqCst);
                if left > 0 { Ok(()) } else { Err(Error::refused("the fuse has burnt")) }
            }
        }
    )*};
}

open_policy!(Customer Post Comment Order Invoice);

pub(crate) struct Store {
    pub(crate) db: Db,
    pub(crate) fuse: Fuse,
    pub(crate) ctx: Ctx,
    pub(crate) job: Ctx,
    pub(crate) rival: Ctx,
}

/// Somebody with a bit of everything.
pub(crate) struct Ada {
    pub(crate) customer: Customer,
    pub(crate) posts: Vec<Post>,
    pub(crate) own_comment: Comment,
    pub(crate) free_order: Order,
}

impl Store {
    pub(crate) async fn open(stage: Stage) -> Self {
        let fuse = Fuse(Arc::new(AtomicI64::new(i64::MAX)));
        let db = stage
            .builder()
            .state(fuse.clone())
            .keys(testing::keyring().unwrap())
            .model::<Customer>()
            .model::<Post>()
            .model::<Comment>()
            .model::<Order>()
            .model::<Invoice>()
            .build_lazy()
            .unwrap();
        db.sync_indexes(SyncOptions::default()).await.unwrap();
        let ctx = db.context(TenantId::new("acme").unwrap(), Clerk);
        let rival = db.context(TenantId::new("globex").unwrap(), Clerk);
        let job = ctx.dangerously_bypass_permissions("request 17");
        Self {
            db,
            fuse,
            ctx,
            job,
            rival,
        }
    }

    pub(crate) async fn customer(&self, ctx: &Ctx, name: &str) -> Customer {
        let optional = NewCustomerOptional {
            full_name: Some(format!("{name} Lovelace")),
            nicknames: Some(vec![format!("{name}nick")]),
            addresses: Some(BTreeMap::from([("home".into(), address(name))])),
            tax_number: Some(Secret::from(format!("tax of {name}"))),
            ..Default::default()
        };
        let mail = format!("{name}@example.com");
        Customer::create(ctx, NewCustomer { mail, optional })
            .await
            .unwrap()
    }

    pub(crate) async fn post(&self, ctx: &Ctx, author: &Customer, text: &str) -> Post {
        let new = NewPost {
            author: Ref::to(&author.id),
            text: text.into(),
        };
        Post::create(ctx, new).await.unwrap()
    }

    pub(crate) async fn comment(&self, post: &Post, by: &Customer) -> Comment {
        let optional = NewCommentOptional {
            by: Some(Ref::to(&by.id)),
            signature: by.full_name.clone(),
        };
        let new = NewComment {
            post: Ref::to(&post.id),
            text: "well said".into(),
            optional,
        };
        Comment::create(&self.ctx, new).await.unwrap()
    }

    pub(crate) async fn order(&self, customer: &Customer, seen_in: Option<&Post>) -> Order {
        let optional = NewOrderOptional {
            seen_in: seen_in.map(|post| Ref::to(&post.id)),
        };
        let remark = format!("for {}", customer.mail);
        let new = NewOrder {
            customer: Ref::to(&customer.id),
            remark,
            price: 42,
            optional,
        };
        Order::create(&self.ctx, new).await.unwrap()
    }

    pub(crate) async fn invoice(&self, order: &Order, name: &str) -> Invoice {
        let new = NewInvoice {
            order: Ref::to(&order.id),
            address: address(name),
            price: order.price,
        };
        Invoice::create(&self.ctx, new).await.unwrap()
    }

    /// Two posts, one of them marked as deleted, a comment of her own under somebody else's post, another's under hers,
    /// and an order.
    pub(crate) async fn ada(&self, bob: &Customer) -> Ada {
        let customer = self.customer(&self.ctx, "ada").await;
        let posts = vec![
            self.post(&self.ctx, &customer, "first").await,
            self.post(&self.ctx, &customer, "second").await,
        ];
        self.comment(&posts[0], bob).await;
        Post::delete(&self.ctx, &posts[1].id).await.unwrap();
        let theirs = self.post(&self.ctx, bob, "of bob").await;
        let own_comment = self.comment(&theirs, &customer).await;
        let free_order = self.order(&customer, None).await;
        Ada {
            customer,
            posts,
            own_comment,
            free_order,
        }
    }

    pub(crate) async fn count(&self, collection: &'static str) -> usize {
        testing::stored(&self.db, collection).await.unwrap().len()
    }

    /// Everything that is stored, as text.
    pub(crate) async fn everything(&self) -> String {
        let mut text = String::new();
        for collection in [
            "customers",
            "posts",
            "comments",
            "orders",
            "invoices",
            "audit_log",
        ] {
            for document in testing::stored(&self.db, collection).await.unwrap() {
                text.push_str(&format!("{collection}: {document}\n"));
            }
        }
        text
    }
}

pub(crate) fn address(name: &str) -> Address {
    Address {
        street: format!("{name} street 1"),
        country: "UK".into(),
    }
}

/// Manifest and JSON Schema say what is personal.
#[test]
fn what_is_personal_is_told() {
    let models = Db::memory().keys(testing::keyring().unwrap()).model::<Customer>();
    let models = models.model::<Order>().model::<Post>();
    let text = models.build_lazy().unwrap().manifest().to_string();
    let line = |path: &str| text.lines().find(|line| line.contains(path)).unwrap().to_owned();
    assert!(
        line("\"Customer.fields.addresses{}.street\"").contains("\"pii\":true"),
        "{text}"
    );
    assert!(
        !line("\"Customer.fields.addresses{}.country\"").contains("pii"),
        "{text}"
    );
    assert!(
        line("\"Order.fields.customer\"").contains("\"subject\":true"),
        "{text}"
    );
    for schema in [
        model_core::schema::json::view(Customer::schema()),
        model_core::schema::json::create(Customer::schema()),
        model_core::schema::json::patch(Customer::schema()),
    ] {
        assert_eq!(schema["properties"]["fullName"]["x-pii"], true, "{schema}");
        assert!(schema["properties"]["favourite"].get("x-pii").is_none());
    }
}
