//! What was measured: as a table for people, as JSON for comparison over time, as a drawing.

mod keep;
mod plot;

use std::fmt;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

pub use self::keep::{keep, keep_as};
use crate::statistics::Ratio;
use crate::valgrind::{LAYERS, Layers};

/// By how much a limit may be missed before it counts: another compiler makes other instructions.
const MARGIN: f64 = 0.05;

/// One ratio.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    /// What is done.
    pub name: String,
    /// What is counted.
    pub unit: String,
    /// By `model-core`, for each time that it is done.
    pub ours: f64,
    /// Without it.
    pub theirs: f64,
    /// Ours to theirs.
    pub ratio: f64,
    /// The interval of confidence, where time was taken.
    pub interval: Option<(f64, f64)>,
    /// The most that the ratio may be, if there is a limit: beyond it, somebody has to look.
    pub limit: Option<f64>,
    /// What the ratio is to be in the end, if that is less than the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aim: Option<f64>,
}

impl Row {
    /// A ratio of two exact numbers.
    pub fn exact(name: impl Into<String>, unit: &str, ours: f64, theirs: f64) -> Self {
        Self {
            name: name.into(),
            unit: unit.into(),
            ours,
            theirs,
            ratio: ours / theirs,
            interval: None,
            limit: None,
            aim: None,
        }
    }

    /// A ratio of two medians.
    pub fn sampled(name: impl Into<String>, unit: &str, ours: &[f64], theirs: &[f64]) -> Self {
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

    /// The same, with what is to be reached.
    pub fn aims_at(mut self, aim: f64) -> Self {
        self.aim = Some(aim);
        self
    }

    /// Whether the aim is reached, by the whole interval where there is one.
    pub fn reaches(&self) -> Option<bool> {
        let most = self.interval.map_or(self.ratio, |(_, high)| high);
        self.aim.map(|aim| most <= aim)
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
            Some(limit) if self.is_over(0.0) => write!(f, "  over {limit:.2}")?,
            Some(limit) => write!(f, "  within {limit:.2}")?,
            None => {}
        }
        match (self.aim, self.reaches()) {
            (Some(aim), Some(true)) => write!(f, ", reaches {aim:.2}"),
            (Some(aim), _) => write!(f, ", misses {aim:.2}"),
            (None, _) => Ok(()),
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

/// How a run ends: it fails if a row is over its limit, and names those that are.
pub fn verdict(rows: &[Row]) -> ExitCode {
    let over: Vec<&Row> = rows.iter().filter(|row| row.is_over(MARGIN)).collect();
    if over.is_empty() {
        return ExitCode::SUCCESS;
    }
    heading("Over their limits");
    for row in over {
        println!("{row}");
    }
    ExitCode::FAILURE
}

/// Prints where the instructions of one verb go, on both sides.
pub fn layers(name: &str, ours: &Layers<f64>, bare: &Layers<f64>) {
    let total = |layers: &Layers<f64>| layers.0.iter().sum::<f64>();
    let (all, driver) = (total(ours), total(bare));
    println!(
        "\n{name:<40} {:>11} {:>6}   {:>11} {:>6}",
        "ours", "share", "bare", "share"
    );
    let names = LAYERS.iter().map(|(name, _)| *name).chain(["the rest"]);
    for ((name, ours), bare) in names.zip(ours.0).zip(bare.0) {
        println!(
            "  {name:<38} {ours:>11.0} {:>6.3}   {bare:>11.0} {:>6.3}",
            ours / all,
            bare / driver
        );
    }
    println!(
        "  {:<38} {all:>11.0} {:>6.3}   {driver:>11.0} {:>6.3}",
        "all", 1.0, 1.0
    );
}

#[cfg(test)]
mod tests {
    use super::Row;

    #[test]
    fn a_limit_is_broken_by_the_whole_interval_and_an_aim_is_reached_by_it() {
        let row = |low, high| Row {
            interval: Some((low, high)),
            ..Row::exact("row", "wall us", 1.08, 1.0)
                .at_most(1.10)
                .aims_at(1.05)
        };
        assert!(!row(1.08, 1.20).is_over(0.0), "it may be below");
        assert!(row(1.16, 1.20).is_over(0.05));
        assert!(!row(1.14, 1.20).is_over(0.05), "the margin is not used up");
        assert_eq!(row(1.00, 1.06).reaches(), Some(false));
        assert_eq!(row(1.00, 1.04).reaches(), Some(true));
        assert!(
            Row::exact("row", "instructions", 1.2, 1.0)
                .at_most(1.10)
                .is_over(0.05)
        );
        assert_eq!(Row::exact("row", "instructions", 1.2, 1.0).reaches(), None);
    }
}
