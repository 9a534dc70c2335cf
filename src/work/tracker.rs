//! Counting tasks, and waiting until all are gone.

use std::fmt;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::core::task_context::spend;
use crate::pool::handle::Handle;
use crate::work::local_set::{LocalSet, spawn_local};
use crate::work::spawn_task::{spawn, spawn_blocking, spawn_cpu};
use crate::work::task::JoinHandle;
use crate::work::tracker_count::{Count, Epoch};
use crate::work::waiters::Key;

/// Counts tasks, and waits until all of them are gone.
///
/// For an orderly end of a program or a connection: [cancel](crate::CancellationToken::cancel) a token that the tasks
/// look at, [`close`](Self::close) the tracker, and [`wait`](Self::wait). All clones are the same tracker.
///
/// A task counts until its future has been dropped, whether it ended, panicked or was aborted, or its pool was shut
/// down. The tracker keeps nothing of a task but the count: no value, no handle, no memory. For the values use a
/// [`JoinSet`](crate::task::JoinSet).
///
/// Closing is what lets `wait` end; it does not keep anybody from spawning. So a server may begin to wait while its
/// last tasks still spawn others.
///
/// The names and meaning are those of tokio-util's tracker.
///
/// # Cost
/// Two atomic additions on one shared word for each task.
///
/// ```
/// use filch::task::TaskTracker;
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// let (tracker, count) = (TaskTracker::new(), Arc::new(AtomicUsize::new(0)));
/// for _ in 0..10 {
///     let count = count.clone();
///     tracker.spawn(async move { count.fetch_add(1, Ordering::Relaxed) }).detach();
/// }
/// tracker.close();
/// filch::block_on(tracker.wait());
/// assert_eq!(count.load(Ordering::Relaxed), 10);
/// ```
#[derive(Default)]
pub struct TaskTracker {
    count: Arc<Count>,
}

/// Counts as one task of a [`TaskTracker`] until it is dropped. A clone counts as another.
///
/// For what is no task: a thread of one's own, a connection, a guard in a closure.
///
/// ```
/// use filch::task::TaskTracker;
///
/// let tracker = TaskTracker::new();
/// let (first, second) = (tracker.token(), tracker.token().clone());
/// assert_eq!(tracker.len(), 2);
/// assert!(TaskTracker::ptr_eq(first.task_tracker(), second.task_tracker()));
/// drop(first);
/// assert_eq!(tracker.len(), 1);
/// ```
#[must_use = "a dropped token counts no more"]
pub struct TaskTrackerToken {
    tracker: TaskTracker,
}

pin_project! {
    /// A future that a [`TaskTracker`] counts until it is dropped: see [`TaskTracker::track_future`].
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct TrackedFuture<F> {
        #[pin]
        future: F,
        // Dropped after the future.
        token: TaskTrackerToken,
    }
}

/// Waits until a [`TaskTracker`] is closed and empty: see [`TaskTracker::wait`]. It stays ready once it was.
#[must_use = "a future does nothing unless it is awaited"]
pub struct TaskTrackerWaitFuture<'t> {
    tracker: &'t TaskTracker,
    /// None when there is nothing to wait for any more.
    epoch: Option<Epoch>,
    key: Option<Key>,
}

/// A closure that a tracker counts until it has run, or been dropped unrun.
struct Tracked<F> {
    f: F,
    // Dropped after the closure.
    token: TaskTrackerToken,
}

impl<F> Tracked<F> {
    fn run<T>(self) -> T
    where
        F: FnOnce() -> T,
    {
        let Tracked { f, token } = self;
        // Also on unwinding the token goes after what the closure held.
        let _token = token;
        f()
    }
}

impl TaskTracker {
    /// Makes a tracker that is open and empty.
    pub fn new() -> Self {
        TaskTracker::default()
    }

    // ----- counting ------------------------------------------------------------------------------------------------

