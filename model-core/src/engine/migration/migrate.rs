//! Migration of stored documents, batch by batch, through the one write path.

use std::collections::HashMap;
use std::fmt;

use bson::RawDocumentBuf;

use super::backlog;
use crate::audit::AuditChange;
use crate::engine::audit;
use crate::engine::audit::outbox;
use crate::engine::caller::Caller;
use crate::engine::read::load;
use crate::engine::read::scan;
use crate::engine::secrets::report::ResumeToken;
use crate::engine::unit::{Action, WriteUnit};
use crate::engine::write::commit::Kind;
use crate::engine::write::plan::{Item, Plan, Written};
use crate::engine::write::{judge_only, write, write_all};
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, Test};
use crate::schema::ModelSchema;
use crate::store::{Find, Selection, into_error};
use crate::value::{IdValue, TenantId};

/// How often a document that others write at the same moment is read anew.
const ATTEMPTS: u32 = 8;

/// What a migration has done so far.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct MigrateReport {
    /// The older documents that were looked at.
    pub scanned: u64,
    /// The documents that are now of the present version.
    pub migrated: u64,
    /// The documents that somebody else wrote or deleted at the same moment, so that nothing was left to do.
    pub raced: u64,
    /// The documents that could not be migrated, each with its id and the reason. They are as they were.
    pub failed: Vec<Error>,
    /// Whether it went on where an earlier run had stopped.
    pub resumed: bool,
    /// Whether no document is of an older version any more.
    pub complete: bool,
}

impl fmt::Display for MigrateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.complete && self.scanned == 0 {
            return f.write_str("nothing to migrate");
        }
        let Self { migrated, raced, .. } = self;
        let end = if self.complete { "complete" } else { "not complete" };
        let failed = self.failed.len();
        write!(f, "{migrated} migrated, {raced} raced, {failed} failed: {end}")
    }
}

/// What a migration would do.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct MigratePreview {
    /// How many documents are of an older version.
    pub older: u64,
    /// Some of them, in the order of their ids.
    pub sample: Vec<MigrateSample>,
    /// Those of the sample that could not be migrated, each with its id and the reason.
    pub failed: Vec<Error>,
}

/// What a migration would do to one document.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MigrateSample {
    /// The document's id.
    pub id: String,
    /// The version that it is stored in.
    pub version: u32,
    /// What changes in the declared fields, before and after; secret and hidden values are not shown.
    pub changes: Vec<AuditChange>,
    /// The stored names that go away. No declared field has them, so nothing tells whether their values are secret.
    pub removed: Vec<String>,
}

/// Makes the unit of one document.
pub(crate) type Make<'m> = dyn Fn(IdValue) -> Box<dyn WriteUnit + 'm> + Send + Sync + 'm;

/// Whether the caller may migrate the documents of a model, whoever may read them.
///
/// # Errors
/// `Forbidden` unless permissions are bypassed; `Unsupported` in a transaction, which could not be taken up again.
pub(crate) async fn admit(caller: &Caller, schema: &'static ModelSchema) -> Result<()> {
    if caller.transaction.is_some() {
        let message = "a migration goes batch by batch, and not inside of a transaction";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    crate::engine::secrets::reencrypt::admit(caller, schema).await
}

/// Which documents are older.
pub(crate) struct MigrateScan<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) schema: &'static ModelSchema,
    /// What every document of the model satisfies.
    pub(crate) base_filter: Node,
    /// Those of every tenant. Each is written in a context of its own tenant.
    pub(crate) every_tenant: bool,
}

impl MigrateScan<'_> {
    /// # Errors
    /// `Configuration`: the base filter asks for what older documents do not have.
    fn selection(&self, rest: Node) -> Result<Selection> {
        if let Some(field) = backlog::newest(self.schema, &self.base_filter) {
            let message =
                "`base_filter` asks for a field that older documents do not have: it would hide them";
            return Err(Error::new(ErrorKind::Configuration, message).at_path(field.stored));
        }
        let mut older = backlog::older_than(self.schema.version).and(self.base_filter.clone());
        if self.schema.has_outbox() {
            older = older.and(Node::field(outbox::PURGE_PATH, Test::Ne(true.into())));
        }
        let rest = older.and(rest);
        if rest.is_blind() {
            let message = "a migration of a model whose `base_filter` names a secret";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        if self.every_tenant {
            return Ok(Selection::of(rest));
        }
        self.caller.select(self.schema, rest)
    }

    /// The next older documents, and where to go on after them.
    pub(crate) async fn next(
        &self,
        after: Option<&ResumeToken>,
        size: u32,
    ) -> Result<(Vec<RawDocumentBuf>, Option<ResumeToken>)> {
        let selection = self.selection(scan::after(after)?)?;
        let documents = scan::batch(&self.caller.ports, self.schema.collection, selection, size).await?;
        let resume = scan::resume(&documents, size)?;
        Ok((documents, resume))
    }

    /// How many there are.
    pub(crate) async fn count(&self) -> Result<u64> {
        let all = self.selection(Node::Everything)?;
        let find = Find::all(self.schema.collection, all);
        self.caller.ports.store.count(&find).await.map_err(into_error)
    }

    /// The documents by their tenants, each of which has a context of its own; those that name none have failed.
    pub(crate) fn by_tenant(
        &self,
        documents: Vec<RawDocumentBuf>,
        failed: &mut Vec<Error>,
    ) -> HashMap<Option<TenantId>, Vec<RawDocumentBuf>> {
        let mut tenants: HashMap<_, Vec<_>> = HashMap::new();
        for document in documents {
            let tenant = match self.schema.tenant_field() {
                Some(field) => crate::engine::read::tenant_of(&document, field).map(Some),
                None => Ok(None),
            };
            match tenant {
                Ok(tenant) => tenants.entry(tenant).or_default().push(document),
                Err(error) => failed.push(error.at_id(|| load::id_text(self.schema, document.as_bytes()))),
            }
        }
        tenants
    }
}

