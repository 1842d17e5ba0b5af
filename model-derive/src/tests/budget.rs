//! What a declaration costs the compiler: lines after formatting.

use super::shapes::SHAPES;

#[test]
fn expansions_are_small() {
    let mut over = Vec::new();
    for (name, shape, fields) in SHAPES {
        let (lines, budget) = (super::expansion(shape).lines().count(), 210 + 28 * fields);
        println!("{name}: {lines} of {budget}");
        if lines > budget {
            over.push(format!("{name}: {lines} of {budget}"));
        }
    }
    assert!(over.is_empty(), "{over:?}");
}
