//! Joins whose first arm waits for the second one, one inside of the other: however deep, a thread that nobody helps
//! takes the second arms itself.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use rayon_core::{ThreadPool, ThreadPoolBuilder, Yield};
use support::with_deadline;

/// Below, at, and far above the number of pieces of work that a thread takes up on top of one another at once.
const DEPTHS: [usize; 3] = [60, 70, 300];

fn pool(threads: usize) -> ThreadPool {
    // Without optimisation a level takes some kilobytes.
    ThreadPoolBuilder::new().num_threads(threads).stack_size(64 << 20).build().unwrap()
}

fn everywhere(run: impl Fn(&ThreadPool, usize) + Sync + Send + 'static) {
    with_deadline(100, move || {
        for threads in [1, 2, 4] {
            for depth in DEPTHS {
                run(&pool(threads), depth);
            }
        }
    });
}

fn yields(by: fn() -> Option<Yield>, depth: usize) {
    let done = AtomicBool::new(false);
    let wait = || {
        while !done.load(Ordering::Acquire) {
            if by() != Some(Yield::Executed) {
                thread::yield_now();
            }
        }
    };
    let recurse = || {
        if depth > 1 {
            yields(by, depth - 1);
        }
        done.store(true, Ordering::Release);
    };
    rayon_core::join(wait, recurse);
}

#[test]
fn yields_that_wait_for_the_second_arm() {
    everywhere(|pool, depth| pool.install(|| yields(rayon_core::yield_now, depth)));
}

/// The recursion is a thread's own, or it would wait for ever, here as with the original: nobody else takes the second
/// arm where all look at their own work alone.
#[test]
fn local_yields_that_wait_for_the_second_arm() {
    with_deadline(100, || {
        for depth in DEPTHS {
            pool(1).install(|| yields(rayon_core::yield_local, depth));
        }
    });
}

/// filch's own way of waiting: there a yield runs anything, too.
#[test]
fn yields_in_a_pool_that_waits_in_filchs_way() {
    with_deadline(100, || {
        for workers in [1, 2, 4] {
            for depth in DEPTHS {
                let pool = filch::Pool::builder().workers(workers).stack_size(64 << 20).build().unwrap();
                pool.install_on_worker(|| yields(filch::yield_now, depth));
            }
        }
    });
}

fn waits(other: &ThreadPool, depth: usize) {
    let (tell, told) = mpsc::channel();
    let told = Mutex::new(told);
    let wait = || other.install(|| told.lock().unwrap().recv().unwrap());
    let recurse = || {
        if depth > 1 {
            waits(other, depth - 1);
        }
        tell.send(()).unwrap();
    };
    rayon_core::join(wait, recurse);
}

#[test]
fn waits_in_another_pool_for_the_second_arm() {
    everywhere(|pool, depth| {
        // Each of them waits on a thread there.
        let other = ThreadPoolBuilder::new().num_threads(depth).stack_size(1 << 18).build().unwrap();
        pool.install(|| waits(&other, depth));
    });
}

fn waits_in_scopes(other: &ThreadPool, depth: usize) {
    let (tell, told) = mpsc::channel();
    let told = Mutex::new(told);
    // The job of the scope waits, and the scope's end for it.
    let wait = || rayon_core::scope(|s| s.spawn(|_| other.install(|| told.lock().unwrap().recv().unwrap())));
    let recurse = || {
        if depth > 1 {
            waits_in_scopes(other, depth - 1);
        }
        tell.send(()).unwrap();
    };
    rayon_core::join(wait, recurse);
}

/// With more threads one of them may begin the job of an outer scope inside of an inner one, and then neither ends, here
/// as with the original.
#[test]
fn waits_in_scopes_for_the_second_arm() {
    with_deadline(100, || {
        for depth in DEPTHS {
            let other = ThreadPoolBuilder::new().num_threads(depth).stack_size(1 << 18).build().unwrap();
            pool(1).install(|| waits_in_scopes(&other, depth));
        }
    });
}

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Calls `f`, and notes how many such calls are in progress on the thread.
fn measured(deepest: &AtomicUsize, f: impl FnOnce()) {
    let depth = DEPTH.get() + 1;
    DEPTH.set(depth);
    deepest.fetch_max(depth, Ordering::Relaxed);
    f();
    DEPTH.set(depth - 1);
}

/// The other side: where nothing waits for what is left to others, the stack stays low.
#[test]
fn yields_that_come_and_go_do_not_nest_without_end() {
    fn tree(levels: u32, deepest: &AtomicUsize) {
        if levels > 0 {
            rayon_core::join(|| tree(levels - 1, deepest), || tree(levels - 1, deepest));
            return;
        }
        measured(deepest, || {
            rayon_core::yield_now();
            rayon_core::yield_local();
        });
    }
    with_deadline(100, || {
        let deepest = AtomicUsize::new(0);
        pool(1).install(|| tree(16, &deepest));
        assert!(deepest.load(Ordering::Relaxed) <= 100, "{deepest:?}");
    });
}

#[test]
fn items_of_a_loop_that_wait_for_long_do_not_nest_without_end() {
    use filch::iter::{IntoParallelIterator, ParallelIterator};
    with_deadline(100, || {
        let deepest = AtomicUsize::new(0);
        let other = pool(1);
        let item = |_| measured(&deepest, || other.install(|| thread::sleep(Duration::from_millis(3))));
        pool(1).install(|| (0..300).into_par_iter().for_each(item));
        assert!(deepest.load(Ordering::Relaxed) <= 100, "{deepest:?}");
    });
}
