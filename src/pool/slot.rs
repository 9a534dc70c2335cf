//! A thread's own set of queues, its index and its parker.
//!
//! Slots stand in an append-only table in the pool's shared state: first the workers', then those of spares and
//! guests as they come. A slot has one owner at a time; some of its fields are the owner's alone.

use std::cell::{Cell, UnsafeCell};
use std::ptr::NonNull;
use std::sync::Arc;

use crate::core::follow::{Followed, Trail};
use crate::core::fork_stack::ForkStack;
use crate::core::job::{ForkHeader, JobRef};
use crate::core::lane::Engaged;
use crate::core::latch::Waiter;
use crate::core::lineage::Place;
use crate::core::next_slot::NextSlot;
use crate::core::parker::Parker;
use crate::core::queue::{Deque, Injector, Stealer};
use crate::core::task::Task;
use crate::core::task_tally::TaskTally;
use crate::ground::cpu_time;
use crate::ground::rng::Rng;
use crate::ground::sync::{AtomicBool, AtomicU32, Ordering, fence};
use crate::pool::nest::Nest;
use crate::pool::priority::{OwnRank, Rank};
use crate::pool::shared::Shared;

/// Who owns a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Worker,
    Spare,
    Guest,
}

/// Slots that wait for an owner.
#[derive(Default)]
pub(crate) struct Unowned {
    pub(crate) guests: Vec<usize>,
    pub(crate) guests_made: usize,
    /// Slots that threads outside keep for themselves: see `brief`.
    pub(crate) guests_kept: usize,
    pub(crate) spares: Vec<usize>,
    pub(crate) spares_made: usize,
    /// Spare threads that run.
    pub(crate) spares_alive: usize,
}

impl Unowned {
    /// Guests' slots that have an owner.
    pub(crate) fn guests_in_use(&self) -> usize {
        self.guests_made - self.guests.len()
    }
}

/// See the module.
#[repr(C)]
pub(crate) struct Slot {
    pub(crate) fork: ForkStack,
    /// Closures: the owner takes the newest, thieves the oldest.
    closures: Own<Deque<JobRef>>,
    pub(crate) closures_end: Stealer<JobRef>,
    /// Tasks: oldest first for all.
    tasks: Own<Deque<Task>>,
    pub(crate) tasks_end: Stealer<Task>,
    /// The task to be polled before those.
    pub(crate) next: NextSlot,
    pub(crate) tally: TaskTally,
    /// What `spawn_fifo` has put behind the tickets in `closures`.
    pub(crate) fifo: Injector<JobRef>,
    /// Broadcast closures, for this thread alone.
    mail: Injector<JobRef>,
    /// A worker's slot that has no owner any more, a kept thread that has ended, or gets none: its thread was refused.
    gone: AtomicBool,
    pub(crate) parker: Arc<Parker>,
    pub(crate) index: usize,
    pub(crate) kind: Kind,
    shared: NonNull<Shared>,
    rng: Own<Rng>,
    /// How many pieces of work the owner has taken. Written by the owner alone.
    tick: AtomicU32,
    /// The pieces of work that the owner is in.
    nest: Own<Nest>,
    /// Whether the owner is in the poll of a task, and comes back soon to look for more.
    polling: Own<Cell<bool>>,
    /// How often in a row the next slot has been served.
    streak: Own<Cell<u32>>,
    place: Own<Cell<Place>>,
    /// The owner has given its seat up for good: a kept thread whose pool has been dropped.
    seatless: Own<Cell<bool>>,
    /// What those see who follow the owner, as the thief of what they wait for.
    trail: Trail,
    /// Whether the owner is awake inside the pool: whether a request to it makes sense.
    busy: AtomicBool,
    /// Whether the owner is in a closure, so that nobody may count on it for tasks: see `core/lane.md`.
    pub(crate) engaged: Engaged,
    /// The clock of the owner's processor time, see `ground/cpu_time.rs`.
    cpu_clock: AtomicU32,
    /// Whether `trail` shows a stolen job that the owner waits for: the owner's own note, which saves it the lock.
    awaits: Own<Cell<bool>>,
    /// Whether the owner is at background work, and what it notes about that.
    pub(crate) rank: Rank,
    own_rank: Own<OwnRank>,
}

/// A field that only the slot's owner may touch.
pub(crate) struct Own<T>(UnsafeCell<T>);

impl<T> Own<T> {
    fn new(value: T) -> Self {
        Own(UnsafeCell::new(value))
    }
}

// SAFETY: the `Own` fields are reached only through the accessors below, which say that they are the owner's; the
// ownership passes from thread to thread through locks (the free lists) or thread creation. The pointer to `Shared`
// is valid as long as the slot, which `Shared` owns. The fork stack's deque is pushed and popped by the owner only (its
// functions' contract).
unsafe impl Send for Slot {}
// SAFETY: as above.
unsafe impl Sync for Slot {}

