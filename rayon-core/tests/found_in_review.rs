//! What a reading for defects has found: waits that run anything, unwinding, threads that end.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use rayon_core::{ThreadPool, ThreadPoolBuilder};
use support::with_deadline;

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

/// Runs a closure when it is dropped.
struct AtEnd<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Panics in the pool, and runs `in_drop` while the panic unwinds there.
fn unwinding(pool: &ThreadPool, in_drop: impl Fn() + Sync) {
    let result = panic::catch_unwind(AssertUnwindSafe(|| {
        pool.install(|| {
            let _at_end = AtEnd(&in_drop);
            panic::resume_unwind(Box::new("planned"));
        })
    }));
    assert_eq!(result.unwrap_err().downcast_ref(), Some(&"planned"));
}

#[test]
fn waits_while_a_panic_unwinds() {
    with_deadline(60, || {
        for threads in [1, 2, 4] {
            let pool = pool(threads);
            let runs = AtomicUsize::new(0);
            let count = || _ = runs.fetch_add(1, Ordering::Relaxed);
            unwinding(&pool, || rayon_core::scope(|s| s.spawn(|_| count())));
            assert_eq!(runs.swap(0, Ordering::Relaxed), 1);
            unwinding(&pool, || _ = rayon_core::broadcast(|_| count()));
            assert_eq!(runs.swap(0, Ordering::Relaxed), threads);
            unwinding(&pool, || _ = rayon_core::join(count, count));
            assert_eq!(runs.swap(0, Ordering::Relaxed), 2);
            // A job that panics there, and whose panic is caught there.
            unwinding(&pool, || {
                let inner =
                    panic::catch_unwind(|| rayon_core::scope(|s| s.spawn(|_| panic::resume_unwind(Box::new(1)))));
                assert_eq!(inner.unwrap_err().downcast_ref(), Some(&1));
                count();
            });
            assert_eq!(runs.swap(0, Ordering::Relaxed), 1);
        }
    });
}

#[test]
fn a_closure_that_runs_while_a_panic_unwinds_does_not_end_the_process() {
    with_deadline(60, || {
        let handled = Arc::new(AtomicUsize::new(0));
        let count = handled.clone();
        let handler = move |_| _ = count.fetch_add(1, Ordering::SeqCst);
        let pool = ThreadPoolBuilder::new().num_threads(1).panic_handler(handler).build().unwrap();
        for bad in [false, true] {
            unwinding(&pool, || {
                rayon_core::spawn(move || {
                    if bad {
                        panic::resume_unwind(Box::new("to the handler"));
                    }
                });
                assert_eq!(rayon_core::yield_local(), Some(rayon_core::Yield::Executed));
            });
        }
        assert_eq!(handled.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn the_only_thread_takes_its_own_second_arm_while_it_waits() {
    with_deadline(60, || {
        let (a, b) = (pool(1), pool(1));
        let (sender, receiver) = mpsc::channel();
        let receiver = Mutex::new(receiver);
        let wait = || receiver.lock().unwrap().recv().unwrap();
        a.install(|| rayon_core::join(|| b.install(wait), || sender.send(5).unwrap()));
        // And by a yield.
        let done = AtomicBool::new(false);
        let wait = || {
            while !done.load(Ordering::Relaxed) {
                rayon_core::yield_now();
            }
        };
        a.join(wait, || done.store(true, Ordering::Relaxed));
        done.store(false, Ordering::Relaxed);
        let wait = || {
            while !done.load(Ordering::Relaxed) {
                rayon_core::yield_local();
            }
        };
        a.join(wait, || done.store(true, Ordering::Relaxed));
    });
}

#[test]
fn indices_hold_when_the_current_thread_leaves() {
    with_deadline(60, || {
        // The thread ends.
        let build = || ThreadPoolBuilder::new().num_threads(3).use_current_thread().build().unwrap();
        let pool = thread::spawn(build).join().unwrap();
        let (sender, receiver) = mpsc::channel();
        for _ in 0..6 {
            let sender = sender.clone();
            pool.spawn(move || {
                thread::sleep(Duration::from_millis(20));
                sender.send(rayon_core::current_thread_index().unwrap()).unwrap();
            });
        }
        drop(sender);
        assert!(receiver.iter().all(|index| (1..3).contains(&index)));
        // The pool is dropped there, and work goes on.
        let (sender, receiver) = mpsc::channel();
        let (go, gone) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        thread::spawn(move || {
            let pool = ThreadPoolBuilder::new().num_threads(2).use_current_thread().build().unwrap();
            pool.spawn(move || {
                begin.send(()).unwrap();
                gone.recv().unwrap();
                for _ in 0..3 {
                    let sender = sender.clone();
                    rayon_core::spawn(move || sender.send(rayon_core::current_thread_index()).unwrap());
                }
                thread::sleep(Duration::from_millis(50));
            });
            begun.recv().unwrap();
            drop(pool);
            go.send(()).unwrap();
        });
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [Some(1); 3]);
    });
}

#[test]
fn what_a_thread_has_spawned_runs_before_what_is_broadcast_to_it() {
    with_deadline(60, || {
        let pool = pool(1);
        let (tell, told) = mpsc::channel();
        pool.install(|| {
            for _ in 0..3 {
                let tell = tell.clone();
                pool.spawn(move || tell.send("spawned").unwrap());
            }
            let at_once = tell.clone();
            pool.spawn_broadcast(move |_| at_once.send("broadcast").unwrap());
            // Nor does a wait change that.
            pool.in_place_scope(|s| s.spawn(|_| ()));
        });
        drop(tell);
        assert_eq!(told.iter().collect::<Vec<_>>(), ["spawned", "spawned", "spawned", "broadcast"]);
    });
}

#[test]
fn a_thread_that_ends_runs_what_was_broadcast_to_it() {
    with_deadline(60, || {
        let (give, given) = mpsc::channel::<Arc<ThreadPool>>();
        let (end, ended) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        let kept = thread::spawn(move || {
            let pool = ThreadPoolBuilder::new().num_threads(2).use_current_thread().build().unwrap();
            pool.spawn(move || {
                begin.send(()).unwrap();
                thread::sleep(Duration::from_millis(300));
            });
            begun.recv().unwrap();
            // In this thread's own queue.
            pool.spawn(|| ());
            give.send(Arc::new(pool)).unwrap();
            ended.recv().unwrap();
        });
        let pool = given.recv().unwrap();
        let caller = thread::spawn(move || pool.broadcast(|context| context.index()));
        thread::sleep(Duration::from_millis(50));
        end.send(()).unwrap();
        kept.join().unwrap();
        assert_eq!(caller.join().unwrap(), [0, 1]);
    });
}

/// A wait whose question may be answered only once was asked again after the answer, and waited for ever.
#[test]
fn block_on_beside_small_closures_is_woken() {
    with_deadline(100, || {
        let pool = Arc::new(pool(2));
        let place: Arc<Mutex<Option<Waker>>> = Arc::default();
        let (woken, over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let spin = |micros| {
            let since = Instant::now();
            while since.elapsed() < Duration::from_micros(micros) {
                std::hint::spin_loop();
            }
        };
        thread::scope(|s| {
            s.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    pool.spawn(|| ());
                    spin(40);
                }
            });
            s.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let waker = place.lock().unwrap().take();
                    if let Some(waker) = waker {
                        spin(60);
                        woken.store(true, Ordering::SeqCst);
                        waker.wake();
                    }
                    thread::yield_now();
                }
            });
            pool.install(|| {
                for _ in 0..3_000 {
                    woken.store(false, Ordering::SeqCst);
                    let mut first = true;
                    filch::block_on(std::future::poll_fn(|context| {
                        if std::mem::take(&mut first) {
                            *place.lock().unwrap() = Some(context.waker().clone());
                        }
                        if woken.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
                    }));
                }
            });
            over.store(true, Ordering::Relaxed);
        });
    });
}

