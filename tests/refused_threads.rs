//! Threads that somebody else makes, makes late, or refuses: a refused worker is a typed error and ends the others, a
//! refused spare costs nothing but time, and no panic of a handler gets between a `join` and its arms.

mod support;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use filch::{BuildError, Pool, ThreadBuilder, WaitPolicy};
use support::{assert_threads_end, fib, lock, plan, with_deadline, within};

#[test]
fn a_refused_thread_ends_the_others() {
    with_deadline(60, || {
        for refused in [0, 1, 3, 7] {
            let counts = Arc::new([const { AtomicUsize::new(0) }; 3]);
            let (started, ended, exits) = (counts.clone(), counts.clone(), counts.clone());
            let outcome = Pool::builder()
                .workers(8)
                .exit_handler(move |_| support::ignore(exits[2].fetch_add(1, Ordering::SeqCst)))
                .spawn_handler(move |thread| {
                    if thread.index() == refused {
                        return Err(io::Error::other("no more"));
                    }
                    started[0].fetch_add(1, Ordering::SeqCst);
                    let ended = ended.clone();
                    thread::Builder::new().name("turned-down".into()).spawn(move || {
                        thread.run();
                        ended[1].fetch_add(1, Ordering::SeqCst);
                    })?;
                    Ok(())
                })
                .build();
            let Err(BuildError::Thread { index, source }) = outcome else { panic!("{outcome:?}") };
            assert_eq!((index, source.to_string().as_str()), (refused, "no more"));
            assert_eq!(counts[0].load(Ordering::SeqCst), refused);
            assert_eq!(counts[2].load(Ordering::SeqCst), refused, "all that began have ended when build returns");
            assert!(within(Duration::from_secs(10), || counts[1].load(Ordering::SeqCst) == refused));
            assert_threads_end("turned-down");
        }
    });
}

#[test]
fn the_system_refuses_a_thread() {
    with_deadline(60, || {
        // No address space holds such a stack.
        let outcome = Pool::builder().workers(2).stack_size(1 << 60).name("enormous").build();
        let error = outcome.expect_err("no thread can have such a stack");
        assert!(matches!(error, BuildError::Thread { index: 0, .. }), "{error:?}");
        assert!(error.to_string().contains("worker 0"), "{error}");
        assert!(std::error::Error::source(&error).is_some());
        assert_threads_end("enormous");
    });
}

#[test]
fn threads_made_by_others() {
    with_deadline(60, || {
        // Scoped threads: the handler only hands the builders over.
        let (tx, rx) = std::sync::mpsc::channel::<filch::ThreadBuilder>();
        let tx = Mutex::new(tx);
        let lived = AtomicUsize::new(0);
        thread::scope(|threads| {
            let pool = Pool::builder()
                .workers(3)
                .name("scoped")
                .stack_size(1 << 20)
                .spawn_handler(move |thread| lock(&tx).send(thread).map_err(io::Error::other))
                .build()
                .unwrap();
            for i in 0..3 {
                let thread = rx.recv().unwrap();
                assert_eq!(
                    (thread.index(), thread.name(), thread.stack_size()),
                    (i, Some(&*format!("scoped-{i}")), Some(1 << 20))
                );
                let lived = &lived;
                threads.spawn(move || {
                    thread.run();
                    lived.fetch_add(1, Ordering::SeqCst);
                });
            }
            assert_eq!(pool.install_on_worker(|| fib(15)), 610);
            drop(pool);
        });
        assert_eq!(lived.into_inner(), 3);
    });
}

