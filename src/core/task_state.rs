//! The state word of a task: who may touch what, and every step from one state to the next. The story is in `task.md`.
//!
//! Each step is one read-modify-write, and returns what the caller must do now.

use crate::ground::sync::{AtomicU64, Ordering};

/// A [`Task`](crate::core::task::Task) that may be run exists: it lies in a queue, or is on its way there.
const SCHEDULED: u64 = 1;
/// Somebody has the right to poll the future, and to drop it. It is given up by resting or by completing.
const RUNNING: u64 = 1 << 1;
/// The future is gone, and never polled again; the output is there unless it has been taken. Never cleared.
const COMPLETE: u64 = 1 << 2;
/// The future is to be dropped instead of polled. Implies SCHEDULED, RUNNING or COMPLETE. Never cleared.
const CANCELLED: u64 = 1 << 3;
/// There is a join handle: it takes the output. Cleared by the handle only, before COMPLETE.
const HANDLE: u64 = 1 << 4;
/// The awaiter's waker has been handed over to whoever completes. Set and cleared by the handle only, before COMPLETE.
const AWAITER: u64 = 1 << 5;
/// The task stands in its pool's list of tasks. Set and cleared by whoever is RUNNING.
const LISTED: u64 = 1 << 6;
/// There is a note about the task, with its id or name. Never cleared.
const NOTED: u64 = 1 << 7;

const SHARD: u64 = 1 << 8;
const SHARD_MASK: u64 = 0xff << 8;
const POOL: u64 = 1 << 16;
const POOL_MASK: u64 = 0xf_ffff << 16;
/// Handles, wakers, and the right to run (SCHEDULED or RUNNING) hold one each.
const REF: u64 = 1 << 36;
const MOST_REFS: u64 = 1 << 27;

/// Shards that a list of tasks may have at most.
pub(crate) const MOST_SHARDS: usize = 256;
/// Pools that may live at the same time.
pub(crate) const MOST_POOLS: usize = 1 << 20;

fn refs(state: u64) -> u64 {
    state / REF
}

/// See the module.
#[derive(Debug)]
pub(crate) struct State(AtomicU64);

/// After a wake, an abort, or the loss of a reference.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Duty {
    Nothing,
    /// The caller has the right to run now, with its reference: queue it.
    Schedule,
    /// That was the last reference: free the memory.
    Free,
}

/// What whoever has taken the task from a queue does.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Start {
    Poll,
    /// Drop the future, and complete.
    Cancel,
    /// The same by whoever has [claimed](State::claim) it: what lies in the queue is left to be counted off.
    Claimed,
}

/// After a poll that was not ready.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Rest {
    /// The right to run is given up, and its reference.
    Resting,
    /// Woken meanwhile: the right to run is the caller's, to be queued again.
    Again,
    /// Cancelled, or nobody is left who could ever wake it: drop the future, and complete.
    Cancel,
}

/// Before the output is stored: whether anybody will take it.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Wanted {
    Yes,
    No,
}

/// The task is complete.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Completed {
    /// The caller's reference is gone with it.
    Left,
    /// Take the awaiter's waker and wake it; then drop the caller's reference.
    Wake,
    /// The handle has just gone: drop the output; then drop the caller's reference.
    DropOutput,
    /// The caller's was the only reference: free the memory.
    Free,
}

/// What a handle learns when it looks.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Look {
    /// The output is the handle's.
    Complete,
    /// Nobody reads the awaiter's place: the handle may write it, and hand it over.
    Free,
    /// A waker has been handed over. Its word may be read, but what it points at may be gone.
    Waiting,
}

impl State {
    /// A new task: scheduled, with a handle.
    pub(crate) fn new(pool: usize) -> Self {
        debug_assert!(pool < MOST_POOLS);
        State(AtomicU64::new(SCHEDULED | HANDLE | (2 * REF) | (pool as u64 * POOL)))
    }

    /// The number of the pool whose task this is.
    pub(crate) fn pool(&self) -> usize {
        // Relaxed: never changes.
        ((self.0.load(Ordering::Relaxed) & POOL_MASK) / POOL) as usize
    }

    /// The shard in which the task is listed.
    pub(crate) fn shard(&self) -> Option<usize> {
        // Relaxed: asked by whoever is RUNNING, the only one who changes it.
        let state = self.0.load(Ordering::Relaxed);
        (state & LISTED != 0).then_some(((state & SHARD_MASK) / SHARD) as usize)
    }

