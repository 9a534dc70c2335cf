//! What a handle, a guard and a thread's own seat are good for when their pool has ended: futures and timers go on, and
//! no thread comes back for anything.

mod support;

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, ThreadId};
use std::time::Duration;

use filch::prelude::*;
use filch::time::{self, Instant, sleep};
use filch::{Handle, Pool, PoolBuilder};
use support::{Rng, alone, assert_threads_end, ignore, note, threads_named, with_deadline, within};

/// Counts the threads of a pool that have begun, and those that have ended.
#[derive(Clone, Default)]
struct Hooks(Arc<[AtomicUsize; 2]>);

impl Hooks {
    fn of(&self, builder: PoolBuilder) -> PoolBuilder {
        let (start, exit) = (self.0.clone(), self.0.clone());
        let count = |counter: &AtomicUsize| ignore(counter.fetch_add(1, Ordering::SeqCst));
        builder.start_handler(move |_| count(&start[0])).exit_handler(move |_| count(&exit[1]))
    }

    fn counts(&self) -> [usize; 2] {
        [0, 1].map(|at| self.0[at].load(Ordering::SeqCst))
    }

    /// How many threads there have been, all of which have ended. (The system's list leaves threads out, too, while
    /// others end.)
    fn settled(&self, name: &str) -> usize {
        assert_threads_end(name);
        assert!(within(Duration::from_secs(20), || self.counts()[0] == self.counts()[1]));
        self.counts()[0]
    }
}

fn assert_refused<R>(what: &str, f: impl FnOnce() -> R) {
    let payload = panic::catch_unwind(AssertUnwindSafe(|| ignore(f()))).expect_err(what);
    let text = payload.downcast_ref::<&str>().copied().map(str::to_owned);
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap();
    assert!(text.contains("shut down"), "{what}: {text}");
}

/// All threads of the pool have their names, and have called their hooks.
fn begin(pool: &Pool) {
    assert_eq!(pool.broadcast(|_| ()).len(), pool.num_workers());
}

/// A loop that is worth another thread, and the threads that ran it.
fn who_runs_a_loop() -> Vec<ThreadId> {
    let item = |_| {
        thread::sleep(Duration::from_micros(200));
        thread::current().id()
    };
    (0..200).into_par_iter().map(item).collect()
}

/// What forks must find nobody but the current thread.
fn assert_forks_stay_here() {
    let here = thread::current().id();
    assert!(who_runs_a_loop().iter().all(|id| *id == here));
    for _ in 0..3 {
        let arm = || {
            thread::sleep(Duration::from_millis(2));
            thread::current().id()
        };
        assert_eq!(filch::join(arm, arm), (here, here));
    }
}

#[test]
fn what_asks_for_threads_in_a_block_on_is_refused() {
    with_deadline(60, || {
        for (workers, again) in [(1, false), (2, false), (2, true), (4, true)] {
            note(format!("{workers} workers, ended again: {again}"));
            let hooks = Hooks::default();
            let pool = hooks.of(Pool::builder().workers(workers).name("ended-on")).build().unwrap();
            let handle = pool.handle().clone();
            begin(&pool);
            assert_eq!(handle.block_on(async { filch::join(|| 1, || 2) }), (1, 2));
            if again {
                pool.shutdown_now();
                pool.shutdown();
            }
            drop(pool);
            let before = hooks.settled("ended-on");
            let refused = |what: &str, f: &dyn Fn()| handle.block_on(async { assert_refused(what, f) });
            refused("join", &|| ignore(filch::join(|| 1, || 2)));
            refused("loop", &|| ignore(who_runs_a_loop()));
            refused("scope", &|| filch::scope(|s| s.spawn(|_| ())));
            refused("in_place_scope", &|| filch::in_place_scope(|s| s.spawn(|_| ())));
            refused("broadcast", &|| ignore(filch::broadcast(|_| ())));
            refused("with_worker", &|| filch::with_worker(|_| ()));
            refused("spawn", &|| ignore(filch::spawn(async {})));
            refused("spawn_detached", &|| filch::spawn_detached(|| ()));
            handle.block_on(async {
                assert!(handle.try_spawn_detached(|| ()).is_err());
                assert!(handle.try_spawn_cpu(|| ()).is_err());
            });
            assert_eq!(handle.block_on(async { filch::current_thread_index() }), None);
            assert!(handle.block_on(async { Handle::current() == handle }));
            assert_eq!((threads_named("ended-on"), hooks.counts()), (0, [before; 2]));
        }
    });
}

