//! Everything inside of everything: loops in tasks, `block_on` in loops, awaited closures, sections that may block,
//! scopes and joins, fifty deep, in pools of one worker, two and eight, and in two pools at once. All must end before a
//! deadline with the right result, with no more threads than are promised, and no more of them running than workers
//! but for moments.

mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use filch::prelude::*;
use filch::{Pool, blocking};
use support::{Rng, alone, at_best, lock, note, pool, spin, thin, with_deadline};

/// How deep it goes.
const DEPTH: u64 = 50;

/// Frames are large without optimisation, and fifty levels of them many.
const STACK: usize = 64 << 20;

fn deep_pool(workers: usize) -> Pool {
    Pool::builder().workers(workers).stack_size(STACK).build().unwrap()
}

/// Runs `body` with a deadline, on a thread with as much stack as those of the pools.
fn deep(secs: u64, body: impl FnOnce() + Send + 'static) {
    with_deadline(secs, move || {
        thread::Builder::new()
            .stack_size(STACK)
            .spawn(body)
            .unwrap()
            .join()
            .unwrap_or_else(|p| std::panic::resume_unwind(p));
    });
}

/// On pools of 1, 2 and 8 workers.
fn each_size(secs: u64, body: impl Fn(&Pool) + Send + 'static) {
    deep(secs, move || {
        for workers in [1, 2, 8] {
            note(format!("{workers} workers"));
            body(&deep_pool(workers));
        }
    });
}

/// All levels of one kind: `level(depth, next)` gives one more than `next` does.
fn tower(level: fn(u64, fn(u64) -> u64) -> u64, next: fn(u64) -> u64, depth: u64) -> u64 {
    if depth == 0 { 0 } else { level(depth, next) }
}

macro_rules! towers {
    ($($name:ident: $level:expr;)*) => {$(
        #[test]
        fn $name() {
            fn down(depth: u64) -> u64 {
                tower($level, down, depth)
            }
            each_size(100, |pool| {
                for round in 0..(4 / thin()).max(1) {
                    assert_eq!(pool.install(|| down(DEPTH)), DEPTH);
                    assert_eq!(pool.install_on_worker(|| down(DEPTH)), DEPTH);
                    assert_eq!(pool.spawn_cpu(|| down(DEPTH)).join().unwrap(), DEPTH);
                    assert_eq!(pool.spawn(async { down(DEPTH) }).join().unwrap(), DEPTH);
                    assert_eq!(pool.spawn_blocking(|| down(DEPTH)).join().unwrap(), DEPTH);
                    // Two at a time.
                    assert_eq!(pool.join(|| down(DEPTH), || down(DEPTH)), (DEPTH, DEPTH), "round {round}");
                }
            });
        }
    )*};
}

