//! Fork-join in a pool full of tasks and timers that do nothing, and in one without: idle tasks must cost nothing. Both
//! pools are in the same process and have turns one after the other.

use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::conditions::Conditions;
use super::contenders::{Closures, Filch, Mix, TokioRayon};
use crate::support::fork::Library;
use crate::support::forte_pool::Forte;
use crate::support::results::median;
use crate::support::sheet::{Figure, Sheet};

const FIGURES: &[Figure] =
    &[Figure::new("without", "ms without"), Figure::new("with", "ms with"), Figure::new("ratio", "with / without")];

const TASKS: u64 = 10_000;
const TIMERS: u64 = 1_000;
const HOUR: Duration = Duration::from_secs(3600);
const DEADLINE: Duration = Duration::from_secs(60);

const NOTE: &str = "The ratio is the median of the ratios of a turn's pairs. tokio + rayon: the tasks and timers are \
    tokio's, the forks rayon's. forte has no timers, so only its tasks are there.";

pub fn sheet(conditions: Conditions) -> Sheet {
    let title = format!("fib by join beside {TASKS} idle tasks and {TIMERS} timers");
    let mut sheet = Sheet::new("crowd", title, FIGURES);
    sheet.note = NOTE;
    sheet.push(Filch::NAME, conditions.cores, move || {
        let (empty, full) = (Filch::start(conditions.cores), Filch::start(conditions.cores));
        crowd(full, filch::time::sleep);
        assert_eq!(full.pool().stats().live_tasks, TASKS + TIMERS);
        let figures = pairs(&conditions, |n| timed(|| in_filch(empty, n)), |n| timed(|| in_filch(full, n)));
        assert_eq!(full.pool().stats().live_tasks, TASKS + TIMERS, "no task has ended meanwhile");
        figures
    });
    sheet.push(TokioRayon::NAME, conditions.cores, move || {
        let (empty, full) = (TokioRayon::start(conditions.cores), TokioRayon::start(conditions.cores));
        // Timers of tokio are made inside of its runtime.
        let runtime = full.runtime().enter();
        crowd(full, tokio::time::sleep);
        drop(runtime);
        pairs(&conditions, |n| timed(|| in_rayon(empty, n)), |n| timed(|| in_rayon(full, n)))
    });
    sheet.push("forte", conditions.cores, move || forte(&conditions));
    sheet
}

/// Spawns tasks that wait for ever, and tasks that wait for an hour, and waits until all have been polled.
fn crowd<M: Mix, S: Future + Send + 'static>(mix: M, sleep: fn(Duration) -> S) {
    let polled = Arc::new(AtomicU64::new(0));
    for _ in 0..TASKS {
        mix.task(counted(Arc::clone(&polled), pending()));
    }
    for _ in 0..TIMERS {
        let timer = sleep(HOUR);
        mix.task(counted(Arc::clone(&polled), async move {
            timer.await;
        }));
    }
    wait_for(&polled, TASKS + TIMERS);
}

/// Counts its first poll, and then is `rest`.
async fn counted(polled: Arc<AtomicU64>, rest: impl Future<Output = ()> + Send) {
    let _kept = own_waker().await;
    polled.fetch_add(1, Ordering::Relaxed);
    rest.await;
}

/// The task's own waker, which keeps it: filch would drop a task that nobody can wake.
fn own_waker() -> impl Future<Output = std::task::Waker> {
    std::future::poll_fn(|context| std::task::Poll::Ready(context.waker().clone()))
}

fn wait_for(polled: &AtomicU64, tasks: u64) {
    let begin = Instant::now();
    while polled.load(Ordering::Relaxed) < tasks {
        assert!(begin.elapsed() < DEADLINE, "a task has never been polled");
        thread::sleep(Duration::from_millis(1));
    }
}

fn timed(fib: impl FnOnce() -> u64) -> (u64, Duration) {
    let begin = Instant::now();
    let result = fib();
    (result, begin.elapsed())
}

fn in_filch(filch: Filch, n: u32) -> u64 {
    filch.pool().install(|| filch_fib(n))
}

fn in_rayon(mix: TokioRayon, n: u32) -> u64 {
    mix.pool().install(|| rayon_fib(n))
}

/// A turn: the result for a number, and the time.
trait Turn: Fn(u32) -> (u64, Duration) {}
impl<T: Fn(u32) -> (u64, Duration)> Turn for T {}

/// Both in turn, the order changing from pair to pair.
fn pairs(conditions: &Conditions, without: impl Turn, with: impl Turn) -> Vec<f64> {
    let n = conditions.scale.pick(32, 30, 10);
    let pairs = conditions.scale.pick(40, 10, 2);
    let (mut without_ms, mut with_ms) = (Vec::new(), Vec::new());
    let time = |turn: &dyn Fn(u32) -> (u64, Duration), times: &mut Vec<f64>| {
        let (result, took) = turn(n);
        assert_eq!(result, plain_fib(n));
        times.push(took.as_secs_f64() * 1e3);
    };
    without(n);
    with(n);
    for pair in 0..pairs {
        if pair % 2 == 0 {
            time(&without, &mut without_ms);
            time(&with, &mut with_ms);
        } else {
            time(&with, &mut with_ms);
            time(&without, &mut without_ms);
        }
    }
    let ratios: Vec<f64> = with_ms.iter().zip(&without_ms).map(|(with, without)| with / without).collect();
    vec![median(&without_ms), median(&with_ms), median(&ratios)]
}

/// What the result must be.
fn plain_fib(n: u32) -> u64 {
    (0..n).fold((0, 1), |(a, b), _| (b, a + b)).0
}

fn filch_fib(n: u32) -> u64 {
    if n < 2 {
        return u64::from(n);
    }
    let (a, b) = filch::join(|| filch_fib(n - 1), || filch_fib(n - 2));
    a + b
}

fn rayon_fib(n: u32) -> u64 {
    if n < 2 {
        return u64::from(n);
    }
    let (a, b) = rayon::join(|| rayon_fib(n - 1), || rayon_fib(n - 2));
    a + b
}

fn forte_fib(worker: &forte::Worker, n: u32) -> u64 {
    if n < 2 {
        return u64::from(n);
    }
    let (a, b) = worker.join(|worker| forte_fib(worker, n - 1), |worker| forte_fib(worker, n - 2));
    a + b
}

/// forte's heartbeat runs as long as a pool has workers, so each pool has them only in its own turns.
fn forte(conditions: &Conditions) -> Vec<f64> {
    let (empty, full) = (Forte::start(conditions.cores), Forte::start(conditions.cores));
    let polled = Arc::new(AtomicU64::new(0));
    for _ in 0..TASKS {
        // A thread outside that spawns a task runs it itself to its first pause.
        full.pool.spawn_future(counted(Arc::clone(&polled), pending())).detach();
    }
    wait_for(&polled, TASKS);
    let turn = |pool: &Forte, n: u32| {
        pool.wake();
        let result = pool.pool.with_worker(|worker| timed(|| forte_fib(worker, n)));
        pool.rest();
        result
    };
    pairs(conditions, |n| turn(&empty, n), |n| turn(&full, n))
}
