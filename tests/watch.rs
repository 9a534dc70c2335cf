//! Whatever the threads of a pool are at, a fork does not stay alone beside a free seat: somebody keeps watch.

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use filch::Pool;
use filch::prelude::*;
use support::{Event, alone, fib, pool, with_deadline};

/// As long as a test waits for what should come in a millisecond.
const LONG: Duration = Duration::from_secs(20);

/// Whether the second arm of a `join` begins while the first waits for it.
fn is_found(begin: impl Fn() + Sync) -> bool {
    let begun = Event::default();
    let first = || {
        begin();
        begun.wait_for(LONG)
    };
    filch::join(first, || begun.set()).0
}

/// Has a worker wait for `block`, and then block until `end`.
fn block_one(pool: &filch::Handle, block: Event, end: Event) {
    let begun = Event::default();
    let at_work = begun.clone();
    pool.spawn_detached(move || {
        at_work.set();
        block.wait();
        filch::block_on(filch::spawn_blocking(move || end.wait())).unwrap();
    });
    begun.wait();
}

/// Has a worker be in a closure until `end`, without a word to the pool.
fn busy_one(pool: &filch::Handle, end: Event) {
    let begun = Event::default();
    let at_work = begun.clone();
    pool.spawn_detached(move || {
        at_work.set();
        end.wait();
    });
    begun.wait();
}

fn set() -> Event {
    let event = Event::default();
    event.set();
    event
}

/// Long enough for a thread to block, or to fall asleep.
fn a_while() {
    thread::sleep(Duration::from_millis(50));
}

#[test]
fn in_the_first_work_of_a_spare() {
    let _alone = alone();
    with_deadline(60, || {
        let (pool, end) = (pool(2), Event::default());
        for _ in 0..2 {
            block_one(&pool, set(), end.clone());
            a_while();
        }
        let (tx, found) = mpsc::channel();
        pool.spawn_detached(move || tx.send(is_found(|| ())).unwrap());
        assert!(found.recv().unwrap());
        end.set();
    });
}

#[test]
fn in_a_loop_whose_first_item_waits() {
    let _alone = alone();
    with_deadline(60, || {
        let (pool, block, end) = (pool(2), Event::default(), Event::default());
        block_one(&pool, block.clone(), end.clone());
        let found = pool.install_on_worker(|| {
            block.set();
            a_while();
            let begun = Event::default();
            let item = |i| {
                if i == 1 {
                    begun.set();
                }
                begun.wait_for(LONG)
            };
            (0..2).into_par_iter().map(item).collect::<Vec<bool>>()[0]
        });
        assert!(found);
        end.set();
    });
}

#[test]
fn with_more_workers_than_cores() {
    let _alone = alone();
    with_deadline(60, || {
        let workers = num_cpus::get() + 1;
        let (pool, block, end) = (pool(workers), Event::default(), Event::default());
        block_one(&pool, block.clone(), end.clone());
        for _ in 0..workers - 2 {
            busy_one(&pool, end.clone());
        }
        let found = pool.install_on_worker(|| {
            assert_eq!(fib(10), 55);
            is_found(|| block.set())
        });
        assert!(found);
        end.set();
    });
}

#[test]
fn when_the_idle_are_fast_asleep_and_a_guest_blocks() {
    let _alone = alone();
    with_deadline(60, || {
        let workers = num_cpus::get() + 1;
        let (pool, end) = (pool(workers), Event::default());
        for _ in 0..workers - 2 {
            busy_one(&pool, end.clone());
        }
        let (go, block, begun) = (Event::default(), Event::default(), Event::default());
        let (tx, found) = mpsc::channel();
        let (go2, block2, at_work) = (go.clone(), block.clone(), begun.clone());
        pool.spawn_detached(move || {
            at_work.set();
            go2.wait();
            assert_eq!(fib(10), 55);
            tx.send(is_found(|| block2.set())).unwrap();
        });
        begun.wait();
        thread::scope(|s| {
            let (pool, inside, end2) = (&pool, Event::default(), end.clone());
            let is_inside = inside.clone();
            s.spawn(move || {
                pool.install(|| {
                    is_inside.set();
                    block.wait();
                    filch::blocking(|| end2.wait());
                })
            });
            inside.wait();
            // The last worker has nothing to do, and ends its watch.
            a_while();
            go.set();
            let found = found.recv().unwrap();
            end.set();
            assert!(found);
        });
    });
}

