//! The same programs on rayon and on filch: results, orders, counts, and who gets which panic must be the same. Each
//! program is written once, in a macro that names the crate by a module with rayon's names.

mod support;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::{lock, with_deadline};

/// rayon under its own names.
mod by_rayon {
    pub use rayon::{
        Scope, ScopeFifo, broadcast, current_num_threads, current_thread_index, in_place_scope, in_place_scope_fifo,
        join, join_context, scope, scope_fifo, spawn, spawn_broadcast, spawn_fifo, yield_local, yield_now,
    };

    pub struct Pool(rayon::ThreadPool);

    impl Pool {
        pub fn new(workers: usize) -> Self {
            Pool(rayon::ThreadPoolBuilder::new().num_threads(workers).build().unwrap())
        }

        pub fn on_worker<R: Send>(&self, f: impl FnOnce() -> R + Send) -> R {
            self.0.install(f)
        }

        pub fn in_place_scope<'s, R>(&self, op: impl FnOnce(&Scope<'s>) -> R) -> R {
            self.0.in_place_scope(op)
        }

        pub fn in_place_scope_fifo<'s, R>(&self, op: impl FnOnce(&ScopeFifo<'s>) -> R) -> R {
            self.0.in_place_scope_fifo(op)
        }

        pub fn spawn(&self, f: impl FnOnce() + Send + 'static) {
            self.0.spawn(f);
        }

        pub fn spawn_fifo(&self, f: impl FnOnce() + Send + 'static) {
            self.0.spawn_fifo(f);
        }

        pub fn index(&self) -> Option<usize> {
            self.0.current_thread_index()
        }

        pub fn pending(&self) -> Option<bool> {
            self.0.current_thread_has_pending_tasks()
        }
    }

    pub fn executed(outcome: Option<rayon::Yield>) -> Option<bool> {
        outcome.map(|outcome| outcome == rayon::Yield::Executed)
    }
}

/// filch under rayon's names.
mod by_filch {
    pub use filch::spawn_detached as spawn;
    pub use filch::{
        Scope, ScopeFifo, broadcast, current_num_threads, current_thread_index, in_place_scope, in_place_scope_fifo,
        join, join_context, scope, scope_fifo, spawn_broadcast, spawn_fifo, yield_local, yield_now,
    };

    pub struct Pool(filch::Pool);

    impl Pool {
        pub fn new(workers: usize) -> Self {
            Pool(filch::Pool::builder().workers(workers).build().unwrap())
        }

        pub fn on_worker<R: Send>(&self, f: impl FnOnce() -> R + Send) -> R {
            self.0.install_on_worker(f)
        }

        pub fn in_place_scope<'s, R>(&self, op: impl FnOnce(&Scope<'s>) -> R) -> R {
            self.0.in_place_scope(op)
        }

        pub fn in_place_scope_fifo<'s, R>(&self, op: impl FnOnce(&ScopeFifo<'s>) -> R) -> R {
            self.0.in_place_scope_fifo(op)
        }

        pub fn spawn(&self, f: impl FnOnce() + Send + 'static) {
            self.0.spawn_detached(f);
        }

        pub fn spawn_fifo(&self, f: impl FnOnce() + Send + 'static) {
            self.0.spawn_fifo(f);
        }

        pub fn index(&self) -> Option<usize> {
            self.0.current_thread_index()
        }

        pub fn pending(&self) -> Option<bool> {
            self.0.current_thread_has_pending_tasks()
        }
    }

    pub fn executed(outcome: Option<filch::Yield>) -> Option<bool> {
        outcome.map(|outcome| outcome == filch::Yield::Executed)
    }
}

/// What a program tells: lines in the order in which things happened.
#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Log {
    fn add(&self, line: impl Into<String>) {
        lock(&self.0).push(line.into());
    }

    fn lines(self) -> Vec<String> {
        self.0.into_inner().unwrap()
    }
}

