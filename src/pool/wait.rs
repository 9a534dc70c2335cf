//! How a thread waits inside of its work: first it helps, with what it waits for and nothing else, then it parks and
//! gives its seat to another.

use std::ptr::NonNull;
use std::thread;
use std::time::Duration;

use crate::core::job::{ForkHeader, ForkRef};
use crate::core::latch::Latch;
use crate::core::lineage::ScopeNode;
use crate::ground::clock::Since;
use crate::ground::sync::spin_loop;
use crate::pool::bed::Bed;
use crate::pool::builder::WaitPolicy;
use crate::pool::find::Work;
use crate::pool::shared::Covered;
use crate::pool::slot::Slot;

/// How long a waiter looks for something to help with: about what parking and being woken costs twice over.
const PATIENCE: Duration = Duration::from_micros(50);
/// How long after its request a waiter raids the thread that it waits for.
const RAID_AFTER: Duration = Duration::from_micros(20);
/// How often a parked waiter looks whether it must run work itself, when all spares are out.
const LOOK_AGAIN: Duration = Duration::from_millis(1);
/// How far a waiter follows the thieves of its thief's work.
const HOPS: usize = 16;

/// A fork that a follower has in hand.
enum Taken {
    /// A part of what it waits for.
    Part(ForkRef),
    /// Not surely one: to be queued again, when no lock is held.
    Other(ForkRef),
}

impl Slot {
    /// Waits for a stolen fork.
    #[cold]
    pub(crate) fn wait_for_fork(&self, header: &ForkHeader) {
        if header.latch.probe() {
            return;
        }
        let outer = self.set_awaited(Some(NonNull::from(header)));
        // While unwinding, no closure may run on top of us: its panic would end the process.
        if !thread::panicking() {
            match self.shared().config.wait {
                WaitPolicy::Leapfrog => self.help_until(&header.latch, |slot, raid| slot.follow(header, raid)),
                WaitPolicy::RunAnything => self.help_until(&header.latch, |slot, _| {
                    let work = slot.find_any();
                    if work.is_none() {
                        slot.request_forks();
                    }
                    work
                }),
            }
        }
        self.park_until(&header.latch);
        self.set_awaited(outer);
    }

    /// Waits for the end of a scope that this thread has opened.
    #[cold]
    pub(crate) fn wait_for_scope(&self, latch: &Latch, scope: *const ScopeNode) {
        if !thread::panicking() {
            let mut choosy = false;
            self.help_until(latch, |slot, _| match slot.shared().config.wait {
                WaitPolicy::Leapfrog => slot.find_within(scope, &mut choosy),
                WaitPolicy::RunAnything => slot.find_any(),
            });
        }
        if !latch.probe() {
            // A join further out may have left its second arm here: nobody asks a parked thread for it. (In
            // `wait_for_fork` there is none: when the newest fork has been stolen, so have all.)
            self.publish_all();
        }
        self.park_until(latch);
    }

    /// Helps until the latch is set or there has been nothing to help with for a while.
    fn help_until(&self, latch: &Latch, mut help: impl FnMut(&Slot, bool) -> Option<Work>) {
        // The clock is read only when there was nothing to do.
        let mut idle_since: Option<Since> = None;
        loop {
            if latch.probe() {
                return;
            }
            self.run_mail();
            let raid = idle_since.is_some_and(|since| since.passed(RAID_AFTER));
            if let Some(work) = help(self, raid) {
                match self.shared().config.wait {
                    WaitPolicy::Leapfrog => self.run_part(work),
                    WaitPolicy::RunAnything => self.run_unrelated(work),
                }
                idle_since = None;
                continue;
            }
            if idle_since.get_or_insert_with(Since::now).passed(PATIENCE) {
                return;
            }
            for _ in 0..16 {
                spin_loop();
            }
        }
    }

    /// Leapfrogging: takes work from the thread that runs what we wait for. It had no other forks when it took that
    /// (else it does not give its name), so all forks it has now are parts of it, but for those of unrelated work that
    /// it may run on top.
    fn follow(&self, awaited: &ForkHeader, raid: bool) -> Option<Work> {
        let thief = self.shared().slot(awaited.thief()? as usize)?;
        match self.take_part(thief, &|| !awaited.latch.probe(), raid, HOPS)? {
            Taken::Part(fork) => Some(Work::Fork(fork)),
            Taken::Other(fork) => {
                self.put_back(Work::Fork(fork));
                None
            }
        }
    }