#[test]
fn threads_that_come_late_or_never() {
    with_deadline(60, || {
        let shelf = Arc::new(Mutex::new(Vec::new()));
        let shelf2 = shelf.clone();
        let handler = move |thread: ThreadBuilder| {
            if thread.index() < 2 {
                lock(&shelf2).push(thread);
            } else {
                // One that comes in the place of the worker that is missing.
                thread::Builder::new().spawn(|| thread.run())?;
            }
            Ok(())
        };
        let pool = Pool::builder().workers(2).spawn_handler(handler).build().unwrap();
        let handle = pool.spawn_cpu(|| 5);
        thread::sleep(Duration::from_millis(20));
        assert!(!handle.is_finished());
        // One is dropped unrun, the other comes late.
        let threads = std::mem::take(&mut *lock(&shelf));
        assert_eq!(threads.len(), 2);
        let mut threads = threads.into_iter();
        drop(threads.next());
        let late = threads.next().unwrap();
        let late = thread::spawn(move || late.run());
        assert_eq!(handle.join().unwrap(), 5);
        drop(pool);
        late.join().unwrap();
    });
}

/// What asks for a worker, where there is none: whoever waits is it.
fn in_place_of_the_workers(pool: &Pool) {
    let (here, workers) = (thread::current().id(), pool.num_workers());
    let calls: Vec<_> = (0..workers).map(|index| (index, here)).collect();
    assert_eq!(pool.install_on_worker(|| thread::current().id()), here);
    assert_eq!(pool.install(|| pool.install_on_worker(|| thread::current().id())), here, "by a guest");
    assert_eq!(pool.broadcast(|c| (c.index(), thread::current().id())), calls);
    assert_eq!(pool.install(|| filch::broadcast(|c| (c.index(), thread::current().id()))), calls, "by a guest");
    let (tx, rx) = std::sync::mpsc::channel();
    pool.spawn_broadcast(move |c| tx.send(c.index()).unwrap());
    let mut indices = Vec::new();
    while indices.len() < workers {
        assert_eq!(pool.block_on(pool.spawn_cpu(|| fib(5))).unwrap(), 5);
        indices.extend(rx.try_iter());
    }
    indices.sort_unstable();
    assert_eq!(indices, (0..workers).collect::<Vec<_>>());
    assert_eq!(pool.block_on(pool.spawn(async { 6 })).unwrap(), 6);
    assert_eq!(pool.block_on(pool.spawn_blocking(|| 7)).unwrap(), 7);
}

#[test]
fn every_thread_is_dropped_unrun_and_later_ones_come() {
    with_deadline(60, || {
        for (workers, policy) in [
            (1, WaitPolicy::Leapfrog),
            (2, WaitPolicy::Leapfrog),
            (1, WaitPolicy::RunAnything),
            (2, WaitPolicy::RunAnything),
        ] {
            support::note(format!("{workers} workers, {policy:?}"));
            let may = Arc::new(AtomicBool::new(false));
            let let_run = may.clone();
            let pool = Pool::builder()
                .workers(workers)
                .wait_policy(policy)
                .spawn_handler(move |thread| {
                    if let_run.load(Ordering::SeqCst) {
                        thread::Builder::new().name("let-run".into()).spawn(|| thread.run())?;
                    }
                    Ok(())
                })
                .build()
                .unwrap();
            in_place_of_the_workers(&pool);
            may.store(true, Ordering::SeqCst);
            let here = thread::current().id();
            assert_ne!(pool.install_on_worker(|| thread::current().id()), here, "there are threads again");
            assert_ne!(pool.install(|| pool.install_on_worker(|| thread::current().id())), here, "by a guest");
            assert_eq!(pool.broadcast(|c| c.index()), (0..workers).collect::<Vec<_>>());
            assert_eq!(pool.spawn_cpu(|| fib(10)).join().unwrap(), 55);
        }
    });
}

