//! What a handle can do: tell whether its task has ended and how, abort it before, during and after, or let it go on
//! alone.

mod support;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use filch::{JoinHandle, Pool};
use support::{Drops, Event, occupy, plan, planned, pool, pool_without_lane, with_deadline, within, yield_once};

/// Runs `each` on pools of 1, 2 and 4 workers.
fn on_pools(each: impl Fn(&Pool) + Send + 'static) {
    on_pools_of(pool, each)
}

fn on_pools_of(new: fn(usize) -> Pool, each: impl Fn(&Pool) + Send + 'static) {
    with_deadline(60, move || {
        for workers in [1, 2, 4] {
            support::note(format!("{workers} workers"));
            each(&new(workers));
        }
    });
}

fn finished<T>(handle: &JoinHandle<T>) -> bool {
    within(Duration::from_secs(20), || handle.is_finished())
}

#[test]
fn panics_come_as_errors() {
    on_pools(|pool| {
        let handles = [
            pool.spawn(async {
                yield_once().await;
                plan(1)
            }),
            pool.spawn_cpu(|| plan(2)),
            pool.spawn_blocking(|| plan(3)),
        ];
        for (i, handle) in handles.into_iter().enumerate() {
            let handle: JoinHandle<()> = handle;
            let error = handle.join().unwrap_err();
            assert!(error.is_panic() && !error.is_cancelled());
            assert!(error.to_string().contains("panicked"));
            assert_eq!(planned(error.into_panic()), i as u64 + 1);
        }
        let cancelled = {
            let handle = pool.spawn(std::future::pending::<()>());
            handle.abort();
            handle.join().unwrap_err()
        };
        assert!(cancelled.is_cancelled() && !cancelled.is_panic());
        assert!(cancelled.try_into_panic().is_err());
    });
}

#[test]
fn abort_before_the_beginning() {
    // The express lane would run the task, sooner or later.
    on_pools_of(pool_without_lane, |pool| {
        let go = occupy(pool);
        let (drops, ran) = (Drops::default(), Arc::new(AtomicBool::new(false)));
        let job = || {
            let (token, ran) = (drops.token(), ran.clone());
            move || {
                let _token = token;
                ran.store(true, Ordering::SeqCst);
            }
        };
        let (cpu, task) = (job(), job());
        let handles = [pool.spawn_cpu(cpu), pool.spawn(async move { task() })];
        for handle in &handles {
            handle.abort();
            handle.abort();
        }
        go.set();
        for handle in handles {
            assert!(finished(&handle), "an aborted task ends without anybody awaiting it");
            assert!(handle.join().unwrap_err().is_cancelled());
        }
        assert!(!ran.load(Ordering::SeqCst));
        drops.assert_all_dropped("aborted work");
    });
}