#[test]
fn in_a_brief_loop_of_a_thread_outside() {
    let _alone = alone();
    with_deadline(60, || {
        let (global, end) = (filch::Handle::current(), Event::default());
        for _ in 0..global.current_num_threads() {
            block_one(&global, set(), end.clone());
            a_while();
        }
        let (waits, found, begun) = (AtomicBool::new(false), AtomicBool::new(false), Event::default());
        for round in 0..2_000 {
            waits.store(round == 1_999, Ordering::Relaxed);
            (0..8).into_par_iter().for_each(|i| {
                if waits.load(Ordering::Relaxed) {
                    match i {
                        0 => found.store(begun.wait_for(LONG), Ordering::Relaxed),
                        7 => begun.set(),
                        _ => {}
                    }
                }
            });
        }
        assert!(found.into_inner());
        end.set();
    });
}

/// A pool without express lane that counts its threads, and keeps idle spares for no time.
fn counted(workers: usize, begins: impl Fn() + Send + Sync + 'static) -> (Pool, Arc<AtomicUsize>) {
    let started = Arc::new(AtomicUsize::new(0));
    let count = started.clone();
    let begins = move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        begins();
    };
    let idle = filch::IdlePolicy::default().keep_alive(Duration::ZERO);
    let pool = Pool::builder().workers(workers).express_lane(false).idle_policy(idle).start_handler(begins).build();
    (pool.unwrap(), started)
}

/// A worker that blocks over and over does not start a thread each time.
#[test]
fn one_spare_is_enough_for_many_blocks() {
    let _alone = alone();
    with_deadline(60, || {
        let ((pool, started), end) = (counted(2, || ()), Event::default());
        busy_one(&pool, end.clone());
        pool.install_on_worker(|| (0..1_000).for_each(|_| filch::blocking(|| ())));
        let started = started.load(Ordering::Relaxed);
        assert!(started <= 5, "{started} threads for 1,000 blocks of one worker");
        end.set();
    });
}

/// The same while another one blocks, so that at times nobody works.
#[test]
fn one_spare_is_enough_for_many_blocks_beside_a_long_one() {
    let _alone = alone();
    with_deadline(60, || {
        let ((pool, started), end) = (counted(2, || ()), Event::default());
        let end2 = end.clone();
        pool.spawn_detached(|| filch::blocking(move || end2.wait()));
        a_while();
        let blocks = || (0..200).for_each(|_| filch::blocking(|| thread::sleep(Duration::from_millis(1))));
        // Another thread may have been away for long, and the spare's time over meanwhile: so the best of a few.
        let best = (0..5).map(|_| {
            let before = started.load(Ordering::Relaxed);
            pool.install_on_worker(blocks);
            started.load(Ordering::Relaxed) - before
        });
        let best = best.min().unwrap();
        assert!(best <= 20, "{best} threads for 200 blocks of one worker");
        end.set();
    });
}

/// A spare that takes its time to begin is not taken for one more that needs to be watched.
#[test]
fn no_spare_is_started_for_one_that_comes() {
    const WORKERS: usize = 12;
    let _alone = alone();
    with_deadline(60, || {
        let (begin, slow) = (Event::default(), Arc::new(AtomicBool::new(false)));
        let (begin2, slow2) = (begin.clone(), slow.clone());
        let begins = move || {
            if slow2.load(Ordering::Relaxed) {
                begin2.wait();
            }
        };
        let ((pool, started), end) = (counted(WORKERS, begins), Event::default());
        let blocks: Vec<Event> = (1..WORKERS).map(|_| Event::default()).collect();
        for block in &blocks {
            block_one(&pool, block.clone(), end.clone());
        }
        busy_one(&pool, end.clone());
        slow.store(true, Ordering::Relaxed);
        assert_eq!(started.load(Ordering::Relaxed), WORKERS);
        for block in &blocks {
            block.set();
            a_while();
        }
        let now = started.load(Ordering::Relaxed);
        begin.set();
        end.set();
        assert_eq!(now, WORKERS + 1);
    });
}

/// A pool that is done needs no watch, though the thread that was its worker 0 goes on.
#[test]
fn no_spare_is_started_for_a_pool_that_is_done() {
    let _alone = alone();
    with_deadline(60, || {
        let started = Arc::new(AtomicUsize::new(0));
        let count = started.clone();
        let counted = move |_| _ = count.fetch_add(1, Ordering::Relaxed);
        let pool = Pool::builder().workers(2).use_current_thread().start_handler(counted).build().unwrap();
        pool.shutdown();
        // One that ends may have been on its way when the pool was done.
        a_while();
        let before = started.load(Ordering::Relaxed);
        a_while();
        assert_eq!(started.load(Ordering::Relaxed), before);
        assert!(before <= 3, "{before} threads for a pool of two");
    });
}
