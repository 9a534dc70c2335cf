//! A task with its type: the future, later its output, in one allocation with the header. `task.md` has the protocol.

use std::cell::UnsafeCell;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::task::{Context, Poll};

use crate::core::task::{self, Header, Task, TaskRef, VTable, Why};
use crate::core::task_context::{self, Entered};
use crate::core::task_state::{Completed, Rest, Start, Wanted};
use crate::ground::blocks;
use crate::ground::unwind::{self, Bomb, Payload};

/// Why a task has no output.
pub(crate) enum Fault {
    Cancelled,
    Panicked(Payload),
}

/// What a task asks of whoever runs such tasks. One is kept in each task; a pool's are empty. None of these unwinds.
pub(crate) trait Scheduler: Sized + 'static {
    /// Queues the task. The pool or thread that it belongs to is alive, because the task has not ended.
    fn schedule(&self, task: Task, why: Why);

    /// Before the task rests for the first time: puts it in the list of tasks, and says in which shard. None: the
    /// list is closed, cancel the task.
    fn list(&self, task: NonNull<Header>) -> Option<usize>;

    /// Takes it out again.
    fn unlist(&self, task: &Header, shard: usize);

    /// Taken along by the thread that ends a task, and dropped when nothing of the future or of an unwanted output is
    /// left, and whoever waits has been woken: what they borrow may go from then on, and the pool too. It counts the
    /// task off.
    type Last;

    /// The future is gone; called once for each task.
    fn last(&self, task: &Header) -> Self::Last;

    /// A destructor or a waker has panicked.
    fn report(&self, task: &Header, payload: Payload);

    /// Such tasks are closures: queued once, by whoever spawns them, and never at rest. Who cancels one that has not
    /// begun drops it; what lies in the queue is counted off by whoever takes it out.
    const ONCE: bool = false;

    /// Dropping the handle before the beginning cancels.
    const ENDS_WITH_HANDLE: bool = false;

    /// Somebody has claimed the task, to drop it unrun. The pool may have gone.
    fn claimed(&self) {}

    /// As `report`, by whoever has claimed the task: it may have been counted off.
    fn report_claimed(&self, task: &Header, payload: Payload) {
        self.report(task, payload);
    }
}

/// The future, until the task is complete; then the output, until it is taken.
union Stage<F: Future> {
    future: ManuallyDrop<F>,
    output: ManuallyDrop<Result<F::Output, Fault>>,
}

#[repr(C)]
pub(crate) struct Cell<F: Future, S: Scheduler> {
    // Must come first: a pointer to a task is one to its header.
    header: Header,
    scheduler: S,
    stage: UnsafeCell<Stage<F>>,
}

// What a task takes beside its future: a million tasks at rest are counted in these.
#[cfg(all(target_pointer_width = "64", not(filch_loom)))]
const _: () = assert!(size_of::<Header>() == 40);

impl<F: Future, S: Scheduler> Cell<F, S> {
    const VTABLE: VTable = VTable {
        run: Self::run,
        schedule: Self::schedule,
        take_output: Self::take_output,
        drop_output: Self::drop_output,
        free: Self::free,
        once: S::ONCE,
        ends_with_handle: S::ENDS_WITH_HANDLE,
    };

    /// A new task: the right to run it, and the reference of its handle.
    ///
    /// # Safety
    /// The future may be polled and dropped wherever the scheduler sends it, and its output taken or dropped wherever
    /// the handle goes; what they borrow outlives that.
    pub(crate) unsafe fn allocate(future: F, scheduler: S, pool: usize) -> (Task, TaskRef) {
        let header = Header::new(pool, const { &Self::VTABLE });
        let stage = UnsafeCell::new(Stage { future: ManuallyDrop::new(future) });
        let cell = blocks::new(Cell { header, scheduler, stage }).cast();
        // SAFETY: the state begins with the right to run and two references: one for each.
        unsafe { (Task::new(cell), TaskRef::new(cell)) }
    }

    /// # Safety
    /// `header` begins a cell of this type, which is alive as long as the result is used.
    unsafe fn of<'c>(header: NonNull<Header>) -> &'c Self {
        // SAFETY: as promised; all that changes behind the reference is in cells.
        unsafe { header.cast::<Self>().as_ref() }
    }

