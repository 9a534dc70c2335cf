//! How pools are built: counts, names, stacks, handlers, threads made by others, threads refused, the current thread as
//! a worker, and the environment's say.

mod support;

use std::ffi::OsString;
use std::io;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use filch::{BuildError, Handle, IdlePolicy, Pool};
use support::{assert_threads_end, fib, lock, threads_named, with_deadline, within};

#[test]
fn names() {
    with_deadline(30, || {
        let pool = Pool::builder().workers(3).name("titled").build().unwrap();
        let mut names = pool.broadcast(|_| thread::current().name().unwrap_or_default().to_owned());
        names.sort();
        assert_eq!(names, ["titled-0", "titled-1", "titled-2"]);
        drop(pool);
        let pool = Pool::builder().workers(2).name_fn(|index| format!("w{index}!")).build().unwrap();
        assert_eq!(
            pool.broadcast(|_| thread::current().name().map(str::to_owned)),
            [Some("w0!".into()), Some("w1!".into())]
        );
        let error = Pool::builder().name("a\0b").build().unwrap_err();
        assert!(matches!(&error, BuildError::Name(name) if name == "a\0b"), "{error:?}");
        assert!(error.to_string().contains("NUL"));
        // The last name counts, good or bad.
        let pool = Pool::builder().workers(1).name("a\0b").name("good").build().unwrap();
        assert_eq!(pool.broadcast(|_| thread::current().name().map(str::to_owned)), [Some("good-0".into())]);
        let pool = Pool::builder().workers(1).name("a\0b").name_fn(|_| "better".into()).build().unwrap();
        assert_eq!(pool.broadcast(|_| thread::current().name().map(str::to_owned)), [Some("better".into())]);
        assert!(
            matches!(Pool::builder().name("good").name("c\0d").build(), Err(BuildError::Name(name)) if name == "c\0d")
        );
        // The name of one thread is asked for when it is started.
        let outcome =
            Pool::builder().workers(2).name_fn(|index| if index == 1 { "a\0b".into() } else { "n".into() }).build();
        let Err(BuildError::Thread { index: 1, source }) = outcome else { panic!("{outcome:?}") };
        assert_eq!(source.kind(), io::ErrorKind::InvalidInput);
    });
}

#[test]
fn threads_for_blocking_calls_have_names_of_their_own() {
    with_deadline(60, || {
        let idle = IdlePolicy::default().keep_alive(Duration::from_millis(10));
        let builder = || Pool::builder().workers(1).blocking_threads(3).idle_policy(idle);
        for (builder, prefix) in [
            (builder(), "filch"),
            (builder().name("own"), "own"),
            (builder().name("own").name_fn(|index| format!("w{index}")), "filch"),
        ] {
            let hooks = Arc::new(Mutex::new(Vec::new()));
            let (starts, ends) = (hooks.clone(), hooks.clone());
            let name = || thread::current().name().map(str::to_owned);
            let pool = builder
                .start_handler(move |_| lock(&starts).push(name()))
                .exit_handler(move |_| lock(&ends).push(name()))
                .build()
                .unwrap();
            let of = |number| Some(format!("{prefix}-block-{number}"));
            for round in 0..3 {
                // All three at the same time, and then as new ones, which have the old numbers.
                let all = Arc::new(std::sync::Barrier::new(3));
                let calls: Vec<_> = (0..3)
                    .map(|_| {
                        let all = all.clone();
                        pool.spawn_blocking(move || (name(), all.wait()).0)
                    })
                    .collect();
                let mut names: Vec<_> = calls.into_iter().map(|call| call.join().unwrap()).collect();
                names.sort();
                assert_eq!(names, [of(0), of(1), of(2)], "round {round}");
                assert_threads_end(&format!("{prefix}-block-"));
            }
            pool.shutdown();
            let hooked = lock(&hooks).clone();
            assert!(hooked.len() >= 2, "the worker has begun and ended");
            assert!((0..3).all(|number| !hooked.contains(&of(number))), "{hooked:?}");
        }
    });
}

