//! A scope of so many spawns that do next to nothing, opened inside the pool; for task libraries, as many tasks spawned
//! by a task and awaited. Nothing but the cost of a spawn.

use std::time::{Duration, Instant};

use super::ONE_AND_TWO;
use crate::support::args::Scale;
use crate::support::fork::Fork;
use crate::support::forte_pool::Forte;
use crate::support::kernel::{Kernel, KernelRow};
use crate::support::libraries::{Filch, Rayon};
use crate::support::row::{Bout, Contender, Row, Unit};
use crate::support::tasks::{FilchTasks, Smol, Spawn, TaskLibrary, Tokio};

pub fn rows(scale: Scale) -> Vec<Row> {
    [
        ("spawns-10", 10, scale.pick(5_000, 500, 1)),
        ("spawns-1k", scale.pick(1_000, 1_000, 100), scale.pick(50, 5, 1)),
        ("spawns-100k", scale.pick(100_000, 20_000, 1_000), 1),
    ]
    .into_iter()
    .map(|(id, spawns, repeats)| row(id, spawns, repeats))
    .collect()
}

fn row(id: &'static str, spawns: usize, repeats: u32) -> Row {
    let unit = Unit::nanoseconds_per("ns per spawn", spawns as f64);
    let mut row = KernelRow::new(id, format!("scope of {spawns} spawns"), unit, Spawns { spawns, repeats })
        .serial()
        .library::<Filch>(ONE_AND_TWO)
        .library::<Rayon>(ONE_AND_TWO)
        .library::<Forte>(ONE_AND_TWO);
    // A contender's unit is that of one repeat; tasks repeat as often as scopes do.
    for &workers in ONE_AND_TWO {
        row = row
            .contender(contender::<FilchTasks>(workers, spawns, repeats))
            .contender(contender::<Tokio>(workers, spawns, repeats))
            .contender(contender::<Smol>(workers, spawns, repeats));
    }
    row.build()
}

struct Spawns {
    spawns: usize,
    repeats: u32,
}

impl Kernel for Spawns {
    /// A counter for each spawn.
    type State = Vec<u64>;
    type Output = ();

    fn state(&self) -> Vec<u64> {
        vec![0; self.spawns]
    }

    fn reset(&self, counters: &mut Vec<u64>) {
        counters.fill(0);
    }

    fn serial(&self, counters: &mut Vec<u64>) {
        counters.iter_mut().for_each(|counter| *counter += 1);
    }

    fn parallel<F: Fork>(&self, handle: F::Handle<'_, '_>, counters: &mut Vec<u64>) {
        F::fan_out(handle, counters, &|_handle, counter: &mut u64| *counter += 1);
    }

    fn check(&self, counters: &Vec<u64>, (): ()) {
        let repeats = u64::from(self.repeats);
        assert!(counters.iter().all(|counter| *counter == repeats));
    }

    fn repeats(&self) -> u32 {
        self.repeats
    }
}

fn contender<L: TaskLibrary>(workers: usize, spawns: usize, repeats: u32) -> Contender {
    Contender::new(L::NAME, workers, move || Box::new(TaskBout { library: L::start(workers), spawns, repeats }))
}

struct TaskBout<L: TaskLibrary> {
    library: L,
    spawns: usize,
    repeats: u32,
}

impl<L: TaskLibrary> Bout for TaskBout<L> {
    fn run(&mut self) -> Duration {
        let (spawner, spawns, repeats) = (self.library.spawner(), self.spawns, self.repeats);
        let start = Instant::now();
        let done = self.library.run(async move {
            let mut done = 0;
            for _ in 0..repeats {
                done += spawn_and_await(spawner, spawns).await;
            }
            done
        });
        let took = start.elapsed();
        assert_eq!(done, spawns * repeats as usize);
        took
    }
}

/// Spawns so many tasks, awaits them all, and counts them.
async fn spawn_and_await<S: Spawn>(spawner: S, spawns: usize) -> usize {
    let tasks: Vec<_> = (0..spawns).map(|_| spawner.spawn(async { 1 })).collect();
    let mut done = 0;
    for task in tasks {
        done += task.await;
    }
    done
}
