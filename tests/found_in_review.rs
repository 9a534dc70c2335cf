//! Defects that reading the protocols has found, each as the smallest program that showed it.

mod support;

use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use filch::Pool;
use support::with_deadline;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn spin(n: u64) {
    let began = Instant::now();
    while began.elapsed() < ms(n) {
        std::hint::spin_loop();
    }
}

fn pool(workers: usize) -> Pool {
    Pool::builder().workers(workers).build().expect("a small pool")
}

/// The best of some tries: other programs share the cores.
fn soon_enough(limit: Duration, mut attempt: impl FnMut() -> Duration) {
    let tries: Vec<Duration> = (0..5).map(|_| attempt()).take_while(|took| *took > limit).collect();
    assert!(tries.len() < 5, "took {tries:?} each time, and should take less than {limit:?}");
}

/// A future that is ready once it has been opened.
#[derive(Default)]
struct Door {
    waker: Mutex<Option<Waker>>,
    open: AtomicBool,
}

impl Door {
    fn wait(&self) {
        filch::block_on(poll_fn(|context| {
            *self.waker.lock().unwrap() = Some(context.waker().clone());
            if self.open.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        }));
    }

    fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
        if let Some(waker) = self.waker.lock().unwrap().take() {
            waker.wake();
        }
    }
}

#[test]
fn a_broadcast_closure_may_wait_on_top_of_a_wait() {
    // It gave up a seat that the thread had given up already, and the count went below zero: nobody was woken again.
    with_deadline(30, || {
        let pool = pool(1);
        let doors: [Arc<Door>; 2] = Default::default();
        let door = doors[0].clone();
        pool.spawn_detached(move || door.wait());
        thread::sleep(ms(50));
        let door = doors[1].clone();
        pool.spawn_broadcast(move |_| door.wait());
        thread::sleep(ms(50));
        let (tx, rx) = mpsc::channel();
        pool.spawn_detached(move || tx.send(()).unwrap());
        rx.recv().unwrap();
        doors[1].open();
        doors[0].open();
        pool.shutdown();
    });
}

#[test]
fn the_watch_outlives_a_spare() {
    // A spare that died out of the middle of the idle list ended deep sleep, but nobody looked at the clock again.
    with_deadline(60, || {
        let policy = filch::IdlePolicy::default().keep_alive(ms(100));
        let pool = Pool::builder().workers(2).idle_policy(policy).build().unwrap();
        let begun = Arc::new(AtomicUsize::new(0));
        let blocked: Vec<_> = (0..2)
            .map(|_| {
                let begun = begun.clone();
                pool.spawn_cpu(move || {
                    begun.fetch_add(1, Ordering::SeqCst);
                    while begun.load(Ordering::SeqCst) < 2 {
                        thread::yield_now();
                    }
                    filch::block_on(filch::spawn_blocking(|| thread::sleep(ms(100)))).unwrap();
                })
            })
            .collect();
        thread::sleep(ms(20));
        let on_a_spare = pool.spawn_cpu(|| spin(150));
        for handle in blocked {
            handle.join().unwrap();
        }
        on_a_spare.join().unwrap();
        thread::sleep(ms(400));
        soon_enough(ms(150), || {
            thread::sleep(ms(50));
            let began = Instant::now();
            pool.join(|| spin(100), || spin(100));
            began.elapsed()
        });
    });
}

#[test]
fn a_join_after_a_long_wait_uses_both_cores() {
    with_deadline(60, || {
        let pool = pool(2);
        soon_enough(ms(150), || {
            pool.install(|| {
                filch::block_on(filch::spawn_blocking(|| thread::sleep(ms(100)))).unwrap();
                let began = Instant::now();
                filch::join(|| spin(100), || spin(100));
                began.elapsed()
            })
        });
    });
}

