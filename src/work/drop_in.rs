//! What the drop-in for rayon-core needs beyond the public interface. Not for others: it may change at any time.
//!
//! Rayon's functions run their closures on threads that the pool has started, so that indices are below the number of
//! threads, start handlers have run, and thread-locals are there. A thread of any other kind (from outside, a guest,
//! one of the express lane) hands its closure to such a thread and blocks.

#![doc(hidden)]
#![allow(missing_docs)]

use std::ptr;
use std::sync::Arc;

use crate::core::job::{Arm, HeapJob};
use crate::ground::error::ShutDown;
use crate::ground::{topology, unwind};
use crate::pool::admission::Leave;
use crate::pool::builder::PoolBuilder;
use crate::pool::current;
use crate::pool::handle::{Pool, on_current};
use crate::pool::priority::Priority;
use crate::pool::shared::Shared;
use crate::pool::slot::Slot;
use crate::pool::tasks::report_here;
use crate::work::broadcast::{self, BroadcastContext};
use crate::work::join::{FnContext, ForkArm, fork};
use crate::work::refused::refused_detached_as;
use crate::work::scope::{Scope, ScopeBase, open_in_place, open_outside};
use crate::work::scope_fifo::ScopeFifo;

/// No pool has more workers.
pub const MAX_WORKERS: usize = topology::MAX_WORKERS;

pub fn default_workers() -> usize {
    topology::default_workers()
}

/// Runs `f` on a worker of the current pool, or of the global one, and tells it whether it had to be handed in.
pub fn in_worker<R: Send>(f: impl FnOnce(bool) -> R + Send) -> R {
    on_current(|shared| shared.enter_worker(|_, injected| f(injected)))
}

/// The same for a given pool.
pub fn in_worker_of<R: Send>(pool: &Pool, f: impl FnOnce(bool) -> R + Send) -> R {
    pool.shared.enter_worker(|_, injected| f(injected))
}

fn is_guest(shared: &Shared) -> bool {
    current::with_owned(|slot| slot.is_some_and(|slot| !slot.is_own_thread() && ptr::eq(slot.shared(), shared)))
}

/// Opens a scope in `op`, which runs right here. A guest takes no part in what is spawned there.
fn open_here<'scope, S, R>(shared: &Shared, make: impl FnOnce(ScopeBase<'scope>) -> S, op: impl FnOnce(&S) -> R) -> R
where
    S: AsRef<ScopeBase<'scope>>,
{
    if is_guest(shared) { open_outside(shared, make, op) } else { open_in_place(shared, make, op) }
}

pub fn in_place_scope<'scope, R>(op: impl FnOnce(&Scope<'scope>) -> R) -> R {
    on_current(|shared| open_here(shared, Scope::new, op))
}

pub fn in_place_scope_fifo<'scope, R>(op: impl FnOnce(&ScopeFifo<'scope>) -> R) -> R {
    on_current(|shared| open_here(shared, ScopeFifo::new, op))
}

pub fn in_place_scope_of<'scope, R>(pool: &Pool, op: impl FnOnce(&Scope<'scope>) -> R) -> R {
    open_here(&pool.shared, Scope::new, op)
}

pub fn in_place_scope_fifo_of<'scope, R>(pool: &Pool, op: impl FnOnce(&ScopeFifo<'scope>) -> R) -> R {
    open_here(&pool.shared, ScopeFifo::new, op)
}

/// The current thread's index, if it is a thread that its pool has started for closures.
pub fn worker_index() -> Option<usize> {
    current::with_owned(|slot| slot.filter(|slot| slot.is_own_thread()).map(|slot| slot.index))
}

/// The same, if it is one of this pool.
pub fn worker_index_in(pool: &Pool) -> Option<usize> {
    let own = |slot: &&Slot| slot.is_own_thread() && ptr::eq(slot.shared(), &raw const *pool.shared);
    current::with_owned(|slot| slot.filter(own).map(|slot| slot.index))
}

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
        Some(slot) if slot.is_own_thread() => fork(slot, |_| a(), Always(b)),
        _ => from_outside(move |slot, _| fork(slot, |_| a(), Always(b))),
    }
}

/// Runs a `join` on a worker. It takes one closure, not the two of the `join`: those would be written to memory on the
/// quick way too, in pieces, and read as a whole, which stalls the processor for longer than the `join` takes.
#[cold]
#[inline(never)]
fn from_outside<R: Send>(f: impl FnOnce(&Slot, bool) -> R + Send) -> R {
    on_current(|shared| shared.enter_worker(f))
}

/// `join` in a given pool.
pub fn join_in<A, B, RA, RB>(pool: &Pool, a: A, b: B) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    pool.shared.enter_worker(|slot, _| fork(slot, |_| a(), Always(b)))
}

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
        Some(slot) if slot.is_own_thread() => fork_told(slot, false, a, b),
        _ => from_outside(move |slot, injected| fork_told(slot, injected, a, b)),
    }
}

#[inline(always)]
fn fork_told<A, B, RA, RB>(slot: &Slot, injected: bool, a: A, b: B) -> (RA, RB)
where
    A: FnOnce(FnContext) -> RA + Send,
    B: FnOnce(FnContext) -> RB + Send,
    RA: Send,
    RB: Send,
{
    fork(slot, |_| a(FnContext::new(injected)), Told { b, injected })
}

/// The second arm of `join`.
struct Always<B>(B);

impl<B: FnOnce() -> R + Send, R: Send> Arm for Always<B> {
    type Out = R;

    fn run_stolen(self) -> R {
        (self.0)()
    }
}