towers! {
    a_loop_inside_a_task: |depth, next| filch::block_on(filch::spawn(async move {
        1 + (0..8).into_par_iter().map(|i| if i == 3 { next(depth - 1) } else { 0 }).sum::<u64>()
    })).unwrap();
    block_on_inside_a_loop_inside_a_task_inside_block_on: |depth, next| filch::block_on(async move {
        let task = filch::spawn(async move {
            let item = |i| filch::block_on(async move { if i == 1 { next(depth - 1) } else { 0 } });
            1 + (0..4).into_par_iter().map(item).sum::<u64>()
        });
        task.await.unwrap()
    });
    a_closure_is_joined_inside_a_loop_inside_a_task: |depth, next| filch::spawn(async move {
        let item = |i| filch::spawn_cpu(move || if i == 1 { next(depth - 1) } else { 0 }).join().unwrap();
        1 + (0..3).into_par_iter().map(item).sum::<u64>()
    }).join().unwrap();
    a_section_inside_a_loop_inside_a_task: |depth, next| filch::block_on(filch::spawn(async move {
        let item = |i| blocking(|| if i == 1 { next(depth - 1) } else { 0 });
        1 + (0..3).into_par_iter().map(item).sum::<u64>()
    })).unwrap();
    a_section_inside_a_join_inside_a_section: |depth, next| blocking(|| {
        let (a, b) = filch::join(|| blocking(|| next(depth - 1)), || blocking(|| 1));
        a + b
    });
    block_on_a_closure_in_a_section: |depth, next| {
        1 + blocking(|| filch::block_on(filch::spawn_cpu(move || next(depth - 1)))).unwrap()
    };
    a_scope_inside_block_on_inside_a_join: |depth, next| {
        let level = || filch::block_on(async {
            let mut inner = 0;
            filch::scope(|s| s.spawn(|_| inner = next(depth - 1)));
            inner
        });
        let (a, b) = filch::join(level, || 1);
        a + b
    };
    a_future_of_a_scope_inside_a_loop: |depth, next| {
        let item = |i| {
            let mut inner = 0;
            filch::scope(|s| s.spawn_future(async { inner = if i == 0 { next(depth - 1) } else { 0 } }).detach());
            inner
        };
        1 + (0..2).into_par_iter().map(item).sum::<u64>()
    };
    a_broadcast_inside_a_task_inside_a_section: |depth, next| blocking(|| {
        filch::spawn(async move {
            let inner = filch::broadcast(|c| if c.index() == 0 { next(depth - 1) } else { 0 });
            1 + inner.into_iter().sum::<u64>()
        }).join().unwrap()
    });
    a_blocking_call_inside_a_loop: |depth, next| {
        let item = |i| filch::spawn_blocking(move || if i == 0 { next(depth - 1) } else { 0 }).join().unwrap();
        1 + (0..2).into_par_iter().map(item).sum::<u64>()
    };
    a_loop_that_is_awaited_inside_a_task: |depth, next| filch::block_on(filch::spawn(async move {
        let inner = filch::spawn_cpu(move || (0..2_u64).into_par_iter().map(|i| if i == 1 { next(depth - 1) } else { 0 }).sum::<u64>());
        1 + inner.await.unwrap()
    })).unwrap();
}

/// One of the ways down, by chance. Gives the number of levels below.
fn random(rng: &mut Rng, pools: &Arc<Vec<Pool>>, depth: u64) -> u64 {
    if depth == 0 {
        return 0;
    }
    let seed = rng.next();
    let pools = pools.clone();
    let below = move |pools: &Arc<Vec<Pool>>| random(&mut Rng(seed), pools, depth - 1);
    let one_of = |i: u64| if i == seed % 3 { below(&pools) } else { 0 };
    1 + match rng.below(14) {
        0 => filch::join(|| below(&pools), || spin(Duration::from_micros(seed % 30))).0,
        1 => filch::join(|| spin(Duration::from_micros(seed % 30)), || below(&pools)).1,
        2 => (0..3).into_par_iter().map(one_of).sum(),
        3 => filch::block_on(async { below(&pools) }),
        4 => filch::block_on(filch::spawn(async move { below(&pools) })).unwrap(),
        5 => filch::spawn_cpu(move || below(&pools)).join().unwrap(),
        6 => filch::spawn_blocking(move || below(&pools)).join().unwrap(),
        7 => blocking(|| below(&pools)),
        8 => blocking(|| (thread::sleep(Duration::from_micros(seed % 50)), below(&pools)).1),
        9 => {
            let mut inner = 0;
            filch::scope(|s| s.spawn(|_| inner = below(&pools)));
            inner
        }
        10 => {
            let mut inner = 0;
            filch::in_place_scope(|s| s.spawn_future(async { inner = below(&pools) }).detach());
            inner
        }
        11 => filch::broadcast(|c| if c.index() == 0 { below(&pools) } else { 0 }).into_iter().sum(),
        12 => pools[seed as usize % pools.len()].install(|| below(&pools)),
        _ => pools[seed as usize % pools.len()]
            .block_on(async { filch::spawn(async {}).await.map(|()| below(&pools)) })
            .unwrap(),
    }
}

fn random_in(pools: usize, first_seed: u64) {
    deep(200, move || {
        for workers in [1, 2, 8] {
            let pools: Arc<Vec<Pool>> = Arc::new((0..pools).map(|_| deep_pool(workers)).collect());
            for seed in first_seed..first_seed + (30 / thin()).max(2) {
                note(format!("{workers} workers, {} pools, seed {seed}", pools.len()));
                for depth in [5, 20, DEPTH] {
                    assert_eq!(pools[0].install(|| random(&mut Rng(seed), &pools, depth)), depth);
                    // Two at once.
                    let two = || random(&mut Rng(seed + 1000), &pools, depth);
                    assert_eq!(pools[pools.len() - 1].join(two, two), (depth, depth));
                }
            }
        }
    });
}

