//! Every verb, called as an application does, and what its caller is told.

use std::sync::{Arc, Mutex};

use futures_util::TryStreamExt;
use model_core::prelude::*;
use model_core::{BulkOutcome, ErrorKind, ModelExt};

use crate::model::{Ctx, NewPaper, NewPaperOptional, Paper, PaperPatch, Stage};
use crate::reads::{self, Read, Told};
use crate::rules::{Outcome, Plain, Who};

/// A new document.
#[derive(Debug, Clone)]
pub(crate) struct New {
    pub(crate) owner: String,
    pub(crate) level: i64,
    pub(crate) code: String,
    pub(crate) text: String,
    /// Of whatever tenant.
    pub(crate) parent: Option<Id<Paper>>,
}

impl New {
    pub(crate) fn plain(&self, tenant: usize) -> Plain {
        let Self {
            owner,
            level,
            code,
            text,
            parent,
        } = self.clone();
        Plain {
            id: None,
            tenant,
            owner,
            level,
            code,
            text,
            parent,
            count: 0,
        }
    }

    fn input(&self) -> NewPaper {
        let Self {
            owner,
            level,
            code,
            text,
            parent,
        } = self.clone();
        NewPaper {
            owner,
            level,
            code,
            text,
            optional: NewPaperOptional {
                parent: parent.as_ref().map(Ref::to),
                ..Default::default()
            },
        }
    }
}

/// What is changed.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) owner: Option<String>,
    pub(crate) level: Option<i64>,
    pub(crate) text: Option<String>,
}

impl Change {
    pub(crate) fn apply(&self, paper: &mut Plain) {
        paper.text = self.text.clone().unwrap_or(paper.text.clone());
        paper.owner = self.owner.clone().unwrap_or(paper.owner.clone());
        paper.level = self.level.unwrap_or(paper.level);
    }

    fn patch(&self) -> PaperPatch {
        PaperPatch {
            text: self.text.clone().map_or(Keep, Set),
            owner: self.owner.clone().map_or(Keep, Set),
            level: self.level.map_or(Keep, Set),
            ..Default::default()
        }
    }
}

/// Which documents are meant. The text of one that the caller must not see is a guess.
#[derive(Debug, Clone)]
pub(crate) enum Where {
    All,
    Level(i64),
    NotOwner(String),
    Code(String),
    Text(String),
}

impl Where {
    pub(crate) fn selects(&self, paper: &Plain) -> bool {
        match self {
            Self::All => true,
            Self::Level(level) => paper.level == *level,
            Self::NotOwner(owner) => paper.owner != *owner,
            Self::Code(code) => paper.code == *code,
            Self::Text(text) => paper.text == *text,
        }
    }

