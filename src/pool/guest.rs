//! Guests: threads from outside that take a free seat and run their work in place, with a slot of the pool.

use std::time::Duration;

use crate::core::parker::Parker;
use crate::pool::current::{self, Occupied};
use crate::pool::express;
use crate::pool::shared::Shared;
use crate::pool::slot::{Kind, Slot, Unowned};

/// How long a thread that must not wait for a worker waits for a seat at a time …
pub(crate) const POLITE_WAIT: Duration = Duration::from_micros(500);
/// … and how often, before it goes on without.
pub(crate) const POLITE_WAITS: usize = 8;

/// While it lives, the current thread is a guest of the pool.
pub(crate) struct Guest<'p> {
    pub(crate) slot: &'p Slot,
    occupied: Option<Occupied>,
}

impl Shared {
    /// Takes a seat for the current thread, if one is free. The caller keeps the shared state alive.
    ///
    /// A thread of another pool is no guest here: while it waited it would keep a seat there, and not hear what is
    /// broadcast there. Nor is a thread of an express lane, which is there to be free; but see
    /// [`guest_for_work`](Self::guest_for_work).
    pub(crate) fn try_guest(&self) -> Option<Guest<'_>> {
        // Where threads are refused, one of the lane is better than nobody.
        if current::with_owned(|slot| slot.is_some()) || (express::is_own_thread() && !self.no_threads()) {
            return None;
        }
        express::step_aside();
        self.try_seat_guest()
    }

    /// The same for a thread that has a piece of closures' work to do. One of the express lane gives the lane's duty to
    /// another for that time. On the lane of this pool it gets a seat, free or not: what it polls may hold a lock that
    /// every worker waits for, so it must not wait for one of them.
    pub(crate) fn guest_for_work(&self) -> Option<Guest<'_>> {
        if current::with_owned(|slot| slot.is_some()) {
            return None;
        }
        if !express::is_own_thread() {
            return self.try_seat_guest();
        }
        express::step_aside();
        if !express::is_of(self) {
            return self.try_seat_guest();
        }
        let bed = Parker::new();
        (0..=POLITE_WAITS).find_map(|asked| {
            if asked > 0 {
                bed.park_timeout(POLITE_WAIT);
            }
            self.surplus_guest(asked)
        })
    }

    /// Takes a seat for the current thread, which has no slot, free or not: one more than there are at most, but for
    /// one who has asked `asked` times already. More than one too many need not run, if it can be had without waiting
    /// for ever.
    pub(crate) fn surplus_guest(&self, asked: usize) -> Option<Guest<'_>> {
        let lane = if express::is_of(self) { self.express.most_threads() } else { 0 };
        let most = self.most_guests() + lane;
        if self.unowned.lock().guests_in_use() >= most {
            return None;
        }
        if !self.sleep.try_take_seat(self.seats + 1) {
            if asked < POLITE_WAITS {
                return None;
            }
            self.sleep.take_seat();
        }
        self.seated_guest(most)
    }

    /// A slot for a guest: one that is without an owner, or a new one as long as fewer than `most` have one.
    pub(crate) fn take_guest_slot(&self, unowned: &mut Unowned, most: usize) -> Option<&Slot> {
        if unowned.guests_in_use() >= most {
            return None;
        }
        if let Some(index) = unowned.guests.pop() {
            return self.slot(index);
        }
        unowned.guests_made += 1;
        Some(self.add_slot(Kind::Guest))
    }

    fn try_seat_guest(&self) -> Option<Guest<'_>> {
        if !self.sleep.try_take_seat(self.seats) {
            return None;
        }
        self.seated_guest(self.most_guests())
    }

    /// A guest who has a seat. There are at most `most`.
    fn seated_guest(&self, most: usize) -> Option<Guest<'_>> {
        let slot = self.take_guest_slot(&mut self.unowned.lock(), most);
        let Some(slot) = slot else {
            // Earlier guests wait inside their work and have passed their seats on; each still has its slot.
            self.sleep.leave_seat();
            let _ = self.pass_seat();
            return None;
        };
        // SAFETY: the slot was without an owner, and so was the thread; the guard is not sent to another thread (`Slot`
        // is reached by reference, and `Guest` lives in one frame), and the caller keeps the pool alive.
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
        self.slot.fork.withdraw();
        // Nobody adds anything after this.
        let leaves_work = self.slot.keeps_work();
        drop(self.occupied.take());
        shared.unowned.lock().guests.push(self.slot.index);
        // Of forks, those who publish rely on us from fewer seats on. To look at all queues costs more, in a large pool,
        // than a short loop; so it is left to those who search, if somebody does.
        if !shared.sleep.leave_free_seat(shared.fork_seats) || leaves_work {
            let _ = shared.pass_seat();
        }
    }
}
