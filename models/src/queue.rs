//! A queue that orders no more than crossbeam's do: pushes release, looks acquire, and nothing is locked. The locked
//! queue that `core/queue` has for loom would hide a missing fence.

use crate::ground::sync::HandOver;
use loom::sync::atomic::{AtomicU32, Ordering};

const FREE: u32 = 0;
const FULL: u32 = 1;
const TAKEN: u32 = 2;

/// For one thread that pushes, two items at most, and any number of others.
pub(crate) struct Queue<T>([(AtomicU32, HandOver<T>); 2]);

// SAFETY: an item is written before its place is FULL, and read by the one thread that makes it TAKEN.
unsafe impl<T: Send> Sync for Queue<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Queue<T> {}

impl<T: Copy> Queue<T> {
    pub(crate) fn new() -> Self {
        Queue(std::array::from_fn(|_| (AtomicU32::new(FREE), HandOver::new())))
    }

    pub(crate) fn push(&self, item: T) {
        let free = self.0.iter().find(|(state, _)| state.load(Ordering::Relaxed) == FREE);
        let (state, place) = free.expect("two items at most");
        // SAFETY: only this thread pushes, and nobody reads before the store.
        unsafe { place.write(item) };
        state.store(FULL, Ordering::Release);
    }

    pub(crate) fn steal(&self) -> Option<T> {
        self.0.iter().find_map(|(state, place)| {
            let full = state.load(Ordering::Acquire) == FULL;
            let taken = full && state.compare_exchange(FULL, TAKEN, Ordering::AcqRel, Ordering::Relaxed).is_ok();
            // SAFETY: ours by the exchange, and written before.
            taken.then(|| unsafe { place.read() })
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|(state, _)| state.load(Ordering::Acquire) != FULL)
    }
}
