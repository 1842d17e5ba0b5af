//! `populate`.

use model_core::ModelExt;
use model_core::prelude::*;

use super::{About, Author, Country, Library, Message, NewCountry, NewMessageOptional, Post, PostPatch, Tag};
use crate::harness::on_both_stores;

on_both_stores! {
    /// M 46: order kept, duplicates once, dangling visible; a filter takes references and ids alike.
    async fn references_are_loaded_together(stage: Stage) {
        let library = Library::open(stage).await;
        let (ada, bob) = (library.author("ada").await, library.author("bob").await);
        let (red, blue) = (library.tag("red").await, library.tag("blue").await);
        let first = library.post("first", &bob, &[&blue, &red, &blue], 0).await;
        let second = library.post("second", &ada, &[&red], 0).await;
        library.post("third", &bob, &[], 0).await;
        let stored = model_core::testing::stored(&library.db, "posts").await.unwrap();
        let of_first = stored.iter().find(|post| post.get_str("title").unwrap() == "first").unwrap();
        assert_eq!(of_first.get("author"), Some(&bob.id.to_bson()), "a bare id");
        assert_eq!(of_first.get_array("tags").unwrap()[0], blue.id.to_bson());

        let posts = Post::query(&library.admin).sort(|p| p.title.asc()).await.unwrap();
        let authors = Author::populate(&library.admin, &posts, |post| &post.author).await.unwrap();
        let names: Vec<_> = authors.documents().iter().map(|author| &*author.name).collect();
        assert_eq!(names, ["bob", "ada"], "in the order of their first naming, each once");
        let each: Vec<_> = posts.iter().map(|post| &*authors.get(&post.author).unwrap().name).collect();
        assert_eq!(each, ["bob", "ada", "bob"]);
        assert!(authors.dangling().is_empty());
        assert_eq!(authors.require(&bob.id).unwrap().name, "bob");
        let tags = Tag::populate(&library.admin, &posts, |post| &post.tags).await.unwrap();
        let of = |post: &Post| tags.of(&post.tags).iter().map(|tag| &*tag.name).collect::<Vec<_>>();
        assert_eq!(of(&posts[0]), ["blue", "red", "blue"], "an array keeps its order and its repetitions");
        assert_eq!(of(&posts[2]), Vec::<&str>::new());
        let editors = Author::populate(&library.admin, &posts, |post| &post.editor).await.unwrap();
        assert!(editors.documents().is_empty() && editors.of(&posts[0].editor).is_empty());

        let by_bob = Post::query(&library.admin).filter(|p| p.author.eq(&bob.id) & p.tags.eq(Ref::to(&red.id)));
        assert_eq!(by_bob.await.unwrap()[0].id, first.id);
        let by_ada = Post::query(&library.admin).filter(|p| p.author.in_([Ref::to(&ada.id)]));
        assert_eq!(by_ada.await.unwrap()[0].id, second.id);
        let json = serde_json::to_value(posts[1].clone().into_view(&library.admin)).unwrap();
        assert_eq!(json["author"], ada.id.to_string());
        let patch = PostPatch::from_json(&format!(r#"{{"author": "{}"}}"#, bob.id)).unwrap();
        let moved = Post::update(&library.admin, &second.id, patch).await.unwrap();
        assert_eq!(moved.author, bob.id);
    }

    /// Tenant, `can_read` and soft deletion hold for what is loaded; all of it dangles alike.
    async fn what_may_not_be_read_dangles(stage: Stage) {
        let library = Library::open(stage).await;
        let (ada, secret, gone) = (
            library.author("ada").await,
            library.author("secret").await,
            library.author("gone").await,
        );
        for author in [&ada, &secret, &gone] {
            library.post("post", author, &[], 0).await;
        }
        assert!(Author::delete(&library.admin, &gone.id).await.unwrap());
        let posts = Post::query(&library.admin).sort(|p| p.id.asc()).await.unwrap();
        let of = |ctx| Author::populate(ctx, &posts, |post| &post.author);
        let authors = of(&library.reader).await.unwrap();
        assert_eq!(authors.documents().len(), 1);
        assert!(authors.get(&posts[1].author).is_none() && authors.get(&posts[2].author).is_none());
        assert_eq!(authors.dangling(), [secret.id.clone(), gone.id.clone()]);
        let error = authors.require(&posts[1].author).unwrap_err();
        assert!(error.is_not_found(), "{error}");
        assert!(authors.complete().unwrap_err().is_not_found());
        assert_eq!(of(&library.admin).await.unwrap().dangling(), std::slice::from_ref(&gone.id));
        assert_eq!(of(&library.rival).await.unwrap().dangling().len(), 3);
    }

    /// The next level is another call over what was loaded; a global model takes any context; an enum gives what it holds.
    async fn levels_globals_and_enums(stage: Stage) {
        let library = Library::open(stage).await;
        let ada = library.author("ada").await;
        let post = library.post("post", &ada, &[], 0).await;
        let new = NewCountry { name: "Chile".into() };
        let chile = Country::create(&library.admin, new).await.unwrap();
        let patch = PostPatch { country: Set(Some(Ref::to(&chile.id))), ..Default::default() };
        Post::update(&library.admin, &post.id, patch).await.unwrap();
        let about = |about| NewMessageOptional { about: Some(about), ..Default::default() };
        let on_post = library.message("1", 1, about(About::Post(Ref::to(&post.id)))).await;
        let on_author = library.message("2", 2, about(About::Author(Ref::to(&ada.id)))).await;
        library.message("3", 3, about(About::Nothing)).await;

        let messages = Message::query(&library.admin).sort(|m| m.rank.asc()).await.unwrap();
        let posts = Post::populate(&library.admin, &messages, |message| match &message.about {
            About::Post(post) => Some(post),
            _ => None,
        });
        let posts = posts.await.unwrap();
        let authors = Author::populate(&library.admin, &messages, |message| match &message.about {
            About::Author(author) => Some(author),
            _ => None,
        });
        assert_eq!(posts.documents().len(), 1);
        assert_eq!(authors.await.unwrap().documents()[0].id, ada.id);
        assert!(matches!(&on_post.about, About::Post(about) if posts.get(about).is_some()));
        assert!(matches!(&on_author.about, About::Author(about) if *about == ada.id));
        let authors = Author::populate(&library.admin, &posts, |post| &post.author).await.unwrap();
        assert_eq!(authors.documents()[0].name, "ada");
        let countries = Country::populate(&library.admin, &posts, |post| &post.country).await.unwrap();
        assert_eq!(countries.documents()[0].name, "Chile");
    }
}
