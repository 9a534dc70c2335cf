//! Shapes that are known to hang on rayon's own scheduler, or to come near it. In filch pools with filch's way of
//! waiting all of them end. Where the original's way of waiting, which runs anything, is kept, those are tested that end
//! with it too.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, ThreadId};
use std::time::Duration;

use filch::WaitPolicy;
use rayon::prelude::*;
use support::{Event, lock, with_deadline, within};

/// A pool that waits in filch's way.
fn filch_pool(workers: usize) -> filch::Pool {
    filch::Pool::builder().workers(workers).build().unwrap()
}

/// A pool that waits in rayon's way.
fn rayon_pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

// ----- something is held across a wait, and wanted by others -------------------------------------------------------

/// What one thread holds while it waits for a part of its work on another thread, and closures want that are no part of
/// that work.
#[derive(Default)]
struct Held {
    mutex: Mutex<()>,
    table: OnceLock<usize>,
    /// Who holds the mutex, or fills the table.
    holder: Mutex<Option<ThreadId>>,
    far_has_begun: Event,
    /// Closures that have begun.
    wanted: AtomicUsize,
    /// Those of them that ran on top of the holder's wait. There they would wait for themselves, so they do not.
    under_the_holder: AtomicUsize,
}

/// So many closures.
const CLOSURES: usize = 4;
const LIMIT: Duration = Duration::from_secs(20);

/// A way to hold something across a wait.
type Shape = fn(&Arc<Held>);

impl Held {
    fn hold<R>(&self, f: impl FnOnce() -> R) -> R {
        *lock(&self.holder) = Some(thread::current().id());
        let result = f();
        *lock(&self.holder) = None;
        result
    }

    /// The part of the work that comes first: queues the closures when the other part runs elsewhere.
    fn near(self: &Arc<Self>, want: fn(&Held)) {
        assert!(self.far_has_begun.wait_for(LIMIT), "there are two threads");
        for _ in 0..CLOSURES {
            let held = self.clone();
            rayon::spawn(move || {
                let under_the_holder = *lock(&held.holder) == Some(thread::current().id());
                held.under_the_holder.fetch_add(under_the_holder.into(), Ordering::SeqCst);
                held.wanted.fetch_add(1, Ordering::SeqCst);
                if !under_the_holder {
                    want(&held);
                }
            });
        }
    }

    /// The other part, for which the first one's thread waits. It ends when one of the closures has begun.
    fn far(&self) {
        self.far_has_begun.set();
        assert!(within(LIMIT, || self.wanted.load(Ordering::SeqCst) > 0), "somebody runs the closures meanwhile");
    }

    fn in_a_loop(self: &Arc<Self>, want: fn(&Held)) -> usize {
        let part = |i| if i == 0 { self.near(want) } else { self.far() };
        (0..2).into_par_iter().with_max_len(1).map(part).count()
    }
}

fn want_the_mutex(held: &Held) {
    drop(lock(&held.mutex));
}

fn want_the_table(held: &Held) {
    assert_eq!(held.table.get_or_init(|| unreachable!("it is being filled")), &2);
}

/// The shape in pools of two threads: in those that wait in filch's way none of the closures run on top of the holder's
/// wait, and in those that run anything, as a control, some do.
fn check(shape: Shape) {
    let under_the_holder = |run: &dyn Fn(&Arc<Held>)| {
        let held = Arc::default();
        run(&held);
        assert!(within(LIMIT, || held.wanted.load(Ordering::SeqCst) == CLOSURES));
        held.under_the_holder.load(Ordering::SeqCst)
    };
    with_deadline(100, move || {
        let filch = filch_pool(2);
        let rayon = rayon_pool(2);
        let anything = filch::Pool::builder().workers(2).wait_policy(WaitPolicy::RunAnything).build().unwrap();
        for _ in 0..20 {
            assert_eq!(under_the_holder(&|held| filch.install(|| shape(held))), 0);
            assert_eq!(under_the_holder(&|held| filch.install_on_worker(|| shape(held))), 0);
            assert_ne!(under_the_holder(&|held| rayon.install(|| shape(held))), 0);
            assert_ne!(under_the_holder(&|held| anything.install_on_worker(|| shape(held))), 0);
        }
    });
}

