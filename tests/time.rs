//! Sleeping, timeouts and intervals: never early, not much too late, from idle and busy pools, from any thread, beyond
//! the end of a pool, and a million at once.

mod support;

use std::future::{Future, IntoFuture};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use filch::Pool;
use filch::time::{
    self, Duration, Instant, Interval, MissedTickBehavior, Sleep, interval, interval_at, sleep, sleep_until, timeout,
    timeout_at,
};
use support::{Drops, Event, at_best, lock, note, pool, quiet_planned_panics, spin, with_deadline, within, yield_once};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Runs `each` on pools of 1, 2 and 4 workers.
fn on_pools(each: impl Fn(&Pool) + Send + 'static) {
    with_deadline(60, move || {
        for workers in [1, 2, 4] {
            note(format!("{workers} workers"));
            each(&pool(workers));
        }
    });
}

/// Counts its wakes.
#[derive(Default)]
struct Count(AtomicUsize);

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn counter() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count::default());
    (count.clone(), Waker::from(count))
}

fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

// ----- instants --------------------------------------------------------------------------------------------------

#[test]
fn instants_are_those_of_the_standard_library() {
    let before = std::time::Instant::now();
    let now = Instant::now();
    let after = std::time::Instant::now();
    assert!(before <= now.into_std() && now.into_std() <= after);
    assert_eq!(Instant::from(std::time::Instant::from(now)), now);
    assert_eq!(Instant::from_std(now.into_std()), now);
    let later = now + ms(5);
    assert_eq!(later - now, ms(5));
    assert_eq!(now - later, Duration::ZERO);
    assert_eq!(later.duration_since(now), ms(5));
    assert_eq!(now.duration_since(later), Duration::ZERO);
    assert_eq!(now.saturating_duration_since(later), Duration::ZERO);
    assert_eq!(now.checked_duration_since(later), None);
    assert_eq!(later.checked_duration_since(now), Some(ms(5)));
    assert_eq!(later - ms(5), now);
    assert_eq!(now.checked_add(Duration::MAX), None);
    assert_eq!(now.checked_sub(Duration::MAX), None);
    let mut moving = now;
    moving += ms(7);
    moving -= ms(2);
    assert_eq!(moving, later);
    assert!(now < later);
    assert_eq!(later.elapsed(), Duration::ZERO);
    assert_eq!(format!("{now:?}"), format!("{:?}", now.into_std()));
}

// ----- sleep -----------------------------------------------------------------------------------------------------

#[test]
fn never_early() {
    on_pools(|pool| {
        let tasks: Vec<_> = (0..200u64)
            .map(|n| {
                pool.spawn(async move {
                    let span = Duration::from_micros(n * 137 % 20_000);
                    let began = std::time::Instant::now();
                    sleep(span).await;
                    assert!(began.elapsed() >= span, "{:?} instead of {span:?}", began.elapsed());
                })
            })
            .collect();
        for task in tasks {
            task.join().unwrap();
        }
    });
}

#[test]
fn not_much_too_late_on_an_idle_pool() {
    let _alone = support::alone();
    on_pools(|pool| {
        for span in [Duration::from_micros(300), ms(1), ms(3), ms(20)] {
            at_best(20, "a sleep on an idle pool", || {
                let late = pool
                    .spawn(async move {
                        let began = Instant::now();
                        sleep(span).await;
                        began.elapsed() - span
                    })
                    .join()
                    .unwrap();
                if late < Duration::from_micros(500) { Ok(()) } else { Err(format!("{late:?} late for {span:?}")) }
            });
        }
    });
}

#[test]
fn zero_and_past_are_over_at_once() {
    with_deadline(20, || {
        let (count, waker) = counter();
        assert!(poll(&mut sleep(Duration::ZERO), &waker).is_ready());
        assert!(poll(&mut sleep_until(Instant::now()), &waker).is_ready());
        if let Some(past) = Instant::now().checked_sub(ms(50)) {
            let mut sleep = sleep_until(past);
            assert!(sleep.is_elapsed());
            assert_eq!(sleep.deadline(), past);
            assert!(poll(&mut sleep, &waker).is_ready());
            assert!(poll(&mut sleep, &waker).is_ready(), "it stays over");
        }
        assert_eq!(count.get(), 0);
    });
}

