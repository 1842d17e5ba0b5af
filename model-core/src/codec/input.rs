//! Inputs in: JSON to typed values, every mistake reported with its path, no value repeated.

use serde_json::{Map, Value};

use super::edit::Edit;
use super::field_value::FieldValue;
use super::path::Path;
use crate::error::{Error, ErrorKind, Violation};

/// How deep a JSON input may nest.
const MAX_DEPTH: usize = 64;

/// Collects what is wrong with an input, by path.
#[derive(Debug, Default)]
pub struct InputCx {
    path: Path,
    depth: usize,
    violations: Vec<Violation>,
    conflict: bool,
    touched: Vec<&'static str>,
}

/// The JSON types, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct JsonKind(&'static str);

/// What a JSON value is.
fn kind_of(value: &Value) -> JsonKind {
    JsonKind(match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    })
}

impl InputCx {
    /// Runs `read` one level down, at `key`.
    pub fn at<R>(&mut self, key: &'static str, read: impl FnOnce(&mut Self) -> R) -> R {
        self.path.push_key(key);
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        self.path.pop();
        result
    }

    pub(crate) fn at_key<R>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> R) -> R {
        self.path.push_key(key.to_owned());
        let result = read(self);
        self.path.pop();
        result
    }

    pub(crate) fn at_index<R>(&mut self, index: usize, read: impl FnOnce(&mut Self) -> R) -> R {
        self.path.push_index(index);
        let result = read(self);
        self.path.pop();
        result
    }

    /// Notes a violation at the current path.
    pub fn reject(&mut self, rule: &'static str, message: impl Into<std::borrow::Cow<'static, str>>) {
        self.violations
            .push(Violation::new(self.path.to_text(), rule, message));
    }

    /// Notes that the value is of the wrong JSON type.
    pub(crate) fn wrong_type<T>(&mut self, expected: &'static str, found: &Value) -> Option<T> {
        let JsonKind(found) = kind_of(found);
        self.reject("type", format!("expected {expected}, found {found}"));
        None
    }

    /// Notes that a patch names the field `json`.
    pub(crate) fn touch(&mut self, json: &'static str) {
        if self.depth == 0 {
            self.touched.push(json);
        }
    }

    /// The fields at the top level that a patch named.
    pub(crate) fn take_touched(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.touched)
    }

    /// Notes that the input speaks of another revision than the one that is stored.
    pub(crate) fn conflict(&mut self) {
        self.conflict = true;
    }

    /// The error with everything that was noted, if anything was.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) if a revision was sent that is no longer stored, else
    /// [`Invalid`](crate::ErrorKind::Invalid).
    pub fn finish(self) -> Result<(), Error> {
        if self.conflict {
            return Err(Error::new(
                ErrorKind::Conflict,
                "the revision that was sent is no longer the stored one",
            ));
        }
        if self.violations.is_empty() {
            Ok(())
        } else {
            Err(Error::invalid(self.violations))
        }
    }
}

/// The keys of a JSON object, taken one by one; what is left over is refused.
#[derive(Debug)]
pub struct ObjectInput<'c> {
    keys: Map<String, Value>,
    cx: &'c mut InputCx,
}

impl<'c> ObjectInput<'c> {
    /// The object `value`, or none and a violation.
    pub fn new(value: Value, cx: &'c mut InputCx) -> Option<Self> {
        if cx.depth > MAX_DEPTH {
            cx.reject("depth", "the input is nested too deep");
            return None;
        }
        match value {
            Value::Object(keys) => Some(Self { keys, cx }),
            other => cx.wrong_type("an object", &other),
        }
    }

    /// Takes a key without reading it.
    pub fn take(&mut self, key: &'static str) -> Option<Value> {
        self.keys.remove(key)
    }

    /// Where violations go.
    pub fn cx(&mut self) -> &mut InputCx {
        self.cx
    }

    /// A key of a create input that has to be there (unless the type is optional).
    pub fn required<T: FieldValue>(&mut self, key: &'static str) -> Option<T::Input> {
        let value = self.keys.remove(key);
        self.cx.at(key, |cx| match value {
            Some(value) => T::parse(value, cx),
            None => {
                cx.reject("required", "is required");
                None
            }
        })
    }

    /// A key of a create input that may be left out.
    pub fn optional<T: FieldValue>(&mut self, key: &'static str) -> Option<T::Input> {
        let value = self.keys.remove(key)?;
        self.cx.at(key, |cx| T::parse(value, cx))
    }

    /// A key of a patch.
    pub fn edit<T: FieldValue>(&mut self, key: &'static str) -> Edit<T> {
        let Some(value) = self.keys.remove(key) else {
            return Edit::Keep;
        };
        self.cx.at(key, |cx| match T::parse_patch(value, cx) {
            Err(_) if T::TYPE.replaces_guarded_parts() => {
                cx.reject(
                    "guarded",
                    "holds parts that an input may not see or change, so it cannot be replaced by one",
                );
                Edit::Keep
            }
            Ok(patch) => patch.map_or(Edit::Keep, Edit::Merge),
            Err(value) => T::parse(value, cx).map_or(Edit::Keep, Edit::Set),
        })
    }

    /// A key that only the application itself gives, and that cannot be left out: a JSON input cannot stand for it.
    pub fn withheld<T: FieldValue>(&mut self, key: &'static str) -> Option<T::Input> {
        self.keys.remove(key);
        self.cx.at(key, |cx| {
            cx.reject("forbidden", "is given by the application, not by an input");
        });
        None
    }

    /// Refuses a key that no input of this model may have.
    pub fn forbid(&mut self, key: &'static str, message: &'static str) {
        if self.keys.remove(key).is_some() {
            self.cx.at(key, |cx| cx.reject("forbidden", message));
        }
    }

    /// Refuses every key that was not taken.
    pub fn finish(self) {
        for key in self.keys.keys() {
            self.cx
                .at_key(key, |cx| cx.reject("unknown", "there is no such field"));
        }
    }
}
