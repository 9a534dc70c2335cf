//! Tasks, CPU closures and blocking calls: values, panics, aborts, detached handles, wakes from anywhere, the channels
//! and locks of tokio and async-lock, many tasks, and the bounds of the blocking threads.

mod support;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use filch::{IdlePolicy, Pool};
use support::{Drops, Event, fib, lock, pool, threads_named, with_deadline, within, yield_once};

/// Runs `each` on pools of 1, 2 and 4 workers.
fn on_pools(each: impl Fn(&Pool) + Send + 'static) {
    with_deadline(60, move || {
        for workers in [1, 2, 4] {
            support::note(format!("{workers} workers"));
            each(&pool(workers));
        }
    });
}

#[test]
fn values_come_back() {
    on_pools(|pool| {
        assert_eq!(pool.spawn(async { "task".to_owned() }).join().unwrap(), "task");
        assert_eq!(pool.spawn_cpu(|| vec![1, 2, 3]).join().unwrap(), [1, 2, 3]);
        assert_eq!(pool.spawn_blocking(|| Some(5)).join().unwrap(), Some(5));
        assert_eq!(pool.block_on(async { 6 }), 6);
        assert_eq!(filch::block_on(pool.spawn(async { 7 })).unwrap(), 7);
        let all = pool.block_on(async {
            let a = filch::spawn(async { filch::current_num_threads() });
            let b = filch::spawn_cpu(filch::current_num_threads);
            let c = filch::spawn_blocking(filch::current_num_threads);
            [a.await.unwrap(), b.await.unwrap(), c.await.unwrap()]
        });
        assert_eq!(all, [pool.num_workers(); 3], "all of them are inside of this pool");
    });
}

#[test]
fn block_on_takes_what_is_not_send() {
    on_pools(|pool| {
        let count = std::rc::Rc::new(std::cell::Cell::new(0));
        let clone = count.clone();
        let outcome = pool.block_on(async move {
            for _ in 0..3 {
                yield_once().await;
                clone.set(clone.get() + filch::spawn(async { 2 }).await.unwrap());
            }
            "borrowed".len()
        });
        assert_eq!((outcome, count.get()), (8, 6));
    });
}

#[test]
fn block_on_stays_inside_its_pool() {
    // Also if every seat is taken, so that the calling thread cannot be a guest.
    on_pools(|pool| {
        let (busy, go) = (Arc::new(AtomicUsize::new(0)), Event::default());
        for _ in 0..pool.num_workers() {
            let (busy, gate) = (busy.clone(), go.clone());
            pool.spawn_detached(move || {
                busy.fetch_add(1, Ordering::SeqCst);
                gate.wait();
            });
        }
        assert!(within(Duration::from_secs(20), || busy.load(Ordering::SeqCst) == pool.num_workers()));
        let handle = pool.block_on(std::future::poll_fn(|_| Poll::Ready(filch::spawn_cpu(filch::current_num_threads))));
        let workers = pool.block_on(async { filch::current_num_threads() });
        go.set();
        assert_eq!((handle.join().unwrap(), workers), (pool.num_workers(), pool.num_workers()));
    });
}

#[test]
fn handles_may_be_joined_anywhere() {
    on_pools(|pool| {
        let first = pool.spawn(async { 1 });
        let second = pool.spawn_cpu(move || 1 + first.join().unwrap());
        let third = pool.spawn(async move { 1 + second.await.unwrap() });
        let fourth = thread::spawn(move || 1 + third.join().unwrap());
        let fourth = fourth.join().unwrap();
        let fifth = pool.spawn_blocking(move || 1 + fourth);
        assert_eq!(pool.scope(|_| fifth.join().unwrap()), 5);
    });
}

#[test]
fn a_foreign_thread_wakes() {
    on_pools(|pool| {
        for _ in 0..100 {
            let place: Arc<Mutex<(bool, Option<Waker>)>> = Arc::default();
            let inner = place.clone();
            let handle = pool.spawn(std::future::poll_fn(move |context| {
                let mut place = lock(&inner);
                if place.0 {
                    return Poll::Ready(9);
                }
                place.1 = Some(context.waker().clone());
                Poll::Pending
            }));
            let foreign = thread::spawn(move || {
                lock(&place).0 = true;
                let waker = lock(&place).1.take();
                if let Some(waker) = waker {
                    waker.wake();
                }
            });
            assert_eq!(handle.join().unwrap(), 9);
            foreign.join().unwrap();
        }
    });
}

