//! A chain of tasks, each of which spawns the next; the last one signals.

use std::time::{Duration, Instant};

use super::ONE_AND_TWO;
use super::countdown::Countdown;
use super::workload::{Workload, add_all};
use crate::support::args::Scale;
use crate::support::row::{Row, Unit};
use crate::support::tasks::{Spawn, TaskLibrary};

pub fn row(scale: Scale) -> Row {
    let hops = scale.pick(10_000, 10_000, 100);
    let unit = Unit::nanoseconds_per("ns per hop", f64::from(hops));
    let mut row = Row::new("chained-spawn", format!("a chain of {hops} tasks, each spawns the next"), unit);
    add_all(&mut row, ONE_AND_TWO, Chain { hops, countdown: Countdown::leaked() });
    row
}

#[derive(Clone, Copy)]
struct Chain {
    hops: u32,
    countdown: &'static Countdown,
}

impl Workload for Chain {
    fn run<L: TaskLibrary>(self, library: &L, _workers: usize) -> Duration {
        let (Chain { hops, countdown }, spawner) = (self, library.spawner());
        countdown.set(1);
        library.run(async move {
            let start = Instant::now();
            hop(spawner, hops, countdown);
            countdown.all_done().await;
            start.elapsed()
        })
    }
}

/// Spawns the next of so many tasks, or signals the end.
fn hop<S: Spawn>(spawner: S, left: u32, countdown: &'static Countdown) {
    if left == 0 {
        countdown.one_done();
    } else {
        spawner.detach(async move { hop(spawner, left - 1, countdown) });
    }
}
