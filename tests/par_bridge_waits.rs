//! What `next` of a bridged iterator may do, while other threads wait for their turn: use the pool in any way.

mod support;

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use filch::WaitPolicy;
use filch::prelude::*;
use support::{alone, at_best, lock, note, spin, with_deadline};

const ITEMS: u64 = 60;

/// Runs a loop over `ITEMS` items in pools of all kinds, with `at_work` called in each sixth `next`.
fn bridged(at_work: impl Fn(&filch::Pool) + Send + Sync + 'static) {
    let _alone = alone();
    with_deadline(120, move || {
        for policy in [WaitPolicy::Leapfrog, WaitPolicy::RunAnything] {
            for workers in [1, 2, 4] {
                let pool = filch::Pool::builder().workers(workers).wait_policy(policy).build().unwrap();
                for round in 0..8 {
                    note(format!("{policy:?}, {workers} workers, round {round}"));
                    let iter = (0..ITEMS).inspect(|i| {
                        if i % 6 == 0 {
                            at_work(&pool);
                        }
                    });
                    let items = Mutex::new(Vec::new());
                    let body = |i| {
                        spin(Duration::from_micros(20));
                        lock(&items).push(i);
                    };
                    if round % 2 == 0 {
                        pool.install(|| iter.par_bridge().for_each(body));
                    } else {
                        pool.install_on_worker(|| iter.par_bridge().for_each(body));
                    }
                    let mut items = items.into_inner().unwrap();
                    items.sort_unstable();
                    assert!(items.into_iter().eq(0..ITEMS), "items are lost or doubled");
                }
            }
        }
    });
}

/// Each worker must run it, also one that waits for its turn.
#[test]
fn a_broadcast() {
    bridged(|pool| assert_eq!(pool.broadcast(|_| 1).len(), pool.current_num_threads()));
}

#[test]
fn a_broadcast_into_a_scope() {
    bridged(|_| filch::scope(|scope| scope.spawn_broadcast(|_, _| spin(Duration::from_micros(5)))));
}

#[test]
fn a_yield() {
    bridged(|_| {
        filch::yield_now();
    });
}

/// Who steals the arm runs, on top of it, a piece of the loop, whose parts are for those who wait for their turn.
#[test]
fn a_join_whose_arm_yields() {
    bridged(|_| {
        let busy = || {
            spin(Duration::from_micros(50));
            filch::yield_now();
        };
        filch::join(busy, busy);
    });
}

#[test]
fn joins_within_joins() {
    fn tree(depth: u32) -> u64 {
        if depth == 0 {
            spin(Duration::from_micros(5));
            return 1;
        }
        let (a, b) = filch::join(|| tree(depth - 1), || tree(depth - 1));
        a + b
    }
    bridged(|_| assert_eq!(tree(5), 32));
}

/// Somebody else must run it, though all others may be waiting for their turn.
#[test]
fn a_closure_that_is_awaited() {
    bridged(|pool| {
        let (one, two) = (pool.spawn_cpu(|| 1), pool.spawn_cpu(|| 2));
        assert_eq!(filch::block_on(async { one.await.unwrap() + two.await.unwrap() }), 3);
    });
}

#[test]
fn another_bridged_loop() {
    bridged(|_| {
        let inner = (0..10u64).inspect(|_| assert_ne!(filch::yield_now(), None));
        assert_eq!(inner.par_bridge().sum::<u64>(), 45);
    });
}

/// Who has waited long, and so has ended its piece, comes back.
#[test]
fn all_threads_go_on_after_a_long_yield() {
    let _alone = alone();
    with_deadline(60, || {
        let pool = filch::Pool::builder().workers(3).build().unwrap();
        let threads = Mutex::new(HashSet::new());
        for _ in 0..20 {
            lock(&threads).clear();
            let iter = (0..400).inspect(|i| {
                if *i == 20 {
                    // Something unrelated for a while, at the hands of whoever has the turn.
                    filch::spawn_detached(|| spin(Duration::from_millis(12)));
                    let began = Instant::now();
                    while began.elapsed() < Duration::from_millis(12) {
                        filch::yield_now();
                    }
                }
            });
            pool.install(|| {
                iter.par_bridge().for_each(|i| {
                    if i > 100 {
                        lock(&threads).insert(filch::current_thread_index());
                    }
                    spin(Duration::from_micros(100));
                });
            });
            if lock(&threads).len() > 1 {
                return;
            }
        }
        panic!("one thread has run all the rest, each time");
    });
}

/// While one thread waits inside of `next`, another is in an item.
#[test]
fn slow_turns_do_not_hold_items_up() {
    let _alone = alone();
    with_deadline(60, || {
        let pool = filch::Pool::builder().workers(4).build().unwrap();
        at_best(5, "60 items of 8 ms, one every 2 ms", || {
            let began = Instant::now();
            pool.install(|| {
                let slow = (0..60).inspect(|_| std::thread::sleep(Duration::from_millis(2)));
                slow.par_bridge().for_each(|_| {
                    filch::join(|| std::thread::sleep(Duration::from_millis(8)), || spin(Duration::from_micros(50)));
                });
            });
            // 600 ms by one thread, 300 by two, which is how many take part in loops on two cores.
            let took = began.elapsed();
            if took < Duration::from_millis(450) { Ok(()) } else { Err(format!("{took:?}")) }
        });
    });
}
