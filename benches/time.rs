//! What a timer costs, and how late it fires, beside tokio's: `cargo bench --bench time`. Run as a test it is
//! short.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use filch::time::{Sleep, sleep};

const FAR: Duration = Duration::from_secs(30);

/// Repeats a measurement, and gives the median and the range.
fn repeat(what: &str, times: usize, mut measure: impl FnMut() -> Duration) {
    let mut spans: Vec<Duration> = (0..times).map(|_| measure()).collect();
    spans.sort();
    println!("{what:<52} {:>9?}  ({:?} to {:?})", spans[times / 2], spans[0], spans[times - 1]);
}

fn quantiles(what: &str, mut late: Vec<Duration>) {
    late.sort();
    let at = |percent: usize| late[(late.len() - 1) * percent / 100];
    println!("{what:<52} p50 {:?}, p90 {:?}, p99 {:?}", at(50), at(90), at(99));
}

/// The time of one of `n` rounds of `f`.
fn each(n: u32, mut f: impl FnMut()) -> Duration {
    let began = Instant::now();
    for _ in 0..n {
        f();
    }
    began.elapsed() / n
}

fn main() {
    let short = !std::env::args().any(|argument| argument == "--bench");
    let (n, times, sleeps) = if short { (1000, 3, 10) } else { (1_000_000, 9, 1000) };
    let pool = filch::Pool::builder().workers(2).build().expect("threads");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("threads");

    repeat("a look at the clock", times, || {
        each(n, || {
            std::hint::black_box(Instant::now());
        })
    });
    repeat("filch: made and dropped", times, || each(n, || drop(std::hint::black_box(sleep(FAR)))));
    let ours =
        move |context: &mut Context<'_>| each(n, || assert!(Pin::new(&mut sleep(FAR)).poll(context).is_pending()));
    repeat("filch: made, polled and dropped, in a task", times, || {
        pool.spawn(poll_fn(move |context| Poll::Ready(ours(context)))).join().expect("no panic")
    });
    repeat("filch: the same in two tasks at once", times, || {
        let tasks = [(); 2].map(|()| pool.spawn(poll_fn(move |context| Poll::Ready(ours(context)))));
        tasks.map(|task| task.join().expect("no panic")).into_iter().max().expect("two")
    });
    let theirs = move |context: &mut Context<'_>| {
        each(n, || {
            let sleep = pin!(tokio::time::sleep(FAR));
            assert!(sleep.poll(context).is_pending());
        })
    };
    repeat("tokio: made, polled and dropped, in a task", times, || {
        let task = tokio::task::unconstrained(poll_fn(move |context| Poll::Ready(theirs(context))));
        runtime.block_on(runtime.spawn(task)).expect("no panic")
    });

    let context = &mut Context::from_waker(Waker::noop());
    repeat("filch: first poll, with a million others", times.min(3), || {
        let mut all: Vec<Sleep> =
            (0..u64::from(n)).map(|i| sleep(FAR + Duration::from_micros(i * 7919 % 60_000_000))).collect();
        let mut at = all.iter_mut();
        each(n, || assert!(Pin::new(at.next().expect("n")).poll(context).is_pending()))
    });

    let spans = move || (0..sleeps).map(|i| Duration::from_micros(500 + i * 3));
    let late = pool.spawn(async move {
        let mut late = Vec::new();
        for span in spans() {
            let began = Instant::now();
            sleep(span).await;
            late.push(began.elapsed() - span);
        }
        late
    });
    quantiles("filch: how late, in a task on an idle pool", late.join().expect("no panic"));
    let late = spans().map(|span| {
        let began = Instant::now();
        filch::block_on(sleep(span));
        began.elapsed() - span
    });
    quantiles("filch: how late, in block_on on another thread", late.collect());
    let late = runtime.spawn(async move {
        let mut late = Vec::new();
        for span in spans() {
            let began = Instant::now();
            tokio::time::sleep(span).await;
            late.push(began.elapsed() - span);
        }
        late
    });
    quantiles("tokio: how late, in a task on an idle runtime", runtime.block_on(late).expect("no panic"));
}