#[test]
fn a_mutex_held_across_a_loop() {
    check(|held| {
        let _guard = lock(&held.mutex);
        held.hold(|| held.in_a_loop(want_the_mutex));
    });
}

#[test]
fn a_once_lock_filled_by_a_loop() {
    check(|held| {
        assert_eq!(held.table.get_or_init(|| held.hold(|| held.in_a_loop(want_the_table))), &2);
    });
}

#[test]
fn a_lock_held_across_a_join() {
    check(|held| {
        let _guard = lock(&held.mutex);
        held.hold(|| rayon::join(|| held.near(want_the_mutex), || held.far()));
    });
}

#[test]
fn a_lock_held_across_a_scope() {
    check(|held| {
        let _guard = lock(&held.mutex);
        held.hold(|| {
            rayon::scope(|s| {
                s.spawn(|_| held.far());
                held.near(want_the_mutex);
            });
        });
    });
}

/// As programs have it: each item locks the same mutex and runs a loop under it; each item of another loop wants a table
/// that the first one fills by a loop.
#[test]
fn many_loops_under_locks() {
    let a_loop_under_a_lock = || {
        let total = Mutex::new(0);
        (0..200).into_par_iter().for_each(|_| {
            let mut total = total.lock().unwrap();
            *total += (0..2_000usize).into_par_iter().map(|i| i % 7).filter(|&i| i == 3).count();
        });
        total.into_inner().unwrap()
    };
    let loops_over_a_table = || {
        let table: OnceLock<Vec<u64>> = OnceLock::new();
        let fill = || (0..5_000u64).into_par_iter().map(|i| i * i).collect();
        (0..100usize).into_par_iter().map(|i| table.get_or_init(fill)[i]).sum::<u64>()
    };
    with_deadline(100, move || {
        let expected = 200 * (0..2_000).filter(|i| i % 7 == 3).count();
        for workers in [1, 2, 4] {
            let pool = filch_pool(workers);
            for _ in 0..5 {
                assert_eq!(pool.install(a_loop_under_a_lock), expected);
                assert_eq!(pool.install_on_worker(a_loop_under_a_lock), expected);
                assert_eq!(pool.install_on_worker(loops_over_a_table), (0..100u64).map(|i| i * i).sum());
            }
        }
    });
}

// ----- pools, tasks and loops inside of one another ----------------------------------------------------------------

/// A pool of either kind.
trait AnyPool: Sync {
    fn run_inside(&self, f: &(dyn Fn() + Sync));
    fn scope_of(&self, times: usize, f: &(dyn Fn() + Sync));
}

impl AnyPool for rayon::ThreadPool {
    fn run_inside(&self, f: &(dyn Fn() + Sync)) {
        self.install(f);
    }

    fn scope_of(&self, times: usize, f: &(dyn Fn() + Sync)) {
        self.scope(|s| (0..times).for_each(|_| s.spawn(|_| f())));
    }
}

impl AnyPool for filch::Pool {
    fn run_inside(&self, f: &(dyn Fn() + Sync)) {
        self.install_on_worker(f);
    }

    fn scope_of(&self, times: usize, f: &(dyn Fn() + Sync)) {
        self.install_on_worker(|| rayon::scope(|s| (0..times).for_each(|_| s.spawn(|_| f()))));
    }
}

fn through_each_other(outer: &dyn AnyPool, inner: &dyn AnyPool, depth: usize, ends: &AtomicUsize) {
    if depth > 0 {
        outer.run_inside(&|| {
            let count = || _ = ends.fetch_add(1, Ordering::Relaxed);
            rayon::join(|| through_each_other(inner, outer, depth - 1, ends), count);
        });
    }
}

