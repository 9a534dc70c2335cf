//! What a reading of the timers has found, or has asked about: who fires a timer when its maker is busy otherwise, who
//! hears of a timer that is moved, and what an idle pool spends on a tick. No clock is stopped in this process, since
//! that changes how others look at theirs; what a stopped clock waits for is in `time_paused.rs`.

mod support;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use filch::Pool;
use filch::time::{Instant, Sleep, interval, sleep, sleep_until};
use support::{Event, Rng, Wakes, at_best, lock, note, occupy, pool, with_deadline, within};

const SOON: Duration = Duration::from_secs(10);
const HOUR: Duration = Duration::from_secs(3600);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

// ----- (a) a thread that waits for the end of its pool --------------------------------------------------------------

/// The pool ends when a blocking call has, which waits for a task, which waits for a timer; and the only worker has
/// noted that, has let go of the pool, and waits for the end by other means.
#[test]
fn a_timer_fires_while_the_only_worker_waits_for_the_end_of_its_pool() {
    for lane in [true, false] {
        // A thread of its own each, since it stays a worker.
        with_deadline(30, move || {
            note(format!("lane: {lane}"));
            let pool = Pool::builder().workers(1).use_current_thread().express_lane(lane).build().unwrap();
            let (fired, fires) = (Event::default(), Event::default());
            let (tells, waits, heard) = (fired.clone(), fired.clone(), fires.clone());
            let noted = Event::default();
            let notes = noted.clone();
            filch::spawn(async move {
                let mut sleep = pin!(sleep(ms(50)));
                std::future::poll_fn(|context| {
                    let polled = sleep.as_mut().poll(context);
                    notes.set();
                    polled
                })
                .await;
                tells.set();
            })
            .detach();
            filch::spawn_blocking(move || {
                if waits.wait_for(SOON) {
                    heard.set();
                }
            })
            .detach();
            // The timer is noted by this thread, and the pool does not end before the blocking call.
            while !noted.is_set() {
                let _ = filch::yield_now();
            }
            drop(pool);
            // Not a wait of the pool's.
            assert!(fires.wait_for(SOON));
        });
    }
}

/// The same, for a thread from outside that has noted a timer with the pool.
#[test]
fn a_timer_fires_while_a_foreign_thread_that_has_set_it_waits_for_the_end() {
    with_deadline(30, || {
        for workers in [1, 2] {
            let (pool, wakes) = (pool(workers), Wakes::default());
            let mut timer = Box::pin(sleep(ms(50)));
            pool.block_on(async { assert!(wakes.poll(timer.as_mut()).is_pending()) });
            let fired = Event::default();
            let waits = fired.clone();
            let call = pool.spawn_blocking(move || waits.wait_for(SOON));
            let watched = wakes.clone();
            let watcher = thread::spawn(move || {
                assert!(within(SOON, || watched.count() == 1));
                fired.set();
            });
            pool.shutdown();
            watcher.join().unwrap();
            assert!(call.join().unwrap());
            assert!(wakes.poll(timer.as_mut()).is_ready());
        }
    });
}

// ----- (c) earlier, by another thread -------------------------------------------------------------------------------

/// A sleep that several threads may poll and reset.
struct Shared(Mutex<Pin<Box<Sleep>>>);

impl Shared {
    fn far() -> Arc<Shared> {
        Arc::new(Shared(Mutex::new(Box::pin(sleep(HOUR)))))
    }

    fn reset(&self, deadline: Instant) {
        lock(&self.0).as_mut().reset(deadline);
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        lock(&self.0).as_mut().poll(context)
    }
}

/// How late a task is woken whose far timer another thread, of no pool, moves to 20 ms from now.
fn lateness_after_a_reset(pool: &Pool, meanwhile: impl FnOnce()) -> Result<(), String> {
    let (timer, asleep) = (Shared::far(), Event::default());
    let (own, tells) = (timer.clone(), asleep.clone());
    let task = pool.spawn(async move {
        std::future::poll_fn(|context| {
            let polled = own.poll(context);
            tells.set();
            polled
        })
        .await;
        Instant::now()
    });
    assert!(asleep.wait_for(SOON));
    meanwhile();
    // Whoever keeps the timers has gone to sleep.
    thread::sleep(ms(30));
    let deadline = Instant::now() + ms(20);
    thread::spawn(move || timer.reset(deadline)).join().unwrap();
    let woken = within(SOON, || task.is_finished());
    if !woken {
        return Err("it is not woken".into());
    }
    let woken = task.join().unwrap();
    assert!(woken >= deadline, "early");
    let late = woken - deadline;
    if late < ms(100) { Ok(()) } else { Err(format!("late by {late:?}")) }
}

#[test]
fn a_timer_moved_to_an_earlier_time_from_outside_wakes_the_keeper() {
    let _alone = support::alone();
    with_deadline(120, || {
        for workers in [1, 2] {
            let pool = pool(workers);
            at_best(5, "a reset", || lateness_after_a_reset(&pool, || ()));
        }
    });
}