#[test]
fn a_broadcast_reaches_the_place_of_a_thread_that_is_dropped_unrun() {
    with_deadline(60, || {
        let shelf = Arc::new(Mutex::new(Vec::new()));
        let shelf2 = shelf.clone();
        let handler = move |thread: filch::ThreadBuilder| {
            if thread.index() == 0 {
                lock(&shelf2).push(thread);
            } else {
                thread::spawn(|| thread.run());
            }
            Ok(())
        };
        let pool = Pool::builder().workers(2).spawn_handler(handler).build().unwrap();
        let (tx, rx) = std::sync::mpsc::channel();
        let tx2 = tx.clone();
        pool.spawn_broadcast(move |c| tx.send(c.index()).unwrap());
        assert_eq!(rx.recv_timeout(Duration::from_secs(20)), Ok(1));
        assert!(rx.recv_timeout(Duration::from_millis(50)).is_err(), "worker 0 may still come");
        drop(lock(&shelf).pop());
        assert_eq!(rx.recv_timeout(Duration::from_secs(20)), Ok(0), "it does not: anybody makes its call");
        pool.spawn_broadcast(move |c| tx2.send(c.index()).unwrap());
        let mut calls: Vec<_> = rx.iter().collect();
        calls.sort_unstable();
        assert_eq!(calls, [0, 1], "and those of later ones");
        assert_eq!(pool.broadcast(|c| c.index()), [0, 1]);
    });
}

/// Work whose waits ask for spares, where spares cannot be had.
fn without_spares(pool: &Pool, asked: &AtomicUsize) {
    for _ in 0..50 {
        let outcome = pool.install_on_worker(|| {
            filch::join(
                || filch::block_on(filch::spawn_cpu(|| fib(8))).unwrap(),
                || filch::join(|| filch::block_on(filch::spawn(async { fib(9) })).unwrap(), || fib(10)),
            )
        });
        assert_eq!(outcome, (21, (34, 55)));
    }
    assert!(asked.load(Ordering::SeqCst) > 0, "no spare was asked for: the test has tested nothing");
}

#[test]
fn a_spawn_handler_that_refuses_or_panics_for_spares() {
    with_deadline(60, || {
        for (workers, panics) in [(1, false), (2, false), (1, true), (2, true)] {
            support::note(format!("{workers} workers, panics: {panics}"));
            let asked = Arc::new(AtomicUsize::new(0));
            let count = asked.clone();
            let pool = Pool::builder()
                .workers(workers)
                .spawn_handler(move |thread| {
                    if thread.index() >= workers {
                        count.fetch_add(1, Ordering::SeqCst);
                        if panics {
                            plan(77);
                        }
                        return Err(io::Error::other("no spares"));
                    }
                    thread::spawn(|| thread.run());
                    Ok(())
                })
                .build()
                .unwrap();
            if workers == 2 {
                // So that there is no idle worker to take the seat.
                let (begun, go) = (support::Event::default(), support::Event::default());
                let (begun2, go2) = (begun.clone(), go.clone());
                pool.spawn_detached(move || {
                    begun2.set();
                    go2.wait();
                });
                begun.wait();
                without_spares(&pool, &asked);
                go.set();
            } else {
                without_spares(&pool, &asked);
            }
        }
    });
}

#[test]
fn a_name_function_that_panics_for_spares() {
    with_deadline(60, || {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let name = move |index| {
            if index >= 1 {
                count.fetch_add(1, Ordering::SeqCst);
                plan(78);
            }
            format!("few-{index}")
        };
        let pool = Pool::builder().workers(1).name_fn(name).build().unwrap();
        without_spares(&pool, &asked);
    });
}

#[test]
fn whoever_ends_a_pool_without_threads_runs_all_that_was_accepted() {
    with_deadline(60, || {
        for closures in [10, 29, 30, 61, 200] {
            let pool = Pool::builder().workers(1).spawn_handler(|thread| {
                drop(thread);
                Ok(())
            });
            let (pool, ran) = (pool.build().unwrap(), Arc::new(AtomicUsize::new(0)));
            for _ in 0..closures {
                let ran = ran.clone();
                pool.spawn_detached(move || support::ignore(ran.fetch_add(1, Ordering::SeqCst)));
            }
            pool.shutdown();
            assert_eq!(ran.load(Ordering::SeqCst), closures);
        }
    });
}
