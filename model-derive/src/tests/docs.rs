//! The tables of keys in `docs/` are the table in `keys.rs`.

use std::fmt::Write as _;

use crate::keys::{self, Place};

fn table(text: &mut String, title: &str, place: Place) {
    let _ = write!(text, "\n# {title}\n\n| key | what it does |\n|---|---|\n");
    for key in keys::at(place) {
        let usage: Vec<_> = key
            .usage
            .split(" or ")
            .map(|form| format!("`{}`", form.replace('|', "\\|")))
            .collect();
        let _ = writeln!(text, "| {} | {} |", usage.join(" or "), key.about);
    }
}

fn check(name: &str, tables: &[(&str, Place)]) {
    let path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(name);
    let recorded = std::fs::read_to_string(&path).unwrap();
    let (prose, _) = recorded
        .split_once("\n# Keys")
        .unwrap_or((recorded.trim_end(), ""));
    let mut text = format!("{}\n", prose.trim_end());
    for (title, place) in tables {
        table(&mut text, title, *place);
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    } else {
        assert_eq!(
            recorded, text,
            "docs/{name} is not what keys.rs says: UPDATE=1 writes it"
        );
    }
}

#[test]
fn every_key_is_documented() {
    check(
        "model.md",
        &[
            ("Keys on the struct", Place::Model),
            ("Keys on a field", Place::Field),
        ],
    );
    check(
        "embedded.md",
        &[
            ("Keys on a struct", Place::Struct),
            ("Keys on a field of a struct", Place::Inner),
            ("Keys on an enum", Place::Enum),
            ("Keys on a variant", Place::Variant),
            ("Keys on a field of a variant", Place::VariantField),
        ],
    );
}
