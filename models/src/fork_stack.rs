//! The private fork stack: its owner against a thief of public jobs, and against raiders of private ones.

use super::{explore, parker};
use crate::core::fork_stack::{ForkStack, Returned};
use crate::core::job::{Arm, ForkHeader, ForkJob};
use crate::core::latch::Waiter;
use loom::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::sync::atomic::AtomicU32 as Counter;

/// The name of whoever steals.
const THIEF: u32 = 1;

/// An arm that counts its runs and its drops.
struct Probe {
    runs: Arc<AtomicUsize>,
    value: u32,
}

impl Arm for Probe {
    type Out = u32;

    fn run_stolen(self) -> u32 {
        self.runs.fetch_add(1, Ordering::Relaxed);
        self.value
    }
}

struct Pool {
    stack: ForkStack,
    waiter: Waiter,
    bed: Arc<crate::core::parker::Parker>,
}

impl Pool {
    fn new() -> Arc<Self> {
        let bed = parker();
        Arc::new(Pool { stack: ForkStack::new(), waiter: Waiter::Outside(bed.clone()), bed })
    }

    /// The end of a `join`: the arm, or what it has returned.
    fn take_back(&self, job: &ForkJob<Probe>) -> Result<Probe, u32> {
        let wait = |header: &ForkHeader| {
            while header.latch.announce_sleep() {
                self.bed.park();
            }
            assert_eq!(header.thief(), Some(THIEF), "the job is over, and its thief has not said its name");
        };
        // SAFETY: this is the owner's thread, and the job the newest; the latch is waited for.
        match unsafe { self.stack.take_back(job, wait) } {
            Returned::Ours(arm) => Ok(arm),
            Returned::Stolen(Ok(value)) => Err(value),
            Returned::Stolen(Err(payload)) => {
                // Not dropped: no arm panics, so it is what lay in memory before.
                std::mem::forget(payload);
                panic!("the frame goes while the arm runs");
            }
        }
    }

    /// The end of a `join` that returned from its first arm.
    fn fetch(&self, job: &ForkJob<Probe>) -> u32 {
        self.take_back(job).map_or_else(|value| value, Arm::run_stolen)
    }

    /// The ends of nested joins, whose jobs return their places.
    fn fetch_all(&self, jobs: &[ForkJob<Probe>]) {
        for (value, job) in jobs.iter().enumerate().rev() {
            assert_eq!(self.fetch(job), value as u32);
        }
    }

    /// The end of a `join` whose first arm has panicked. The other one returns `value`, if it is run.
    fn dispose(&self, job: &ForkJob<Probe>, value: u32) {
        if let Err(result) = self.take_back(job) {
            assert_eq!(result, value, "the frame goes while the arm runs");
        }
    }

    fn push(&self, job: &ForkJob<Probe>) {
        // SAFETY: this is the owner's thread; the job is fetched or disposed of in its frame.
        if unsafe { self.stack.push(job.as_ref()) }.1 {
            self.publish(1);
        }
    }

    fn publish(&self, most: usize) {
        // SAFETY: the owner's thread.
        unsafe { self.stack.publish(most, &self.waiter, crate::core::lineage::Place::outside()) };
    }

    fn steal(&self) {
        if let Some(fork) = self.stack.steal() {
            // SAFETY: taken, and this stack has no owner but this thread.
            unsafe { ForkStack::new().run_taken(fork, THIEF, |_| ()) };
        }
    }

    fn raid(&self) {
        if let Some(fork) = self.stack.raid(self.waiter.clone(), || true) {
            // SAFETY: as in `steal`.
            unsafe { ForkStack::new().run_taken(fork, THIEF, |_| ()) };
        }
    }
}

fn probe(runs: &Arc<AtomicUsize>, value: u32) -> ForkJob<Probe> {
    ForkJob::new(Probe { runs: runs.clone(), value })
}

/// A number that no earlier run has had, nor its successor: what such a run has left in the frame is no substitute.
fn round() -> u32 {
    static ROUND: Counter = Counter::new(0);
    ROUND.fetch_add(2, Ordering::Relaxed)
}

/// Two nested joins, with something done in the middle.
fn nested(pool: &Pool, runs: &Arc<AtomicUsize>, middle: impl FnOnce()) {
    let round = round();
    let outer = probe(runs, round);
    pool.push(&outer);
    let inner = probe(runs, round + 1);
    pool.push(&inner);
    middle();
    assert_eq!(pool.fetch(&inner), round + 1);
    assert_eq!(pool.fetch(&outer), round);
}

