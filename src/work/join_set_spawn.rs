//! Putting new tasks into a [`JoinSet`](crate::task::JoinSet).

use std::future::Future;

use crate::ground::error::TrySpawnError;
use crate::pool::handle::{Handle, on_current};
use crate::pool::priority::Priority;
use crate::work::join_set::JoinSet;
use crate::work::local_set::{LocalSet, spawn_local};
use crate::work::spawn_task::{spawn, spawn_blocking, spawn_cpu};
use crate::work::task::AbortHandle;

impl<T: Send + 'static> JoinSet<T> {
    /// [Spawns](crate::spawn) a future on the current pool, and puts it into the set.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see [`filch::spawn`](crate::spawn()).
    pub fn spawn<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
    {
        self.insert(spawn(future))
    }

    /// [Spawns](Handle::spawn) a future on `pool`, and puts it into the set.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see [`filch::spawn`](crate::spawn()).
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(3).build()?;
    /// let mut set = filch::task::JoinSet::new();
    /// set.spawn_on(async { filch::current_num_threads() }, &pool);
    /// assert_eq!(filch::block_on(set.join_all()), [3]);
    /// # Ok(()) }
    /// ```
    pub fn spawn_on<F>(&mut self, future: F, pool: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
    {
        self.insert(pool.spawn(future))
    }

    /// Runs a CPU-bound closure on the current pool, as [`spawn_cpu`](crate::spawn_cpu) does, and puts it into the set.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see [`filch::spawn`](crate::spawn()).
    pub fn spawn_cpu<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
    {
        self.insert(spawn_cpu(f))
    }

    /// Runs a CPU-bound closure on `pool`, as [`Handle::spawn_cpu`] does, and puts it into the set.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see [`filch::spawn`](crate::spawn()).
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(3).build()?;
    /// let mut set = filch::task::JoinSet::new();
    /// set.spawn_cpu_on(filch::current_num_threads, &pool);
    /// assert_eq!(filch::block_on(set.join_all()), [3]);
    /// # Ok(()) }
    /// ```
    pub fn spawn_cpu_on<F>(&mut self, f: F, pool: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
    {
        self.insert(pool.spawn_cpu(f))
    }

    /// Runs a closure that may block, as [`spawn_blocking`](crate::spawn_blocking) does, and puts it into the set.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see [`filch::spawn`](crate::spawn()).
    ///
    /// ```
    /// let mut set = filch::task::JoinSet::new();
    /// for file in ["Cargo.toml", "README.md"] {
    ///     set.spawn_blocking(move || std::fs::read(file).unwrap().len());
    /// }
    /// assert!(filch::block_on(set.join_all()).into_iter().all(|bytes| bytes > 0));
    /// ```
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
    {
        self.insert(spawn_blocking(f))
    }

    /// Runs a closure that may block on `pool`, as [`Handle::spawn_blocking`] does, and puts it into the set.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see [`filch::spawn`](crate::spawn()).
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).blocking_threads(2).build()?;
    /// let mut set = filch::task::JoinSet::new();
    /// set.spawn_blocking_on(|| std::fs::read("Cargo.toml").unwrap().len(), &pool);
    /// assert!(filch::block_on(set.join_all())[0] > 0);
    /// # Ok(()) }
    /// ```
    pub fn spawn_blocking_on<F>(&mut self, f: F, pool: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
    {
        self.insert(pool.spawn_blocking(f))
    }
}

/// The same, giving the work back where it is refused.
impl<T: Send + 'static> JoinSet<T> {
    /// [`spawn`](Self::spawn), giving the future back if there is no room or the pool has been shut down: for who may
    /// be called while the pool ends, as destructors are.
    ///
    /// # Errors
    /// As [`Handle::try_spawn`].
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// let mut set = filch::task::JoinSet::new();
    /// assert!(set.try_spawn_on(async { 5 }, &pool).is_ok());
    /// assert_eq!(pool.block_on(set.join_next()).unwrap().unwrap(), 5);
    /// pool.shutdown();
    /// let refused = set.try_spawn_on(async { 6 }, &pool).unwrap_err();
    /// assert!(refused.is_shut_down());
    /// assert_eq!(filch::block_on(refused.into_inner()), 6);
    /// # Ok(()) }
    /// ```
    pub fn try_spawn<F>(&mut self, future: F) -> Result<AbortHandle, TrySpawnError<F>>
    where
        F: Future<Output = T> + Send + 'static,
    {
        Ok(self.insert(on_current(|shared| shared.try_spawn(future, None))?))
    }

    /// [`try_spawn`](Self::try_spawn) on `pool`.
    ///
    /// # Errors
    /// As [`Handle::try_spawn`].
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// let mut set = filch::task::JoinSet::new();
    /// for i in 0..3 {
    ///     set.try_spawn_on(async move { i }, &pool).expect("the pool is open");
    /// }
    /// let mut all = pool.block_on(set.join_all());
    /// all.sort();
    /// assert_eq!(all, [0, 1, 2]);
    /// # Ok(()) }
    /// ```
    pub fn try_spawn_on<F>(&mut self, future: F, pool: &Handle) -> Result<AbortHandle, TrySpawnError<F>>
    where
        F: Future<Output = T> + Send + 'static,
    {
        Ok(self.insert(pool.try_spawn(future)?))
    }

    /// [`spawn_cpu`](Self::spawn_cpu), giving the closure back if there is no room or the pool has been shut down.
    ///
    /// # Errors
    /// As [`Handle::try_spawn_cpu`].
    ///
    /// ```
    /// let mut set = filch::task::JoinSet::new();
    /// assert!(set.try_spawn_cpu(|| (1..=10).sum::<u32>()).is_ok());
    /// assert_eq!(filch::block_on(set.join_next()).unwrap().unwrap(), 55);
    /// ```
    pub fn try_spawn_cpu<F>(&mut self, f: F) -> Result<AbortHandle, TrySpawnError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
    {
        Ok(self.insert(on_current(|shared| shared.try_spawn_cpu(f, None, Priority::Normal))?))
    }

    /// [`try_spawn_cpu`](Self::try_spawn_cpu) on `pool`.
    ///
    /// # Errors
    /// As [`Handle::try_spawn_cpu`].
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// let mut set = filch::task::JoinSet::new();
    /// assert!(set.try_spawn_cpu_on(|| 6 * 7, &pool).is_ok());
    /// assert_eq!(pool.block_on(set.join_next()).unwrap().unwrap(), 42);
    ///
    /// let handle = pool.handle().clone();
    /// pool.shutdown();
    /// let refused = set.try_spawn_cpu_on(|| 6 * 7, &handle).unwrap_err();
    /// assert!(refused.is_shut_down());
    /// assert_eq!(refused.into_inner()(), 42);
    /// # Ok(()) }
    /// ```
    pub fn try_spawn_cpu_on<F>(&mut self, f: F, pool: &Handle) -> Result<AbortHandle, TrySpawnError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
    {
        Ok(self.insert(pool.try_spawn_cpu(f)?))
    }

    /// [`spawn_blocking`](Self::spawn_blocking), giving the closure back if the pool has been shut down.
    ///
    /// # Errors
    /// As [`Handle::try_spawn_blocking`].
    ///
    /// ```
    /// let mut set = filch::task::JoinSet::new();
    /// assert!(set.try_spawn_blocking(|| std::fs::metadata(".").is_ok()).is_ok());
    /// assert!(filch::block_on(set.join_next()).unwrap().unwrap());
    /// ```
    pub fn try_spawn_blocking<F>(&mut self, f: F) -> Result<AbortHandle, TrySpawnError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
    {
        Ok(self.insert(on_current(|shared| shared.spawn_blocking(f, None))?))
    }

    /// [`try_spawn_blocking`](Self::try_spawn_blocking) on `pool`.
    ///
    /// # Errors
    /// As [`Handle::try_spawn_blocking`].
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// let mut set = filch::task::JoinSet::new();
    /// let pool_handle = pool.handle().clone();
    /// pool.shutdown();
    /// let refused = set.try_spawn_blocking_on(|| 5, &pool_handle).unwrap_err();
    /// assert_eq!(refused.into_inner()(), 5);
    /// assert!(set.is_empty());
    /// # Ok(()) }
    /// ```
    pub fn try_spawn_blocking_on<F>(&mut self, f: F, pool: &Handle) -> Result<AbortHandle, TrySpawnError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
    {
        Ok(self.insert(pool.try_spawn_blocking(f)?))
    }
}

