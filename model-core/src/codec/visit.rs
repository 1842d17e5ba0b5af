//! One walk over the fields of a document, to normalise, to validate, to find passwords to hash, or to erase.

use std::borrow::Cow;

use super::field_value::FieldValue;
use super::path::Path;
use crate::crypto::NewPassword;
use crate::error::Violation;
use crate::schema::{FieldSchema, Normaliser, Number, Rule};

/// What a field's declaration asks of its value.
#[derive(Debug, Clone, Copy)]
pub struct Constraints {
    normalise: &'static [Normaliser],
    rules: &'static [Rule],
}

/// What the walk is for.
#[derive(Debug)]
pub(crate) enum Mode<'a> {
    /// Trims, lower-cases, upper-cases.
    Normalise,
    /// Notes every violation.
    Validate(&'a mut Vec<Violation>),
    /// Hands over passwords that are not hashed yet.
    Passwords(&'a mut Vec<NewPassword>),
    /// Puts their PHC strings back, in the same order.
    Hashed(&'a mut std::vec::IntoIter<String>),
    /// Puts something in the place of what is personal.
    Erase,
}

/// Walks over fields; the derive tells it which.
#[derive(Debug)]
pub struct Visitor<'a> {
    mode: Mode<'a>,
    path: Path,
}

impl<'a> Visitor<'a> {
    pub(crate) fn new(mode: Mode<'a>) -> Self {
        Self {
            mode,
            path: Path::default(),
        }
    }

    /// Walks over one field.
    #[inline]
    pub fn field<T: FieldValue>(&mut self, schema: &'static FieldSchema, value: &mut T) {
        if T::INERT && schema.rules.is_empty() && schema.normalise.is_empty() && schema.pii.is_none() {
            return;
        }
        if let (Mode::Erase, Some(erased)) = (&self.mode, schema.pii) {
            if let Ok(erased) = erased().downcast::<T>() {
                *value = *erased;
            }
            return;
        }
        self.path.push_key(schema.json);
        value.visit(
            Constraints {
                normalise: schema.normalise,
                rules: schema.rules,
            },
            self,
        );
        self.path.pop();
    }

    /// Asks a rule of the user's own.
    pub fn custom<T, E: Into<Cow<'static, str>>>(
        &mut self,
        schema: &'static FieldSchema,
        value: &T,
        rule: impl FnOnce(&T) -> Result<(), E>,
    ) {
        if let Mode::Validate(_) = self.mode
            && let Err(message) = rule(value)
        {
            self.path.push_key(schema.json);
            self.reject("custom", message);
            self.path.pop();
        }
    }

    /// Walks over the elements of an array.
    pub(crate) fn items<'v, T: FieldValue>(
        &mut self,
        constraints: Constraints,
        count: usize,
        items: impl Iterator<Item = &'v mut T>,
    ) {
        self.count(constraints, count);
        for (index, item) in items.enumerate() {
            self.path.push_index(index);
            item.visit(constraints, self);
            self.path.pop();
        }
    }

    /// Walks over the values of a map.
    pub(crate) fn entries<'v, T: FieldValue>(
        &mut self,
        constraints: Constraints,
        count: usize,
        entries: impl Iterator<Item = (&'v String, &'v mut T)>,
    ) {
        self.count(constraints, count);
        for (key, value) in entries {
            self.path.push_key(key.clone());
            value.visit(constraints, self);
            self.path.pop();
        }
    }

    /// A string.
    pub(crate) fn string(&mut self, constraints: Constraints, text: &mut String) {
        match &mut self.mode {
            Mode::Normalise => Normaliser::apply_all(constraints.normalise, text),
            Mode::Validate(_) => self.check_str(constraints, text),
            Mode::Passwords(_) | Mode::Hashed(_) | Mode::Erase => {}
        }
    }

    /// Applies the rules for strings to text that is not a field's own string (an enum's name, a secret).
    pub(crate) fn check_str(&mut self, constraints: Constraints, text: &str) {
        if let Mode::Validate(_) = self.mode {
            for rule in constraints.rules {
                if let Some((name, message)) = broken_by_text(rule, text) {
                    self.reject(name, message);
                }
            }
        }
    }

    /// A number.
    pub(crate) fn number(&mut self, constraints: Constraints, number: Number) {
        if let Mode::Validate(_) = self.mode {
            for rule in constraints.rules {
                if let Some((name, message)) = broken_by_number(rule, number) {
                    self.reject(name, message);
                }
            }
        }
    }

    /// A password that is not hashed yet; the answer is its PHC string, when the walk brings it.
    pub(crate) fn password(&mut self, pending: &NewPassword) -> Option<String> {
        match &mut self.mode {
            Mode::Passwords(found) => {
                found.push(pending.clone());
                None
            }
            Mode::Hashed(hashed) => hashed.next(),
            Mode::Normalise | Mode::Validate(_) | Mode::Erase => None,
        }
    }

    fn count(&mut self, constraints: Constraints, count: usize) {
        if let Mode::Validate(_) = self.mode {
            for rule in constraints.rules {
                if let Rule::Items { min, max } = rule
                    && (min.is_some_and(|min| count < min) || max.is_some_and(|max| count > max))
                {
                    self.reject(
                        "items",
                        format!("must have {} elements", bounds(min.as_ref(), max.as_ref())),
                    );
                }
            }
        }
    }

    fn reject(&mut self, rule: &'static str, message: impl Into<Cow<'static, str>>) {
        if let Mode::Validate(violations) = &mut self.mode {
            violations.push(Violation::new(self.path.to_text(), rule, message));
        }
    }
}

