//! Tasks whose polls are long: the express lane leaves them to the workers, without leaving them alone.

mod support;

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use filch::{JoinHandle, Pool};
use support::{Drops, alone, occupy, pool, with_deadline, within};

/// Computes for so long, at least on a core of its own.
fn compute(time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// A task with one long poll. All are of one kind.
fn long_task(pool: &Pool, done: &Arc<AtomicUsize>) -> JoinHandle<()> {
    let done = done.clone();
    pool.spawn(async move {
        compute(Duration::from_millis(2));
        done.fetch_add(1, SeqCst);
    })
}

/// Lets the pool know of that kind: all workers must be occupied.
fn make_known(pool: &Pool) {
    let done = Arc::default();
    // Another process may have the core for the length of a poll, which is short then.
    for _ in 0..5 {
        long_task(pool, &done).join().unwrap();
    }
}

const TASKS: usize = 150;

/// How many polls the lane takes of so many tasks of that kind, beside closures that occupy all workers.
fn polls_on_the_lane(workers: usize) -> u64 {
    let pool = Arc::new(pool(workers));
    let over = Arc::new(AtomicBool::new(false));
    // Closures, as many as there are workers at a time.
    fn again(pool: Arc<Pool>, over: Arc<AtomicBool>) {
        pool.clone().spawn_detached(move || {
            compute(Duration::from_millis(5));
            if !over.load(SeqCst) {
                again(pool, over);
            }
        });
    }
    (0..workers).for_each(|_| again(pool.clone(), over.clone()));
    let done = Arc::new(AtomicUsize::new(0));
    let before = pool.stats().express_polls;
    for n in 0..TASKS {
        drop(long_task(&pool, &done));
        // Some at once, some one by one.
        if n % 3 == 0 {
            std::thread::sleep(Duration::from_millis(3));
        }
    }
    assert!(within(Duration::from_secs(60), || done.load(SeqCst) == TASKS));
    let polls = pool.stats().express_polls - before;
    over.store(true, SeqCst);
    assert!(polls > 0, "the lane does not know them before it has polled one");
    polls
}

#[test]
fn the_lane_leaves_them_to_the_workers() {
    let _alone = alone();
    with_deadline(240, || {
        for workers in [1, 2] {
            // Beside other processes a poll that has waited for a core may be taken for a short one.
            let few = (0..3).any(|_| polls_on_the_lane(workers) < TASKS as u64 / 3);
            assert!(few, "the lane has polled a third of them and more, with {workers} workers");
        }
    });
}

#[test]
fn they_do_not_hold_up_short_ones() {
    let _alone = alone();
    with_deadline(120, || {
        for workers in [1, 2] {
            let pool = pool(workers);
            let held = occupy(&pool);
            make_known(&pool);
            let done = Arc::new(AtomicUsize::new(0));
            let long: Vec<_> = (0..40).map(|_| long_task(&pool, &done)).collect();
            let begun = Instant::now();
            for n in 0..100 {
                assert_eq!(pool.spawn(async move { n }).join().unwrap(), n);
            }
            let (took, meanwhile) = (begun.elapsed(), done.load(SeqCst));
            assert!(meanwhile < 40, "all long ones have come first, in {took:?}");
            held.set();
            long.into_iter().for_each(|task| task.join().unwrap());
        }
    });
}

#[test]
fn they_are_not_left_alone_when_all_workers_wait_for_them() {
    with_deadline(120, || {
        for workers in [1, 2] {
            let pool = pool(workers);
            let held = occupy(&pool);
            make_known(&pool);
            held.set();
            // A closure on each worker waits, without a word to the pool, for what long tasks do.
            let (come, gone) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let waits: Vec<_> = (0..workers)
                .map(|_| {
                    let (come, gone) = (come.clone(), gone.clone());
                    pool.spawn_cpu(move || {
                        come.fetch_add(1, SeqCst);
                        assert!(within(Duration::from_secs(60), || gone.load(SeqCst) == 8));
                    })
                })
                .collect();
            assert!(within(Duration::from_secs(20), || come.load(SeqCst) == workers));
            let tasks: Vec<_> = (0..8).map(|_| long_task(&pool, &gone)).collect();
            tasks.into_iter().for_each(|task| task.join().unwrap());
            waits.into_iter().for_each(|wait| wait.join().unwrap());
        }
    });
}

#[test]
fn a_pool_ends_with_them() {
    with_deadline(120, || {
        for round in 0..20 {
            for workers in [1, 2] {
                let pool = pool(workers);
                let held = occupy(&pool);
                make_known(&pool);
                let drops = Drops::default();
                let done = Arc::default();
                let spawn = |_| {
                    let token = drops.token();
                    let inner = long_task(&pool, &done);
                    pool.spawn(async move {
                        let _token = token;
                        inner.await
                    })
                };
                let handles: Vec<_> = (0..20).map(spawn).collect();
                let end =
                    std::thread::spawn(move || if round % 2 == 0 { pool.shutdown() } else { pool.shutdown_now() });
                if round % 3 == 0 {
                    std::thread::sleep(Duration::from_millis(1));
                }
                held.set();
                end.join().unwrap();
                for handle in handles {
                    // Done or cancelled, but not lost.
                    assert!(!matches!(handle.join(), Err(error) if error.is_panic()));
                }
                drops.assert_all_dropped("captures");
            }
        }
    });
}

/// Boxed futures are one kind, the long ones and the short ones.
#[test]
fn short_ones_of_the_same_kind_are_not_left_to_the_workers() {
    let _alone = alone();
    with_deadline(120, || {
        const TASKS: usize = 200;
        for workers in [1, 2] {
            // On a busy machine a try may fail for want of a core.
            let slow = (0..3).map(|_| short_ones_that_wait(&pool(workers), TASKS)).find(|&slow| slow < TASKS / 8);
            assert!(slow.is_some(), "most short ones have waited, with {workers} workers");
        }
    });
}

/// One task a millisecond beside closures that do not end. All are of one kind, and every second one is long: how many
/// of the others wait.
fn short_ones_that_wait(pool: &Pool, tasks: usize) -> usize {
    let held = occupy(pool);
    let slow = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..tasks)
        .map(|n| {
            std::thread::sleep(Duration::from_millis(1));
            let (slow, begun) = (slow.clone(), Instant::now());
            let task: Pin<Box<dyn Future<Output = ()> + Send>> = if n % 2 == 0 {
                Box::pin(async { compute(Duration::from_millis(1)) })
            } else {
                Box::pin(async move {
                    slow.fetch_add(usize::from(begun.elapsed() > Duration::from_millis(10)), SeqCst);
                })
            };
            pool.spawn(task)
        })
        .collect();
    tasks.into_iter().for_each(|task| task.join().unwrap());
    held.set();
    slow.load(SeqCst)
}

