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
use std::ptr;

use crate::core::latch::{Latch, Waiter};
use crate::core::lineage::ScopeNode;
use crate::ground::sync::{AtomicU32, Ordering};
use crate::ground::unwind::{self, Payload};

/// A job to be run once. See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JobRef {
    data: *const (),
    run: unsafe fn(*const ()),
    /// The scope that waits for this job, or null.
    scope: *const ScopeNode,
}

// SAFETY: every constructor's contract requires that the job may run on any thread.
unsafe impl Send for JobRef {}

impl JobRef {
    /// # Safety
    /// `run(data)` may be called once, on any thread, whenever that is.
    pub(crate) unsafe fn new(data: *const (), run: unsafe fn(*const ()), scope: *const ScopeNode) -> Self {
        JobRef { data, run, scope }
    }

    /// The scope that waits for this job, or null: alive at least until the job has run.
    pub(crate) fn scope(&self) -> *const ScopeNode {
        self.scope
    }

    /// Runs the job.
    ///
    /// # Safety
    /// Called once for all copies of this reference. It does not unwind: every kind of job catches its panics.
    pub(crate) unsafe fn run(self) {
        // SAFETY: `new`'s contract, and the caller's promise that this is the only call.
        unsafe { (self.run)(self.data) }
    }
}

/// A closure on the heap that frees itself when it has run.
pub(crate) struct HeapJob<F>(F);

impl<F: FnOnce() + Send> HeapJob<F> {
    /// Boxes `f` into a job.
    ///
    /// # Safety
    /// `f` does not unwind, and what it borrows outlives its run: whoever waits for `scope` sees to that.
    pub(crate) unsafe fn new_ref(f: F, scope: *const ScopeNode) -> JobRef {
        unsafe fn run<F: FnOnce()>(data: *const ()) {
            // SAFETY: made by `Box::into_raw` below, and a job runs once.
            let job = unsafe { Box::from_raw(data.cast_mut().cast::<HeapJob<F>>()) };
            (job.0)();
        }
        let data = Box::into_raw(Box::new(HeapJob(f))).cast_const().cast::<()>();
        // SAFETY: `run::<F>` matches `data`; `F: Send`; the borrows are the caller's promise.
        unsafe { JobRef::new(data, run::<F>, scope) }
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

/// A job that lies in the frame of the `join` that waits for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForkRef {
    data: *const (),
    run: unsafe fn(*const ()),
}

// SAFETY: `ForkJob::as_ref` requires closure and result to be Send.
unsafe impl Send for ForkRef {}

impl ForkRef {
    pub(crate) fn header(&self) -> *const ForkHeader {
        self.data.cast()
    }

    /// Readies the header for other threads' eyes.
    ///
    /// # Safety
    /// The job is still private: nobody else reads or writes its header now; `waiter` is its owner's.
    pub(crate) unsafe fn make_public(&self, waiter: Waiter, scope: *const ScopeNode) {
        let header = ForkHeader { latch: Latch::new(waiter), thief: AtomicU32::new(NO_THIEF), scope };
        // SAFETY: the memory begins with an `UnsafeCell<MaybeUninit<ForkHeader>>` (repr(C) of `ForkJob`), exclusive
        // by the caller's promise. The header has no destructor to run for the old contents.
        unsafe { ptr::write(self.data.cast_mut().cast::<ForkHeader>(), header) }
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
        unsafe { (self.run)(self.data) }
    }

    /// The same job as a plain reference, for the injector.
    pub(crate) fn into_job(self) -> JobRef {
        JobRef { data: self.data, run: self.run, scope: ptr::null() }
    }
}

/// The second arm of a `join`, as a thief sees it.
pub(crate) trait Arm: Send {
    /// What the arm returns.
    type Out: Send;

    /// Runs the arm on the current thread, which has stolen it.
    fn run_stolen(self) -> Self::Out;
}

/// The second arm of a `join`, later its result, in the frame of the `join`.
#[repr(C)]
pub(crate) struct ForkJob<B: Arm> {
    // Must come first: `ForkRef::header` relies on it.
    header: UnsafeCell<MaybeUninit<ForkHeader>>,
    arm: UnsafeCell<ManuallyDrop<B>>,
    result: UnsafeCell<MaybeUninit<Result<B::Out, Payload>>>,
}

impl<B: Arm> ForkJob<B> {
    #[inline(always)]
    pub(crate) fn new(arm: B) -> Self {
        ForkJob {
            header: UnsafeCell::new(MaybeUninit::uninit()),
            arm: UnsafeCell::new(ManuallyDrop::new(arm)),
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

    unsafe fn run(data: *const ()) {
        let job = data.cast::<Self>();
        // SAFETY: taken once by a thief, so the owner leaves `arm` and `result` alone until the latch is set, and the
        // frame is alive until then.
        let arm = unsafe { ManuallyDrop::take(&mut *(*job).arm.get()) };
        let outcome = unwind::catch(move || arm.run_stolen());
        // SAFETY: as above; `result` is written once.
        unsafe { (*(*job).result.get()).write(outcome) };
        // SAFETY: the header lies at the start of the job and was initialised when the job was made public. The
        // latch's Release hands `result` over. The thief's thread keeps the pool alive.
        unsafe { Latch::set(&raw const (*data.cast::<ForkHeader>()).latch) };
    }

    /// Takes the arm back, to run it or to drop it.
    ///
    /// # Safety
    /// The job has been reclaimed: no other thread has or will have a reference. Called at most once, and not
    /// together with `into_result`.
    #[inline(always)]
    pub(crate) unsafe fn take(&self) -> B {
        // SAFETY: exclusive and first, by the caller's promise.
        unsafe { ManuallyDrop::take(&mut *self.arm.get()) }
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

/// A closure in the frame of a thread that blocks until it has run elsewhere: a root handed to the pool.
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
    /// The job stays where it is until its latch is set.
    pub(crate) unsafe fn as_ref(&self) -> JobRef {
        // SAFETY: `run` matches `self`; F and R are Send.
        unsafe { JobRef::new(ptr::from_ref(self).cast(), Self::run, ptr::null()) }
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
