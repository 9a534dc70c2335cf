//! The timers of a pool: where they stand, and who fires them.
//!
//! They stand in a few wheels, by the thread that made them, so that workers do not wait for each other. There is no
//! thread for them. Busy threads look at the time in a fixed rhythm, between two pieces of work. A thread that is
//! about to park, wherever that may be, lies down in a [bed](crate::pool::bed); the first in the beds is the
//! *keeper*, which sleeps no longer than until the next timer. `core/timers.md` tells why no timer is slept through.
//!
//! A timer that is due wakes its waker, outside of all locks, on the thread that fires it; all else (that a task is
//! queued, that a thread comes for it) follows by the usual rule.
//!
//! When every thread of the pool is inside a closure and none is parked, the [express lane](crate::pool::express) keeps
//! the timers. Without it, they are late by what is left of the shortest of those closures.

use std::cell::Cell;
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;

use crate::core::keeper::Keeper;
use crate::core::tally::Tally;
use crate::core::timer_shard::{BATCH, Reset, TimerShard};
use crate::core::wheel::NEVER;
use crate::ground::sync::{AtomicBool, AtomicUsize, Ordering};
use crate::ground::{fork_guard, unwind};
use crate::pool::clock::{PoolClock, ever_paused};
use crate::pool::current;
use crate::pool::handle::{Pool, on_current, on_current_if_any};
use crate::pool::shared::Shared;

/// Wheels at most.
const MOST_SHARDS: usize = 16;

/// What the timers of a pool share. A timer keeps it alive, and so may outlive the pool.
#[derive(Debug)]
pub(crate) struct Timers {
    shards: Box<[CachePadded<TimerShard>]>,
    pub(crate) keeper: Keeper,
    pub(crate) clock: PoolClock,
    /// The pool has ended, and nobody keeps the timers any more.
    closed: AtomicBool,
    /// The process that made the pool, by its forks: in a child, a thread of the parent may hold the locks for ever.
    generation: u32,
    /// Blocking calls that run and do not park: a stopped clock waits for them.
    pub(crate) calls: Tally,
    /// For who resets a timer, on whatever thread.
    pool: Weak<Shared>,
}

/// One of the wheels, as a timer holds it. Each has a count of its own: one for all timers of the pool would be a word
/// that all workers write.
#[derive(Debug)]
struct Door {
    timers: Arc<Timers>,
    shard: usize,
}

/// A pool's timers, as the pool holds them.
#[derive(Debug)]
pub(crate) struct PoolTimers {
    all: Arc<Timers>,
    doors: Box<[Arc<CachePadded<Door>>]>,
}

impl std::ops::Deref for PoolTimers {
    type Target = Timers;

    fn deref(&self) -> &Timers {
        &self.all
    }
}

impl PoolTimers {
    pub(crate) fn new(workers: usize, paused: bool, pool: Weak<Shared>) -> Self {
        let shards = workers.clamp(1, MOST_SHARDS).next_power_of_two();
        let all = Arc::new(Timers {
            shards: (0..shards).map(|_| CachePadded::new(TimerShard::new())).collect(),
            keeper: Keeper::new(),
            clock: PoolClock::new(paused),
            closed: AtomicBool::new(false),
            generation: fork_guard::generation(),
            calls: Tally::new(),
            pool,
        });
        let door = |shard| Arc::new(CachePadded::new(Door { timers: all.clone(), shard }));
        PoolTimers { doors: (0..shards).map(door).collect(), all }
    }

    /// The count of blocking calls outlives whatever else goes.
    pub(crate) fn shared_part(&self) -> Arc<Timers> {
        self.all.clone()
    }

    /// Notes a timer, and says whether it is the first now. None if the pool has ended.
    fn start(&self, deadline: Instant, waker: &Waker, near: usize) -> Option<(Timer, bool)> {
        let door = &self.doors[near % self.doors.len()];
        let deadline = self.clock.at(deadline);
        let inserted = self.shards[door.shard].insert(deadline, waker.clone()).ok()?;
        if inserted.earlier {
            self.keeper.announce(deadline);
        }
        Some((Timer { door: door.clone(), key: inserted.key }, inserted.earlier))
    }
}

