//! The private fork stack: where a `join` leaves its second arm while it runs the first.
//!
//! Source of the idea: private-deque work stealing (Acar, Charguéraud, Rainey 2013), Lace's split deque, the THE
//! protocol of Cilk-5 for the raid. `fork_stack.md` beside this file has the argument.
//!
//! ```text
//!   public deque (crossbeam)          entries
//!   oldest … newer                    [ … | split ………… top )
//!   thieves take here                   published: gone from here | private
//! ```
//!
//! The jobs of one thread are strictly nested. The stolen ones are the oldest, then come the public ones, then the
//! private ones `[split, top)`. So the job that the owner wants back is the newest private one; if there is none,
//! the newest public one; if there is none, it has been stolen.
//!
//! `top` is written by the owner alone. `split` is written under `lock` only: by the owner when it publishes or
//! reclaims, by a raider when it takes the oldest private job. `poll` is set to 0 by whoever is hungry and restored
//! by the owner, so that one comparison in `push` serves both as "is anybody hungry" and "is the array full".

use crate::core::job::{Arm, ForkHeader, ForkJob, ForkRef};
use crate::core::latch::Waiter;
use crate::core::lineage::{Place, ScopeNode};
use crate::core::queue::{Deque, Stealer};
use crate::ground::barrier;
use crate::ground::sync::{AtomicBool, AtomicUsize, HandOver, Mutex, Ordering};
use crate::ground::unwind::Payload;
use crossbeam_utils::CachePadded;

/// Private jobs at most; the next push publishes them all. Small under loom, so that a model can fill it.
const CAPACITY: usize = if cfg!(filch_loom) { 4 } else { 1024 };
/// `top`, `split` and `poll` count bytes, so that an entry's address is one addition away.
const STEP: usize = size_of::<HandOver<ForkRef>>();
/// The lowest value of `top` and `split`. Not 0, so that a pop may step below it without wrapping.
const BASE: usize = STEP;
/// `poll` when nobody wants anything: a push that ends above it has filled the array.
const CALM: usize = (CAPACITY - 1) * STEP;
/// `poll` when somebody is hungry: every push ends above it.
const HUNGRY: usize = 0;

/// Where the job that the owner wants back was found.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Reclaimed {
    /// Ours: run it here.
    Ours,
    /// A thief has it: wait for its latch.
    Stolen,
}

/// What became of a job, once nobody else has it any more.
#[must_use]
pub(crate) enum Returned<B: Arm> {
    /// Nobody has run it: here it is.
    Ours(B),
    /// A thief has run it, and this came out.
    Stolen(Result<B::Out, Payload>),
}

/// See the module.
#[repr(C)]
pub(crate) struct ForkStack {
    /// The owner's line.
    top: CachePadded<AtomicUsize>,
    /// Read by the owner at every join, written by others rarely.
    poll: CachePadded<AtomicUsize>,
    split: AtomicUsize,
    lock: Mutex<()>,
    /// The owner is splitting its oldest private job, outside of the lock: no raid meanwhile. Under the lock.
    splitting: AtomicBool,
    public: Deque<ForkRef>,
    stealer: Stealer<ForkRef>,
    entries: [HandOver<ForkRef>; CAPACITY],
}

impl ForkStack {
    pub(crate) fn new() -> Self {
        let public = Deque::new_lifo();
        let stealer = public.stealer();
        ForkStack {
            top: CachePadded::new(AtomicUsize::new(BASE)),
            poll: CachePadded::new(AtomicUsize::new(CALM)),
            split: AtomicUsize::new(BASE),
            lock: Mutex::new(()),
            splitting: AtomicBool::new(false),
            public,
            stealer,
            entries: std::array::from_fn(|_| HandOver::new()),
        }
    }

    #[cfg(not(filch_loom))]
    #[inline(always)]
    fn entry(&self, at: usize) -> &HandOver<ForkRef> {
        debug_assert!(at % STEP == 0 && at < CAPACITY * STEP);
        // SAFETY: `top` and `split` are multiples of STEP below CAPACITY * STEP: `push` leaves `top` at most one step
        // above CALM, and then its caller publishes all, which brings it back to BASE.
        unsafe { &*(&raw const self.entries).cast::<u8>().add(at).cast::<HandOver<ForkRef>>() }
    }

    #[cfg(filch_loom)]
    fn entry(&self, at: usize) -> &HandOver<ForkRef> {
        &self.entries[at / STEP]
    }

    // ----- the owner -------------------------------------------------------------------------------------------

