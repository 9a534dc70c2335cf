//! Where a pool's tasks are queued, and how they are counted.
//!
//! A task that is woken by a task goes to that thread's *next* slot: it is polled as soon as the running poll is over,
//! while what it was woken for is still in the cache, and nobody else is woken for it. All others go to the thread's
//! deque, oldest first, or from outside to the injector. See `sleep.md` for who finds a task in a next slot whose
//! thread does not come back.

use std::ptr::NonNull;
use std::sync::Arc;

use crate::core::job::JobRef;
use crate::core::room::Room;
use crate::core::task::{Header, Task, Why};
use crate::core::task_cell::Scheduler;
use crate::core::task_tally::{self, Count, TaskTally};
use crate::ground::unwind::{self, Payload};
use crate::pool::admission::Kind;
use crate::pool::current;
use crate::pool::handle::on_current_if_any;
use crate::pool::numbers;
use crate::pool::shared::Shared;
use crate::pool::slot::Slot;

/// A future on a pool.
pub(crate) struct PoolTask;

/// A closure on a pool's workers, and the bound on their number in which it has a place, if there is one: whoever
/// cancels the closure may find its pool gone.
pub(crate) struct CpuClosure(pub(crate) Option<Arc<Room>>);

/// A closure on a pool's blocking threads.
pub(crate) struct BlockingClosure;

/// Counts a task off.
pub(crate) struct TaskEnds(usize);

impl Drop for TaskEnds {
    fn drop(&mut self) {
        with_numbered(self.0, |shared, own| {
            // Before it is counted off: until then the pool is there.
            shared.make_room(Kind::Tasks);
            shared.task_ended(own);
        });
    }
}

/// Counts a closure off.
pub(crate) struct ClosureEnds(usize);

impl Drop for ClosureEnds {
    fn drop(&mut self) {
        with_numbered(self.0, |shared, _| shared.leave());
    }
}

/// Calls `f` with the pool of a task that has not been counted off, and with the current thread's slot if it is that
/// pool's.
fn with_pool<R>(task: &Header, f: impl FnOnce(&Shared, Option<&Slot>) -> R) -> R {
    with_numbered(task.state.pool(), f)
}

fn with_numbered<R>(number: usize, f: impl FnOnce(&Shared, Option<&Slot>) -> R) -> R {
    current::with(|slot| match slot {
        Some(slot) if slot.shared().number.get() == number => f(slot.shared(), Some(slot)),
        // SAFETY: the task has not been counted off, and until then its pool owns itself.
        _ => f(unsafe { numbers::pool(number) }, None),
    })
}

impl Scheduler for PoolTask {
    fn schedule(&self, task: Task, why: Why) {
        let number = task.header().state.pool();
        current::with(|slot| match slot {
            Some(slot) if slot.shared().number.get() == number => {
                slot.shared().schedules.one_more();
                slot.queue_task(task, why);
            }
            _ => {
                // SAFETY: we hold the right to run, so the task has not ended; see `with_pool`.
                let shared = unsafe { numbers::pool(number) };
                shared.schedules.one_more();
                shared.inject_task(task);
            }
        });
    }

    fn list(&self, task: NonNull<Header>) -> Option<usize> {
        // SAFETY: the caller has the right to run, so it is alive.
        with_pool(unsafe { task.as_ref() }, |shared, slot| {
            let near = slot.map_or(0, |slot| slot.index);
            // SAFETY: the caller has the right to run, and takes it out before it completes.
            unsafe { shared.tasks.insert(task, near) }
        })
    }

    fn unlist(&self, task: &Header, shard: usize) {
        // SAFETY: the caller has the right to run, and has put it in this shard.
        with_pool(task, |shared, _| unsafe { shared.tasks.remove(task, shard) });
    }

    type Last = TaskEnds;

    fn last(&self, task: &Header) -> TaskEnds {
        TaskEnds(task.state.pool())
    }

    fn report(&self, task: &Header, payload: Payload) {
        with_pool(task, |shared, _| shared.report_panic(payload));
    }
}