    /// Whether the task would be queued again right now: then it need not be listed before it rests.
    pub(crate) fn is_woken(&self) -> bool {
        self.0.load(Ordering::Relaxed) & SCHEDULED != 0
    }

    pub(crate) fn is_complete(&self) -> bool {
        // Acquire pairs with `complete`: who sees it sees all that the task did.
        self.0.load(Ordering::Acquire) & COMPLETE != 0
    }

    /// Notes that there is a note.
    pub(crate) fn set_noted(&self) {
        // Relaxed: the notes have a lock.
        self.0.fetch_or(NOTED, Ordering::Relaxed);
    }

    pub(crate) fn is_noted(&self) -> bool {
        self.0.load(Ordering::Relaxed) & NOTED != 0
    }

    fn update<R>(&self, order: Ordering, step: impl Fn(u64) -> (Option<u64>, R)) -> R {
        // Acquire: a step that does nothing may still rest on what it has seen.
        let mut state = self.0.load(Ordering::Acquire);
        loop {
            let (next, result) = step(state);
            let Some(next) = next else { return result };
            match self.0.compare_exchange_weak(state, next, order, Ordering::Acquire) {
                Ok(_) => return result,
                Err(now) => state = now,
            }
        }
    }

    // ----- references ------------------------------------------------------------------------------------------

    /// One more reference, for a waker or an abort handle.
    pub(crate) fn add_ref(&self) {
        // Relaxed: made from a reference, which keeps the task alive.
        let before = self.0.fetch_add(REF, Ordering::Relaxed);
        if refs(before) >= MOST_REFS {
            eprintln!("filch: more than {MOST_REFS} wakers of one task; aborting");
            std::process::abort();
        }
    }

    /// A reference goes. If it is the last one of a task that has not ended, the task can never be woken again: then
    /// it becomes the right to run, to drop the future.
    pub(crate) fn drop_ref(&self) -> Duty {
        // AcqRel: whatever was done with the reference happens before the memory is freed.
        self.update(Ordering::AcqRel, |state| {
            if refs(state) > 1 {
                (Some(state - REF), Duty::Nothing)
            } else if cfg!(mutant = "last_reference_forgets") || state & COMPLETE != 0 {
                (Some(state - REF), Duty::Free)
            } else {
                (Some(state | SCHEDULED | CANCELLED), Duty::Schedule)
            }
        })
    }

    // ----- wakers ----------------------------------------------------------------------------------------------

    /// A wake that keeps its reference.
    pub(crate) fn wake_by_ref(&self) -> Duty {
        // AcqRel: what the waker's owner did happens before the poll that this leads to, also if it is on its way
        // already: that is why even then something is written. Pairs with `start` and `rest`.
        self.update(Ordering::AcqRel, |state| {
            if state & (COMPLETE | CANCELLED) != 0 {
                (None, Duty::Nothing)
            } else if state & SCHEDULED != 0 {
                #[cfg(not(mutant = "wake_without_write"))]
                let next = Some(state);
                #[cfg(mutant = "wake_without_write")]
                let next = None;
                (next, Duty::Nothing)
            } else if state & RUNNING != 0 {
                (Some(state | SCHEDULED), Duty::Nothing)
            } else {
                (Some((state | SCHEDULED) + REF), Duty::Schedule)
            }
        })
    }

    /// A wake that uses its reference up.
    pub(crate) fn wake(&self) -> Duty {
        self.update(Ordering::AcqRel, |state| {
            if state & COMPLETE != 0 {
                let duty = if refs(state) == 1 { Duty::Free } else { Duty::Nothing };
                (Some(state - REF), duty)
            } else if state & (CANCELLED | SCHEDULED) != 0 {
                // The right to run holds another reference.
                (Some(state - REF), Duty::Nothing)
            } else if state & RUNNING != 0 {
                (Some((state | SCHEDULED) - REF), Duty::Nothing)
            } else {
                (Some(state | SCHEDULED), Duty::Schedule)
            }
        })
    }

