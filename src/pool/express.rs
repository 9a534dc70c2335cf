//! The express lane: when every thread that holds a seat is inside a closure, ready tasks do not wait for the closures
//! to end. One more thread, which sleeps otherwise, polls them on a stack of its own; the system lets it in between,
//! because it asks for short slices (`ground/slice.rs`). Nothing is ever polled on top of somebody's closure.
//!
//! The thread has no slot and no seat. What a poll there spawns goes to the injectors. A `join`, scope or loop in
//! such a poll is closures' work: for that the thread becomes a guest, whose seat the next worker at a boundary makes
//! room for, and another thread has the duty meanwhile. `core/lane.md` says when the lane is called and why no task
//! is left alone.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::core::lane::{Called, Lane, Rest};
use crate::core::parker::Parker;
use crate::core::sleep::{Comes, Wake};
use crate::core::task::Task;
use crate::core::wheel::NEVER;
use crate::ground::clock::Since;
use crate::ground::cpu_time;
use crate::ground::slice::ask_for_slice;
use crate::ground::sync::{Ordering, fence};
use crate::pool::awake::Calling;
use crate::pool::current;
use crate::pool::held_up::{self, HeldUp};
use crate::pool::patrol::{Kind, LATE, Patrol};
use crate::pool::shared::{Covered, Shared};
use crate::pool::slot::Slot;

/// How long a thread of the lane may run before another that waits has its turn: the shortest slice that Linux grants.
const SLICE: Duration = Duration::from_micros(100);
/// How often a thread that sleeps looks at a poll that goes on for long.
const RELIEF_LOOK: Duration = Duration::from_millis(1);
/// How often a thread that sleeps looks whether a pool that has closed is done.
const LAST_LOOKS: Duration = Duration::from_millis(5);

/// What a pool knows of its lane.
#[derive(Debug)]
pub(crate) struct Express {
    lane: Lane,
    enabled: bool,
    most: usize,
    /// For those who ask what the lane has done.
    polls: AtomicU64,
    calls: AtomicU64,
    held_up: HeldUp,
}

thread_local! {
    /// The pool whose lane this thread belongs to.
    static LANE_OF: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) };
    /// The number of its duty, if it has it and has not left it inside of a poll.
    static ON_DUTY: Cell<Option<u64>> = const { Cell::new(None) };
}

impl Express {
    /// One thread, and one more for each worker that it may have to wait for.
    pub(crate) fn new(enabled: bool, workers: usize) -> Self {
        let most = if enabled { workers + 1 } else { 0 };
        Express {
            lane: Lane::new(most),
            enabled,
            most,
            polls: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            held_up: HeldUp::new(),
        }
    }

    /// Threads at most.
    pub(crate) fn most_threads(&self) -> usize {
        self.most
    }

    pub(crate) fn threads(&self) -> usize {
        self.lane.threads(self.most)
    }

    /// How many tasks have been polled on the lane.
    pub(crate) fn polls(&self) -> u64 {
        self.polls.load(Relaxed)
    }

    /// How often a thread has been called to duty.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Relaxed)
    }

    /// The pool closes, or is done.
    pub(crate) fn wake_all(&self) {
        self.lane.wake_all();
    }
}

// ----- who calls ----------------------------------------------------------------------------------------------------

impl Shared {
    /// A task has been queued where everybody finds it.
    pub(crate) fn notify_tasks(&self) {
        match self.sleep.who_comes(self.seats) {
            Comes::Searcher => {}
            Comes::Sleeper => self.fetch_thread_for_tasks(),
            Comes::Busy => {
                self.nudge_background();
                self.see_to_tasks();
            }
        }
    }

    /// A worker has queued a task of its own. `soon`: it should not wait for what the worker is in.
    #[inline]
    pub(crate) fn notify_own_tasks(&self, own: &Slot, soon: bool) {
        if !self.raids {
            return self.notify_tasks();
        }
        match self.sleep.who_may_come(self.seats) {
            Comes::Searcher => {}
            Comes::Sleeper => self.fetch_thread_for_tasks(),
            // Who polls comes back, and if not, the patrol sees it.
            Comes::Busy if !own.engaged.get() && self.express.lane.is_watched() => {}
            Comes::Busy => self.see_to_own_tasks(own, soon),
        }
    }

    /// A poll has put a task into its thread's next slot.
    #[inline]
    pub(crate) fn see_to_next(&self) {
        if self.sleep.who_may_come(self.seats) == Comes::Busy && !self.express.lane.is_watched() {
            self.begin_patrol();
        }
    }

    #[cold]
    #[inline(never)]
    fn begin_patrol(&self) {
        if self.express.enabled {
            self.carry_out(self.express.lane.call_patrol());
        }
    }

