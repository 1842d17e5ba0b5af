//! Whether indexes cover what a test run asks.

use std::collections::BTreeSet;

use crate::db::Db;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Scan, into_error};

/// Notes every operation on a database for which MongoDB looked at all documents of a collection, since no index serves
/// it, from [`begin`](Self::begin) to [`end`](Self::end): put the tests of a service between the two, on a database of
/// their own. The server's profiler tells, so it is what it has really done.
///
/// ```no_run
/// # async fn example(db: model_core::Db) -> model_core::Result<()> {
/// use model_core::testing::IndexCoverage;
/// let coverage = IndexCoverage::begin(&db).await?;
/// // ... what the service asks ...
/// coverage.end().await
/// # }
/// ```
#[derive(Debug)]
#[must_use = "`end` says what was found"]
pub struct IndexCoverage {
    db: Db,
}

impl IndexCoverage {
    /// Begins to note.
    ///
    /// # Errors
    /// `Unsupported` on the embedded store, and those of the server.
    pub async fn begin(db: &Db) -> Result<Self> {
        db.ports().store.watch_scans().await.map_err(into_error)?;
        Ok(Self { db: db.clone() })
    }

    /// Ends it. A read without any condition, which asks for all documents, is none of its business, nor are the crate's
    /// own collections.
    ///
    /// # Errors
    /// `Configuration` with model, verb and the fields asked for of each operation that no index serves, and never a value;
    /// those of the server.
    pub async fn end(self) -> Result<()> {
        let scans = self.db.ports().store.take_scans().await.map_err(into_error)?;
        let told: BTreeSet<String> = scans.iter().filter_map(|scan| self.line(scan)).collect();
        if told.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = told.into_iter().collect();
        let message = format!("no index serves these:\n{}", lines.join("\n"));
        Err(Error::new(ErrorKind::Configuration, message))
    }

    fn line(&self, scan: &Scan) -> Option<String> {
        let models = self.db.models();
        let model = models
            .iter()
            .find(|schema| schema.collection == scan.collection)?;
        let Scan { verb, paths, .. } = scan;
        (!paths.is_empty()).then(|| format!("{}: {verb} by {}", model.name, paths.join(", ")))
    }
}
