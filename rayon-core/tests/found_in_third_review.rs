//! What a third reading has found: a thread that stays in a pool that has gone, and what background work spawns.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use filch::{Pool, Priority, WaitPolicy};
use rayon_core::{ThreadPoolBuilder, Yield};
use support::with_deadline;

type Job = Box<dyn FnOnce() + Send>;

/// Runs `f` on a thread that was made a worker of a pool of so many, when that has been dropped and has ended.
fn after_the_end(threads: usize, f: impl FnOnce() + Send) {
    let exited = Arc::new(AtomicUsize::new(0));
    thread::scope(|s| {
        let thread = s.spawn(|| {
            let count = exited.clone();
            let pool = ThreadPoolBuilder::new()
                .num_threads(threads)
                .use_current_thread()
                .exit_handler(move |_| _ = count.fetch_add(1, Ordering::SeqCst))
                .build()
                .unwrap();
            drop(pool);
            while exited.load(Ordering::SeqCst) < threads - 1 {
                thread::sleep(Duration::from_millis(1));
            }
            f();
        });
        thread.join().unwrap_or_else(|payload| panic::resume_unwind(payload));
    });
}

#[test]
fn a_thread_that_stays_in_a_dropped_pool_spawns_there() {
    with_deadline(60, || {
        for threads in [1, 3] {
            after_the_end(threads, || {
                assert_eq!(rayon_core::current_thread_index(), Some(0));
                assert_eq!(rayon_core::current_num_threads(), threads);
                let (tell, told) = mpsc::channel();
                let spawn = |what: &'static str, how: fn(Job)| {
                    let tell = tell.clone();
                    how(Box::new(move || tell.send((what, rayon_core::current_thread_index())).unwrap()));
                };
                // At the next yield, not before, and here.
                spawn("yield", rayon_core::spawn);
                assert!(told.try_recv().is_err());
                assert_eq!(rayon_core::yield_now(), Some(Yield::Executed));
                assert_eq!(told.try_recv(), Ok(("yield", Some(0))));
                assert_eq!(rayon_core::yield_now(), Some(Yield::Idle));
                spawn("fifo", rayon_core::spawn_fifo);
                assert_eq!(rayon_core::yield_local(), Some(Yield::Executed));
                assert_eq!(told.try_recv(), Ok(("fifo", Some(0))));
                // Or at the next wait.
                spawn("wait", rayon_core::spawn);
                rayon_core::scope(|s| s.spawn(|_| ()));
                while told.try_recv() != Ok(("wait", Some(0))) {
                    rayon_core::yield_now();
                }
                // What else works there goes on working.
                assert_eq!(rayon_core::join(|| 6, || 7), (6, 7));
            });
        }
    });
}

#[test]
fn a_thread_that_stays_in_a_dropped_pool_broadcasts_there() {
    with_deadline(60, || {
        for threads in [1, 3] {
            after_the_end(threads, || {
                let results = rayon_core::broadcast(|context| (context.index(), context.num_threads()));
                assert_eq!(results, (0..threads).map(|index| (index, threads)).collect::<Vec<_>>());
                let calls = AtomicUsize::new(0);
                let result = panic::catch_unwind(AssertUnwindSafe(|| {
                    rayon_core::broadcast(|context| {
                        calls.fetch_add(1, Ordering::SeqCst);
                        panic::resume_unwind(Box::new(context.index()));
                    })
                }));
                assert_eq!(result.unwrap_err().downcast_ref(), Some(&0_usize));
                assert_eq!(calls.into_inner(), threads, "all calls are made");
                let (tell, told) = mpsc::channel();
                rayon_core::spawn_broadcast(move |context| tell.send(context.index()).unwrap());
                assert!(told.try_recv().is_err());
                while rayon_core::yield_now() == Some(Yield::Executed) {}
                assert_eq!(told.iter().collect::<Vec<_>>(), (0..threads).collect::<Vec<_>>());
            });
        }
    });
}

