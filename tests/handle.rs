//! Handles of pools: they do what the pool does, from any thread, and keep it neither open nor on its threads. And what
//! the free functions mean on a thread that has entered a pool.

mod support;

use std::cell::RefCell;
use std::collections::HashSet;
use std::panic::{self, AssertUnwindSafe, RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use filch::prelude::*;
use filch::task::{Builder, JoinSet, TaskTracker};
use filch::time::{Instant, sleep};
use filch::{EnterGuard, Handle, Pool, TrySpawnError, Yield};
use support::{
    Drops, Event, Reports, assert_threads_end, fib, ignore, lock, note, plan, planned, pool, threads_named,
    with_deadline, within, yield_once,
};

/// Runs `each` on pools of 1 and 2 workers, on a thread that is in none.
fn on_pools(each: impl Fn(Pool) + Send + 'static) {
    with_deadline(60, move || {
        // There is a global pool to be mistaken for.
        assert!(filch::current_num_threads() > 0);
        for workers in [1, 2] {
            note(format!("{workers} workers"));
            each(pool(workers));
        }
    });
}

/// Runs `f` on a new thread of no pool, and gives its result.
fn elsewhere<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> R {
    thread::spawn(f).join().unwrap_or_else(|payload| panic::resume_unwind(payload))
}

/// The text of the panic of `f`.
fn panic_of<R>(f: impl FnOnce() -> R) -> String {
    let payload = panic::catch_unwind(AssertUnwindSafe(|| ignore(f()))).expect_err("it panics");
    payload.downcast_ref::<String>().cloned().unwrap_or_else(|| (*payload.downcast_ref::<&str>().unwrap()).to_owned())
}

fn assert_refused<R>(f: impl FnOnce() -> R) {
    let text = panic_of(f);
    assert!(text.contains("shut down"), "{text}");
}

/// Everything that a free function runs must find itself in the pool of `handle`, which this thread means.
fn assert_means(handle: &Handle) {
    let here = || Handle::try_current().expect("in a pool") == *handle;
    let found = |current: Handle| assert_eq!(current, *handle);
    let workers = handle.num_workers();
    found(Handle::current());
    assert!(here());
    assert_eq!(filch::current_num_threads(), workers);
    assert_eq!(filch::max_num_threads(), handle.max_num_threads());
    found(filch::spawn(async { Handle::current() }).join().unwrap());
    found(filch::spawn_cpu(Handle::current).join().unwrap());
    found(filch::spawn_blocking(Handle::current).join().unwrap());
    found(Builder::new().spawn(async { Handle::current() }).join().unwrap());
    found(Builder::new().try_spawn_cpu(Handle::current).unwrap().join().unwrap());
    found(filch::block_on(async { Handle::current() }));
    found(filch::block_on(async {
        yield_once().await;
        filch::spawn(async { Handle::current() }).await.unwrap()
    }));
    let (sender, receiver) = mpsc::channel();
    let (fifo, each) = (sender.clone(), sender.clone());
    filch::spawn_detached(move || sender.send(Handle::current()).unwrap());
    filch::spawn_fifo(move || fifo.send(Handle::current()).unwrap());
    filch::spawn_broadcast(move |_| each.send(Handle::current()).unwrap());
    for _ in 0..2 + workers {
        // On a worker it may be for us to run them.
        while filch::yield_now() == Some(Yield::Executed) {}
        found(filch::blocking(|| receiver.recv().unwrap()));
    }
    assert_eq!(filch::join(here, here), (true, true));
    assert_eq!(filch::join_context(|_| here(), |_| here()), (true, true));
    assert!(filch::with_worker(|w| w.join(|_| here(), |_| here())).1);
    filch::scope(|s| {
        s.spawn(|_| assert!(here()));
        assert!(here());
    });
    filch::scope_fifo(|s| s.spawn_fifo(|_| assert!(here())));
    filch::in_place_scope(|s| s.spawn(|_| assert!(here())));
    filch::in_place_scope_fifo(|s| s.spawn_fifo(|_| assert!(here())));
    assert_eq!(filch::broadcast(|_| here()), vec![true; workers]);
    // Short loops from outside have a way of their own into the global pool, once they are known to be short.
    for _ in 0..200 {
        assert!((0..4).into_par_iter().all(|_| here()));
    }
    assert!((0..10_000).into_par_iter().all(|_| here()));
    let mut numbers: Vec<u32> = (0..10_000).rev().collect();
    numbers.par_sort_unstable_by(|a, b| {
        assert!(here());
        a.cmp(b)
    });
    assert_eq!(filch::stats().panics, handle.stats().panics);
}

// ----- a handle ----------------------------------------------------------------------------------------------------

#[test]
fn a_handle_does_what_its_pool_does() {
    on_pools(|pool| {
        let handle = pool.handle().clone();
        let workers = pool.num_workers();
        elsewhere(move || {
            let here = || Handle::current() == handle;
            assert!(!here());
            assert_eq!((handle.num_workers(), handle.current_num_threads()), (workers, workers));
            assert!(handle.max_num_threads() > workers);
            assert_eq!(handle.current_thread_index(), None);
            let found = |current: Handle| assert_eq!(current, handle);
            found(handle.spawn(async { Handle::current() }).join().unwrap());
            found(handle.try_spawn(async { Handle::current() }).unwrap().join().unwrap());
            found(handle.spawn_cpu(Handle::current).join().unwrap());
            found(handle.try_spawn_cpu(Handle::current).unwrap().join().unwrap());
            found(handle.spawn_blocking(Handle::current).join().unwrap());
            found(handle.try_spawn_blocking(Handle::current).unwrap().join().unwrap());
            found(handle.block_on(async { Handle::current() }));
            found(handle.block_on(handle.spawn_when_room(async { Handle::current() })).unwrap().join().unwrap());
            found(handle.install(Handle::current));
            found(handle.install_on_worker(Handle::current));
            assert_eq!(handle.join(here, here), (true, true));
            assert!(handle.with_worker(|w| w.join(|_| here(), |_| here())).1);
            handle.scope(|s| s.spawn(|_| assert!(here())));
            handle.in_place_scope(|s| s.spawn(|_| assert!(here())));
            assert_eq!(handle.broadcast(|_| here()), vec![true; workers]);
            let (sender, receiver) = mpsc::channel();
            handle.spawn_detached(move || sender.send(Handle::current()).unwrap());
            found(receiver.recv().unwrap());
            // Where a pool is asked for, a handle will do, and a pool too.
            found(Builder::new().pool(&handle).spawn_cpu(Handle::current).join().unwrap());
            let mut set = JoinSet::new();
            set.spawn_on(async { Handle::current() }, &handle);
            found(handle.block_on(set.join_next()).unwrap().unwrap());
            found(TaskTracker::new().spawn_on(async { Handle::current() }, &handle).join().unwrap());
        });
        assert_eq!(TaskTracker::new().spawn_on(async { Handle::current() }, &pool).join().unwrap(), *pool.handle());
    });
}

#[test]
fn handles_of_one_pool_are_equal() {
    on_pools(|pool| {
        let other = support::pool(1);
        assert_eq!(pool.handle().clone(), *pool.handle());
        assert_ne!(other.handle(), pool.handle());
        assert_eq!(format!("{:?}", other.handle()), "Handle { workers: 1, .. }");
        fn may_be_sent<T: Send + Sync + UnwindSafe + RefUnwindSafe>(_: &T) {}
        may_be_sent(&other);
        may_be_sent(pool.handle());
        // By the address of the pool, which nothing changes.
        #[allow(clippy::mutable_key_type)]
        let distinct = HashSet::from([pool.handle().clone(), other.handle().clone(), pool.install(Handle::current)]);
        assert_eq!(distinct.len(), 2);
    });
}

#[test]
fn the_current_pool_is_the_one_that_the_thread_is_inside_of() {
    on_pools(|pool| {
        let is_current = |place: &str, current: Handle| {
            assert_eq!(current, *pool.handle(), "{place}");
            // And it is good elsewhere.
            assert_eq!(elsewhere(move || current.spawn(async { 6 * 7 }).join().unwrap()), 42, "{place}");
        };
        let current = || Handle::try_current().unwrap();
        is_current("task", pool.spawn(async move { current() }).join().unwrap());
        is_current("later poll", pool.spawn(async move { (yield_once().await, current()).1 }).join().unwrap());
        is_current("closure", pool.spawn_cpu(current).join().unwrap());
        is_current("blocking thread", pool.spawn_blocking(current).join().unwrap());
        is_current("guest", pool.install(current));
        is_current("worker", pool.install_on_worker(current));
        is_current("section", pool.install(move || filch::blocking(current)));
        is_current("second arm", pool.join(|| (), current).1);
        is_current("block_on", pool.block_on(async { current() }));
        is_current("block_on in a closure", pool.install(|| filch::block_on(async { current() })));
        // With all workers in closures tasks are polled by the express lane, and guests find no seat.
        let go = support::occupy(&pool);
        is_current("express lane", pool.spawn(async move { current() }).join().unwrap());
        assert_eq!(pool.block_on(async { current() }), *pool.handle());
        go.set();
        // The newest counts.
        let inner = support::pool(1);
        is_current("inside out", inner.install(|| pool.install(current)));
        assert_eq!(pool.install(|| inner.install_on_worker(current)), *inner.handle());
    });
}

#[test]
fn outside_of_pools_the_current_one_is_the_global_one() {
    with_deadline(30, || {
        let error = Handle::try_current().unwrap_err();
        assert!(error.to_string().contains("no pool"), "{error}");
        let global = Handle::current();
        assert_eq!(global, filch::spawn(async { Handle::current() }).join().unwrap());
        assert_eq!(global, filch::scope(|_| Handle::current()));
        assert_eq!(global.num_workers(), filch::current_num_threads());
        // That it has been used makes the thread no part of it.
        assert!(Handle::try_current().is_err());
        // A handle of the global pool is one like others.
        let local = pool(1);
        assert_eq!(local.install_on_worker(|| global.spawn_cpu(Handle::current).join().unwrap()), global);
        let guard = global.enter();
        assert_means(&global);
        drop(guard);
    });
}

#[test]
fn a_thread_that_is_a_worker() {
    with_deadline(30, || {
        for workers in [1, 2] {
            elsewhere(move || {
                let pool = Pool::builder().workers(workers).use_current_thread().build().unwrap();
                assert_eq!(Handle::try_current().unwrap(), *pool.handle());
                let handle = Handle::current();
                let guard = handle.enter();
                assert_means(&handle);
                drop(guard);
                assert_means(&handle);
                let other = support::pool(1);
                assert!(panic_of(|| other.enter()).contains("inside of one pool"));
                // The worker blocks in `join`, and meanwhile the other thread's work needs it.
                let asks = handle.clone();
                let asked = thread::spawn(move || asks.install(|| fib(10)));
                assert_eq!(filch::blocking(|| asked.join().unwrap()), 55);
                drop(pool);
                // It stays a worker of a pool that has ended.
                assert_eq!(Handle::current(), handle);
                assert_refused(|| filch::spawn(async {}));
                assert!(handle.try_spawn(async {}).is_err());
                assert_eq!(handle.block_on(async { 5 }), 5);
            });
        }
    });
}

// ----- the end of the pool -----------------------------------------------------------------------------------------

fn assert_closed(handle: &Handle) {
    let drops = Drops::default();
    let token = drops.token();
    assert_refused(|| handle.spawn(async {}));
    assert_refused(|| handle.spawn_cpu(|| ()));
    assert_refused(|| handle.spawn_blocking(|| ()));
    assert_refused(|| handle.spawn_detached(|| ()));
    assert_refused(|| handle.install(|| ()));
    assert_refused(|| handle.join(|| (), || ()));
    assert_refused(|| handle.scope(|_| ()));
    let back = handle.try_spawn(async move { drop(token) }).unwrap_err();
    assert!(matches!(back, TrySpawnError::ShutDown(_)));
    assert_eq!(drops.dropped(), 0, "the future comes back untouched");
    drop(back);
    assert_eq!(drops.dropped(), 1);
    assert_eq!((handle.try_spawn_cpu(|| 5).unwrap_err().into_inner())(), 5);
    assert_eq!((handle.try_spawn_blocking(|| 6).unwrap_err().into_inner())(), 6);
    assert!(handle.try_spawn_detached(|| ()).unwrap_err().is_shut_down());
    assert!(filch::block_on(handle.spawn_when_room(async {})).is_err());
    // The end may still be under way, if nobody has waited for it.
    assert!(within(Duration::from_secs(20), || handle.stats().live_tasks == 0));
    assert!(handle.num_workers() > 0);
    // A future needs no worker; its timers go to the global pool.
    let slept = handle.block_on(async {
        yield_once().await;
        sleep(Duration::from_millis(1)).await;
        7
    });
    assert_eq!(slept, 7);
    // In it the free functions mean this pool, as in the pool's own `block_on`.
    assert_refused(|| handle.block_on(async { filch::spawn(async {}).detach() }));
}

#[test]
fn after_the_end_of_the_pool_a_handle_is_refused() {
    with_deadline(60, || {
        type End = fn(Pool) -> Option<Pool>;
        let ends: [(&str, End); 4] = [
            ("shutdown", |pool| {
                pool.shutdown();
                Some(pool)
            }),
            ("shutdown_now", |pool| {
                pool.shutdown_now();
                Some(pool)
            }),
            ("drop", |pool| {
                drop(pool);
                None
            }),
            ("shutdown_background", |pool| {
                pool.shutdown_background();
                None
            }),
        ];
        for (what, end) in ends {
            for workers in [1, 2] {
                note(format!("{what}, {workers} workers"));
                let pool = pool(workers);
                let handle = pool.handle().clone();
                assert_eq!(pool.install(|| fib(10)), 55);
                let pending = handle.spawn(std::future::pending::<()>());
                let pool = end(pool);
                assert!(pending.join().unwrap_err().is_cancelled());
                assert_closed(&handle);
                let moved = handle.clone();
                elsewhere(move || assert_closed(&moved));
                drop(pool);
                assert_closed(&handle);
            }
        }
    });
}

#[test]
fn a_handle_keeps_no_thread_and_what_the_pool_was_built_with() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let drops = Drops::default();
            let token = drops.token();
            let handler = move |_| ignore(&token);
            let pool = Pool::builder().workers(workers).name("no-thread").panic_handler(handler).build().unwrap();
            let handle = pool.handle().clone();
            let guard = handle.enter();
            assert_eq!(handle.spawn_blocking(|| 5).join().unwrap(), 5);
            assert!(threads_named("no-thread") > 0);
            drop(pool);
            assert_threads_end("no-thread");
            assert_closed(&handle);
            drop(handle);
            assert_eq!(drops.dropped(), 0, "the guard needs it");
            drop(guard);
            drops.assert_all_dropped("the handler");
        }
    });
}

