//! Spawning what can be awaited: futures, CPU-bound closures, blocking calls.

use std::future::Future;
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::core::task::{self, Why};
use crate::core::task_cell::{Cell, Scheduler};
use crate::core::{task_context, task_notes};
use crate::ground::error::ShutDown;
use crate::pool::admission::{Kind, Leave};
use crate::pool::current;
use crate::pool::handle::{Handle, on_current};
use crate::pool::priority::Priority;
use crate::pool::shared::Shared;
use crate::pool::tasks::{self, BlockingClosure, CpuClosure, PoolTask};
use crate::work::refused::{refused, refused_once};
use crate::work::task::JoinHandle;

/// A closure as a future that is ready after one poll.
pub(crate) struct Once<F>(Option<F>);

impl<F> Once<F> {
    pub(crate) fn new(f: F) -> Self {
        Once(Some(f))
    }

    /// The closure of one that has not been polled.
    pub(crate) fn into_inner(self) -> F {
        self.0.expect("it has not been polled")
    }
}

// The closure is moved out before it is called.
impl<F> Unpin for Once<F> {}

impl<F: FnOnce() -> T, T> Future for Once<F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        let f = self.0.take().expect("a task is not polled after its end");
        // It cannot let others go first: it is polled once.
        Poll::Ready(task_context::unlimited(f))
    }
}

impl Shared {
    pub(crate) fn spawn<F>(
        &self,
        future: F,
        name: Option<Arc<str>>,
        leave: Leave,
    ) -> Result<JoinHandle<F::Output>, ShutDown<F>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.check_process();
        self.admission.take(Kind::Tasks, leave);
        current::with(|slot| {
            let own = slot.filter(|slot| ptr::eq(slot.shared(), self));
            // The gate does not count tasks: the tallies do.
            let outside = own.is_none() && !current::is_inside(self);
            if (outside && !self.gate.is_open()) || !self.task_spawned(own) {
                self.make_room(Kind::Tasks);
                return Err(ShutDown(future));
            }
            // SAFETY: future and output are Send, and borrow nothing.
            let (task, handle) = unsafe { Cell::allocate(future, PoolTask, self.number.get()) };
            if let Some(name) = name {
                task_notes::set_name(task.header(), name);
            }
            self.schedules.one_more();
            match own {
                Some(slot) => slot.queue_task(task, Why::Spawned),
                None => self.inject_task(task),
            }
            // SAFETY: the handle's reference of a task with this output.
            Ok(unsafe { JoinHandle::new(handle) })
        })
    }

    /// A closure on the workers. Counts as queued until it begins.
    pub(crate) fn spawn_cpu<F, T>(
        &self,
        f: F,
        name: Option<Arc<str>>,
        leave: Leave,
        priority: Priority,
    ) -> Result<JoinHandle<T>, ShutDown<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.spawn_cpu_once(Once::new(f), name, leave, priority).map_err(|ShutDown(once)| ShutDown(once.into_inner()))
    }

    /// The same for what is ready after one poll: a closure, and what goes with it.
    pub(crate) fn spawn_cpu_once<W>(
        &self,
        once: W,
        name: Option<Arc<str>>,
        leave: Leave,
        priority: Priority,
    ) -> Result<JoinHandle<W::Output>, ShutDown<W>>
    where
        W: Future + Send + 'static,
        W::Output: Send + 'static,
    {
        self.admission.take(Kind::Closures, leave);
        self.spawn_once(once, CpuClosure(self.admission.shared_room(Kind::Closures)), name, priority)
            .inspect_err(|_| self.make_room(Kind::Closures))
    }

    /// A call that may block, on a thread for such.
    pub(crate) fn spawn_blocking<F, T>(&self, f: F, name: Option<Arc<str>>) -> Result<JoinHandle<T>, ShutDown<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.spawn_blocking_once(Once::new(f), name).map_err(|ShutDown(once)| ShutDown(once.into_inner()))
    }

    /// The same for what is ready after one poll.
    pub(crate) fn spawn_blocking_once<W>(
        &self,
        once: W,
        name: Option<Arc<str>>,
    ) -> Result<JoinHandle<W::Output>, ShutDown<W>>
    where
        W: Future + Send + 'static,
        W::Output: Send + 'static,
    {
        self.spawn_once(once, BlockingClosure, name, Priority::Normal)
    }

    fn spawn_once<W, S>(
        &self,
        once: W,
        scheduler: S,
        name: Option<Arc<str>>,
        priority: Priority,
    ) -> Result<JoinHandle<W::Output>, ShutDown<W>>
    where
        W: Future + Send + 'static,
        W::Output: Send + 'static,
        S: Scheduler,
    {
        if !self.accept() {
            return Err(ShutDown(once));
        }
        // SAFETY: closure and output are Send, and borrow nothing.
        let (task, handle) = unsafe { Cell::allocate(once, scheduler, self.number.get()) };
        if let Some(name) = name {
            task_notes::set_name(task.header(), name);
        }
        match priority {
            Priority::Normal => task::schedule(task, Why::Spawned),
            priority => self.queue_ranked(priority, tasks::cpu_job(task)),
        }
        // SAFETY: the handle's reference of a task with this output.
        Ok(unsafe { JoinHandle::new(handle) })
    }
}