    pub(crate) fn filter(&self) -> Filter<Paper> {
        Paper::filter(|p| match self {
            Self::All => Filter::all(),
            Self::Level(level) => p.level.eq(*level),
            Self::NotOwner(owner) => p.owner.ne(owner),
            Self::Code(code) => p.code.eq(code),
            Self::Text(text) => p.text.eq(text),
        })
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Call {
    Create(New),
    CreateMany(Vec<New>),
    Get(Id<Paper>),
    Fetch(Id<Paper>),
    Query(Where),
    Stream(Where),
    First(Where),
    Page(Where, usize, usize),
    Count(Where),
    Exists(Where),
    Update(Id<Paper>, Change),
    UpdateWith(Id<Paper>, Change),
    Modify(Id<Paper>, Change),
    UpdateMany(Where, Change),
    DeleteMany(Where),
    Delete(Id<Paper>),
    Bulk(New, (Id<Paper>, Change), Id<Paper>),
    Upsert(New, Change),
    Claim(Change),
    History,
    Replace(Id<Paper>, New),
    Read(Read),
    /// And whether it fails at the end.
    Transaction(Vec<Call>, bool),
}

impl Call {
    /// Whether the caller said this id itself.
    pub(crate) fn names(&self, id: &str) -> bool {
        format!("{self:?}").contains(id)
    }
}

/// What a caller is told.
#[derive(Debug)]
pub(crate) enum Found {
    /// Documents, and their views as JSON.
    Papers(Vec<Paper>, String),
    /// A number, and what it was counted from.
    Count(u64, String),
    Did(bool),
    Told(Told),
    Failed(ErrorKind, String),
    Parts(Vec<Found>, bool),
}

impl Found {
    pub(crate) fn plain(&self) -> Outcome {
        match self {
            Self::Papers(papers, _) => Outcome::Papers(papers.iter().map(|one| one.text.clone()).collect()),
            Self::Count(count, _) => Outcome::Count(*count),
            Self::Did(did) => Outcome::Did(*did),
            Self::Told(told) => Outcome::Told(told.clone()),
            Self::Failed(kind, _) => Outcome::Failed(*kind),
            Self::Parts(parts, done) => Outcome::Parts(parts.iter().map(Self::plain).collect(), *done),
        }
    }

    pub(crate) fn each_paper(&self, see: &mut impl FnMut(&str, &Id<Paper>)) {
        match self {
            Self::Papers(papers, _) => papers.iter().for_each(|one| see(&one.text, &one.id)),
            Self::Parts(parts, _) => parts.iter().for_each(|part| part.each_paper(see)),
            _ => {}
        }
    }

    /// All that there is to be read in it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Papers(papers, views) => format!("{papers:?} {views}"),
            Self::Count(_, text) | Self::Failed(_, text) => text.clone(),
            Self::Did(_) => String::new(),
            Self::Told(told) => format!("{told:?}"),
            Self::Parts(parts, _) => parts.iter().map(Self::shown).collect::<Vec<_>>().join(" "),
        }
    }

    /// All that errors say.
    pub(crate) fn errors(&self) -> Vec<&str> {
        match self {
            Self::Failed(_, text) => vec![text],
            Self::Parts(parts, _) => parts.iter().flat_map(Self::errors).collect(),
            _ => vec![],
        }
    }
}

pub(crate) fn papers(ctx: &Ctx, papers: impl IntoIterator<Item = Paper>) -> Found {
    let papers: Vec<_> = papers.into_iter().collect();
    let views = papers.iter().cloned().map(|one| one.into_view(ctx));
    let views = serde_json::to_string(&views.collect::<Vec<_>>()).unwrap();
    Found::Papers(papers, views)
}

fn failed(error: &Error) -> Found {
    let mut text = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text += &format!(" {cause} {cause:?}");
        source = cause.source();
    }
    Found::Failed(error.kind(), text)
}

pub(crate) async fn perform(stage: &Stage, who: &Who, call: &Call) -> Found {
    let ctx = &stage.context(who);
    let Call::Transaction(calls, fails) = call else {
        return single(ctx, call).await.unwrap_or_else(|error| failed(&error));
    };
    let parts = Arc::new(Mutex::new(Vec::new()));
    let done = ctx.transaction(|tx| {
        let parts = parts.clone();
        async move {
            // It may run again.
            parts.lock().unwrap().clear();
            for call in calls {
                let found = single(&tx, call).await;
                let told = found.as_ref().map_or_else(failed, |_| Found::Did(true));
                parts.lock().unwrap().push(told);
                *parts.lock().unwrap().last_mut().unwrap() = match found {
                    Ok(found) => found,
                    Err(error) => return Err(error),
                };
            }
            if *fails {
                Err(Error::refused("enough"))
            } else {
                Ok(())
            }
        }
    });
    let done = done.await.is_ok();
    let parts = std::mem::take(&mut *parts.lock().unwrap());
    Found::Parts(parts, done)
}

