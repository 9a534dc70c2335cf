//! The watch over a pool at rest: whatever is stranded, by a push without a fence, somebody keeps an eye on it until the
//! pool is fast asleep, and then the push itself wakes somebody. See `sleep.md`, "The watch, and deep sleep".
//!
//! The words of sleep, the list and the parkers are the real ones. How a thread rests is a short copy of `rest` in
//! `pool/worker.rs`: the watch looks once, instead of for some milliseconds, and loom's timed parks end at once.
//!
//! loom knows no `membarrier`. It stands here as a lock that the pushing thread takes for each of its steps: so what it
//! did before the barrier is seen after it, what it does after the barrier sees what was done before, and nothing else
//! is ordered.

use super::{explore, parker};
use crate::core::parker::Parker;
use crate::core::sleep::{Searching, Sleep, Watch};
use crate::ground::sync::{AtomicBool, AtomicU32, Mutex, Ordering};
use std::sync::Arc;

/// Nothing; a fork that its owner keeps to itself; a fork or closure for everybody.
const NOTHING: u32 = 0;
const PRIVATE: u32 = 1;
const PUBLIC: u32 = 2;

/// Two threads at rest, and one at work, which leaves something behind and waits for it: so a model hangs if it
/// strands.
struct Pool {
    sleep: Sleep,
    beds: [Arc<Parker>; 2],
    item: AtomicU32,
    /// A request for forks, with the thread at work.
    request: AtomicBool,
    worker: Arc<Parker>,
    over: AtomicBool,
    steps: Mutex<()>,
}

const SEATS: u64 = 3;

impl Pool {
    /// One thread works.
    fn new() -> Arc<Self> {
        let pool = Pool {
            sleep: Sleep::new(),
            beds: [parker(), parker()],
            item: AtomicU32::new(NOTHING),
            request: AtomicBool::new(false),
            worker: parker(),
            over: AtomicBool::new(false),
            steps: Mutex::new(()),
        };
        pool.sleep.take_seat();
        Arc::new(pool)
    }

    // ----- at work ---------------------------------------------------------------------------------------------

    /// A step of the thread at work: see the file's head.
    fn step<R>(&self, step: impl FnOnce() -> R) -> R {
        let _step = self.steps.lock();
        step()
    }

    /// `membarrier`, by another.
    fn heavy(&self) {
        drop(self.steps.lock());
    }

    /// A `join` before a long first arm.
    fn fork(&self) {
        self.step(|| self.item.store(PRIVATE, Ordering::Release));
        let asked = self.step(|| self.request.load(Ordering::Relaxed));
        if asked {
            // Unless it has been raided meanwhile.
            let published = self.item.compare_exchange(PRIVATE, PUBLIC, Ordering::AcqRel, Ordering::Relaxed).is_ok();
            if published && self.sleep.wants_thread(SEATS) {
                let _ = self.sleep.wake_one(SEATS);
            }
        }
        self.worker.park();
    }

    /// `Shared::notify_own`, before something long.
    fn spawn(&self) {
        self.step(|| self.item.store(PUBLIC, Ordering::Release));
        if self.step(|| self.sleep.may_want_thread(SEATS)) {
            let _ = self.sleep.wake_one(SEATS);
        }
        self.worker.park();
    }

    // ----- at rest ---------------------------------------------------------------------------------------------

    fn has_work(&self) -> bool {
        self.item.load(Ordering::Acquire) == PUBLIC
    }

    fn has_private(&self) -> bool {
        self.item.load(Ordering::Acquire) == PRIVATE
    }

    /// Takes what has been left behind, and ends the model.
    fn take(&self) -> bool {
        if self.item.load(Ordering::Acquire) == NOTHING || self.item.swap(NOTHING, Ordering::AcqRel) == NOTHING {
            return false;
        }
        self.over.store(true, Ordering::Release);
        self.beds.iter().chain([&self.worker]).for_each(|bed| bed.unpark());
        true
    }

    /// The life of an idle thread that lies in the list, or has just been taken off it.
    fn live(&self, slot: usize) {
        loop {
            let Some(search) = self.rest(slot) else { return };
            if self.take() {
                return std::mem::forget(search);
            }
            search.lie_down(slot, false, &self.beds[slot]);
        }
    }

