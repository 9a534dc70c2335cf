//! Where threads park. Whoever does keeps an eye on the pool's timers, if it is the first to lie there.

use std::sync::Arc;
use std::time::Duration;

use crate::core::parker::Parker;
use crate::core::wheel::NEVER;
use crate::ground::sync::{Ordering, fence};
use crate::pool::awake::Parked;
use crate::pool::handle::Pool;
use crate::pool::shared::Shared;

/// How often a keeper looks whether a stopped clock may be put forward.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// While it lives, the current thread is known as one that parks, with the parker that it parks with.
///
/// A thread that gives its seat up gets its bed before and leaves it after it has a seat again, so that at every moment
/// it can be seen here or there.
#[must_use]
pub(crate) struct Bed<'s> {
    shared: &'s Shared,
    parker: &'s Arc<Parker>,
    /// Taken when the thread leaves.
    parked: Option<Parked>,
}

impl Shared {
    /// A bed in this pool; or in the global one if this one has ended, as timers go there too.
    pub(crate) fn bed<'s>(&'s self, parker: &'s Arc<Parker>) -> Bed<'s> {
        let mut shared = self;
        if self.timers.are_closed() {
            if let Some(global) = Pool::global_if_any() {
                shared = &global.shared;
            }
        }
        shared.timers.keeper.enter(parker);
        Bed { shared, parker, parked: Some(Parked::new()) }
    }
}

impl Bed<'_> {
    /// Parks until there is a token or a timer is due, or until the limit has passed: only then it is false. The
    /// caller [fires](Self::fire) what is due.
    pub(crate) fn park(&self, limit: Option<Duration>) -> bool {
        let timers = &self.shared.timers;
        let keeper = timers.keeper.is_kept_by(self.parker);
        let plan = if keeper { timers.keeper.plan(|| timers.next()) } else { NEVER };
        if timers.clock.is_paused() && self.shared.advance_if_at_rest(self.parker) {
            return true;
        }
        if plan == NEVER {
            return match limit {
                None => {
                    self.parker.park();
                    true
                }
                Some(limit) => self.parker.park_timeout(limit),
            };
        }
        let rest = Duration::from_nanos(plan.saturating_sub(timers.clock.now()));
        if rest.is_zero() {
            return true;
        }
        let rest = if timers.clock.is_paused() { LOOK_AGAIN } else { rest };
        match limit {
            Some(limit) if limit <= rest => self.parker.park_timeout(limit),
            _ => {
                self.parker.park_timeout(rest);
                true
            }
        }
    }

    /// Whether there are timers, and nobody else lies here to look at them.
    pub(crate) fn is_last(&self) -> bool {
        let timers = &self.shared.timers;
        timers.next() < NEVER && timers.keeper.beds() == 1
    }

    /// Whether a timer is due.
    pub(crate) fn has_due(&self) -> bool {
        self.shared.timers.are_due()
    }

    /// Fires the timers that are due.
    pub(crate) fn fire(&self) {
        self.shared.fire_timers();
    }

    /// Runs `f`, which may take long, out of bed.
    pub(crate) fn away<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Back<'b>(&'b Bed<'b>);
        impl Drop for Back<'_> {
            fn drop(&mut self) {
                self.0.shared.timers.keeper.enter(self.0.parker);
            }
        }
        self.get_out();
        let _back = Back(self);
        f()
    }

    fn get_out(&self) {
        let timers = &self.shared.timers;
        timers.keeper.leave(self.parker, || timers.next());
        if timers.next() < NEVER {
            // Pairs with the fence in `Lane::plan_for`.
            fence(Ordering::SeqCst);
            self.shared.see_to_timers();
        }
    }
}

impl Drop for Bed<'_> {
    fn drop(&mut self) {
        drop(self.parked.take());
        self.get_out();
    }
}
