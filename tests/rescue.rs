//! A lock is held across a scope or a `join`, all who could come for the rest of it wait for that lock, and the rest
//! lies where the waiting thread itself has not put it.

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use filch::{Handle, Pool};
use support::{catch, lock, note, plan, pool, within};

fn with_deadline(secs: u64, body: impl FnOnce() + Send + 'static) {
    let _alone = support::alone();
    support::with_deadline(secs, body);
}

/// A lock, and closures that want it.
#[derive(Clone, Default)]
struct Wanted {
    mutex: Arc<Mutex<usize>>,
    made: Arc<AtomicUsize>,
}

impl Wanted {
    /// Detaches closures that wait for the lock.
    fn detach(&self, pool: &Handle, count: usize) {
        self.made.fetch_add(count, Ordering::SeqCst);
        for _ in 0..count {
            let mutex = self.mutex.clone();
            pool.spawn_detached(move || *lock(&mutex) += 1);
        }
    }

    /// The same, from outside of the pool.
    fn inject(&self, pool: &Handle, count: usize) {
        thread::scope(|s| _ = s.spawn(|| self.detach(pool, count)).join());
    }

    fn assert_all_run(&self) {
        let made = self.made.load(Ordering::SeqCst);
        assert!(within(Duration::from_secs(20), || *lock(&self.mutex) == made));
    }
}

fn wait_for(flag: &AtomicBool) {
    assert!(within(Duration::from_secs(20), || flag.load(Ordering::SeqCst)));
}

/// Another thread runs a job of the scope, which leaves jobs of the scope between `around` closures that want the lock.
fn left_elsewhere(pool: &Pool, around: usize) {
    let wanted = Wanted::default();
    let (begun, ran) = (AtomicBool::new(false), AtomicUsize::new(0));
    let from_outside = pool.handle().clone();
    pool.install_on_worker(|| {
        let held = lock(&wanted.mutex);
        filch::scope(|s| {
            s.spawn(|s| {
                begun.store(true, Ordering::SeqCst);
                let here = Handle::current();
                for _ in 0..3 {
                    wanted.detach(&here, around);
                    s.spawn(|s| {
                        ran.fetch_add(1, Ordering::SeqCst);
                        s.spawn(|_| _ = ran.fetch_add(1, Ordering::SeqCst));
                    });
                }
                wanted.detach(&here, around);
                // And for those who are woken when the waiting thread gives its seat up.
                wanted.inject(&from_outside, 10);
            });
            wait_for(&begun);
        });
        drop(held);
    });
    assert_eq!(ran.into_inner(), 6);
    wanted.assert_all_run();
}

#[test]
fn jobs_in_the_queue_of_a_thread_that_waits_for_the_lock() {
    with_deadline(60, || {
        for workers in [2, 3, 4] {
            for around in [1, 50, 3_000] {
                note(format!("{workers} workers, {around} around"));
                left_elsewhere(&pool(workers), around);
            }
        }
    });
}

/// What is found opens a scope of its own, whose jobs lie elsewhere in turn; and so on.
#[test]
fn searches_inside_of_searches() {
    with_deadline(60, || {
        let pool = pool(2);
        let wanted = Wanted::default();
        let (begun, ran) = (AtomicBool::new(false), AtomicUsize::new(0));
        let handle = pool.handle();
        fn nested(depth: usize, wanted: &Wanted, pool: &Handle, ran: &AtomicUsize) {
            ran.fetch_add(1, Ordering::SeqCst);
            if depth > 0 {
                filch::scope(|s| {
                    // Into the injector, between others.
                    thread::scope(|outside| {
                        outside.spawn(|| {
                            wanted.detach(pool, 5);
                            s.spawn(|_| nested(depth - 1, wanted, pool, ran));
                            wanted.detach(pool, 5);
                        });
                    });
                });
            }
        }
        pool.install_on_worker(|| {
            let held = lock(&wanted.mutex);
            filch::scope(|s| {
                s.spawn(|s| {
                    begun.store(true, Ordering::SeqCst);
                    wanted.detach(handle, 5);
                    s.spawn(|_| nested(4, &wanted, handle, &ran));
                    wanted.detach(handle, 5);
                    wanted.inject(handle, 10);
                });
                wait_for(&begun);
            });
            drop(held);
        });
        assert_eq!(ran.into_inner(), 5);
        wanted.assert_all_run();
    });
}

#[test]
fn jobs_of_a_fifo_scope() {
    with_deadline(60, || {
        let pool = pool(2);
        let wanted = Wanted::default();
        let (begun, ran) = (AtomicBool::new(false), AtomicUsize::new(0));
        pool.install_on_worker(|| {
            let held = lock(&wanted.mutex);
            filch::scope_fifo(|s| {
                s.spawn_fifo(|s| {
                    begun.store(true, Ordering::SeqCst);
                    wanted.detach(&Handle::current(), 20);
                    (0..10).for_each(|_| s.spawn_fifo(|_| _ = ran.fetch_add(1, Ordering::SeqCst)));
                    wanted.detach(&Handle::current(), 20);
                });
                wait_for(&begun);
            });
            drop(held);
        });
        assert_eq!(ran.into_inner(), 10);
        wanted.assert_all_run();
    });
}

