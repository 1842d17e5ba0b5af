//! Reads of documents, of values and of numbers of them.

use super::*;

/// Row `get`, `fetch`, `first`, `get_by`, `find_unique`.
#[tokio::test]
async fn one_document_is_one_find() {
    let wire = Wire::new().await;
    let (plain, audited) = (wire.plain("a").await, wire.audited("a").await);
    assert_eq!(wire.sends(Plain::get(&wire.ctx, &plain.id)).await.1, ["find"]);
    assert_eq!(wire.sends(Plain::fetch(&wire.ctx, &plain.id)).await.1, ["find"]);
    assert_eq!(wire.sends(Plain::query(&wire.ctx).first()).await.1, ["find"]);
    assert_eq!(wire.sends(Audited::get(&wire.ctx, &audited.id)).await.1, ["find"]);
    assert_eq!(wire.sends(Audited::query(&wire.ctx).first()).await.1, ["find"]);
    let (missing, sent) = wire.sends(Plain::get(&wire.ctx, &Id::generate())).await;
    assert!(missing.unwrap().is_none());
    assert_eq!(sent, ["find"]);
    let nobody = wire.person(false, false);
    let (denied, sent) = wire.sends(Audited::get(&nobody, &audited.id)).await;
    assert!(denied.unwrap().is_none());
    assert_eq!(sent, ["find"]);
}

/// Rows `first` and `exists`: where the document asked for is the last one, no cursor stays open that has to be closed.
#[tokio::test]
async fn the_last_document_leaves_no_cursor() {
    let wire = Wire::new().await;
    wire.plain("a").await;
    wire.audited("a").await;
    wire.log.take();
    Plain::query(&wire.ctx).first().await.unwrap();
    Plain::query(&wire.ctx).limit(1).await.unwrap();
    Audited::query(&wire.ctx).first().await.unwrap();
    Audited::query(&wire.ctx).exists().await.unwrap();
    Audited::query(&wire.ctx).limit(1).await.unwrap();
    // What the driver sends by itself, it sends at once.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let sent = wire.log.take_names();
    assert_eq!(sent, ["find"; 5]);
}

/// Whose documents `can_read` alone judges.
#[derive(Clone, Model)]
#[model(collection = "judged", index(name, id))]
struct Judged {
    #[model(id)]
    id: Id<Judged>,
    #[model(tenant)]
    organization: TenantId,
    name: String,
}

impl BaseModel for Judged {
    type Actor = Person;

    fn can_read(&self, ctx: &Ctx) -> bool {
        ctx.actor().reads
    }

    fn can_create(&self, _ctx: &Ctx) -> bool {
        true
    }

    fn can_update(&self, _ctx: &Ctx, _after: &Self) -> bool {
        true
    }

    fn can_delete(&self, _ctx: &Ctx) -> bool {
        true
    }
}

/// Rows `query` and `page`: of a limited read the server looks for no more than is wanted, wherever the documents are judged; where
/// some are denied, one more command brings the rest.
#[tokio::test]
async fn a_limited_read_asks_for_no_more() {
    let wire = Wire::new().await;
    let db = Db::mongo(wire.database.clone())
        .model::<Judged>()
        .build_lazy()
        .unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    let person = |reads| db.context(TenantId::new("acme").unwrap(), Person { reads, writes: true });
    let (ctx, nobody) = (person(true), person(false));
    let new = ["a", "b", "c", "d", "e"].map(|name| NewJudged { name: name.into() });
    Judged::create_many(&ctx, new).await.unwrap();
    let limits = |sent: Vec<SentCommand>| {
        let limits = sent
            .into_iter()
            .map(|sent| (sent.name, sent.body.get_i64("limit").ok()));
        limits.collect::<Vec<_>>()
    };
    wire.log.take();
    assert_eq!(Judged::query(&ctx).limit(3).await.unwrap().len(), 3);
    let page = Judged::query(&ctx)
        .sort(|j| j.name.asc())
        .page(2, None)
        .await
        .unwrap();
    assert_eq!(page.items.len(), 2);
    assert!(Judged::query(&nobody).limit(6).await.unwrap().is_empty());
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let find = |limit| ("find".to_owned(), limit);
    assert_eq!(
        limits(wire.log.take()),
        [find(Some(3)), find(Some(3)), find(Some(6))]
    );
    assert!(Judged::query(&nobody).limit(3).await.unwrap().is_empty());
    assert_eq!(limits(wire.log.take()), [find(Some(3)), find(None)]);
}

