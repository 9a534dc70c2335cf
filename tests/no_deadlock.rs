//! Programs that deadlock elsewhere: locks held across `join`, pools that install into each other, `block_on` at every
//! depth, broadcasts from inside waits, crowds of foreign threads, more waits than there are spare threads. Each
//! must end before its deadline.

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use filch::{Pool, WaitPolicy};
use support::{Event, fib, lock, note, pool, spin, threads_named, with_deadline, within};

#[test]
fn a_lock_may_be_held_across_join() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            note(format!("{workers} workers"));
            let pool = pool(workers);
            let mutex = Mutex::new(0u64);
            for _ in 0..50 {
                pool.scope(|s| {
                    for _ in 0..8 {
                        s.spawn(|_| {
                            let mut sum = lock(&mutex);
                            // Long enough that the second arm is stolen, and that others come for the lock.
                            let (a, b) = filch::join(|| fib(10), || (spin(Duration::from_micros(100)), fib(10)).1);
                            *sum += a + b;
                        });
                    }
                });
            }
            assert_eq!(mutex.into_inner().unwrap(), 50 * 8 * 2 * 55);
        }
    });
}

/// A lock, and the thread that holds it.
#[derive(Default)]
struct Owned {
    lock: Mutex<()>,
    owner: Mutex<Option<thread::ThreadId>>,
}

impl Owned {
    fn hold<R>(&self, f: impl FnOnce() -> R) -> R {
        let _guard = lock(&self.lock);
        *lock(&self.owner) = Some(thread::current().id());
        let result = f();
        *lock(&self.owner) = None;
        result
    }

    /// Whether to take the lock here would be to wait for oneself.
    fn is_held_below(&self) -> bool {
        self.lock.try_lock().is_err() && *lock(&self.owner) == Some(thread::current().id())
    }
}

/// A closure holds a lock across a `join` whose second arm is stolen, while others that want the lock are queued on its
/// very thread. How many of those began on top of it, in how many rounds.
fn rivals_on_top_of_the_holder(policy: WaitPolicy, rounds: usize) -> usize {
    const RIVALS: usize = 8;
    let pool = Pool::builder().workers(2).wait_policy(policy).build().unwrap();
    let (shared, stolen) = (Arc::new(Owned::default()), AtomicUsize::new(0));
    let (on_top, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    for round in 0..rounds {
        note(format!("{policy:?}, round {round}"));
        let rival = || {
            let (shared, on_top, done) = (shared.clone(), on_top.clone(), done.clone());
            move || {
                if shared.is_held_below() {
                    // A deadlock, in a program that would now take the lock.
                    on_top.fetch_add(1, Ordering::SeqCst);
                } else {
                    shared.hold(|| ());
                }
                done.fetch_add(1, Ordering::SeqCst);
            }
        };
        let begun = Event::default();
        let hold = || {
            filch::join_context(
                |_| {
                    begun.wait();
                    for _ in 0..RIVALS / 2 {
                        filch::spawn_detached(rival());
                        let job = rival();
                        filch::spawn(async move { job() }).detach();
                    }
                },
                |context| {
                    stolen.fetch_add(usize::from(context.migrated()), Ordering::SeqCst);
                    begun.set();
                    thread::sleep(Duration::from_millis(20));
                },
            )
        };
        pool.install_on_worker(|| shared.hold(hold));
        assert!(within(Duration::from_secs(20), || done.load(Ordering::SeqCst) == RIVALS * (round + 1)));
    }
    assert_eq!(stolen.into_inner(), rounds, "a second arm that stays at home makes nobody wait");
    on_top.load(Ordering::SeqCst)
}

#[test]
fn a_lock_is_held_while_the_second_arm_is_stolen() {
    with_deadline(60, || {
        assert_eq!(rivals_on_top_of_the_holder(WaitPolicy::Leapfrog, 20), 0);
        // That this would show it: where waiting threads run anything, they run those who want the lock.
        assert!(rivals_on_top_of_the_holder(WaitPolicy::RunAnything, 5) >= 5);
    });
}

#[test]
fn a_lock_may_be_held_across_join_beside_detached_closures_and_tasks() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let pool = pool(workers);
            let mutex = Arc::new(Mutex::new(0u64));
            let holder = |mutex: Arc<Mutex<u64>>| {
                move || {
                    let mut sum = lock(&mutex);
                    let (a, b) = filch::join(|| fib(8), || (spin(Duration::from_micros(100)), fib(8)).1);
                    *sum += a + b;
                }
            };
            for _ in 0..200 {
                pool.spawn_detached(holder(mutex.clone()));
                pool.spawn_cpu(holder(mutex.clone())).detach();
                let job = holder(mutex.clone());
                let handle = pool.spawn(async move { job() });
                handle.detach();
            }
            // Tasks that have not run are cancelled by a shutdown; so ask for the sum instead.
            while *lock(&mutex) != 600 * 2 * 21 {
                thread::sleep(Duration::from_millis(1));
            }
        }
    });
}

