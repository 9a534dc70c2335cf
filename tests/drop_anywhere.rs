//! A pool dropped in the strangest places: on its own workers, in its own tasks, scopes, blocking closures and
//! guests, on other pools' threads. The drop neither panics nor waits for itself, and every thread ends.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use filch::task::Builder;
use filch::{Pool, Priority, WaitPolicy};
use support::{Drops, assert_threads_end, fib, lock, note, pool, with_deadline};

/// A pool in a place from which anybody may take and drop it.
type Shelf = Arc<Mutex<Option<Pool>>>;

fn shelf(name: &str, workers: usize) -> Shelf {
    Arc::new(Mutex::new(Some(Pool::builder().workers(workers).name(name).build().unwrap())))
}

fn take(shelf: &Shelf) -> Pool {
    lock(shelf).take().expect("the pool is dropped once")
}

/// Drops the pool, and tells how that went.
fn drop_it(shelf: &Shelf, done: &mpsc::Sender<Duration>) {
    let began = Instant::now();
    drop(take(shelf));
    done.send(began.elapsed()).unwrap();
}

/// `arrange` brings about that the pool is dropped somewhere inside itself.
fn dropped_inside(name: &'static str, arrange: impl Fn(&Pool, Box<dyn FnOnce() + Send>) + Send + 'static) {
    with_deadline(30, move || {
        for workers in [1, 2, 4] {
            note(format!("{name}, {workers} workers"));
            let shelf = shelf(name, workers);
            let (done, dropped) = mpsc::channel();
            let shelf2 = shelf.clone();
            // On the shelf only when the job has been arranged; then the job takes it from there.
            let pool = take(&shelf);
            let drops = Drops::default();
            let token = drops.token();
            pool.spawn(async move {
                let _token = token;
                std::future::pending::<()>().await;
            })
            .detach();
            let ready = support::Event::default();
            let go = ready.clone();
            let job = Box::new(move || {
                go.wait();
                drop_it(&shelf2, &done);
                // The thread goes on, inside an ending pool.
                assert_eq!(filch::join(|| fib(8), || fib(7)), (21, 13));
                filch::scope(|s| s.spawn(|_| assert_eq!(fib(6), 8)));
            });
            arrange(&pool, job);
            *lock(&shelf) = Some(pool);
            ready.set();
            let took = dropped.recv_timeout(Duration::from_secs(20)).expect("the drop returns");
            assert!(took < Duration::from_secs(5), "the drop has waited for {took:?}");
            assert_threads_end(name);
            drops.assert_all_dropped("the pending task");
        }
    });
}

#[test]
fn in_its_own_detached_closure() {
    dropped_inside("own-closure", |pool, job| pool.spawn_detached(job));
}

#[test]
fn in_its_own_task() {
    dropped_inside("own-task", |pool, job| pool.spawn(async move { job() }).detach());
}

#[test]
fn in_its_own_cpu_closure_inside_a_join() {
    dropped_inside("own-join", |pool, job| {
        pool.spawn_cpu(move || filch::join(job, || fib(10)).1).detach();
    });
}

#[test]
fn in_a_scope_of_its_own() {
    dropped_inside("own-scope", |pool, job| {
        pool.spawn_detached(move || {
            filch::scope(|s| {
                s.spawn(move |s| {
                    job();
                    s.spawn(|_| assert_eq!(fib(9), 34));
                });
            });
        });
    });
}

#[test]
fn in_its_own_broadcast() {
    dropped_inside("own-broadcast", |pool, job| {
        let job = Mutex::new(Some(job));
        pool.spawn_broadcast(move |_| {
            let job = lock(&job).take();
            if let Some(job) = job {
                job();
            }
        });
    });
}

#[test]
fn inside_block_on_on_a_worker() {
    dropped_inside("own-block-on", |pool, job| {
        pool.spawn_detached(|| filch::block_on(async move { job() }));
    });
}

#[test]
fn in_its_own_blocking_closure() {
    with_deadline(30, || {
        let shelf = shelf("own-blocking", 2);
        let (done, dropped) = mpsc::channel();
        let (shelf2, ready) = (shelf.clone(), support::Event::default());
        let go = ready.clone();
        let pool = take(&shelf);
        pool.spawn_blocking(move || {
            go.wait();
            drop_it(&shelf2, &done);
        })
        .detach();
        *lock(&shelf) = Some(pool);
        ready.set();
        dropped.recv_timeout(Duration::from_secs(20)).expect("the drop returns");
        assert_threads_end("own-blocking");
    });
}

