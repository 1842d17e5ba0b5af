//! The variants of an enum with data.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use bson::Bson;

use super::filter::{Filter, Node, Test};
use crate::codec::{FieldGroup, Prefix};

/// One variant of an enum with data that is a field of the model `M`: [`is`](Self::is) asks for it, and its own fields are reached
/// through it.
///
/// What is asked of one of its fields holds for documents of this variant only: `w.source.link.href.ne("/")` selects links that
/// lead elsewhere. An operator on one (`w.source.link.hits.inc(1)`) is `Invalid` where the document has another variant.
pub struct Variant<M: 'static, G> {
    is: Node,
    fields: G,
    model: PhantomData<fn() -> M>,
}

impl<M: 'static, G: FieldGroup> Variant<M, G> {
    /// A variant with data, whose name stands under `tag`.
    #[doc(hidden)]
    pub fn tagged(prefix: &Prefix, tag: &str, name: &'static str) -> Self {
        Self::within(&prefix.variant(tag, name))
    }

    /// A variant with data of a flat enum, whose name stands at the path itself.
    #[doc(hidden)]
    pub fn flat(prefix: &Prefix, name: &'static str) -> Self {
        Self::within(&prefix.beside(name))
    }

    fn within(prefix: &Prefix) -> Self {
        Self {
            is: inside(prefix.variants()),
            fields: G::below(prefix),
            model: PhantomData,
        }
    }

    /// A variant without data, stored as a string.
    #[doc(hidden)]
    pub fn plain(prefix: &Prefix, name: &'static str) -> Self {
        // Among the elements of an array that are documents there is none.
        let is = match prefix.path() {
            "" => Node::Nothing,
            path => Node::field(path.to_owned(), Test::Eq(Bson::from(name))),
        };
        Self {
            is: inside(prefix.variants()).and(is),
            fields: G::below(prefix),
            model: PhantomData,
        }
    }

    /// The value is of this variant; in an array: that of any element is.
    ///
    /// ```
    /// # use model_core::prelude::*;
    /// # #[derive(Clone)] struct User;
    /// # impl Actor for User { fn identity(&self) -> ActorIdentity { ActorIdentity::user("ada") } }
    /// #[derive(Clone, Embedded)]
    /// enum Body {
    ///     Text { words: String },
    ///     Image { url: String, width: u32 },
    /// }
    ///
    /// #[derive(Clone, Model)]
    /// #[model(collection = "posts", index(body.image.url, unique))]
    /// struct Post {
    ///     #[model(id)]     id: Id<Post>,
    ///     #[model(tenant)] organization: TenantId,
    ///                      body: Body,
    /// }
    /// # impl BaseModel for Post {
    /// #     type Actor = User;
    /// #     fn can_read(&self, _: &Context<User>) -> bool { true }
    /// #     fn can_create(&self, _: &Context<User>) -> bool { true }
    /// #     fn can_update(&self, _: &Context<User>, _: &Self) -> bool { true }
    /// #     fn can_delete(&self, _: &Context<User>) -> bool { true }
    /// # }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let db = Db::memory().model::<Post>().build().await?;
    /// # let ctx = &db.context(TenantId::new("acme")?, User);
    /// Post::create(ctx, NewPost { body: Body::Text { words: "Hello".into() } }).await?;
    /// let image = NewPost { body: Body::Image { url: "/a.png".into(), width: 80 } };
    /// let image = Post::create(ctx, image).await?;
    /// assert_eq!(Post::query(ctx).filter(|p| p.body.image.is()).count().await?, 1);
    /// assert_eq!(Post::query(ctx).filter(|p| p.body.image.width.gt(100)).count().await?, 0);
    /// Post::update_with(ctx, &image.id, |p| p.body.image.width.inc(40)).await?;
    /// assert_eq!(Post::query(ctx).filter(|p| p.body.image.width.gt(100)).count().await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn is(&self) -> Filter<M> {
        Filter::from_node(self.is.clone())
    }
}

/// The document has each of these variants.
pub(super) fn inside(variants: &[(String, &'static str)]) -> Node {
    let named = variants
        .iter()
        .map(|(tag, name)| Node::field(tag.clone(), Test::Eq(Bson::from(*name))));
    named.fold(Node::Everything, Node::and)
}

impl<M: 'static, G> Deref for Variant<M, G> {
    type Target = G;

    fn deref(&self) -> &G {
        &self.fields
    }
}

impl<M: 'static, G> fmt::Debug for Variant<M, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Variant")
    }
}
