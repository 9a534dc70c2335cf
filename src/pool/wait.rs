//! How a thread waits inside of its work: first it helps, with what it waits for and nothing else, then it parks and
//! gives its seat to another.

use std::cell::Cell;
use std::ptr::NonNull;
use std::thread;
use std::time::Duration;

use crate::core::away;
use crate::core::follow::{Follower, Taken};
use crate::core::job::{ForkHeader, JobRef};
use crate::core::latch::Latch;
use crate::core::lineage::ScopeNode;
use crate::ground::clock::Since;
use crate::ground::sync::spin_loop;
use crate::pool::bed::Bed;
use crate::pool::current;
use crate::pool::find::Work;
use crate::pool::policy::WaitPolicy;
use crate::pool::rescue::{Parts, Vigil};
use crate::pool::section;
use crate::pool::shared::Covered;
use crate::pool::slot::Slot;
use crate::pool::worker;

/// How long a waiter looks for something to help with: about what parking and being woken costs twice over.
const PATIENCE: Duration = Duration::from_micros(50);
/// How long after its request a waiter raids the thread that it waits for.
const RAID_AFTER: Duration = Duration::from_micros(20);
/// How often a parked waiter looks whether it must run work itself, when all spares are out.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// What a thread runs while it waits. In a destructor, while the thread unwinds, parts and own jobs are left to others,
/// who take the thread's seat; anything is run there too, since nobody may come: every job catches its panic.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Help {
    /// Parts of what it waits for.
    Parts,
    /// Anything.
    Anything,
    /// What it has queued itself for the scope that it waits for: a guest, where others run anything. They may count
    /// on running on threads of the pool's own, so it takes nothing from them.
    OwnJobs,
}

impl Slot {
    fn helps_with(&self) -> Help {
        match self.shared().config.wait_policy() {
            WaitPolicy::Leapfrog => Help::Parts,
            WaitPolicy::RunAnything if self.is_own_thread() => Help::Anything,
            WaitPolicy::RunAnything => Help::OwnJobs,
        }
    }

    /// Whether others' work may run on this thread. With rayon's way of waiting a guest is kept from it.
    pub(crate) fn may_run_anything(&self) -> bool {
        self.helps_with() != Help::OwnJobs
    }

    /// Waits for a stolen fork.
    #[cold]
    pub(crate) fn wait_for_fork(&self, header: &ForkHeader) {
        if header.latch.probe() {
            return;
        }
        if current::is_out() {
            // A `Worker` that has been taken along into a section.
            return section::back(|| self.wait_for_fork(header));
        }
        let outer = self.set_awaited(Some(NonNull::from(header)));
        let help = self.helps_with();
        if help == Help::Anything || !thread::panicking() {
            match help {
                Help::Parts => self.help_until(&header.latch, |slot, raid| slot.follow(header, raid)),
                Help::Anything => self.help_until(&header.latch, |slot, _| slot.find_to_help()),
                Help::OwnJobs => {}
            }
        }
        if help == Help::Parts && !header.latch.probe() {
            // Not each time, or what nobody else can run waits as long as there are parts. And not on top of much else: a
            // bridged iterator, which a wait may take up over and over, begins anew from where nothing is shared.
            let turn = Cell::new(false);
            let parts = |slot: &Slot| {
                turn.set(!turn.get());
                if turn.get() && !slot.nest().is_high() { slot.follow(header, true) } else { None }
            };
            // Only `put_back` puts a fork where it can be found again.
            let lost = |slot: &Slot| {
                let mine = |job: &JobRef| job.is_of(header);
                if header.latch.probe() { None } else { slot.rescue(&mine, false) }
            };
            self.park_apart_beside(&mut || header.latch.announce_sleep(), &parts, Some(&lost));
        } else {
            self.park_until(&header.latch);
        }
        self.set_awaited(outer);
    }