#[test]
fn what_a_thread_leaves_in_a_dropped_pool_is_run_at_its_end() {
    with_deadline(60, || {
        let (tell, told) = mpsc::channel();
        after_the_end(2, move || {
            rayon_core::spawn(move || {
                let again = tell.clone();
                rayon_core::spawn(move || again.send("by what was left").unwrap());
                tell.send("left").unwrap();
            });
        });
        assert_eq!(told.iter().collect::<Vec<_>>(), ["left", "by what was left"]);
    });
}

#[test]
fn a_panic_of_what_is_spawned_in_a_dropped_pool_goes_to_its_handler() {
    with_deadline(60, || {
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            let tell = Mutex::new(tell);
            let handler = move |payload: Box<dyn std::any::Any + Send>| {
                tell.lock().unwrap().send(payload.downcast_ref::<i32>().copied()).unwrap();
            };
            drop(ThreadPoolBuilder::new().num_threads(1).use_current_thread().panic_handler(handler).build().unwrap());
            rayon_core::spawn(|| panic::resume_unwind(Box::new(5)));
            rayon_core::yield_now();
            rayon_core::yield_now()
        });
        assert_eq!(thread.join().unwrap(), Some(Yield::Idle));
        assert_eq!(told.iter().collect::<Vec<_>>(), [Some(5)]);
    });
}

/// What background work spawned by rayon's functions was normal, and came before the rest of that work.
#[test]
fn what_background_work_spawns_is_background_work() {
    with_deadline(60, || {
        let spawns: [fn(Job); 2] = [rayon_core::spawn, rayon_core::spawn_fifo];
        for spawn in spawns {
            let pool = Pool::builder().workers(1).wait_policy(WaitPolicy::RunAnything).build().unwrap();
            let (tell, told) = mpsc::channel();
            let (begin, begun) = mpsc::channel();
            let (go, gone) = mpsc::channel::<()>();
            let background = {
                let tell = tell.clone();
                move || {
                    for name in ["spawned first", "spawned second"] {
                        let tell = tell.clone();
                        spawn(Box::new(move || tell.send(name).unwrap()));
                    }
                    begin.send(()).unwrap();
                    gone.recv().unwrap();
                    // At each of these it gives way, if there is something to give way to.
                    (0..1_000).for_each(|_| _ = rayon_core::join(|| (), || ()));
                    tell.send("the loop").unwrap();
                }
            };
            let priority = Priority::Background;
            let handle = filch::task::Builder::new().pool(&pool).priority(priority).spawn_cpu(background);
            begun.recv().unwrap();
            pool.spawn_detached(move || tell.send("normal").unwrap());
            go.send(()).unwrap();
            handle.join().unwrap();
            pool.shutdown();
            let order: Vec<_> = told.iter().collect();
            let at = |name| order.iter().position(|&told| told == name).expect(name);
            assert!(at("normal") < at("the loop"), "{order:?}");
            assert!(at("the loop") < at("spawned first"), "{order:?}");
            assert!(at("spawned first") < at("spawned second"), "{order:?}");
        }
    });
}

/// Who waits for what it has spawned still gets it.
#[test]
fn background_work_may_wait_for_what_it_spawns() {
    with_deadline(60, || {
        let pool = Pool::builder().workers(1).wait_policy(WaitPolicy::RunAnything).build().unwrap();
        let other = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let background = move || {
            let (tell, told) = mpsc::channel();
            rayon_core::spawn(move || tell.send(7).unwrap());
            while told.try_recv() != Ok(7) {
                rayon_core::yield_now();
            }
            let (tell, told) = mpsc::channel();
            rayon_core::spawn(move || tell.send(8).unwrap());
            let told = Mutex::new(told);
            other.install(|| told.lock().unwrap().recv())
        };
        let builder = filch::task::Builder::new().pool(&pool).priority(Priority::Background);
        assert_eq!(builder.spawn_cpu(background).join().unwrap(), Ok(8));
    });
}
