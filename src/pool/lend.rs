//! How a thread without a slot leaves its root to the workers, and takes it back if they do not come.
//!
//! What such a thread asks for may be inside of a lock that every worker waits for. None of them comes then, and no seat
//! comes free; so it must not wait for one for ever. When nobody has begun the root for some milliseconds it becomes a
//! guest with a seat that need not be free, and runs the root in place; the next worker at a boundary sees that it is
//! crowded, and lies down. Who takes the root, and what lies in the injector for it, is told in `core/lent.rs`.
//!
//! First the seat is taken, then the root. So a thread that is refused a guest's slot has given nothing up: its root
//! waits on, and it asks again. And until it has a seat it lies in its bed, keeps the timers, and is seen to park.
//!
//! Threads that have a slot in another pool are no guests here: they hand in, and wait for a worker as long as it takes.
//! So do all for what must run on a worker.

use std::sync::Arc;
use std::time::Duration;

use crate::core::job::{JobRef, RootJob};
use crate::core::latch::{Latch, Waiter};
use crate::core::parker::Parker;
use crate::ground::clock::Since;
use crate::ground::unwind;
use crate::pool::current;
use crate::pool::enter::{self, Entrant, LOOK_AGAIN};
use crate::pool::express;
use crate::pool::guest::{Guest, POLITE_WAIT, POLITE_WAITS};
use crate::pool::shared::Shared;

/// After how long the owner looks for the first time. Most roots have been begun then, so there is no second time. (And
/// a thread that sleeps for less than a tick of the system's clock pays for the processor's timer: see `core/lane.md`.)
const FIRST_LOOK: Duration = Duration::from_millis(5);
/// How often it looks whether the pool stands still …
const LOOK: Duration = Duration::from_millis(5);
/// … and how many times at most. While the workers take one short piece of work after the other, they come to the
/// injector in its turn.
const MOST_LOOKS: usize = 6;

/// An owner for whom there is no slot of a guest asks more and more seldom, up to every so many looks.
const PATIENT: usize = 10;

/// How long an owner still leaves its root to others.
struct Patience {
    /// Since the last look, or since it asked for a seat.
    since: Since,
    /// How many pieces of work had been taken then; not asked before the first look, as it is dear in a large pool.
    pieces: Option<u32>,
    looks: usize,
    /// How often it has asked for a seat.
    asked: usize,
}

impl Patience {
    fn new() -> Self {
        Patience { since: Since::now(), pieces: None, looks: 0, asked: 0 }
    }

    fn span(&self) -> Duration {
        match self.asked {
            0 if self.pieces.is_none() => FIRST_LOOK,
            // A seat is to be had after so many times. If it is not, all slots of guests are taken, perhaps for long.
            1..=POLITE_WAITS => POLITE_WAIT,
            0 => LOOK,
            _ => LOOK * (self.asked - POLITE_WAITS).min(PATIENT) as u32,
        }
    }

    /// How long to sleep until there is something to do.
    fn left(&self) -> Duration {
        self.span().saturating_sub(self.since.elapsed())
    }

    /// Whether it is time to ask for a seat; and how often that was so before.
    fn is_over(&mut self, shared: &Shared) -> Option<usize> {
        if !self.since.passed(self.span()) {
            return None;
        }
        self.since = Since::now();
        if self.asked == 0 {
            let before = self.pieces.replace(shared.pieces());
            self.looks += usize::from(before.is_some());
            if before != self.pieces && self.looks < MOST_LOOKS {
                return None;
            }
        }
        self.asked += 1;
        Some(self.asked - 1)
    }
}

impl Shared {
    /// How many pieces of work the pool's threads have taken; wraps around.
    pub(crate) fn pieces(&self) -> u32 {
        self.slots().fold(0, |sum, slot| sum.wrapping_add(slot.ticks()))
    }

    /// Leaves `f` to whoever comes for it, and blocks until it has run: for a thread without a slot. Some: nobody came,
    /// and the thread is a guest that has `f` to itself again.
    pub(crate) fn lend(&self, f: Entrant<'_>) -> Option<Guest<'_>> {
        let parker = enter::parker();
        let job = RootJob::new(
            || current::with(|slot| f(slot.expect("jobs run on threads that have a slot"))),
            Waiter::Outside(parker.clone()),
        );
        // SAFETY: this frame stays until the latch is set, or until `take_back` has said that nobody runs the job.
        // Nothing in between unwinds: wakers' panics are caught, and those of whoever starts threads.
        let root = unsafe { job.as_ref() };
        if self.lent.lend(root) {
            // SAFETY: whoever takes it from the queue is a thread of the pool, and keeps that alive.
            self.injector.push(unsafe { JobRef::new(std::ptr::from_ref(self).cast(), run_ticket) });
        }
        self.notify();
        let guest = self.take_back_in_time(&parker, job.latch(), &root);
        if guest.is_none() {
            if !job.latch().probe() {
                self.park_outside(&parker, &mut || job.latch().announce_sleep());
            }
            // SAFETY: set, and this is the only call.
            unsafe { job.result() }.unwrap_or_else(|payload| unwind::resume(payload));
        }
        guest
    }

    /// Parks as long as nobody has begun the root, but not for ever. Some: it has been taken back.
    fn take_back_in_time(&self, parker: &Arc<Parker>, latch: &Latch, root: &JobRef) -> Option<Guest<'_>> {
        express::step_aside();
        let bed = self.bed(parker);
        let mut patience = Patience::new();
        while latch.announce_sleep() {
            let alone = self.no_threads();
            let called = bed.park(Some(if alone { LOOK_AGAIN } else { patience.left() }));
            bed.fire();
            if alone && !called {
                // Nobody else may ever come: a seat that is free is for the own root first, which may be inside of a lock
                // that others' wait for.
                if let Some(guest) = self.try_guest() {
                    if self.lent.take_back(root) {
                        return Some(guest);
                    }
                }
                self.stand_in(&bed);
            }
            let asked = patience.is_over(self);
            if !self.lent.waits(root) {
                break;
            }
            if let Some(guest) = asked.and_then(|asked| self.surplus_guest(asked)) {
                // No: somebody has begun it just now, and we need no seat.
                return self.lent.take_back(root).then_some(guest);
            }
        }
        None
    }
}

/// Runs the oldest root that waits, if there is one.
unsafe fn run_ticket(shared: *const ()) {
    // SAFETY: made from the pool on whose thread this runs.
    let shared = unsafe { &*shared.cast::<Shared>() };
    if let Some(root) = shared.lent.begin() {
        // SAFETY: taken out of the list, so it is ours alone and not yet run, and its owner waits for the latch.
        unsafe { root.run() };
    }
}
