//! Does one side of one pair so many times, for valgrind to count: `codec-probe <pair> ours|theirs <times>`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "the caller is a benchmark, which shows the message"
)]

use std::env;

use model_benches::codec::PAIRS;

fn main() {
    let mut arguments = env::args().skip(1);
    let mut argument = || arguments.next().expect("codec-probe <pair> ours|theirs <times>");
    let (name, side, times) = (argument(), argument(), argument());
    let pair = PAIRS.iter().find(|pair| pair.name == name).expect("a known pair");
    let times = times.parse().expect("a number of times");
    match side.as_str() {
        "ours" => (pair.ours)(times),
        "theirs" => (pair.theirs)(times),
        other => panic!("unknown side {other}"),
    }
}
