//! The verbs that users call: thin typed shells over the pipeline.

mod create;
mod delete;
mod distinct;
mod get_many;
mod group;
mod input;
mod options;
mod page;
mod query;
mod select;
mod unit;
mod update;

use crate::engine::{self, Access};
use crate::error::Result;
use crate::policy::{Actor, AnyContext, BaseModel, Context, ContextFor, GlobalContext, Model, TenantScope};
use crate::query::{Filter, Lookup};
use crate::value::Id;

pub use create::Create;
pub use delete::Delete;
pub use group::Rows;
pub use input::{deserialize_new, deserialize_patch, new_from_json, patch_from_json};
pub use page::Page;
pub use query::{Query, QueryStream};
pub use select::Select;
use unit::Reader;
pub use update::Update;

/// The operations of a model. Every model with a policy has them; import the trait through the prelude.
pub trait ModelExt: BaseModel {
    /// Creates a document.
    ///
    /// # Errors
    /// `Invalid`, `Forbidden`, `Duplicate`, `Refused`, and those of the store.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("  Buy milk ")).await?;
    /// assert_eq!(created.text, "Buy milk");
    /// assert_eq!(created.organization, TenantId::new("acme")?);
    /// # Ok(())
    /// # }
    /// ```
    fn create(ctx: &ContextFor<Self>, new: Self::New) -> Create<'_, Self> {
        Create::new(ctx, new, Id::generate())
    }

    /// Creates a document under an id of the caller's own choice.
    ///
    /// # Errors
    /// As [`create`](Self::create); `Duplicate` if the id exists.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let id = Id::generate();
    /// Note::create_with_id(&ctx, id.clone(), note("Buy milk")).await?;
    /// assert!(Note::create_with_id(&ctx, id, note("Again")).await.unwrap_err().is_duplicate());
    /// # Ok(())
    /// # }
    /// ```
    fn create_with_id(ctx: &ContextFor<Self>, id: Id<Self>, new: Self::New) -> Create<'_, Self> {
        Create::new(ctx, new, id)
    }

    /// The document with this id: none if there is none, if it is another tenant's, or if the actor may not read it.
    ///
    /// # Errors
    /// `Decode` if the stored document does not have the model's shape, and those of the store.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// assert_eq!(Note::get(&ctx, &created.id).await?.unwrap().text, "Buy milk");
    /// assert!(Note::get(&ctx, &Id::generate()).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    fn get(ctx: &ContextFor<Self>, id: &Id<Self>) -> impl Future<Output = Result<Option<Self>>> + Send {
        async move {
            let mut reader = Reader::<Self>::new(ctx);
            engine::get(&mut reader, id.value())
                .await
                .map_err(|error| error.at_model(Self::NAME, "get"))?;
            Ok(reader.into_documents().pop())
        }
    }

    /// The document with this id.
    ///
    /// # Errors
    /// `NotFound` where [`get`](Self::get) answers with none.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// assert!(Note::fetch(&ctx, &Id::generate()).await.unwrap_err().is_not_found());
    /// # Ok(())
    /// # }
    /// ```
    fn fetch(ctx: &ContextFor<Self>, id: &Id<Self>) -> impl Future<Output = Result<Self>> + Send {
        async move {
            Self::get(ctx, id).await?.ok_or_else(|| {
                crate::Error::new(crate::ErrorKind::NotFound, "")
                    .at_model(Self::NAME, "fetch")
                    .at_id(|| id.to_string())
            })
        }
    }

    /// The documents with these ids that the actor may read, in the order of the ids: a missing or unreadable one is left
    /// out, one that is named twice comes once, in its first place. Nothing is sent for no ids.
    ///
    /// # Errors
    /// As awaiting a query.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let milk = Note::create(&ctx, note("Buy milk")).await?;
    /// let tea = Note::create(&ctx, note("Buy tea")).await?;
    /// let notes = Note::get_many(&ctx, [&tea.id, &Id::generate(), &milk.id]).await?;
    /// assert_eq!(notes.iter().map(|n| &*n.text).collect::<Vec<_>>(), ["Buy tea", "Buy milk"]);
    /// # Ok(())
    /// # }
    /// ```
    fn get_many<'a>(
        ctx: &'a ContextFor<Self>,
        ids: impl IntoIterator<Item = &'a Id<Self>>,
    ) -> impl Future<Output = Result<Vec<Self>>> + Send {
        get_many::get_many(ctx, ids.into_iter().collect())
    }

    /// Which rule decides about the reading of a document, for the application's own logs. Never tell a client: to one, a
    /// document that it may not read is the same as a missing one.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// assert_eq!(Note::explain(&ctx, &created.id).await?, model_core::Access::Granted);
    /// # Ok(())
    /// # }
    /// ```
    fn explain(ctx: &ContextFor<Self>, id: &Id<Self>) -> impl Future<Output = Result<Access>> + Send {
        async move {
            let mut reader = Reader::<Self>::new(ctx);
            engine::explain(&mut reader, id.value())
                .await
                .map_err(|error| error.at_model(Self::NAME, "explain").at_id(|| id.to_string()))
        }
    }

    /// A query over the documents that the actor may read.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// Note::create(&ctx, note("Buy milk")).await?;
    /// let open = Note::query(&ctx).filter(|n| n.done.eq(false)).sort(|n| n.created_at.desc()).limit(20).await?;
    /// assert_eq!(open.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    fn query(ctx: &ContextFor<Self>) -> Query<'_, Self> {
        Query::new(ctx)
    }

    /// A filter from the model's field handles.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let open = Note::filter(|n| n.done.eq(false) & n.text.starts_with("Buy"));
    /// assert_eq!(Note::query(&ctx).matching(open).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    fn filter(make: impl FnOnce(&'static Self::Fields) -> Filter<Self>) -> Filter<Self> {
        make(Self::fields())
    }

    /// Changes a document by a patch. Only what differs from the stored document is sent; if nothing does, nothing is
    /// written, no hook runs, and the document comes back as it is.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`, `Invalid`, `Conflict` if somebody else changed it first, `Duplicate`, `Refused`, and
    /// those of the store.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// let patch = NotePatch { done: Set(true), ..Default::default() };
    /// assert!(Note::update(&ctx, &created.id, patch).await?.done);
    /// # Ok(())
    /// # }
    /// ```
    fn update<'a>(ctx: &'a ContextFor<Self>, id: &'a Id<Self>, patch: Self::Patch) -> Update<'a, Self> {
        Update::new(ctx, id, patch)
    }

    /// Deletes a document; false if there is none that the actor may read.
    ///
    /// # Errors
    /// `Forbidden`, `Conflict`, `Refused`, and those of the store.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// assert!(Note::delete(&ctx, &created.id).await?);
    /// assert!(!Note::delete(&ctx, &created.id).await?);
    /// # Ok(())
    /// # }
    /// ```
    fn delete<'a>(ctx: &'a ContextFor<Self>, id: &'a Id<Self>) -> Delete<'a, Self> {
        Delete::new(ctx, id)
    }

    /// What may be shown of the document: the only thing that serialises.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// let json = serde_json::to_value(created.into_view(&ctx)).unwrap();
    /// assert_eq!(json["text"], "Buy milk");
    /// # Ok(())
    /// # }
    /// ```
    fn into_view(self, _ctx: &ContextFor<Self>) -> Self::View {
        self.view()
    }

    /// Finds the one document, of whatever tenant, by a field that is unique over all tenants: for work before the
    /// tenant is known. The policy is asked as for a context of the document's own tenant.
    ///
    /// # Errors
    /// Those of [`get`](Self::get).
    fn find_unique<A: Actor>(
        ctx: &GlobalContext<A>,
        key: impl FnOnce(&'static Self::Fields) -> Lookup<Self>,
    ) -> impl Future<Output = Result<Option<Self>>> + Send
    where
        Self: BaseModel<Actor = A> + Model<Scope = TenantScope>,
    {
        let node = key(Self::fields()).into_node();
        async move {
            let field = Self::schema().tenant_field().unwrap_or_default();
            let raw = engine::find_any_tenant(ctx.caller(), Self::schema(), node).await;
            let raw = raw.map_err(|error| error.at_model(Self::NAME, "find_unique"))?;
            let Some(raw) = raw else { return Ok(None) };
            let tenant =
                engine::tenant_of(&raw, field).map_err(|error| error.at_model(Self::NAME, "find_unique"))?;
            let ctx: Context<A> = ctx.enter(tenant);
            let mut reader = Reader::<Self>::new(&ctx);
            engine::accept(&mut reader, raw.as_bytes())
                .await
                .map_err(|error| error.at_model(Self::NAME, "find_unique"))?;
            Ok(reader.into_documents().pop())
        }
    }
}

impl<M: BaseModel> ModelExt for M {}

/// The global part of whichever context a model takes.
fn global<M: BaseModel>(ctx: &ContextFor<M>) -> &GlobalContext<M::Actor> {
    AnyContext::<M::Scope, M::Actor>::global(ctx)
}
