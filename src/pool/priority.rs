//! Three levels of closures: which is taken first, and how background work gives way. `priority.md` beside this file
//! has the rules, both sides' steps, and the races.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use crate::core::job::JobRef;
use crate::core::mark::{Mark, Marks};
use crate::core::queue::Injector;
use crate::core::tally::Tally;
use crate::ground::clock::Since;
use crate::ground::sync::{AtomicBool, AtomicU64, Ordering, fence};
use crate::pool::current;
use crate::pool::find::Work;
use crate::pool::policy::WaitPolicy;
use crate::pool::shared::{Covered, Shared};
use crate::pool::slot::{Kind, Slot};

/// One in this many pieces of work of a thread is normal work, though urgent closures wait.
const NORMAL_RHYTHM: u32 = 16;
/// So long background work waits for other work at most: until one closure is taken, and whenever it gives way.
const AGE: Duration = Duration::from_millis(100);
/// So long it does not give way after it has waited for that.
const TURN: Duration = Duration::from_millis(10);
/// How often a thread that gives way looks whether it may go on.
const LOOK_AGAIN: Duration = Duration::from_micros(500);
/// One in this many blocks of a background loop looks around without having been asked.
const BLOCK_RHYTHM: u32 = 16;

/// How soon a closure runs, compared with the others of its pool: for
/// [`Builder::priority`](crate::task::Builder::priority).
///
/// - *High* closures are taken first, whenever a thread of the pool looks for its next piece of work. They interrupt
///   nothing. For short things that somebody waits for. One in 16 pieces of work is normal work nevertheless, so that a
///   flood of high closures does not starve the rest.
/// - *Normal* closures are what all others are.
/// - *Background* closures are taken when nothing else is found; and one of them in every 100 ms though there is other
///   work. While they run they **give way**: if closures or tasks wait and every seat is taken, the thread hands its
///   seat on at its next `join`, block of a parallel loop, or job that it runs at a scope's end, and goes on when
///   nothing waits, or after 100 ms (and then for 10 ms at least). Code between two such boundaries is not interrupted;
///   a background closure that is one long stretch of code keeps its seat until its end.
///
/// What a closure forks (`join`, `scope`, parallel loops) has its priority; what it *spawns* has its own. A priority
/// does not go through a wait: a normal closure that waits for a background one waits as long as that takes, and so
/// does one that wants a lock which a background closure holds across a `join`.
///
/// # Cost
/// As long as a pool is not given any, one load for each piece of work. High and background closures go through one
/// queue of the pool each, oldest first, and not through the spawning thread's own: some 50 ns more than normal ones.
///
/// ```
/// use filch::Priority;
/// use filch::task::Builder;
///
/// let index = Builder::new().priority(Priority::Background).spawn_cpu(|| (1..=1000u64).sum::<u64>());
/// let answer = Builder::new().priority(Priority::High).spawn_cpu(|| 6 * 7);
/// assert_eq!(filch::block_on(answer).unwrap(), 42);
/// assert_eq!(filch::block_on(index).unwrap(), 500_500);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// When there is nothing else to do, and giving way.
    Background,
    /// In turn.
    #[default]
    Normal,
    /// Before all others.
    High,
}

/// The pool's part: the queues, and what is known of background work.
pub(crate) struct Ranks {
    /// Whether there has ever been a closure that is not normal.
    used: AtomicBool,
    urgent: Injector<JobRef>,
    background: Injector<JobRef>,
    began: Instant,
    /// When a background closure was taken last, or their queue was filled: in microseconds since `began`.
    since: AtomicU64,
    /// Threads that run background work.
    running: Marks,
    /// How often one of those has handed its seat on, and gone on again.
    ways: Tally,
}

/// A slot's part, for everybody to see.
pub(crate) struct Rank {
    /// The owner runs background work. Written by the owner.
    background: Mark,
    /// When it began to, closures lay in its queue already. Written by the owner.
    older: AtomicBool,
}

/// A slot's part, for its owner alone.
#[derive(Default)]
pub(crate) struct OwnRank {
    /// The fork or job that was taken last comes from a background slot.
    taking: Cell<bool>,
    /// Since when the owner need not give way.
    turn: Cell<Option<Since>>,
    /// How long the owner has waited since its last turn.
    waited: Cell<Duration>,
    /// Blocks of background loops.
    blocks: Cell<u32>,
    /// Other work runs on top of background work.
    on_top: Cell<bool>,
}

