//! How often the tasks of a pool have been queued to be polled or dropped: counted in builds with debug assertions, for
//! the tests, which know exactly how often each must be. Other builds count nothing and pay nothing.

#[cfg(debug_assertions)]
use crate::ground::sync::{AtomicU64, Ordering};
use crate::pool::handle::Pool;

/// See the module.
#[derive(Debug)]
pub(crate) struct Schedules {
    #[cfg(debug_assertions)]
    count: AtomicU64,
}

impl Schedules {
    pub(crate) fn new() -> Self {
        Schedules {
            #[cfg(debug_assertions)]
            count: AtomicU64::new(0),
        }
    }

    /// A task is queued: because it is new, because it was woken or cancelled, or because it wants to go on. Not
    /// counted is a task that goes from one queue to another.
    #[inline(always)]
    pub(crate) fn one_more(&self) {
        // Relaxed: whoever reads it has waited for what it counts.
        #[cfg(debug_assertions)]
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    fn so_far(&self) -> Option<u64> {
        #[cfg(debug_assertions)]
        return Some(self.count.load(Ordering::Relaxed));
        #[cfg(not(debug_assertions))]
        return None;
    }
}

impl Pool {
    /// How often tasks have been queued, where that is counted.
    #[doc(hidden)]
    pub fn task_schedules(&self) -> Option<u64> {
        self.shared.schedules.so_far()
    }
}
