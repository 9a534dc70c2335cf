//! One closure on every worker.

use std::fmt;
use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;

use crate::core::job::HeapJob;
use crate::ground::error::SHUT_DOWN;
use crate::ground::sync::Mutex;
use crate::pool::handle::{Pool, on_current};
use crate::pool::shared::Shared;
use crate::work::scope::{Scope, open_in_place};
use crate::work::spawn::run_detached;

/// Tells a closure of [`broadcast`] which of its calls it is.
pub struct BroadcastContext<'a> {
    index: usize,
    threads: usize,
    // For the call only, and for its thread.
    _here: PhantomData<*mut &'a ()>,
}

impl BroadcastContext<'_> {
    /// The index of the worker that runs this call.
    pub fn index(&self) -> usize {
        self.index
    }

    /// How many workers run the closure.
    pub fn num_threads(&self) -> usize {
        self.threads
    }
}

impl fmt::Debug for BroadcastContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BroadcastContext").field("index", &self.index).field("threads", &self.threads).finish()
    }
}

fn context<'a>(index: usize, threads: usize) -> BroadcastContext<'a> {
    BroadcastContext { index, threads, _here: PhantomData }
}

/// Runs `op` once on every worker of the current pool (or the global one), and returns the results by worker.
///
/// Workers that are busy run it when they come free, or while they wait inside of their work: it is the only closure
/// that a waiting worker runs for others. So `op` must not wait for a lock that is held across a `join`.
///
/// # Panics
/// If a call of `op` panics, with the payload of the first, when all calls have ended.
///
/// ```
/// let indices = filch::broadcast(|context| context.index());
/// assert!(indices.iter().copied().eq(0..filch::current_num_threads()));
/// ```
pub fn broadcast<R: Send>(op: impl Fn(BroadcastContext<'_>) -> R + Sync) -> Vec<R> {
    on_current(|shared| shared.broadcast(op))
}

/// Runs `op` once on every worker of the current pool (or the global one), some time from now.
///
/// # Panics
/// As [`spawn_detached`](crate::spawn_detached).
pub fn spawn_broadcast(op: impl Fn(BroadcastContext<'_>) + Send + Sync + 'static) {
    on_current(|shared| shared.spawn_broadcast(op));
}

impl Shared {
    fn broadcast<R: Send>(&self, op: impl Fn(BroadcastContext<'_>) -> R + Sync) -> Vec<R> {
        // Also inside the pool: its workers may have ended.
        let _accepted = self.accept_root();
        let threads = self.workers();
        let results: Vec<Mutex<Option<R>>> = (0..threads).map(|_| Mutex::new(None)).collect();
        open_in_place(self, Scope::new, |scope| {
            for (index, result) in results.iter().enumerate() {
                let op = &op;
                let call = move || *result.lock() = Some(op(context(index, threads)));
                // SAFETY: what the call borrows outlives the scope, and it is queued at once.
                let job = unsafe { scope.as_ref().job(call) };
                self.post(index, job);
            }
            // Our own call: the wait runs it.
        });
        results.into_iter().map(|result| result.into_inner().expect("every worker has run it")).collect()
    }

    fn spawn_broadcast(&self, op: impl Fn(BroadcastContext<'_>) + Send + Sync + 'static) {
        let threads = self.workers();
        let op = Arc::new(op);
        for index in 0..threads {
            assert!(self.accept_spawn(), "{SHUT_DOWN}");
            let op = op.clone();
            let call = move || run_detached(move || op(context(index, threads)));
            // SAFETY: `run_detached` does not unwind, and nothing is borrowed.
            self.post(index, unsafe { HeapJob::new_ref(call, ptr::null()) });
        }
    }

    /// Puts a job into a worker's mail.
    fn post(&self, index: usize, job: crate::core::job::JobRef) {
        self.slot(index).expect("workers have slots").post(job);
    }
}

impl Pool {
    /// [`broadcast`] on this pool.
    ///
    /// # Panics
    /// As [`broadcast`], and if the pool has been shut down.
    pub fn broadcast<R: Send>(&self, op: impl Fn(BroadcastContext<'_>) -> R + Sync) -> Vec<R> {
        self.shared.broadcast(op)
    }

    /// [`spawn_broadcast`] on this pool.
    ///
    /// # Panics
    /// If the pool has been shut down.
    pub fn spawn_broadcast(&self, op: impl Fn(BroadcastContext<'_>) + Send + Sync + 'static) {
        self.shared.spawn_broadcast(op);
    }
}
