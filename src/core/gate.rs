//! Who may still bring work, and whether all accepted work is done: one word.
//!
//! ```text
//!   OPEN ──begin_drain──▶ DRAINING ──count reaches 0──▶ CLOSED
//!     └───────────────close_now──────────────────────────┘
//! ```
//!
//! The word is `count << 2 | phase`. Every closure, root and blocking call that the pool has accepted counts one from
//! before it is queued until it has ended. Because count and phase are one word, an `enter` is ordered before or
//! after `begin_drain`, never beside it: accepted work is always waited for.

use crate::ground::sync::{AtomicUsize, Ordering};

const OPEN: usize = 0;
const DRAINING: usize = 1;
const CLOSED: usize = 2;
const PHASE: usize = 3;
const ONE: usize = 4;

/// See the module.
#[derive(Debug)]
pub(crate) struct Gate(AtomicUsize);

/// The caller's duty after a step that may have closed the gate.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Closing {
    /// Nothing to do.
    No,
    /// This very step closed the gate: cancel what waits and wake every thread.
    Now,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Gate(AtomicUsize::new(OPEN))
    }

    /// Work from outside: accepted only while the gate is open.
    pub(crate) fn enter(&self) -> bool {
        self.enter_unless(|phase| phase != OPEN)
    }

    /// Work that accepted work brings: accepted while that may still run.
    pub(crate) fn enter_inner(&self) -> bool {
        // A gate that was closed at once may have been told to drain, too.
        #[cfg(mutant = "drained_again_is_open")]
        return self.enter_unless(|phase| phase == CLOSED);
        #[cfg(not(mutant = "drained_again_is_open"))]
        self.enter_unless(|phase| phase & CLOSED != 0)
    }

    fn enter_unless(&self, refused: impl Fn(usize) -> bool) -> bool {
        #[cfg(mutant = "refused_is_counted")]
        if refused(self.0.fetch_add(ONE, Ordering::Relaxed) & PHASE) {
            self.0.fetch_sub(ONE, Ordering::Relaxed);
            return false;
        } else {
            return true;
        }
        // What is refused is not counted, not even for a moment: whoever asks just then whether the pool is done may be
        // the last who asks. Relaxed: the queue that the work goes to synchronises; `leave` releases.
        let mut word = self.0.load(Ordering::Relaxed);
        while !refused(word & PHASE) {
            match self.0.compare_exchange_weak(word, word + ONE, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// Accepted work has ended.
    pub(crate) fn leave(&self) -> Closing {
        // Release: all the work did happens before the Acquire of whoever closes the gate or sees it closed.
        let word = self.0.fetch_sub(ONE, Ordering::Release) - ONE;
        if word == DRAINING { self.try_close() } else { Closing::No }
    }

    fn try_close(&self) -> Closing {
        // AcqRel: pairs with every `leave` before, and hands them on to `is_done`.
        match self.0.compare_exchange(DRAINING, CLOSED, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => Closing::Now,
            Err(_) => Closing::No,
        }
    }

    /// No more work from outside; closes when all that was accepted has ended.
    pub(crate) fn begin_drain(&self) -> Closing {
        #[cfg(not(mutant = "gate_drain_by_store"))]
        let word = self.0.fetch_or(DRAINING, Ordering::AcqRel);
        #[cfg(mutant = "gate_drain_by_store")]
        let word = {
            let word = self.0.load(Ordering::Relaxed);
            self.0.store(word | DRAINING, Ordering::Release);
            word
        };
        match word & PHASE {
            OPEN if word / ONE == 0 => self.try_close(),
            _ => Closing::No,
        }
    }

    /// No more work at all: what is queued is dropped, what runs is waited for.
    pub(crate) fn close_now(&self) -> Closing {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            if word & CLOSED != 0 {
                return Closing::No;
            }
            // Release pairs with `is_closed`.
            match self.0.compare_exchange_weak(word, (word & !PHASE) | CLOSED, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return Closing::Now,
                Err(now) => word = now,
            }
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.0.load(Ordering::Relaxed) & PHASE == OPEN
    }

    /// Whether queued closures are to be dropped rather than run.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.load(Ordering::Relaxed) & CLOSED != 0
    }

    /// Closed, and nothing accepted is left: threads may go.
    pub(crate) fn is_done(&self) -> bool {
        // Acquire pairs with the Release of `leave`. The DRAINING bit may stand beside CLOSED.
        let word = self.0.load(Ordering::Acquire);
        word & CLOSED != 0 && word / ONE == 0
    }
}
