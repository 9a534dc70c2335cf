//! Tasks that end with their handles.

mod support;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use filch::task::AbortOnDrop;
use filch::{Pool, block_on};
use support::{Drops, Event, Wakes, plan, planned, pool, with_deadline, within, yield_once};

/// Runs `each` on pools of 1, 2 and 4 workers.
fn on_pools(each: impl Fn(&Pool) + Send + 'static) {
    with_deadline(60, move || {
        for workers in [1, 2, 4] {
            support::note(format!("{workers} workers"));
            each(&pool(workers));
        }
    });
}

fn soon(done: impl FnMut() -> bool) -> bool {
    within(Duration::from_secs(20), done)
}

/// A future that never ends, and counts.
async fn forever(drops: Drops) {
    let _token = drops.token();
    std::future::pending().await
}

#[test]
fn a_dropped_handle_aborts() {
    on_pools(|pool| {
        for how in 0..4 {
            let drops = Drops::default();
            let handle = pool.spawn(forever(drops.clone()));
            let id = handle.id();
            let handle: AbortOnDrop<()> = match how {
                0 => handle.abort_on_drop(),
                1 => AbortOnDrop::new(handle),
                _ => handle.into(),
            };
            assert!(soon(|| drops.made() == 1));
            assert!(!handle.is_finished() && !handle.as_ref().is_finished());
            let abort = handle.abort_handle();
            assert_eq!(abort.id(), id);
            assert!(format!("{handle:?}").starts_with("AbortOnDrop { finished: false"));
            if how == 3 {
                // With the future that awaits it.
                let wakes = Wakes::default();
                let mut waiting = Box::pin(handle);
                assert!(wakes.poll(waiting.as_mut()).is_pending());
                drop(waiting);
            } else {
                drop(handle);
            }
            drops.assert_all_dropped("the task's future");
            assert!(soon(|| abort.is_finished()));
        }
    });
}

#[test]
fn a_dropped_abort_handle_does_not() {
    on_pools(|pool| {
        let handle = pool.spawn(async { yield_once().await }).abort_on_drop();
        drop(handle.abort_handle());
        block_on(handle).unwrap();
    });
}

#[test]
fn it_is_awaited_like_its_handle() {
    on_pools(|pool| {
        let both = pool.block_on(async {
            let a = filch::spawn(async { 1 }).abort_on_drop();
            let b = filch::spawn_cpu(|| 2).abort_on_drop();
            let c = filch::spawn_blocking(|| 3).abort_on_drop();
            a.await.unwrap() + b.await.unwrap() + c.await.unwrap()
        });
        assert_eq!(both, 6);
        let panics: AbortOnDrop<()> = pool.spawn(async { plan(4) }).abort_on_drop();
        assert_eq!(planned(block_on(panics).unwrap_err().into_panic()), 4);
        let drops = Drops::default();
        let mut aborted = pin!(pool.spawn(forever(drops.clone())).abort_on_drop());
        aborted.abort();
        assert!(block_on(aborted.as_mut()).unwrap_err().is_cancelled());
        assert_eq!(drops.made(), drops.dropped());
        assert!(aborted.is_finished() && format!("{aborted:?}").contains("finished: true"));
        aborted.abort();
    });
}

#[test]
fn a_detached_one_goes_on() {
    on_pools(|pool| {
        let (go, count) = (Event::default(), Arc::new(AtomicUsize::new(0)));
        let handle = pool.spawn_blocking({
            let (go, count) = (go.clone(), count.clone());
            move || {
                go.wait();
                count.fetch_add(1, Ordering::SeqCst)
            }
        });
        let handle = handle.abort_on_drop().detach();
        assert!(!handle.is_finished());
        drop(handle);
        go.set();
        assert!(soon(|| count.load(Ordering::SeqCst) == 1));
        assert_eq!(pool.spawn(async { 5 }).abort_on_drop().detach().join().unwrap(), 5);
    });
}