#[test]
fn a_first_poll_that_comes_too_late() {
    with_deadline(20, || {
        let mut over = sleep(ms(2));
        thread::sleep(ms(5));
        assert!(over.is_elapsed());
        let (count, waker) = counter();
        if poll(&mut over, &waker).is_pending() {
            assert!(within(ms(5000), || count.get() == 1));
        }
        assert!(poll(&mut over, &waker).is_ready());
        filch::block_on(async {
            let over = sleep(ms(2));
            thread::sleep(ms(5));
            over.await;
        });
    });
}

#[test]
fn huge_durations_are_far_away() {
    on_pools(|pool| {
        let task = pool.spawn(async {
            let (_, waker) = counter();
            for span in [Duration::MAX, Duration::MAX / 2, Duration::from_secs(u64::MAX), Duration::from_secs(1 << 33)]
            {
                let mut far = sleep(span);
                assert!(poll(&mut far, &waker).is_pending());
                assert!(far.deadline() > Instant::now() + Duration::from_secs(20 * 365 * 86_400));
                let mut fine = Box::pin(timeout(span, async { 3 }));
                assert_eq!(poll(&mut fine, &waker), Poll::Ready(Ok(3)));
                let mut ticks = interval(span);
                ticks.tick().await;
                ticks.reset_after(span);
                assert!(poll(&mut Box::pin(ticks.tick()), &waker).is_pending());
                ticks.reset();
            }
            // They disturb nobody.
            let far = sleep(Duration::MAX);
            assert!(timeout(ms(2), far).await.is_err());
        });
        task.join().unwrap();
    });
}

#[test]
fn dropped_before_it_fires() {
    with_deadline(20, || {
        let (count, waker) = counter();
        let pool = pool(2);
        pool.block_on(async {
            for _ in 0..100 {
                assert!(poll(&mut sleep(ms(3)), &waker).is_pending());
            }
            sleep(ms(10)).await;
        });
        assert_eq!(count.get(), 0);
        assert_eq!(Arc::strong_count(&count), 2, "a waker is kept");
    });
}

#[test]
fn the_last_waker_is_woken() {
    with_deadline(20, || {
        let pool = pool(2);
        let (first, first_waker) = counter();
        let (second, second_waker) = counter();
        let mut sleep = pool.install(|| {
            let mut sleep = sleep(ms(10));
            assert!(poll(&mut sleep, &first_waker).is_pending());
            assert!(poll(&mut sleep, &second_waker).is_pending());
            assert!(poll(&mut sleep, &first_waker).is_pending());
            assert!(poll(&mut sleep, &second_waker).is_pending());
            sleep
        });
        assert_eq!(Arc::strong_count(&first), 2, "the old waker is kept");
        assert!(within(ms(5000), || second.get() == 1));
        assert_eq!(first.get(), 0);
        assert!(poll(&mut sleep, &first_waker).is_ready());
    });
}

#[test]
fn reset_moves_it() {
    on_pools(|pool| {
        pool.block_on(async {
            let began = Instant::now();
            let mut sleep = pin!(sleep(ms(5)));
            sleep.as_mut().reset(began + ms(20));
            assert_eq!(sleep.deadline(), began + ms(20));
            sleep.as_mut().await;
            assert!(began.elapsed() >= ms(20));
            assert!(sleep.is_elapsed());
            // After it was over.
            let again = Instant::now();
            sleep.as_mut().reset(again + ms(5));
            assert!(!sleep.is_elapsed());
            sleep.as_mut().await;
            assert!(again.elapsed() >= ms(5));
        });
    });
}

