//! Validators: what the server itself refuses, whoever writes it, planned and set like indexes.

mod generate;

use std::fmt;

use bson::{Bson, Document, doc};

use super::{compare, ledger};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{ModelSchema, ValidatorAction, ValidatorLevel, ValidatorSpec};
use crate::store::{Store, StoreError, into_error};

/// What separates the server's validators from the declared ones. It prints as a readable list.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct ValidatorPlan {
    /// The steps, one for each collection at the most.
    pub steps: Vec<ValidatorStep>,
}

/// One collection whose validator is not as declared.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ValidatorStep {
    /// The validator is set, in place of the one that is there.
    Set {
        /// The collection.
        collection: &'static str,
        /// `validator`, `validationLevel` and `validationAction`, by the server's names.
        options: Document,
        /// Where it differs from the one that is there: dotted paths. None if there is none.
        differs: Option<Vec<String>>,
    },
    /// The model declares none any more, and an earlier sync has set the one that is there: it is removed.
    Remove {
        /// The collection.
        collection: &'static str,
    },
}

impl ValidatorPlan {
    /// Whether the server has exactly the declared validators.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl fmt::Display for ValidatorPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("the validators are as declared");
        }
        for (number, step) in self.steps.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ValidatorStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set {
                collection,
                options,
                differs,
            } => {
                let option = |name: &str| options.get_str(name).unwrap_or_default();
                let (level, action) = (option(LEVEL), option(ACTION));
                match differs {
                    None => write!(f, "+ validator {collection} (level {level}, action {action})"),
                    Some(paths) => write!(f, "~ validator {collection} (differs: {})", paths.join(", ")),
                }
            }
            Self::Remove { collection } => write!(f, "- validator {collection}"),
        }
    }
}

const VALIDATOR: &str = "validator";
const LEVEL: &str = "validationLevel";
const ACTION: &str = "validationAction";

/// Compares the declared validators of `schemas` with those on the server.
///
/// # Errors
/// `Unsupported` if a model declares one and the store has none; `Unavailable` and `Store`.
pub(crate) async fn plan_validators(
    schemas: &[&'static ModelSchema],
    store: &dyn Store,
) -> Result<ValidatorPlan> {
    let mut plan = ValidatorPlan::default();
    for schema in schemas {
        let collection = schema.collection;
        let found = match store.validator(collection).await {
            // Nothing is asked for, and nothing can be there.
            Err(StoreError::Unsupported { .. }) if schema.validator.is_none() => continue,
            found => found.map_err(into_error)?,
        };
        let is_set = |found: &Document| found.get_document(VALIDATOR).is_ok_and(|set| !set.is_empty());
        let there = found.as_ref().is_some_and(is_set);
        match (&schema.validator, there) {
            (Some(spec), _) => {
                let options = declared(schema, *spec);
                let found = found.filter(|_| there).map(filled_in);
                let differs = found.map(|found| differences(&options, &found));
                if differs.as_ref().is_none_or(|differs| !differs.is_empty()) {
                    plan.steps.push(ValidatorStep::Set {
                        collection,
                        options,
                        differs,
                    });
                }
            }
            (None, true) if ledger::has_validator(store, collection).await? => {
                plan.steps.push(ValidatorStep::Remove { collection });
            }
            (None, _) => {}
        }
    }
    Ok(plan)
}

/// Carries a plan out.
///
/// # Errors
/// Those of the store; what was done before stays.
pub(crate) async fn sync_validators(plan: &ValidatorPlan, store: &dyn Store) -> Result<()> {
    for step in &plan.steps {
        let (collection, options, is_set) = match step {
            ValidatorStep::Set {
                collection, options, ..
            } => (*collection, options.clone(), true),
            ValidatorStep::Remove { collection } => (*collection, filled_in(doc! { VALIDATOR: {} }), false),
        };
        store
            .set_validator(collection, &options)
            .await
            .map_err(into_error)?;
        ledger::note_validator(store, collection, is_set).await?;
    }
    Ok(())
}

/// Refuses a plan that is not empty.
///
/// # Errors
/// `Configuration`, with the plan.
pub(crate) fn refuse_validator_drift(plan: &ValidatorPlan) -> Result<()> {
    if plan.is_empty() {
        return Ok(());
    }
    let message = format!("the validators are not as declared:\n{plan}");
    Err(Error::new(ErrorKind::Configuration, message))
}

/// The options of a declared validator.
fn declared(schema: &ModelSchema, spec: ValidatorSpec) -> Document {
    doc! {
        VALIDATOR: { "$jsonSchema": generate::json_schema(schema) },
        LEVEL: spec.level.as_str(),
        ACTION: spec.action.as_str(),
    }
}

/// The options on the server, with what it leaves out.
fn filled_in(mut found: Document) -> Document {
    for (option, value) in [
        (LEVEL, ValidatorLevel::Strict.as_str()),
        (ACTION, ValidatorAction::Error.as_str()),
    ] {
        found.entry(option.to_owned()).or_insert(value.into());
    }
    found
}

/// The dotted paths at which the two differ, without what is the same everywhere.
fn differences(declared: &Document, found: &Document) -> Vec<String> {
    let mut paths = Vec::new();
    walk(declared, found, &mut Vec::new(), &mut paths);
    paths
}

fn walk(a: &Document, b: &Document, at: &mut Vec<String>, paths: &mut Vec<String>) {
    let only_in_b = b.keys().filter(|key| !a.contains_key(key.as_str()));
    for key in a.keys().chain(only_in_b) {
        at.push(key.clone());
        match (a.get(key), b.get(key)) {
            (Some(Bson::Document(a)), Some(Bson::Document(b))) => walk(a, b, at, paths),
            (Some(a), Some(b)) if compare::same_value(a, b) => {}
            _ => {
                let told = at
                    .iter()
                    .filter(|step| !matches!(step.as_str(), VALIDATOR | "$jsonSchema" | "properties"));
                paths.push(told.cloned().collect::<Vec<_>>().join("."));
            }
        }
        at.pop();
    }
}
