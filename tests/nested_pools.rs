//! Pools inside of pools: two that install, join, broadcast and open scopes in each other, twenty deep, with one worker
//! each. A thread that waits in another pool leaves its own one's seat to others, and hears its broadcasts.

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use filch::Pool;
use support::{fib, note, pool, with_deadline};

/// Down `depth` pools, alternating, each inside the other's `enter`.
fn ping_pong(enter: &(dyn Fn(usize, &(dyn Fn() + Sync)) + Sync), depth: usize, count: &AtomicUsize) {
    count.fetch_add(1, Ordering::Relaxed);
    if depth > 0 {
        enter(depth % 2, &|| ping_pong(enter, depth - 1, count));
    }
}

fn two_pools(what: &'static str, enter: impl Fn(&Pool, &(dyn Fn() + Sync)) + Send + Sync + 'static) {
    with_deadline(60, move || {
        for workers in [1, 2] {
            note(format!("{what}, {workers} workers"));
            let pools = [pool(workers), pool(workers)];
            for depth in [1, 2, 3, 20] {
                let count = AtomicUsize::new(0);
                ping_pong(&|i, f| enter(&pools[i], f), depth, &count);
                assert_eq!(count.into_inner(), depth + 1);
            }
        }
    });
}

#[test]
fn pools_install_into_each_other() {
    two_pools("install", |pool, f| pool.install(f));
}

#[test]
fn pools_install_on_each_others_workers() {
    two_pools("install_on_worker", |pool, f| pool.install_on_worker(f));
}

#[test]
fn pools_join_into_each_other() {
    two_pools("join", |pool, f| {
        let (a, b) = (AtomicBool::new(false), AtomicBool::new(false));
        // Each arm goes down only once: 2^20 would be many.
        pool.join(|| a.store(true, Ordering::Relaxed), || (f(), b.store(true, Ordering::Relaxed)));
        assert!(a.into_inner() && b.into_inner());
    });
}

#[test]
fn pools_open_scopes_in_each_other() {
    two_pools("scope", |pool, f| pool.scope(|s| s.spawn(|_| f())));
    two_pools("in_place_scope", |pool, f| pool.in_place_scope(|s| s.spawn(|_| f())));
}

#[test]
fn pools_broadcast_from_each_other() {
    two_pools("broadcast", |pool, f| {
        pool.install_on_worker(|| {
            f();
            assert_eq!(filch::broadcast(|c| c.index()).len(), filch::current_num_threads());
        });
        assert_eq!(pool.broadcast(|c| c.index()).len(), pool.num_workers());
    });
}

#[test]
fn a_closure_of_another_pool_comes_back_to_the_waiting_thread() {
    // The worker of A waits as a guest in B for a closure that needs A.
    with_deadline(30, || {
        let (a, b) = (pool(1), pool(1));
        a.install_on_worker(|| b.scope(|s| s.spawn(|_| a.install(|| assert_eq!(fib(10), 55)))));
        a.install_on_worker(|| b.scope(|s| s.spawn(|_| assert_eq!(a.join(|| fib(10), || fib(9)), (55, 34)))));
        a.install_on_worker(|| b.scope(|s| s.spawn(|_| drop(a.broadcast(|c| c.index())))));
        a.install_on_worker(|| b.install_on_worker(|| drop(a.broadcast(|c| c.index()))));
        let handle = a.spawn_cpu(|| 1);
        assert_eq!(a.install_on_worker(|| b.block_on(handle)).unwrap(), 1);
    });
}
