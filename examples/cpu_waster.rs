//! Twelve closures that waste the processor's time, beside a task that is to tick every 10 ms: how late is it?
//!
//! ```text
//! cargo run --release --example cpu_waster -- [--wasters N] [--millis N] [--period N] [--workers N]
//! ```
//!
//! Measured three times: with nothing else to do; with each waster one long closure, into which the pool cannot look;
//! and with each a parallel loop of short pieces. Ticks that are missed are made up for, and count with the time by
//! which they are late, so that a long delay shows as all the ticks that it held up.

use std::ffi::OsString;
use std::iter;
use std::num::NonZeroU64;
use std::sync::{Arc, OnceLock};

use filch::Pool;
use filch::prelude::*;
use filch::time::{Duration, Instant, interval_at};

const USAGE: &str = "\
Usage: cpu_waster [--wasters N] [--millis N] [--period N] [--workers N]

  --wasters N    Start N wasters together [default: 12]
  --millis N     Each wastes N ms of a processor [default: 500]
  --period N     Tick every N ms [default: 10]
  --workers N    Use N workers [default or 0: what the pool chooses]
";

/// What wastes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waster {
    /// Nothing: the time just passes.
    Nobody,
    /// One closure.
    LongClosure,
    /// A parallel loop over pieces of a millisecond.
    ParallelLoop,
}

impl Waster {
    fn waste(self, time: Duration) {
        match self {
            Waster::Nobody => {}
            Waster::LongClosure => spin(time),
            Waster::ParallelLoop => {
                (0..time.as_millis() as usize).into_par_iter().for_each(|_| spin(Duration::from_millis(1)));
            }
        }
    }
}

/// Keeps the processor busy.
fn spin(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// How much is wasted, and how often it ticks meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub wasters: usize,
    pub each: Duration,
    pub period: Duration,
}

/// How late each tick was, sorted, and how long the wasting took.
pub struct Outcome {
    pub late: Vec<Duration>,
    pub took: Duration,
}

/// Ticks from `begin` on, at each tick that is due before the end, however late it comes.
async fn tick(begin: Instant, period: Duration, end: Arc<OnceLock<Instant>>) -> Vec<Duration> {
    let mut late = Vec::new();
    let mut ticks = interval_at(begin + period, period);
    loop {
        let due = ticks.tick().await;
        if end.get().is_some_and(|end| due > *end) {
            return late;
        }
        late.push(due.elapsed());
    }
}

/// Wastes on a pool with so many workers, and ticks on it.
pub fn measure(workers: usize, waster: Waster, plan: Plan) -> Outcome {
    let pool = Pool::builder().workers(workers).build().expect("the system has threads for us");
    let end = Arc::new(OnceLock::new());
    let begin = Instant::now();
    let ticker = pool.spawn(tick(begin, plan.period, end.clone()));
    let wasters: Vec<_> = (0..plan.wasters).map(|_| pool.spawn_cpu(move || waster.waste(plan.each))).collect();
    wasters.into_iter().for_each(|waster| waster.join().expect("wasting does not panic"));
    if waster == Waster::Nobody {
        std::thread::sleep(plan.each);
    }
    let took = begin.elapsed();
    end.set(begin + took).expect("it ends once");
    let mut late = ticker.join().expect("ticking does not panic");
    late.sort_unstable();
    Outcome { late, took }
}

/// The shortest time that so much of them do not exceed: half of them for 0.5. Zero if there are none.
pub fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// The upper ends of the histogram's lines, in ms. What is later is in a line of its own.
const LINES: [u64; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/// How many are in each line.
pub fn histogram(sorted: &[Duration]) -> Vec<usize> {
    let up_to = LINES.map(|end| sorted.partition_point(|late| *late <= Duration::from_millis(end)));
    let before = iter::once(0).chain(up_to);
    up_to.into_iter().chain([sorted.len()]).zip(before).map(|(up_to, before)| up_to - before).collect()
}

/// Percentiles, and a line for each row of the histogram in which there is something.
pub fn report(outcome: &Outcome) -> String {
    let late = &outcome.late;
    let millis = |share| percentile(late, share).as_secs_f64() * 1e3;
    let mut text = format!("  {:.2} s, {} ticks; late by, in ms:\n ", outcome.took.as_secs_f64(), late.len());
    for (name, share) in [("half", 0.5), ("90 %", 0.9), ("99 %", 0.99), ("all", 1.0)] {
        text += &format!("  {name} <= {:.2}", millis(share));
    }
    text.push('\n');
    for (line, count) in histogram(late).into_iter().enumerate().filter(|(_, count)| *count > 0) {
        let name = LINES.get(line).map_or("more".to_owned(), |end| format!("<= {end}"));
        // As wide as its share, but seen if there is any.
        let bar = "#".repeat((count * 50).div_ceil(late.len()));
        text += &format!("  {name:>8} {count:>6}  {bar}\n");
    }
    text
}

/// The plan and the workers. None if help was asked for.
fn options(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<(Plan, usize)>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut plan = Plan { wasters: 12, each: Duration::from_millis(500), period: Duration::from_millis(10) };
    let mut workers = 0;
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("wasters") => plan.wasters = parser.value()?.parse()?,
            Long("millis") => plan.each = Duration::from_millis(parser.value()?.parse()?),
            Long("period") => plan.period = Duration::from_millis(parser.value()?.parse::<NonZeroU64>()?.get()),
            Long("workers") => workers = parser.value()?.parse()?,
            Long("help") => return Ok(None),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some((plan, workers)))
}

fn main() -> Result<(), lexopt::Error> {
    let Some((plan, workers)) = options(std::env::args_os().skip(1))? else {
        print!("{USAGE}");
        return Ok(());
    };
    println!("{} wasters of {:?} each, and a tick every {:?}", plan.wasters, plan.each, plan.period);
    let cases = [
        ("with nothing else to do", Waster::Nobody),
        ("beside long closures", Waster::LongClosure),
        ("beside parallel loops", Waster::ParallelLoop),
    ];
    for (title, waster) in cases {
        print!("\n{title}\n{}", report(&measure(workers, waster, plan)));
    }
    Ok(())
}
