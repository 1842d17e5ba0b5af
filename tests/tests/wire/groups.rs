//! Groups and lookups.

use super::*;

/// A row over the names.
#[derive(Clone, PartialEq, Embedded)]
struct Named {
    name: String,
    count: i64,
}

/// Row `group`, by the scope's exactness: the pipeline begins with the tenant.
#[tokio::test]
async fn groups_are_the_servers_where_the_scope_is_exact() {
    use model_core::query::Group;
    let wire = Wire::new().await;
    for name in ["$name", "b", "b"] {
        wire.plain(name).await;
        wire.audited(name).await;
    }
    let plain = Plain::query(&wire.ctx)
        .filter(|p| p.organization.ne(TenantId::new("globex").unwrap()))
        .group::<Named>(|p, row| Group::by(&row.name, &p.name).count(&row.count))
        .filter(|row| row.name.in_(["$name", "b"]))
        .sort(|row| row.count.desc());
    let (rows, sent) = wire.sends(plain.into_future()).await;
    let expected = [("b", 2), ("$name", 1)].map(|(name, count)| Named {
        name: name.into(),
        count,
    });
    assert_eq!(
        (rows.unwrap().as_slice(), sent),
        (&expected[..], vec!["aggregate".to_owned()])
    );
    let facet = Plain::query(&wire.ctx).facet(|f| {
        let rows = f.group::<Named>(|p, row| Group::by(&row.name, &p.name).count(&row.count));
        let other = TenantId::new("globex").unwrap();
        let picked = f.select::<PlainLine>().filter(|p| p.organization.eq(other));
        (rows.sort(|row| row.count.desc()), picked, f.select::<PlainLine>())
    });
    let (answers, sent) = wire.sends(facet.into_future()).await;
    let (rows, picked, all) = answers.unwrap();
    assert_eq!((rows.as_slice(), picked.len(), all.len()), (&expected[..], 0, 3));
    assert_eq!(sent, ["aggregate"]);
    let facet = Audited::query(&wire.ctx).facet(|f| (f.count(),));
    let (answers, sent) = wire.sends(facet.into_future()).await;
    assert_eq!((answers.unwrap(), sent), ((3,), vec!["find".to_owned()]));
    let audited = Audited::query(&wire.ctx)
        .group::<Named>(|p, row| Group::by(&row.name, &p.name).count(&row.count))
        .sort(|row| row.count.desc());
    let (rows, sent) = wire.sends(audited.into_future()).await;
    assert_eq!(
        (rows.unwrap().as_slice(), sent),
        (&expected[..], vec!["find".to_owned()])
    );
}

#[derive(Projection)]
#[projection(of = Audited)]
struct AuditedName {
    name: String,
}

/// Row `lookup`: one aggregation; the other model's tenant and scope stand inside of the `$lookup`, and its fields alone are
/// sent where nobody has to be asked about the rest.
#[tokio::test]
async fn a_lookup_has_the_tenant_on_either_side() {
    use model_core::query::Join;
    let wire = Wire::new().await;
    for name in ["a", "b"] {
        wire.plain(name).await;
        wire.audited(name).await;
    }
    let plain = Plain::query(&wire.ctx).select::<PlainLine>();
    let lookup = plain.lookup::<AuditedName>(|p, a| {
        let other = TenantId::new("globex").unwrap();
        Join::on(&p.name, &a.name)
            .filter(a.organization.ne(other))
            .limit(1)
    });
    let (found, sent) = wire.sends(lookup.into_future()).await;
    assert_eq!(sent, ["aggregate"]);
    for one in found.unwrap() {
        assert_eq!((one.joined.len(), &one.joined[0].name), (1, &one.item.name));
    }
    wire.log.take();
    let nobody = wire.person(false, false);
    let lookup = || Audited::query(&wire.ctx).select::<AuditedName>();
    let lookup = lookup().lookup::<PlainLine>(|a, p| Join::on(&a.name, &p.name).sort(p.name.asc()).limit(3));
    assert_eq!(lookup.await.unwrap().len(), 2);
    let command = wire.log.take().remove(0);
    carries_the_tenant(&wire.db, &command, "acme");
    let stages = command.body.get_array("pipeline").unwrap();
    let inside = stages
        .iter()
        .find_map(|stage| stage.as_document().unwrap().get_document("$lookup").ok());
    let inside = inside.unwrap().get_array("pipeline").unwrap();
    let names: Vec<_> = inside
        .iter()
        .map(|stage| stage.as_document().unwrap().keys().next().unwrap())
        .collect();
    assert_eq!(names, ["$match", "$sort", "$limit", "$project"]);
    // Who may read nothing of the other model gets nothing of it.
    let own = Plain::query(&nobody).select::<PlainLine>();
    let own = own.lookup::<PlainLine>(|a, b| Join::on(&a.name, &b.name));
    let (found, _) = wire.sends(own.into_future()).await;
    assert!(found.unwrap().is_empty());
}
