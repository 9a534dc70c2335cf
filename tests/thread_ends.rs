//! Calls from destructors of thread-locals: when a thread ends, what it kept is dropped in an order that nobody knows,
//! and may spawn, fork and wait once more. On threads of no pool, and on workers, whose pool may be ending.

mod support;

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use filch::Pool;
use support::{fib, note, pool, with_deadline, within};

/// Does so when it is dropped.
struct AtTheEnd(Box<dyn FnOnce()>, Option<Arc<AtomicUsize>>);

impl AtTheEnd {
    fn count(calls: &Arc<AtomicUsize>, f: impl FnOnce() + 'static) -> AtTheEnd {
        AtTheEnd(Box::new(f), Some(calls.clone()))
    }
}

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        std::mem::replace(&mut self.0, Box::new(|| ()))();
        if let Some(calls) = self.1.take() {
            calls.fetch_add(1, Ordering::SeqCst);
        }
    }
}

thread_local! {
    static KEPT: RefCell<Vec<AtTheEnd>> = const { RefCell::new(Vec::new()) };
}

fn keep(end: AtTheEnd) {
    KEPT.with_borrow_mut(|kept| kept.push(end));
}

/// Everything that a program might do there.
fn calls(pool: &Arc<Pool>) -> Vec<Box<dyn FnOnce() + Send>> {
    let ours = || pool.clone();
    let (a, b, c, d, e, f) = (ours(), ours(), ours(), ours(), ours(), ours());
    vec![
        Box::new(|| assert_eq!(fib(10), 55)),
        Box::new(|| filch::scope(|s| (0..100).for_each(|_| s.spawn(|_| ())))),
        Box::new(|| filch::spawn_detached(|| ())),
        Box::new(|| assert_eq!(filch::block_on(async { 5 }), 5)),
        Box::new(|| drop(filch::spawn(async { 5 }))),
        Box::new(|| assert_eq!(filch::spawn_cpu(|| 5).join().unwrap(), 5)),
        Box::new(move || assert_eq!(a.join(|| 1, || 2), (1, 2))),
        Box::new(move || b.scope(|s| (0..100).for_each(|_| s.spawn(|_| ())))),
        Box::new(move || assert_eq!(c.spawn(async { 5 }).join().unwrap(), 5)),
        Box::new(move || assert_eq!(d.spawn_cpu(|| 5).join().unwrap(), 5)),
        Box::new(move || assert_eq!(e.spawn_blocking(|| 5).join().unwrap(), 5)),
        Box::new(move || f.spawn_detached(|| ())),
    ]
}

#[test]
fn threads_of_no_pool_call_when_they_end() {
    with_deadline(120, || {
        let pool = Arc::new(pool(2));
        let number = calls(&pool).len();
        for first in [false, true] {
            for i in 0..number {
                note(format!("call {i}, the thread has been in a pool before it keeps something: {first}"));
                for _ in 0..20 {
                    let (done, pool) = (Arc::new(AtomicUsize::new(0)), pool.clone());
                    let (counted, call) = (done.clone(), calls(&pool).swap_remove(i));
                    thread::spawn(move || {
                        if first {
                            // Then what filch keeps for the thread is dropped later, or else sooner.
                            assert_eq!(pool.join(|| fib(5), || fib(6)), (5, 8));
                            drop(filch::spawn(async {}));
                        }
                        keep(AtTheEnd::count(&counted, call));
                        assert_eq!(pool.join(|| fib(5), || fib(6)), (5, 8));
                        drop(pool.spawn(async {}));
                    })
                    .join()
                    .unwrap();
                    assert_eq!(done.load(Ordering::SeqCst), 1);
                }
            }
        }
    });
}

#[test]
fn workers_call_another_pool_when_they_end() {
    with_deadline(120, || {
        let other = Arc::new(pool(2));
        for i in 0..calls(&other).len() {
            note(format!("call {i}"));
            for workers in [1, 3] {
                let done = Arc::new(AtomicUsize::new(0));
                let pool = pool(workers);
                for _ in 0..workers {
                    let (counted, call) = (done.clone(), calls(&other).swap_remove(i));
                    pool.install_on_worker(move || keep(AtTheEnd::count(&counted, call)));
                }
                pool.shutdown();
                assert!(within(Duration::from_secs(20), || done.load(Ordering::SeqCst) == workers));
            }
        }
    });
}

#[test]
fn workers_call_their_own_pool_when_it_ends() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let done = Arc::new(AtomicUsize::new(0));
            let own = Arc::new(pool(workers));
            for _ in 0..4 {
                let (counted, weak) = (done.clone(), Arc::downgrade(&own));
                own.install_on_worker(move || {
                    keep(AtTheEnd::count(&counted, move || {
                        // Nobody takes anything any more: what is spawned comes back, and is lost with nobody.
                        if let Some(pool) = weak.upgrade() {
                            assert!(pool.try_spawn_detached(|| ()).is_err());
                            assert!(pool.try_spawn(async {}).is_err());
                        }
                    }))
                });
            }
            own.shutdown();
            assert!(within(Duration::from_secs(20), || done.load(Ordering::SeqCst) == 4));
        }
    });
}