impl<B: FnOnce() -> R + Send, R: Send> ForkArm for Always<B> {
    const RUNS_ALWAYS: bool = true;

    #[inline(always)]
    fn run_inline(self, _: &Slot) -> R {
        (self.0)()
    }
}

/// The second arm of `join_context`. Where the whole has been handed in, both arms count as migrated.
struct Told<B> {
    b: B,
    injected: bool,
}

impl<B: FnOnce(FnContext) -> R + Send, R: Send> Arm for Told<B> {
    type Out = R;

    fn run_stolen(self) -> R {
        (self.b)(FnContext::new(true))
    }
}

impl<B: FnOnce(FnContext) -> R + Send, R: Send> ForkArm for Told<B> {
    const RUNS_ALWAYS: bool = true;

    #[inline(always)]
    fn run_inline(self, _: &Slot) -> R {
        (self.b)(FnContext::new(self.injected))
    }
}

// ----- closures that nobody waits for ------------------------------------------------------------------------------

pub fn spawn(f: impl FnOnce() + Send + 'static) {
    on_current(|shared| spawn_on(shared, f));
}

/// The same in a given pool.
pub fn spawn_in(pool: &Pool, f: impl FnOnce() + Send + 'static) {
    spawn_on(&pool.shared, f);
}

pub fn spawn_fifo(f: impl FnOnce() + Send + 'static) {
    on_current(|shared| spawn_fifo_on(shared, f));
}

/// The same in a given pool.
pub fn spawn_fifo_in(pool: &Pool, f: impl FnOnce() + Send + 'static) {
    spawn_fifo_on(&pool.shared, f);
}

/// Rayon knows no priorities, so what background work spawns through it is background work, too: it would else overtake
/// the work that it belongs to.
fn spawn_on(shared: &Shared, f: impl FnOnce() + Send + 'static) {
    let priority = if is_at_background_work(shared) { Priority::Background } else { Priority::Normal };
    shared.spawn_detached(f, Leave::NotAsked, priority).unwrap_or_else(|refused| spawn_after_end(shared, refused));
}

fn spawn_fifo_on(shared: &Shared, f: impl FnOnce() + Send + 'static) {
    if is_at_background_work(shared) {
        // Background closures keep their order.
        return spawn_on(shared, f);
    }
    shared.spawn_fifo(f, Leave::NotAsked).unwrap_or_else(|refused| spawn_after_end(shared, refused));
}

fn is_at_background_work(shared: &Shared) -> bool {
    let is_background = |slot: &Slot| ptr::eq(slot.shared(), shared) && slot.rank.is_background();
    current::with_owned(|slot| slot.is_some_and(is_background))
}

pub fn broadcast<R: Send>(op: impl Fn(BroadcastContext<'_>) -> R + Sync) -> Vec<R> {
    on_current(|shared| match shared.try_accept_root() {
        Some(accepted) => shared.broadcast_accepted(&accepted, op),
        None if with_slot_after_end(shared, |slot| slot.is_some()) => shared.broadcast_here(op),
        None => panic!("{ENDED}"),
    })
}

pub fn spawn_broadcast(op: impl Fn(BroadcastContext<'_>) + Send + Sync + 'static) {
    on_current(|shared| {
        let Err(ShutDown(op)) = shared.spawn_broadcast(op) else { return };
        let (op, threads) = (Arc::new(op), shared.workers());
        for index in 0..threads {
            let op = op.clone();
            spawn_after_end(shared, ShutDown(move || op(broadcast::context(index, threads))));
        }
    });
}

/// What a thread is told that is not the one which stays in a pool that has ended.
const ENDED: &str = "rayon: the thread pool has been dropped, and all that was spawned in it has ended";

/// What has been refused because the pool has ended. The thread that `use_current_thread` made a worker stays in its
/// pool, and runs it alone, when it waits or yields, or at its end.
#[cold]
fn spawn_after_end<F: FnOnce() + Send + 'static>(shared: &Shared, refused: ShutDown<F>) {
    with_slot_after_end(shared, |slot| match slot {
        Some(slot) => {
            let f = refused.0;
            let run = || {
                if let Err(payload) = unwind::catch(f) {
                    report_here(payload);
                }
            };
            // SAFETY: it does not unwind, and nothing is borrowed.
            slot.post_to_self(unsafe { HeapJob::new_ref(run) });
        }
        None => refused_detached_as(ENDED, refused),
    });
}

/// Calls `f` with the slot of a thread that was made a worker of the pool and stays one after the pool's end.
fn with_slot_after_end<R>(shared: &Shared, f: impl FnOnce(Option<&Slot>) -> R) -> R {
    // Where a slot is gone while its owner runs, that is such a thread, which may be ending itself.
    let stays = |slot: &&Slot| ptr::eq(slot.shared(), shared) && (current::is_kept(shared) || slot.is_gone());
    current::with_owned(|slot| f(slot.filter(stays)))
}

/// Whether somebody has asked to be told of panics in the current pool, or in the global one.
pub fn panics_are_handled() -> bool {
    on_current(|shared: &Shared| shared.config.panic.is_some())
}

/// Makes the pool the global one, or gives it back if there is one already.
pub fn set_global(pool: Pool) -> Result<(), Pool> {
    pool.set_global()
}

/// Whether there is a global pool yet.
pub fn global_exists() -> bool {
    Pool::global_if_any().is_some()
}

/// Threads run their oldest closure first.
pub fn breadth_first(builder: PoolBuilder) -> PoolBuilder {
    builder.breadth_first()
}

/// The pool's end is waited for by nobody: whoever drops it goes on.
pub fn end_alone(pool: &Pool) {
    pool.shared.end_alone();
}
