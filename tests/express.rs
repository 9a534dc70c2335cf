//! The express lane: tasks do not wait for closures.

mod support;

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use filch::Pool;
use filch::prelude::*;
use support::{Rng, alone, at_best, lock, pool, spin, with_deadline, within, yield_once};

/// Keeps every worker of the pool inside a closure until it is dropped.
struct Hogs(Arc<AtomicBool>);

impl Hogs {
    fn new(pool: &Pool) -> Hogs {
        let over = Arc::new(AtomicBool::new(false));
        let began = Arc::new(AtomicUsize::new(0));
        for _ in 0..pool.num_workers() {
            let (over, began) = (over.clone(), began.clone());
            pool.spawn_detached(move || {
                began.fetch_add(1, SeqCst);
                while !over.load(SeqCst) {
                    std::hint::spin_loop();
                }
            });
        }
        while began.load(SeqCst) < pool.num_workers() {
            std::thread::yield_now();
        }
        Hogs(over)
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

#[test]
fn a_task_from_outside_runs_beside_closures() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let pool = pool(workers);
            let hogs = Hogs::new(&pool);
            for n in 0..100 {
                assert_eq!(pool.spawn(async move { n }).join().unwrap(), n);
            }
            assert!(pool.stats().express_polls >= 100);
            drop(hogs);
        }
    });
}

#[test]
fn a_task_that_is_woken_again_and_again() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let pool = pool(workers);
            let hogs = Hogs::new(&pool);
            let place: Arc<Mutex<Option<Waker>>> = Arc::default();
            let polls = Arc::new(AtomicU64::new(0));
            let handle = pool.spawn({
                let (place, polls) = (place.clone(), polls.clone());
                poll_fn(move |context| {
                    *lock(&place) = Some(context.waker().clone());
                    if polls.fetch_add(1, SeqCst) == 200 { Poll::Ready(()) } else { Poll::Pending }
                })
            });
            while !handle.is_finished() {
                let seen = polls.load(SeqCst);
                if let Some(waker) = lock(&place).take() {
                    waker.wake();
                }
                while polls.load(SeqCst) == seen && !handle.is_finished() {
                    std::thread::yield_now();
                }
            }
            drop(hogs);
        }
    });
}

#[test]
fn tasks_spawned_by_the_closures_themselves() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let pool = Arc::new(pool(workers));
            let done = Arc::new(AtomicUsize::new(0));
            for _ in 0..workers {
                let (inner, done) = (pool.clone(), done.clone());
                pool.spawn_detached(move || {
                    let before = done.load(SeqCst);
                    let seen = done.clone();
                    drop(inner.spawn(async move {
                        yield_once().await;
                        seen.fetch_add(1, SeqCst);
                    }));
                    // Until it has run, elsewhere.
                    while done.load(SeqCst) == before {
                        std::hint::spin_loop();
                    }
                });
            }
            while done.load(SeqCst) < workers {
                std::thread::yield_now();
            }
        }
    });
}

#[test]
fn timers_beside_closures() {
    with_deadline(60, || {
        let _alone = alone();
        for workers in [1, 2] {
            let pool = pool(workers);
            // Before the closures begin, and while they run.
            let early = pool.spawn(filch::time::sleep(Duration::from_millis(300)));
            let hogs = Hogs::new(&pool);
            let ticks = pool.spawn(async {
                let mut worst = Duration::ZERO;
                for _ in 0..50 {
                    let began = Instant::now();
                    filch::time::sleep(Duration::from_millis(5)).await;
                    worst = worst.max(began.elapsed());
                }
                worst
            });
            let worst = ticks.join().unwrap();
            assert!(worst < Duration::from_millis(400), "{worst:?}");
            early.join().unwrap();
            drop(hogs);
        }
    });
}

