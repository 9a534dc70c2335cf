//! What all threads of a pool share, and the one rule by which work finds a thread.

use std::ptr::NonNull;
use std::sync::{Arc, OnceLock, Weak};

use crate::core::gate::{Closing, Gate};
use crate::core::job::JobRef;
use crate::core::lent::Lent;
use crate::core::lookout::Lookout;
use crate::core::queue::Injector;
use crate::core::sleep::{Comes, Sleep, Wake};
use crate::core::task::Task;
use crate::core::task_list::TaskList;
use crate::core::task_tally::TaskTally;
use crate::ground::fork_guard::FORKED;
use crate::ground::sync::{AtomicBool, AtomicU64, AtomicUsize, Mutex, Ordering, fence};
use crate::ground::unwind::{self, Payload};
use crate::ground::{barrier, fork_guard, ticks, topology};
use crate::pool::admission::Admission;
use crate::pool::blocking::BlockingThreads;
use crate::pool::builder::{Config, HookFn};
use crate::pool::express::Express;
use crate::pool::long_tasks::LongTasks;
use crate::pool::numbers::PoolNumber;
use crate::pool::policy::WaitPolicy;
use crate::pool::priority::Ranks;
use crate::pool::schedules::Schedules;
use crate::pool::slot::{Kind, Slot, Unowned};
use crate::pool::threads::Threads;
use crate::pool::timers::PoolTimers;

/// See the module.
pub(crate) struct Shared {
    pub(crate) sleep: Sleep,
    pub(crate) gate: Gate,
    /// Work from outside, oldest first.
    pub(crate) injector: Injector<JobRef>,
    /// What `spawn_fifo` has put behind the tickets in `injector`.
    pub(crate) outside_fifo: Injector<JobRef>,
    /// Roots that anybody may run, from threads without a slot; their tickets are in the injector.
    pub(crate) lent: Lent,
    /// The same for roots that must run on a thread that the pool has started; on guests where it has none.
    pub(crate) worker_roots: Injector<JobRef>,
    /// Tasks from outside, oldest first.
    pub(crate) task_injector: Injector<Task>,
    /// Those that the express lane leaves to the workers.
    pub(crate) long_tasks: LongTasks,
    /// Closures that are not normal.
    pub(crate) ranks: Ranks,
    /// The tasks that rest.
    pub(crate) tasks: TaskList,
    /// Tasks spawned and ended by threads that are in no work of the pool.
    pub(crate) outside: TaskTally,
    pub(crate) schedules: Schedules,
    pub(crate) number: PoolNumber,
    /// Panics that reached nobody but the handler.
    panics: AtomicU64,
    pub(crate) config: Config,
    /// Threads that may run at once.
    pub(crate) seats: u64,
    /// Threads that fork-join keeps awake: more than there are cores would only be in each other's way. When there are
    /// more workers than cores, the others come for spawned closures, and for forks that lie about while their owners
    /// pass no `join`, be it that those sleep: the watch sees that.
    pub(crate) fork_seats: u64,
    /// From which length on work is worth what.
    pub(crate) worth: Worth,
    /// The last thread that was asked for could not be started.
    no_threads: AtomicBool,
    /// Whether raids work on this system.
    pub(crate) raids: bool,
    pub(crate) threads: Threads,
    pub(crate) blocking: BlockingThreads,
    pub(crate) express: Express,
    pub(crate) timers: PoolTimers,
    pub(crate) admission: Admission,
    slots: Box<[OnceLock<Box<Slot>>]>,
    slot_count: AtomicUsize,
    /// Held while a slot is added; the lists of slots without an owner.
    pub(crate) unowned: Mutex<Unowned>,
    me: Weak<Shared>,
    /// A pool owns itself until it is done, because its tasks know it by its number only. It may have no thread at all,
    /// and then nobody else keeps it.
    own: Mutex<Option<Arc<Shared>>>,
    /// Whoever drops the pool does not wait for its end.
    ends_alone: AtomicBool,
    /// Where sleepers are woken for any fork: whether that was worth it the last time.
    keen: AtomicBool,
    /// Threads that block in `block_on` or in a section, and run nothing meanwhile.
    absent: AtomicUsize,
    /// Whether somebody keeps watch, or comes.
    pub(crate) lookout: Lookout,
    /// See `is_calm`.
    calm: AtomicBool,
    /// The process that made the pool, by its forks.
    generation: u32,
}

