//! Nobody starves: beside tasks that wake themselves or each other for ever, beside floods of closures, behind a task
//! that computes for long; and who yields goes to the back. (`budget.rs` has those who give way by themselves.)
//!
//! With one worker the distances are exact in turns of the others, so they are asserted in turns and not in time.

mod support;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use filch::{Pool, task};
use support::{Event, alone, lock, note, pool, pool_without_lane, spin, with_deadline, within, yield_once};

/// Turns of the others that may pass before something local is served: a closure is served in every eighth turn, a
/// task behind 16 from the next slot; three spinners wait in the queue; the rest is for the asking task itself.
const NEAR: u64 = 40;
/// And something injected: every 61st turn looks there first, for tasks and closures in turn.
const FAR: u64 = 2 * 61 + NEAR;

// ----- who is always ready ---------------------------------------------------------------------------------------

#[derive(Clone, Copy, Debug)]
enum Busy {
    /// Three tasks that wake themselves by reference.
    WakesItself,
    /// Three tasks that call `filch::task::yield_now`.
    Yields,
    /// Two tasks that wake each other.
    PingPong,
    /// A task that ends, after it has spawned the next like it.
    SpawnsItself,
    /// A closure that spawns the next like it.
    Detached,
    /// The same with handles.
    SpawnsCpu,
}

const TASKS: [Busy; 4] = [Busy::WakesItself, Busy::Yields, Busy::PingPong, Busy::SpawnsItself];
const CLOSURES: [Busy; 2] = [Busy::Detached, Busy::SpawnsCpu];

/// Keeps a pool busy, and counts turns, until it is dropped.
struct Flood {
    turns: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// One more turn; false if that was the last.
#[derive(Clone)]
struct Counter(Arc<AtomicU64>, Arc<AtomicBool>);

impl Counter {
    fn turn(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed);
        !self.1.load(Ordering::Relaxed)
    }
}

fn flood(pool: &Pool, busy: Busy) -> Flood {
    let flood = Flood { turns: Arc::default(), stop: Arc::default() };
    let counter = Counter(flood.turns.clone(), flood.stop.clone());
    match busy {
        Busy::WakesItself | Busy::Yields => {
            for _ in 0..3 {
                let counter = counter.clone();
                pool.spawn(async move {
                    while counter.turn() {
                        match busy {
                            Busy::Yields => task::yield_now().await,
                            _ => yield_once().await,
                        }
                    }
                })
                .detach();
            }
        }
        Busy::PingPong => {
            let places: Arc<[Mutex<Option<Waker>>; 2]> = Arc::default();
            for me in [0, 1] {
                let (counter, places) = (counter.clone(), places.clone());
                pool.spawn(poll_fn(move |context| {
                    *lock(&places[me]) = Some(context.waker().clone());
                    let more = counter.turn();
                    let other = lock(&places[1 - me]).clone();
                    match other {
                        Some(other) => other.wake(),
                        // The first of the two, before the second has begun.
                        None => context.waker().wake_by_ref(),
                    }
                    if more { Poll::Pending } else { Poll::Ready(()) }
                }))
                .detach();
            }
        }
        Busy::SpawnsItself => respawn(pool, counter),
        Busy::Detached => {
            fn again(counter: Counter) {
                if counter.turn() {
                    filch::spawn_detached(move || again(counter));
                }
            }
            pool.spawn_detached(move || again(counter));
        }
        Busy::SpawnsCpu => {
            fn again(counter: Counter) {
                if counter.turn() {
                    filch::spawn_cpu(move || again(counter)).detach();
                }
            }
            pool.spawn_cpu(move || again(counter)).detach();
        }
    }
    let turns = flood.turns.clone();
    assert!(within(Duration::from_secs(20), || turns.load(Ordering::Relaxed) > 100), "{busy:?} does not begin");
    flood
}

fn respawn(pool: &Pool, counter: Counter) {
    fn again(counter: Counter) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            if counter.turn() {
                filch::spawn(again(counter)).detach();
            }
        })
    }
    pool.spawn(again(counter)).detach();
}

// ----- who must not starve ---------------------------------------------------------------------------------------

