//! Pools as rayon's users hold them.

use std::error::Error;
use std::fmt;

use filch::drop_in::{in_worker_of, join_in, spawn_fifo_in, spawn_in, worker_index, worker_index_in};

#[allow(deprecated)]
use crate::Configuration;
use crate::panics::{guarded, guarded_call};
use crate::{BroadcastContext, Scope, ScopeFifo, Yield};

/// A pool of threads of its own.
///
/// Dropping it returns at once; what has been spawned still runs, and then the threads end.
pub struct ThreadPool {
    pool: filch::Pool,
}

impl ThreadPool {
    pub(crate) fn new_of(pool: filch::Pool) -> Self {
        ThreadPool { pool }
    }

    /// Builds a pool.
    ///
    /// # Errors
    /// As [`ThreadPoolBuilder::build`](crate::ThreadPoolBuilder::build).
    #[deprecated(note = "Use `ThreadPoolBuilder::build`")]
    #[allow(deprecated)]
    pub fn new(configuration: Configuration) -> Result<ThreadPool, Box<dyn Error>> {
        configuration.build()
    }

    /// The filch pool that this one is: to spawn tasks there, for its statistics, and so on.
    ///
    /// It has no express lane: tasks wait while all its threads are in closures.
    pub fn as_filch(&self) -> &filch::Pool {
        &self.pool
    }

    /// Runs `op` on a thread of this pool, and blocks until it has returned. A thread of another pool goes on with that
    /// one's work meanwhile.
    ///
    /// # Panics
    /// If `op` does.
    pub fn install<OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce() -> R + Send,
        R: Send,
    {
        in_worker_of(&self.pool, |_| op())
    }

    /// [`broadcast`](crate::broadcast) on this pool.
    ///
    /// # Panics
    /// As there.
    pub fn broadcast<OP, R>(&self, op: OP) -> Vec<R>
    where
        OP: Fn(BroadcastContext<'_>) -> R + Sync,
        R: Send,
    {
        self.pool.broadcast(op)
    }

    /// The number of threads.
    #[inline]
    pub fn current_num_threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// [`current_thread_index`], if the current thread is one of this pool.
    #[inline]
    pub fn current_thread_index(&self) -> Option<usize> {
        worker_index_in(&self.pool)
    }

    /// Whether the current thread has closures of its own queued; None if it is not of this pool.
    #[inline]
    pub fn current_thread_has_pending_tasks(&self) -> Option<bool> {
        worker_index_in(&self.pool).and_then(|_| filch::current_thread_has_pending_tasks())
    }

    /// [`join`](crate::join) on this pool.
    ///
    /// # Panics
    /// As there.
    pub fn join<A, B, RA, RB>(&self, oper_a: A, oper_b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA + Send,
        B: FnOnce() -> RB + Send,
        RA: Send,
        RB: Send,
    {
        join_in(&self.pool, oper_a, oper_b)
    }

    /// [`scope`](crate::scope()) on this pool.
    ///
    /// # Panics
    /// As there.
    pub fn scope<'scope, OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce(&Scope<'scope>) -> R + Send,
        R: Send,
    {
        in_worker_of(&self.pool, |_| self.pool.scope(op))
    }

    /// [`scope_fifo`](crate::scope_fifo) on this pool.
    ///
    /// # Panics
    /// As there.
    pub fn scope_fifo<'scope, OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce(&ScopeFifo<'scope>) -> R + Send,
        R: Send,
    {
        in_worker_of(&self.pool, |_| self.pool.scope_fifo(op))
    }

    /// [`in_place_scope`](crate::in_place_scope) with closures on this pool.
    ///
    /// # Panics
    /// As there.
    pub fn in_place_scope<'scope, OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce(&Scope<'scope>) -> R,
    {
        filch::drop_in::in_place_scope_of(&self.pool, op)
    }

    /// [`in_place_scope_fifo`](crate::in_place_scope_fifo) with closures on this pool.
    ///
    /// # Panics
    /// As there.
    pub fn in_place_scope_fifo<'scope, OP, R>(&self, op: OP) -> R
    where
        OP: FnOnce(&ScopeFifo<'scope>) -> R,
    {
        filch::drop_in::in_place_scope_fifo_of(&self.pool, op)
    }

    /// [`spawn`](crate::spawn()) on this pool.
    pub fn spawn<OP>(&self, op: OP)
    where
        OP: FnOnce() + Send + 'static,
    {
        spawn_in(&self.pool, guarded(op));
    }

    /// [`spawn_fifo`](crate::spawn_fifo) on this pool.
    pub fn spawn_fifo<OP>(&self, op: OP)
    where
        OP: FnOnce() + Send + 'static,
    {
        spawn_fifo_in(&self.pool, guarded(op));
    }

    /// [`spawn_broadcast`](crate::spawn_broadcast) on this pool.
    pub fn spawn_broadcast<OP>(&self, op: OP)
    where
        OP: Fn(BroadcastContext<'_>) + Send + Sync + 'static,
    {
        self.pool.spawn_broadcast(move |context| guarded_call(|| op(context)));
    }

    /// [`yield_now`], if the current thread is one of this pool.
    pub fn yield_now(&self) -> Option<Yield> {
        worker_index_in(&self.pool).and_then(|_| filch::yield_now())
    }

    /// [`yield_local`], if the current thread is one of this pool.
    pub fn yield_local(&self) -> Option<Yield> {
        worker_index_in(&self.pool).and_then(|_| filch::yield_local())
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool").field("num_threads", &self.current_num_threads()).finish_non_exhaustive()
    }
}

/// The index of the current thread in its pool; None on threads of no pool. No two threads that run have the same.
///
/// It is below [`current_num_threads`](crate::current_num_threads), but for this: while a thread of the pool waits in
/// `filch::block_on` or `filch::blocking`, or the pool waits in filch's way, others may stand in for its threads, whose
/// indices begin there. All are below `filch::max_num_threads()`.
#[inline]
pub fn current_thread_index() -> Option<usize> {
    worker_index()
}

/// Whether the current thread has closures of its own queued; None on threads of no pool.
#[inline]
pub fn current_thread_has_pending_tasks() -> Option<bool> {
    worker_index().and_then(|_| filch::current_thread_has_pending_tasks())
}

/// Runs one piece of the pool's work, if there is any, on top of the current one; None on threads of no pool.
pub fn yield_now() -> Option<Yield> {
    worker_index().and_then(|_| filch::yield_now())
}

/// [`yield_now`], but only work from the current thread's own queues is run.
pub fn yield_local() -> Option<Yield> {
    worker_index().and_then(|_| filch::yield_local())
}
