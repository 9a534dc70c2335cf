//! Awaiters' wakers that panic, when they are cloned, woken or dropped: the pool goes on, the task ends, and what it
//! gives is dropped once.

mod support;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use std::time::Duration;

use filch::{JoinHandle, Pool};
use support::{Drops, Event, Token, catch, plan, planned, pool, with_deadline, within};

/// When the waker panics.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Clone,
    Wake,
    Drop,
}

/// Its clones and itself are counted by the reference count.
struct Fragile {
    at: At,
    panics: AtomicUsize,
}

impl Fragile {
    fn at(&self, at: At) {
        if self.at == at && !std::thread::panicking() {
            self.panics.fetch_add(1, Ordering::SeqCst);
            plan(1);
        }
    }
}

fn fragile(at: At) -> Arc<Fragile> {
    Arc::new(Fragile { at, panics: AtomicUsize::new(0) })
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(
    |data| {
        // SAFETY: made by `with_waker` or by this; a borrowed Arc.
        let this = std::mem::ManuallyDrop::new(unsafe { Arc::from_raw(data.cast::<Fragile>()) });
        this.at(At::Clone);
        RawWaker::new(Arc::into_raw(Arc::clone(&this)).cast(), &VTABLE)
    },
    |data| {
        // SAFETY: as above, and it is ours.
        let this = unsafe { Arc::from_raw(data.cast::<Fragile>()) };
        this.at(At::Wake);
    },
    |data| {
        // SAFETY: as above, borrowed.
        let this = std::mem::ManuallyDrop::new(unsafe { Arc::from_raw(data.cast::<Fragile>()) });
        this.at(At::Wake);
    },
    |data| {
        // SAFETY: as above, and it is ours.
        let this = unsafe { Arc::from_raw(data.cast::<Fragile>()) };
        this.at(At::Drop);
    },
);

/// Polls with such a waker, which is not dropped itself but forgotten with its count given back.
fn poll(handle: &mut JoinHandle<Token>, fragile: &Arc<Fragile>) -> Poll<Result<Token, filch::JoinError>> {
    // SAFETY: the functions keep the contract of wakers. It borrows the count, and is never dropped.
    let waker = unsafe { Waker::from_raw(RawWaker::new(Arc::as_ptr(fragile).cast(), &VTABLE)) };
    let waker = std::mem::ManuallyDrop::new(waker);
    Pin::new(handle).poll(&mut Context::from_waker(&waker))
}

fn on_pools(each: impl Fn(&Pool, JoinHandle<Token>, &Event, &Drops) + Send + 'static) {
    with_deadline(30, move || {
        for workers in [1, 2] {
            let pool = pool(workers);
            let (go, drops) = (Event::default(), Drops::default());
            let (gate, token) = (go.clone(), drops.token());
            let handle = pool.spawn(async move {
                gate.wait();
                token
            });
            each(&pool, handle, &go, &drops);
            assert!(within(Duration::from_secs(20), || pool.stats().live_tasks == 0));
            drops.assert_all_dropped("the output");
            assert_eq!(pool.spawn(async { filch::spawn_cpu(|| 1).await.unwrap() }).join().unwrap(), 1);
        }
    });
}

#[test]
fn one_that_panics_when_it_is_woken() {
    on_pools(|pool, mut handle, go, _| {
        let waker = fragile(At::Wake);
        assert!(poll(&mut handle, &waker).is_pending());
        go.set();
        assert!(within(Duration::from_secs(20), || pool.stats().panics == 1), "contained and counted");
        assert!(handle.join().is_ok());
        assert_eq!((waker.panics.load(Ordering::SeqCst), Arc::strong_count(&waker)), (1, 1));
    });
}

#[test]
fn one_that_panics_when_it_is_cloned() {
    on_pools(|pool, mut handle, go, _| {
        let waker = fragile(At::Clone);
        for _ in 0..3 {
            assert_eq!(catch(|| poll(&mut handle, &waker).is_ready()), Err(1), "it is the poller's own panic");
        }
        go.set();
        assert!(handle.join().is_ok(), "and the handle is as it was");
        assert_eq!((pool.stats().panics, Arc::strong_count(&waker)), (0, 1));
    });
}

#[test]
fn one_that_panics_when_another_takes_its_place() {
    on_pools(|pool, mut handle, go, _| {
        let (bad, good) = (fragile(At::Drop), fragile(At::Clone));
        assert!(poll(&mut handle, &bad).is_pending());
        assert!(poll(&mut handle, &bad).is_pending(), "the same one stays");
        assert_eq!(Arc::strong_count(&bad), 2);
        assert_eq!(catch(|| poll(&mut handle, &good).is_ready()), Err(1));
        assert_eq!((bad.panics.load(Ordering::SeqCst), Arc::strong_count(&bad)), (1, 1));
        go.set();
        assert!(handle.join().is_ok());
        assert_eq!((pool.stats().panics, Arc::strong_count(&good)), (0, 1));
    });
}

#[test]
fn one_that_panics_when_the_handle_is_dropped() {
    on_pools(|pool, mut handle, go, drops| {
        let waker = fragile(At::Drop);
        assert!(poll(&mut handle, &waker).is_pending());
        // A drop does not unwind.
        assert_eq!(catch(|| drop(handle)), Ok(()));
        assert_eq!((waker.panics.load(Ordering::SeqCst), Arc::strong_count(&waker)), (1, 1));
        go.set();
        assert!(within(Duration::from_secs(20), || pool.stats().live_tasks == 0));
        // The handle is gone, so the output is the pool's to drop.
        let dropped = within(Duration::from_secs(2), || drops.dropped() == 1);
        assert!(dropped, "the output of a task whose handle was dropped has leaked");
    });
}

#[test]
fn the_payload_of_a_task_that_panics_again_when_it_is_dropped() {
    struct Grenade;
    impl Drop for Grenade {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                plan(2);
            }
        }
    }
    with_deadline(30, || {
        for workers in [1, 2] {
            let pool = pool(workers);
            let spawn = || -> JoinHandle<()> { pool.spawn(async { std::panic::resume_unwind(Box::new(Grenade)) }) };
            spawn().detach();
            assert!(within(Duration::from_secs(20), || pool.stats().live_tasks == 0));
            let handle = spawn();
            assert!(within(Duration::from_secs(20), || handle.is_finished()));
            assert_eq!(catch(|| drop(handle)), Ok(()));
            let error = spawn().join().unwrap_err();
            assert_eq!(catch(|| drop(error)), Err(2), "who takes it has it");
            let payload = spawn().join().unwrap_err().into_panic();
            assert!(payload.is::<Grenade>());
            std::mem::forget(payload);
            let taken = std::panic::catch_unwind(|| plan(3)).unwrap_err();
            assert_eq!(planned(taken), 3);
            assert_eq!(pool.spawn(async { 1 }).join().unwrap(), 1);
        }
    });
}
