//! Threads from outside that hold a lock across a `join`, a scope, a loop or a sort, while every worker waits for that
//! lock: what they have handed in nobody comes for, so they take it back and run it themselves.

mod support;

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use filch::prelude::*;
use filch::{Pool, WaitPolicy};
use support::{Rng, catch, fib, ignore, lock, note, plan, pool, spin, within};

/// One test after the other: how soon the workers come matters here.
fn with_deadline(secs: u64, body: impl FnOnce() + Send + 'static) {
    let _alone = support::alone();
    support::with_deadline(secs, body);
}

/// A lock that every worker of a pool waits for, and closures queued behind those that do.
struct Held {
    mutex: Arc<Mutex<usize>>,
    closures: usize,
}

impl Held {
    fn new() -> Held {
        Held { mutex: Arc::default(), closures: 0 }
    }

    /// Holds the lock, and lets every worker wait for it.
    fn hold(&mut self, pool: &filch::Handle) -> MutexGuard<'_, usize> {
        self.end();
        let guard = lock(&self.mutex);
        let begun = Arc::new(AtomicUsize::new(0));
        let workers = pool.num_workers();
        for _ in 0..2 * workers {
            let (mutex, begun) = (self.mutex.clone(), begun.clone());
            pool.spawn_detached(move || {
                begun.fetch_add(1, Ordering::SeqCst);
                *lock(&mutex) += 1;
            });
        }
        self.closures += 2 * workers;
        // As far as the pool goes they compute: no seat is free until they have the lock.
        assert!(within(Duration::from_secs(20), || begun.load(Ordering::SeqCst) == workers));
        guard
    }

    /// All closures so far run, each once.
    fn end(&self) {
        assert!(within(Duration::from_secs(20), || *lock(&self.mutex) >= self.closures));
        assert_eq!(*lock(&self.mutex), self.closures);
    }
}

/// The ways to have work done by the current pool, and wait for it.
fn ways() -> [(&'static str, fn()); 9] {
    let loops = || {
        let sum: u32 = (0..1000_u32).into_par_iter().with_max_len(10).map(|n| n % 7).sum();
        assert_eq!(sum, (0..1000).map(|n| n % 7).sum());
    };
    [
        ("join", || assert_eq!(filch::join(|| fib(5), || 2), (5, 2))),
        ("the pool's join", || assert_eq!(filch::Handle::current().join(|| 1, || fib(5)), (1, 5))),
        ("install", || assert_eq!(filch::Handle::current().install(|| fib(8)), 21)),
        ("scope", || {
            let count = AtomicUsize::new(0);
            filch::scope(|s| (0..9).for_each(|_| s.spawn(|_| ignore(count.fetch_add(1, Ordering::Relaxed)))));
            assert_eq!(count.into_inner(), 9);
        }),
        ("scope_fifo", || {
            let count = AtomicUsize::new(0);
            filch::scope_fifo(|s| (0..9).for_each(|_| s.spawn_fifo(|_| ignore(count.fetch_add(1, Ordering::Relaxed)))));
            assert_eq!(count.into_inner(), 9);
        }),
        ("loop", loops),
        ("sort", || {
            let mut numbers: Vec<u32> = (0..20_000).map(|n: u32| n.wrapping_mul(0x9e37_79b9)).collect();
            numbers.par_sort();
            assert!(numbers.is_sorted());
        }),
        ("unstable sort", || {
            let mut numbers: Vec<u32> = (0..20_000).map(|n: u32| n.wrapping_mul(0x9e37_79b9)).collect();
            numbers.par_sort_unstable();
            assert!(numbers.is_sorted());
        }),
        ("join in block_on", || {
            filch::Handle::current().block_on(async { assert_eq!(filch::join(|| 1, || 2), (1, 2)) })
        }),
    ]
}

#[test]
fn a_foreign_thread() {
    with_deadline(60, || {
        for (workers, policy) in [(1, WaitPolicy::Leapfrog), (2, WaitPolicy::Leapfrog), (2, WaitPolicy::RunAnything)] {
            let pool = Pool::builder().workers(workers).wait_policy(policy).build().unwrap();
            let _entered = pool.enter();
            let mut held = Held::new();
            for (name, way) in ways() {
                note(format!("{name}, {workers} workers, {policy:?}"));
                let guard = held.hold(&pool);
                way();
                drop(guard);
            }
            held.end();
        }
    });
}

#[test]
fn a_blocking_thread() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let pool = pool(workers);
            for (name, way) in ways() {
                note(format!("{name}, {workers} workers"));
                let call = pool.spawn_blocking(move || {
                    let mut held = Held::new();
                    let guard = held.hold(&filch::Handle::current());
                    way();
                    drop(guard);
                    held
                });
                call.join().unwrap().end();
            }
        }
    });
}

