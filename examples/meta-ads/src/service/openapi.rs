//! The description of the service, made from the models' own metadata.

use model_core::prelude::*;
use model_core::schema::json as schema;
use serde_json::{Map, Value, json};

use crate::{Campaign, MetaConnection, PerformanceSnapshot, User};

/// An OpenAPI 3.1 document.
pub(super) fn document() -> Value {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    resource::<User>("users", true, &mut paths, &mut schemas);
    resource::<MetaConnection>("connections", true, &mut paths, &mut schemas);
    resource::<Campaign>("campaigns", true, &mut paths, &mut schemas);
    resource::<PerformanceSnapshot>("snapshots", false, &mut paths, &mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": { "title": "meta-ads", "version": env!("CARGO_PKG_VERSION") },
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn resource<M: Model>(
    path: &str,
    writable: bool,
    paths: &mut Map<String, Value>,
    schemas: &mut Map<String, Value>,
) {
    let model = M::schema();
    let mut add = |name: String, mut schema: Value| {
        // Its `$defs` are its own.
        schema["$id"] = format!("https://meta-ads.example/schemas/{name}").into();
        let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
        schemas.insert(name, schema);
        json!({ "application/json": { "schema": reference } })
    };
    let view = add(model.name.to_owned(), schema::view(model));
    let ok = |status: &str| json!({ status: { "description": "The document.", "content": &view } });
    let mut all = json!({ "get": { "responses": { "200": { "description": "A page: `items`, and `next` for `after=`." } } } });
    let mut one = json!({ "get": { "responses": ok("200") } });
    if writable {
        let create = add(format!("New{}", model.name), schema::create(model));
        let patch = add(format!("{}Patch", model.name), schema::patch(model));
        all["post"] = json!({ "requestBody": { "content": create }, "responses": ok("201") });
        one["patch"] = json!({ "requestBody": { "content": patch }, "responses": ok("200") });
        one["delete"] = json!({ "responses": { "204": { "description": "It is gone." } } });
    }
    one["parameters"] =
        json!([{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }]);
    paths.insert(format!("/{path}"), all);
    paths.insert(format!("/{path}/{{id}}"), one);
}