#[test]
fn reset_wakes_without_another_poll() {
    with_deadline(20, || {
        let pool = pool(2);
        for (at_first, then) in [(Duration::from_secs(3600), ms(5)), (ms(5), ms(25))] {
            let (count, waker) = counter();
            let began = Instant::now();
            let mut sleep = pool.install(|| {
                let mut sleep = sleep(at_first);
                assert!(poll(&mut sleep, &waker).is_pending());
                sleep
            });
            Pin::new(&mut sleep).reset(began + then);
            assert!(within(ms(5000), || count.get() == 1));
            assert!(began.elapsed() >= then);
        }
    });
}

#[test]
fn an_earlier_timer_wakes_a_sleeping_keeper() {
    with_deadline(20, || {
        let pool = pool(2);
        let (_, waker) = counter();
        let mut far = sleep(Duration::from_secs(3600));
        pool.install(|| assert!(poll(&mut far, &waker).is_pending()));
        // Everybody sleeps by now, the keeper for an hour.
        thread::sleep(ms(50));
        for span in [ms(40), ms(10), ms(2)] {
            let (count, waker) = counter();
            let began = Instant::now();
            // Noted by a thread that does not stay in the pool.
            let mut soon = sleep(span);
            pool.install(|| assert!(poll(&mut soon, &waker).is_pending()));
            assert!(within(ms(5000), || count.get() == 1));
            assert!(began.elapsed() >= span);
        }
    });
}

// ----- who fires -------------------------------------------------------------------------------------------------

#[test]
fn tasks_that_never_rest_do_not_hold_timers_up() {
    on_pools(|pool| {
        let stop = Event::default();
        let busy: Vec<_> = (0..8)
            .map(|_| {
                let stop = stop.clone();
                pool.spawn(async move {
                    while !stop.is_set() {
                        yield_once().await;
                    }
                })
            })
            .collect();
        for _ in 0..20 {
            let late = pool
                .spawn(async {
                    let began = Instant::now();
                    sleep(ms(3)).await;
                    began.elapsed() - ms(3)
                })
                .join()
                .unwrap();
            assert!(late < ms(500), "{late:?}");
        }
        stop.set();
        for task in busy {
            task.join().unwrap();
        }
    });
}

#[test]
fn one_worker_that_blocks() {
    with_deadline(20, || {
        let pool = pool(1);
        let began = Instant::now();
        pool.spawn_cpu(|| filch::block_on(sleep(ms(5)))).join().unwrap();
        pool.install_on_worker(|| filch::block_on(sleep(ms(5))));
        pool.install(|| filch::block_on(async { filch::spawn(sleep(ms(5))).await.unwrap() }));
        pool.block_on(sleep(ms(5)));
        pool.block_on(async { filch::spawn(sleep(ms(5))).await.unwrap() });
        pool.spawn_blocking(|| filch::block_on(sleep(ms(5)))).join().unwrap();
        // Below a join and a scope.
        pool.join(|| filch::block_on(sleep(ms(5))), || filch::block_on(sleep(ms(5))));
        pool.scope(|s| s.spawn(|_| filch::block_on(sleep(ms(5)))));
        assert!(began.elapsed() >= ms(35));
    });
}

#[test]
fn a_pool_of_the_current_thread_alone() {
    with_deadline(20, || {
        thread::spawn(|| {
            let pool = Pool::builder().workers(1).use_current_thread().build().unwrap();
            filch::block_on(sleep(ms(5)));
            pool.block_on(sleep(ms(5)));
            pool.install(|| filch::block_on(sleep(ms(5))));
            // For tasks a spare comes.
            assert!(pool.spawn(async { timeout(ms(5), std::future::pending::<()>()).await.is_err() }).join().unwrap());
            drop(pool);
            // The thread is of an ended pool.
            filch::block_on(sleep(ms(5)));
        })
        .join()
        .unwrap();
    });
}

