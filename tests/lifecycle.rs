//! How pools end: gently, at once, by a drop in the strangest places; what becomes of closures and tasks that are
//! still there, and that no thread is left behind.

mod support;

use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use filch::{IdlePolicy, Pool};
use support::{Drops, Event, assert_threads_end, fib, pool, spin, threads_named, with_deadline, within};

fn named(name: &str, workers: usize) -> Pool {
    Pool::builder().workers(workers).name(name).build().unwrap()
}

#[test]
fn shutdown_runs_all_closures() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let pool = named("drains", workers);
            let ran = Arc::new(AtomicUsize::new(0));
            let drops = Drops::default();
            for i in 0..500 {
                let (ran, token) = (ran.clone(), drops.token());
                let job = move || {
                    let _token = token;
                    let ran2 = ran.clone();
                    // What it spawns in turn is run too.
                    filch::spawn_detached(move || support::ignore(ran2.fetch_add(1, Ordering::SeqCst)));
                    ran.fetch_add(1, Ordering::SeqCst);
                };
                match i % 3 {
                    0 => pool.spawn_detached(job),
                    1 => pool.spawn_fifo(job),
                    _ => pool.spawn_cpu(job).detach(),
                }
            }
            pool.shutdown();
            assert_eq!(ran.load(Ordering::SeqCst), 1000);
            drops.assert_all_dropped("closures");
            assert_threads_end("drains");
            pool.shutdown();
            pool.shutdown_now();
        }
    });
}

#[test]
fn shutdown_waits_for_blocking_closures() {
    with_deadline(30, || {
        let pool = named("blocks", 1);
        let handles: Vec<_> =
            (0..20).map(|i| pool.spawn_blocking(move || (thread::sleep(Duration::from_millis(20)), i).1)).collect();
        pool.shutdown();
        assert!(handles.iter().all(filch::JoinHandle::is_finished));
        assert_eq!(handles.into_iter().map(|handle| handle.join().unwrap()).sum::<i32>(), 190);
        assert_threads_end("blocks");
    });
}

#[test]
fn shutdown_now_drops_what_has_not_begun() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            // Without a lane, so that the tasks do not begin either.
            let pool = Pool::builder().workers(workers).name("drops").express_lane(false).build().unwrap();
            let (begun, go) = (Arc::new(AtomicUsize::new(0)), Event::default());
            // Every worker is inside a closure, so that none of the others can begin.
            for _ in 0..workers {
                let (begun, go) = (begun.clone(), go.clone());
                pool.spawn_detached(move || {
                    begun.fetch_add(1, Ordering::SeqCst);
                    go.wait();
                });
            }
            assert!(within(Duration::from_secs(20), || begun.load(Ordering::SeqCst) == workers));
            let (drops, ran) = (Drops::default(), Arc::new(AtomicUsize::new(0)));
            let mut handles = Vec::new();
            for i in 0..300 {
                let (token, ran) = (drops.token(), ran.clone());
                let job = move || {
                    let _token = token;
                    ran.fetch_add(1, Ordering::SeqCst);
                };
                match i % 4 {
                    0 => pool.spawn_detached(job),
                    1 => pool.spawn_fifo(job),
                    2 => handles.push(pool.spawn_cpu(job)),
                    _ => handles.push(pool.spawn(async move { job() })),
                }
            }
            thread::scope(|threads| {
                let ending = threads.spawn(|| pool.shutdown_now());
                assert!(within(Duration::from_secs(20), || pool.try_spawn_detached(|| ()).is_err()));
                thread::sleep(Duration::from_millis(20));
                assert!(!ending.is_finished(), "it waits for what runs");
                go.set();
            });
            assert_eq!(ran.load(Ordering::SeqCst), 0);
            for handle in handles {
                assert!(handle.join().unwrap_err().is_cancelled());
            }
            drops.assert_all_dropped("closures");
            assert_threads_end("drops");
        }
    });
}

