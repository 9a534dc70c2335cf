//! Three levels of closures: which are taken first, that none starves, and that background work gives way.

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use filch::prelude::*;
use filch::task::Builder;
use filch::{JoinHandle, Pool, Priority};
use support::{
    Drops, Event, Rng, alone, at_best, lock, occupy, plan, planned, pool, spin, with_deadline, within, yield_once,
};

const ALL: [Priority; 3] = [Priority::High, Priority::Normal, Priority::Background];
/// How long background work waits for other work, as documented.
const AGE: Duration = Duration::from_millis(100);

fn spawn<T: Send + 'static>(pool: &Pool, priority: Priority, f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    Builder::new().pool(pool).priority(priority).spawn_cpu(f)
}

/// Runs `each` on pools of 1, 2 and 4 workers, with nothing else going on in this process.
fn on_pools(each: impl Fn(&Pool, usize) + Send + 'static) {
    let _alone = alone();
    with_deadline(240, move || {
        for workers in [1, 2, 4] {
            support::note(format!("{workers} workers"));
            let pool = pool(workers);
            each(&pool, workers);
            pool.shutdown();
        }
    });
}

/// Closures that each spawn the next, more than there are workers, until it is dropped.
struct Flood(Arc<AtomicBool>);

impl Flood {
    fn new(pool: &Arc<Pool>, priority: Priority) -> Flood {
        fn next(pool: &Arc<Pool>, priority: Priority, on: Arc<AtomicBool>) {
            let again = pool.clone();
            Builder::new().pool(pool).priority(priority).spawn_detached(move || {
                spin(Duration::from_micros(200));
                if on.load(Ordering::Relaxed) {
                    next(&again, priority, on);
                }
            });
        }
        let on = Arc::new(AtomicBool::new(true));
        for _ in 0..8 * pool.num_workers() {
            next(pool, priority, on.clone());
        }
        Flood(on)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

#[test]
fn levels_are_ordered() {
    assert!(Priority::High > Priority::Normal && Priority::Normal > Priority::Background);
    assert_eq!(Priority::default(), Priority::Normal);
}

#[test]
fn high_comes_before_normal_before_background() {
    on_pools(|pool, workers| {
        at_best(10, "the order of the levels", || {
            let go = occupy(pool);
            let order = Arc::new(Mutex::new(Vec::new()));
            const EACH: usize = 12;
            for _ in 0..EACH {
                for priority in ALL.into_iter().rev() {
                    let order = order.clone();
                    // From outside, so all kinds are taken oldest first.
                    spawn(pool, priority, move || {
                        lock(&order).push(priority);
                    })
                    .detach();
                }
            }
            let began = Instant::now();
            go.set();
            assert!(within(Duration::from_secs(20), || lock(&order).len() == 3 * EACH));
            if began.elapsed() > AGE / 2 {
                return Err("the machine was too slow: background work was due".into());
            }
            let order = lock(&order);
            let number = |of: Priority| order.iter().filter(|&&other| other == of).count();
            assert!(ALL.into_iter().all(|priority| number(priority) == EACH), "each runs once: {order:?}");
            // What was begun at the same time may be noted in any order; and one in 16 is normal work.
            let late = |of: Priority, before: usize| {
                order.iter().enumerate().filter(|&(at, &other)| other == of && at > before + workers).count()
            };
            let (high, normal) = (late(Priority::High, EACH), late(Priority::Normal, 2 * EACH));
            if high + normal == 0 { Ok(()) } else { Err(format!("{order:?}")) }
        });
    });
}

#[test]
fn an_idle_pool_runs_background_work_at_once_on_all_workers() {
    on_pools(|pool, workers| {
        // Each waits for the others.
        let inside = Arc::new(AtomicUsize::new(0));
        let handles: Vec<_> = (0..workers)
            .map(|_| {
                let inside = inside.clone();
                spawn(pool, Priority::Background, move || {
                    inside.fetch_add(1, Ordering::SeqCst);
                    within(Duration::from_secs(20), || inside.load(Ordering::SeqCst) == workers)
                })
            })
            .collect();
        assert!(handles.into_iter().all(|handle| handle.join().unwrap()));
    });
}

#[test]
fn background_gets_through_under_a_flood_of_normal_closures() {
    on_pools(|pool, workers| {
        let _ = pool;
        let pool = Arc::new(support::pool(workers));
        at_best(10, "the age of a background closure", || {
            let flood = Flood::new(&pool, Priority::Normal);
            let began = Instant::now();
            let after = spawn(&pool, Priority::Background, move || began.elapsed()).join().unwrap();
            drop(flood);
            if after < AGE / 2 {
                return Err(format!("it began after {after:?}, though there was other work"));
            }
            if after > 5 * AGE {
                return Err(format!("it began after {after:?}"));
            }
            Ok(())
        });
    });
}

#[test]
fn background_gets_through_under_floods_of_tasks_and_high_closures() {
    on_pools(|_, workers| {
        let pool = Arc::new(support::pool(workers));
        let on = Arc::new(AtomicBool::new(true));
        let tasks: Vec<_> = (0..4 * workers)
            .map(|_| {
                let on = on.clone();
                pool.spawn(async move {
                    while on.load(Ordering::Relaxed) {
                        yield_once().await;
                    }
                })
            })
            .collect();
        let flood = Flood::new(&pool, Priority::High);
        for _ in 0..3 {
            assert_eq!(spawn(&pool, Priority::Background, || 5).join().unwrap(), 5);
        }
        on.store(false, Ordering::Relaxed);
        drop(flood);
        tasks.into_iter().for_each(|task| task.join().unwrap());
    });
}

#[test]
fn normal_work_gets_through_under_a_flood_of_high_closures() {
    on_pools(|_, workers| {
        let pool = Arc::new(support::pool(workers));
        let flood = Flood::new(&pool, Priority::High);
        at_best(5, "normal work beside high work", || {
            let began = Instant::now();
            // Of each kind, from outside and from a thread of the pool.
            assert_eq!(pool.spawn_cpu(|| 1).join().unwrap(), 1);
            assert_eq!(pool.spawn(async { 2 }).join().unwrap(), 2);
            let inner = pool.spawn_cpu(|| (filch::spawn_cpu(|| 3), filch::spawn(async { 4 }))).join().unwrap();
            assert_eq!((inner.0.join().unwrap(), inner.1.join().unwrap()), (3, 4));
            // Five pieces of work, each after 16 of 0.2 ms or so, and the look at the injector one in 61 of those.
            let took = began.elapsed();
            if took < Duration::from_secs(4) { Ok(()) } else { Err(format!("took {took:?}")) }
        });
        drop(flood);
    });
}

/// Ends background work also if the test panics.
struct Ends(Arc<AtomicBool>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Background computations on all workers that go on until told to end, by `run`, which calls its argument for each
/// item; and what becomes of a normal closure meanwhile. (One for each worker: forks alone wake no more threads than
/// there are cores.) How often it gave way, before its end.
fn gives_way(workers: usize, run: fn(&(dyn Fn() + Sync))) -> u64 {
    let pool = pool(workers);
    let (on, items) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let ends = Ends(on.clone());
    let computations: Vec<_> = (0..workers)
        .map(|_| {
            let (on, items) = (on.clone(), items.clone());
            spawn(&pool, Priority::Background, move || {
                while on.load(Ordering::Relaxed) {
                    run(&|| {
                        spin(Duration::from_micros(20));
                        items.fetch_add(1, Ordering::Relaxed);
                    });
                }
            })
        })
        .collect();
    at_best(20, "a normal closure beside background work on all workers", || {
        assert!(within(Duration::from_secs(20), || pool.stats().background_threads >= workers));
        std::thread::sleep(Duration::from_millis(5));
        let began = Instant::now();
        let after = pool.spawn_cpu(move || began.elapsed()).join().unwrap();
        if after < Duration::from_millis(10) { Ok(()) } else { Err(format!("began after {after:?}")) }
    });
    // A task as well.
    at_best(20, "a task beside background work on all workers", || {
        assert!(within(Duration::from_secs(20), || pool.stats().background_threads >= workers));
        let began = Instant::now();
        let after = pool.spawn(async move { began.elapsed() }).join().unwrap();
        if after < Duration::from_millis(10) { Ok(()) } else { Err(format!("began after {after:?}")) }
    });
    let gave_way = pool.stats().gave_way;
    if workers == 1 {
        // There is one seat: while the normal closure has it, background work stands still.
        at_best(20, "background work while it gives way", || {
            let items = items.clone();
            let moved = pool.spawn_cpu(move || {
                spin(Duration::from_millis(2));
                let before = items.load(Ordering::Relaxed);
                spin(AGE / 4);
                items.load(Ordering::Relaxed) - before
            });
            match moved.join().unwrap() {
                0 => Ok(()),
                moved => Err(format!("{moved} items were worked on")),
            }
        });
    }
    let before = items.load(Ordering::Relaxed);
    assert!(within(Duration::from_secs(20), || items.load(Ordering::Relaxed) > before), "it goes on");
    drop(ends);
    computations.into_iter().for_each(|handle| handle.join().unwrap());
    assert!(within(Duration::from_secs(20), || pool.stats().background_threads == 0));
    gave_way
}

#[test]
fn a_background_loop_gives_way() {
    on_pools(|_, workers| {
        assert!(gives_way(workers, |item| (0..20_000).into_par_iter().for_each(|_| item())) > 0);
    });
}

#[test]
fn background_joins_give_way() {
    fn halves(depth: u32, item: &(dyn Fn() + Sync)) {
        if depth == 0 {
            return item();
        }
        filch::join(|| halves(depth - 1, item), || halves(depth - 1, item));
    }
    on_pools(|_, workers| assert!(gives_way(workers, |item| halves(14, item)) > 0));
}

#[test]
fn a_background_scope_gives_way() {
    fn many(item: &(dyn Fn() + Sync)) {
        filch::scope(|s| (0..5_000).for_each(|_| s.spawn(|_| item())));
    }
    on_pools(|_, workers| {
        let gave_way = gives_way(workers, |item| many(item));
        // Others, which have come for jobs of the scope, may take what waits after one of these.
        assert!(gave_way > 0 || workers > 1);
    });
}

#[test]
fn background_work_in_flight_is_not_starved() {
    on_pools(|_, workers| {
        let pool = Arc::new(support::pool(workers));
        let flood = Flood::new(&pool, Priority::Normal);
        // Some 30 ms of work.
        let sum = spawn(&pool, Priority::Background, || {
            let items = (0..300u64).into_par_iter().map(|i| {
                spin(Duration::from_micros(100));
                i
            });
            items.sum::<u64>()
        });
        let began = Instant::now();
        assert_eq!(sum.join().unwrap(), 300 * 299 / 2);
        assert!(began.elapsed() < Duration::from_secs(60));
        drop(flood);
    });
}

#[test]
fn a_scope_of_background_work_waits_for_nothing_but_itself() {
    on_pools(|pool, _| {
        at_best(10, "a scope without other work", || {
            let began = Instant::now();
            let done = spawn(pool, Priority::Background, || {
                let done = AtomicUsize::new(0);
                filch::scope(|s| {
                    for _ in 0..100 {
                        s.spawn(|_| {
                            filch::join(|| spin(Duration::from_micros(20)), || spin(Duration::from_micros(20)));
                            done.fetch_add(1, Ordering::Relaxed);
                        });
                    }
                });
                done.into_inner()
            });
            assert_eq!(done.join().unwrap(), 100);
            // Giving way to its own jobs would take a multiple of the age.
            let took = began.elapsed();
            if took < AGE { Ok(()) } else { Err(format!("took {took:?}")) }
        });
    });
}

#[test]
fn what_background_work_spawns_is_normal_and_runs_before_it_ends() {
    on_pools(|pool, _| {
        let handle = spawn(pool, Priority::Background, || {
            let (ran, sum) = (Event::default(), AtomicUsize::new(0));
            let set = ran.clone();
            filch::spawn_detached(move || set.set());
            let began = Instant::now();
            // No wait here: only loops, at whose boundaries it gives way.
            while !ran.is_set() && began.elapsed() < Duration::from_secs(20) {
                (0..1000usize).into_par_iter().for_each(|i| {
                    spin(Duration::from_micros(10));
                    sum.fetch_add(i, Ordering::Relaxed);
                });
            }
            ran.is_set()
        });
        assert!(handle.join().unwrap());
    });
}

#[test]
fn everything_runs_once() {
    on_pools(|_, workers| {
        for seed in 0..10 {
            support::note(format!("{workers} workers, seed {seed}"));
            let pool = Arc::new(support::pool(workers));
            let mut rng = Rng(seed);
            let drops = Drops::default();
            let counts: Arc<Vec<AtomicUsize>> = Arc::new((0..600).map(|_| AtomicUsize::new(0)).collect());
            let mut handles = Vec::new();
            for i in 0..counts.len() {
                let (counts, token, kind) = (counts.clone(), drops.token(), rng.below(4));
                let priority = ALL[rng.below(3) as usize];
                let inner = ALL[rng.below(3) as usize];
                let again = pool.clone();
                let job = move || {
                    let _token = token;
                    match kind {
                        0 => (),
                        1 => assert_eq!((0..500u64).into_par_iter().sum::<u64>(), 500 * 499 / 2),
                        2 => assert_eq!(support::fib(10), 55),
                        _ => assert_eq!(spawn(&again, inner, || 7).join().unwrap(), 7),
                    }
                    counts[i].fetch_add(1, Ordering::SeqCst);
                };
                if rng.one_in(3) {
                    Builder::new().pool(&pool).priority(priority).spawn_detached(job);
                } else {
                    handles.push(spawn(&pool, priority, job));
                }
            }
            handles.into_iter().for_each(|handle| handle.join().unwrap());
            pool.shutdown();
            assert!(counts.iter().all(|count| count.load(Ordering::SeqCst) == 1));
            drops.assert_all_dropped("everything captured");
        }
    });
}

#[test]
fn shutdown_runs_what_was_accepted() {
    on_pools(|_, workers| {
        for _ in 0..20 {
            let (pool, ran) = (pool(workers), Arc::new(AtomicUsize::new(0)));
            for i in 0..60 {
                let ran = ran.clone();
                Builder::new().pool(&pool).priority(ALL[i % 3]).spawn_detached(move || {
                    ran.fetch_add(1, Ordering::SeqCst);
                });
            }
            pool.shutdown();
            assert_eq!(ran.load(Ordering::SeqCst), 60);
        }
    });
}

#[test]
fn shutdown_now_drops_what_has_not_begun() {
    on_pools(|_, workers| {
        let (pool, drops) = (Arc::new(pool(workers)), Drops::default());
        let go = occupy(&pool);
        let handles: Vec<_> = (0..60)
            .map(|i| {
                let token = drops.token();
                spawn(&pool, ALL[i % 3], move || drop(token))
            })
            .collect();
        let closer = pool.clone();
        let closing = std::thread::spawn(move || closer.shutdown_now());
        assert!(within(Duration::from_secs(20), || pool.try_spawn_detached(|| ()).is_err()));
        go.set();
        closing.join().unwrap();
        assert!(handles.into_iter().all(|handle| handle.join().unwrap_err().is_cancelled()));
        drops.assert_all_dropped("what was dropped unrun");
    });
}

#[test]
fn a_pool_ends_while_background_work_gives_way() {
    on_pools(|_, workers| {
        let pool = Arc::new(pool(workers));
        let flood = Flood::new(&pool, Priority::Normal);
        let sum = spawn(&pool, Priority::Background, || {
            let items = (0..2000u64).into_par_iter().map(|i| {
                spin(Duration::from_micros(20));
                i
            });
            items.sum::<u64>()
        });
        assert!(within(Duration::from_secs(20), || pool.stats().gave_way > 0 || sum.is_finished()));
        drop(flood);
        pool.shutdown();
        assert_eq!(sum.join().unwrap(), 2000 * 1999 / 2);
    });
}

#[test]
fn panics_and_aborts() {
    on_pools(|pool, _| {
        for priority in ALL {
            let error = spawn(pool, priority, || plan(5)).join().map(|(): ()| ()).unwrap_err();
            assert_eq!(planned(error.into_panic()), 5);
            // In a loop, whose parts are elsewhere.
            let handle = spawn(pool, priority, || {
                (0..1000).into_par_iter().for_each(|i| {
                    spin(Duration::from_micros(5));
                    if i == 777 {
                        plan(6)
                    }
                });
            });
            assert_eq!(planned(handle.join().unwrap_err().into_panic()), 6);
            let go = occupy(pool);
            let ran = Arc::new(AtomicBool::new(false));
            let set = ran.clone();
            let handle = spawn(pool, priority, move || set.store(true, Ordering::SeqCst));
            handle.abort();
            go.set();
            assert!(handle.join().unwrap_err().is_cancelled());
            assert!(!ran.load(Ordering::SeqCst));
        }
        assert!(within(Duration::from_secs(20), || pool.stats().background_threads == 0));
    });
}

#[test]
fn a_stopped_clock_stands_while_background_work_gives_way() {
    let _alone = alone();
    with_deadline(60, || {
        let pool = Arc::new(Pool::builder().workers(1).start_paused(true).build().unwrap());
        let began = filch::time::Instant::now();
        let _ = began;
        let done = Arc::new(AtomicBool::new(false));
        let late = done.clone();
        // Fires when nobody acts: not before the background loop has ended.
        let timer = pool.spawn(async move {
            filch::time::sleep(Duration::from_secs(3600)).await;
            late.load(Ordering::SeqCst)
        });
        let set = done.clone();
        let background = spawn(&pool, Priority::Background, move || {
            (0..3000).into_par_iter().for_each(|_| spin(Duration::from_micros(20)));
            set.store(true, Ordering::SeqCst);
        });
        while !background.is_finished() {
            pool.spawn_cpu(|| spin(Duration::from_micros(100))).join().unwrap();
        }
        assert!(pool.stats().gave_way > 0);
        background.join().unwrap();
        assert!(timer.join().unwrap(), "time went on though a closure was in flight");
    });
}
