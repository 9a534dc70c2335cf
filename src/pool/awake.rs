//! Who is awake outside of the seats, so that a stopped clock is put forward only when nothing goes on.
//!
//! The threads of a pool are seen by their seats and their [beds](crate::pool::bed). Besides, a thread may poll in
//! `block_on`, in whatever pool or none, and a blocking thread may run a call. Both are counted here, but not while
//! they park inside of it. That is done also while no clock stands: it is cheap beside what it counts, and a clock may
//! be stopped in the midst of it. How all of them are looked at is in `core/rest.rs`.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::core::parker::Parker;
use crate::core::rest::Actors;
use crate::core::tally::Tally;
use crate::core::wheel::NEVER;
use crate::pool::shared::Shared;
use crate::pool::timers::Timers;

/// Polls in `block_on`, from the wake on that they come from, in the whole process.
static POLLING: Tally = Tally::new();

/// Where polls that `block_on` is asked for count, until [`Polling`] for them is dropped or they are taken back.
pub(crate) fn polls() -> &'static Tally {
    &POLLING
}

thread_local! {
    /// Polls of this thread that have begun and not ended in `POLLING`.
    static POLLS: Cell<usize> = const { Cell::new(0) };
    /// The pools whose blocking calls, or sections that may block, this thread runs, inside of one another.
    static CALLS: RefCell<Vec<Arc<Timers>>> = const { RefCell::new(Vec::new()) };
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

    /// Whether nobody polls or runs, nothing is queued, and all who park sleep, without a token.
    fn is_at_rest(&self, me: &Arc<Parker>) -> bool {
        let timers = &self.timers;
        let actors =
            Actors { tallies: [&POLLING, &timers.calls, self.ranks.ways()], beds: &timers.keeper, seats: &self.sleep };
        actors.are_at_rest(me, || !self.has_work() && !self.has_next() && self.blocking.has_nothing_queued())
    }
}
