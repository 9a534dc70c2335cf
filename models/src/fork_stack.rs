//! The private fork stack: its owner against a thief of public jobs, and against raiders of private ones.

use super::{explore, parker};
use crate::core::fork_stack::{ForkStack, Reclaimed};
use crate::core::job::{Arm, ForkJob};
use crate::core::latch::Waiter;
use loom::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

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

    /// The end of a `join` that returned from its first arm.
    fn fetch(&self, job: &ForkJob<Probe>) -> u32 {
        // SAFETY: this is the owner's thread, and the job the newest.
        if unsafe { self.stack.pop() || self.stack.reclaim() == Reclaimed::Ours } {
            // SAFETY: reclaimed.
            return unsafe { job.take() }.run_stolen();
        }
        // SAFETY: stolen, so it was made public.
        let header = unsafe { job.header() };
        while header.latch.announce_sleep() {
            self.bed.park();
        }
        // SAFETY: the latch is set.
        unsafe { job.result() }.ok().expect("no arm panics")
    }

    /// The end of a `join` whose first arm has panicked.
    fn dispose(&self, job: &ForkJob<Probe>) {
        // SAFETY: as in `fetch`.
        if unsafe { self.stack.pop() || self.stack.reclaim() == Reclaimed::Ours } {
            // SAFETY: reclaimed.
            drop(unsafe { job.take() });
            return;
        }
        // SAFETY: as in `fetch`.
        let header = unsafe { job.header() };
        #[cfg(not(mutant = "unwind_without_wait"))]
        while header.latch.announce_sleep() {
            self.bed.park();
        }
        // SAFETY: the latch is set.
        drop(unsafe { job.result() });
    }

    fn push(&self, job: &ForkJob<Probe>) {
        // SAFETY: this is the owner's thread; the job is fetched or disposed of in its frame.
        if unsafe { self.stack.push(job.as_ref()) } {
            self.publish(1);
        }
    }

    fn publish(&self, most: usize) {
        // SAFETY: the owner's thread.
        unsafe { self.stack.publish(most, &self.waiter, crate::core::lineage::Place::outside()) };
    }

    fn steal(&self) {
        if let Some(fork) = self.stack.steal() {
            // SAFETY: taken.
            unsafe { fork.taken_by(1) };
            // SAFETY: taken.
            unsafe { fork.run_stolen() };
        }
    }

    fn raid(&self) {
        if let Some(fork) = self.stack.raid(self.waiter.clone(), || true) {
            // SAFETY: taken.
            unsafe { fork.run_stolen() };
        }
    }
}

fn probe(runs: &Arc<AtomicUsize>, value: u32) -> ForkJob<Probe> {
    ForkJob::new(Probe { runs: runs.clone(), value })
}

/// Two nested joins, with something done in the middle.
fn nested(pool: &Pool, runs: &Arc<AtomicUsize>, middle: impl FnOnce()) {
    let outer = probe(runs, 1);
    pool.push(&outer);
    let inner = probe(runs, 2);
    pool.push(&inner);
    middle();
    assert_eq!(pool.fetch(&inner), 2);
    assert_eq!(pool.fetch(&outer), 1);
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
            let outer = probe(&runs, 1);
            pool.push(&outer);
            let inner = probe(&runs, 2);
            pool.push(&inner);
            pool.publish(1);
            pool.dispose(&inner);
            pool.dispose(&outer);
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
        for (value, job) in jobs.iter().enumerate().rev() {
            assert_eq!(pool.fetch(job), value as u32);
        }
        thief.join().unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 4);
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
            let asked = unsafe { pool.stack.push(job.as_ref()) };
            pool.raid();
            if asked {
                pool.publish(1);
            }
        }
        for (value, job) in jobs.iter().enumerate().rev() {
            assert_eq!(pool.fetch(job), value as u32);
        }
        assert_eq!(runs.load(Ordering::Relaxed), 6);
    });
}
