//! A workload for every task library, and the rows made of it.

use std::time::Duration;

use crate::support::row::{Bout, Contender, Row};
use crate::support::tasks::{
    FilchTasks, FilchWithoutLane, ForteTasks, FuturesPool, Smol, SwitchyardPool, TaskLibrary, Tokio,
};

/// One workload, written once for every library.
pub trait Workload: Copy + 'static {
    /// Runs once on a pool of so many workers, checks the result and returns the measured time.
    fn run<L: TaskLibrary>(self, library: &L, workers: usize) -> Duration;
}

/// Adds all libraries, once per number of workers.
pub fn add_all(row: &mut Row, workers: &[usize], workload: impl Workload) {
    for &workers in workers {
        add_but_forte(row, workers, workload);
        row.push(contender::<ForteTasks>(workers, workload));
    }
}

/// Adds all libraries whose tasks run on the pool's threads when a thread outside spawns or wakes them.
pub fn add_but_forte(row: &mut Row, workers: usize, workload: impl Workload) {
    row.push(contender::<FilchTasks>(workers, workload));
    row.push(contender::<Tokio>(workers, workload));
    row.push(contender::<Smol>(workers, workload));
    row.push(contender::<FuturesPool>(workers, workload));
    row.push(contender::<SwitchyardPool>(workers, workload));
}

/// Adds filch without its express lane: what the lane costs where nobody needs it.
pub fn add_without_lane(row: &mut Row, workers: &[usize], workload: impl Workload) {
    workers.iter().for_each(|&workers| row.push(contender::<FilchWithoutLane>(workers, workload)));
}

/// Why a row has no forte.
pub const NO_FORTE: &str =
    "forte is left out: this release runs what an outside thread spawns or wakes on that thread.";

fn contender<L: TaskLibrary>(workers: usize, workload: impl Workload) -> Contender {
    Contender::new(L::NAME, workers, move || Box::new(TaskBout { library: L::start(workers), workers, workload }))
}

struct TaskBout<L: TaskLibrary, W: Workload> {
    library: L,
    workers: usize,
    workload: W,
}

impl<L: TaskLibrary, W: Workload> Bout for TaskBout<L, W> {
    fn wake(&mut self) {
        self.library.wake();
    }

    fn run(&mut self) -> Duration {
        self.workload.run(&self.library, self.workers)
    }

    fn rest(&mut self) {
        self.library.rest();
    }
}
