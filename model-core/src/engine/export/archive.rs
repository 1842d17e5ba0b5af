//! The format of an archive, written and checked: JSON lines.
//!
//! The first line is the manifest: `{"format": "model-core/export/1", "tenant", "subject": {"model", "id"}, "at", "secrets":
//! "left out" | "opened", "models": [{"model", "collection", "version", "pii": [paths]}]}`. Then comes a line for each document,
//! `{"model", "document"}`, whose document is in MongoDB's Extended JSON (version 2, relaxed). The last line is
//! `{"end": true, "documents": {model: count}, "sha256"}`: the digest of all bytes before it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufRead, Write};

use bson::Document;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::schema::ModelSchema;

const FORMAT: &str = "model-core/export/1";

/// What an archive holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportReport {
    /// The number of documents of each model that has some.
    pub documents: BTreeMap<String, u64>,
    /// The SHA-256 digest of everything but the last line, in hexadecimal.
    pub sha256: String,
}

impl ExportReport {
    /// The documents of all models.
    pub fn total(&self) -> u64 {
        self.documents.values().sum()
    }

    /// Reads an archive to its end and checks that it is whole: its format, the number of documents of each model, and
    /// the digest.
    ///
    /// # Errors
    /// `Invalid`, with what is wrong; `Unavailable` if it cannot be read.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// # Note::create(&ctx, note("Buy milk")).await?;
    /// let job = ctx.dangerously_bypass_permissions("the customer asked for a copy");
    /// let mut archive = Vec::new();
    /// job.export_tenant(&mut archive).await?;
    /// assert_eq!(model_core::ExportReport::check(&archive[..])?.total(), 1);
    /// assert!(model_core::ExportReport::check(&archive[..archive.len() / 2]).is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn check(mut archive: impl BufRead) -> Result<Self> {
        let mut found = Self::default();
        let (mut digest, mut line, mut number) = (Sha256::new(), Vec::new(), 0_u64);
        loop {
            line.clear();
            archive
                .read_until(b'\n', &mut line)
                .map_err(|error| unreachable(&error))?;
            let said: Value =
                serde_json::from_slice(&line).map_err(|_| broken("it ends before its last line"))?;
            let text = |key: &str| said.get(key).and_then(Value::as_str);
            if number == 0 && text("format") != Some(FORMAT) {
                return Err(broken("it is of another format"));
            }
            if said.get("end") == Some(&Value::Bool(true)) {
                found.sha256 = hex(digest);
                let counted = said.get("documents") == Some(&json!(found.documents));
                if text("sha256") != Some(&found.sha256) || !counted {
                    return Err(broken("it is not what was written"));
                }
                return Ok(found);
            }
            if let Some(model) = text("model").filter(|_| number > 0) {
                *found.documents.entry(model.to_owned()).or_default() += 1;
            }
            digest.update(&line);
            number += 1;
        }
    }
}

fn broken(problem: &'static str) -> Error {
    Error::violation("archive", "whole", problem)
}

fn unreachable(error: &io::Error) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("the archive cannot be read or written: {}", error.kind()),
    )
}

fn hex(digest: Sha256) -> String {
    digest.finalize().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What the manifest and the audit entry say of secrets.
pub(super) fn secrets(opened: bool) -> &'static str {
    if opened { "opened" } else { "left out" }
}

/// The manifest.
pub(super) fn head(schemas: &[&'static ModelSchema], of: Value, opened: bool, at: DateTime<Utc>) -> Value {
    let models: Vec<Value> = schemas
        .iter()
        .map(|schema| {
            json!({
                "model": schema.name, "collection": schema.collection, "version": schema.version,
                "pii": schema.personal(),
            })
        })
        .collect();
    let mut head = Map::new();
    head.insert("format".to_owned(), FORMAT.into());
    if let Value::Object(of) = of {
        head.extend(of);
    }
    head.insert(
        "at".to_owned(),
        at.to_rfc3339_opts(SecondsFormat::Millis, true).into(),
    );
    head.insert("secrets".to_owned(), secrets(opened).into());
    head.insert("models".to_owned(), models.into());
    head.into()
}

/// An archive that is being written.
pub(super) struct Archive<'a> {
    out: &'a mut (dyn Write + Send),
    digest: Sha256,
    documents: BTreeMap<String, u64>,
}

impl<'a> Archive<'a> {
    pub(super) fn begin(out: &'a mut (dyn Write + Send), head: &Value) -> Result<Self> {
        let mut archive = Self {
            out,
            digest: Sha256::new(),
            documents: BTreeMap::new(),
        };
        archive.line(head)?;
        Ok(archive)
    }

    pub(super) fn document(&mut self, schema: &'static ModelSchema, document: &Document) -> Result<()> {
        let document = serde_json::to_value(document)
            .map_err(|_| Error::new(ErrorKind::Decode, "the document has no JSON form"))?;
        self.line(&json!({ "model": schema.name, "document": document }))?;
        *self.documents.entry(schema.name.to_owned()).or_default() += 1;
        Ok(())
    }

    fn line(&mut self, said: &Value) -> Result<()> {
        let line = format!("{said}\n");
        self.digest.update(&line);
        self.out
            .write_all(line.as_bytes())
            .map_err(|error| unreachable(&error))
    }

    pub(super) fn end(self) -> Result<ExportReport> {
        let report = ExportReport {
            documents: self.documents,
            sha256: hex(self.digest),
        };
        let end = json!({ "end": true, "documents": report.documents, "sha256": report.sha256 });
        let out = self.out;
        writeln!(out, "{end}")
            .and_then(|()| out.flush())
            .map_err(|error| unreachable(&error))?;
        Ok(report)
    }
}
