//! The expansions, word for word. `UPDATE=1 cargo test -p model-derive` writes them anew.

use std::path::PathBuf;

use super::shapes::SHAPES;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("src/tests/snapshots")
        .join(format!("{name}.expanded"))
}

#[test]
fn expansions_are_as_recorded() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut changed = Vec::new();
    for (name, shape, _) in SHAPES {
        let text = super::expansion(shape);
        assert!(
            !text.contains("compile_error"),
            "{name} does not expand: {:?}",
            super::messages(shape)
        );
        let recorded = std::fs::read_to_string(path(name)).unwrap_or_default();
        if recorded != text {
            changed.push(*name);
            if update {
                std::fs::write(path(name), text).unwrap();
            }
        }
    }
    assert!(
        update || changed.is_empty(),
        "changed: {changed:?}; UPDATE=1 writes them, `git diff` shows them"
    );
}
