//! Contract J 37, widened: a query by later fields takes older documents along, and gives what it will give after the
//! migration.

use bson::doc;
use futures_util::TryStreamExt;
use model_core::prelude::*;

use crate::harness::on_both_stores;
use crate::migrate::{Port, Shipment, old};
use crate::models::Ctx;

/// What a few queries by later fields give, in every form of reading.
async fn answers(ctx: &Ctx) -> Vec<Vec<String>> {
    let filters = || {
        [
            Shipment::filter(|s| s.weight.eq(7)),
            Shipment::filter(|s| s.weight.gt(7)),
            Shipment::filter(|s| !(s.count.eq(3) | s.weight.gt(7))),
            Shipment::filter(|s| s.number.eq("shp_00003") | s.weight.eq(9)),
            Shipment::filter(|s| s.number.gt("shp_00004") & s.name.ne("Old 5")),
        ]
    };
    let query = |filter| {
        Shipment::query(ctx)
            .matching(filter)
            .sort(|s| s.id.asc())
            .or_older()
    };
    let ids = |all: Vec<Shipment>| all.iter().map(|one| one.id.to_string()).collect::<Vec<_>>();
    let mut answers = Vec::new();
    for (number, filter) in filters().into_iter().enumerate() {
        let all = ids(query(filter.clone()).await.unwrap());
        let streamed: Vec<Shipment> = query(filter.clone()).stream().try_collect().await.unwrap();
        assert_eq!(ids(streamed), all, "{number}");
        assert_eq!(
            query(filter.clone()).count().await.unwrap(),
            all.len() as u64,
            "{number}"
        );
        assert_eq!(
            query(filter.clone()).exists().await.unwrap(),
            !all.is_empty(),
            "{number}"
        );
        let some = query(filter.clone()).skip(1).limit(2).await.unwrap();
        assert_eq!(
            ids(some),
            all.iter().skip(1).take(2).cloned().collect::<Vec<_>>(),
            "{number}"
        );
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = query(filter.clone()).page(2, after.as_deref()).await.unwrap();
            paged.extend(ids(page.items));
            after = page.next.map(|next| next.to_string());
            if after.is_none() {
                break;
            }
        }
        assert_eq!(paged, all, "{number}");
        answers.push(all);
    }
    answers
}

on_both_stores! {
    /// The same before and after, whether permissions decide here or not at all.
    async fn older_documents_are_taken_along(stage: Stage) {
        let port = Port::with(stage, 6).await;
        for (number, weight) in [(20, 7_i64), (21, 9), (22, 3)] {
            let mut second = old(number);
            second.extend(doc! { "_sv": 2, "name": format!("Second {number}"), "weight": weight });
            port.store(second).await;
            let mut third = old(10 + number);
            third.extend(doc! { "_sv": 3, "name": "Third", "weight": weight, "number": format!("n{number}") });
            port.store(third).await;
        }
        // What an older version kept under the name means nothing: version 1 weighed by another measure.
        let mut misleading = old(40);
        misleading.insert("weight", 9_i64);
        port.store(misleading).await;
        let mut foreign = old(99);
        foreign.insert("organization", "globex");
        port.store(foreign).await;
        let before = [answers(&port.admin).await, answers(&port.job()).await];
        assert_eq!(before[0], before[1]);
        assert_eq!(before[0].iter().map(Vec::len).collect::<Vec<_>>(), [9, 2, 11, 3, 4]);
        let sorted = Shipment::query(&port.admin).filter(|s| s.weight.eq(7)).sort(|s| s.weight.asc()).or_older().await;
        assert!(sorted.unwrap_err().is_configuration());
        Shipment::migrate_all(&port.job()).await.unwrap();
        assert_eq!([answers(&port.admin).await, answers(&port.job()).await], before);
    }

    /// What cannot be judged here is refused, and an older document that cannot be migrated is an error.
    async fn what_cannot_be_judged_is_refused(stage: Stage) {
        let port = Port::with(stage, 2).await;
        let collated = Shipment::query(&port.admin).filter(|s| s.number.eq("x")).or_older()
            .collation(model_core::query::Collation::new("en").strength(2)).await;
        assert!(collated.unwrap_err().is_unsupported());
        let mut poison = old(5);
        poison.insert("poison", true);
        port.store(poison).await;
        let error = Shipment::query(&port.admin).filter(|s| s.weight.eq(7)).or_older().await.unwrap_err();
        assert_eq!(error.id(), Some("shp_00005"), "{error}");
    }
}
