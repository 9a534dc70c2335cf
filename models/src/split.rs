//! A loop's rest on the fork stack: its owner cuts parts off it, while a thief takes parts and a raider the whole rest.

use super::{explore, parker};
use crate::core::fork_stack::{ForkStack, Reclaimed};
use crate::core::job::{Arm, ForkHeader, ForkJob, ForkRef, SplitFn};
use crate::core::latch::Waiter;
use loom::sync::atomic::{AtomicUsize, Ordering};
use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::Arc;

/// Items that count themselves when they are run.
struct Items {
    count: usize,
    runs: Arc<AtomicUsize>,
}

impl Arm for Items {
    type Out = usize;

    fn run_stolen(self) -> usize {
        self.runs.fetch_add(self.count, Ordering::Relaxed);
        self.count
    }
}

#[repr(C)]
struct Beside {
    split: SplitFn,
    parts: Cell<Option<NonNull<Part>>>,
}

struct Part {
    job: ForkJob<Items>,
    older: Option<NonNull<Part>>,
}

type Rest = ForkJob<Items, Beside>;

/// Cuts one item off, or nothing off the last.
unsafe fn split(data: *const (), _: usize) -> Option<ForkRef> {
    // SAFETY: called on the owner's thread with a private `Rest`.
    let job = unsafe { &*data.cast::<Rest>() };
    // SAFETY: private.
    let items = unsafe { job.arm() };
    if items.count <= 1 {
        return None;
    }
    items.count -= 1;
    // Lets loom change threads in the middle of it.
    loom::thread::yield_now();
    let cut = Items { count: 1, runs: items.runs.clone() };
    let part = Box::new(Part { job: ForkJob::new(cut), older: job.more().parts.get() });
    let part = NonNull::from(Box::leak(part));
    job.more().parts.set(Some(part));
    // SAFETY: freed by `end` when it is done with.
    Some(unsafe { part.as_ref().job.as_ref() })
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

    fn wait(&self, header: &ForkHeader) {
        while header.latch.announce_sleep() {
            self.bed.park();
        }
    }

    fn publish(&self, most: usize) {
        // SAFETY: the owner's thread.
        unsafe { self.stack.publish(most, &self.waiter, crate::core::lineage::Place::outside()) };
    }

    /// A loop of `count` items, all of them rest, with something done while it lies on the stack. How many items its
    /// owner and its thieves report.
    fn run(&self, count: usize, runs: &Arc<AtomicUsize>, middle: impl FnOnce()) -> usize {
        let rest = Rest::vacant(Beside { split, parts: Cell::new(None) });
        // SAFETY: vacant.
        unsafe { rest.refill(Items { count, runs: runs.clone() }) };
        // SAFETY: the owner's thread; the job is popped below.
        if unsafe { self.stack.push(rest.as_splittable()) }.1 {
            self.publish(1);
        }
        middle();
        // SAFETY: the pop for the push.
        let mut sum = if unsafe { self.stack.pop_or_reclaim() } == Reclaimed::Ours {
            // SAFETY: reclaimed.
            unsafe { rest.take() }.run_stolen()
        } else {
            // SAFETY: stolen, so public.
            self.wait(unsafe { rest.header() });
            // SAFETY: the latch is set.
            unsafe { rest.result() }.ok().expect("nothing panics")
        };
        while let Some(part) = rest.more().parts.get() {
            // SAFETY: on the list, so on the heap.
            let node = unsafe { part.as_ref() };
            rest.more().parts.set(node.older);
            // SAFETY: nothing private is younger.
            sum += if unsafe { self.stack.reclaim_part() } {
                // SAFETY: reclaimed.
                unsafe { node.job.take() }.run_stolen()
            } else {
                // SAFETY: stolen, so public.
                self.wait(unsafe { node.job.header() });
                // SAFETY: the latch is set.
                unsafe { node.job.result() }.ok().expect("nothing panics")
            };
            // SAFETY: from a box, and done with.
            drop(unsafe { Box::from_raw(part.as_ptr()) });
        }
        sum
    }

    fn steal(&self) {
        if let Some(fork) = self.stack.steal() {
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

#[test]
fn parts_against_a_thief() {
    explore(|| {
        let pool = Pool::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let thief = {
            let pool = pool.clone();
            loom::thread::spawn(move || pool.steal())
        };
        assert_eq!(pool.run(3, &runs, || pool.publish(2)), 3);
        thief.join().unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 3);
    });
}

#[test]
fn parts_against_a_raider() {
    explore(|| {
        let pool = Pool::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let raider = {
            let pool = pool.clone();
            loom::thread::spawn(move || pool.raid())
        };
        assert_eq!(pool.run(3, &runs, || pool.publish(1)), 3);
        raider.join().unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 3);
    });
}

#[test]
fn the_whole_rest_after_its_parts() {
    explore(|| {
        let pool = Pool::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let thief = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                pool.steal();
                pool.raid();
            })
        };
        // Two items: one part, then the rest as a whole.
        assert_eq!(pool.run(2, &runs, || pool.publish(2)), 2);
        thief.join().unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn an_inner_loop_publishes_the_outer_one_first() {
    explore(|| {
        let pool = Pool::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let thief = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                pool.steal();
                pool.raid();
            })
        };
        let inner = Cell::new(0);
        let outer = pool.run(2, &runs, || inner.set(pool.run(2, &runs, || pool.publish(3))));
        assert_eq!((outer, inner.get()), (2, 2));
        thief.join().unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 4);
    });
}
