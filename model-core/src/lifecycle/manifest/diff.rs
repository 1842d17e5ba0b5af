//! What changed from one manifest to another, and whether stored documents can still be read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};

/// What changed from one manifest to another. It prints as a readable list.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct ManifestDiff {
    /// The changes, by fact.
    pub changes: Vec<ManifestChange>,
}

/// One fact that changed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ManifestChange {
    /// The fact: `Widget.fields.name`.
    pub fact: String,
    /// What it was; none if it is new.
    pub before: Option<Value>,
    /// What it is; none if it is gone.
    pub after: Option<Value>,
    /// Why documents that are stored already need a step of `migrate`, if they do and the model's version has not
    /// grown.
    pub unmigrated: Option<&'static str>,
}

impl ManifestDiff {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Refuses changes after which stored documents are not read any more, or read as something else, in a model whose
    /// version has not grown.
    ///
    /// # Errors
    /// `Configuration`, with these changes.
    pub fn check(&self) -> Result<()> {
        let unmigrated = self.changes.iter().filter(|change| change.unmigrated.is_some());
        let told: Vec<String> = unmigrated.map(ToString::to_string).collect();
        if told.is_empty() {
            return Ok(());
        }
        let message = format!(
            "stored documents need a step of `migrate`, and the model a higher `version`:\n{}",
            told.join("\n")
        );
        Err(Error::new(ErrorKind::Configuration, message))
    }
}

impl fmt::Display for ManifestDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("the models are as in the manifest");
        }
        for (number, change) in self.changes.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{change}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ManifestChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fact = &self.fact;
        match (&self.before, &self.after) {
            (None, Some(after)) => write!(f, "+ {fact}: {}", super::sorted(after))?,
            (Some(before), None) => write!(f, "- {fact}: {}", super::sorted(before))?,
            (Some(Value::Object(before)), Some(Value::Object(after))) => {
                write!(f, "~ {fact}:")?;
                let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
                for key in keys {
                    let (old, new) = (before.get(key), after.get(key));
                    if old != new {
                        write!(f, " {key} {} -> {}", shown(old), shown(new))?;
                    }
                }
            }
            (before, after) => write!(
                f,
                "~ {fact}: {} -> {}",
                shown(before.as_ref()),
                shown(after.as_ref())
            )?,
        }
        match self.unmigrated {
            Some(reason) => write!(f, "\n  ! {reason}"),
            None => Ok(()),
        }
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "-".to_owned(), ToString::to_string)
}

type Facts = BTreeMap<String, Value>;

pub(super) fn between(before: &Facts, after: &Facts) -> ManifestDiff {
    let mut diff = ManifestDiff::default();
    let facts: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for fact in facts {
        let (old, new) = (before.get(fact), after.get(fact));
        if old == new {
            continue;
        }
        let model = fact.split('.').next().unwrap_or_default();
        let needed = if is_stepped(model, before, after) {
            None
        } else {
            reason(fact, before, after)
        };
        diff.changes.push(ManifestChange {
            fact: fact.clone(),
            before: old.cloned(),
            after: new.cloned(),
            unmigrated: needed,
        });
    }
    diff
}

/// Whether the model is new, gone, or of a higher version.
fn is_stepped(model: &str, before: &Facts, after: &Facts) -> bool {
    let version = |facts: &Facts| facts.get(&format!("{model}.version")).and_then(Value::as_u64);
    match (version(before), version(after)) {
        (Some(before), Some(after)) => after > before,
        _ => true,
    }
}

/// Why documents stored before the change need a step.
fn reason(fact: &str, before: &Facts, after: &Facts) -> Option<&'static str> {
    let (old, new) = (before.get(fact), after.get(fact));
    let (_, rest) = fact.split_once('.')?;
    match rest.split('.').next()? {
        "collection" => Some("the documents are in another collection"),
        "id" => Some("stored ids look otherwise"),
        "tenancy" => Some("stored documents have no such tenant"),
        "soft_delete" if new.is_none() => Some("documents that are marked as deleted come back"),
        "version" => Some("the version has become less"),
        first if first.starts_with("fields") => match (old, new) {
            (None, Some(new)) if is_moved(fact, new, before, after) => {
                Some("the field is stored under another name now")
            }
            (None, Some(new)) if is_required(new) && !is_in_new_variant(fact, before, after) => {
                Some("stored documents lack the field")
            }
            (Some(old), Some(new)) => changed_type(old, new),
            _ => None,
        },
        _ => None,
    }
}

