//! Scopes whose closures begin in the order in which they were spawned.

use std::fmt;

use crate::core::job::JobRef;
use crate::core::queue::Injector;
use crate::pool::handle::{Handle, on_current};
use crate::work::scope::{ScopeBase, Whole, job, open, open_in_place};

/// A scope that runs its closures first in, first out; see [`scope_fifo`].
///
/// The closures lie in a queue of the scope; what threads pass around are tickets, one for each.
#[repr(C)]
pub struct ScopeFifo<'scope> {
    // Must come first: see `Whole`.
    base: ScopeBase<'scope>,
    queue: Injector<JobRef>,
}

impl<'scope> AsRef<ScopeBase<'scope>> for ScopeFifo<'scope> {
    fn as_ref(&self) -> &ScopeBase<'scope> {
        &self.base
    }
}

// SAFETY: repr(C), and it begins with its base.
unsafe impl<'scope> Whole<'scope> for ScopeFifo<'scope> {}

impl<'scope> ScopeFifo<'scope> {
    pub(crate) fn new(base: ScopeBase<'scope>) -> Self {
        ScopeFifo { base, queue: Injector::new() }
    }

    /// Spawns a closure that ends before the scope does, and begins after those that were spawned before it.
    ///
    /// A panic of the closure is raised again by [`scope_fifo`], when all closures have ended.
    ///
    /// ```
    /// let (tx, rx) = std::sync::mpsc::channel();
    /// filch::scope_fifo(|s| {
    ///     for n in 0..10 {
    ///         let tx = &tx;
    ///         // Handed out in this order: those who wait for the first will not wait for the last.
    ///         s.spawn_fifo(move |_| tx.send(n).unwrap());
    ///     }
    /// });
    /// assert_eq!(rx.try_iter().sum::<i32>(), 45);
    /// ```
    pub fn spawn_fifo<F>(&self, f: F)
    where
        F: FnOnce(&ScopeFifo<'scope>) + Send + 'scope,
    {
        // SAFETY: `f` lives for 'scope, which the scope's end does not outlast; a ticket for it is queued at once.
        self.queue.push(unsafe { job(self, f) });
        // SAFETY: the scope waits for as many jobs as there are tickets, and a ticket touches the scope only to take
        // its job.
        let ticket = unsafe { JobRef::of_scope(std::ptr::from_ref(self).cast(), ScopeFifo::run_ticket) };
        self.base.queue(ticket);
    }

    unsafe fn run_ticket(scope: *const ()) {
        // SAFETY: alive, because the job that we take has not ended.
        let job = unsafe { (*scope.cast::<Self>()).queue.steal() };
        // SAFETY: taken from the queue, and not yet run. Afterwards the scope may be gone.
        unsafe { job.expect("there is a job for every ticket").run() };
    }
}

impl fmt::Debug for ScopeFifo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeFifo").finish_non_exhaustive()
    }
}

/// [`scope`](crate::scope), but the closures begin in the order in which they were spawned.
///
/// # Panics
/// As [`scope`](crate::scope).
///
/// ```
/// use std::sync::Mutex;
/// let order = Mutex::new(Vec::new());
/// let pool = filch::Pool::builder().workers(1).build()?;
/// pool.install_on_worker(|| {
///     filch::scope_fifo(|s| {
///         for i in 0..3 {
///             let order = &order;
///             s.spawn_fifo(move |_| order.lock().unwrap().push(i));
///         }
///     })
/// });
/// assert_eq!(order.into_inner().unwrap(), [0, 1, 2]);
/// # Ok::<(), filch::BuildError>(())
/// ```
pub fn scope_fifo<'scope, R: Send>(op: impl FnOnce(&ScopeFifo<'scope>) -> R + Send) -> R {
    on_current(|shared| shared.enter(|slot| open(slot, ScopeFifo::new, op)))
}

/// [`in_place_scope`](crate::in_place_scope) with the order of [`scope_fifo`].
///
/// # Panics
/// As [`scope`](crate::scope).
///
/// ```
/// use std::rc::Rc;
///
/// let (lines, mut lengths) = (Rc::new(["one", "three"]), [0; 2]);
/// filch::in_place_scope_fifo(|s| {
///     for (line, length) in lines.iter().copied().zip(&mut lengths) {
///         s.spawn_fifo(move |_| *length = line.len());
///     }
/// });
/// assert_eq!(lengths, [3, 5]);
/// ```
pub fn in_place_scope_fifo<'scope, R>(op: impl FnOnce(&ScopeFifo<'scope>) -> R) -> R {
    on_current(|shared| open_in_place(shared, ScopeFifo::new, op))
}

impl Handle {
    /// [`scope_fifo`] on this pool.
    ///
    /// # Panics
    /// As [`scope`](crate::scope), and if the pool has been shut down.
    ///
    /// ```
    /// use std::sync::Mutex;
    ///
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// let order = Mutex::new(Vec::new());
    /// pool.install_on_worker(|| {
    ///     pool.scope_fifo(|s| {
    ///         let order = &order;
    ///         (0..3).for_each(|n| s.spawn_fifo(move |_| order.lock().unwrap().push(n)));
    ///     })
    /// });
    /// assert_eq!(order.into_inner().unwrap(), [0, 1, 2]);
    /// # Ok(()) }
    /// ```
    pub fn scope_fifo<'scope, R: Send>(&self, op: impl FnOnce(&ScopeFifo<'scope>) -> R + Send) -> R {
        self.shared.enter(|slot| open(slot, ScopeFifo::new, op))
    }

    /// [`in_place_scope_fifo`] on this pool.
    ///
    /// # Panics
    /// As [`scope`](crate::scope), and if the pool has been shut down.
    ///
    /// ```
    /// use std::sync::Mutex;
    ///
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// let order = Mutex::new(Vec::new());
    /// pool.in_place_scope_fifo(|s| {
    ///     let order = &order;
    ///     (0..3).for_each(|n| s.spawn_fifo(move |_| order.lock().unwrap().push(n)));
    /// });
    /// assert_eq!(order.into_inner().unwrap(), [0, 1, 2]);
    /// # Ok(()) }
    /// ```
    pub fn in_place_scope_fifo<'scope, R>(&self, op: impl FnOnce(&ScopeFifo<'scope>) -> R) -> R {
        open_in_place(&self.shared, ScopeFifo::new, op)
    }
}