    /// Adds the newest job. True: somebody is hungry or the array is full, so call [`publish`](Self::publish) now.
    ///
    /// # Safety
    /// Called by the owner. The job stays alive until reclaimed or its latch set. If true is returned, `publish` is
    /// called before the next `push`.
    #[inline(always)]
    #[must_use]
    pub(crate) unsafe fn push(&self, job: ForkRef) -> bool {
        let top = self.top.load(Ordering::Relaxed);
        // SAFETY: entries at and above `top` are the owner's.
        unsafe { self.entry(top).write(job) };
        let next = top + STEP;
        // Release pairs with the Acquire load of `top` in `raid`: who sees the new top sees the entry.
        #[cfg(not(mutant = "push_relaxed"))]
        self.top.store(next, Ordering::Release);
        #[cfg(mutant = "push_relaxed")]
        self.top.store(next, Ordering::Relaxed);
        // Relaxed: a request seen late is seen at the next push.
        next > self.poll.load(Ordering::Relaxed)
    }

    /// Takes the newest job back if it is private. False: call [`reclaim`](Self::reclaim), which finds it.
    ///
    /// # Safety
    /// Called by the owner, once for each push, newest first.
    #[inline(always)]
    #[must_use]
    pub(crate) unsafe fn pop(&self) -> bool {
        let top = self.top.load(Ordering::Relaxed).wrapping_sub(STEP);
        // Release: a raider may read this value instead of the push's, and must see the entries below it too.
        self.top.store(top, Ordering::Release);
        // Pairs with `heavy` in `raid`: either we see its new split, or it sees our new top.
        barrier::light();
        // Relaxed: the barrier pair orders it; the slow path takes the lock.
        top >= self.split.load(Ordering::Relaxed)
    }

    /// The slow half of `pop`: the newest job is public, or stolen, or a raider was just looking at it.
    ///
    /// # Safety
    /// Called by the owner, right after `pop` returned false.
    #[cold]
    pub(crate) unsafe fn reclaim(&self) -> Reclaimed {
        #[cfg(not(mutant = "reclaim_without_lock"))]
        let guard = self.lock.lock();
        let top = self.top.load(Ordering::Relaxed);
        if top >= self.split.load(Ordering::Relaxed) {
            // A raider had its hand on it and has taken it away.
            return Reclaimed::Ours;
        }
        // Nothing is private: start again from the bottom.
        self.split.store(BASE, Ordering::Relaxed);
        self.top.store(BASE, Ordering::Release);
        #[cfg(not(mutant = "reclaim_without_lock"))]
        drop(guard);
        match self.public.pop() {
            Some(_) => Reclaimed::Ours,
            None => Reclaimed::Stolen,
        }
    }

    /// The end of a `join`, or of its unwinding: takes the newest job back, or waits for its thief. Afterwards the
    /// frame with the job may go. `wait` is called for a stolen job, and returns when the latch is set.
    ///
    /// # Safety
    /// Called by the owner, once for the push of `job`, newest first; instead of [`pop`](Self::pop).
    pub(crate) unsafe fn take_back<B: Arm>(&self, job: &ForkJob<B>, wait: impl FnOnce(&ForkHeader)) -> Returned<B> {
        // SAFETY: the caller's promise.
        if unsafe { self.pop() } {
            // SAFETY: private until now: nobody else has seen it.
            return Returned::Ours(unsafe { job.take() });
        }
        // SAFETY: `pop` has just returned false.
        unsafe { self.take_back_public(job, wait) }
    }

    /// [`take_back`](Self::take_back) after a [`pop`](Self::pop) that returned false.
    ///
    /// # Safety
    /// Called by the owner, right after that, for the same job.
    pub(crate) unsafe fn take_back_public<B: Arm>(
        &self,
        job: &ForkJob<B>,
        wait: impl FnOnce(&ForkHeader),
    ) -> Returned<B> {
        // SAFETY: the caller's promise.
        match unsafe { self.reclaim() } {
            // SAFETY: reclaimed: no other thread has or will have it.
            Reclaimed::Ours => Returned::Ours(unsafe { job.take() }),
            Reclaimed::Stolen => {
                // SAFETY: only a job that was made public can be stolen.
                let header = unsafe { job.header() };
                if !cfg!(mutant = "unwind_without_wait") {
                    wait(header);
                }
                // SAFETY: the latch is set, and this is the only call.
                Returned::Stolen(unsafe { job.result() })
            }
        }
    }

