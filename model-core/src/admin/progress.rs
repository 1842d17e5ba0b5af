//! What is told of long work while it goes on, and how it is stopped.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

/// How many documents pass between two plain lines where nobody knows how many there are.
const LINE: u64 = 10_000;

/// Waits for Ctrl-C: once stops the work after its batch, twice ends the process.
#[derive(Debug)]
pub(super) struct Watch {
    stopped: Arc<AtomicBool>,
    waiting: tokio::task::AbortHandle,
}

impl Watch {
    /// Begins to wait.
    pub(super) fn begin() -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stopped);
        let waiting = tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                if told.swap(true, Ordering::Relaxed) {
                    std::process::exit(130);
                }
                say("stopping after this batch; Ctrl-C again stops at once");
            }
        });
        Self {
            stopped,
            waiting: waiting.abort_handle(),
        }
    }

    /// Whether the work is to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.waiting.abort();
    }
}

/// How far a piece of work has come: a bar on a terminal, else now and then a line.
#[derive(Debug)]
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    label: String,
    total: Option<u64>,
    told: u64,
}

impl Progress {
    /// Of `total` documents, if that is known.
    pub(super) fn new(label: impl Into<String>, total: Option<u64>) -> Self {
        let label = label.into();
        let bar = io::stderr().is_terminal().then(|| {
            let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
            let template = if total.is_some() {
                "{msg} [{wide_bar}] {pos}/{len} ({per_sec}, {eta} left)"
            } else {
                "{msg} {spinner} {pos} ({per_sec})"
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_message(label.clone());
            bar
        });
        Self {
            bar,
            label,
            total,
            told: 0,
        }
    }

    /// So many are done.
    pub(super) fn at(&mut self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            return;
        }
        let step = self.total.map_or(LINE, |total| (total / 10).max(1));
        if done >= self.told.saturating_add(step) {
            self.told = done;
            let of = self.total.map(|total| format!(" of {total}")).unwrap_or_default();
            say(&format!("{}: {done}{of}", self.label));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A line of what goes on.
pub(super) fn say(line: &str) {
    // Who does not listen misses nothing.
    let _ = writeln!(io::stderr(), "{line}");
}
