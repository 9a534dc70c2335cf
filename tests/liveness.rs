//! Work that is there is worked on: closures of 100 ms spread over the workers at once, from cold, after tiny work and
//! after a long serial phase; a sleeping pool wakes for every spawn; an idle pool sleeps; many more workers than
//! cores do no harm. Bounds on time are met once in a few tries, since the machine has other things to do.

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use filch::Pool;
use support::{Event, Rng, alone, at_best, fib, long, note, pool, spin, with_deadline, within};

const LEAF: Duration = Duration::from_millis(100);
const TRIES: u32 = 6;

/// A leaf that sleeps takes 100 ms also where the machine has less than two cores to spare: what is measured is when
/// leaves begin.
fn leaf() {
    thread::sleep(LEAF);
}

fn timed(f: impl FnOnce()) -> Duration {
    let began = Instant::now();
    f();
    began.elapsed()
}

fn under(limit_ms: u64, took: Duration) -> Result<(), String> {
    if took < Duration::from_millis(limit_ms) { Ok(()) } else { Err(format!("{took:?}")) }
}

/// Tells on a pool built for each try whether `region` ends in time.
fn each_try(what: &'static str, workers: usize, limit_ms: u64, region: impl Fn(&Pool) -> Duration + Send + 'static) {
    let _alone = alone();
    with_deadline(60, move || {
        at_best(TRIES, what, || {
            let pool = pool(workers);
            thread::sleep(Duration::from_millis(60));
            under(limit_ms, region(&pool))
        });
    });
}

#[test]
fn two_long_arms_on_a_cold_pool_from_outside() {
    each_try("cold join from outside", 2, 130, |pool| timed(|| support::ignore(pool.join(leaf, leaf))));
}

#[test]
fn two_long_arms_on_a_cold_pool_on_a_worker() {
    each_try("cold join on a worker", 2, 130, |pool| {
        pool.install_on_worker(|| timed(|| support::ignore(filch::join(leaf, leaf))))
    });
}

#[test]
fn two_long_arms_again_and_again() {
    each_try("second join", 2, 130, |pool| {
        pool.join(leaf, leaf);
        thread::sleep(Duration::from_millis(50));
        timed(|| support::ignore(pool.join(leaf, leaf)))
    });
}

#[test]
fn two_long_arms_that_compute() {
    each_try("join of computing arms", 2, 130, |pool| {
        timed(|| support::ignore(pool.join(|| spin(LEAF), || spin(LEAF))))
    });
}

#[test]
fn two_long_arms_after_ten_thousand_tiny_joins() {
    each_try("after tiny joins, from outside", 2, 130, |pool| {
        for _ in 0..10_000 {
            pool.join(|| (), || ());
        }
        timed(|| support::ignore(pool.join(leaf, leaf)))
    });
    each_try("after tiny joins, inside", 2, 130, |pool| {
        pool.install(|| {
            for _ in 0..10_000 {
                filch::join(|| (), || ());
            }
            timed(|| support::ignore(filch::join(leaf, leaf)))
        })
    });
}

#[test]
fn eight_long_closures_in_a_scope_take_four_rounds() {
    each_try("scope of eight", 2, 460, |pool| timed(|| pool.scope(|s| (0..8).for_each(|_| s.spawn(|_| leaf())))));
    each_try("scope of eight on a worker", 2, 460, |pool| {
        pool.install_on_worker(|| timed(|| filch::scope(|s| (0..8).for_each(|_| s.spawn(|_| leaf())))))
    });
    each_try("scope of eight on four", 4, 250, |pool| {
        timed(|| pool.scope(|s| (0..8).for_each(|_| s.spawn(|_| leaf()))))
    });
}

#[test]
fn two_long_arms_after_a_long_serial_phase() {
    each_try("after a serial second, on a worker", 2, 130, |pool| {
        pool.install_on_worker(|| {
            spin(Duration::from_secs(1));
            timed(|| support::ignore(filch::join(leaf, leaf)))
        })
    });
    each_try("after a serial second, as a guest", 2, 130, |pool| {
        pool.install(|| {
            spin(Duration::from_secs(1));
            timed(|| support::ignore(filch::join(leaf, leaf)))
        })
    });
}

