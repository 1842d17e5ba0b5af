//! The description of the service, made from the models' own metadata.

use model_core::prelude::*;
use model_core::schema::{Comparison, FieldSchema, TypeSchema, json};
use serde_json::{Map, Value, json};

use crate::{Campaign, MetaConnection, PerformanceSnapshot, User};

/// An OpenAPI 3.1 document.
pub(super) fn document() -> Value {
    let mut paths = service();
    resource::<User>("users", true, &mut paths);
    resource::<MetaConnection>("connections", true, &mut paths);
    resource::<Campaign>("campaigns", true, &mut paths);
    resource::<PerformanceSnapshot>("snapshots", false, &mut paths);
    let mut schemas = json::components(&[
        User::schema(),
        MetaConnection::schema(),
        Campaign::schema(),
        PerformanceSnapshot::schema(),
    ]);
    schemas.insert("Problem".to_owned(), problem());
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

/// What every error looks like.
fn problem() -> Value {
    let text = json!({ "type": "string" });
    let violation =
        json!({ "type": "object", "properties": { "path": text, "rule": text, "message": text } });
    json!({ "type": "object", "properties": {
        "status": { "type": "integer" },
        "title": text,
        "violations": { "type": "array", "items": violation },
    } })
}

fn content(schema: &str) -> Value {
    json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{schema}") } } })
}

/// An operation, which answers with a problem where it does not succeed.
fn operation(tag: &str, summary: &str, status: &str, answer: Option<&str>) -> Value {
    let mut done = json!({ "description": summary });
    if let Some(schema) = answer {
        done["content"] = content(schema);
    }
    json!({ "tags": [tag], "summary": summary, "responses": {
        status: done,
        "default": { "description": "Why not.", "content": content("Problem") },
    } })
}

fn parameter(place: &str, name: &str) -> Value {
    json!({ "name": name, "in": place, "required": place == "path", "schema": { "type": "string" } })
}

/// The requests that are no resource's five.
fn service() -> Map<String, Value> {
    let mut login = operation("service", "Signs in: a bearer's token", "201", None);
    let text = json!({ "type": "string" });
    let body = json!({ "type": "object", "required": ["email", "password"], "properties": { "email": text, "password": text } });
    login["requestBody"] = json!({ "content": { "application/json": { "schema": body } } });
    login["security"] = json!([]);
    let mut health = operation("service", "Whether the store answers", "200", None);
    health["security"] = json!([]);
    let totals = operation("service", "Sums of the last 30 days, by campaign", "200", None);
    let mut days = operation("campaigns", "Sums of each of the last 30 days", "200", None);
    days["parameters"] = json!([parameter("path", "id")]);
    let paths = [
        ("/campaigns/{id}/days", json!({ "get": days })),
        ("/login", json!({ "post": login })),
        ("/health", json!({ "get": health })),
        ("/totals", json!({ "get": totals })),
    ];
    paths
        .into_iter()
        .map(|(path, item)| (path.to_owned(), item))
        .collect()
}

fn resource<M: Model>(path: &str, writable: bool, paths: &mut Map<String, Value>) {
    let name = M::schema().name;
    let mut asked = vec!["limit".to_owned(), "after".to_owned(), "sort".to_owned()];
    filterable(M::schema().fields, "", &mut asked);
    let mut list = operation(path, "A page: `items`, and `next` for `after`", "200", None);
    list["parameters"] = asked.iter().map(|name| parameter("query", name)).collect();
    let mut all = json!({ "get": list });
    let mut one = json!({
        "parameters": [parameter("path", "id")],
        "get": operation(path, "One of them", "200", Some(name)),
    });
    if writable {
        let (new, patch) = (format!("New{name}"), format!("{name}Patch"));
        all["post"] = operation(path, "Makes one", "201", Some(name));
        all["post"]["requestBody"] = json!({ "content": content(&new) });
        one["patch"] = operation(path, "Changes it, as it was seen", "200", Some(name));
        one["patch"]["requestBody"] = json!({ "content": content(&patch) });
        one["delete"] = operation(path, "Deletes it, as it was seen", "204", None);
        for verb in ["patch", "delete"] {
            one[verb]["parameters"] = json!([parameter("header", "If-Match")]);
        }
    }
    paths.insert(format!("/{path}"), all);
    paths.insert(format!("/{path}/{{id}}"), one);
}

/// What filters may ask: each path, of embedded documents too, with each of its comparisons.
fn filterable(fields: &[FieldSchema], above: &str, found: &mut Vec<String>) {
    for field in fields {
        let path = format!("{above}{}", field.json);
        if let TypeSchema::Embedded(embedded) = &field.ty {
            filterable(embedded().fields, &format!("{path}."), found);
        }
        let allowed = field.external.map_or(&[][..], |external| external.comparisons());
        found.extend(allowed.iter().map(|comparison| match comparison {
            Comparison::Eq => path.clone(),
            other => format!("{path}[{}]", other.name()),
        }));
    }
}
