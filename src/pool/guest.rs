//! Guests: threads from outside that take a free seat and run their work in place, with a slot of the pool.

use crate::pool::current::{self, Occupied};
use crate::pool::shared::Shared;
use crate::pool::slot::{Kind, Slot};

/// While it lives, the current thread is a guest of the pool.
pub(crate) struct Guest<'p> {
    pub(crate) slot: &'p Slot,
    occupied: Option<Occupied>,
}

impl Shared {
    /// Takes a seat for the current thread, if one is free. The caller keeps the shared state alive.
    ///
    /// A thread of another pool is no guest here: while it waited it would keep a seat there, and not hear what is
    /// broadcast there.
    pub(crate) fn try_guest(&self) -> Option<Guest<'_>> {
        if current::with(|slot| slot.is_some()) {
            return None;
        }
        if !self.sleep.try_take_seat(self.seats) {
            return None;
        }
        let slot = {
            let mut unowned = self.unowned.lock();
            match unowned.guests.pop() {
                Some(index) => self.slot(index),
                None if unowned.guests_made < self.most_guests() => {
                    unowned.guests_made += 1;
                    Some(self.add_slot(Kind::Guest))
                }
                None => None,
            }
        };
        let Some(slot) = slot else {
            // Earlier guests wait inside their work and have passed their seats on; each still has its slot.
            self.sleep.leave_seat();
            let _ = self.pass_seat();
            return None;
        };
        // SAFETY: the slot was without an owner, and so was the thread; the guard is not sent to another thread (`Slot` is reached by
        // reference, and `Guest` lives in one frame), and the caller keeps the pool alive.
        let occupied = Some(unsafe { current::occupy(slot) });
        slot.begin_busy();
        Some(Guest { slot, occupied })
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        let shared = self.slot.shared();
        self.slot.flush_next();
        self.slot.set_busy(false);
        self.slot.fork.calm();
        drop(self.occupied.take());
        shared.unowned.lock().guests.push(self.slot.index);
        shared.sleep.leave_seat();
        let _ = shared.pass_seat();
    }
}
