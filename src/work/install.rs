//! Running a closure inside a pool, and questions about where one is.

use crate::pool::current;
use crate::pool::handle::{Handle, on_current};
use crate::pool::shared::Shared;

impl Handle {
    /// Runs `f` inside this pool: everything it calls (`join`, `scope`, `spawn` …) uses this pool.
    ///
    /// On a thread of this pool it just calls `f`. Any other thread takes a free seat and runs `f` in place as a
    /// guest, which costs well under a microsecond; if no seat is free, it leaves `f` to a worker and blocks, and if none
    /// comes for some milliseconds, runs it in place nevertheless. A worker of another pool gives its own seat up while it
    /// blocks, so pools may install into each other.
    ///
    /// A guest has a [thread index](crate::current_thread_index) of its own, above those of the workers. Where `f`
    /// needs a worker thread proper (its name, its stack size, its thread-locals), use
    /// [`install_on_worker`](Self::install_on_worker).
    ///
    /// # Panics
    /// If `f` does, or if the pool has been shut down.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(3).build()?;
    /// assert_eq!(pool.install(|| filch::current_num_threads()), 3);
    /// # Ok(()) }
    /// ```
    pub fn install<R: Send>(&self, f: impl FnOnce() -> R + Send) -> R {
        self.shared.enter(move |_| f())
    }

    /// Runs `f` on a thread that the pool has started, and blocks until it has returned.
    ///
    /// This is what rayon's `install` does from outside; it costs two switches of threads, some 20 µs.
    ///
    /// A pool that was refused every thread (its [spawn handler](crate::PoolBuilder::spawn_handler) dropped them all,
    /// or it is the global one, which gets along without) has none to run it on as long as they are refused: then the
    /// calling thread does.
    ///
    /// # Panics
    /// If `f` does, or if the pool has been shut down.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(2).name("render").build()?;
    /// // In a closure of `install` this may be the caller's own name.
    /// let name = pool.install_on_worker(|| std::thread::current().name().map(str::to_owned));
    /// assert!(name.unwrap().starts_with("render-"));
    /// # Ok(()) }
    /// ```
    pub fn install_on_worker<R: Send>(&self, f: impl FnOnce() -> R + Send) -> R {
        self.shared.enter_worker(move |_, _| f())
    }

    /// The index of the current thread in this pool, if it is inside it; see
    /// [`current_thread_index`](crate::current_thread_index).
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// assert_eq!(pool.current_thread_index(), None);
    /// assert_eq!(pool.install_on_worker(|| pool.current_thread_index()), Some(0));
    /// // Inside of another pool it is of no use.
    /// let other = filch::Pool::builder().workers(1).build()?;
    /// assert_eq!(other.install_on_worker(|| pool.current_thread_index()), None);
    /// # Ok(()) }
    /// ```
    pub fn current_thread_index(&self) -> Option<usize> {
        current::index(|shared, index| std::ptr::eq(shared, &raw const *self.shared).then_some(index)).flatten()
    }

    /// Whether the current thread has jobs in its own queues of this pool; None if it is not inside this pool.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// assert_eq!(pool.current_thread_has_pending_tasks(), None);
    /// pool.install_on_worker(|| {
    ///     pool.scope(|s| {
    ///         s.spawn(|_| {});
    ///         assert_eq!(pool.current_thread_has_pending_tasks(), Some(true));
    ///     });
    ///     assert_eq!(pool.current_thread_has_pending_tasks(), Some(false));
    /// });
    /// # Ok(()) }
    /// ```
    pub fn current_thread_has_pending_tasks(&self) -> Option<bool> {
        self.current_thread_index().and_then(|_| current_thread_has_pending_tasks())
    }
}

/// The index of the current thread in the pool that it is inside, or None.
///
/// Workers have the indices from 0 on; threads that stand in for them, guests, and threads of the express lane, which
/// polls tasks while all workers are in closures, have higher ones, all below
/// [`max_num_threads`]. No two threads that run at the same time have the same index, so it may serve to give each
/// thread a place of its own in an array of `max_num_threads()` entries.
///
/// ```
/// assert_eq!(filch::current_thread_index(), None);
/// ```
pub fn current_thread_index() -> Option<usize> {
    current::index(|_, index| index)
}

/// The number of workers of the [current](Handle::current) pool, or of the global one.
///
/// ```
/// # fn main() -> Result<(), filch::BuildError> {
/// let pool = filch::Pool::builder().workers(3).build()?;
/// assert_eq!(pool.install(|| filch::current_num_threads()), 3);
/// # Ok(()) }
/// ```
pub fn current_num_threads() -> usize {
    on_current(Shared::workers)
}

/// No [index](current_thread_index) in the current pool (or the global one) reaches this.
///
/// ```
/// filch::scope(|_| {
///     assert!(filch::current_thread_index().unwrap() < filch::max_num_threads());
/// });
/// ```
pub fn max_num_threads() -> usize {
    on_current(Shared::most_threads)
}

/// Whether the current thread has jobs in its own queues; None outside of any pool.
///
/// A hint for algorithms that split: if earlier pieces have not been taken, there is little point in more.
///
/// ```
/// fn sum(numbers: &[u64]) -> u64 {
///     // What this thread has left for others still lies there: no need of more.
///     let enough = filch::current_thread_has_pending_tasks() == Some(true);
///     if enough || numbers.len() < 1000 {
///         return numbers.iter().sum();
///     }
///     let (left, right) = numbers.split_at(numbers.len() / 2);
///     let (left, right) = filch::join(|| sum(left), || sum(right));
///     left + right
/// }
/// assert_eq!(sum(&vec![1; 100_000]), 100_000);
/// assert_eq!(filch::current_thread_has_pending_tasks(), None);
/// ```
pub fn current_thread_has_pending_tasks() -> Option<bool> {
    current::with_owned(|slot| slot.map(|slot| slot.keeps_work() || slot.fork.may_have_private()))
}