#[test]
fn long_polls_do_not_hold_up_others() {
    with_deadline(60, || {
        let _alone = alone();
        for workers in [1, 2] {
            let pool = pool(workers);
            let over = Arc::new(AtomicBool::new(false));
            let began = Arc::new(AtomicUsize::new(0));
            for _ in 0..workers {
                let (over, began) = (over.clone(), began.clone());
                drop(pool.spawn(async move {
                    began.fetch_add(1, SeqCst);
                    while !over.load(SeqCst) {
                        std::hint::spin_loop();
                    }
                }));
            }
            while began.load(SeqCst) < workers {
                std::thread::yield_now();
            }
            for n in 0..20 {
                assert_eq!(pool.spawn(async move { n }).join().unwrap(), n);
            }
            over.store(true, SeqCst);
        }
    });
}

#[test]
fn fork_join_in_a_task_on_the_lane() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let pool = pool(workers);
            let over = Arc::new(AtomicBool::new(false));
            let rounds = Arc::new(AtomicUsize::new(0));
            // Closures that end and begin again, so that workers come to a boundary.
            fn again(pool: Arc<Pool>, over: Arc<AtomicBool>, rounds: Arc<AtomicUsize>) {
                pool.clone().spawn_detached(move || {
                    spin(Duration::from_micros(300));
                    rounds.fetch_add(1, SeqCst);
                    if !over.load(SeqCst) {
                        again(pool, over, rounds);
                    }
                });
            }
            let pool = Arc::new(pool);
            for _ in 0..2 * workers {
                again(pool.clone(), over.clone(), rounds.clone());
            }
            let tasks: Vec<_> = (0..20u64)
                .map(|n| {
                    pool.spawn(async move {
                        let (a, b) = filch::join(|| n, || n + 1);
                        yield_once().await;
                        let index = filch::current_thread_index().unwrap();
                        assert!(index < filch::max_num_threads());
                        a + b
                    })
                })
                .collect();
            for (n, task) in tasks.into_iter().enumerate() {
                assert_eq!(task.join().unwrap(), 2 * n as u64 + 1);
            }
            over.store(true, SeqCst);
            // The last Arc may be dropped on a worker.
            drop(pool);
        }
    });
}

