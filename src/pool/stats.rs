//! What a pool tells about itself.

use crate::pool::handle::Pool;

/// What [`Pool::stats`] has seen. The figures are read one after the other while the pool goes on, so they need not fit
/// each other exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Tasks that have been spawned and whose futures have not been dropped.
    pub live_tasks: u64,
    /// Panics that reached nobody but the [panic handler](crate::PoolBuilder::panic_handler): of detached closures and
    /// tasks, of destructors, of wakers.
    pub panics: u64,
    /// Spare threads that exist at the moment.
    pub spares: usize,
    /// Threads that sleep because there is nothing for them to do.
    pub idle_threads: usize,
}

impl Pool {
    /// Figures about the pool at this moment. Costs about as much as a lock.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(2).build()?;
    /// assert_eq!(pool.stats().live_tasks, 0);
    /// # Ok(()) }
    /// ```
    pub fn stats(&self) -> PoolStats {
        PoolStats {
            live_tasks: self.shared.live_tasks(),
            panics: self.shared.panics(),
            spares: self.shared.unowned.lock().spares_alive,
            idle_threads: self.shared.sleep.idlers(),
        }
    }
}
