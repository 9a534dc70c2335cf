//! A stopped clock: it stands while anything goes on, is put forward when nothing does, and can be put forward by hand.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use filch::Pool;
use filch::time::{self, Duration, Instant, MissedTickBehavior, advance, interval, sleep, sleep_until, timeout};
use support::{catch, lock, note, spin, with_deadline, yield_once};

const HOUR: Duration = Duration::from_secs(3600);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn paused(workers: usize) -> Pool {
    Pool::builder().workers(workers).start_paused(true).build().unwrap()
}

/// Runs `each` on pools of 1, 2 and 4 workers whose clocks stand.
fn on_pools(each: impl Fn(&Pool) + Send + 'static) {
    with_deadline(60, move || {
        for workers in [1, 2, 4] {
            note(format!("{workers} workers"));
            each(&paused(workers));
        }
    });
}

#[test]
fn a_sleep_takes_no_time_and_exactly_its_time() {
    on_pools(|pool| {
        let real = std::time::Instant::now();
        pool.block_on(async {
            let began = Instant::now();
            for n in 1..=20 {
                sleep(HOUR).await;
                assert_eq!(began.elapsed(), HOUR * n);
            }
        });
        assert!(real.elapsed() < Duration::from_secs(10));
        // As a task, in a closure, in a closure that blocks.
        let body = || async {
            let began = Instant::now();
            sleep(HOUR + Duration::from_nanos(1)).await;
            began.elapsed()
        };
        let exactly = HOUR + Duration::from_nanos(1);
        assert_eq!(pool.spawn(body()).join().unwrap(), exactly);
        assert_eq!(pool.install(|| filch::block_on(body())), exactly);
        assert_eq!(pool.install_on_worker(|| filch::block_on(body())), exactly);
        assert_eq!(pool.spawn_cpu(move || filch::block_on(body())).join().unwrap(), exactly);
        assert_eq!(pool.spawn_blocking(move || filch::block_on(body())).join().unwrap(), exactly);
        // Below joins: the second arm may sleep first, or last.
        let (a, b) = pool.join(|| filch::block_on(body()), || filch::block_on(body()));
        assert!(a >= exactly && b >= exactly);
        // A block_on in a block_on.
        pool.block_on(async { assert_eq!(filch::block_on(body()), exactly) });
    });
}

#[test]
fn the_clock_stands_while_somebody_works() {
    on_pools(|pool| {
        pool.block_on(async {
            let began = Instant::now();
            let sleeper = filch::spawn(async move {
                sleep(ms(1)).await;
                began.elapsed()
            });
            let (a, b, c) = (
                filch::spawn_cpu(|| thread::sleep(ms(20))),
                filch::spawn_blocking(|| thread::sleep(ms(20))),
                filch::spawn(async {
                    for _ in 0..100 {
                        yield_once().await;
                    }
                }),
            );
            let all = filch::spawn(async move {
                for handle in [a, b, c] {
                    handle.await.unwrap();
                }
                assert_eq!(began.elapsed(), Duration::ZERO, "while closures, calls and tasks ran");
            });
            // Nor while this poll goes on.
            thread::sleep(ms(20));
            assert_eq!(began.elapsed(), Duration::ZERO);
            all.await.unwrap();
            assert_eq!(sleeper.await.unwrap(), ms(1));
        });
    });
}

#[test]
fn a_stopped_clock_does_not_jump_while_a_worker_is_in_a_closure() {
    type InClosure = fn();
    let pauses: [(&str, InClosure); 5] = [
        ("sleeps", || thread::sleep(ms(30))),
        ("computes", || spin(ms(30))),
        ("joins", || support::ignore(filch::join(|| thread::sleep(ms(30)), || thread::sleep(ms(30))))),
        ("is in a section", || filch::blocking(|| thread::sleep(ms(30)))),
        ("comes back from a section", || filch::blocking(|| filch::scope(|s| s.spawn(|_| thread::sleep(ms(30)))))),
    ];
    with_deadline(60, move || {
        for (what, in_closure) in pauses {
            for workers in [1, 2] {
                note(format!("{what}, {workers} workers"));
                let pool = Pool::builder().workers(workers).start_paused(true).build().unwrap();
                pool.block_on(async {
                    let (began, far) = (Instant::now(), filch::spawn(sleep(HOUR)));
                    let elapsed = filch::spawn_cpu(move || {
                        in_closure();
                        began.elapsed()
                    });
                    assert_eq!(elapsed.await.unwrap(), Duration::ZERO, "{what}");
                    assert!(!far.is_finished(), "{what}");
                    far.await.unwrap();
                    assert_eq!(began.elapsed(), HOUR, "{what}");
                });
            }
        }
    });
}