/// While it lives, a thread blocks in `block_on` or in a section.
#[must_use]
pub(crate) struct Absence<'s>(&'s Shared);

impl Drop for Absence<'_> {
    fn drop(&mut self) {
        self.0.absent.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Spares and guests, as multiples of the workers.
const SPARES: usize = 2;
const GUESTS: usize = 2;

/// Spans of time, in ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worth {
    /// How long a loop runs between two looks at who wants something: the time of a block.
    pub(crate) a_look: u64,
    /// How long a part takes that is worth giving to a thread that is awake.
    pub(crate) a_hand: u64,
    /// How long work takes that is worth waking a thread for.
    pub(crate) a_wake: u64,
    /// The shortest span that says something about how long an item takes.
    pub(crate) a_guess: u64,
}

impl Worth {
    /// The spans, for a thread that is in no pool. They are the same for all.
    #[inline]
    pub(crate) fn any() -> &'static Worth {
        static WORTH: OnceLock<Worth> = OnceLock::new();
        WORTH.get_or_init(Worth::new)
    }

    fn new() -> Worth {
        let microsecond = ticks::per_microsecond();
        Worth { a_look: 5 * microsecond, a_hand: 3 * microsecond, a_wake: 40 * microsecond, a_guess: microsecond / 2 }
    }
}

impl Shared {
    pub(crate) fn new(config: Config, workers: usize) -> Arc<Shared> {
        let express = Express::new(!config.no_express_lane, workers);
        // Threads of the lane become guests, too.
        let table = workers * (1 + SPARES + GUESTS) + express.most_threads();
        let shared = Arc::new_cyclic(|me| Shared {
            sleep: Sleep::new(),
            gate: Gate::new(),
            injector: Injector::new(),
            outside_fifo: Injector::new(),
            lent: Lent::new(),
            worker_roots: Injector::new(),
            task_injector: Injector::new(),
            long_tasks: LongTasks::new(),
            ranks: Ranks::new(),
            tasks: TaskList::new(table),
            outside: TaskTally::new(),
            schedules: Schedules::new(),
            number: PoolNumber::new(me.as_ptr()),
            panics: AtomicU64::new(0),
            blocking: BlockingThreads::new(&config),
            timers: PoolTimers::new(workers, config.start_paused, me.clone()),
            express,
            admission: Admission::new(&config),
            ends_alone: AtomicBool::new(false),
            keen: AtomicBool::new(true),
            absent: AtomicUsize::new(0),
            lookout: Lookout::new(),
            calm: AtomicBool::new(false),
            config,
            seats: workers as u64,
            fork_seats: workers.min(topology::cores()) as u64,
            worth: *Worth::any(),
            no_threads: AtomicBool::new(false),
            raids: barrier::heavy_works(),
            threads: Threads::new(),
            slots: (0..table).map(|_| OnceLock::new()).collect(),
            slot_count: AtomicUsize::new(0),
            unowned: Mutex::new(Unowned::default()),
            me: me.clone(),
            own: Mutex::new(None),
            generation: fork_guard::generation(),
        });
        for _ in 0..workers {
            let _ = shared.add_slot(Kind::Worker);
        }
        *shared.own.lock() = Some(shared.clone());
        shared
    }

    /// If nothing is left and nothing can come, the pool lets go of itself. Called wherever that may have become true,
    /// by somebody else who owns it. A pool that never gets there stays behind with its tasks.
    pub(crate) fn let_go_if_done(&self) {
        if self.is_done() {
            self.close_timers();
            let own = self.own.lock().take();
            drop(own);
        }
    }

    /// How many threads can run at once: one for each worker, or each core if there are fewer.
    pub(crate) fn most_at_once(&self) -> usize {
        self.fork_seats as usize
    }

    /// Whether threads that lie down leave a request with the busy ones, so that the next fork wakes them. In pools
    /// that wait as rayon does, since those run rayon's loops: these cut themselves into few pieces of some length,
    /// where filch's own know what their rest is worth, and where a `join` that recurs soon forks again.
    pub(crate) fn is_keen(&self) -> bool {
        self.config.wait_policy() == WaitPolicy::RunAnything && self.keen.load(Ordering::Relaxed)
    }

    /// A thread has got up: was it worth it? If not, the watch finds the next long fork.
    pub(crate) fn note_worth(&self, worth: bool) {
        if self.keen.load(Ordering::Relaxed) != worth {
            self.keen.store(worth, Ordering::Relaxed);
        }
    }