impl Ranks {
    pub(crate) fn new() -> Self {
        Ranks {
            used: AtomicBool::new(false),
            urgent: Injector::new(),
            background: Injector::new(),
            began: Instant::now(),
            since: AtomicU64::new(0),
            running: Marks::new(),
            ways: Tally::new(),
        }
    }

    /// Whether there has ever been a closure that is not normal.
    #[inline]
    pub(crate) fn is_used(&self) -> bool {
        // Relaxed: set before the first push, whose queue and fence bring it along to whoever looks for that.
        self.used.load(Ordering::Relaxed)
    }

    pub(crate) fn has_work(&self) -> bool {
        self.is_used() && (!self.urgent.is_empty() || !self.background.is_empty())
    }

    /// Threads that run background work.
    pub(crate) fn running(&self) -> usize {
        self.running.count()
    }

    /// How often background work has given way.
    pub(crate) fn ways(&self) -> &Tally {
        &self.ways
    }

    fn now(&self) -> u64 {
        self.began.elapsed().as_micros() as u64
    }

    fn push(&self, priority: Priority, job: JobRef) {
        self.used.store(true, Ordering::Relaxed);
        if priority == Priority::High {
            return self.urgent.push(job);
        }
        if self.background.is_empty() {
            self.since.store(self.now(), Ordering::Relaxed);
        }
        self.background.push(job);
    }

    fn take_urgent(&self) -> Option<JobRef> {
        self.urgent.steal()
    }

    fn take_background(&self) -> Option<JobRef> {
        let job = self.background.steal()?;
        self.since.store(self.now(), Ordering::Relaxed);
        Some(job)
    }

    /// Takes a background closure if it is high time.
    fn take_due(&self) -> Option<JobRef> {
        if self.background.is_empty() {
            return None;
        }
        let (now, since) = (self.now(), self.since.load(Ordering::Relaxed));
        if now.saturating_sub(since) < AGE.as_micros() as u64 {
            return None;
        }
        // Of all that see it due, one takes it. Relaxed: it is about time and nothing else.
        self.since.compare_exchange(since, now, Ordering::Relaxed, Ordering::Relaxed).ok()?;
        self.background.steal()
    }
}

impl Rank {
    pub(crate) fn new() -> Self {
        Rank { background: Mark::new(), older: AtomicBool::new(false) }
    }

    /// Whether the owner runs background work.
    #[inline]
    pub(crate) fn is_background(&self) -> bool {
        self.background.is_set()
    }
}

impl Shared {
    /// Queues a closure that is not normal.
    #[cold]
    pub(crate) fn queue_ranked(&self, priority: Priority, job: JobRef) {
        self.ranks.push(priority, job);
        self.notify();
    }

    /// Puts a job of background work where background closures are. The caller notifies.
    pub(crate) fn pass_background(&self, job: JobRef) {
        self.ranks.push(Priority::Background, job);
    }

    /// Work waits, and all seats are taken: background work is to give way.
    #[inline]
    pub(crate) fn nudge_background(&self) {
        if self.ranks.running.any() {
            self.ask_background();
        }
    }

    #[cold]
    fn ask_background(&self) {
        if self.sleep.searchers() > 0 {
            return;
        }
        for slot in self.slots().filter(|slot| slot.rank.is_background() && slot.is_busy()) {
            slot.fork.request();
        }
    }

    /// Whether there are closures or tasks that background work gives way to.
    fn has_foreground(&self) -> bool {
        !self.injector.is_empty()
            || !self.task_injector.is_empty()
            || !self.long_tasks.is_empty()
            || !self.worker_roots.is_empty()
            || !self.ranks.urgent.is_empty()
            || self.slots().any(|slot| {
                // What lies with background work is its own, as a rule.
                let others = !slot.rank.is_background() || slot.rank.older.load(Ordering::Relaxed);
                !slot.tasks_end.is_empty() || (others && !slot.closures_end.is_empty())
            })
    }

    /// Whether a seat that is given up now finds a thread.
    fn has_successor(&self) -> bool {
        self.sleep.idlers() > 0 || (self.may_have_spares() && !self.spares_exhausted())
    }
}

impl Slot {
    // ----- what comes next -------------------------------------------------------------------------------------