#[test]
fn random_compositions_in_one_pool() {
    random_in(1, 0);
}

#[test]
fn random_compositions_in_two_pools() {
    random_in(2, 5000);
}

// ----- how many threads ------------------------------------------------------------------------------------------

/// Counts bodies that compute, now and at most, and the threads that they were seen on.
#[derive(Default)]
struct Census {
    running: AtomicUsize,
    threads: Mutex<BTreeSet<String>>,
}

impl Census {
    /// A stretch of work that does not block.
    fn compute(&self, time: Duration) {
        self.running.fetch_add(1, Ordering::SeqCst);
        spin(time);
        self.running.fetch_sub(1, Ordering::SeqCst);
        lock(&self.threads).insert(key(thread::current().id()));
    }
}

fn key(id: ThreadId) -> String {
    format!("{id:?}")
}

/// A mixture of all ways to wait, with computing in between.
fn busy(census: &Census, rng: &mut Rng, depth: u64) {
    let time = Duration::from_micros(50);
    census.compute(time);
    if depth == 0 {
        return;
    }
    let (mut left, mut right) = (Rng(rng.next()), Rng(rng.next()));
    match rng.below(4) {
        0 => drop(filch::join(|| busy(census, &mut left, depth - 1), || busy(census, &mut right, depth - 1))),
        1 => blocking(|| thread::sleep(Duration::from_micros(200))),
        2 => filch::block_on(filch::time::sleep(Duration::from_micros(200))),
        _ => (0..2).into_par_iter().for_each(|i| busy(census, &mut Rng(left.0 + i), depth - 1)),
    }
    census.compute(time);
}

#[test]
fn no_more_threads_run_than_workers_but_for_moments() {
    let _alone = alone();
    with_deadline(100, || {
        for workers in [1, 2, 4] {
            note(format!("{workers} workers"));
            at_best(5, "bodies that compute at once", || {
                let pool = pool(workers);
                let census = Census::default();
                let (mut samples, mut over) = (0, 0);
                let ended = AtomicBool::new(false);
                thread::scope(|threads| {
                    threads.spawn(|| {
                        let began = Instant::now();
                        // Handed in: whoever samples is no guest.
                        pool.install_on_worker(|| {
                            let mut rng = Rng(1);
                            while began.elapsed() < Duration::from_millis(400) {
                                let mut seeds: Vec<u64> = (0..32).map(|_| rng.next()).collect();
                                seeds.par_iter_mut().for_each(|seed| busy(&census, &mut Rng(*seed), 4));
                            }
                        });
                        ended.store(true, Ordering::SeqCst);
                    });
                    while !ended.load(Ordering::SeqCst) {
                        samples += 1;
                        // One more may be the express lane.
                        over += usize::from(census.running.load(Ordering::SeqCst) > workers + 1);
                        thread::sleep(Duration::from_micros(100));
                    }
                });
                let threads = lock(&census.threads).len();
                assert!(threads <= pool.max_num_threads() + 1, "{threads} threads, {workers} workers");
                if over * 10 <= samples { Ok(()) } else { Err(format!("{over} of {samples} samples above")) }
            });
        }
    });
}

#[test]
fn tasks_and_closures_alone_never_run_on_more_threads_than_workers() {
    // Nothing here waits inside of its work, so there is no moment in which one is too many, but for the express lane.
    let _alone = alone();
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let pool = pool(workers);
            let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let body = |running: Arc<AtomicUsize>, most: Arc<AtomicUsize>| {
                move || {
                    most.fetch_max(1 + running.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
                    thread::sleep(Duration::from_micros(300));
                    running.fetch_sub(1, Ordering::SeqCst);
                }
            };
            let handles: Vec<_> = (0..400)
                .map(|i| {
                    let body = body(running.clone(), most.clone());
                    if i % 2 == 0 { pool.spawn_cpu(body) } else { pool.spawn(async move { body() }) }
                })
                .collect();
            handles.into_iter().for_each(|handle| handle.join().unwrap());
            let most = most.load(Ordering::SeqCst);
            assert!((workers..=workers + 1).contains(&most), "{most} at once with {workers} workers");
        }
    });
}
