//! Type-erased jobs: what lies in a queue.
//!
//! A [`JobRef`] is a pointer and a function; whoever holds it runs it exactly once, or it leaks. There are two kinds
//! of memory behind the pointer: a frame of a thread that waits for the job (fork jobs, roots), or a heap block that
//! the job frees itself (spawned closures, scope jobs, tasks).
//!
//! A [`ForkRef`] is a `JobRef` whose memory begins with a [`ForkHeader`]. The header stays uninitialised while the
//! job is private to its owner, so an un-stolen `join` never writes it; whoever makes the job public does.

use std::cell::UnsafeCell;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ptr::{self, NonNull};

use crate::core::latch::{Latch, Waiter};
use crate::core::lineage::ScopeNode;
use crate::ground::blocks;
use crate::ground::sync::{AtomicU32, Ordering};
use crate::ground::unwind::{self, Payload};

/// A job to be run once. See the module. Two words: many of them lie in queues.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JobRef {
    /// The job, which is aligned: the lowest bits say where its scope is to be found.
    data: *const (),
    run: unsafe fn(*const ()),
}

/// The bits of `JobRef::data`: the job's memory begins with the pointer to its scope, or with the scope itself.
const NAMES_SCOPE: usize = 1;
const IS_SCOPE: usize = 2;

// SAFETY: every constructor's contract requires that the job may run on any thread.
unsafe impl Send for JobRef {}

impl JobRef {
    /// A job that no scope waits for.
    ///
    /// # Safety
    /// `run(data)` may be called once, on any thread, whenever that is. `data` is a multiple of 4.
    pub(crate) unsafe fn new(data: *const (), run: unsafe fn(*const ())) -> Self {
        debug_assert!(data.addr() % 4 == 0);
        JobRef { data, run }
    }

    /// A job of the scope that `data` begins with, whose memory is all that it needs.
    ///
    /// # Safety
    /// As [`new`](Self::new); and `data` is alive until the job has run.
    pub(crate) unsafe fn of_scope(data: *const ScopeNode, run: unsafe fn(*const ())) -> Self {
        JobRef { data: data.cast::<()>().map_addr(|address| address | IS_SCOPE), run }
    }

    /// The scope that waits for this job, or null: alive at least until the job has run.
    ///
    /// # Safety
    /// The job is in hand and not yet run.
    #[inline]
    pub(crate) unsafe fn scope(&self) -> *const ScopeNode {
        match self.data.addr() & (NAMES_SCOPE | IS_SCOPE) {
            0 => ptr::null(),
            // SAFETY: so marked by `ScopeJob::new_ref`; the job frees its memory when it runs.
            NAMES_SCOPE => unsafe { *self.data().cast::<*const ScopeNode>() },
            _ => self.data().cast(),
        }
    }

    /// Whether a scope waits for this job.
    pub(crate) fn has_scope(&self) -> bool {
        self.data.addr() & (NAMES_SCOPE | IS_SCOPE) != 0
    }

    fn data(&self) -> *const () {
        self.data.map_addr(|address| address & !(NAMES_SCOPE | IS_SCOPE))
    }

    /// Whether both are copies of one reference, to a job that is alive.
    pub(crate) fn is(&self, other: &JobRef) -> bool {
        ptr::eq(self.data, other.data)
    }

    /// Whether this is the fork with that header, which is alive: what [`ForkRef::into_job`] has made of it.
    pub(crate) fn is_of(&self, header: &ForkHeader) -> bool {
        ptr::eq(self.data.cast(), header)
    }

    /// Runs the job.
    ///
    /// # Safety
    /// Called once for all copies of this reference. It does not unwind: every kind of job catches its panics.
    pub(crate) unsafe fn run(self) {
        // SAFETY: `new`'s contract, and the caller's promise that this is the only call.
        unsafe { (self.run)(self.data()) }
    }
}

/// A closure on the heap that frees itself when it has run. Aligned also if it is of no size, for the bits of `JobRef`.
#[repr(align(4))]
pub(crate) struct HeapJob<F>(F);

