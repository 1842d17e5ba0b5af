//! Everybody's times, as ratios to the bare driver.

use model_benches::statistics::{median, ratio};
use turns::Verb;

/// What a verb is called.
pub fn title(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "get by id",
        Verb::Read => "read 10,000",
        Verb::Update => "update one field",
        Verb::Judged => "update, judged",
        Verb::Insert => "insert one",
        Verb::InsertMany => "insert 10,000",
    }
}

/// One line for each name, one column for each verb.
pub struct Table(Vec<(String, Vec<Option<String>>)>);

impl Table {
    /// Of us, the driver and these.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let names = ["bare driver 3.9", "model-core"].into_iter().chain(names);
        Self(
            names
                .map(|name| (name.to_owned(), vec![None; Verb::ALL.len()]))
                .collect(),
        )
    }

    /// Puts a time where it belongs.
    pub fn put(&mut self, verb: Verb, name: &str, theirs: &[f64], bare: &[f64]) {
        let column = Verb::ALL.iter().position(|other| *other == verb);
        let line = self.0.iter_mut().find(|(other, _)| other == name);
        if let (Some(column), Some((_, cells))) = (column, line) {
            let text = if name == "bare driver 3.9" {
                format!("{:.0} us", median(bare))
            } else {
                let ratio = ratio(theirs, bare);
                format!("{:.2} ({:.2}-{:.2})", ratio.value, ratio.low, ratio.high)
            };
            cells[column] = Some(text);
        }
    }

    /// Prints it as Markdown.
    pub fn print(&self) {
        let titles = Verb::ALL.map(title).join(" | ");
        println!("\n| | {titles} |\n|---|{}", "---|".repeat(Verb::ALL.len()));
        for (name, cells) in &self.0 {
            let cells: Vec<&str> = cells.iter().map(|cell| cell.as_deref().unwrap_or("")).collect();
            println!("| {name} | {} |", cells.join(" | "));
        }
    }
}
