//! Whose instructions they are: the profile of callgrind, function by function, summed up by crate.

use std::collections::HashMap;

/// The layers, and what the names of their functions contain; what stands first in a name has it.
pub const LAYERS: [(&str, &[&str]); 7] = [
    (
        "our codec",
        &[
            "model_core::codec",
            "model_core::value",
            "model_benches::document",
        ],
    ),
    (
        "our policy",
        &["model_core::policy", "model_core::audit", "model_core::lifecycle"],
    ),
    ("our engine", &["model_core::"]),
    ("serde and bson", &["serde", "bson::", "bson3::"]),
    (
        "driver",
        &["mongodb::", "rustls", "hickory", "futures", "mongodb_internal"],
    ),
    ("tokio", &["tokio::", "mio::"]),
    (
        "memory",
        &[
            "malloc", "free", "realloc", "memcpy", "memmove", "memset", "memcmp", "bcmp", "calloc", "_int_",
        ],
    ),
];

/// A count for each layer, and one for the rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layers<T>(pub [T; LAYERS.len() + 1]);

impl Layers<u64> {
    /// Of a profile in callgrind's format, by what each function does itself.
    pub(super) fn of(profile: &str) -> Self {
        let mut layers = [0; LAYERS.len() + 1];
        let mut names: HashMap<&str, usize> = HashMap::new();
        let mut current = LAYERS.len();
        // The line after `calls=` is what the called function does, which is counted there.
        let mut is_call = false;
        for line in profile.lines() {
            if let Some(function) = line.strip_prefix("fn=") {
                // `(12) name` the first time, `(12)` from then on.
                let (number, name) = function.split_once(' ').unwrap_or((function, ""));
                current = if name.is_empty() {
                    names.get(number).copied().unwrap_or(LAYERS.len())
                } else {
                    let layer = layer(name);
                    names.insert(number, layer);
                    layer
                };
            } else if let Some(function) = line.strip_prefix("cfn=") {
                if let Some((number, name)) = function.split_once(' ') {
                    names.insert(number, layer(name));
                }
            } else if line.starts_with("calls=") {
                is_call = true;
            } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
                let count = line
                    .split_whitespace()
                    .nth(1)
                    .and_then(|count| count.parse::<u64>().ok());
                if !is_call {
                    layers[current] += count.unwrap_or_default();
                }
                is_call = false;
            }
        }
        Self(layers)
    }

    pub(super) fn less(&self, other: &Self) -> Self {
        let mut left = self.0;
        for (count, other) in left.iter_mut().zip(other.0) {
            *count = count.saturating_sub(other);
        }
        Self(left)
    }

    pub(super) fn map(self, of: impl Fn(u64) -> f64) -> Layers<f64> {
        Layers(self.0.map(of))
    }
}

fn layer(name: &str) -> usize {
    let place = |(_, parts): &(&str, &[&str])| parts.iter().filter_map(|part| name.find(part)).min();
    let places = LAYERS.iter().enumerate();
    places
        .filter_map(|(layer, parts)| Some((place(parts)?, layer)))
        .min()
        .map_or(LAYERS.len(), |(_, layer)| layer)
}

#[cfg(test)]
mod tests {
    use super::{LAYERS, Layers};

    #[test]
    fn what_a_function_does_itself_counts_for_its_layer() {
        let profile = "\
events: Ir
fn=(1) model_core::codec::writer::Writer::i64
1 10
cfn=(2) malloc
calls=3 0
+1 300
+2 5

fn=(2)
0 100
fn=(3) main
0 7
";
        let Layers(counts) = Layers::of(profile);
        assert_eq!(counts[0], 15);
        assert_eq!(counts[LAYERS.len() - 1], 100);
        assert_eq!(counts[LAYERS.len()], 7);
        assert_eq!(counts.iter().sum::<u64>(), 122);
    }
}
