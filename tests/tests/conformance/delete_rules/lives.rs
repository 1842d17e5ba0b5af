//! Delete rules and soft deletion.

use model_core::ModelExt;
use model_core::prelude::*;

use super::{File, Folder, NewFile, NewFolder, NewThumb, NewThumbOptional, Office, Thumb};
use crate::harness::on_both_stores;

struct Drawer {
    office: Office,
    folder: Folder,
    file: File,
    thumb: Thumb,
}

impl Drawer {
    async fn open(stage: crate::harness::Stage) -> Self {
        let office = Office::open(stage).await;
        let ctx = &office.ctx;
        let folder = Folder::create(
            ctx,
            NewFolder {
                name: "folder".into(),
            },
        )
        .await
        .unwrap();
        let new = NewFile {
            name: "file".into(),
            folder: Ref::to(&folder.id),
        };
        let file = File::create(ctx, new).await.unwrap();
        let optional = NewThumbOptional {
            folder: Some(Ref::to(&folder.id)),
        };
        let new = NewThumb {
            name: "thumb".into(),
            file: Ref::to(&file.id),
            optional,
        };
        let thumb = Thumb::create(ctx, new).await.unwrap();
        Self {
            office,
            folder,
            file,
            thumb,
        }
    }
}

on_both_stores! {
    /// A document that is marked takes along what can be marked; what could not be restored stays until it goes for good.
    async fn marks_cascade_and_purges_remove(stage: Stage) {
        let Drawer { office, folder, file, thumb } = Drawer::open(stage).await;
        let ctx = &office.ctx;
        assert!(Folder::delete(ctx, &folder.id).await.unwrap());
        assert!(File::get(ctx, &file.id).await.unwrap().is_none());
        assert_eq!(File::query(ctx).only_deleted().await.unwrap().len(), 1);
        let kept = Thumb::fetch(ctx, &thumb.id).await.unwrap();
        assert!(kept.folder.is_some(), "a reference to what is marked stays");
        assert!(Folder::restore(ctx, &folder.id).await.unwrap());
        assert!(File::get(ctx, &file.id).await.unwrap().is_none(), "each document is restored by itself");
        assert!(File::restore(ctx, &file.id).await.unwrap());

        assert!(Folder::delete(ctx, &folder.id).await.unwrap());
        let dry = Folder::delete_in_batches(ctx, &folder.id).purging().dry_run().await.unwrap().unwrap();
        assert_eq!(dry.deleted(), 3, "{dry}");
        assert!(Folder::purge(ctx, &folder.id).await.unwrap());
        assert_eq!((office.count("folders").await, office.count("files").await, office.count("thumbs").await), (0, 0, 0));
    }

    /// What is not marked yet goes for good with a purge.
    async fn a_purge_takes_the_living_along(stage: Stage) {
        let Drawer { office, folder, .. } = Drawer::open(stage).await;
        let done = Folder::delete_in_batches(&office.ctx, &folder.id).purging().batch(1).await.unwrap().unwrap();
        assert_eq!(done.deleted(), 3);
        assert_eq!((office.count("folders").await, office.count("files").await, office.count("thumbs").await), (0, 0, 0));
    }
}
