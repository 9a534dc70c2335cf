//! How many of something have begun, and how many have ended. Two counts that only grow, so that something that begins
//! and ends between two looks is seen.

use crate::ground::sync::{AtomicUsize, Ordering};

/// See the module.
#[derive(Debug)]
pub(crate) struct Tally {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

impl Tally {
    #[cfg(not(filch_loom))]
    pub(crate) const fn new() -> Self {
        Tally { begun: AtomicUsize::new(0), ended: AtomicUsize::new(0) }
    }

    /// loom's atomics are not for statics.
    #[cfg(filch_loom)]
    pub(crate) fn new() -> Self {
        Tally { begun: AtomicUsize::new(0), ended: AtomicUsize::new(0) }
    }

    pub(crate) fn begin(&self) {
        // Relaxed: who begins and then parks does so by way of a lock that whoever looks takes too.
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn end(&self) {
        // Release pairs with the Acquire in `none`: what it has queued is seen.
        self.ended.fetch_add(1, Ordering::Release);
    }

    /// How many have begun so far.
    pub(crate) fn count(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    /// If there are none now: how many there have been.
    pub(crate) fn none(&self) -> Option<usize> {
        // Acquire pairs with the Release in `end`.
        let ended = self.ended.load(Ordering::Acquire);
        let begun = self.begun.load(Ordering::Relaxed);
        (begun == ended).then_some(begun)
    }

    /// Whether none have begun since there were so many.
    pub(crate) fn still(&self, begun: usize) -> bool {
        self.begun.load(Ordering::Relaxed) == begun
    }
}
