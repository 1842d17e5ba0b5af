//! Inputs from JSON: clear errors with every path, and no value repeated.

use model_core::prelude::*;

use crate::models::{NewMember, NewNote, NewWidget, WidgetPatch};

/// Path and rule of each violation, sorted.
fn violations(error: &Error) -> Vec<(String, String)> {
    let mut all: Vec<_> = error
        .violations()
        .iter()
        .map(|v| (v.path.clone(), v.rule.clone().into_owned()))
        .collect();
    all.sort();
    all
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(path, rule)| ((*path).to_owned(), (*rule).to_owned()))
        .collect()
}

#[test]
fn a_good_input_parses() {
    let json =
        r#"{"project": "prj_a", "name": "Blue", "limits": {"daily": 3}, "token": "t", "enabled": true}"#;
    let new = NewWidget::from_json(json).unwrap();
    assert_eq!(
        (new.limits.daily, new.limits.weekly),
        (3, 7),
        "a nested default fills absence"
    );
    assert_eq!(new.optional.enabled, Some(true));
    let same: NewWidget = serde_json::from_str(json).unwrap();
    assert_eq!(same.name, "Blue");
}

#[test]
fn unknown_keys_and_identity_are_refused() {
    let json = r#"{"project": "prj_a", "name": "B", "limits": {"daily": 3, "hourly": 1}, "nam": 1,
        "organization": "globex", "id": "wgt_1", "created_at": "2026-01-01T00:00:00Z", "_rev": 1, "_bi": 1, "_id": 1}"#;
    let error = NewWidget::from_json(json).unwrap_err();
    assert!(error.is_invalid());
    let expected = [
        ("_bi", "unknown"),
        ("_id", "unknown"),
        ("_rev", "unknown"),
        ("created_at", "forbidden"),
        ("id", "forbidden"),
        ("limits.hourly", "unknown"),
        ("nam", "unknown"),
        ("organization", "forbidden"),
    ];
    assert_eq!(violations(&error), pairs(&expected));
}

#[test]
fn five_mistakes_are_five_violations_without_values() {
    let json = r#"{"project": "wgt_canary", "name": 77123, "limits": {"daily": "canary"}, "enabled": "canary", "note": []}"#;
    let error = NewWidget::from_json(json).unwrap_err();
    let expected = [
        ("enabled", "type"),
        ("limits.daily", "type"),
        ("name", "type"),
        ("note", "type"),
        ("project", "id"),
    ];
    assert_eq!(violations(&error), pairs(&expected));
    let text = format!("{error} {error:?}");
    assert!(!text.contains("canary") && !text.contains("77123"), "{text}");
    let serde: Result<NewWidget, _> = serde_json::from_str(json);
    let text = format!("{:?}", serde.unwrap_err());
    assert!(!text.contains("canary") && !text.contains("77123"), "{text}");
}

#[test]
fn missing_keys_are_named() {
    let error = NewWidget::from_json("{}").unwrap_err();
    assert_eq!(
        violations(&error),
        pairs(&[
            ("limits", "required"),
            ("name", "required"),
            ("project", "required")
        ])
    );
    let error = NewWidget::from_json(r#"{"project": "prj_a", "name": "B", "limits": {}}"#).unwrap_err();
    assert_eq!(violations(&error), pairs(&[("limits.daily", "required")]));
}

#[test]
fn ranges_of_integers_are_checked() {
    for daily in ["-1", "4294967296", "1.5", "1e99"] {
        let json = format!(r#"{{"project": "prj_a", "name": "B", "limits": {{"daily": {daily}}}}}"#);
        let error = NewWidget::from_json(&json).unwrap_err();
        assert_eq!(violations(&error), pairs(&[("limits.daily", "type")]), "{daily}");
    }
}

#[test]
fn arrays_and_maps_are_read_element_by_element() {
    let json =
        r#"{"text": "t", "tags": ["a", 1, "b", null], "labels": {"ok": 1, "$where": 1, "a.b": 2, "x": "y"}}"#;
    let error = NewNote::from_json(json).unwrap_err();
    let expected = [
        ("labels", "key"),
        ("labels", "key"),
        ("labels.x", "type"),
        ("tags[1]", "type"),
        ("tags[3]", "type"),
    ];
    assert_eq!(violations(&error), pairs(&expected));
}

#[test]
fn a_patch_refuses_null_where_a_value_is_required() {
    let error = WidgetPatch::from_json(r#"{"name": null, "note": null, "tenant": 1, "organization": "x"}"#)
        .unwrap_err();
    assert_eq!(
        violations(&error),
        pairs(&[
            ("name", "type"),
            ("organization", "forbidden"),
            ("tenant", "unknown")
        ])
    );
    let patch = WidgetPatch::from_json(r#"{"note": null, "enabled": true}"#).unwrap();
    assert!(matches!(
        (&patch.note, &patch.enabled, &patch.name),
        (Set(None), Set(true), Keep)
    ));
}

#[test]
fn what_is_not_json_says_where() {
    let error = NewMember::from_json("{\"email\": canary}").unwrap_err();
    assert_eq!(violations(&error), pairs(&[("", "json")]));
    assert!(error.to_string().contains("line 1, column") && !error.to_string().contains("canary"));
    for text in ["[]", "1", "null", "\"x\""] {
        assert_eq!(
            violations(&NewMember::from_json(text).unwrap_err()),
            pairs(&[("", "type")]),
            "{text}"
        );
    }
}

#[test]
fn a_bomb_of_nesting_is_refused() {
    let deep = format!("{}{}", "{\"text\":".repeat(100_000), "}".repeat(100_000));
    assert!(NewNote::from_json(&deep).unwrap_err().is_invalid());
}