/// Row `query`: one cursor, however many batches; one of them is fetched while the one before it is decoded.
#[tokio::test]
async fn a_query_is_one_cursor() {
    let wire = Wire::new().await;
    let plain = wire.unrecorded("plain").await;
    let stored = (0..4_500).map(|n| {
        doc! { "organization": "acme", "name": format!("n{n}"), "tags": [], "updated": bson::DateTime::from_millis(n) }
    });
    plain.insert_many(stored).await.unwrap();
    let (all, sent) = wire.sends(async { Plain::query(&wire.ctx).await }).await;
    let mut names: Vec<_> = all.unwrap().into_iter().map(|plain| plain.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 4_500);
    assert_eq!(sent, ["find", "getMore", "getMore"]);
    let (some, sent) = wire
        .sends(async {
            Plain::query(&wire.ctx)
                .sort(|p| p.name.asc())
                .skip(3)
                .limit(7)
                .await
        })
        .await;
    assert_eq!((some.unwrap().len(), sent), (7, vec!["find".to_owned()]));
    let (none, sent) = wire.sends(async { Plain::query(&wire.ctx).limit(0).await }).await;
    assert_eq!(none.unwrap().len(), 0);
    assert!(sent.len() <= 1, "{sent:?}");
}

/// Row `get_many`: one `find` for a thousand ids, none for none.
#[tokio::test]
async fn many_ids_are_one_find() {
    let wire = Wire::new().await;
    let ids = [wire.audited("a").await.id, wire.audited("b").await.id];
    let (found, sent) = wire.sends(Audited::get_many(&wire.ctx, &ids)).await;
    assert_eq!((found.unwrap().len(), sent), (2, vec!["find".to_owned()]));
    let (found, sent) = wire.sends(Audited::get_many(&wire.ctx, [])).await;
    assert!(found.unwrap().is_empty() && sent.is_empty());
    let many: Vec<Id<Plain>> = (0..1_001).map(|_| Id::generate()).collect();
    assert_eq!(
        wire.sends(Plain::get_many(&wire.ctx, &many)).await.1,
        ["find", "find"]
    );
}

/// Row `distinct`, by the scope's exactness.
#[tokio::test]
async fn distinct_values_are_the_servers_where_the_scope_is_exact() {
    let wire = Wire::new().await;
    wire.plain("a").await;
    wire.audited("a").await;
    let plain = async { Plain::query(&wire.ctx).distinct(|p| &p.name).await };
    let (names, sent) = wire.sends(plain).await;
    assert_eq!(
        (names.unwrap(), sent),
        (vec!["a".to_owned()], vec!["aggregate".to_owned()])
    );
    let plain = async { Plain::query(&wire.ctx).distinct(|p| &p.tags).await };
    assert_eq!(wire.sends(plain).await.1, ["aggregate"]);
    let audited = async { Audited::query(&wire.ctx).distinct(|p| &p.name).await };
    assert_eq!(wire.sends(audited).await.1, ["find"]);
}

/// Some of the fields, one with another name for the server.
#[derive(Projection)]
#[projection(of = Plain)]
pub(super) struct PlainLine {
    pub(super) name: String,
}

#[derive(Projection)]
#[projection(of = Audited)]
pub(super) struct AuditedLine {
    pub(super) name: String,
}

/// Row `select`: where the scope is exact, the fields alone are sent.
#[tokio::test]
async fn a_selection_sends_the_fields_alone() {
    let wire = Wire::new().await;
    wire.plain("a").await;
    wire.audited("a").await;
    wire.log.take();
    let lines = Plain::query(&wire.ctx)
        .sort(|p| p.updated.asc())
        .select::<PlainLine>()
        .await
        .unwrap();
    assert_eq!(lines[0].name, "a");
    let lines = Audited::query(&wire.ctx).select::<AuditedLine>().await.unwrap();
    assert_eq!(lines[0].name, "a");
    let sent = wire.log.take();
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|find| carries_the_tenant(&wire.db, find, "acme")));
    let fields = doc! { "_sv": 1, "name": 1, "organization": 1, "updated": 1 };
    assert_eq!(sent[0].body.get_document("projection").unwrap(), &fields);
    assert!(
        !sent[1].body.contains_key("projection"),
        "`can_read` judges whole documents"
    );
}

/// Row `explain`.
#[tokio::test]
async fn an_explanation_is_one_find() {
    let wire = Wire::new().await;
    let id = wire.audited("a").await.id;
    let nobody = wire.person(false, false);
    let (access, sent) = wire.sends(Audited::explain(&nobody, &id)).await;
    assert_eq!(
        (access.unwrap(), sent),
        (model_core::Access::OutsideScope, vec!["find".to_owned()])
    );
}

/// Row `count`, `exists`, by the scope's exactness.
#[tokio::test]
async fn an_exact_scope_is_counted_on_the_server() {
    let wire = Wire::new().await;
    wire.plain("a").await;
    wire.audited("a").await;
    assert_eq!(wire.sends(Plain::query(&wire.ctx).count()).await.1, ["aggregate"]);
    assert_eq!(
        wire.sends(Plain::query(&wire.ctx).exists()).await.1,
        ["aggregate"]
    );
    assert_eq!(wire.sends(Audited::query(&wire.ctx).count()).await.1, ["find"]);
    assert_eq!(wire.sends(Audited::query(&wire.ctx).exists()).await.1, ["find"]);
}