/// Spawns a future as a task on the current pool, or on the global one, and returns a handle to await it.
///
/// The task starts some time from now, also if the handle is never awaited. Dropping the handle detaches it; see
/// [`JoinHandle`]. The names and meaning are tokio's.
///
/// A task that waits for something and that nobody can wake any more (no waker of it is left, and its handles have been
/// dropped) is dropped there and then.
///
/// A poll should be short: a future that computes for long keeps a worker from others. Put such work into
/// [`spawn_cpu`], or into a `join` or `scope`, and calls that block into [`spawn_blocking`].
///
/// # Panics
/// If the pool has been shut down; [`Handle::try_spawn`] gives the future back instead. (tokio returns the handle of a
/// cancelled task there. So does this on a thread that unwinds already, where a second panic would end the process.)
///
/// ```
/// let answer = filch::block_on(async {
///     let handle = filch::spawn(async { 6 * 7 });
///     handle.await
/// });
/// assert_eq!(answer.unwrap(), 42);
/// ```
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    on_current(|shared| shared.spawn(future, None, Leave::NotAsked)).unwrap_or_else(|back| refused(back, None))
}

/// Runs a CPU-bound closure on the current pool, or on the global one, and returns a handle to await its result.
///
/// The bridge from async code to the processor: inside the closure `join`, `scope` and loops use the same pool. If
/// the handle is [aborted](JoinHandle::abort) before the closure has begun, it never runs.
///
/// **A dropped handle cancels too**, as long as the closure has not begun: then nobody wants the result any more.
/// What it has captured is dropped at once by whoever cancels, and the handle resolves at once; a closure that has
/// begun goes on to its end. (Futures and blocking calls go on when their handle is dropped.) To let the closure run
/// although nobody waits for it, call [`JoinHandle::detach`], or use [`spawn_detached`](crate::spawn_detached).
///
/// With a priority: [`task::Builder`](crate::task::Builder::priority).
///
/// # Panics
/// As [`spawn`], if the pool has been shut down; [`Handle::try_spawn_cpu`] gives the closure back instead. A panic of the
/// closure arrives as a [`JoinError`](crate::JoinError).
///
/// ```
/// let sum = filch::block_on(filch::spawn_cpu(|| (1..=100u64).sum::<u64>()));
/// assert_eq!(sum.unwrap(), 5050);
/// ```
pub fn spawn_cpu<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    on_current(|shared| shared.spawn_cpu(f, None, Leave::NotAsked, Priority::Normal))
        .unwrap_or_else(|back| refused_once(back, None))
}

/// Runs a closure that may block on a thread kept for such, and returns a handle to await its result.
///
/// Threads are started as needed, at most as many as the pool's builder
/// [allows](crate::PoolBuilder::blocking_threads) (512 by default). When all of them are taken, further calls wait in a
/// queue until one ends: so calls that wait for each other, by a channel or a barrier, hang if they are more than that.
/// Idle threads end after some seconds. For work that is bound by the processor use [`spawn_cpu`]: these threads are
/// not limited to the cores.
///
/// # Panics
/// As [`spawn_cpu`]; [`Handle::try_spawn_blocking`] gives the closure back instead.
///
/// ```
/// let text = filch::block_on(filch::spawn_blocking(|| std::fs::read_to_string("Cargo.toml")));
/// assert!(text.unwrap().is_ok());
/// ```
pub fn spawn_blocking<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    on_current(|shared| shared.spawn_blocking(f, None)).unwrap_or_else(|back| refused_once(back, None))
}

impl Handle {
    /// [`spawn`] on this pool.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see [`filch::spawn`](crate::spawn()).
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(2).build()?;
    /// let handle = pool.spawn(async {
    ///     // What a task spawns goes to its own pool.
    ///     filch::spawn(async { filch::current_num_threads() }).await
    /// });
    /// assert_eq!(handle.join().unwrap().unwrap(), 2);
    /// # Ok(()) }
    /// ```
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared.spawn(future, None, Leave::NotAsked).unwrap_or_else(|back| refused(back, None))
    }

    /// [`spawn_cpu`] on this pool.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see [`filch::spawn`](crate::spawn()).
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(2).build()?;
    /// let sum = pool.spawn_cpu(|| (1..=1000u64).into_par_iter().sum::<u64>());
    /// assert_eq!(filch::block_on(sum).unwrap(), 500_500);
    /// # Ok(()) }
    /// ```
    pub fn spawn_cpu<F, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.shared
            .spawn_cpu(f, None, Leave::NotAsked, Priority::Normal)
            .unwrap_or_else(|back| refused_once(back, None))
    }

    /// [`spawn_blocking`] on this pool.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see [`filch::spawn`](crate::spawn()).
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).blocking_threads(4).build()?;
    /// let text = pool.spawn_blocking(|| std::fs::read_to_string("Cargo.toml"));
    /// assert!(text.join().unwrap().unwrap().contains("filch"));
    /// # Ok(()) }
    /// ```
    pub fn spawn_blocking<F, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.shared.spawn_blocking(f, None).unwrap_or_else(|back| refused_once(back, None))
    }
}
