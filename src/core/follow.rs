//! Leapfrogging: how a thread that waits for a stolen fork finds parts of that fork, and nothing else.
//!
//! A thief writes its name into the fork's header, if it had no other forks when it took it. So all forks that it has
//! while it runs that one are parts of it, but for those of unrelated work that it runs on top. Three rules keep a
//! follower from taking anything else:
//!
//! 1. *Ask last.* What counts is asked when the fork is in hand: if the awaited fork is still running then, it was
//!    running when the part was taken.
//! 2. *Impure threads.* Who runs unrelated work counts that first. A fork of such work that is in hand has not ended,
//!    so the count is visible with it.
//! 3. *The chain.* A thief that waits itself shows the header of what it waits for, and takes it out under the lock
//!    before the header's frame goes. A follower holds that lock until it has the part in hand.
//!
//! docs/ARCHITECTURE.md tells it at length; the models are in `models/src/leapfrog.rs`.

use std::ptr::NonNull;

use crate::core::fork_stack::ForkStack;
use crate::core::job::{ForkHeader, ForkRef};
use crate::core::latch::Waiter;
use crate::ground::sync::{AtomicUsize, Mutex, Ordering};

/// How far a waiter follows the thieves of its thief's work.
const HOPS: usize = 16;

/// What followers see of a thread, beside its forks.
pub(crate) struct Trail {
    /// How many pieces of work run there on top of others that they have nothing to do with. Written by the owner.
    unrelated: AtomicUsize,
    /// The stolen fork that the owner waits for. The owner takes it out before the fork's frame goes: under the lock,
    /// the header is alive.
    awaited: Mutex<Option<NonNull<ForkHeader>>>,
}

// SAFETY: the header pointer is followed under its lock only, when the header is alive; a header is for all threads.
unsafe impl Send for Trail {}
// SAFETY: as above.
unsafe impl Sync for Trail {}

impl Trail {
    pub(crate) fn new() -> Self {
        Trail { unrelated: AtomicUsize::new(0), awaited: Mutex::new(None) }
    }

    /// Whether all forks of the owner are parts of the work that it took last. Asked by a follower who has one of them
    /// in hand: if that is of unrelated work, that work has not ended, and the count is visible with it.
    pub(crate) fn is_pure(&self) -> bool {
        // Acquire, though the fork's own hand-over orders it already.
        self.unrelated.load(Ordering::Acquire) == 0
    }

    /// Runs `f`, which runs unrelated work, on the owner's thread.
    pub(crate) fn mixed<R>(&self, f: impl FnOnce() -> R) -> R {
        // Written by the owner alone, so it takes no read-modify-write. Release pairs with the Acquire in `is_pure`.
        let before = self.unrelated.load(Ordering::Relaxed);
        self.unrelated.store(before + 1, Ordering::Release);
        let result = f();
        self.unrelated.store(before, Ordering::Release);
        result
    }

    /// Shows what the owner waits for from here on, and returns what it showed before.
    ///
    /// # Safety
    /// The header is alive until another, or none, is shown.
    pub(crate) unsafe fn show(&self, header: Option<NonNull<ForkHeader>>) -> Option<NonNull<ForkHeader>> {
        std::mem::replace(&mut *self.awaited.lock(), header)
    }
}

/// A thread that may be followed.
pub(crate) trait Followed {
    fn forks(&self) -> &ForkStack;
    fn trail(&self) -> &Trail;
    /// The waiter of its forks' latches.
    fn waiter(&self) -> Waiter;
}

/// A fork that a follower has in hand.
#[must_use]
pub(crate) enum Taken {
    /// A part of what it waits for.
    Part(ForkRef),
    /// Not surely one: to be queued again, when no lock is held.
    Other(ForkRef),
}

/// A thread that waits, and how it finds its way.
pub(crate) struct Follower<'a, T> {
    /// The thread with this name.
    pub(crate) thread: &'a dyn Fn(u32) -> Option<&'a T>,
    /// Told whose public fork has been taken, and which.
    pub(crate) stolen_from: &'a dyn Fn(&T, ForkRef),
    /// Whether private forks may be taken too, of threads that do not answer.
    pub(crate) raid: bool,
}

impl<T: Followed> Follower<'_, T> {
    /// Takes work from the thread that runs what we wait for.
    pub(crate) fn follow(&self, awaited: &ForkHeader) -> Option<Taken> {
        let thief = (self.thread)(awaited.thief()?)?;
        self.take_part(thief, &|| !awaited.latch.probe(), HOPS)
    }

    /// Takes a fork of `thief`, or of whoever it waits for in turn, provided that what we wait for is still running
    /// *after* we have it in hand: then it was running when we took it, and `thief` had nothing else.
    fn take_part(&self, thief: &T, running: &dyn Fn() -> bool, hops: usize) -> Option<Taken> {
        let (forks, trail) = (thief.forks(), thief.trail());
        if !trail.is_pure() {
            return None;
        }
        if let Some(fork) = forks.steal() {
            (self.stolen_from)(thief, fork);
            let is_part = running() && trail.is_pure();
            #[cfg(mutant = "follow_without_probe")]
            let is_part = trail.is_pure();
            #[cfg(mutant = "follow_asks_purity_first")]
            let is_part = running();
            return Some(if is_part { Taken::Part(fork) } else { Taken::Other(fork) });
        }
        forks.request();
        if self.raid && forks.unanswered() && forks.may_have_private() {
            let allowed = || running() && trail.is_pure();
            #[cfg(mutant = "raid_asks_nothing")]
            let allowed = || true;
            if let Some(fork) = forks.raid(thief.waiter(), allowed) {
                return Some(Taken::Part(fork));
            }
        }
        if hops == 0 {
            return None;
        }
        let awaited = trail.awaited.try_lock()?;
        let header = (*awaited)?;
        #[cfg(mutant = "chain_without_lock")]
        drop(awaited);
        // SAFETY: the owner takes the pointer out under the lock, which we hold, before the header's frame goes.
        let header = unsafe { header.as_ref() };
        // Exact here: what an unrelated piece of work waits for is put in after the count was raised.
        #[cfg(not(mutant = "chain_without_purity"))]
        if !trail.is_pure() {
            return None;
        }
        let next = (self.thread)(header.thief()?)?;
        self.take_part(next, &|| running() && !header.latch.probe(), hops - 1)
    }
}
