//! How deep recursion may go: scopes whose jobs spawn the next one need no stack at all, joins the stack of the serial
//! program and a constant more, and the fixed array of private forks may overflow at any time, with thieves about.

mod support;

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use filch::{Pool, Scope, ScopeFifo, WaitPolicy};
use support::{note, pool, spin, with_deadline};

fn next<'s>(s: &Scope<'s>, left: usize, count: &'s AtomicUsize) {
    count.fetch_add(1, Ordering::Relaxed);
    if left > 0 {
        s.spawn(move |s| next(s, left - 1, count));
    }
}

fn next_fifo<'s>(s: &ScopeFifo<'s>, left: usize, count: &'s AtomicUsize) {
    count.fetch_add(1, Ordering::Relaxed);
    if left > 0 {
        s.spawn_fifo(move |s| next_fifo(s, left - 1, count));
    }
}

#[test]
fn a_million_jobs_each_spawning_the_next() {
    with_deadline(100, || {
        for (workers, policy) in [(1, WaitPolicy::Leapfrog), (2, WaitPolicy::Leapfrog), (2, WaitPolicy::RunAnything)] {
            note(format!("{workers} workers, {policy:?}"));
            let small = Pool::builder().workers(workers).wait_policy(policy).stack_size(128 << 10).build().unwrap();
            let count = AtomicUsize::new(0);
            // On a worker, with its small stack.
            small.install_on_worker(|| filch::scope(|s| next(s, 1_000_000, &count)));
            assert_eq!(count.swap(0, Ordering::Relaxed), 1_000_001);
            small.install_on_worker(|| filch::scope_fifo(|s| next_fifo(s, 300_000, &count)));
            assert_eq!(count.swap(0, Ordering::Relaxed), 300_001);
            // From outside, where the calling thread only waits.
            small.in_place_scope(|s| next(s, 300_000, &count));
            assert_eq!(count.into_inner(), 300_001);
        }
    });
}

#[test]
fn a_million_detached_closures_each_spawning_the_next() {
    fn next(left: usize, done: std::sync::mpsc::Sender<()>) {
        if left == 0 {
            done.send(()).unwrap();
        } else {
            filch::spawn_detached(move || next(left - 1, done));
        }
    }
    with_deadline(100, || {
        let pool = Pool::builder().workers(2).stack_size(128 << 10).build().unwrap();
        let (tx, rx) = std::sync::mpsc::channel();
        pool.spawn_detached(move || next(1_000_000, tx));
        rx.recv().unwrap();
    });
}

#[test]
fn a_million_jobs_of_one_scope() {
    with_deadline(100, || {
        for workers in [1, 2] {
            let small = Pool::builder().workers(workers).stack_size(128 << 10).build().unwrap();
            let count = AtomicUsize::new(0);
            small.install_on_worker(|| {
                filch::scope(|s| {
                    (0..1_000_000).for_each(|_| s.spawn(|_| support::ignore(count.fetch_add(1, Ordering::Relaxed))))
                });
            });
            assert_eq!(count.into_inner(), 1_000_000);
        }
    });
}

/// Down the first arms, so that `depth` second arms are pending at the bottom.
fn down_a(depth: usize) -> usize {
    if depth == 0 {
        return 0;
    }
    let (a, b) = filch::join(|| down_a(depth - 1), || 1);
    a + b
}

/// Down the second arms: each is the last that its thread has.
fn down_b(depth: usize) -> usize {
    if depth == 0 {
        return 0;
    }
    let (a, b) = filch::join(|| 1, || down_b(depth - 1));
    a + b
}

/// Ten thousand joins deep. Without optimisation the frames are a few times larger than any program's should be, so
/// there the stack is, too.
fn deep_stack() -> usize {
    if cfg!(debug_assertions) { 16 << 20 } else { 2 << 20 }
}

