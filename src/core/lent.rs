//! Roots that threads from outside lend to a pool, and may take back: who has one is settled under a lock.
//!
//! A thread without a slot that finds no seat free leaves its root to whoever comes, and blocks. But it may hold a lock
//! that every worker waits for, and then nobody comes: so after a while it takes the root back, and runs it itself
//! (`pool/lend.rs`). The root lies in its owner's frame, and what lies in a queue cannot be taken out again. So the
//! queue holds *tickets*, each good for the oldest root that waits in the list here, whichever that is then:
//!
//! ```text
//!            lend                 begin: by the holder of a ticket
//!   owner ────────▶ WAITING ─────────────────────────────────────▶ BEGUN ── the latch is set ──▶ the owner goes on
//!                      │
//!                      └──── take_back: by the owner ───▶ the owner's own again, never begun by another
//! ```
//!
//! - *The owner* lends the root, queues a ticket if it is told to, and notifies. From then on its frame stays until the
//!   latch is set, or `take_back` has said yes.
//! - *Whoever takes a ticket* out of the queue runs what `begin` gives it; if that is nothing, the ticket was a **husk**.
//! - `take_back` says yes if the root is still in the list, and takes it out. No: it has been begun, and the owner waits
//!   for the latch.
//!
//! Both `begin` and `take_back` take the root out under the lock, so one of them has it. A root in the list has not been
//! begun or taken back, so the frame behind it is there. The tickets hold nothing but the pool, which outlives its
//! queues: nobody has to free a husk, and a pool may end beside one. Nor does a husk count at the gate, since the owner
//! counts for its root. A husk is work as far as `has_work` goes: somebody may get up for it, in vain.
//!
//! **Invariant:** there are at least as many tickets as roots in the list: in the queue, in the hands of somebody who is
//! about to `begin`, or of an owner who is about to push one, and notifies after that. `lend` asks for another if there are not, and `begin` takes the ticket off the count together
//! with a root, if there is one. So no root is left without one, and there are never more husks than roots have waited
//! at once: the next root makes do with a husk, and goes ahead of closures that have been queued after that.
//!
//! *No root is slept through* (`sleep.md`). The owner notifies after the root stands in the list and its ticket in the
//! queue, as any producer. If the ticket was a husk it is in the queue already, or in somebody's hands: then that
//! thread sees the root, or had the count before us, and we have been asked for another ticket.
//!
//! (Models `models/src/lent.rs`, with the mutants `taken_back_unasked`, `begun_left_in_the_list` and `husk_not_counted`.)

use std::collections::VecDeque;

use crate::core::job::JobRef;
use crate::ground::sync::Mutex;

/// See the module.
pub(crate) struct Lent(Mutex<List>);

struct List {
    /// Oldest first.
    waiting: VecDeque<JobRef>,
    /// In the queue, or taken out of it and not yet spent.
    tickets: usize,
}

impl List {
    fn place_of(&self, root: &JobRef) -> Option<usize> {
        self.waiting.iter().position(|other| other.is(root))
    }
}

impl Lent {
    pub(crate) fn new() -> Self {
        Lent(Mutex::new(List { waiting: VecDeque::new(), tickets: 0 }))
    }

    /// Puts a root into the list. Whether the caller must queue a ticket for it.
    #[must_use]
    pub(crate) fn lend(&self, root: JobRef) -> bool {
        let mut list = self.0.lock();
        list.waiting.push_back(root);
        let more = list.tickets < list.waiting.len();
        list.tickets += usize::from(more);
        more
    }

    /// Spends a ticket, which has been taken out of the queue: gives the oldest root, which is the caller's to run.
    /// None: its owner has taken it back.
    pub(crate) fn begin(&self) -> Option<JobRef> {
        let mut list = self.0.lock();
        #[cfg(mutant = "husk_not_counted")]
        if list.waiting.is_empty() {
            return None;
        }
        list.tickets -= 1;
        #[cfg(mutant = "begun_left_in_the_list")]
        return list.waiting.front().copied();
        #[cfg(not(mutant = "begun_left_in_the_list"))]
        list.waiting.pop_front()
    }

    /// Whether nobody has begun the root.
    pub(crate) fn waits(&self, root: &JobRef) -> bool {
        self.0.lock().place_of(root).is_some()
    }

    /// The owner takes its root out of the list. Yes: nobody has begun it, nor will.
    #[must_use]
    pub(crate) fn take_back(&self, root: &JobRef) -> bool {
        let mut list = self.0.lock();
        let place = list.place_of(root);
        let taken = place.is_some_and(|at| list.waiting.remove(at).is_some());
        taken || cfg!(mutant = "taken_back_unasked")
    }
}
