//! Spawning by a [`TaskTracker`](crate::task::TaskTracker) where it may be refused.
//!
//! What is refused comes back without its token, so a closure goes to the pool as a future with its token beside it, and
//! not inside of another closure, out of which nothing comes back.

use std::future::Future;

use crate::ground::error::TrySpawnError;
use crate::pool::handle::{Handle, on_current};
use crate::pool::priority::Priority;
use crate::pool::shared::Shared;
use crate::work::spawn_task::Once;
use crate::work::task::JoinHandle;
use crate::work::tracker::TaskTracker;

impl TaskTracker {
    /// [`spawn`](Self::spawn), giving the future back if there is no room or the pool has been shut down: for who may
    /// be called while the pool ends, as destructors are. What comes back does not count.
    ///
    /// # Errors
    /// As [`Handle::try_spawn`].
    ///
    /// # Panics
    /// What is refused is counted for a moment. If the tracker is closed, and would have been empty but for that, those
    /// who wait for it are woken; if the waker of one of them panics, so does this, and the future is lost. The same
    /// holds for the other `try_` forms.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// let tracker = filch::task::TaskTracker::new();
    /// assert_eq!(tracker.try_spawn_on(async { 5 }, &pool).unwrap().join().unwrap(), 5);
    /// pool.shutdown();
    /// let refused = tracker.try_spawn_on(async { 6 }, &pool).unwrap_err();
    /// assert!(refused.is_shut_down() && tracker.is_empty());
    /// assert_eq!(filch::block_on(refused.into_inner()), 6);
    /// # Ok(()) }
    /// ```
    pub fn try_spawn<F>(&self, future: F) -> Result<JoinHandle<F::Output>, TrySpawnError<F>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        on_current(|shared| self.try_spawn_in(future, shared))
    }

    /// [`try_spawn`](Self::try_spawn) on `pool`.
    ///
    /// # Errors
    /// As [`Handle::try_spawn`].
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// let tracker = filch::task::TaskTracker::new();
    /// let task = tracker.try_spawn_on(async { 5 }, &pool).expect("the pool is open");
    /// assert_eq!(task.join().unwrap(), 5);
    /// # Ok(()) }
    /// ```
    pub fn try_spawn_on<F>(&self, future: F, pool: &Handle) -> Result<JoinHandle<F::Output>, TrySpawnError<F>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.try_spawn_in(future, &pool.shared)
    }

    /// [`spawn_cpu`](Self::spawn_cpu), giving the closure back if there is no room or the pool has been shut down.
    ///
    /// # Errors
    /// As [`Handle::try_spawn_cpu`].
    ///
    /// ```
    /// let tracker = filch::task::TaskTracker::new();
    /// let sum = tracker.try_spawn_cpu(|| (1..=10).sum::<u32>()).expect("the pool is open");
    /// assert_eq!(sum.join().unwrap(), 55);
    /// ```
    pub fn try_spawn_cpu<F, T>(&self, f: F) -> Result<JoinHandle<T>, TrySpawnError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        on_current(|shared| self.try_spawn_cpu_in(f, shared))
    }

    /// [`try_spawn_cpu`](Self::try_spawn_cpu) on `pool`.
    ///
    /// # Errors
    /// As [`Handle::try_spawn_cpu`].
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// let tracker = filch::task::TaskTracker::new();
    /// assert_eq!(tracker.try_spawn_cpu_on(|| 6 * 7, &pool).unwrap().join().unwrap(), 42);
    /// # Ok(()) }
    /// ```
    pub fn try_spawn_cpu_on<F, T>(&self, f: F, pool: &Handle) -> Result<JoinHandle<T>, TrySpawnError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.try_spawn_cpu_in(f, &pool.shared)
    }

    /// [`spawn_blocking`](Self::spawn_blocking), giving the closure back if the pool has been shut down.
    ///
    /// # Errors
    /// As [`Handle::try_spawn_blocking`].
    ///
    /// ```
    /// let tracker = filch::task::TaskTracker::new();
    /// let here = tracker.try_spawn_blocking(|| std::fs::metadata(".").is_ok()).expect("the pool is open");
    /// assert!(here.join().unwrap());
    /// ```
    pub fn try_spawn_blocking<F, T>(&self, f: F) -> Result<JoinHandle<T>, TrySpawnError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        on_current(|shared| self.try_spawn_blocking_in(f, shared))
    }

    /// [`try_spawn_blocking`](Self::try_spawn_blocking) on `pool`.
    ///
    /// # Errors
    /// As [`Handle::try_spawn_blocking`].
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// let tracker = filch::task::TaskTracker::new();
    /// let pool_handle = pool.handle().clone();
    /// pool.shutdown();
    /// let refused = tracker.try_spawn_blocking_on(|| 5, &pool_handle).unwrap_err();
    /// assert!(tracker.is_empty());
    /// assert_eq!(refused.into_inner()(), 5);
    /// # Ok(()) }
    /// ```
    pub fn try_spawn_blocking_on<F, T>(&self, f: F, pool: &Handle) -> Result<JoinHandle<T>, TrySpawnError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.try_spawn_blocking_in(f, &pool.shared)
    }

    fn try_spawn_in<F>(&self, future: F, shared: &Shared) -> Result<JoinHandle<F::Output>, TrySpawnError<F>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let tracked = self.track_future(future);
        shared.try_spawn(tracked, None).map_err(|error| error.map(|tracked| tracked.into_inner()))
    }

    fn try_spawn_cpu_in<F, T>(&self, f: F, shared: &Shared) -> Result<JoinHandle<T>, TrySpawnError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let tracked = self.track_future(Once::new(f));
        shared
            .try_spawn_cpu_once(tracked, None, Priority::Normal)
            .map_err(|error| error.map(|tracked| tracked.into_inner().into_inner()))
    }

    fn try_spawn_blocking_in<F, T>(&self, f: F, shared: &Shared) -> Result<JoinHandle<T>, TrySpawnError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let tracked = self.track_future(Once::new(f));
        shared
            .spawn_blocking_once(tracked, None)
            .map_err(|error| TrySpawnError::from(error).map(|tracked| tracked.into_inner().into_inner()))
    }
}
