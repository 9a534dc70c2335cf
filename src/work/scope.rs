//! Scopes: any number of closures that may borrow from the enclosing frame, all ended before it goes on.

use std::fmt;
use std::marker::PhantomData;
use std::ptr;

use crate::core::count_latch::CountLatch;
use crate::core::job::{JobRef, ScopeJob};
use crate::core::latch::{Latch, Waiter};
use crate::core::lineage::{Place, ScopeNode};
use crate::ground::sync::{AtomicPtr, Ordering};
use crate::ground::unwind::{self, Payload};
use crate::pool::current;
use crate::pool::enter::wait_outside;
use crate::pool::handle::{Handle, on_current};
use crate::pool::section;
use crate::pool::shared::Shared;
use crate::pool::slot::Slot;

/// What both kinds of scope share. Lies in the opener's frame until the body and every job have ended.
#[repr(C)]
pub(crate) struct ScopeBase<'scope> {
    // Must come first: a pointer to the node is the scope's identity.
    node: ScopeNode,
    shared: *const Shared,
    jobs: CountLatch,
    /// The first panic's payload, boxed once more to fit a pointer.
    panic: AtomicPtr<Payload>,
    // Invariant in 'scope: a job may hand in what it borrows, and borrow what the scope's closure borrows.
    _scope: PhantomData<Box<dyn FnOnce(&'scope ()) -> &'scope ()>>,
}

// SAFETY: the raw pointers are to the pool, alive while the scope is, and to scopes further out; all else is atomic.
unsafe impl Sync for ScopeBase<'_> {}
// SAFETY: as above; the scope itself never moves, but references to it do.
unsafe impl Send for ScopeBase<'_> {}

impl<'scope> ScopeBase<'scope> {
    fn new(shared: &Shared, slot: Option<&Slot>, waiter: Waiter) -> Self {
        let node = match slot {
            Some(slot) => ScopeNode::new(slot.place().get().scope, slot.fork.height()),
            None => ScopeNode::new(ptr::null(), 0),
        };
        ScopeBase {
            node,
            shared,
            jobs: CountLatch::new(waiter),
            panic: AtomicPtr::new(ptr::null_mut()),
            _scope: PhantomData,
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        // SAFETY: whoever opened the scope holds the pool until the scope has ended.
        unsafe { &*self.shared }
    }

    pub(crate) fn node(&self) -> *const ScopeNode {
        ptr::from_ref(self).cast()
    }

    pub(crate) fn queue(&self, job: JobRef) {
        current::with(|slot| self.shared().queue_closure(slot, job));
    }

    /// Runs `f`, keeping the first panic of all.
    fn catch<R>(&self, f: impl FnOnce() -> R) -> Option<R> {
        unwind::catch(f).map_err(|payload| self.keep_panic(payload)).ok()
    }

    /// Keeps a panic, if it is the first, to be raised again at the end.
    pub(crate) fn keep_panic(&self, payload: Payload) {
        let boxed = Box::into_raw(Box::new(payload));
        // Release pairs with the Acquire in `finish`, through the latch.
        let first = self.panic.compare_exchange(ptr::null_mut(), boxed, Ordering::Release, Ordering::Relaxed);
        if first.is_err() {
            // SAFETY: ours, and stored nowhere.
            unwind::drop_quietly(unsafe { Box::from_raw(boxed) });
        }
    }

    /// One more part that the scope waits for.
    pub(crate) fn add_part(&self) {
        self.jobs.add();
    }

    /// A part has ended.
    ///
    /// # Safety
    /// `this` is alive because it counts this part, which does not touch it afterwards.
    pub(crate) unsafe fn part_done(this: *const Self) {
        // SAFETY: as promised.
        unsafe { CountLatch::done(&raw const (*this).jobs) };
    }

    /// Runs the body as a thread of the pool, waits for the jobs, and passes the first panic on.
    fn complete<R>(&self, slot: &Slot, body: impl FnOnce() -> R) -> R {
        let place = slot.place().get();
        slot.place().set(Place { scope: self.node(), ..place });
        let result = self.catch(body);
        // SAFETY: we are the opener.
        unsafe { CountLatch::done(&raw const self.jobs) };
        if !self.jobs.latch().probe() {
            slot.wait_for_scope(self.jobs.latch(), self.node());
        }
        slot.place().set(place);
        self.finish(result)
    }

    /// The same on a thread that is not of the pool: it only blocks.
    fn complete_outside<R>(&self, wait: &dyn Fn(&Latch), body: impl FnOnce() -> R) -> R {
        let result = self.catch(body);
        // SAFETY: we are the opener.
        unsafe { CountLatch::done(&raw const self.jobs) };
        wait(self.jobs.latch());
        self.finish(result)
    }

    fn finish<R>(&self, result: Option<R>) -> R {
        // All parts have ended, so nobody else is here. Acquire pairs with the Release in `keep_panic`.
        let payload = self.panic.load(Ordering::Acquire);
        if payload.is_null() {
            return result.expect("a body without a result has left a panic");
        }
        // SAFETY: made by `Box::into_raw` in `catch`, taken once.
        let payload = unsafe { Box::from_raw(payload) };
        drop(result);
        unwind::resume(*payload);
    }
}

/// A scope as its users see it.
///
/// # Safety
/// A pointer to it is one to its base as well: it is repr(C), and begins with that.
pub(crate) unsafe trait Whole<'scope>: AsRef<ScopeBase<'scope>> + Sync {}

/// A job that counts as one of the scope's.
///
/// # Safety
/// `f` and what it borrows live for 'scope, and the job is queued.
pub(crate) unsafe fn job<'scope, S: Whole<'scope>>(scope: &S, f: impl FnOnce(&S) + Send) -> JobRef {
    scope.as_ref().jobs.add();
    let run = move |node: *const ScopeNode| {
        let base = node.cast::<ScopeBase<'scope>>();
        // SAFETY: made from the whole scope below, which waits for this job, so it is alive until `part_done`.
        unsafe { (*base).catch(|| f(&*node.cast::<S>())) };
        // SAFETY: as above, and this is the job's last access.
        unsafe { ScopeBase::part_done(base) };
    };
    // SAFETY: `run` does not unwind; the scope waits for it before what it borrows goes.
    unsafe { ScopeJob::new_ref(run, ptr::from_ref(scope).cast()) }
}

/// Opens a scope in `op`, for both kinds of scope, as a thread of the pool.
pub(crate) fn open<'scope, S, R>(slot: &Slot, make: impl FnOnce(ScopeBase<'scope>) -> S, op: impl FnOnce(&S) -> R) -> R
where
    S: AsRef<ScopeBase<'scope>>,
{
    let scope = make(ScopeBase::new(slot.shared(), Some(slot), slot.waiter()));
    scope.as_ref().complete(slot, || op(&scope))
}