    unsafe fn schedule(task: Task, why: Why) {
        let header = task.as_ptr();
        // SAFETY: the vtable belongs to the type, and the right to run keeps the cell alive.
        let cell = unsafe { Self::of(header) };
        // The task may have been run, and its memory freed, before this returns: the scheduler is not to look at
        // itself after it has queued it.
        cell.scheduler.schedule(task, why);
    }

    /// # Safety
    /// The caller has the right to run, and gives it away.
    unsafe fn run(header: NonNull<Header>, start: Start) {
        // SAFETY: the vtable belongs to the type; the right to run keeps the cell alive.
        let cell = unsafe { Self::of(header) };
        if start == Start::Claimed {
            cell.scheduler.claimed();
        }
        let turn = task_context::enter(header);
        if start != Start::Poll {
            // SAFETY: passed on.
            return unsafe { Self::finish(header, Err(Fault::Cancelled), turn, start == Start::Claimed) };
        }
        // SAFETY: we have the right to run until the end of the poll.
        let waker = unsafe { task::borrowed_waker(header) };
        let polled = unwind::catch(|| {
            // SAFETY: the future is there until `finish`; only who has the right to run gets to it.
            let future: &mut F = unsafe { &mut (*cell.stage.get()).future };
            // SAFETY: it lies in the allocation until it is dropped in place.
            unsafe { Pin::new_unchecked(future) }.poll(&mut Context::from_waker(&waker))
        });
        match polled {
            Ok(Poll::Pending) => {
                let yielded = turn.has_yielded();
                turn.leave();
                if yielded {
                    // SAFETY: the right to run is passed on.
                    cell.scheduler.schedule(unsafe { Task::resumed(header) }, Why::Again);
                } else {
                    // SAFETY: as above.
                    unsafe { Self::rest(header) }
                }
            }
            // SAFETY: as above.
            Ok(Poll::Ready(output)) => unsafe { Self::finish(header, Ok(output), turn, false) },
            // SAFETY: as above.
            Err(payload) => unsafe { Self::finish(header, Err(Fault::Panicked(payload)), turn, false) },
        }
    }

    /// # Safety
    /// As for `run`.
    unsafe fn rest(header: NonNull<Header>) {
        // SAFETY: as in `run`.
        let cell = unsafe { Self::of(header) };
        let state = &cell.header.state;
        let mut listed = None;
        if state.shard().is_none() && !state.is_woken() {
            listed = cell.scheduler.list(header);
            if listed.is_none() {
                // SAFETY: passed on.
                return unsafe { Self::give_up(header) };
            }
        }
        match state.rest(listed) {
            Rest::Resting => {}
            // SAFETY: the right to run is still ours.
            Rest::Again => cell.scheduler.schedule(unsafe { Task::new(header) }, Why::Again),
            // SAFETY: as above.
            Rest::Cancel => unsafe { Self::give_up(header) },
        }
    }

    /// Ends a task that will not be polled again.
    ///
    /// # Safety
    /// As for `run`.
    #[cold]
    unsafe fn give_up(header: NonNull<Header>) {
        let turn = task_context::enter(header);
        // SAFETY: passed on.
        unsafe { Self::finish(header, Err(Fault::Cancelled), turn, false) }
    }

    /// Drops the future, leaves the output, and tells whoever waits. If the task was claimed it does not ask the
    /// scheduler for the pool, which may have counted the task off and gone.
    ///
    /// # Safety
    /// As for `run`.
    unsafe fn finish(header: NonNull<Header>, output: Result<F::Output, Fault>, turn: Entered, claimed: bool) {
        let bomb = Bomb("the end of a task has unwound, though every panic in it is caught");
        // SAFETY: as in `run`.
        let cell = unsafe { Self::of(header) };
        let scheduler = &cell.scheduler;
        // The future goes first, so that what it held is free when the awaiter looks.
        if std::mem::needs_drop::<F>() {
            // SAFETY: there until now; we have the right to run, and nobody drops it again, for the task completes.
            cell.contain(claimed, || unwind::catch(|| unsafe { ManuallyDrop::drop(&mut (*cell.stage.get()).future) }));
        }
        turn.leave();
        let last = (!claimed).then(|| scheduler.last(&cell.header));
        if cell.header.state.ends_alone() {
            cell.discard(output);
            // SAFETY: nobody else has a reference, and future and output are gone.
            unsafe { Self::free(header) };
        } else {
            // SAFETY: the right to run is passed on.
            unsafe { Self::leave_output(header, output, claimed) };
        }
        drop(last);
        bomb.defuse();
    }