fn bounds<T: std::fmt::Display>(min: Option<&T>, max: Option<&T>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "any number of".to_owned(),
    }
}

type Broken = Option<(&'static str, Cow<'static, str>)>;

fn broken_by_text(rule: &Rule, text: &str) -> Broken {
    match rule {
        Rule::Len { min, max } => {
            let count = text.chars().count();
            let out = min.is_some_and(|min| count < min) || max.is_some_and(|max| count > max);
            out.then(|| {
                (
                    "len",
                    format!("must have {} characters", bounds(min.as_ref(), max.as_ref())).into(),
                )
            })
        }
        Rule::Pattern(pattern) => {
            (!pattern.is_match(text)).then(|| ("pattern", format!("must match {}", pattern.source()).into()))
        }
        Rule::OneOf(allowed) => (!allowed.contains(&text))
            .then(|| ("one_of", format!("must be one of {}", allowed.join(", ")).into())),
        Rule::Email => {
            (!super::syntax::is_email(text)).then(|| ("email", "must be an e-mail address".into()))
        }
        Rule::Url => (!super::syntax::is_url(text)).then(|| ("url", "must be an absolute URL".into())),
        Rule::Items { .. } | Rule::Range { .. } => None,
    }
}

#[allow(clippy::cast_precision_loss)] // a bound is compared, not stored
fn broken_by_number(rule: &Rule, number: Number) -> Broken {
    let Rule::Range { min, max } = rule else {
        return None;
    };
    let below = |a: Number, b: Number| match (a, b) {
        (Number::Int(a), Number::Int(b)) => a < b,
        (Number::Float(a), Number::Float(b)) => a < b,
        (Number::Int(a), Number::Float(b)) => (a as f64) < b,
        (Number::Float(a), Number::Int(b)) => a < b as f64,
    };
    let not_a_number = matches!(number, Number::Float(value) if value.is_nan());
    let out = not_a_number
        || min.is_some_and(|min| below(number, min))
        || max.is_some_and(|max| below(max, number));
    out.then(|| {
        (
            "range",
            format!("must be {}", bounds(min.as_ref(), max.as_ref())).into(),
        )
    })
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number}"),
        }
    }
}