    /// Waits for the end of a scope that this thread has opened.
    #[cold]
    pub(crate) fn wait_for_scope(&self, latch: &Latch, scope: *const ScopeNode) {
        let help = self.helps_with();
        if help == Help::Anything || !thread::panicking() {
            let within = (help != Help::Anything).then_some(scope);
            // Most often that is all.
            self.run_own_jobs(latch, within);
            if latch.probe() {
                return;
            }
            let mut choosy = false;
            self.help_until(latch, |slot, _| {
                // Background work: between two jobs of a scope is a boundary, as a `join` is.
                let _ = slot.give_way();
                slot.run_own_jobs(latch, within);
                if latch.probe() {
                    return None;
                }
                match help {
                    Help::Parts => slot.find_within(scope, &mut choosy),
                    Help::Anything => slot.find_to_help(),
                    Help::OwnJobs => slot.find_own_within(scope),
                }
            });
            // Those who would come for what lies deep in the own queue may all wait for a lock that this thread holds.
            while help != Help::Anything && !latch.probe() {
                let Some(work) = self.dig_within(scope) else { break };
                self.run_part(work);
            }
        }
        if !latch.probe() {
            // A join further out may have left its second arm here: nobody asks a parked thread for it. (In
            // `wait_for_fork` there is none: when the newest fork has been stolen, so have all.)
            self.publish_all();
        }
        if help == Help::Parts {
            let lost = |slot: &Slot| if latch.probe() { None } else { slot.rescue_within(scope) };
            if !latch.probe() {
                self.park_apart_beside(&mut || latch.announce_sleep(), &|_| None, Some(&lost));
            }
        } else {
            self.park_until(latch);
        }
    }

    /// Helps until the latch is set or there has been nothing to help with for a while.
    fn help_until(&self, latch: &Latch, mut help: impl FnMut(&Slot, bool) -> Option<Work>) {
        // The clock is read only when there was nothing to do.
        let mut idle_since: Option<Since> = None;
        loop {
            if latch.probe() {
                return;
            }
            self.run_due_mail();
            let raid = idle_since.is_some_and(|since| since.passed(RAID_AFTER));
            if let Some(work) = help(self, raid) {
                match self.helps_with() {
                    Help::Anything => self.run_unrelated(work),
                    Help::Parts | Help::OwnJobs => self.run_part(work),
                }
                idle_since = None;
                continue;
            }
            if latch.probe() || idle_since.get_or_insert_with(Since::now).passed(PATIENCE) {
                return;
            }
            self.pause(16);
        }
    }

    /// Passes some time of a search. Where waiting threads run anything, somebody else may need the core, and be what
    /// we look for: so it is offered, as rayon does.
    pub(crate) fn pause(&self, spins: u32) {
        if self.shared().config.wait_policy() == WaitPolicy::RunAnything {
            return thread::yield_now();
        }
        for _ in 0..spins {
            spin_loop();
        }
    }

    /// Leapfrogging: takes work from the thread that runs what we wait for, or from whom that waits for in turn.
    fn follow(&self, awaited: &ForkHeader, raid: bool) -> Option<Work> {
        let shared = self.shared();
        let follower = Follower {
            thread: &|name| shared.slot(name as usize),
            stolen_from: &|victim: &Slot, fork| self.note_victim(victim, &Work::Fork(fork)),
            raid: raid && shared.raids,
        };
        match follower.follow(awaited)? {
            Taken::Part(fork) => Some(Work::Fork(fork)),
            Taken::Other(fork) => {
                self.put_back(Work::Fork(fork));
                None
            }
        }
    }

    /// Parks until the latch is set. Meanwhile the seat is another's; when it is set, we go on at once.
    pub(crate) fn park_until(&self, latch: &Latch) {
        if latch.probe() {
            return;
        }
        self.park_while(&mut || latch.announce_sleep());
    }