#[test]
fn a_lock_may_be_held_across_a_scope_whose_jobs_detach_closures() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let pool = pool(workers);
            let mutex = Arc::new(Mutex::new(0u64));
            for _ in 0..10 {
                // More than a waiting thread looks through, on top of each job that has not begun.
                let job = || {
                    for _ in 0..100 {
                        let mutex = mutex.clone();
                        filch::spawn_detached(move || *lock(&mutex) += 1);
                    }
                    spin(Duration::from_micros(150));
                };
                pool.install(|| {
                    let _held = lock(&mutex);
                    filch::scope(|scope| (0..20).for_each(|_| scope.spawn(|_| job())));
                });
            }
            while *lock(&mutex) != 10 * 20 * 100 {
                thread::sleep(Duration::from_millis(1));
            }
        }
    });
}

#[test]
fn what_an_outer_scope_has_queued_stays_where_its_end_looks() {
    with_deadline(60, || {
        let pool = pool(2);
        let mutex = Arc::new(Mutex::new(0u64));
        let (outer_jobs, begun) = (AtomicUsize::new(0), AtomicBool::new(false));
        let from_outside = pool.handle().clone();
        pool.install(|| {
            let held = lock(&mutex);
            filch::scope(|outer| {
                filch::scope(|inner| {
                    inner.spawn(|_| {
                        begun.store(true, Ordering::SeqCst);
                        thread::sleep(Duration::from_millis(100));
                    });
                    while !begun.load(Ordering::SeqCst) {
                        thread::yield_now();
                    }
                    // Now another thread has it. These are passed over at the end of the inner scope.
                    (0..5).for_each(|_| outer.spawn(|_| _ = outer_jobs.fetch_add(1, Ordering::SeqCst)));
                    // All who come for more, now or later, wait for the lock.
                    let (mutex, handle) = (mutex.clone(), from_outside.clone());
                    let flood = move || {
                        (0..30).for_each(|_| {
                            let mutex = mutex.clone();
                            handle.spawn_detached(move || *lock(&mutex) += 1);
                        });
                    };
                    thread::spawn(flood).join().unwrap();
                });
            });
            drop(held);
        });
        assert_eq!(outer_jobs.into_inner(), 5);
        while *lock(&mutex) != 30 {
            thread::sleep(Duration::from_millis(1));
        }
    });
}

fn nest(depth: u64) -> u64 {
    if depth == 0 {
        return 1;
    }
    filch::block_on(async {
        let inner = filch::spawn_cpu(move || {
            let (a, b) = filch::join(|| 1, || fib(5));
            a + b
        });
        let (a, b) = filch::join(|| nest(depth - 1), || fib(8));
        a + b + inner.await.unwrap()
    })
}

