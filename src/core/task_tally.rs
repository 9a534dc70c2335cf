//! How many tasks of a pool live, and when nothing of it is left. A task may wait for ever, so the [gate](Gate) does
//! not count it; these counts do. Each thread of the pool has one of its own, so that counting costs no contention, and
//! there is one for all others.

use crate::core::gate::Gate;
use crate::ground::sync::{AtomicU64, Ordering, fence};

/// How many tasks have been spawned and how many have ended, on one thread, or on all that are not the pool's.
#[derive(Debug)]
pub(crate) struct TaskTally {
    spawned: AtomicU64,
    ended: AtomicU64,
}

/// Where a thread counts: who may write there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Count<'t> {
    /// The thread itself, and no other; it runs a piece of the pool's work.
    Own(&'t TaskTally),
    /// Anybody.
    Shared(&'t TaskTally),
}

impl TaskTally {
    pub(crate) fn new() -> Self {
        TaskTally { spawned: AtomicU64::new(0), ended: AtomicU64::new(0) }
    }
}

fn add_alone(count: &AtomicU64) {
    // Release pairs with `live`.
    count.store(count.load(Ordering::Relaxed) + 1, Ordering::Release);
}

impl Count<'_> {
    /// Counts a new task, be the pool closed or not.
    pub(crate) fn spawned(self) {
        match self {
            // The work that spawns the task has not ended, so the pool cannot be done, and whoever sees that work
            // ended sees this: it is older.
            Count::Own(tally) => add_alone(&tally.spawned),
            Count::Shared(tally) => {
                tally.spawned.fetch_add(1, Ordering::Release);
                // Pairs with the fence in `is_done`: either the caller, who looks at the gate afterwards, sees it
                // closed, or the pool's threads see the count, and stay.
                #[cfg(not(mutant = "counted_without_fence"))]
                fence(Ordering::SeqCst);
            }
        }
    }

    /// Counts a new task, unless the pool has closed. If that is seen only after it has been counted, `take_back` is
    /// called, which counts it off.
    pub(crate) fn spawned_before(self, gate: &Gate, take_back: impl FnOnce()) -> bool {
        if gate.is_closed() {
            // Not even for a moment: somebody may be asking whether the pool is done.
            return false;
        }
        self.spawned();
        if gate.is_closed() && !cfg!(mutant = "counted_without_second_look") {
            take_back();
            return false;
        }
        true
    }

    /// Counts a task off: its future is gone. No fence: the threads of a pool that has closed look again now and then.
    pub(crate) fn ended(self) {
        match self {
            Count::Own(tally) => add_alone(&tally.ended),
            Count::Shared(tally) => {
                tally.ended.fetch_add(1, Ordering::Release);
            }
        }
    }
}

/// How many tasks have not ended, by all tallies of a pool. Exact when nobody spawns; 0 is always true.
pub(crate) fn live<'t, I: Iterator<Item = &'t TaskTally>>(tallies: impl Fn() -> I) -> u64 {
    // Acquire: who has seen a task ended sees those that it has spawned.
    let sum = |of: fn(&TaskTally) -> &AtomicU64| tallies().map(|tally| of(tally).load(Ordering::Acquire)).sum::<u64>();
    // In this order: if as many have ended by now as will have been spawned, then none was alive in between.
    #[cfg(not(mutant = "spawned_summed_first"))]
    let (ended, spawned) = (sum(|tally| &tally.ended), sum(|tally| &tally.spawned));
    #[cfg(mutant = "spawned_summed_first")]
    let (spawned, ended) = (sum(|tally| &tally.spawned), sum(|tally| &tally.ended));
    spawned - ended
}

/// Nothing is left, and nothing can come: threads may go.
pub(crate) fn is_done<'t, I: Iterator<Item = &'t TaskTally>>(gate: &Gate, tallies: impl Fn() -> I) -> bool {
    if !gate.is_done() {
        return false;
    }
    // Pairs with the fence in `spawned`: we have seen the gate closed, so whoever saw it open has been counted.
    #[cfg(not(mutant = "done_without_fence"))]
    fence(Ordering::SeqCst);
    live(tallies) == 0
}
