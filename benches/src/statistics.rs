//! Medians, and how far to trust their ratio.

/// How many resamples a confidence interval is made of.
const RESAMPLES: usize = 2_000;

/// A source of numbers that is the same in every run.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Begins anew.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound` (`SplitMix64`).
    #[allow(clippy::cast_possible_truncation, reason = "the remainder is below a `usize`")]
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    /// Puts the items in another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// The median.
pub fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "an index between the first and the last"
)]
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    low + (high - low) * at.fract()
}

/// A ratio of medians, with the interval in which 95 % of its bootstrap resamples lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// Of the samples as they are.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The ratio of two series that were taken round by round: rounds are drawn as pairs, so that what disturbed a round
/// disturbs both sides.
pub fn ratio(ours: &[f64], theirs: &[f64]) -> Ratio {
    let mut random = Random::new(7);
    let mut resamples: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let drawn: Vec<usize> = (0..ours.len()).map(|_| random.below(ours.len())).collect();
            let of = |series: &[f64]| median(&drawn.iter().map(|&round| series[round]).collect::<Vec<_>>());
            of(ours) / of(theirs)
        })
        .collect();
    resamples.sort_by(f64::total_cmp);
    Ratio {
        value: median(ours) / median(theirs),
        low: quantile(&resamples, 0.025),
        high: quantile(&resamples, 0.975),
    }
}

#[cfg(test)]
mod tests {
    use super::{median, ratio};

    #[test]
    fn a_ratio_lies_in_its_interval() {
        let theirs: Vec<f64> = (0..40).map(|round| 100.0 + f64::from(round % 7)).collect();
        let ours: Vec<f64> = theirs.iter().map(|sample| sample * 0.5).collect();
        let ratio = ratio(&ours, &theirs);
        assert!(
            (0.49..=0.5).contains(&ratio.low) && (0.5..=0.51).contains(&ratio.high),
            "{ratio:?}"
        );
        assert!((ratio.value - 0.5).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < 1e-9);
    }
}