    #[cold]
    fn fetch_thread_for_tasks(&self) {
        let covered = match self.sleep.wake_one(self.seats) {
            Wake::Woken => true,
            // All seats have been taken since the caller looked, perhaps by closures.
            Wake::Enough => false,
            Wake::NobodyThere => self.start_spare() == Covered::Yes,
        };
        if !covered {
            self.see_to_tasks();
        }
    }

    /// Work is left, and nobody searches any more: somebody is woken for it, or the lane is called if there are tasks.
    pub(crate) fn notify_left(&self) {
        match self.sleep.who_comes(self.seats) {
            Comes::Searcher => {}
            Comes::Sleeper => match self.sleep.wake_one(self.seats) {
                Wake::Woken => {}
                Wake::NobodyThere if self.start_spare() == Covered::Yes => {}
                // All seats have been taken since, or nobody can come.
                Wake::Enough | Wake::NobodyThere => self.see_to_what_is_left(),
            },
            Comes::Busy => self.see_to_what_is_left(),
        }
    }

    fn see_to_what_is_left(&self) {
        self.nudge_background();
        self.see_to_tasks_if_any();
    }

    #[cold]
    #[inline(never)]
    fn see_to_own_tasks(&self, own: &Slot, soon: bool) {
        if !self.express.enabled {
            return;
        }
        if own.engaged.get() && soon {
            fence(Ordering::SeqCst);
            self.see_to_tasks();
        } else if self.express.lane.is_up() {
            self.relieve_lane();
        } else if !self.express.lane.is_watched() {
            self.carry_out(self.express.lane.call_patrol());
        }
    }

    /// Tasks wait, nobody searches and all seats are taken: calls the lane if nobody else comes for them soon. The
    /// caller has passed a fence since it made them visible, or itself one who does not come.
    #[cold]
    #[inline(never)]
    pub(crate) fn see_to_tasks(&self) {
        if !self.express.enabled {
            return;
        }
        if self.express.lane.is_up() {
            return self.relieve_lane();
        }
        if !self.has_reacher() {
            self.call_lane();
        } else if !self.express.lane.is_watched() {
            self.carry_out(self.express.lane.call_patrol());
        }
    }

    /// Tasks wait, and somebody is on duty: if a poll holds it up, another thread gets the duty. If that is not clear
    /// yet, a thread that sleeps looks again.
    fn relieve_lane(&self) {
        let Some(poll) = self.express.lane.poll() else { return };
        let ran = self.long_tasks.now().saturating_sub(poll.since());
        if !held_up::is_long(ran) || self.is_forked() {
            return;
        }
        if self.express.held_up.is(poll.since(), ran) {
            self.carry_out(self.express.lane.take_over(poll, |others| held_up::is_enough(ran, others)));
        }
        if self.express.lane.poll() == Some(poll) {
            self.express.lane.call_relief();
        }
    }

    /// The same for a caller who does not know whether there are any.
    pub(crate) fn see_to_tasks_if_any(&self) {
        if !self.express.enabled {
            return;
        }
        if self.express.lane.is_up() {
            if self.has_tasks() {
                self.relieve_lane();
            }
        } else if self.has_tasks() {
            self.see_to_tasks();
        } else if !self.long_tasks.is_empty() {
            self.watch_long_tasks();
        }
    }

    /// A task whose polls are long has been queued where everybody finds it, and no thread can be woken for it. The
    /// workers come for it; in case they do not, the patrol looks. Whoever has the duty begins one when that ends.
    fn watch_long_tasks(&self) {
        if self.express.enabled && self.express.lane.is_up() {
            self.relieve_lane();
        } else if self.express.enabled && !self.express.lane.is_watched() {
            self.begin_patrol();
        }
    }

    /// Whether the polls of a task are known to be long. Those of a pool that closes are short.
    pub(crate) fn is_long(&self, task: &Task) -> bool {
        self.long_tasks.has_kind_of(task) && !self.gate.is_closed()
    }

    /// Queues a task for the workers alone, and wakes one that is idle.
    pub(crate) fn queue_long_task(&self, task: Task) {
        self.long_tasks.push(task);
        match self.sleep.who_comes(self.seats) {
            Comes::Searcher => {}
            Comes::Sleeper => self.fetch_thread_for_tasks(),
            Comes::Busy => {
                self.nudge_background();
                self.watch_long_tasks();
            }
        }
    }

    /// Whether some worker comes for tasks as soon as its poll is over.
    pub(crate) fn has_reacher(&self) -> bool {
        self.sleep.searchers() > 0 || self.slots().any(|slot| slot.is_busy() && !slot.engaged.get())
    }

    /// Whether a task lies where everybody finds it.
    pub(crate) fn has_tasks(&self) -> bool {
        !self.task_injector.is_empty() || self.slots().any(Slot::has_tasks)
    }