    /// The future is to be dropped.
    pub(crate) fn cancel(&self) -> Duty {
        self.update(Ordering::AcqRel, |state| {
            if state & (COMPLETE | CANCELLED) != 0 {
                (None, Duty::Nothing)
            } else if state & (SCHEDULED | RUNNING) != 0 {
                (Some(state | CANCELLED), Duty::Nothing)
            } else {
                #[cfg(not(mutant = "cancel_without_run"))]
                let next = ((state | CANCELLED | SCHEDULED) + REF, Duty::Schedule);
                #[cfg(mutant = "cancel_without_run")]
                let next = (state | CANCELLED, Duty::Nothing);
                (Some(next.0), next.1)
            }
        })
    }

    // ----- closures, which are queued once and never rest --------------------------------------------------------

    /// Takes the right to run a closure that has not begun away from the queue, to drop it unrun. Of this and
    /// [`start_once`](Self::start_once) one succeeds: both go from SCHEDULED alone to RUNNING. The queue keeps its
    /// reference; the right to run gets one of its own. False: it has begun, or ended.
    pub(crate) fn claim(&self) -> bool {
        // AcqRel: as `start`; the queue's side sees no more than that it has come too late.
        self.update(Ordering::AcqRel, |state| {
            let begun = state & (RUNNING | COMPLETE) != 0;
            if (begun && cfg!(not(mutant = "claim_over_start"))) || state & CANCELLED != 0 {
                (None, false)
            } else {
                (Some(((state | RUNNING | CANCELLED) & !SCHEDULED) + REF), true)
            }
        })
    }

    /// Taken from a queue, where it has been once. None: it has been claimed, and the queue's reference is a husk.
    pub(crate) fn start_once(&self) -> Option<Start> {
        // Acquire, for what it captures. Release: as `claim`.
        self.update(Ordering::AcqRel, |state| {
            if state & (RUNNING | COMPLETE) != 0 && cfg!(not(mutant = "husk_runs")) {
                return (None, None);
            }
            let start = if state & CANCELLED != 0 { Start::Cancel } else { Start::Poll };
            (Some((state | RUNNING) & !SCHEDULED), Some(start))
        })
    }

    // ----- whoever runs the task -------------------------------------------------------------------------------

    /// Taken from a queue: from SCHEDULED to RUNNING. `resumed`: it is RUNNING already, by `yield_now`.
    #[inline]
    pub(crate) fn start(&self, resumed: bool) -> Start {
        // Acquire pairs with the wakes, and with the last `rest` or `Again` of another thread.
        let state = if resumed {
            let state = self.0.load(Ordering::Acquire);
            if state & SCHEDULED != 0 { self.0.fetch_and(!SCHEDULED, Ordering::Acquire) } else { state }
        } else {
            self.0.fetch_add(RUNNING - SCHEDULED, Ordering::Acquire)
        };
        if state & CANCELLED != 0 { Start::Cancel } else { Start::Poll }
    }

    /// The poll was not ready. `listed`: the shard that the task has been put in during this very run.
    #[inline]
    pub(crate) fn rest(&self, listed: Option<usize>) -> Rest {
        let listed = listed.map_or(0, |shard| LISTED | (shard as u64 * SHARD));
        // Release pairs with the `start` of whoever runs it next. Acquire: see `start`.
        self.update(Ordering::AcqRel, |state| {
            let state_listed = state | listed;
            if state & CANCELLED != 0 {
                (Some(state_listed), Rest::Cancel)
            } else if cfg!(not(mutant = "rest_without_look")) && state & SCHEDULED != 0 {
                (Some(state_listed & !RUNNING), Rest::Again)
            } else if refs(state) == 1 {
                (Some(state_listed), Rest::Cancel)
            } else {
                (Some((state_listed & !RUNNING) - REF), Rest::Resting)
            }
        })
    }

    /// Before completing: no longer listed.
    pub(crate) fn unlisted(&self) {
        // Relaxed: read by whoever is RUNNING only, which is the caller.
        self.0.fetch_and(!LISTED, Ordering::Relaxed);
    }

    /// Whether a handle waits for the output. If not, that is final.
    pub(crate) fn wanted(&self) -> Wanted {
        if self.0.load(Ordering::Relaxed) & HANDLE != 0 { Wanted::Yes } else { Wanted::No }
    }

