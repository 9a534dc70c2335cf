//! Where a thread finds its next piece of work.

use crate::core::job::{ForkRef, JobRef};
use crate::core::lineage::{self, ScopeNode};
use crate::core::rhythm::{self, Places};
use crate::core::task::{Task, Why};
use crate::pool::policy::WaitPolicy;
use crate::pool::slot::Slot;

/// Up to so many pieces of work on top of one another, the rhythms hold.
const SHALLOW: u32 = 8;
/// How many others a thread looks at when it is their turn.
const RELIEVED: usize = 4;
/// How many jobs of its own a waiter looks through for one that it may run.
const DIG: usize = 64;

/// A piece of work in hand: it must be run, or queued again.
pub(crate) enum Work {
    Fork(ForkRef),
    Job(JobRef),
    Task(Task),
    /// One of a kind whose polls are long: nobody counts on whoever runs it, as with a closure.
    LongTask(Task),
    /// A background closure.
    Background(JobRef),
}

impl Slot {
    /// A broadcast closure. With rayon's way of waiting its order holds too: own closures come first, so what a thread
    /// has spawned before a broadcast has run when that is over.
    pub(crate) fn take_due_mail(&self) -> Option<JobRef> {
        let own_first = self.shared().config.wait_policy() == WaitPolicy::RunAnything;
        if own_first && !self.closures().is_empty() { None } else { self.take_mail() }
    }

    /// The next piece of work from the own queues or the injector.
    pub(crate) fn next_own(&self) -> Option<Work> {
        let tick = self.tick();
        if rhythm::is_timers_turn(tick) {
            self.shared().fire_timers();
        }
        if let Some(job) = self.take_due_mail() {
            Some(Work::Job(job))
        } else if self.shared().ranks.is_used() {
            self.next_ranked(tick)
        } else {
            self.next_unranked(tick)
        }
    }

    /// Normal work from the own queues or the injector.
    pub(crate) fn next_unranked(&self, tick: u32) -> Option<Work> {
        rhythm::next(self, tick, self.is_shallow())
    }

    pub(crate) fn take_injected(&self, tick: u32) -> Option<Work> {
        rhythm::next_outside(self, tick)
    }

    /// Whether others' work may come first, in its turn. On top of other work it is begun inside of a wait, and in its
    /// midst there will be such turns again: so only so far up.
    pub(crate) fn is_shallow(&self) -> bool {
        self.nest().works() < SHALLOW
    }

    /// The next piece of work of this very thread.
    pub(crate) fn next_local(&self, tick: u32) -> Option<Work> {
        rhythm::next_own(self, tick)
    }

    /// The other threads' slots, from a random one on.
    fn others(&self) -> impl Iterator<Item = &Slot> {
        let start = self.rng().below(self.shared().slot_count());
        self.shared().slots_from(start).filter(|slot| slot.index != self.index)
    }

    /// Takes something that another thread offers.
    pub(crate) fn steal(&self) -> Option<Work> {
        let stolen = self.others().find_map(|victim| {
            // Forks of background work come last.
            let fork = if victim.rank.is_background() { None } else { victim.fork.steal().map(Work::Fork) };
            let closure = || victim.closures_end.steal().map(Work::Job);
            let task = || {
                let task = victim.tasks_end.steal_some(self.tasks())?;
                if !self.tasks().is_empty() {
                    // Those that came with it; needless if we are searching.
                    self.shared().notify_own_tasks(self, false);
                }
                Some(Work::Task(task))
            };
            let work = fork.or_else(closure).or_else(task)?;
            self.note_victim(victim, &work);
            Some(work)
        });
        stolen.or_else(|| self.steal_background())
    }

    /// Takes a fork of background work.
    fn steal_background(&self) -> Option<Work> {
        if self.shared().ranks.running() == 0 {
            return None;
        }
        let victim = |slot: &&Slot| slot.rank.is_background();
        self.others().filter(victim).find_map(|victim| {
            let work = Work::Fork(victim.fork.steal()?);
            self.note_victim(victim, &work);
            Some(work)
        })
    }