#[test]
fn what_is_taken_back_runs_on_its_own_thread() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let pool = pool(workers);
            let mut held = Held::new();
            let guard = held.hold(&pool);
            let (own, began) = (thread::current().id(), Instant::now());
            let (id, index) = pool.install(|| (thread::current().id(), filch::current_thread_index().unwrap()));
            assert_eq!(id, own);
            assert!((workers..pool.max_num_threads()).contains(&index), "index {index} of a guest");
            assert!(began.elapsed() >= Duration::from_millis(4), "a worker gets some time to come");
            drop(guard);
            held.end();
        }
    });
}

#[test]
fn several_threads_in_the_order_of_their_locks() {
    // Each holds its own lock and waits for the next one's inside of a join; the last comes to its end if all have got a
    // seat, however many have taken one beside the full seats before. As many as there are slots for guests.
    with_deadline(60, || {
        for workers in [1, 2] {
            for round in 0..5 {
                note(format!("{workers} workers, round {round}"));
                let pool = pool(workers);
                let mut held = Held::new();
                let threads = 2 * workers;
                let locks: Vec<Mutex<usize>> = (0..threads).map(Mutex::new).collect();
                let barrier = Barrier::new(threads);
                let guard = held.hold(&pool);
                thread::scope(|scope| {
                    for at in 0..threads {
                        let (pool, locks, barrier) = (&pool, &locks, &barrier);
                        scope.spawn(move || {
                            let _own = lock(&locks[at]);
                            barrier.wait();
                            let next = || locks.get(at + 1).map_or(threads, |next| *lock(next));
                            assert_eq!(pool.join(next, || at), (at + 1, at));
                        });
                    }
                });
                drop(guard);
                held.end();
            }
        }
    });
}

#[test]
fn more_threads_than_slots_for_guests() {
    // One lock for all. Whoever has it may have to wait for a slot, but no guest waits for the lock.
    with_deadline(100, || {
        for workers in [1, 2] {
            note(format!("{workers} workers"));
            let pool = pool(workers);
            let mutex = Arc::new(Mutex::new(0));
            let threads = 6 * workers;
            thread::scope(|scope| {
                for seed in 0..threads as u64 {
                    let (pool, mutex) = (&pool, &mutex);
                    scope.spawn(move || {
                        let mut rng = Rng(seed);
                        for _ in 0..30 {
                            let mutex = mutex.clone();
                            pool.spawn_detached(move || *lock(&mutex) += 1);
                        }
                        for _ in 0..30 {
                            let mut count = lock(mutex);
                            // About as long as others wait before they take theirs back.
                            let pause = Duration::from_micros(rng.below(500) * rng.below(10));
                            *count += pool.join(|| (spin(pause), 1).1, || fib(5)).0;
                            drop(count);
                            pool.join(|| spin(pause), || fib(5));
                        }
                    });
                }
            });
            pool.shutdown();
            assert_eq!(*lock(&mutex), threads * (30 + 30));
        }
    });
}

#[test]
fn workers_run_it_if_they_come() {
    // They are busy with one short piece after the other, and come to what is handed in when it has its turn.
    with_deadline(60, || {
        fn flood(mutex: Arc<Mutex<bool>>) {
            spin(Duration::from_micros(150));
            if !*lock(&mutex) {
                filch::spawn_detached(move || flood(mutex));
            }
        }
        support::at_best(5, "roots that waited for their turn", || {
            let pool = pool(1);
            let over = Arc::new(Mutex::new(false));
            for _ in 0..4 {
                let over = over.clone();
                pool.spawn_detached(|| flood(over));
            }
            let guests = (0..20).filter(|_| {
                // Until the worker is at it, also if it has lain down for a guest.
                thread::sleep(Duration::from_millis(2));
                pool.install(filch::current_thread_index) != Some(0)
            });
            let guests = guests.count();
            *lock(&over) = true;
            if guests <= 10 { Ok(()) } else { Err(format!("{guests} of 20 were taken back")) }
        });
    });
}

