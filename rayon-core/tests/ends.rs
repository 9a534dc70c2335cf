//! How pools begin and end.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use rayon_core::{ThreadBuilder, ThreadPoolBuilder};
use support::{with_deadline, within};

fn soon(done: impl FnMut() -> bool) -> bool {
    within(Duration::from_secs(20), done)
}

/// Counts starts and ends.
#[derive(Clone, Default)]
struct Counts {
    started: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
}

impl Counts {
    fn builder(&self, threads: usize) -> ThreadPoolBuilder {
        let (started, ended) = (self.started.clone(), self.ended.clone());
        ThreadPoolBuilder::new()
            .num_threads(threads)
            .start_handler(move |_| _ = started.fetch_add(1, Ordering::SeqCst))
            .exit_handler(move |_| _ = ended.fetch_add(1, Ordering::SeqCst))
    }

    fn get(&self) -> (usize, usize) {
        (self.started.load(Ordering::SeqCst), self.ended.load(Ordering::SeqCst))
    }

    /// Whether the handlers have been dropped, and with them all of the pool.
    fn are_alone(&self) -> bool {
        Arc::strong_count(&self.started) == 1 && Arc::strong_count(&self.ended) == 1
    }
}

fn join_a_lot(depth: u32) {
    if depth > 0 {
        rayon_core::join(|| join_a_lot(depth - 1), || join_a_lot(depth - 1));
    }
}

/// What rayon-core's own tests ask of its private state, seen from outside.
#[test]
fn all_threads_end_when_the_pool_is_dropped() {
    with_deadline(100, || {
        for sleepy in [false, true] {
            let counts = Counts::default();
            let pool = counts.builder(22).build().unwrap();
            pool.install(|| join_a_lot(12));
            if sleepy {
                thread::sleep(Duration::from_millis(300));
            }
            drop(pool);
            assert!(soon(|| counts.get() == (22, 22) && counts.are_alone()), "{:?}", counts.get());
        }
    });
}

#[test]
fn what_is_pending_keeps_a_dropped_pool() {
    with_deadline(60, || {
        let counts = Counts::default();
        let pool = counts.builder(1).build().unwrap();
        let (go, gone) = mpsc::channel::<()>();
        let (sender, receiver) = mpsc::channel();
        pool.spawn(move || {
            gone.recv().unwrap();
            // The pool has been dropped, and takes what its own closures spawn.
            rayon_core::spawn_fifo(move || sender.send(rayon_core::current_thread_index()).unwrap());
        });
        drop(pool);
        go.send(()).unwrap();
        assert_eq!(receiver.recv(), Ok(Some(0)));
        assert!(soon(|| counts.get() == (1, 1) && counts.are_alone()));
    });
}

#[test]
fn a_spawn_handler_that_fails_ends_the_threads_before() {
    with_deadline(60, || {
        let counts = Counts::default();
        let handles = Arc::new(Mutex::new(Vec::new()));
        let keep = handles.clone();
        let result = counts
            .builder(5)
            .spawn_handler(move |thread| {
                if thread.index() == 3 {
                    return Err(io::Error::other("no more"));
                }
                keep.lock().unwrap().push(thread::spawn(|| thread.run()));
                Ok(())
            })
            .build();
        assert_eq!(result.unwrap_err().to_string(), "no more");
        let handles = std::mem::take(&mut *handles.lock().unwrap());
        assert_eq!(handles.len(), 3);
        handles.into_iter().for_each(|handle| handle.join().unwrap());
        assert!(soon(|| counts.get() == (3, 3) && counts.are_alone()), "{:?}", counts.get());
    });
}

