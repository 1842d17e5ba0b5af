//! Counting what lies under which key.

use super::document_seal;
use super::reencrypt::batch;
use super::report::SecretsReport;
use super::seal::primary;
use super::sealed::sealed;
use crate::engine::caller::Caller;
use crate::engine::read::scan;
use crate::error::Result;
use crate::schema::ModelSchema;

/// Counts what lies under which key, a batch at a time.
pub(crate) async fn inspect(
    caller: &Caller,
    schema: &'static ModelSchema,
    size: u32,
) -> Result<SecretsReport> {
    let mut report = SecretsReport::default();
    let mut after = None;
    let primary = primary(caller, schema).await?;
    let current = primary.map(|primary| primary.key.id());
    let seal = match schema.seal {
        Some(spec) => Some((spec, document_seal::primary_of(caller, schema).await?)),
        None => None,
    };
    loop {
        let documents = batch(caller, schema, after.as_ref(), size).await?;
        let stored = documents.iter().map(|document| document.as_bytes());
        document_seal::prepare(&caller.ports, schema, stored).await?;
        for document in &documents {
            report.scanned += 1;
            if let Some((spec, current)) = seal {
                match document_seal::examine(&caller.ports, schema, spec, document.as_bytes()) {
                    Ok(Some(id)) => report.outdated_seals += u64::from(id != current),
                    Ok(None) => report.unsealed += 1,
                    Err(_) => report.broken_seals += 1,
                }
            }
            for found in sealed(schema, document.as_bytes())? {
                match found.envelope() {
                    None if found.is_old(schema, &caller.ports) => report.old_format += 1,
                    None => report.plaintext += 1,
                    Some(Err(_)) => report.malformed += 1,
                    Some(Ok((id, _))) if Some(id) == current => report.current += 1,
                    Some(Ok(_)) => report.outdated += 1,
                }
            }
        }
        after = scan::resume(&documents, size)?;
        if after.is_none() {
            return Ok(report);
        }
    }
}
