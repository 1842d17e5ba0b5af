//! What a user waits for from nothing: a crate with `model-core` in it, against one with the driver alone.

use std::fs;
use std::path::Path;

use super::{ALARM, BUILDS, ROUNDS, cargo, compared, in_turns, lay_out, source};
use crate::report::{Row, heading, show};

/// How much longer it is to take at most.
const AIM: f64 = 1.15;

/// Builds both, each in a target folder that is empty before and gone after, as `check`, `dev` and `release`, some
/// times in turns; this takes three quarters of an hour.
///
/// # Panics
/// If a crate does not build.
pub fn clean(folder: &Path) -> Vec<Row> {
    lay_out(folder);
    for side in ["ours", "bare"] {
        fs::write(source(folder, side), "").expect("the folder is ours");
    }
    // What is fetched is fetched before.
    for side in ["ours", "bare"] {
        cargo(folder, &folder.join("fetched"), side, &["check"]);
    }
    heading("A user's crate from nothing, against one with the driver alone");
    let mut rows = Vec::new();
    for (name, arguments) in BUILDS {
        let target = folder.join("clean");
        let sides = ["ours", "bare"];
        let mut took = sides.map(|_| Vec::new());
        // In turns: how fast the machine is changes more between two builds than within one.
        for round in 0..ROUNDS {
            for turn in in_turns(round) {
                took[turn].push(cargo(folder, &target, sides[turn], arguments));
                fs::remove_dir_all(&target).expect("the folder is ours");
            }
        }
        let name = format!("{name}, from nothing");
        let both = compared(&name, &took);
        rows.extend(show(both.map(|row| row.at_most(ALARM).aims_at(AIM))));
    }
    rows
}
