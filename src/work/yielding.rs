//! Letting other work go first.

use crate::pool::current;
use crate::pool::find::Work;
use crate::pool::handle::Handle;
use crate::pool::slot::Slot;

impl Slot {
    /// Guests do not run others' work where that may count on running on a worker.
    fn find_for_yield(&self) -> Option<Work> {
        if !self.may_run_anything() {
            return self.take_any_own_fork();
        }
        self.find_any().or_else(|| self.take_any_own_fork())
    }

    /// The second arm of a `join` around the caller, the outermost first.
    fn take_any_own_fork(&self) -> Option<Work> {
        if self.fork.is_clear() {
            return None;
        }
        // Also those that are left to others, who may be in yields themselves, and then ask for nothing.
        if self.fork.may_have_private() {
            self.publish_all();
        }
        if self.yield_leaves_forks() { None } else { self.take_own_fork() }
    }
}

/// What a yield did.
///
/// ```
/// use filch::Yield;
///
/// # fn main() -> Result<(), filch::BuildError> {
/// let pool = filch::Pool::builder().workers(1).build()?;
/// pool.install_on_worker(|| {
///     filch::scope(|s| {
///         s.spawn(|_| {});
///         assert_eq!(filch::yield_now(), Some(Yield::Executed));
///     });
/// });
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yield {
    /// A piece of work was found and has been run.
    Executed,
    /// There was nothing to run.
    Idle,
}

/// Runs one piece of the pool's work, if there is any, on top of the current one; None outside of any pool.
///
/// This is for closures that wait for something that another closure brings. It may run anything, so do not hold a
/// lock that other work may want. The closure that yields cannot go on before what it runs has ended: if that waits
/// for a part of something that is buried below another thread's yield, which waits in turn for a part of what is
/// buried here, neither ends. That is so for every scheduler that runs work on top of a stack.
///
/// In async code await [`task::yield_now`](crate::task::yield_now) instead: this one does not let go of the task.
///
/// ```
/// use filch::Yield;
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// let done = AtomicBool::new(false);
/// filch::scope(|s| {
///     s.spawn(|_| done.store(true, Ordering::Release));
///     // Runs it here, unless another thread has taken it.
///     while !done.load(Ordering::Acquire) {
///         if filch::yield_now() != Some(Yield::Executed) {
///             std::thread::yield_now();
///         }
///     }
/// });
/// assert_eq!(filch::yield_now(), None);
/// ```
pub fn yield_now() -> Option<Yield> {
    current::with(|slot| {
        let slot = slot?;
        Some(match slot.find_for_yield() {
            Some(work) => {
                slot.run_unrelated(work);
                Yield::Executed
            }
            None => Yield::Idle,
        })
    })
}

/// [`yield_now`], but only work from the current thread's own queues is run.
///
/// ```
/// use filch::Yield;
///
/// # fn main() -> Result<(), filch::BuildError> {
/// let pool = filch::Pool::builder().workers(1).build()?;
/// pool.install_on_worker(|| {
///     assert_eq!(filch::yield_local(), Some(Yield::Idle));
///     filch::scope(|s| {
///         s.spawn(|_| {});
///         assert_eq!(filch::yield_local(), Some(Yield::Executed));
///     });
/// });
/// # Ok(()) }
/// ```
pub fn yield_local() -> Option<Yield> {
    current::with(|slot| {
        let slot = slot?;
        let mail = || slot.take_mail().map(Work::Job);
        Some(match slot.next_local(slot.tick()).or_else(mail).or_else(|| slot.take_any_own_fork()) {
            Some(work) => {
                slot.run_unrelated(work);
                Yield::Executed
            }
            None => Yield::Idle,
        })
    })
}

impl Handle {
    /// [`yield_now`](crate::yield_now), if the current thread is inside this pool.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// assert_eq!(pool.yield_now(), None);
    /// pool.install_on_worker(|| {
    ///     pool.scope(|s| {
    ///         s.spawn(|_| {});
    ///         assert_eq!(pool.yield_now(), Some(filch::Yield::Executed));
    ///     });
    /// });
    /// # Ok(()) }
    /// ```
    pub fn yield_now(&self) -> Option<Yield> {
        self.current_thread_index().and_then(|_| yield_now())
    }

    /// [`yield_local`](crate::yield_local), if the current thread is inside this pool.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// assert_eq!(pool.yield_local(), None);
    /// pool.install_on_worker(|| {
    ///     pool.scope(|s| {
    ///         s.spawn(|_| {});
    ///         assert_eq!(pool.yield_local(), Some(filch::Yield::Executed));
    ///     });
    /// });
    /// # Ok(()) }
    /// ```
    pub fn yield_local(&self) -> Option<Yield> {
        self.current_thread_index().and_then(|_| yield_local())
    }
}
