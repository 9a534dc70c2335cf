//! Whether a pool is at rest: nothing goes on, and nothing can begin but by a timer or from outside. Then a clock that
//! is stopped for a test may be put forward to the next timer.
//!
//! Many may act, and they are looked at one after the other, while each may hand on to one that has been looked at
//! before. So each kind of actor has a count that only grows: tallies count those that have begun, the list of beds
//! those that have got up. If at the beginning none acts, and at the end none has begun, none did in between; and
//! nobody else can bring work or take it out of sight.

use std::sync::Arc;

use crate::core::keeper::Keeper;
use crate::core::parker::Parker;
use crate::core::sleep::Sleep;
use crate::core::tally::Tally;
use crate::ground::sync::{Ordering, fence};

/// Who may act.
pub(crate) struct Actors<'a, const N: usize> {
    /// Those that act without a seat.
    pub(crate) tallies: [&'a Tally; N],
    /// Those that park. Who gives its seat up to park has its bed before, and until it has a seat again.
    pub(crate) beds: &'a Keeper,
    /// Those that hold a seat.
    pub(crate) seats: &'a Sleep,
}

impl<const N: usize> Actors<'_, N> {
    /// Whether nobody acts, and `nothing_waits`. Asked by the thread of `me`, which lies in its bed but does not park
    /// yet.
    pub(crate) fn are_at_rest(&self, me: &Arc<Parker>, nothing_waits: impl FnOnce() -> bool) -> bool {
        let begun = self.tallies.map(Tally::none);
        let Some(risen) = self.beds.all_asleep_but(me) else { return false };
        if begun.contains(&None) || !self.seats.nobody_active() {
            return false;
        }
        // Pairs with the fences in `leave_seat`, `lie_down` and `Slot::section`: what the last thread has left behind
        // is seen, and that it has begun a section.
        #[cfg(not(mutant = "rest_without_fence"))]
        fence(Ordering::SeqCst);
        let still = || self.tallies.iter().zip(begun).all(|(tally, begun)| begun.is_some_and(|n| tally.still(n)));
        nothing_waits()
            && !me.has_token()
            // Asked again: a token for one that sleeps was given by somebody who was active until then.
            && (cfg!(mutant = "rest_asks_beds_once") || self.beds.all_asleep_but(me) == Some(risen))
            && (cfg!(mutant = "rest_asks_tallies_once") || still())
    }
}