#[test]
fn shutdown_now_lets_scopes_and_joins_end() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let pool = pool(workers);
            let (begun, ran) = (Event::default(), AtomicUsize::new(0));
            thread::scope(|threads| {
                threads.spawn(|| {
                    pool.scope(|s| {
                        begun.set();
                        for _ in 0..200 {
                            s.spawn(|_| {
                                filch::join(|| spin(Duration::from_micros(20)), || ran.fetch_add(1, Ordering::SeqCst));
                            });
                        }
                    });
                });
                begun.wait();
                pool.shutdown_now();
            });
            assert_eq!(ran.into_inner(), 200);
        }
    });
}

#[test]
fn shutdown_now_does_not_wait_for_idle_blocking_threads() {
    with_deadline(30, || {
        let idle = IdlePolicy::default().keep_alive(Duration::from_secs(3600));
        let pool = Pool::builder().workers(1).name("blocknow").idle_policy(idle).build().unwrap();
        let go = Event::default();
        // Two blocking threads: one is in a closure, the other is idle.
        let (first, second) = (go.clone(), go.clone());
        let running = [pool.spawn_blocking(move || first.wait()), pool.spawn_blocking(move || second.wait())];
        thread::sleep(Duration::from_millis(50));
        go.set();
        running.into_iter().for_each(|handle| handle.join().unwrap());
        let (begun, go) = (Event::default(), Event::default());
        let (begun2, go2) = (begun.clone(), go.clone());
        pool.spawn_blocking(move || {
            begun2.set();
            go2.wait();
        })
        .detach();
        begun.wait();
        thread::scope(|threads| {
            threads.spawn(|| pool.shutdown_now());
            thread::sleep(Duration::from_millis(100));
            go.set();
        });
        assert_threads_end("blocknow");
    });
}

#[test]
fn spawning_after_shutdown() {
    with_deadline(30, || {
        let pool = pool(2);
        pool.shutdown();
        let drops = Drops::default();
        let token = drops.token();
        assert!(pool.try_spawn_fifo(|| ()).unwrap_err().is_shut_down());
        assert!(pool.try_spawn_broadcast(|_| ()).unwrap_err().is_shut_down());
        let back = pool.try_spawn_detached(move || drop(token)).unwrap_err();
        assert_eq!(drops.dropped(), 0, "the closure comes back untouched");
        assert!(back.to_string().contains("shut down") && format!("{back:?}").contains("ShutDown"));
        assert!(back.is_shut_down() && !back.is_full());
        (back.into_inner())();
        assert_eq!(drops.dropped(), 1);
        assert_eq!((pool.try_spawn_cpu(|| 5).unwrap_err().into_inner())(), 5);
        assert_eq!((pool.try_spawn_blocking(|| 6).unwrap_err().into_inner())(), 6);
        assert_eq!(filch::block_on(pool.try_spawn(async { 7 }).unwrap_err().into_inner()), 7);
        let refused = |f: &dyn Fn()| {
            let payload = panic::catch_unwind(panic::AssertUnwindSafe(f)).unwrap_err();
            let text =
                payload.downcast_ref::<String>().map_or_else(|| *payload.downcast_ref().unwrap(), |s| s.as_str());
            assert!(text.contains("shut down"), "{text}");
        };
        refused(&|| pool.spawn_detached(|| ()));
        refused(&|| pool.spawn_fifo(|| ()));
        refused(&|| pool.spawn(async {}).detach());
        refused(&|| pool.spawn_cpu(|| ()).detach());
        refused(&|| pool.spawn_blocking(|| ()).detach());
        refused(&|| pool.spawn_broadcast(|_| ()));
        refused(&|| pool.install(|| ()));
        refused(&|| pool.install_on_worker(|| ()));
        refused(&|| support::ignore(pool.join(|| (), || ())));
        refused(&|| pool.scope(|_| ()));
        refused(&|| pool.in_place_scope(|_| ()));
        refused(&|| drop(pool.broadcast(|_| ())));
    });
}