/// A pool's only thread is busy elsewhere, and somebody who blocks for the pool keeps its timers.
#[test]
fn a_thread_that_blocks_for_a_pool_keeps_its_timers() {
    with_deadline(20, || {
        let (to_main, from_side) = mpsc::channel();
        let (to_side, from_main) = mpsc::channel::<()>();
        let side = thread::spawn(move || {
            let pool = Arc::new(Pool::builder().workers(1).use_current_thread().build().unwrap());
            to_main.send(pool.clone()).unwrap();
            from_main.recv().unwrap();
        });
        let pool = from_side.recv().unwrap();
        let began = Instant::now();
        pool.block_on(sleep(ms(5)));
        assert!(began.elapsed() >= ms(5));
        drop(pool);
        to_side.send(()).unwrap();
        side.join().unwrap();
    });
}

#[test]
fn outside_of_any_pool() {
    with_deadline(20, || {
        let began = Instant::now();
        filch::block_on(sleep(ms(5)));
        assert!(began.elapsed() >= ms(5));
        // By an executor that knows nothing of us.
        let (count, waker) = counter();
        let mut sleep = sleep(ms(5));
        assert!(poll(&mut sleep, &waker).is_pending());
        assert!(within(ms(5000), || count.get() == 1));
        assert!(poll(&mut sleep, &waker).is_ready());
    });
}