#[test]
fn abort_in_the_middle() {
    on_pools(|pool| {
        let drops = Drops::default();
        // A task that waits.
        let token = drops.token();
        let (begun, polled) = mpsc::channel();
        let handle = pool.spawn(async move {
            let _token = token;
            begun.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        polled.recv().unwrap();
        handle.abort();
        assert!(handle.join().unwrap_err().is_cancelled());
        assert_eq!(drops.dropped(), 1, "the future has been dropped when the handle says so");
        // A closure that runs goes on to its end, and its value may still come.
        let (begun, go) = (Event::default(), Event::default());
        let (begun2, go2, token) = (begun.clone(), go.clone(), drops.token());
        let handle = pool.spawn_cpu(move || {
            begun2.set();
            go2.wait();
            drop(token);
            5
        });
        begun.wait();
        handle.abort();
        assert!(!handle.is_finished());
        go.set();
        match handle.join() {
            Ok(value) => assert_eq!(value, 5),
            Err(error) => assert!(error.is_cancelled()),
        }
        drops.assert_all_dropped("the closure");
        // A task that wakes itself all the time.
        let handle = pool.spawn(async {
            loop {
                yield_once().await;
            }
        });
        thread::sleep(Duration::from_millis(1));
        handle.abort();
        let outcome: Result<(), _> = handle.join();
        assert!(outcome.unwrap_err().is_cancelled());
    });
}

#[test]
fn abort_after_the_end() {
    on_pools(|pool| {
        let handle = pool.spawn(async { 5 });
        assert!(finished(&handle));
        handle.abort();
        assert!(handle.is_finished());
        assert_eq!(handle.join().unwrap(), 5, "the value was there first");
    });
}

#[test]
fn a_dropped_handle_detaches() {
    on_pools(|pool| {
        let (tx, rx) = mpsc::channel();
        let (t1, t2, t3, t4) = (tx.clone(), tx.clone(), tx.clone(), tx);
        drop(pool.spawn(async move {
            yield_once().await;
            t1.send(1).unwrap();
        }));
        // A closure that has not begun would be cancelled.
        pool.spawn_cpu(move || t2.send(2).unwrap()).detach();
        drop(pool.spawn_blocking(move || t3.send(3).unwrap()));
        pool.spawn(async move { t4.send(4).unwrap() }).detach();
        let mut got: Vec<i32> = rx.iter().collect();
        got.sort_unstable();
        assert_eq!(got, [1, 2, 3, 4]);
    });
}

#[test]
fn a_closure_ends_with_its_handle_before_it_begins() {
    on_pools(|pool| {
        let go = occupy(pool);
        let drops = Drops::default();
        let ran = Arc::new(AtomicUsize::new(0));
        let job = || {
            let (token, ran) = (drops.token(), ran.clone());
            move || {
                let _token = token;
                ran.fetch_add(1, Ordering::SeqCst);
            }
        };
        // Dropped, with and without an awaiter, or with what awaits it.
        drop(pool.spawn_cpu(job()));
        let mut polled = pool.spawn_cpu(job());
        assert!(Pin::new(&mut polled).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(polled);
        let handle = pool.spawn_cpu(job());
        drop(async move { handle.await.unwrap() });
        // Aborted, also by a handle that only aborts: it resolves at once.
        let handle = pool.spawn_cpu(job());
        handle.abort_handle().abort();
        assert!(handle.is_finished());
        assert!(handle.join().unwrap_err().is_cancelled());
        assert_eq!(drops.dropped(), 4, "what was captured is dropped at once");
        // Let go.
        pool.spawn_cpu(job()).detach();
        drop(pool.spawn_blocking(job()));
        go.set();
        assert!(within(Duration::from_secs(20), || ran.load(Ordering::SeqCst) == 2));
        drops.assert_all_dropped("captures");
    });
}

#[test]
fn a_closure_that_runs_does_not_end_with_its_handle() {
    on_pools(|pool| {
        let (begun, go, done) = (Event::default(), Event::default(), Event::default());
        let (set, gate, end) = (begun.clone(), go.clone(), done.clone());
        let handle = pool.spawn_cpu(move || {
            set.set();
            gate.wait();
            end.set();
        });
        begun.wait();
        drop(handle);
        go.set();
        assert!(done.wait_for(Duration::from_secs(20)));
    });
}

#[test]
fn closures_that_hold_handles_of_closures_end_together() {
    on_pools(|pool| {
        let go = occupy(pool);
        let drops = Drops::default();
        // Each holds the handle of the one before: more than a stack should be asked to nest.
        let mut last = pool.spawn_cpu(|| ());
        for _ in 0..100_000 {
            let token = drops.token();
            last = pool.spawn_cpu(move || drop((last, token)));
        }
        drop(last);
        assert!(drops.dropped() > 0, "the newest are dropped at once");
        go.set();
        drops.assert_all_dropped("the chain");
    });
}

#[test]
fn husks_keep_a_pool_until_they_are_counted_off() {
    on_pools(|_| {
        for round in 0..50 {
            let (pool, drops) = (Arc::new(pool(1 + round % 3)), Drops::default());
            let closer = pool.clone();
            let handles: Vec<_> = (0..50)
                .map(|_| {
                    let token = drops.token();
                    pool.spawn_cpu(move || drop(token))
                })
                .collect();
            let other = thread::spawn(move || {
                if round % 2 == 0 {
                    closer.shutdown();
                } else {
                    closer.shutdown_now();
                }
            });
            drop(handles);
            other.join().unwrap();
            drops.assert_all_dropped("captures");
        }
    });
}

#[test]
fn a_capture_that_panics_when_it_is_cancelled_is_contained() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            plan(9)
        }
    }
    on_pools(|pool| {
        let go = occupy(pool);
        let captured = Panics;
        let handle = pool.spawn_cpu(move || drop(captured));
        handle.abort();
        assert!(handle.join().unwrap_err().is_cancelled());
        go.set();
        assert_eq!(pool.spawn_cpu(|| 5).join().unwrap(), 5);
    });
}

#[test]
fn a_handle_tells_whether_it_is_finished() {
    on_pools(|pool| {
        let go = Event::default();
        let gate = go.clone();
        let mut handle = pool.spawn_cpu(move || gate.wait());
        assert!(!handle.is_finished());
        let polled = Pin::new(&mut handle).poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        go.set();
        assert!(finished(&handle));
        assert!(format!("{handle:?}").contains("true"));
        assert!(Pin::new(&mut handle).poll(&mut Context::from_waker(Waker::noop())).is_ready());
        assert!(handle.is_finished());
    });
}