/// A program, run by both on pools of each given size; what it logs must be equal.
macro_rules! programs {
    ($($name:ident($workers:expr) |$pool:ident, $log:ident, $seen:ident| $body:block)*) => { $(
        #[test]
        fn $name() {
            with_deadline(60, || {
                for workers in $workers {
                    let rayon = {
                        use by_rayon as $seen;
                        let ($pool, $log) = ($seen::Pool::new(workers), std::sync::Arc::new(Log::default()));
                        $body
                        drop($pool);
                        std::sync::Arc::into_inner($log).unwrap().lines()
                    };
                    let filch = {
                        use by_filch as $seen;
                        let ($pool, $log) = ($seen::Pool::new(workers), std::sync::Arc::new(Log::default()));
                        $body
                        drop($pool);
                        std::sync::Arc::into_inner($log).unwrap().lines()
                    };
                    assert!(!rayon.is_empty(), "the program has said nothing");
                    assert_eq!(rayon, filch, "rayon's on the left, on {workers} workers");
                }
            });
        }
    )* };
}

programs! {
    join_gives_both_results([1, 2, 4]) |pool, log, by| {
        log.add(format!("{:?}", pool.on_worker(|| by::join(|| "a", || by::join(|| 1, || vec![2])))));
    }

    join_runs_a_then_b_on_one_worker([1]) |pool, log, by| {
        pool.on_worker(|| by::join(|| log.add("a"), || by::join(|| log.add("b a"), || log.add("b b"))));
        pool.on_worker(|| by::join_context(|c| log.add(format!("{}", c.migrated())), |c| log.add(format!("{}", c.migrated()))));
    }

    spawns_of_a_worker_run_newest_first([1]) |pool, log, by| {
        pool.on_worker(|| {
            for i in 0..10 {
                let log = log.clone();
                by::spawn(move || log.add(format!("{i}")));
            }
        });
        let last = log.clone();
        wait_for(|signal| pool.spawn(move || { drop(last); signal(); }));
    }

    spawns_in_a_spawn([1]) |pool, log, by| {
        pool.on_worker(|| {
            for i in 0..3 {
                let log = log.clone();
                by::spawn(move || {
                    log.add(format!("{i}"));
                    for j in 0..3 {
                        let log = log.clone();
                        by::spawn(move || log.add(format!("{i}.{j}")));
                    }
                });
            }
        });
        wait_for(|signal| pool.spawn(signal));
    }

    fifo_spawns_run_oldest_first([1]) |pool, log, by| {
        pool.on_worker(|| {
            for i in 0..10 {
                let log = log.clone();
                by::spawn_fifo(move || log.add(format!("{i}")));
            }
        });
        wait_for(|signal| pool.spawn_fifo(signal));
    }

    both_kinds_of_spawn_mixed([1]) |pool, log, by| {
        pool.on_worker(|| {
            for i in 0..5 {
                let (l1, l2) = (log.clone(), log.clone());
                by::spawn_fifo(move || l1.add(format!("fifo {i}")));
                by::spawn(move || l2.add(format!("lifo {i}")));
            }
        });
        wait_for(|signal| pool.spawn(signal));
    }

    spawns_from_outside_run_oldest_first([1]) |pool, log, by| {
        let _ = by::current_num_threads;
        let (hold, held) = std::sync::mpsc::channel::<()>();
        pool.spawn(move || support::ignore(held.recv()));
        for i in 0..10 {
            let log = log.clone();
            if i % 2 == 0 { pool.spawn(move || log.add(format!("{i}"))) } else { pool.spawn_fifo(move || log.add(format!("{i}"))) }
        }
        drop(hold);
        wait_for(|signal| pool.spawn(signal));
    }

    scope_orders([1]) |pool, log, by| {
        pool.on_worker(|| by::scope(|s| {
            for i in 0..6 {
                let log = &log;
                s.spawn(move |s| {
                    log.add(format!("{i}"));
                    s.spawn(move |_| log.add(format!("{i}.0")));
                    s.spawn(move |_| log.add(format!("{i}.1")));
                });
            }
            log.add("body");
        }));
        log.add("end");
    }

    scope_fifo_orders([1]) |pool, log, by| {
        pool.on_worker(|| by::scope_fifo(|s| {
            for i in 0..6 {
                let log = &log;
                s.spawn_fifo(move |s| {
                    log.add(format!("{i}"));
                    s.spawn_fifo(move |_| log.add(format!("{i}.0")));
                    s.spawn_fifo(move |_| log.add(format!("{i}.1")));
                });
            }
            log.add("body");
        }));
        log.add("end");
    }

    nested_scopes_of_both_kinds([1]) |pool, log, by| {
        pool.on_worker(|| by::scope(|outer| {
            let log = &log;
            outer.spawn(move |_| log.add("outer 0"));
            by::scope_fifo(|inner| {
                for i in 0..3 {
                    inner.spawn_fifo(move |_| log.add(format!("inner {i}")));
                }
            });
            log.add("inner ended");
            outer.spawn(move |_| log.add("outer 1"));
        }));
    }

    in_place_scopes_on_the_pool([1]) |pool, log, by| {
        pool.on_worker(|| {
            by::in_place_scope(|s| (0..4).for_each(|i| { let log = &log; s.spawn(move |_| log.add(format!("{i}"))) }));
            by::in_place_scope_fifo(|s| (0..4).for_each(|i| { let log = &log; s.spawn_fifo(move |_| log.add(format!("{i}"))) }));
        });
    }

    in_place_scopes_from_outside([1, 2]) |pool, log, by| {
        let _ = by::current_thread_index;
        // The body is not Send, and stays on this thread.
        let here = std::rc::Rc::new(std::thread::current().id());
        let count = AtomicUsize::new(0);
        let count = &count;
        let value = pool.in_place_scope(|s| {
            (0..10).for_each(|i| s.spawn(move |_| support::ignore(count.fetch_add(i, Ordering::SeqCst))));
            (*here == std::thread::current().id(), pool.index())
        });
        log.add(format!("{value:?} {}", count.swap(0, Ordering::SeqCst)));
        let value = pool.in_place_scope_fifo(|s| {
            (0..10).for_each(|i| s.spawn_fifo(move |_| support::ignore(count.fetch_add(i, Ordering::SeqCst))));
            *here == std::thread::current().id()
        });
        log.add(format!("{value:?} {}", count.load(Ordering::SeqCst)));
    }

    scopes_return_values([1, 2, 4]) |pool, log, by| {
        log.add(format!("{:?}", pool.on_worker(|| by::scope(|s| { s.spawn(|_| ()); "value".to_owned() }))));
        log.add(format!("{:?}", pool.on_worker(|| by::scope_fifo(|_| Some(3)))));
    }

    broadcasts_reach_every_worker([1, 2, 4]) |pool, log, by| {
        log.add(format!("{:?}", pool.on_worker(|| by::broadcast(|c| (c.index(), c.num_threads())))));
        log.add(format!("{:?}", pool.on_worker(|| by::broadcast(|c| by::current_thread_index() == Some(c.index())))));
        let (tx, rx) = std::sync::mpsc::channel();
        pool.on_worker(|| by::spawn_broadcast(move |c| tx.send(c.index()).unwrap()));
        let mut indices: Vec<_> = rx.iter().collect();
        indices.sort_unstable();
        log.add(format!("{indices:?}"));
    }

    who_and_where([1, 2, 4]) |pool, log, by| {
        log.add(format!("{:?} {:?}", by::current_thread_index(), pool.index()));
        log.add(format!("{:?}", pool.on_worker(|| (by::current_num_threads(), by::current_thread_index() < Some(4)))));
        log.add(format!("{:?}", pool.on_worker(|| by::current_thread_index() == pool.index())));
        log.add(format!("{:?}", pool.pending()));
    }

    pending_tasks_on_one_worker([1]) |pool, log, by| {
        pool.on_worker(|| {
            log.add(format!("{:?}", pool.pending()));
            by::scope(|s| {
                s.spawn(|_| ());
                log.add(format!("{:?}", pool.pending()));
            });
            by::join(|| log.add(format!("{:?}", pool.pending())), || ());
            log.add(format!("{:?}", pool.pending()));
        });
    }

    yields([1]) |pool, log, by| {
        log.add(format!("{:?} {:?}", by::executed(by::yield_now()), by::executed(by::yield_local())));
        pool.on_worker(|| {
            log.add(format!("{:?} {:?}", by::executed(by::yield_now()), by::executed(by::yield_local())));
            by::scope(|s| {
                for i in 0..3 {
                    let log = &log;
                    s.spawn(move |_| log.add(format!("{i}")));
                }
                log.add(format!("{:?}", by::executed(by::yield_local())));
                log.add(format!("{:?}", by::executed(by::yield_now())));
            });
            log.add(format!("{:?}", by::executed(by::yield_now())));
        });
    }
}

/// Blocks until the signal that `start` passes on has been given.
fn wait_for(start: impl FnOnce(Box<dyn FnOnce() + Send>)) {
    let (tx, rx) = std::sync::mpsc::channel();
    start(Box::new(move || tx.send(()).unwrap()));
    rx.recv().unwrap();
}
