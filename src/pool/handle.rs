//! The pool as users hold it: its owner, and the references to it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use crate::ground::error::TryCurrentError;
use crate::pool::builder::PoolBuilder;
use crate::pool::current;
use crate::pool::entered::EnterGuard;
use crate::pool::shared::Shared;

/// One pool of worker threads for async tasks and CPU-bound closures alike.
///
/// Most programs need only the global pool, on which the free functions of this crate work, and which is made when it
/// is first used. An own pool is for another number of workers, other thread names, or work that must not share its
/// threads.
///
/// This is the pool's owner: with it the pool ends. All that a pool does for its users is in [`Handle`], which it
/// derefs to, and which may be cloned and given to whoever needs the pool.
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
    handle: Handle,
}

impl Pool {
    pub(crate) fn new(shared: Arc<Shared>) -> Pool {
        Pool { handle: Handle { shared } }
    }

    /// Begins to build a pool.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::new()
    }

    /// A reference to the pool, to be cloned for those who are to use it and not to end it. (A pool itself is not
    /// cloned.)
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// let handle = pool.handle().clone();
    /// let answer = std::thread::spawn(move || handle.spawn_cpu(|| 6 * 7).join().unwrap());
    /// assert_eq!(answer.join().unwrap(), 42);
    /// # Ok(()) }
    /// ```
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Deref for Pool {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

// A panic of whoever holds a pool or a handle leaves the pool as it is; what panics inside of it is caught.
impl UnwindSafe for Pool {}
impl RefUnwindSafe for Pool {}
impl UnwindSafe for Handle {}
impl RefUnwindSafe for Handle {}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("workers", &self.num_workers()).finish_non_exhaustive()
    }
}

/// A reference to a pool, cheap to clone, which does not keep the pool open.
///
/// It is for whoever uses a pool and does not own it: a callback on a thread of somebody else's, a thread that a task
/// starts, a struct that is cloned. [`current`](Self::current) gets it where one is, [`Pool::handle`] from the pool;
/// two are equal if they are of the same pool.
///
/// ```
/// # fn main() -> Result<(), filch::BuildError> {
/// let pool = filch::Pool::builder().workers(1).build()?;
/// let on_the_pool = pool.spawn(async {
///     // A thread that knows nothing of the pool calls back.
///     let handle = filch::Handle::current();
///     let thread = std::thread::spawn(move || {
///         let _guard = handle.enter();
///         filch::spawn(async { filch::current_num_threads() })
///     });
///     thread.join().unwrap().await.unwrap()
/// });
/// assert_eq!(on_the_pool.join().unwrap(), 1);
/// # Ok(()) }
/// ```
///
/// # After the end of the pool
///
/// The pool ends when its [`Pool`] is dropped or shut down, however many handles there are. From then on a handle does
/// what the pool itself does after [`shutdown`](Pool::shutdown): `spawn` and its kin panic, their `try_` variants give
/// the work back, and [`block_on`](Self::block_on) still runs its future, on the calling thread.
///
/// # Cost
///
/// One counter to clone it. It keeps the pool's memory (queues and tables) and what the pool was built with (hooks,
/// handlers); it keeps no thread.
///
/// # Source
///
/// tokio's `runtime::Handle`.
#[derive(Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
}

impl Handle {
    /// The pool that the free functions of this crate mean on the current thread: the one that it is inside of; else
    /// the one that it has [entered](Self::enter); else the global one, which is made now if there is none yet.
    ///
    /// In tokio it panics where there is no runtime. Here each thread may call [`spawn`](crate::spawn()) and its kin,
    /// and this is the handle of the pool that they would use. Where the global pool will not do, use
    /// [`try_current`](Self::try_current).
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// use filch::Handle;
    ///
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// assert_eq!(pool.install(Handle::current), *pool.handle());
    /// assert_ne!(Handle::current(), *pool.handle());
    /// # Ok(()) }
    /// ```
    pub fn current() -> Handle {
        on_current(Handle::of)
    }