/// Migrates documents of one tenant, and says in the report what became of each. One that fails is taken out, and the
/// others go on without it.
///
/// # Errors
/// What is not a matter of one document: the store does not answer, the audit log cannot be written.
pub(crate) async fn migrate(
    schema: &'static ModelSchema,
    make: &Make<'_>,
    documents: Vec<RawDocumentBuf>,
    report: &mut MigrateReport,
) -> Result<()> {
    let mut parts = vec![documents];
    while let Some(mut part) = parts.pop() {
        match together(schema, make, &part).await {
            Ok((written, others)) => {
                report.migrated += written;
                report.raced += others;
            }
            Err(error) if ends_the_run(&error) => return Err(error),
            Err(error) if part.len() > 1 => {
                let half = part.len() / 2;
                let at = error.position().unwrap_or(half).min(part.len() - 1);
                let rest = part.split_off(at);
                // The one that failed is tried again alone: its error is then its own.
                let (one, rest) = match error.position() {
                    Some(_) => {
                        let mut one = rest;
                        let rest = one.split_off(1);
                        (one, rest)
                    }
                    None => (rest, Vec::new()),
                };
                parts.extend([rest, one, part].into_iter().filter(|part| !part.is_empty()));
            }
            Err(error) => {
                let raced = error.is_conflict() || error.is_not_found() || error.is_retryable();
                let raced = raced && !error.is_after_write();
                let result = match (raced, part.first()) {
                    (true, Some(document)) => again(schema, make, document).await,
                    _ => Err(error),
                };
                match result {
                    Ok(Written::Yes) => report.migrated += 1,
                    Ok(Written::Unchanged | Written::Missing) => report.raced += 1,
                    Err(error) if ends_the_run(&error) => return Err(error),
                    Err(error) => {
                        let id = part
                            .first()
                            .map(|document| load::id_text(schema, document.as_bytes()));
                        report.failed.push(error.at_id(|| id.unwrap_or_default()));
                    }
                }
            }
        }
    }
    Ok(())
}

fn ends_the_run(error: &Error) -> bool {
    error.is_after_write()
        || matches!(
            error.kind(),
            ErrorKind::Unavailable | ErrorKind::Configuration | ErrorKind::Unsupported | ErrorKind::Internal
        )
}

fn plan() -> Plan {
    Plan::new(Action::Migrate)
}

/// Writes documents together: how many, and how many needed nothing.
async fn together(
    schema: &'static ModelSchema,
    make: &Make<'_>,
    documents: &[RawDocumentBuf],
) -> Result<(u64, u64)> {
    let mut units = Vec::with_capacity(documents.len());
    for document in documents {
        units.push(make(load::id(schema, document.as_bytes())?));
    }
    let mut items: Vec<_> = units
        .iter_mut()
        .zip(documents)
        .map(|(unit, document)| Item::new(&mut **unit, plan()).found(document.clone()))
        .collect();
    write_all(&mut items).await?;
    let written = items.iter().filter(|item| item.written == Written::Yes).count() as u64;
    Ok((written, items.len() as u64 - written))
}

/// A document that somebody else has written is read again: a program of an older version may have left it old.
async fn again(schema: &'static ModelSchema, make: &Make<'_>, document: &RawDocumentBuf) -> Result<Written> {
    let id = load::id(schema, document.as_bytes())?;
    let mut attempt = 1;
    loop {
        let mut unit = make(id.clone());
        match write(&mut *unit, plan()).await {
            Err(error)
                if (error.is_conflict() || error.is_retryable())
                    && !error.is_after_write()
                    && attempt < ATTEMPTS => {}
            Err(error) if error.is_not_found() && !error.is_after_write() => return Ok(Written::Missing),
            result => return result,
        }
        tokio::time::sleep(std::time::Duration::from_millis(1 << attempt)).await;
        attempt += 1;
    }
}

/// What a migration would do to a document; nothing if it is of the present version.
pub(crate) async fn preview(
    schema: &'static ModelSchema,
    make: &Make<'_>,
    document: RawDocumentBuf,
) -> Result<Option<MigrateSample>> {
    let text = load::id_text(schema, document.as_bytes());
    let sample = judged(schema, make, document).await;
    sample.map_err(|error| error.at_id(|| text))
}

async fn judged(
    schema: &'static ModelSchema,
    make: &Make<'_>,
    document: RawDocumentBuf,
) -> Result<Option<MigrateSample>> {
    let id = load::id(schema, document.as_bytes())?;
    let version = load::stored_version(document.as_bytes())?;
    let mut unit = make(id.clone());
    let mut item = Item::new(&mut *unit, plan()).found(document);
    judge_only(&mut item).await?;
    let (Some(effect), Some(stored)) = (item.effect, item.stored) else {
        return Ok(None);
    };
    let changes = stored.written_back(schema, &effect.after)?;
    let mut removed = match effect.kind {
        Kind::Update(update) => update.unset,
        _ => Vec::new(),
    };
    removed.retain(|path| schema.top(path).is_none());
    Ok(Some(MigrateSample {
        id: id.to_string(),
        version,
        changes: changes.iter().map(audit::change).collect(),
        removed,
    }))
}
