//! A task spawns many that do next to nothing: they count down, and the last one signals. The same with the handles
//! kept and awaited one after another.

use std::time::{Duration, Instant};

use super::ONE_AND_TWO;
use super::countdown::Countdown;
use super::workload::{Workload, add_all, add_without_lane};
use crate::support::args::Scale;
use crate::support::row::{Row, Unit};
use crate::support::tasks::{Spawn, TaskLibrary};

pub fn rows(scale: Scale) -> Vec<Row> {
    let tasks = scale.pick(10_000, 10_000, 100);
    let unit = Unit::nanoseconds_per("ns per task", tasks as f64);
    let title = format!("a task spawns {tasks} tasks and waits for the last");
    let mut detached = Row::new("spawn-many-local", title, unit);
    detached.note = "forte shares nothing but at a join, so its tasks run on one thread, here and below.";
    let workload = Detached { tasks, countdown: Countdown::leaked() };
    add_all(&mut detached, ONE_AND_TWO, workload);
    add_without_lane(&mut detached, ONE_AND_TWO, workload);
    let title = format!("a task spawns {tasks} tasks and awaits each");
    let mut awaited = Row::new("spawn-many-local-await", title, unit);
    add_all(&mut awaited, ONE_AND_TWO, Awaited { tasks });
    add_without_lane(&mut awaited, ONE_AND_TWO, Awaited { tasks });
    vec![detached, awaited]
}

#[derive(Clone, Copy)]
struct Detached {
    tasks: usize,
    countdown: &'static Countdown,
}

impl Workload for Detached {
    fn run<L: TaskLibrary>(self, library: &L, _workers: usize) -> Duration {
        let (Detached { tasks, countdown }, spawner) = (self, library.spawner());
        countdown.set(tasks);
        library.run(async move {
            let start = Instant::now();
            for _ in 0..tasks {
                spawner.detach(async { countdown.one_done() });
            }
            countdown.all_done().await;
            start.elapsed()
        })
    }
}

#[derive(Clone, Copy)]
struct Awaited {
    tasks: usize,
}

impl Workload for Awaited {
    fn run<L: TaskLibrary>(self, library: &L, _workers: usize) -> Duration {
        let (tasks, spawner) = (self.tasks, library.spawner());
        let (took, done) = library.run(async move {
            let start = Instant::now();
            let handles: Vec<_> = (0..tasks).map(|_| spawner.spawn(async { 1 })).collect();
            let mut done = 0;
            for handle in handles {
                done += handle.await;
            }
            (start.elapsed(), done)
        });
        assert_eq!(done, tasks);
        took
    }
}