// ----- entering ----------------------------------------------------------------------------------------------------

#[test]
fn who_has_entered_a_pool_means_it() {
    on_pools(|pool| {
        assert!(Handle::try_current().is_err());
        {
            let _guard = pool.enter();
            assert_means(pool.handle());
            // It is no thread of the pool.
            assert_eq!(filch::current_thread_index(), None);
            assert_eq!(pool.current_thread_index(), None);
        }
        assert!(Handle::try_current().is_err());
        assert_ne!(Handle::current(), *pool.handle());
        // A task calls a thread that knows of no pool.
        let current = pool.spawn(async {
            let handle = Handle::current();
            let thread = thread::spawn(move || {
                let _guard = handle.enter();
                filch::spawn(async { Handle::current() })
            });
            filch::blocking(|| thread.join().unwrap()).await.unwrap()
        });
        assert_eq!(current.join().unwrap(), *pool.handle());
    });
}

/// All orders in which `n` things may be dropped.
fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![vec![]];
    }
    let shorter = orders(n - 1);
    (0..n).flat_map(|at| shorter.iter().map(move |order| [&order[..at], &[n - 1], &order[at..]].concat())).collect()
}

#[test]
fn the_newest_guard_alive_counts() {
    on_pools(|pool| {
        let others = [support::pool(1), support::pool(2)];
        let handles = [pool.handle(), others[0].handle(), others[1].handle(), pool.handle()];
        let orders = orders(handles.len());
        assert_eq!(orders.len(), 24);
        for order in orders {
            let mut guards: Vec<Option<EnterGuard>> = handles.iter().map(|handle| Some(handle.enter())).collect();
            for at in order {
                let newest = guards.iter().rposition(Option::is_some).unwrap();
                assert_eq!(Handle::try_current().unwrap(), *handles[newest]);
                assert_eq!(&filch::spawn_cpu(Handle::current).join().unwrap(), handles[newest]);
                guards[at] = None;
            }
            assert!(Handle::try_current().is_err());
        }
    });
}

