//! Eight arrays, added up one after the other, by a thread for each, by parallel loops, and by tasks.
//!
//! ```text
//! cargo run --release --example array_sums -- [--length N] [--workers N]
//! ```
//!
//! Threads are made for this and end with it. A loop borrows the arrays and runs on the pool, and so may a loop inside
//! of a loop. Tasks outlive whoever spawns them, so they share the arrays, and their sums come as they end.

use std::ffi::OsString;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use filch::prelude::*;
use filch::task::JoinSet;

const USAGE: &str = "\
Usage: array_sums [--length N] [--workers N]

  --length N     Arrays of N numbers each [default: 2000000]
  --workers N    Use N workers [default or 0: what the pool chooses]
";

const ARRAYS: usize = 8;

pub type Arrays = Arc<[Vec<u64>]>;

/// The first has the numbers 0, 8, 16 and so on, the second 1, 9, 17: together, they have all numbers once.
pub fn arrays(length: usize) -> Arrays {
    let array = |index: usize| (0..length).map(|place| (index + ARRAYS * place) as u64).collect();
    let arrays: Vec<Vec<u64>> = (0..ARRAYS).into_par_iter().map(array).collect();
    arrays.into()
}

/// What must come of it, by Gauss.
pub fn expected(length: usize) -> Vec<u64> {
    let [count, length] = [ARRAYS, length].map(|number| number as u64);
    (0..count).map(|index| index * length + count * (length * length.saturating_sub(1) / 2)).collect()
}

pub fn one_after_the_other(arrays: &Arrays) -> Vec<u64> {
    arrays.iter().map(|array| array.iter().sum()).collect()
}

pub fn threads(arrays: &Arrays) -> Vec<u64> {
    thread::scope(|scope| {
        let threads: Vec<_> = arrays.iter().map(|array| scope.spawn(|| array.iter().sum())).collect();
        threads.into_iter().map(|thread| thread.join().expect("adding up does not panic")).collect()
    })
}

pub fn parallel_loop(arrays: &Arrays) -> Vec<u64> {
    arrays.par_iter().map(|array| array.iter().sum()).collect()
}

pub fn loops_in_a_loop(arrays: &Arrays) -> Vec<u64> {
    arrays.par_iter().map(|array| array.par_iter().sum()).collect()
}

pub async fn tasks(arrays: Arrays) -> Vec<u64> {
    let mut tasks = JoinSet::new();
    for index in 0..arrays.len() {
        let arrays = arrays.clone();
        tasks.spawn(async move {
            // What computes for long is a closure of its own, beside the tasks.
            let sum = filch::spawn_cpu(move || arrays[index].iter().sum::<u64>()).await;
            (index, sum.expect("adding up does not panic"))
        });
    }
    let mut sums = vec![0; arrays.len()];
    while let Some(ended) = tasks.join_next().await {
        let (index, sum) = ended.expect("adding up does not panic");
        sums[index] = sum;
    }
    sums
}

pub type Way = fn(&Arrays) -> Vec<u64>;

/// To be called in a pool, or else on the global one.
pub const WAYS: [(&str, Way); 5] = [
    ("one after the other", one_after_the_other),
    ("eight threads", threads),
    ("a parallel loop", parallel_loop),
    ("parallel loops in a parallel loop", loops_in_a_loop),
    ("eight tasks", |arrays| filch::block_on(tasks(arrays.clone()))),
];

/// The result, and the time of the quickest of five times.
fn timed(work: impl Fn() -> Vec<u64>) -> (Vec<u64>, Duration) {
    let timed = |_| {
        let begin = Instant::now();
        (work(), begin.elapsed())
    };
    (0..5).map(timed).min_by_key(|(_, took)| *took).expect("five is more than none")
}

/// Length and workers. None if help was asked for.
fn options(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<(usize, usize)>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut length, mut workers) = (2_000_000, 0);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("length") => length = parser.value()?.parse()?,
            Long("workers") => workers = parser.value()?.parse()?,
            Long("help") => return Ok(None),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some((length, workers)))
}

fn main() -> Result<(), lexopt::Error> {
    let Some((length, workers)) = options(std::env::args_os().skip(1))? else {
        print!("{USAGE}");
        return Ok(());
    };
    let pool = filch::Pool::builder().workers(workers).build().expect("the system has threads for us");
    let arrays = pool.install(|| arrays(length));
    println!("{ARRAYS} arrays of {length} numbers; workers: {}; best of five", pool.num_workers());
    let mut alone = None;
    for (name, way) in WAYS {
        let (sums, took) = timed(|| pool.install(|| way(&arrays)));
        assert_eq!(sums, expected(length), "{name}");
        let speed_up = alone.get_or_insert(took).div_duration_f64(took);
        println!("  {name:<34} {:>8.3} ms  {speed_up:>5.2} times as fast", took.as_secs_f64() * 1e3);
    }
    Ok(())
}