impl Slot {
    pub(crate) fn new(index: usize, kind: Kind, breadth_first: bool, shared: NonNull<Shared>) -> Self {
        let closures = if breadth_first { Deque::new_fifo() } else { Deque::new_lifo() };
        let tasks = Deque::new_fifo();
        Slot {
            fork: ForkStack::new(),
            closures_end: closures.stealer(),
            closures: Own::new(closures),
            tasks_end: tasks.stealer(),
            tasks: Own::new(tasks),
            next: NextSlot::new(),
            tally: TaskTally::new(),
            fifo: Injector::new(),
            mail: Injector::new(),
            gone: AtomicBool::new(false),
            parker: Arc::new(Parker::new()),
            index,
            kind,
            shared,
            rng: Own::new(Rng::new(index as u64 + 1)),
            tick: AtomicU32::new(0),
            nest: Own::new(Nest::new()),
            polling: Own::new(Cell::new(false)),
            streak: Own::new(Cell::new(0)),
            place: Own::new(Cell::new(Place::outside())),
            seatless: Own::new(Cell::new(false)),
            trail: Trail::new(),
            busy: AtomicBool::new(false),
            // A guest never looks for tasks.
            engaged: Engaged::new(kind == Kind::Guest),
            cpu_clock: AtomicU32::new(0),
            awaits: Own::new(Cell::new(false)),
            rank: Rank::new(),
            own_rank: Own::new(OwnRank::default()),
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        // SAFETY: the slot lies in the table of `Shared`, which never gives one up before it goes itself.
        unsafe { self.shared.as_ref() }
    }

    /// The waiter for latches that this slot's owner waits for.
    pub(crate) fn waiter(&self) -> Waiter {
        Waiter::Slot(NonNull::from(&*self.parker))
    }

    pub(crate) fn set_busy(&self, busy: bool) {
        self.busy.store(busy, Ordering::Relaxed);
    }

    /// The owner begins to work, or goes on. If the pool was fast asleep, somebody is woken to keep watch over it.
    pub(crate) fn begin_busy(&self) {
        self.set_busy(true);
        let shared = self.shared();
        if shared.seats > 1 {
            if shared.sleep.is_deep() {
                let _ = shared.sleep.wake_one(shared.seats);
            }
            // The fence in `is_deep` pairs with that in `leave_seat`: who gives a seat up sees us, or we see the seat.
            shared.see_to_watch();
        }
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed)
    }

    /// The owner's thread is the current one from here on, or there is none.
    pub(crate) fn set_cpu_clock(&self, clock: i32) {
        self.cpu_clock.store(clock as u32, Ordering::Relaxed);
    }

    /// The processor time that the owner has used.
    pub(crate) fn cpu_time(&self) -> Option<u64> {
        cpu_time::read(self.cpu_clock.load(Ordering::Relaxed) as i32)
    }

    /// Whether there are tasks here that others may take.
    pub(crate) fn has_tasks(&self) -> bool {
        !self.tasks_end.is_empty()
    }

    /// Puts a broadcast closure where only the owner runs it; or anybody, if there is no owner any more.
    pub(crate) fn post(&self, job: JobRef) {
        self.mail.push(job);
        // Pairs with the fences in `own_last_mail` and `disown`: either the job is taken out there, or we see that the
        // owner has gone.
        fence(Ordering::SeqCst);
        if self.is_gone() {
            self.give_mail_away();
        }
        // The mail is looked at before every sleep, and the token makes a sleeper look again.
        self.parker.unpark();
    }

    fn give_mail_away(&self) {
        while let Some(job) = self.take_mail() {
            self.shared().queue_closure(None, job);
        }
    }

    /// Whether nobody owns the slot, nor ever will.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// The thread that a worker's slot was meant for has been refused, and no other will be asked for, or the owner may
    /// never look again: what has been posted here, and what will be, is for anybody.
    pub(crate) fn disown(&self) {
        self.gone.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        self.give_mail_away();
    }

    pub(crate) fn has_mail(&self) -> bool {
        !self.mail.is_empty()
    }

    /// Leaves a job for the owner, who asks, alone: it is run at its next wait, when it yields, or when it ends for good.
    #[cfg(feature = "rayon-core")]
    pub(crate) fn post_to_self(&self, job: JobRef) {
        self.mail.push(job);
    }

    pub(crate) fn take_mail(&self) -> Option<JobRef> {
        self.mail.steal()
    }

    /// The owner ends for good: it runs what has been posted so far.
    pub(crate) fn own_last_mail(&self) {
        self.gone.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        self.run_mail();
    }

