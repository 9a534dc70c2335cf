//! Counts down and up, with a pause of a quarter of a second after each number: one after the other, on two threads,
//! and as two tasks on one worker.
//!
//! ```text
//! cargo run --release --example countdown
//! ```
//!
//! Two threads take half the time of one after the other, and so do two tasks on a single worker: a task that pauses
//! leaves the worker to the other.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use filch::time::{Instant, sleep};

const NUMBERS: RangeInclusive<u32> = 1..=5;

/// How long a count takes that has nothing to wait for but its pauses.
pub fn time_of_one(pause: Duration) -> Duration {
    pause * NUMBERS.count() as u32
}

/// Who has said a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    Down,
    Up,
}
use Counter::{Down, Up};

impl Counter {
    fn numbers(self) -> Vec<u32> {
        match self {
            Down => NUMBERS.rev().collect(),
            Up => NUMBERS.collect(),
        }
    }
}

/// A number that was said, and on which worker (none outside of a pool).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    pub counter: Counter,
    pub number: u32,
    pub worker: Option<usize>,
}

/// Writes down who says what, and prints it with the time: down on the left, up on the right.
#[derive(Clone)]
pub struct Board {
    begin: Instant,
    said: Arc<Mutex<Vec<Said>>>,
}

impl Board {
    fn new() -> Self {
        Board { begin: Instant::now(), said: Arc::default() }
    }

    fn say(&self, counter: Counter, number: u32) {
        let mut said = self.said.lock().unwrap();
        said.push(Said { counter, number, worker: filch::current_thread_index() });
        let column = if counter == Down { "" } else { "        " };
        println!("  {:.2} s  {column}{counter:?} {number}", self.begin.elapsed().as_secs_f64());
    }

    /// What has been said, and how long it took.
    fn result(self) -> (Vec<Said>, Duration) {
        let took = self.begin.elapsed();
        (self.said.lock().unwrap().clone(), took)
    }
}

/// For threads: a pause keeps the thread.
fn count_blocking(counter: Counter, pause: Duration, board: &Board) {
    for number in counter.numbers() {
        board.say(counter, number);
        thread::sleep(pause);
    }
}

/// For tasks, the same: a pause lets others run.
async fn count(counter: Counter, pause: Duration, board: Board) {
    for number in counter.numbers() {
        board.say(counter, number);
        sleep(pause).await;
    }
}

pub fn one_after_the_other(pause: Duration) -> (Vec<Said>, Duration) {
    let board = Board::new();
    count_blocking(Down, pause, &board);
    count_blocking(Up, pause, &board);
    board.result()
}

pub fn two_threads(pause: Duration) -> (Vec<Said>, Duration) {
    let board = Board::new();
    thread::scope(|scope| {
        scope.spawn(|| count_blocking(Down, pause, &board));
        scope.spawn(|| count_blocking(Up, pause, &board));
    });
    board.result()
}

pub fn two_tasks_on_one_worker(pause: Duration) -> (Vec<Said>, Duration) {
    // One thread and no other: the express lane would take over from a worker that sleeps inside a poll.
    let builder = filch::Pool::builder().workers(1).express_lane(false);
    let pool = builder.build().expect("the system has a thread for us");
    let board = Board::new();
    let down = pool.spawn(count(Down, pause, board.clone()));
    let up = pool.spawn(count(Up, pause, board.clone()));
    down.join().expect("counting does not panic");
    up.join().expect("counting does not panic");
    board.result()
}

fn main() {
    const PAUSE: Duration = Duration::from_millis(250);
    let report = |title: &str, way: fn(Duration) -> (Vec<Said>, Duration), expected: Duration| {
        println!("{title}");
        let (said, took) = way(PAUSE);
        println!("  took {:.2} s\n", took.as_secs_f64());
        assert_eq!(said.len(), 2 * NUMBERS.count());
        // A busy machine may be late, but not by half of it.
        assert!((expected..expected * 3 / 2).contains(&took), "{took:?} instead of {expected:?}");
    };
    report("one after the other", one_after_the_other, 2 * time_of_one(PAUSE));
    report("two threads", two_threads, time_of_one(PAUSE));
    report("two tasks on one worker", two_tasks_on_one_worker, time_of_one(PAUSE));
}