    /// Until it is up, or the model is over.
    fn rest(&self, slot: usize) -> Option<Searching<'_>> {
        let mut looked = false;
        let get_up = || self.sleep.get_up(slot).unwrap_or_else(|| self.sleep.inherit());
        loop {
            if self.over.load(Ordering::Acquire) {
                return None;
            }
            if self.has_work() {
                return Some(get_up());
            }
            match self.sleep.lies(slot) {
                None => return Some(self.sleep.inherit()),
                Some(Watch::Mine) if looked => {
                    self.sleep.end_watch(false);
                    self.request.store(true, Ordering::Relaxed);
                    #[cfg(not(mutant = "watch_ends_without_barrier"))]
                    self.heavy();
                    if self.item.load(Ordering::Acquire) != NOTHING {
                        return Some(get_up());
                    }
                    self.beds[slot].park();
                    looked = false;
                }
                Some(Watch::Mine) => {
                    looked = true;
                    if self.has_private() {
                        return Some(get_up());
                    }
                }
                Some(Watch::Anothers) => self.beds[slot].park(),
            }
        }
    }

    /// A broadcast, say. It looks for no other work before it lies down: another may have done that before.
    fn get_up_for_another_thing(&self, slot: usize) {
        if let Some(search) = self.sleep.get_up(slot) {
            let _ = search.found();
            self.sleep.search().lie_down(slot, false, &self.beds[slot]);
        }
    }

    fn lie_down(&self, slot: usize) {
        self.sleep.take_seat();
        self.sleep.search().lie_down(slot, false, &self.beds[slot]);
    }
}

/// Three threads that take locks over and over: one preemption less than elsewhere.
fn explore_three(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(builder.preemption_bound.unwrap_or(3) - 1);
    builder.check(model);
}

fn idle(pool: &Arc<Pool>, slot: usize) -> loom::thread::JoinHandle<()> {
    let pool = pool.clone();
    loom::thread::spawn(move || pool.live(slot))
}

#[test]
fn a_fork_beside_the_end_of_the_watch() {
    explore(|| {
        let pool = Pool::new();
        pool.lie_down(0);
        let watch = idle(&pool, 0);
        pool.fork();
        watch.join().unwrap();
    });
}

#[test]
fn a_closure_without_a_fence_beside_the_last_searcher() {
    // The searcher has looked, and lies down; each may miss the other. The watch sees it.
    explore(|| {
        let pool = Pool::new();
        pool.sleep.take_seat();
        let searcher = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                pool.sleep.search().lie_down(0, false, &pool.beds[0]);
                pool.live(0);
            })
        };
        pool.spawn();
        searcher.join().unwrap();
    });
}

#[test]
fn who_keeps_watch_gets_up() {
    // For something else; and it lies down again behind the other, which keeps watch from then on.
    explore_three(|| {
        let pool = Pool::new();
        pool.lie_down(0);
        pool.lie_down(1);
        let first = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                pool.get_up_for_another_thing(0);
                pool.live(0);
            })
        };
        let second = idle(&pool, 1);
        pool.fork();
        first.join().unwrap();
        second.join().unwrap();
    });
}

#[test]
fn another_gets_up_in_deep_sleep() {
    // The first sleeps without limit, having ended its watch, and its request has been answered.
    explore_three(|| {
        let pool = Pool::new();
        pool.lie_down(0);
        pool.lie_down(1);
        pool.sleep.end_watch(false);
        pool.get_up_for_another_thing(1);
        let first = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                pool.beds[0].park();
                pool.live(0);
            })
        };
        let second = idle(&pool, 1);
        pool.fork();
        first.join().unwrap();
        second.join().unwrap();
    });
}

#[test]
fn who_comes_from_work_lies_down_in_deep_sleep() {
    // All seats were taken when the watch ended. The thread at work has answered its request; whoever lies down now has
    // searched before this fork was pushed.
    explore_three(|| {
        let pool = Pool::new();
        pool.lie_down(0);
        pool.sleep.end_watch(false);
        pool.sleep.take_seat();
        let first = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                pool.beds[0].park();
                pool.live(0);
            })
        };
        let second = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                pool.sleep.search().lie_down(1, false, &pool.beds[1]);
                pool.live(1);
            })
        };
        pool.fork();
        first.join().unwrap();
        second.join().unwrap();
    });
}
