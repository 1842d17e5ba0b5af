//! The reads that tell more, or less, than a list of documents: as an application calls them, and by the rules.

use std::collections::{BTreeMap, BTreeSet};

use model_core::prelude::*;
use model_core::query::{Group, Join};
use model_core::{Access, ModelExt};

use crate::calls::{Found, Where, papers};
use crate::model::{Ctx, Paper};
use crate::rules::{Outcome, Plain, Role, State, Who, reads};

#[derive(Debug, Clone)]
pub(crate) enum Read {
    /// Page by page, that many on each.
    Pages(Where, usize),
    Select(Where),
    Distinct(Where),
    Levels(Where),
    /// Each with those of the same owner.
    Lookup(Where),
    Facet(Where),
    GetMany(Vec<Id<Paper>>),
    GetBy(String),
    Explain(Id<Paper>),
    /// What they are below.
    Parents(Where),
    /// What is below these, and how many.
    Related(Vec<Id<Paper>>),
}

/// What such a read tells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told {
    Texts(BTreeSet<String>),
    Levels(BTreeMap<i64, u64>),
    Pairs(BTreeMap<String, BTreeSet<String>>),
    Facet(BTreeMap<i64, u64>, BTreeSet<String>, u64),
    Access(Access),
}

#[derive(Projection)]
#[projection(of = Paper)]
struct Line {
    text: String,
}

#[derive(Clone, Embedded)]
struct Level {
    level: i64,
    count: i64,
}

fn texts(lines: Vec<Line>) -> BTreeSet<String> {
    lines.into_iter().map(|line| line.text).collect()
}

fn levels(rows: &[Level]) -> BTreeMap<i64, u64> {
    let pairs = rows.iter().map(|row| (row.level, row.count.unsigned_abs()));
    pairs.collect()
}

pub(crate) async fn perform(ctx: &Ctx, read: &Read) -> Result<Found> {
    let query = |of: &Where| Paper::query(ctx).matching(of.filter());
    Ok(Found::Told(match read {
        Read::Pages(of, size) => return pages(ctx, of, *size).await,
        Read::Select(of) => Told::Texts(texts(query(of).select::<Line>().await?)),
        Read::Distinct(of) => Told::Texts(query(of).distinct(|p| &p.text).await?.into_iter().collect()),
        Read::Levels(of) => {
            let rows = query(of).group::<Level>(|p, row| Group::by(&row.level, &p.level).count(&row.count));
            Told::Levels(levels(&rows.await?))
        }
        Read::Lookup(of) => {
            let lookup = query(of).select::<Line>();
            let found = lookup
                .lookup::<Line>(|p, other| Join::on(&p.owner, &other.owner))
                .await?;
            let pairs = found.into_iter().map(|one| (one.item.text, texts(one.joined)));
            Told::Pairs(pairs.collect())
        }
        Read::Facet(of) => {
            let facet = query(of).facet(|f| {
                let rows = f.group::<Level>(|p, row| Group::by(&row.level, &p.level).count(&row.count));
                (rows, f.select::<Line>(), f.count())
            });
            let (rows, lines, count) = facet.await?;
            Told::Facet(levels(&rows), texts(lines), count)
        }
        Read::GetMany(ids) => return Ok(papers(ctx, Paper::get_many(ctx, ids).await?)),
        Read::GetBy(code) => return Ok(papers(ctx, Paper::get_by(ctx, |p| p.code.eq(code)).await?)),
        Read::Explain(id) => Told::Access(Paper::explain(ctx, id).await?),
        Read::Parents(of) => {
            let children = query(of).await?;
            let parents = Paper::populate(ctx, &children, |p| &p.parent).await?;
            return Ok(papers(ctx, parents.into_documents()));
        }
        Read::Related(ids) => {
            let counts = Paper::related(ctx, ids, |p| &p.parent).count().await?;
            let related = Paper::related(ctx, ids, |p| &p.parent).await?;
            for id in ids {
                assert_eq!(counts.of(id), related.of(id).len() as u64);
            }
            return Ok(papers(ctx, related.into_documents()));
        }
    }))
}

/// However many there are that nobody shows: each page but the last is full.
async fn pages(ctx: &Ctx, of: &Where, size: usize) -> Result<Found> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let query = Paper::query(ctx).matching(of.filter()).sort(|p| p.level.desc());
        let page = query.page(size as u64, after.as_deref()).await?;
        assert!(page.items.len() <= size);
        assert!(
            page.next.is_none() || page.items.len() == size,
            "a page with holes"
        );
        all.extend(page.items);
        match page.next {
            Some(next) => after = Some(next.to_string()),
            None => break,
        }
    }
    let ids: BTreeSet<_> = all.iter().map(|one| one.id.to_string()).collect();
    assert_eq!(ids.len(), all.len(), "a document on two pages");
    Ok(papers(ctx, all))
}

/// What the rules say that it tells.
pub(crate) fn expected(state: &State, who: &Who, read: &Read) -> Outcome {
    let found = |of: &Where| state.readable_papers(who, of);
    let texts = |papers: &[&Plain]| papers.iter().map(|one| one.text.clone()).collect::<BTreeSet<_>>();
    let of_ids = |ids: &[&Id<Paper>]| {
        let all = found(&Where::All);
        let named = all
            .into_iter()
            .filter(|one| one.id.as_ref().is_some_and(|id| ids.contains(&id)));
        Outcome::Papers(texts(&named.collect::<Vec<_>>()))
    };
    let levels = |papers: &[&Plain]| {
        let mut levels = BTreeMap::new();
        papers
            .iter()
            .for_each(|one| *levels.entry(one.level).or_default() += 1);
        levels
    };
    Outcome::Told(match read {
        Read::Pages(of, _) => return Outcome::Papers(texts(&found(of))),
        Read::Select(of) | Read::Distinct(of) => Told::Texts(texts(&found(of))),
        Read::Levels(of) => Told::Levels(levels(&found(of))),
        Read::Lookup(of) => {
            let all = found(&Where::All);
            let of_owner = |owner: &str| {
                let same = all.iter().filter(|one| one.owner == owner);
                same.map(|one| one.text.clone()).collect()
            };
            let pairs = found(of)
                .into_iter()
                .map(|one| (one.text.clone(), of_owner(&one.owner)));
            Told::Pairs(pairs.collect())
        }
        Read::Facet(of) => {
            let found = found(of);
            Told::Facet(levels(&found), texts(&found), found.len() as u64)
        }
        Read::GetMany(ids) => return of_ids(&ids.iter().collect::<Vec<_>>()),
        Read::GetBy(code) => return Outcome::Papers(texts(&found(&Where::Code(code.clone())))),
        Read::Explain(id) => {
            let mut own = state.papers.iter().filter(|one| one.tenant == who.tenant);
            Told::Access(match own.find(|one| one.id.as_ref() == Some(id)) {
                None => Access::Missing,
                Some(one) if who.role == Role::Viewer && one.level != 0 => Access::OutsideScope,
                Some(one) if !reads(who, one) => Access::DeniedByCanRead,
                Some(_) => Access::Granted,
            })
        }
        Read::Parents(of) => {
            let children = found(of);
            return of_ids(
                &children
                    .iter()
                    .filter_map(|one| one.parent.as_ref())
                    .collect::<Vec<_>>(),
            );
        }
        Read::Related(ids) => {
            let mut below = found(&Where::All);
            below.retain(|one| one.parent.as_ref().is_some_and(|parent| ids.contains(parent)));
            return Outcome::Papers(texts(&below));
        }
    })
}
