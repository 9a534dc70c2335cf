//! Spawning what can be awaited: futures, CPU-bound closures, blocking calls.

use std::future::Future;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use async_task::Runnable;

use crate::core::job::JobRef;
use crate::ground::error::{SHUT_DOWN, ShutDown};
use crate::ground::sync::{Ordering, fence};
use crate::ground::unwind;
use crate::pool::current;
use crate::pool::handle::{Pool, on_current};
use crate::pool::shared::Shared;
use crate::work::task::{Contained, Counted, JoinHandle, Meta, Queue};

/// Queues a runnable task. The function owns nothing: the task's metadata keeps the pool's shared state alive, so a
/// waker may outlive the pool.
fn schedule(runnable: Runnable<Meta>) {
    let queue = runnable.metadata().queue;
    let shared = runnable.metadata().shared.clone();
    // SAFETY: `run_task` takes the reference back, once.
    let job = unsafe { JobRef::new(runnable.into_raw().as_ptr().cast_const(), run_task, ptr::null()) };
    match queue {
        Queue::Tasks => current::with(|slot| shared.queue_task(slot, job)),
        Queue::Closures => current::with(|slot| shared.queue_closure(slot, job)),
        Queue::Blocking => shared.queue_blocking(job),
    }
}

/// Polls a task once, or drops its future if the pool has closed.
unsafe fn run_task(data: *const ()) {
    let data = NonNull::new(data.cast_mut()).expect("a task is no null pointer");
    // SAFETY: made by `into_raw` in `schedule`; a job runs once.
    let runnable = unsafe { Runnable::<Meta>::from_raw(data) };
    // Kept beyond the task's own share, which its end may drop.
    let shared = runnable.metadata().shared.clone();
    let outcome = if shared.gate.is_closed() {
        unwind::catch(|| drop(runnable))
    } else {
        unwind::catch(|| {
            runnable.run();
        })
    };
    // Panics of the future are caught inside; this is one of an awaiter's waker, or of an output's destructor.
    if let Err(payload) = outcome {
        shared.report_panic(payload);
    }
}

impl Shared {
    fn spawn<F>(&self, future: F) -> Result<JoinHandle<F::Output>, ShutDown<F>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let near = current::with(|slot| slot.map_or(0, |slot| slot.index));
        self.check_process();
        // The gate does not count tasks: the registry does, which closes when the gate has closed.
        if !self.gate.is_open() && !current::is_inside(self) {
            return Err(ShutDown(future));
        }
        let Some(ticket) = self.registry.reserve(near) else {
            return Err(ShutDown(future));
        };
        let shared = self.arc();
        let counted = Counted::Registered(shared.clone(), ticket);
        // Pairs with the fence in `Sleep::wake_all`, after the gate was closed: either we see it closed, or the pool's
        // threads see our ticket and stay.
        fence(Ordering::SeqCst);
        if self.gate.is_closed() {
            drop(counted);
            return Err(ShutDown(future));
        }
        let future = Contained::new(future, counted);
        let (runnable, task) =
            async_task::Builder::new().metadata(Meta { shared, queue: Queue::Tasks }).spawn(|_| future, schedule);
        // Refused only if the registry has been closed meanwhile: the first run will drop the future.
        let _ = self.registry.fill(ticket, runnable.waker());
        runnable.schedule();
        Ok(JoinHandle::new(task.fallible()))
    }

    fn spawn_closure<F, T>(&self, f: F, queue: Queue) -> Result<JoinHandle<T>, ShutDown<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        if !self.accept_spawn() {
            return Err(ShutDown(f));
        }
        let shared = self.arc();
        let future = Contained::new(async move { f() }, Counted::Accepted(shared.clone()));
        let (runnable, task) = async_task::Builder::new().metadata(Meta { shared, queue }).spawn(|_| future, schedule);
        runnable.schedule();
        Ok(JoinHandle::new(task.fallible()))
    }
}

/// Spawns a future as a task on the current pool, or on the global one, and returns a handle to await it.
///
/// The task starts some time from now, also if the handle is never awaited. Dropping the handle detaches it; see
/// [`JoinHandle`]. The names and meaning are tokio's.
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
    on_current(|shared| shared.spawn(future)).unwrap_or_else(|_| panic!("{SHUT_DOWN}"))
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
    on_current(|shared| shared.spawn_closure(f, Queue::Closures)).unwrap_or_else(|_| panic!("{SHUT_DOWN}"))
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
    on_current(|shared| shared.spawn_closure(f, Queue::Blocking)).unwrap_or_else(|_| panic!("{SHUT_DOWN}"))
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
        self.shared.spawn(future)
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
        self.shared.spawn_closure(f, Queue::Closures)
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
        self.shared.spawn_closure(f, Queue::Blocking)
    }
}

// `Arc<Shared>` in every task's metadata is what lets a waker outlive its pool.
const _: fn(&Meta) -> &Arc<Shared> = |meta| &meta.shared;
