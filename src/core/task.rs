//! A task without its type: what queues, wakers and handles hold. `task.md` has the protocol, `task_state.rs` its
//! steps.
//!
//! A task is one allocation: a [`Header`], and behind it the future and later its output (`task_cell.rs`). Whoever
//! holds a pointer to it holds one of the references that the state word counts, or borrows one.

use std::mem::{self, ManuallyDrop};
use std::num::NonZero;
use std::ptr::{self, NonNull};
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::core::task_context;
#[cfg(not(filch_loom))]
use crate::core::task_notes;
use crate::core::task_state::{Duty, Look, Start, State};
use crate::ground::blocks;
use crate::ground::sync::HandOver;
use crate::ground::unwind;

/// What begins every task. 40 bytes: a million tasks at rest are to cost no more than they must.
#[repr(C)]
pub(crate) struct Header {
    pub(crate) state: State,
    vtable: &'static VTable,
    /// The waker of whoever awaits the handle, as an [`Awaiter`] word.
    awaiter: HandOver<*mut ()>,
    /// The neighbours in the list of tasks; under its lock.
    pub(crate) links: HandOver<Links>,
}

/// The neighbours of a task in the list of tasks, or null.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Links {
    pub(crate) before: *const Header,
    pub(crate) after: *const Header,
}

/// What is done with a task by those who do not know its type.
pub(crate) struct VTable {
    /// Polls it once, or drops its future and completes it.
    pub(crate) run: unsafe fn(NonNull<Header>, Start),
    /// Queues it; the right to run goes with the call.
    pub(crate) schedule: unsafe fn(Task, Why),
    /// Moves the output to where the second pointer points: a `Result<T, Fault>`.
    pub(crate) take_output: unsafe fn(NonNull<Header>, *mut ()),
    /// Drops the output in its place. May unwind.
    pub(crate) drop_output: unsafe fn(NonNull<Header>),
    /// Frees the memory; future and output are gone.
    pub(crate) free: unsafe fn(NonNull<Header>),
    /// It is queued once and never rests, so that it may be claimed.
    pub(crate) once: bool,
    /// A handle that is dropped before it has begun cancels it.
    pub(crate) ends_with_handle: bool,
}

/// Why a task is queued: it decides where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Spawned,
    Woken,
    /// It has been polled, and wants to go on: at the end of the queue.
    Again,
}

impl Header {
    pub(crate) fn new(pool: usize, vtable: &'static VTable) -> Self {
        Header { state: State::new(pool), vtable, awaiter: HandOver::new(), links: HandOver::new() }
    }
}

/// The right to run a task, once: polled, or its future dropped. It cannot be lost: dropping it is a leak of the task.
///
/// The lowest bit of the pointer says that the task is RUNNING already, because its last poll ended in `yield_now`.
#[derive(Debug)]
#[repr(transparent)]
#[must_use]
pub(crate) struct Task(NonNull<Header>);

const RESUMED: usize = 1;

// SAFETY: the constructor of a cell asks for a future that may go where its scheduler sends it; all else is the state
// word's protocol.
unsafe impl Send for Task {}

impl Task {
    /// # Safety
    /// The caller has the right to run, and a reference with it, and gives both away.
    pub(crate) unsafe fn new(header: NonNull<Header>) -> Self {
        Task(header)
    }

    /// As `new`, but the task is still RUNNING.
    ///
    /// # Safety
    /// As for `new`.
    pub(crate) unsafe fn resumed(header: NonNull<Header>) -> Self {
        Task(header.map_addr(|addr| addr | RESUMED))
    }

    pub(crate) fn header(&self) -> &Header {
        // SAFETY: the reference that belongs to the right to run keeps it alive.
        unsafe { self.as_ptr().as_ref() }
    }

    /// The whole task, beyond the header.
    pub(crate) fn as_ptr(&self) -> NonNull<Header> {
        untagged(self.0)
    }

    /// A number that tasks of the same type have in common; now and then those of others have it, too.
    pub(crate) fn kind(&self) -> usize {
        ptr::from_ref(self.header().vtable).addr()
    }

    /// As a plain pointer, for a job.
    pub(crate) fn into_raw(self) -> *const () {
        self.0.as_ptr().cast_const().cast()
    }

