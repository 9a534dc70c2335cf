//! Sections that may block: a thread of a pool gives its seat to another for the time of a user's closure.
//!
//! The thread keeps its slot, but steps out of it: what the closure calls finds it as it would find a thread of
//! `spawn_blocking`, inside of the pool without a slot. What it spawns or wakes goes to the injectors, so nothing gets
//! into queues to which this thread does not come back soon. What needs a slot (a `join`, a loop, a scope,
//! `block_on`) takes the thread *back* for its time: into its own slot, and onto a seat, free or not, as after any
//! wait. So at every moment a thread computes with a seat, or blocks without one.
//!
//! Why its own slot, and not one of a guest: its mail lies there, and a broadcast that the section begins waits for
//! that; its index stays the same; and there is one for everybody, while guests may have to wait. The forks in it are
//! strictly nested as ever: what lies below the section has been published, so it is older than what the thread pushes
//! now.

use crate::core::away::{Away, Seated};
use crate::ground::sync::{Ordering, fence};
use crate::pool::awake::Calling;
use crate::pool::current;
use crate::pool::slot::Slot;

impl Seated for Slot {
    fn publish_forks(&self) {
        self.publish_all();
    }

    fn flush_next(&self) {
        Slot::flush_next(self);
    }

    fn holds_seat(&self) -> bool {
        Slot::holds_seat(self)
    }

    fn leave_seat(&self) {
        self.set_busy(false);
        self.shared().sleep.leave_seat();
    }

    fn pass_seat(&self) {
        let _ = self.shared().pass_seat();
    }

    fn take_seat(&self) {
        // Unless it has left for good meanwhile.
        if !self.seatless().get() {
            self.shared().sleep.take_seat();
            self.begin_busy();
        }
    }
}

/// As [`Away`] for a brief guest, who has no seat: while it lives, nobody asks it for forks, or takes it for somebody
/// at work.
#[must_use]
struct Still<'s>(&'s Slot);

impl<'s> Still<'s> {
    fn new(slot: &'s Slot) -> Self {
        slot.set_busy(false);
        Still(slot)
    }
}

impl Drop for Still<'_> {
    fn drop(&mut self) {
        self.0.begin_briefly();
    }
}

/// While it lives, a thread that is in a section is back in its slot.
struct Back<'s> {
    slot: &'s Slot,
    polling: bool,
    seatless: bool,
}

impl<'s> Back<'s> {
    fn new(slot: &'s Slot) -> Self {
        let seatless = slot.seatless().get();
        if !seatless {
            slot.shared().sleep.take_seat();
            slot.begin_busy();
        } else if slot.is_brief() {
            slot.begin_briefly();
        }
        // The poll that the section is in, if it is in one, does not come back soon.
        Back { slot, polling: slot.polling().replace(false), seatless }
    }
}

impl Drop for Back<'_> {
    fn drop(&mut self) {
        let slot = self.slot;
        // What lies in the queues is for others now. There are no forks: whoever forked has joined.
        slot.offer_tasks();
        slot.polling().set(self.polling);
        if slot.is_brief() {
            slot.set_busy(false);
        }
        if !self.seatless && !slot.seatless().get() {
            slot.set_busy(false);
            slot.shared().sleep.leave_seat();
            let _ = slot.shared().pass_seat();
            slot.shared().see_to_timers_left_alone();
        }
    }
}

impl Slot {
    /// Runs `f`, which may block, out of the slot and without a seat.
    pub(crate) fn section<R>(&self, f: impl FnOnce() -> R) -> R {
        self.publish_all();
        self.flush_next();
        let shared = self.shared();
        // A stopped clock does not go on meanwhile. Counted from before the seat is given up until after it has been
        // taken again.
        let _calling = Calling::new(shared);
        // Pairs with the fence in `is_at_rest`: who sees the seat free sees the section.
        fence(Ordering::SeqCst);
        let _absence = shared.absence();
        let _away = self.holds_seat().then(|| Away::new(self));
        let _still = self.is_brief().then(|| Still::new(self));
        // This thread keeps no timers: it does not lie in a bed.
        shared.see_to_timers_left_alone();
        current::step_out(self, f)
    }
}

/// Runs `f` as a thread of the pool again, on a thread that is [out](current::is_out) of its slot.
pub(crate) fn back<R>(f: impl FnOnce() -> R) -> R {
    let (mut f, mut result) = (Some(f), None);
    back_for(&mut || result = f.take().map(|f| f()));
    result.expect("it has run")
}

/// [`back`], compiled once for all closures.
#[cold]
#[inline(never)]
fn back_for(f: &mut dyn FnMut()) {
    current::step_in(|slot| {
        let _back = slot.map(Back::new);
        f();
    });
}