#[test]
fn block_on_inside_join_inside_block_on() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            for policy in [WaitPolicy::Leapfrog, WaitPolicy::RunAnything] {
                note(format!("{workers} workers, {policy:?}"));
                let pool = Pool::builder().workers(workers).wait_policy(policy).build().unwrap();
                for _ in 0..20 {
                    assert_eq!(pool.install(|| nest(20)), 1 + 20 * (21 + 6));
                }
            }
        }
    });
}

fn nest_tasks(depth: u64) -> u64 {
    if depth == 0 {
        return 1;
    }
    // block_on inside a join inside a task inside block_on.
    filch::block_on(async move {
        filch::spawn(async move {
            let (a, b) = filch::join(move || nest_tasks(depth - 1), || filch::block_on(filch::spawn(async { 2 })));
            a + b.unwrap()
        })
        .await
        .unwrap()
    })
}

#[test]
fn block_on_inside_join_inside_task_inside_block_on() {
    with_deadline(100, || {
        for workers in [1, 2, 4] {
            for policy in [WaitPolicy::Leapfrog, WaitPolicy::RunAnything] {
                note(format!("{workers} workers, {policy:?}"));
                let pool = Pool::builder().workers(workers).wait_policy(policy).build().unwrap();
                for _ in 0..5 {
                    assert_eq!(pool.install(|| nest_tasks(20)), 41);
                }
            }
        }
    });
}

#[test]
fn broadcast_from_anywhere_inside() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            note(format!("{workers} workers"));
            let pool = pool(workers);
            let all = move || assert_eq!(filch::broadcast(|c| c.index()), (0..workers).collect::<Vec<_>>());
            for _ in 0..50 {
                pool.join(all, all);
                pool.scope(|s| (0..4).for_each(|_| s.spawn(move |_| all())));
                let handles: Vec<_> = (0..4).map(|_| pool.spawn(async move { all() })).collect();
                handles.into_iter().for_each(|handle| handle.join().unwrap());
                pool.broadcast(|_| filch::join(|| fib(5), || fib(5)));
            }
            // Broadcasts inside of broadcasts: each worker is in the middle of one, and runs the others' meanwhile.
            let count = AtomicUsize::new(0);
            pool.broadcast(|_| filch::broadcast(|_| count.fetch_add(1, Ordering::Relaxed)).len());
            assert_eq!(count.into_inner(), workers * workers);
        }
    });
}

fn scopes_and_joins(depth: u32, count: &AtomicUsize) {
    if depth == 0 {
        count.fetch_add(1, Ordering::Relaxed);
        return;
    }
    filch::scope(|s| {
        for _ in 0..2 {
            s.spawn(|_| {
                filch::join(|| scopes_and_joins(depth - 1, count), || scopes_and_joins(depth - 1, count));
            });
        }
    });
}

#[test]
fn scope_inside_join_inside_scope() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let pool = pool(workers);
            for _ in 0..10 {
                let count = AtomicUsize::new(0);
                pool.install(|| scopes_and_joins(6, &count));
                assert_eq!(count.into_inner(), 4usize.pow(6));
            }
        }
    });
}

#[test]
fn sixteen_foreign_threads_on_a_small_pool() {
    with_deadline(100, || {
        for workers in [1, 2] {
            note(format!("{workers} workers"));
            let pool = pool(workers);
            thread::scope(|threads| {
                for i in 0..16u64 {
                    let pool = &pool;
                    threads.spawn(move || {
                        for round in 0..200 {
                            match (i + round) % 7 {
                                0 => assert_eq!(pool.join(|| fib(9), || fib(8)), (34, 21)),
                                1 => assert_eq!(pool.install(|| fib(10)), 55),
                                2 => assert_eq!(pool.install_on_worker(|| fib(10)), 55),
                                3 => {
                                    let sum = AtomicUsize::new(0);
                                    pool.scope(|s| {
                                        (0..5).for_each(|i| {
                                            s.spawn({
                                                let sum = &sum;
                                                move |_| {
                                                    sum.fetch_add(i, Ordering::Relaxed);
                                                }
                                            })
                                        })
                                    });
                                    assert_eq!(sum.into_inner(), 10);
                                }
                                4 => assert_eq!(pool.broadcast(|_| 1).len(), workers),
                                5 => assert_eq!(pool.spawn_cpu(|| fib(9)).join().unwrap(), 34),
                                _ => assert_eq!(pool.block_on(async { filch::spawn(async { 5 }).await.unwrap() }), 5),
                            }
                        }
                    });
                }
            });
        }
    });
}

