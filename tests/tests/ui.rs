//! What a user sees for each mistake: the text, and where the caret is.
//!
//! The recorded output is that of the pinned toolchain. `TRYBUILD=overwrite cargo test -p model-tests --test ui` writes
//! it anew.

#[test]
fn mistakes_are_explained() {
    let cases = trybuild::TestCases::new();
    for kind in [
        "unknown-key",
        "conflict",
        "shape",
        "policy",
        "query",
        "patch",
        "projection",
        "operators",
        "outside",
        "index",
        "field",
    ] {
        cases.compile_fail(format!("ui/{kind}/*.rs"));
    }
}
