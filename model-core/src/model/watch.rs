//! `watch`.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{self, BoxStream, Stream, StreamExt};

use super::unit::Reader;
use crate::engine::{self, Kinds, OpenWatch, Seen};
use crate::error::{Error, Result};
use crate::policy::{BaseModel, ContextFor};
use crate::query::{Filter, Node};

/// What happened to a document, as the actor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<M> {
    /// It came into sight: created, restored, or changed so that the actor may read it and the filter admits it.
    Created(M),
    /// It was in sight and is so still.
    Updated {
        /// As it was.
        before: M,
        /// As it became.
        after: M,
        /// The stored paths that differ: `limits.daily`. Hidden and secret fields are named too.
        changed: Vec<String>,
    },
    /// It went out of sight: deleted, marked as deleted, or changed so that the actor may not read it any more. As it was.
    Deleted(M),
}

/// The kind of an [`Event`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// [`Event::Created`]
    Created,
    /// [`Event::Updated`]
    Updated,
    /// [`Event::Deleted`]
    Deleted,
}

impl<M> Event<M> {
    /// Its kind.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Created(_) => EventKind::Created,
            Self::Updated { .. } => EventKind::Updated,
            Self::Deleted(_) => EventKind::Deleted,
        }
    }

    /// The document as it became; none if it is gone.
    pub fn after(&self) -> Option<&M> {
        match self {
            Self::Created(document) | Self::Updated { after: document, .. } => Some(document),
            Self::Deleted(_) => None,
        }
    }

    /// The document as it was; none if it was not there.
    pub fn before(&self) -> Option<&M> {
        match self {
            Self::Deleted(document) | Self::Updated { before: document, .. } => Some(document),
            Self::Created(_) => None,
        }
    }
}

/// An event, and where the watch stands after it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Watched<M> {
    /// What happened.
    pub event: Event<M>,
    /// The place after it, for [`Watch::resume_after`]: stored once the event is dealt with, it makes a consumer that is killed
    /// see each event at least once.
    pub token: String,
}

/// A watch that is about to be opened: awaited, it is open, and no event is missed from then on.
#[must_use = "nothing is watched before it is awaited"]
pub struct Watch<'a, M: BaseModel> {
    ctx: &'a ContextFor<M>,
    filter: Node,
    kinds: Kinds,
    after: Option<String>,
}

impl<'a, M: BaseModel> Watch<'a, M> {
    pub(super) fn new(ctx: &'a ContextFor<M>) -> Self {
        Self {
            ctx,
            filter: Node::Everything,
            kinds: Kinds::ALL,
            after: None,
        }
    }

    /// Only documents that satisfy the filter: one that comes to satisfy it is [`Created`](Event::Created), one that ceases to,
    /// [`Deleted`](Event::Deleted). A second call narrows further.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// use futures_util::TryStreamExt;
    /// use model_core::Event;
    /// let mut done = Note::watch(&ctx).filter(|n| n.done.eq(true)).await?;
    /// let milk = Note::create(&ctx, note("Buy milk")).await?;
    /// let patch = NotePatch { done: Set(true), ..Default::default() };
    /// Note::update(&ctx, &milk.id, patch).await?;
    /// let first = done.try_next().await?.unwrap();
    /// assert!(matches!(first.event, Event::Created(note) if note.done));
    /// # Ok(())
    /// # }
    /// ```
    pub fn filter(self, make: impl FnOnce(&'static M::Fields) -> Filter<M>) -> Self {
        self.matching(make(M::fields()))
    }

    /// Only documents that satisfy a filter made elsewhere.
    pub fn matching(mut self, filter: Filter<M>) -> Self {
        self.filter = self.filter.and(filter.into_node());
        self
    }

    /// Only events of these kinds; a second call narrows further. Of a model with an exact scope the server sends no others; of any
    /// other it cannot know what `can_read` says of either side, and sends what may be one.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// use futures_util::TryStreamExt;
    /// use model_core::EventKind;
    /// let mut gone = Note::watch(&ctx).only([EventKind::Deleted]).await?;
    /// let milk = Note::create(&ctx, note("Buy milk")).await?;
    /// Note::delete(&ctx, &milk.id).await?;
    /// let first = gone.try_next().await?.unwrap();
    /// assert_eq!(first.event.kind(), EventKind::Deleted);
    /// # Ok(())
    /// # }
    /// ```
    pub fn only(mut self, kinds: impl IntoIterator<Item = EventKind>) -> Self {
        let kinds: Vec<EventKind> = kinds.into_iter().collect();
        self.kinds.created &= kinds.contains(&EventKind::Created);
        self.kinds.updated &= kinds.contains(&EventKind::Updated);
        self.kinds.deleted &= kinds.contains(&EventKind::Deleted);
        self
    }

    /// Goes on after the place that a token names, as [`Watched::token`] and [`WatchStream::token`] tell it.
    ///
    /// Awaiting it is `Invalid` if the text is no token or one of another model, and
    /// [`HistoryLost`](crate::ErrorKind::HistoryLost) if the server does not remember that far back; the latter may also come
    /// from the stream.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// use futures_util::TryStreamExt;
    /// let token = Note::watch(&ctx).await?.token().unwrap();
    /// Note::create(&ctx, note("While nobody looked")).await?;
    /// let mut changes = Note::watch(&ctx).resume_after(token).await?;
    /// let missed = changes.try_next().await?.unwrap();
    /// assert_eq!(missed.event.after().unwrap().text, "While nobody looked");
    /// # Ok(())
    /// # }
    /// ```
    pub fn resume_after(mut self, token: impl Into<String>) -> Self {
        self.after = Some(token.into());
        self
    }

    async fn open(self) -> Result<WatchStream<M>> {
        let Self {
            ctx,
            filter,
            kinds,
            after,
        } = self;
        let mut reader = Reader::<M>::new(ctx);
        let open = engine::open_watch(&mut reader, filter, kinds, after.as_deref()).await;
        let open = open.map_err(|error| error.at_model(M::NAME, "watch"))?;
        let place = Place(Arc::new(Mutex::new(open.token())));
        let watching = Watching::<M> {
            ctx: ctx.clone(),
            open,
            place: place.clone(),
        };
        Ok(WatchStream {
            events: stream::unfold(watching, Watching::next).boxed(),
            place,
        })
    }
}

impl<M: BaseModel> fmt::Debug for Watch<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("model", &M::NAME)
            .finish_non_exhaustive()
    }
}

