//! `join`: two closures, perhaps in parallel.

use std::mem;

use crate::core::fork_stack::Returned;
use crate::core::job::{Arm, ForkJob};
use crate::ground::unwind::{self, Payload};
use crate::pool::current;
use crate::pool::enter::enter_current;
use crate::pool::handle::Handle;
use crate::pool::slot::Slot;

/// Tells a closure of [`join_context`] where it runs.
///
/// ```
/// /// Cut into eight, and into more where parts are taken by other threads.
/// fn sum(numbers: &[u64], cuts: u32) -> u64 {
///     if cuts == 0 || numbers.len() < 2 {
///         return numbers.iter().sum();
///     }
///     let (left, right) = numbers.split_at(numbers.len() / 2);
///     let (left, right) = filch::join_context(
///         |_| sum(left, cuts - 1),
///         |context| sum(right, if context.migrated() { 3 } else { cuts - 1 }),
///     );
///     left + right
/// }
/// assert_eq!(sum(&vec![1; 100_000], 3), 100_000);
/// ```
#[derive(Debug)]
pub struct FnContext {
    migrated: bool,
    // A context is for the thread it was made on.
    _not_send: std::marker::PhantomData<*mut ()>,
}

impl FnContext {
    #[inline(always)]
    pub(crate) fn new(migrated: bool) -> Self {
        FnContext { migrated, _not_send: std::marker::PhantomData }
    }

    /// Whether the closure runs on another thread than the one that called [`join_context`].
    #[inline]
    pub fn migrated(&self) -> bool {
        self.migrated
    }
}

/// Runs two closures, perhaps in parallel, and returns both results.
///
/// `a` runs on the calling thread; `b` runs after it, unless another thread has come free and taken it. Nothing is
/// shared between threads until one is hungry, so a `join` whose second arm is not stolen costs a few nanoseconds,
/// and a recursive algorithm needs no cutoff of its own to be quick.
///
/// On a thread outside of any pool it uses the global pool: in place if a seat is free, which is the usual case, else
/// on one of its workers.
///
/// Use it for work that is bound by the processor. A closure that blocks holds up the worker; see
/// [`spawn_blocking`](crate::spawn_blocking). The closures need not run at the same time: one that waits for the
/// other never ends. While it waits for a stolen `b`, the thread runs only parts of `b`, unless
/// [`WaitPolicy`](crate::WaitPolicy) says otherwise, so a lock may be held across `join`.
///
/// # Panics
/// If a closure panics, `join` panics with the same payload, but not before the other one has ended or is sure not to
/// begin. If both panic, the payload of `a` wins.
///
/// # Source
/// The names are rayon's. Private forks follow Acar, Charguéraud and Rainey ("Scheduling Parallel Programs by Work
/// Stealing with Private Deques", 2013); waiting, Wagner and Calder ("Leapfrogging", 1993).
///
/// ```
/// fn fib(n: u32) -> u64 {
///     if n < 2 {
///         return n.into();
///     }
///     let (a, b) = filch::join(|| fib(n - 1), || fib(n - 2));
///     a + b
/// }
/// assert_eq!(fib(20), 6765);
/// ```
#[inline(always)]
pub fn join<A, B, RA, RB>(a: A, b: B) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    // SAFETY: the reference does not leave this function.
    match unsafe { current::slot() } {
        Some(slot) => fork(slot, |_| a(), Plain(b)),
        None => outside(move || join(a, b)),
    }
}

/// [`join`], telling each closure whether it has been moved to another thread.
///
/// A closure that has not been moved runs right after or before its sibling: an algorithm can take that as a sign
/// that nobody is hungry, and split less.
///
/// # Panics
/// As [`join`].
///
/// ```
/// let (a, b) = filch::join_context(|c| c.migrated(), |c| c.migrated());
/// assert!(!a);
/// // `b` is true if a thief took the second closure.
/// # let _ = b;
/// ```
#[inline(always)]
pub fn join_context<A, B, RA, RB>(a: A, b: B) -> (RA, RB)
where
    A: FnOnce(FnContext) -> RA + Send,
    B: FnOnce(FnContext) -> RB + Send,
    RA: Send,
    RB: Send,
{
    // SAFETY: the reference does not leave this function.
    match unsafe { current::slot() } {
        Some(slot) => fork(slot, |_| a(FnContext::new(false)), Told(b)),
        None => outside(move || join_context(a, b)),
    }
}