#[test]
fn long_tasks_and_closures_begin_at_once() {
    each_try("two spawn_cpu", 2, 130, |pool| {
        timed(|| {
            let handles = [pool.spawn_cpu(leaf), pool.spawn_cpu(leaf)];
            handles.into_iter().for_each(|handle| handle.join().unwrap());
        })
    });
    each_try("two tasks", 2, 130, |pool| {
        timed(|| {
            let handles = [pool.spawn(async { leaf() }), pool.spawn(async { leaf() })];
            handles.into_iter().for_each(|handle| handle.join().unwrap());
        })
    });
    each_try("spawned by a task", 2, 130, |pool| {
        let task = pool.spawn(async {
            let began = Instant::now();
            let other = filch::spawn(async { leaf() });
            leaf();
            other.await.unwrap();
            began.elapsed()
        });
        task.join().unwrap()
    });
}

#[test]
fn nested_joins_of_sleeping_leaves_spread() {
    // Four leaves on four workers, two levels deep: a thief of the outer arm has to be robbed in turn. Fork-join keeps
    // no more threads awake than there are cores.
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let limit = if cores >= 4 { 180 } else { 260 };
    each_try("nested joins", 4, limit, |pool| {
        timed(|| support::ignore(pool.join(|| filch::join(leaf, leaf), || filch::join(leaf, leaf))))
    });
}

#[test]
fn a_fork_is_found_when_a_worker_blocks_and_nobody_is_idle() {
    // Both workers are at work when one of them forks, so nobody asks for the fork and nobody keeps watch over it. Then
    // the other one gives its seat up, and there is no idle thread that would get up for that.
    type Blocks = fn(Event);
    let ways: [(&str, Blocks); 2] = [
        ("block_on", |end| filch::block_on(filch::spawn_blocking(move || end.wait())).unwrap()),
        ("blocking", |end| filch::blocking(|| end.wait())),
    ];
    let _alone = alone();
    with_deadline(100, move || {
        for (name, way) in ways {
            for round in 0..10 {
                note(format!("{name}, round {round}"));
                let pool = pool(2);
                let (busy, block, end) = (Event::default(), Event::default(), Event::default());
                let (busy2, block2, end2) = (busy.clone(), block.clone(), end.clone());
                pool.spawn_detached(move || {
                    busy2.set();
                    block2.wait();
                    way(end2);
                });
                busy.wait();
                let found = pool.install_on_worker(|| {
                    // What others have asked for before is answered by these.
                    assert_eq!(fib(10), 55);
                    let begun = Event::default();
                    let first = || {
                        block.set();
                        begun.wait_for(Duration::from_secs(20))
                    };
                    filch::join(first, || begun.set()).0
                });
                end.set();
                assert!(found, "{name}, round {round}: the fork was left alone, beside a free seat");
            }
        }
    });
}

/// Down the second arms, each taken by a thief while the first one waits for that; then two long arms.
fn below_stolen_waits(levels: u32) -> Duration {
    if levels == 0 {
        return timed(|| support::ignore(filch::join(leaf, leaf)));
    }
    let begun = AtomicBool::new(false);
    let first = || {
        let began = Instant::now();
        while !begun.load(Ordering::Relaxed) && began.elapsed() < Duration::from_millis(30) {
            thread::yield_now();
        }
    };
    let second = || {
        begun.store(true, Ordering::Relaxed);
        spin(Duration::from_millis(2));
        below_stolen_waits(levels - 1)
    };
    filch::join(first, second).1
}

#[test]
fn two_long_arms_below_many_stolen_waits() {
    for (workers, levels) in [(2, 3), (2, 10), (2, 30), (4, 30)] {
        each_try("below stolen waits", workers, 130, move |pool| {
            note(format!("{workers} workers, {levels} levels"));
            pool.install_on_worker(|| below_stolen_waits(levels))
        });
    }
}

