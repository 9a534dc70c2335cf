//! Pairs of tasks: one spawns the other, sends it a number, and awaits the answer. Over the oneshot channel of futures
//! for all, which knows no scheduler.

use std::time::{Duration, Instant};

use futures::channel::oneshot;

use super::TWO;
use super::countdown::Countdown;
use super::workload::{Workload, add_all};
use crate::support::args::Scale;
use crate::support::row::{Row, Unit};
use crate::support::tasks::{Spawn, TaskLibrary};

pub fn row(scale: Scale) -> Row {
    let pairs = scale.pick(1_000, 1_000, 50);
    let unit = Unit::nanoseconds_per("ns per pair", pairs as f64);
    let mut row = Row::new("ping-pong", format!("{pairs} pairs of tasks exchange a message and an answer"), unit);
    add_all(&mut row, TWO, Pairs { pairs, countdown: Countdown::leaked() });
    row
}

#[derive(Clone, Copy)]
struct Pairs {
    pairs: usize,
    countdown: &'static Countdown,
}

impl Workload for Pairs {
    fn run<L: TaskLibrary>(self, library: &L, _workers: usize) -> Duration {
        let (Pairs { pairs, countdown }, spawner) = (self, library.spawner());
        countdown.set(pairs);
        library.run(async move {
            let start = Instant::now();
            for number in 0..pairs {
                spawner.detach(ask(spawner, number, countdown));
            }
            countdown.all_done().await;
            start.elapsed()
        })
    }
}

/// Spawns a partner and exchanges a message with it.
async fn ask<S: Spawn>(spawner: S, number: usize, countdown: &'static Countdown) {
    let (question, asked) = oneshot::channel::<usize>();
    let (answer, answered) = oneshot::channel::<usize>();
    spawner.detach(async move {
        let number = asked.await.expect("the partner asks");
        answer.send(number + 1).expect("the partner waits for the answer");
    });
    question.send(number).expect("the partner waits for the question");
    assert_eq!(answered.await, Ok(number + 1));
    countdown.one_done();
}