impl<F: FnOnce() + Send> HeapJob<F> {
    /// Puts `f` on the heap, as a job.
    ///
    /// # Safety
    /// `f` does not unwind, and what it borrows outlives its run.
    pub(crate) unsafe fn new_ref(f: F) -> JobRef {
        unsafe fn run<F: FnOnce()>(data: *const ()) {
            // SAFETY: made below, and never null.
            let job = unsafe { NonNull::new_unchecked(data.cast_mut().cast::<HeapJob<F>>()) };
            // SAFETY: a job runs once, so the closure is there, and is taken once.
            let HeapJob(f) = unsafe { job.read() };
            // Before the closure runs: it may spawn the next one into the same memory.
            // SAFETY: made by `blocks::new` for this type; the closure has been moved out.
            unsafe { blocks::free(job) };
            f();
        }
        let data = blocks::new(HeapJob(f)).as_ptr().cast_const().cast::<()>();
        // SAFETY: `run::<F>` matches `data`; `F: Send`; the borrows are the caller's promise.
        unsafe { JobRef::new(data, run::<F>) }
    }
}

/// The same for a closure that a scope waits for, which it is given. The pointer to the scope comes first.
#[repr(C)]
pub(crate) struct ScopeJob<F> {
    scope: *const ScopeNode,
    f: F,
}

impl<F: FnOnce(*const ScopeNode) + Send> ScopeJob<F> {
    /// Puts `f` on the heap, as a job.
    ///
    /// # Safety
    /// `f` does not unwind, and what it borrows outlives its run: whoever waits for `scope`, which is alive as long, sees
    /// to that.
    pub(crate) unsafe fn new_ref(f: F, scope: *const ScopeNode) -> JobRef {
        unsafe fn run<F: FnOnce(*const ScopeNode)>(data: *const ()) {
            // SAFETY: made below, and never null.
            let job = unsafe { NonNull::new_unchecked(data.cast_mut().cast::<ScopeJob<F>>()) };
            // SAFETY: a job runs once, so the closure is there, and is taken once.
            let ScopeJob { scope, f } = unsafe { job.read() };
            // Before the closure runs: it may spawn the next one into the same memory.
            // SAFETY: made by `blocks::new` for this type; the closure has been moved out.
            unsafe { blocks::free(job) };
            f(scope);
        }
        let data = blocks::new(ScopeJob { scope, f }).as_ptr().cast_const().cast::<()>();
        // Run with `data` as it was: the mark is taken off.
        JobRef { data: data.map_addr(|address| address | NAMES_SCOPE), run: run::<F> }
    }
}

/// No thread has taken the job yet.
const NO_THIEF: u32 = u32::MAX;

/// What a fork job carries once it is public.
#[derive(Debug)]
pub(crate) struct ForkHeader {
    pub(crate) latch: Latch,
    /// The slot index of whoever took the job, for leapfrogging; [`NO_THIEF`] until it says so, and for ever if it
    /// had other forks when it took the job: then not all it has are parts of this one.
    thief: AtomicU32,
    /// A scope that the job is inside of (the innermost, or one further out), or null if none is known.
    scope: *const ScopeNode,
}

impl ForkHeader {
    pub(crate) fn thief(&self) -> Option<u32> {
        // Relaxed: the index is only a hint where to look; the latch orders everything else.
        match self.thief.load(Ordering::Relaxed) {
            NO_THIEF => None,
            index => Some(index),
        }
    }
}

/// A job that lies in the frame of the `join` that waits for it, or of the loop of which it is the rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForkRef {
    /// The job, which is aligned: the lowest bits say whether it can be split, and whether it has been split off.
    data: *const (),
    run: unsafe fn(*const ()),
}

/// The bits of `ForkRef::data`.
const SPLITTABLE: usize = 1;
const SPLIT_OFF: usize = 2;

