//! Spare threads: they take the seats of threads that wait inside of their work, and die when idle.

use crate::ground::sync::Ordering;
use crate::pool::shared::{Covered, Shared};
use crate::pool::slot::Kind;

impl Shared {
    /// Starts one more spare thread, if there may be one more. A pool that closes gets what it needs for the work that it
    /// has accepted; one that has ended has none, though who still holds a slot of it may fork there.
    pub(crate) fn start_spare(&self) -> Covered {
        if !self.may_have_spares() || self.is_done() {
            return Covered::No;
        }
        let last;
        let index = {
            let mut unowned = self.unowned.lock();
            if unowned.spares_alive >= self.most_spares() {
                return Covered::No;
            }
            unowned.spares_alive += 1;
            last = unowned.spares_alive == self.most_spares();
            match unowned.spares.pop() {
                Some(index) => index,
                None => {
                    unowned.spares_made += 1;
                    self.add_slot(Kind::Spare).index
                }
            }
        };
        if last {
            self.wake_waiters();
        }
        self.coming.fetch_add(1, Ordering::Relaxed);
        self.sleep.take_seat();
        // From here on tasks may count on it.
        if let Some(slot) = self.slot(index) {
            slot.set_busy(true);
        }
        // On failure the thread's builder has given back all that was reserved. The work stays where it is: for a
        // later attempt, for whoever comes free, or for the waiters, who then look after it themselves.
        match self.start_thread(index) {
            // A spawn handler may say that all is well, and yet have dropped the builder.
            Ok(()) if !self.no_threads() => Covered::Yes,
            _ => Covered::No,
        }
    }

    /// Whether a spare has been asked for that will search, or else be missed by [`spare_came`](Self::spare_came).
    pub(crate) fn expects_spare(&self) -> bool {
        // Relaxed: who asks has a fence before; see *Nobody idle* in `sleep.md`.
        self.coming.load(Ordering::Relaxed) > 0
    }

    /// A spare searches from here on, or never will. Who has counted on it may not have been seen by it.
    pub(crate) fn spare_came(&self) {
        let before = self.coming.fetch_sub(1, Ordering::Relaxed);
        debug_assert!(before > 0, "a spare came that nobody has asked for");
    }

    pub(crate) fn spare_ended(&self, index: usize) {
        let mut unowned = self.unowned.lock();
        unowned.spares_alive -= 1;
        unowned.spares.push(index);
    }

    /// Whether no spare can be had: every one that may exist does, or the system refuses threads.
    pub(crate) fn spares_exhausted(&self) -> bool {
        self.no_threads() || self.unowned.lock().spares_alive >= self.most_spares()
    }
}
