//! A task awaits computations: one after another, and a hundred at a time. filch has them in its own pool; the others
//! have a second pool for them.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::args::Scale;
use crate::support::cpu::{compute, steps_for};
use crate::support::row::{Bout, Contender, Row, Unit};
use crate::support::tasks::{FilchTasks, Smol, TaskLibrary, Tokio};

const WORKERS: usize = 2;
const FLIGHT: u32 = 100;

pub fn rows(scale: Scale) -> Vec<Row> {
    [
        ("cpu-await-1us", 1, 1),
        ("cpu-await-1us-100", 1, FLIGHT),
        ("cpu-await-10us", 10, 1),
        ("cpu-await-10us-100", 10, FLIGHT),
    ]
    .into_iter()
    .map(|(id, micros, in_flight)| row(scale, id, micros, in_flight))
    .collect()
}

fn row(scale: Scale, id: &'static str, micros: u64, in_flight: u32) -> Row {
    let calls = scale.pick(5_000, 1_000, 100);
    let unit = Unit::nanoseconds_per("ns per call", f64::from(calls));
    let how = if in_flight == 1 { "one after another".to_string() } else { format!("{in_flight} at a time") };
    let mut row = Row::new(id, format!("a task awaits computations of {micros} µs, {how}"), unit);
    row.note = "filch: spawn_cpu; tokio: spawn_blocking; tokio + rayon: rayon's spawn and a oneshot channel, two threads \
                each; async-executor: unblock of the crate blocking.";
    let calls = Calls { calls, time: Duration::from_micros(micros), in_flight };
    row.push(contender::<FilchCpu>(calls));
    row.push(contender::<TokioRayon>(calls));
    row.push(contender::<TokioBlocking>(calls));
    row.push(contender::<SmolBlocking>(calls));
    row
}

/// A way to await a computation.
trait Bridge: 'static {
    const NAME: &'static str;
    type Library: TaskLibrary;
    /// What a call needs to know.
    type Pool: Clone + Send + Sync + 'static;

    fn pool() -> Self::Pool;

    /// Begins a computation, which the returned future waits for.
    fn call(pool: &Self::Pool, steps: u32) -> impl Future<Output = u64> + Send + 'static;
}

struct FilchCpu;

impl Bridge for FilchCpu {
    const NAME: &'static str = FilchTasks::NAME;
    type Library = FilchTasks;
    type Pool = ();

    fn pool() {}

    fn call((): &(), steps: u32) -> impl Future<Output = u64> + Send + 'static {
        let handle = filch::spawn_cpu(move || compute(steps));
        async move { handle.await.unwrap_or_else(|_| panic!("a closure failed")) }
    }
}

struct TokioRayon;

impl Bridge for TokioRayon {
    const NAME: &'static str = "tokio + rayon";
    type Library = Tokio;
    type Pool = Arc<rayon::ThreadPool>;

    fn pool() -> Self::Pool {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(WORKERS).build();
        Arc::new(pool.expect("a rayon pool"))
    }

    fn call(pool: &Self::Pool, steps: u32) -> impl Future<Output = u64> + Send + 'static {
        let (answer, answered) = tokio::sync::oneshot::channel();
        pool.spawn(move || answer.send(compute(steps)).expect("somebody waits"));
        async move { answered.await.expect("rayon runs every closure") }
    }
}

struct TokioBlocking;

impl Bridge for TokioBlocking {
    const NAME: &'static str = Tokio::NAME;
    type Library = Tokio;
    type Pool = ();

    fn pool() {}

    fn call((): &(), steps: u32) -> impl Future<Output = u64> + Send + 'static {
        let handle = tokio::task::spawn_blocking(move || compute(steps));
        async move { handle.await.expect("a closure failed") }
    }
}

struct SmolBlocking;

impl Bridge for SmolBlocking {
    const NAME: &'static str = Smol::NAME;
    type Library = Smol;
    type Pool = ();

    fn pool() {}

    fn call((): &(), steps: u32) -> impl Future<Output = u64> + Send + 'static {
        blocking::unblock(move || compute(steps))
    }
}

#[derive(Clone, Copy)]
struct Calls {
    calls: u32,
    time: Duration,
    in_flight: u32,
}

fn contender<B: Bridge>(calls: Calls) -> Contender {
    let setup = move || -> Box<dyn Bout> {
        Box::new(CpuBout::<B> { library: B::Library::start(WORKERS), pool: B::pool(), calls })
    };
    Contender::new(B::NAME, WORKERS, setup)
}

struct CpuBout<B: Bridge> {
    library: B::Library,
    pool: B::Pool,
    calls: Calls,
}

impl<B: Bridge> Bout for CpuBout<B> {
    fn run(&mut self) -> Duration {
        let (pool, Calls { calls, time, in_flight }) = (self.pool.clone(), self.calls);
        let steps = steps_for(time);
        let (took, sum) = self.library.run(async move {
            let start = Instant::now();
            let mut sum = 0_u64;
            for _ in 0..calls / in_flight {
                sum = sum.wrapping_add(one_flight::<B>(&pool, steps, in_flight).await);
            }
            (start.elapsed(), sum)
        });
        assert_eq!(sum, compute(steps).wrapping_mul(u64::from(calls)));
        took
    }
}

/// Begins so many computations, and awaits them all.
async fn one_flight<B: Bridge>(pool: &B::Pool, steps: u32, in_flight: u32) -> u64 {
    if in_flight == 1 {
        return B::call(pool, steps).await;
    }
    let calls: Vec<_> = (0..in_flight).map(|_| B::call(pool, steps)).collect();
    let mut sum = 0_u64;
    for call in calls {
        sum = sum.wrapping_add(call.await);
    }
    sum
}