impl<T: 'static> JoinSet<T> {
    /// Spawns a future that need not be `Send` onto the [`LocalSet`] that the current thread is running, as
    /// [`spawn_local`] does, and puts it into the set.
    ///
    /// It makes progress while the `LocalSet` is polled. An abort, also by dropping the `JoinSet`, and also from
    /// another thread, leaves the future to the `LocalSet`, which drops it on its own thread when it is polled next,
    /// or dropped.
    ///
    /// # Panics
    /// Outside of any `LocalSet`.
    ///
    /// ```
    /// use filch::task::{JoinSet, LocalSet};
    /// use std::rc::Rc;
    ///
    /// let lengths = LocalSet::new().block_on(async {
    ///     let mut set = JoinSet::new();
    ///     for word in ["fork", "steal"].map(Rc::new) {
    ///         set.spawn_local(async move { word.len() });
    ///     }
    ///     set.join_all().await
    /// });
    /// assert_eq!(lengths.iter().sum::<usize>(), 9);
    /// ```
    pub fn spawn_local<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(spawn_local(future))
    }

    /// Spawns a future that need not be `Send` onto `local_set`, and puts it into the set: see
    /// [`spawn_local`](Self::spawn_local). It begins when the `LocalSet` is polled.
    ///
    /// ```
    /// use filch::task::{JoinSet, LocalSet};
    /// use std::rc::Rc;
    ///
    /// let (local, mut set) = (LocalSet::new(), JoinSet::new());
    /// set.spawn_local_on(async { *Rc::new(5) }, &local);
    /// assert_eq!(local.block_on(set.join_next()).unwrap().unwrap(), 5);
    /// ```
    pub fn spawn_local_on<F>(&mut self, future: F, local_set: &LocalSet) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(local_set.spawn_local(future))
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
