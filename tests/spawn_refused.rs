//! Spawning on a pool that takes no more work, or has no room: the `try_` forms of sets and trackers give it back; a
//! plain `spawn` panics, and where the panic would be the second one, as in a destructor of something that has
//! panicked, the handle says that the task was cancelled.

mod support;

use std::future::pending;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use filch::task::{Builder, JoinSet, TaskTracker};
use filch::{JoinHandle, Pool};
use support::{Drops, Event, assert_threads_end, lock, occupy, plan, planned, with_deadline, within};

/// Runs `f` when it is dropped.
struct OnDrop<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> OnDrop<F> {
    fn new(f: F) -> Self {
        OnDrop(Some(f))
    }
}

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        if let Some(f) = self.0.take() {
            f();
        }
    }
}

#[test]
fn sets_give_back_what_a_pool_refuses() {
    with_deadline(60, || {
        let pool = Pool::builder().workers(1).max_tasks(1).max_queued_closures(1).express_lane(false).build().unwrap();
        let go = occupy(&pool);
        let (drops, mut set) = (Drops::default(), JoinSet::new());
        for (round, taken) in [1, 0].into_iter().enumerate() {
            let mut refused = 0;
            let (first, second, third) = (drops.token(), drops.token(), drops.token());
            refused += usize::from(set.try_spawn_on(async move { drop(first) }, &pool).is_err_and(|e| e.is_full()));
            refused += usize::from(set.try_spawn_cpu_on(move || drop(second), &pool).is_err_and(|e| e.is_full()));
            assert_eq!(refused, 2 - 2 * taken, "round {round}");
            // Calls that block have no bound.
            set.try_spawn_blocking_on(move || drop(third), &pool).unwrap();
        }
        assert_eq!(set.len(), 4);
        // The same as from inside.
        go.set();
        assert!(within(Duration::from_secs(20), || pool.stats().live_tasks == 0));
        let mut set = pool.install(move || {
            set.try_spawn(async {}).unwrap();
            set.try_spawn_cpu(|| ()).unwrap();
            set.try_spawn_blocking(|| ()).unwrap();
            set
        });
        pool.block_on(async { while set.join_next().await.is_some_and(|result| result.is_ok()) {} });
        assert!(set.is_empty());
        pool.shutdown();
        let token = drops.token();
        let refused = set.try_spawn_on(async move { drop(token) }, &pool).unwrap_err();
        assert!(refused.is_shut_down());
        filch::block_on(refused.into_inner());
        let token = drops.token();
        let refused = set.try_spawn_cpu_on(move || drop(token), &pool).unwrap_err();
        assert!(refused.is_shut_down());
        (refused.into_inner())();
        let token = drops.token();
        let refused = set.try_spawn_blocking_on(move || drop(token), &pool).unwrap_err();
        assert!(refused.is_shut_down());
        (refused.into_inner())();
        assert!(set.is_empty(), "what is refused is in no set");
        drops.assert_all_dropped("all that was given");
    });
}

#[test]
fn trackers_give_back_what_a_pool_refuses() {
    with_deadline(60, || {
        let pool = Pool::builder().workers(1).max_tasks(1).max_queued_closures(1).express_lane(false).build().unwrap();
        let go = occupy(&pool);
        let (drops, tracker) = (Drops::default(), TaskTracker::new());
        let task = tracker.try_spawn_on(async { 1 }, &pool).unwrap();
        let closure = tracker.try_spawn_cpu_on(|| 2, &pool).unwrap();
        let call = tracker.try_spawn_blocking_on(|| 3, &pool).unwrap();
        let token = drops.token();
        assert!(tracker.try_spawn_on(async move { drop(token) }, &pool).is_err_and(|e| e.is_full()));
        let token = drops.token();
        assert!(tracker.try_spawn_cpu_on(move || drop(token), &pool).is_err_and(|e| e.is_full()));
        go.set();
        assert_eq!((task.join().unwrap(), closure.join().unwrap(), call.join().unwrap()), (1, 2, 3));
        assert!(tracker.is_empty(), "what is refused does not count, and what has ended neither");
        let sum = pool.install(|| {
            let task = tracker.try_spawn(async { 1 }).unwrap();
            let closure = tracker.try_spawn_cpu(|| 2).unwrap();
            let call = tracker.try_spawn_blocking(|| 3).unwrap();
            task.join().unwrap() + closure.join().unwrap() + call.join().unwrap()
        });
        assert_eq!(sum, 6);
        // A closure counts until what it has captured is gone, also if it panics.
        let (kept, token) = (tracker.clone(), drops.token());
        let captured = OnDrop::new(move || assert_eq!((kept.len(), drop(token)), (1, ())));
        let panics = move || {
            let _captured = &captured;
            plan(1)
        };
        let panicked = tracker.try_spawn_cpu_on(panics, &pool).unwrap().join();
        assert_eq!(planned(panicked.unwrap_err().into_panic()), 1);
        assert!(tracker.is_empty());
        pool.shutdown();
        let token = drops.token();
        let refused = tracker.try_spawn_on(async move { drop(token) }, &pool).unwrap_err();
        assert!(refused.is_shut_down() && tracker.is_empty());
        filch::block_on(refused.into_inner());
        let token = drops.token();
        let refused = tracker.try_spawn_cpu_on(move || drop(token), &pool).unwrap_err();
        assert!(refused.is_shut_down() && tracker.is_empty());
        (refused.into_inner())();
        let token = drops.token();
        let refused = tracker.try_spawn_blocking_on(move || drop(token), &pool).unwrap_err();
        assert!(refused.is_shut_down() && tracker.is_empty());
        (refused.into_inner())();
        drops.assert_all_dropped("all that was given");
    });
}

