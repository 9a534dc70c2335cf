//! Loops and closures that are cancelled from the side of who awaits them: by dropping the future, by a token, by a
//! deadline.

mod support;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use filch::prelude::*;
use filch::{CancellationToken, JoinHandle, Pool};
use support::{Drops, occupy, pool, spin, with_deadline, within};

fn on_pools(each: impl Fn(&Pool) + Send + 'static) {
    with_deadline(120, move || {
        for workers in [1, 2, 4] {
            support::note(format!("{workers} workers"));
            let pool = pool(workers);
            each(&pool);
            // Comes back only if no loop goes on.
            pool.shutdown();
        }
    });
}

/// A loop that would go on for ages, unless its token ends it; counts the items that have begun.
fn endless(pool: &Pool, token: CancellationToken, items: &Arc<AtomicUsize>) -> JoinHandle<usize> {
    let items = items.clone();
    pool.install(|| {
        (0..usize::MAX).into_par_iter().run_async(move |iter| {
            let iter = iter.with_cancel(&token).map(|_| {
                items.fetch_add(1, Ordering::Relaxed);
                spin(Duration::from_micros(20));
            });
            iter.count()
        })
    })
}

fn has_begun(items: &AtomicUsize) -> bool {
    within(Duration::from_secs(20), || items.load(Ordering::Relaxed) > 0)
}

#[test]
fn dropping_the_future_with_a_guard_ends_a_loop_that_runs() {
    on_pools(|pool| {
        let (token, items) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let handle = endless(pool, token.clone(), &items);
        let abort = handle.abort_handle();
        let mut future: Pin<Box<dyn Future<Output = _>>> = Box::pin(async move {
            let _guard = token.drop_guard();
            handle.await
        });
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(has_begun(&items));
        drop(future);
        assert!(within(Duration::from_secs(20), || abort.is_finished()), "the loop ends at a block's end");
    });
}

#[test]
fn dropping_the_future_removes_a_loop_that_has_not_begun() {
    on_pools(|pool| {
        let go = occupy(pool);
        let (drops, items) = (Drops::default(), Arc::new(AtomicUsize::new(0)));
        let (token, begun) = (drops.token(), items.clone());
        let closure = pool.spawn_cpu(move || {
            let _token = token;
            (0..1000).into_par_iter().for_each(|_| {
                begun.fetch_add(1, Ordering::Relaxed);
            });
        });
        {
            let mut future = pin!(closure);
            assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        assert_eq!(drops.dropped(), 1, "what it has captured goes with the future");
        go.set();
        assert_eq!(pool.spawn_cpu(|| 5).join().unwrap(), 5);
        assert_eq!(items.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn a_deadline_token_ends_a_loop_that_a_task_awaits() {
    on_pools(|pool| {
        let items = Arc::new(AtomicUsize::new(0));
        let began = Instant::now();
        let token = CancellationToken::with_deadline(began + Duration::from_millis(30));
        let handle = endless(pool, token.clone(), &items);
        let task = pool.spawn(handle);
        let count = task.join().unwrap().unwrap();
        assert!(count < usize::MAX && token.is_cancelled());
        assert!(began.elapsed() >= Duration::from_millis(30), "not before the deadline");
        assert_eq!(count, items.load(Ordering::Relaxed), "what was begun is counted");
    });
}

#[test]
fn a_parent_token_ends_a_loop_that_a_timeout_has_left_running() {
    on_pools(|pool| {
        let (parent, items) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let handle = endless(pool, parent.child_token(), &items);
        let abort = handle.abort_handle();
        assert!(has_begun(&items));
        // Outside of the pool, so that it needs no worker.
        let late = filch::block_on(filch::time::timeout(Duration::from_millis(20), handle));
        assert!(late.is_err());
        // What has begun does not end with its handle: far more items begin than are in anybody's hands.
        let mark = items.load(Ordering::Relaxed) + 5_000;
        assert!(within(Duration::from_secs(20), || items.load(Ordering::Relaxed) > mark), "the loop goes on");
        assert!(!abort.is_finished());
        parent.cancel();
        assert!(within(Duration::from_secs(20), || abort.is_finished()), "the loop ends at a block's end");
    });
}
