//! The verbs of every model: one trait, each verb the door to a file beside this one.

use super::named::Named;
use super::unit::{Input, Reader};
use super::{
    Ancestors, Bulk, BulkWrite, CheckStored, Create, Delete, DeleteInBatches, Loaded, MigrateAll, Modify,
    Query, QueryString, Reencrypt, RelatedQuery, Subtree, Update, Upserted, Watch, external, get_many,
    global, many, new_from_json, patch_from_json, populate, transfer, upsert,
};
use crate::engine::{self, Access, Action};
use crate::error::{Error, Result};
use crate::policy::{
    Actor, AnyContext, BaseModel, Context, ContextFor, GlobalContext, Model, Mutable, Singleton, TenantScope,
    Watchable, hidden_fields,
};
use crate::query::{Field, FieldSet, Filter, Lookup, Operators, Queryable, Sort, external as outside};
use crate::value::{Id, Identified, Pointer, Refers, TenantId};

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
        Create::new(ctx, new, Id::fresh(Self::schema().id))
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
    fn create_with_id(ctx: &ContextFor<Self>, id: Id<Self>, new: Self::New) -> Create<'_, Self>
    where
        Self: Identified,
    {
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
    fn get(ctx: &ContextFor<Self>, id: &Id<Self>) -> impl Future<Output = Result<Option<Self>>> + Send
    where
        Self: Identified,
    {
        get(ctx, id)
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
    fn fetch(ctx: &ContextFor<Self>, id: &Id<Self>) -> impl Future<Output = Result<Self>> + Send
    where
        Self: Identified,
    {
        fetch(ctx, id)
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
    ) -> impl Future<Output = Result<Vec<Self>>> + Send
    where
        Self: Identified,
    {
        get_many::get_many(ctx, ids.into_iter().collect())
    }

    /// The documents of this model that `documents` refer to, and that the actor may read, in one command however many
    /// references there are; one that is named twice comes once. Nothing is sent for no references.
    ///
    /// `of` picks the field that refers: a `Ref`, an option or an array of them, or what a `match` on an enum finds. Nothing is
    /// ever loaded by itself; the next level is another call, over what this one has loaded.
    ///
    /// # Errors
    /// As awaiting a query.
    ///
    /// ```
    /// # model_core::__example!();
    /// # model_core::__example_comments!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example_with_comments().await?;
    /// # let milk = Note::create(&ctx, note("Buy milk")).await?;
    /// # Comment::create(&ctx, comment(&milk, "Oat milk?", None)).await?;
    /// let comments = Comment::query(&ctx).await?;
    /// let notes = Note::populate(&ctx, &comments, |comment| &comment.note).await?;
    /// for comment in &comments {
    ///     let text = notes.get(&comment.note).map(|note| &*note.text);   // `None`: the reference dangles
    ///     assert_eq!(text, Some("Buy milk"));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    fn populate<'a, D: 'a, R: Refers<Self>>(
        ctx: &ContextFor<Self>,
        documents: impl IntoIterator<Item = &'a D>,
        of: impl Fn(&'a D) -> R,
    ) -> impl Future<Output = Result<Loaded<Self>>> + Send
    where
        Self: Identified,
    {
        populate::populate(ctx, populate::named(documents, of))
    }

    /// The documents of this model that refer to `parents` (documents, ids or references) by the field `by`, a `Ref`, an option
    /// or an array of them: those that the actor may read, in one command however many parents there are.
    ///
    /// A limit for each parent is exact. Where the read scope is declared exact, the server cuts the lists off; else documents
    /// are read until each parent has its share.
    ///
    /// # Errors
    /// As awaiting a query.
    ///
    /// ```
    /// # model_core::__example!();
    /// # model_core::__example_comments!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example_with_comments().await?;
    /// # let milk = Note::create(&ctx, note("Buy milk")).await?;
    /// # for text in ["Oat milk?", "Yes", "Two?"] { Comment::create(&ctx, comment(&milk, text, None)).await?; }
    /// let notes = Note::query(&ctx).await?;
    /// let newest = Comment::related(&ctx, &notes, |c| &c.note).sort(|c| c.id.desc()).limit_each(2).await?;
    /// let counts = Comment::related(&ctx, &notes, |c| &c.note).count().await?;
    /// for note in &notes {
    ///     assert_eq!((newest.of(note).len(), counts.of(note)), (2, 3));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    fn related<'a, 'p, P: Model, D: Pointer<P>, R>(
        ctx: &'a ContextFor<Self>,
        parents: impl IntoIterator<Item = &'p D>,
        by: impl FnOnce(&'static Self::Fields) -> &'static Field<Self, R>,
    ) -> RelatedQuery<'a, Self, P>
    where
        R: Queryable,
        R::Item: Pointer<P>,
    {
        RelatedQuery::new(Query::new(ctx), parents, by(Self::fields()))
    }

    /// The document with this id and all below it, where each refers by the field `parent` to the one above it: the branches of
    /// a conversation, the folders in a folder. None if there is no such document for this actor.
    ///
    /// A branch ends where a document may not be read. Documents that refer to each other in a circle come once.
    ///
    /// # Errors
    /// As awaiting a query.
    ///
    /// ```
    /// # model_core::__example!();
    /// # model_core::__example_comments!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example_with_comments().await?;
    /// # let milk = Note::create(&ctx, note("Buy milk")).await?;
    /// let question = Comment::create(&ctx, comment(&milk, "Oat milk?", None)).await?;
    /// let answer = Comment::create(&ctx, comment(&milk, "Yes", Some(&question.id))).await?;
    /// let tree = Comment::subtree(&ctx, &question.id, |c| &c.parent).depth(10).await?.unwrap();
    /// assert_eq!(tree.children(&question.id)[0].id, answer.id);
    /// # Ok(())
    /// # }
    /// ```
    fn subtree<'a, R>(
        ctx: &'a ContextFor<Self>,
        root: &'a Id<Self>,
        parent: impl FnOnce(&'static Self::Fields) -> &'static Field<Self, R>,
    ) -> Subtree<'a, Self>
    where
        R: Queryable,
        R::Item: Pointer<Self>,
        Self: Identified,
    {
        Subtree::new(ctx, root, parent(Self::fields()).path())
    }

    /// The documents above the one with this id, the nearest first, where each refers by the field `parent` to the one above
    /// it. What lies above a document that may not be read is left out.
    ///
    /// # Errors
    /// As awaiting a query.
    ///
    /// ```
    /// # model_core::__example!();
    /// # model_core::__example_comments!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example_with_comments().await?;
    /// # let milk = Note::create(&ctx, note("Buy milk")).await?;
    /// # let question = Comment::create(&ctx, comment(&milk, "Oat milk?", None)).await?;
    /// # let answer = Comment::create(&ctx, comment(&milk, "Yes", Some(&question.id))).await?;
    /// let above = Comment::ancestors(&ctx, &answer.id, |c| &c.parent).await?;
    /// assert_eq!(above[0].id, question.id);
    /// # Ok(())
    /// # }
    /// ```
    fn ancestors<'a, R>(
        ctx: &'a ContextFor<Self>,
        from: &'a Id<Self>,
        parent: impl FnOnce(&'static Self::Fields) -> &'static Field<Self, R>,
    ) -> Ancestors<'a, Self>
    where
        R: Queryable,
        R::Item: Pointer<Self>,
        Self: Identified,
    {
        Ancestors::new(ctx, from, parent(Self::fields()).path())
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
    fn explain(ctx: &ContextFor<Self>, id: &Id<Self>) -> impl Future<Output = Result<Access>> + Send
    where
        Self: Identified,
    {
        async move {
            let mut reader = Reader::<Self>::new(ctx);
            engine::explain(&mut reader, id.value())
                .await
                .map_err(|error| error.at_model(Self::NAME, "explain").at_id(|| id.to_string()))
        }
    }

    /// The document that a unique key names: a composite one (`#[model(key(project, date))]`) or any other that an index keeps
    /// unique within the tenant.
    ///
    /// # Errors
    /// `Configuration` if the filter is not an `eq` on each field of a unique index; else those of [`get`](Self::get).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// assert!(Note::get_by(&ctx, |n| n.id.eq(&created.id)).await?.is_some());
    /// assert!(Note::get_by(&ctx, |n| n.text.eq("Buy milk")).await.unwrap_err().is_configuration());
    /// # Ok(())
    /// # }
    /// ```
    fn get_by(
        ctx: &ContextFor<Self>,
        key: impl FnOnce(&'static Self::Fields) -> Filter<Self>,
    ) -> impl Future<Output = Result<Option<Self>>> + Send {
        let key = key(Self::fields()).into_node();
        async move {
            let mut reader = Reader::<Self>::new(ctx);
            engine::find_by_key(&mut reader, &key)
                .await
                .map_err(|error| error.at_model(Self::NAME, "get_by"))?;
            Ok(reader.into_documents().pop())
        }
    }

    /// Changes the document that a unique key names, as [`get_by`](Self::get_by) finds it, by a patch.
    ///
    /// # Errors
    /// When awaited: as [`get_by`](Self::get_by) and [`update`](Self::update).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let made = Note::create(&ctx, note("Buy milk")).await?;
    /// let patch = NotePatch { done: Set(true), ..Default::default() };
    /// assert!(Note::update_by(&ctx, |n| n.id.eq(&made.id), patch).await?.done);
    /// # Ok(())
    /// # }
    /// ```
    fn update_by(
        ctx: &ContextFor<Self>,
        key: impl FnOnce(&'static Self::Fields) -> Filter<Self>,
        patch: Self::Patch,
    ) -> Update<'_, Self>
    where
        Self: Mutable,
    {
        Update::new(ctx, Named::key(key), Input::Patch(patch), "update_by")
    }

    /// Replaces all that a caller may write of the document that a unique key names, as [`replace`](Self::replace) does.
    ///
    /// # Errors
    /// When awaited: as [`get_by`](Self::get_by) and [`replace`](Self::replace).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let made = Note::create(&ctx, note("Buy milk")).await?;
    /// let replaced = Note::replace_by(&ctx, |n| n.id.eq(&made.id), note("Buy tea")).await?;
    /// assert_eq!(replaced.text, "Buy tea");
    /// # Ok(())
    /// # }
    /// ```
    fn replace_by(
        ctx: &ContextFor<Self>,
        key: impl FnOnce(&'static Self::Fields) -> Filter<Self>,
        new: Self::New,
    ) -> Update<'_, Self>
    where
        Self: Mutable,
    {
        Update::new(ctx, Named::key(key), Input::Replace(new), "replace_by")
    }

    /// Changes the document that a unique key names by update operators, as [`update_with`](Self::update_with) does.
    ///
    /// # Errors
    /// When awaited: as [`get_by`](Self::get_by) and [`update_with`](Self::update_with).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let made = Note::create(&ctx, note("Buy milk")).await?;
    /// assert_eq!(Note::update_with_by(&ctx, |n| n.id.eq(&made.id), |n| n.stars.inc(1)).await?.stars, 1);
    /// # Ok(())
    /// # }
    /// ```
    fn update_with_by<O: Into<Operators<Self>>>(
        ctx: &ContextFor<Self>,
        key: impl FnOnce(&'static Self::Fields) -> Filter<Self>,
        operators: impl FnOnce(&'static Self::Fields) -> O,
    ) -> Modify<'_, Self>
    where
        Self: Mutable,
    {
        let operators = operators(Self::fields()).into();
        Modify::by_operators(ctx, Named::key(key), operators, "update_with_by")
    }

    /// Changes the document that a unique key names by a patch that is computed from it, as [`modify`](Self::modify) does.
    ///
    /// # Errors
    /// When awaited: as [`get_by`](Self::get_by) and [`modify`](Self::modify).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let made = Note::create(&ctx, note("Buy milk")).await?;
    /// let more = |before: &Note| Ok(Some(NotePatch { stars: Set(before.stars + 2), ..Default::default() }));
    /// assert_eq!(Note::modify_by(&ctx, |n| n.id.eq(&made.id), more).await?.stars, 2);
    /// # Ok(())
    /// # }
    /// ```
    fn modify_by<'a>(
        ctx: &'a ContextFor<Self>,
        key: impl FnOnce(&'static Self::Fields) -> Filter<Self>,
        compute: impl Fn(&Self) -> Result<Option<Self::Patch>> + Send + Sync + 'a,
    ) -> Modify<'a, Self>
    where
        Self: Mutable,
    {
        Modify::by_patch(ctx, Named::key(key), Box::new(compute), "modify_by")
    }

    /// Deletes the document that a unique key names, as [`get_by`](Self::get_by) finds it; false if there is none.
    ///
    /// # Errors
    /// When awaited: as [`get_by`](Self::get_by) and [`delete`](Self::delete).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let made = Note::create(&ctx, note("Buy milk")).await?;
    /// assert!(Note::delete_by(&ctx, |n| n.id.eq(&made.id)).await?);
    /// assert!(!Note::delete_by(&ctx, |n| n.id.eq(&made.id)).await?);
    /// # Ok(())
    /// # }
    /// ```
    fn delete_by(
        ctx: &ContextFor<Self>,
        key: impl FnOnce(&'static Self::Fields) -> Filter<Self>,
    ) -> Delete<'_, Self>
    where
        Self: Mutable,
    {
        Delete::new(ctx, Named::key(key), Action::Delete, "delete_by")
    }

    /// Removes the document that a unique key names for good, as [`purge`](Self::purge) does.
    ///
    /// # Errors
    /// When awaited: as [`get_by`](Self::get_by) and [`purge`](Self::purge).
    fn purge_by(
        ctx: &ContextFor<Self>,
        key: impl FnOnce(&'static Self::Fields) -> Filter<Self>,
    ) -> Delete<'_, Self>
    where
        Self: Mutable,
    {
        Delete::new(ctx, Named::key(key), Action::Purge, "purge_by")
    }

    /// Takes the soft delete of the document that a unique key names back, as [`restore`](Self::restore) does.
    ///
    /// # Errors
    /// When awaited: as [`get_by`](Self::get_by) and [`restore`](Self::restore).
    fn restore_by(
        ctx: &ContextFor<Self>,
        key: impl FnOnce(&'static Self::Fields) -> Filter<Self>,
    ) -> Delete<'_, Self>
    where
        Self: Mutable,
    {
        Delete::new(ctx, Named::key(key), Action::Restore, "restore_by")
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

    /// A filter from outside, as JSON text: `{"done": false, "due": {"lt": "2026-03-01T00:00:00Z"}}`, with `and`, `or` and
    /// `not`. Only fields that are declared `filterable` can be named, with values of their own types.
    ///
    /// # Errors
    /// `Invalid`, with the JSON pointer of what is refused and the rule that refuses it, never a value.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter_from_json(r#"{"done": false, "or": [{"tags": "home"}, {"stars": {"gte": 3}}]}"#)?;
    /// assert!(Note::query(&ctx).matching(filter).await?.is_empty());
    /// let error = Note::filter_from_json(r#"{"done": {"$ne": null}}"#).unwrap_err();
    /// assert_eq!((&*error.violations()[0].path, &*error.violations()[0].rule), ("/done/$ne", "comparison"));
    /// # Ok(())
    /// # }
    /// ```
    fn filter_from_json(text: &str) -> Result<Filter<Self>> {
        external::filter::<Self>(outside::filter_text(Self::schema().fields, text))
    }

    /// As [`filter_from_json`](Self::filter_from_json), from JSON that is parsed already.
    ///
    /// # Errors
    /// As [`filter_from_json`](Self::filter_from_json).
    fn filter_from_value(value: &serde_json::Value) -> Result<Filter<Self>> {
        external::filter::<Self>(outside::filter(Self::schema().fields, value))
    }

    /// A sort order from outside: `-created_at,text`. Only fields that are declared `sortable` can be named.
    ///
    /// # Errors
    /// `Invalid`.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let sort = Note::sort_from_text("-created_at")?;
    /// assert!(Note::query(&ctx).sort(|_| sort).await?.is_empty());
    /// assert!(Note::sort_from_text("pin").unwrap_err().is_invalid());
    /// # Ok(())
    /// # }
    /// ```
    fn sort_from_text(text: &str) -> Result<Sort<Self>> {
        external::sort::<Self>(outside::sort(Self::schema().fields, text))
    }

    /// A query string from outside: `done=false&due[lt]=2026-03-01T00:00:00Z&tags[in]=home,shop&sort=-created_at&limit=20`.
    ///
    /// Values are percent-encoded; those of `in` and `not_in` are separated by commas.
    ///
    /// # Errors
    /// As [`filter_from_json`](Self::filter_from_json).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// // In an HTTP handler: `uri.query().unwrap_or_default()`.
    /// let notes = Note::parse_query("done=false&stars[gte]=3&sort=-created_at&limit=5")?.query(&ctx, 100).await?;
    /// assert!(notes.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    fn parse_query(text: &str) -> Result<QueryString<Self>> {
        external::query_string::<Self>(outside::query_string(Self::schema().fields, text))
    }

    /// A create input from JSON text, for code that is generic over models; else `NewWidget::from_json`.
    ///
    /// # Errors
    /// `Invalid`, with every mistake by its path.
    ///
    /// ```
    /// # model_core::__example!();
    /// fn read<M: ModelExt>(body: &str) -> Result<M::New> {
    ///     M::new_from_json(body)
    /// }
    /// assert_eq!(read::<Note>("{}").unwrap_err().violations()[0].path, "text");
    /// ```
    fn new_from_json(text: &str) -> Result<Self::New> {
        new_from_json::<Self>(text)
    }

    /// A patch from JSON text, for code that is generic over models; else `WidgetPatch::from_json`.
    ///
    /// # Errors
    /// `Invalid`, with every mistake by its path.
    fn patch_from_json(text: &str) -> Result<Self::Patch> {
        patch_from_json::<Self>(text)
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
    fn update<'a>(ctx: &'a ContextFor<Self>, id: &'a Id<Self>, patch: Self::Patch) -> Update<'a, Self>
    where
        Self: Identified + Mutable,
    {
        Update::new(ctx, Named::Id(id), Input::Patch(patch), "update")
    }

    /// Replaces all that a caller may write: what `new` leaves out gets its default, or goes. Id, tenant, `created_at` and
    /// stored fields that the model does not declare stay; a read-only field may not differ.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// let replaced = Note::replace(&ctx, &created.id, note("Buy tea")).await?;
    /// assert_eq!((replaced.text.as_str(), replaced.created_at), ("Buy tea", created.created_at));
    /// # Ok(())
    /// # }
    /// ```
    fn replace<'a>(ctx: &'a ContextFor<Self>, id: &'a Id<Self>, new: Self::New) -> Update<'a, Self>
    where
        Self: Identified + Mutable,
    {
        Update::new(ctx, Named::Id(id), Input::Replace(new), "replace")
    }

    /// Patches the document that a unique key names, or creates it where there is none: two racing calls make one.
    ///
    /// # Errors
    /// `Configuration` if the filter is not an `eq` on each field of a unique index, or on the id; `Invalid` if `new`
    /// would not satisfy it; else as [`create`](Self::create) and [`update`](Self::update).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let known = Note::create(&ctx, note("Buy milk")).await?;
    /// let patch = NotePatch { done: Set(true), ..Default::default() };
    /// let done = Note::upsert(&ctx, |n| n.id.eq(&known.id), note("Buy milk"), patch).await?;
    /// assert!(!done.is_created() && done.into_document().done);
    /// # Ok(())
    /// # }
    /// ```
    fn upsert(
        ctx: &ContextFor<Self>,
        key: impl FnOnce(&'static Self::Fields) -> Filter<Self>,
        new: Self::New,
        patch: Self::Patch,
    ) -> impl Future<Output = Result<Upserted<Self>>> + Send
    where
        Self: Mutable,
    {
        let key = key(Self::fields());
        async move {
            upsert::upsert(ctx, key, new, patch)
                .await
                .map_err(|error| error.at_model(Self::NAME, "upsert"))
        }
    }

    /// Creates many documents, in batches of 1,000 that are all or nothing where the server has transactions: of each
    /// batch, every document is judged before the first is written.
    ///
    /// # Errors
    /// As [`create`](Self::create), with the [`position`](crate::Error::position) of the document that failed, and how
    /// many were [`written`](crate::Error::written) in the batches before.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create_many(&ctx, ["Buy milk", "Buy tea"].map(note)).await?;
    /// assert_eq!(created.len(), 2);
    /// let failed = Note::create_many(&ctx, ["Buy bread", ""].map(note)).await.unwrap_err();
    /// assert_eq!((failed.position(), failed.written()), (Some(1), 0));
    /// # Ok(())
    /// # }
    /// ```
    fn create_many<I>(ctx: &ContextFor<Self>, inputs: I) -> impl Future<Output = Result<Vec<Self>>> + Send
    where
        I: IntoIterator<Item = Self::New, IntoIter: Send>,
    {
        many::create_many(ctx, inputs.into_iter().peekable())
    }

    /// Patches every document that the filter selects and the actor may read.
    ///
    /// # Errors
    /// `Invalid` for a filter that selects everything, unless that is spelled out; else as [`update`](Self::update).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// Note::create_many(&ctx, ["Buy milk", "Buy tea"].map(note)).await?;
    /// let patch = NotePatch { done: Set(true), ..Default::default() };
    /// let report = Note::update_many(&ctx, |n| n.text.starts_with("Buy"), patch).await?;
    /// assert_eq!(report.written, 2);
    /// # Ok(())
    /// # }
    /// ```
    fn update_many(
        ctx: &ContextFor<Self>,
        filter: impl FnOnce(&'static Self::Fields) -> Filter<Self>,
        patch: Self::Patch,
    ) -> BulkWrite<'_, Self>
    where
        Self: Mutable,
    {
        BulkWrite::new(ctx, filter(Self::fields()), Some(patch))
    }

    /// Deletes every document that the filter selects and the actor may read.
    ///
    /// # Errors
    /// `Invalid` for a filter that selects everything, unless that is spelled out; else as [`delete`](Self::delete).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// Note::create_many(&ctx, ["Buy milk", "Buy tea"].map(note)).await?;
    /// assert_eq!(Note::delete_many(&ctx, |n| n.done.eq(false)).await?.written, 2);
    /// # Ok(())
    /// # }
    /// ```
    fn delete_many(
        ctx: &ContextFor<Self>,
        filter: impl FnOnce(&'static Self::Fields) -> Filter<Self>,
    ) -> BulkWrite<'_, Self>
    where
        Self: Mutable,
    {
        BulkWrite::new(ctx, filter(Self::fields()), None)
    }

    /// Several operations together, of different kinds.
    ///
    /// # Errors
    /// When awaited: those of the operations, with the [`position`](crate::Error::position) of the one that failed.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let old = Note::create(&ctx, note("Buy milk")).await?;
    /// let outcomes = Note::bulk(&ctx).delete(old.id).create(note("Buy tea")).await?;
    /// assert_eq!(outcomes.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    fn bulk(ctx: &ContextFor<Self>) -> Bulk<'_, Self>
    where
        Self: Mutable,
    {
        Bulk::new(ctx)
    }

    /// Changes a document by update operators: `inc`, `push`, `min` and the like, as its fields' types allow.
    ///
    /// They run through the whole pipeline: what comes out is normalised, validated, permitted, audited. Where another
    /// writer comes first, the document is read, changed and judged anew, so that no increment is lost.
    ///
    /// # Errors
    /// As [`update`](Self::update). `Invalid` too where an operator cannot be carried out; `Conflict` only after many
    /// attempts, and then it says how many.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// let updated = Note::update_with(&ctx, &created.id, |n| n.stars.inc(1).and(n.tags.add_to_set("shop"))).await?;
    /// assert_eq!(updated.stars, 1);
    /// # Ok(())
    /// # }
    /// ```
    fn update_with<'a, O: Into<Operators<Self>>>(
        ctx: &'a ContextFor<Self>,
        id: &'a Id<Self>,
        operators: impl FnOnce(&'static Self::Fields) -> O,
    ) -> Modify<'a, Self>
    where
        Self: Identified + Mutable,
    {
        let operators = operators(Self::fields()).into();
        Modify::by_operators(ctx, Named::Id(id), operators, "update_with")
    }

    /// Changes a document by a patch that is computed from the document as it is. Where another writer comes first, the
    /// document is read again and the patch computed, validated and permitted anew. `Ok(None)` changes nothing.
    ///
    /// # Errors
    /// As [`update_with`](Self::update_with), and those of `compute`.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let created = Note::create(&ctx, note("Buy milk")).await?;
    /// let more = |before: &Note| {
    ///     let text = format!("{}, and tea", before.text);
    ///     Ok((!before.done).then(|| NotePatch { text: Set(text), ..Default::default() }))
    /// };
    /// assert_eq!(Note::modify(&ctx, &created.id, more).await?.text, "Buy milk, and tea");
    /// # Ok(())
    /// # }
    /// ```
    fn modify<'a>(
        ctx: &'a ContextFor<Self>,
        id: &'a Id<Self>,
        compute: impl Fn(&Self) -> Result<Option<Self::Patch>> + Send + Sync + 'a,
    ) -> Modify<'a, Self>
    where
        Self: Identified + Mutable,
    {
        Modify::by_patch(ctx, Named::Id(id), Box::new(compute), "modify")
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
    fn delete<'a>(ctx: &'a ContextFor<Self>, id: &'a Id<Self>) -> Delete<'a, Self>
    where
        Self: Identified + Mutable,
    {
        Delete::new(ctx, Named::Id(id), Action::Delete, "delete")
    }

    /// Deletes a document with all that its deletion takes along (`#[model(on_delete = ..)]`), in batches of their own
    /// transactions: for more than the thousand documents that [`delete`](Self::delete) takes along in one.
    ///
    /// What refers to a document goes before it, and the document itself goes last. Broken off and called again, it goes on with
    /// what is left; nothing refers to what is gone at any time.
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    ///
    /// ```
    /// # model_core::__example!();
    /// # model_core::__example_comments!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example_with_comments().await?;
    /// # let milk = Note::create(&ctx, note("Buy milk")).await?;
    /// # Comment::create(&ctx, comment(&milk, "Oat milk?", None)).await?;
    /// let plan = Note::delete_in_batches(&ctx, &milk.id).dry_run().await?.unwrap();
    /// assert!(plan.is_free());                            // nothing stands in the way
    /// assert_eq!(plan.of("Comment").unwrap().deleted, 1); // `on_delete = cascade`
    /// let done = Note::delete_in_batches(&ctx, &milk.id).batch(500).await?.unwrap();
    /// assert_eq!(done, plan);
    /// # Ok(())
    /// # }
    /// ```
    fn delete_in_batches<'a>(ctx: &'a ContextFor<Self>, id: &'a Id<Self>) -> DeleteInBatches<'a, Self>
    where
        Self: Identified + Mutable,
    {
        DeleteInBatches::new(ctx, id)
    }

    /// Removes a document for good, where [`delete`](Self::delete) only marks it; false if there is none that the actor
    /// may read.
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    fn purge<'a>(ctx: &'a ContextFor<Self>, id: &'a Id<Self>) -> Delete<'a, Self>
    where
        Self: Identified + Mutable,
    {
        Delete::new(ctx, Named::Id(id), Action::Purge, "purge")
    }

    /// Takes a soft delete back; false if there is no such deleted document that the actor may read. Who may delete
    /// may restore.
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    fn restore<'a>(ctx: &'a ContextFor<Self>, id: &'a Id<Self>) -> Delete<'a, Self>
    where
        Self: Identified + Mutable,
    {
        Delete::new(ctx, Named::Id(id), Action::Restore, "restore")
    }

    /// Moves a document to another tenant, under its id: deleted in the one and created in the other, in one transaction. The
    /// actor may do both (`can_read` and `can_delete` here, `can_create` there, both scopes); hooks, rules and unique keys are
    /// those of a deletion and of a create, but `created_at` stays. Secrets are sealed under the other tenant's keys. It takes
    /// a reason, as all work across tenants, and leaves an audit entry in each of the two.
    ///
    /// Nothing that stays behind may refer to the document by a field with a delete rule. What it refers to itself is not
    /// looked at: move what belongs together in one transaction, what refers to others first.
    ///
    /// # Errors
    /// `Configuration` without a reason; `NotFound`, `Forbidden`, `Invalid`, `Duplicate` and `Conflict` as of the two writes;
    /// `Refused` if something refers to it; `Crypto` for a secret that does not open; `Unsupported` without transactions, for
    /// a singleton, and for a model with an outbox.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let note = Note::create(&ctx, note("Whose is it?")).await?;
    /// let ctx = ctx.with_reason("ticket 4711");
    /// let moved = Note::move_to_tenant(&ctx, &note.id, TenantId::new("globex")?).await?;
    /// assert_eq!((moved.id, moved.organization), (note.id.clone(), TenantId::new("globex")?));
    /// assert!(Note::get(&ctx, &note.id).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    fn move_to_tenant<A: Actor>(
        ctx: &Context<A>,
        id: &Id<Self>,
        tenant: impl Into<TenantId>,
    ) -> impl Future<Output = Result<Self>> + Send
    where
        Self: BaseModel<Actor = A> + Identified + Model<Scope = TenantScope> + Mutable,
    {
        transfer::move_to_tenant(ctx.crossing(), id, tenant.into())
    }

    /// The one document that the context's tenant has of this model; where there is none yet, `new` is created, and two
    /// racing calls make one.
    ///
    /// # Errors
    /// `NotFound` if there is one that the actor may not read; else as [`create`](Self::create).
    fn singleton(
        ctx: &ContextFor<Self>,
        new: impl FnOnce() -> Self::New + Send,
    ) -> impl Future<Output = Result<Self>> + Send
    where
        Self: Singleton,
    {
        async move {
            let id = Id::from_value(global::<Self>(ctx).caller().only_id(Self::schema()));
            if let Some(found) = get(ctx, &id).await? {
                return Ok(found);
            }
            match Create::new(ctx, new(), id.clone()).await {
                Err(error) if is_there_already::<Self>(&error) => {
                    // In a transaction it was there when that began, and the actor does not see it: one that came
                    // since would have been run into. The failed insert has undone the transaction, so that to look
                    // again would begin it anew, with no other end.
                    match global::<Self>(ctx).caller().transaction {
                        Some(_) => Err(missing::<Self>(&id)),
                        None => fetch(ctx, &id).await,
                    }
                }
                outcome => outcome,
            }
        }
    }

    /// Puts the encrypted values of all documents of the tenant under its primary key, so that older keys can go. It takes a
    /// context that bypasses permissions, and changes neither revision nor instant: nobody's value changes. A value that
    /// somebody else writes meanwhile is theirs.
    ///
    /// # Errors
    /// `Forbidden` unless permissions are bypassed; `Crypto` if the keys cannot be reached, and those of the store. A value
    /// that does not open is no error: it is listed in the report.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let job = ctx.dangerously_bypass_permissions("key rotation");
    /// let done = Note::reencrypt(&job).batch(100).on_progress(|so_far| println!("{so_far:?}")).await?;
    /// assert!(done.failed.is_empty());
    /// assert_eq!(Note::reencrypt(&job).inspect().await?.outdated, 0);
    /// # Ok(())
    /// # }
    /// ```
    fn reencrypt(ctx: &ContextFor<Self>) -> Reencrypt<'_, Self> {
        Reencrypt::new(ctx)
    }

    /// Reads every stored document that the context reaches, deleted ones too, only to see whether it can be read: migrated
    /// and decoded; and whether the documents that its [`Ref`](crate::Ref)s name are there, where the context reaches. It takes a
    /// bypass, opens no secret and writes nothing.
    ///
    /// # Errors
    /// `Forbidden` without a bypass, and those of the store. A document that cannot be read is no error: the report has it.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let job = ctx.dangerously_bypass_permissions("before release 7");
    /// let report = Note::check_stored(&job).await?;
    /// assert_eq!((report.unreadable, report.dangling), (0, 0), "{:?}", report.errors);
    /// # Ok(())
    /// # }
    /// ```
    fn check_stored(ctx: &ContextFor<Self>) -> CheckStored<'_, Self> {
        CheckStored::new(ctx)
    }

    /// The tenants that have documents of this model, in the order of their texts; none of a global model. It takes a
    /// bypass, since it looks over all tenants.
    ///
    /// # Errors
    /// `Forbidden` without a bypass, and those of the store.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// Note::create(&ctx, note("Buy milk")).await?;
    /// let job = ctx.dangerously_bypass_permissions("re-encryption of every tenant");
    /// assert_eq!(Note::tenants(&job).await?, [ctx.tenant().clone()]);
    /// # Ok(())
    /// # }
    /// ```
    fn tenants<A: Actor>(ctx: &GlobalContext<A>) -> impl Future<Output = Result<Vec<TenantId>>> + Send
    where
        Self: BaseModel<Actor = A>,
    {
        async move {
            let named = |error: Error| error.at_model(Self::NAME, "tenants");
            engine::admit_pass(ctx.caller(), Self::schema())
                .await
                .map_err(named)?;
            engine::tenants(ctx.caller(), Self::schema()).await.map_err(named)
        }
    }

    /// Migrates the stored documents of older versions that the context reaches (with a tenant, that tenant's), and writes
    /// them back. Run it once no program of an older version writes any more.
    ///
    /// It takes a bypass, since it writes documents whoever may write them. A document that cannot be migrated is in the
    /// report with its id and the reason, and stays as it is.
    ///
    /// # Errors
    /// `Forbidden` without a bypass, `Conflict` while another run works on the same documents, `Unsupported` inside of a
    /// transaction, and those of the store and the audit log; run again, it goes on where it stopped.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let job = ctx.dangerously_bypass_permissions("release 7");
    /// let done = Note::migrate_all(&job).batch(100).on_progress(|so_far| println!("{so_far}")).await?;
    /// assert!(done.complete, "{:?}", done.failed);
    /// # Ok(())
    /// # }
    /// ```
    fn migrate_all(ctx: &ContextFor<Self>) -> MigrateAll<'_, Self> {
        MigrateAll::new(ctx)
    }

    /// Migrates the stored documents of older versions of every tenant, each in a context of its own tenant: otherwise as
    /// [`migrate_all`](Self::migrate_all). Of a global model, all documents.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// # let db_wide: &GlobalContext<User> = &ctx;
    /// let job = db_wide.dangerously_bypass_permissions("release 7");
    /// assert!(Note::migrate_every_tenant(&job).await?.complete);
    /// # Ok(())
    /// # }
    /// ```
    fn migrate_every_tenant<A: Actor>(ctx: &GlobalContext<A>) -> MigrateAll<'_, Self>
    where
        Self: BaseModel<Actor = A>,
    {
        MigrateAll::every(ctx.caller(), |tenant| {
            AnyContext::<Self::Scope, A>::entered(ctx, tenant)
        })
    }

    /// The changes of the documents that the actor may read, as they happen: of a model that says `watch`. Awaited, it is open;
    /// what happens from then on comes, in order and at least once. Each change is judged on both sides, so that an event never
    /// shows a document that a read would not, and one that goes out of sight, by a soft deletion too, is deleted.
    ///
    /// # Errors
    /// `Unsupported` inside of a transaction and on a server without a replica set; of a filter, those of a query.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// use futures_util::TryStreamExt;
    /// use model_core::Event;
    /// let mut changes = Note::watch(&ctx).await?;
    /// let milk = Note::create(&ctx, note("Buy milk")).await?;
    /// let patch = NotePatch { done: Set(true), ..Default::default() };
    /// Note::update(&ctx, &milk.id, patch).await?;
    /// while let Some(watched) = changes.try_next().await? {
    ///     match &watched.event {
    ///         Event::Created(note) => println!("new: {}", note.text),
    ///         Event::Updated { after, changed, .. } => {
    ///             assert!(after.done && changed.contains(&"done".to_owned()));
    ///             break;
    ///         }
    ///         _ => {}
    ///     }
    ///     // `watched.token` is stored now, for `resume_after` when the process starts again.
    /// }
    /// # Ok(())
    /// # }
    /// ```
    fn watch(ctx: &ContextFor<Self>) -> Watch<'_, Self>
    where
        Self: Watchable,
    {
        Watch::new(ctx)
    }

    /// Some of the model's fields, by their handles.
    fn field_set(make: impl FnOnce(&'static Self::Fields) -> FieldSet<Self>) -> FieldSet<Self> {
        make(Self::fields())
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
    fn into_view(self, ctx: &ContextFor<Self>) -> Self::View {
        self.view(hidden_fields::<Self>(ctx))
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

async fn get<M: BaseModel>(ctx: &ContextFor<M>, id: &Id<M>) -> Result<Option<M>> {
    let mut reader = Reader::<M>::new(ctx);
    engine::get(&mut reader, id.value())
        .await
        .map_err(|error| error.at_model(M::NAME, "get"))?;
    Ok(reader.into_documents().pop())
}

async fn fetch<M: BaseModel>(ctx: &ContextFor<M>, id: &Id<M>) -> Result<M> {
    get(ctx, id).await?.ok_or_else(|| missing(id))
}

fn missing<M: BaseModel>(id: &Id<M>) -> Error {
    Error::new(crate::ErrorKind::NotFound, "")
        .at_model(M::NAME, "fetch")
        .at_id(|| id.to_string())
}

/// Whether a document could not be created because there is one with its id.
fn is_there_already<M: BaseModel>(error: &Error) -> bool {
    let of_id = |index| crate::lifecycle::is_of_id(M::schema(), index);
    error.is_duplicate() && error.index().is_some_and(of_id)
}
