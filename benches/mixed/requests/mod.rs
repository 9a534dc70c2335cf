//! A service: each request is parsed by a task (20 µs), computed (2 ms, which can be done in parallel), and answered by
//! the task. Requests arrive at random times that do not depend on the answers, the same for all contenders; latency
//! counts from the time at which a request was due, so that a service that keeps its clients waiting cannot hide it.

mod arrivals;
mod filch_servers;
mod log;
mod peers;

use std::thread;
use std::time::{Duration, Instant};

use filch_servers::{FilchBounded, FilchServer, FilchSpawnCpu};
use log::Log;
use peers::{
    RayonServer, SmolServer, TokioBlockingBounded, TokioBlockingServer, TokioRayonBounded, TokioRayonServer,
    TokioServer,
};

use super::conditions::Conditions;
use super::quantiles::{millis, quantile};
use crate::support::cgroup::Throttled;
use crate::support::cpu::compute;
use crate::support::sheet::{Figure, Sheet};
use crate::support::usage::{Threads, Usage};

const FIGURES: &[Figure] = &[
    Figure::new("p50", "p50 ms"),
    Figure::new("p99", "p99 ms"),
    Figure::new("goodput", "answers in time/s"),
    Figure::new("answers", "answers/s"),
    Figure::new("refused", "refused, %"),
    Figure::new("cpu", "cores used"),
    Figure::new("cpu-each", "CPU ms per answer"),
    Figure::new("threads", "threads"),
    Figure::new("runnable", "runnable at most"),
    Figure::new("throttled", "throttled, % of the time"),
];

/// The figures of sheets without a quota: all but the last.
const FREE: usize = 9;

/// How many requests there are.
#[derive(Clone, Copy, Debug)]
pub enum Rate {
    PerSecond(f64),
    /// In terms of what all cores can compute.
    OfCapacity(f64),
}

/// The rates: name, in words, and as a number.
pub const RATES: [(&str, &str, Rate); 4] = [
    ("1000", "1,000 a second", Rate::PerSecond(1_000.0)),
    ("50", "50 % of capacity", Rate::OfCapacity(0.5)),
    ("90", "90 % of capacity", Rate::OfCapacity(0.9)),
    ("150", "150 % of capacity", Rate::OfCapacity(1.5)),
];

/// The quotas that are tried, in cores' worth of time, and the load in terms of each.
pub const QUOTAS: [(&str, f64); 3] = [("quota-0.5", 0.5), ("quota-1.0", 1.0), ("quota-1.5", 1.5)];
const QUOTA_LOAD: f64 = 0.8;

const PARSE_US: f64 = 20.0;
const COMPUTE_US: f64 = 2_000.0;
/// The pieces that the computation can be split into.
const PIECES: u32 = 64;
/// An answer that takes longer comes too late.
const IN_TIME: Duration = Duration::from_millis(50);
/// As many requests at most are inside of a service with a bound: each keeps a core busy for some two milliseconds, so on
/// two cores the last one waits for about a third of the time that an answer may take.
const INSIDE: usize = 16;
/// The first requests make what a pool makes only when it is needed, and are not counted.
const WARM_UP: usize = 20;

/// The library's own choice of the number of workers.
const OWN: usize = 0;

const NOTE: &str = "Latency counts from when a request was due. In time is within 50 ms, per second of arrivals; answers/s \
    is until the last answer. filch: the handler runs the parallel loop itself; filch spawn_cpu: it awaits a closure with \
    the loop. tokio + rayon: rayon's spawn with the loop, and a oneshot channel; the blocking ones compute one request on \
    one thread, since they have no loops; tokio: eight tasks for each request; rayon: a closure for each request. max_tasks and \
    bounded: no more than 16 requests inside, the others are refused (bounded: by a semaphore of tokio). forte is \
    left out: this release runs what a thread outside spawns on that thread.";

const QUOTA_NOTE: &str = "The pools have as many workers as the library chooses by itself when it is asked for none in \
    particular. The rate is 80 % of what the quota allows. Quotas are per tenth of a second; smol is left out because \
    its number of threads is this benchmark's choice.";

pub fn sheets(conditions: Conditions) -> Vec<Sheet> {
    RATES.into_iter().map(|rate| free(conditions, rate)).collect()
}

pub fn quota_sheets(conditions: Conditions) -> Vec<Sheet> {
    QUOTAS.into_iter().map(|quota| under_quota(conditions, quota)).collect()
}

fn free(conditions: Conditions, (name, what, rate): (&str, &str, Rate)) -> Sheet {
    let mut sheet = Sheet::new(format!("requests-{name}"), format!("requests, {what}"), &FIGURES[..FREE]);
    sheet.note = NOTE;
    let workers = conditions.cores;
    let rate = match rate {
        Rate::PerSecond(rate) => rate,
        Rate::OfCapacity(share) => share * capacity(conditions.cores_worth),
    };
    push::<FilchServer>(&mut sheet, conditions, workers, rate);
    push::<FilchSpawnCpu>(&mut sheet, conditions, workers, rate);
    push::<FilchBounded>(&mut sheet, conditions, workers, rate);
    push::<TokioRayonServer>(&mut sheet, conditions, workers, rate);
    push::<TokioRayonBounded>(&mut sheet, conditions, workers, rate);
    push::<TokioBlockingServer>(&mut sheet, conditions, workers, rate);
    push::<TokioBlockingBounded>(&mut sheet, conditions, workers, rate);
    push::<SmolServer>(&mut sheet, conditions, workers, rate);
    push::<TokioServer>(&mut sheet, conditions, workers, rate);
    push::<RayonServer>(&mut sheet, conditions, workers, rate);
    sheet
}

