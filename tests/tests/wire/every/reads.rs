//! Operations that read.

use futures_util::TryStreamExt;
use model_core::ModelExt;
use model_core::crypto::Candidate;
use model_core::query::{Group, Join};

use super::model::{Line, Parcel, Row, Tally, Thing, first_day};
use super::probes;

fn candidate() -> Candidate {
    Candidate::new("correct horse".to_owned())
}

probes! {
    "get" => |ctx, given| Thing::get(ctx, &given.one.id).await;
    "fetch" => |ctx, given| Thing::fetch(ctx, &given.one.id).await;
    "get" => |ctx, given| Parcel::get(ctx, &given.parcel.id).await;
    "get_many" => |ctx, given| Thing::get_many(ctx, [&given.one.id, &given.two.id]).await;
    "get_by" => |ctx, _given| Tally::get_by(ctx, first_day).await;
    "Query::page" => |ctx, _given| Tally::query(ctx).sort(|t| t.count.desc()).page(1, None).await;
    "get_by" => |ctx, _given| Thing::get_by(ctx, |t| t.key.eq("one")).await;
    "populate" => |ctx, given| Thing::populate(ctx, [&given.two], |two| &two.parent).await;
    "related" => |ctx, given| Thing::related(ctx, [&given.one], |t| &t.parent).await;
    "RelatedQuery::limit_each" => |ctx, given|
        Thing::related(ctx, [&given.one], |t| &t.parent).sort(|t| t.key.asc()).limit_each(1).await;
    "RelatedQuery::count" => |ctx, given| Thing::related(ctx, [&given.one], |t| &t.parent).count().await;
    "subtree" => |ctx, given| Thing::subtree(ctx, &given.one.id, |t| &t.parent).await;
    "Subtree::depth" => |ctx, given| Thing::subtree(ctx, &given.one.id, |t| &t.parent).depth(1).await;
    "ancestors" => |ctx, given| Thing::ancestors(ctx, &given.two.id, |t| &t.parent).await;
    "Ancestors::depth" => |ctx, given| Thing::ancestors(ctx, &given.two.id, |t| &t.parent).depth(1).await;
    "explain" => |ctx, given| Thing::explain(ctx, &given.one.id).await;
    "query" => |ctx, _given| Thing::query(ctx).await;
    "Query::filter" => |ctx, _given| Thing::query(ctx).filter(|t| t.key.eq("one") | t.key.ne("one")).await;
    "Query::matching" => |ctx, _given| Thing::query(ctx).matching(Thing::filter(|t| !t.key.eq("one"))).await;
    "Query::sort" => |ctx, _given| Thing::query(ctx).sort(|t| t.key.asc()).skip(1).limit(1).await;
    "Query::stream" => |ctx, _given| Thing::query(ctx).batch_size(1).stream().try_collect::<Vec<_>>().await;
    "Query::results" => |ctx, _given| Thing::query(ctx).results().await;
    "Results::stream" => |ctx, _given|
        Thing::query(ctx).batch_size(1).results().stream().try_collect::<Vec<_>>().await;
    "Results::page" => |ctx, _given| async {
        let first = Thing::query(ctx).sort(|t| t.name.desc()).results().page(1, None).await?;
        Thing::query(ctx).sort(|t| t.name.desc()).results().page(1, first.next.as_deref()).await
    }.await;
    "Query::first" => |ctx, _given| Thing::query(ctx).sort(|t| t.key.asc()).first().await;
    "Query::count" => |ctx, _given| Thing::query(ctx).count().await;
    "Query::exists" => |ctx, _given| Thing::query(ctx).exists().await;
    "Query::or_older" => |ctx, _given| Thing::query(ctx).filter(|t| t.weight.gte(7)).or_older().await;
    "Query::or_older" => |ctx, _given| Thing::query(ctx).filter(|t| t.weight.gte(7)).or_older().count().await;
    "Query::search" => |ctx, _given| Thing::query(ctx).search("one two").language("none").case_sensitive().await;
    "Search::filter" => |ctx, _given|
        Thing::query(ctx).search("one two").filter(|t| t.name.eq("thing")).skip(1).limit(1).await;
    "Search::stream" => |ctx, _given| Thing::query(ctx).batch_size(1).search("one two").stream().try_collect::<Vec<_>>().await;
    "Search::first" => |ctx, _given| Thing::query(ctx).search("one two").first().await;
    "Search::documents" => |ctx, _given| async {
        let search = || Thing::query(ctx).sort(|t| t.name.asc()).search("one two").documents();
        search().count().await?;
        search().select::<Line>().await?;
        search().distinct(|t| &t.name).await?;
        let first = search().page(1, None).await?;
        search().page(1, first.next.as_deref()).await
    }.await;
    "Query::nearest" => |ctx, _given| Thing::query(ctx).nearest(|t| &t.embedding, &[1.0, 0.0].try_into()?, 1).await;
    "Nearest::by_index" => |ctx, _given| Thing::query(ctx)
        .nearest(|t| &t.embedding, &[1.0, 0.0].try_into()?, 1).by_index("embedding_vector", 20).await;
    "Nearest::filter" => |ctx, _given| Thing::query(ctx)
        .nearest(|t| &t.embedding, &[1.0, 0.0].try_into()?, 9).filter(|t| t.name.eq("thing")).await;
    "Query::with_deleted" => |ctx, _given| Thing::query(ctx).with_deleted().await;
    "Query::with_deleted" => |ctx, _given| Thing::query(ctx).with_deleted().count().await;
    "Query::only_deleted" => |ctx, _given| Thing::query(ctx).only_deleted().await;
    "Query::only_deleted" => |ctx, _given| Thing::query(ctx).only_deleted().exists().await;
    "Query::page" => |ctx, _given| async {
        let first = Thing::query(ctx).sort(|t| t.name.asc()).page(1, None).await?;
        assert!(first.next.is_some());
        Thing::query(ctx).sort(|t| t.name.asc()).page(1, first.next.as_deref()).await
    }.await;
    "Query::distinct" => |ctx, _given| Thing::query(ctx).distinct(|t| &t.name).await;
    "Query::group" => |ctx, _given|
        Thing::query(ctx).group::<Row>(|t, row| Group::by(&row.key, &t.key).count(&row.count)).await;
    "Query::facet" => |ctx, _given| Thing::query(ctx).facet(|f| {
        let rows = f.group::<Row>(|t, row| Group::by(&row.key, &t.key).count(&row.count));
        (rows, f.select::<Line>(), f.count())
    }).await;
    "Query::select" => |ctx, _given| Thing::query(ctx).select::<Line>().await;
    "Select::first" => |ctx, _given| Thing::query(ctx).select::<Line>().first().await;
    "Select::stream" => |ctx, _given| Thing::query(ctx).select::<Line>().stream().try_collect::<Vec<_>>().await;
    "Select::count" => |ctx, _given| Thing::query(ctx).select::<Line>().count().await;
    "Select::exists" => |ctx, _given| Thing::query(ctx).select::<Line>().exists().await;
    "Select::page" => |ctx, _given| async {
        let first = Thing::query(ctx).select::<Line>().page(1, None).await?;
        assert!(first.next.is_some());
        Thing::query(ctx).select::<Line>().page(1, first.next.as_deref()).await
    }.await;
    "Select::lookup" => |ctx, _given|
        Thing::query(ctx).select::<Line>().lookup::<Line>(|t, other| Join::on(&t.name, &other.name)).await;
    "LookupQuery::first" => |ctx, _given|
        Thing::query(ctx).select::<Line>().lookup::<Line>(|t, other| Join::on(&t.key, &other.key).limit(1)).first().await;
    "LookupQuery::stream" => |ctx, _given| Thing::query(ctx).select::<Line>()
        .lookup::<Line>(|t, other| Join::on(&t.key, &other.key)).stream().try_collect::<Vec<_>>().await;
    "QueryString::query" => |ctx, _given| Thing::parse_query("limit=2").unwrap().query(ctx, 9).await;
    "QueryString::page" => |ctx, _given| Thing::parse_query("limit=2").unwrap().page(ctx, 9).await;
    "GlobalContext::audit_log" => |ctx, given| async {
        let entries = ctx.audit_log().of::<Thing>(&given.one.id).limit(5).await?;
        assert_eq!(entries.len(), 1);
        ctx.audit_log().after(&entries[0]).since(entries[0].at).until(entries[0].at).by("ada").await?;
        ctx.audit_log().entity::<Thing>().event("thing.create").await
    }.await;
    "AuditLog::verify_chain" => |ctx, _given| ctx.audit_log().verify_chain().await;
    "GlobalContext::verify_password" => |ctx, given| async {
        let found = Thing::fetch(ctx, &given.one.id).await?;
        ctx.verify_password(found.password.as_ref(), &candidate()).await
    }.await;
}