    /// The next piece of work from the own queues or the injectors, where not all closures are normal.
    #[cold]
    pub(crate) fn next_ranked(&self, tick: u32) -> Option<Work> {
        let ranks = &self.shared().ranks;
        // Guests and kept threads are in work of their own, though they run no piece of the pool's.
        if !self.is_running() && self.kind != Kind::Guest && !current::is_kept(self.shared()) {
            if let Some(job) = ranks.take_due() {
                self.own_rank().turn.set(Some(Since::now()));
                return Some(Work::Background(job));
            }
        }
        if ranks.urgent.is_empty() {
            return self.next_unranked(tick);
        }
        let urgent = || ranks.take_urgent().map(Work::Job);
        if tick % NORMAL_RHYTHM != 0 {
            return urgent().or_else(|| self.next_unranked(tick));
        }
        // Normal work's own rhythms go on by its own turns.
        self.next_unranked(tick / NORMAL_RHYTHM).or_else(urgent)
    }

    /// A background closure: when nothing else is there.
    pub(crate) fn take_background(&self) -> Option<Work> {
        let ranks = &self.shared().ranks;
        if !ranks.is_used() {
            return None;
        }
        let job = ranks.take_background()?;
        self.own_rank().turn.set(None);
        Some(Work::Background(job))
    }

    /// A background closure, if no normal work can be helped with by asking for a fork of it.
    pub(crate) fn take_background_if_idle(&self) -> Option<Work> {
        let shared = self.shared();
        if !shared.ranks.is_used() || shared.ranks.background.is_empty() {
            return None;
        }
        let may_share = |slot: &Slot| slot.is_busy() && !slot.rank.is_background() && slot.fork.may_have_private();
        if shared.slots().any(may_share) { None } else { self.take_background() }
    }

    // ----- who is at background work ---------------------------------------------------------------------------

    /// Something has been stolen from `victim`, which may be a part of what runs there. A closure is none, as far as
    /// can be told, if others lay there already when that began.
    #[inline]
    pub(crate) fn note_victim(&self, victim: &Slot, work: &Work) {
        let older = || matches!(work, Work::Job(_)) && victim.rank.older.load(Ordering::Relaxed);
        self.own_rank().taking.set(victim.rank.is_background() && !older());
        if self.shared().is_keen() {
            // We come back for more: then the next fork lies ready, also if it is pushed just before we do.
            victim.fork.request();
        }
    }

    /// What was stolen is not going to be run here.
    pub(crate) fn forget_victim(&self) {
        self.own_rank().taking.set(false);
    }

    /// Whether a piece of work that is about to be run here is background work: a fork and a scope's job are what they
    /// are parts of.
    #[inline]
    pub(crate) fn is_background_work(&self, work: &Work) -> bool {
        let part = self.own_rank().taking.replace(false) | self.rank.is_background();
        match work {
            Work::Background(_) => true,
            Work::Fork(_) => part,
            Work::Job(job) => part && job.has_scope(),
            Work::Task(_) | Work::LongTask(_) => false,
        }
    }

    /// From here on the owner runs background work, or other. Returns what it was before.
    #[inline]
    pub(crate) fn set_background(&self, background: bool) -> bool {
        let before = self.rank.is_background();
        if before != background {
            self.change_background(background);
        }
        before
    }

    #[cold]
    fn change_background(&self, background: bool) {
        let shared = self.shared();
        if !background {
            return self.rank.background.clear(&shared.ranks.running);
        }
        // Before the mark: who sees that mark, and the count, sees this too.
        self.rank.older.store(!self.closures_end.is_empty(), Ordering::Relaxed);
        self.rank.background.set(&shared.ranks.running);
        if shared.has_foreground() {
            self.fork.request();
        }
    }

    // ----- giving way ------------------------------------------------------------------------------------------

    /// Whether a background loop that nobody has asked should look around.
    #[inline]
    pub(crate) fn looks_around(&self) -> bool {
        self.rank.is_background() && {
            let blocks = &self.own_rank().blocks;
            blocks.set(blocks.get().wrapping_add(1));
            blocks.get() % BLOCK_RHYTHM == 0
        }
    }

    /// Background work has come to a boundary inside of it: hands its seat on if other work waits. The caller holds no
    /// lock; frames with forks may lie below.
    ///
    /// True: other work waits, but has to wait for the end of our turn. Nobody will ask again, so the caller leaves the
    /// request standing.
    #[inline]
    #[must_use]
    pub(crate) fn give_way(&self) -> bool {
        // A full stack of forks is published first: wakers, which run here if a timer is due, may fork.
        self.rank.is_background() && !self.fork.is_full() && self.give_way_to_others()
    }