    /// Gives the seat up, and parks as long as `blocked` says. Where waiting threads run anything, it goes on looking
    /// for work meanwhile, as an idle thread.
    pub(crate) fn park_while(&self, blocked: &mut dyn FnMut() -> bool) {
        if self.helps_with() != Help::Anything || !self.holds_seat() {
            return self.park_apart(blocked);
        }
        worker::stand_by(self, blocked);
    }

    /// Gives the seat up, and parks as long as `blocked` says, which may be asked only until it says no.
    pub(crate) fn park_apart(&self, blocked: &mut dyn FnMut() -> bool) {
        self.park_apart_beside(blocked, &|_| None, None);
    }

    /// The same for a wait that some of the work is a part of: `parts` finds some where others work on it, and `lost`
    /// where nobody comes for it.
    fn park_apart_beside(&self, blocked: &mut dyn FnMut() -> bool, parts: &Parts<'_>, lost: Option<&Parts<'_>>) {
        let bed = self.shared().bed(&self.parker);
        away::without_seat(self, || self.park_in(&bed, blocked, parts, lost));
    }

    /// The same for a thread that may have forks which nobody knows of: it makes them public first.
    pub(crate) fn park_apart_from_all(&self, blocked: &mut dyn FnMut() -> bool) {
        let bed = self.shared().bed(&self.parker);
        away::block(self, || self.park_in(&bed, blocked, &|_| None, None));
    }

    fn park_in(&self, bed: &Bed<'_>, blocked: &mut dyn FnMut() -> bool, parts: &Parts<'_>, lost: Option<&Parts<'_>>) {
        let lost = lost.filter(|_| !thread::panicking());
        let mut vigil = lost.map(|_| Vigil::new());
        let mut turn = false;
        // So far only if it had no seat to leave.
        let busy = self.is_busy();
        self.set_busy(false);
        while blocked() {
            let exhausted = self.shared().spares_exhausted();
            let look = vigil.as_ref().map(Vigil::left);
            let limit = if exhausted { Some(look.map_or(LOOK_AGAIN, |left| left.min(LOOK_AGAIN))) } else { look };
            if self.park_once(bed, limit) {
                continue;
            }
            if let (Some(lost), Some(vigil)) = (lost, &mut vigil) {
                // Where threads are refused nobody else may ever come, and what is run in place may want a lock.
                let alone = self.shared().no_threads();
                if (vigil.is_over(self.shared()) || alone) && self.run_lost(bed, vigil, lost) {
                    continue;
                }
            }
            if exhausted {
                // Not each time, or what nobody else can run waits as long as there are parts.
                turn = !turn;
                self.stand_in(bed, parts, lost.filter(|_| turn));
            }
        }
        self.set_busy(busy);
    }

    /// Parks without a seat. No: the limit has passed.
    fn park_once(&self, bed: &Bed<'_>, limit: Option<Duration>) -> bool {
        let called = bed.park(limit);
        // What is woken here is for others: this thread does not come back to its queues soon.
        let polling = self.polling().replace(false);
        bed.fire();
        self.polling().set(polling);
        if called && self.has_mail() {
            self.with_seat(|slot| bed.away(|| slot.run_mail()));
        }
        called
    }

    /// When every spare is out, a parked thread looks now and then whether work is left that nobody else can run, and
    /// runs it: a part of what it waits for if there is one; but unrelated work inside of a wait is better than none at
    /// all.
    fn stand_in(&self, bed: &Bed<'_>, parts: &Parts<'_>, lost: Option<&Parts<'_>>) {
        let shared = self.shared();
        if shared.pass_seat() == Covered::Yes && !shared.has_private_forks() {
            return;
        }
        if !shared.sleep.seat_free(shared.seats) || thread::panicking() || self.seatless().get() {
            return;
        }
        let look = |slot: &Slot| {
            if let Some(work) = parts(slot).or_else(|| lost?(slot)) {
                slot.run_part(work);
            } else if let Some(work) = slot.find_any().or_else(|| slot.steal_stale_next()).or_else(|| slot.raid()) {
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
            self.set_busy(true);
            f(self);
            return self.set_busy(false);
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
