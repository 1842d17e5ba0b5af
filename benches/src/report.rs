//! What was measured: as a table for people, as JSON for comparison over time.

use std::fmt;
use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::statistics::Ratio;

/// Where the last results are kept.
const LATEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results/latest.json");

/// One ratio.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What is done.
    pub name: String,
    /// What is counted.
    pub unit: &'static str,
    /// By `model-core`, for each time that it is done.
    pub ours: f64,
    /// Without it.
    pub theirs: f64,
    /// Ours to theirs.
    pub ratio: f64,
    /// The interval of confidence, where time was taken.
    pub interval: Option<(f64, f64)>,
    /// The most that the ratio may be, if there is a limit.
    pub limit: Option<f64>,
}

impl Row {
    /// A ratio of two exact numbers.
    pub fn exact(name: impl Into<String>, unit: &'static str, ours: f64, theirs: f64) -> Self {
        Self {
            name: name.into(),
            unit,
            ours,
            theirs,
            ratio: ours / theirs,
            interval: None,
            limit: None,
        }
    }

    /// A ratio of two medians.
    pub fn sampled(name: impl Into<String>, unit: &'static str, ours: &[f64], theirs: &[f64]) -> Self {
        let (a, b) = (crate::statistics::median(ours), crate::statistics::median(theirs));
        let Ratio { value, low, high } = crate::statistics::ratio(ours, theirs);
        Self {
            ratio: value,
            interval: Some((low, high)),
            ..Self::exact(name, unit, a, b)
        }
    }

    /// The same, with a limit.
    pub fn at_most(mut self, limit: f64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Whether the limit is broken, beyond doubt where there is doubt, by more than `margin` of it.
    pub fn is_over(&self, margin: f64) -> bool {
        let least = self.interval.map_or(self.ratio, |(low, _)| low);
        self.limit.is_some_and(|limit| least > limit * (1.0 + margin))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            unit,
            ours,
            theirs,
            ratio,
            ..
        } = self;
        write!(
            f,
            "{name:<40} {unit:<13} {ours:>11.1} {theirs:>11.1}   {ratio:>5.3}"
        )?;
        match self.interval {
            Some((low, high)) => write!(f, "  {low:.3} to {high:.3}")?,
            None => write!(f, "  {:14}", "")?,
        }
        match self.limit {
            Some(limit) if self.is_over(0.0) => write!(f, "  over {limit:.2}"),
            Some(limit) => write!(f, "  within {limit:.2}"),
            None => Ok(()),
        }
    }
}

/// Prints the head of a table.
pub fn heading(title: &str) {
    println!("\n{title}");
    println!(
        "{:<40} {:<13} {:>11} {:>11}   {:>5}  {:<14}  limit",
        "", "", "ours", "bare", "ratio", "95 %"
    );
}

/// Prints rows, and passes them on.
pub fn show(rows: impl IntoIterator<Item = Row>) -> impl Iterator<Item = Row> {
    rows.into_iter().inspect(|row| println!("{row}"))
}

/// Keeps the rows as the latest results.
pub fn keep(rows: &[Row]) {
    let text = serde_json::to_string_pretty(rows).expect("rows are plain");
    fs::create_dir_all(Path::new(LATEST).parent().expect("a folder")).expect("the folder is ours");
    fs::write(LATEST, text + "\n").expect("the results can be written");
    println!("\n{LATEST}");
}