/// Opens a scope in `op`, which runs right here, on whatever thread this is.
pub(crate) fn open_in_place<'scope, S, R>(
    shared: &Shared,
    make: impl FnOnce(ScopeBase<'scope>) -> S,
    op: impl FnOnce(&S) -> R,
) -> R
where
    S: AsRef<ScopeBase<'scope>>,
{
    current::with(|slot| match slot {
        Some(slot) if ptr::eq(slot.shared(), shared) => open(slot, make, op),
        None if current::is_out() => section::back(|| open_in_place(shared, make, op)),
        _ => open_outside(shared, make, op),
    })
}

/// The same, for a thread that takes no part in the work of the pool.
pub(crate) fn open_outside<'scope, S, R>(
    shared: &Shared,
    make: impl FnOnce(ScopeBase<'scope>) -> S,
    op: impl FnOnce(&S) -> R,
) -> R
where
    S: AsRef<ScopeBase<'scope>>,
{
    let _accepted = shared.accept_root();
    wait_outside(shared, |waiter, wait| {
        let scope = make(ScopeBase::new(shared, None, waiter));
        scope.as_ref().complete_outside(wait, || op(&scope))
    })
}

/// A scope in which closures can be spawned that borrow from the enclosing frame; see [`scope`].
#[repr(C)]
pub struct Scope<'scope> {
    // Must come first: see `Whole`.
    base: ScopeBase<'scope>,
}

impl<'scope> AsRef<ScopeBase<'scope>> for Scope<'scope> {
    fn as_ref(&self) -> &ScopeBase<'scope> {
        &self.base
    }
}

// SAFETY: repr(C), and it begins with its base.
unsafe impl<'scope> Whole<'scope> for Scope<'scope> {}

impl<'scope> Scope<'scope> {
    pub(crate) fn new(base: ScopeBase<'scope>) -> Self {
        Scope { base }
    }

