//! Many tasks that do nothing but yield, a thousand times each.

use std::time::{Duration, Instant};

use super::ONE_AND_TWO;
use super::workload::{Workload, add_all, add_without_lane};
use crate::support::args::Scale;
use crate::support::row::{Row, Unit};
use crate::support::tasks::{Spawn, TaskLibrary};

const TASKS: u32 = 200;

pub fn row(scale: Scale) -> Row {
    let yields = scale.pick(1_000, 1_000, 10);
    let unit = Unit::nanoseconds_per("ns per yield", f64::from(TASKS * yields));
    let mut row = Row::new("yield-many", format!("{TASKS} tasks yield {yields} times each"), unit);
    row.note =
        "With the library's own yield; forte and futures have none, and run a task that has woken itself at once.";
    add_all(&mut row, ONE_AND_TWO, Yields { yields });
    add_without_lane(&mut row, ONE_AND_TWO, Yields { yields });
    row
}

#[derive(Clone, Copy)]
struct Yields {
    yields: u32,
}

impl Workload for Yields {
    fn run<L: TaskLibrary>(self, library: &L, _workers: usize) -> Duration {
        let (yields, spawner) = (self.yields, library.spawner());
        let (took, done) = library.run(async move {
            let start = Instant::now();
            let yielding = |_| spawner.spawn(keep_yielding(spawner, yields));
            let tasks: Vec<_> = (0..TASKS).map(yielding).collect();
            let mut done = 0;
            for task in tasks {
                done += task.await;
            }
            (start.elapsed(), done)
        });
        assert_eq!(done, TASKS * yields);
        took
    }
}

/// Yields so many times, and counts.
async fn keep_yielding<S: Spawn>(spawner: S, yields: u32) -> u32 {
    let mut done = 0;
    while done < yields {
        spawner.yield_now().await;
        done += 1;
    }
    done
}
