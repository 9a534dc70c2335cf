//! Who is awake outside of the seats, so that a stopped clock is put forward only when nothing goes on.
//!
//! The threads of a pool are seen by their seats and their [beds](crate::pool::bed). Besides, a thread may poll in
//! `block_on`, in whatever pool or none, and a blocking thread may run a call. Both are counted here, but not while
//! they park inside of it. That is done also while no clock stands: it is cheap beside what it counts, and a clock may
//! be stopped in the midst of it.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::core::parker::Parker;
use crate::core::wheel::NEVER;
use crate::ground::sync::{AtomicUsize, Ordering, fence};
use crate::pool::shared::Shared;
use crate::pool::timers::Timers;

/// Polls in `block_on`, from the wake on that they come from, in the whole process.
static POLLING: Tally = Tally::new();

/// How many of something have begun, and how many have ended. Two counts that only grow, so that something that begins
/// and ends between two looks is seen.
#[derive(Debug)]
pub(crate) struct Tally {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

impl Tally {
    pub(crate) const fn new() -> Self {
        Tally { begun: AtomicUsize::new(0), ended: AtomicUsize::new(0) }
    }

    pub(crate) fn begin(&self) {
        // Relaxed: who begins and then parks does so by way of a lock that whoever looks takes too.
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn end(&self) {
        // Release pairs with the Acquire in `none`: what it has queued is seen.
        self.ended.fetch_add(1, Ordering::Release);
    }

    /// How many have begun so far.
    pub(crate) fn count(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    /// If there are none now: how many there have been.
    fn none(&self) -> Option<usize> {
        // Acquire pairs with the Release in `end`.
        let ended = self.ended.load(Ordering::Acquire);
        let begun = self.begun.load(Ordering::Relaxed);
        (begun == ended).then_some(begun)
    }

    /// Whether none have begun since there were so many.
    fn still(&self, begun: usize) -> bool {
        self.begun.load(Ordering::Relaxed) == begun
    }
}

thread_local! {
    /// Polls of this thread that have begun and not ended in `POLLING`.
    static POLLS: Cell<usize> = const { Cell::new(0) };
    /// The pools whose blocking calls, or sections that may block, this thread runs, inside of one another.
    static CALLS: RefCell<Vec<Arc<Timers>>> = const { RefCell::new(Vec::new()) };
}

/// A poll has been asked for: counts from here on, until [`Polling`] for it is dropped or it is taken back.
pub(crate) fn expect_poll() {
    POLLING.begin();
}

/// The poll that was asked for will not be.
pub(crate) fn expect_no_poll() {
    POLLING.end();
}

/// While it lives, the thread polls what `block_on` has been given.
pub(crate) struct Polling(());

impl Polling {
    /// For a poll that has been expected.
    pub(crate) fn new() -> Self {
        POLLS.set(POLLS.get() + 1);
        Polling(())
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        POLLS.set(POLLS.get() - 1);
        POLLING.end();
    }
}

/// While it lives, the thread runs a blocking call, or a section that may block.
pub(crate) struct Calling {
    timers: Arc<Timers>,
    /// Not on a thread that is ending.
    noted: bool,
}

impl Calling {
    pub(crate) fn new(shared: &Shared) -> Self {
        let timers = shared.timers.shared_part();
        timers.calls.begin();
        let noted = CALLS.try_with(|calls| calls.borrow_mut().push(timers.clone())).is_ok();
        Calling { timers, noted }
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        if self.noted {
            let _ = CALLS.try_with(|calls| calls.borrow_mut().pop());
        }
        self.timers.calls.end();
    }
}

/// While it lives, the thread parks: what it polls or runs does not count.
pub(crate) struct Parked {
    polls: usize,
    calls: Vec<Arc<Timers>>,
}

impl Parked {
    pub(crate) fn new() -> Self {
        let parked = Parked {
            polls: POLLS.replace(0),
            // None on a thread that is ending.
            calls: CALLS.try_with(RefCell::take).unwrap_or_default(),
        };
        for _ in 0..parked.polls {
            POLLING.end();
        }
        for timers in &parked.calls {
            timers.calls.end();
        }
        parked
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        for _ in 0..self.polls {
            POLLING.begin();
        }
        POLLS.set(POLLS.get() + self.polls);
        for timers in &self.calls {
            timers.calls.begin();
        }
        if !self.calls.is_empty() {
            let calls = std::mem::take(&mut self.calls);
            let _ = CALLS.try_with(|place| *place.borrow_mut() = calls);
        }
    }
}

impl Shared {
    /// Puts a stopped clock forward to the next timer if nothing else can happen. Asked by a thread that is about to
    /// park with `me`.
    #[cold]
    pub(crate) fn advance_if_at_rest(&self, me: &Arc<Parker>) -> bool {
        let timers = &self.timers;
        if timers.next() == NEVER || !self.is_at_rest(me) {
            return false;
        }
        // Exact: time must not stop at a timer that has been taken out.
        timers.clock.advance_to(timers.next_exact())
    }

    /// Whether nothing goes on, and nothing can begin but by a timer or from outside: nobody polls or runs, nothing is
    /// queued, and all who park sleep, without a token.
    ///
    /// These are looked at one after the other, so each kind of actor has a count that only grows: polls, calls, and
    /// threads that get up. If at the beginning none acts, and at the end none has begun, none did in between; and
    /// nobody else can bring work or take it out of sight.
    fn is_at_rest(&self, me: &Arc<Parker>) -> bool {
        let timers = &self.timers;
        let (Some(polls), Some(calls), Some(risen), Some(ways)) =
            (POLLING.none(), timers.calls.none(), timers.keeper.all_asleep_but(me), self.ranks.ways().none())
        else {
            return false;
        };
        if !self.sleep.nobody_active() {
            return false;
        }
        // Pairs with the fences in `leave_seat`, `lie_down` and `Slot::section`: what the last thread has left behind
        // is seen, and that it has begun a section.
        fence(Ordering::SeqCst);
        !self.has_work()
            && !self.has_next()
            && self.blocking.has_nothing_queued()
            && !me.has_token()
            // Asked again: a token for one that sleeps was given by somebody who was active until then.
            && timers.keeper.all_asleep_but(me) == Some(risen)
            && timers.calls.still(calls)
            && self.ranks.ways().still(ways)
            && POLLING.still(polls)
    }
}
