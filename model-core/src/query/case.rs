//! Letters whatever their case: the same here and in the expression that the server is given.
//!
//! The server's own flag for it would follow the tables of its regular expressions, which change with its releases.

use super::filter::Part;

/// A letter, and its lower and upper case where those are one letter each.
fn cases(letter: char) -> [char; 3] {
    [
        letter,
        single(letter.to_lowercase()).unwrap_or(letter),
        single(letter.to_uppercase()).unwrap_or(letter),
    ]
}

fn single(mut letters: impl Iterator<Item = char>) -> Option<char> {
    let first = letters.next();
    first.filter(|_| letters.next().is_none())
}

/// The regular expression for a part of a text.
pub(super) fn pattern(part: Part, text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() * 4 + 3);
    if part != Part::Any {
        pattern.push('^');
    }
    let mut buffer = [0; 4];
    for letter in text.chars() {
        let [itself, lower, upper] = cases(letter);
        if lower == itself && upper == itself {
            pattern.push_str(&regex_lite::escape(letter.encode_utf8(&mut buffer)));
            continue;
        }
        // Letters are nothing special in a class.
        pattern.push('[');
        pattern.push(itself);
        pattern.extend([lower, upper].into_iter().filter(|other| *other != itself));
        pattern.push(']');
    }
    if part == Part::Whole {
        pattern.push_str("\\z");
    }
    pattern
}

/// Whether the text has the part.
pub(super) fn holds(part: Part, text: &[u8], wanted: &str) -> bool {
    match part {
        Part::Whole => after(text, wanted).is_some_and(<[u8]>::is_empty),
        Part::Start => after(text, wanted).is_some(),
        Part::Any => (0..=text.len()).any(|place| {
            text.get(place..)
                .is_some_and(|rest| after(rest, wanted).is_some())
        }),
    }
}

/// What follows `wanted`, if the text begins with it. No letter's bytes begin with another's.
fn after<'t>(text: &'t [u8], wanted: &str) -> Option<&'t [u8]> {
    let mut buffer = [0; 4];
    wanted.chars().try_fold(text, |rest, letter| {
        let mut found = cases(letter).into_iter();
        found.find_map(|letter| rest.strip_prefix(letter.encode_utf8(&mut buffer).as_bytes()))
    })
}