fn text<'a>(fact: &'a Value, key: &str) -> &'a str {
    fact.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn is_required(fact: &Value) -> bool {
    fact.get("required") == Some(&Value::Bool(true))
}

fn parent(fact: &str) -> &str {
    fact.rsplit_once('.').map_or("", |(parent, _)| parent)
}

/// Whether a field of the same Rust name was stored beside it under a name that is gone.
fn is_moved(fact: &str, new: &Value, before: &Facts, after: &Facts) -> bool {
    before.iter().any(|(other, old)| {
        !after.contains_key(other) && parent(other) == parent(fact) && text(old, "name") == text(new, "name")
    })
}

/// Whether the field is in something of which no stored document can have one: a new optional field, array, map, or
/// variant of an enum. The parent then has a fact of its own that says what is needed.
fn is_in_new_variant(fact: &str, before: &Facts, after: &Facts) -> bool {
    let mut parent = parent(fact);
    loop {
        let bare = parent.trim_end_matches("[]").trim_end_matches("{}");
        let (field, variant) = match bare.split_once('<') {
            Some((field, variant)) if variant.ends_with('>') => (field, Some(variant.trim_end_matches('>'))),
            _ => (bare, None),
        };
        let Some(now) = after.get(field) else { return false };
        match (before.get(field), variant) {
            (None, _) => return true,
            (Some(was), Some(variant)) => {
                let names = |fact: &Value| -> Vec<String> {
                    let ty = text(fact, "type").trim_end_matches('?').to_owned();
                    let ty = ty
                        .trim_start_matches("flat ")
                        .trim_start_matches("enum ")
                        .to_owned();
                    ty.split('|').map(str::to_owned).collect()
                };
                if !names(was).iter().any(|name| name == variant)
                    && names(now).iter().any(|name| name == variant)
                {
                    return true;
                }
            }
            (Some(_), None) => {}
        }
        let above = self::parent(field);
        if above.is_empty() || above == parent {
            return false;
        }
        parent = above;
    }
}

/// Whether values of the old type are read as the new one: another type is, if it holds more of the same kind.
fn changed_type(old: &Value, new: &Value) -> Option<&'static str> {
    if is_required(new) && !is_required(old) {
        return Some("stored documents may lack the field");
    }
    let bare = |fact| text(fact, "type").trim_end_matches('?');
    let (was, is) = (bare(old), bare(new));
    (!reads(was, is)).then_some("stored values are of another type")
}

fn reads(was: &str, is: &str) -> bool {
    const WIDER: [(&str, &[&str]); 6] = [
        ("int16", &["int32", "int64", "single", "double"]),
        (
            "uint16",
            &["int32", "uint32", "int64", "uint64", "single", "double"],
        ),
        ("int32", &["int64", "double"]),
        ("uint32", &["int64", "uint64", "double"]),
        ("uint64", &["int64"]),
        ("single", &["double"]),
    ];
    if was == is || is == "dynamic" {
        return true;
    }
    for kind in ["enum ", "flat enum "] {
        if let (Some(was), Some(is)) = (was.strip_prefix(kind), is.strip_prefix(kind)) {
            let now: Vec<&str> = is.split('|').collect();
            return was.split('|').all(|variant| now.contains(&variant));
        }
    }
    for (open, close) in [('[', ']'), ('{', '}')] {
        let within = |ty: &str| Some(ty.strip_prefix(open)?.strip_suffix(close)?.to_owned());
        if let (Some(was), Some(is)) = (within(was), within(is)) {
            let is_narrower = was.ends_with('?') && !is.ends_with('?');
            return !is_narrower && reads(was.trim_end_matches('?'), is.trim_end_matches('?'));
        }
    }
    WIDER
        .iter()
        .any(|(narrow, wide)| *narrow == was && wide.contains(&is))
}
