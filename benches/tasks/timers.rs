//! Timers that never fire: a task makes one of an hour, polls it once and drops it, over and over, as timeouts do.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::support::args::Scale;
use crate::support::row::{Bout, Contender, Row, Unit};
use crate::support::tasks::{FilchTasks, FuturesPool, Smol, TaskLibrary, Tokio, filch_sleep};

const HOUR: Duration = Duration::from_secs(3600);

pub fn row(scale: Scale) -> Row {
    let timers = scale.pick(100_000, 20_000, 100);
    let unit = Unit::nanoseconds_per("ns per timer", f64::from(timers));
    let mut row = Row::new("timers", format!("{timers} timers made, polled once and dropped"), unit);
    row.note = "async-executor with async-io, futures with futures-timer; forte has no timers.";
    row.push(contender::<FilchTasks>(timers));
    row.push(contender::<Tokio>(timers));
    row.push(contender::<Smol>(timers));
    row.push(contender::<FuturesPool>(timers));
    row
}

/// A library and the timers that go with it.
trait Timers: TaskLibrary {
    fn sleep(time: Duration) -> impl Future + Send + 'static;
}

impl Timers for FilchTasks {
    fn sleep(time: Duration) -> impl Future + Send + 'static {
        filch_sleep(time)
    }
}

impl Timers for Tokio {
    fn sleep(time: Duration) -> impl Future + Send + 'static {
        tokio::time::sleep(time)
    }
}

impl Timers for Smol {
    fn sleep(time: Duration) -> impl Future + Send + 'static {
        async_io::Timer::after(time)
    }
}

impl Timers for FuturesPool {
    fn sleep(time: Duration) -> impl Future + Send + 'static {
        futures_timer::Delay::new(time)
    }
}

fn contender<L: Timers>(timers: u32) -> Contender {
    Contender::new(L::NAME, 2, move || Box::new(TimerBout { library: L::start(2), timers }))
}

struct TimerBout<L: Timers> {
    library: L,
    timers: u32,
}

impl<L: Timers> Bout for TimerBout<L> {
    fn run(&mut self) -> Duration {
        let timers = self.timers;
        self.library.run(poll_fn(move |context| {
            let start = Instant::now();
            for _ in 0..timers {
                one_timer::<L>(context);
            }
            Poll::Ready(start.elapsed())
        }))
    }
}

fn one_timer<L: Timers>(context: &mut Context<'_>) {
    let timer = pin!(L::sleep(HOUR));
    assert!(timer.poll(context).is_pending());
}