    /// Whether there is something here that anybody may take.
    pub(crate) fn has_work(&self) -> bool {
        self.fork.has_public() || self.has_queued()
    }

    /// The same, for the owner: without fences.
    pub(crate) fn keeps_work(&self) -> bool {
        self.fork.keeps_public() || !self.closures().is_empty() || !self.tasks().is_empty()
    }

    /// Whether there are closures or tasks here.
    pub(crate) fn has_queued(&self) -> bool {
        !self.closures_end.is_empty() || !self.tasks_end.is_empty()
    }

    /// Whether all forks here are parts of the work that the owner took last.
    pub(crate) fn is_pure(&self) -> bool {
        self.trail.is_pure()
    }

    /// Runs `f`, which runs unrelated work, on the owner's thread.
    pub(crate) fn mixed<R>(&self, f: impl FnOnce() -> R) -> R {
        self.trail.mixed(f)
    }

    /// How many jobs the owner has taken; for everybody.
    pub(crate) fn ticks(&self) -> u32 {
        self.tick.load(Ordering::Relaxed)
    }

    /// Whether the owner, who asks, has a seat: it may run wakers in a bed, or code of a section with its `Worker`.
    pub(crate) fn holds_seat(&self) -> bool {
        self.is_busy() && !self.seatless().get()
    }

    // ----- the owner's -----------------------------------------------------------------------------------------
    // Each of these is called on the thread that owns the slot: it got the `&Slot` from `current::with`, which gives
    // a thread its own slot only.

    pub(crate) fn closures(&self) -> &Deque<JobRef> {
        // SAFETY: the owner's thread, see above.
        unsafe { &*self.closures.0.get() }
    }

    pub(crate) fn tasks(&self) -> &Deque<Task> {
        // SAFETY: the owner's thread, see above.
        unsafe { &*self.tasks.0.get() }
    }

    pub(crate) fn rng(&self) -> &Rng {
        // SAFETY: the owner's thread, see above.
        unsafe { &*self.rng.0.get() }
    }

    /// Counts the jobs taken, for rhythms.
    pub(crate) fn tick(&self) -> u32 {
        let tick = self.ticks().wrapping_add(1);
        self.tick.store(tick, Ordering::Relaxed);
        tick
    }

    /// The pieces of work that this thread is in.
    pub(crate) fn nest(&self) -> &Nest {
        // SAFETY: the owner's thread, see above.
        unsafe { &*self.nest.0.get() }
    }

    /// Whether the current thread runs a piece of work of this pool, which has not ended.
    pub(crate) fn is_running(&self) -> bool {
        self.nest().works() > 0
    }

    /// See the field.
    pub(crate) fn polling(&self) -> &Cell<bool> {
        // SAFETY: the owner's thread, see above.
        unsafe { &*self.polling.0.get() }
    }

    /// See the field.
    pub(crate) fn streak(&self) -> &Cell<u32> {
        // SAFETY: the owner's thread, see above.
        unsafe { &*self.streak.0.get() }
    }

    /// Notes what the owner waits for, and returns what it had noted before. The header is alive until it is replaced.
    #[inline]
    pub(crate) fn set_awaited(&self, header: Option<NonNull<ForkHeader>>) -> Option<NonNull<ForkHeader>> {
        // SAFETY: the owner's thread, see above.
        let awaits = unsafe { &*self.awaits.0.get() };
        if header.is_none() && !awaits.get() {
            return None;
        }
        awaits.set(header.is_some());
        // SAFETY: `wait_for_fork` shows a header that lies in a frame below its own, and takes it out before it
        // returns. What is run in between hides it, and shows it again.
        unsafe { self.trail.show(header) }
    }

    /// See the field.
    pub(crate) fn own_rank(&self) -> &OwnRank {
        // SAFETY: the owner's thread, see above.
        unsafe { &*self.own_rank.0.get() }
    }

    /// See the field.
    pub(crate) fn seatless(&self) -> &Cell<bool> {
        // SAFETY: the owner's thread, see above.
        unsafe { &*self.seatless.0.get() }
    }

    /// Whether the owner is in no work, scope or join of this pool, as far as that can be told.
    pub(crate) fn is_at_bottom(&self) -> bool {
        let place = self.place().get();
        place.work_base == 0 && place.scope.is_null() && self.fork.is_clear()
    }

    /// Where the running code is.
    pub(crate) fn place(&self) -> &Cell<Place> {
        // SAFETY: the owner's thread, see above.
        unsafe { &*self.place.0.get() }
    }
}

impl Followed for Slot {
    fn forks(&self) -> &ForkStack {
        &self.fork
    }

    fn trail(&self) -> &Trail {
        &self.trail
    }

    fn waiter(&self) -> Waiter {
        Slot::waiter(self)
    }
}