/// Nobody parks: the express lane keeps the timers, and must hear of it.
#[test]
fn a_timer_moved_to_an_earlier_time_from_outside_rings_the_lane() {
    let _alone = support::alone();
    with_deadline(120, || {
        at_best(5, "a reset beside closures", || {
            let pool = pool(1);
            let mut go = None;
            let result = lateness_after_a_reset(&pool, || go = Some(occupy(&pool)));
            go.unwrap().set();
            result
        });
    });
}

// ----- (d) dropped while it fires ------------------------------------------------------------------------------------

/// A waker that drops the sleep that it belongs to, counted.
struct DropsIt {
    timer: Mutex<Option<Pin<Box<Sleep>>>>,
    woken: AtomicUsize,
}

impl Wake for DropsIt {
    fn wake(self: Arc<Self>) {
        let timer = lock(&self.timer).take();
        drop(timer);
        self.woken.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_timer_is_dropped_by_its_own_waker() {
    with_deadline(30, || {
        let pool = pool(2);
        let noted: Vec<_> = (0..500)
            .map(|n| {
                let timer = Box::pin(pool.install(|| sleep(ms(10) + Duration::from_micros(n % 7))));
                let own = Arc::new(DropsIt { timer: Mutex::new(None), woken: AtomicUsize::new(0) });
                let waker = Waker::from(own.clone());
                let mut guard = lock(&own.timer);
                let timer = guard.insert(timer);
                // Under the lock, so that it is not dropped before it is there.
                let polled = pool.install(|| timer.as_mut().poll(&mut Context::from_waker(&waker)));
                assert!(polled.is_pending());
                drop(guard);
                own
            })
            .collect();
        for own in noted {
            assert!(within(SOON, || own.woken.load(Ordering::SeqCst) == 1));
            // Nobody holds the waker any more: the timer is gone from the table.
            assert!(within(SOON, || Arc::strong_count(&own) == 1));
        }
    });
}

#[test]
fn a_timer_is_dropped_by_another_thread_while_it_fires() {
    with_deadline(60, || {
        let (pool, mut rng) = (pool(2), Rng(7));
        for round in 0..2000 {
            note(format!("round {round}"));
            let wakes = Wakes::default();
            let mut timer = Box::pin(sleep_until(Instant::now() + Duration::from_micros(50 + rng.below(200))));
            pool.install(|| support::ignore(wakes.poll(timer.as_mut())));
            support::spin(Duration::from_micros(rng.below(300)));
            drop(timer);
            // It may be just being woken, on the thread that fires it.
            assert!(within(SOON, || wakes.held() == 0), "a waker is left");
            assert!(wakes.count() <= 1);
        }
        // The wheel is whole.
        pool.block_on(sleep(ms(5)));
    });
}

// ----- (e) what a tick costs -----------------------------------------------------------------------------------------

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

#[test]
fn a_tick_on_an_idle_pool_wakes_one_thread_a_few_times() {
    let _alone = support::alone();
    with_deadline(120, || {
        for (workers, name) in [(1, "tick-one"), (2, "tick-two"), (4, "tick-four")] {
            let pool = Pool::builder().workers(workers).name(name).build().unwrap();
            at_best(5, name, || {
                let ticks = 20;
                let before = switches(name);
                pool.spawn(async move {
                    let mut interval = interval(ms(20));
                    for _ in 0..ticks {
                        interval.tick().await;
                    }
                })
                .join()
                .unwrap();
                let each = (switches(name) - before) as f64 / f64::from(ticks);
                if std::env::var_os("FILCH_SHOW").is_some() {
                    println!("{workers} workers: {each:.1} switches a tick");
                }
                if each <= MOST_SWITCHES { Ok(()) } else { Err(format!("{each:.1} switches a tick")) }
            });
        }
    });
}

/// It was 7 when each timer that fired began the watch over stranded forks anew.
const MOST_SWITCHES: f64 = 4.5;

// ----- (f) a first poll that comes late ------------------------------------------------------------------------------

/// `sleep` of a millisecond or more saves its first poll a look at the clock: so that poll is pending, however late,
/// and its waker is woken at once. (One that knows better, by `reset`, `sleep_until` or a stopped clock, is ready.)
#[test]
fn a_sleep_is_pending_at_its_first_poll_and_woken_at_once() {
    with_deadline(30, || {
        let pool = pool(1);
        for long in [ms(1), ms(2), ms(5)] {
            let (wakes, mut late) = (Wakes::default(), Box::pin(sleep(long)));
            thread::sleep(long + ms(2));
            assert!(late.is_elapsed());
            let first = pool.install(|| wakes.poll(late.as_mut()));
            assert!(first.is_pending());
            assert!(within(SOON, || wakes.count() == 1));
            assert!(wakes.poll(late.as_mut()).is_ready());
            assert!(wakes.poll(late.as_mut()).is_ready(), "it stays over");
        }
        let mut short = Box::pin(sleep(Duration::from_micros(999)));
        thread::sleep(ms(3));
        assert!(Wakes::default().poll(short.as_mut()).is_ready());
        let mut moved = Box::pin(sleep(HOUR));
        moved.as_mut().reset(Instant::now());
        assert!(Wakes::default().poll(moved.as_mut()).is_ready());
        assert!(Wakes::default().poll(pin!(sleep_until(Instant::now()))).is_ready());
    });
}
