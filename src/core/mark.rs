//! Marks on threads: who is at work that is to give way, so that whoever brings other work leaves a request with those.
//!
//! A mark is the owner's, the count of marks is the pool's. Who brings work makes it visible, passes a fence, and asks
//! [`Marks::any`]; who sets its mark looks for such work afterwards. So one of them sees the other: see
//! `pool/priority.md`. The models are in `models/src/priority.rs`.

use crate::ground::sync::{AtomicBool, AtomicUsize, Ordering, fence};

/// How many threads are marked.
pub(crate) struct Marks(AtomicUsize);

/// A thread's mark.
pub(crate) struct Mark(AtomicBool);

impl Marks {
    pub(crate) fn new() -> Self {
        Marks(AtomicUsize::new(0))
    }

    pub(crate) fn count(&self) -> usize {
        // Acquire pairs with the Release in `set`: who sees the count sees the thread's mark.
        self.0.load(Ordering::Acquire)
    }

    /// Whether any thread is marked. Asked by a producer that has passed the fence of `Sleep::wants_thread`.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.count() != 0
    }
}

impl Mark {
    pub(crate) fn new() -> Self {
        Mark(AtomicBool::new(false))
    }

    #[inline]
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Called by the owner, whose mark is not set. It looks for other work afterwards, and makes a request of itself if
    /// there is any.
    pub(crate) fn set(&self, marks: &Marks) {
        self.0.store(true, Ordering::Relaxed);
        // Release pairs with the Acquire in `count`.
        marks.0.fetch_add(1, Ordering::Release);
        // Pairs with the fence of the producer, in `wants_thread`: either it sees us, or we its work.
        #[cfg(not(mutant = "marked_without_fence"))]
        fence(Ordering::SeqCst);
    }

    /// Called by the owner, whose mark is set. A request that comes late costs it a fork, and nothing else.
    pub(crate) fn clear(&self, marks: &Marks) {
        #[cfg(not(mutant = "mark_stays"))]
        self.0.store(false, Ordering::Relaxed);
        marks.0.fetch_sub(1, Ordering::Relaxed);
    }
}