#[test]
fn many_threads_block() {
    with_deadline(30, || {
        let pool = Arc::new(pool(2));
        let threads: Vec<_> = (0..20u64)
            .map(|n| {
                let pool = pool.clone();
                thread::spawn(move || {
                    for round in 0..30 {
                        let span = Duration::from_micros((n * 71 + round * 53) % 2000);
                        let began = Instant::now();
                        if n % 2 == 0 {
                            pool.block_on(sleep(span))
                        } else {
                            filch::block_on(sleep(span))
                        }
                        assert!(began.elapsed() >= span);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// The keeper of a pool goes to work, over and over, while others come and go.
#[test]
fn keepers_hand_over() {
    with_deadline(60, || {
        let pool = pool(4);
        let began = Instant::now();
        let mut much_too_late = 0;
        while began.elapsed() < ms(1500) {
            let busy: Vec<_> = (0..3).map(|_| pool.spawn_cpu(|| spin(ms(3)))).collect();
            let late = pool.block_on(async {
                let began = Instant::now();
                sleep(ms(2)).await;
                began.elapsed() - ms(2)
            });
            // By far more than it ever is, by far less than the pool's next stir would be. The machine itself may stand
            // still once.
            much_too_late += usize::from(late > ms(1000));
            assert!(much_too_late < 2, "{late:?}");
            for closure in busy {
                closure.join().unwrap();
            }
        }
    });
}

#[test]
fn an_idle_pool_with_a_far_timer_sleeps() {
    let _alone = support::alone();
    with_deadline(60, || {
        let pool = Pool::builder().workers(2).name("far").build().unwrap();
        let task = pool.spawn(sleep(Duration::from_secs(3600)));
        at_best(5, "an idle pool", || {
            thread::sleep(ms(100));
            let before = switches("far");
            thread::sleep(ms(300));
            let woken = switches("far") - before;
            if woken <= 2 { Ok(()) } else { Err(format!("woken {woken} times")) }
        });
        task.abort();
        // Timers that were taken out cost one look each at most.
        drop(pool.spawn(async {
            let mut sleeps: Vec<Sleep> = (0..1000).map(|n| sleep(ms(50) + Duration::from_micros(n))).collect();
            for sleep in &mut sleeps {
                let _ = poll(sleep, Waker::noop());
            }
        }));
        thread::sleep(ms(20));
        let before = switches("far");
        thread::sleep(ms(200));
        let woken = switches("far") - before;
        assert!(woken < 50, "woken {woken} times for timers that are gone");
    });
}

/// How often threads whose names begin so have gone to sleep.
fn switches(prefix: &str) -> u64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0 };
    let folders = tasks.filter_map(|task| Some(task.ok()?.path()));
    folders
        .filter(|folder| std::fs::read_to_string(folder.join("comm")).is_ok_and(|name| name.starts_with(prefix)))
        .filter_map(|folder| std::fs::read_to_string(folder.join("status")).ok())
        .filter_map(|status| {
            let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
            line.trim().parse::<u64>().ok()
        })
        .sum()
}

// ----- places ----------------------------------------------------------------------------------------------------

#[test]
fn made_on_one_worker_dropped_on_another() {
    with_deadline(60, || {
        let pool = pool(4);
        let (tx, rx) = mpsc::channel::<Sleep>();
        let rx = Arc::new(Mutex::new(rx));
        let makers: Vec<_> = (0..4u64)
            .map(|n| {
                let tx = tx.clone();
                pool.spawn(async move {
                    for round in 0..2000 {
                        let mut sleep = sleep(Duration::from_micros(1000 + (n * 131 + round * 17) % 3000));
                        let _ = poll(&mut sleep, Waker::noop());
                        if tx.send(sleep).is_err() {
                            return;
                        }
                        yield_once().await;
                    }
                })
            })
            .collect();
        drop(tx);
        let takers: Vec<_> = (0..2)
            .map(|n| {
                let rx = rx.clone();
                pool.spawn(async move {
                    loop {
                        let next = lock(&rx).try_recv();
                        match next {
                            Ok(sleep) if n == 0 => drop(sleep),
                            Ok(sleep) => sleep.await,
                            Err(mpsc::TryRecvError::Empty) => yield_once().await,
                            Err(mpsc::TryRecvError::Disconnected) => return,
                        }
                    }
                })
            })
            .collect();
        for task in makers.into_iter().chain(takers) {
            task.join().unwrap();
        }
    });
}

#[test]
fn a_pool_ends_with_pending_sleeps() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let drops = Drops::default();
            let pool = pool(workers);
            let tasks: Vec<_> = (0..100)
                .map(|_| {
                    let token = drops.token();
                    pool.spawn(async move {
                        sleep(Duration::from_secs(3600)).await;
                        drop(token);
                    })
                })
                .collect();
            thread::sleep(ms(5));
            let began = Instant::now();
            pool.shutdown();
            assert!(began.elapsed() < ms(10_000));
            drops.assert_all_dropped("sleeping tasks");
            for task in tasks {
                assert!(task.join().unwrap_err().is_cancelled());
            }
        }
    });
}

#[test]
fn a_sleep_outlives_its_pool() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let began = Instant::now();
            let (count, waker) = counter();
            let home = pool(workers);
            let mut registered = sleep(ms(100));
            home.install(|| assert!(poll(&mut registered, &waker).is_pending()));
            drop(home);
            // Whoever waits for it is woken, looks, and waits with another pool.
            assert!(within(ms(5000), || count.get() == 1));
            if poll(&mut registered, &waker).is_pending() {
                assert!(within(ms(5000), || count.get() == 2));
                assert!(poll(&mut registered, &waker).is_ready());
            }
            assert!(began.elapsed() >= ms(100));
            // By a task of another pool, which waits while the first one ends.
            let (home, other) = (pool(workers), pool(workers));
            let mut registered = sleep(ms(50));
            home.install(|| assert!(poll(&mut registered, &waker).is_pending()));
            let task = other.spawn(registered);
            thread::sleep(ms(5));
            drop(home);
            task.join().unwrap();
            // Moved about, reset and dropped after the end.
            let home = pool(workers);
            let mut registered = sleep(ms(50));
            home.install(|| assert!(poll(&mut registered, &waker).is_pending()));
            home.shutdown();
            Pin::new(&mut registered).reset(Instant::now() + ms(5));
            filch::block_on(registered);
        }
    });
}

