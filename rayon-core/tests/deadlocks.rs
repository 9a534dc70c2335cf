//! Shapes that are known to hang on rayon's own scheduler, or to come near it. In filch pools with filch's way of
//! waiting all of them end. Where the original's way of waiting, which runs anything, is kept, those are tested that end
//! with it too.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use rayon::prelude::*;
use support::with_deadline;

/// A pool that waits in filch's way.
fn filch_pool(workers: usize) -> filch::Pool {
    filch::Pool::builder().workers(workers).build().unwrap()
}

/// A pool that waits in rayon's way.
fn rayon_pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

/// Each item locks the same mutex and runs a loop under it. A thread that waited for the inner loop by running another
/// item would lock the mutex that it holds.
fn a_loop_under_a_lock() -> usize {
    let total = Mutex::new(0);
    (0..200).into_par_iter().for_each(|_| {
        let mut total = total.lock().unwrap();
        *total += (0..2_000usize).into_par_iter().map(|i| i % 7).filter(|&i| i == 3).count();
    });
    total.into_inner().unwrap()
}

#[test]
fn a_mutex_held_across_a_loop() {
    with_deadline(100, || {
        let expected = 200 * (0..2_000).filter(|i| i % 7 == 3).count();
        for workers in [1, 2, 4] {
            let pool = filch_pool(workers);
            for _ in 0..5 {
                assert_eq!(pool.install(a_loop_under_a_lock), expected);
                assert_eq!(pool.install_on_worker(a_loop_under_a_lock), expected);
            }
        }
    });
}

#[test]
fn a_once_lock_filled_by_a_loop() {
    with_deadline(100, || {
        for workers in [1, 2, 4] {
            let pool = filch_pool(workers);
            for _ in 0..20 {
                let table: OnceLock<Vec<u64>> = OnceLock::new();
                let sum: u64 = pool.install_on_worker(|| {
                    let fill = || (0..5_000u64).into_par_iter().map(|i| i * i).collect();
                    (0..100usize).into_par_iter().map(|i| table.get_or_init(fill)[i]).sum()
                });
                assert_eq!(sum, (0..100u64).map(|i| i * i).sum());
            }
        }
    });
}

#[test]
fn a_lock_held_across_join_and_scope() {
    with_deadline(100, || {
        let pool = filch_pool(2);
        let lock = Mutex::new(0u64);
        pool.install_on_worker(|| {
            rayon::scope(|s| {
                for _ in 0..50 {
                    s.spawn(|_| {
                        let mut guard = lock.lock().unwrap();
                        let (a, b) = rayon::join(|| 1, || 2);
                        rayon::scope(|s| s.spawn(|_| thread::sleep(Duration::from_micros(100))));
                        *guard += a + b;
                    });
                }
            });
        });
        assert_eq!(lock.into_inner().unwrap(), 150);
    });
}

fn through_each_other(outer: &rayon::ThreadPool, inner: &rayon::ThreadPool, depth: usize) -> usize {
    if depth == 0 {
        return 1;
    }
    outer.install(|| {
        let (a, b) = rayon::join(|| through_each_other(inner, outer, depth - 1), || 1);
        a + b
    })
}

#[test]
fn pools_that_install_into_each_other() {
    with_deadline(100, || {
        for threads in [1, 2] {
            let (a, b) = (rayon_pool(threads), rayon_pool(threads));
            for _ in 0..20 {
                assert_eq!(through_each_other(&a, &b, 30), 31);
            }
            // A thread that waits for another pool goes on with its own pool's work.
            let counted = AtomicUsize::new(0);
            a.scope(|s| {
                for _ in 0..50 {
                    s.spawn(|_| b.install(|| a.install(|| _ = counted.fetch_add(1, Ordering::Relaxed))));
                }
            });
            assert_eq!(counted.into_inner(), 50);
        }
    });
}

/// A loop inside of a task that a task waits for, inside of `block_on`, inside of a loop.
fn in_and_out(depth: u64) -> u64 {
    if depth == 0 {
        return 1;
    }
    (0..2u64)
        .into_par_iter()
        .map(|i| {
            if i == 0 {
                return 0;
            }
            filch::block_on(async move { filch::spawn(async move { in_and_out(depth - 1) }).await.unwrap() })
        })
        .sum()
}

#[test]
fn a_loop_in_a_task_in_block_on_in_a_loop() {
    with_deadline(100, || {
        for workers in [1, 2, 4] {
            let pool = filch_pool(workers);
            assert_eq!(pool.install(|| in_and_out(20)), 1);
            assert_eq!(pool.install_on_worker(|| in_and_out(20)), 1);
            let pool = rayon_pool(workers);
            assert_eq!(pool.install(|| in_and_out(20)), 1);
        }
        // On the global pool, from outside, and from a closure of rayon's.
        assert_eq!(in_and_out(20), 1);
        let (sender, receiver) = std::sync::mpsc::channel();
        rayon::spawn(move || sender.send(in_and_out(20)).unwrap());
        assert_eq!(receiver.recv(), Ok(1));
    });
}

#[test]
fn loops_in_many_tasks_at_once() {
    with_deadline(100, || {
        let total: u64 = filch::block_on(async {
            let tasks: Vec<_> = (0..64u64)
                .map(|i| filch::spawn(async move { (0..1_000u64).into_par_iter().map(|n| n ^ i).sum::<u64>() }))
                .collect();
            let mut total = 0;
            for task in tasks {
                total += task.await.unwrap();
            }
            total
        });
        assert_eq!(total, (0..64u64).map(|i| (0..1_000u64).map(|n| n ^ i).sum::<u64>()).sum());
    });
}

#[test]
fn a_loop_in_a_blocking_call_and_back() {
    with_deadline(100, || {
        let sum = filch::block_on(async {
            filch::spawn_blocking(|| {
                let inner = (0..100u64).into_par_iter().map(|i| i + filch::blocking(|| i)).sum::<u64>();
                inner + filch::block_on(filch::spawn_cpu(|| rayon::join(|| 1, || 2).1)).unwrap()
            })
            .await
            .unwrap()
        });
        assert_eq!(sum, 2 * 4950 + 2);
    });
}

#[test]
fn a_pool_dropped_inside_of_itself() {
    with_deadline(60, || {
        let pool = Arc::new(rayon_pool(2));
        let (sender, receiver) = std::sync::mpsc::channel();
        let inner = pool.clone();
        pool.spawn(move || {
            drop(inner);
            rayon::spawn(move || sender.send(rayon::current_num_threads()).unwrap());
        });
        drop(pool);
        assert_eq!(receiver.recv(), Ok(2));
    });
}
