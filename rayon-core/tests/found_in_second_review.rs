//! What a second reading has found, in pools that wait as rayon does.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use filch::{Pool, PoolBuilder, Priority, WaitPolicy};
use support::with_deadline;

fn builder(workers: usize) -> PoolBuilder {
    Pool::builder().workers(workers).wait_policy(WaitPolicy::RunAnything)
}

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Background jobs gave way to one another, each on top of the one before.
#[test]
fn background_work_that_gives_way_does_not_nest() {
    with_deadline(100, || {
        let pool = builder(1).build().unwrap();
        let (deepest, ran) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (go, gone) = mpsc::channel::<()>();
        let inner = deepest.clone();
        let background = move || {
            gone.recv().unwrap();
            filch::scope(|s| {
                for _ in 0..20_000 {
                    s.spawn(|_| {
                        let depth = DEPTH.get() + 1;
                        DEPTH.set(depth);
                        inner.fetch_max(depth, Ordering::Relaxed);
                        filch::join(|| (), || ());
                        DEPTH.set(depth - 1);
                    });
                }
            });
        };
        let handle = filch::task::Builder::new().pool(&pool).priority(Priority::Background).spawn_cpu(background);
        thread::sleep(Duration::from_millis(10));
        for _ in 0..3_000 {
            let ran = ran.clone();
            pool.spawn_detached(move || _ = ran.fetch_add(1, Ordering::Relaxed));
        }
        go.send(()).unwrap();
        handle.join().unwrap();
        pool.shutdown();
        assert_eq!(ran.load(Ordering::Relaxed), 3_000);
        assert!(deepest.load(Ordering::Relaxed) <= 8, "{deepest:?}");
    });
}

#[test]
fn work_for_a_pool_whose_only_worker_has_left_is_run() {
    with_deadline(60, || {
        let (sender, receiver) = mpsc::channel();
        let only = thread::spawn(move || {
            let pool = builder(1).use_current_thread().build().unwrap();
            let late = move || {
                thread::sleep(Duration::from_millis(100));
                filch::spawn_detached(move || sender.send(7).unwrap());
            };
            filch::task::Builder::new().pool(&pool).spawn_blocking(late).detach();
            drop(pool);
        });
        only.join().unwrap();
        assert_eq!(receiver.recv(), Ok(7));
    });
}

fn recurse(depth: usize, begun: &'static AtomicBool) {
    filch::scope(|s| {
        if depth > 0 {
            return s.spawn(move |_| recurse(depth - 1, begun));
        }
        s.spawn(move |_| {
            begun.store(true, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(50));
        });
        while !begun.load(Ordering::SeqCst) {
            std::hint::spin_loop();
        }
    });
}

/// A wait far up in the stack was replaced by a spare, whose index is not below the number of workers.
#[test]
fn deep_waits_keep_to_the_workers_indices() {
    static BEGUN: AtomicBool = AtomicBool::new(false);
    with_deadline(60, || {
        let pool = builder(2).stack_size(64 << 20).build().unwrap();
        let deep = filch::task::Builder::new().pool(&pool).spawn_cpu(|| recurse(1_000, &BEGUN));
        while !BEGUN.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        let index = || filch::current_thread_index().unwrap();
        let handles: Vec<_> = (0..5).map(|_| filch::task::Builder::new().pool(&pool).spawn_cpu(index)).collect();
        assert!(handles.into_iter().all(|handle| handle.join().unwrap() < 2));
        deep.join().unwrap();
        assert_eq!(pool.stats().spares, 0);
    });
}

/// The end of a scope with many jobs looked at the injector once in thousands.
#[test]
fn closures_from_outside_have_their_turn_beside_a_large_scope() {
    with_deadline(60, || {
        let pool = builder(1).build().unwrap();
        // 61 is the rule; the rest is for the time between the look and the spawn, in which this thread may have to wait
        // for a processor: so the best of a few.
        let jobs_before_it = (0..8).map(|_| visit(&pool)).find(|jobs| *jobs < 1_500);
        assert!(jobs_before_it.is_some(), "each time 1,500 jobs or more ran before it");
    });
}

/// How many jobs of a large scope run before a closure from outside.
fn visit(pool: &filch::Pool) -> usize {
    let ran = Arc::new(AtomicUsize::new(0));
    let (go, gone) = mpsc::channel::<()>();
    let inner = ran.clone();
    let scope = move || {
        filch::scope(|s| {
            for _ in 0..50_000 {
                s.spawn(|_| {
                    let since = Instant::now();
                    while since.elapsed() < Duration::from_micros(5) {
                        std::hint::spin_loop();
                    }
                    inner.fetch_add(1, Ordering::Relaxed);
                });
            }
            go.send(()).unwrap();
        });
    };
    let scope = filch::task::Builder::new().pool(pool).spawn_cpu(scope);
    gone.recv().unwrap();
    let (asked, before) = (ran.clone(), ran.load(Ordering::Relaxed));
    let visitor = filch::task::Builder::new().pool(pool).spawn_cpu(move || asked.load(Ordering::Relaxed));
    let jobs = visitor.join().unwrap() - before;
    scope.join().unwrap();
    jobs
}

fn fan_out(levels: u32, deepest: &AtomicUsize) {
    let depth = DEPTH.get() + 1;
    DEPTH.set(depth);
    deepest.fetch_max(depth, Ordering::Relaxed);
    if levels > 0 {
        rayon_core::scope(|s| (0..7).for_each(|_| s.spawn(|_| fan_out(levels - 1, deepest))));
    }
    DEPTH.set(depth - 1);
}

/// In its turn, others' work was begun on top of a wait, and there again: scopes in scopes overflowed the stack.
#[test]
fn scopes_in_scopes_are_not_much_deeper_than_they_are_nested() {
    with_deadline(100, || {
        let pool = rayon_core::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let deepest = AtomicUsize::new(0);
        pool.install(|| fan_out(6, &deepest));
        assert!(deepest.load(Ordering::Relaxed) < 200, "{deepest:?}");
    });
}
