//! The pool as users hold it.

use std::fmt;
use std::sync::Arc;

use crate::pool::builder::PoolBuilder;
use crate::pool::current;
use crate::pool::shared::Shared;

/// One pool of worker threads for async tasks and CPU-bound closures alike.
///
/// Most programs need only the global pool, on which the free functions of this crate work, and which is made when it
/// is first used. An own pool is for another number of workers, other thread names, or work that must not share its
/// threads.
///
/// # The end of a pool
///
/// Dropping a pool is [`shutdown`](Pool::shutdown): no more work is taken from outside, closures that have been
/// accepted are run, tasks that have not finished are cancelled, and the drop returns when every thread has ended.
/// On a thread that is inside the pool (one of its own, or a guest) the drop does not wait: it begins the shutdown
/// and returns, and the last thread clears up.
///
/// ```
/// # fn main() -> Result<(), filch::BuildError> {
/// let pool = filch::Pool::builder().workers(2).build()?;
/// let (a, b) = pool.join(|| 6 * 7, || "forty-two".len());
/// assert_eq!((a, b), (42, 9));
/// # Ok(()) }
/// ```
pub struct Pool {
    pub(crate) shared: Arc<Shared>,
}

impl Pool {
    /// Begins to build a pool.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::new()
    }

    /// How many workers the pool has: how many threads run its work at once.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(3).build()?;
    /// assert_eq!(pool.current_num_threads(), 3);
    /// # Ok(()) }
    /// ```
    pub fn current_num_threads(&self) -> usize {
        self.shared.workers()
    }

    /// The same as [`current_num_threads`](Self::current_num_threads), by a shorter name.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(3).build()?;
    /// assert_eq!(pool.num_workers(), 3);
    /// # Ok(()) }
    /// ```
    pub fn num_workers(&self) -> usize {
        self.shared.workers()
    }

    /// Every [index](crate::current_thread_index) of a thread in this pool is below this: workers, spares and guests
    /// counted in.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(2).build()?;
    /// // A counter for each thread, which no other thread counts with.
    /// let counters: Vec<AtomicUsize> = (0..pool.max_num_threads()).map(|_| AtomicUsize::new(0)).collect();
    /// pool.scope(|s| {
    ///     for _ in 0..10 {
    ///         s.spawn(|_| {
    ///             counters[filch::current_thread_index().unwrap()].fetch_add(1, Ordering::Relaxed);
    ///         });
    ///     }
    /// });
    /// assert_eq!(counters.into_iter().map(AtomicUsize::into_inner).sum::<usize>(), 10);
    /// # Ok(()) }
    /// ```
    pub fn max_num_threads(&self) -> usize {
        self.shared.most_threads()
    }
}

/// Calls `f` with the pool that the current thread is inside, or else with the global one.
pub(crate) fn on_current<R>(f: impl FnOnce(&Shared) -> R) -> R {
    current::with_pool(|| &Pool::global().shared, f)
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("workers", &self.shared.workers()).finish_non_exhaustive()
    }
}
