//! One closure on every worker.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::thread;

use crate::core::job::HeapJob;
use crate::ground::error::ShutDown;
use crate::ground::sync::Mutex;
use crate::ground::unwind;
use crate::pool::enter::Accepted;
use crate::pool::handle::{Handle, on_current};
use crate::pool::shared::Shared;
use crate::work::refused::refused_detached;
use crate::work::scope::{Scope, Whole, job, open_in_place};
use crate::work::scope_fifo::ScopeFifo;
use crate::work::spawn::run_detached;

/// Tells a closure of [`broadcast`] which of its calls it is.
///
/// ```
/// let shares = filch::broadcast(|context| {
///     let (index, threads) = (context.index(), context.num_threads());
///     index * 1000 / threads..(index + 1) * 1000 / threads
/// });
/// assert_eq!(shares.iter().map(|share| share.len()).sum::<usize>(), 1000);
/// ```
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

pub(crate) fn context<'a>(index: usize, threads: usize) -> BroadcastContext<'a> {
    BroadcastContext { index, threads, _here: PhantomData }
}

/// Runs `op` once on every worker of the current pool (or the global one), and returns the results by worker.
///
/// Workers that are busy run it when they come free, or while they wait inside of their work: it is the only closure
/// that a waiting worker runs for others. So `op` must not wait for a lock that is held across a `join`. The call of a
/// worker that has ended, or whose thread was refused, is made by any other thread.
///
/// # Panics
/// If a call of `op` panics, when all calls have ended; of several, the one with the lowest index is passed on.
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
///
/// ```
/// let (tx, rx) = std::sync::mpsc::channel();
/// filch::spawn_broadcast(move |context| tx.send(context.index()).unwrap());
/// // Ends when the last worker has dropped the closure.
/// let mut indices: Vec<usize> = rx.into_iter().collect();
/// indices.sort();
/// assert!(indices.into_iter().eq(0..filch::current_num_threads()));
/// ```
pub fn spawn_broadcast(op: impl Fn(BroadcastContext<'_>) + Send + Sync + 'static) {
    on_current(|shared| shared.spawn_broadcast(op)).unwrap_or_else(refused_detached);
}

/// Spawns `op` in a scope once for each worker of its pool. `S` is the scope as `op` gets it.
fn spawn_in_scope<'scope, S, F>(scope: &S, op: F)
where
    S: Whole<'scope>,
    F: Fn(&S, BroadcastContext<'_>) + Send + Sync + 'scope,
{
    let base = scope.as_ref();
    let threads = base.shared().workers();
    let op = Arc::new(op);
    for index in 0..threads {
        let op = op.clone();
        let call = move |scope: &S| op(scope, context(index, threads));
        // SAFETY: `op` lives for 'scope, which the scope's end does not outlast; queued at once.
        base.shared().post(index, unsafe { job(scope, call) });
    }
}

impl<'scope> Scope<'scope> {
    /// Runs `op` once on every worker of the scope's pool, before the scope ends.
    ///
    /// A worker gets to it as with [`broadcast`]. A panic of a call is raised again by [`scope`](crate::scope), when
    /// all have ended. Costs an allocation for each worker.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// let calls = AtomicUsize::new(0);
    /// filch::scope(|s| {
    ///     s.spawn_broadcast(|_, context| {
    ///         calls.fetch_add(context.index() + 1, Ordering::Relaxed);
    ///     })
    /// });
    /// let workers = filch::current_num_threads();
    /// assert_eq!(calls.into_inner(), workers * (workers + 1) / 2);
    /// ```
    pub fn spawn_broadcast<F>(&self, op: F)
    where
        F: Fn(&Scope<'scope>, BroadcastContext<'_>) + Send + Sync + 'scope,
    {
        spawn_in_scope(self, op);
    }
}

impl<'scope> ScopeFifo<'scope> {
    /// Runs `op` once on every worker of the scope's pool, before the scope ends; see [`Scope::spawn_broadcast`].
    ///
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// let calls = AtomicUsize::new(0);
    /// filch::scope_fifo(|s| {
    ///     s.spawn_broadcast(|_, _| {
    ///         calls.fetch_add(1, Ordering::Relaxed);
    ///     })
    /// });
    /// assert_eq!(calls.into_inner(), filch::current_num_threads());
    /// ```
    pub fn spawn_broadcast<F>(&self, op: F)
    where
        F: Fn(&ScopeFifo<'scope>, BroadcastContext<'_>) + Send + Sync + 'scope,
    {
        spawn_in_scope(self, op);
    }
}

/// The results of all calls, or the panic of the lowest index, passed on.
fn in_order<R>(results: impl ExactSizeIterator<Item = thread::Result<R>>) -> Vec<R> {
    let mut returned = Vec::with_capacity(results.len());
    let mut panic = None;
    for result in results {
        match result {
            Ok(value) if panic.is_none() => returned.push(value),
            Err(payload) if panic.is_none() => panic = Some(payload),
            lost => _ = unwind::drop_quietly(lost),
        }
    }
    if let Some(payload) = panic {
        returned.into_iter().for_each(|value| _ = unwind::drop_quietly(value));
        unwind::resume(payload);
    }
    returned
}

impl Shared {
    fn broadcast<R: Send>(&self, op: impl Fn(BroadcastContext<'_>) -> R + Sync) -> Vec<R> {
        // Also inside the pool: its workers may have ended.
        let accepted = self.accept_root();
        self.broadcast_accepted(&accepted, op)
    }

    pub(crate) fn broadcast_accepted<R: Send>(
        &self,
        _: &Accepted<'_>,
        op: impl Fn(BroadcastContext<'_>) -> R + Sync,
    ) -> Vec<R> {
        let threads = self.workers();
        let results: Vec<Mutex<Option<thread::Result<R>>>> = (0..threads).map(|_| Mutex::new(None)).collect();
        open_in_place(self, Scope::new, |scope| {
            for (index, result) in results.iter().enumerate() {
                let op = &op;
                let call = move |_: &Scope<'_>| *result.lock() = Some(unwind::catch(|| op(context(index, threads))));
                // SAFETY: what the call borrows outlives the scope, and it is queued at once.
                self.post(index, unsafe { job(scope, call) });
            }
            // Our own call: the wait runs it.
        });
        in_order(results.into_iter().map(|result| result.into_inner().expect("every worker has run it")))
    }

    /// The same on the current thread, one call after the other: for a pool whose workers have ended.
    #[cfg(feature = "rayon-core")]
    pub(crate) fn broadcast_here<R>(&self, op: impl Fn(BroadcastContext<'_>) -> R) -> Vec<R> {
        let threads = self.workers();
        // All are made before the first panic is passed on.
        let results: Vec<_> = (0..threads).map(|index| unwind::catch(|| op(context(index, threads)))).collect();
        in_order(results.into_iter())
    }

    pub(crate) fn spawn_broadcast<F>(&self, op: F) -> Result<(), ShutDown<F>>
    where
        F: Fn(BroadcastContext<'_>) + Send + Sync + 'static,
    {
        let threads = self.workers();
        // All calls or none: the pool may close meanwhile.
        let accepted = (0..threads).take_while(|_| self.accept()).count();
        if accepted < threads {
            (0..accepted).for_each(|_| self.leave());
            return Err(ShutDown(op));
        }
        let op = Arc::new(op);
        for index in 0..threads {
            let op = op.clone();
            let call = move || run_detached(move || op(context(index, threads)));
            // SAFETY: `run_detached` does not unwind, and nothing is borrowed.
            self.post(index, unsafe { HeapJob::new_ref(call) });
        }
        Ok(())
    }

    /// Puts a job into a worker's mail.
    fn post(&self, index: usize, job: crate::core::job::JobRef) {
        self.slot(index).expect("workers have slots").post(job);
    }
}

impl Handle {
    /// [`broadcast`] on this pool.
    ///
    /// # Panics
    /// As [`broadcast`], and if the pool has been shut down.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(3).build()?;
    /// assert_eq!(pool.broadcast(|context| context.index() * 10), [0, 10, 20]);
    /// # Ok(()) }
    /// ```
    pub fn broadcast<R: Send>(&self, op: impl Fn(BroadcastContext<'_>) -> R + Sync) -> Vec<R> {
        self.shared.broadcast(op)
    }

    /// [`spawn_broadcast`] on this pool.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see
    /// [`filch::spawn_detached`](crate::spawn_detached).
    ///
    /// ```
    /// let (tx, rx) = std::sync::mpsc::channel();
    /// let pool = filch::Pool::builder().workers(3).build()?;
    /// pool.spawn_broadcast(move |context| tx.send(context.index()).unwrap());
    /// assert_eq!(rx.into_iter().sum::<usize>(), 0 + 1 + 2);
    /// # Ok::<(), filch::BuildError>(())
    /// ```
    pub fn spawn_broadcast(&self, op: impl Fn(BroadcastContext<'_>) + Send + Sync + 'static) {
        self.shared.spawn_broadcast(op).unwrap_or_else(refused_detached);
    }
}
