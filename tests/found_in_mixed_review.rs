//! Defects that a reading of sections, priorities and claims found, each as the program that showed it.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use filch::task::Builder;
use filch::{Pool, Priority};
use support::{spin, with_deadline, within};

fn halves(depth: u32, on: &AtomicBool) {
    if !on.load(Ordering::Relaxed) {
        return;
    }
    if depth == 0 {
        return spin(Duration::from_micros(20));
    }
    filch::join(|| halves(depth - 1, on), || halves(depth - 1, on));
}

/// 400 normal closures and a background closure that does nothing but joins, on one worker: the normal ones are done
/// soon, though the background closure has turns.
fn batch(background_first: bool) {
    with_deadline(60, move || {
        let _alone = support::alone();
        let pool = support::pool(1);
        let on = Arc::new(AtomicBool::new(true));
        let done = Arc::new(AtomicUsize::new(0));
        let inner = on.clone();
        let joins = move || {
            while inner.load(Ordering::Relaxed) {
                halves(14, &inner);
            }
        };
        let spawn = || Builder::new().pool(&pool).priority(Priority::Background).spawn_cpu(joins.clone());
        let mut background = None;
        if background_first {
            background = Some(spawn());
            std::thread::sleep(Duration::from_millis(20));
        }
        for _ in 0..400 {
            let done = done.clone();
            pool.spawn_detached(move || {
                spin(Duration::from_millis(1));
                done.fetch_add(1, Ordering::Relaxed);
            });
        }
        let background = background.unwrap_or_else(spawn);
        assert!(within(Duration::from_secs(20), || done.load(Ordering::Relaxed) == 400), "{done:?} of 400");
        on.store(false, Ordering::Relaxed);
        background.join().unwrap();
    });
}

#[test]
fn normal_work_beside_a_background_closure_that_was_due() {
    batch(false);
}

#[test]
fn normal_work_beside_a_background_closure_that_had_begun() {
    batch(true);
}

struct Blocks(AtomicBool, Waker);
impl Wake for Blocks {
    fn wake(self: Arc<Self>) {
        if !self.0.swap(true, Ordering::SeqCst) {
            filch::block_on(filch::spawn_blocking(|| std::thread::sleep(Duration::from_millis(50)))).unwrap();
        }
        self.1.wake_by_ref();
    }
}

#[test]
fn a_waker_that_waits_in_a_bed() {
    with_deadline(20, || {
        let pool = support::pool(1);
        let (tx, rx) = std::sync::mpsc::channel();
        pool.spawn_detached(move || {
            let mut sleep = Box::pin(filch::time::sleep(Duration::from_millis(20)));
            let mut blocks = None;
            filch::block_on(std::future::poll_fn(move |cx| {
                let w =
                    blocks.get_or_insert_with(|| Arc::new(Blocks(AtomicBool::new(false), cx.waker().clone()))).clone();
                let w = Waker::from(w);
                match std::future::Future::poll(sleep.as_mut(), &mut Context::from_waker(&w)) {
                    Poll::Ready(_) => Poll::Ready(()),
                    Poll::Pending => Poll::Pending,
                }
            }));
            tx.send(()).unwrap();
        });
        rx.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(within(Duration::from_secs(5), || (1..10).contains(&pool.stats().idle_threads)), "{:?}", pool.stats());
    });
}

#[test]
fn a_kept_pool_is_dropped_in_a_section() {
    with_deadline(20, || {
        let ran = Arc::new(AtomicUsize::new(0));
        let pool = Pool::builder().workers(1).use_current_thread().build().unwrap();
        let r = ran.clone();
        filch::blocking(move || {
            for _ in 0..200 {
                let r = r.clone();
                pool.spawn_detached(move || {
                    spin(Duration::from_millis(1));
                    r.fetch_add(1, Ordering::Relaxed);
                });
            }
            drop(pool);
        });
        assert!(within(Duration::from_secs(10), || ran.load(Ordering::Relaxed) == 200));
    });
}

#[test]
fn a_kept_pool_is_dropped_in_block_on_in_a_section() {
    with_deadline(20, || {
        let pool = Pool::builder().workers(1).use_current_thread().build().unwrap();
        filch::blocking(move || filch::block_on(async move { drop(pool) }));
    });
}

#[test]
fn a_worker_taken_into_a_section_of_background_work() {
    with_deadline(40, || {
        let pool = support::pool(1);
        let on = Arc::new(AtomicBool::new(true));
        let on2 = on.clone();
        let bg = Builder::new().pool(&pool).priority(Priority::Background).spawn_cpu(move || {
            filch::with_worker(|w| {
                filch::blocking(|| {
                    let end = Instant::now();
                    while end.elapsed() < Duration::from_secs(3) && on2.load(Ordering::Relaxed) {
                        filch::scope(|_| spin(Duration::from_micros(2000)));
                        w.join(|_| spin(Duration::from_micros(10)), |_| ());
                    }
                })
            })
        });
        std::thread::sleep(Duration::from_millis(20));
        let most = Arc::new(AtomicUsize::new(0));
        let running = Arc::new(AtomicUsize::new(0));
        for _ in 0..50 {
            let (most, running) = (most.clone(), running.clone());
            pool.spawn_detached(move || {
                most.fetch_max(1 + running.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(5));
                running.fetch_sub(1, Ordering::SeqCst);
            });
            std::thread::sleep(Duration::from_millis(1));
        }
        bg.join().unwrap();
        assert_eq!(most.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn an_exit_handler_that_blocks() {
    with_deadline(20, || {
        let seen = Arc::new(AtomicUsize::new(0));
        let s2 = seen.clone();
        let pool = Pool::builder()
            .workers(1)
            .exit_handler(move |_| {
                filch::blocking(|| std::thread::sleep(Duration::from_millis(5)));
                s2.fetch_add(1, Ordering::SeqCst);
            })
            .build()
            .unwrap();
        pool.install_on_worker(|| ());
        pool.shutdown();
        assert_eq!(pool.stats().panics, 0);
    });
}

#[test]
fn a_report_from_a_section_goes_to_its_pool() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("planned: capture");
            }
        }
    }
    with_deadline(20, || {
        let pool = Arc::new(support::pool(1));
        let p2 = pool.clone();
        let n = pool.spawn_cpu(move || {
            let capture = Panics;
            let handle = p2.spawn_cpu(move || {
                let _c = &capture;
            });
            filch::blocking(|| drop(handle));
        });
        n.join().unwrap();
        assert_eq!(pool.stats().panics, 1);
    });
}