/// A closure never rests, so it is never listed, and queued once: by whoever spawns it.
macro_rules! closure_scheduler {
    ($closure:ty, $ends_with_handle:expr, $queue:expr, $job:expr, $claimed:expr) => {
        impl Scheduler for $closure {
            fn claimed(&self) {
                $claimed(self);
            }

            fn schedule(&self, task: Task, _: Why) {
                // SAFETY: as for `PoolTask`.
                let shared = unsafe { numbers::pool(task.header().state.pool()) };
                $queue(shared, $job(task));
            }

            fn list(&self, _: NonNull<Header>) -> Option<usize> {
                None
            }

            fn unlist(&self, _: &Header, _: usize) {}

            type Last = ClosureEnds;

            fn last(&self, task: &Header) -> ClosureEnds {
                with_pool(task, |_, slot| {
                    if let Some(slot) = slot {
                        // What is left to do is to wake whoever waits, and then this thread looks for its next job.
                        slot.polling().set(true);
                    }
                });
                ClosureEnds(task.state.pool())
            }

            fn report(&self, task: &Header, payload: Payload) {
                with_pool(task, |shared, _| shared.report_panic(payload));
            }

            const ONCE: bool = true;
            const ENDS_WITH_HANDLE: bool = $ends_with_handle;

            fn report_claimed(&self, _: &Header, payload: Payload) {
                report_here(payload);
            }
        }
    };
}

/// The task of a `spawn_cpu` closure as the job that runs it.
pub(crate) fn cpu_job(task: Task) -> JobRef {
    // SAFETY: `run_queued` takes the task back; a job runs once, on any thread.
    unsafe { JobRef::new(task.into_raw(), run_queued) }
}

/// The same for a blocking call.
fn blocking_job(task: Task) -> JobRef {
    // SAFETY: as above.
    unsafe { JobRef::new(task.into_raw(), run_closure) }
}

closure_scheduler!(
    CpuClosure,
    true,
    |shared: &Shared, job| current::with(|slot| shared.queue_closure(slot, job)),
    cpu_job,
    |closure: &CpuClosure| if let Some(room) = &closure.0 {
        // Its husk stays in the queue.
        for waker in room.leave_husk() {
            if let Err(payload) = unwind::catch(|| waker.wake()) {
                report_here(payload);
            }
        }
    }
);
closure_scheduler!(BlockingClosure, false, Shared::queue_blocking, blocking_job, |_: &BlockingClosure| ());

/// Runs a closure that counts as queued until it begins.
unsafe fn run_queued(data: *const ()) {
    // SAFETY: handed on. Until it has run, the closure keeps its pool alive.
    let run = unsafe { run_once(data, |task| with_pool(task, |shared, _| shared.make_room(Kind::Closures))) };
    if let Err(husk) = run {
        with_numbered(husk.0, |shared, _| shared.husk_gone());
    }
}

/// Runs a closure that is not counted while it is queued.
unsafe fn run_closure(data: *const ()) {
    // SAFETY: handed on.
    drop(unsafe { run_once(data, |_| ()) });
}

/// Runs a closure, or drops it if its pool has closed; `begins` is called before. A husk, which has been claimed, comes
/// back to be counted off: whoever has claimed it has left that to us, since the pool waits until its queues are empty.
unsafe fn run_once(data: *const (), begins: impl FnOnce(&Header)) -> Result<(), ClosureEnds> {
    // SAFETY: made by `into_raw` in `schedule`; a job runs once.
    let task = unsafe { Task::from_raw(data) };
    let number = task.header().state.pool();
    let closed = with_numbered(number, |shared, _| shared.gate.is_closed());
    if task.run_once(closed, begins) { Ok(()) } else { Err(ClosureEnds(number)) }
}

/// Reports a panic of which no particular pool must know, to the panic handler of the current pool: the one that the
/// thread is inside of, or has entered, or else the global one.
pub(crate) fn report_here(payload: Payload) {
    on_current_if_any(|shared| match shared {
        Some(shared) => shared.report_panic(payload),
        None => drop(unwind::drop_quietly(payload)),
    });
}

impl Shared {
    /// Where the current thread counts tasks.
    fn tally<'t>(&'t self, own: Option<&'t Slot>) -> Count<'t> {
        match own.filter(|slot| slot.is_running()) {
            Some(slot) => Count::Own(&slot.tally),
            None => Count::Shared(&self.outside),
        }
    }

