//! How long a pool takes to begin: an empty join, from inside the pool and from outside, over and over, and after the
//! whole program has been idle for a millisecond; and then two closures of 20 µs each, where waking a sleeper must pay
//! for itself.

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use super::ONE_AND_TWO;
use crate::support::args::Scale;
use crate::support::cpu::spin;
use crate::support::fork::{Fork, Library};
use crate::support::forte_pool::Forte;
use crate::support::kernel::{Kernel, KernelRow};
use crate::support::libraries::{Chili, Filch, FilchOnWorker, FilchWorker, Rayon, Serial};
use crate::support::results::median;
use crate::support::row::{Bout, Contender, Row, Unit};
use crate::support::tasks::{FilchTasks, Smol, Spawn, TaskLibrary, Tokio};

const CLOSURE: Duration = Duration::from_micros(20);
const IDLE: Duration = Duration::from_millis(1);

pub fn rows(scale: Scale) -> Vec<Row> {
    let mut rows = vec![inside(scale), outside(scale)];
    for work in [NOTHING, TWENTY] {
        rows.extend([idle_outside(scale, &work), idle_inside(scale, &work)]);
    }
    rows
}

fn inside(scale: Scale) -> Row {
    let repeats = scale.pick(100_000, 10_000, 1);
    let unit = Unit::nanoseconds_per("ns per join", 1.0);
    KernelRow::new("dispatch-inside", "empty join inside the pool, hot".to_string(), unit, EmptyJoin { repeats })
        .library::<Filch>(ONE_AND_TWO)
        .library::<FilchWorker>(ONE_AND_TWO)
        .library::<Rayon>(ONE_AND_TWO)
        .library::<Chili>(ONE_AND_TWO)
        .library::<Forte>(ONE_AND_TWO)
        .build()
}

struct EmptyJoin {
    repeats: u32,
}

impl Kernel for EmptyJoin {
    type State = ();
    type Output = (u32, u32);

    fn state(&self) {}

    fn serial(&self, (): &mut ()) -> (u32, u32) {
        (black_box(1), black_box(2))
    }

    fn parallel<F: Fork>(&self, handle: F::Handle<'_, '_>, (): &mut ()) -> (u32, u32) {
        F::join(handle, |_| black_box(1), |_| black_box(2))
    }

    fn check(&self, (): &(), output: (u32, u32)) {
        assert_eq!(output, (1, 2));
    }

    fn repeats(&self) -> u32 {
        self.repeats
    }
}

fn outside(scale: Scale) -> Row {
    let entries = scale.pick(2_000, 300, 2);
    let unit = Unit::nanoseconds_per("ns per entry", f64::from(entries));
    let mut row = Row::new("dispatch-outside", "enter the pool for an empty join, hot".to_string(), unit);
    row.note = "The task libraries are entered by spawning two empty tasks and waiting for both.";
    for &workers in ONE_AND_TWO {
        row.push(entering::<Filch>(workers, entries));
        row.push(entering::<FilchOnWorker>(workers, entries));
        row.push(entering::<Rayon>(workers, entries));
        row.push(entering::<Chili>(workers, entries));
        // With one worker forte has no heartbeat thread, and nobody clears away the entries of former visitors.
        if workers > 1 {
            row.push(entering::<Forte>(workers, entries));
        }
        row.push(tasks_from_outside::<FilchTasks>(workers, entries));
        row.push(tasks_from_outside::<Tokio>(workers, entries));
        row.push(tasks_from_outside::<Smol>(workers, entries));
    }
    row
}

/// A contender that is a library and a run of it.
struct LibraryBout<L: Library, R: Fn(&L) -> Duration> {
    library: L,
    run: R,
}

impl<L: Library, R: Fn(&L) -> Duration> Bout for LibraryBout<L, R> {
    fn wake(&mut self) {
        self.library.wake();
    }

    fn run(&mut self) -> Duration {
        (self.run)(&self.library)
    }

    fn rest(&mut self) {
        self.library.rest();
    }
}

fn library<L: Library>(workers: usize, run: impl Fn(&L) -> Duration + Copy + 'static) -> Contender {
    Contender::new(L::NAME, workers, move || Box::new(LibraryBout { library: L::start(workers), run }))
}