/// [`join`] for those who are inside of a pool: no code is made for other threads.
#[inline(always)]
pub(crate) fn join_inside<A, B, RA, RB>(a: A, b: B) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    // SAFETY: the reference does not leave this function.
    let slot = unsafe { current::slot() }.expect("the caller has entered a pool");
    fork(slot, |_| a(), Plain(b))
}

/// Takes the closure into the pool.
#[cold]
#[inline(never)]
fn outside<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    enter_current(move |_| f())
}

/// The second arm of a `join`, as its owner sees it.
pub(crate) trait ForkArm: Arm {
    /// Whether the arm runs even if the first one has panicked, as with rayon. Costs a `catch_unwind` in each `join`.
    const RUNS_ALWAYS: bool = false;

    /// Runs the arm in the frame of its `join`.
    fn run_inline(self, slot: &Slot) -> Self::Out;
}

/// The second arm of `join`.
struct Plain<B>(B);

impl<B: FnOnce() -> R + Send, R: Send> Arm for Plain<B> {
    type Out = R;

    fn run_stolen(self) -> R {
        (self.0)()
    }
}

impl<B: FnOnce() -> R + Send, R: Send> ForkArm for Plain<B> {
    #[inline(always)]
    fn run_inline(self, _: &Slot) -> R {
        (self.0)()
    }
}

/// The second arm of `join_context`.
struct Told<B>(B);

impl<B: FnOnce(FnContext) -> R + Send, R: Send> Arm for Told<B> {
    type Out = R;

    fn run_stolen(self) -> R {
        (self.0)(FnContext::new(true))
    }
}

impl<B: FnOnce(FnContext) -> R + Send, R: Send> ForkArm for Told<B> {
    #[inline(always)]
    fn run_inline(self, _: &Slot) -> R {
        (self.0)(FnContext::new(false))
    }
}

/// The engine of every `join`: leaves `b` on the fork stack, runs `a`, and takes `b` back or waits for its thief.
///
/// Closures that travel in registers go to a function of its own, into which the compiler can inline the caller's
/// recursive function: its leaves then return before any frame is set up (eight instructions fewer per join of `fib`).
/// Larger ones would travel through memory, written in pieces and read as a whole, which stalls the processor for
/// longer than the whole `join` takes: those are joined in the caller's frame.
#[inline(always)]
pub(crate) fn fork<A, B, RA>(slot: &Slot, a: A, b: B) -> (RA, B::Out)
where
    A: FnOnce(&Slot) -> RA,
    B: ForkArm,
{
    const REGISTERS: usize = 2 * size_of::<usize>();
    if const { size_of::<A>() <= REGISTERS && size_of::<B>() <= REGISTERS } {
        fork_apart(slot, a, b)
    } else {
        fork_here(slot, a, b)
    }
}

#[inline(always)]
fn fork_here<A, B, RA>(slot: &Slot, a: A, b: B) -> (RA, B::Out)
where
    A: FnOnce(&Slot) -> RA,
    B: ForkArm,
{
    let job = ForkJob::new(b);
    // SAFETY: the slot is this thread's. The job stays in this frame until it is reclaimed or its latch is set: below
    // on return, in `Forked::drop` on unwinding.
    let (height, asked) = unsafe { slot.fork.push(job.as_ref()) };
    if asked {
        return answer_and_finish(slot, Moved(a), &job);
    }
    finish(slot, a, &job, height)
}

/// [`fork_here`] as a function of its own.
#[inline(never)]
fn fork_apart<A, B, RA>(slot: &Slot, a: A, b: B) -> (RA, B::Out)
where
    A: FnOnce(&Slot) -> RA,
    B: ForkArm,
{
    fork_here(slot, a, b)
}

/// Somebody is hungry, or the array is full. Out of line together with the rest of the `join`, so that the quick path
/// need not keep anything in registers for it.
#[cold]
#[inline(never)]
fn answer_and_finish<A, B, RA>(slot: &Slot, a: Moved<A>, job: &ForkJob<B>) -> (RA, B::Out)
where
    A: FnOnce(&Slot) -> RA,
    B: ForkArm,
{
    let forked = Forked { slot, job };
    slot.answer();
    mem::forget(forked);
    finish(slot, a.0, job, slot.fork.newest())
}

/// A closure on its way out of line. A new value rather than the old one, so that the old one need not have an address
/// and can stay in registers.
struct Moved<A>(A);