    /// Whether nobody but the caller knows the task: no handle, no waker, no list, no note. Then nobody ever will.
    #[inline]
    pub(crate) fn ends_alone(&self) -> bool {
        // Acquire pairs with those who went.
        let state = self.0.load(Ordering::Acquire);
        let listed = state & LISTED != 0 && !cfg!(mutant = "ends_alone_in_a_list");
        refs(state) == 1 && !listed && state & NOTED == 0
    }

    /// The future is gone and the output is in its place, or dropped if it is not `wanted`.
    #[inline]
    pub(crate) fn complete(&self, wanted: Wanted) -> Completed {
        if wanted == Wanted::No && refs(self.0.load(Ordering::Acquire)) == 1 {
            // Nobody else is left, so nobody else can come. Acquire pairs with those who went.
            return Completed::Free;
        }
        // Release: the output, and all that the task did, pairs with the Acquire in `look` and `is_complete`.
        #[cfg(not(mutant = "complete_relaxed"))]
        let order = Ordering::AcqRel;
        #[cfg(mutant = "complete_relaxed")]
        let order = Ordering::Acquire;
        self.update(order, |state| {
            debug_assert!(state & RUNNING != 0 && state & COMPLETE == 0);
            let complete = (state | COMPLETE) & !(RUNNING | SCHEDULED);
            if state & AWAITER != 0 {
                (Some(complete), Completed::Wake)
            } else if wanted == Wanted::Yes && state & HANDLE == 0 {
                (Some(complete), Completed::DropOutput)
            } else if refs(state) == 1 {
                (Some(complete), Completed::Free)
            } else {
                (Some(complete - REF), Completed::Left)
            }
        })
    }

    // ----- the handle ------------------------------------------------------------------------------------------

    pub(crate) fn look(&self) -> Look {
        // Acquire pairs with `complete`.
        let state = self.0.load(Ordering::Acquire);
        if state & COMPLETE != 0 {
            Look::Complete
        } else if state & AWAITER != 0 {
            Look::Waiting
        } else {
            Look::Free
        }
    }

    /// The awaiter's waker has been written: it is whoever completes' from here on. False: too late, it is complete,
    /// and the waker is still the handle's.
    pub(crate) fn hand_over_awaiter(&self) -> bool {
        // Release: the waker, for `complete`. Acquire: the output, if it is complete.
        #[cfg(not(mutant = "awaiter_over_complete"))]
        return self.update(Ordering::AcqRel, |state| {
            if state & COMPLETE != 0 { (None, false) } else { (Some(state | AWAITER), true) }
        });
        #[cfg(mutant = "awaiter_over_complete")]
        {
            self.0.fetch_or(AWAITER, Ordering::AcqRel);
            true
        }
    }

    /// Takes the awaiter's waker back. False: too late, it is complete, and the waker is not ours.
    pub(crate) fn take_back_awaiter(&self) -> bool {
        self.update(Ordering::AcqRel, |state| {
            if state & COMPLETE != 0 { (None, false) } else { (Some(state & !AWAITER), true) }
        })
    }

    /// The handle goes before the task is complete, and its reference with it; the awaiter's waker has been taken
    /// back. None: too late, it is complete, and the output is the handle's to drop, and its reference too.
    pub(crate) fn drop_handle(&self) -> Option<Duty> {
        self.update(Ordering::AcqRel, |state| {
            debug_assert!(state & HANDLE != 0);
            if state & COMPLETE != 0 {
                (None, None)
            } else if refs(state) == 1 {
                (Some((state | SCHEDULED | CANCELLED) & !HANDLE), Some(Duty::Schedule))
            } else {
                (Some((state & !HANDLE) - REF), Some(Duty::Nothing))
            }
        })
    }

    /// The same in one step, for a handle whose awaiter has never been handed over, and where nothing follows. False:
    /// it is not so, or somebody has just changed the word; nothing has been done.
    #[inline]
    pub(crate) fn drop_quiet_handle(&self) -> bool {
        // Relaxed: the exchange finds what was seen here, or fails.
        let state = self.0.load(Ordering::Relaxed);
        let owes = state & (COMPLETE | AWAITER) != 0 && !cfg!(mutant = "quiet_handle_blind");
        let quiet = !owes && refs(state) > 1;
        let next = (state & !HANDLE).wrapping_sub(REF);
        // AcqRel: as `drop_handle`.
        quiet && self.0.compare_exchange(state, next, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}
