//! A latch that is set when the last of a changing number of parties is done: the end of a scope.
//!
//! The count includes the opener itself until it has said that it is done, so it cannot reach 0 before. Whoever
//! counts it down to 0 sets the latch, and the opener waits for the latch, not for the count: nobody but that last
//! party touches the memory after its own countdown, and the last one's final access is the latch's swap.

use crate::core::latch::{Latch, Waiter};
use crate::ground::sync::{AtomicUsize, Ordering};

/// See the module.
#[derive(Debug)]
pub(crate) struct CountLatch {
    pending: AtomicUsize,
    latch: Latch,
}

impl CountLatch {
    /// A count of one: the opener.
    pub(crate) fn new(waiter: Waiter) -> Self {
        CountLatch { pending: AtomicUsize::new(1), latch: Latch::new(waiter) }
    }

    /// One more party. Called by a party, so the count is not 0.
    pub(crate) fn add(&self) {
        // Relaxed: whoever runs the new party gets it through a queue.
        self.pending.fetch_add(1, Ordering::Relaxed);
    }

    /// A party is done.
    ///
    /// # Safety
    /// `this` counts the caller, which does not touch it afterwards, unless it is the opener.
    pub(crate) unsafe fn done(this: *const Self) {
        // AcqRel: what each party did happens before the last one sets the latch.
        #[cfg(not(mutant = "count_relaxed"))]
        let order = Ordering::AcqRel;
        #[cfg(mutant = "count_relaxed")]
        let order = Ordering::Relaxed;
        // SAFETY: alive, because it counts us.
        if unsafe { (*this).pending.fetch_sub(1, order) } == 1 {
            // SAFETY: alive until its latch is set, and only the last one gets here.
            unsafe { Latch::set(&raw const (*this).latch) };
        }
    }

    pub(crate) fn latch(&self) -> &Latch {
        &self.latch
    }
}
