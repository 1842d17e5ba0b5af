//! `related`.

use model_core::ModelExt;
use model_core::prelude::*;

use super::{Library, Message, NewMessageOptional, Post};
use crate::harness::on_both_stores;

fn on(post: &Post) -> NewMessageOptional {
    NewMessageOptional {
        post: Some(Ref::to(&post.id)),
        ..Default::default()
    }
}

fn among(posts: &[&Post]) -> NewMessageOptional {
    NewMessageOptional {
        posts: Some(posts.iter().map(|post| Ref::to(&post.id)).collect()),
        ..Default::default()
    }
}

fn texts(messages: &[&Message]) -> Vec<String> {
    messages.iter().map(|message| message.text.clone()).collect()
}

on_both_stores! {
    /// One-to-many by a foreign field: filter, order, an exact limit for each parent, counts.
    async fn one_to_many(stage: Stage) {
        let library = Library::open(stage).await;
        let ada = library.author("ada").await;
        let posts = [
            library.post("many", &ada, &[], 0).await,
            library.post("few", &ada, &[], 0).await,
            library.post("none", &ada, &[], 0).await,
        ];
        for rank in 0..7 {
            // The most important ones are secret: a limit counts what may be read.
            let text = if rank > 4 { "secret".to_owned() } else { rank.to_string() };
            library.message(&text, rank, on(&posts[0])).await;
        }
        library.message("only", 3, on(&posts[1])).await;
        library.message("elsewhere", 3, NewMessageOptional::default()).await;
        let related = |ctx| Message::related(ctx, &posts, |m| &m.post).sort(|m| m.rank.desc());

        let all = related(&library.admin).await.unwrap();
        assert_eq!(texts(&all.of(&posts[0])), ["secret", "secret", "4", "3", "2", "1", "0"]);
        assert_eq!(texts(&all.of(&posts[1])), ["only"]);
        assert!(all.of(&posts[2]).is_empty());
        assert_eq!(all.documents().len(), 8);
        let two = related(&library.reader).limit_each(2).await.unwrap();
        assert_eq!(texts(&two.of(&posts[0])), ["4", "3"]);
        assert_eq!(texts(&two.of(&posts[1])), ["only"]);
        assert_eq!(two.documents().len(), 3);
        let early = related(&library.reader).filter(|m| m.rank.lt(3)).limit_each(2).await.unwrap();
        assert_eq!(texts(&early.of(&posts[0])), ["2", "1"]);
        assert!(related(&library.reader).limit_each(0).await.unwrap().documents().is_empty());
        assert!(related(&library.rival).await.unwrap().documents().is_empty());

        for (ctx, expected) in [(&library.admin, [7, 1, 0]), (&library.reader, [5, 1, 0]), (&library.rival, [0, 0, 0])] {
            let counts = related(ctx).count().await.unwrap();
            assert_eq!(posts.each_ref().map(|post| counts.of(post)), expected);
        }
        let capped = related(&library.reader).limit_each(2).count().await.unwrap();
        assert_eq!(capped.of(&posts[0]), 2);
    }

    /// Where `can_read` decides, the limit counts what it allows.
    async fn a_limit_counts_what_may_be_read(stage: Stage) {
        let library = Library::open(stage).await;
        let (ada, bob) = (library.author("ada").await, library.author("bob").await);
        for rank in 0..6 {
            let title = if rank % 2 == 0 { "secret" } else { "open" };
            library.post(title, &ada, &[], rank).await;
        }
        library.post("bob's", &bob, &[], 9).await;
        let authors = [ada, bob];
        let related = |ctx| Post::related(ctx, &authors, |p| &p.author).sort(|p| p.rank.asc());
        let two = related(&library.reader).limit_each(2).await.unwrap();
        assert_eq!(two.of(&authors[0]).iter().map(|post| post.rank).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(two.of(&authors[1]).len(), 1);
        let counts = related(&library.reader).count().await.unwrap();
        assert_eq!((counts.of(&authors[0]), counts.of(&authors[1])), (3, 1));
    }

    /// Many-to-many by an array of references: a document belongs to several, and to each once.
    async fn many_to_many(stage: Stage) {
        let library = Library::open(stage).await;
        let ada = library.author("ada").await;
        let (a, b, c) = (
            library.post("a", &ada, &[], 0).await,
            library.post("b", &ada, &[], 0).await,
            library.post("c", &ada, &[], 0).await,
        );
        library.message("both", 5, among(&[&a, &b, &a])).await;
        library.message("a's", 4, among(&[&a, &a])).await;
        library.message("b's", 3, among(&[&c, &b])).await;
        library.message("a's too", 2, among(&[&a])).await;
        let posts = [a, b];
        let related = || Message::related(&library.reader, &posts, |m| &m.posts).sort(|m| m.rank.desc());
        let all = related().await.unwrap();
        assert_eq!(texts(&all.of(&posts[0])), ["both", "a's", "a's too"]);
        assert_eq!(texts(&all.of(&posts[1])), ["both", "b's"]);
        let two = related().limit_each(2).await.unwrap();
        assert_eq!(texts(&two.of(&posts[0])), ["both", "a's"]);
        assert_eq!(texts(&two.of(&posts[1])), ["both", "b's"]);
        assert_eq!(two.documents().len(), 3, "each document once");
        let one = related().limit_each(1).await.unwrap();
        assert_eq!(texts(&one.documents().iter().collect::<Vec<_>>()), ["both"]);
        let counts = related().count().await.unwrap();
        assert_eq!((counts.of(&posts[0]), counts.of(&posts[1])), (3, 2));
    }
}