/// Takes a part off a job that is still private, one of `into + 1` equal ones; `None` if it is too small. The part is a
/// job of its own, older than what is left, and private as well.
pub(crate) type SplitFn = unsafe fn(*const (), usize) -> Option<ForkRef>;

/// What the memory of a job that can be split begins with.
#[repr(C)]
struct SplitHead {
    header: UnsafeCell<MaybeUninit<ForkHeader>>,
    split: SplitFn,
}

// SAFETY: `ForkJob::as_ref` requires closure and result to be Send.
unsafe impl Send for ForkRef {}

impl ForkRef {
    fn data(&self) -> *const () {
        self.data.map_addr(|address| address & !(SPLITTABLE | SPLIT_OFF))
    }

    pub(crate) fn header(&self) -> *const ForkHeader {
        self.data().cast()
    }

    /// Whether [`split`](Self::split) may be called.
    pub(crate) fn is_splittable(&self) -> bool {
        self.data.addr() & SPLITTABLE != 0
    }

    /// Whether it is a part of a loop, or the rest of one.
    pub(crate) fn is_part(&self) -> bool {
        self.data.addr() & (SPLITTABLE | SPLIT_OFF) != 0
    }

    /// Takes a part off; see [`SplitFn`].
    ///
    /// # Safety
    /// The job is splittable and private, and stays so meanwhile: called by its owner.
    pub(crate) unsafe fn split(&self, into: usize) -> Option<ForkRef> {
        debug_assert!(self.is_splittable());
        let data = self.data();
        // SAFETY: such a job begins with a `SplitHead` (`ForkJob::as_splittable`); the rest is the caller's promise.
        unsafe { ((*data.cast::<SplitHead>()).split)(data, into) }
    }

    /// Readies the header for other threads' eyes.
    ///
    /// # Safety
    /// The job is still private: nobody else reads or writes its header now; `waiter` is its owner's.
    pub(crate) unsafe fn make_public(&self, waiter: Waiter, scope: *const ScopeNode) {
        let header = ForkHeader { latch: Latch::new(waiter), thief: AtomicU32::new(NO_THIEF), scope };
        // SAFETY: the memory begins with an `UnsafeCell<MaybeUninit<ForkHeader>>` (repr(C) of `ForkJob`), exclusive
        // by the caller's promise. The header has no destructor to run for the old contents.
        unsafe { ptr::write(self.header().cast_mut(), header) }
    }

    /// The thief says who it is.
    ///
    /// # Safety
    /// The caller has taken the public job and not yet run it.
    pub(crate) unsafe fn taken_by(&self, thief: u32) {
        // SAFETY: the owner waits for the latch, which only the caller can set, so the header is alive.
        unsafe { (*self.header()).thief.store(thief, Ordering::Relaxed) }
    }

    /// A scope that the job is inside of, or null.
    ///
    /// # Safety
    /// The caller has taken the public job and not yet run it.
    pub(crate) unsafe fn scope(&self) -> *const ScopeNode {
        // SAFETY: as in `taken_by`.
        unsafe { (*self.header()).scope }
    }

    /// Runs the job as a thief, and sets its latch.
    ///
    /// # Safety
    /// The caller has taken the public job (once for all copies), and keeps the pool of its owner alive.
    pub(crate) unsafe fn run_stolen(self) {
        // SAFETY: as promised.
        unsafe { (self.run)(self.data()) }
    }

    /// The same job as a plain reference, for the injector.
    pub(crate) fn into_job(self) -> JobRef {
        JobRef { data: self.data(), run: self.run }
    }
}

/// The second arm of a `join`, as a thief sees it.
pub(crate) trait Arm: Send {
    /// What the arm returns.
    type Out: Send;

    /// Runs the arm on the current thread, which has stolen it.
    fn run_stolen(self) -> Self::Out;
}

