//! `nearest`.

use std::collections::HashMap;
use std::fmt;
use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt};

use super::query::Query;
use super::scored::Scored;
use super::unit::Reader;
use crate::engine::{self, Near};
use crate::error::Result;
use crate::policy::BaseModel;
use crate::query::{Field, Filter, HoldsVectors, Target};
use crate::schema::Similarity;
use crate::value::{Id, Vector};

/// A query for the documents whose vectors are most like a given one, among those that the actor may read: awaited, it gives
/// them with their scores, the nearest first.
#[must_use = "a query does nothing until it is awaited"]
pub struct Nearest<'a, M: BaseModel> {
    query: Query<'a, M>,
    near: Near,
}

impl<'a, M: BaseModel> Query<'a, M> {
    /// The `count` documents, 10,000 at the most, whose vectors are most like `to`: exactly those, and all of them readable. A
    /// document without a vector is not among them; of several vectors in one document (an array), the nearest counts.
    ///
    /// It needs no index. The vectors of all documents that tenant, scope and filter leave are sent and compared in this
    /// process, in the memory of one batch and of the best: 4 bytes a number, so that ten thousand vectors of 1,536 numbers are
    /// 61 MB on the wire. Then the best are read, by one more command. A filter that an index serves makes both smaller.
    /// Where the read scope is not declared exact and `can_read` denies some of the best, the vectors are gone through
    /// again.
    ///
    /// # Errors
    /// As awaiting a query; `Invalid` for a count out of range, and for `sort`, `skip`, `limit` and `search`; `Decode` for a
    /// stored vector of another dimension.
    ///
    /// ```
    /// use model_core::ModelExt;
    /// use model_core::prelude::*;
    ///
    /// #[derive(Clone, Model)]
    /// #[model(collection = "passages")]
    /// struct Passage {
    ///     #[model(id)]                            id: Id<Passage>,
    ///     #[model(tenant)]                        organization: TenantId,
    ///                                             text: String,
    ///     #[model(vector(similarity = cosine))]   embedding: Vector<3>,
    /// }
    /// # struct User;
    /// # impl Actor for User { fn identity(&self) -> ActorIdentity { ActorIdentity::user("ada") } }
    /// # impl BaseModel for Passage {
    /// #     type Actor = User;
    /// #     fn can_read(&self, _: &Context<User>) -> bool { true }
    /// #     fn can_create(&self, _: &Context<User>) -> bool { true }
    /// #     fn can_update(&self, _: &Context<User>, _: &Self) -> bool { true }
    /// #     fn can_delete(&self, _: &Context<User>) -> bool { true }
    /// # }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let db = Db::memory().model::<Passage>().build().await?;
    /// # let ctx = db.context(TenantId::new("acme")?, User);
    /// for (text, numbers) in [("sweet", [1.0, 0.0, 0.1]), ("sour", [0.0, 1.0, 0.0]), ("honeyed", [0.9, 0.1, 0.2])] {
    ///     Passage::create(&ctx, NewPassage { text: text.into(), embedding: numbers.try_into()? }).await?;
    /// }
    /// let question = Vector::try_from([1.0, 0.0, 0.0])?;
    /// let found = Passage::query(&ctx).filter(|p| p.text.ne("sour")).nearest(|p| &p.embedding, &question, 2).await?;
    /// assert_eq!(found.iter().map(|found| &*found.item.text).collect::<Vec<_>>(), ["sweet", "honeyed"]);
    /// assert!(found[0].score > 0.99);
    /// # Ok(())
    /// # }
    /// ```
    pub fn nearest<const N: usize, V: HoldsVectors<N>>(
        self,
        field: impl FnOnce(&'static M::Fields) -> &'static Field<M, V>,
        to: &Vector<N>,
        count: usize,
    ) -> Nearest<'a, M> {
        let field = field(M::fields());
        Nearest {
            query: self,
            near: Near {
                path: field.path().into(),
                target: Target::new(to.as_slice()),
                similarity: field.similarity(),
                count,
                index: None,
            },
        }
    }
}

impl<M: BaseModel> Nearest<'_, M> {
    /// Only documents that satisfy the filter. A second call narrows further.
    pub fn filter(mut self, make: impl FnOnce(&'static M::Fields) -> Filter<M>) -> Self {
        self.query = self.query.filter(make);
        self
    }

    /// Vectors are compared so, not as the field declares (`vector(similarity = ..)`; by the cosine if nothing is said).
    pub fn by(mut self, similarity: Similarity) -> Self {
        self.near.similarity = similarity;
        self
    }

    /// Some of the nearest are enough: those that the server's own index over the vectors finds (`$vectorSearch`, of Atlas)
    /// among `candidates`, which are 10,000 at the most there. The index is one of
    /// [`vector_indexes`](crate::schema::vector_indexes): the tenant stands inside of the search; scope and filter leave some of the
    /// candidates, so ask for more of them than of documents, ten or twenty times as many. The similarity is the index's. Fewer
    /// documents may come than were asked for.
    ///
    /// Where the server has no such indexes, in the embedded store and in transactions the exact answer is given instead. There
    /// is no server with them to test this against here: the command is held to its form, and to the exact answer elsewhere.
    ///
    /// ```
    /// # use model_core::prelude::*;
    /// # async fn search<M: BaseModel<Actor = A>, A: Actor>(nearest: model_core::Nearest<'_, M>) -> Result<()> {
    /// let found = nearest.by_index("embedding_vector", 200).await?;
    /// # let _ = found;
    /// # Ok(())
    /// # }
    /// ```
    pub fn by_index(mut self, name: impl Into<String>, candidates: u32) -> Self {
        self.near.index = Some((name.into(), candidates));
        self
    }

    async fn run(self) -> Result<Vec<Scored<M>>> {
        let (ctx, listing) = self.query.into_parts();
        let mut reader = Reader::<M>::new(ctx);
        let ranked = engine::nearest(&mut reader, listing, &self.near)
            .await
            .map_err(|error| error.at_model(M::NAME, "nearest"))?;
        let mut documents: HashMap<_, _> = reader.into_named().collect();
        let scored = ranked.into_iter().filter_map(|(id, score)| {
            let item = documents.remove(&Id::from_value(id))?;
            Some(Scored { item, score })
        });
        Ok(scored.collect())
    }
}

/// Shows nothing of the vector.
impl<M: BaseModel> fmt::Debug for Nearest<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nearest")
            .field("model", &M::NAME)
            .field("path", &self.near.path)
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel> IntoFuture for Nearest<'a, M> {
    type Output = Result<Vec<Scored<M>>>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}