    /// Marks what lies in the other threads' next slots.
    pub(crate) fn mark_others_next(&self) {
        self.others().for_each(Slot::mark_next);
    }

    /// Takes a task out of a next slot whose thread has not come back since it was marked.
    pub(crate) fn steal_stale_next(&self) -> Option<Work> {
        self.others().filter(|slot| slot.has_stale_next()).find_map(|slot| slot.next.take()).map(Work::Task)
    }

    /// Anything from anywhere.
    pub(crate) fn find_any(&self) -> Option<Work> {
        self.find_foreground().or_else(|| self.take_background())
    }

    /// Anything from anywhere but background closures, unless one is due.
    pub(crate) fn find_foreground(&self) -> Option<Work> {
        self.next_own().or_else(|| self.steal())
    }

    /// Anything, for a thread that waits. Its own forks are among it: what lies below the wait has been published, and
    /// there may be nobody else to take it. Asks for others' if there is nothing.
    pub(crate) fn find_to_help(&self) -> Option<Work> {
        let work = self.find_foreground().or_else(|| self.take_own_fork());
        if work.is_none() {
            self.request_forks();
        }
        work
    }

    /// The oldest of the own public forks, as a thief would take it.
    pub(crate) fn take_own_fork(&self) -> Option<Work> {
        if self.fork.keeps_public() && !self.leaves_forks() { self.fork.steal().map(Work::Fork) } else { None }
    }

    /// Asks all threads at work to publish a fork.
    pub(crate) fn request_forks(&self) {
        for slot in self.others().filter(|slot| slot.is_busy()) {
            slot.fork.request();
        }
    }

    /// Takes requests back that nobody has answered, so that they do not wake anybody later for next to nothing.
    pub(crate) fn withdraw_requests(&self) {
        for slot in self.others() {
            slot.fork.withdraw();
        }
    }

    /// Takes the oldest private fork of a thread that has passed no `join` since it was asked.
    pub(crate) fn raid(&self) -> Option<Work> {
        if !self.shared().raids {
            return None;
        }
        self.others().filter(|slot| slot.fork.unanswered() && slot.fork.may_have_private()).find_map(|slot| {
            let work = Work::Fork(slot.fork.raid(slot.waiter(), || true)?);
            self.note_victim(slot, &work);
            Some(work)
        })
    }

    // ----- what a waiter may run -------------------------------------------------------------------------------

    /// The newest own closure that belongs to `scope`; what lies above it stays in order.
    fn pop_within(&self, scope: *const ScopeNode) -> Option<JobRef> {
        let mut above = Vec::new();
        let mut found = None;
        while above.len() < DIG {
            let Some(job) = self.closures().pop() else { break };
            // SAFETY: the job is in hand and not yet run, so its scopes are alive.
            if unsafe { lineage::is_within(job.scope(), scope) } {
                found = Some(job);
                break;
            }
            above.push(job);
        }
        if !above.is_empty() {
            for job in above.into_iter().rev() {
                self.closures().push(job);
            }
            // Nobody could see them for a moment, and may have gone to sleep in it.
            self.shared().notify();
        }
        found
    }

    /// The newest own closure that belongs to `scope`, for a thread that is about to park, however many detached closures
    /// lie above it. Those go to the injector, so each is passed over once; others have to run them in any case. But what
    /// belongs to another scope stays: this thread may wait for that next, and does not look for it elsewhere.
    pub(crate) fn dig_within(&self, scope: *const ScopeNode) -> Option<Work> {
        let (mut detached, mut scoped) = (Vec::new(), Vec::new());
        let mut found = None;
        while scoped.len() < DIG {
            let Some(job) = self.closures().pop() else { break };
            // SAFETY: the job is in hand and not yet run, so its scopes are alive.
            if unsafe { lineage::is_within(job.scope(), scope) } {
                found = Some(Work::Job(job));
                break;
            }
            if job.has_scope() { scoped.push(job) } else { detached.push(job) }
        }
        let any = !detached.is_empty() || !scoped.is_empty();
        scoped.into_iter().rev().for_each(|job| self.closures().push(job));
        detached.into_iter().rev().for_each(|job| self.shared().injector.push(job));
        if any {
            // Nobody could see them for a moment, and may have gone to sleep in it.
            self.shared().notify();
        }
        found
    }

