//! Closures that nobody waits for.

use std::ptr;

use crate::core::job::{HeapJob, JobRef};
use crate::core::queue::Injector;
use crate::ground::error::ShutDown;
use crate::ground::unwind;
use crate::pool::admission::{Kind, Leave};
use crate::pool::current;
use crate::pool::handle::{Handle, on_current};
use crate::pool::priority::Priority;
use crate::pool::shared::Shared;
use crate::pool::slot::Slot;
use crate::work::refused::refused_detached;

/// Runs an accepted closure on a thread of its pool, and counts it off; drops it unrun if the pool has closed.
pub(crate) fn run_detached(f: impl FnOnce()) {
    current::with(|slot| {
        let shared = slot.expect("jobs run on threads that have a slot").shared();
        let outcome = if shared.gate.is_closed() { unwind::catch(|| drop(f)) } else { unwind::catch(f) };
        if let Err(payload) = outcome {
            shared.report_panic(payload);
        }
        shared.leave();
    });
}

/// An accepted closure as a job, which counts as queued until it begins.
fn detached_job(f: impl FnOnce() + Send + 'static) -> JobRef {
    let run = move || {
        current::with(|slot| slot.expect("jobs run on threads that have a slot").shared().make_room(Kind::Closures));
        run_detached(f);
    };
    // SAFETY: `run_detached` does not unwind, and nor does `make_room`; nothing is borrowed.
    unsafe { HeapJob::new_ref(run) }
}

fn own_slot<R>(shared: &Shared, f: impl FnOnce(Option<&Slot>) -> R) -> R {
    current::with(|slot| f(slot.filter(|slot| ptr::eq(slot.shared(), shared))))
}

/// Runs `f` on the current pool (or the global one) some time from now; nobody waits for it.
///
/// This is rayon's `spawn`, under a name that leaves `spawn` to futures. The newest closure of a thread runs first;
/// [`spawn_fifo`] keeps the order. To get a result, or to cancel, use [`spawn_cpu`](crate::spawn_cpu); to borrow from
/// the enclosing frame, [`scope`](crate::scope).
///
/// A panic of `f` goes to the pool's [panic handler](crate::PoolBuilder::panic_handler).
///
/// # Panics
/// If the pool has been shut down; [`Handle::try_spawn_detached`] gives the closure back instead. (On a thread that
/// unwinds already, where a second panic would end the process, the closure is dropped.) A closure that runs in a pool
/// that is ending may still spawn.
///
/// ```
/// let (tx, rx) = std::sync::mpsc::channel();
/// filch::spawn_detached(move || tx.send(6 * 7).unwrap());
/// assert_eq!(rx.recv(), Ok(42));
/// ```
pub fn spawn_detached(f: impl FnOnce() + Send + 'static) {
    on_current(|shared| shared.spawn_detached(f, Leave::NotAsked, Priority::Normal)).unwrap_or_else(refused_detached);
}

/// [`spawn_detached`], but the closures that one thread spawns with `spawn_fifo` begin in that order.
///
/// # Panics
/// As [`spawn_detached`]; [`Handle::try_spawn_fifo`] gives the closure back instead.
///
/// ```
/// let (tx, rx) = std::sync::mpsc::channel();
/// let pool = filch::Pool::builder().workers(1).build()?;
/// pool.install_on_worker(move || {
///     for n in 0..3 {
///         let tx = tx.clone();
///         filch::spawn_fifo(move || tx.send(n).unwrap());
///     }
/// });
/// assert!(rx.into_iter().eq(0..3));
/// # Ok::<(), filch::BuildError>(())
/// ```
pub fn spawn_fifo(f: impl FnOnce() + Send + 'static) {
    on_current(|shared| shared.spawn_fifo(f, Leave::NotAsked)).unwrap_or_else(refused_detached);
}

impl Shared {
    pub(crate) fn spawn_detached<F>(&self, f: F, leave: Leave, priority: Priority) -> Result<(), ShutDown<F>>
    where
        F: FnOnce() + Send + 'static,
    {
        self.admission.take(Kind::Closures, leave);
        if !self.accept() {
            self.make_room(Kind::Closures);
            return Err(ShutDown(f));
        }
        let job = detached_job(f);
        match priority {
            Priority::Normal => current::with(|slot| self.queue_closure(slot, job)),
            priority => self.queue_ranked(priority, job),
        }
        Ok(())
    }

    pub(crate) fn spawn_fifo<F>(&self, f: F, leave: Leave) -> Result<(), ShutDown<F>>
    where
        F: FnOnce() + Send + 'static,
    {
        self.admission.take(Kind::Closures, leave);
        if !self.accept() {
            self.make_room(Kind::Closures);
            return Err(ShutDown(f));
        }
        let job = detached_job(f);
        own_slot(self, |slot| {
            let fifo = slot.map_or(&self.outside_fifo, |slot| &slot.fifo);
            fifo.push(job);
            // SAFETY: both lie in the pool, which lives while its jobs run.
            let ticket = unsafe { JobRef::new(ptr::from_ref(fifo).cast(), run_ticket) };
            self.queue_closure(slot, ticket);
        });
        Ok(())
    }
}

/// Runs the oldest closure behind the tickets of one queue.
unsafe fn run_ticket(fifo: *const ()) {
    // SAFETY: made from a queue of the pool on whose thread this runs.
    let fifo = unsafe { &*fifo.cast::<Injector<JobRef>>() };
    let job = fifo.steal().expect("there is a job for every ticket");
    // SAFETY: taken from the queue, and not yet run.
    unsafe { job.run() };
}

impl Handle {
    /// [`spawn_detached`] on this pool.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see
    /// [`filch::spawn_detached`](crate::spawn_detached).
    ///
    /// ```
    /// let (tx, rx) = std::sync::mpsc::channel();
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// pool.spawn_detached(move || tx.send(filch::current_num_threads()).unwrap());
    /// assert_eq!(rx.recv(), Ok(1));
    /// # Ok::<(), filch::BuildError>(())
    /// ```
    pub fn spawn_detached(&self, f: impl FnOnce() + Send + 'static) {
        self.shared.spawn_detached(f, Leave::NotAsked, Priority::Normal).unwrap_or_else(refused_detached);
    }

    /// [`spawn_fifo`] on this pool.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see
    /// [`filch::spawn_detached`](crate::spawn_detached).
    ///
    /// ```
    /// let (tx, rx) = std::sync::mpsc::channel();
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// for n in 0..3 {
    ///     let tx = tx.clone();
    ///     pool.spawn_fifo(move || tx.send(n).unwrap());
    /// }
    /// drop(tx);
    /// assert!(rx.into_iter().eq(0..3));
    /// # Ok::<(), filch::BuildError>(())
    /// ```
    pub fn spawn_fifo(&self, f: impl FnOnce() + Send + 'static) {
        self.shared.spawn_fifo(f, Leave::NotAsked).unwrap_or_else(refused_detached);
    }
}
