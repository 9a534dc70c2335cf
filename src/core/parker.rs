//! One thread's bed: `park` returns once for every `unpark` before or during it (several count as one).
//!
//! Ours rather than `std::thread::park`, because a token that the user's own code left on the thread must not be
//! eaten by the pool, nor ours by the user's.

use crate::ground::bell::Bell;
use crate::ground::sync::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const EMPTY: u32 = 0;
const PARKED: u32 = 1;
const NOTIFIED: u32 = 2;

/// A token and a place to wait for it. Only its owner parks; anybody unparks.
#[derive(Debug)]
pub(crate) struct Parker {
    state: AtomicU32,
    bell: Bell,
}

impl Parker {
    pub(crate) fn new() -> Self {
        Parker { state: AtomicU32::new(EMPTY), bell: Bell::new() }
    }

    /// Sleeps until there is a token, and takes it.
    pub(crate) fn park(&self) {
        self.park_inner(None);
    }

    /// Sleeps until there is a token, and takes it, or until `limit` has passed. Says whether there was a token.
    pub(crate) fn park_timeout(&self, limit: Duration) -> bool {
        self.park_inner(Some(limit))
    }

    fn take(&self) -> bool {
        // Acquire pairs with the Release half of `unpark`'s swap: what the waker did before is seen after.
        self.state.compare_exchange(NOTIFIED, EMPTY, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    fn park_inner(&self, limit: Option<Duration>) -> bool {
        if self.take() {
            return true;
        }
        // Only the owner stores PARKED, so a failure can only mean a token that has just come. Acquire: as in `take`.
        // Release pairs with `is_parked`.
        if self.state.compare_exchange(EMPTY, PARKED, Ordering::Release, Ordering::Acquire).is_err() {
            self.state.swap(EMPTY, Ordering::Acquire);
            return true;
        }
        let began = limit.map(|limit| (Instant::now(), limit));
        let mut left = limit;
        loop {
            let rung = self.bell.wait(&self.state, PARKED, left);
            if self.take() {
                return true;
            }
            // Woken for nothing, it sleeps for the rest of its time.
            left = began.map(|(began, limit)| limit.saturating_sub(began.elapsed()));
            if !rung || left == Some(Duration::ZERO) {
                // A token may come between `take` and here: the swap tells. Acquire: as in `take`.
                return self.state.swap(EMPTY, Ordering::Acquire) == NOTIFIED;
            }
        }
    }

    /// Whether somebody has left a token that has not been taken.
    pub(crate) fn has_token(&self) -> bool {
        // Acquire pairs with `unpark`.
        self.state.load(Ordering::Acquire) == NOTIFIED
    }

    /// Whether the owner sleeps, and nobody has left a token.
    pub(crate) fn is_parked(&self) -> bool {
        // Acquire pairs with the Release of `park_inner`'s PARKED: what the owner did before it parked is seen.
        self.state.load(Ordering::Acquire) == PARKED
    }

    /// Leaves a token and wakes the owner if it sleeps.
    pub(crate) fn unpark(&self) {
        // Release pairs with the Acquire of whoever takes the token.
        if self.state.swap(NOTIFIED, Ordering::Release) == PARKED {
            self.bell.ring(&self.state);
        }
    }
}