#[test]
fn a_spawn_handler_may_keep_a_thread_for_later() {
    with_deadline(60, || {
        let later: Mutex<Vec<ThreadBuilder>> = Mutex::default();
        let pool = ThreadPoolBuilder::new()
            .num_threads(2)
            .spawn_handler(|thread| {
                later.lock().unwrap().push(thread);
                Ok(())
            })
            .build()
            .unwrap();
        let (sender, receiver) = mpsc::channel();
        pool.spawn(move || sender.send(rayon_core::current_thread_index()).unwrap());
        assert!(receiver.recv_timeout(Duration::from_millis(50)).is_err(), "there is no thread to run it");
        let mut later = later.into_inner().unwrap();
        let second = later.pop().unwrap();
        let runner = thread::spawn(|| second.run());
        assert_eq!(receiver.recv(), Ok(Some(1)));
        // The other never runs at all.
        drop(later);
        drop(pool);
        runner.join().unwrap();
    });
}

#[test]
fn the_current_thread_alone_is_a_pool_without_threads() {
    with_deadline(60, || {
        let spawned = AtomicUsize::new(0);
        let pool = ThreadPoolBuilder::new()
            .num_threads(1)
            .use_current_thread()
            .spawn_handler(|_| {
                spawned.fetch_add(1, Ordering::SeqCst);
                Err(io::Error::other("it needs none"))
            })
            .build()
            .unwrap();
        assert_eq!(rayon_core::current_thread_index(), Some(0));
        let order = Mutex::new(Vec::new());
        pool.scope(|s| {
            (0..3).for_each(|i| {
                s.spawn({
                    let order = &order;
                    move |_| order.lock().unwrap().push(i)
                })
            })
        });
        assert_eq!(order.into_inner().unwrap(), [2, 1, 0]);
        let (a, b) = pool.join(rayon_core::current_num_threads, rayon_core::current_thread_index);
        assert_eq!((a, b), (1, Some(0)));
        pool.spawn(|| {});
        assert_eq!(pool.yield_local(), Some(rayon_core::Yield::Executed));
        assert_eq!(pool.yield_now(), Some(rayon_core::Yield::Idle));
        drop(pool);
        assert_eq!(spawned.load(Ordering::SeqCst), 0);
    });
}

#[test]
#[allow(deprecated)]
fn breadth_first_pools_run_the_oldest_first() {
    with_deadline(60, || {
        for breadth_first in [false, true] {
            let mut builder = ThreadPoolBuilder::new().num_threads(1);
            if breadth_first {
                builder = builder.breadth_first();
            }
            let order = Mutex::new(Vec::new());
            let pool = builder.build().unwrap();
            pool.scope(|s| {
                (0..5).for_each(|i| {
                    s.spawn({
                        let order = &order;
                        move |_| order.lock().unwrap().push(i)
                    })
                })
            });
            let order = order.into_inner().unwrap();
            assert_eq!(order, if breadth_first { [0, 1, 2, 3, 4] } else { [4, 3, 2, 1, 0] });
        }
    });
}

#[test]
fn absurd_counts_are_clamped() {
    with_deadline(60, || {
        let most = rayon_core::max_num_threads();
        for asked in [most, most + 1, usize::MAX] {
            // None of them ever runs.
            let kept: Mutex<Vec<ThreadBuilder>> = Mutex::default();
            let pool = ThreadPoolBuilder::new()
                .num_threads(asked)
                .spawn_handler(|thread| {
                    kept.lock().unwrap().push(thread);
                    Ok(())
                })
                .build()
                .unwrap();
            assert!(kept.lock().unwrap().iter().map(ThreadBuilder::index).eq(0..most));
            assert_eq!(pool.current_num_threads(), most);
        }
    });
}

#[test]
fn the_first_refusal_ends_it() {
    with_deadline(60, || {
        let asked = AtomicUsize::new(0);
        let refused = ThreadPoolBuilder::new()
            .num_threads(50)
            .spawn_handler(|_| {
                asked.fetch_add(1, Ordering::Relaxed);
                Err(io::Error::other("none at all"))
            })
            .build();
        assert_eq!(refused.unwrap_err().to_string(), "none at all");
        assert_eq!(asked.into_inner(), 1);
    });
}