/// Handles that are awaited in turn between a pool's threads and others, with a timer pending all the time: at every
/// moment somebody runs or is about to, though often nobody holds a seat.
#[test]
fn the_clock_does_not_slip_between_wakes() {
    on_pools(|pool| {
        pool.block_on(async {
            let far = filch::spawn(sleep(HOUR));
            let began = Instant::now();
            for round in 0..500u32 {
                note(format!("round {round}"));
                assert_eq!(filch::spawn(async { 1 }).await.unwrap(), 1);
                assert_eq!(filch::spawn_cpu(|| 2).await.unwrap(), 2);
                assert_eq!(filch::spawn_blocking(|| 3).await.unwrap(), 3);
                let inner = filch::spawn(async { filch::spawn(async { filch::spawn_blocking(|| 4).await }).await });
                assert_eq!(inner.await.unwrap().unwrap().unwrap(), 4);
                let blocked = filch::spawn_cpu(|| filch::block_on(filch::spawn(async { 5 })));
                assert_eq!(blocked.await.unwrap().unwrap(), 5);
                let called = filch::spawn_blocking(|| filch::block_on(filch::spawn_cpu(|| filch::join(|| 6, || 7))));
                assert_eq!(called.await.unwrap().unwrap(), (6, 7));
                assert_eq!(began.elapsed(), Duration::ZERO, "round {round}");
            }
            assert!(!far.is_finished());
            far.await.unwrap();
            assert_eq!(began.elapsed(), HOUR);
        });
    });
}

#[test]
fn advance_fires_what_is_due() {
    on_pools(|pool| {
        pool.block_on(async {
            let began = Instant::now();
            let fired = Arc::new(AtomicUsize::new(0));
            let tasks: Vec<_> = (1..=10u64)
                .map(|n| {
                    let fired = fired.clone();
                    filch::spawn(async move {
                        sleep_until(began + HOUR * n as u32).await;
                        fired.fetch_add(1, Ordering::SeqCst);
                    })
                })
                .collect();
            advance(HOUR * 5).await;
            assert_eq!(began.elapsed(), HOUR * 5);
            for (n, task) in tasks.into_iter().enumerate() {
                task.await.unwrap();
                assert_eq!(began.elapsed(), HOUR * (n as u32 + 1).max(5), "task {n}");
            }
            assert_eq!(fired.load(Ordering::SeqCst), 10);
            // Far, but not beyond.
            advance(Duration::MAX).await;
            assert!(began.elapsed() > HOUR * 24 * 365 * 100);
            sleep(Duration::ZERO).await;
        });
    });
}

