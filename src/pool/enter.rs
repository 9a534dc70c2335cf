//! How a thread from outside gets its work done: in place as a guest, or by handing it in and blocking.

use std::sync::Arc;
use std::time::Duration;

use crate::core::job::{JobRef, RootJob};
use crate::core::latch::{Latch, Waiter};
use crate::core::parker::Parker;
use crate::core::queue::Injector;
use crate::ground::error::SHUT_DOWN;
use crate::ground::unwind;
use crate::pool::awake::Parked;
use crate::pool::bed::Bed;
use crate::pool::current;
use crate::pool::express;
use crate::pool::handle::{Pool, on_current};
use crate::pool::section;
use crate::pool::shared::Shared;
use crate::pool::slot::{Kind, Slot};

/// How often a thread that waits for a pool without threads looks whether it can do the work itself.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(1);

thread_local! {
    static PARKER: Arc<Parker> = Arc::new(Parker::new());
}

/// Work from outside, which is done once. It has no types of its own, so that what lies between a caller and the pool is
/// compiled once, and not for each closure of a program.
pub(crate) type Entrant<'f> = &'f mut (dyn FnMut(&Slot) + Send);

/// Calls `enter`, which does its [`Entrant`] or unwinds, with `f`.
fn erased<R: Send>(f: impl FnOnce(&Slot) -> R + Send, enter: impl FnOnce(Entrant<'_>)) -> R {
    let (mut f, mut result) = (Some(f), None);
    enter(&mut |slot| {
        let f = f.take().expect("an entrant is done once");
        result = Some(f(slot));
    });
    result.expect("an entrant is done")
}

/// Accepted work; counts itself off when it is dropped.
pub(crate) struct Accepted<'p>(&'p Shared);

impl Drop for Accepted<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Runs `f` as a thread of the pool that is current here, or of the global one: for those who know that
/// they have no slot.
#[cold]
pub(crate) fn enter_current<R: Send>(f: impl FnOnce(&Slot) -> R + Send) -> R {
    erased(f, enter_current_erased)
}

#[cold]
#[inline(never)]
fn enter_current_erased(f: Entrant<'_>) {
    on_current(|shared| shared.enter_erased(f));
}

impl Shared {
    /// Asks the gate for work from outside, or for what work inside brings.
    pub(crate) fn accept(&self) -> bool {
        self.check_process();
        if current::is_inside(self) { self.gate.enter_inner() } else { self.gate.enter() }
    }

