//! The README's first command, as a new user runs it.

use std::process::Command;

#[test]
fn the_tour_runs_on_the_embedded_store() {
    let tour = Command::new(env!("CARGO_BIN_EXE_quickstart"))
        .env_remove("MONGODB_URI")
        .output()
        .unwrap();
    let said = String::from_utf8(tour.stdout).unwrap();
    assert!(tour.status.success(), "{said}");
    for line in [
        "after sync: nothing to do",
        "not permitted: `can_update` denies it",
        "widget.update by ed",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}
