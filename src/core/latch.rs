//! A one-shot event that one thread waits for and one other thread sets.
//!
//! The latch often lies in the waiter's stack frame, which vanishes as soon as the waiter sees it set. So `set`
//! takes a raw pointer, reads all it needs first, and its last access to the latch is the swap itself.
//!
//! States: `UNSET` → (`set`) `SET`, or `UNSET` → (waiter about to park) `SLEEPING` → (`set`) `SET`.

use std::ptr::NonNull;
use std::sync::Arc;

use crate::core::parker::Parker;
use crate::ground::sync::{AtomicU32, Ordering};

const UNSET: u32 = 0;
const SLEEPING: u32 = 1;
const SET: u32 = 2;

/// Whose parker rings when the latch is set.
#[derive(Clone, Debug)]
pub(crate) enum Waiter {
    /// A thread with a slot in the pool on whose threads the latch is set. The pool's shared state, which every
    /// thread of the pool keeps alive, owns the parker: it outlives the call of `set`.
    Slot(NonNull<Parker>),
    /// Any other thread; its parker is shared because the thread may end as soon as it sees the latch set.
    Outside(Arc<Parker>),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Latch {
    state: AtomicU32,
    waiter: Waiter,
}

impl Latch {
    pub(crate) fn new(waiter: Waiter) -> Self {
        Latch { state: AtomicU32::new(UNSET), waiter }
    }

    /// Whether it has been set. If so, all the setter did before is visible.
    #[inline]
    pub(crate) fn probe(&self) -> bool {
        // Acquire pairs with the swap in `set`.
        self.state.load(Ordering::Acquire) == SET
    }

    /// The waiter is about to park: false if the latch is set already, else the setter will ring.
    pub(crate) fn announce_sleep(&self) -> bool {
        // Acquire on failure pairs with the swap in `set`. Relaxed on success: the setter reads nothing of ours.
        self.state.compare_exchange(UNSET, SLEEPING, Ordering::Relaxed, Ordering::Acquire) != Err(SET)
    }

    /// Sets the latch and wakes the waiter if it sleeps.
    ///
    /// # Safety
    /// `this` points at a latch that lives at least until it is set, and nobody else sets it. A `Waiter::Slot` in it
    /// belongs to a pool whose shared state the calling thread keeps alive.
    pub(crate) unsafe fn set(this: *const Self) {
        // Read first: the frame that holds the latch may be gone right after the swap.
        // SAFETY: not yet set, so alive by the first premise.
        let waiter = unsafe { (*this).waiter.clone() };
        // SAFETY: as above. Release pairs with the Acquire in `probe` and `announce_sleep`. Nothing of the waiter's is
        // read after it but its parker, which synchronises by itself.
        let before = unsafe { (*this).state.swap(SET, Ordering::Release) };
        #[cfg(mutant = "latch_set_without_wake")]
        let before = UNSET.min(before);
        if before == SLEEPING {
            match waiter {
                // SAFETY: the parker outlives this call by the third premise.
                Waiter::Slot(parker) => unsafe { parker.as_ref() }.unpark(),
                Waiter::Outside(parker) => parker.unpark(),
            }
        }
    }
}