#[test]
fn self_waking_tasks_share_the_pool() {
    on_pools(|pool| {
        let stop = Arc::new(AtomicBool::new(false));
        let turns: Vec<_> = (0..4)
            .map(|_| {
                let stop = stop.clone();
                pool.spawn(async move {
                    let mut turns = 0u64;
                    while !stop.load(Ordering::Relaxed) {
                        yield_once().await;
                        turns += 1;
                    }
                    turns
                })
            })
            .collect();
        // None of the others may starve: closures, tasks from outside, forks.
        for _ in 0..50 {
            assert_eq!(pool.spawn(async { 1 }).join().unwrap(), 1);
            assert_eq!(pool.spawn_cpu(|| fib(8)).join().unwrap(), 21);
            assert_eq!(pool.install(|| fib(8)), 21);
            assert_eq!(pool.broadcast(|_| ()).len(), pool.num_workers());
        }
        stop.store(true, Ordering::Relaxed);
        for turns in turns {
            assert!(turns.join().unwrap() > 0);
        }
    });
}

#[test]
fn ten_thousand_tasks() {
    on_pools(|pool| {
        let (drops, sum) = (Drops::default(), Arc::new(AtomicUsize::new(0)));
        let handles: Vec<_> = (0..10_000)
            .map(|i| {
                let (token, sum) = (drops.token(), sum.clone());
                pool.spawn(async move {
                    let _token = token;
                    let inner = filch::spawn(async move {
                        yield_once().await;
                        i
                    });
                    let value = inner.await.unwrap();
                    sum.fetch_add(value, Ordering::Relaxed);
                    value
                })
            })
            .collect();
        let total: usize = handles.into_iter().map(|handle| handle.join().unwrap()).sum();
        assert_eq!((total, sum.load(Ordering::Relaxed)), (49_995_000, 49_995_000));
        drops.assert_all_dropped("futures");
    });
}

fn nested(depth: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(async move {
        if depth == 0 {
            return 1;
        }
        let (a, b) = (filch::spawn(nested(depth - 1)), filch::spawn(nested(depth - 1)));
        a.await.unwrap() + b.await.unwrap()
    })
}

#[test]
fn a_tree_of_tasks() {
    on_pools(|pool| assert_eq!(pool.spawn(nested(12)).join().unwrap(), 4096));
}

#[test]
fn tokios_channels_and_async_locks() {
    on_pools(|pool| {
        let (tx, mut rx) = tokio::sync::mpsc::channel::<usize>(4);
        let total = Arc::new(async_lock::Mutex::new(0));
        for i in 0..20 {
            let (tx, total) = (tx.clone(), total.clone());
            pool.spawn(async move {
                for j in 0..50 {
                    tx.send(i * 50 + j).await.unwrap();
                    *total.lock().await += 1;
                }
            })
            .detach();
        }
        drop(tx);
        let (answer, answered) = tokio::sync::oneshot::channel();
        let sum = pool.spawn(async move {
            let mut sum = 0;
            while let Some(n) = rx.recv().await {
                sum += n;
            }
            answer.send(sum).unwrap();
        });
        assert_eq!(filch::block_on(answered).unwrap(), 499_500);
        sum.join().unwrap();
        let limit = Arc::new(tokio::sync::Semaphore::new(2));
        let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let handles: Vec<_> = (0..50)
            .map(|_| {
                let (limit, inside, most) = (limit.clone(), inside.clone(), most.clone());
                pool.spawn(async move {
                    let _permit = limit.acquire().await.unwrap();
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    yield_once().await;
                    inside.fetch_sub(1, Ordering::SeqCst);
                })
            })
            .collect();
        handles.into_iter().for_each(|handle| handle.join().unwrap());
        assert!(most.load(Ordering::SeqCst) <= 2);
        assert!(within(Duration::from_secs(20), || total.try_lock().is_some_and(|total| *total == 1_000)));
    });
}

#[test]
fn blocking_threads_are_bounded_and_end() {
    with_deadline(60, || {
        let idle = IdlePolicy::default().keep_alive(Duration::from_millis(50));
        let pool = Pool::builder().workers(1).name("bounded").blocking_threads(2).idle_policy(idle).build().unwrap();
        let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let handles: Vec<_> = (0..40)
            .map(|i| {
                let (inside, most) = (inside.clone(), most.clone());
                pool.spawn_blocking(move || {
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(2));
                    inside.fetch_sub(1, Ordering::SeqCst);
                    i
                })
            })
            .collect();
        assert_eq!(handles.into_iter().map(|handle| handle.join().unwrap()).sum::<i32>(), 780);
        assert_eq!(most.load(Ordering::SeqCst), 2, "two at once, and not more");
        assert!(within(Duration::from_secs(10), || threads_named("bounded") == 1), "idle blocking threads end");
        assert_eq!(pool.spawn_blocking(|| 5).join().unwrap(), 5, "and come again");
    });
}

#[test]
fn blocking_closures_run_beside_busy_workers() {
    on_pools(|pool| {
        let go = Event::default();
        for _ in 0..pool.num_workers() {
            let gate = go.clone();
            pool.spawn_detached(move || gate.wait());
        }
        let handles: Vec<_> = (0..8).map(|i| pool.spawn_blocking(move || i)).collect();
        assert_eq!(handles.into_iter().map(|handle| handle.join().unwrap()).sum::<i32>(), 28);
        go.set();
    });
}
