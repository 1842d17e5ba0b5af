//! The model of the documentation's examples, written once.

/// Declares the actor `User`, the model `Note`, and `example()`, which gives a context over the embedded store.
#[doc(hidden)]
#[macro_export]
macro_rules! __example {
    () => {
        #[allow(unused_imports)]
        use model_core::prelude::*;

        #[derive(Clone)]
        struct User {
            name: &'static str,
            admin: bool,
        }

        impl Actor for User {
            fn identity(&self) -> ActorIdentity {
                ActorIdentity::user(self.name)
            }

            fn can_read_audit_log(&self) -> bool {
                self.admin
            }
        }

        #[derive(Clone, Model)]
        #[model(collection = "notes", audit, watch, index(text = text))]
        struct Note {
            #[model(id)]
            id: Id<Note>,
            #[model(tenant)]
            organization: TenantId,
            #[model(trim, len(1..=80))]
            text: String,
            #[model(default = false, filterable)]
            done: bool,
            #[model(default, filterable)]
            tags: Vec<String>,
            #[model(default = 0, filterable, sortable)]
            stars: i64,
            #[model(default)]
            labels: std::collections::BTreeMap<String, String>,
            #[model(filterable)]
            due: Option<DateTime<Utc>>,
            pin: Option<Encrypted<String>>,
            #[model(created_at, sortable)]
            created_at: DateTime<Utc>,
            #[model(revision)]
            revision: Revision,
        }

        impl BaseModel for Note {
            type Actor = User;
            fn can_read(&self, _ctx: &Context<User>) -> bool {
                true
            }
            fn can_create(&self, _ctx: &Context<User>) -> bool {
                true
            }
            fn can_update(&self, _ctx: &Context<User>, _after: &Self) -> bool {
                true
            }
            fn can_delete(&self, ctx: &Context<User>) -> bool {
                ctx.actor().admin
            }
        }

        /// A note that says `text`.
        #[allow(dead_code)]
        fn note(text: &str) -> NewNote {
            NewNote {
                text: text.into(),
                optional: Default::default(),
            }
        }

        /// The context of an admin of the tenant `acme`.
        #[allow(dead_code)]
        async fn example() -> Result<Context<User>> {
            use model_core::crypto::{Keyring, LocalKek};
            let key = LocalKek::parse("243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89")?;
            let keyring = Keyring::builder().realm("dev").wrapper(key).build()?;
            let db = Db::memory().keys(keyring).model::<Note>().build().await?;
            Ok(db.context(
                TenantId::new("acme")?,
                User {
                    name: "ada",
                    admin: true,
                },
            ))
        }
    };
}

/// Declares the model `Comment`, which refers to notes and to other comments, and `example_with_comments()`, a context that
/// reaches both. It stands beside `__example!`.
#[doc(hidden)]
#[macro_export]
macro_rules! __example_comments {
    () => {
        #[derive(Clone, Model)]
        #[model(collection = "comments")]
        struct Comment {
            #[model(id)]
            id: Id<Comment>,
            #[model(tenant)]
            organization: TenantId,
            #[model(index, on_delete = cascade)]
            note: Ref<Note>,
            parent: Option<Ref<Comment>>,
            text: String,
        }

        impl BaseModel for Comment {
            type Actor = User;
            fn can_read(&self, _ctx: &Context<User>) -> bool {
                true
            }
            fn can_create(&self, _ctx: &Context<User>) -> bool {
                true
            }
            fn can_update(&self, _ctx: &Context<User>, _after: &Self) -> bool {
                true
            }
            fn can_delete(&self, _ctx: &Context<User>) -> bool {
                true
            }
        }

        /// A comment on a note.
        #[allow(dead_code)]
        fn comment(note: &Note, text: &str, parent: Option<&Id<Comment>>) -> NewComment {
            let optional = NewCommentOptional {
                parent: parent.map(Ref::to),
                ..Default::default()
            };
            NewComment {
                note: Ref::to(&note.id),
                text: text.into(),
                optional,
            }
        }

        /// The context of an admin of the tenant `acme`, over notes and comments.
        #[allow(dead_code)]
        async fn example_with_comments() -> Result<Context<User>> {
            use model_core::crypto::{Keyring, LocalKek};
            let key = LocalKek::parse("243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89")?;
            let keyring = Keyring::builder().realm("dev").wrapper(key).build()?;
            let db = Db::memory()
                .keys(keyring)
                .model::<Note>()
                .model::<Comment>()
                .build()
                .await?;
            let user = User {
                name: "ada",
                admin: true,
            };
            Ok(db.context(TenantId::new("acme")?, user))
        }
    };
}
