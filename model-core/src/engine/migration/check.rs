//! Reading what is stored only to see whether it can be read, and whether what it refers to is there, batch by batch.

use std::fmt;

use crate::codec::{DecodeCx, DecodeError, RawValue};
use crate::engine::caller::Caller;
use crate::engine::read::load;
use crate::engine::read::scan;
use crate::engine::references::dangling::Links;
use crate::engine::secrets::document_seal;
use crate::engine::secrets::report::ResumeToken;
use crate::engine::unit::ReadUnit;
use crate::error::{Error, ErrorKind, Result};
use crate::query::Node;
use crate::schema::ModelSchema;
use crate::store::{Find, Selection, Unwound, into_error};
use crate::value::{IdValue, TenantId};

/// How many errors a report holds; beyond that they are counted.
const MOST_ERRORS: usize = 1_000;

/// What a check of the stored documents has found so far.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct CheckReport {
    /// The documents that were looked at.
    pub scanned: u64,
    /// Those of an older version than the program's.
    pub older: u64,
    /// Those that can be neither migrated nor decoded.
    pub unreadable: u64,
    /// The references of readable documents that lead nowhere: what they name is not there, or is another tenant's.
    pub dangling: u64,
    /// Why, for the first thousand of both, each with the document's id; those of a reference are `NotFound`, with its path.
    pub errors: Vec<Error>,
    /// Where to go on; none when all documents were looked at.
    pub resume: Option<ResumeToken>,
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            scanned,
            older,
            unreadable,
            dangling,
            ..
        } = self;
        write!(
            f,
            "{scanned} documents, {older} older, {unreadable} unreadable, {dangling} dangling"
        )
    }
}

impl CheckReport {
    fn note(&mut self, error: Error) {
        if self.errors.len() < MOST_ERRORS {
            self.errors.push(error);
        }
    }
}

/// Looks at the next documents, and says in the report where to go on.
pub(crate) async fn check(unit: &mut dyn ReadUnit, size: u32, report: &mut CheckReport) -> Result<()> {
    let schema = unit.schema();
    let rest = scan::after(report.resume.as_ref())?.and(unit.base_filter());
    if rest.is_blind() {
        let message = "a check of a model whose `base_filter` names a secret";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    let selection = unit.caller().select(schema, rest)?;
    let documents = scan::batch(&unit.caller().ports, schema.collection, selection, size).await?;
    let stored = documents.iter().map(|document| document.as_bytes());
    document_seal::prepare(&unit.caller().ports, schema, stored).await?;
    let mut links = Links::of(schema);
    for (place, document) in documents.iter().enumerate() {
        report.scanned += 1;
        let raw = document.as_bytes();
        match read(unit, raw, &mut |present| links.note(place, present)) {
            Ok(is_older) => report.older += u64::from(is_older),
            Err(error) => {
                report.unreadable += 1;
                report.note(error.at_id(|| load::id_text(schema, raw)));
            }
        }
    }
    let mut dangling = |error| {
        report.dangling += 1;
        report.note(error);
    };
    links
        .judge(unit.caller(), schema, &documents, &mut dangling)
        .await?;
    report.resume = scan::resume(&documents, size)?;
    Ok(())
}

/// Whether the document is of an older version; that it can be read goes without saying. What it is in the present version is
/// shown once it is decoded.
fn read(unit: &mut dyn ReadUnit, raw: &[u8], show: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
    let document = load::migrated(unit, raw)?;
    let decoding = load::decoding(unit.schema(), &document, None);
    let cx = DecodeCx::root(decoding.as_ref());
    unit.decode(&document, &cx).map_err(DecodeError::into_error)?;
    unit.judge(&mut |_, _| false);
    show(&document)?;
    Ok(load::stored_version(raw)? < unit.schema().version)
}

/// The tenants that have documents of a model, in no order; none for a global model. The caller must have been admitted.
pub(crate) async fn tenants(caller: &Caller, schema: &'static ModelSchema) -> Result<Vec<TenantId>> {
    let Some(field) = schema.tenant_field() else {
        return Ok(Vec::new());
    };
    let find = Find::all(schema.collection, Selection::of(Node::Everything));
    let unwound = Unwound {
        path: field.to_owned(),
        arrays: Vec::new(),
    };
    let cursor = caller.ports.store.distinct(&find, &unwound).await;
    let mut cursor = cursor.map_err(into_error)?;
    let mut found: Vec<TenantId> = Vec::new();
    while cursor.advance().await.map_err(into_error)? {
        cursor.each(&mut |raw| {
            let value = load::raw_field(raw, "_id")?.filter(|value| !RawValue::is_null(*value));
            // What is no tenant's id belongs to none.
            if let Some(Ok(tenant)) = value.map(IdValue::decode) {
                let tenant = TenantId::from_value(tenant);
                if !found.contains(&tenant) {
                    found.push(tenant);
                }
            }
            Ok(true)
        })?;
    }
    found.sort_by_key(ToString::to_string);
    Ok(found)
}
