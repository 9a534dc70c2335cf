//! A row of the table: one workload in one unit, and the contenders that run it.

use std::time::Duration;

/// The time of a run that was broken off because it would not end. The table calls it starving.
pub const NEVER: Duration = Duration::MAX;

/// What a row's numbers mean: seconds times `per_second`, in `label`.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    pub label: &'static str,
    pub per_second: f64,
}

impl Unit {
    pub const MILLISECONDS: Unit = Unit::new("ms", 1e3);
    pub const MICROSECONDS: Unit = Unit::new("µs", 1e6);

    pub const fn new(label: &'static str, per_second: f64) -> Self {
        Unit { label, per_second }
    }

    /// Nanoseconds per operation, for a run of so many operations.
    pub fn nanoseconds_per(label: &'static str, operations: f64) -> Self {
        Unit::new(label, 1e9 / operations)
    }

    /// The same unit when a run does the work `times` over.
    pub fn divided_by(self, times: f64) -> Self {
        Unit::new(self.label, self.per_second / times)
    }

    /// A measured time in this unit; [`NEVER`] is infinite in all.
    pub fn of(self, time: Duration) -> f64 {
        if time == NEVER {
            return f64::INFINITY;
        }
        time.as_secs_f64() * self.per_second
    }
}

/// A contender ready to run: its pool exists, its input may.
pub trait Bout {
    /// Called before the turn, outside the measured time.
    fn wake(&mut self) {}

    /// Runs once, checks the result and returns the measured time, or [`NEVER`].
    fn run(&mut self) -> Duration;

    /// Called after the turn.
    fn rest(&mut self) {}

    /// A whole turn.
    fn turn(&mut self) -> Duration {
        self.wake();
        let took = self.run();
        self.rest();
        took
    }
}

/// One library at one number of workers.
pub struct Contender {
    pub name: &'static str,
    pub workers: usize,
    /// Whether its time is computed rather than measured.
    pub computed: bool,
    setup: Box<dyn Fn() -> Box<dyn Bout>>,
}

impl Contender {
    /// `setup` makes the pool; it is called when the row's turn comes.
    pub fn new(name: &'static str, workers: usize, setup: impl Fn() -> Box<dyn Bout> + 'static) -> Self {
        Contender { name, workers, computed: false, setup: Box::new(setup) }
    }

    /// A contender whose every run takes the same, computed time: a bound to compare with.
    pub fn bound(name: &'static str, workers: usize, time: Duration) -> Self {
        let contender = Contender::new(name, workers, move || Box::new(Bound(time)));
        Contender { computed: true, ..contender }
    }

    pub fn start(&self) -> Box<dyn Bout> {
        (self.setup)()
    }
}

struct Bound(Duration);

impl Bout for Bound {
    fn run(&mut self) -> Duration {
        self.0
    }
}

/// One workload and everyone who runs it.
pub struct Row {
    /// Short name, for filters and file formats.
    pub id: &'static str,
    /// The workload in words, with its size.
    pub title: String,
    /// A remark printed under the row, or nothing.
    pub note: &'static str,
    pub unit: Unit,
    /// Whether each contender must be alone, because what is measured is the CPU time or memory of a process.
    pub alone: bool,
    pub contenders: Vec<Contender>,
}

impl Row {
    pub fn new(id: &'static str, title: String, unit: Unit) -> Self {
        Row { id, title, note: "", unit, alone: false, contenders: Vec::new() }
    }

    pub fn push(&mut self, contender: Contender) {
        self.contenders.push(contender);
    }
}
