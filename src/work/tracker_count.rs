//! What a [`TaskTracker`](crate::task::TaskTracker) counts: one word, and those who wait for it.

use crate::ground::sync::{AtomicU64, Ordering};
use crate::work::waiters::{self, Waiters};

/// The word, from the lowest bit up:
///
/// | bits | |
/// |---|---|
/// | 1 | whether the tracker is closed |
/// | 39 | how many tokens live |
/// | 24 | the epoch: how often the tracker has become closed and empty, modulo 2²⁴ |
///
/// All in one, so that nobody sees the tracker open again, or filled again, and the epoch not yet counted on.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Word(u64);

const CLOSED: u64 = 1;
const ONE: u64 = 2;
const COUNT: u64 = (1 << 40) - ONE;
const EPOCH: u64 = 1 << 40;

impl Word {
    fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    fn count(self) -> u64 {
        (self.0 & COUNT) / ONE
    }

    fn is_done(self) -> bool {
        self.is_closed() && self.count() == 0
    }

    /// The word after a change, with its epoch counted on if the change has made it closed and empty.
    fn then(self, next: Word) -> Word {
        if next.is_done() && !self.is_done() { Word(next.0.wrapping_add(EPOCH)) } else { next }
    }
}

#[derive(Default)]
pub(crate) struct Count {
    word: AtomicU64,
    pub(crate) waiters: Waiters,
}

/// A moment in a tracker's life: how often it had been closed and empty.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Epoch(u64);

impl Count {
    fn load(&self) -> Word {
        // Acquire pairs with the Release in `leave`: who sees the count fall sees what the tasks did.
        Word(self.word.load(Ordering::Acquire))
    }

    pub(crate) fn enter(&self) {
        // Relaxed: who counts itself on tells nobody anything by it.
        let before = Word(self.word.fetch_add(ONE, Ordering::Relaxed));
        assert!(before.count() < COUNT / ONE, "filch: more tokens of one TaskTracker than it can count");
    }

    pub(crate) fn leave(&self) {
        self.change(|word| Word(word.0 - ONE));
    }

    /// False if it was closed.
    pub(crate) fn close(&self) -> bool {
        !self.change(|word| Word(word.0 | CLOSED)).is_closed()
    }

    /// False if it was open.
    pub(crate) fn reopen(&self) -> bool {
        // Relaxed: only `leave` has something to tell, and an RMW does not break the chain of what it has told.
        Word(self.word.fetch_and(!CLOSED, Ordering::Relaxed)).is_closed()
    }

    /// Changes the word, and wakes all waiters if that has made it closed and empty. Returns the word before.
    fn change(&self, next: impl Fn(Word) -> Word) -> Word {
        let mut before = Word(self.word.load(Ordering::Relaxed));
        loop {
            let after = before.then(next(before));
            // Release pairs with `load`. Acquire, so that the one who wakes passes on what all others have told.
            match self.word.compare_exchange_weak(before.0, after.0, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if after.is_done() && !before.is_done() => break,
                Ok(_) => return before,
                Err(now) => before = Word(now),
            }
        }
        waiters::resume(waiters::wake(self.waiters.take().into_values()));
        before
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.load().is_closed()
    }

    pub(crate) fn len(&self) -> usize {
        usize::try_from(self.load().count()).unwrap_or(usize::MAX)
    }

    /// The epoch to wait for the end of; None if it is closed and empty now.
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        let word = self.load();
        (!word.is_done()).then_some(Epoch(word.0 / EPOCH))
    }
}