    /// The end of a task that others know: leaves them the output.
    ///
    /// # Safety
    /// As for `run`; the future is gone.
    #[inline(never)]
    unsafe fn leave_output(header: NonNull<Header>, output: Result<F::Output, Fault>, claimed: bool) {
        // SAFETY: as in `run`.
        let cell = unsafe { Self::of(header) };
        let scheduler = &cell.scheduler;
        let wanted = cell.header.state.wanted();
        match wanted {
            // SAFETY: the future is gone, so the place is free; the handle reads it after `complete` only.
            Wanted::Yes => unsafe { ptr::write(cell.stage.get(), Stage { output: ManuallyDrop::new(output) }) },
            Wanted::No => cell.discard(output),
        }
        if let Some(shard) = cell.header.state.shard() {
            scheduler.unlist(&cell.header, shard);
            cell.header.state.unlisted();
        }
        match cell.header.state.complete(wanted) {
            Completed::Left => {}
            // SAFETY: nobody else has a reference; the output is not there or dropped.
            Completed::Free => unsafe { task::free(header) },
            Completed::Wake => {
                // SAFETY: handed over to us.
                let awaiter = unsafe { cell.header.take_awaiter() };
                cell.contain(claimed, || unwind::catch(|| awaiter.wake()));
                // SAFETY: the reference that belonged to the right to run.
                drop(unsafe { TaskRef::new(header) });
            }
            Completed::DropOutput => {
                // SAFETY: complete, and the handle has left the output to us.
                cell.contain(claimed, || unwind::catch(|| unsafe { Self::drop_output(header) }));
                // SAFETY: as above.
                drop(unsafe { TaskRef::new(header) });
            }
        }
    }

    /// Drops an output that nobody wants.
    fn discard(&self, output: Result<F::Output, Fault>) {
        match output {
            Ok(value) => self.contain(false, || unwind::catch(|| drop(value))),
            // Nobody awaits it: then it is the pool's to report.
            Err(Fault::Panicked(payload)) => self.scheduler.report(&self.header, payload),
            Err(Fault::Cancelled) => {}
        }
    }

    fn contain(&self, claimed: bool, f: impl FnOnce() -> Result<(), Payload>) {
        match f() {
            Ok(()) => {}
            Err(payload) if claimed => self.scheduler.report_claimed(&self.header, payload),
            Err(payload) => self.scheduler.report(&self.header, payload),
        }
    }

    unsafe fn take_output(header: NonNull<Header>, into: *mut ()) {
        // SAFETY: the vtable belongs to the type; the handle holds a reference.
        let cell = unsafe { Self::of(header) };
        // SAFETY: complete, and ours: the output is there and nobody else looks.
        let output = unsafe { ptr::read(&raw const (*cell.stage.get()).output) };
        // SAFETY: `into` is room for just this.
        unsafe { into.cast::<Result<F::Output, Fault>>().write(ManuallyDrop::into_inner(output)) }
    }

    unsafe fn drop_output(header: NonNull<Header>) {
        // SAFETY: as in `take_output`.
        let cell = unsafe { Self::of(header) };
        // SAFETY: as in `take_output`; dropped once.
        unsafe { ManuallyDrop::drop(&mut (*cell.stage.get()).output) }
    }

    unsafe fn free(header: NonNull<Header>) {
        let cell = header.cast::<Self>();
        // SAFETY: the last reference is gone, and nothing in the cell drops twice: the stage drops nothing by itself.
        // The scheduler is empty, or an `Arc`; if dropping it unwound, the memory would leak.
        unsafe { ptr::drop_in_place(cell.as_ptr()) };
        // SAFETY: made by `allocate` as this type, and dropped.
        unsafe { blocks::free(cell) };
    }
}
