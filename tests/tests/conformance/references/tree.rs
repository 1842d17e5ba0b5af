//! `subtree` and `ancestors`.

use model_core::ModelExt;
use model_core::prelude::*;

use super::{Library, Message, MessagePatch, NewMessageOptional};
use crate::harness::on_both_stores;

async fn reply(library: &Library, text: &str, parent: Option<&Message>) -> Message {
    let parent = parent.map(|parent| Ref::to(&parent.id));
    library
        .message(
            text,
            0,
            NewMessageOptional {
                parent,
                ..Default::default()
            },
        )
        .await
}

fn texts<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Vec<&'a str> {
    messages.into_iter().map(|message| &*message.text).collect()
}

on_both_stores! {
    /// Children, the whole branch level by level, the way up; a depth limits both.
    async fn a_conversation_is_a_tree(stage: Stage) {
        let library = Library::open(stage).await;
        let root = reply(&library, "root", None).await;
        let one = reply(&library, "1", Some(&root)).await;
        let two = reply(&library, "2", Some(&root)).await;
        let deep = reply(&library, "1.1", Some(&one)).await;
        let deeper = reply(&library, "1.1.1", Some(&deep)).await;
        reply(&library, "another", None).await;
        let ctx = &library.reader;
        let tree = Message::subtree(ctx, &root.id, |m| &m.parent).await.unwrap().unwrap();
        assert_eq!(texts(tree.documents()), ["root", "1", "2", "1.1", "1.1.1"]);
        assert_eq!(texts(tree.children(&root.id)), ["1", "2"]);
        assert!(tree.children(&two.id).is_empty());
        assert_eq!(tree.depth(&deeper.id), Some(3));
        assert_eq!(tree.get(&deep.id).unwrap().text, "1.1");
        let shallow = Message::subtree(ctx, &root.id, |m| &m.parent).depth(1).await.unwrap().unwrap();
        assert_eq!(texts(shallow.documents()), ["root", "1", "2"]);
        let bare = Message::subtree(ctx, &root.id, |m| &m.parent).depth(0).await.unwrap().unwrap();
        assert_eq!(texts(bare.documents()), ["root"]);
        let above = Message::ancestors(ctx, &deeper.id, |m| &m.parent).await.unwrap();
        assert_eq!(texts(&above), ["1.1", "1", "root"]);
        let near = Message::ancestors(ctx, &deeper.id, |m| &m.parent).depth(1).await.unwrap();
        assert_eq!(texts(&near), ["1.1"]);
        assert!(Message::ancestors(ctx, &root.id, |m| &m.parent).await.unwrap().is_empty());
    }

    /// Another tenant has no such tree, even where its documents refer into this one; a branch ends at what is secret.
    async fn a_branch_ends_at_what_may_not_be_read(stage: Stage) {
        let library = Library::open(stage).await;
        let root = reply(&library, "root", None).await;
        let secret = reply(&library, "secret", Some(&root)).await;
        let below = reply(&library, "below", Some(&secret)).await;
        let mut theirs = model_core::testing::stored(&library.db, "messages").await.unwrap().remove(0);
        theirs.insert("_id", Id::<Message>::generate().to_bson());
        theirs.insert("organization", "globex");
        theirs.insert("text", "intruder");
        theirs.insert("parent", root.id.to_bson());
        model_core::testing::store_raw(&library.db, "messages", &theirs).await.unwrap();

        let tree = Message::subtree(&library.admin, &root.id, |m| &m.parent).await.unwrap().unwrap();
        assert_eq!(texts(tree.documents()), ["root", "secret", "below"]);
        let tree = Message::subtree(&library.reader, &root.id, |m| &m.parent).await.unwrap().unwrap();
        assert_eq!(texts(tree.documents()), ["root"]);
        assert!(Message::subtree(&library.reader, &secret.id, |m| &m.parent).await.unwrap().is_none());
        assert!(Message::subtree(&library.rival, &root.id, |m| &m.parent).await.unwrap().is_none());
        assert!(Message::ancestors(&library.reader, &below.id, |m| &m.parent).await.unwrap().is_empty());
        assert_eq!(Message::ancestors(&library.admin, &below.id, |m| &m.parent).await.unwrap().len(), 2);
        let intruder = Message::query(&library.rival).first().await.unwrap().unwrap();
        let above = Message::ancestors(&library.rival, &intruder.id, |m| &m.parent).await.unwrap();
        assert!(above.is_empty(), "the way up does not leave the tenant");
    }

    /// A circle comes once.
    async fn circles_end(stage: Stage) {
        let library = Library::open(stage).await;
        let a = reply(&library, "a", None).await;
        let b = reply(&library, "b", Some(&a)).await;
        let patch = MessagePatch { parent: Set(Some(Ref::to(&b.id))), ..Default::default() };
        Message::update(&library.admin, &a.id, patch).await.unwrap();
        let tree = Message::subtree(&library.admin, &a.id, |m| &m.parent).await.unwrap().unwrap();
        assert_eq!(texts(tree.documents()), ["a", "b"]);
        let above = Message::ancestors(&library.admin, &a.id, |m| &m.parent).await.unwrap();
        assert_eq!(texts(&above), ["b"]);
    }
}
