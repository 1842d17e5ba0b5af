//! What must hold for any text that is read as a filter from outside: asked by the tests and by a target of `fuzz/`.

use model_core::prelude::*;
use serde_json::Value;

struct Nobody;

impl Actor for Nobody {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("nobody")
    }
}

#[derive(Clone, Embedded)]
struct Limits {
    #[model(filterable, sortable)]
    daily: u32,
    note: String,
}

/// A field of every kind that can be asked about, and some that cannot.
#[derive(Clone, Model)]
#[model(collection = "asked", global)]
struct Asked {
    #[model(id, filterable)]
    id: Id<Asked>,
    #[model(trim, lowercase, filterable(eq, in_, starts_with), sortable)]
    name: String,
    #[model(filterable)]
    count: Option<i64>,
    #[model(filterable, sortable)]
    ratio: f64,
    #[model(filterable)]
    flag: bool,
    #[model(filterable)]
    at: Option<DateTime<Utc>>,
    #[model(filterable)]
    tags: Vec<String>,
    #[model(filterable)]
    any: Option<bson::Bson>,
    limits: Limits,
    #[model(hidden)]
    vault: Limits,
    token: Encrypted<String>,
}

impl BaseModel for Asked {
    type Actor = Nobody;

    fn can_read(&self, _: &GlobalContext<Nobody>) -> bool {
        false
    }

    fn can_create(&self, _: &GlobalContext<Nobody>) -> bool {
        false
    }

    fn can_update(&self, _: &GlobalContext<Nobody>, _: &Self) -> bool {
        false
    }

    fn can_delete(&self, _: &GlobalContext<Nobody>) -> bool {
        false
    }
}

/// Reads a text as a filter, as a sort order and as a query string; true if it is one of them. A key with a `$` is
/// refused wherever it stands, a field that is not declared too, and no message repeats the canary.
pub(crate) fn verdict(text: &str) -> Result<bool, String> {
    let filter = Asked::filter_from_json(text);
    let sort = Asked::sort_from_text(text);
    let query = Asked::parse_query(text);
    for error in [filter.as_ref().err(), sort.as_ref().err(), query.as_ref().err()]
        .into_iter()
        .flatten()
    {
        if !error.is_invalid() || error.violations().is_empty() {
            return Err(format!("refused without a reason: {error}"));
        }
        if error.violations().iter().any(|v| v.message.contains("canary")) {
            return Err(format!("a value is repeated: {error}"));
        }
    }
    if filter.is_ok() {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if has_forbidden_key(&value) {
            return Err("a forbidden key is accepted".to_owned());
        }
    }
    let keys = || text.split('&').filter_map(|pair| pair.split('=').next());
    if query.is_ok() && keys().any(|key| key.contains(['$', '{'])) {
        return Err("an operator is accepted".to_owned());
    }
    Ok(filter.is_ok() || sort.is_ok() || (query.is_ok() && !text.is_empty()))
}

fn has_forbidden_key(value: &Value) -> bool {
    match value {
        Value::Object(keys) => keys.iter().any(|(key, value)| {
            key.contains('$') || key.starts_with("vault") || key == "token" || has_forbidden_key(value)
        }),
        Value::Array(items) => items.iter().any(has_forbidden_key),
        _ => false,
    }
}
