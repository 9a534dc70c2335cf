//! A task awaits closures, one after another: what a call costs beside the computation itself.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::conditions::Conditions;
use super::contenders::{Call, Filch, ForteCalls, SmolBlocking, TokioBlocking, TokioRayon};
use super::quantiles::{micros, quantile};
use crate::support::cpu::compute;
use crate::support::sheet::{Figure, Sheet};
use crate::support::usage::Usage;

const FIGURES: &[Figure] = &[
    Figure::new("mean", "µs per call"),
    Figure::new("overhead", "overhead, µs"),
    Figure::new("p50", "p50 µs"),
    Figure::new("p99", "p99 µs"),
    Figure::new("cpu", "CPU µs per call"),
];

const NOTE: &str = "filch: spawn_cpu; tokio + rayon: rayon's spawn and a oneshot channel; smol: unblock; \
    forte: spawn_future with the closure, in a thread that has entered the pool, which runs all of them itself. The overhead is \
    the median of a call less that of the computation alone, measured before and after in the same task. tokio alone and \
    rayon alone have no closures that a task could await.";

const DEADLINE: Duration = Duration::from_secs(60);

pub fn sheets(conditions: Conditions) -> Vec<Sheet> {
    [1_u32, 10, 100].into_iter().map(|micros| sheet(conditions, micros)).collect()
}

fn sheet(conditions: Conditions, micros: u32) -> Sheet {
    let title = format!("a task awaits closures of {micros} µs, one after another");
    let mut sheet = Sheet::new(format!("call-{micros}us"), title, FIGURES);
    sheet.note = NOTE;
    push::<Filch>(&mut sheet, conditions, micros);
    push::<TokioRayon>(&mut sheet, conditions, micros);
    push::<TokioBlocking>(&mut sheet, conditions, micros);
    push::<SmolBlocking>(&mut sheet, conditions, micros);
    push::<ForteCalls>(&mut sheet, conditions, micros);
    sheet
}

fn push<C: Call>(sheet: &mut Sheet, conditions: Conditions, micros: u32) {
    sheet.push(C::NAME, conditions.cores, move || trial::<C>(&conditions, micros));
}

/// What the task has measured.
struct Calls {
    /// Of each call, in nanoseconds.
    took: Vec<u64>,
    /// Of computations without a call around, before and after.
    alone: Vec<u64>,
    usage: Usage,
    sum: u64,
}

fn trial<C: Call>(conditions: &Conditions, body_us: u32) -> Vec<f64> {
    let calls: u32 = conditions.scale.pick(4_000, 1_000, 20);
    let warm_up = calls / 10;
    let steps = conditions.steps(f64::from(body_us));
    let (tell, told) = mpsc::channel();
    let mix = C::start(conditions.cores);
    mix.task(async move {
        for _ in 0..warm_up {
            mix.call(move || compute(steps)).await;
        }
        let mut alone = computations(steps, calls);
        let (usage, mut took, mut sum) = (Usage::now(), Vec::with_capacity(calls as usize), 0_u64);
        for _ in 0..calls {
            let begin = Instant::now();
            sum = sum.wrapping_add(mix.call(move || compute(steps)).await);
            took.push(begin.elapsed().as_nanos() as u64);
        }
        let usage = Usage::now().since(usage);
        alone.extend(computations(steps, calls));
        tell.send(Calls { took, alone, usage, sum }).expect("the main thread waits");
    });
    let Calls { mut took, mut alone, usage, sum } = told.recv_timeout(DEADLINE).expect("a call has been lost");
    assert_eq!(sum, compute(steps).wrapping_mul(u64::from(calls)), "each call has the right result");
    let mean = took.iter().sum::<u64>() as f64 / f64::from(calls) / 1e3;
    took.sort_unstable();
    alone.sort_unstable();
    let median = micros(quantile(&took, 0.5));
    vec![
        mean,
        median - micros(quantile(&alone, 0.5)),
        median,
        micros(quantile(&took, 0.99)),
        usage.cpu.as_secs_f64() * 1e6 / f64::from(calls),
    ]
}

/// The times of some computations without a call around them.
fn computations(steps: u32, calls: u32) -> Vec<u64> {
    let one = |_| {
        let begin = Instant::now();
        std::hint::black_box(compute(steps));
        begin.elapsed().as_nanos() as u64
    };
    (0..calls / 10).map(one).collect()
}