#[test]
fn a_panic_of_such_a_job_arrives() {
    with_deadline(60, || {
        let pool = pool(2);
        let wanted = Wanted::default();
        let begun = AtomicBool::new(false);
        let result = pool.install_on_worker(|| {
            let _held = lock(&wanted.mutex);
            catch(|| {
                filch::scope(|s| {
                    s.spawn(|s| {
                        begun.store(true, Ordering::SeqCst);
                        wanted.detach(&Handle::current(), 20);
                        s.spawn(|_| plan(7));
                        wanted.detach(&Handle::current(), 20);
                    });
                    wait_for(&begun);
                });
            })
        });
        assert_eq!(result, Err(7));
        wanted.assert_all_run();
    });
}

/// What one thread's search puts into the injector another one's finds there.
#[test]
fn two_scopes_that_wait_for_one_another() {
    with_deadline(60, || {
        for _ in 0..5 {
            let pool = pool(4);
            let wanted = Wanted::default();
            let (begun, ran) = ([AtomicBool::new(false), AtomicBool::new(false)], AtomicUsize::new(0));
            let held = lock(&wanted.mutex);
            let job = |n: usize| {
                let (wanted, begun, ran) = (&wanted, &begun, &ran);
                move || {
                    filch::scope(|s| {
                        s.spawn(move |s| {
                            begun[n].store(true, Ordering::SeqCst);
                            wait_for(&begun[1 - n]);
                            let here = Handle::current();
                            for _ in 0..5 {
                                wanted.detach(&here, 5);
                                s.spawn(|_| _ = ran.fetch_add(1, Ordering::SeqCst));
                            }
                            wanted.detach(&here, 5);
                            wanted.inject(&here, 5);
                        });
                        wait_for(&begun[n]);
                    });
                }
            };
            thread::scope(|s| {
                let both = [s.spawn(|| pool.install_on_worker(job(0))), s.spawn(|| pool.install_on_worker(job(1)))];
                both.into_iter().for_each(|one| one.join().unwrap());
            });
            assert_eq!(ran.into_inner(), 10);
            drop(held);
            wanted.assert_all_run();
        }
    });
}

/// Somebody who waits at the end of a scope of his own has taken the second arm, seen that it is nothing for him, and
/// put it into the injector.
#[test]
fn a_second_arm_in_the_injector() {
    with_deadline(120, || {
        for round in 0..10 {
            note(format!("round {round}"));
            let pool = pool(3);
            let wanted = Wanted::default();
            let (in_join, in_scope) = (AtomicBool::new(false), AtomicBool::new(false));
            thread::scope(|s| {
                s.spawn(|| {
                    pool.install_on_worker(|| {
                        let held = lock(&wanted.mutex);
                        let first = || {
                            in_join.store(true, Ordering::SeqCst);
                            // Answers whoever asks for work.
                            let since = Instant::now();
                            while since.elapsed() < Duration::from_millis(30) {
                                filch::join(|| (), || ());
                            }
                        };
                        filch::join(first, || ());
                        drop(held);
                    });
                });
                wait_for(&in_join);
                s.spawn(|| {
                    pool.install_on_worker(|| {
                        filch::scope(|s| {
                            let (wanted, in_scope) = (&wanted, &in_scope);
                            s.spawn(move |_| {
                                in_scope.store(true, Ordering::SeqCst);
                                drop(lock(&wanted.mutex));
                            });
                            wait_for(in_scope);
                            wanted.inject(pool.handle(), 10);
                        });
                    });
                });
            });
            wanted.assert_all_run();
        }
    });
}

/// A search goes through the injector while two threads sleep; what it passes over still begins in order.
#[test]
fn the_order_of_closures_from_outside_stays() {
    with_deadline(60, || {
        let pool = pool(2);
        let (begun, order) = (AtomicBool::new(false), Arc::new(Mutex::new(Vec::new())));
        let sleep = || thread::sleep(Duration::from_millis(300));
        pool.install_on_worker(|| {
            filch::scope(|s| {
                s.spawn(|s| {
                    begun.store(true, Ordering::SeqCst);
                    thread::scope(|outside| {
                        outside.spawn(|| {
                            // For the thread that takes the seat of the one that waits.
                            pool.spawn_detached(sleep);
                            for n in 0..2_000 {
                                if n == 1_000 {
                                    s.spawn(|_| ());
                                }
                                let order = order.clone();
                                pool.spawn_fifo(move || lock(&order).push(n));
                            }
                        });
                    });
                    sleep();
                });
                wait_for(&begun);
            });
        });
        assert!(within(Duration::from_secs(20), || lock(&order).len() == 2_000));
        // A thread may be stopped in the midst of one, and overtaken by the others.
        let late = lock(&order).iter().enumerate().filter(|(at, n)| at.abs_diff(**n) > 100).count();
        assert!(late < 50, "{late} of them in another order");
    });
}
