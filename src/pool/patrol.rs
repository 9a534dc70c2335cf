//! What a thread of the express lane knows of the workers: who comes for tasks, who does not come back from a poll, and
//! which tasks are left alone. See `core/lane.md`.

use std::cell::Cell;
use std::time::Duration;

use crate::core::task::Task;
use crate::core::wheel::NEVER;
use crate::ground::clock::Since;
use crate::pool::shared::Shared;
use crate::pool::slot::Slot;

/// The patrol's looks: the first after this, then after twice as long …
const FIRST_LOOK: Duration = Duration::from_micros(100);
/// … but never after more than this …
const LONGEST_LOOK: Duration = Duration::from_millis(1);
/// … and no more after so long without anything to be seen.
const PATROL: Duration = Duration::from_millis(25);
/// How much a poll computes, in nanoseconds, that is called long.
const LONG_POLL: u64 = 50_000;
/// After what time a poll is taken for one that blocks. (A thread that computes may wait for a core that long.)
const BLOCKED: Duration = Duration::from_millis(10);
/// How late a timer may be because workers come and go: nobody is rung for less, in nanoseconds.
pub(crate) const LATE: u64 = 1_000_000;
/// How often the lane gets up for a timer that a worker has fired before it leaves the timers to the workers.
const VAIN: u32 = 8;

/// For how long the lane polls tasks whose polls are long, once no worker comes for them.
const RESCUE: Duration = Duration::from_millis(5);

/// What the lane does with a task.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It polls it.
    Short,
    /// It leaves it to the workers, since the polls of its kind are long.
    Long,
    /// It polls it nevertheless: no worker comes.
    Stuck,
}

/// What a thread of the lane remembers of the workers: how far each was when it last looked.
pub(crate) struct Patrol {
    seen: Vec<Seen>,
    span: Duration,
    total: Duration,
    /// Since when a last look is owed though no patrol is on.
    owes: Option<Since>,
    /// How often in a row it has got up for a timer in vain.
    vain: u32,
    /// Since when the lane polls them nevertheless.
    rescue: Cell<Option<Since>>,
}

/// One of them.
struct Seen {
    /// How many pieces of work it had taken.
    ticks: u32,
    /// Since when it has been seen so, and the processor time that it had used then.
    since: Since,
    cpu: Option<u64>,
    /// It has taken none since, and not because the system did not let it.
    stuck: bool,
}

impl Seen {
    fn new(slot: &Slot) -> Self {
        let polls = slot.is_busy() && !slot.engaged.get();
        let cpu = if polls { slot.cpu_time() } else { None };
        Seen { ticks: slot.ticks(), since: Since::now(), cpu, stuck: false }
    }

    fn look(&mut self, slot: &Slot) {
        if self.ticks != slot.ticks() || (self.cpu.is_none() && !self.stuck) {
            let since = if self.ticks == slot.ticks() { self.since } else { Since::now() };
            *self = Seen { since, ..Seen::new(slot) };
        }
        if !self.stuck && slot.is_busy() && !slot.engaged.get() {
            let computed =
                self.cpu.zip(slot.cpu_time()).is_some_and(|(then, now)| now.saturating_sub(then) >= LONG_POLL);
            // It may also block.
            self.stuck = computed || self.since.passed(BLOCKED);
        }
    }
}

impl Patrol {
    pub(crate) fn new() -> Self {
        let (span, total, rescue) = (FIRST_LOOK, Duration::ZERO, Cell::new(None));
        Patrol { seen: Vec::new(), span, total, owes: None, vain: 0, rescue }
    }

    /// The time until the next look.
    pub(crate) fn span(&self) -> Duration {
        self.span
    }

    /// Whether it has looked for long enough, if there is nothing to be seen.
    pub(crate) fn is_over(&self) -> bool {
        self.total >= PATROL
    }

    /// The thread has been called: what it knows is old, and its duty will end with a look.
    pub(crate) fn forget(&mut self) {
        self.seen.clear();
        self.settle();
    }

    /// The duty has ended without a patrol: one look is owed, after as long as a patrol takes. Not sooner, since to sleep
    /// for less than a tick of the system's clock costs two writes to a timer of the processor, and where that is a
    /// virtual one, each may cost as much as the wake.
    pub(crate) fn owe(&mut self) {
        self.owes = Some(Since::now());
    }

    /// The time until the look that is owed, if one is.
    pub(crate) fn owed(&self) -> Option<Duration> {
        self.owes.map(|since| PATROL.saturating_sub(since.elapsed()))
    }

    /// None is owed any more.
    pub(crate) fn settle(&mut self) {
        self.owes = None;
    }

    /// A timer has been due, or somebody has rung.
    pub(crate) fn not_in_vain(&mut self) {
        self.vain = 0;
    }