impl Timers {
    /// When somebody should look at the timers: [`NEVER`] if there are none.
    #[inline]
    pub(crate) fn next(&self) -> u64 {
        self.shards.iter().map(|shard| shard.next()).min().unwrap_or(NEVER)
    }

    /// The same, but exact.
    pub(crate) fn next_exact(&self) -> u64 {
        self.shards.iter().map(|shard| shard.next_exact()).min().unwrap_or(NEVER)
    }

    /// Whether a timer may be due. Reads the clock only if there are timers.
    #[inline]
    pub(crate) fn are_due(&self) -> bool {
        let next = self.next();
        next < NEVER && next <= self.clock.now()
    }

    pub(crate) fn are_closed(&self) -> bool {
        // Acquire pairs with the Release in `close_timers`; though whoever needs to know learns it under a lock.
        self.closed.load(Ordering::Acquire)
    }
}

impl Shared {
    fn start_timer(&self, deadline: Instant, waker: &Waker, near: usize) -> Option<Timer> {
        let (timer, earlier) = self.timers.start(deadline, waker, near)?;
        if earlier {
            // There is a fence in `announce`.
            self.see_to_timers();
        }
        Some(timer)
    }

    /// Fires the timers whose time has come, and says how many those were. A waker's panic is reported, and the others
    /// are woken nevertheless.
    #[inline]
    pub(crate) fn fire_timers(&self) -> usize {
        if self.timers.are_due() { self.fire_due_timers() } else { 0 }
    }

    #[cold]
    fn fire_due_timers(&self) -> usize {
        let now = self.timers.clock.now();
        self.timers.shards.iter().filter(|shard| shard.next() <= now).map(|shard| self.fire_shard(shard, now)).sum()
    }

    fn fire_shard(&self, shard: &TimerShard, now: u64) -> usize {
        let mut batch = [const { None }; BATCH];
        let mut fired = 0;
        loop {
            let taken = shard.take_due(now, &mut batch);
            for waker in batch.iter_mut().filter_map(Option::take) {
                if let Err(payload) = unwind::catch(|| waker.wake()) {
                    self.report_panic(payload);
                }
            }
            fired += taken;
            if taken < BATCH {
                return fired;
            }
        }
    }

    /// Nobody is left to keep the timers: wakes all who wait for one, and they turn to another pool.
    #[cold]
    pub(crate) fn close_timers(&self) {
        // Release pairs with the Acquire in `are_closed`.
        if self.timers.closed.swap(true, Ordering::Release) {
            return;
        }
        for shard in &self.timers.shards {
            shard.close();
            self.fire_shard(shard, 0);
        }
    }

    /// Whether there are timers, and nobody who would look at them.
    pub(crate) fn timers_are_left_alone(&self) -> bool {
        self.timers.next() < NEVER && self.timers.keeper.beds() == 0 && self.sleep.nobody_active()
    }
}

/// A timer that has been noted. Dropping it takes it out.
#[derive(Debug)]
pub(crate) struct Timer {
    door: Arc<CachePadded<Door>>,
    key: u32,
}

/// What a timer has come to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum State {
    Waiting,
    Fired,
    /// It will never fire, as its pool has ended: begin anew.
    Orphaned,
}

impl Timer {
    /// Notes a timer with the current pool, or the global one if there is none or it has ended. It wakes `waker` when
    /// the time has come, soon if it has come already.
    pub(crate) fn start(deadline: Instant, waker: &Waker) -> Timer {
        on_keeper(|shared| {
            shared.check_process();
            let own =
                current::with(|slot| slot.filter(|slot| std::ptr::eq(slot.shared(), shared)).map(|slot| slot.index));
            shared.start_timer(deadline, waker, own.unwrap_or_else(number_of_thread))
        })
        .or_else(|| Pool::global().shared.start_timer(deadline, waker, number_of_thread()))
        .expect("the global pool does not end")
    }

    fn shard(&self) -> &TimerShard {
        &self.door.timers.shards[self.door.shard]
    }