    /// The pool that the current thread is inside of, or has [entered](Self::enter).
    ///
    /// # Errors
    /// [`TryCurrentError`] if there is none. ([`current`](Self::current) gives the global pool then.)
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// use filch::Handle;
    ///
    /// assert!(Handle::try_current().is_err());
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// let _guard = pool.enter();
    /// assert!(Handle::try_current().is_ok());
    /// # Ok(()) }
    /// ```
    pub fn try_current() -> Result<Handle, TryCurrentError> {
        current::with_pool(|shared| shared.map(Handle::of)).ok_or(TryCurrentError::new())
    }

    fn of(shared: &Shared) -> Handle {
        Handle { shared: shared.arc() }
    }

    /// Makes this pool the one that the free functions of this crate mean on this thread, as long as the guard lives:
    /// [`spawn`](crate::spawn()), [`spawn_cpu`](crate::spawn_cpu), [`spawn_blocking`](crate::spawn_blocking),
    /// [`join`](crate::join()), [`scope`](crate::scope()), parallel loops, timers, and [`Handle::current`].
    ///
    /// The thread does not become one of the pool's: it has no index there, and whoever drops the pool does not wait
    /// for it. To run a piece of work as a thread of the pool, use [`install`](Self::install), which costs less for
    /// what forks a lot.
    ///
    /// # Many guards
    ///
    /// Of the guards that are alive on a thread the one that was taken last counts. They may be dropped in any order
    /// (in tokio the last one first, or it panics), and outlive the handle. A guard stays on its thread; one that is
    /// forgotten counts until the thread ends.
    ///
    /// # Inside of a pool
    ///
    /// A thread that is inside of a pool means that pool, whatever it has entered before. So inside of `install` or
    /// `block_on` of another pool a guard does not count, and after that it does again. The workers and blocking
    /// threads of a pool are always inside of it: the work that they run decides which pool is meant, and while a guard
    /// is held they may take up work that knows nothing of it. So nobody who is inside of one pool can enter another;
    /// there use the methods of the handle, such as [`spawn`](Self::spawn), or [`install`](Self::install). To enter the
    /// pool that one is inside of is allowed.
    ///
    /// # Panics
    /// If the current thread is inside of another pool, since the guard would not do what it is for.
    ///
    /// After the end of the pool it does not panic, but what needs the pool does: see
    /// [above](Self#after-the-end-of-the-pool).
    ///
    /// # Leaks
    /// A guard that is forgotten keeps what the pool consists of, and its handlers with what they hold, for ever: but
    /// not its threads. So does a handler that holds a handle of its own pool.
    ///
    /// # Cost
    /// Some tens of nanoseconds.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(3).build()?;
    /// let guard = pool.enter();
    /// assert_eq!(filch::current_num_threads(), 3);
    /// assert_eq!(filch::spawn(async { filch::current_num_threads() }).join().unwrap(), 3);
    /// drop(guard);
    /// assert!(filch::Handle::try_current().is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// The guard does not leave its thread:
    ///
    /// ```compile_fail,E0277
    /// let guard = filch::Handle::current().enter();
    /// std::thread::spawn(move || drop(guard));
    /// ```
    pub fn enter(&self) -> EnterGuard {
        assert!(!current::is_elsewhere(&self.shared), "{ELSEWHERE}");
        EnterGuard::new(self.shared.clone())
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

const ELSEWHERE: &str = "filch: a thread that is inside of one pool cannot enter another; use the handle's own methods, \
                         such as spawn or install";

/// Whether both are of the same pool.
impl PartialEq for Handle {
    fn eq(&self, other: &Handle) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl Eq for Handle {}

/// By the pool, as equality.
impl Hash for Handle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.shared).hash(state);
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("workers", &self.num_workers()).finish_non_exhaustive()
    }
}

/// Calls `f` with the pool that the current thread is inside of or has entered, or else with the global one.
pub(crate) fn on_current<R>(f: impl FnOnce(&Shared) -> R) -> R {
    current::with_pool(|shared| f(shared.unwrap_or_else(|| &Pool::global().shared)))
}

/// The same, but makes no global pool if there is none yet.
pub(crate) fn on_current_if_any<R>(f: impl FnOnce(Option<&Shared>) -> R) -> R {
    current::with_pool(|shared| f(shared.or_else(|| Pool::global_if_any().map(|pool| &*pool.shared))))
}
