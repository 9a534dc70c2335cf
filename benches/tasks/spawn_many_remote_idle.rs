//! A thread outside spawns many tasks on an idle pool: until all have run, and the loop that spawns alone.

use std::time::{Duration, Instant};

use super::countdown::Countdown;
use super::workload::{NO_FORTE, Workload, add_but_forte, add_without_lane};
use crate::support::args::Scale;
use crate::support::row::{Row, Unit};
use crate::support::tasks::{TaskLibrary, block_on};

pub fn rows(scale: Scale) -> Vec<Row> {
    vec![
        row(scale, "spawn-many-remote-idle", "until all have run", false),
        row(scale, "spawn-many-remote-idle-loop", "the loop that spawns alone", true),
    ]
}

fn row(scale: Scale, id: &'static str, what: &str, only_loop: bool) -> Row {
    let tasks = scale.pick(10_000, 10_000, 100);
    let unit = Unit::nanoseconds_per("ns per spawn", tasks as f64);
    let mut row = Row::new(id, format!("a thread outside spawns {tasks} tasks, {what}"), unit);
    row.note = NO_FORTE;
    let workload = FromOutside { tasks, only_loop, countdown: Countdown::leaked() };
    add_but_forte(&mut row, 2, workload);
    add_without_lane(&mut row, &[2], workload);
    row
}

#[derive(Clone, Copy)]
struct FromOutside {
    tasks: usize,
    only_loop: bool,
    countdown: &'static Countdown,
}

impl Workload for FromOutside {
    fn run<L: TaskLibrary>(self, library: &L, _workers: usize) -> Duration {
        let countdown = self.countdown;
        countdown.set(self.tasks);
        let start = Instant::now();
        for _ in 0..self.tasks {
            library.detach(async { countdown.one_done() });
        }
        let spawned = start.elapsed();
        block_on(countdown.all_done());
        if self.only_loop { spawned } else { start.elapsed() }
    }
}
