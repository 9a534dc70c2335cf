//! Putting new tasks into a [`JoinSet`](crate::task::JoinSet).

use std::future::Future;

use crate::pool::handle::Pool;
use crate::work::join_set::JoinSet;
use crate::work::spawn_task::{spawn, spawn_blocking, spawn_cpu};
use crate::work::task::AbortHandle;

impl<T: Send + 'static> JoinSet<T> {
    /// [Spawns](crate::spawn) a future on the current pool, and puts it into the set.
    ///
    /// # Panics
    /// If the pool has been shut down.
    pub fn spawn<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
    {
        self.insert(spawn(future))
    }

    /// [Spawns](Pool::spawn) a future on `pool`, and puts it into the set.
    ///
    /// # Panics
    /// If the pool has been shut down.
    pub fn spawn_on<F>(&mut self, future: F, pool: &Pool) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
    {
        self.insert(pool.spawn(future))
    }

    /// Runs a CPU-bound closure on the current pool, as [`spawn_cpu`](crate::spawn_cpu) does, and puts it into the set.
    ///
    /// # Panics
    /// If the pool has been shut down.
    pub fn spawn_cpu<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
    {
        self.insert(spawn_cpu(f))
    }

    /// Runs a CPU-bound closure on `pool`, as [`Pool::spawn_cpu`] does, and puts it into the set.
    ///
    /// # Panics
    /// If the pool has been shut down.
    pub fn spawn_cpu_on<F>(&mut self, f: F, pool: &Pool) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
    {
        self.insert(pool.spawn_cpu(f))
    }

    /// Runs a closure that may block, as [`spawn_blocking`](crate::spawn_blocking) does, and puts it into the set.
    ///
    /// # Panics
    /// If the pool has been shut down.
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
    {
        self.insert(spawn_blocking(f))
    }

    /// Runs a closure that may block on `pool`, as [`Pool::spawn_blocking`] does, and puts it into the set.
    ///
    /// # Panics
    /// If the pool has been shut down.
    pub fn spawn_blocking_on<F>(&mut self, f: F, pool: &Pool) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
    {
        self.insert(pool.spawn_blocking(f))
    }
}

/// [Spawns](JoinSet::spawn) each future of an iterator.
impl<F> FromIterator<F> for JoinSet<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn from_iter<I: IntoIterator<Item = F>>(futures: I) -> Self {
        let mut set = JoinSet::new();
        set.extend(futures);
        set
    }
}

/// [Spawns](JoinSet::spawn) each future of an iterator.
impl<F> Extend<F> for JoinSet<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn extend<I: IntoIterator<Item = F>>(&mut self, futures: I) {
        for future in futures {
            self.spawn(future);
        }
    }
}