async fn single(ctx: &Ctx, call: &Call) -> Result<Found> {
    let query = |of: &Where| Paper::query(ctx).matching(of.filter()).sort(|p| p.code.asc());
    Ok(match call {
        Call::Create(new) => papers(ctx, [Paper::create(ctx, new.input()).await?]),
        Call::CreateMany(news) => papers(ctx, Paper::create_many(ctx, news.iter().map(New::input)).await?),
        Call::Get(id) => papers(ctx, Paper::get(ctx, id).await?),
        Call::Fetch(id) => papers(ctx, [Paper::fetch(ctx, id).await?]),
        Call::Query(of) => papers(ctx, query(of).await?),
        Call::Stream(of) => papers(ctx, query(of).stream().try_collect::<Vec<_>>().await?),
        Call::First(of) => papers(ctx, query(of).first().await?),
        Call::Page(of, skip, limit) => papers(ctx, query(of).skip(*skip as u64).limit(*limit as u64).await?),
        Call::Count(of) => Found::Count(query(of).count().await?, String::new()),
        Call::Exists(of) => Found::Did(query(of).exists().await?),
        Call::Update(id, change) => papers(ctx, [Paper::update(ctx, id, change.patch()).await?]),
        Call::UpdateWith(id, change) => {
            let Change { owner, level, text } = change.clone();
            let text = text.unwrap();
            let updated = match (owner, level) {
                (None, None) => Paper::update_with(ctx, id, |p| p.text.set(text)).await?,
                (None, Some(level)) => {
                    Paper::update_with(ctx, id, |p| p.text.set(text).and(p.level.set(level))).await?
                }
                (Some(owner), None) => {
                    Paper::update_with(ctx, id, |p| p.text.set(text).and(p.owner.set(owner))).await?
                }
                (Some(owner), Some(level)) => {
                    let all = |p: &'static <Paper as Model>::Fields| {
                        p.text.set(text).and(p.owner.set(owner)).and(p.level.set(level))
                    };
                    Paper::update_with(ctx, id, all).await?
                }
            };
            papers(ctx, [updated])
        }
        Call::Modify(id, change) => {
            let modified = Paper::modify(ctx, id, |_| Ok(Some(change.patch()))).await?;
            papers(ctx, [modified])
        }
        Call::UpdateMany(of, change) => {
            let report = Paper::update_many(ctx, |_| of.filter(), change.patch())
                .allow_all()
                .await?;
            Found::Count(report.matched, format!("{report:?}"))
        }
        Call::DeleteMany(of) => {
            let report = Paper::delete_many(ctx, |_| of.filter()).allow_all().await?;
            Found::Count(report.written, format!("{report:?}"))
        }
        Call::Delete(id) => Found::Did(Paper::delete(ctx, id).await?),
        Call::Bulk(new, (updated, change), deleted) => {
            let bulk = Paper::bulk(ctx)
                .update(updated.clone(), change.patch())
                .create(new.input())
                .delete(deleted.clone());
            let outcomes = bulk.await?.into_iter().filter_map(|outcome| match outcome {
                BulkOutcome::Created(one) | BulkOutcome::Updated(one) | BulkOutcome::Unchanged(one) => {
                    Some(one)
                }
                _ => None,
            });
            papers(ctx, outcomes)
        }
        Call::Upsert(new, change) => {
            let upserted = Paper::upsert(ctx, |p| p.code.eq(&new.code), new.input(), change.patch());
            papers(ctx, [upserted.await?.into_document()])
        }
        Call::Claim(change) => {
            let patch = PaperPatch {
                count: Set(1),
                ..change.patch()
            };
            let open = Paper::query(ctx).filter(|p| p.count.eq(0)).sort(|p| p.code.asc());
            papers(ctx, open.claim(patch).await?)
        }
        Call::History => {
            let entries = ctx.audit_log().await?;
            Found::Count(entries.len() as u64, format!("{entries:?}"))
        }
        Call::Replace(id, new) => papers(ctx, [Paper::replace(ctx, id, new.input()).await?]),
        Call::Read(read) => reads::perform(ctx, read).await?,
        Call::Transaction(..) => unreachable!("transactions are not nested here"),
    })
}
