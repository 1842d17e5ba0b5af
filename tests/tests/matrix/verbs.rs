//! The public functions of the source, by name: what a table has to name, so that nothing new is forgotten.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What models do: the functions of `ModelExt` (`create`), and of every type beside it (`Query::count`).
pub(crate) fn of_models() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model-core/src/model");
    let mut verbs = BTreeSet::new();
    for file in fs::read_dir(folder).unwrap() {
        verbs.extend(of_file(&file.unwrap().path()));
    }
    assert!(verbs.len() > 100, "the verbs were not found: {verbs:?}");
    verbs
}

/// The functions of one file, as `Type::function`; those of the trait `ModelExt` by their names alone.
pub(crate) fn of_file(path: &Path) -> BTreeSet<String> {
    if path.extension().is_none_or(|extension| extension != "rs") {
        return BTreeSet::new();
    }
    of_source(&fs::read_to_string(path).unwrap())
}

fn of_source(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for block in blocks(text) {
        let (head, body) = block.split_once('{').unwrap();
        let (prefix, public) = if head.starts_with("pub trait ModelExt") {
            (String::new(), "    ")
        } else if head.starts_with("impl") && !head.contains(" for ") {
            (format!("{}::", type_of(head)), "    pub ")
        } else {
            continue;
        };
        let functions = body
            .lines()
            .filter_map(|line| function(line.strip_prefix(public)?));
        found.extend(functions.map(|name| format!("{prefix}{name}")));
    }
    found
}

/// What begins at the left margin, up to the brace that closes it.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    let begins = |part: &str| ["impl", "pub trait"].iter().any(|word| part.starts_with(word));
    let starts: Vec<_> = text
        .match_indices('\n')
        .map(|(place, _)| place + 1)
        .filter(|place| begins(&text[*place..]))
        .collect();
    starts.into_iter().filter_map(|start| {
        let block = &text[start..];
        let block = &block[..block.find("\n}\n").unwrap_or(block.len())];
        block.contains('{').then_some(block)
    })
}

/// The type's name in `impl<'a, M: BaseModel> Query<'a, M>`.
fn type_of(head: &str) -> &str {
    let mut rest = head.trim_start_matches("impl");
    if rest.starts_with('<') {
        let mut depth = 0;
        let end = rest.find(|c| {
            depth += i32::from(c == '<') - i32::from(c == '>');
            depth == 0
        });
        rest = &rest[end.unwrap() + 1..];
    }
    let rest = rest.trim_start();
    &rest[..rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len())]
}

fn function(line: &str) -> Option<String> {
    let line = line.strip_prefix("const ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    let name = line.strip_prefix("fn ")?;
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    Some(name[..end].to_owned())
}

/// A table names every verb and no other. An entry `Page::` stands for all functions of that type.
pub(crate) fn assert_complete<'a>(verbs: &BTreeSet<String>, known: impl IntoIterator<Item = &'a str>) {
    let known: BTreeSet<&str> = known.into_iter().collect();
    let names = |entry: &str, verb: &str| verb == entry || (entry.ends_with("::") && verb.starts_with(entry));
    let is_known = |verb: &&String| known.iter().any(|entry| names(entry, verb));
    let missing: Vec<_> = verbs.iter().filter(|verb| !is_known(verb)).collect();
    assert!(missing.is_empty(), "verbs that are in no table: {missing:?}");
    let is_gone = |entry: &&&str| !verbs.iter().any(|verb| names(entry, verb));
    let gone: Vec<_> = known.iter().filter(is_gone).collect();
    assert!(
        gone.is_empty(),
        "the tables know verbs that do not exist: {gone:?}"
    );
}

/// New heads, generics and kinds of functions are seen.
#[test]
fn verbs_are_found_in_whatever_head() {
    let source = "\nimpl<'a, M: Fn(Vec<u8>)> Query<'a, M>\nwhere\n    M: Sized,\n{\n    pub const fn one() {}\n    \
                  pub(super) fn not() {}\n    fn nor() {}\n}\n\nimpl Db {\n    pub async fn two(self) {\n    }\n}\n\n\
                  impl fmt::Debug for Db {\n    pub fn never() {}\n}\n\npub trait ModelExt: Sized {\n    fn three() {}\n}\n";
    let expected = ["Db::two", "Query::one", "three"].map(str::to_owned);
    assert_eq!(of_source(source), expected.into());
}
