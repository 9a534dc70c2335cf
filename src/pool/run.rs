//! How a thread runs what it has found, and notes which work it is in.

use std::ptr;

use crate::core::latch::Latch;
use crate::core::lineage::{self, Place, ScopeNode};
use crate::core::rhythm;
use crate::core::task::Task;
use crate::core::task_context;
use crate::ground::unwind::Bomb;
use crate::pool::current;
use crate::pool::find::Work;
use crate::pool::slot::Slot;

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
        let is_part = matches!(&work, Work::Fork(fork) if fork.is_part());
        self.nest().enter(is_part);
        let background = self.set_background(self.is_background_work(&work));
        match work {
            Work::Task(task) | Work::LongTask(task) => {
                self.place().set(Place { scope: ptr::null(), work_scope: ptr::null(), work_base });
                task.run(self.shared().gate.is_closed());
            }
            Work::Fork(fork) => {
                let turn = task_context::outside();
                let begins = |scope| self.place().set(Place { scope, work_scope: scope, work_base });
                // SAFETY: taken from a public deque or by a raid, so it is ours alone and not yet run; this thread
                // keeps the pool alive.
                unsafe { self.fork.run_taken(fork, self.index as u32, begins) };
                turn.leave();
            }
            Work::Job(job) | Work::Background(job) => {
                let turn = task_context::outside();
                // SAFETY: in hand and not yet run.
                let scope = unsafe { job.scope() };
                self.place().set(Place { scope, work_scope: scope, work_base });
                // SAFETY: taken from a queue, so it is ours alone and not yet run.
                unsafe { job.run() };
                turn.leave();
            }
        }
        self.set_background(background);
        self.nest().leave(is_part);
        self.polling().set(polling);
        self.place().set(place);
        bomb.defuse();
    }

    /// Runs a task at the bottom of the stack, and those that follow it in this thread's queue: what [`run`](Self::run)
    /// notes and restores for each piece of work is done once for many. Ends when anything else has its turn, or may
    /// be there.
    pub(crate) fn run_tasks(&self, first: Task) {
        debug_assert!(current::with(|slot| slot.is_some_and(|slot| std::ptr::eq(slot, self))));
        let bomb = Bomb("a task has unwound, though every task catches its panics");
        let shared = self.shared();
        let outer = self.place().get();
        let place = Place { scope: ptr::null(), work_scope: ptr::null(), work_base: self.fork.height() };
        self.nest().enter(false);
        let polling = self.polling().get();
        // A task is never background work, wherever it was found.
        self.forget_victim();
        let mut task = first;
        // This turn was looked at by whoever has found the task.
        let mut tick = self.ticks();
        let last = tick.wrapping_add(rhythm::plain_turns_after(tick));
        loop {
            self.place().set(place);
            self.polling().set(true);
            task.run(shared.gate.is_closed());
            // If the poll has waited for something, and others' turns have come meanwhile, we count anew.
            let is_last = tick == last || self.ticks() != tick;
            if is_last || self.has_mail() || shared.ranks.is_used() || shared.long_tasks.may_wait() {
                break;
            }
            if shared.sleep.crowded(shared.seats) {
                break;
            }
            let Some(next) = self.next_task() else { break };
            tick = self.tick();
            task = next;
        }
        self.nest().leave(false);
        self.polling().set(polling);
        self.place().set(outer);
        bomb.defuse();
    }

    /// Runs work on top of other work.
    fn run_nested(&self, work: Work) {
        if self.engaged.get() || matches!(work, Work::Task(_)) {
            return self.run(work);
        }
        self.engage();
        self.run(work);
        self.engaged.set(false);
    }

    /// Runs work on top of work that may have nothing to do with it.
    pub(crate) fn run_unrelated(&self, work: Work) {
        // Who follows us for what we wait for must not find the parts of this instead.
        let awaited = self.set_awaited(None);
        self.mixed(|| self.run_nested(work));
        self.offer_tasks();
        self.set_awaited(awaited);
    }

    /// Runs a part of what this thread waits for.
    pub(crate) fn run_part(&self, work: Work) {
        let awaited = self.set_awaited(None);
        self.run_nested(work);
        self.offer_tasks();
        self.set_awaited(awaited);
    }

    /// Runs own closures, newest first, for a thread that waits at a scope's end, which finds there all that it waits
    /// for in most cases: what [`run`](Self::run) notes and restores for each piece of work is done once for many. Ends
    /// when there are no more, when the latch is set, and when there is something else to look at, which it leaves to
    /// the slower way. `within` is the scope that they must belong to, if they must.
    pub(crate) fn run_own_jobs(&self, latch: &Latch, within: Option<*const ScopeNode>) {
        if self.closures().is_empty() || self.rank.is_background() || self.shared().ranks.is_used() {
            return;
        }
        let bomb = Bomb("a job has unwound, though every job catches its panics");
        let awaited = self.set_awaited(None);
        let place = self.place().get();
        let work_base = self.fork.height();
        self.offer_tasks();
        let polling = self.polling().replace(false);
        let engaged = self.engaged.get();
        if !engaged {
            self.engage();
        }
        self.nest().enter(false);
        let turn = task_context::outside();
        let run_all = || {
            for _ in 0..rhythm::OUTSIDE {
                if latch.probe() || !self.tasks().is_empty() || self.next.is_full() {
                    break;
                }
                let tick = self.ticks().wrapping_add(1);
                if rhythm::is_timers_turn(tick) {
                    self.shared().fire_timers();
                }
                // Somebody else's turn. The slower way counts it where anything is run, and else it is over by this.
                if self.is_shallow() && rhythm::is_others_turn(tick) {
                    if within.is_some() {
                        self.tick();
                    }
                    break;
                }
                let Some(job) = self.closures().pop() else { break };
                self.tick();
                // SAFETY: in hand and not yet run.
                let scope = unsafe { job.scope() };
                // SAFETY: the job is in hand and not yet run, so its scopes are alive.
                if within.is_some_and(|outer| !unsafe { lineage::is_within(scope, outer) }) {
                    self.closures().push(job);
                    // Nobody could see it for a moment, and may have gone to sleep in it.
                    self.shared().notify();
                    break;
                }
                self.place().set(Place { scope, work_scope: scope, work_base });
                // SAFETY: taken from the queue, so it is ours alone and not yet run.
                unsafe { job.run() };
                // A closure with a handle has set it at its end.
                self.polling().set(false);
                // Its scope may be gone, and timers' wakers may fork.
                self.place().set(place);
            }
        };
        if within.is_some() {
            run_all()
        } else {
            self.mixed(run_all)
        }
        turn.leave();
        self.nest().leave(false);
        if !engaged && self.engaged.get() {
            self.engaged.set(false);
        }
        self.polling().set(polling);
        self.place().set(place);
        self.offer_tasks();
        self.set_awaited(awaited);
        bomb.defuse();
    }

    /// Runs what has been broadcast to this thread. The only closures that a waiting thread runs for others: a
    /// broadcast must run on every thread, also on one that waits for something that waits for the broadcast.
    pub(crate) fn run_mail(&self) {
        while let Some(job) = self.take_mail() {
            self.run_unrelated(Work::Job(job));
        }
    }

    /// The same, as far as its turn has come.
    pub(crate) fn run_due_mail(&self) {
        while let Some(job) = self.take_due_mail() {
            self.run_unrelated(Work::Job(job));
        }
    }
}
