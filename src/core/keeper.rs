//! Who wakes for the next timer. `timers.md` beside this file has the states, both sides' steps and the argument that
//! no timer is slept through.

use std::sync::Arc;

use crate::core::parker::Parker;
use crate::core::wheel::NEVER;
use crate::ground::sync::{AtomicU64, Mutex, Ordering, fence};

/// The keeper is awake, or has been rung, or there is none: whoever parks next looks at the timers.
const AWAKE: u64 = 0;

/// See the module.
#[derive(Debug)]
pub(crate) struct Keeper {
    /// When the keeper gets up by itself.
    plan: AtomicU64,
    beds: Mutex<Beds>,
}

#[derive(Debug)]
struct Beds {
    /// Threads that park, or are about to, or have just got up. The first is the keeper.
    lying: Vec<Arc<Parker>>,
    /// How often a thread has left.
    risen: u64,
}

impl Keeper {
    pub(crate) fn new() -> Self {
        Keeper { plan: AtomicU64::new(AWAKE), beds: Mutex::new(Beds { lying: Vec::new(), risen: 0 }) }
    }

    /// After a timer that is earlier than others has been noted: rings the keeper if it would come too late.
    pub(crate) fn announce(&self, deadline: u64) {
        // Pairs with the fences in `plan` and `leave`: either we see what the keeper plans, or it sees our timer.
        #[cfg(not(mutant = "announce_without_fence"))]
        fence(Ordering::SeqCst);
        if deadline < self.plan.load(Ordering::Relaxed) {
            self.ring();
        }
    }

    /// Makes the keeper plan again.
    #[cold]
    pub(crate) fn ring(&self) {
        let beds = self.beds.lock();
        let Some(keeper) = beds.lying.first().cloned() else { return };
        // Before the token is left, so that the plan that the keeper makes because of it comes after.
        self.plan.store(AWAKE, Ordering::Relaxed);
        drop(beds);
        keeper.unpark();
    }

    /// The thread of this parker is about to park, now and then, until it leaves.
    pub(crate) fn enter(&self, parker: &Arc<Parker>) {
        self.beds.lock().lying.push(parker.clone());
    }

    /// The thread has got up. If it was the keeper the next one is, and learns of it if there are timers.
    pub(crate) fn leave(&self, parker: &Arc<Parker>, next: impl Fn() -> u64) {
        let mut beds = self.beds.lock();
        beds.risen += 1;
        // From the end: those who come last leave first.
        let Some(at) = beds.lying.iter().rposition(|other| Arc::ptr_eq(other, parker)) else { return };
        beds.lying.remove(at);
        if at > 0 {
            return;
        }
        let Some(heir) = beds.lying.first().cloned() else {
            self.plan.store(AWAKE, Ordering::Relaxed);
            return;
        };
        // The heir sleeps without an eye on the clock. That is all right as long as there are no timers.
        self.plan.store(NEVER, Ordering::Relaxed);
        // Pairs with the fence in `announce`: either we see the timer, or its maker sees that the heir must be rung.
        fence(Ordering::SeqCst);
        #[cfg(not(mutant = "heir_not_rung"))]
        if next() < NEVER {
            self.plan.store(AWAKE, Ordering::Relaxed);
            drop(beds);
            heir.unpark();
        }
    }

    /// How many threads park.
    pub(crate) fn beds(&self) -> usize {
        self.beds.lock().lying.len()
    }

    /// Whether the thread of this parker, which has entered, is the keeper.
    pub(crate) fn is_kept_by(&self, parker: &Arc<Parker>) -> bool {
        self.beds.lock().lying.first().is_some_and(|first| Arc::ptr_eq(first, parker))
    }

    /// The keeper is about to park: until when. `next` says when the timers want to be looked at. From here on whoever
    /// notes an earlier timer rings.
    pub(crate) fn plan(&self, next: impl Fn() -> u64) -> u64 {
        let mut plan = next();
        loop {
            self.plan.store(plan, Ordering::Relaxed);
            // Pairs with the fence in `announce`.
            #[cfg(not(mutant = "plan_without_fence"))]
            fence(Ordering::SeqCst);
            #[cfg(not(mutant = "plan_without_second_look"))]
            {
                let now = next();
                if now < plan {
                    plan = now;
                    continue;
                }
            }
            return plan;
        }
    }

    /// Whether every thread but that of `me` is asleep in its bed, without a token; gives a number that changes when
    /// one of them gets up.
    pub(crate) fn all_asleep_but(&self, me: &Arc<Parker>) -> Option<u64> {
        let beds = self.beds.lock();
        let asleep = beds.lying.iter().all(|parker| Arc::ptr_eq(parker, me) || parker.is_parked());
        asleep.then_some(beds.risen)
    }
}