#[test]
fn nobody_enters_from_inside_of_another_pool() {
    on_pools(|pool| {
        let other = support::pool(1);
        let refused = || {
            let text = panic_of(|| other.enter());
            assert!(text.contains("inside of one pool"), "{text}");
            assert_eq!(Handle::current(), *pool.handle());
            // There is another way.
            assert_eq!(other.install(Handle::current), *other.handle());
        };
        pool.install(refused);
        pool.install_on_worker(refused);
        pool.install_on_worker(|| filch::blocking(refused));
        pool.block_on(async { refused() });
        filch::scope(|_| pool.scope(|s| s.spawn(|_| refused())));
        let (own, there) = (pool.handle().clone(), other.handle().clone());
        let blocked =
            pool.spawn_blocking(move || (panic_of(|| there.enter()), own.enter(), Handle::current() == own).2);
        assert!(blocked.join().unwrap());
        // One may enter where one is.
        pool.install_on_worker(|| {
            let _guard = pool.enter();
            assert_means(pool.handle());
        });
        let own = pool.handle().clone();
        let entered = pool.spawn(async move {
            drop(own.enter());
            assert_eq!(Handle::current(), own);
        });
        entered.join().unwrap();
    });
}

#[test]
fn inside_of_a_pool_that_pool_is_meant() {
    on_pools(|pool| {
        let other = support::pool(1);
        let _guard = other.enter();
        let means = |handle: &Handle| {
            assert_means(handle);
            assert_eq!(Handle::current(), *handle);
        };
        pool.install(|| means(pool.handle()));
        pool.install_on_worker(|| means(pool.handle()));
        pool.block_on(async { assert_eq!(filch::spawn_cpu(Handle::current).await.unwrap(), *pool.handle()) });
        // A guard that is taken there and leaves with the closure's result counts out here.
        let mut kept = None;
        pool.in_place_scope(|_| kept = Some(pool.enter()));
        means(pool.handle());
        drop(kept);
        means(other.handle());
        // Nor do those who run their work as guests of a pool keep it.
        assert_eq!(filch::join(|| 1, || 2), (1, 2));
        means(other.handle());
    });
}

