//! The manifest: all models as a text that is put under version control and read in reviews.

mod diff;
mod facts;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

pub use self::diff::{ManifestChange, ManifestDiff};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::ModelSchema;

/// All registered models, fact by fact. It prints as JSON: sorted, one line a fact, the same text for the same models.
///
/// ```
/// # async fn example(db: model_core::Db) -> model_core::Result<()> {
/// use model_core::Manifest;
/// let committed = std::fs::read_to_string("models.json").unwrap_or_else(|_| "{}".to_owned());
/// let diff = Manifest::parse(&committed)?.diff(&db.manifest());
/// println!("{diff}");
/// diff.check()
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Manifest {
    facts: BTreeMap<String, Value>,
}

impl Manifest {
    pub(crate) fn of(schemas: &[&'static ModelSchema]) -> Self {
        Self {
            facts: facts::all(schemas),
        }
    }

    /// Reads the text of a manifest.
    ///
    /// # Errors
    /// `Invalid`: it is not a JSON object.
    pub fn parse(text: &str) -> Result<Self> {
        let facts = serde_json::from_str(text)
            .map_err(|_| Error::new(ErrorKind::Invalid, "the manifest is not a JSON object"))?;
        Ok(Self { facts })
    }

    /// What separates this manifest from a `newer` one.
    pub fn diff(&self, newer: &Self) -> ManifestDiff {
        diff::between(&self.facts, &newer.facts)
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (number, (fact, value)) in self.facts.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            write!(f, "{comma}\n  {}: {}", Value::from(fact.as_str()), sorted(value))?;
        }
        f.write_str("\n}\n")
    }
}

/// With the keys of objects in the order of the alphabet.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(keys) => {
            let sorted: BTreeMap<_, _> = keys.iter().map(|(key, value)| (key, sorted(value))).collect();
            sorted
                .into_iter()
                .map(|(key, value)| (key.clone(), value))
                .collect()
        }
        other => other.clone(),
    }
}