    /// [Spawns](crate::spawn) a future on the current pool, and counts it.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see [`filch::spawn`](crate::spawn()).
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn(self.track_future(future))
    }

    /// [Spawns](Handle::spawn) a future on `pool`, and counts it.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see [`filch::spawn`](crate::spawn()).
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(3).build()?;
    /// let tracker = filch::task::TaskTracker::new();
    /// let threads = tracker.spawn_on(async { filch::current_num_threads() }, &pool);
    /// assert_eq!(threads.join().unwrap(), 3);
    /// # Ok(()) }
    /// ```
    pub fn spawn_on<F>(&self, future: F, pool: &Handle) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        pool.spawn(self.track_future(future))
    }

    /// Spawns a future that need not be `Send` onto the [`LocalSet`] that the current thread is running, as
    /// [`spawn_local`] does, and counts it.
    ///
    /// # Panics
    /// Outside of any `LocalSet`.
    ///
    /// ```
    /// use filch::task::{LocalSet, TaskTracker};
    /// use std::rc::Rc;
    ///
    /// let (tracker, sum) = (TaskTracker::new(), Rc::new(std::cell::Cell::new(0)));
    /// LocalSet::new().block_on(async {
    ///     for n in 1..=4 {
    ///         let sum = sum.clone();
    ///         tracker.spawn_local(async move { sum.set(sum.get() + n) }).detach();
    ///     }
    ///     tracker.close();
    ///     tracker.wait().await;
    /// });
    /// assert_eq!(sum.get(), 10);
    /// ```
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        spawn_local(self.track_future(future))
    }

    /// Spawns a future that need not be `Send` onto `local_set`, as [`LocalSet::spawn_local`] does, and counts it.
    ///
    /// ```
    /// use filch::task::{LocalSet, TaskTracker};
    /// use std::rc::Rc;
    ///
    /// let (tracker, set, word) = (TaskTracker::new(), LocalSet::new(), Rc::new("steal"));
    /// let length = tracker.spawn_local_on(async move { word.len() }, &set);
    /// assert_eq!(tracker.len(), 1);
    /// assert_eq!(set.block_on(length).unwrap(), 5);
    /// ```
    pub fn spawn_local_on<F>(&self, future: F, local_set: &LocalSet) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        local_set.spawn_local(self.track_future(future))
    }

    /// Runs a CPU-bound closure on the current pool, as [`spawn_cpu`](crate::spawn_cpu) does, and counts it.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see [`filch::spawn`](crate::spawn()).
    ///
    /// ```
    /// let tracker = filch::task::TaskTracker::new();
    /// let squares: Vec<_> = (1..=3).map(|n| tracker.spawn_cpu(move || n * n)).collect();
    /// tracker.close();
    /// filch::block_on(tracker.wait());
    /// assert_eq!(squares.into_iter().map(|square| square.join().unwrap()).sum::<i32>(), 14);
    /// ```
    pub fn spawn_cpu<F, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let tracked = self.track(f);
        spawn_cpu(move || tracked.run())
    }

    /// Runs a CPU-bound closure on `pool`, as [`Handle::spawn_cpu`] does, and counts it.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see [`filch::spawn`](crate::spawn()).
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(3).build()?;
    /// let tracker = filch::task::TaskTracker::new();
    /// let threads = tracker.spawn_cpu_on(filch::current_num_threads, &pool);
    /// assert_eq!(threads.join().unwrap(), 3);
    /// # Ok(()) }
    /// ```
    pub fn spawn_cpu_on<F, T>(&self, f: F, pool: &Handle) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let tracked = self.track(f);
        pool.spawn_cpu(move || tracked.run())
    }

    /// Runs a closure that may block, as [`spawn_blocking`](crate::spawn_blocking) does, and counts it.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see [`filch::spawn`](crate::spawn()).
    ///
    /// ```
    /// let tracker = filch::task::TaskTracker::new();
    /// tracker.spawn_blocking(|| assert!(std::fs::read("Cargo.toml").is_ok())).detach();
    /// tracker.close();
    /// // Nothing is being read any more.
    /// filch::block_on(tracker.wait());
    /// assert!(tracker.is_empty());
    /// ```
    pub fn spawn_blocking<F, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let tracked = self.track(f);
        spawn_blocking(move || tracked.run())
    }

    /// Runs a closure that may block on `pool`, as [`Handle::spawn_blocking`] does, and counts it.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see [`filch::spawn`](crate::spawn()).
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).blocking_threads(2).build()?;
    /// let tracker = filch::task::TaskTracker::new();
    /// let read = tracker.spawn_blocking_on(|| std::fs::read("Cargo.toml"), &pool);
    /// assert!(read.join().unwrap().is_ok());
    /// # Ok(()) }
    /// ```
    pub fn spawn_blocking_on<F, T>(&self, f: F, pool: &Handle) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let tracked = self.track(f);
        pool.spawn_blocking(move || tracked.run())
    }

    /// Wraps a future so that it counts until it is dropped. It counts from now on, not from its first poll.
    ///
    /// For futures that are not spawned, or by somebody else.
    ///
    /// ```
    /// let tracker = filch::task::TaskTracker::new();
    /// let future = tracker.track_future(async { 5 });
    /// assert_eq!(tracker.len(), 1);
    /// assert_eq!(filch::block_on(future), 5);
    /// assert!(tracker.is_empty());
    /// ```
    pub fn track_future<F: Future>(&self, future: F) -> TrackedFuture<F> {
        TrackedFuture { future, token: self.token() }
    }

    /// Makes a token that counts as one task until it is dropped.
    ///
    /// ```
    /// let tracker = filch::task::TaskTracker::new();
    /// let token = tracker.token();
    /// let thread = std::thread::spawn(move || {
    ///     // … and when the work is done:
    ///     drop(token);
    /// });
    /// tracker.close();
    /// filch::block_on(tracker.wait());
    /// assert!(tracker.is_empty());
    /// # thread.join().unwrap();
    /// ```
    pub fn token(&self) -> TaskTrackerToken {
        self.count.enter();
        TaskTrackerToken { tracker: self.clone() }
    }

    fn track<F>(&self, f: F) -> Tracked<F> {
        Tracked { f, token: self.token() }
    }

    /// How many tasks live, tokens counted in.
    ///
    /// ```
    /// let tracker = filch::task::TaskTracker::new();
    /// let rests = tracker.spawn(std::future::pending::<()>());
    /// assert_eq!(tracker.len(), 1);
    /// # drop(rests);
    /// ```
    pub fn len(&self) -> usize {
        self.count.len()
    }

    /// Whether no task lives.
    ///
    /// ```
    /// let tracker = filch::task::TaskTracker::new();
    /// assert!(tracker.is_empty());
    /// let token = tracker.token();
    /// assert!(!tracker.is_empty());
    /// # drop(token);
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    // ----- waiting -------------------------------------------------------------------------------------------------

    /// Closes the tracker: from now on [`wait`](Self::wait) ends when no task lives. Tasks may still be spawned. False
    /// if it was closed already.
    ///
    /// # Panics
    /// If the tracker is empty, and the waker of one who waits panics: when all others have been woken.
    pub fn close(&self) -> bool {
        self.count.close()
    }

    /// Takes [`close`](Self::close) back. False if the tracker was open.
    ///
    /// ```
    /// let tracker = filch::task::TaskTracker::new();
    /// assert!(tracker.close() && tracker.reopen());
    /// // Empty as it is, it is not at its end.
    /// let wait = filch::time::timeout(std::time::Duration::from_millis(1), tracker.wait());
    /// assert!(filch::block_on(wait).is_err());
    /// ```
    pub fn reopen(&self) -> bool {
        self.count.reopen()
    }

    /// Whether the tracker is [closed](Self::close).
    ///
    /// ```
    /// let tracker = filch::task::TaskTracker::new();
    /// assert!(!tracker.is_closed());
    /// tracker.close();
    /// assert!(tracker.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.count.is_closed()
    }

    /// Waits until the tracker is closed and empty. Ready at once if it is.
    ///
    /// A moment is enough: if the tracker becomes closed and empty after this call, the future will be ready, even if
    /// it is polled later, when the tracker has been opened or filled again.
    ///
    /// When it is ready, everything that the tasks did has happened, and their futures have been dropped.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing, except that a new one does not know of moments that have passed.
    pub fn wait(&self) -> TaskTrackerWaitFuture<'_> {
        TaskTrackerWaitFuture { tracker: self, epoch: self.count.epoch(), key: None }
    }

    /// Whether two handles are of the same tracker.
    ///
    /// ```
    /// use filch::task::TaskTracker;
    ///
    /// let tracker = TaskTracker::new();
    /// assert!(TaskTracker::ptr_eq(&tracker, &tracker.clone()));
    /// assert!(!TaskTracker::ptr_eq(&tracker, &TaskTracker::new()));
    /// ```
    pub fn ptr_eq(left: &TaskTracker, right: &TaskTracker) -> bool {
        Arc::ptr_eq(&left.count, &right.count)
    }
}

