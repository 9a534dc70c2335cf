//! Rings for a thread that polls a future itself, and parks in between: the two sides of `block_on`.
//!
//! A poll that has been asked for counts as begun in a [`Tally`] from before the bell can be seen to have rung until it
//! is over, so that nobody takes a pool for being at rest meanwhile: see `rest.rs`.

use std::sync::Arc;

use crate::core::parker::Parker;
use crate::core::tally::Tally;
use crate::ground::sync::{AtomicU32, Ordering};

/// A poll is wanted. A flag besides the parker's token, because other waits of the same thread may eat that.
const RUNG: u32 = 1;
/// There will be no more polls.
const ENDED: u32 = 2;

/// See the module.
#[derive(Debug)]
pub(crate) struct PollBell {
    state: AtomicU32,
    parker: Arc<Parker>,
}

impl PollBell {
    /// For a thread that parks with `parker`, and polls at once: that poll is counted by the caller.
    pub(crate) fn new(parker: Arc<Parker>) -> Self {
        PollBell { state: AtomicU32::new(0), parker }
    }

    pub(crate) fn parker(&self) -> &Arc<Parker> {
        &self.parker
    }

    /// Asks for a poll, which counts as begun in `polls` from here on. For everybody.
    pub(crate) fn ring(&self, polls: &Tally) {
        // Before the flag: once that is seen the poll may be over before it has begun, and the sum would be right
        // while another poll goes on.
        #[cfg(not(mutant = "poll_counted_late"))]
        polls.begin();
        #[cfg(mutant = "bell_rung_late")]
        self.parker.unpark();
        // Release pairs with the Acquire in `take`.
        let before = self.state.fetch_or(RUNG, Ordering::Release);
        #[cfg(mutant = "poll_counted_late")]
        polls.begin();
        if before != 0 {
            // It is counted already, or there will be none.
            polls.end();
        }
        #[cfg(not(mutant = "bell_rung_late"))]
        self.parker.unpark();
    }

    /// Whether it has rung since the last call: then the owner polls.
    pub(crate) fn take(&self) -> bool {
        // Acquire pairs with the Release in `ring`: the poll sees what the waker's caller did.
        self.state.fetch_and(!RUNG, Ordering::Acquire) & RUNG != 0
    }

    /// The owner polls no more: who rings now asks for nothing, and what was asked for will not be.
    pub(crate) fn end(&self, polls: &Tally) {
        let rung = self.state.fetch_or(ENDED, Ordering::Relaxed) & RUNG != 0;
        if rung && !cfg!(mutant = "bell_ends_deaf") {
            polls.end();
        }
    }
}
