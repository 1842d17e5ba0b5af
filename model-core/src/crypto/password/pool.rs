//! Hashing off the runtime's threads, in memory that is bounded, reused and wiped.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::Output;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use zeroize::{Zeroize, Zeroizing};

use super::super::{CryptoError, Result};
use super::other::OtherHash;
use super::pepper::Pepper;
use super::policy::Limits;

/// One computation, within the bounds.
#[derive(Clone)]
pub(super) struct Job {
    pub(super) algorithm: Algorithm,
    pub(super) version: Version,
    pub(super) params: Params,
    pub(super) output_len: usize,
    pub(super) salt: Vec<u8>,
    pub(super) pepper: Option<Pepper>,
}

/// Permits to compute, and the memory to do it in.
pub(super) struct Pool {
    limits: Limits,
    semaphore: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// The blocks that one permit stands for.
    unit: usize,
    arenas: Mutex<Vec<Vec<Block>>>,
}

impl Pool {
    pub(super) fn new(limits: Limits, params: &Params) -> Self {
        let permits = limits.permits.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            semaphore: Arc::new(Semaphore::new(permits)),
            limits: Limits { permits, ..limits },
            waiting: AtomicUsize::new(0),
            unit: params.block_count().max(1),
            arenas: Mutex::default(),
        }
    }

    /// Waits for a permit, then computes on a thread for blocking work.
    pub(super) async fn run(self: &Arc<Self>, job: Job, secret: &[u8]) -> Result<Output> {
        let pool = Arc::clone(self);
        let blocks = job.params.block_count();
        self.on_a_thread(blocks, secret, move |secret| pool.compute(&job, secret))
            .await
    }

    /// As [`run`](Self::run), of another scheme: whether the hash is that of the secret.
    pub(super) async fn run_other(&self, hash: Box<dyn OtherHash>, secret: &[u8]) -> Result<bool> {
        // A block of Argon2 is a KiB.
        let blocks = usize::try_from(hash.memory_kib()).unwrap_or(usize::MAX);
        self.on_a_thread(blocks, secret, move |secret| Ok(hash.matches(secret)))
            .await
    }

    async fn on_a_thread<T: Send + 'static>(
        &self,
        blocks: usize,
        secret: &[u8],
        compute: impl FnOnce(&[u8]) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = self.admit(blocks).await?;
        let secret = Zeroizing::new(secret.to_vec());
        let task = tokio::task::spawn_blocking(move || {
            let output = compute(&secret);
            // Held to here: dropping the awaiting future must not let another computation start beside this one.
            drop(permit);
            output
        });
        // The task does not panic; it is cancelled only when the runtime goes away.
        task.await.unwrap_or(Err(CryptoError::HasherBusy))
    }

    async fn admit(&self, blocks: usize) -> Result<OwnedSemaphorePermit> {
        let permits = self.weight(blocks);
        if let Ok(permit) = Arc::clone(&self.semaphore).try_acquire_many_owned(permits) {
            return Ok(permit);
        }
        let _waiting = Waiting::enter(&self.waiting, self.limits.queue)?;
        let permit = Arc::clone(&self.semaphore).acquire_many_owned(permits);
        match timeout(self.limits.wait, permit).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(CryptoError::HasherBusy),
        }
    }

    /// A hash that needs more memory than the policy's takes as many permits: the memory of all together stays bounded.
    fn weight(&self, blocks: usize) -> u32 {
        let units = blocks.div_ceil(self.unit).clamp(1, self.limits.permits);
        u32::try_from(units).unwrap_or(u32::MAX)
    }

    fn compute(&self, job: &Job, secret: &[u8]) -> Result<Output> {
        let mut arena = Arena::take(self, job.params.block_count())?;
        let argon2 = match &job.pepper {
            Some(pepper) => {
                Argon2::new_with_secret(pepper.key(), job.algorithm, job.version, job.params.clone())
                    .map_err(super::impossible)?
            }
            None => Argon2::new(job.algorithm, job.version, job.params.clone()),
        };
        let mut bytes = Zeroizing::new([0u8; Output::MAX_LENGTH]);
        let out = bytes
            .get_mut(..job.output_len)
            .ok_or(CryptoError::MalformedHash)?;
        argon2
            .hash_password_into_with_memory(secret, &job.salt, out, arena.blocks.as_mut_slice())
            .map_err(|_| CryptoError::MalformedHash)?;
        Output::new(out).map_err(|_| CryptoError::MalformedHash)
    }
}

/// A place in the queue, given back when dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(waiting: &'a AtomicUsize, queue: usize) -> Result<Self> {
        // Made first, so that its drop undoes the count on either way out.
        let ahead = waiting.fetch_add(1, Ordering::AcqRel);
        let place = Self(waiting);
        if ahead < queue {
            Ok(place)
        } else {
            Err(CryptoError::HasherBusy)
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The memory of one computation; wiped when dropped (argon2 does not), and kept for the next one if of usual size.
struct Arena<'a> {
    pool: &'a Pool,
    blocks: Vec<Block>,
}

impl<'a> Arena<'a> {
    fn take(pool: &'a Pool, count: usize) -> Result<Self> {
        let kept = if count <= pool.unit {
            pool.arenas.lock().unwrap_or_else(PoisonError::into_inner).pop()
        } else {
            None
        };
        let mut blocks = kept.unwrap_or_default();
        let count = if count <= pool.unit { pool.unit } else { count };
        if blocks.len() < count {
            // A failure to allocate is load, like any other.
            blocks
                .try_reserve_exact(count - blocks.len())
                .map_err(|_| CryptoError::HasherBusy)?;
            blocks.resize(count, Block::new());
        }
        Ok(Self { pool, blocks })
    }
}

impl Drop for Arena<'_> {
    fn drop(&mut self) {
        self.blocks.iter_mut().for_each(Zeroize::zeroize);
        if self.blocks.len() == self.pool.unit {
            let blocks = core::mem::take(&mut self.blocks);
            self.pool
                .arenas
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(blocks);
        }
    }
}
