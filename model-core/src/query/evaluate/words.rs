//! Searches by relevance without an index: words as they are written, no stems, no stop words.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::path::{self, Leaf};
use super::value::{Fields, Value};
use crate::query::words::Words;

/// What one search asks for.
#[derive(Debug, Default, PartialEq)]
struct Asked {
    /// Any of them.
    terms: Vec<String>,
    /// All of them, anywhere in a text.
    phrases: Vec<String>,
    /// None of them.
    without: Vec<String>,
    /// None of them, anywhere in a text.
    without_phrases: Vec<String>,
}

/// How well a document fits; none if it does not.
///
/// The number is made as the server makes it: the more often a word stands in a text the better, each time half as much as
/// the time before; the shorter the text the better; times the weight of the field.
pub(super) fn score(words: &Words, document: Fields<'_>) -> Option<f64> {
    let fold = |text: &str| fold(text, words.case_sensitive, words.diacritic_sensitive);
    let asked = Asked::parse(&fold(&words.text));
    let mut phrases = vec![false; asked.phrases.len()];
    let (mut total, mut fits, mut unwanted) = (0.0, false, false);
    for (path, weight) in &words.fields {
        path::any(document, path, Leaf::EachAndWhole, &mut |found| {
            let Some(Value::Text(text)) = found else {
                return false;
            };
            let text = fold(&String::from_utf8_lossy(text));
            for (seen, phrase) in phrases.iter_mut().zip(&asked.phrases) {
                *seen |= text.contains(phrase);
            }
            let terms = Terms::of(&text);
            let has = |term: &String| terms.found.contains_key(term.as_str());
            unwanted |= asked.without.iter().any(has)
                || asked.without_phrases.iter().any(|phrase| text.contains(phrase));
            for term in &asked.terms {
                if let Some(score) = terms.score(term, &text) {
                    fits = true;
                    total += score * f64::from(*weight);
                }
            }
            false
        });
    }
    (fits && !unwanted && phrases.iter().all(|seen| *seen)).then_some(total)
}

impl Asked {
    fn parse(text: &str) -> Self {
        let mut asked = Self::default();
        // What stands between quotation marks is every second part.
        let mut negated = false;
        for (place, part) in text.split('"').enumerate() {
            let is_phrase = place % 2 == 1;
            if is_phrase && !part.is_empty() {
                if negated {
                    asked.without_phrases.push(part.to_owned());
                } else {
                    asked.phrases.push(part.to_owned());
                    add(&mut asked.terms, part);
                }
                negated = false;
            } else if !is_phrase {
                asked.outside(part);
                let before = part.strip_suffix('-');
                negated =
                    before.is_some_and(|before| before.is_empty() || before.ends_with(char::is_whitespace));
            }
        }
        asked
    }

    /// What stands outside of quotation marks: a minus sign after a space, or at the very beginning, negates its word.
    fn outside(&mut self, part: &str) {
        for word in part.split_whitespace() {
            match word.strip_prefix('-') {
                Some(word) => add(&mut self.without, word),
                None => add(&mut self.terms, word),
            }
        }
    }
}

/// Adds the words of a text, each once.
fn add(terms: &mut Vec<String>, text: &str) {
    for term in split(text) {
        if !terms.iter().any(|known| known == term) {
            terms.push(term.to_owned());
        }
    }
}

/// The words of one text.
struct Terms<'t> {
    /// Of each word, how often it stands there.
    found: BTreeMap<&'t str, u32>,
    count: u32,
}

impl<'t> Terms<'t> {
    fn of(text: &'t str) -> Self {
        let mut terms = Self {
            found: BTreeMap::new(),
            count: 0,
        };
        for term in split(text) {
            *terms.found.entry(term).or_default() += 1;
            terms.count += 1;
        }
        terms
    }

    fn score(&self, term: &str, text: &str) -> Option<f64> {
        let times = *self.found.get(term)?;
        let share = f64::from(times) / f64::from(self.count);
        // 1 + 1/2 + 1/4 ..
        let often = 2.0 - 0.5_f64.powi(i32::try_from(times).unwrap_or(i32::MAX) - 1);
        let whole = if text == term { 1.1 } else { 1.0 };
        Some(often * (0.5 * share + 0.5) * whole)
    }
}

/// Words are letters and digits.
fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_' || is_combining_mark(c)))
        .filter(|word| !word.is_empty())
}

/// A text as it is compared.
fn fold(text: &str, case_sensitive: bool, diacritic_sensitive: bool) -> String {
    let lower = if case_sensitive {
        text.to_owned()
    } else {
        text.to_lowercase()
    };
    if diacritic_sensitive {
        lower
    } else {
        lower.nfd().filter(|c| !is_combining_mark(*c)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Asked;

    fn asked(terms: &[&str], phrases: &[&str], without: &[&str], without_phrases: &[&str]) -> Asked {
        let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        Asked {
            terms: owned(terms),
            phrases: owned(phrases),
            without: owned(without),
            without_phrases: owned(without_phrases),
        }
    }

    #[test]
    fn phrases_and_negations() {
        let cases = [
            ("blue widget", asked(&["blue", "widget"], &[], &[], &[])),
            ("blue-ish -red", asked(&["blue", "ish"], &[], &["red"], &[])),
            ("-red", asked(&[], &[], &["red"], &[])),
            (
                "fine \"blue widget\" -\"red one\" x",
                asked(
                    &["fine", "blue", "widget", "x"],
                    &["blue widget"],
                    &[],
                    &["red one"],
                ),
            ),
            ("  ", asked(&[], &[], &[], &[])),
        ];
        for (text, expected) in cases {
            assert_eq!(Asked::parse(text), expected, "{text}");
        }
    }
}
