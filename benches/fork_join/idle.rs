//! What a pool costs that does nothing: CPU time per second of a pool that has run something and then fell idle, and of
//! a pool of which one worker is busy all the time, that worker's own time taken away. Measured with no other pool in
//! the process.

use std::thread;
use std::time::{Duration, Instant};

use crate::support::args::Scale;
use crate::support::cpu::{process_time, spin, thread_time};
use crate::support::fork::Library;
use crate::support::forte_pool::Forte;
use crate::support::libraries::{Chili, Filch, FilchOnWorker, Rayon};
use crate::support::row::{Bout, Contender, Row, Unit};
use crate::support::tasks::{FilchTasks, Smol, Spawn, TaskLibrary, Tokio};

const WORKERS: usize = 2;
/// Long enough for any bounded watch after activity to end.
const SETTLE: Duration = Duration::from_millis(100);
const UNIT: &str = "ms of CPU per second";

pub fn rows(scale: Scale) -> Vec<Row> {
    let time = Duration::from_millis(scale.pick(2_000, 200, 10));
    vec![idle_pool(time), busy_worker(time)]
}

fn row(id: &'static str, title: &str, time: Duration) -> Row {
    let mut row = Row::new(id, title.to_string(), Unit::new(UNIT, 1e3 / time.as_secs_f64()));
    row.alone = true;
    row
}

fn idle_pool(time: Duration) -> Row {
    let mut row = row("idle-pool", "an idle pool", time);
    row.note = "“no pool” is what the measurement itself costs.";
    row.push(Contender::new("no pool", 0, move || Box::new(CpuBout { pool: NoPool, measure: idle, time })));
    row.push(library::<Filch>(idle, time));
    row.push(library::<Rayon>(idle, time));
    row.push(library::<Chili>(idle, time));
    row.push(library::<Forte>(idle, time));
    row.push(tasks::<FilchTasks>(idle, time));
    row.push(tasks::<Tokio>(idle, time));
    row.push(tasks::<Smol>(idle, time));
    row
}

fn busy_worker(time: Duration) -> Row {
    let mut row = row("busy-worker", "the rest of a pool while one worker is busy", time);
    row.push(library::<Filch>(busy, time));
    row.push(library::<FilchOnWorker>(busy, time));
    row.push(library::<Rayon>(busy, time));
    row.push(library::<Chili>(busy, time));
    row.push(library::<Forte>(busy, time));
    row.push(tasks::<FilchTasks>(busy, time));
    row.push(tasks::<Tokio>(busy, time));
    row.push(tasks::<Smol>(busy, time));
    row
}

/// A pool seen from here: it can run a closure inside.
trait Enter: 'static {
    fn wake(&self) {}
    fn rest(&self) {}
    /// Makes all workers busy for a moment.
    fn warm_up(&self);
    fn inside(&self, body: impl FnOnce() -> Duration + Send + 'static) -> Duration;
}

struct Entered<L>(L);

impl<L: Library> Enter for Entered<L> {
    fn wake(&self) {
        self.0.wake();
    }

    fn rest(&self) {
        self.0.rest();
    }

    fn warm_up(&self) {
        let both = Duration::from_millis(1);
        self.0.enter(|handle| L::join(handle, |_| spin(both), |_| spin(both)));
    }

    fn inside(&self, body: impl FnOnce() -> Duration + Send + 'static) -> Duration {
        self.0.enter(|_| body())
    }
}

struct EnteredTasks<L>(L);

impl<L: TaskLibrary> Enter for EnteredTasks<L> {
    fn warm_up(&self) {
        let spawner = self.0.spawner();
        self.0.run(async move {
            let both = [(); 2].map(|()| spawner.spawn(async { spin(Duration::from_millis(1)) }));
            for task in both {
                task.await;
            }
        });
    }

    fn inside(&self, body: impl FnOnce() -> Duration + Send + 'static) -> Duration {
        self.0.run(async move { body() })
    }
}

/// Nothing to enter: the floor of the measurement.
struct NoPool;

impl Enter for NoPool {
    fn warm_up(&self) {}

    fn inside(&self, body: impl FnOnce() -> Duration + Send + 'static) -> Duration {
        body()
    }
}

/// What is measured of a pool during so much time.
type Measure<P> = fn(&P, Duration) -> Duration;

struct CpuBout<P: Enter> {
    pool: P,
    measure: Measure<P>,
    time: Duration,
}

impl<P: Enter> Bout for CpuBout<P> {
    fn wake(&mut self) {
        self.pool.wake();
        self.pool.warm_up();
        thread::sleep(SETTLE);
    }

    fn run(&mut self) -> Duration {
        (self.measure)(&self.pool, self.time)
    }

    fn rest(&mut self) {
        self.pool.rest();
    }
}

fn library<L: Library>(measure: Measure<Entered<L>>, time: Duration) -> Contender {
    let setup = move || -> Box<dyn Bout> { Box::new(CpuBout { pool: Entered(L::start(WORKERS)), measure, time }) };
    Contender::new(L::NAME, WORKERS, setup)
}

fn tasks<L: TaskLibrary>(measure: Measure<EnteredTasks<L>>, time: Duration) -> Contender {
    let setup = move || -> Box<dyn Bout> { Box::new(CpuBout { pool: EnteredTasks(L::start(WORKERS)), measure, time }) };
    Contender::new(L::NAME, WORKERS, setup)
}

/// CPU time of the process while this thread sleeps.
fn idle<P: Enter>(_pool: &P, time: Duration) -> Duration {
    let start = process_time();
    thread::sleep(time);
    process_time() - start
}

/// CPU time of the process, less that of the thread that computes, which also takes both readings.
fn busy<P: Enter>(pool: &P, time: Duration) -> Duration {
    pool.inside(move || {
        let begin = Instant::now();
        let (all, own) = (process_time(), thread_time());
        spin(time.saturating_sub(begin.elapsed()));
        (process_time() - all).saturating_sub(thread_time() - own)
    })
}