#[test]
fn an_entered_pool_may_end() {
    on_pools(|pool| {
        let handle = pool.handle().clone();
        let guard = handle.enter();
        let before = filch::spawn_cpu(|| 5);
        let pending = filch::spawn(std::future::pending::<()>());
        // Whoever has entered it is not inside, so this waits for the end.
        drop(pool);
        assert_eq!(before.join().ok(), Some(5));
        assert!(pending.join().unwrap_err().is_cancelled());
        assert_eq!(Handle::current(), handle);
        // What needs the pool is refused, and does not go to another.
        assert_refused(|| filch::spawn(async {}));
        assert_refused(|| filch::spawn_cpu(|| ()));
        assert_refused(|| filch::spawn_detached(|| ()));
        assert_refused(|| filch::join(|| (), || ()));
        assert_refused(|| filch::scope(|_| ()));
        assert_refused(|| (0..100).into_par_iter().for_each(|_| ()));
        filch::block_on(sleep(Duration::from_millis(1)));
        assert_closed(&handle);
        // It can still be entered.
        drop(handle.enter());
        drop(guard);
        assert_eq!(filch::spawn(async { 5 }).join().unwrap(), 5);
    });
}

#[test]
fn a_guard_may_go_while_its_pool_is_used() {
    on_pools(|pool| {
        let guard = pool.enter();
        let ran = AtomicUsize::new(0);
        filch::in_place_scope(|s| {
            pool.shutdown_background();
            // Nobody but the call itself holds the pool now.
            drop(guard);
            s.spawn(|_| ignore(ran.fetch_add(1, Ordering::SeqCst)));
        });
        assert_eq!(ran.into_inner(), 1);
        assert!(Handle::try_current().is_err());
    });
}