    /// It has got up for a timer that a worker has fired.
    pub(crate) fn in_vain(&mut self) {
        self.vain += 1;
    }

    pub(crate) fn begin(&mut self) {
        self.span = FIRST_LOOK;
        self.total = Duration::ZERO;
    }

    /// One look is enough, and it need not be soon: there is no task at the moment.
    pub(crate) fn begin_at_ease(&mut self) {
        self.span = LONGEST_LOOK;
        self.total = PATROL - LONGEST_LOOK;
    }

    pub(crate) fn tick(&mut self) {
        self.total += self.span;
        self.span = (self.span * 2).min(LONGEST_LOOK);
    }

    /// Whether the owner of the slot has done nothing since it was last looked at.
    fn is_stuck(&self, slot: &Slot) -> bool {
        self.seen.get(slot.index).is_some_and(|seen| seen.stuck && seen.ticks == slot.ticks())
    }

    /// Whether what lies in the next slot is left alone: by a poll that does not end, or by a closure.
    fn leaves_next(&self, slot: &Slot) -> bool {
        self.seen.get(slot.index).is_some_and(|seen| (seen.stuck || slot.engaged.get()) && seen.ticks == slot.ticks())
    }

    /// Looks at everybody.
    pub(crate) fn look(&mut self, shared: &Shared) {
        for slot in shared.slots() {
            match self.seen.get_mut(slot.index) {
                Some(seen) => seen.look(slot),
                // Slots come in the order of their indices.
                None => self.seen.push(Seen::new(slot)),
            }
        }
    }

    /// Whether tasks whose polls are long are the lane's for now, since no worker has come for one for so long that all
    /// may wait for it.
    fn rescues(&self, shared: &Shared) -> bool {
        if shared.gate.is_closed() {
            // They are only dropped.
            return !shared.long_tasks.is_empty();
        }
        if !shared.long_tasks.are_overdue() {
            self.rescue.set(None);
            return false;
        }
        let began = self.rescue.get().unwrap_or_else(|| {
            let ticks = shared.slots().fold(0_u32, |sum, slot| sum.wrapping_add(slot.ticks()));
            shared.long_tasks.lose_patience(ticks);
            Since::now()
        });
        let over = began.passed(RESCUE);
        if over {
            shared.long_tasks.begin_wait();
        }
        self.rescue.set((!over).then_some(began));
        !over
    }

    /// Whether somebody who comes for tasks has moved, as far as can be told.
    pub(crate) fn has_reacher(&self, shared: &Shared) -> bool {
        shared.sleep.searchers() > 0
            || shared.slots().any(|slot| slot.is_busy() && !slot.engaged.get() && !self.is_stuck(slot))
    }

    /// When the lane wants to look at the timers.
    pub(crate) fn next_timer(&self, shared: &Shared) -> u64 {
        let timers = &shared.timers;
        let next = timers.next();
        if next == NEVER || timers.clock.is_paused() || timers.keeper.beds() > 0 {
            NEVER
        } else if !shared.has_reacher() {
            next
        } else if self.vain < VAIN {
            // The workers look at them, as long as they do not begin closures.
            next.max(timers.clock.now() + LATE)
        } else {
            NEVER
        }
    }

    /// Whether there is a task that the lane may take.
    pub(crate) fn has_tasks(&self, shared: &Shared) -> bool {
        !shared.task_injector.is_empty()
            || self.rescues(shared)
            || shared.slots().any(|slot| slot.has_tasks() || (slot.next.is_full() && self.leaves_next(slot)))
    }

    /// The same, and tasks for which a thread will be back if its poll ends: the patrol must go on.
    pub(crate) fn may_have_tasks(&self, shared: &Shared) -> bool {
        self.has_tasks(shared) || shared.has_next() || !shared.long_tasks.is_empty()
    }

    /// A task that nobody else comes for.
    pub(crate) fn take_task(&self, shared: &Shared, turn: usize) -> Option<(Task, Kind)> {
        if self.rescues(shared) {
            if let Some(task) = shared.long_tasks.rescue() {
                return Some((task, Kind::Stuck));
            }
        }
        let injected = || shared.task_injector.steal();
        let local = || {
            shared.slots_from(turn % shared.slot_count()).find_map(|slot| {
                let stuck = self.is_stuck(slot);
                let next = || if self.leaves_next(slot) { slot.next.take() } else { None };
                if stuck || slot.engaged.get() || !slot.is_busy() { slot.tasks_end.steal().or_else(next) } else { None }
            })
        };
        // In turn: what is polled here and queued again goes to the injector, which may never be empty.
        let task = if turn % 2 == 0 { injected().or_else(local) } else { local().or_else(injected) }?;
        let kind = if shared.is_long(&task) { Kind::Long } else { Kind::Short };
        Some((task, kind))
    }
}