#[test]
fn ten_thousand_joins_deep() {
    with_deadline(100, || {
        for (workers, policy) in [
            (1, WaitPolicy::Leapfrog),
            (2, WaitPolicy::Leapfrog),
            (4, WaitPolicy::Leapfrog),
            (4, WaitPolicy::RunAnything),
        ] {
            note(format!("{workers} workers, {policy:?}"));
            let pool = Pool::builder().workers(workers).wait_policy(policy).stack_size(deep_stack()).build().unwrap();
            for _ in 0..20 {
                assert_eq!(pool.install_on_worker(|| down_a(10_000)), 10_000);
                assert_eq!(pool.install_on_worker(|| down_b(10_000)), 10_000);
            }
        }
    });
}

fn crossing(depth: usize, limit: usize) -> usize {
    if depth == limit {
        // A pause at the bottom lets thieves see what has been published.
        spin(Duration::from_micros(50));
        return 1;
    }
    let second = || {
        if depth % 100 > 0 {
            return 1;
        }
        // Forks on the thief's stack as well.
        let (a, b) = filch::join(|| 1, || 1);
        a + b
    };
    let (a, b) = filch::join(|| crossing(depth + 1, limit), second);
    a + b
}

#[test]
fn the_array_of_private_forks_overflows() {
    with_deadline(100, || {
        for workers in [1, 2, 4] {
            let pool = Pool::builder().workers(workers).stack_size(32 << 20).build().unwrap();
            for limit in [1_020usize, 1_021, 1_022, 1_023, 1_024, 1_025, 1_026, 2_047, 2_048, 2_049, 5_000] {
                note(format!("{workers} workers, {limit} forks"));
                for _ in 0..10 {
                    let got = pool.install_on_worker(|| crossing(0, limit));
                    assert_eq!(got, 1 + limit + limit.div_ceil(100), "{workers} workers, {limit} forks");
                }
            }
        }
    });
}

fn scopes(depth: usize, count: &AtomicUsize) {
    count.fetch_add(1, Ordering::Relaxed);
    if depth > 0 {
        filch::scope(|s| s.spawn(|_| scopes(depth - 1, count)));
    }
}

fn scopes_in_joins(depth: usize, count: &AtomicUsize) {
    count.fetch_add(1, Ordering::Relaxed);
    if depth > 0 {
        filch::join(
            || filch::scope(|s| s.spawn(|_| scopes_in_joins(depth - 1, count))),
            || filch::scope(|s| s.spawn(|_| support::ignore(count.fetch_add(1, Ordering::Relaxed)))),
        );
    }
}

#[test]
fn a_thousand_scopes_deep() {
    with_deadline(100, || {
        for workers in [1, 2, 4] {
            note(format!("{workers} workers"));
            let pool = Pool::builder().workers(workers).stack_size(16 << 20).build().unwrap();
            for _ in 0..5 {
                let count = AtomicUsize::new(0);
                pool.install_on_worker(|| scopes(1_000, &count));
                assert_eq!(count.swap(0, Ordering::Relaxed), 1_001);
                pool.install_on_worker(|| scopes_in_joins(1_000, &count));
                assert_eq!(count.into_inner(), 2_001);
            }
        }
    });
}

thread_local! {
    /// The highest address of this thread's stack that a tree has seen.
    static TOP: Cell<usize> = const { Cell::new(0) };
}

fn measured_tree(depth: u32, deepest: &AtomicUsize) {
    let here = std::ptr::from_ref(std::hint::black_box(&depth)).addr();
    TOP.set(TOP.get().max(here));
    deepest.fetch_max(TOP.get() - here, Ordering::Relaxed);
    if depth > 0 {
        filch::join(|| measured_tree(depth - 1, deepest), || measured_tree(depth - 1, deepest));
    }
}

#[test]
fn a_stack_is_not_much_deeper_than_the_serial_programs() {
    with_deadline(100, || {
        let measure = |workers| {
            let pool = pool(workers);
            let deepest = AtomicUsize::new(0);
            for _ in 0..50 {
                pool.install_on_worker(|| measured_tree(12, &deepest));
            }
            deepest.into_inner()
        };
        let (serial, parallel) = (measure(1), measure(4));
        assert!(serial > 0);
        // What a waiter runs lies on top of its wait: the serial depth, once more at most, and the waits' own frames.
        assert!(parallel <= 2 * serial + (64 << 10), "serial {serial} bytes, parallel {parallel} bytes");
    });
}
