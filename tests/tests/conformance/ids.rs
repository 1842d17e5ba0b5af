//! Contract B 4: ids of each form, made here, in the order of their making, and read with their prefix.

use std::time::Duration;

use model_core::prelude::*;

use crate::models::{Member, Note, Project};

/// Three ids, each made a moment after the one before.
async fn made<M: BaseModel + Identified>() -> Vec<Id<M>> {
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(Id::<M>::generate());
        tokio::time::sleep(Duration::from_millis(1_100)).await;
    }
    ids
}

fn reads_back<M: BaseModel + Identified>(ids: &[Id<M>]) {
    assert!(ids.is_sorted(), "{ids:?}");
    for id in ids {
        assert_eq!(Id::<M>::parse(&id.to_string()).unwrap(), *id);
        assert_eq!(serde_json::to_value(id).unwrap(), id.to_string());
    }
    let texts: Vec<_> = ids.iter().map(ToString::to_string).collect();
    assert!(texts.is_sorted(), "{texts:?}");
}

/// An `ObjectId`, a UUID of version 7, and a prefix with a random part: none repeats, and later ones sort behind.
#[tokio::test]
async fn ids_come_in_the_order_of_their_making() {
    let (objects, uuids, strings) = tokio::join!(made::<Note>(), made::<Member>(), made::<Project>());
    reads_back(&objects);
    reads_back(&uuids);
    reads_back(&strings);
    assert!(objects.iter().all(|id| id.as_object_id().is_some()));
    assert!(
        uuids
            .iter()
            .all(|id| id.as_uuid().unwrap().get_version_num() == 7)
    );
    assert!(strings.iter().all(|id| id.to_string().starts_with("prj_")));
    let many: std::collections::HashSet<_> = (0..10_000).map(|_| Id::<Project>::generate()).collect();
    assert_eq!(many.len(), 10_000);
}

/// What is not of the form is refused, and not repeated.
#[test]
fn an_id_is_read_with_its_prefix() {
    for text in ["wgt_canary", "prj_", "PRJ_canary", "canary", "", " prj_canary"] {
        let error = Id::<Project>::parse(text).unwrap_err();
        assert!(error.is_invalid(), "{text}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    for text in ["prj_a", "0123456789abcdef0123456", "0123456789abcdef0123456g"] {
        assert!(Id::<Note>::parse(text).is_err(), "{text}");
        assert!(Id::<Member>::parse(text).is_err(), "{text}");
    }
    assert_eq!(
        Id::<Project>::parse("prj_of_any_shape").unwrap().to_string(),
        "prj_of_any_shape"
    );
}
