//! JSON Schema (draft 2020-12) of what goes in and out as JSON, for API documentation and for clients.
//!
//! A schema accepts what the model's own parser and rules accept. Some rules it cannot tell, and then it accepts more:
//! a length or pattern of what is trimmed or changed in case at first, patterns that other dialects read otherwise,
//! rules of your own, and that a read-only key of a patch repeats what is stored.
//!
//! ```
//! # model_core::__example!();
//! use model_core::schema::json;
//! let schema = json::create(Note::schema());
//! assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
//! assert_eq!(schema["additionalProperties"], false);
//! ```

mod types;
mod values;

use serde_json::{Value, json};

use self::types::{Side, Types};
use super::ModelSchema;

/// The schema of the view: what a client sees.
pub fn view(schema: &ModelSchema) -> Value {
    whole(schema, Side::View)
}

/// The schema of the create input.
pub fn create(schema: &ModelSchema) -> Value {
    whole(schema, Side::Create)
}

/// The schema of the patch: every key may be left out, and is kept then.
pub fn patch(schema: &ModelSchema) -> Value {
    whole(schema, Side::Patch)
}

fn whole(schema: &ModelSchema, side: Side) -> Value {
    let mut types = Types::default();
    let body = types.object(schema.fields, schema.virtuals, Some(schema.id), side);
    let mut whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": side.title(schema.name),
    });
    if let (Some(whole), Value::Object(body)) = (whole.as_object_mut(), body) {
        if !schema.doc.is_empty() {
            whole.insert("description".to_owned(), schema.doc.into());
        }
        whole.extend(body);
        if let Some(definitions) = types.definitions() {
            whole.insert("$defs".to_owned(), definitions);
        }
    }
    whole
}
