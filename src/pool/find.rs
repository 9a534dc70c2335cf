//! Where a thread finds its next piece of work.

use std::ptr;

use crate::core::job::{ForkRef, JobRef};
use crate::core::lineage::{self, Place, ScopeNode};
use crate::core::task::{Task, Why};
use crate::core::task_context;
use crate::ground::unwind::Bomb;
use crate::pool::current;
use crate::pool::slot::Slot;

/// One in this many jobs is taken from the injector first, so that local work cannot starve it; and one from the
/// other threads.
const INJECTOR_RHYTHM: u32 = 61;
/// One in this many jobs is a closure, even if tasks wait.
const CLOSURE_RHYTHM: u32 = 8;
/// How many others a thread looks at then.
const RELIEVED: usize = 4;
/// One in this many jobs, the timers are looked at before.
const TIMER_RHYTHM: u32 = 8;
/// How many jobs of its own a waiter looks through for one that it may run.
const DIG: usize = 64;

/// A piece of work in hand: it must be run, or queued again.
pub(crate) enum Work {
    Fork(ForkRef),
    Job(JobRef),
    Task(Task),
}

impl Slot {
    /// Runs work on this slot's thread, at the bottom of its stack or as a part of what it waits for. Does not unwind.
    pub(crate) fn run(&self, work: Work) {
        debug_assert!(current::with(|slot| slot.is_some_and(|slot| std::ptr::eq(slot, self))));
        let bomb = Bomb("a job has unwound, though every job catches its panics");
        let place = self.place().get();
        let work_base = self.fork.height();
        let polls = matches!(work, Work::Task(_));
        if !polls {
            // It may take long.
            self.offer_tasks();
        }
        let polling = self.polling().replace(polls);
        self.depth().set(self.depth().get() + 1);
        match work {
            Work::Task(task) => {
                self.place().set(Place { scope: ptr::null(), work_scope: ptr::null(), work_base });
                task.run(self.shared().gate.is_closed());
            }
            Work::Fork(fork) => {
                let turn = task_context::outside();
                if self.fork.is_clear() {
                    // SAFETY: taken from a public deque or by a raid, so it is ours alone and not yet run.
                    unsafe { fork.taken_by(self.index as u32) };
                }
                // SAFETY: as above.
                let scope = unsafe { fork.scope() };
                self.place().set(Place { scope, work_scope: scope, work_base });
                // SAFETY: as above; this thread keeps the pool alive.
                unsafe { fork.run_stolen() };
                turn.leave();
            }
            Work::Job(job) => {
                let turn = task_context::outside();
                let scope = job.scope();
                self.place().set(Place { scope, work_scope: scope, work_base });
                // SAFETY: taken from a queue, so it is ours alone and not yet run.
                unsafe { job.run() };
                turn.leave();
            }
        }
        self.depth().set(self.depth().get() - 1);
        self.polling().set(polling);
        self.place().set(place);
        bomb.defuse();
    }

    /// Runs work on top of work that may have nothing to do with it.
    pub(crate) fn run_unrelated(&self, work: Work) {
        // Who follows us for what we wait for must not find the parts of this instead.
        let awaited = self.set_awaited(None);
        self.mixed(|| self.run(work));
        self.offer_tasks();
        self.set_awaited(awaited);
    }

    /// Runs a part of what this thread waits for.
    pub(crate) fn run_part(&self, work: Work) {
        let awaited = self.set_awaited(None);
        self.run(work);
        self.offer_tasks();
        self.set_awaited(awaited);
    }

    /// Runs what has been broadcast to this thread. The only closures that a waiting thread runs for others: a
    /// broadcast must run on every thread, also on one that waits for something that waits for the broadcast.
    pub(crate) fn run_mail(&self) {
        while let Some(job) = self.take_mail() {
            self.run_unrelated(Work::Job(job));
        }
    }

    /// The next piece of work from the own queues or the injector.
    pub(crate) fn next_own(&self) -> Option<Work> {
        let tick = self.tick();
        if tick % TIMER_RHYTHM == 0 {
            self.shared().fire_timers();
        }
        if let Some(job) = self.take_mail() {
            Some(Work::Job(job))
        } else if tick % INJECTOR_RHYTHM == 0 {
            self.take_injected(tick).or_else(|| self.next_local(tick))
        } else if tick % INJECTOR_RHYTHM == INJECTOR_RHYTHM / 2 {
            self.relieve_others().or_else(|| self.next_local(tick))
        } else {
            self.next_local(tick).or_else(|| self.take_injected(tick))
        }
    }

