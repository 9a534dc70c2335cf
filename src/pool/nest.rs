//! How much work a thread piles up on its own stack: it runs some on top of other work whenever it waits or yields, and
//! may wait in the midst of that again.
//!
//! From [`HIGH`] pieces of work on top of one another on, a wait or yield leaves the thread's own forks to others at
//! first; a yield shows them for that. If nobody has taken them when a wait has lasted for [`PATIENCE`], or so many
//! [`YIELDS`] in a row have found nothing, perhaps nobody ever will, and the thread waits for just these: a pool of one
//! thread has nobody else, and in any pool all threads may be in such waits. Then it takes them itself, and goes on
//! doing so up to twice the height that it has reached; there it waits again. So a program that is `n` levels deep in
//! waits for its own second arms loses some milliseconds, as many as `n` has binary digits, and one whose yields come
//! and go does not get higher.
//!
//! The parts and rests of loops have a firm limit beside that. A loop has as many items as you like, and is not deep:
//! if its body waits, and each wait ran the rest of the loop, the stack would be as deep as there are items, and never
//! need be, since no item may wait for another one. So [`HIGH`] of these on top of one another are enough, however long
//! a wait lasts. What has been forked inside of the innermost item is left with them, for forks are taken oldest first:
//! in a pool of one thread, a `join` there whose first arm waits for the second one never ends.

use std::cell::Cell;
use std::time::Duration;

use crate::ground::clock::Since;
use crate::pool::slot::Slot;

/// Pieces of work on top of one another, from which on own forks are left to others, and how many may be parts of
/// loops.
const HIGH: u32 = 64;
/// So many yields in a row, and where nothing has been forked or joined in between, are a wait. In a program that
/// works there are one or two.
const YIELDS: u32 = 1_000;
/// How long forks are left to others by a wait.
const PATIENCE: Duration = Duration::from_millis(1);

/// See the module. Of a slot's owner, for its eyes alone.
pub(crate) struct Nest {
    /// Pieces of work that the thread is in.
    works: Cell<u32>,
    /// How many of them are parts of loops.
    parts: Cell<u32>,
    /// From how many on own forks are left to others now.
    limit: Cell<u32>,
    /// Yields in a row that have left own forks to others …
    yields: Cell<u32>,
    /// … and the height of the stack of forks at each of them.
    forks: Cell<usize>,
}

impl Nest {
    pub(crate) fn new() -> Self {
        Nest {
            works: Cell::new(0),
            parts: Cell::new(0),
            limit: Cell::new(HIGH),
            yields: Cell::new(0),
            forks: Cell::new(0),
        }
    }

    /// How many pieces of work the thread is in.
    pub(crate) fn works(&self) -> u32 {
        self.works.get()
    }

    /// A piece of work begins on top of the others.
    pub(crate) fn enter(&self, is_part: bool) {
        self.works.set(self.works.get() + 1);
        self.parts.set(self.parts.get() + u32::from(is_part));
    }

    /// It has ended.
    pub(crate) fn leave(&self, is_part: bool) {
        self.works.set(self.works.get() - 1);
        self.parts.set(self.parts.get() - u32::from(is_part));
    }

    /// Whether more work should not be taken up that may be taken up over and over.
    pub(crate) fn is_high(&self) -> bool {
        self.works.get() >= HIGH
    }

    /// Whether own forks are left to others.
    fn leaves_forks(&self) -> bool {
        if !self.is_high() {
            self.limit.set(HIGH);
            return false;
        }
        self.works.get() >= self.limit.get() || self.is_full()
    }

    /// Whether no more parts of loops are run, and so no forks at all.
    fn is_full(&self) -> bool {
        self.parts.get() >= HIGH
    }

    /// Nobody has come for the forks.
    fn raise(&self) {
        self.limit.set(self.works.get().saturating_mul(2));
    }

    /// Counts a yield, while there are so many forks. Whether it leaves them to others.
    fn yield_leaves_forks(&self, forks: usize) -> bool {
        if !self.leaves_forks() {
            return false;
        }
        if self.forks.replace(forks) != forks {
            self.yields.set(0);
        }
        self.yields.set(self.yields.get() + 1);
        if self.yields.get() >= YIELDS {
            self.yields.set(0);
            if !self.is_full() {
                self.raise();
            }
        }
        self.leaves_forks()
    }
}

impl Slot {
    /// Whether the own forks are left to others.
    pub(crate) fn leaves_forks(&self) -> bool {
        self.nest().leaves_forks()
    }

    /// The same, asked by a yield that has found nothing else.
    pub(crate) fn yield_leaves_forks(&self) -> bool {
        self.nest().yield_leaves_forks(self.fork.height())
    }

    /// The same, asked by a wait that has lasted `since` then: if so, and if that is going to change, when to ask
    /// again.
    pub(crate) fn wait_leaves_forks(&self, since: Since) -> (bool, Option<Duration>) {
        let nest = self.nest();
        if !nest.leaves_forks() || nest.is_full() || !self.fork.keeps_public() {
            return (nest.leaves_forks(), None);
        }
        let left = PATIENCE.saturating_sub(since.elapsed());
        if left.is_zero() {
            nest.raise();
            return (false, None);
        }
        (true, Some(left))
    }
}

#[cfg(all(test, not(filch_loom)))]
mod tests {
    use super::{HIGH, Nest, YIELDS};

    fn nest(works: u32, parts: u32) -> Nest {
        let nest = Nest::new();
        (0..works).for_each(|n| nest.enter(n < parts));
        nest
    }

    #[test]
    fn a_row_of_yields_is_a_wait() {
        let nest = nest(HIGH, 0);
        for _ in 0..3 {
            // Others come and go.
            assert!((1..YIELDS).all(|_| nest.yield_leaves_forks(5)));
            assert!(nest.yield_leaves_forks(6));
        }
        assert!((2..YIELDS).all(|_| nest.yield_leaves_forks(6)));
        assert!(!nest.yield_leaves_forks(6));
        // Up to twice the height.
        while nest.works() < 2 * HIGH {
            assert!(!nest.leaves_forks() && !nest.yield_leaves_forks(6));
            nest.enter(false);
        }
        assert!(nest.leaves_forks());
        assert!((1..YIELDS).all(|_| nest.yield_leaves_forks(6)));
        assert!(!nest.yield_leaves_forks(6));
        // Whoever comes down begins anew.
        (0..=HIGH).for_each(|_| nest.leave(false));
        assert!(!nest.leaves_forks());
        nest.enter(false);
        assert!(nest.leaves_forks());
    }

    #[test]
    fn parts_of_loops_have_a_firm_limit() {
        let nest = nest(HIGH + 1, HIGH);
        assert!((0..3 * YIELDS).all(|_| nest.yield_leaves_forks(5)));
        nest.leave(true);
        assert!((0..2 * YIELDS).any(|_| !nest.yield_leaves_forks(5)));
    }
}