/// With the wait of one on top of the other's, neither would end.
#[test]
fn tasks_that_block_for_each_other_do_not_nest() {
    with_deadline(100, || {
        for _ in 0..50 {
            let policy = filch::WaitPolicy::RunAnything;
            let pool = filch::Pool::builder().workers(2).wait_policy(policy).build().unwrap();
            let set: Arc<OnceLock<()>> = Arc::default();
            let first = set.clone();
            let first = pool.spawn(async move {
                filch::block_on(filch::time::sleep(Duration::from_millis(2)));
                first.set(()).unwrap();
            });
            let others = [(); 2].map(|()| {
                let set = set.clone();
                let until_set = async move {
                    while set.get().is_none() {
                        filch::time::sleep(Duration::from_micros(100)).await;
                    }
                };
                pool.spawn(async move { filch::block_on(until_set) })
            });
            first.join().unwrap();
            for task in others {
                task.join().unwrap();
            }
        }
        // Many at once: they wait on threads that are bounded in number, or run others there, but not ever deeper.
        let policy = filch::WaitPolicy::RunAnything;
        let pool = filch::Pool::builder().workers(2).wait_policy(policy).build().unwrap();
        let nap = || async { filch::block_on(filch::time::sleep(Duration::from_millis(100))) };
        let tasks: Vec<_> = (0..2_000).map(|_| pool.spawn(nap())).collect();
        tasks.into_iter().for_each(|task| task.join().unwrap());
    });
}

/// Each item's wait may take the rest of the loop along, but not ever deeper.
#[test]
fn loops_whose_bodies_yield_or_wait_do_not_nest_without_end() {
    with_deadline(100, || {
        use filch::iter::{IntoParallelIterator, ParallelIterator};
        let body = |i: u32| {
            filch::yield_now();
            rayon_core::yield_local();
            u64::from(i)
        };
        for policy in [filch::WaitPolicy::Leapfrog, filch::WaitPolicy::RunAnything] {
            let pool = filch::Pool::builder().workers(1).wait_policy(policy).build().unwrap();
            let sum: u64 = pool.install_on_worker(|| (0..100_000u32).into_par_iter().map(body).sum());
            assert_eq!(sum, 4_999_950_000);
            let all: Vec<u64> = pool.install_on_worker(|| (0..10_000u32).into_par_iter().map(body).collect());
            assert!(all.into_iter().eq(0..10_000));
            let other = filch::Pool::builder().workers(1).wait_policy(policy).build().unwrap();
            let wait = |i: u32| other.install_on_worker(|| u64::from(i));
            let sum: u64 = pool.install_on_worker(|| (0..5_000u32).into_par_iter().map(wait).sum());
            assert_eq!(sum, 12_497_500);
        }
    });
}
