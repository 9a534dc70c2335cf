//! While somebody is at work beside a free seat, somebody is idle or searches, or a spare is on its way that will: for
//! who is idle keeps watch over the forks of those who work. The question whether that still holds, and the count of
//! the spares that come. Who asks it, and why that is enough, is in `sleep.md`, "Nobody idle".

use crate::core::sleep::{Searching, Sleep};
use crate::ground::sync::{AtomicUsize, Ordering};

/// See the module.
#[derive(Debug)]
pub(crate) struct Lookout {
    /// Spares that have been asked for and do not search yet.
    coming: AtomicUsize,
}

impl Lookout {
    pub(crate) fn new() -> Self {
        Lookout { coming: AtomicUsize::new(0) }
    }

    /// A spare is asked for.
    pub(crate) fn expect_one(&self) {
        self.coming.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether a spare has been asked for that does not search yet. It will, or it will be [given up](Self::give_up).
    pub(crate) fn expects_one(&self) -> bool {
        // Relaxed: who asks has passed a fence since the change that he is to see to, and so has the spare when it asks
        // in turn.
        self.coming.load(Ordering::Relaxed) > 0
    }

    /// A spare begins to search. Its seat has been taken for it.
    pub(crate) fn arrive<'s>(&self, sleep: &'s Sleep) -> Searching<'s> {
        let search = sleep.search();
        #[cfg(not(mutant = "comes_for_ever"))]
        self.give_up();
        search
    }

    /// A spare comes no more.
    pub(crate) fn give_up(&self) {
        let before = self.coming.fetch_sub(1, Ordering::Relaxed);
        debug_assert!(before > 0, "a spare came that nobody has asked for");
    }

    /// Whether nobody looks after the forks of those who work, though one of `seats` is free: a spare must be asked for.
    #[inline]
    pub(crate) fn is_unmanned(&self, sleep: &Sleep, seats: u64, somebody_works: impl FnOnce() -> bool) -> bool {
        sleep.nobody_idle(seats) && self.is_unmanned_now(somebody_works)
    }

    #[cold]
    fn is_unmanned_now(&self, somebody_works: impl FnOnce() -> bool) -> bool {
        !self.expects_one() && somebody_works()
    }
}