    /// # Safety
    /// `raw` comes from `into_raw`, and this is the only call for it.
    pub(crate) unsafe fn from_raw(raw: *const ()) -> Self {
        // SAFETY: `into_raw` was given no null pointer.
        Task(unsafe { NonNull::new_unchecked(raw.cast_mut().cast()) })
    }

    /// Polls the task, or drops its future if it has been cancelled, or if `cancel` says so. Does not unwind.
    #[inline]
    pub(crate) fn run(self, cancel: bool) {
        let resumed = self.0.addr().get() & RESUMED != 0;
        let header = untagged(self.0);
        // SAFETY: alive, as in `header`.
        let this = unsafe { header.as_ref() };
        let start = match this.state.start(resumed) {
            Start::Poll if cancel => Start::Cancel,
            start => start,
        };
        // SAFETY: we have the right to run, and pass it on.
        unsafe { (this.vtable.run)(header, start) }
    }
}

impl Task {
    /// Runs a closure, or drops it if it has been cancelled, or if `cancel` says so; before that, `begins` is called.
    /// False: it had been claimed, and this was a husk, which is gone now. Does not unwind.
    #[must_use]
    pub(crate) fn run_once(self, cancel: bool, begins: impl FnOnce(&Header)) -> bool {
        let header = self.as_ptr();
        let Some(start) = self.header().state.start_once() else {
            // SAFETY: the queue's reference, which came with the right to run.
            drop(unsafe { TaskRef::new(header) });
            return false;
        };
        let start = if start == Start::Poll && cancel { Start::Cancel } else { start };
        begins(self.header());
        // SAFETY: we have the right to run, and pass it on.
        unsafe { (self.header().vtable.run)(header, start) };
        true
    }
}

fn untagged(header: NonNull<Header>) -> NonNull<Header> {
    // SAFETY: a header is aligned to more than the tag, so its address has other bits than that.
    header.map_addr(|addr| unsafe { NonZero::new_unchecked(addr.get() & !RESUMED) })
}

/// A counted reference to a task.
#[derive(Debug)]
pub(crate) struct TaskRef(NonNull<Header>);

// SAFETY: a reference does nothing but step the state word, which is atomic, and what follows from its duties: queue
// the task, which the scheduler allows from any thread, or free memory in which nothing lives any more.
unsafe impl Send for TaskRef {}
// SAFETY: as above.
unsafe impl Sync for TaskRef {}

impl TaskRef {
    /// # Safety
    /// The caller gives a counted reference away.
    pub(crate) unsafe fn new(header: NonNull<Header>) -> Self {
        TaskRef(header)
    }

    pub(crate) fn header(&self) -> &Header {
        // SAFETY: counted, so alive.
        unsafe { self.0.as_ref() }
    }

    /// Cancels the task. A closure that has not begun is dropped here and now.
    pub(crate) fn cancel(&self) {
        let nested = if self.header().vtable.once { task_context::nest() } else { None };
        if nested.is_some() && self.header().state.claim() {
            // SAFETY: claimed, so the right to run is ours, with a reference of its own.
            return unsafe { (self.header().vtable.run)(self.0, Start::Claimed) };
        }
        // SAFETY: counted, so alive.
        unsafe { carry_out(self.0, self.header().state.cancel()) }
    }
}

impl TaskRef {
    /// Moves the output out.
    ///
    /// # Safety
    /// The task is complete, the caller is its handle, this is the only call, and `into` is room for the task's
    /// `Result<T, Fault>`.
    pub(crate) unsafe fn take_output(&self, into: *mut ()) {
        // SAFETY: as promised.
        unsafe { (self.header().vtable.take_output)(self.0, into) }
    }

