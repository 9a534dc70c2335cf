//! A task is woken every millisecond by a thread outside while closures saturate all workers: how long from the wake to
//! the poll, and what the closures lose by it. Each turn takes alternating stretches of time, closures alone and
//! closures with ticks, so that both are measured in the same pool and next to each other.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::conditions::Conditions;
use super::contenders::{
    Closures, Filch, FilchCpu, FilchOutside, Loop, Mix, RayonAlone, SmolBlocking, Sort, TokioAlone, TokioBlocking,
    TokioRayon,
};
use super::load::{Body, Compute, Load};
use super::quantiles::{micros, quantile};
use super::ticks::{Bell, Ticks, by_closure, by_task};
use crate::support::rng::Rng;
use crate::support::sheet::{Figure, Sheet};
use crate::support::usage::{Threads, Usage};

const FIGURES: &[Figure] = &[
    Figure::new("p50", "p50 µs"),
    Figure::new("p99", "p99 µs"),
    Figure::new("p99.9", "p99.9 µs"),
    Figure::new("max", "max µs"),
    Figure::new("closures", "closures, % of alone"),
    Figure::new("useful", "cores' worth of closures"),
    Figure::new("cpu", "cores used"),
    Figure::new("voluntary", "voluntary switches/s"),
    Figure::new("involuntary", "involuntary switches/s"),
    Figure::new("threads", "threads"),
    Figure::new("runnable", "runnable at most"),
];

/// The kinds of closures: name, what they are, and how many blocks they have.
pub const KINDS: [(&str, &str, u64); 4] = [
    ("fine", "closures of 10 µs", 1),
    ("coarse", "closures of 0.6 ms", 60),
    ("opaque-10ms", "closures of 10 ms", 1_000),
    ("opaque-100ms", "closures of 100 ms", 10_000),
];

/// Stretches of each sort in a turn.
const STRETCHES: usize = 2;

const NOTE: &str = "rayon: a closure for each tick, and all closures come from a thread outside (a worker looks there \
    only when it has nothing of its own). tokio: closures are tasks that yield between. forte is left out: this release \
    runs what a thread outside wakes on that thread. A useful core is one that does nothing but closures.";

pub fn sheets(conditions: Conditions) -> Vec<Sheet> {
    let mut sheets: Vec<Sheet> = KINDS.into_iter().map(|kind| all(conditions, kind)).collect();
    sheets.push(one_worker(conditions));
    sheets.push(from_outside(conditions));
    sheets.push(in_a_loop(conditions));
    sheets.push(sort(conditions));
    sheets
}

fn sheet(name: &str, what: &str) -> Sheet {
    let title = format!("a task woken every ms beside {what}");
    let mut sheet = Sheet::new(format!("wake-{name}"), title, FIGURES);
    sheet.note = NOTE;
    sheet
}

/// Everybody beside one kind of closures.
fn all(conditions: Conditions, (name, what, blocks): (&str, &str, u64)) -> Sheet {
    let mut sheet = sheet(name, what);
    let workers = conditions.cores;
    push_task::<Filch>(&mut sheet, conditions, workers, blocks);
    push_task::<FilchCpu>(&mut sheet, conditions, workers, blocks);
    push_task::<TokioRayon>(&mut sheet, conditions, workers, blocks);
    push_task::<TokioBlocking>(&mut sheet, conditions, workers, blocks);
    push_task::<SmolBlocking>(&mut sheet, conditions, workers, blocks);
    push_task::<TokioAlone>(&mut sheet, conditions, workers, blocks);
    sheet.push(RayonAlone::NAME, workers, move || {
        let body = Compute::new(&conditions, blocks);
        trial(&conditions, RayonAlone::start(workers), by_closure, |pool| Load::start(pool, chains(workers), body))
    });
    sheet
}

fn push_task<M: Mix>(sheet: &mut Sheet, conditions: Conditions, workers: usize, blocks: u64) {
    sheet.push(M::NAME, workers, move || {
        let body = Compute::new(&conditions, blocks);
        trial(&conditions, M::start(workers), by_task, |pool| Load::start(pool, chains(workers), body))
    });
}

/// A pool with a single worker, which is always inside of a closure.
fn one_worker(conditions: Conditions) -> Sheet {
    let mut sheet = sheet("one-worker", "closures of 10 ms, one worker");
    sheet.note = "tokio + rayon: one thread each.";
    push_task::<Filch>(&mut sheet, conditions, 1, 1_000);
    push_task::<TokioRayon>(&mut sheet, conditions, 1, 1_000);
    sheet
}

/// Closures that a thread outside hands in.
fn from_outside(conditions: Conditions) -> Sheet {
    let mut sheet = sheet("outside", "closures of 0.6 ms that a thread outside hands in");
    sheet.note = "tokio + rayon: its closures queue each other, as in the other tables.";
    push_task::<FilchOutside>(&mut sheet, conditions, conditions.cores, 60);
    push_task::<TokioRayon>(&mut sheet, conditions, conditions.cores, 60);
    sheet
}