#[test]
fn shut_down_as_a_guest() {
    // A guest borrows the pool, so it cannot drop it; but it may shut it down.
    with_deadline(30, || {
        for (workers, now) in [(1, false), (2, false), (4, false), (1, true), (2, true)] {
            let pool = Pool::builder().workers(workers).name("guest").build().unwrap();
            pool.install(|| {
                if now {
                    pool.shutdown_now()
                } else {
                    pool.shutdown()
                }
                assert_eq!(filch::join(|| fib(8), || fib(7)), (21, 13));
                filch::scope(|s| s.spawn(|_| assert_eq!(fib(6), 8)));
                assert_eq!(pool.try_spawn_detached(|| ()).is_ok(), !now, "a part of what drains may still spawn");
            });
            assert!(pool.try_spawn_detached(|| ()).is_err());
            pool.shutdown();
            assert_threads_end("guest");
        }
    });
}

#[test]
fn in_a_waker_or_a_destructor_of_a_task() {
    with_deadline(30, || {
        for workers in [1, 2] {
            // A task that owns its own pool: dropped with the task when it ends.
            let pool = Arc::new(Pool::builder().workers(workers).name("owned").build().unwrap());
            let owner = pool.clone();
            let handle = pool.spawn(async move {
                support::yield_once().await;
                fib(owner.num_workers() as u32)
            });
            drop(pool);
            // The task may be cancelled before its first poll if the last owner goes with it, never hang.
            let _ = handle.join();
            assert_threads_end("owned");
            // A task that is cancelled while it owns the only handle.
            let pool = Arc::new(Pool::builder().workers(workers).name("owned").build().unwrap());
            let owner = pool.clone();
            let handle = pool.spawn(async move {
                let _owner = owner;
                std::future::pending::<()>().await;
            });
            drop(pool);
            handle.abort();
            assert!(handle.join().unwrap_err().is_cancelled());
            assert_threads_end("owned");
        }
    });
}

#[test]
fn on_another_pools_worker() {
    with_deadline(30, || {
        for workers in [1, 2] {
            let other = pool(workers);
            let pool = Pool::builder().workers(workers).name("others").build().unwrap();
            let ran = Arc::new(AtomicUsize::new(0));
            for _ in 0..20 {
                let ran = ran.clone();
                pool.spawn_detached(move || support::ignore(ran.fetch_add(1, Ordering::SeqCst)));
            }
            other.install_on_worker(move || drop(pool));
            assert_eq!(ran.load(Ordering::SeqCst), 20, "there it waits, as anywhere outside");
            assert_threads_end("others");
        }
    });
}

#[test]
fn on_a_worker_that_the_ending_pool_needs() {
    with_deadline(20, || {
        let other = Arc::new(pool(1));
        let pool = Pool::builder().workers(1).name("needs").build().unwrap();
        let (begun, go) = (support::Event::default(), support::Event::default());
        let (other2, begun2, go2) = (other.clone(), begun.clone(), go.clone());
        pool.spawn_detached(move || {
            begun2.set();
            go2.wait();
            assert_eq!(other2.install(|| fib(10)), 55);
        });
        begun.wait();
        other.install_on_worker(move || {
            go.set();
            thread::sleep(Duration::from_millis(20));
            drop(pool);
        });
        assert_threads_end("needs");
    });
}

#[test]
fn one_after_the_other_on_the_first_ones_worker() {
    with_deadline(30, || {
        let outer = Arc::new(Pool::builder().workers(1).name("outer").build().unwrap());
        let inner = Pool::builder().workers(1).name("inner").build().unwrap();
        let (done, dropped) = mpsc::channel();
        let last = outer.clone();
        outer.spawn_detached(move || {
            assert_eq!(inner.install(|| fib(10)), 55);
            drop(last);
            assert_eq!(inner.install(|| fib(10)), 55);
            drop(inner);
            done.send(()).unwrap();
        });
        drop(outer);
        assert_eq!(dropped.iter().count(), 1);
        assert_threads_end("outer");
        assert_threads_end("inner");
    });
}

/// A thread stays the worker that `use_current_thread` made it: so each time on a fresh one.
fn as_worker_0(workers: usize, f: impl FnOnce(Pool) + Send) {
    thread::scope(|threads| {
        threads.spawn(|| {
            let pool = Pool::builder().workers(workers).name("kept").use_current_thread().build().unwrap();
            assert_eq!(filch::current_thread_index(), Some(0));
            f(pool);
        });
    });
    assert_threads_end("kept");
}

#[test]
fn on_the_thread_that_is_worker_0() {
    with_deadline(30, || {
        for workers in [1, 2] {
            let ran = Arc::new(AtomicUsize::new(0));
            as_worker_0(workers, |pool| {
                let ran = ran.clone();
                filch::spawn_detached(move || support::ignore(ran.fetch_add(1, Ordering::SeqCst)));
                drop(pool);
            });
            assert_eq!(ran.load(Ordering::SeqCst), 1, "what is left is run");
            // The thread goes on.
            as_worker_0(workers, |pool| {
                drop(pool);
                assert_eq!(filch::join(|| fib(8), || fib(7)), (21, 13));
                let refused = Pool::builder().workers(1).use_current_thread().build();
                assert!(matches!(refused, Err(filch::BuildError::CurrentThreadTaken)));
            });
        }
    });
}