    /// The same for a root.
    ///
    /// # Panics
    /// If the pool has been shut down.
    pub(crate) fn accept_root(&self) -> Accepted<'_> {
        self.try_accept_root().expect(SHUT_DOWN)
    }

    /// The same; None if the pool has been shut down.
    pub(crate) fn try_accept_root(&self) -> Option<Accepted<'_>> {
        self.accept().then(|| Accepted(self))
    }

    /// Runs `f` as a thread of this pool: right here if the current thread is one, or if a seat is free; else on a
    /// worker, while the current thread blocks.
    pub(crate) fn enter<R: Send>(&self, f: impl FnOnce(&Slot) -> R + Send) -> R {
        current::with(|slot| match slot {
            Some(slot) if std::ptr::eq(slot.shared(), self) => f(slot),
            _ => erased(f, |f| self.enter_from_outside(f)),
        })
    }

    fn enter_erased(&self, f: Entrant<'_>) {
        current::with(|slot| match slot {
            Some(slot) if std::ptr::eq(slot.shared(), self) => f(slot),
            _ => self.enter_from_outside(f),
        })
    }

    #[cold]
    #[inline(never)]
    fn enter_from_outside(&self, f: Entrant<'_>) {
        if current::is_out() {
            return section::back(|| self.enter_erased(f));
        }
        let _accepted = self.accept_root();
        let guest = match self.guest_for_work() {
            None if current::with_owned(|slot| slot.is_some()) => return self.hand_in(&self.injector, f),
            None => self.lend(f),
            guest => guest,
        };
        if let Some(guest) = guest {
            // On unwinding the guest leaves, then the root is counted off.
            f(guest.slot);
        }
    }

    /// Runs `f` on a thread that the pool itself has started, and tells it whether that is another than the caller's.
    pub(crate) fn enter_worker<R: Send>(&self, f: impl FnOnce(&Slot, bool) -> R + Send) -> R {
        current::with(|slot| match slot {
            Some(slot) if std::ptr::eq(slot.shared(), self) && slot.is_own_thread() => f(slot, false),
            None if current::is_out() => section::back(|| self.enter_worker(f)),
            _ => erased(|slot| f(slot, true), |f| self.enter_as_root(f)),
        })
    }

    #[cold]
    #[inline(never)]
    fn enter_as_root(&self, f: Entrant<'_>) {
        let _accepted = self.accept_root();
        self.hand_in(&self.worker_roots, f);
    }

    /// Injects `f` and blocks until a thread of the pool has run it.
    fn hand_in(&self, queue: &Injector<JobRef>, f: Entrant<'_>) {
        wait_outside(self, |waiter, wait| {
            let job =
                RootJob::new(|| current::with(|slot| f(slot.expect("jobs run on threads that have a slot"))), waiter);
            // SAFETY: `wait` returns when the latch is set, and nothing before it unwinds.
            let job_ref = unsafe { job.as_ref() };
            queue.push(job_ref);
            self.notify();
            wait(job.latch());
            // SAFETY: set, and this is the only call.
            unsafe { job.result() }.unwrap_or_else(|payload| unwind::resume(payload));
        });
    }
}

/// The parker of a thread without a slot.
pub(crate) fn parker() -> Arc<Parker> {
    // A thread that is ending has no thread-locals any more; it gets one for this one wait.
    PARKER.try_with(Arc::clone).unwrap_or_else(|_| Arc::new(Parker::new()))
}

/// Blocks the current thread in a wait for another pool's latch, or as a thread of no pool: `f` gets the waiter to
/// put into the latch, and the function that waits for it. A worker gives its seat up meanwhile.
pub(crate) fn wait_outside<R>(shared: &Shared, f: impl FnOnce(Waiter, &dyn Fn(&Latch)) -> R) -> R {
    current::with(|slot| match slot {
        Some(slot) => f(Waiter::Outside(slot.parker.clone()), &|latch| {
            slot.publish_all();
            slot.park_while(&mut || latch.announce_sleep());
        }),
        None => {
            let parker = parker();
            f(Waiter::Outside(parker.clone()), &|latch| {
                shared.park_outside(&parker, &mut || latch.announce_sleep());
            })
        }
    })
}

/// Parks a thread without a slot as long as it is `blocked`. It keeps the timers of the pool that it is for, or that it
/// is inside of or has entered, or, if that has ended, of the global one.
pub(crate) fn park_without_slot(home: Option<&Shared>, parker: &Arc<Parker>, blocked: &mut dyn FnMut() -> bool) {
    current::with_pool(|around| {
        let global = || Pool::global_if_any().map(|pool| &*pool.shared);
        let own = |shared: &&Shared| !shared.is_forked() && !shared.is_done();
        match home.filter(own).or(around.filter(own)).or_else(global) {
            Some(shared) => shared.park_outside(parker, blocked),
            None => {
                express::step_aside();
                let _parked = Parked::new();
                while blocked() {
                    parker.park();
                }
            }
        }
    });
}

impl Shared {
    /// Parks a thread without a slot as long as it is `blocked`. It keeps the timers meanwhile.
    pub(crate) fn park_outside(&self, parker: &Arc<Parker>, blocked: &mut dyn FnMut() -> bool) {
        express::step_aside();
        let bed = self.bed(parker);
        while blocked() {
            let called = bed.park(self.no_threads().then_some(LOOK_AGAIN));
            bed.fire();
            if !called {
                self.stand_in(&bed);
            }
        }
    }