#[test]
fn panics_arrive_and_the_guest_leaves() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let pool = pool(workers);
            let mut held = Held::new();
            for round in 0..6 {
                let guard = held.hold(&pool);
                // More often than there are slots for guests.
                assert_eq!(catch(|| pool.join(|| plan(round), || fib(5))).unwrap_err(), round);
                assert_eq!(catch(|| pool.scope(|s| s.spawn(|_| plan(7)))).unwrap_err(), 7);
                assert_eq!(pool.join(|| 1, || 2), (1, 2));
                drop(guard);
            }
            held.end();
        }
    });
}

#[test]
fn a_pool_ends_beside_what_is_left_in_its_queue() {
    with_deadline(60, || {
        for workers in [1, 2] {
            for way in 0..3 {
                note(format!("{workers} workers, way {way}"));
                let pool = Arc::new(pool(workers));
                let mut held = Held::new();
                let guard = held.hold(&pool);
                assert_eq!(pool.install(|| fib(5)), 5);
                // The workers have not seen yet that this was taken back.
                let ends = pool.clone();
                let ender = thread::spawn(move || match way {
                    0 => ends.shutdown(),
                    1 => ends.shutdown_now(),
                    _ => drop(ends),
                });
                if way < 2 {
                    assert!(within(Duration::from_secs(20), || pool.try_spawn_cpu(|| ()).is_err()));
                    thread::sleep(Duration::from_millis(5));
                    assert!(!ender.is_finished(), "the closures hang on the lock");
                }
                drop(guard);
                ender.join().unwrap();
                drop(pool);
                if way != 1 {
                    held.end();
                }
            }
        }
    });
}

#[test]
fn beside_a_thread_that_is_a_worker_and_never_comes() {
    with_deadline(60, || {
        thread::spawn(|| {
            let pool = Pool::builder().workers(1).use_current_thread().build().unwrap();
            let handle = pool.handle().clone();
            let rounds = thread::spawn(move || {
                for round in 0..20 {
                    assert_eq!(handle.join(|| round, || fib(5)), (round, 5));
                }
            });
            rounds.join().unwrap();
            // What was left in the queue is no hindrance, be it for work or for the end.
            assert_eq!(pool.join(|| 1, || 2), (1, 2));
            assert_eq!(pool.block_on(async { filch::spawn(async { 3 }).await.unwrap() }), 3);
        })
        .join()
        .unwrap();
    });
}

#[test]
fn a_stopped_clock_stands_meanwhile_and_goes_on_afterwards() {
    use filch::time;
    const HOUR: Duration = Duration::from_secs(3600);
    with_deadline(60, || {
        for workers in [1, 2] {
            let pool = Pool::builder().workers(workers).start_paused(true).build().unwrap();
            let _entered = pool.enter();
            let mut held = Held::new();
            let guard = held.hold(&pool);
            let began = time::Instant::now();
            let sleeper = pool.spawn(time::sleep(HOUR));
            for _ in 0..3 {
                assert_eq!(pool.join(time::Instant::now, time::Instant::now), (began, began));
                assert_eq!(time::Instant::now(), began, "the workers are at work");
            }
            drop(guard);
            sleeper.join().unwrap();
            assert_eq!(time::Instant::now(), began + HOUR);
            held.end();
        }
    });
}

#[test]
fn without_any_thread_of_the_pool() {
    // The only test here that uses the global pool, of which there is one in a process.
    with_deadline(60, || {
        let refuse = |_| Err(io::Error::other("no thread for you"));
        Pool::builder().workers(2).spawn_handler(refuse).build_global().unwrap();
        let mutex = Mutex::new(0);
        let inside = Barrier::new(2);
        for _ in 0..5 {
            let guard = lock(&mutex);
            thread::scope(|scope| {
                scope.spawn(|| {
                    filch::scope(|_| {
                        // It has the only seat.
                        inside.wait();
                        *lock(&mutex) += 1;
                    });
                });
                inside.wait();
                let count = AtomicUsize::new(0);
                filch::scope(|s| (0..3).for_each(|_| s.spawn(|_| ignore(count.fetch_add(1, Ordering::Relaxed)))));
                assert_eq!(count.into_inner(), 3);
                drop(guard);
            });
        }
        assert_eq!(mutex.into_inner().unwrap(), 5);
    });
}
