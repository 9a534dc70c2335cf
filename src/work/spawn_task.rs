//! Spawning what can be awaited: futures, CPU-bound closures, blocking calls.

use std::future::Future;
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::core::task::{self, Why};
use crate::core::task_cell::{Cell, Scheduler};
use crate::core::{task_context, task_notes};
use crate::ground::error::{SHUT_DOWN, ShutDown};
use crate::pool::current;
use crate::pool::handle::{Pool, on_current};
use crate::pool::shared::Shared;
use crate::pool::tasks::{BlockingClosure, CpuClosure, PoolTask};
use crate::work::task::JoinHandle;

/// A closure as a future that is ready after one poll.
struct Once<F>(Option<F>);

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
    pub(crate) fn spawn<F>(&self, future: F, name: Option<Arc<str>>) -> Result<JoinHandle<F::Output>, ShutDown<F>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.check_process();
        current::with(|slot| {
            let own = slot.filter(|slot| ptr::eq(slot.shared(), self));
            // The gate does not count tasks: the tallies do.
            if !self.gate.is_open() && own.is_none() && !current::is_inside(self) {
                return Err(ShutDown(future));
            }
            if !self.task_spawned(own) {
                return Err(ShutDown(future));
            }
            // SAFETY: future and output are Send, and borrow nothing.
            let (task, handle) = unsafe { Cell::allocate(future, PoolTask, self.number.get()) };
            if let Some(name) = name {
                task_notes::set_name(task.header(), name);
            }
            match own {
                Some(slot) => slot.queue_task(task, Why::Spawned),
                None => self.inject_task(task),
            }
            // SAFETY: the handle's reference of a task with this output.
            Ok(unsafe { JoinHandle::new(handle) })
        })
    }

    pub(crate) fn spawn_closure<F, T, S>(
        &self,
        f: F,
        scheduler: S,
        name: Option<Arc<str>>,
    ) -> Result<JoinHandle<T>, ShutDown<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
        S: Scheduler,
    {
        if !self.accept_spawn() {
            return Err(ShutDown(f));
        }
        // SAFETY: closure and output are Send, and borrow nothing.
        let (task, handle) = unsafe { Cell::allocate(Once(Some(f)), scheduler, self.number.get()) };
        if let Some(name) = name {
            task_notes::set_name(task.header(), name);
        }
        task::schedule(task, Why::Spawned);
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
/// If the pool has been shut down; [`Pool::try_spawn`] gives the future back instead.
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
    on_current(|shared| shared.spawn(future, None)).unwrap_or_else(|_| panic!("{SHUT_DOWN}"))
}

/// Runs a CPU-bound closure on the current pool, or on the global one, and returns a handle to await its result.
///
/// The bridge from async code to the processor: inside the closure `join`, `scope` and loops use the same pool. If
/// the handle is [aborted](JoinHandle::abort) before the closure has begun, it never runs.
///
/// # Panics
/// If the pool has been shut down; [`Pool::try_spawn_cpu`] gives the closure back instead. A panic of the closure
/// arrives as a [`JoinError`](crate::JoinError).
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
    on_current(|shared| shared.spawn_closure(f, CpuClosure, None)).unwrap_or_else(|_| panic!("{SHUT_DOWN}"))
}

/// Runs a closure that may block on a thread kept for such, and returns a handle to await its result.
///
/// Threads are started as needed, at most as many as the pool's builder allows (512 by default); further calls wait
/// in a queue. Idle threads end after some seconds. For work that is bound by the processor use [`spawn_cpu`]: these
/// threads are not limited to the cores.
///
/// # Panics
/// As [`spawn_cpu`].
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
    on_current(|shared| shared.spawn_closure(f, BlockingClosure, None)).unwrap_or_else(|_| panic!("{SHUT_DOWN}"))
}

impl Pool {
    /// [`spawn`] on this pool.
    ///
    /// # Panics
    /// If the pool has been shut down.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.try_spawn(future).unwrap_or_else(|_| panic!("{SHUT_DOWN}"))
    }

    /// [`spawn`] on this pool, giving the future back if the pool has been shut down.
    ///
    /// # Errors
    /// [`ShutDown`] with the future.
    pub fn try_spawn<F>(&self, future: F) -> Result<JoinHandle<F::Output>, ShutDown<F>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared.spawn(future, None)
    }

    /// [`spawn_cpu`] on this pool.
    ///
    /// # Panics
    /// If the pool has been shut down.
    pub fn spawn_cpu<F, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.try_spawn_cpu(f).unwrap_or_else(|_| panic!("{SHUT_DOWN}"))
    }

    /// [`spawn_cpu`] on this pool, giving the closure back if the pool has been shut down.
    ///
    /// # Errors
    /// [`ShutDown`] with the closure.
    pub fn try_spawn_cpu<F, T>(&self, f: F) -> Result<JoinHandle<T>, ShutDown<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.shared.spawn_closure(f, CpuClosure, None)
    }

    /// [`spawn_blocking`] on this pool.
    ///
    /// # Panics
    /// If the pool has been shut down.
    pub fn spawn_blocking<F, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.try_spawn_blocking(f).unwrap_or_else(|_| panic!("{SHUT_DOWN}"))
    }

    /// [`spawn_blocking`] on this pool, giving the closure back if the pool has been shut down.
    ///
    /// # Errors
    /// [`ShutDown`] with the closure.
    pub fn try_spawn_blocking<F, T>(&self, f: F) -> Result<JoinHandle<T>, ShutDown<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.shared.spawn_closure(f, BlockingClosure, None)
    }
}