    /// Runs a job that the owner has taken from another, and sets its latch. `name` is for whoever wants to follow the
    /// owner, see `follow.rs`; `begins` is called before, with the scope that the job is inside of, or null.
    ///
    /// # Safety
    /// Called by the owner, which has taken the public job (once for all copies), and keeps the pool of the job's owner
    /// alive.
    pub(crate) unsafe fn run_taken(&self, fork: ForkRef, name: u32, begins: impl FnOnce(*const ScopeNode)) {
        // Who has forks of its own says nothing: not all that a follower finds here would be parts of this job.
        let says_name = self.is_clear() || cfg!(mutant = "laden_thief_says_its_name");
        if says_name && !cfg!(mutant = "thief_says_its_name_late") {
            // SAFETY: the caller's promise.
            unsafe { fork.taken_by(name) };
        }
        // SAFETY: as above.
        begins(unsafe { fork.scope() });
        // SAFETY: as above.
        unsafe { fork.run_stolen() };
        #[cfg(mutant = "thief_says_its_name_late")]
        // SAFETY: none: the frame may have gone.
        unsafe {
            fork.taken_by(name)
        };
    }

    /// Takes the newest public job back. True: it was there, and is the newest job of all. False: it has been stolen.
    /// For jobs that were never private on the stack: the parts of a loop.
    ///
    /// # Safety
    /// Called by the owner, when no private job is younger than the job that it wants back.
    #[must_use]
    pub(crate) unsafe fn reclaim_part(&self) -> bool {
        self.public.pop().is_some()
    }

    /// Answers a request and makes room: moves the `most` oldest private jobs to the public deque (all of them if
    /// the array is full), and says how many. Of a job that can be split, parts count as jobs, and what is left of it
    /// stays private as long as that gives enough.
    ///
    /// # Panics
    /// If the array is full and the caller is code that [splits](ForkRef::split): only then.
    ///
    /// # Safety
    /// Called by the owner; `waiter` is its own, `place` where it is. If the caller has just pushed a job, its guard
    /// against unwinding stands.
    pub(crate) unsafe fn publish(&self, most: usize, waiter: &Waiter, place: Place) -> usize {
        // Restored before we look, so that a request that comes while we look is seen at the next push. Relaxed: the
        // request carries nothing but itself.
        self.poll.store(CALM, Ordering::Relaxed);
        let full = self.is_full();
        if self.splitting.load(Ordering::Relaxed) {
            // Called from the code that splits.
            assert!(!full, "a producer's `split_at` must not nest a thousand joins");
            return 0;
        }
        let most = if full { usize::MAX } else { most };
        let mut count = 0;
        while count < most {
            let guard = self.lock.lock();
            let top = self.top.load(Ordering::Relaxed);
            let split = self.split.load(Ordering::Relaxed);
            if split == top {
                // Raiders have taken what was private, perhaps the job that has just filled the array: start again from
                // the bottom, as `publish_oldest` does, or the next push finds no room.
                #[cfg(not(mutant = "emptied_array_stays_full"))]
                {
                    self.top.store(BASE, Ordering::Release);
                    self.split.store(BASE, Ordering::Relaxed);
                }
                break;
            }
            #[cfg(not(mutant = "publish_newest"))]
            let at = split;
            #[cfg(mutant = "publish_newest")]
            let at = top - STEP - (split - self.split.load(Ordering::Relaxed));
            // SAFETY: between split and top: written by the owner, and no raider touches it while we hold the lock.
            let job = unsafe { self.entry(at).read() };
            // SAFETY: the owner is there.
            let scope = unsafe { place.scope_of_fork(at) };
            if most != usize::MAX && job.is_splittable() {
                #[cfg(not(mutant = "split_in_the_open"))]
                self.splitting.store(true, Ordering::Relaxed);
                // Splitting is foreign code.
                drop(guard);
                while count < most {
                    // SAFETY: private; and the flag keeps raiders off.
                    let Some(part) = (unsafe { job.split(most - count) }) else { break };
                    // SAFETY: nobody else has seen it.
                    unsafe { part.make_public(waiter.clone(), scope) };
                    self.public.push(part);
                    count += 1;
                }
                let _guard = self.lock.lock();
                self.splitting.store(false, Ordering::Relaxed);
                if count == most {
                    break;
                }
                // SAFETY: still private: the lock was not free while the flag was down.
                unsafe { self.publish_oldest(job, waiter, scope) };
            } else {
                // SAFETY: private, and we hold the lock.
                unsafe { self.publish_oldest(job, waiter, scope) };
            }
            count += 1;
        }
        count
    }

