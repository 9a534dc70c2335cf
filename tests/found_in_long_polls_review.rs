//! What a reading of the tasks with long polls has found: ways in which they, or others beside them, were left alone.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use filch::{JoinHandle, Pool, task};
use support::{alone, occupy, pool, with_deadline, within};

const LIMIT: Duration = Duration::from_secs(30);

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

/// Lets the pool know of that kind for the next second: all workers must be occupied.
fn make_known(pool: &Pool) {
    let done = Arc::default();
    (0..12).for_each(|_| long_task(pool, &done).join().unwrap());
}

/// A task that yields until it is told.
fn yielding(pool: &Pool, over: &Arc<AtomicBool>) -> JoinHandle<()> {
    let over = over.clone();
    pool.spawn(async move {
        while !over.load(SeqCst) {
            compute(Duration::from_micros(5));
            task::yield_now().await;
        }
    })
}

#[test]
fn a_poll_on_the_lane_that_blocks_for_a_long_task() {
    let _alone = alone();
    with_deadline(120, || {
        for workers in [1, 2] {
            let pool = Arc::new(pool(workers));
            let held = occupy(&pool);
            make_known(&pool);
            let done = Arc::new(AtomicUsize::new(0));
            let inner = (pool.clone(), done.clone());
            // All workers are held meanwhile.
            pool.spawn(async move { long_task(&inner.0, &inner.1).join() }).join().unwrap().unwrap();
            assert_eq!(done.load(SeqCst), 1);
            held.set();
        }
    });
}

#[test]
fn long_tasks_while_the_lane_has_no_rest() {
    let _alone = alone();
    with_deadline(120, || {
        for taken_by_a_worker in [false, true] {
            let pool = pool(1);
            let held = occupy(&pool);
            make_known(&pool);
            let (over, held_again) = (Arc::new(AtomicBool::new(false)), support::Event::default());
            let rest = taken_by_a_worker.then(|| {
                // The worker goes from closure to closure, and stays in the last.
                (0..5).for_each(|_| pool.spawn_detached(|| compute(Duration::from_millis(1))));
                let held_again = held_again.clone();
                pool.spawn_cpu(move || held_again.wait())
            });
            let busy = yielding(&pool, &over);
            let done = Arc::new(AtomicUsize::new(0));
            let tasks: Vec<_> = (0..8).map(|_| long_task(&pool, &done)).collect();
            if taken_by_a_worker {
                held.set();
            }
            tasks.into_iter().for_each(|task| task.join().unwrap());
            over.store(true, SeqCst);
            busy.join().unwrap();
            held.set();
            held_again.set();
            rest.into_iter().for_each(|closure| closure.join().unwrap());
        }
    });
}

#[test]
fn one_by_one_they_are_left_to_the_workers_too() {
    let _alone = alone();
    with_deadline(120, || {
        let pool = pool(1);
        let held = occupy(&pool);
        make_known(&pool);
        // A worker that comes every 2 ms or so.
        (0..400).for_each(|_| pool.spawn_detached(|| compute(Duration::from_millis(2))));
        held.set();
        let done = Arc::new(AtomicUsize::new(0));
        let before = pool.stats().express_polls;
        for n in 1..=8 {
            // Longer than the lane waits for a worker: that wait begins with the task.
            std::thread::sleep(Duration::from_millis(40));
            drop(long_task(&pool, &done));
            assert!(within(LIMIT, || done.load(SeqCst) == n));
        }
        let polls = pool.stats().express_polls - before;
        assert!(polls <= 4, "{polls} of 8 on the lane");
    });
}

#[test]
fn closures_beside_tasks_and_long_tasks() {
    let _alone = alone();
    with_deadline(120, || {
        const LONG: usize = 1_000;
        let pool = pool(1);
        let held = occupy(&pool);
        make_known(&pool);
        let done = Arc::new(AtomicUsize::new(0));
        let long: Vec<_> = (0..LONG).map(|_| long_task(&pool, &done)).collect();
        let over = Arc::new(AtomicBool::new(false));
        held.set();
        let busy: Vec<_> = (0..4).map(|_| yielding(&pool, &over)).collect();
        std::thread::sleep(Duration::from_millis(20));
        // From outside, and of the worker's own.
        for own in [false, true] {
            let closure = || ();
            if own {
                pool.spawn(async move { filch::spawn_cpu(closure).await.unwrap() }).join().unwrap();
            } else {
                pool.spawn_cpu(closure).join().unwrap();
            }
            assert!(done.load(SeqCst) < LONG, "a closure has waited for all long tasks");
        }
        over.store(true, SeqCst);
        busy.into_iter().chain(long).for_each(|task| task.join().unwrap());
    });
}

#[test]
fn where_workers_never_come_the_lane_loses_its_patience() {
    let _alone = alone();
    with_deadline(120, || {
        let pool = pool(2);
        let held = occupy(&pool);
        make_known(&pool);
        let done = Arc::new(AtomicUsize::new(0));
        let began = Instant::now();
        let tasks: Vec<_> = (0..500).map(|_| long_task(&pool, &done)).collect();
        tasks.into_iter().for_each(|task| task.join().unwrap());
        // 1 s of computing. With 5 ms of every 30 it would take 6 s.
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        // One at a time: with 25 ms before each it would take 8 s.
        let began = Instant::now();
        (0..300).for_each(|_| long_task(&pool, &done).join().unwrap());
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        held.set();
    });
}