#[test]
fn shutdown_now_lets_a_closure_sleep_on() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let pool = pool(workers);
            let begun = Event::default();
            let ended = Arc::new(AtomicUsize::new(0));
            let closure = {
                let (begun, ended) = (begun.clone(), ended.clone());
                pool.spawn_cpu(move || {
                    filch::block_on(async {
                        begun.set();
                        sleep(ms(30)).await;
                    });
                    ended.fetch_add(1, Ordering::SeqCst);
                })
            };
            begun.wait();
            pool.shutdown_now();
            assert_eq!(ended.load(Ordering::SeqCst), 1);
            closure.join().unwrap();
        }
    });
}

#[test]
fn nested_pools() {
    with_deadline(60, || {
        let (outer, inner) = (Arc::new(pool(1)), Arc::new(pool(1)));
        let (o, i) = (outer.clone(), inner.clone());
        let value = outer.install(move || {
            i.install(move || o.block_on(async { timeout(ms(200), filch::spawn(sleep(ms(5)))).await.is_ok() }))
        });
        assert!(value);
        outer.block_on(async { inner.block_on(sleep(ms(5))) });
        outer.install_on_worker(|| inner.block_on(async { filch::spawn(sleep(ms(5))).await.unwrap() }));
    });
}

/// A waker that panics, once.
struct Bad;

impl Wake for Bad {
    fn wake(self: Arc<Self>) {
        support::plan(77);
    }
}

#[test]
fn a_waker_that_panics_stops_no_other() {
    quiet_planned_panics();
    with_deadline(30, || {
        let reports = Arc::new(Mutex::new(Vec::new()));
        let sink = reports.clone();
        let pool = Pool::builder()
            .workers(2)
            .panic_handler(move |payload| lock(&sink).push(support::planned(payload)))
            .build()
            .unwrap();
        let (count, waker) = counter();
        let bad = Waker::from(Arc::new(Bad));
        let deadline = Instant::now() + ms(20);
        let sleeps: Vec<Sleep> = pool.install(|| {
            (0..200)
                .map(|n| {
                    let mut sleep = sleep_until(deadline);
                    assert!(poll(&mut sleep, if n % 2 == 0 { &bad } else { &waker }).is_pending());
                    sleep
                })
                .collect()
        });
        assert!(within(ms(10_000), || count.get() == 100 && lock(&reports).len() == 100));
        drop(sleeps);
        assert_eq!(*lock(&reports), vec![77; 100]);
        pool.spawn(sleep(ms(2))).join().unwrap();
    });
}

// ----- timeout ---------------------------------------------------------------------------------------------------

#[test]
fn timeouts() {
    on_pools(|pool| {
        pool.block_on(async {
            assert_eq!(timeout(ms(5000), async { 1 }).await, Ok(1));
            assert_eq!(timeout(Duration::ZERO, async { 2 }).await, Ok(2), "the future is asked first");
            let began = Instant::now();
            let elapsed = timeout(ms(5), std::future::pending::<()>()).await.unwrap_err();
            assert!(began.elapsed() >= ms(5));
            assert_eq!(elapsed.to_string(), "the deadline has passed");
            let error: std::io::Error = elapsed.into();
            assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
            assert!(error.get_ref().is_some_and(|inner| inner.is::<time::error::Elapsed>()));
            let began = Instant::now();
            assert!(timeout_at(began + ms(5), std::future::pending::<()>()).await.is_err());
            assert!(began.elapsed() >= ms(5));
            assert_eq!(timeout_at(began, async { 3 }).await, Ok(3));
            assert!(timeout(Duration::ZERO, std::future::pending::<()>()).await.is_err());
            // Nested, and around a task.
            assert_eq!(
                timeout(ms(5000), timeout(ms(2), std::future::pending::<()>())).await.map(|r| r.is_err()),
                Ok(true)
            );
            assert!(timeout(ms(5000), filch::spawn(sleep(ms(2)))).await.unwrap().is_ok());
        });
    });
}

