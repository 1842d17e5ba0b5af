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

use serde_json::{Map, Value};

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

/// The schemas of views, create inputs and patches of these models, and of all types in them, each once, as the
/// `components.schemas` of an `OpenAPI` 3.1 document: `Widget`, `NewWidget` and `WidgetPatch`, which refer to each other there.
///
/// ```
/// # model_core::__example!();
/// use model_core::schema::json;
/// use serde_json::json;
/// let document = json!({
///     "openapi": "3.1.0",
///     "info": { "title": "notes", "version": "1" },
///     "paths": { "/notes": { "post": { "requestBody": { "content": { "application/json": {
///         "schema": { "$ref": "#/components/schemas/NewNote" },
///     } } } } } },
///     "components": { "schemas": json::components(&[Note::schema()]) },
/// });
/// assert_eq!(document["components"]["schemas"]["NewNote"]["type"], "object");
/// ```
pub fn components(models: &[&ModelSchema]) -> Map<String, Value> {
    let mut types = Types::new("#/components/schemas/");
    types.models(models);
    types.definitions()
}

fn whole(schema: &ModelSchema, side: Side) -> Value {
    let mut types = Types::new("#/$defs/");
    let mut whole = types.whole(schema, side);
    let definitions = types.definitions();
    if let Some(whole) = whole.as_object_mut() {
        let draft = "https://json-schema.org/draft/2020-12/schema";
        whole.insert("$schema".to_owned(), draft.into());
        if !definitions.is_empty() {
            whole.insert("$defs".to_owned(), definitions.into());
        }
    }
    whole
}
