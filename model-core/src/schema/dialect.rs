//! A pattern in other dialects than that of `regex-lite`.
//!
//! What is not surely read alike there is not said there: [`translate`] knows a part of the syntax and refuses the rest.

use std::iter::Peekable;
use std::str::Chars;

/// How another dialect says what it would read otherwise.
pub(super) struct Dialect {
    /// Any character but a line feed.
    any: &'static str,
    /// The end of the text.
    end: &'static str,
    /// Whether a group is repeated at will, and a pattern as long as it likes.
    boundless: bool,
}

/// How long a pattern the server is given: it takes 16,384 bytes, or 32,764, by its version.
const SERVER_LENGTH: usize = 8_192;

/// PCRE2, as the server compiles it: `$` matches before a last line feed too. A repeated group is copied as often as it may
/// stand there, into 64 KiB, and goes one level deeper each time, to 4,000: then the pattern is refused, or a text that
/// matches.
pub(super) const SERVER: Dialect = Dialect {
    any: ".",
    end: r"\z",
    boundless: false,
};

/// ECMA-262 in Unicode mode, as JSON Schema asks for it: `.` leaves out more ends of lines.
pub(super) const JSON_SCHEMA: Dialect = Dialect {
    any: r"[^\n]",
    end: "$",
    boundless: true,
};

/// The letters behind a backslash that mean the same everywhere: ASCII's digits and letters of words, and what is neither.
/// White space and boundaries differ.
const SHORTHANDS: [char; 4] = ['d', 'D', 'w', 'W'];

/// What may stand behind a backslash everywhere to be itself.
const ESCAPED: &str = r"^$\.*+?()[]{}|/";

/// The pattern as the dialect says it; none if it may be read otherwise there.
pub(super) fn translate(pattern: &str, dialect: &Dialect) -> Option<String> {
    // To some, a NUL ends the pattern, and two code units of UTF-16 are two characters.
    let strange = |character| character == '\0' || character > '\u{FFFF}';
    if pattern.contains(strange) || (!dialect.boundless && pattern.len() > SERVER_LENGTH) {
        return None;
    }
    let mut scan = Scan {
        rest: pattern.chars().peekable(),
        out: String::with_capacity(pattern.len() + 8),
    };
    let mut open = 0_usize;
    // Whether what was read last can be repeated.
    let mut repeatable = false;
    // Whether that is a group.
    let mut closed = false;
    while let Some(character) = scan.rest.next() {
        let group = std::mem::take(&mut closed);
        repeatable = match character {
            '\\' => {
                scan.escape("")?;
                true
            }
            '[' => {
                scan.class()?;
                true
            }
            '(' => {
                open += 1;
                scan.out.push('(');
                if scan.follows('?') && !scan.follows(':') {
                    return None;
                }
                false
            }
            ')' => {
                open = open.checked_sub(1)?;
                closed = true;
                scan.out.push(')');
                true
            }
            '^' | '|' => {
                scan.out.push(character);
                false
            }
            '$' => {
                scan.out.push_str(dialect.end);
                false
            }
            '.' => {
                scan.out.push_str(dialect.any);
                true
            }
            '*' | '+' | '?' | '{' if repeatable => {
                if group && character != '?' && !dialect.boundless {
                    return None;
                }
                scan.out.push(character);
                if character == '{' {
                    scan.times()?;
                }
                scan.follows('?');
                false
            }
            '*' | '+' | '?' | '{' | '}' | ']' => return None,
            literal => {
                scan.out.push(literal);
                true
            }
        };
    }
    (open == 0).then_some(scan.out)
}

/// What was read last in a class.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Character,
    /// A shorthand, or the end of a range: no range begins there.
    Whole,
}

struct Scan<'p> {
    rest: Peekable<Chars<'p>>,
    out: String,
}