#[test]
fn work_refused_while_a_pool_drains_does_not_hold_it_up() {
    with_deadline(30, || {
        let pool = named("refusing", 1);
        let (begun, go) = (Event::default(), Event::default());
        let (begun2, go2) = (begun.clone(), go.clone());
        pool.spawn_detached(move || {
            begun2.set();
            go2.wait();
        });
        begun.wait();
        thread::scope(|threads| {
            threads.spawn(|| pool.shutdown());
            assert!(within(Duration::from_secs(20), || pool.try_spawn(async {}).is_err()));
            assert!(pool.try_spawn_detached(|| ()).is_err());
            assert!(pool.try_spawn_cpu(|| ()).is_err());
            assert!(pool.try_spawn_blocking(|| ()).is_err());
            go.set();
        });
        assert_threads_end("refusing");
    });
}

#[test]
fn a_pool_shut_down_by_many_threads_at_once() {
    with_deadline(60, || {
        for _ in 0..50 {
            let pool = pool(2);
            let ran = Arc::new(AtomicUsize::new(0));
            thread::scope(|threads| {
                for i in 0..4 {
                    let (pool, ran) = (&pool, ran.clone());
                    threads.spawn(move || {
                        let ran2 = ran.clone();
                        let accepted = pool
                            .try_spawn_detached(move || support::ignore(ran2.fetch_add(1, Ordering::SeqCst)))
                            .is_ok();
                        if i % 2 == 0 {
                            pool.shutdown()
                        }
                        drop(pool.try_spawn_cpu(|| fib(5)));
                        if !accepted {
                            ran.fetch_add(1, Ordering::SeqCst);
                        }
                    });
                }
            });
            pool.shutdown();
            assert_eq!(ran.load(Ordering::SeqCst), 4, "accepted closures have run");
        }
    });
}

#[test]
fn an_ended_pool_ends_quickly() {
    with_deadline(60, || {
        support::at_best(5, "shutdown of an idle pool", || {
            let pool = pool(4);
            pool.spawn_blocking(|| ()).join().unwrap();
            thread::sleep(Duration::from_millis(30));
            let began = Instant::now();
            drop(pool);
            let took = began.elapsed();
            if took < Duration::from_millis(50) { Ok(()) } else { Err(format!("{took:?}")) }
        });
    });
}

#[test]
fn spares_end_with_the_pool_and_when_idle() {
    with_deadline(60, || {
        let idle = IdlePolicy::default().keep_alive(Duration::from_millis(50));
        let pool = Pool::builder().workers(2).name("sparing").idle_policy(idle).build().unwrap();
        let most = AtomicUsize::new(0);
        pool.scope(|s| {
            for _ in 0..6 {
                s.spawn(|_| {
                    filch::block_on(filch::spawn_blocking(|| thread::sleep(Duration::from_millis(30)))).unwrap();
                    most.fetch_max(filch::stats().spares, Ordering::SeqCst);
                });
            }
        });
        assert!(most.into_inner() > 0, "no spare was needed: the test has tested nothing");
        assert!(within(Duration::from_secs(10), || threads_named("sparing") == 2), "spares and blocking threads end");
        drop(pool);
        assert_threads_end("sparing");
    });
}

// ----- with a limit ------------------------------------------------------------------------------------------------

const LONG: Duration = Duration::from_secs(3600);

#[test]
fn shutdown_timeout_waits_for_what_was_accepted() {
    with_deadline(60, || {
        for (workers, limit) in [(1, LONG), (2, LONG), (2, Duration::MAX)] {
            let pool = named("in-time", workers);
            let (ran, drops) = (Arc::new(AtomicUsize::new(0)), Drops::default());
            for i in 0..100 {
                let (ran, token) = (ran.clone(), drops.token());
                let job = move || {
                    let _token = token;
                    thread::sleep(Duration::from_micros(100));
                    let ran2 = ran.clone();
                    filch::spawn_detached(move || support::ignore(ran2.fetch_add(1, Ordering::SeqCst)));
                    ran.fetch_add(1, Ordering::SeqCst);
                };
                if i % 2 == 0 { pool.spawn_detached(job) } else { pool.spawn_blocking(job).detach() }
            }
            let rests = pool.spawn(std::future::pending::<()>());
            assert!(pool.shutdown_timeout(limit));
            assert_eq!(ran.load(Ordering::SeqCst), 200);
            drops.assert_all_dropped("closures");
            assert!(rests.is_finished() && rests.join().unwrap_err().is_cancelled());
            assert_threads_end("in-time");
        }
    });
}