    /// Takes a fork of `thief`, or of whoever it waits for in turn, provided that what we wait for is still running
    /// *after* we have it in hand: then it was running when we took it, and `thief` had nothing else.
    fn take_part(&self, thief: &Slot, running: &dyn Fn() -> bool, raid: bool, hops: usize) -> Option<Taken> {
        if !thief.is_pure() {
            return None;
        }
        if let Some(fork) = thief.fork.steal() {
            return Some(if running() && thief.is_pure() { Taken::Part(fork) } else { Taken::Other(fork) });
        }
        thief.fork.request();
        if raid && self.shared().raids && thief.fork.unanswered() && thief.fork.may_have_private() {
            if let Some(fork) = thief.fork.raid(thief.waiter(), || running() && thief.is_pure()) {
                return Some(Taken::Part(fork));
            }
        }
        if hops == 0 {
            return None;
        }
        let awaited = thief.try_awaited()?;
        // SAFETY: the owner takes the pointer out under the lock, which we hold, before the header's frame goes.
        let header = unsafe { (*awaited)?.as_ref() };
        // Exact here: what an unrelated piece of work waits for is put in after the count was raised.
        if !thief.is_pure() {
            return None;
        }
        let next = self.shared().slot(header.thief()? as usize)?;
        self.take_part(next, &|| running() && !header.latch.probe(), raid, hops - 1)
    }

    /// Parks until the latch is set. Meanwhile the seat is another's; when it is set, we go on at once.
    pub(crate) fn park_until(&self, latch: &Latch) {
        if latch.probe() {
            return;
        }
        self.park_while(|| latch.announce_sleep());
    }

    /// Gives the seat up, and parks as long as `blocked` says.
    pub(crate) fn park_while(&self, mut blocked: impl FnMut() -> bool) {
        let bed = self.shared().bed(&self.parker);
        self.without_seat(|slot| {
            while blocked() {
                slot.park_once(&bed);
            }
        });
    }

    /// Gives the seat up for the time of `f`, which blocks.
    pub(crate) fn without_seat<R>(&self, f: impl FnOnce(&Slot) -> R) -> R {
        if self.seatless().get() {
            return f(self);
        }
        let shared = self.shared();
        self.flush_next();
        self.set_busy(false);
        shared.sleep.leave_seat();
        let _ = shared.pass_seat();
        let result = f(self);
        shared.sleep.take_seat();
        self.begin_busy();
        result
    }

    /// Parks without a seat. When every spare is out, it looks now and then whether work is left that nobody else can
    /// run, and runs it: unrelated work inside of a wait is better than none at all.
    fn park_once(&self, bed: &Bed<'_>) {
        let shared = self.shared();
        let called = bed.park(shared.spares_exhausted().then_some(LOOK_AGAIN));
        // What is woken here is for others: this thread does not come back to its queues soon.
        let polling = self.polling().replace(false);
        bed.fire();
        self.polling().set(polling);
        if called {
            if self.has_mail() {
                self.with_seat(|slot| bed.away(|| slot.run_mail()));
            }
            return;
        }
        if shared.pass_seat() == Covered::Yes && !shared.has_private_forks() {
            return;
        }
        if !shared.sleep.seat_free(shared.seats) || thread::panicking() || self.seatless().get() {
            return;
        }
        let look = |slot: &Slot| {
            if let Some(work) = slot.find_any().or_else(|| slot.steal_stale_next()).or_else(|| slot.raid()) {
                slot.run_unrelated(work);
            } else {
                slot.mark_others_next();
                // Answered, or raided when we look again.
                slot.request_forks();
            }
        };
        self.with_seat(|slot| bed.away(|| look(slot)));
    }

    /// Takes a seat for the time of `f`, on a thread that has given its own up.
    fn with_seat(&self, f: impl FnOnce(&Slot)) {
        if self.seatless().get() {
            return f(self);
        }
        let shared = self.shared();
        shared.sleep.take_seat();
        self.begin_busy();
        f(self);
        self.flush_next();
        self.set_busy(false);
        shared.sleep.leave_seat();
        let _ = shared.pass_seat();
    }
}