/// The second arm of a `join`, later its result, in the frame of the `join`. Or the rest of a loop, in the loop's
/// frame; then `more` tells how to split it.
#[repr(C)]
pub(crate) struct ForkJob<B: Arm, X = ()> {
    // Must come first: `ForkRef::header` relies on it.
    header: UnsafeCell<MaybeUninit<ForkHeader>>,
    // Must come second: `SplitHead`.
    more: X,
    arm: UnsafeCell<MaybeUninit<B>>,
    result: UnsafeCell<MaybeUninit<Result<B::Out, Payload>>>,
}

impl<B: Arm> ForkJob<B> {
    #[inline(always)]
    pub(crate) fn new(arm: B) -> Self {
        ForkJob {
            header: UnsafeCell::new(MaybeUninit::uninit()),
            more: (),
            arm: UnsafeCell::new(MaybeUninit::new(arm)),
            result: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }
}

impl<B: Arm, X> ForkJob<B, X> {
    /// A job without an arm: for [`refill`](Self::refill).
    #[inline(always)]
    pub(crate) fn vacant(more: X) -> Self {
        ForkJob {
            header: UnsafeCell::new(MaybeUninit::uninit()),
            more,
            arm: UnsafeCell::new(MaybeUninit::uninit()),
            result: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// The erased reference.
    ///
    /// # Safety
    /// The job stays where it is until it is reclaimed or its latch is set. Neither return nor unwinding may get past
    /// that.
    #[inline(always)]
    pub(crate) unsafe fn as_ref(&self) -> ForkRef {
        ForkRef { data: ptr::from_ref(self).cast(), run: Self::run }
    }

    /// The erased reference to a job that can be split.
    ///
    /// # Safety
    /// As [`as_ref`](Self::as_ref); and `X` is `repr(C)`, at most as aligned as a pointer, and begins with a
    /// [`SplitFn`] for such jobs.
    #[inline(always)]
    pub(crate) unsafe fn as_splittable(&self) -> ForkRef {
        const {
            assert!(align_of::<X>() == align_of::<SplitFn>());
            assert!(align_of::<Self>() > SPLITTABLE | SPLIT_OFF);
        }
        ForkRef { data: ptr::from_ref(self).cast::<()>().map_addr(|address| address | SPLITTABLE), run: Self::run }
    }

    /// The erased reference to a job that has been split off another.
    ///
    /// # Safety
    /// As [`as_ref`](Self::as_ref).
    pub(crate) unsafe fn as_split_off(&self) -> ForkRef {
        const { assert!(align_of::<Self>() > SPLITTABLE | SPLIT_OFF) }
        ForkRef { data: ptr::from_ref(self).cast::<()>().map_addr(|address| address | SPLIT_OFF), run: Self::run }
    }

    /// What stands beside the arm.
    #[inline(always)]
    pub(crate) fn more(&self) -> &X {
        &self.more
    }

    /// The arm in place, for its owner.
    ///
    /// # Safety
    /// The job is private, or not in any queue; the arm has not been taken; nobody else looks at it.
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn arm(&self) -> &mut B {
        // SAFETY: exclusive by the caller's promise.
        unsafe { (*self.arm.get()).assume_init_mut() }
    }

    /// Puts a new arm where there is none.
    ///
    /// # Safety
    /// The job is in no queue, and it has no arm, or it has been taken.
    #[inline(always)]
    pub(crate) unsafe fn refill(&self, arm: B) {
        // SAFETY: exclusive by the caller's promise; nothing is overwritten that would have to be dropped.
        unsafe { self.arm.get().write(MaybeUninit::new(arm)) }
    }

    unsafe fn run(data: *const ()) {
        let job = data.cast::<Self>();
        // SAFETY: taken once by a thief, so the owner leaves `arm` and `result` alone until the latch is set, and the
        // frame is alive until then.
        let arm = unsafe { (*(*job).arm.get()).assume_init_read() };
        #[cfg(mutant = "stolen_set_early")]
        // SAFETY: none: the frame may go now. (The pause lets loom look at that: it cannot stop at a plain write.)
        unsafe {
            Latch::set(&raw const (*data.cast::<ForkHeader>()).latch);
            crate::ground::sync::spin_loop();
        };
        let outcome = unwind::catch(move || arm.run_stolen());
        // SAFETY: as above; `result` is written once.
        unsafe { (*(*job).result.get()).write(outcome) };
        // SAFETY: the header lies at the start of the job and was initialised when the job was made public. The
        // latch's Release hands `result` over. The thief's thread keeps the pool alive.
        #[cfg(not(mutant = "stolen_set_early"))]
        unsafe {
            Latch::set(&raw const (*data.cast::<ForkHeader>()).latch)
        };
    }

    /// Takes the arm back, to run it or to drop it.
    ///
    /// # Safety
    /// The job has been reclaimed: no other thread has or will have a reference. Called at most once, and not
    /// together with `into_result`.
    #[inline(always)]
    pub(crate) unsafe fn take(&self) -> B {
        // SAFETY: exclusive and first, by the caller's promise.
        unsafe { (*self.arm.get()).assume_init_read() }
    }

    /// The header, once the job has been public.
    ///
    /// # Safety
    /// The job was made public.
    pub(crate) unsafe fn header(&self) -> &ForkHeader {
        // SAFETY: initialised by `make_public`, and never written as a whole again while `self` lives.
        unsafe { (*self.header.get()).assume_init_ref() }
    }

    /// What the thief left.
    ///
    /// # Safety
    /// The latch has been seen set. Called at most once.
    pub(crate) unsafe fn result(&self) -> Result<B::Out, Payload> {
        // SAFETY: written before the latch was set, and the latch's Acquire makes it visible.
        unsafe { (*self.result.get()).assume_init_read() }
    }
}

/// A closure in the frame of a thread that blocks until it has run elsewhere: a root handed to the pool. If it never
/// runs, what it has captured is not dropped.
pub(crate) struct RootJob<F, R> {
    latch: Latch,
    func: UnsafeCell<ManuallyDrop<F>>,
    result: UnsafeCell<MaybeUninit<Result<R, Payload>>>,
}

impl<F, R> RootJob<F, R>
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    pub(crate) fn new(func: F, waiter: Waiter) -> Self {
        RootJob {
            latch: Latch::new(waiter),
            func: UnsafeCell::new(ManuallyDrop::new(func)),
            result: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// The erased reference.
    ///
    /// # Safety
    /// The job stays where it is until its latch is set, or as long as somebody may run the reference.
    pub(crate) unsafe fn as_ref(&self) -> JobRef {
        // SAFETY: `run` matches `self`; F and R are Send.
        unsafe { JobRef::new(ptr::from_ref(self).cast(), Self::run) }
    }

    unsafe fn run(data: *const ()) {
        let job = data.cast::<Self>();
        // SAFETY: a job runs once, and its owner blocks until the latch is set.
        let func = unsafe { ManuallyDrop::take(&mut *(*job).func.get()) };
        let outcome = unwind::catch(func);
        #[cfg(mutant = "root_set_early")]
        // SAFETY: none: the frame may go now. (The pause lets loom look at that: it cannot stop at a plain write.)
        unsafe {
            Latch::set(&raw const (*job).latch);
            crate::ground::sync::spin_loop();
        };
        // SAFETY: as above; written once, handed over by the latch.
        unsafe { (*(*job).result.get()).write(outcome) };
        // SAFETY: alive until set. The waiter is `Outside`, or of a pool that waits for this one.
        #[cfg(not(mutant = "root_set_early"))]
        unsafe {
            Latch::set(&raw const (*job).latch)
        };
    }

    pub(crate) fn latch(&self) -> &Latch {
        &self.latch
    }

    /// What the job left.
    ///
    /// # Safety
    /// The latch has been seen set. Called at most once.
    pub(crate) unsafe fn result(&self) -> Result<R, Payload> {
        // SAFETY: written before the latch was set.
        unsafe { (*self.result.get()).assume_init_read() }
    }
}
