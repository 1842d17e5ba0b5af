//! Contract K 43: what goes in and out of models as components of an OpenAPI document that `utoipa` makes.

use jsonschema::Validator;
use model_core::Model;
use model_core::schema::json as schema;
use model_tests::depot::{Crate, CratePatch, NewCrate, NewShelf, Shelf};
use serde_json::{Value, json};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, PathItemBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, OpenApiBuilder, PathItem, PathsBuilder, Ref, ResponseBuilder,
};

fn content(name: &str) -> utoipa::openapi::Content {
    ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(name)))
        .build()
}

/// A verb that takes one component and answers with the view.
fn operation(takes: Option<String>, view: &str) -> OperationBuilder {
    let response = ResponseBuilder::new().content("application/json", content(view));
    let body = takes.map(|name| {
        RequestBodyBuilder::new()
            .content("application/json", content(&name))
            .build()
    });
    OperationBuilder::new()
        .request_body(body)
        .response("200", response)
}

fn resource(name: &str) -> PathItem {
    PathItemBuilder::new()
        .operation(HttpMethod::Get, operation(None, name))
        .operation(HttpMethod::Post, operation(Some(format!("New{name}")), name))
        .operation(HttpMethod::Patch, operation(Some(format!("{name}Patch")), name))
        .build()
}

/// The service says what its paths are, the models what goes over them.
fn document() -> Value {
    let paths = PathsBuilder::new()
        .path("/crates", resource("Crate"))
        .path("/shelves", resource("Shelf"));
    let document = OpenApiBuilder::new()
        .info(InfoBuilder::new().title("depot").version("1"))
        .paths(paths)
        .build();
    let mut document = serde_json::to_value(document).unwrap();
    document["components"]["schemas"] = schema::components(&[Crate::schema(), Shelf::schema()]).into();
    document
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str));
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// A component as a client's tools see it: the whole document, entered there.
fn component(document: &Value, name: &str) -> Validator {
    let mut entered = document.clone();
    entered["$ref"] = format!("#/components/schemas/{name}").into();
    jsonschema::draft202012::new(&entered).unwrap()
}

#[test]
fn every_reference_leads_to_a_component() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() >= 10, "{found:?}");
    for reference in &found {
        let place = reference.strip_prefix('#').unwrap();
        assert!(
            document.pointer(place).is_some_and(Value::is_object),
            "{reference}"
        );
    }
    for name in [
        "Crate",
        "NewCrate",
        "CratePatch",
        "Shelf",
        "NewShelf",
        "ShelfPatch",
    ] {
        assert!(
            found.contains(&format!("#/components/schemas/{name}").as_str()),
            "{name}"
        );
        assert_eq!(document["components"]["schemas"][name]["title"], name);
    }
}

#[test]
fn components_accept_what_the_models_accept() {
    let document = document();
    let crate_id = "crt_0190a6d2-7e4b-7c3a-9d2e-1f2a3b4c5d6e";
    let shelf = "shf_0190a6d2-7e4b-7c3a-9d2e-1f2a3b4c5d6e";
    for (name, value, accepted) in [
        (
            "NewCrate",
            json!({ "shelf": shelf, "name": "A", "size": 1 }),
            true,
        ),
        (
            "NewCrate",
            json!({ "shelf": shelf, "name": "A", "size": -1 }),
            false,
        ),
        (
            "NewCrate",
            json!({ "shelf": crate_id, "name": "A", "size": 1 }),
            false,
        ),
        ("NewCrate", json!({ "shelf": shelf, "name": "A" }), false),
        (
            "NewCrate",
            json!({ "shelf": shelf, "name": "A", "size": 1, "more": 1 }),
            false,
        ),
        ("CratePatch", json!({}), true),
        ("CratePatch", json!({ "code": "secret" }), true),
        ("CratePatch", json!({ "code": 7 }), false),
        ("NewShelf", json!({ "label": "Left" }), true),
        ("NewShelf", json!({ "label": null }), false),
    ] {
        let is_valid = component(&document, name).is_valid(&value);
        assert_eq!(is_valid, accepted, "{name} {value}");
        let text = value.to_string();
        let parsed = match name {
            "NewCrate" => NewCrate::from_json(&text).is_ok(),
            "CratePatch" => CratePatch::from_json(&text).is_ok(),
            _ => NewShelf::from_json(&text).is_ok(),
        };
        assert_eq!(parsed, accepted, "the parser: {name} {value}");
    }
}
