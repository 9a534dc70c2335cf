//! "Parallel loop inside `spawn`, `block_on` inside a loop inside a task inside `block_on`": fifty times over, in
//! pools of one worker, two and four, on any way in, at every priority, with a section that may block at each level,
//! and with every bound that a pool may have reached. No deadlock, and the right result.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::{io, panic};

use filch::prelude::*;
use filch::task::Builder;
use filch::{Pool, PoolBuilder, Priority, WaitPolicy, blocking};
use support::{note, thin, with_deadline};

const DEPTH: u64 = 50;
/// Frames are large without optimisation.
const STACK: usize = 64 << 20;

/// What stands between one level and the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Between {
    Nothing,
    /// A section that may block.
    Section,
    /// An awaited closure.
    Closure(Priority),
    /// One after the other.
    All,
}

const BETWEEN: [Between; 5] = [
    Between::Nothing,
    Between::Section,
    Between::Closure(Priority::Background),
    Between::Closure(Priority::High),
    Between::All,
];

/// `block_on`, inside a loop, inside a task, inside `block_on`; and in the midst of that the next level. Counts levels.
fn down(depth: u64, between: Between) -> u64 {
    if depth == 0 {
        return 0;
    }
    let inside = move |i: u64| filch::block_on(async move { if i == 1 { step(depth - 1, between) } else { 0 } });
    filch::block_on(async move {
        filch::spawn(async move { 1 + (0..3_u64).into_par_iter().map(inside).sum::<u64>() }).await.unwrap()
    })
}

fn step(depth: u64, between: Between) -> u64 {
    match between {
        Between::Nothing => down(depth, between),
        Between::Section => blocking(|| down(depth, between)),
        Between::Closure(priority) => awaited(priority, move || down(depth, between)),
        Between::All => match depth % 4 {
            0 => blocking(|| down(depth, between)),
            1 => awaited(Priority::Background, move || down(depth, between)),
            2 => awaited(Priority::High, move || blocking(|| down(depth, between))),
            _ => down(depth, between),
        },
    }
}

fn awaited(priority: Priority, f: impl FnOnce() -> u64 + Send + 'static) -> u64 {
    filch::block_on(Builder::new().priority(priority).spawn_cpu(f)).unwrap()
}

/// Fifty levels of each kind, begun in every way, on pools of 1, 2 and 4 workers that are made so.
fn fifty_deep(make: impl Fn(PoolBuilder, usize) -> PoolBuilder + Send + 'static) {
    let body = move || {
        for workers in [1, 2, 4] {
            let pool = make(Pool::builder().workers(workers).stack_size(STACK), workers).build().unwrap();
            for between in BETWEEN {
                note(format!("{workers} workers, {between:?}"));
                for _ in 0..(3 / thin()).max(1) {
                    let down = move || down(DEPTH, between);
                    assert_eq!(pool.block_on(async { down() }), DEPTH);
                    assert_eq!(pool.block_on(async { filch::spawn(async move { down() }).await.unwrap() }), DEPTH);
                    assert_eq!(pool.install_on_worker(down), DEPTH);
                    let background = Builder::new().pool(&pool).priority(Priority::Background).spawn_cpu(down);
                    let high = Builder::new().pool(&pool).priority(Priority::High).spawn_cpu(down);
                    assert_eq!((background.join().unwrap(), high.join().unwrap()), (DEPTH, DEPTH));
                    assert_eq!(pool.join(down, down), (DEPTH, DEPTH));
                }
            }
        }
    };
    with_deadline(200, move || {
        // With as much stack as the pools' own threads.
        let thread = thread::Builder::new().stack_size(STACK).spawn(body).unwrap();
        thread.join().unwrap_or_else(|payload| panic::resume_unwind(payload));
    });
}

#[test]
fn as_pools_come() {
    fifty_deep(|builder, _| builder);
}

#[test]
fn without_an_express_lane() {
    fifty_deep(|builder, _| builder.express_lane(false));
}

#[test]
fn where_waiting_threads_run_anything() {
    fifty_deep(|builder, _| builder.wait_policy(WaitPolicy::RunAnything));
}

#[test]
fn with_all_queues_full() {
    fifty_deep(|builder, _| builder.max_queued_closures(1).max_tasks(1));
}

/// The system has threads for the workers and no more: no spare, no lane.
#[test]
fn with_no_more_threads_than_workers() {
    fifty_deep(|builder, workers| {
        let started = Arc::new(AtomicUsize::new(0));
        builder.spawn_handler(move |thread| {
            if started.fetch_add(1, Ordering::SeqCst) >= workers {
                return Err(io::Error::other("no more"));
            }
            thread::Builder::new().stack_size(STACK).spawn(|| thread.run()).map(drop)
        })
    });
}

/// High up on its stack a thread leaves its own forks to others at first. These may be in yields themselves, and ask for
/// nothing: what is left to them must lie where they see it.
#[test]
fn items_that_yield_for_their_second_arms() {
    with_deadline(100, || {
        for workers in [2, 4] {
            let pool = Pool::builder().workers(workers).stack_size(STACK).build().unwrap();
            pool.install_on_worker(|| {
                (0..300).into_par_iter().for_each(|_| {
                    let done = AtomicBool::new(false);
                    let wait = || {
                        while !done.load(Ordering::Acquire) {
                            let _ = filch::yield_now();
                        }
                    };
                    filch::join(wait, || done.store(true, Ordering::Release));
                });
            });
        }
    });
}