/// Looks at the thread's pools when it is dropped.
struct Looks(Arc<AtomicUsize>);

impl Drop for Looks {
    fn drop(&mut self) {
        let entered = Handle::current().enter();
        assert!(Handle::try_current().is_ok());
        drop(entered);
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn what_goes_with_the_last_guard_may_enter() {
    with_deadline(30, || {
        let looked = Arc::new(AtomicUsize::new(0));
        let looks = Looks(looked.clone());
        let pool = Pool::builder().workers(1).panic_handler(move |_| ignore(&looks)).build().unwrap();
        let guard = pool.enter();
        drop(pool);
        assert_eq!(looked.load(Ordering::SeqCst), 0);
        drop(guard);
        assert!(within(Duration::from_secs(20), || looked.load(Ordering::SeqCst) == 1));
    });
}

#[test]
fn clocks_and_handlers_are_those_of_the_entered_pool() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let reports = Reports::default();
            let sink = reports.clone();
            let handler = move |payload| lock(&sink).push(planned(payload));
            let pool = Pool::builder().workers(workers).start_paused(true).panic_handler(handler).build().unwrap();
            let guard = pool.enter();
            // The clock stands, and is put forward when nothing goes on.
            let began = Instant::now();
            let hour = Duration::from_secs(3600);
            filch::block_on(sleep(hour));
            assert_eq!(began.elapsed(), hour);
            filch::time::resume();
            filch::time::pause();
            // A panic that reaches nobody else, of no pool's work.
            struct Bad;
            impl Drop for Bad {
                fn drop(&mut self) {
                    plan(9);
                }
            }
            let other = support::pool(1);
            let bad = other.spawn(async { Bad });
            assert!(within(Duration::from_secs(20), || bad.is_finished()));
            drop(bad);
            assert_eq!(*lock(&reports), [9]);
            drop(guard);
        }
    });
}

