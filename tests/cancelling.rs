//! What becomes of tasks when their pool ends: pending ones are cancelled, their handles say so, wherever they are
//! awaited, and their wakers may be kept, and used, during the end and long after it.

mod support;

use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use filch::Pool;
use support::{Drops, Event, assert_threads_end, lock, note, pool, spin, with_deadline, within};

fn named(name: &str, workers: usize) -> Pool {
    Pool::builder().workers(workers).name(name).build().unwrap()
}

#[test]
fn pending_tasks_are_cancelled() {
    with_deadline(60, || {
        for (workers, now) in [(1, false), (2, false), (1, true), (4, true)] {
            let pool = named("cancels", workers);
            let drops = Drops::default();
            let handles: Vec<_> = (0..200)
                .map(|i| {
                    let token = drops.token();
                    pool.spawn(async move {
                        let _token = token;
                        if i % 2 == 0 {
                            support::yield_once().await;
                        }
                        std::future::pending::<()>().await;
                    })
                })
                .collect();
            if workers == 1 {
                thread::sleep(Duration::from_millis(10));
            }
            if now {
                pool.shutdown_now()
            } else {
                pool.shutdown()
            }
            assert_eq!(drops.dropped(), 200, "all futures are gone when the shutdown returns");
            for handle in handles {
                assert!(handle.is_finished());
                assert!(handle.join().unwrap_err().is_cancelled());
            }
            assert_threads_end("cancels");
        }
    });
}

#[test]
fn an_awaiter_of_another_pool_learns_of_the_cancelling() {
    with_deadline(30, || {
        let (here, there) = (pool(1), pool(1));
        let task = there.spawn(std::future::pending::<()>());
        let awaiter = here.spawn(task);
        thread::sleep(Duration::from_millis(10));
        drop(there);
        assert!(awaiter.join().unwrap().unwrap_err().is_cancelled());
    });
}

#[test]
fn wakers_outlive_the_pool() {
    with_deadline(30, || {
        let kept: Arc<Mutex<Vec<Waker>>> = Arc::default();
        for workers in [1, 4] {
            let pool = named("woken", workers);
            for _ in 0..50 {
                let kept = kept.clone();
                pool.spawn(std::future::poll_fn(move |context| {
                    lock(&kept).push(context.waker().clone());
                    Poll::<()>::Pending
                }))
                .detach();
            }
            assert!(within(Duration::from_secs(20), || lock(&kept).len() >= 50));
            drop(pool);
            assert_threads_end("woken");
            for waker in std::mem::take(&mut *lock(&kept)) {
                waker.wake_by_ref();
                let clone = waker.clone();
                clone.wake();
                drop(waker);
            }
        }
    });
}

#[test]
fn wakers_may_wake_while_the_pool_ends() {
    with_deadline(60, || {
        for round in 0..100u64 {
            note(format!("round {round}"));
            let pool = pool(1 + (round % 3) as usize);
            let kept: Arc<Mutex<Vec<Waker>>> = Arc::default();
            let stop = Event::default();
            let (kept2, stop2) = (kept.clone(), stop.clone());
            let foreign = thread::spawn(move || {
                while !stop2.is_set() {
                    let wakers = lock(&kept2).clone();
                    wakers.iter().for_each(Waker::wake_by_ref);
                }
            });
            for _ in 0..20 {
                let kept = kept.clone();
                pool.spawn(std::future::poll_fn(move |context| {
                    let mut kept = lock(&kept);
                    if kept.len() < 20 {
                        kept.push(context.waker().clone());
                    }
                    Poll::<()>::Pending
                }))
                .detach();
            }
            spin(Duration::from_micros(round * 5));
            if round % 2 == 0 {
                pool.shutdown_now()
            } else {
                drop(pool)
            }
            stop.set();
            foreign.join().unwrap();
        }
    });
}