    /// Moves the oldest private job as a whole.
    ///
    /// # Safety
    /// Called by the owner, which holds the lock; `job` is the oldest private one.
    unsafe fn publish_oldest(&self, job: ForkRef, waiter: &Waiter, scope: *const ScopeNode) {
        // SAFETY: still private.
        unsafe { job.make_public(waiter.clone(), scope) };
        self.public.push(job);
        let split = self.split.load(Ordering::Relaxed) + STEP;
        if split == self.top.load(Ordering::Relaxed) {
            self.top.store(BASE, Ordering::Release);
            self.split.store(BASE, Ordering::Relaxed);
        } else {
            self.split.store(split, Ordering::Relaxed);
        }
    }

    /// Whether the next push needs room.
    pub(crate) fn is_full(&self) -> bool {
        self.top.load(Ordering::Relaxed) > CALM
    }

    /// Whether there are private jobs besides the newest. Exact for the owner but for raids.
    pub(crate) fn has_older_private(&self) -> bool {
        self.top.load(Ordering::Relaxed) > self.split.load(Ordering::Relaxed) + STEP
    }

    /// The height of the stack, for [`ScopeNode::forks_below`].
    pub(crate) fn height(&self) -> usize {
        self.top.load(Ordering::Relaxed)
    }

    /// Forgets a request, when the owner leaves its slot.
    pub(crate) fn calm(&self) {
        if self.poll.load(Ordering::Relaxed) == HUNGRY {
            self.poll.store(CALM, Ordering::Relaxed);
        }
    }

    // ----- everybody else --------------------------------------------------------------------------------------

    /// Asks the owner to publish at its next push.
    pub(crate) fn request(&self) {
        if self.poll.load(Ordering::Relaxed) != HUNGRY {
            self.poll.store(HUNGRY, Ordering::Relaxed);
        }
    }

    /// Whether the owner has made no push since the last request.
    pub(crate) fn unanswered(&self) -> bool {
        self.poll.load(Ordering::Relaxed) == HUNGRY
    }

    /// Takes an unanswered request back.
    pub(crate) fn withdraw(&self) {
        // A failure means that it has been answered meanwhile. Relaxed: as in `request`.
        let _ = self.poll.compare_exchange(HUNGRY, CALM, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Takes the oldest public job.
    pub(crate) fn steal(&self) -> Option<ForkRef> {
        self.stealer.steal()
    }

    pub(crate) fn has_public(&self) -> bool {
        !self.stealer.is_empty()
    }

    /// Whether the owner has no job here, private or public. Exact for the owner.
    pub(crate) fn is_clear(&self) -> bool {
        !self.may_have_private() && !self.has_public()
    }

    /// A guess: the two words are read one after the other.
    pub(crate) fn may_have_private(&self) -> bool {
        self.top.load(Ordering::Relaxed) > self.split.load(Ordering::Relaxed)
    }

    /// Takes the oldest private job, at the price of a barrier on every running thread of the process.
    ///
    /// `owner` is the owner's waiter. `allowed` is asked last, when the job is in hand:
    /// false puts it back. Only where [`barrier::heavy_works`].
    pub(crate) fn raid(&self, owner: Waiter, allowed: impl FnOnce() -> bool) -> Option<ForkRef> {
        let _guard = self.lock.try_lock()?;
        // The stolen jobs must be the oldest. Nobody publishes while we hold the lock, so this stays true.
        if self.splitting.load(Ordering::Relaxed) || self.has_public() {
            return None;
        }
        let split = self.split.load(Ordering::Relaxed);
        if self.top.load(Ordering::Relaxed) <= split {
            return None;
        }
        self.split.store(split + STEP, Ordering::Relaxed);
        // Pairs with `light` in `pop`.
        let sure = barrier::heavy();
        // Acquire pairs with the Release stores of `top`: the entry below it is visible.
        let top = self.top.load(Ordering::Acquire);
        if !sure || top <= split {
            // The owner has it back, or is on its way into `reclaim`, where it waits for the lock.
            self.split.store(split, Ordering::Relaxed);
            return None;
        }
        // SAFETY: the owner cannot pass below `split + STEP` without the lock, so the entry is ours to read.
        let job = unsafe { self.entry(split).read() };
        if !allowed() {
            #[cfg(not(mutant = "raid_keeps_refused"))]
            self.split.store(split, Ordering::Relaxed);
            return None;
        }
        // SAFETY: no thread but us has seen the job; its owner looks at the header only after it has had the lock.
        unsafe { job.make_public(owner, std::ptr::null()) };
        Some(job)
    }
}