    fn tallies(&self) -> impl Iterator<Item = &TaskTally> {
        self.slots().map(|slot| &slot.tally).chain([&self.outside])
    }

    /// Counts a new task. False: the pool has closed, and takes it no more.
    pub(crate) fn task_spawned(&self, own: Option<&Slot>) -> bool {
        self.tally(own).spawned_before(&self.gate, || self.task_ended(own))
    }

    /// Counts a new task, be the pool closed or not: then it will be cancelled when it is run.
    pub(crate) fn count_task(&self, own: Option<&Slot>) {
        self.tally(own).spawned();
    }

    /// A task's future is gone.
    fn task_ended(&self, own: Option<&Slot>) {
        self.tally(own).ended();
        self.work_ended();
    }

    /// Tasks whose futures have not been dropped. Exact when nobody spawns; 0 is always true.
    pub(crate) fn live_tasks(&self) -> u64 {
        task_tally::live(|| self.tallies())
    }

    /// Nothing is left, and nothing can come: threads may go.
    pub(crate) fn is_done(&self) -> bool {
        task_tally::is_done(&self.gate, || self.tallies())
    }

    /// Queues a task from a thread without a slot here.
    pub(crate) fn inject_task(&self, task: Task) {
        // The task may end as soon as it is queued, and the pool with it.
        let shared = self.arc();
        if shared.is_long(&task) {
            return shared.queue_long_task(task);
        }
        shared.task_injector.push(task);
        shared.notify_tasks();
    }
}

/// So many times in a row the next slot is served before the deque, lest two tasks that wake each other keep all others
/// waiting.
const NEXT_STREAK: u32 = 16;

impl Slot {
    /// Queues a task on this thread.
    #[inline]
    pub(crate) fn queue_task(&self, task: Task, why: Why) {
        let shared = self.shared();
        match why {
            Why::Spawned if !self.polling().get() || self.next.is_full() => self.tasks().push(task),
            Why::Woken if !self.polling().get() => self.tasks().push(task),
            Why::Again => {
                // This thread comes for it at once: it is work for another only if others wait too.
                let others = !self.tasks().is_empty();
                self.tasks().push(task);
                if !others {
                    return;
                }
            }
            Why::Spawned | Why::Woken => match self.next.put(task) {
                Some(displaced) => self.tasks().push(displaced),
                None => {
                    if shared.sleep.unwatched(shared.seats) {
                        // Nobody keeps watch: see `sleep.md`.
                        shared.notify_own();
                    }
                    // The poll may be long: the patrol sees that.
                    shared.see_to_next();
                    return;
                }
            },
        }
        shared.notify_own_tasks(self, why == Why::Woken);
    }

    /// The next task by the rule of the next slot.
    pub(crate) fn next_task(&self) -> Option<Task> {
        if self.next.is_full() {
            let streak = self.streak().get();
            if streak < NEXT_STREAK || self.tasks().is_empty() {
                self.streak().set(streak.saturating_add(1));
                if let Some(task) = self.next.take() {
                    return Some(task);
                }
            } else if let Some(task) = self.next.take() {
                // Nobody is told: there was work for others before.
                self.tasks().push(task);
            }
        }
        self.streak().set(0);
        self.tasks().pop()
    }

    /// Before this thread does something that takes long: what is in its next slot is for others now.
    pub(crate) fn flush_next(&self) {
        if let Some(task) = self.next.take() {
            self.tasks().push(task);
            self.shared().notify_tasks();
        }
    }

    /// The same for all its tasks: those that have yielded have been queued without a word.
    #[inline]
    pub(crate) fn offer_tasks(&self) {
        if self.next.is_full() || !self.tasks().is_empty() {
            self.offer_these_tasks();
        }
    }

    #[cold]
    #[inline(never)]
    fn offer_these_tasks(&self) {
        if let Some(task) = self.next.take() {
            self.tasks().push(task);
        }
        if !self.tasks().is_empty() {
            self.shared().notify_own_tasks(self, false);
        }
    }

    /// Somebody else has seen the next slot as it is now.
    pub(crate) fn mark_next(&self) {
        self.next.mark(self.ticks());
    }

    /// Whether the task in the next slot has lain there since it was marked: the thread has not come back.
    pub(crate) fn has_stale_next(&self) -> bool {
        self.next.is_stale(self.ticks())
    }
}
