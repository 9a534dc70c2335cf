//! `A` awaits `B` awaits `C`, traced poll by poll: as plain futures, and as three tasks.
//!
//! ```text
//! cargo run --release --example trace_await
//! ```
//!
//! `C` waits twice for a thread outside of the pool. Plain futures are one task together: each time it is woken, all
//! three are polled again, from the outermost. As tasks, only the one that is woken is polled: `A` and `B` twice each,
//! however often `C` has to wait. On one worker the order of all of it is certain. On two, a task goes on where a
//! worker is free first.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread;

/// What has happened, one event after the other.
#[derive(Clone, Default)]
pub struct Trace(Arc<Mutex<Vec<Event>>>);

/// A poll begins or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub worker: Option<usize>,
    pub future: char,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Enter,
    Pending,
    Ready,
}

impl Trace {
    fn note(&self, future: char, what: What) {
        self.0.lock().unwrap().push(Event { worker: filch::current_thread_index(), future, what });
    }

    fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let worker = self.worker.map_or("no worker".to_owned(), |index| format!("worker {index}"));
        let indent = "  ".repeat(self.future as usize - 'A' as usize);
        let mark = if self.what == What::Enter { '>' } else { '<' };
        write!(f, "{worker}  {indent}{mark} {} {:?}", self.future, self.what)
    }
}

/// A future that notes when the one in it is polled, and what comes of it.
struct Traced<F> {
    name: char,
    trace: Trace,
    // Boxed, because a pinned future in a box is reached without unsafe code.
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Traced<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.trace.note(self.name, What::Enter);
        let polled = self.future.as_mut().poll(context);
        self.trace.note(self.name, if polled.is_ready() { What::Ready } else { What::Pending });
        polled
    }
}

fn traced<F: Future>(name: char, trace: &Trace, future: F) -> Traced<F> {
    Traced { name, trace: trace.clone(), future: Box::pin(future) }
}

/// Pending once; then a thread outside of the pool wakes whoever awaits it.
async fn woken_from_outside() {
    let mut asked = false;
    poll_fn(|context| {
        if asked {
            return Poll::Ready(());
        }
        asked = true;
        let waker = context.waker().clone();
        thread::spawn(move || waker.wake());
        Poll::Pending
    })
    .await;
}

async fn wait_twice() -> u32 {
    woken_from_outside().await;
    woken_from_outside().await;
    1
}

/// Three futures in one task.
async fn nested(trace: Trace) -> u32 {
    let b = async { 1 + traced('C', &trace, wait_twice()).await };
    traced('A', &trace, async { 1 + traced('B', &trace, b).await }).await
}

/// Three tasks.
async fn spawned(trace: Trace) -> u32 {
    let c = traced('C', &trace, wait_twice());
    let b = traced('B', &trace, async { 1 + filch::spawn(c).await.expect("C does not panic") });
    traced('A', &trace, async { 1 + filch::spawn(b).await.expect("B does not panic") }).await
}

/// The traces of both ways, on a pool of its own.
pub fn traces(workers: usize) -> [Vec<Event>; 2] {
    // Without the express lane, so that no other thread polls if the system does not let the workers run for a while.
    let builder = filch::Pool::builder().workers(workers).express_lane(false);
    let pool = builder.build().expect("the system has threads for us");
    let trace = Trace::default();
    assert_eq!(pool.spawn(nested(trace.clone())).join().expect("no panic"), 3);
    let plain = trace.take();
    assert_eq!(pool.spawn(spawned(trace.clone())).join().expect("no panic"), 3);
    [plain, trace.take()]
}

/// How often the future was polled.
pub fn polls(events: &[Event], future: char) -> usize {
    events.iter().filter(|event| event.future == future && event.what == What::Enter).count()
}

fn main() {
    for workers in [1, 2] {
        let [plain, tasks] = traces(workers);
        for (title, events) in [("plain futures, one task", &plain), ("three tasks", &tasks)] {
            println!("{title}; workers: {workers}");
            events.iter().for_each(|event| println!("  {event}"));
            println!();
        }
        assert_eq!(['A', 'B', 'C'].map(|future| polls(&plain, future)), [3, 3, 3]);
        assert_eq!(polls(&tasks, 'C'), 3);
        // Another worker may have been so fast that a handle was ready when it was first looked at.
        assert!(['A', 'B'].iter().all(|&future| (1..=2).contains(&polls(&tasks, future))));
    }
}
