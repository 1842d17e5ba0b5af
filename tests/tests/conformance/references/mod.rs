//! Contract M: documents that refer to each other.

mod populate;
mod related;
mod tree;

use model_core::SyncOptions;
use model_core::prelude::*;

use crate::harness::Stage;

/// Somebody who sees what is not `secret`, or everything.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) sees_all: bool,
}

impl Actor for Reader {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("ada")
    }
}

pub(crate) type Ctx = Context<Reader>;

macro_rules! policy {
    ($model:ident, |$document:ident| $secret:expr, $scope:ident, $filter:expr) => {
        impl BaseModel for $model {
            type Actor = Reader;
            const READ_SCOPE: ReadScope = ReadScope::$scope;
            fn can_read(&self, ctx: &Ctx) -> bool {
                let $document = self;
                ctx.actor().sees_all || !$secret
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
            fn read_scope(ctx: &Ctx) -> Filter<Self> {
                let filter: fn(&Ctx) -> Filter<Self> = $filter;
                filter(ctx)
            }
        }
    };
}

#[derive(Clone, Model)]
#[model(collection = "authors", soft_delete)]
pub(crate) struct Author {
    #[model(id)]
    pub(crate) id: Id<Author>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) name: String,
}

policy!(Author, |author| author.name == "secret", Superset, |_| {
    Filter::all()
});

/// A country is everybody's.
#[derive(Clone, Model)]
#[model(collection = "countries", global, id = string)]
pub(crate) struct Country {
    #[model(id)]
    pub(crate) id: Id<Country>,
    pub(crate) name: String,
}

impl BaseModel for Country {
    type Actor = Reader;
    fn can_read(&self, _: &GlobalContext<Reader>) -> bool {
        true
    }
    fn can_create(&self, _: &GlobalContext<Reader>) -> bool {
        true
    }
    fn can_update(&self, _: &GlobalContext<Reader>, _: &Self) -> bool {
        true
    }
    fn can_delete(&self, _: &GlobalContext<Reader>) -> bool {
        true
    }
}

#[derive(Clone, Model)]
#[model(collection = "tags", id_prefix = "tag_")]
pub(crate) struct Tag {
    #[model(id)]
    pub(crate) id: Id<Tag>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) name: String,
}

policy!(Tag, |tag| tag.name == "secret", Superset, |_| Filter::all());

#[derive(Clone, Model)]
#[model(collection = "posts")]
pub(crate) struct Post {
    #[model(id)]
    pub(crate) id: Id<Post>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) title: String,
    pub(crate) author: Ref<Author>,
    pub(crate) editor: Option<Ref<Author>>,
    #[model(default)]
    pub(crate) tags: Vec<Ref<Tag>>,
    pub(crate) country: Option<Ref<Country>>,
    #[model(default = 0)]
    pub(crate) rank: i64,
}

policy!(Post, |post| post.title == "secret", Superset, |_| Filter::all());

/// What a remark is about: one of several models.
#[derive(Clone, Embedded)]
pub(crate) enum About {
    Post(Ref<Post>),
    Author(Ref<Author>),
    Nothing,
}

/// A message in a conversation, with an exact scope.
#[derive(Clone, Model)]
#[model(collection = "messages", index(parent), index(post, rank = desc))]
pub(crate) struct Message {
    #[model(id)]
    pub(crate) id: Id<Message>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    pub(crate) text: String,
    pub(crate) parent: Option<Ref<Message>>,
    pub(crate) post: Option<Ref<Post>>,
    #[model(default)]
    pub(crate) posts: Vec<Ref<Post>>,
    #[model(default = About::Nothing)]
    pub(crate) about: About,
    #[model(default = 0)]
    pub(crate) rank: i64,
}

policy!(Message, |message| message.text == "secret", Exact, |ctx| {
    if ctx.actor().sees_all {
        Filter::all()
    } else {
        Message::filter(|m| m.text.ne("secret"))
    }
});

pub(crate) struct Library {
    pub(crate) db: Db,
    /// Sees everything of `acme`.
    pub(crate) admin: Ctx,
    /// Sees what is not secret.
    pub(crate) reader: Ctx,
    /// Sees everything of `globex`.
    pub(crate) rival: Ctx,
}

impl Library {
    pub(crate) async fn open(stage: Stage) -> Self {
        let db = stage
            .builder()
            .model::<Author>()
            .model::<Country>()
            .model::<Tag>()
            .model::<Post>()
            .model::<Message>()
            .build_lazy()
            .unwrap();
        db.sync_indexes(SyncOptions::default()).await.unwrap();
        let ctx = |tenant: &str, sees_all| db.context(TenantId::new(tenant).unwrap(), Reader { sees_all });
        Self {
            admin: ctx("acme", true),
            reader: ctx("acme", false),
            rival: ctx("globex", true),
            db,
        }
    }

    pub(crate) async fn author(&self, name: &str) -> Author {
        let new = NewAuthor { name: name.into() };
        Author::create(&self.admin, new).await.unwrap()
    }

    pub(crate) async fn tag(&self, name: &str) -> Tag {
        Tag::create(&self.admin, NewTag { name: name.into() })
            .await
            .unwrap()
    }

    pub(crate) async fn post(&self, title: &str, author: &Author, tags: &[&Tag], rank: i64) -> Post {
        let optional = NewPostOptional {
            tags: Some(tags.iter().map(|tag| Ref::to(&tag.id)).collect()),
            rank: Some(rank),
            ..Default::default()
        };
        let new = NewPost {
            title: title.into(),
            author: Ref::to(&author.id),
            optional,
        };
        Post::create(&self.admin, new).await.unwrap()
    }

    pub(crate) async fn message(&self, text: &str, rank: i64, more: NewMessageOptional) -> Message {
        let new = NewMessage {
            text: text.into(),
            optional: NewMessageOptional {
                rank: Some(rank),
                ..more
            },
        };
        Message::create(&self.admin, new).await.unwrap()
    }
}
