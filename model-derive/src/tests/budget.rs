//! What a declaration costs the compiler: lines after formatting. A variant with fields has inputs, handles and a patch of its own.

use super::shapes::SHAPES;

#[test]
fn expansions_are_small() {
    let mut over = Vec::new();
    for (name, shape, fields) in SHAPES {
        let variants = match *name {
            "shape" | "flat" => 2,
            _ => 0,
        };
        let (lines, budget) = (
            super::expansion(shape).lines().count(),
            210 + 28 * fields + 60 * variants,
        );
        println!("{name}: {lines} of {budget}");
        if lines > budget {
            over.push(format!("{name}: {lines} of {budget}"));
        }
    }
    assert!(over.is_empty(), "{over:?}");
}