fn entering<L: Library>(workers: usize, entries: u32) -> Contender {
    library(workers, move |library: &L| {
        let start = Instant::now();
        for _ in 0..entries {
            let results = library.enter(|handle| L::join(handle, |_| black_box(1), |_| black_box(2)));
            assert_eq!(results, (1, 2));
        }
        start.elapsed()
    })
}

fn tasks_from_outside<L: TaskLibrary>(workers: usize, entries: u32) -> Contender {
    Contender::new(L::NAME, workers, move || Box::new(TaskBout { library: L::start(workers), entries }))
}

struct TaskBout<L: TaskLibrary> {
    library: L,
    entries: u32,
}

impl<L: TaskLibrary> Bout for TaskBout<L> {
    fn run(&mut self) -> Duration {
        let start = Instant::now();
        for _ in 0..self.entries {
            let spawner = self.library.spawner();
            let results = self.library.run(async move {
                let (a, b) = (spawner.spawn(async { black_box(1) }), spawner.spawn(async { black_box(2) }));
                (a.await, b.await)
            });
            assert_eq!(results, (1, 2));
        }
        start.elapsed()
    }
}

/// What each closure of a `join` after a while of idleness does.
struct Work {
    outside: &'static str,
    inside: &'static str,
    title: &'static str,
    time: Option<Duration>,
    note: &'static str,
}

const NOTHING: Work = Work {
    outside: "idle-empty-outside",
    inside: "idle-empty-inside",
    title: "an empty join after 1 ms of idleness",
    time: None,
    note: "A run is the median of its waits.",
};
const TWENTY: Work = Work {
    outside: "idle-join-outside",
    inside: "idle-join-inside",
    title: "2 × 20 µs after 1 ms of idleness",
    time: Some(CLOSURE),
    note: "A run is the median of its waits. The computing time is 40 µs on one thread and 20 µs on two.",
};

fn idle_outside(scale: Scale, work: &Work) -> Row {
    let (waits, time) = (scale.pick(100, 20, 1), work.time);
    let mut row = Row::new(work.outside, format!("{}, from outside", work.title), Unit::MICROSECONDS);
    row.note = work.note;
    row.push(waiting_outside::<Serial>(1, waits, time));
    row.push(waiting_outside::<Filch>(2, waits, time));
    row.push(waiting_outside::<FilchOnWorker>(2, waits, time));
    row.push(waiting_outside::<Rayon>(2, waits, time));
    row.push(waiting_outside::<Chili>(2, waits, time));
    row.push(waiting_outside::<Forte>(2, waits, time));
    row
}

fn idle_inside(scale: Scale, work: &Work) -> Row {
    let (waits, time) = (scale.pick(100, 20, 1), work.time);
    let mut row = Row::new(work.inside, format!("{}, inside the pool", work.title), Unit::MICROSECONDS);
    row.note = work.note;
    row.push(waiting_inside::<Serial>(1, waits, time));
    row.push(waiting_inside::<Filch>(2, waits, time));
    row.push(waiting_inside::<FilchWorker>(2, waits, time));
    row.push(waiting_inside::<Rayon>(2, waits, time));
    row.push(waiting_inside::<Chili>(2, waits, time));
    row.push(waiting_inside::<Forte>(2, waits, time));
    row
}

fn two_closures<F: Fork>(handle: F::Handle<'_, '_>, time: Option<Duration>) {
    match time {
        Some(time) => F::join(handle, |_| spin(time), |_| spin(time)),
        None => F::join(handle, |_| black_box(()), |_| black_box(())),
    };
}

fn waiting_outside<L: Library>(workers: usize, waits: u32, time: Option<Duration>) -> Contender {
    library(workers, move |library: &L| {
        median_after_idling(waits, || library.enter(|handle| two_closures::<L>(handle, time)))
    })
}

fn waiting_inside<L: Library>(workers: usize, waits: u32, time: Option<Duration>) -> Contender {
    library(workers, move |library: &L| {
        library.enter(|mut handle| median_after_idling(waits, || two_closures::<L>(L::again(&mut handle), time)))
    })
}

/// Sleeps, does `work` and times it, so many times, and returns the median.
fn median_after_idling(waits: u32, mut work: impl FnMut()) -> Duration {
    let mut times = Vec::new();
    for _ in 0..waits {
        thread::sleep(IDLE);
        let start = Instant::now();
        work();
        times.push(start.elapsed().as_secs_f64());
    }
    Duration::from_secs_f64(median(&times))
}