#[test]
fn timers_fire_in_order() {
    on_pools(|pool| {
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut rng = support::Rng(5);
        let spans: Vec<u64> = (0..200u32).map(|n| 1 + rng.below(1 << (10 + n % 30))).collect();
        let began = pool.block_on(async {
            let began = Instant::now();
            let tasks: Vec<_> = spans
                .iter()
                .map(|span| {
                    let (order, span) = (order.clone(), Duration::from_nanos(*span));
                    filch::spawn(async move {
                        sleep_until(began + span).await;
                        lock(&order).push((Instant::now() - began, span));
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            began
        });
        let _ = began;
        let order = lock(&order);
        assert!(order.is_sorted());
        assert!(order.iter().all(|(at, span)| at == span), "each at its very moment");
    });
}

#[test]
fn a_timer_that_is_gone_does_not_stop_the_clock() {
    on_pools(|pool| {
        pool.block_on(async {
            let began = Instant::now();
            for _ in 0..10 {
                assert_eq!(timeout(ms(7), async { 1 }).await, Ok(1));
                assert!(timeout(ms(50), sleep(ms(20))).await.is_ok());
            }
            assert_eq!(began.elapsed(), ms(200));
            assert!(timeout(ms(20), sleep(ms(50))).await.is_err());
            assert_eq!(began.elapsed(), ms(220));
        });
    });
}

#[test]
fn pause_and_resume() {
    with_deadline(30, || {
        for workers in [1, 2] {
            let pool = support::pool(workers);
            pool.block_on(async {
                assert!(catch_text(time::resume).contains("not paused"));
                time::pause();
                assert!(catch_text(time::pause).contains("paused already"));
                let began = Instant::now();
                thread::sleep(ms(5));
                assert_eq!(began.elapsed(), Duration::ZERO);
                let task = filch::spawn(async move {
                    sleep(HOUR).await;
                    Instant::now()
                });
                assert_eq!(task.await.unwrap(), began + HOUR);
                time::resume();
                assert!(began.elapsed() >= HOUR);
                let resumed = Instant::now();
                let real = std::time::Instant::now();
                sleep(ms(10)).await;
                assert!(real.elapsed() >= ms(10), "the clock runs");
                assert!(resumed.elapsed() >= ms(10));
                // A timer from a paused clock comes at its time when the clock runs again.
                time::pause();
                let paused_at = Instant::now();
                let mut soon = sleep(ms(20));
                std::future::poll_fn(|context| {
                    assert!(std::pin::Pin::new(&mut soon).poll(context).is_pending());
                    std::task::Poll::Ready(())
                })
                .await;
                time::resume();
                soon.await;
                assert!(paused_at.elapsed() >= ms(20));
            });
            // Others' clocks run, and the standard library's.
            assert!(Instant::now().into_std() <= std::time::Instant::now());
        }
    });
}

use std::future::Future;

fn catch_text(f: impl FnOnce()) -> String {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
    std::panic::set_hook(hook);
    let payload = result.expect_err("it panics");
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

#[test]
fn advance_needs_a_stopped_clock() {
    let _ = catch(|| ());
    with_deadline(20, || {
        let pool = support::pool(1);
        let error = pool.spawn(advance(ms(1))).join().unwrap_err();
        assert!(error.is_panic());
    });
}

#[test]
fn a_pool_of_the_current_thread() {
    with_deadline(20, || {
        thread::spawn(|| {
            let pool = Pool::builder().workers(1).use_current_thread().start_paused(true).build().unwrap();
            let began = Instant::now();
            filch::block_on(sleep(HOUR));
            assert_eq!(began.elapsed(), HOUR);
            filch::block_on(async { filch::spawn(sleep(HOUR)).await.unwrap() });
            assert_eq!(began.elapsed(), HOUR * 2);
            drop(pool);
        })
        .join()
        .unwrap();
    });
}

#[test]
fn two_pools_two_clocks() {
    with_deadline(20, || {
        let (a, b) = (paused(1), support::pool(1));
        let real = std::time::Instant::now();
        let a_began = a.block_on(async { Instant::now() });
        a.block_on(async { sleep(HOUR).await });
        assert_eq!(a.block_on(async move { a_began.elapsed() }), HOUR);
        b.block_on(sleep(ms(10)));
        assert!(real.elapsed() >= ms(10));
        assert!(b.block_on(async { Instant::now() }).into_std() <= std::time::Instant::now());
    });
}

// ----- intervals, exactly ----------------------------------------------------------------------------------------

/// When the ticks come, in ms, if the second is asked for late.
fn ticks(behavior: MissedTickBehavior, late: u64) -> Vec<u64> {
    with_deadline(20, move || {
        paused(1).block_on(async {
            let began = Instant::now();
            let mut ticks = interval(ms(50));
            ticks.set_missed_tick_behavior(behavior);
            assert_eq!(ticks.missed_tick_behavior(), behavior);
            let mut came = Vec::new();
            for n in 0..6 {
                ticks.tick().await;
                came.push(began.elapsed().as_millis() as u64);
                if n == 0 {
                    sleep(ms(late)).await;
                }
            }
            came
        })
    })
}

#[test]
fn missed_ticks_in_a_burst() {
    assert_eq!(ticks(MissedTickBehavior::Burst, 200), [0, 200, 200, 200, 200, 250]);
    assert_eq!(ticks(MissedTickBehavior::Burst, 220), [0, 220, 220, 220, 220, 250]);
    assert_eq!(ticks(MissedTickBehavior::Burst, 40), [0, 50, 100, 150, 200, 250]);
}

#[test]
fn missed_ticks_delay() {
    assert_eq!(ticks(MissedTickBehavior::Delay, 200), [0, 200, 250, 300, 350, 400]);
    assert_eq!(ticks(MissedTickBehavior::Delay, 75), [0, 75, 125, 175, 225, 275]);
    // Late by no more than 5 ms is not late.
    assert_eq!(ticks(MissedTickBehavior::Delay, 55), [0, 55, 100, 150, 200, 250]);
    assert_eq!(ticks(MissedTickBehavior::Delay, 56), [0, 56, 106, 156, 206, 256]);
}

#[test]
fn missed_ticks_are_skipped() {
    assert_eq!(ticks(MissedTickBehavior::Skip, 220), [0, 220, 250, 300, 350, 400]);
    assert_eq!(ticks(MissedTickBehavior::Skip, 75), [0, 75, 100, 150, 200, 250]);
    assert_eq!(ticks(MissedTickBehavior::Skip, 200), [0, 200, 250, 300, 350, 400]);
    assert_eq!(ticks(MissedTickBehavior::Skip, 55), [0, 55, 100, 150, 200, 250]);
}

/// The same programs under tokio's stopped clock, which counts in milliseconds.
#[test]
fn ticks_agree_with_tokio() {
    use tokio::time as theirs;
    for (ours, theirs_behavior) in [
        (MissedTickBehavior::Burst, theirs::MissedTickBehavior::Burst),
        (MissedTickBehavior::Delay, theirs::MissedTickBehavior::Delay),
        (MissedTickBehavior::Skip, theirs::MissedTickBehavior::Skip),
    ] {
        for late in [0, 10, 50, 55, 56, 75, 100, 149, 200, 220, 301] {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let came: Vec<u64> = runtime.block_on(async {
                let began = theirs::Instant::now();
                let mut ticks = theirs::interval(ms(50));
                ticks.set_missed_tick_behavior(theirs_behavior);
                let mut came = Vec::new();
                for n in 0..6 {
                    ticks.tick().await;
                    came.push(began.elapsed().as_millis() as u64);
                    if n == 0 {
                        theirs::sleep(ms(late)).await;
                    }
                }
                came
            });
            assert_eq!(ticks(ours, late), came, "{ours:?}, {late} ms late");
        }
    }
}
