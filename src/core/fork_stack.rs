//! The private fork stack: where a `join` leaves its second arm while it runs the first.
//!
//! Source of the idea: private-deque work stealing (Acar, Charguéraud, Rainey 2013), Lace's split deque, the THE
//! protocol of Cilk-5 for the raid. `fork_stack.md` beside this file has the argument.
//!
//! ```text
//!   public deque (crossbeam)          entries, in a ring
//!   oldest … newer                    [ … | split ………… top )
//!   thieves take here                   published: gone from here | private
//! ```
//!
//! Each job has a *height*: how many were there before it. `top` is the height of the next one, `split` that of the
//! oldest private one; a job's entry is at its height modulo the array's length.
//!
//! The jobs of one thread are strictly nested. The stolen ones are the oldest, then come the public ones, then the
//! private ones `[split, top)`. So the job that the owner wants back is the newest private one; if there is none,
//! the newest public one; if there is none, it has been stolen.
//!
//! `top` is written by the owner alone. `split` is written under `lock` only: by the owner when it publishes or
//! reclaims, by a raider when it takes the oldest private job. `poll` is set to 0 by whoever is hungry, and else says
//! how high the stack may grow, so that one comparison in `push` serves both as "is anybody hungry" and "is the array
//! full".

use crate::core::job::{Arm, ForkHeader, ForkJob, ForkRef};
use crate::core::latch::Waiter;
use crate::core::lineage::{Place, ScopeNode};
use crate::core::queue::{Deque, Stealer};
use crate::ground::barrier;
use crate::ground::sync::{AtomicBool, AtomicUsize, HandOver, Mutex, Ordering};
use crate::ground::unwind::Payload;
use crossbeam_utils::CachePadded;

/// Private jobs at most; the push that reaches it publishes them all. Small under loom, so that a model can fill it.
const CAPACITY: usize = if cfg!(filch_loom) { 4 } else { 1024 };
/// Heights count bytes, so that an entry's address needs no multiplication.
const STEP: usize = size_of::<HandOver<ForkRef>>();
/// The height of the first job. Not 0: `poll` and [`Place::work_base`] mean something else by that.
const BASE: usize = STEP;
/// `poll` when somebody is hungry: every push ends above it.
const HUNGRY: usize = 0;