    /// Drops the output in its place. May unwind.
    ///
    /// # Safety
    /// The task is complete, the output the caller's, and not taken; this is the only call.
    unsafe fn drop_output(&self) {
        // SAFETY: as promised.
        unsafe { (self.header().vtable.drop_output)(self.0) }
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> Self {
        self.header().state.add_ref();
        TaskRef(self.0)
    }
}

impl Drop for TaskRef {
    fn drop(&mut self) {
        // SAFETY: ours, and gone with this.
        unsafe { carry_out(self.0, self.header().state.drop_ref()) }
    }
}

/// Does what a step of the state word asks for.
///
/// # Safety
/// `duty` was returned by a step of this task's state, and is carried out once.
pub(crate) unsafe fn carry_out(header: NonNull<Header>, duty: Duty) {
    match duty {
        Duty::Nothing => {}
        // SAFETY: the right to run is ours by the duty.
        Duty::Schedule => schedule(unsafe { Task::new(header) }, Why::Woken),
        // SAFETY: the last reference is gone, and the task is complete.
        Duty::Free => unsafe { free(header) },
    }
}

/// Queues a task where its scheduler wants it.
pub(crate) fn schedule(task: Task, why: Why) {
    let schedule = task.header().vtable.schedule;
    // SAFETY: the vtable belongs to the task.
    unsafe { schedule(task, why) }
}

/// # Safety
/// Nobody else has a reference, and future and output are gone.
pub(crate) unsafe fn free(header: NonNull<Header>) {
    // SAFETY: still there, by the caller's promise.
    let this = unsafe { header.as_ref() };
    #[cfg(not(filch_loom))]
    if this.state.is_noted() {
        task_notes::forget(this);
    }
    let free = this.vtable.free;
    // SAFETY: as promised.
    unsafe { free(header) }
}

// ----- wakers -----------------------------------------------------------------------------------------------------

/// One for all tasks, so that our own wakers are known when they are seen. A static, because a constant may have many
/// addresses.
static WAKER: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

fn from_data(data: *const ()) -> NonNull<Header> {
    NonNull::new(data.cast_mut().cast()).expect("a task's waker is made of its header")
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker that is cloned is counted, or borrows a count.
    unsafe { from_data(data).as_ref() }.state.add_ref();
    RawWaker::new(data, &WAKER)
}

unsafe fn wake(data: *const ()) {
    let header = from_data(data);
    // SAFETY: this waker is counted.
    let duty = unsafe { header.as_ref() }.state.wake();
    // SAFETY: the step's own duty; the waker is gone with it.
    unsafe { carry_out(header, duty) }
}

unsafe fn wake_by_ref(data: *const ()) {
    let header = from_data(data);
    // SAFETY: this waker is counted, or borrows a count.
    let duty = unsafe { header.as_ref() }.state.wake_by_ref();
    // SAFETY: the step's own duty.
    unsafe { carry_out(header, duty) }
}

unsafe fn drop_waker(data: *const ()) {
    // SAFETY: this waker is counted, and gone with this.
    drop(unsafe { TaskRef::new(from_data(data)) });
}

/// The waker that a task is polled with: it borrows the reference of the right to run.
///
/// # Safety
/// The caller has the right to run for as long as the waker is used.
pub(crate) unsafe fn borrowed_waker(header: NonNull<Header>) -> ManuallyDrop<Waker> {
    // SAFETY: the functions of `WAKER` keep the contract of wakers; this one is never dropped.
    ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(header.as_ptr().cast_const().cast(), &WAKER)) })
}

/// Whether `waker` is the one that the task is polled with.
pub(crate) fn is_waker_of(waker: &Waker, header: *const Header) -> bool {
    ptr::eq(waker.vtable(), &WAKER) && ptr::eq(waker.data().cast(), header)
}

// ----- the awaiter ------------------------------------------------------------------------------------------------

/// A waker in one word: one of our own as the task's pointer with the lowest bit set, any other in a block.
struct Awaiter(*mut ());

const OWN: usize = 1;

impl Awaiter {
    fn word_of(waker: &Waker) -> Option<*mut ()> {
        ptr::eq(waker.vtable(), &WAKER).then(|| waker.data().cast_mut().map_addr(|addr| addr | OWN))
    }

    fn new(waker: Waker) -> Self {
        match Awaiter::word_of(&waker) {
            Some(word) => {
                mem::forget(waker);
                Awaiter(word)
            }
            None => Awaiter(blocks::new(waker).as_ptr().cast()),
        }
    }