    fn take_injected(&self, tick: u32) -> Option<Work> {
        let shared = self.shared();
        if self.is_own_thread() {
            if let Some(root) = shared.worker_roots.steal() {
                return Some(Work::Job(root));
            }
        }
        let closure = || shared.injector.steal().map(Work::Job);
        let task = || self.take_injected_task().map(Work::Task);
        // The rhythm is odd, so both kinds come first in turn.
        if tick % 2 == 0 { closure().or_else(task) } else { task().or_else(closure) }
    }

    fn take_injected_task(&self) -> Option<Task> {
        let task = self.shared().task_injector.steal_some(self.tasks())?;
        if !self.tasks().is_empty() {
            // Those that came with it were nowhere for a moment.
            self.shared().notify();
        }
        Some(task)
    }

    /// The next piece of work of this very thread.
    pub(crate) fn next_local(&self, tick: u32) -> Option<Work> {
        let closure = || self.closures().pop().map(Work::Job);
        let task = || self.next_task().map(Work::Task);
        if tick % CLOSURE_RHYTHM == 0 { closure().or_else(task) } else { task().or_else(closure) }
    }

    /// The other threads' slots, from a random one on.
    fn others(&self) -> impl Iterator<Item = &Slot> {
        let start = self.rng().below(self.shared().slot_count());
        self.shared().slots_from(start).filter(|slot| slot.index != self.index)
    }

    /// Takes something that another thread offers.
    pub(crate) fn steal(&self) -> Option<Work> {
        self.others().find_map(|victim| {
            let fork = victim.fork.steal().map(Work::Fork);
            let closure = || victim.closures_end.steal().map(Work::Job);
            let task = || {
                let task = victim.tasks_end.steal_some(self.tasks())?;
                if !self.tasks().is_empty() {
                    // Those that came with it; needless if we are searching.
                    self.shared().notify_own();
                }
                Some(Work::Task(task))
            };
            fork.or_else(closure).or_else(task)
        })
    }

    /// Takes something from a thread that may be in a long closure, though there is enough to do here: when all seats are
    /// taken nobody is woken for what lies there.
    fn relieve_others(&self) -> Option<Work> {
        let work = self.others().take(RELIEVED).find_map(|victim| {
            let next = || victim.has_stale_next().then(|| victim.next.take()).flatten().map(Work::Task);
            let closure = || victim.closures_end.steal().map(Work::Job);
            let task = || victim.tasks_end.steal().map(Work::Task);
            next().or_else(closure).or_else(task)
        });
        self.others().take(RELIEVED).for_each(Slot::mark_next);
        work
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
        self.next_own().or_else(|| self.steal())
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
        self.others()
            .filter(|slot| slot.fork.unanswered() && slot.fork.may_have_private())
            .find_map(|slot| slot.fork.raid(slot.waiter(), || true))
            .map(Work::Fork)
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

    /// Work inside of `scope`. `choosy` becomes true when a steal has brought something else, which then goes to the
    /// injector: a waiter does that once, not over and over.
    pub(crate) fn find_within(&self, scope: *const ScopeNode, choosy: &mut bool) -> Option<Work> {
        if !self.closures().is_empty() {
            if let Some(job) = self.pop_within(scope) {
                return Some(Work::Job(job));
            }
        }
        if *choosy {
            return None;
        }
        for victim in self.others() {
            if let Some(fork) = victim.fork.steal() {
                // SAFETY: in hand and not yet run, so its scopes are alive.
                if unsafe { lineage::is_within(fork.scope(), scope) } {
                    return Some(Work::Fork(fork));
                }
                self.put_back(Work::Fork(fork));
                *choosy = true;
                return None;
            }
            if let Some(job) = victim.closures_end.steal() {
                // SAFETY: as above.
                if unsafe { lineage::is_within(job.scope(), scope) } {
                    return Some(Work::Job(job));
                }
                self.put_back(Work::Job(job));
                *choosy = true;
                return None;
            }
            if victim.is_busy() {
                victim.fork.request();
            }
        }
        None
    }

    /// Offers work to all that this thread must not run now.
    pub(crate) fn put_back(&self, work: Work) {
        match work {
            Work::Fork(fork) => self.shared().injector.push(fork.into_job()),
            Work::Job(job) => self.shared().injector.push(job),
            Work::Task(task) => return self.queue_task(task, Why::Again),
        }
        self.shared().notify();
    }
}
