//! The results of one run, under the day and the commit: as JSON, and as a drawing beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::{Row, plot};

/// The mark of a commit that is not all that was measured.
const MODIFIED: &str = "-modified";
/// Where results are kept.
const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results");

/// One run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Run {
    /// The commit, with `-modified` if that is not all.
    pub(super) commit: String,
    /// When it was run, as `2026-11-21`.
    pub(super) date: String,
    /// The compiler.
    pub(super) rustc: String,
    /// How many processors there were.
    pub(super) processors: usize,
    /// What was measured.
    pub(super) rows: Vec<Row>,
}

/// Keeps the rows in `results/<date>-<commit>.json`, draws them in the `.svg` beside it, and draws all runs that were kept
/// in `results/history.svg`. What an earlier run of the same commit has measured, and this one has not, stays.
///
/// # Panics
/// If the folder cannot be written.
pub fn keep(rows: &[Row]) {
    let file = kept(rows, "");
    let history = Path::new(RESULTS).join("history.svg");
    plot::history(&all(), &history);
    println!("{}", history.display());
    println!("{}", file.display());
}

/// Keeps the rows of another benchmark in `results/<name>-<date>-<commit>.json`, and draws them.
///
/// # Panics
/// If the folder cannot be written.
pub fn keep_as(name: &str, rows: &[Row]) {
    println!("{}", kept(rows, &format!("{name}-")).display());
}

fn kept(rows: &[Row], prefix: &str) -> PathBuf {
    let commit = commit();
    let date = said("date", &["--utc", "+%F"]).unwrap_or_else(unknown);
    let file = Path::new(RESULTS).join(format!("{prefix}{date}-{commit}.json"));
    let mut kept = read(&file).map_or_else(Vec::new, |run| run.rows);
    kept.retain(|old| {
        !rows
            .iter()
            .any(|row| row.name == old.name && row.unit == old.unit)
    });
    kept.extend_from_slice(rows);
    let run = Run {
        commit,
        date,
        rustc: said("rustc", &["--version"]).unwrap_or_else(unknown),
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        rows: kept,
    };
    fs::create_dir_all(RESULTS).expect("the folder is ours");
    let text = serde_json::to_string_pretty(&run).expect("rows are plain");
    fs::write(&file, text + "\n").expect("the results can be written");
    plot::ratios(&run, &file.with_extension("svg"));
    file
}

/// All runs that were kept, the oldest first.
fn all() -> Vec<Run> {
    let entries = fs::read_dir(RESULTS).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(|first: char| first.is_ascii_digit())
    });
    let mut runs: Vec<Run> = files.iter().filter_map(|file| read(file)).collect();
    // Several are of one day.
    runs.sort_by_cached_key(|run| (run.date.clone(), committed(&run.commit)));
    runs
}

/// The commit that is measured, marked if there is more than that: results that an earlier run has written are no change.
fn commit() -> String {
    let commit = said("git", &["rev-parse", "--short", "HEAD"]).unwrap_or_else(unknown);
    let changes = said("git", &["status", "--porcelain", "--", ":/", ":(exclude)results"]);
    match changes {
        None => commit,
        Some(_) => commit + MODIFIED,
    }
}

/// When a commit was made, in seconds; none for one that git does not know.
fn committed(commit: &str) -> Option<u64> {
    let commit = commit.trim_end_matches(MODIFIED);
    let seconds = said("git", &["show", "--no-patch", "--format=%ct", commit])?;
    seconds.parse().ok()
}

fn read(file: &Path) -> Option<Run> {
    if file.extension().is_none_or(|extension| extension != "json") {
        return None;
    }
    serde_json::from_str(&fs::read_to_string(file).ok()?).ok()
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// What a program says, if it says something.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    let text = output.map_or_else(|_| Vec::new(), |output| output.stdout);
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{RESULTS, Row, read};

    /// The unit that a column of the page's tables has in the results.
    fn unit(column: &str) -> Option<&'static str> {
        match column {
            "instructions" => Some("instructions"),
            "allocations" => Some("allocations"),
            "code" => Some("KiB of code"),
            "CPU" => Some("CPU us"),
            "wall" => Some("wall us"),
            _ => None,
        }
    }

    fn cell(row: &Row) -> String {
        match row.interval {
            Some((low, high)) => format!("{:.2} ({low:.2} to {high:.2})", row.ratio),
            None => format!("{:.2}", row.ratio),
        }
    }

    #[test]
    fn the_page_tells_what_was_kept() {
        let page = include_str!("../../README.md");
        let section = page.split("## What each costs, and why").nth(1);
        let section = section
            .and_then(|rest| rest.split("\n## ").next())
            .expect("the page has the section");
        let named = section.split("`results/").nth(1);
        let file = named
            .and_then(|rest| rest.split('`').next())
            .expect("it names the results");
        let run = read(&Path::new(RESULTS).join(file)).expect("they are kept");
        let (mut columns, mut told, mut wrong) = (Vec::new(), 0, Vec::new());
        for line in section.lines() {
            let Some(cells) = line.strip_prefix("| ") else {
                // The line below a table's head begins with a bar too.
                if !line.starts_with('|') {
                    columns.clear();
                }
                continue;
            };
            let mut cells = cells.trim_end_matches('|').split('|').map(str::trim);
            let name = cells.next().unwrap_or_default();
            if columns.is_empty() {
                columns = cells.map(unit).collect();
                continue;
            }
            for (unit, cell_told) in columns.iter().zip(cells) {
                let Some(unit) = unit else { continue };
                let row = run.rows.iter().find(|row| row.name == name && row.unit == *unit);
                let kept = row.map(cell).unwrap_or_default();
                told += 1;
                if kept != cell_told {
                    wrong.push(format!("{name}, {unit}: {kept}, and not {cell_told}"));
                }
            }
        }
        assert!(told > 40, "the page has {told} figures");
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