    /// Somebody who kept an eye on the timers does so no more, or there is an earlier one. A fence lies in between.
    pub(crate) fn see_to_timers(&self) {
        if self.timers_are_early() && self.express.enabled && self.nobody_keeps_timers() {
            self.carry_out(self.express.lane.call_keeper());
        }
    }

    /// The same for a thread that has given its seat up and lies in no bed: without a lane, a spare is started.
    pub(crate) fn see_to_timers_left_alone(&self) {
        if self.express.enabled {
            self.see_to_timers();
        } else if self.timers_are_left_alone() {
            let _ = self.start_spare();
        }
    }

    /// Whether the next timer comes well before the lane would look at it.
    fn timers_are_early(&self) -> bool {
        let next = self.timers.next();
        next < NEVER && next.saturating_add(LATE) < self.express.lane.plan()
    }

    fn nobody_keeps_timers(&self) -> bool {
        !self.timers.clock.is_paused() && self.timers.keeper.beds() == 0 && !self.has_reacher()
    }

    fn call_lane(&self) {
        self.express.calls.fetch_add(1, Relaxed);
        self.carry_out(self.express.lane.call());
    }

    fn carry_out(&self, called: Called) {
        if let Called::Start(number) = called {
            // On failure the thread's builder has given the number back; the tasks wait for a worker.
            let _ = self.start_thread(self.slot_table() + number);
        }
    }
}

impl Slot {
    /// The owner begins a closure: from here on nobody counts on it. (For tasks that counted on it there is a patrol.)
    #[inline]
    pub(crate) fn engage(&self) {
        if !self.engaged.get() && self.shared().express.enabled {
            self.engaged.begin();
            if self.shared().timers_are_early() {
                self.shared().see_to_timers();
            }
        }
    }
}

// ----- the lane's threads -------------------------------------------------------------------------------------------

/// The life of a thread of the lane, which has been counted, and is on duty.
pub(crate) fn thread_main(shared: &Arc<Shared>, index: usize) {
    let number = index - shared.slot_table();
    let parker = Arc::new(Parker::new());
    let _ = ask_for_slice(SLICE);
    LANE_OF.set(Some(shared.clone()));
    current::host_as(shared, index, || {
        // A hook may block.
        let calling = Calling::new(shared);
        let duty = shared.express.lane.duty();
        ON_DUTY.set(Some(duty));
        shared.run_hook(shared.config.start.as_ref(), index);
        let on_duty = ON_DUTY.take().is_some() || shared.express.lane.come_back(&parker, duty);
        drop(calling);
        live(shared, &parker, on_duty);
        shared.run_hook(shared.config.exit.as_ref(), index);
    });
    LANE_OF.set(None);
    // Only now another may have the number.
    shared.express.lane.give_back(number);
}

/// The thread could not be started.
pub(crate) fn never_started(shared: &Shared, index: usize) {
    shared.express.lane.ended(None);
    shared.express.lane.give_back(index - shared.slot_table());
}

fn live(shared: &Shared, parker: &Arc<Parker>, on_duty: bool) {
    let lane = &shared.express.lane;
    let mut patrol = Patrol::new();
    if !on_duty && !sleep(shared, parker, &mut patrol) {
        return;
    }
    loop {
        let calling = Calling::new(shared);
        if serve(shared, parker, &patrol) {
            let watched = patrol.has_reacher(shared) || patrol.may_have_tasks(shared);
            lane.end_duty(parker, watched);
            if patrol.has_tasks(shared) {
                if !patrol.has_reacher(shared) && lane.take_duty(parker) {
                    continue;
                }
                // If a worker polls, somebody must see to it that it comes back from that.
                lane.begin_patrol(parker);
                patrol.begin();
            } else if watched || patrol.may_have_tasks(shared) {
                lane.begin_patrol(parker);
                patrol.begin_at_ease();
            } else {
                patrol.begin();
                patrol.owe();
            }
            patrol.look(shared);
        }
        drop(calling);
        if !sleep(shared, parker, &mut patrol) {
            return;
        }
    }
}

/// Runs tasks until there are none that others do not come for. False: another has the duty now, and this thread lies
/// among those who sleep.
fn serve(shared: &Shared, parker: &Arc<Parker>, patrol: &Patrol) -> bool {
    let lane = &shared.express.lane;
    let clock = cpu_time::own_clock();
    let begin = || {
        let duty = lane.duty();
        shared.express.held_up.is_of(clock);
        ON_DUTY.set(Some(duty));
        duty
    };
    let mut duty = begin();
    for turn in 0_usize.. {
        shared.fire_timers();
        // A waker may have blocked, or a poll have been long: then another has the duty.
        if ON_DUTY.get().is_some() {
            let task = if patrol.has_reacher(shared) { None } else { patrol.take_task(shared, turn) };
            match task {
                None => {
                    ON_DUTY.set(None);
                    return true;
                }
                Some((task, Kind::Long)) => shared.queue_long_task(task),
                Some((task, _)) => {
                    shared.express.polls.fetch_add(1, Relaxed);
                    let poll = lane.begin_poll(duty, shared.long_tasks.now());
                    shared.long_tasks.measure(task.kind(), || task.run(shared.gate.is_closed()));
                    if !lane.end_poll(poll) {
                        ON_DUTY.set(None);
                    }
                }
            }
        }
        if ON_DUTY.get().is_none() {
            if !lane.come_back(parker, duty) {
                return false;
            }
            duty = begin();
        }
    }
    unreachable!("usize is enough for ever")
}

