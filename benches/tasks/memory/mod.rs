//! The memory of a parked task: a million tasks of a future of 80 bytes, spawned by a task a thousand at a time, all
//! waiting for a wake that never comes, their handles dropped. Told are the bytes requested from the allocator and the
//! growth of the resident set, each over the number of tasks.
//!
//! Each contender has a process of its own, which is this program with other arguments: memory that another has left
//! behind would be used again.

pub mod counting;
mod parked;

use std::process::Command;
use std::time::Duration;

use crate::support::args::Scale;
use crate::support::row::{Bout, Contender, Row, Unit};
use crate::support::tasks::{FilchTasks, ForteTasks, FuturesPool, Smol, SwitchyardPool, TaskLibrary, Tokio};

const WORKERS: usize = 2;
const FLAG: &str = "--memory-of";

pub fn rows(scale: Scale) -> Vec<Row> {
    vec![
        row(scale, "memory-requested", "bytes requested", Figure::Requested),
        row(scale, "memory-rss", "growth of the resident set", Figure::Resident),
    ]
}

fn row(scale: Scale, id: &'static str, what: &str, figure: Figure) -> Row {
    let tasks = scale.pick(1_000_000, 100_000, 2_000);
    let unit = Unit::nanoseconds_per("bytes per task", f64::from(tasks));
    let mut row = Row::new(id, format!("{tasks} parked tasks of 80 bytes, {what}"), unit);
    row.alone = true;
    for name in NAMES {
        row.push(Contender::new(name, WORKERS, move || Box::new(Child { name, tasks, figure })));
    }
    row
}

#[derive(Clone, Copy)]
enum Figure {
    Requested,
    Resident,
}

const NAMES: [&str; 6] =
    [FilchTasks::NAME, Tokio::NAME, Smol::NAME, ForteTasks::NAME, FuturesPool::NAME, SwitchyardPool::NAME];

/// A process that measures one contender.
struct Child {
    name: &'static str,
    tasks: u32,
    figure: Figure,
}

impl Bout for Child {
    /// The bytes, each told as a nanosecond: rows are in times.
    fn run(&mut self) -> Duration {
        let program = std::env::current_exe().expect("this program has a path");
        let output = Command::new(program).args([FLAG, self.name, &self.tasks.to_string()]).output();
        let output = output.expect("this program starts");
        assert!(output.status.success(), "{}: {}", self.name, String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("numbers are text");
        let figures: Vec<u64> = text.split_whitespace().map(|word| word.parse().expect("a number")).collect();
        Duration::from_nanos(match self.figure {
            Figure::Requested => figures[0],
            Figure::Resident => figures[1],
        })
    }
}

/// Whether this process is one that measures a contender.
pub fn is_child(args: &[String]) -> bool {
    args.first().is_some_and(|arg| arg == FLAG)
}

/// What such a process does.
pub fn child(args: &[String]) {
    let (name, tasks) = (args[1].as_str(), args[2].parse().expect("a number of tasks"));
    match name {
        FilchTasks::NAME => parked::measure::<FilchTasks>(tasks),
        Tokio::NAME => parked::measure::<Tokio>(tasks),
        Smol::NAME => parked::measure::<Smol>(tasks),
        ForteTasks::NAME => parked::measure::<ForteTasks>(tasks),
        FuturesPool::NAME => parked::measure::<FuturesPool>(tasks),
        SwitchyardPool::NAME => parked::measure::<SwitchyardPool>(tasks),
        _ => panic!("no library {name}"),
    }
}