/// Sees how far off in turns something happens.
#[derive(Clone)]
struct Meter {
    turns: Arc<AtomicU64>,
    /// In turns: when it was asked for.
    since: u64,
}

impl Meter {
    fn now(turns: &Arc<AtomicU64>) -> Self {
        Meter { turns: turns.clone(), since: turns.load(Ordering::Relaxed) }
    }

    fn passed(&self) -> u64 {
        self.turns.load(Ordering::Relaxed) - self.since
    }
}

fn near(what: &str, busy: Busy, turns: u64) {
    assert!(turns <= NEAR, "{busy:?}: {what} has waited for {turns} turns of others");
}

/// Asks on the busy worker itself, so that nothing runs between the question and the queue.
fn asked_inside(pool: &Pool, busy: Busy) {
    let flood = flood(pool, busy);
    let turns = flood.turns.clone();
    let asker = pool.spawn(async move {
        let rest = Resting::default();
        let resting = filch::spawn(rest.clone());
        assert!(rest.has_begun(&turns).await, "{busy:?}: a task that a task has spawned does not begin");
        for round in 0..20 {
            // A task, a closure with a handle and one without, spawned here.
            let meter = Meter::now(&turns);
            near("a task", busy, filch::spawn(async move { meter.passed() }).await.unwrap());
            let meter = Meter::now(&turns);
            near("a CPU closure", busy, filch::spawn_cpu(move || meter.passed()).await.unwrap());
            let (meter, (tx, rx)) = (Meter::now(&turns), tokio::sync::oneshot::channel());
            filch::spawn_detached(move || tx.send(meter.passed()).unwrap());
            near("a detached closure", busy, rx.await.unwrap());
            // A task at rest, woken here; and this one, again and again.
            *lock(&rest.asked) = Some(Meter::now(&turns));
            rest.wake();
            let meter = Meter::now(&turns);
            task::yield_now().await;
            near("a task that yields", busy, meter.passed());
            let meter = Meter::now(&turns);
            yield_once().await;
            near("a task that wakes itself", busy, meter.passed());
            assert!(within_turns(&turns, || lock(&rest.waited).len() > round).await, "{busy:?}: not woken");
        }
        rest.end.store(true, Ordering::Relaxed);
        rest.wake();
        resting.await.unwrap();
        for &waited in lock(&rest.waited).iter() {
            near("a task at rest", busy, waited);
        }
    });
    asker.join().unwrap();
}

/// Yields until it holds: for a number of turns without end in practice.
async fn within_turns(turns: &Arc<AtomicU64>, mut done: impl FnMut() -> bool) -> bool {
    let meter = Meter::now(turns);
    while !done() {
        if meter.passed() > 100_000 {
            return false;
        }
        task::yield_now().await;
    }
    true
}

/// A task that rests, and notes how long each wake took.
#[derive(Clone, Default)]
struct Resting {
    waker: Arc<Mutex<Option<Waker>>>,
    asked: Arc<Mutex<Option<Meter>>>,
    waited: Arc<Mutex<Vec<u64>>>,
    end: Arc<AtomicBool>,
}

impl Resting {
    fn wake(&self) {
        let waker = lock(&self.waker).clone();
        waker.expect("it has begun").wake();
    }

    async fn has_begun(&self, turns: &Arc<AtomicU64>) -> bool {
        within_turns(turns, || lock(&self.waker).is_some()).await
    }
}