/// Sleeps until there is something to do. False: the thread ends.
fn sleep(shared: &Shared, parker: &Arc<Parker>, patrol: &mut Patrol) -> bool {
    let lane = &shared.express.lane;
    let lain_since = Since::now();
    let keep_alive = shared.config.idle.keep_alive;
    loop {
        if shared.is_done() {
            shared.sleep.wake_all();
            lane.ended(Some(parker));
            return false;
        }
        let mut limit = shared.gate.is_closed().then_some(LAST_LOOKS);
        let mut shorten = |span: Duration| limit = Some(limit.map_or(span, |limit| limit.min(span)));
        let mut looks = false;
        let mut keeps = false;
        let mut plan = NEVER;
        match lane.rest(parker) {
            Rest::Called => {
                patrol.forget();
                return true;
            }
            Rest::First { patrol: wanted } => {
                lane.end_relief();
                looks = wanted;
                let over = if wanted {
                    patrol.is_over() && !patrol.may_have_tasks(shared)
                } else {
                    patrol.owed().is_some_and(|left| left.is_zero())
                };
                if over {
                    patrol.settle();
                    lane.end_patrol(parker, || patrol.may_have_tasks(shared));
                    patrol.begin();
                    continue;
                }
                if wanted {
                    shorten(patrol.span());
                } else {
                    patrol.begin();
                    patrol.look(shared);
                    patrol.owed().into_iter().for_each(&mut shorten);
                }
                plan = lane.plan_for(parker, || patrol.next_timer(shared));
                if plan < NEVER {
                    keeps = true;
                    shorten(Duration::from_nanos(plan.saturating_sub(shared.timers.clock.now())));
                }
            }
            Rest::Relief if lane.wants_relief() => {
                if patrol.may_have_tasks(shared) || shared.timers.are_due() {
                    shared.relieve_lane();
                } else if lane.poll().is_none() {
                    lane.end_relief();
                    continue;
                }
                shorten(RELIEF_LOOK);
            }
            Rest::Relief | Rest::Other if lain_since.passed(keep_alive) => {
                if lane.leave(parker) {
                    return false;
                }
                continue;
            }
            Rest::Relief | Rest::Other => shorten(keep_alive),
        }
        let rung = match limit {
            Some(limit) => parker.park_timeout(limit),
            None => {
                parker.park();
                true
            }
        };
        if rung {
            patrol.not_in_vain();
            continue;
        }
        if looks {
            patrol.look(shared);
        }
        if looks && !patrol.has_reacher(shared) && patrol.has_tasks(shared) && lane.take_duty(parker) {
            shared.express.calls.fetch_add(1, Relaxed);
            return true;
        }
        if keeps && shared.timers.are_due() {
            patrol.not_in_vain();
            if lane.take_duty(parker) {
                return true;
            }
        } else if keeps && plan <= shared.timers.clock.now() {
            patrol.in_vain();
        }
        if looks {
            patrol.tick();
        }
    }
}

/// Whether the current thread is one of an express lane.
pub(crate) fn is_own_thread() -> bool {
    // A thread that is ending is none any more.
    LANE_OF.try_with(|shared| shared.borrow().is_some()).unwrap_or(false)
}

/// Whether the current thread is one of this pool's express lane.
pub(crate) fn is_of(pool: &Shared) -> bool {
    let of = |shared: &RefCell<Option<Arc<Shared>>>| {
        shared.borrow().as_ref().is_some_and(|shared| std::ptr::eq(&raw const **shared, pool))
    };
    LANE_OF.try_with(of).unwrap_or(false)
}

/// The current thread is about to block. If it is on duty on a lane, another has to have that.
pub(crate) fn step_aside() {
    if let Some(duty) = ON_DUTY.take() {
        LANE_OF.with_borrow(|shared| {
            let Some(shared) = shared.as_ref().filter(|shared| !shared.is_forked()) else { return };
            // Also if it was taken: a thread to have it may have been refused since.
            shared.express.lane.leave_duty(duty);
            shared.see_to_tasks_if_any();
            if shared.has_next() && !shared.express.lane.is_watched() {
                shared.begin_patrol();
            }
            shared.see_to_timers();
        });
    }
}