#[test]
fn no_wake_up_is_lost() {
    let _alone = alone();
    let rounds = if long() { 200_000 } else { 10_000 };
    with_deadline(if long() { 900 } else { 120 }, move || {
        for workers in [1, 2, 4, 64] {
            let pool = pool(workers);
            let mut rng = Rng(workers as u64);
            for round in 0..rounds / if workers == 64 { 4 } else { 1 } {
                note(format!("{workers} workers, round {round}"));
                // Around the times at which threads give up spinning, lie down, and end their watch.
                match rng.below(40) {
                    0 => thread::sleep(Duration::from_micros(rng.below(12_000))),
                    1..=8 => thread::sleep(Duration::from_micros(rng.below(200))),
                    9..=30 => spin(Duration::from_nanos(rng.below(40_000))),
                    _ => {}
                }
                let (tx, rx) = mpsc::channel();
                let limit = Duration::from_secs(20);
                match rng.below(5) {
                    0 => pool.spawn_detached(move || tx.send(()).unwrap()),
                    1 => pool.spawn_cpu(move || tx.send(()).unwrap()).detach(),
                    2 => pool.spawn(async move { tx.send(()).unwrap() }).detach(),
                    3 => pool.spawn_broadcast(move |_| support::ignore(tx.send(()))),
                    _ => pool.install_on_worker(move || tx.send(()).unwrap()),
                }
                rx.recv_timeout(limit).unwrap_or_else(|_| panic!("{workers} workers, round {round}: nobody woke up"));
            }
        }
    });
}

#[test]
fn no_wake_up_of_a_pending_task_is_lost() {
    let _alone = alone();
    with_deadline(120, || {
        for workers in [1, 2, 64] {
            let pool = pool(workers);
            let mut rng = Rng(workers as u64);
            let (tx, mut rx) = tokio::sync::mpsc::unbounded_channel::<u64>();
            let (back, served) = mpsc::channel();
            let echo = pool.spawn(async move {
                while let Some(n) = rx.recv().await {
                    back.send(n).unwrap();
                }
            });
            for round in 0..3_000 {
                note(format!("{workers} workers, round {round}"));
                if rng.one_in(4) {
                    spin(Duration::from_nanos(rng.below(60_000)));
                } else if rng.one_in(20) {
                    thread::sleep(Duration::from_micros(rng.below(9_000)));
                }
                tx.send(round).unwrap();
                assert_eq!(served.recv_timeout(Duration::from_secs(20)), Ok(round), "{workers} workers");
            }
            drop(tx);
            echo.join().unwrap();
        }
    });
}

