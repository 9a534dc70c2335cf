//! Brief guests: a thread from outside that runs a loop of a microsecond or so as a thread of the global pool.
//!
//! A guest takes a slot, a seat, and looks at who is asleep; that costs more than such a loop. A brief guest keeps
//! its slot from one visit to the next, takes no seat (the count of those who run is over by one for a moment), and
//! wakes nobody unless it forks while the pool is fast asleep. It does not ask the gate either, for nobody can shut
//! the global pool down. Its slot has an index like any other, and is marked as busy, so that forks of its work can
//! be asked for.

use std::cell::{Cell, RefCell};
use std::ptr;

use crate::pool::current::{self, Occupied};
use crate::pool::handle::Pool;
use crate::pool::shared::Shared;
use crate::pool::slot::{Kind, Slot};

thread_local! {
    /// The slot in the global pool that this thread keeps.
    static KEPT: Cell<*const Slot> = const { Cell::new(ptr::null()) };
    static RETURN: RefCell<Option<Return>> = const { RefCell::new(None) };
}

/// Gives the slot back when the thread ends.
struct Return(&'static Slot);

impl Drop for Return {
    fn drop(&mut self) {
        KEPT.set(ptr::null());
        self.0.give_back();
    }
}

/// While it lives, the current thread is a brief guest of the global pool.
pub(crate) struct Brief<'p> {
    pub(crate) slot: &'p Slot,
    occupied: Option<Occupied>,
}

/// Makes the current thread, which is in no pool, a brief guest of the global one, if there is one and it has a slot
/// for that.
///
/// # Panics
/// In a forked child.
#[inline]
pub(crate) fn enter() -> Option<Brief<'static>> {
    // SAFETY: null, or a slot of the global pool, which lives as long as the process.
    let slot = match unsafe { KEPT.get().as_ref() } {
        Some(slot) => slot,
        None => keep_slot()?,
    };
    slot.shared().check_process();
    // SAFETY: the slot is this thread's until it ends. The thread has no other: asked by the caller.
    let occupied = Some(unsafe { current::occupy(slot) });
    slot.begin_briefly();
    Some(Brief { slot, occupied })
}

/// Takes a slot for this thread to keep. Half of the guests' slots at most are kept.
#[cold]
fn keep_slot() -> Option<&'static Slot> {
    let pool: &'static Shared = &Pool::global_if_any()?.shared;
    let slot = {
        let mut unowned = pool.unowned.lock();
        if unowned.guests_kept >= pool.most_guests() / 2 {
            return None;
        }
        let slot = pool.take_guest_slot(&mut unowned, pool.most_guests())?;
        unowned.guests_kept += 1;
        slot
    };
    // A brief guest waits and parks without a thought for seats.
    slot.seatless().set(true);
    let kept = RETURN.try_with(|place| *place.borrow_mut() = Some(Return(slot)));
    if kept.is_err() {
        // The thread is ending.
        slot.give_back();
        return None;
    }
    KEPT.set(slot);
    Some(slot)
}

impl Slot {
    fn give_back(&self) {
        self.seatless().set(false);
        let mut unowned = self.shared().unowned.lock();
        unowned.guests_kept -= 1;
        unowned.guests.push(self.index);
    }

    /// Whether the owner is a brief guest, or keeps the slot for the next visit as one.
    pub(crate) fn is_brief(&self) -> bool {
        self.kind == Kind::Guest && self.seatless().get()
    }

    /// A brief visit begins, or goes on after a section that may block.
    #[inline]
    pub(crate) fn begin_briefly(&self) {
        self.set_busy(true);
        if self.shared().keeps_no_watch() {
            // Who pushes a fork, in this visit, finds itself asked, and wakes somebody for it.
            self.fork.request();
        }
    }

    /// The end of a brief visit: what lies here is for others.
    #[inline]
    fn leave_briefly(&self) {
        if self.next.is_full() {
            self.flush_next();
        }
        self.set_busy(false);
        self.fork.withdraw();
    }
}

impl Drop for Brief<'_> {
    #[inline]
    fn drop(&mut self) {
        self.slot.leave_briefly();
        drop(self.occupied.take());
    }
}

#[cfg(test)]
mod tests {
    use super::enter;
    use crate::pool::handle::Pool;
    use crate::pool::section;

    /// Who blocks is at no work: it is asked for nothing, and nobody wakes because of it.
    #[test]
    fn a_guest_in_a_section_is_not_busy() {
        std::thread::spawn(|| {
            let _ = Pool::global();
            let brief = enter().expect("there is a slot for one guest");
            assert!(brief.slot.is_busy());
            brief.slot.section(|| {
                assert!(!brief.slot.is_busy(), "it blocks");
                section::back(|| assert!(brief.slot.is_busy(), "it is back in its slot"));
                assert!(!brief.slot.is_busy(), "it blocks again");
            });
            assert!(brief.slot.is_busy(), "it goes on");
            let slot = brief.slot;
            drop(brief);
            assert!(!slot.is_busy());
        })
        .join()
        .unwrap();
    }
}