/// `poll` when nobody wants anything: a push that ends above it has filled the array.
fn calm(split: usize) -> usize {
    split + (CAPACITY - 1) * STEP
}

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
            poll: CachePadded::new(AtomicUsize::new(calm(BASE))),
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
        const { assert!(CAPACITY.is_power_of_two() && STEP.is_power_of_two()) }
        debug_assert!(at % STEP == 0);
        // SAFETY: a multiple of STEP, as heights are, and below the size of the array.
        unsafe { &*(&raw const self.entries).cast::<u8>().add(at % (CAPACITY * STEP)).cast::<HandOver<ForkRef>>() }
    }

    #[cfg(filch_loom)]
    fn entry(&self, at: usize) -> &HandOver<ForkRef> {
        &self.entries[at / STEP % CAPACITY]
    }

    // ----- the owner -------------------------------------------------------------------------------------------

    /// Adds the newest job. Returns its height, and whether somebody is hungry or the array is full: then call
    /// [`publish`](Self::publish).
    ///
    /// # Safety
    /// Called by the owner. The job stays alive until reclaimed or its latch set. If the array [is full](Self::is_full)
    /// after this, `publish` is called before the next `push`.
    #[inline(always)]
    #[must_use]
    pub(crate) unsafe fn push(&self, job: ForkRef) -> (usize, bool) {
        let top = self.top.load(Ordering::Relaxed);
        // SAFETY: there is room, since `poll` is at most what `split` allows; who has taken the job a whole array below
        // this one is done with the entry, since the owner has had the lock, or has read a `poll` stored after that.
        unsafe { self.entry(top).write(job) };
        let next = top + STEP;
        // Release pairs with the Acquire load of `top` in `raid`: who sees the new top sees the entry.
        #[cfg(not(mutant = "push_relaxed"))]
        self.top.store(next, Ordering::Release);
        #[cfg(mutant = "push_relaxed")]
        self.top.store(next, Ordering::Relaxed);
        // A request seen late is seen at the next push. Acquire pairs with the Release in `withdraw`, for the next
        // push: it may write where a raider has read before that.
        #[cfg(not(mutant = "withdrawal_relaxed"))]
        let poll = self.poll.load(Ordering::Acquire);
        #[cfg(mutant = "withdrawal_relaxed")]
        let poll = self.poll.load(Ordering::Relaxed);
        (top, next > poll)
    }

    /// Takes the newest job back if it is private. False: call [`reclaim`](Self::reclaim), which finds it.
    ///
    /// Its height is known from the push and need not be read again: so no push waits for what the last pop has stored,
    /// and no pop for the push.
    ///
    /// # Safety
    /// Called by the owner, once for each push, newest first, with the height that it returned.
    #[inline(always)]
    #[must_use]
    pub(crate) unsafe fn pop(&self, height: usize) -> bool {
        debug_assert!(height + STEP == self.top.load(Ordering::Relaxed));
        // Release: a raider may read this value instead of the push's, and must see the entries below it too.
        self.top.store(height, Ordering::Release);
        // Pairs with `heavy` in `raid`: either we see its new split, or it sees our new top.
        barrier::light();
        // The barrier pair orders it; the slow path takes the lock. Acquire pairs with the Release store of a raider
        // that puts `split` back: the next push writes where it has read.
        #[cfg(not(mutant = "put_back_relaxed"))]
        let split = self.split.load(Ordering::Acquire);
        #[cfg(mutant = "put_back_relaxed")]
        let split = self.split.load(Ordering::Relaxed);
        height >= split
    }

    /// The height of the newest job.
    pub(crate) fn newest(&self) -> usize {
        self.top.load(Ordering::Relaxed) - STEP
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
        // Nothing is private.
        self.split.store(top, Ordering::Relaxed);
        // So many may be private from here on.
        let calm = calm(top);
        let poll = self.poll.load(Ordering::Relaxed);
        if poll > calm && !cfg!(mutant = "full_where_it_was") {
            // A failure means that somebody has become hungry. Relaxed: read by ourselves, and under the lock.
            let _ = self.poll.compare_exchange(poll, calm, Ordering::Relaxed, Ordering::Relaxed);
        }
        #[cfg(not(mutant = "reclaim_without_lock"))]
        drop(guard);
        match self.public.pop() {
            Some(_) => Reclaimed::Ours,
            None => Reclaimed::Stolen,
        }
    }

    /// Takes the newest job back, wherever it is: [`pop`](Self::pop), and if need be [`reclaim`](Self::reclaim).
    ///
    /// # Safety
    /// As for `pop`.
    #[inline(always)]
    pub(crate) unsafe fn pop_or_reclaim(&self) -> Reclaimed {
        // SAFETY: the caller's promise; `reclaim` follows a false.
        unsafe { if self.pop(self.newest()) { Reclaimed::Ours } else { self.reclaim() } }
    }

    /// The end of a `join`, or of its unwinding: takes the newest job back, or waits for its thief. Afterwards the
    /// frame with the job may go. `wait` is called for a stolen job, and returns when the latch is set.
    ///
    /// # Safety
    /// Called by the owner, once for the push of `job`, newest first; instead of [`pop`](Self::pop).
    pub(crate) unsafe fn take_back<B: Arm>(&self, job: &ForkJob<B>, wait: impl FnOnce(&ForkHeader)) -> Returned<B> {
        // SAFETY: the caller's promise.
        if unsafe { self.pop(self.newest()) } {
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
        let full = {
            // Under the lock, since `split` may be a raider's for a moment.
            let _guard = self.lock.lock();
            let calm = calm(self.split.load(Ordering::Relaxed));
            // Restored before we look, so that a request that comes while we look is seen at the next push. Relaxed:
            // the request carries nothing but itself.
            self.poll.store(calm, Ordering::Relaxed);
            self.top.load(Ordering::Relaxed) > calm
        };
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
        self.split.store(self.split.load(Ordering::Relaxed) + STEP, Ordering::Relaxed);
    }

    /// Whether the next push needs room, or the next but one: early, since `split` may be a raider's for a moment.
    pub(crate) fn is_full(&self) -> bool {
        self.top.load(Ordering::Relaxed) >= calm(self.split.load(Ordering::Relaxed))
    }

    /// Whether there are private jobs besides the newest. Exact for the owner but for raids.
    pub(crate) fn has_older_private(&self) -> bool {
        self.top.load(Ordering::Relaxed) > self.split.load(Ordering::Relaxed) + STEP
    }

    /// The height of the stack: how many jobs are open, in bytes.
    pub(crate) fn height(&self) -> usize {
        self.top.load(Ordering::Relaxed)
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

    /// Takes an unanswered request back: of the caller, or, when the owner leaves its slot, of anybody.
    pub(crate) fn withdraw(&self) {
        if !self.unanswered() {
            return;
        }
        // Without the lock `split` may go down before we have stored what it allows. If somebody has it, the request
        // stays: at worst it is answered in vain.
        #[cfg(not(mutant = "withdraw_without_lock"))]
        let Some(_guard) = self.lock.try_lock() else { return };
        let calm = calm(self.split.load(Ordering::Relaxed));
        // A failure means that it has been answered meanwhile. Release pairs with the Acquire in `push`: a raider who
        // had the lock before us is done with its entry.
        let _ = self.poll.compare_exchange(HUNGRY, calm, Ordering::Release, Ordering::Relaxed);
    }

    /// Takes the oldest public job.
    pub(crate) fn steal(&self) -> Option<ForkRef> {
        self.stealer.steal()
    }

    pub(crate) fn has_public(&self) -> bool {
        !self.stealer.is_empty()
    }

    /// The same, for the owner: without a fence.
    pub(crate) fn keeps_public(&self) -> bool {
        !self.public.is_empty()
    }

    /// Whether there is no job here, private or public: for the owner.
    pub(crate) fn is_clear(&self) -> bool {
        !self.may_have_private() && !self.keeps_public()
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
            // Release: as below, for a raider that had the lock before us.
            self.split.store(split, Ordering::Release);
            return None;
        }
        // SAFETY: the owner cannot pass below `split + STEP` without the lock, so the entry is ours to read.
        let job = unsafe { self.entry(split).read() };
        if !allowed() {
            // Release pairs with the Acquire in `pop`: we have read the entry.
            #[cfg(not(mutant = "raid_keeps_refused"))]
            self.split.store(split, Ordering::Release);
            return None;
        }
        // SAFETY: no thread but us has seen the job; its owner looks at the header only after it has had the lock.
        unsafe { job.make_public(owner, std::ptr::null()) };
        Some(job)
    }
}
