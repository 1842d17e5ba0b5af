//! "did you mean"

/// The candidate nearest to `name`, if one is near enough to be a slip of the keyboard.
pub(crate) fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let allowed = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, candidate)| (*distance, candidate.chars().next() != name.chars().next()))
        .map(|(_, candidate)| candidate)
}

/// "; did you mean `x`?", or the list of what there is.
pub(crate) fn hint<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str> + Clone,
    what_there_is: &str,
) -> String {
    match nearest(name, candidates.clone()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!("\n{what_there_is}: {}", list(candidates)),
    }
}

/// `a`, `b`, `c`
pub(crate) fn list<'c>(names: impl IntoIterator<Item = &'c str>) -> String {
    names
        .into_iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Edits from one word to the other: insert, delete, replace, swap two neighbours (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, a) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, b) in to.iter().enumerate() {
            let cell = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX - 1);
            let mut cost = (cell(&last, column) + usize::from(a != b))
                .min(cell(&last, column + 1) + 1)
                .min(cell(&current, column) + 1);
            let swapped =
                row > 0 && column > 0 && from.get(row - 1) == Some(b) && to.get(column - 1) == Some(a);
            if swapped {
                cost = cost.min(cell(&before_last, column - 1) + 1);
            }
            current.push(cost);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn distances() {
        for (from, to, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("indx", "index", 1),
            ("uniuqe", "unique", 1),
            ("trim", "len", 4),
        ] {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn only_slips_are_corrected() {
        assert_eq!(nearest("enabld", ["enabled", "name"]), Some("enabled"));
        assert_eq!(nearest("colour", ["enabled", "name"]), None);
    }
}