#[test]
fn publish_and_steal() {
    explore(|| {
        let pool = Pool::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let thief = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                pool.stack.request();
                pool.steal();
            })
        };
        nested(&pool, &runs, || pool.publish(1));
        thief.join().unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn raid_against_nested_pops() {
    explore(|| {
        let pool = Pool::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let raider = {
            let pool = pool.clone();
            loom::thread::spawn(move || pool.raid())
        };
        nested(&pool, &runs, || ());
        raider.join().unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn raid_against_pop_and_push_again() {
    explore(|| {
        let pool = Pool::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let raider = {
            let pool = pool.clone();
            loom::thread::spawn(move || pool.raid())
        };
        for value in 0..2 {
            let job = probe(&runs, value);
            pool.push(&job);
            assert_eq!(pool.fetch(&job), value);
        }
        raider.join().unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn raid_and_steal_at_once() {
    explore(|| {
        let pool = Pool::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let thieves = [Pool::raid, Pool::steal].map(|take| {
            let pool = pool.clone();
            loom::thread::spawn(move || take(&pool))
        });
        nested(&pool, &runs, || pool.publish(1));
        for thief in thieves {
            thief.join().unwrap();
        }
        assert_eq!(runs.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn a_raid_that_is_not_allowed_puts_the_job_back() {
    explore(|| {
        let pool = Pool::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let raider = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                assert!(pool.stack.raid(pool.waiter.clone(), || false).is_none());
            })
        };
        nested(&pool, &runs, || ());
        raider.join().unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn unwinding_leaves_nothing_behind() {
    // Every arm is run or dropped once, and none is touched after its frame: the strong count tells.
    explore(|| {
        let pool = Pool::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let thieves = [Pool::raid, Pool::steal].map(|take| {
            let pool = pool.clone();
            loom::thread::spawn(move || take(&pool))
        });
        {
            let round = round();
            let outer = probe(&runs, round);
            pool.push(&outer);
            let inner = probe(&runs, round + 1);
            pool.push(&inner);
            pool.publish(1);
            pool.dispose(&inner, round + 1);
            pool.dispose(&outer, round);
        }
        assert_eq!(Arc::strong_count(&runs), 1);
        assert!(runs.load(Ordering::Relaxed) <= 2);
        for thief in thieves {
            thief.join().unwrap();
        }
    });
}

#[test]
fn a_full_array_is_published_whole() {
    explore(|| {
        let pool = Pool::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let thief = {
            let pool = pool.clone();
            loom::thread::spawn(move || pool.steal())
        };
        let jobs: Vec<_> = (0..4).map(|value| probe(&runs, value)).collect();
        for job in &jobs {
            pool.push(job);
        }
        pool.fetch_all(&jobs);
        thief.join().unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 4);
    });
}

/// With public jobs below it, the stack may grow higher; when they have been taken back, no higher than before.
#[test]
fn a_stack_that_has_come_down_is_full_where_it_was() {
    explore(|| {
        let pool = Pool::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let lower = [0, 1, 2].map(|value| probe(&runs, value));
        pool.push(&lower[0]);
        pool.push(&lower[1]);
        pool.publish(2);
        pool.push(&lower[2]);
        pool.publish(0);
        pool.fetch_all(&lower);
        let thief = {
            let pool = pool.clone();
            loom::thread::spawn(move || pool.steal())
        };
        let jobs: Vec<_> = (0..5).map(|value| probe(&runs, value)).collect();
        for job in &jobs {
            pool.push(job);
        }
        pool.publish(1);
        pool.fetch_all(&jobs);
        thief.join().unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 3 + 5);
    });
}

/// A request is withdrawn while the stack comes down: what the withdrawal restores is what there is room for then.
#[test]
fn a_withdrawal_beside_a_stack_that_comes_down() {
    explore(|| {
        let pool = Pool::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let lower = probe(&runs, 0);
        pool.push(&lower);
        pool.publish(1);
        let thief = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                pool.stack.request();
                pool.stack.withdraw();
            })
        };
        assert_eq!(pool.fetch(&lower), 0);
        thief.join().unwrap();
        let jobs: Vec<_> = (1..=5).map(|value| probe(&runs, value)).collect();
        let answers = jobs.iter().filter(|job| {
            // SAFETY: this is the owner's thread; fetched below.
            let (_, asked) = unsafe { pool.stack.push(job.as_ref()) };
            if asked {
                pool.publish(1);
            }
            asked
        });
        // Four fill the array, whether or not the request has been withdrawn.
        assert!(answers.count() >= 1);
        pool.publish(2);
        pool.steal();
        for job in jobs.iter().rev() {
            pool.fetch(job);
        }
        assert_eq!(runs.load(Ordering::Relaxed), 1 + 5);
    });
}

/// A raider has taken the oldest job, and its entry is written again, since a withdrawal has said that there is room.
#[test]
fn an_entry_is_written_again_beside_its_raider() {
    explore(|| {
        let pool = Pool::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let jobs: Vec<_> = (0..5).map(|value| probe(&runs, value)).collect();
        for job in &jobs[..3] {
            pool.push(job);
        }
        let raider = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                pool.raid();
                pool.stack.request();
                pool.stack.withdraw();
            })
        };
        for job in &jobs[3..] {
            pool.push(job);
        }
        pool.fetch_all(&jobs);
        raider.join().unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 5);
    });
}

/// The same when the raider has put the job back.
#[test]
fn an_entry_is_written_again_after_a_refused_raid() {
    explore(|| {
        let pool = Pool::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let raider = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                assert!(pool.stack.raid(pool.waiter.clone(), || false).is_none());
                // And then one that finds nothing, or is refused.
                assert!(pool.stack.raid(pool.waiter.clone(), || false).is_none());
            })
        };
        for value in 0..2 {
            let job = probe(&runs, value);
            pool.push(&job);
            assert_eq!(pool.fetch(&job), value);
        }
        raider.join().unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 2);
    });
}

/// The array fills up with jobs that raiders take, each of them the only private one: there is room all the same.
#[test]
fn raiders_take_what_fills_the_array() {
    explore(|| {
        let pool = Pool::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let jobs: Vec<_> = (0..6).map(|value| probe(&runs, value)).collect();
        for job in &jobs {
            // SAFETY: this is the owner's thread; fetched below.
            let (_, asked) = unsafe { pool.stack.push(job.as_ref()) };
            pool.raid();
            if asked {
                pool.publish(1);
            }
        }
        pool.fetch_all(&jobs);
        assert_eq!(runs.load(Ordering::Relaxed), 6);
    });
}
