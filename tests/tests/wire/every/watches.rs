//! Operations that wait for what happens. They run in no transaction.

use futures_util::TryStreamExt;
use model_core::{Event, ModelExt};

use super::model::{Parcel, reword};
use super::probes;

probes! {
    "watch" => |ctx, given| async {
        let mut changes = Parcel::watch(ctx).await?;
        Parcel::update(ctx, &given.parcel.id, reword("seen")).await?;
        let first = changes.try_next().await?.unwrap();
        assert!(matches!(first.event, Event::Updated { after, .. } if after.text == "seen"));
        Ok::<_, model_core::Error>(())
    }.await;
    "Watch::resume_after" => |ctx, given| async {
        let token = Parcel::watch(ctx).await?.token().unwrap();
        Parcel::delete(ctx, &given.parcel.id).await?;
        let mut changes = Parcel::watch(ctx).resume_after(token).await?;
        assert!(matches!(changes.try_next().await?.unwrap().event, Event::Deleted(_)));
        Ok::<_, model_core::Error>(())
    }.await;
}