#[test]
fn shutdown_timeout_leaves_what_is_not_done_in_time() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let builder = Pool::builder().workers(workers).name("too-late").express_lane(false).blocking_threads(1);
            let pool = builder.build().unwrap();
            let call = {
                let (began, go) = (Event::default(), Event::default());
                let (began2, go2) = (began.clone(), go.clone());
                let handle = pool.spawn_blocking(move || (began2.set(), go2.wait(), 7).2);
                began.wait();
                (handle, go)
            };
            let go = support::occupy(&pool);
            let (drops, ran) = (Drops::default(), Arc::new(AtomicUsize::new(0)));
            let queued: Vec<filch::JoinHandle<()>> = (0..30)
                .map(|i| {
                    let (token, ran) = (drops.token(), ran.clone());
                    let job = move || {
                        let _token = token;
                        ran.fetch_add(1, Ordering::SeqCst);
                    };
                    match i % 3 {
                        0 => pool.spawn_cpu(job),
                        1 => pool.spawn_blocking(job),
                        _ => pool.spawn(async move { job() }),
                    }
                })
                .collect();
            let (limit, began) = (Duration::from_millis(20), Instant::now());
            assert!(!pool.shutdown_timeout(limit));
            assert!(began.elapsed() >= limit);
            // It has come back although the threads are inside still; those end all the rest.
            assert!(threads_named("too-late") > workers);
            go.set();
            call.1.set();
            for handle in queued {
                assert!(handle.join().unwrap_err().is_cancelled());
            }
            assert_eq!(call.0.join().unwrap(), 7, "what runs goes on to its end");
            assert_eq!(ran.load(Ordering::SeqCst), 0);
            drops.assert_all_dropped("closures and futures");
            assert_threads_end("too-late");
        }
    });
}