fn under_quota(conditions: Conditions, (name, quota): (&str, f64)) -> Sheet {
    let title = format!("requests under a quota of {quota} cores, 80 % of what it allows");
    let mut sheet = Sheet::new(name, title, FIGURES);
    sheet.note = QUOTA_NOTE;
    sheet.quota = Some(quota);
    let rate = QUOTA_LOAD * capacity(quota.min(conditions.cores_worth));
    push::<FilchServer>(&mut sheet, conditions, OWN, rate);
    push::<FilchSpawnCpu>(&mut sheet, conditions, OWN, rate);
    push::<FilchBounded>(&mut sheet, conditions, OWN, rate);
    push::<TokioRayonServer>(&mut sheet, conditions, OWN, rate);
    push::<TokioRayonBounded>(&mut sheet, conditions, OWN, rate);
    push::<TokioBlockingServer>(&mut sheet, conditions, OWN, rate);
    push::<TokioBlockingBounded>(&mut sheet, conditions, OWN, rate);
    push::<TokioServer>(&mut sheet, conditions, OWN, rate);
    sheet
}

/// Requests a second that so many cores can compute.
fn capacity(cores: f64) -> f64 {
    cores * 1e6 / (PARSE_US + COMPUTE_US)
}

fn push<S: Server>(sheet: &mut Sheet, conditions: Conditions, workers: usize, rate: f64) {
    let figures = sheet.figures.len();
    sheet.push(S::NAME, workers, move || {
        let mut all = trial::<S>(&conditions, workers, rate);
        all.truncate(figures);
        all
    });
}

/// One service.
pub trait Server: Copy + Send + 'static {
    const NAME: &'static str;

    /// With pools of so many workers, or with the library's own choice if it is 0.
    fn start(workers: usize) -> Self;

    /// Takes a request from a thread outside; false if it is refused.
    fn offer(self, request: Request) -> bool;
}

/// What there is to do for a request, with the results that it must have.
#[derive(Clone, Copy)]
pub struct Work {
    parse_steps: u32,
    piece_steps: u32,
    parsed: u64,
    result: u64,
}

impl Work {
    fn new(conditions: &Conditions) -> Self {
        let parse_steps = conditions.steps(PARSE_US);
        let piece_steps = conditions.steps(COMPUTE_US / f64::from(PIECES));
        let result = digest(piece_steps) * u64::from(PIECES);
        Work { parse_steps, piece_steps, parsed: digest(parse_steps), result }
    }

    fn parse(&self) {
        assert_eq!(digest(self.parse_steps), self.parsed);
    }

    /// One of the pieces; the sum of all is the result.
    fn piece(&self) -> u64 {
        digest(self.piece_steps)
    }

    /// So many pieces, one after another.
    fn pieces(&self, pieces: u32) -> u64 {
        (0..pieces).map(|_| self.piece()).sum()
    }
}

/// The upper half of a computation's result, so that sums do not overflow.
fn digest(steps: u32) -> u64 {
    compute(steps) >> 32
}

/// A request that waits for its answer.
pub struct Request {
    number: usize,
    work: Work,
    log: &'static Log,
}

impl Request {
    /// The first thing that a handler does.
    fn parse(&self) -> Work {
        self.work.parse();
        self.work
    }

    /// The last thing.
    fn respond(self, result: u64) {
        assert_eq!(result, self.work.result, "a wrong answer");
        self.log.answered(self.number);
    }
}

fn trial<S: Server>(conditions: &Conditions, workers: usize, rate: f64) -> Vec<f64> {
    let seconds = conditions.scale.pick(1.5, 0.5, 0.02);
    let due = arrivals::poisson(rate, seconds);
    let last = *due.last().expect("there are requests");
    let log: &'static Log = Box::leak(Box::new(Log::new(due)));
    let server = S::start(workers);
    let (usage, throttled) = (Usage::now(), Throttled::now());
    let begin = Instant::now();
    let work = Work::new(conditions);
    let sending = arrivals::send(log, move |number| server.offer(Request { number, work, log }));
    let mut threads = Threads::default();
    let pause = Duration::from_secs_f64(seconds / 40.0);
    while !(sending.is_finished() && log.all_done()) {
        threads = threads.most(Threads::now().unwrap_or_default());
        thread::sleep(pause);
    }
    let usage = Usage::now().since(usage);
    let took = begin.elapsed().as_secs_f64();
    let throttled = throttled.zip(Throttled::now()).map_or(f64::NAN, |(then, now)| now.since(then).seconds);
    sending.join().expect("the sending thread does not fail");
    let answers = log.answers();
    assert_eq!(answers.len() + log.refused(), log.len(), "each request is answered once or refused");
    let counted = log.sorted_latencies(WARM_UP.min(log.len() / 10));
    let in_time = answers.iter().filter(|answer| Duration::from_nanos(answer.late) <= IN_TIME).count();
    let until_last = answers.iter().map(|answer| answer.at).max().unwrap_or(0) as f64 / 1e9;
    vec![
        millis(quantile(&counted, 0.5)),
        millis(quantile(&counted, 0.99)),
        in_time as f64 / (last as f64 / 1e9),
        answers.len() as f64 / until_last,
        100.0 * log.refused() as f64 / log.len() as f64,
        usage.cpu.as_secs_f64() / took,
        usage.cpu.as_secs_f64() * 1e3 / answers.len() as f64,
        threads.all as f64,
        threads.runnable as f64,
        100.0 * throttled / took,
    ]
}