#[test]
fn counts() {
    with_deadline(100, || {
        for workers in [1, 2, 3, 200] {
            let pool = Pool::builder().workers(workers).build().unwrap();
            assert_eq!((pool.num_workers(), pool.current_num_threads()), (workers, workers));
            assert!(pool.max_num_threads() >= workers);
            assert_eq!(pool.install(filch::current_num_threads), workers);
        }
        assert!(Pool::builder().workers(0).build().unwrap().num_workers() >= 1);
        // An absurd count is clamped, and here refused at once by the handler.
        let asked = Arc::new(AtomicUsize::new(0));
        let asked2 = asked.clone();
        let outcome = Pool::builder()
            .workers(usize::MAX)
            .spawn_handler(move |thread| {
                asked2.fetch_max(thread.index(), Ordering::SeqCst);
                Err(io::Error::other("none"))
            })
            .build();
        assert!(matches!(outcome, Err(BuildError::Thread { index: 0, .. })), "{outcome:?}");
        assert_eq!(asked.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn handlers_run_once_on_each_thread() {
    with_deadline(60, || {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (starts, exits) = (calls.clone(), calls.clone());
        let record = |to: &Mutex<Vec<_>>, what: &'static str, index: usize| {
            assert_eq!(filch::current_thread_index(), Some(index), "handlers run inside the pool");
            lock(to).push((what, index, thread::current().id()));
        };
        let pool = Pool::builder()
            .workers(3)
            .idle_policy(IdlePolicy::default().keep_alive(Duration::from_millis(20)))
            .start_handler(move |index| record(&starts, "start", index))
            .exit_handler(move |index| record(&exits, "exit", index))
            .build()
            .unwrap();
        pool.scope(|s| {
            for _ in 0..6 {
                // Spares come and go.
                s.spawn(|_| {
                    filch::block_on(filch::spawn_blocking(|| thread::sleep(Duration::from_millis(5)))).unwrap()
                });
            }
        });
        pool.broadcast(|_| ());
        pool.shutdown();
        let calls = lock(&calls);
        let of = |what| {
            let mut ids: Vec<_> = calls.iter().filter(|c| c.0 == what).map(|c| (c.1, c.2)).collect();
            ids.sort_by_key(|id| (id.0, format!("{:?}", id.1)));
            ids
        };
        let starts = of("start");
        assert_eq!(starts, of("exit"), "whoever has started has ended, on the same thread");
        assert!((0..3).all(|worker| starts.iter().filter(|id| id.0 == worker).count() == 1));
        let mut threads: Vec<_> = starts.iter().map(|id| format!("{:?}", id.1)).collect();
        threads.sort();
        threads.dedup();
        assert_eq!(threads.len(), starts.len(), "once on each thread");
    });
}

fn deep(depth: usize) -> usize {
    let frame = std::hint::black_box([depth; 128]);
    if depth == 0 { 0 } else { 1 + deep(depth - 1) + (frame[127] - depth) }
}

#[test]
fn the_stack_is_as_large_as_asked_for() {
    with_deadline(60, || {
        let pool = Pool::builder().workers(1).stack_size(256 << 20).build().unwrap();
        // Some 64 MB: the default of 2 MB would overflow.
        assert_eq!(pool.install_on_worker(|| deep(50_000)), 50_000);
        assert_eq!(pool.spawn_blocking(|| deep(50_000)).join().unwrap(), 50_000);
        let default = Pool::builder().workers(1).stack_size(0).build().unwrap();
        assert_eq!(default.install_on_worker(|| deep(100)), 100);
    });
}

#[test]
fn the_current_thread_as_a_worker() {
    with_deadline(60, || {
        thread::spawn(|| {
            let pool = Pool::builder().workers(1).name("solo").use_current_thread().build().unwrap();
            thread::sleep(Duration::from_millis(20));
            assert_eq!(threads_named("solo"), 0, "a pool of one worker starts no thread");
            assert_eq!((filch::current_thread_index(), filch::current_num_threads()), (Some(0), 1));
            assert_eq!(fib(15), 610);
            let mut sum = 0;
            filch::scope(|s| s.spawn(|_| sum += fib(5)));
            assert_eq!(sum, 5);
            let here = thread::current().id();
            assert_eq!(pool.install_on_worker(|| thread::current().id()), here);
            let handle = filch::spawn_cpu(|| 7);
            assert_eq!(filch::yield_now(), Some(filch::Yield::Executed));
            assert!(handle.is_finished());
            assert_eq!(filch::block_on(handle).unwrap(), 7);
            // A wait that only another thread's turn can end: a spare takes the seat.
            assert_eq!(filch::block_on(filch::spawn(async { 8 })).unwrap(), 8);
        })
        .join()
        .unwrap();
        assert_threads_end("solo");
        thread::spawn(|| {
            let pool = Pool::builder().workers(2).name("duo").use_current_thread().build().unwrap();
            // A thread names itself when it runs.
            assert!(within(Duration::from_secs(10), || threads_named("duo") == 1));
            assert!(matches!(Pool::builder().use_current_thread().build(), Err(BuildError::CurrentThreadTaken)));
            assert_eq!(pool.install(|| fib(15)), 610);
            thread::scope(|threads| {
                threads.spawn(|| assert_eq!(pool.install(|| fib(15)), 610));
                threads.spawn(|| assert_eq!(pool.install_on_worker(|| fib(15)), 610));
            });
        })
        .join()
        .unwrap();
        assert_threads_end("duo");
        let inside = support::pool(1).install(|| Pool::builder().use_current_thread().build().map(drop));
        assert!(matches!(inside, Err(BuildError::CurrentThreadTaken)), "a guest is taken, too");
    });
}

#[test]
fn a_thread_that_is_inside_of_a_pool_is_not_made_a_worker_of_another() {
    with_deadline(30, || {
        let pool = support::pool(1);
        let refused = |place: &str| {
            let error = Pool::builder().workers(1).use_current_thread().build().map(drop).unwrap_err();
            assert!(matches!(error, BuildError::CurrentThreadTaken), "{place}: {error}");
            // The work goes on in its own pool.
            assert_eq!(Handle::current(), *pool.handle(), "{place}");
            assert_eq!(filch::current_num_threads(), 1, "{place}");
        };
        pool.block_on(async { refused("block_on, as a guest") });
        pool.install_on_worker(|| refused("worker"));
        pool.install_on_worker(|| filch::blocking(|| refused("section")));
        let calls = || Pool::builder().workers(1).use_current_thread().build().map(drop);
        let taken = |result| matches!(result, Err(BuildError::CurrentThreadTaken));
        assert!(taken(pool.spawn_blocking(calls).join().unwrap()));
        let go = support::occupy(&pool);
        // No seat is free.
        pool.block_on(async { refused("block_on") });
        assert!(taken(pool.spawn(async move { calls() }).join().unwrap()), "on the express lane");
        go.set();
        // Whoever has entered a pool is not inside.
        thread::scope(|threads| {
            threads.spawn(|| {
                let _guard = pool.enter();
                let own = Pool::builder().workers(2).use_current_thread().build().unwrap();
                assert_eq!(Handle::current(), *own.handle());
            });
        });
    });
}

#[test]
fn the_environment_gives_the_default_count() {
    with_deadline(60, || {
        let exe = std::env::current_exe().unwrap();
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let in_small = |text: &str, expected| (text.into(), expected, "child_prints_the_default_count");
        // Counts that need not be met by threads.
        let unmet = |text: OsString, expected| (text, expected, "child_prints_the_default_count_without_threads");
        let absurd = "99999999999999999999999999";
        let mut cases = vec![
            in_small("3", 3),
            in_small(" 5 ", 5),
            in_small("0", cores),
            in_small("-1", cores),
            in_small("many", cores),
            in_small("", cores),
            unmet("4097".into(), 4_096),
            unmet(absurd.into(), 4_096),
            unmet(format!("-{absurd}").into(), cores),
        ];
        #[cfg(unix)]
        cases.push(unmet(std::os::unix::ffi::OsStringExt::from_vec(vec![b'3', 0xff]), cores));
        for (value, expected, test) in cases {
            let mut command = Command::new(&exe);
            command.args(["--exact", test, "--ignored", "--nocapture"]);
            let output = command.env("FILCH_NUM_THREADS", &value).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{value:?}: {text}");
            let got = text.lines().find_map(|line| line.split_once("workers=")).map(|(_, n)| n.trim().parse::<usize>());
            assert_eq!(got, Some(Ok(expected)), "{value:?}: {text}");
        }
    });
}

#[test]
#[ignore = "a part of the_environment_gives_the_default_count"]
fn child_prints_the_default_count() {
    let pool = Pool::builder().build().unwrap();
    assert_eq!(pool.num_workers(), filch::current_num_threads(), "the global pool's count is the same");
    println!("\nworkers={}", pool.num_workers());
}

#[test]
#[ignore = "a part of the_environment_gives_the_default_count"]
fn child_prints_the_default_count_without_threads() {
    // They lie on a shelf until the pool is dropped.
    let shelf = Arc::new(Mutex::new(Vec::new()));
    let shelf2 = shelf.clone();
    let put_aside = move |thread| {
        lock(&shelf2).push(thread);
        Ok(())
    };
    let pool = Pool::builder().spawn_handler(put_aside).build().unwrap();
    println!("\nworkers={}", pool.num_workers());
    let threads = std::mem::take(&mut *lock(&shelf));
    assert_eq!(threads.len(), pool.num_workers());
}