#[test]
fn on_the_thread_that_is_worker_0_without_a_wait() {
    type End = fn(Pool);
    let ends: [(&str, End); 2] = [
        ("background", Pool::shutdown_background),
        ("timeout", |pool| assert!(!pool.shutdown_timeout(Duration::from_millis(1)))),
    ];
    with_deadline(60, move || {
        for (what, end) in ends {
            for workers in [1, 2] {
                for policy in [WaitPolicy::Leapfrog, WaitPolicy::RunAnything] {
                    support::note(format!("{what}, {workers} workers, {policy:?}"));
                    let (go, ran) = (support::Event::default(), Arc::new(AtomicUsize::new(0)));
                    let kept = thread::spawn({
                        let (go, ran) = (go.clone(), ran.clone());
                        move || {
                            let builder = Pool::builder().workers(workers).name("kept-no-wait").wait_policy(policy);
                            let pool = builder.use_current_thread().build().unwrap();
                            let here = thread::current().id();
                            // None of them can end before the pool has been let go.
                            let job = move || {
                                let (go, ran) = (go.clone(), ran.clone());
                                move || {
                                    go.wait();
                                    assert_ne!(thread::current().id(), here);
                                    ran.fetch_add(1, Ordering::SeqCst);
                                }
                            };
                            for _ in 0..3 {
                                filch::spawn_detached(job());
                            }
                            filch::spawn_fifo(job());
                            let each = job();
                            filch::spawn_broadcast(move |_| each());
                            Builder::new().priority(Priority::Background).spawn_detached(job());
                            let (run, closure) = (job(), job());
                            let task = filch::spawn(async move { run() });
                            filch::spawn_cpu(closure).detach();
                            end(pool);
                            task
                        }
                    });
                    // The thread ends only now, and must not run them in its end, either.
                    let task = kept.join().unwrap();
                    assert_eq!(ran.load(Ordering::SeqCst), 0);
                    go.set();
                    // Tasks are cancelled when the last closure has ended.
                    let tasks = task.join().is_ok();
                    assert_threads_end("kept-no-wait");
                    assert_eq!(ran.load(Ordering::SeqCst), 6 + workers + usize::from(tasks));
                }
            }
        }
    });
}

#[test]
fn in_a_scope_on_the_thread_that_is_worker_0() {
    with_deadline(30, || {
        for workers in [1, 2] {
            let ran = AtomicUsize::new(0);
            as_worker_0(workers, |pool| {
                filch::scope(|s| {
                    s.spawn(|_| support::ignore(ran.fetch_add(1, Ordering::SeqCst)));
                    drop(pool);
                    s.spawn(|_| support::ignore(ran.fetch_add(1, Ordering::SeqCst)));
                    assert_eq!(filch::join(|| fib(8), || fib(7)), (21, 13));
                });
            });
            assert_eq!(ran.into_inner(), 2);
        }
    });
}

#[test]
fn elsewhere_while_its_worker_0_goes_on() {
    with_deadline(30, || {
        for workers in [1, 2] {
            as_worker_0(workers, |pool| {
                let (tx, rx) = mpsc::channel();
                let other = thread::spawn(move || {
                    drop(pool);
                    tx.send(()).unwrap();
                });
                rx.recv_timeout(Duration::from_secs(20))
                    .expect("the drop does not wait for a thread that is not its own");
                assert_eq!(filch::join(|| fib(8), || fib(7)), (21, 13));
                other.join().unwrap();
            });
        }
    });
}

/// What the thread that is worker 0 has queued is left to a spare, where the only other worker waits for it.
#[test]
fn what_worker_0_leaves_behind_is_not_lost() {
    with_deadline(30, || {
        thread::spawn(|| {
            let pool = Pool::builder().workers(2).use_current_thread().build().unwrap();
            let (begun, go, over) = (mpsc::channel(), mpsc::channel(), mpsc::channel());
            pool.spawn_detached(move || {
                begun.0.send(()).unwrap();
                over.0.send(go.1.recv_timeout(Duration::from_secs(10))).unwrap();
            });
            begun.1.recv().unwrap();
            pool.spawn_detached(move || go.0.send(()).unwrap());
            pool.shutdown_background();
            assert_eq!(over.1.recv().unwrap(), Ok(()));
        })
        .join()
        .unwrap();
    });
}
