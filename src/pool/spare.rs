//! Spare threads: they take the seats of threads that wait inside of their work, and die when idle.

use crate::pool::shared::{Covered, Shared};
use crate::pool::slot::Kind;

impl Shared {
    /// Starts one more spare thread, if there may be one more. A pool that closes gets what it needs for the work that
    /// it has accepted; one that has ended has none, though who still holds a slot of it may fork there.
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
        self.lookout.expect_one();
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