    /// Notes that a thread of the pool is about to give its seat up and block, running nothing meanwhile: then a spare
    /// may come for it, even where waiting threads run anything.
    pub(crate) fn absence(&self) -> Absence<'_> {
        // Relaxed: the seat that is given up afterwards is what others see.
        self.absent.fetch_add(1, Ordering::Relaxed);
        Absence(self)
    }

    /// Whether a spare may be started, as far as the way of waiting goes. Where waiting threads run anything, the
    /// pool's work runs on its workers, by indices below their number, unless one of them blocks or none came.
    pub(crate) fn may_have_spares(&self) -> bool {
        self.config.wait_policy() == WaitPolicy::Leapfrog
            || self.absent.load(Ordering::Relaxed) > 0
            || self.no_threads()
    }

    /// From here on whoever drops the pool does not wait for its end.
    pub(crate) fn end_alone(&self) {
        self.ends_alone.store(true, Ordering::Relaxed);
    }

    pub(crate) fn ends_alone(&self) -> bool {
        self.ends_alone.load(Ordering::Relaxed)
    }

    /// Whether the last thread that was asked for was refused.
    pub(crate) fn no_threads(&self) -> bool {
        self.no_threads.load(Ordering::Relaxed)
    }

    /// Whether there is no worker, nor will be, and the last thread that was asked for in their place was refused. Then
    /// guests take what is meant for the pool's own threads.
    pub(crate) fn has_no_threads(&self) -> bool {
        self.no_threads() && self.slots().take(self.workers()).all(Slot::is_gone)
    }

    /// Notes whether a thread that was asked for came.
    pub(crate) fn set_no_threads(&self, refused: bool) {
        if !self.no_threads.swap(refused, Ordering::Relaxed) && refused {
            self.wake_waiters();
        }
    }

    /// No more spares can be had from now on. Those who park without a limit trust that one comes when it is needed:
    /// they must look again, and keep looking.
    pub(crate) fn wake_waiters(&self) {
        for slot in self.slots() {
            slot.parker.unpark();
        }
    }

    /// Asked whenever work comes in from outside.
    ///
    /// # Panics
    /// If this process was forked from the one that made the pool.
    pub(crate) fn check_process(&self) {
        assert!(!self.is_forked(), "{FORKED}");
    }

    pub(crate) fn is_forked(&self) -> bool {
        fork_guard::generation() != self.generation
    }

    /// Another owner of the shared state.
    pub(crate) fn arc(&self) -> Arc<Shared> {
        self.me.upgrade().expect("whoever calls this keeps it alive")
    }

    pub(crate) fn workers(&self) -> usize {
        self.seats as usize
    }

    pub(crate) fn most_spares(&self) -> usize {
        self.workers() * SPARES
    }

    pub(crate) fn most_guests(&self) -> usize {
        self.workers() * GUESTS
    }

    /// No index of this pool's threads is ever this large.
    pub(crate) fn most_threads(&self) -> usize {
        self.slots.len() + self.express.most_threads()
    }

    /// No slot's index is ever this large; from here on threads without a slot have theirs.
    pub(crate) fn slot_table(&self) -> usize {
        self.slots.len()
    }

    /// Appends a slot. The caller holds `unowned`, or is alone.
    pub(crate) fn add_slot(&self, kind: Kind) -> &Slot {
        let index = self.slot_count.load(Ordering::Relaxed);
        let slot = self.slots[index]
            .get_or_init(|| Box::new(Slot::new(index, kind, self.config.breadth_first, NonNull::from(self))));
        // Release pairs with the Acquire in `slots`.
        self.slot_count.store(index + 1, Ordering::Release);
        slot
    }

    pub(crate) fn slot(&self, index: usize) -> Option<&Slot> {
        self.slots.get(index)?.get().map(|slot| &**slot)
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        let count = self.slot_count.load(Ordering::Acquire);
        self.slots[..count].iter().filter_map(|slot| slot.get().map(|slot| &**slot))
    }

    /// The slots once around, from the given one on.
    pub(crate) fn slots_from(&self, start: usize) -> impl Iterator<Item = &Slot> {
        let count = self.slot_count.load(Ordering::Acquire);
        let (before, after) = self.slots[..count].split_at(start.min(count));
        after.iter().chain(before).filter_map(|slot| slot.get().map(|slot| &**slot))
    }

    pub(crate) fn slot_count(&self) -> usize {
        self.slot_count.load(Ordering::Relaxed)
    }

    /// Whether a busy thread keeps a fork to itself.
    pub(crate) fn has_private_forks(&self) -> bool {
        self.slots().any(|slot| slot.is_busy() && slot.fork.may_have_private())
    }

    /// Whether a busy thread keeps a fork to itself and has passed no `join` since it was asked for it.
    pub(crate) fn has_stranded_forks(&self) -> bool {
        self.slots().any(|slot| slot.is_busy() && slot.fork.unanswered() && slot.fork.may_have_private())
    }

    /// Whether a task lies in some next slot.
    pub(crate) fn has_next(&self) -> bool {
        self.slots().any(|slot| slot.next.is_full())
    }

    /// Whether a task lies in some next slot, and nobody is there to keep an eye on it.
    fn has_unwatched_next(&self) -> bool {
        self.sleep.unwatched(self.seats) && self.has_next()
    }

    /// Whether a task has lain in some next slot since the last call of this.
    pub(crate) fn has_stale_next(&self) -> bool {
        let stale = self.slots().any(Slot::has_stale_next);
        self.slots().for_each(Slot::mark_next);
        stale
    }

    /// Whether all seats for fork-join are taken, but there are more.
    pub(crate) fn is_oversubscribed(&self) -> bool {
        self.fork_seats < self.seats && !self.sleep.seat_free(self.fork_seats) && self.sleep.seat_free(self.seats)
    }

    /// Whether the thread that lay down last had run nothing but tasks since it got up, and nobody is at work. Then the
    /// watch need not wait for forks that strand: what begins to work later, in deep sleep, wakes a thread itself.
    pub(crate) fn is_calm(&self) -> bool {
        // Relaxed: a hint. A watch may end at any time; it only should not end too often.
        self.calm.load(Ordering::Relaxed) && self.sleep.nobody_active()
    }

    pub(crate) fn set_calm(&self, calm: bool) {
        // Most of the time it is so already.
        if self.calm.load(Ordering::Relaxed) != calm {
            self.calm.store(calm, Ordering::Relaxed);
        }
    }

    /// Whether anybody could take anything: every source that `find` looks at, in one place.
    pub(crate) fn has_work(&self) -> bool {
        self.has_injected() || self.slots().any(Slot::has_work)
    }

    /// The same, but for the forks of the slot.
    pub(crate) fn has_work_but_forks_of(&self, slot: &Slot) -> bool {
        let is_own = |other: &Slot| std::ptr::eq(other, slot);
        self.has_injected()
            || self.slots().any(|other| if is_own(other) { other.has_queued() } else { other.has_work() })
    }

    fn has_injected(&self) -> bool {
        !self.injector.is_empty()
            || !self.task_injector.is_empty()
            || !self.long_tasks.is_empty()
            || !self.worker_roots.is_empty()
            || self.ranks.has_work()
    }

    // ----- work finds a thread ---------------------------------------------------------------------------------

    /// Closures or tasks have been queued.
    #[inline]
    pub(crate) fn notify(&self) {
        if self.sleep.wants_thread(self.seats) {
            self.fetch_thread(self.seats);
        } else {
            self.nudge_background();
        }
    }

    /// [`notify`](Self::notify) after a thread has queued something of its own: without a fence. In the rare case that
    /// another lies down just then, and each misses the other, the watch sees the work at its next look.
    #[inline]
    pub(crate) fn notify_own(&self) {
        if !self.raids {
            // No barrier at the end of the watch, so it needs to be here.
            return self.notify();
        }
        if self.sleep.may_want_thread(self.seats) {
            self.fetch_thread(self.seats);
        } else {
            self.nudge_background();
        }
    }

    /// Forks have been published. Whether a thread had to be fetched for them.
    pub(crate) fn notify_forks(&self) -> bool {
        if self.sleep.wants_thread(self.fork_seats) {
            self.fetch_thread(self.fork_seats);
            true
        } else {
            // Not worth another thread, but nobody may look at it as long as those who work go on.
            !self.no_threads()
                && self.sleep.forks_unwatched(self.seats)
                && !self.lookout.expects_one()
                && self.fetch_thread(self.seats) == Covered::Yes
        }
    }

    /// Whether nobody keeps watch. Asked by a thread that has just marked its slot as busy and wakes nobody for that.
    #[inline]
    pub(crate) fn keeps_no_watch(&self) -> bool {
        let deep = if self.raids { self.sleep.is_deep_by_light() } else { self.sleep.is_deep() };
        deep || self.sleep.nobody_idle(self.seats)
    }

    /// A seat has come free, by a wait or because a guest left: hand it on if there is work.
    pub(crate) fn pass_seat(&self) -> Covered {
        if self.has_work() || self.has_unwatched_next() {
            match self.sleep.who_comes(self.seats) {
                Comes::Searcher => {}
                Comes::Sleeper => {
                    let covered = self.fetch_thread(self.seats);
                    if covered == Covered::No {
                        self.see_to_tasks_if_any();
                    }
                    return covered;
                }
                Comes::Busy => self.see_to_tasks_if_any(),
            }
        }
        if self.sleep.is_deep() && self.sleep.seat_free(self.seats) && self.slots().any(Slot::is_busy) {
            // Nobody keeps watch over those who go on, who had no use for another thread as long as all seats were
            // taken: they may hold private forks.
            let _ = self.sleep.wake_one(self.seats);
        }
        self.see_to_watch();
        Covered::Yes
    }

    /// A seat is free, or somebody begins to work, or the last searcher has found something: if nobody is idle, nobody
    /// would keep watch over the forks of those who work, so a spare is started. See *Nobody idle* in `sleep.md`.
    #[inline]
    pub(crate) fn see_to_watch(&self) {
        if self.lookout.is_unmanned(&self.sleep, self.seats, || self.slots().any(Slot::is_busy)) {
            self.fetch_watch();
        }
    }

    #[cold]
    fn fetch_watch(&self) {
        // A child process has no threads.
        if !self.no_threads() && !self.is_forked() {
            let _ = self.start_spare();
        }
    }

    /// Whether the only idle thread, which asks, must stay to keep watch over those who work.
    pub(crate) fn needs_watch(&self) -> bool {
        self.sleep.one_idle()
            && self.sleep.seat_free(self.seats)
            && self.may_have_spares()
            && self.slots().any(Slot::is_busy)
    }

    /// Wakes an idle thread, or starts a spare.
    #[cold]
    pub(crate) fn fetch_thread(&self, seats: u64) -> Covered {
        match self.sleep.wake_one(seats) {
            Wake::Enough | Wake::Woken => Covered::Yes,
            Wake::NobodyThere => self.start_spare(),
        }
    }

    /// Puts work where the current thread's slot, or else the injector, offers it to all.
    pub(crate) fn queue_closure(&self, own: Option<&Slot>, job: JobRef) {
        let own = own.filter(|slot| std::ptr::eq(slot.shared(), self));
        // What background work spawns is not its own, and must not look as if it were.
        match own.filter(|slot| !slot.rank.is_background() || job.has_scope()) {
            Some(slot) => {
                slot.closures().push(job);
                self.notify_own();
            }
            None => {
                self.injector.push(job);
                self.notify();
            }
        }
    }

    // ----- the end ---------------------------------------------------------------------------------------------

    /// Accepted work has ended.
    pub(crate) fn leave(&self) {
        let closing = self.gate.leave();
        self.closing(closing);
    }

    /// Runs a start or exit hook; its panic is reported like a detached closure's.
    pub(crate) fn run_hook(&self, hook: Option<&HookFn>, index: usize) {
        if let Some(Err(payload)) = hook.map(|hook| unwind::catch(|| hook(index))) {
            self.report_panic(payload);
        }
    }

    /// How many panics have been reported.
    pub(crate) fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Carries out what a step of the gate asks for.
    pub(crate) fn closing(&self, closing: Closing) {
        if closing == Closing::Now {
            self.tasks.close();
            self.wake_all();
        } else {
            self.work_ended();
        }
    }

    /// A piece of work has ended, perhaps the last one of a pool that has closed.
    #[inline]
    pub(crate) fn work_ended(&self) {
        if self.gate.is_closed() {
            self.last_work_ended();
        }
    }

    #[cold]
    fn last_work_ended(&self) {
        // Two that end at the same time: one of them sees that both have.
        fence(Ordering::SeqCst);
        if self.is_done() {
            self.wake_all();
        }
    }

    fn wake_all(&self) {
        self.sleep.wake_all();
        self.blocking.wake_all();
        self.express.wake_all();
    }

    /// Something has panicked whose result nobody takes.
    pub(crate) fn report_panic(&self, payload: Payload) {
        self.panics.fetch_add(1, Ordering::Relaxed);
        self.config.report_panic(payload);
    }
}

/// Whether work that a thread leaves behind is taken care of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Covered {
    Yes,
    /// All spares are out: the caller must look after the work itself.
    No,
}