    /// Spawns a closure that ends before the scope does. It may spawn more through the scope that it is given.
    ///
    /// The newest closure of a thread runs first; for the other order see [`scope_fifo`](crate::scope_fifo). Costs an
    /// allocation of the closure's size.
    ///
    /// A panic of the closure is raised again by [`scope`], when all closures have ended.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// let leaves = AtomicU32::new(0);
    /// fn grow<'s>(s: &filch::Scope<'s>, height: u32, leaves: &'s AtomicU32) {
    ///     if height == 0 {
    ///         leaves.fetch_add(1, Ordering::Relaxed);
    ///         return;
    ///     }
    ///     for _ in 0..2 {
    ///         s.spawn(move |s| grow(s, height - 1, leaves));
    ///     }
    /// }
    /// filch::scope(|s| grow(s, 5, &leaves));
    /// assert_eq!(leaves.into_inner(), 32);
    /// ```
    pub fn spawn<F>(&self, f: F)
    where
        F: FnOnce(&Scope<'scope>) + Send + 'scope,
    {
        // SAFETY: `f` lives for 'scope, which the scope's end does not outlast; queued at once.
        self.base.queue(unsafe { job(self, f) });
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("jobs", &self.base.jobs).finish_non_exhaustive()
    }
}

/// Opens a scope: closures spawned in it may borrow from the enclosing frame, and have all ended when `scope` returns.
///
/// `op` runs as a thread of the current pool, or of the global one. The calling thread takes part in the work. For
/// two closures [`join`](crate::join) is cheaper: it allocates nothing.
///
/// Closures spawned in a scope may wait for each other only if the pool has a worker for each.
///
/// # Panics
/// If `op` or a closure panics, with the payload of the first one that did, when all have ended.
///
/// ```
/// let mut squares = [0u64; 8];
/// filch::scope(|s| {
///     for (i, square) in squares.iter_mut().enumerate() {
///         s.spawn(move |_| *square = (i * i) as u64);
///     }
/// });
/// assert_eq!(squares[7], 49);
/// ```
pub fn scope<'scope, R: Send>(op: impl FnOnce(&Scope<'scope>) -> R + Send) -> R {
    on_current(|shared| shared.enter(|slot| open(slot, Scope::new, op)))
}

/// [`scope`], but `op` runs right here: on a thread outside of the pool only the spawned closures run inside it.
///
/// So `op` need not be `Send`, and may block: it holds no seat. The price is that the calling thread does not take
/// part in the work.
///
/// # Panics
/// As [`scope`].
///
/// ```
/// use std::rc::Rc;
///
/// // The body uses something that must not leave its thread.
/// let words = Rc::new(["fork", "steal"]);
/// let mut lengths = [0; 2];
/// filch::in_place_scope(|s| {
///     for (word, length) in words.iter().copied().zip(&mut lengths) {
///         s.spawn(move |_| *length = word.len());
///     }
/// });
/// assert_eq!(lengths, [4, 5]);
/// ```
pub fn in_place_scope<'scope, R>(op: impl FnOnce(&Scope<'scope>) -> R) -> R {
    on_current(|shared| open_in_place(shared, Scope::new, op))
}

impl Handle {
    /// [`scope`] on this pool.
    ///
    /// # Panics
    /// As [`scope`], and if the pool has been shut down.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(2).build()?;
    /// let (mut evens, mut odds) = (0, 0);
    /// pool.scope(|s| {
    ///     s.spawn(|_| evens = (0..100).step_by(2).sum());
    ///     s.spawn(|_| odds = (1..100).step_by(2).sum());
    /// });
    /// assert_eq!((evens, odds), (2450, 2500));
    /// # Ok(()) }
    /// ```
    pub fn scope<'scope, R: Send>(&self, op: impl FnOnce(&Scope<'scope>) -> R + Send) -> R {
        self.shared.enter(|slot| open(slot, Scope::new, op))
    }

    /// [`in_place_scope`] on this pool.
    ///
    /// # Panics
    /// As [`scope`], and if the pool has been shut down.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(2).build()?;
    /// let (tx, rx) = std::sync::mpsc::channel();
    /// let first = pool.in_place_scope(|s| {
    ///     for n in 1..=3 {
    ///         let tx = tx.clone();
    ///         s.spawn(move |_| tx.send(n * n).unwrap());
    ///     }
    ///     // It may block: it runs on this thread, and takes no worker's place.
    ///     rx.recv().unwrap()
    /// });
    /// assert!([1, 4, 9].contains(&first));
    /// # Ok(()) }
    /// ```
    pub fn in_place_scope<'scope, R>(&self, op: impl FnOnce(&Scope<'scope>) -> R) -> R {
        open_in_place(&self.shared, Scope::new, op)
    }
}