impl Scan<'_> {
    /// Whether `character` is next; then it is taken over.
    fn follows(&mut self, character: char) -> bool {
        let follows = self.rest.next_if_eq(&character).is_some();
        if follows {
            self.out.push(character);
        }
        follows
    }

    /// What is behind a backslash: whether it is a shorthand.
    fn escape(&mut self, more: &str) -> Option<bool> {
        let escaped = self.rest.next()?;
        let is_shorthand = SHORTHANDS.contains(&escaped);
        if !is_shorthand && !ESCAPED.contains(escaped) && !more.contains(escaped) {
            return None;
        }
        self.out.extend(['\\', escaped]);
        Some(is_shorthand)
    }

    /// How often, behind the brace.
    fn times(&mut self) -> Option<()> {
        self.number()?;
        if self.follows(',') && self.rest.peek() != Some(&'}') {
            self.number()?;
        }
        self.follows('}').then_some(())
    }

    fn number(&mut self) -> Option<()> {
        let begin = self.out.len();
        while let Some(digit) = self.rest.next_if(char::is_ascii_digit) {
            self.out.push(digit);
        }
        // The server counts to 65,535.
        self.out.get(begin..)?.parse::<u16>().ok().map(drop)
    }

    /// A class, behind its bracket.
    fn class(&mut self) -> Option<()> {
        self.out.push('[');
        match self.rest.peek()? {
            // On the server these begin the name of a class.
            ':' | '=' => return None,
            '.' => {
                self.rest.next();
                self.out.push_str(r"\.");
            }
            _ => {
                self.follows('^');
                if self.rest.peek() == Some(&']') {
                    return None;
                }
            }
        }
        let mut last = if self.out.ends_with('.') {
            Last::Character
        } else {
            Last::Nothing
        };
        loop {
            let character = self.rest.next()?;
            last = match character {
                ']' => {
                    self.out.push(']');
                    return Some(());
                }
                '[' => return None,
                // Sets, to some.
                '&' | '~' | '-' if self.rest.peek() == Some(&character) => return None,
                '\\' if self.escape("-")? => Last::Whole,
                '\\' => Last::Character,
                '-' if last != Last::Nothing && self.rest.peek() != Some(&']') => {
                    if last == Last::Whole {
                        return None;
                    }
                    let end = self.rest.next()?;
                    if matches!(end, '\\' | '[') {
                        return None;
                    }
                    self.out.extend(['-', end]);
                    Last::Whole
                }
                literal => {
                    self.out.push(literal);
                    Last::Character
                }
            };
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use regex_lite::Regex;

    use super::{JSON_SCHEMA, SERVER, translate};

    #[test]
    fn what_is_read_alike_is_said() {
        for (pattern, server, json) in [
            ("^[a-z]+$", r"^[a-z]+\z", "^[a-z]+$"),
            (
                r"^\d{3}(?:-\d{4,})?$",
                r"^\d{3}(?:-\d{4,})?\z",
                r"^\d{3}(?:-\d{4,})?$",
            ),
            ("a.b|(c*?)?", "a.b|(c*?)?", r"a[^\n]b|(c*?)?"),
            (r"\)*", r"\)*", r"\)*"),
            (
                r"^[\w.+-]+@[.\-/^]x$",
                r"^[\w.+-]+@[\.\-/^]x\z",
                r"^[\w.+-]+@[\.\-/^]x$",
            ),
            (r"^[^\d\]]é\$\/$", r"^[^\d\]]é\$\/\z", r"^[^\d\]]é\$\/$"),
            ("[-a]|[a-]|", "[-a]|[a-]|", "[-a]|[a-]|"),
        ] {
            Regex::new(pattern).unwrap();
            assert_eq!(translate(pattern, &SERVER).as_deref(), Some(server), "{pattern}");
            assert_eq!(
                translate(pattern, &JSON_SCHEMA).as_deref(),
                Some(json),
                "{pattern}"
            );
        }
    }

    /// The server's limits are others than those of `regex-lite`.
    #[test]
    fn what_the_server_may_not_manage_is_not_said() {
        let long = "a".repeat(10_000);
        for pattern in [
            "^(?:a|b)*$",
            "^[a-z]+(?:-[a-z]+)*$",
            "(a+)+",
            "(?:ab){10000}",
            "(a){2}",
            r"(\\)*",
            &long,
        ] {
            Regex::new(pattern).unwrap();
            assert_eq!(translate(pattern, &SERVER), None, "{pattern}");
            assert_eq!(translate(pattern, &JSON_SCHEMA).as_deref(), Some(pattern));
        }
    }

    /// Each is read otherwise somewhere, or not at all.
    #[test]
    fn what_is_not_read_alike_is_not_said() {
        for pattern in [
            r"^\<\w+$",
            r"\w+\>",
            r"a\b",
            r"\s",
            r"\-",
            r"\@",
            r#"\""#,
            r"\x41",
            r"\pL",
            r"a\",
            "^a{2, 3}$",
            "a{ 2 }",
            "a{,2}",
            "a{70000}",
            "^[.a-z0-9.]+$[:a-z:]",
            "[=a-z=]",
            "^[_[:alpha:]]+$",
            "[[a]]",
            "[]a]",
            "[^]a]",
            "^a]$",
            "a}",
            "a**",
            "a{2}{3}",
            "a+?+",
            "*a",
            "(*a)",
            "|*",
            "^*",
            "(?i)a",
            "(?=a)",
            "(?<n>a)",
            "(?P<n>a)",
            "[a&&b]",
            "[a--b]",
            "[a~~b]",
            r"[\w-z]",
            r"[a-\w]",
            "[a-z-9]",
            "(a",
            "a)",
            "[a",
            "\u{1F600}",
        ] {
            let said = [&SERVER, &JSON_SCHEMA].map(|dialect| translate(pattern, dialect));
            assert_eq!(said, [None, None], "{pattern}");
        }
    }
}
