//! 58: hundreds of logins at once. In a process of its own, whose memory nobody else takes.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use model_core::crypto::{Candidate, CryptoError, HashPolicy, Limits, NewPassword, PasswordHasher};

use crate::{child, is_full};

const PERMITS: usize = 2;

/// How many come at once, and how many of them may wait.
fn crowd() -> (usize, usize) {
    if is_full() { (400, 256) } else { (200, 64) }
}

/// The most memory that the process has had, in KiB.
fn resident_peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Ticks every millisecond, and notes by how much it was late.
fn ticker(late: Arc<Mutex<Vec<f64>>>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let due = Instant::now() + Duration::from_millis(1);
            tokio::time::sleep_until(due.into()).await;
            late.lock().unwrap().push(due.elapsed().as_secs_f64() * 1e3);
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of the next"]
async fn a_process_that_many_log_in_to() {
    if !child::is_one() {
        return;
    }
    let policy = HashPolicy::default();
    let memory = u64::from(policy.memory_kib);
    let (logins, queue) = crowd();
    let limits = Limits {
        permits: PERMITS,
        queue,
        wait: Duration::from_secs(60),
    };
    let hasher = PasswordHasher::new(policy, limits).unwrap();
    let password = NewPassword::new("correct horse".to_owned()).unwrap();
    let stored = hasher.hash(&password).await.unwrap();
    let candidate = Candidate::new("correct horse".to_owned());
    let before = resident_peak();
    let late = Arc::new(Mutex::new(Vec::new()));
    let ticking = ticker(Arc::clone(&late));
    let begun = Instant::now();
    let done = join_all((0..logins).map(|_| hasher.verify(Some(&stored), &candidate))).await;
    ticking.abort();
    let rate = (PERMITS + queue) as f64 / begun.elapsed().as_secs_f64();
    let busy = done
        .iter()
        .filter(|verdict| matches!(verdict, Err(CryptoError::HasherBusy)))
        .count();
    // Two are computed, as many as the queue holds wait, and the others are told so at once.
    assert_eq!(busy, logins - PERMITS - queue);
    assert_eq!(
        done.iter().filter(|verdict| verdict.is_ok()).count(),
        PERMITS + queue
    );
    let grown = resident_peak() - before;
    assert!(grown <= PERMITS as u64 * memory + 64 * 1024, "{grown} KiB");
    let mut late = std::mem::take(&mut *late.lock().unwrap());
    late.sort_by(f64::total_cmp);
    let p99 = late[late.len() * 99 / 100];
    let most = late[late.len() - 1];
    println!(
        "{queue} wait: {rate:.1} hashes/s, {grown} KiB more, the ticker late by {p99:.2} ms (p99), {most:.2} ms at the most"
    );
    // Whoever shares the machine makes a ticker late too.
    assert!(p99 < 20.0 || !is_full(), "{p99} ms");

    // Who goes away while it is computed, or while it waits, gives everything back.
    for _ in 0..3 {
        let abandoned: Vec<_> = (0..PERMITS + queue)
            .map(|_| {
                let (hasher, stored) = (hasher.clone(), stored.clone());
                tokio::spawn(async move {
                    let candidate = Candidate::new("correct horse".to_owned());
                    hasher.verify(Some(&stored), &candidate).await
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(5)).await;
        for task in abandoned {
            task.abort();
            let _ = task.await;
        }
    }
    // What was begun is computed to its end, and as many as can wait do so until then.
    for logins in [queue, PERMITS + queue] {
        let again = join_all((0..logins).map(|_| hasher.verify(Some(&stored), &candidate))).await;
        assert!(again.iter().all(Result::is_ok), "no permit and no place was lost");
    }
    assert!(resident_peak() - before <= PERMITS as u64 * memory + 64 * 1024);
}

#[tokio::test]
async fn many_logins_at_once_take_what_they_may() {
    let output = child::command("logins::a_process_that_many_log_in_to", "")
        .await
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("1 passed") && said.contains("p99"), "{said}");
    let figures = said.lines().find(|line| line.contains("p99"));
    println!("{}", figures.unwrap_or_default());
}
