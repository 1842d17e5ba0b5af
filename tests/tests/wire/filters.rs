//! Contract C 8 and 9: whatever is asked.

use super::*;

/// Contract C 8 and 9: whatever the filter and the order, the tenant stands alone at the top. (`sends` asserts it of
/// every command.)
#[tokio::test]
async fn no_filter_takes_the_tenants_place() {
    let wire = Wire::new().await;
    wire.plain("a").await;
    let globex = || TenantId::new("globex").unwrap();
    let both = [globex(), TenantId::new("acme").unwrap()];
    let filters: Vec<Filter<Plain>> = vec![
        Filter::all(),
        Filter::nothing(),
        Plain::filter(|p| p.organization.eq(globex())),
        Plain::filter(|p| p.organization.ne(globex())),
        Plain::filter(|p| p.organization.in_(&both)),
        Plain::filter(|p| p.organization.exists(false) | p.organization.exists(true)),
        Plain::filter(|p| !(p.organization.eq(globex()) & p.name.eq("a"))),
        Plain::filter(|p| p.organization.eq(globex()) | p.name.starts_with("")),
        Plain::filter(|p| p.tags.size(0) & p.tags.elem_match(|_| Filter::all())),
    ];
    for filter in filters {
        let query = || Plain::query(&wire.ctx).matching(filter.clone());
        wire.sends(async { query().await.unwrap() }).await;
        wire.sends(async { query().count().await.unwrap() }).await;
        wire.sends(async { query().exists().await.unwrap() }).await;
        wire.sends(async { query().first().await.unwrap() }).await;
        let sort: fn(&'static PlainFields) -> Sort<Plain> = |p| p.organization.desc().then(p.name.asc());
        wire.sends(async { query().sort(sort).skip(1).limit(2).await.unwrap() })
            .await;
    }
}

/// Before the tenant is known, one document is found by a field that is unique over all tenants, and by nothing else.
#[tokio::test]
async fn find_unique_is_one_find_by_the_unique_field() {
    let wire = Wire::new().await;
    let mut new = new_plain("a");
    new.optional.code = Some("c1".into());
    let plain = Plain::create(&wire.ctx, new).await.unwrap();
    let global = wire.db.global_context(Person {
        reads: true,
        writes: true,
    });
    wire.log.take();
    let found = Plain::find_unique(&global, |p| p.code.lookup("c1"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.id, plain.id);
    let sent = wire.log.take();
    assert_eq!(sent.len(), 1);
    let filter = sent[0].body.get_document("filter").unwrap();
    assert_eq!(filter, &doc! { "$and": [{ "code": { "$eq": "c1" } }] });
    assert_eq!(sent[0].body.get_i64("limit").unwrap(), 1);
}