#[test]
fn shutdown_timeout_from_everywhere() {
    with_deadline(60, || {
        // On the only worker of a pool that the ending one needs.
        let (pool, other) = (named("ending", 1), Arc::new(named("other", 1)));
        let needed = other.clone();
        let waits = pool.spawn_cpu(move || needed.spawn_cpu(|| 5).join().unwrap());
        assert!(other.install_on_worker(move || pool.shutdown_timeout(LONG)));
        assert_eq!(waits.join().unwrap(), 5);
        // In a task, and on a thread for blocking calls, of another pool.
        for go in 0..2 {
            let pool = named("ending", 1);
            pool.spawn_detached(|| thread::sleep(Duration::from_millis(1)));
            let ended = match go {
                0 => other.spawn(async move { pool.shutdown_timeout(LONG) }),
                _ => other.spawn_blocking(move || pool.shutdown_timeout(LONG)),
            };
            assert!(ended.join().unwrap());
        }
        // Inside: it waits for nothing, and what was accepted is run.
        let pool = Arc::new(named("ending", 1));
        let (tx, rx) = mpsc::channel();
        let ran = Arc::new(AtomicUsize::new(0));
        let counts = ran.clone();
        let inside = pool.spawn(async move {
            let pool: Pool = rx.recv().unwrap();
            pool.spawn_detached(move || support::ignore(counts.fetch_add(1, Ordering::SeqCst)));
            pool.shutdown_timeout(LONG)
        });
        tx.send(Arc::into_inner(pool).unwrap()).unwrap();
        assert!(!inside.join().unwrap());
        assert_threads_end("ending");
        assert_eq!(ran.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn shutdown_timeout_of_a_pool_whose_worker_is_the_thread_that_made_it() {
    with_deadline(60, || {
        for (limit, in_time) in [(LONG, true), (Duration::from_millis(5), false)] {
            let (ran, drops) = (Arc::new(AtomicUsize::new(0)), Drops::default());
            let (counts, tokens) = (ran.clone(), drops.clone());
            let worker_0 = thread::spawn(move || {
                let pool = Pool::builder().workers(1).use_current_thread().build().unwrap();
                for _ in 0..3 {
                    let (counts, token) = (counts.clone(), tokens.token());
                    pool.spawn_detached(move || {
                        let _token = token;
                        counts.fetch_add(1, Ordering::SeqCst);
                    });
                }
                let ending = thread::spawn(move || pool.shutdown_timeout(limit));
                while in_time && !ending.is_finished() {
                    // Here, and nowhere else, it works for its pool.
                    filch::yield_local();
                }
                assert_eq!(ending.join().unwrap(), in_time);
            });
            worker_0.join().unwrap();
            drops.assert_all_dropped("closures");
            assert_eq!(ran.load(Ordering::SeqCst), if in_time { 3 } else { 0 });
        }
    });
}

#[test]
fn a_task_may_send_after_its_pool_is_told_to_end() {
    // Draining: a closure that runs may still spawn, and wait for what it has spawned.
    with_deadline(30, || {
        let pool = pool(2);
        let (begun, go) = (Event::default(), Event::default());
        let (tx, rx) = mpsc::channel();
        let (begun2, go2) = (begun.clone(), go.clone());
        pool.spawn_detached(move || {
            begun2.set();
            go2.wait();
            let closure = filch::spawn_cpu(|| filch::join(|| fib(5), || fib(6)));
            tx.send(filch::block_on(closure).unwrap()).unwrap();
            filch::scope(|s| s.spawn(|_| tx.send((1, 1)).unwrap()));
        });
        begun.wait();
        thread::scope(|threads| {
            threads.spawn(|| pool.shutdown());
            thread::sleep(Duration::from_millis(20));
            go.set();
        });
        assert_eq!(rx.iter().collect::<Vec<_>>(), [(5, 8), (1, 1)]);
    });
}

#[test]
fn a_blocking_closure_may_use_its_pool_while_it_drains() {
    with_deadline(30, || {
        let pool = Arc::new(pool(2));
        let (begun, go) = (Event::default(), Event::default());
        let (begun2, go2, pool2) = (begun.clone(), go.clone(), Arc::downgrade(&pool));
        let handle = pool.spawn_blocking(move || {
            begun2.set();
            go2.wait();
            pool2.upgrade().unwrap().join(|| fib(5), || fib(6))
        });
        begun.wait();
        thread::scope(|threads| {
            threads.spawn(|| pool.shutdown());
            thread::sleep(Duration::from_millis(20));
            go.set();
        });
        assert_eq!(handle.join().unwrap(), (5, 8), "an accepted closure is run to its end");
    });
}

#[test]
fn a_broadcast_beside_the_end_is_made_on_all_workers_or_on_none() {
    with_deadline(60, || {
        let (mut accepted, mut refused) = (0, 0);
        for round in 0..300 {
            let (pool, calls) = (Arc::new(support::pool(3)), Arc::new(AtomicUsize::new(0)));
            let drops = Drops::default();
            let closer = pool.clone();
            let other = thread::spawn(move || {
                support::spin(Duration::from_micros(round % 20));
                closer.shutdown();
            });
            let (made, token) = (calls.clone(), drops.token());
            let asked = pool.try_spawn_broadcast(move |_| {
                let _token = &token;
                made.fetch_add(1, Ordering::SeqCst);
            });
            let expected = match asked {
                Ok(()) => 3,
                Err(error) => {
                    assert!(error.is_shut_down());
                    drop(error.into_inner());
                    0
                }
            };
            other.join().unwrap();
            assert_eq!(calls.load(Ordering::SeqCst), expected);
            if expected == 0 {
                refused += 1;
            } else {
                accepted += 1;
            }
            drops.assert_all_dropped("the closure of a broadcast");
        }
        println!("{accepted} accepted, {refused} refused");
    });
}