#[test]
fn a_timeout_gives_its_future_back() {
    struct Later(u32);
    impl IntoFuture for Later {
        type Output = u32;
        type IntoFuture = std::future::Ready<u32>;
        fn into_future(self) -> Self::IntoFuture {
            std::future::ready(self.0)
        }
    }
    with_deadline(20, || {
        let mut wrapped = timeout(ms(5), Later(4));
        assert!(format!("{:?}", wrapped.get_ref()).contains('4'));
        *wrapped.get_mut() = std::future::ready(5);
        assert_eq!(filch::block_on(wrapped.into_inner()), 5);
        assert_eq!(filch::block_on(timeout(ms(5000), Later(6))), Ok(6));
        // A future that goes on after its time.
        let mut slow = Box::pin(async {
            sleep(ms(20)).await;
            9
        });
        filch::block_on(async {
            assert!(timeout(ms(2), &mut slow).await.is_err());
            assert_eq!(slow.await, 9);
        });
    });
}

#[test]
fn a_future_dropped_by_a_timeout() {
    with_deadline(20, || {
        let drops = Drops::default();
        let token = drops.token();
        filch::block_on(async {
            let _ = timeout(ms(2), async move {
                let _token = token;
                std::future::pending::<()>().await;
            })
            .await;
        });
        drops.assert_all_dropped("a timed-out future");
    });
}

// ----- interval --------------------------------------------------------------------------------------------------

#[test]
fn intervals_do_not_drift() {
    on_pools(|pool| {
        pool.block_on(async {
            let mut ticks = interval(ms(2));
            assert_eq!(ticks.period(), ms(2));
            assert_eq!(ticks.missed_tick_behavior(), MissedTickBehavior::Burst);
            let first = ticks.tick().await;
            for n in 1..20 {
                assert_eq!(ticks.tick().await, first + ms(2) * n);
                assert!(Instant::now() >= first + ms(2) * n);
            }
            let start = Instant::now() + ms(7);
            let mut ticks = interval_at(start, ms(3));
            assert_eq!(ticks.tick().await, start);
            assert!(Instant::now() >= start);
            assert_eq!(ticks.tick().await, start + ms(3));
        });
    });
}

#[test]
#[should_panic(expected = "longer than zero")]
fn a_period_of_zero() {
    let _ = interval(Duration::ZERO);
}

#[test]
#[should_panic(expected = "longer than zero")]
fn a_period_of_zero_from_a_start() {
    let _ = interval_at(Instant::now(), Duration::ZERO);
}

#[test]
fn intervals_are_reset() {
    with_deadline(20, || {
        filch::block_on(async {
            let mut ticks = interval(ms(3_600_000));
            ticks.tick().await;
            let next = async |ticks: &mut Interval| {
                let began = Instant::now();
                let due = ticks.tick().await;
                (due, began)
            };
            ticks.reset_immediately();
            let (due, began) = next(&mut ticks).await;
            assert!(due <= began);
            ticks.reset_after(ms(5));
            let (due, began) = next(&mut ticks).await;
            assert!(due > began && due <= began + ms(5));
            let at = Instant::now() + ms(4);
            ticks.reset_at(at);
            assert_eq!(next(&mut ticks).await.0, at);
            ticks.reset();
            assert!(timeout(ms(5), ticks.tick()).await.is_err());
            let mut ticks = interval(ms(5));
            ticks.tick().await;
            thread::sleep(ms(3));
            let reset_at = Instant::now();
            ticks.reset();
            assert!(ticks.tick().await >= reset_at + ms(5));
        });
    });
}

#[test]
fn a_dropped_tick_is_not_lost() {
    with_deadline(20, || {
        filch::block_on(async {
            let mut ticks = interval(ms(5));
            let first = ticks.tick().await;
            for _ in 0..10 {
                let _ = timeout(Duration::from_micros(200), ticks.tick()).await;
            }
            // Whichever it is, it is a multiple.
            let tick = ticks.tick().await - first;
            assert_eq!(tick.as_nanos() % ms(5).as_nanos(), 0);
        });
    });
}