#[test]
fn pools_that_install_into_each_other() {
    with_deadline(100, || {
        for threads in [1, 2] {
            let rayons: [&dyn AnyPool; 2] = [&rayon_pool(threads), &rayon_pool(threads)];
            let filchs: [&dyn AnyPool; 2] = [&filch_pool(threads), &filch_pool(threads)];
            for [a, b] in [rayons, filchs, [rayons[0], filchs[0]], [filchs[0], rayons[0]]] {
                let counted = AtomicUsize::new(0);
                for _ in 0..20 {
                    through_each_other(a, b, 30, &counted);
                }
                assert_eq!(counted.swap(0, Ordering::Relaxed), 20 * 30);
                // A thread that waits for another pool goes on with its own pool's work, or has another do so.
                a.scope_of(50, &|| b.run_inside(&|| a.run_inside(&|| _ = counted.fetch_add(1, Ordering::Relaxed))));
                assert_eq!(counted.into_inner(), 50);
            }
        }
    });
}

/// A loop inside of a task that a task waits for, inside of `block_on`, inside of a loop.
fn in_and_out(depth: u64) -> u64 {
    if depth == 0 {
        return 1;
    }
    (0..2u64)
        .into_par_iter()
        .map(|i| {
            if i == 0 {
                return 0;
            }
            filch::block_on(async move { filch::spawn(async move { in_and_out(depth - 1) }).await.unwrap() })
        })
        .sum()
}

#[test]
fn a_loop_in_a_task_in_block_on_in_a_loop() {
    with_deadline(100, || {
        for workers in [1, 2, 4] {
            let pool = filch_pool(workers);
            assert_eq!(pool.install(|| in_and_out(20)), 1);
            assert_eq!(pool.install_on_worker(|| in_and_out(20)), 1);
            let pool = rayon_pool(workers);
            assert_eq!(pool.install(|| in_and_out(20)), 1);
        }
        // On the global pool, from outside, and from a closure of rayon's.
        assert_eq!(in_and_out(20), 1);
        let (sender, receiver) = std::sync::mpsc::channel();
        rayon::spawn(move || sender.send(in_and_out(20)).unwrap());
        assert_eq!(receiver.recv(), Ok(1));
    });
}

#[test]
fn loops_in_many_tasks_at_once() {
    with_deadline(100, || {
        let total: u64 = filch::block_on(async {
            let tasks: Vec<_> = (0..64u64)
                .map(|i| filch::spawn(async move { (0..1_000u64).into_par_iter().map(|n| n ^ i).sum::<u64>() }))
                .collect();
            let mut total = 0;
            for task in tasks {
                total += task.await.unwrap();
            }
            total
        });
        assert_eq!(total, (0..64u64).map(|i| (0..1_000u64).map(|n| n ^ i).sum::<u64>()).sum());
    });
}

#[test]
fn a_loop_in_a_blocking_call_and_back() {
    with_deadline(100, || {
        let sum = filch::block_on(async {
            filch::spawn_blocking(|| {
                let inner = (0..100u64).into_par_iter().map(|i| i + filch::blocking(|| i)).sum::<u64>();
                inner + filch::block_on(filch::spawn_cpu(|| rayon::join(|| 1, || 2).1)).unwrap()
            })
            .await
            .unwrap()
        });
        assert_eq!(sum, 2 * 4950 + 2);
    });
}

#[test]
fn a_pool_dropped_inside_of_itself() {
    with_deadline(60, || {
        let pool = Arc::new(rayon_pool(2));
        let (sender, receiver) = std::sync::mpsc::channel();
        let inner = pool.clone();
        pool.spawn(move || {
            drop(inner);
            rayon::spawn(move || sender.send(rayon::current_num_threads()).unwrap());
        });
        drop(pool);
        assert_eq!(receiver.recv(), Ok(2));
    });
}