/// The part of a `join` after its second arm has been pushed, at `height`.
#[inline(always)]
fn finish<A, B, RA>(slot: &Slot, a: A, job: &ForkJob<B>, height: usize) -> (RA, B::Out)
where
    A: FnOnce(&Slot) -> RA,
    B: ForkArm,
{
    let ra = if B::RUNS_ALWAYS {
        match unwind::catch(|| a(slot)) {
            Ok(ra) => ra,
            Err(payload) => run_second(slot, job, payload),
        }
    } else {
        let forked = Forked { slot, job };
        let ra = a(slot);
        mem::forget(forked);
        ra
    };
    // SAFETY: the owner's pop for the push in `fork`; what `a` pushed it has popped.
    let rb = if unsafe { slot.fork.pop(height) } {
        // SAFETY: reclaimed from the private part: nobody else has seen it. If it unwinds, nothing points here.
        unsafe { job.take() }.run_inline(slot)
    } else {
        fetch(slot, job)
    };
    (ra, rb)
}

/// The slow end of `fork`: the second arm is public, or stolen.
#[cold]
#[inline(never)]
fn fetch<B: ForkArm>(slot: &Slot, job: &ForkJob<B>) -> B::Out {
    // SAFETY: `pop` has just returned false; `wait_for_fork` waits for the latch.
    match unsafe { slot.fork.take_back_public(job, |header| slot.wait_for_fork(header)) } {
        Returned::Ours(b) => b.run_inline(slot),
        Returned::Stolen(Ok(result)) => result,
        Returned::Stolen(Err(payload)) => unwind::resume(payload),
    }
}

/// `a` has panicked: `b` has its turn, and then the panic goes on. If `b` panics as well, nobody hears of that.
#[cold]
#[inline(never)]
fn run_second<B: ForkArm>(slot: &Slot, job: &ForkJob<B>, payload: Payload) -> ! {
    // SAFETY: instead of the owner's pop for the push in `fork`; what `a` pushed it has popped. `wait_for_fork` waits
    // for the latch.
    let lost = match unsafe { slot.fork.take_back(job, |header| slot.wait_for_fork(header)) } {
        Returned::Ours(b) => unwind::catch(|| b.run_inline(slot)),
        Returned::Stolen(result) => result,
    };
    unwind::drop_quietly(lost);
    unwind::resume(payload)
}

/// Lives while `a` runs: if `a` unwinds, sees to it that `b` is done with before the frame goes.
struct Forked<'f, B: ForkArm> {
    slot: &'f Slot,
    job: &'f ForkJob<B>,
}

impl<B: ForkArm> Drop for Forked<'_, B> {
    // Inlined, so that the guard itself need not lie in memory: a `join` that does not unwind pays nothing for it.
    #[inline(always)]
    fn drop(&mut self) {
        dispose(self.slot, self.job);
    }
}

/// `a` has unwound: `b` is reclaimed and dropped, or awaited.
#[cold]
#[inline(never)]
fn dispose<B: ForkArm>(slot: &Slot, job: &ForkJob<B>) {
    // SAFETY: instead of the owner's pop for the push in `fork`; what `a` pushed it has popped, by returns or by guards
    // like this one. `wait_for_fork` waits for the latch.
    match unsafe { slot.fork.take_back(job, |header| slot.wait_for_fork(header)) } {
        // If the closure's drop panics while we unwind, the process aborts, as for any drop.
        Returned::Ours(b) => drop(b),
        // `a`'s panic wins.
        Returned::Stolen(lost) => drop(unwind::drop_quietly(lost)),
    }
}

impl Handle {
    /// [`join`] on this pool.
    ///
    /// # Panics
    /// As [`join`], and if the pool has been shut down.
    pub fn join<A, B, RA, RB>(&self, a: A, b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA + Send,
        B: FnOnce() -> RB + Send,
        RA: Send,
        RB: Send,
    {
        self.shared.enter(|slot| fork(slot, |_| a(), Plain(b)))
    }

    /// [`join_context`] on this pool.
    ///
    /// # Panics
    /// As [`join`], and if the pool has been shut down.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).express_lane(false).build()?;
    /// // There is nobody who might take the second closure.
    /// let moved = pool.install_on_worker(|| pool.join_context(|a| a.migrated(), |b| b.migrated()));
    /// assert_eq!(moved, (false, false));
    /// # Ok(()) }
    /// ```
    pub fn join_context<A, B, RA, RB>(&self, a: A, b: B) -> (RA, RB)
    where
        A: FnOnce(FnContext) -> RA + Send,
        B: FnOnce(FnContext) -> RB + Send,
        RA: Send,
        RB: Send,
    {
        self.shared.enter(|slot| fork(slot, |_| a(FnContext::new(false)), Told(b)))
    }
}