    /// Requests have been taken back, to be answered. One that has come since [`give_way`](Self::give_way) looked may
    /// be among them: so we look once more, and leave it standing. Not if we could not give way all the same: then each
    /// `join` would look in vain.
    #[inline]
    pub(crate) fn see_to_way(&self) {
        if self.rank.is_background() {
            // As in `give_way_to_others`.
            fence(Ordering::SeqCst);
            if self.holds_seat() && !thread::panicking() && self.should_give_way() && self.can_give_way() {
                self.fork.request();
            }
        }
    }

    /// Whether somebody may come for the seat, or else the thread itself may run what waits.
    fn can_give_way(&self) -> bool {
        self.shared().has_successor() || self.may_run_anything_now() && !self.own_rank().on_top.get()
    }

    #[cold]
    fn give_way_to_others(&self) -> bool {
        let shared = self.shared();
        // Pairs with the fence before the request: who has seen that sees the work.
        fence(Ordering::SeqCst);
        if !self.holds_seat() || thread::panicking() || !self.should_give_way() {
            return false;
        }
        if self.own_rank().turn.get().is_some_and(|turn| !turn.passed(TURN)) {
            return true;
        }
        if !shared.has_successor() {
            return self.may_run_anything_now() && self.run_foreground();
        }
        let mut owes = false;
        let bed = shared.bed(&self.parker);
        self.flush_next();
        self.set_busy(false);
        shared.ranks.ways.begin();
        // Release, by the fence, pairs with the Acquire fence in `is_at_rest`: who sees our seat free sees that we have
        // something to go on with.
        fence(Ordering::Release);
        shared.sleep.leave_seat();
        if shared.pass_seat() == Covered::Yes {
            let began = Since::now();
            let waited = &self.own_rank().waited;
            let limit = AGE.saturating_sub(waited.get());
            loop {
                bed.park(Some(LOOK_AGAIN));
                // What is woken here is for others: this thread does not come back to its queues soon.
                let polling = self.polling().replace(false);
                bed.fire();
                self.polling().set(polling);
                // Or nobody can come for it but us.
                let is_ours = !shared.has_foreground() || !shared.has_successor();
                if is_ours && shared.sleep.try_take_seat(shared.seats) {
                    waited.set(waited.get() + began.elapsed());
                    break;
                }
                if began.passed(limit) {
                    waited.set(Duration::ZERO);
                    self.own_rank().turn.set(Some(Since::now()));
                    shared.sleep.take_seat();
                    owes = true;
                    break;
                }
            }
        } else {
            shared.sleep.take_seat();
        }
        shared.ranks.ways.end();
        self.begin_busy();
        drop(bed);
        owes
    }

    fn may_run_anything_now(&self) -> bool {
        self.is_own_thread() && self.shared().config.wait_policy() == WaitPolicy::RunAnything
    }

    /// Runs what waits on top of the background work, where no other thread comes for it. True if some is left when it
    /// is the background work's turn again.
    fn run_foreground(&self) -> bool {
        let shared = self.shared();
        let began = Since::now();
        let waited = &self.own_rank().waited;
        let limit = AGE.saturating_sub(waited.get());
        let on_top = &self.own_rank().on_top;
        // What is stolen may be background work after all: it does not give way in turn.
        if on_top.replace(true) {
            return false;
        }
        let mut owes = false;
        while shared.has_foreground() {
            if began.passed(limit) {
                waited.set(Duration::ZERO);
                self.own_rank().turn.set(Some(Since::now()));
                owes = true;
                break;
            }
            let Some(work) = self.find_for_background() else { break };
            self.run_unrelated(work);
        }
        on_top.set(false);
        if !owes {
            waited.set(waited.get() + began.elapsed());
        }
        owes
    }

    /// Work that is not background work, for a thread in the midst of that. Its own closures are, as a rule.
    fn find_for_background(&self) -> Option<Work> {
        let urgent = || self.shared().ranks.take_urgent().map(Work::Job);
        let injected = || self.take_injected(self.tick());
        let task = || self.next_task().map(Work::Task);
        let older =
            || if self.rank.older.load(Ordering::Relaxed) { self.closures().pop().map(Work::Job) } else { None };
        urgent().or_else(injected).or_else(task).or_else(older).or_else(|| self.steal())
    }

    fn should_give_way(&self) -> bool {
        let shared = self.shared();
        // If a thread searches, or may be woken, that is the one to come.
        shared.sleep.hunger(shared.seats) == (0, 0) && shared.has_foreground()
    }
}