    /// Where the system refuses threads nobody may be there for what a thread waits for but that thread itself: it runs
    /// something, if a seat is free.
    pub(crate) fn stand_in(&self, bed: &Bed<'_>) {
        bed.away(|| {
            if let Some(guest) = self.try_guest() {
                if let Some(work) = guest.slot.find_any() {
                    guest.slot.run_unrelated(work);
                }
            }
        });
    }
}

impl Slot {
    /// A fork was pushed while somebody was hungry, or the private array is full.
    #[cold]
    #[inline(never)]
    pub(crate) fn answer(&self) {
        if self.give_way() {
            // All seats are taken, so a fork would find nobody either.
            return self.fork.request();
        }
        let shared = self.shared();
        // Two for each searcher: where it finds one fork it will soon want another, and if forks are far between here
        // it need not wait for the next one.
        let most = 2 * shared.sleep.searchers().max(1);
        // SAFETY: called on the owner's thread; the waiter and the place are its own.
        let published = unsafe { self.fork.publish(most, &self.waiter(), self.place().get()) };
        if published > 0 && shared.notify_forks() && shared.is_keen() {
            // While somebody is on the way, the next fork too: after it a long leaf may begin.
            self.fork.request();
        }
        self.see_to_way();
    }

    /// A loop has pushed its rest, which should take another `ticks` at the pace so far: whether to give parts of it
    /// away, and how many. `asked`: somebody has asked this very thread.
    #[inline]
    pub(crate) fn share(&self, asked: bool, ticks: u64) {
        if asked || self.has_takers(ticks) || self.looks_around() {
            self.share_with(asked, ticks);
        }
    }

    /// Whether a loop that should take another `ticks` is worth the while of others.
    #[inline]
    pub(crate) fn has_takers(&self, ticks: u64) -> bool {
        let shared = self.shared();
        let (searching, free) = shared.sleep.hunger(shared.fork_seats);
        (searching > 0 && ticks >= 2 * shared.worth.a_hand) || (free > 0 && ticks >= shared.worth.a_wake)
    }

    #[cold]
    #[inline(never)]
    fn share_with(&self, asked: bool, ticks: u64) {
        if self.give_way() {
            return self.fork.request();
        }
        let shared = self.shared();
        let (searching, free) = shared.sleep.hunger(shared.fork_seats);
        if self.fork.is_full() {
            return self.answer();
        }
        if self.fork.keeps_public() {
            // Enough for those who look, for now.
            return;
        }
        let mut most = searching.max(usize::from(asked));
        if ticks >= shared.worth.a_wake {
            most = most.max(free);
        }
        // As many parts as leave no share, ours included, too small.
        most = most.min((ticks / shared.worth.a_hand).saturating_sub(1) as usize);
        if most == 0 && asked {
            if self.fork.has_older_private() {
                // Not for this, but for what lies below.
                most = 1;
            } else if searching == 0 {
                // Who asked has gone to sleep. If nobody keeps watch, somebody must, for an item may take for ever.
                self.fork.withdraw();
                if shared.sleep.is_deep() {
                    let _ = shared.sleep.wake_one(shared.seats);
                }
                shared.see_to_watch();
            }
        }
        // SAFETY: called on the owner's thread; the waiter and the place are its own.
        if most > 0 && unsafe { self.fork.publish(most, &self.waiter(), self.place().get()) } > 0 {
            shared.notify_forks();
        }
    }

    /// Before the thread blocks: others may need what it holds.
    pub(crate) fn publish_all(&self) {
        // SAFETY: as in `answer`.
        let published = unsafe { self.fork.publish(usize::MAX, &self.waiter(), self.place().get()) };
        if published > 0 {
            self.shared().notify_forks();
        }
        self.see_to_way();
    }

    /// Whether the pool has started this slot's thread, or made it a worker.
    pub(crate) fn is_own_thread(&self) -> bool {
        self.kind != Kind::Guest
    }
}
