//! A thread outside spawns many tasks on a pool that is busy with tasks that do nothing but yield, twice as many as
//! workers. Where those let nobody else run, the contender starves: all is broken off at a deadline, which the yielding
//! tasks also know, so that nothing hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::TWO;
use super::countdown::Countdown;
use super::workload::{Workload, add_all};
use crate::support::args::Scale;
use crate::support::row::{NEVER, Row, Unit};
use crate::support::tasks::{Spawn, TaskLibrary, block_on, block_on_until};

pub fn row(scale: Scale) -> Row {
    let tasks = scale.pick(10_000, 10_000, 100);
    let limit = Duration::from_millis(scale.pick(2_000, 500, 50));
    let unit = Unit::nanoseconds_per("ns per spawn", tasks as f64);
    let title = format!("a thread outside spawns {tasks} tasks while yielding tasks keep the pool busy");
    let mut row = Row::new("spawn-many-remote-busy", title, unit);
    row.note = "Who starves had not run them all after two seconds, or not even all of the yielding tasks.";
    let (spawned, yielding) = (Countdown::leaked(), Countdown::leaked());
    add_all(&mut row, TWO, Beside { tasks, limit, spawned, yielding });
    row
}

#[derive(Clone, Copy)]
struct Beside {
    tasks: usize,
    limit: Duration,
    spawned: &'static Countdown,
    yielding: &'static Countdown,
}

impl Workload for Beside {
    fn run<L: TaskLibrary>(self, library: &L, workers: usize) -> Duration {
        let deadline = Instant::now() + self.limit;
        let busy = Arc::new(Busy { begun: AtomicUsize::new(0), stop: AtomicBool::new(false), deadline });
        self.yielding.set(2 * workers);
        for _ in 0..2 * workers {
            library.detach(busy.clone().keep_yielding(library.spawner(), self.yielding));
        }
        let took = if busy.all_begun(2 * workers) { self.spawn_all(library, deadline) } else { NEVER };
        busy.stop.store(true, Ordering::Relaxed);
        block_on(self.yielding.all_done());
        took
    }
}

impl Beside {
    fn spawn_all<L: TaskLibrary>(self, library: &L, deadline: Instant) -> Duration {
        let spawned = self.spawned;
        spawned.set(self.tasks);
        let start = Instant::now();
        for _ in 0..self.tasks {
            library.detach(async { spawned.one_done() });
        }
        let in_time = block_on_until(spawned.all_done(), deadline);
        let took = start.elapsed();
        if in_time.is_none() {
            // The yielding tasks end by themselves now. The next run must not meet stragglers.
            block_on(spawned.all_done());
            return NEVER;
        }
        took
    }
}

/// What the yielding tasks share.
struct Busy {
    begun: AtomicUsize,
    stop: AtomicBool,
    deadline: Instant,
}

impl Busy {
    async fn keep_yielding<S: Spawn>(self: Arc<Self>, spawner: S, yielding: &'static Countdown) {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let mut yields = 0_u32;
        while !self.stop.load(Ordering::Relaxed) {
            // The clock costs more than a yield.
            if yields % 64 == 0 && Instant::now() > self.deadline {
                break;
            }
            yields += 1;
            spawner.yield_now().await;
        }
        yielding.one_done();
    }

    /// Waits until all have begun; the answer is whether they did in time.
    fn all_begun(&self, count: usize) -> bool {
        while self.begun.load(Ordering::Relaxed) < count && Instant::now() < self.deadline {
            thread::sleep(Duration::from_micros(50));
        }
        Instant::now() < self.deadline
    }
}