    fn into_waker(self) -> Waker {
        if self.0.addr() & OWN != 0 {
            let data = self.0.map_addr(|addr| addr & !OWN).cast_const();
            // SAFETY: the waker that `new` has forgotten, with the vtable that it had.
            unsafe { Waker::from_raw(RawWaker::new(data, &WAKER)) }
        } else {
            // SAFETY: made by `new`, so not null.
            let block = unsafe { NonNull::new_unchecked(self.0.cast::<Waker>()) };
            // SAFETY: taken once.
            let waker = unsafe { block.read() };
            // SAFETY: of this type, and moved out.
            unsafe { blocks::free(block) };
            waker
        }
    }
}

impl Header {
    /// Takes the awaiter's waker out.
    ///
    /// # Safety
    /// The place has been written, and is the caller's: by `Completed::Wake`, or because it has taken it back.
    pub(crate) unsafe fn take_awaiter(&self) -> Waker {
        // SAFETY: as promised.
        Awaiter(unsafe { self.awaiter.read() }).into_waker()
    }

    /// The handle's part of awaiting: true if the task is complete, and the output the handle's; else `waker` will be
    /// woken.
    ///
    /// # Safety
    /// The caller is the task's only handle.
    pub(crate) unsafe fn poll_complete(&self, waker: &Waker) -> bool {
        match self.state.look() {
            Look::Complete => return true,
            Look::Free => {}
            Look::Waiting => {
                // SAFETY: written before it was handed over, by us; nobody writes it but us.
                let word = unsafe { self.awaiter.read() };
                if Awaiter::word_of(waker) == Some(word) {
                    return false;
                }
                if !self.state.take_back_awaiter() {
                    return true;
                }
                // SAFETY: taken back.
                let old = unsafe { self.take_awaiter() };
                if old.will_wake(waker) {
                    // SAFETY: as it was.
                    return unsafe { self.hand_over(old) };
                }
                // Foreign code, which may unwind: the place is free, and that is a state that we may leave.
                drop(old);
            }
        }
        // SAFETY: the place is free, and the handle's.
        unsafe { self.hand_over(waker.clone()) }
    }

    /// # Safety
    /// The awaiter's place is the caller's.
    unsafe fn hand_over(&self, waker: Waker) -> bool {
        let awaiter = Awaiter::new(waker);
        // SAFETY: the caller's.
        unsafe { self.awaiter.write(awaiter.0) };
        if self.state.hand_over_awaiter() {
            return false;
        }
        // SAFETY: not handed over, so still ours.
        drop(unsafe { self.take_awaiter() });
        true
    }
}

/// [`detach`], where it is a single step, as it is for most handles that are dropped at once. Returned if it is not.
///
/// # Safety
/// As for `detach`.
#[inline]
pub(crate) unsafe fn detach_quietly(task: TaskRef, cancel: bool) -> Option<TaskRef> {
    let header = task.header();
    if (cancel && header.vtable.ends_with_handle) || !header.state.drop_quiet_handle() {
        return Some(task);
    }
    // The step has counted the reference off.
    mem::forget(task);
    None
}

/// Gives up the handle's part: the task goes on alone, or, if `cancel` says so and it is of a kind that ends with its
/// handle, is cancelled if it has not begun. Returned if it is complete: then the output is still the handle's.
/// May unwind, with what the awaiter's waker panics with; the handle's part is given up nevertheless.
///
/// # Safety
/// `task` is the reference of the task's only handle, which has not taken the output.
pub(crate) unsafe fn detach(task: TaskRef, cancel: bool) -> Option<TaskRef> {
    let header = task.header();
    let mut panicked = None;
    if header.state.look() == Look::Waiting && header.state.take_back_awaiter() {
        // SAFETY: taken back.
        let waker = unsafe { header.take_awaiter() };
        // Foreign code; the handle has to go on in any case.
        panicked = unwind::catch(|| drop(waker)).err();
    }
    if cancel && header.vtable.ends_with_handle && !header.state.is_complete() {
        task.cancel();
    }
    let left = match header.state.drop_handle() {
        Some(duty) => {
            // The step has counted the reference off.
            let task = ManuallyDrop::new(task);
            // SAFETY: the step's own duty.
            unsafe { carry_out(task.0, duty) };
            None
        }
        None => Some(task),
    };
    if let Some(payload) = panicked {
        if let Some(task) = left {
            // SAFETY: complete, and the output is the handle's, which has not taken it.
            unsafe { task.drop_output() };
        }
        unwind::resume(payload);
    }
    left
}
