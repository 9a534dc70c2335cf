//! Tasks of a microsecond of computation, spawned by a task that awaits them all. With two workers the bound is half a
//! microsecond each.

use std::time::{Duration, Instant};

use super::TWO;
use super::workload::{Workload, add_all};
use crate::support::args::Scale;
use crate::support::cpu::{compute, steps_for};
use crate::support::row::{Bout, Contender, Row, Unit};
use crate::support::tasks::{Spawn, TaskLibrary};

const EACH: Duration = Duration::from_micros(1);

pub fn row(scale: Scale) -> Row {
    let tasks = scale.pick(10_000, 10_000, 100);
    let unit = Unit::nanoseconds_per("ns per task", f64::from(tasks));
    let mut row = Row::new("tasks-1us", format!("{tasks} tasks of 1 µs of computation"), unit);
    row.note =
        "A microsecond is so many multiplications, by the quickest of many trials; “serial” tells how true that is.";
    row.push(Contender::bound("bound", 2, EACH * tasks / 2));
    row.push(Contender::new("serial", 1, move || Box::new(Serial { tasks })));
    add_all(&mut row, TWO, Computing { tasks });
    row
}

struct Serial {
    tasks: u32,
}

impl Bout for Serial {
    fn run(&mut self) -> Duration {
        let steps = steps_for(EACH);
        let start = Instant::now();
        let sum = (0..self.tasks).map(|_| compute(steps)).fold(0, u64::wrapping_add);
        let took = start.elapsed();
        assert_eq!(sum, expected(self.tasks, steps));
        took
    }
}

#[derive(Clone, Copy)]
struct Computing {
    tasks: u32,
}

impl Workload for Computing {
    fn run<L: TaskLibrary>(self, library: &L, _workers: usize) -> Duration {
        let (tasks, steps, spawner) = (self.tasks, steps_for(EACH), library.spawner());
        let (took, sum) = library.run(async move {
            let start = Instant::now();
            let handles: Vec<_> = (0..tasks).map(|_| spawner.spawn(async move { compute(steps) })).collect();
            let mut sum = 0_u64;
            for handle in handles {
                sum = sum.wrapping_add(handle.await);
            }
            (start.elapsed(), sum)
        });
        assert_eq!(sum, expected(tasks, steps));
        took
    }
}

fn expected(tasks: u32, steps: u32) -> u64 {
    compute(steps).wrapping_mul(u64::from(tasks))
}