#[test]
fn who_waits_keeps_the_timers_of_the_entered_pool() {
    with_deadline(30, || {
        for workers in [1, 2] {
            // There is nobody else to do it.
            let pool = support::pool_without_lane(workers);
            let go = support::occupy(&pool);
            let guard = pool.enter();
            filch::block_on(sleep(Duration::from_millis(5)));
            drop(guard);
            go.set();
        }
    });
}

// ----- threads -----------------------------------------------------------------------------------------------------

#[test]
fn many_threads_enter_and_use_a_pool_that_ends() {
    with_deadline(120, || {
        for round in 0..60 {
            note(format!("round {round}"));
            let (pool, other) = (pool(1 + round % 2), pool(1));
            let begin = Arc::new(Barrier::new(9));
            let (accepted, drops) = (Arc::new(AtomicUsize::new(0)), Drops::default());
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    let (handle, other) = (pool.handle().clone(), other.handle().clone());
                    let (begin, accepted, drops) = (begin.clone(), accepted.clone(), drops.clone());
                    thread::spawn(move || {
                        begin.wait();
                        loop {
                            let below = other.enter();
                            let guard = handle.clone().enter();
                            drop(below);
                            let (current, token) = (Handle::try_current().unwrap(), drops.token());
                            assert_eq!(current, handle);
                            let job = move || {
                                let _token = token;
                                Handle::current()
                            };
                            match current.try_spawn_cpu(job) {
                                Ok(spawned) => assert_eq!(spawned.join().unwrap(), handle),
                                Err(refused) => {
                                    assert!(refused.is_shut_down());
                                    break;
                                }
                            }
                            accepted.fetch_add(1, Ordering::SeqCst);
                            drop(guard);
                            assert!(Handle::try_current().is_err());
                        }
                    })
                })
                .collect();
            begin.wait();
            if round % 3 > 0 {
                while accepted.load(Ordering::SeqCst) < 8 {
                    thread::yield_now();
                }
            }
            drop(pool);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            drops.assert_all_dropped("what was spawned or refused");
        }
    });
}

