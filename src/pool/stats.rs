//! What a pool tells about itself.

use crate::core::room::Room;
use crate::pool::admission::Kind;
use crate::pool::handle::{Pool, on_current};
use crate::pool::shared::Shared;

/// What [`Pool::stats`] has seen. The figures are read one after the other while the pool goes on, so they need not fit
/// each other exactly.
///
/// ```
/// # fn main() -> Result<(), filch::BuildError> {
/// let pool = filch::Pool::builder().workers(1).max_queued_closures(8).build()?;
/// let rests = pool.spawn(std::future::pending::<()>());
/// let stats = pool.stats();
/// assert_eq!((stats.live_tasks, stats.queued_closures, stats.refused), (1, Some(0), 0));
/// # drop(rests);
/// # Ok(()) }
/// ```
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
    /// Threads of the [express lane](crate::PoolBuilder::express_lane) that exist at the moment, most of them asleep.
    pub express_threads: usize,
    /// How often the express lane was called, because tasks waited that no worker came for.
    pub express_calls: u64,
    /// Polls of tasks that the express lane has made.
    pub express_polls: u64,
    /// Closures that have been accepted and have not begun. Counted only under a
    /// [bound](crate::PoolBuilder::max_queued_closures), else None.
    pub queued_closures: Option<usize>,
    /// How often a closure or future was given back for lack of room.
    pub refused: u64,
    /// Threads that sleep because there is nothing for them to do.
    pub idle_threads: usize,
    /// Threads that run [background](crate::Priority::Background) closures, or parts of such, or have handed their
    /// seats on inside of one.
    pub background_threads: usize,
    /// How often background work has handed its seat on, to go on later.
    pub gave_way: u64,
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
        self.shared.stats()
    }
}

/// [`Pool::stats`] of the pool that the current thread is inside, or of the global one.
///
/// ```
/// assert_eq!(filch::stats().panics, 0);
/// ```
pub fn stats() -> PoolStats {
    on_current(Shared::stats)
}

impl Shared {
    fn stats(&self) -> PoolStats {
        PoolStats {
            live_tasks: self.live_tasks(),
            panics: self.panics(),
            spares: self.unowned.lock().spares_alive,
            express_threads: self.express.threads(),
            express_calls: self.express.calls(),
            express_polls: self.express.polls(),
            queued_closures: self.admission.room(Kind::Closures).map(Room::taken),
            refused: self.admission.refused(),
            idle_threads: self.sleep.idlers(),
            background_threads: self.ranks.running(),
            gave_way: self.ranks.ways().count() as u64,
        }
    }
}
