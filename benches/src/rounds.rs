//! Time, taken in rounds: each round does every variant, in another order, so that what slows the machine down for a
//! while slows all of them down.

use std::fmt;
use std::fs;
use std::time::{Duration, Instant};

use futures_util::future::{FutureExt, LocalBoxFuture};

use crate::statistics::Random;

/// One way to do something, so many times; it may tell itself how long that took.
pub struct Variant<'a>(Box<dyn Fn(usize) -> LocalBoxFuture<'a, Option<Duration>> + 'a>);

impl<'a> Variant<'a> {
    /// A way that waits.
    pub fn new<F: Future<Output = ()> + 'a>(work: impl Fn(usize) -> F + 'a) -> Self {
        Self(Box::new(move |times| work(times).map(|()| None).boxed_local()))
    }

    /// A way that goes on elsewhere, where its time is taken.
    pub fn reporting<F: Future<Output = Duration> + 'a>(work: impl Fn(usize) -> F + 'a) -> Self {
        Self(Box::new(move |times| work(times).map(Some).boxed_local()))
    }

    /// A way that does not.
    pub fn computing(work: impl Fn(usize) + Copy + 'a) -> Self {
        Self::new(move |times| async move { work(times) })
    }
}

impl fmt::Debug for Variant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Variant")
    }
}

/// What one variant took, in microseconds each time, round by round.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// By the clock.
    pub wall: Vec<f64>,
    /// Of this thread's own computing.
    pub cpu: Vec<f64>,
}

/// Does every variant `times` times in each of `rounds` rounds, after one round that does not count.
///
/// # Panics
/// If Linux does not tell how long this thread ran.
pub async fn take<const N: usize>(variants: [Variant<'_>; N], rounds: usize, times: usize) -> [Series; N] {
    let series = take_all(&variants, rounds, times).await;
    series.try_into().expect("one series for each variant")
}

/// The same, of as many variants as there are.
///
/// # Panics
/// If Linux does not tell how long this thread ran.
#[allow(clippy::cast_precision_loss, reason = "microseconds")]
pub async fn take_all(variants: &[Variant<'_>], rounds: usize, times: usize) -> Vec<Series> {
    let mut series = vec![Series::default(); variants.len()];
    let mut random = Random::new(rounds as u64);
    let mut order: Vec<usize> = (0..variants.len()).collect();
    for round in 0..=rounds {
        random.shuffle(&mut order);
        for &index in &order {
            let (cpu, start) = (cpu_nanos(), Instant::now());
            let told = (variants[index].0)(times).await;
            let (wall, cpu) = (told.unwrap_or_else(|| start.elapsed()), cpu_nanos() - cpu);
            if round > 0 {
                series[index]
                    .wall
                    .push(wall.as_nanos() as f64 / 1e3 / times as f64);
                series[index].cpu.push(cpu as f64 / 1e3 / times as f64);
            }
        }
    }
    series
}

/// What this thread has computed so far. A runtime of one thread, with the driver's tasks on it, does nothing elsewhere.
fn cpu_nanos() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells how long a thread ran");
    let first = text.split_whitespace().next();
    first.and_then(|nanos| nanos.parse().ok()).expect("nanoseconds")
}