    /// What this thread itself has queued for `scope`.
    pub(crate) fn find_own_within(&self, scope: *const ScopeNode) -> Option<Work> {
        if self.closures().is_empty() { None } else { self.pop_within(scope).map(Work::Job) }
    }

    /// Work inside of `scope`. `choosy` becomes true when a steal has brought something else, which then goes to the
    /// injector: a waiter does that once, not over and over.
    pub(crate) fn find_within(&self, scope: *const ScopeNode, choosy: &mut bool) -> Option<Work> {
        if let Some(work) = self.find_own_within(scope) {
            return Some(work);
        }
        if *choosy {
            return None;
        }
        for victim in self.others() {
            let fork = victim.fork.steal().map(|fork| {
                // SAFETY: in hand and not yet run, so its scopes are alive.
                (unsafe { fork.scope() }, Work::Fork(fork))
            });
            // SAFETY: as above.
            let closure = || victim.closures_end.steal().map(|job| (unsafe { job.scope() }, Work::Job(job)));
            if let Some((inner, work)) = fork.or_else(closure) {
                self.note_victim(victim, &work);
                // SAFETY: in hand and not yet run, so its scopes are alive.
                if unsafe { lineage::is_within(inner, scope) } {
                    return Some(work);
                }
                self.put_back(work);
                *choosy = true;
                return None;
            }
            if victim.is_busy() {
                victim.fork.request();
            }
        }
        None
    }

    /// Work of `scope` that nobody comes for: see `rescue.rs`.
    pub(crate) fn rescue_within(&self, scope: *const ScopeNode) -> Option<Work> {
        // SAFETY: the job is in hand and not yet run, so its scopes are alive.
        self.rescue(&|job| unsafe { lineage::is_within(job.scope(), scope) }, true)
    }

    /// Offers work to all that this thread must not run now.
    pub(crate) fn put_back(&self, work: Work) {
        self.forget_victim();
        match work {
            Work::Fork(fork) => self.shared().injector.push(fork.into_job()),
            Work::Job(job) | Work::Background(job) => self.shared().injector.push(job),
            Work::Task(task) => return self.queue_task(task, Why::Again),
            Work::LongTask(task) => return self.shared().queue_long_task(task),
        }
        self.shared().notify();
    }
}

impl Places for Slot {
    type Work = Work;

    fn own_closure(&self) -> Option<Work> {
        self.closures().pop().map(Work::Job)
    }

    fn own_task(&self) -> Option<Work> {
        self.next_task().map(Work::Task)
    }

    fn root(&self) -> Option<Work> {
        let shared = self.shared();
        if self.is_own_thread() || shared.has_no_threads() { shared.worker_roots.steal().map(Work::Job) } else { None }
    }

    fn injected_closure(&self) -> Option<Work> {
        self.shared().injector.steal().map(Work::Job)
    }

    fn injected_task(&self) -> Option<Work> {
        let task = self.shared().task_injector.steal_some(self.tasks())?;
        if !self.tasks().is_empty() {
            // Those that came with it were nowhere for a moment.
            self.shared().notify_tasks();
        }
        Some(Work::Task(task))
    }

    fn may_have_long_tasks(&self) -> bool {
        self.shared().long_tasks.may_wait()
    }

    fn long_task(&self) -> Option<Work> {
        self.shared().long_tasks.take().map(Work::LongTask)
    }

    /// When all seats are taken nobody is woken for what lies there.
    fn of_others(&self) -> Option<Work> {
        let work = self.others().take(RELIEVED).find_map(|victim| {
            let next = || victim.has_stale_next().then(|| victim.next.take()).flatten().map(Work::Task);
            let closure = || victim.closures_end.steal().map(Work::Job);
            let task = || victim.tasks_end.steal().map(Work::Task);
            let work = next().or_else(closure).or_else(task)?;
            self.note_victim(victim, &work);
            Some(work)
        });
        self.others().take(RELIEVED).for_each(Slot::mark_next);
        work
    }
}