/// One parallel loop that does not end, whose items take 10 µs.
fn in_a_loop(conditions: Conditions) -> Sheet {
    let mut sheet = sheet("loop", "a parallel loop with items of 10 µs");
    sheet.note = "One closure with one loop. tokio + rayon: rayon's loop; the others have none.";
    push_loop::<Filch>(&mut sheet, conditions);
    push_loop::<TokioRayon>(&mut sheet, conditions);
    sheet
}

fn push_loop<L: Loop>(sheet: &mut Sheet, conditions: Conditions) {
    let workers = conditions.cores;
    sheet.push(L::NAME, workers, move || {
        let body = Compute::new(&conditions, 1);
        trial(&conditions, L::start(workers), by_task, |pool| Load::start_loop(pool, body))
    });
}

/// Parallel sorts, one after another.
fn sort(conditions: Conditions) -> Sheet {
    let mut sheet = sheet("sort", "parallel sorts of a million numbers");
    sheet.note = "Two chains of closures, each of which sorts by `par_sort_unstable`. Progress is counted in whole sorts, \
        some dozens a turn, so that the share of alone is rough.";
    push_sort::<Filch>(&mut sheet, conditions);
    push_sort::<TokioRayon>(&mut sheet, conditions);
    sheet
}

fn push_sort<S: Sort>(sheet: &mut Sheet, conditions: Conditions) {
    let workers = conditions.cores;
    sheet.push(S::NAME, workers, move || {
        let numbers = conditions.scale.pick(1_000_000, 1_000_000, 10_000);
        let body = Sorting { numbers, sort: S::sort };
        let mut figures = trial(&conditions, S::start(workers), by_task, |pool| Load::start(pool, 2, body));
        let useful = FIGURES.iter().position(|figure| figure.id == "useful").expect("there is this figure");
        // A block is a sort here, not ten microseconds.
        figures[useful] = f64::NAN;
        figures
    });
}

/// Sorts the same random numbers.
#[derive(Clone, Copy)]
struct Sorting {
    numbers: usize,
    sort: fn(&mut [u64]),
}

impl Body for Sorting {
    fn blocks(&self) -> u64 {
        1
    }

    fn begin(&self) -> impl FnMut() + Send + 'static {
        let sort = self.sort;
        let mut random = Rng::new(1);
        let numbers: Vec<u64> = (0..self.numbers).map(|_| random.next_u64()).collect();
        let mut sorted = numbers.clone();
        move || {
            sorted.copy_from_slice(&numbers);
            sort(&mut sorted);
            assert!(sorted.is_sorted());
        }
    }
}

/// So many chains that there is always something queued.
fn chains(workers: usize) -> usize {
    4 * workers
}

/// What one sort of stretches has seen altogether.
#[derive(Default)]
struct Seen {
    time: Duration,
    blocks: u64,
    usage: Usage,
    threads: Threads,
}

fn trial<C: Closures>(
    conditions: &Conditions,
    closures: C,
    listen: fn(C, &Arc<Ticks>) -> Bell,
    start: impl FnOnce(C) -> Load,
) -> Vec<f64> {
    let ticks_each = conditions.scale.pick(1_000, 300, 10);
    let pause = Duration::from_millis(conditions.scale.pick(350, 150, 5));
    let ticks = Ticks::new(STRETCHES * ticks_each);
    let bell = Arc::new(Mutex::new(listen(closures, &ticks)));
    let load = start(closures);
    thread::sleep(pause / 4);
    let (mut alone, mut mixed) = (Seen::default(), Seen::default());
    for _ in 0..STRETCHES {
        let begin = Instant::now();
        stretch(&load, &mut alone, pause / 10, || begin.elapsed() < pause);
        let ringing = ticks.ring(ticks_each, &bell);
        stretch(&load, &mut mixed, pause / 10, || !ringing.is_finished());
        ringing.join().expect("the ticking thread does not fail");
    }
    // The closures go on for the sake of ticks that have not been heard yet.
    ticks.wait(Duration::from_millis(conditions.scale.pick(1_000, 1_000, 5)));
    load.stop();
    let late = ticks.all_heard();
    let rate = |seen: &Seen| seen.blocks as f64 / seen.time.as_secs_f64();
    let seconds = mixed.time.as_secs_f64();
    vec![
        micros(quantile(&late, 0.5)),
        micros(quantile(&late, 0.99)),
        micros(quantile(&late, 0.999)),
        micros(quantile(&late, 1.0)),
        100.0 * rate(&mixed) / rate(&alone),
        rate(&mixed) * super::load::BLOCK_US / 1e6,
        mixed.usage.cpu.as_secs_f64() / seconds,
        mixed.usage.voluntary / seconds,
        mixed.usage.involuntary / seconds,
        mixed.threads.all as f64,
        mixed.threads.runnable as f64,
    ]
}

/// Measures what goes on while it `goes_on`, and counts the threads each time it asks.
fn stretch(load: &Load, seen: &mut Seen, pause: Duration, goes_on: impl Fn() -> bool) {
    let (begin, blocks, usage) = (Instant::now(), load.blocks(), Usage::now());
    while goes_on() {
        seen.threads = seen.threads.most(Threads::now().unwrap_or_default());
        thread::sleep(pause);
    }
    seen.usage = seen.usage.and(Usage::now().since(usage));
    seen.blocks += load.blocks() - blocks;
    seen.time += begin.elapsed();
}