impl Clone for TaskTracker {
    /// Another handle of the same tracker.
    fn clone(&self) -> Self {
        TaskTracker { count: self.count.clone() }
    }
}

impl TaskTrackerToken {
    /// The tracker that the token counts for.
    pub fn task_tracker(&self) -> &TaskTracker {
        &self.tracker
    }
}

impl Clone for TaskTrackerToken {
    /// Another token, which counts as another task.
    fn clone(&self) -> Self {
        self.tracker.token()
    }
}

impl Drop for TaskTrackerToken {
    fn drop(&mut self) {
        self.tracker.count.leave();
    }
}

impl<F> TrackedFuture<F> {
    /// The future, which does not count any more.
    pub(crate) fn into_inner(self) -> F {
        self.future
    }
}

impl<F: Future> Future for TrackedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(context)
    }
}

impl Future for TaskTrackerWaitFuture<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let TaskTrackerWaitFuture { tracker, epoch, key } = &mut *self;
        let (count, begun) = (&tracker.count, *epoch);
        if begun.is_some() {
            // Closed and empty now, or again since.
            let passed = || count.epoch() != begun;
            if count.waiters.poll(key, context.waker(), passed).is_pending() {
                return Poll::Pending;
            }
            *epoch = None;
        }
        spend(context)
    }
}

impl Drop for TaskTrackerWaitFuture<'_> {
    fn drop(&mut self) {
        self.tracker.count.waiters.leave(self.key);
    }
}

impl fmt::Debug for TaskTracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskTracker")
            .field("len", &self.len())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TaskTrackerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskTrackerToken").field("tracker", &self.tracker).finish()
    }
}

impl<F: fmt::Debug> fmt::Debug for TrackedFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackedFuture")
            .field("future", &self.future)
            .field("tracker", self.token.task_tracker())
            .finish()
    }
}

impl fmt::Debug for TaskTrackerWaitFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskTrackerWaitFuture").field("tracker", self.tracker).finish_non_exhaustive()
    }
}

// What lies under its lock is whole whenever that is free: no code of users runs there.
impl UnwindSafe for TaskTracker {}
impl RefUnwindSafe for TaskTracker {}