thread_local! {
    static KEPT: RefCell<Vec<Box<dyn FnOnce()>>> = const { RefCell::new(Vec::new()) };
    static CALLED: RefCell<Calls> = const { RefCell::new(Calls(Vec::new())) };
}

/// Called when the thread ends.
struct Calls(Vec<Box<dyn FnOnce()>>);

impl Drop for Calls {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|call| call());
    }
}

#[test]
fn guards_in_thread_locals() {
    on_pools(|pool| {
        for first in [false, true] {
            let (handle, called) = (pool.handle().clone(), Event::default());
            let done = called.clone();
            elsewhere(move || {
                if first {
                    // What is used first is dropped last. So these may outlive whatever filch keeps for the thread.
                    KEPT.with_borrow(|_| ());
                    CALLED.with_borrow(|_| ());
                }
                // One guard is dropped when the thread ends, before or after another one is taken and used.
                let (kept, own) = (handle.enter(), handle.clone());
                KEPT.with_borrow_mut(|list| list.push(Box::new(move || drop(kept))));
                CALLED.with_borrow_mut(|calls| {
                    calls.0.push(Box::new(move || {
                        let guard = own.enter();
                        assert_means(&own);
                        drop(guard);
                        done.set();
                    }))
                });
                assert_means(&handle);
            });
            assert!(called.is_set());
        }
        // On a worker, which ends after its pool has closed.
        let (handle, called, other) = (pool.handle().clone(), Event::default(), support::pool(1));
        let (there, done) = (other.handle().clone(), called.clone());
        pool.install_on_worker(move || {
            let kept = handle.enter();
            KEPT.with_borrow_mut(|list| list.push(Box::new(move || drop(kept))));
            CALLED.with_borrow_mut(|calls| {
                calls.0.push(Box::new(move || {
                    let guard = there.enter();
                    assert_means(&there);
                    drop(guard);
                    done.set();
                }))
            });
        });
        drop(pool);
        assert!(called.wait_for(Duration::from_secs(20)));
    });
}

#[test]
fn a_forgotten_guard_counts_until_its_thread_ends() {
    on_pools(|pool| {
        let handle = pool.handle().clone();
        elsewhere(move || {
            std::mem::forget(handle.enter());
            assert_means(&handle);
        });
        assert!(Handle::try_current().is_err());
        pool.shutdown();
    });
}