impl Future for Resting {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        *lock(&self.waker) = Some(context.waker().clone());
        if let Some(asked) = lock(&self.asked).take() {
            lock(&self.waited).push(asked.passed());
        }
        if self.end.load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Asks from outside, while the worker is held fast in a task, so that no turn passes meanwhile.
fn asked_from_outside(pool: &Pool, busy: Busy) {
    let flood = flood(pool, busy);
    let rest = Resting::default();
    let resting = pool.spawn(rest.clone());
    assert!(within(Duration::from_secs(20), || lock(&rest.waker).is_some()), "{busy:?}: an injected task starves");
    for _ in 0..20 {
        let (held, go) = (Event::default(), Event::default());
        let (held2, go2) = (held.clone(), go.clone());
        pool.spawn(async move {
            held2.set();
            go2.wait();
        })
        .detach();
        held.wait();
        let meter = || Meter::now(&flood.turns);
        let (m1, m2, m3) = (meter(), meter(), meter());
        let (tx, rx) = mpsc::channel();
        let task = pool.spawn(async move { m1.passed() });
        let closure = pool.spawn_cpu(move || m2.passed());
        pool.spawn_detached(move || tx.send(m3.passed()).unwrap());
        *lock(&rest.asked) = Some(meter());
        rest.wake();
        go.set();
        let waited = [task.join().unwrap(), closure.join().unwrap(), rx.recv().unwrap()];
        // Four things were injected: two tasks and two closures, one of which each wait for the other.
        assert!(waited.iter().all(|&turns| turns <= 2 * FAR), "{busy:?}: waited for {waited:?} turns");
    }
    rest.end.store(true, Ordering::Relaxed);
    rest.wake();
    resting.join().unwrap();
    for &turns in lock(&rest.waited).iter() {
        assert!(turns <= 2 * FAR, "{busy:?}: a task at rest waited for {turns} turns");
    }
}

fn nobody_starves(floods: &'static [Busy], ask: fn(&Pool, Busy)) {
    with_deadline(60, move || {
        for &busy in floods {
            note(format!("{busy:?}"));
            ask(&pool_without_lane(1), busy);
        }
    });
}

#[test]
fn beside_tasks_that_are_always_ready() {
    nobody_starves(&TASKS, asked_inside);
}

#[test]
fn from_outside_beside_tasks_that_are_always_ready() {
    nobody_starves(&TASKS, asked_from_outside);
}

#[test]
fn beside_a_flood_of_closures() {
    // A flood of closures pushes its next on top of older ones, as rayon does: so closures are not asked for here.
    with_deadline(60, || {
        for busy in CLOSURES {
            note(format!("{busy:?}"));
            let pool = pool_without_lane(1);
            let flood = flood(&pool, busy);
            let turns = flood.turns.clone();
            let asker = pool.spawn(async move {
                for _ in 0..100 {
                    let meter = Meter::now(&turns);
                    near("a task", busy, filch::spawn(async move { meter.passed() }).await.unwrap());
                    let meter = Meter::now(&turns);
                    task::yield_now().await;
                    near("a task that yields", busy, meter.passed());
                }
            });
            asker.join().unwrap();
        }
    });
}

#[test]
fn from_outside_beside_a_flood_of_closures() {
    nobody_starves(&CLOSURES, asked_from_outside);
}

#[test]
fn floods_of_both_kinds_at_once() {
    with_deadline(60, || {
        // Of closures one flood, for a newer one would keep an older one waiting: as in rayon.
        for (workers, closures) in [(1, CLOSURES[0]), (1, CLOSURES[1]), (2, CLOSURES[0]), (2, CLOSURES[1])] {
            let pool = pool(workers);
            let floods: Vec<_> = TASKS.into_iter().chain([closures]).map(|busy| flood(&pool, busy)).collect();
            let before: Vec<u64> = floods.iter().map(|flood| flood.turns.load(Ordering::Relaxed)).collect();
            for _ in 0..20 {
                assert_eq!(pool.spawn(async { 1 }).join().unwrap(), 1);
                assert_eq!(pool.spawn_cpu(|| 2).join().unwrap(), 2);
                assert_eq!(pool.broadcast(|_| ()).len(), workers);
            }
            let all_go_on = || floods.iter().zip(&before).all(|(f, b)| f.turns.load(Ordering::Relaxed) > b + 1000);
            assert!(within(Duration::from_secs(20), all_go_on), "a flood stands still");
        }
    });
}

// ----- order -----------------------------------------------------------------------------------------------------

type Log = Arc<Mutex<Vec<String>>>;

fn write(log: &Log, text: impl Into<String>) {
    lock(log).push(text.into());
}

/// Runs `f` on the one worker of a pool, in a task, and gives the log when all has ended.
fn logged(f: impl FnOnce(Log) + Send + 'static) -> Vec<String> {
    let (pool, log) = (pool_without_lane(1), Log::default());
    let inner = log.clone();
    pool.spawn(async move { f(inner) }).join().unwrap();
    assert!(within(Duration::from_secs(20), || pool.stats().live_tasks == 0));
    std::mem::take(&mut *lock(&log))
}

#[test]
fn who_yields_goes_to_the_back() {
    with_deadline(30, || {
        for by_yield_now in [true, false] {
            let order = logged(move |log| {
                for name in ["a", "b", "c", "d", "e"] {
                    let log = log.clone();
                    filch::spawn(async move {
                        for round in 0..50 {
                            write(&log, format!("{name}{round}"));
                            if by_yield_now { task::yield_now().await } else { yield_once().await }
                        }
                    })
                    .detach();
                }
            });
            let expected: Vec<String> =
                (0..50).flat_map(|round| ["a", "b", "c", "d", "e"].map(|name| format!("{name}{round}"))).collect();
            assert_eq!(order, expected, "by_yield_now: {by_yield_now}");
        }
    });
}

#[test]
fn who_is_woken_comes_before_who_waits_and_who_yields() {
    with_deadline(30, || {
        let order = logged(|log| {
            let place: Arc<Mutex<Option<Waker>>> = Arc::default();
            let (l, p) = (log.clone(), place.clone());
            let mut polls = 0;
            // At rest when the others begin: it goes into the next slot now, before them.
            filch::spawn(poll_fn(move |context| {
                polls += 1;
                write(&l, format!("resting {polls}"));
                *lock(&p) = Some(context.waker().clone());
                if polls == 3 { Poll::Ready(()) } else { Poll::Pending }
            }))
            .detach();
            let l = log.clone();
            filch::spawn(async move {
                for turn in 1..=2 {
                    write(&l, format!("waker {turn}"));
                    let waker = lock(&place).clone();
                    waker.expect("it rests").wake();
                    task::yield_now().await;
                }
                write(&l, "waker 3");
            })
            .detach();
            filch::spawn(async move {
                write(&log, "other 1");
                task::yield_now().await;
                write(&log, "other 2");
            })
            .detach();
        });
        let expected = ["resting 1", "waker 1", "resting 2", "other 1", "waker 2", "resting 3", "other 2", "waker 3"];
        assert_eq!(order, expected);
    });
}

#[test]
fn closures_of_a_yielding_task_run_before_it_has_yielded_nine_times() {
    with_deadline(30, || {
        let order = logged(|log| {
            let l = log.clone();
            filch::spawn(async move {
                filch::spawn_detached(move || write(&l, "closure"));
                for _ in 0..9 {
                    task::yield_now().await;
                    write(&log, "turn");
                }
            })
            .detach();
        });
        let at = order.iter().position(|entry| entry == "closure").expect("it has run");
        assert!(at <= 8, "{order:?}");
    });
}

// ----- who is woken by a task that goes on computing ---------------------------------------------------------------

const LONG: Duration = Duration::from_millis(300);
const SOON: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug)]
enum Then {
    Computes,
    Sleeps,
    /// In an arm of a `join`.
    ComputesInJoin,
    /// In a `scope`.
    ComputesInScope,
}

