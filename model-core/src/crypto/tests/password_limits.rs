//! Passwords under load, and what their time tells.

use std::time::{Duration, Instant};

use super::super::CryptoError::HasherBusy;
use super::super::{Candidate, HashPolicy, Limits, PasswordHasher};
use super::block_on;
use super::passwords::new;

#[test]
fn a_full_queue_and_a_long_wait_are_busy_and_nothing_leaks() {
    let policy = HashPolicy {
        memory_kib: 8192,
        passes: 2,
        ..HashPolicy::default()
    };
    let limits = Limits {
        permits: 1,
        queue: 2,
        wait: Duration::from_secs(30),
    };
    let hasher = PasswordHasher::new(policy.clone(), limits).unwrap();
    block_on(async {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let hasher = hasher.clone();
                tokio::spawn(async move { hasher.hash(&new("correct horse")).await })
            })
            .collect();
        let mut busy = 0;
        for task in tasks {
            busy += usize::from(task.await.unwrap() == Err(HasherBusy));
        }
        // One runs, two wait.
        assert_eq!(busy, 5);
        // Abandoned computations give their permits back, when done and not before.
        for _ in 0..4 {
            let task = tokio::spawn({
                let hasher = hasher.clone();
                async move { hasher.hash(&new("correct horse")).await }
            });
            tokio::task::yield_now().await;
            task.abort();
            let _ = task.await;
        }
        assert!(hasher.hash(&new("correct horse")).await.is_ok());
    });
    let limits = Limits {
        permits: 1,
        queue: 8,
        wait: Duration::ZERO,
    };
    let impatient = PasswordHasher::new(policy, limits).unwrap();
    block_on(async {
        let first = tokio::spawn({
            let hasher = impatient.clone();
            async move { hasher.hash(&new("correct horse")).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(impatient.hash(&new("correct horse")).await, Err(HasherBusy));
        assert!(first.await.unwrap().is_ok());
    });
}

#[test]
fn a_missing_hash_takes_as_long_as_a_wrong_password() {
    let policy = HashPolicy {
        memory_kib: 4096,
        passes: 2,
        ..HashPolicy::default()
    };
    let hasher = PasswordHasher::new(policy, Limits::default()).unwrap();
    let stored = block_on(hasher.hash(&new("correct horse"))).unwrap();
    let time = |stored: Option<&str>| {
        let started = Instant::now();
        let _ = block_on(hasher.verify(stored, &Candidate::new("wrong horse".into())));
        started.elapsed()
    };
    let others = [
        None,
        Some("$argon2id$v=19$m=64,t=1,p=1"),
        Some("$2b$12$abc"),
        Some("garbage"),
    ];
    // Interleaved, since other tests run beside this one; the medians at full size, and else the best of a few.
    let full = std::env::var("MODEL_TEST_SIZE").is_ok_and(|size| size == "full");
    let mut times = [const { Vec::new() }; 5];
    for _ in 0..if full { 200 } else { 20 } {
        let all = others.into_iter().chain([Some(stored.as_str())]);
        for (times, stored) in times.iter_mut().zip(all) {
            times.push(time(stored));
        }
    }
    let typical = times.map(|mut times| {
        times.sort_unstable();
        times[if full { times.len() / 2 } else { 0 }]
    });
    let wrong = typical[4];
    let (least, most) = if full { (0.9, 1.1) } else { (0.5, 2.0) };
    for time in typical {
        let ratio = time.as_secs_f64() / wrong.as_secs_f64();
        assert!((least..most).contains(&ratio), "{typical:?}");
    }
}