    /// What has become of the timer; if it waits, it will wake this waker.
    pub(crate) fn poll(&self, deadline: Instant, waker: &Waker) -> State {
        let timers = &self.door.timers;
        let fired = self.shard().has_fired(self.key, waker);
        // Nobody may have had the time to fire it.
        if timers.clock.at(deadline) <= timers.clock.now() {
            State::Fired
        } else if fired && timers.are_closed() {
            // Before its time: its pool has ended.
            State::Orphaned
        } else if fired {
            // A thread that had read the clock just before it was stopped has fired it: so the time has come.
            timers.clock.advance_to(timers.clock.at(deadline));
            State::Fired
        } else {
            State::Waiting
        }
    }

    /// Gives the timer another time; whoever waits for it waits on. False: it has fired.
    pub(crate) fn reset(&self, deadline: Instant) -> bool {
        let timers = &self.door.timers;
        let deadline = timers.clock.at(deadline);
        match self.shard().reset(self.key, deadline) {
            Reset::Fired => false,
            Reset::Moved { earlier } => {
                if earlier {
                    timers.keeper.announce(deadline);
                    // Without a pool there is nobody to keep the timer: `close_timers` has fired it, or will.
                    if let Some(shared) = timers.pool.upgrade() {
                        shared.see_to_timers();
                    }
                }
                true
            }
        }
    }

    /// Whether the time has come, by the clock of the timer's pool.
    pub(crate) fn has_come(&self, deadline: Instant) -> bool {
        let clock = &self.door.timers.clock;
        clock.at(deadline) <= clock.now()
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if fork_guard::generation() == self.door.timers.generation {
            self.shard().remove(self.key);
        }
    }
}

/// Spreads threads without a slot over the wheels.
fn number_of_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    thread_local! {
        // Constant and without a destructor, so that threads that are ending have it.
        static NUMBER: Cell<usize> = const { Cell::new(0) };
    }
    if NUMBER.get() == 0 {
        NUMBER.set(NEXT.fetch_add(1, Ordering::Relaxed).max(1));
    }
    NUMBER.get()
}

// ----- whose timers and time -------------------------------------------------------------------------------------

/// Calls `f` with the pool whose timers and time are meant here: the current one, or the global one if there is none or
/// it has ended. Both from the same pool always, since a deadline is a moment by the one, and waited for by the other.
fn on_keeper<R>(f: impl FnOnce(&Shared) -> R) -> R {
    on_current(|shared| f(if shared.timers.are_closed() { &Pool::global().shared } else { shared }))
}

/// The same, but makes no global pool if there is none yet.
fn on_keeper_if_any<R>(f: impl FnOnce(Option<&Shared>) -> R) -> R {
    on_current_if_any(|shared| {
        let alive = shared.filter(|shared| !shared.timers.are_closed());
        f(alive.or_else(|| Pool::global_if_any().map(|pool| &*pool.shared)))
    })
}

/// The present, by the clock of the current pool; without one, by the global pool's if that exists.
#[inline]
pub(crate) fn now() -> Instant {
    if ever_paused() { now_by_pool() } else { Instant::now() }
}

#[cold]
fn now_by_pool() -> Instant {
    on_keeper_if_any(|shared| shared.map_or_else(Instant::now, |shared| shared.timers.clock.instant()))
}

/// Stops the current pool's clock; false: it stands.
pub(crate) fn pause_here() -> bool {
    on_keeper(|shared| {
        let paused = shared.timers.clock.pause();
        // The keeper has planned by a clock that runs.
        shared.timers.keeper.ring();
        paused
    })
}

/// Lets the current pool's clock go on; false: it runs.
pub(crate) fn resume_here() -> bool {
    on_keeper(|shared| {
        let resumed = shared.timers.clock.resume();
        shared.timers.keeper.ring();
        shared.see_to_timers();
        resumed
    })
}

/// Puts the current pool's stopped clock forward, and fires what is due then; false: it runs.
pub(crate) fn advance_here(by: Duration) -> bool {
    on_keeper(|shared| {
        let advanced = shared.timers.clock.advance(by);
        shared.fire_timers();
        advanced
    })
}