#[derive(Clone, Copy, Debug)]
enum Brings {
    /// Wakes a task at rest.
    Wake,
    /// Wakes it after so long a time that nobody watches any more.
    LateWake,
    /// Spawns a task.
    Spawn,
    /// Spawns a task that yields, and then spawns one that wakes the task at rest.
    Chain,
}

/// Goes on for 300 ms, or until the other task has been polled: it is told, but does not return before.
fn long(then: Then, polled: &Event) {
    let compute = || {
        let began = Instant::now();
        while began.elapsed() < LONG && !polled.is_set() {
            spin(Duration::from_micros(100));
        }
    };
    match then {
        Then::Computes => compute(),
        Then::Sleeps => support::ignore(polled.wait_for(LONG)),
        Then::ComputesInJoin => support::ignore(filch::join(compute, || ())),
        Then::ComputesInScope => filch::scope(|_| compute()),
    }
}

/// How long after its wake a task is polled, if who wakes it goes on for 300 ms.
fn delay(pool: &Pool, brings: Brings, then: Then, idle: Duration) -> Duration {
    let (polled, place): (Event, Arc<Mutex<Option<Waker>>>) = Default::default();
    let (began, p) = (Arc::new(Mutex::new(None)), place.clone());
    let (polled2, began2) = (polled.clone(), began.clone());
    let mut rested = false;
    let resting = pool.spawn(poll_fn(move |context| {
        if std::mem::replace(&mut rested, true) {
            let began: Option<Instant> = *lock(&began2);
            polled2.set();
            return Poll::Ready(began.expect("it is woken after that").elapsed());
        }
        *lock(&p) = Some(context.waker().clone());
        Poll::Pending
    }));
    assert!(within(Duration::from_secs(20), || lock(&place).is_some()));
    thread::sleep(idle);
    let wake = move || lock(&place).take().expect("it rests").wake();
    let polled2 = polled.clone();
    let computes = pool.spawn(async move {
        if let Brings::LateWake = brings {
            thread::sleep(Duration::from_millis(30));
        }
        *lock(&began) = Some(Instant::now());
        match brings {
            Brings::Wake | Brings::LateWake => wake(),
            Brings::Spawn => filch::spawn(async move { wake() }).detach(),
            Brings::Chain => filch::spawn(async move {
                task::yield_now().await;
                filch::spawn(async move { wake() }).detach();
            })
            .detach(),
        }
        long(then, &polled2);
    });
    let took = resting.join().unwrap();
    computes.join().unwrap();
    took
}