/// Plays `in_destructor` when a cancelled task of a closing pool is dropped, on 1 and 2 workers; returns the panics.
fn cancelled_with(name: &'static str, end: fn(&Pool), in_destructor: fn(&Drops)) -> [u64; 2] {
    const TASKS: usize = 20;
    [1, 2].map(|workers| {
        let drops = Drops::default();
        let handler = |payload| drop(payload);
        let pool = Pool::builder().workers(workers).name(name).panic_handler(handler).build().unwrap();
        let resting: Vec<JoinHandle<()>> = (0..TASKS)
            .map(|_| {
                let (drops, token) = (drops.clone(), drops.token());
                let on_drop = OnDrop::new(move || {
                    drop(token);
                    in_destructor(&drops);
                });
                pool.spawn(async move {
                    let _on_drop = on_drop;
                    pending().await
                })
            })
            .collect();
        end(&pool);
        for handle in resting {
            assert!(handle.join().unwrap_err().is_cancelled());
        }
        drops.assert_all_dropped("futures, and what their destructors spawned");
        let panics = pool.stats().panics;
        drop(pool);
        assert_threads_end(name);
        panics
    })
}

const ENDS: [fn(&Pool); 2] = [Pool::shutdown, Pool::shutdown_now];

#[test]
fn destructors_that_try_to_spawn_while_their_pool_closes_get_it_back() {
    with_deadline(60, || {
        let in_destructor = |drops: &Drops| {
            let (mut set, tracker, token) = (JoinSet::new(), TaskTracker::new(), drops.token());
            let refused = set.try_spawn(async move { drop(token) }).unwrap_err();
            assert!(refused.is_shut_down());
            let refused = tracker.try_spawn(refused.into_inner()).unwrap_err();
            assert!(refused.is_shut_down());
            let refused = Builder::new().try_spawn(refused.into_inner()).unwrap_err();
            filch::block_on(refused.into_inner());
            for refused in [set.try_spawn_cpu(|| ()).is_err(), set.try_spawn_blocking(|| ()).is_err()] {
                assert!(refused);
            }
            assert!(set.is_empty() && tracker.is_empty());
        };
        for end in ENDS {
            assert_eq!(cancelled_with("try-in-drop", end, in_destructor), [0, 0]);
        }
    });
}

#[test]
fn destructors_that_spawn_while_their_pool_closes_panic_and_it_ends() {
    with_deadline(60, || {
        let in_destructor = |drops: &Drops| {
            let token = drops.token();
            filch::spawn(async move { drop(token) }).detach();
        };
        for end in ENDS {
            quietly(|| assert_eq!(cancelled_with("spawn-in-drop", end, in_destructor), [20, 20]));
        }
    });
}

/// Without the panic hook's text.
fn quietly(f: impl FnOnce()) {
    static HOOK: Mutex<()> = Mutex::new(());
    let _alone = lock(&HOOK);
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    panic::set_hook(hook);
    result.unwrap_or_else(|payload| panic::resume_unwind(payload));
}

/// What plain spawns give on a thread that unwinds, where the pool takes no more.
fn spawns_while_unwinding(drops: &Drops) {
    assert!(thread::panicking());
    let token = || drops.token();
    let (a, b, c, d, e) = (token(), token(), token(), token(), token());
    let cancelled = [
        filch::spawn(async move { drop(a) }),
        filch::spawn_cpu(move || drop(b)),
        filch::spawn_blocking(move || drop(c)),
        Builder::new().name("late").spawn(async move { drop(d) }),
        Builder::new().name("late").spawn_cpu(move || drop(e)),
    ];
    let names: Vec<_> = cancelled.iter().map(JoinHandle::name).collect();
    assert_eq!(names, [None, None, None, Some("late".into()), Some("late".into())]);
    for handle in cancelled {
        assert!(handle.is_finished());
        handle.abort();
        handle.abort_handle().abort();
        assert!(handle.join().unwrap_err().is_cancelled());
    }
    let (a, b, c, d) = (token(), token(), token(), token());
    filch::spawn_detached(move || drop(a));
    filch::spawn_fifo(move || drop(b));
    let mut set = JoinSet::new();
    set.spawn(async move { drop(c) });
    assert!(filch::block_on(set.join_next()).unwrap().unwrap_err().is_cancelled());
    // Its destructor spawns, too, and panics.
    let inner = OnDrop::new(move || {
        filch::spawn_cpu(move || drop(d)).detach();
        plan(2)
    });
    filch::spawn(async move { drop(inner) }).detach();
}

#[test]
fn destructors_that_spawn_while_their_poll_unwinds_do_not_end_the_process() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let (drops, reports) = (Drops::default(), Arc::new(Mutex::new(Vec::new())));
            let sink = reports.clone();
            let handler = move |payload| lock(&sink).push(planned(payload));
            let pool = Pool::builder().workers(workers).panic_handler(handler).build().unwrap();
            let (begun, go) = (Event::default(), Event::default());
            let task = {
                let (begun, go, drops) = (begun.clone(), go.clone(), drops.clone());
                pool.spawn(async move {
                    let _on_drop = OnDrop::new(move || spawns_while_unwinding(&drops));
                    begun.set();
                    go.wait();
                    plan(1)
                })
            };
            begun.wait();
            thread::scope(|threads| {
                threads.spawn(|| pool.shutdown_now());
                assert!(within(Duration::from_secs(20), || pool.try_spawn_detached(|| ()).is_err()));
                go.set();
            });
            let error = task.join().unwrap_err();
            assert_eq!(planned(error.into_panic()), 1);
            drops.assert_all_dropped("what was refused");
            assert_eq!(*lock(&reports), [2]);
            assert_eq!(pool.stats().panics, 1);
        }
    });
}