#[test]
fn a_seat_that_comes_free_late_serves_private_forks() {
    // Both seats taken when the watch ended; later one came free, and nobody looked at what the other thread held.
    with_deadline(60, || {
        let pool = Arc::new(pool(2));
        soon_enough(ms(300), || {
            thread::sleep(ms(50));
            let other = pool.clone();
            let guest = thread::spawn(move || other.install(|| spin(60)));
            let took = pool.install(|| {
                for _ in 0..2 {
                    spin(15);
                    (0..100).for_each(|_| {
                        filch::join(|| (), || ());
                    });
                }
                let began = Instant::now();
                filch::join(|| spin(200), || spin(200));
                began.elapsed()
            });
            guest.join().unwrap();
            took
        });
    });
}

#[test]
fn a_worker_that_blocks_where_no_spare_can_be_had_runs_the_work_itself() {
    with_deadline(30, || {
        let only_workers = |builder: filch::ThreadBuilder| {
            if builder.index() >= 1 {
                return Err(std::io::Error::other("no more threads"));
            }
            thread::spawn(move || builder.run());
            Ok(())
        };
        let pool = Pool::builder().workers(1).spawn_handler(only_workers).build().unwrap();
        let door = Arc::new(Door::default());
        let waited = door.clone();
        let handle = pool.spawn_cpu(move || waited.wait());
        while door.waker.lock().unwrap().is_none() {
            thread::yield_now();
        }
        thread::sleep(ms(20));
        pool.spawn_detached(move || door.open());
        handle.join().unwrap();
    });
}

#[test]
fn a_kept_threads_pool_cancels_its_tasks() {
    with_deadline(30, || {
        let pool = Pool::builder().workers(1).use_current_thread().build().unwrap();
        let handle = pool.spawn(pending::<()>());
        filch::yield_now();
        let awaiter = thread::spawn(move || handle.join().unwrap_err().is_cancelled());
        thread::sleep(ms(20));
        drop(pool);
        assert!(awaiter.join().unwrap());
    });
}

#[test]
fn a_kept_threads_pool_ends_though_a_task_wakes_itself() {
    with_deadline(30, || {
        let pool = Pool::builder().workers(1).use_current_thread().build().unwrap();
        pool.spawn(poll_fn(|context| -> Poll<()> {
            context.waker().wake_by_ref();
            Poll::Pending
        }))
        .detach();
        drop(pool);
    });
}

#[test]
fn a_kept_thread_that_ends_leaves_no_mail() {
    with_deadline(30, || {
        let (tx, rx) = mpsc::channel();
        let keeper = thread::spawn(move || {
            let pool = Pool::builder().workers(2).use_current_thread().build().unwrap();
            pool.spawn_broadcast(|_| ());
            tx.send(pool).unwrap();
        });
        let pool = rx.recv().unwrap();
        keeper.join().unwrap();
        pool.spawn_broadcast(|_| ());
        drop(pool);
    });
}

#[test]
fn a_refused_spawn_leaves_nothing_behind() {
    // It left a reserved entry, and the pool waited for a task that never was.
    with_deadline(30, || {
        let pool = Arc::new(pool(2));
        let (tx, rx) = mpsc::channel::<()>();
        pool.spawn_detached(move || rx.recv().unwrap());
        let other = pool.clone();
        let ending = thread::spawn(move || other.shutdown());
        while pool.try_spawn(async {}).is_ok() {
            thread::yield_now();
        }
        tx.send(()).unwrap();
        ending.join().unwrap();
    });
}

#[test]
fn a_join_around_a_scope_that_waits_gives_its_second_arm_away() {
    // Parked at the end of the scope, the thread kept the other arm of the join below to itself.
    with_deadline(60, || {
        let pool = pool(2);
        soon_enough(ms(160), || {
            pool.install(|| {
                let began = Instant::now();
                let taken = AtomicBool::new(false);
                let scope = || {
                    filch::scope(|s| {
                        s.spawn(|_| {
                            taken.store(true, Ordering::SeqCst);
                            spin(100);
                        });
                        while !taken.load(Ordering::SeqCst) {
                            std::hint::spin_loop();
                        }
                    });
                };
                filch::join(scope, || spin(100));
                began.elapsed()
            })
        });
    });
}