/// The machine has other things to do: of five, two may be late.
fn mostly_soon(what: &str, mut measure: impl FnMut() -> Duration) {
    note(what);
    let mut times: Vec<Duration> = (0..5).map(|_| measure()).collect();
    times.sort();
    assert!(times[2] < SOON, "{what}: {times:?}");
}

#[test]
fn a_task_woken_by_one_that_computes_on_is_run_by_another() {
    let _alone = alone();
    with_deadline(240, || {
        for workers in [2, 4] {
            // Idle for no time, about as long as the watch lasts, and long enough for deep sleep.
            for idle_ms in [0, 6, 50] {
                for brings in [Brings::Wake, Brings::LateWake, Brings::Spawn, Brings::Chain] {
                    for then in [Then::Computes, Then::Sleeps, Then::ComputesInJoin, Then::ComputesInScope] {
                        let what = format!("{workers} workers, idle for {idle_ms} ms, {brings:?}, {then:?}");
                        let pool = pool(workers);
                        mostly_soon(&what, || delay(&pool, brings, then, Duration::from_millis(idle_ms)));
                    }
                }
            }
        }
    });
}

#[test]
fn all_but_one_worker_compute_and_each_has_woken_somebody() {
    let _alone = alone();
    with_deadline(60, || {
        let pool = pool(4);
        mostly_soon("three computing workers of four", || {
            thread::scope(|threads| {
                let delays: Vec<_> =
                    (0..3).map(|_| threads.spawn(|| delay(&pool, Brings::Wake, Then::Sleeps, LONG / 6))).collect();
                delays.into_iter().map(|delay| delay.join().unwrap()).max().unwrap()
            })
        });
    });
}

#[test]
fn a_task_that_blocks_for_the_one_it_has_woken_or_spawned() {
    // The one worker's seat goes to a spare, and what lies in its next slot must go with it.
    with_deadline(30, || {
        let pool = pool_without_lane(1);
        for round in 0..50 {
            note(format!("round {round}"));
            let (tx, rx) = tokio::sync::oneshot::channel::<u32>();
            let resting = pool.spawn(async move { rx.await.unwrap() + 1 });
            let blocks = pool.spawn(async move {
                tx.send(1).unwrap();
                let spawned = filch::spawn(async { 10 });
                resting.join().unwrap() + spawned.join().unwrap()
            });
            assert_eq!(blocks.join().unwrap(), 12);
        }
    });
}