/// Each second arm is taken by another thread, which then waits for the next one's thief: so all of them wait at once.
/// The first arms wait for that, as long as `patience` says.
fn stolen_waits(depth: u32, patience: Duration, stolen: &AtomicUsize, threads: &AtomicUsize) {
    if depth == 0 {
        threads.fetch_max(threads_named("waits"), Ordering::Relaxed);
        spin(Duration::from_millis(1));
        return;
    }
    let begun = AtomicBool::new(false);
    filch::join_context(
        |_| {
            let began = Instant::now();
            while !begun.load(Ordering::Relaxed) && began.elapsed() < patience {
                thread::yield_now();
            }
        },
        |context| {
            begun.store(true, Ordering::Relaxed);
            stolen.fetch_add(usize::from(context.migrated()), Ordering::Relaxed);
            stolen_waits(depth - 1, patience, stolen, threads);
        },
    );
}

#[test]
fn six_hundred_stolen_waits_at_once() {
    with_deadline(100, || {
        for (workers, policy) in [(2, WaitPolicy::Leapfrog), (4, WaitPolicy::Leapfrog), (2, WaitPolicy::RunAnything)] {
            note(format!("{workers} workers, {policy:?}"));
            let pool =
                Pool::builder().workers(workers).wait_policy(policy).name("waits").stack_size(8 << 20).build().unwrap();
            let most = AtomicUsize::new(0);
            // As long as it takes: a first arm that is left alone would wait until the deadline.
            let stolen = AtomicUsize::new(0);
            pool.install_on_worker(|| stolen_waits(600, Duration::MAX, &stolen, &most));
            assert_eq!(stolen.into_inner(), 600);
            // Two more beside each other, with other work about. Where both are in a first arm there is no seat for a
            // thief, so these must not wait for ever.
            pool.scope(|s| {
                for _ in 0..2 {
                    s.spawn(|_| stolen_waits(150, Duration::from_millis(3), &AtomicUsize::new(0), &most));
                }
                (0..100).for_each(|_| s.spawn(|_| assert_eq!(fib(10), 55)));
            });
            assert!(most.into_inner() <= 3 * workers, "more threads than workers and spares");
        }
    });
}

#[test]
fn more_blocked_closures_than_spares() {
    // Every closure blocks on one that is queued behind it: with all spares out, the waits must run it.
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            for policy in [WaitPolicy::Leapfrog, WaitPolicy::RunAnything] {
                note(format!("{workers} workers, {policy:?}"));
                let pool = Pool::builder().workers(workers).wait_policy(policy).build().unwrap();
                let ended = AtomicUsize::new(0);
                pool.scope(|s| {
                    for i in 0..100u64 {
                        let ended = &ended;
                        s.spawn(move |_| {
                            let handle = filch::spawn_cpu(move || fib(5) + i);
                            assert_eq!(filch::block_on(handle).unwrap(), 5 + i);
                            ended.fetch_add(1, Ordering::Relaxed);
                        });
                    }
                });
                assert_eq!(ended.into_inner(), 100);
                assert_eq!(pool.install(|| fib(12)), 144);
            }
        }
    });
}

fn blocked(depth: u64) -> u64 {
    if depth == 0 { 0 } else { 1 + filch::block_on(filch::spawn_cpu(move || blocked(depth - 1))).unwrap() }
}

#[test]
fn a_chain_of_blocked_closures_far_longer_than_the_spares() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let pool = pool(workers);
            assert_eq!(pool.install(|| blocked(60)), 60);
        }
    });
}