fn clock(id: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec of ours.
    let outcome = unsafe { libc::clock_gettime(id, &raw mut time) };
    assert_eq!(outcome, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Processor time of the whole process.
fn process_time() -> Duration {
    clock(libc::CLOCK_PROCESS_CPUTIME_ID)
}

fn second_of_rest() -> Duration {
    let before = process_time();
    thread::sleep(Duration::from_secs(1));
    process_time() - before
}

#[test]
fn an_idle_pool_sleeps() {
    let _alone = alone();
    with_deadline(100, || {
        for workers in [1, 2, 8, 64] {
            let pool = pool(workers);
            assert_eq!(pool.install(|| fib(15)), 610);
            pool.scope(|s| (0..100).for_each(|_| s.spawn(|_| support::ignore(fib(8)))));
            pool.spawn(async {}).join().unwrap();
            pool.spawn_blocking(|| ()).join().unwrap();
            thread::sleep(Duration::from_millis(200));
            at_best(TRIES, "an idle pool's second", || {
                let used = second_of_rest();
                // The promise is 0.1 ms; the test's own sleep and the deadline's thread are in it too.
                if used < Duration::from_millis(1) { Ok(()) } else { Err(format!("{workers} workers: {used:?}")) }
            });
        }
    });
}

#[test]
fn a_pool_with_a_pending_task_sleeps() {
    let _alone = alone();
    with_deadline(100, || {
        let pool = pool(2);
        let task = pool.spawn(std::future::pending::<()>());
        thread::sleep(Duration::from_millis(100));
        at_best(TRIES, "a pending task's second", || {
            let used = second_of_rest();
            if used < Duration::from_millis(1) { Ok(()) } else { Err(format!("{used:?}")) }
        });
        task.abort();
        assert!(task.join().unwrap_err().is_cancelled());
    });
}

#[test]
fn a_blocked_worker_costs_nothing() {
    // One worker sleeps in its closure; the others must not search all the while.
    let _alone = alone();
    with_deadline(100, || {
        let pool = pool(4);
        let (stop, stopped) = mpsc::channel::<()>();
        let busy = pool.spawn_cpu(move || stopped.recv().is_err());
        thread::sleep(Duration::from_millis(100));
        at_best(TRIES, "a second with one busy worker", || {
            let used = second_of_rest();
            // The watch looks around a hundred times a second; unoptimised, a look takes several times longer.
            let limit = Duration::from_millis(if cfg!(debug_assertions) { 30 } else { 5 });
            if used < limit { Ok(()) } else { Err(format!("{used:?}")) }
        });
        drop(stop);
        assert!(busy.join().unwrap());
    });
}

#[test]
fn a_parked_wait_costs_nothing() {
    // A join whose stolen arm takes long, a scope likewise, and a block_on: all park.
    let _alone = alone();
    with_deadline(100, || {
        for workers in [1, 2, 4] {
            let pool = pool(workers);
            at_best(TRIES, "parked waits", || {
                let before = process_time();
                let pause = || thread::sleep(Duration::from_millis(300));
                pool.join(|| (), pause);
                pool.join(|| thread::sleep(Duration::from_millis(10)), pause);
                pool.scope(|s| s.spawn(|_| pause()));
                pool.block_on(pool.spawn_blocking(pause)).unwrap();
                let used = process_time() - before;
                if used < Duration::from_millis(20) { Ok(()) } else { Err(format!("{workers} workers: {used:?}")) }
            });
        }
    });
}

#[test]
fn who_hands_its_work_in_waits_without_spinning() {
    // All workers are busy for 200 ms, and so are as many threads from outside as may have a slot: one more, which finds
    // neither seat nor slot, must not search or poll meanwhile.
    let _alone = alone();
    with_deadline(60, || {
        for workers in [1, 2] {
            let pool = pool(workers);
            let ways: [(&str, &dyn Fn()); 6] = [
                ("install", &|| pool.install(|| ())),
                ("install_on_worker", &|| pool.install_on_worker(|| ())),
                ("join", &|| support::ignore(pool.join(|| (), || ()))),
                ("scope", &|| pool.scope(|s| s.spawn(|_| ()))),
                ("broadcast", &|| support::ignore(pool.broadcast(|_| ()))),
                ("a handle", &|| pool.spawn_cpu(|| ()).join().unwrap()),
            ];
            for (name, way) in ways {
                let go = support::occupy(&pool);
                let inside = AtomicUsize::new(0);
                let guest = || {
                    inside.fetch_add(1, Ordering::SeqCst);
                    go.wait();
                };
                thread::scope(|threads| {
                    for _ in 0..2 * workers {
                        threads.spawn(|| pool.install(guest));
                    }
                    assert!(within(Duration::from_secs(20), || inside.load(Ordering::SeqCst) == 2 * workers));
                    let (began, before) = (Instant::now(), clock(libc::CLOCK_THREAD_CPUTIME_ID));
                    threads.spawn(|| {
                        thread::sleep(Duration::from_millis(200));
                        go.set();
                    });
                    way();
                    let used = clock(libc::CLOCK_THREAD_CPUTIME_ID) - before;
                    assert!(
                        began.elapsed() >= Duration::from_millis(200),
                        "{name}: nobody was to be had, and yet it ran"
                    );
                    // Starting the alarm and lying down is in it, and a look each 4 ms.
                    assert!(used < Duration::from_millis(5), "{workers} workers, {name}: {used:?} of processor time");
                });
            }
        }
    });
}

#[test]
fn sixty_four_workers_get_everything_done() {
    let _alone = alone();
    with_deadline(120, || {
        let pool = Arc::new(pool(64));
        for round in 0..20 {
            note(format!("round {round}"));
            assert_eq!(pool.install(|| fib(18)), 2584);
            let count = AtomicUsize::new(0);
            pool.scope(|s| {
                for _ in 0..1_000 {
                    s.spawn(|s| s.spawn(|_| support::ignore(count.fetch_add(1, Ordering::Relaxed))));
                }
            });
            assert_eq!(count.into_inner(), 1_000);
            let handles: Vec<_> =
                (0..500).map(|i| pool.spawn(async move { filch::spawn_cpu(move || i).await.unwrap() })).collect();
            let sum: i32 = handles.into_iter().map(|handle| handle.join().unwrap()).sum();
            assert_eq!(sum, 499 * 250);
            assert_eq!(pool.broadcast(|c| c.index()).len(), 64);
        }
    });
}