/// Workers that sort wait for each other, and look for parts of their own sort meanwhile. With no lane each of the tasks
/// would wait for the end of a sort.
#[test]
fn a_task_is_joined_beside_sorts() {
    /// A chain of closures, each of which sorts.
    fn again(pool: Arc<Pool>, over: Arc<AtomicBool>, sorts: Arc<AtomicUsize>, mut random: Rng) {
        pool.clone().spawn_detached(move || {
            let mut numbers: Vec<u64> = (0..50_000).map(|_| random.next()).collect();
            numbers.par_sort_unstable();
            assert!(numbers.is_sorted());
            sorts.fetch_add(1, SeqCst);
            if !over.load(SeqCst) {
                again(pool, over, sorts, random);
            }
        });
    }
    with_deadline(120, || {
        let _alone = alone();
        for workers in [1, 2] {
            let pool = Arc::new(pool(workers));
            let (over, sorts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
            // The chains end when it is dropped, by a panic too.
            let hogs = Hogs(over.clone());
            for chain in 0..2 * workers as u64 {
                again(pool.clone(), over.clone(), sorts.clone(), Rng(chain));
            }
            at_best(5, "tasks beside sorts", || {
                let before = sorts.load(SeqCst);
                assert!(within(Duration::from_secs(20), || sorts.load(SeqCst) > before));
                let (before, polls) = (sorts.load(SeqCst), pool.stats().express_polls);
                for n in 0..100 {
                    assert_eq!(pool.spawn(async move { n }).join().unwrap(), n);
                }
                let (sorts, polls) = (sorts.load(SeqCst) - before, pool.stats().express_polls - polls);
                if sorts < 50 && polls > 50 { Ok(()) } else { Err(format!("{sorts} sorts, {polls} polls on the lane")) }
            });
            drop(hogs);
            // The last Arc may be dropped on a worker.
            drop(pool);
        }
    });
}

#[test]
fn a_poll_that_blocks_on_the_lane_does_not_block_the_others() {
    with_deadline(60, || {
        let pool = Pool::builder().workers(2).build().unwrap();
        let hogs = Hogs::new(&pool);
        let (send, receive) = futures::channel::oneshot::channel::<u32>();
        let first = pool.spawn(async move { filch::block_on(receive).unwrap() });
        let second = pool.spawn(async move { send.send(7).unwrap() });
        second.join().unwrap();
        assert_eq!(first.join().unwrap(), 7);
        drop(hogs);
    });
}

#[test]
fn panics_on_the_lane_are_contained() {
    with_deadline(60, || {
        let pool = pool(2);
        let hogs = Hogs::new(&pool);
        for _ in 0..10 {
            let handle = pool.spawn(async { panic!("on the lane") });
            assert!(handle.join().unwrap_err().is_panic());
        }
        assert_eq!(pool.spawn(async { 1 }).join().unwrap(), 1);
        drop(hogs);
    });
}

#[test]
fn shut_down_while_the_lane_runs() {
    with_deadline(120, || {
        for round in 0..50 {
            let pool = pool(1 + round % 2);
            let hogs = Hogs::new(&pool);
            let handles: Vec<_> = (0..20)
                .map(|_| {
                    pool.spawn(async {
                        loop {
                            yield_once().await;
                        }
                    })
                })
                .collect();
            let over = hogs.0.clone();
            let ender = std::thread::spawn(move || {
                spin(Duration::from_micros(200));
                over.store(true, SeqCst);
            });
            if round % 3 == 0 {
                pool.shutdown_now()
            } else {
                drop(pool)
            }
            for handle in handles {
                assert!(handle.join().unwrap_err().is_cancelled());
            }
            ender.join().unwrap();
        }
    });
}

#[test]
fn none_if_none_is_wanted() {
    with_deadline(60, || {
        let pool = Pool::builder().workers(1).express_lane(false).build().unwrap();
        let hogs = Hogs::new(&pool);
        let handle = pool.spawn(async {});
        std::thread::sleep(Duration::from_millis(20));
        assert!(!handle.is_finished());
        drop(hogs);
        handle.join().unwrap();
        assert_eq!(pool.stats().express_threads, 0);
    });
}

#[test]
fn hooks_and_names_of_its_threads() {
    with_deadline(60, || {
        let seen: Arc<Mutex<Vec<usize>>> = Arc::default();
        let ended: Arc<Mutex<Vec<usize>>> = Arc::default();
        let (starts, ends) = (seen.clone(), ended.clone());
        let pool = Pool::builder()
            .workers(1)
            .name("lane")
            .start_handler(move |index| lock(&starts).push(index))
            .exit_handler(move |index| lock(&ends).push(index))
            .build()
            .unwrap();
        let hogs = Hogs::new(&pool);
        let (index, name) = pool
            .spawn(async {
                (filch::current_thread_index().unwrap(), std::thread::current().name().unwrap_or_default().to_owned())
            })
            .join()
            .unwrap();
        assert!(index >= 1 && index < pool.max_num_threads());
        assert_eq!(name, format!("lane-{index}"));
        drop(hogs);
        drop(pool);
        assert!(lock(&seen).contains(&index));
        assert!(lock(&ended).contains(&index));
    });
}

/// Threads that only poll tasks have no use for the lane. (A thread that the system does not let run looks like one in
/// a long poll: then it is called.)
#[test]
fn not_used_by_tasks_alone() {
    with_deadline(120, || {
        let _alone = alone();
        let pool = pool(2);
        at_best(20, "the lane beside tasks alone", || {
            let before = pool.stats();
            let task = || async {
                for _ in 0..2_000 {
                    yield_once().await;
                }
            };
            let tasks: Vec<_> = (0..100).map(|_| pool.spawn(task())).collect();
            tasks.into_iter().for_each(|task| task.join().unwrap());
            let after = pool.stats();
            let polls = after.express_polls - before.express_polls;
            let calls = after.express_calls - before.express_calls;
            if polls < 100 && calls <= 1 { Ok(()) } else { Err(format!("{polls} of 200,000 polls, {calls} calls")) }
        });
    });
}