#[test]
fn who_comes_later_does_not_wait_for_a_poll_on_the_lane() {
    let _alone = alone();
    with_deadline(120, || {
        for workers in [1, 2] {
            let pool = pool(workers);
            let held = occupy(&pool);
            let (tell, told) = mpsc::channel();
            let (go, wait): (Vec<_>, Vec<_>) = (0..workers).map(|_| mpsc::channel::<()>()).unzip();
            // As many as there are workers: one thread of the lane is left.
            let blocked: Vec<_> = wait
                .into_iter()
                .map(|wait| {
                    let tell = tell.clone();
                    let task = pool.spawn(async move {
                        tell.send(()).unwrap();
                        wait.recv().unwrap();
                    });
                    // Each gets a thread, though those before it go on.
                    assert!(within(Duration::from_secs(20), || {
                        drop(pool.spawn(async {}));
                        told.try_recv().is_ok()
                    }));
                    task
                })
                .collect();
            let done = Arc::new(AtomicUsize::new(0));
            assert!(within(Duration::from_secs(20), || {
                let later = done.clone();
                drop(pool.spawn(async move { later.fetch_add(1, SeqCst) }));
                done.load(SeqCst) > 0
            }));
            go.iter().for_each(|go| go.send(()).unwrap());
            blocked.into_iter().for_each(|task| task.join().unwrap());
            // The lane has one thread on duty again, and is as quick as before.
            for n in 0..100 {
                assert_eq!(pool.spawn(async move { n }).join().unwrap(), n);
            }
            held.set();
        }
    });
}

/// Nobody but the one task that comes late could tell that the lane is held up.
#[test]
fn one_task_that_comes_late_relieves_a_blocked_poll() {
    let _alone = alone();
    with_deadline(120, || {
        for workers in [1, 2] {
            let pool = pool(workers);
            let held = occupy(&pool);
            for _ in 0..3 {
                let (begun, go) = (Arc::new(AtomicBool::new(false)), mpsc::channel::<()>());
                let (set, (send, receive)) = (begun.clone(), go);
                let blocked = pool.spawn(async move {
                    set.store(true, SeqCst);
                    receive.recv().unwrap();
                });
                assert!(within(Duration::from_secs(20), || begun.load(SeqCst)));
                std::thread::sleep(Duration::from_millis(60));
                pool.spawn(async move { send.send(()).unwrap() }).join().unwrap();
                blocked.join().unwrap();
            }
            held.set();
        }
    });
}
