//! The current worker as an argument: saves `join` the thread-local look-up.

use std::fmt;
use std::marker::PhantomData;

use crate::core::job::Arm;
use crate::pool::current;
use crate::pool::handle::{Pool, on_current};
use crate::pool::slot::Slot;
use crate::work::join::{ForkArm, fork};

/// A thread of a pool, at work: got from [`with_worker`] and passed down a recursion.
///
/// It cannot leave its thread. Each closure of [`Worker::join`] gets the worker that it really runs on.
///
/// ```
/// use filch::Worker;
///
/// fn sum(worker: &Worker, numbers: &[u64]) -> u64 {
///     if numbers.len() < 100 {
///         return numbers.iter().sum();
///     }
///     let (left, right) = numbers.split_at(numbers.len() / 2);
///     // Each closure is given the worker that it runs on: not always this one.
///     let (left, right) = worker.join(|worker| sum(worker, left), |worker| sum(worker, right));
///     left + right
/// }
/// let numbers: Vec<u64> = (1..=1000).collect();
/// assert_eq!(filch::with_worker(|worker| sum(worker, &numbers)), 500_500);
/// ```
#[repr(transparent)]
pub struct Worker {
    slot: Slot,
    _not_sync: PhantomData<*mut ()>,
}

impl Worker {
    #[inline(always)]
    fn of(slot: &Slot) -> &Worker {
        // SAFETY: `Worker` is a transparent wrapper around `Slot`; the slot is the current thread's, and `Worker` is
        // neither Send nor Sync, so the reference stays on it.
        unsafe { &*std::ptr::from_ref(slot).cast::<Worker>() }
    }

    /// [`join`](crate::join) on this worker, without the look-up of the current thread.
    ///
    /// # Panics
    /// As [`join`](crate::join).
    ///
    /// ```
    /// use filch::Worker;
    ///
    /// fn fib(w: &Worker, n: u32) -> u64 {
    ///     if n < 2 {
    ///         return n.into();
    ///     }
    ///     let (a, b) = w.join(|w| fib(w, n - 1), |w| fib(w, n - 2));
    ///     a + b
    /// }
    /// assert_eq!(filch::with_worker(|w| fib(w, 20)), 6765);
    /// ```
    #[inline(always)]
    pub fn join<A, B, RA, RB>(&self, a: A, b: B) -> (RA, RB)
    where
        A: FnOnce(&Worker) -> RA + Send,
        B: FnOnce(&Worker) -> RB + Send,
        RA: Send,
        RB: Send,
    {
        fork(&self.slot, |slot| a(Worker::of(slot)), WithWorker(b))
    }

    /// The index of this thread in its pool; see [`current_thread_index`](crate::current_thread_index).
    ///
    /// ```
    /// filch::with_worker(|worker| assert_eq!(filch::current_thread_index(), Some(worker.index())));
    /// ```
    pub fn index(&self) -> usize {
        self.slot.index
    }
}

/// The second arm of [`Worker::join`].
struct WithWorker<B>(B);

impl<B: FnOnce(&Worker) -> R + Send, R: Send> Arm for WithWorker<B> {
    type Out = R;

    fn run_stolen(self) -> R {
        current::with(|slot| (self.0)(Worker::of(slot.expect("forks run on threads that have a slot"))))
    }
}

impl<B: FnOnce(&Worker) -> R + Send, R: Send> ForkArm for WithWorker<B> {
    #[inline(always)]
    fn run_inline(self, slot: &Slot) -> R {
        (self.0)(Worker::of(slot))
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("index", &self.slot.index).finish_non_exhaustive()
    }
}

/// Runs `f` as a thread of the current pool, or of the global one, and gives it the [`Worker`].
///
/// # Panics
/// If `f` does.
///
/// ```
/// let (a, b) = filch::with_worker(|worker| worker.join(|_| 6 * 7, |_| "forty-two".len()));
/// assert_eq!((a, b), (42, 9));
/// ```
pub fn with_worker<R: Send>(f: impl FnOnce(&Worker) -> R + Send) -> R {
    current::with(|slot| match slot {
        Some(slot) => f(Worker::of(slot)),
        None => on_current(|shared| shared.enter(|slot| f(Worker::of(slot)))),
    })
}

impl Pool {
    /// [`with_worker`] on this pool.
    ///
    /// # Panics
    /// If `f` does, or if the pool has been shut down.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(2).build()?;
    /// assert!(pool.with_worker(|worker| worker.index()) < pool.max_num_threads());
    /// # Ok(()) }
    /// ```
    pub fn with_worker<R: Send>(&self, f: impl FnOnce(&Worker) -> R + Send) -> R {
        self.shared.enter(|slot| f(Worker::of(slot)))
    }
}