#[test]
fn who_has_a_seat_at_the_end_forks_for_itself() {
    with_deadline(60, || {
        for workers in [2, 4] {
            note(format!("{workers} workers, a guest"));
            let hooks = Hooks::default();
            let pool = hooks.of(Pool::builder().workers(workers).name("ended-seat")).build().unwrap();
            let handle = pool.handle().clone();
            begin(&pool);
            // A seat is free when the workers have stopped to look for work.
            let seated = || handle.block_on(async { filch::current_thread_index().is_some() });
            assert!(within(Duration::from_secs(20), seated));
            handle.block_on(async {
                assert!(filch::current_thread_index().is_some());
                pool.shutdown_background();
                let before = hooks.settled("ended-seat");
                assert_forks_stay_here();
                assert_eq!((threads_named("ended-seat"), hooks.counts()), (0, [before; 2]));
            });
            note(format!("{workers} workers, of the current thread"));
            let current = move || {
                let hooks = Hooks::default();
                let pool = hooks.of(Pool::builder().workers(workers).name("ended-kept").use_current_thread());
                let pool = pool.build().unwrap();
                begin(&pool);
                assert_eq!(who_runs_a_loop().len(), 200);
                drop(pool);
                let before = hooks.settled("ended-kept");
                assert_forks_stay_here();
                assert_eq!((threads_named("ended-kept"), hooks.counts()), (0, [before; 2]));
            };
            thread::spawn(current).join().unwrap();
        }
    });
}

#[test]
fn a_pool_that_closes_gets_the_spares_that_its_work_needs() {
    with_deadline(60, || {
        for round in 0..20 {
            note(format!("round {round}"));
            let (ran, mut random) = (Arc::new(AtomicUsize::new(0)), Rng(round));
            let pool = support::pool(1);
            for _ in 0..4 {
                let (ran, pause) = (ran.clone(), random.below(400));
                pool.spawn_detached(move || {
                    thread::sleep(Duration::from_micros(pause));
                    // It waits for what only a spare can run.
                    let inner = filch::spawn_cpu(move || 6 * 7);
                    assert_eq!(filch::block_on(inner).unwrap(), 42);
                    ran.fetch_add(1, Ordering::SeqCst);
                });
            }
            drop(pool);
            assert_eq!(ran.load(Ordering::SeqCst), 4);
        }
    });
}

// ----- time --------------------------------------------------------------------------------------------------------
// These may stop the global clock, so they run one after the other.

const HOUR: Duration = Duration::from_secs(3600);

/// A pool whose clock has been stopped, and put forward by an hour, and which has ended.
fn ended_an_hour_ahead() -> Handle {
    let pool = Pool::builder().workers(1).start_paused(true).build().unwrap();
    let handle = pool.handle().clone();
    handle.block_on(async { sleep(HOUR).await });
    drop(pool);
    handle
}

#[test]
fn time_goes_on_when_a_stopped_clock_has_gone() {
    let _alone = alone();
    with_deadline(60, || {
        let handle = ended_an_hour_ahead();
        // By the ended pool's clock the deadline would lie an hour ahead of the one that waits for it.
        handle.block_on(async { sleep(Duration::from_millis(1)).await });
        let late =
            handle.block_on(async { time::timeout(Duration::from_millis(1), std::future::pending::<()>()).await });
        assert!(late.is_err());
        let guard = handle.enter();
        filch::block_on(sleep(Duration::from_millis(1)));
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(10) {
            filch::block_on(sleep(Duration::from_millis(10)));
        }
        drop(guard);
        // The same where the clock has stood still all the time.
        let pool = Pool::builder().workers(1).start_paused(true).build().unwrap();
        let _guard = pool.enter();
        let began = Instant::now();
        drop(pool);
        while began.elapsed() < Duration::from_millis(10) {
            filch::block_on(sleep(Duration::from_millis(10)));
        }
    });
}

#[test]
fn the_clock_that_is_stopped_is_the_one_that_counts() {
    let _alone = alone();
    with_deadline(60, || {
        let handle = ended_an_hour_ahead();
        let guard = handle.enter();
        // The ended pool's clock stands already, and nobody can tell.
        time::pause();
        let began = Instant::now();
        filch::block_on(async {
            time::advance(Duration::from_secs(5)).await;
            sleep(HOUR).await;
        });
        assert_eq!(began.elapsed(), HOUR + Duration::from_secs(5));
        let ends = Instant::now();
        drop(guard);
        assert_eq!(Instant::now(), ends, "it is the global one");
        let _guard = handle.enter();
        time::resume();
        thread::sleep(Duration::from_millis(2));
        assert!(ends.elapsed() >= Duration::from_millis(2));
    });
}

/// What is refused is not counted, not even for a moment: else the last one to ask whether the pool is done is told
/// that it is not, and the pool keeps itself for ever.
#[test]
fn who_is_refused_does_not_keep_the_pool() {
    let _alone = alone();
    with_deadline(60, || {
        let kept = Arc::new(());
        for _ in 0..300 {
            let mine = kept.clone();
            let pool = Pool::builder().workers(1).express_lane(false).start_handler(move |_| ignore(&mine));
            let pool = pool.build().unwrap();
            let (handle, begun, over) = (pool.handle().clone(), AtomicBool::new(false), AtomicBool::new(false));
            thread::scope(|s| {
                s.spawn(|| {
                    let handle = handle;
                    while !over.load(Ordering::Relaxed) {
                        ignore(handle.try_spawn_cpu(|| ()));
                        begun.store(true, Ordering::Relaxed);
                    }
                });
                while !begun.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
                pool.shutdown_background();
                thread::sleep(Duration::from_millis(1));
                over.store(true, Ordering::Relaxed);
            });
        }
        assert!(within(Duration::from_secs(20), || Arc::strong_count(&kept) == 1), "{}", Arc::strong_count(&kept) - 1);
    });
}