impl<'a, M: BaseModel> IntoFuture for Watch<'a, M> {
    type Output = Result<WatchStream<M>>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.open().boxed()
    }
}

/// Events as they happen. It has no end of its own: polled, it waits for the next one.
///
/// It judges by the context that opened it, for as long as it lives: where the rights of an actor change, open another.
///
/// An error of one document (it does not decode, `can_read` contradicts an exact scope) is an item like others, and the
/// stream goes on. After an error of the store it ends; [`token`](Self::token) is where another may go on.
#[must_use = "a stream does nothing unless it is polled"]
pub struct WatchStream<M: BaseModel> {
    events: BoxStream<'static, Result<Watched<M>>>,
    place: Place,
}

impl<M: BaseModel> WatchStream<M> {
    /// Where it stands: after the event that was handed out last, or further on where nothing came since that is for this
    /// actor to see. A consumer with few events stores it now and then, so that its place does not fall out of what the
    /// server remembers.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let changes = Note::watch(&ctx).await?;
    /// assert!(changes.token().is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn token(&self) -> Option<String> {
        self.place.get()
    }
}

impl<M: BaseModel> fmt::Debug for WatchStream<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchStream")
            .field("model", &M::NAME)
            .finish_non_exhaustive()
    }
}

impl<M: BaseModel> Stream for WatchStream<M> {
    type Item = Result<Watched<M>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_next_unpin(cx)
    }
}

/// The token that both sides of a stream know.
#[derive(Clone)]
struct Place(Arc<Mutex<Option<String>>>);

impl Place {
    fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, token: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }
}

/// What a stream works with.
struct Watching<M: BaseModel> {
    ctx: ContextFor<M>,
    open: OpenWatch,
    place: Place,
}

impl<M: BaseModel> Watching<M> {
    async fn next(mut self) -> Option<(Result<Watched<M>>, Self)> {
        while !self.open.is_over() {
            let mut reader = Reader::<M>::new(&self.ctx);
            let pulled = engine::pull_watch(&mut reader, &mut self.open).await;
            let documents = reader.into_documents();
            let token = self.open.token();
            // Where the store failed, the place is the one after what was handed out last.
            if !self.open.is_over() {
                self.place.set(token.clone());
            }
            match pulled {
                Ok(seen) => {
                    let Some(event) = seen.and_then(|seen| event(seen, documents)) else {
                        continue;
                    };
                    let watched = token.map(|token| Watched { event, token });
                    let watched = watched.ok_or_else(|| Error::internal("an event without a place"));
                    return Some((watched, self));
                }
                Err(error) => return Some((Err(error.at_model(M::NAME, "watch")), self)),
            }
        }
        None
    }
}

fn event<M>(seen: Seen, documents: Vec<M>) -> Option<Event<M>> {
    let Seen {
        before,
        after,
        changed,
    } = seen;
    let mut documents = documents.into_iter();
    let first = documents.next()?;
    match (before, after) {
        (true, true) => Some(Event::Updated {
            before: first,
            after: documents.next()?,
            changed,
        }),
        (true, false) => Some(Event::Deleted(first)),
        (false, true) => Some(Event::Created(first)),
        (false, false) => None,
    }
}
