//! The budget of a poll, counted exactly: loops over what is always ready give way after 128 units, and there is no
//! limit outside of tasks.

mod support;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use filch::{JoinHandle, Pool, task};
use support::{lock, pool, pool_without_lane, with_deadline, within};

const BUDGET: usize = 128;

/// Counts the polls of a future.
struct Polls<F>(Pin<Box<F>>, Arc<AtomicUsize>);

impl<F: Future> Future for Polls<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.as_mut().poll(context)
    }
}

/// How many polls `future` takes as a task.
fn polls_of<F: Future<Output: Send> + Send + 'static>(pool: &Pool, future: F) -> (usize, F::Output) {
    let polls = Arc::new(AtomicUsize::new(0));
    let output = pool.spawn(Polls(Box::pin(future), polls.clone())).join().unwrap();
    (polls.load(Ordering::SeqCst), output)
}

const UNITS: [usize; 9] = [0, 1, 127, 128, 129, 256, 257, 384, 1000];

fn polls_for(units: usize) -> usize {
    units.div_ceil(BUDGET).max(1)
}

async fn finished(n: usize) -> Vec<JoinHandle<usize>> {
    let handles: Vec<_> = (0..n).map(|i| filch::spawn(async move { i })).collect();
    while !handles.iter().all(JoinHandle::is_finished) {
        thread::yield_now();
        task::yield_now().await;
    }
    handles
}

#[test]
fn consume_budget_gives_way_after_128() {
    with_deadline(30, || {
        let pool = pool(1);
        for units in UNITS {
            let (polls, ()) = polls_of(&pool, async move {
                for unit in 0..units {
                    assert_eq!(task::has_budget_remaining(), unit == 0 || unit % BUDGET != 0, "unit {unit}");
                    task::consume_budget().await;
                }
            });
            assert_eq!(polls, polls_for(units), "{units} units");
        }
    });
}

#[test]
fn join_handles_that_are_ready_give_way_after_128() {
    with_deadline(30, || {
        let pool = pool(1);
        for units in UNITS {
            let handles = pool.spawn(finished(units)).join().unwrap();
            let (polls, sum) = polls_of(&pool, async move {
                let mut sum = 0;
                for handle in handles {
                    sum += handle.await.unwrap();
                }
                sum
            });
            assert_eq!((polls, sum), (polls_for(units), (0..units).sum()), "{units} handles");
        }
        // Both kinds together have one budget; what fails costs as much as what succeeds.
        let handles = pool.spawn(finished(100)).join().unwrap();
        let failed: Vec<_> = (0..100).map(|_| pool.spawn(std::future::pending::<()>())).collect();
        failed.iter().for_each(JoinHandle::abort);
        assert!(within(Duration::from_secs(20), || failed.iter().all(JoinHandle::is_finished)));
        let (polls, ()) = polls_of(&pool, async move {
            for (handle, failed) in handles.into_iter().zip(failed) {
                handle.await.unwrap();
                failed.await.unwrap_err();
                task::consume_budget().await;
            }
        });
        assert_eq!(polls, polls_for(300));
    });
}

type Log = Arc<Mutex<Vec<String>>>;

fn write(log: &Log, text: impl Into<String>) {
    lock(log).push(text.into());
}

/// Runs `f` on the one worker of a pool, in a task, and gives the log when all has ended.
fn logged(f: impl FnOnce(Log) + Send + 'static) -> Vec<String> {
    let (pool, log) = (pool_without_lane(1), Log::default());
    let inner = log.clone();
    pool.spawn(async move { f(inner) }).join().unwrap();
    assert!(within(Duration::from_secs(20), || pool.stats().live_tasks == 0));
    std::mem::take(&mut *lock(&log))
}

#[test]
fn who_has_no_budget_left_lets_the_others_go_first() {
    with_deadline(30, || {
        let order = logged(|log| {
            for name in ["a", "b"] {
                let log = log.clone();
                filch::spawn(async move {
                    for unit in 0..300 {
                        if unit % BUDGET == 0 {
                            write(&log, format!("{name}{unit}"));
                        }
                        task::consume_budget().await;
                    }
                    write(&log, format!("{name} ends"));
                })
                .detach();
            }
        });
        // The unit after the last of a budget is written down before it gives way.
        let expected = ["a0", "a128", "b0", "b128", "a256", "b256", "a ends", "b ends"];
        assert_eq!(order, expected);
    });
}

#[test]
fn a_budget_is_for_one_poll_and_not_used_up_by_other_futures() {
    with_deadline(30, || {
        let pool = pool(1);
        let (polls, ()) = polls_of(&pool, async {
            for _ in 0..10 {
                for _ in 0..BUDGET {
                    assert!(task::has_budget_remaining());
                    task::consume_budget().await;
                }
                assert!(!task::has_budget_remaining());
                // Things that are not filch's go on without it.
                tokio::sync::Semaphore::new(1).acquire().await.unwrap().forget();
                task::yield_now().await;
            }
        });
        assert_eq!(polls, 11, "ten yields, and none by the budget");
    });
}

#[test]
fn the_budget_is_unlimited_outside_of_tasks() {
    with_deadline(30, || {
        async fn spends_without_end(handles: Vec<JoinHandle<usize>>) {
            for _ in 0..5 * BUDGET {
                assert!(task::has_budget_remaining());
                task::consume_budget().await;
            }
            for handle in handles {
                handle.await.unwrap();
            }
        }
        fn once<F: Future>(future: F) -> F::Output {
            let mut future = std::pin::pin!(future);
            match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(output) => output,
                Poll::Pending => panic!("it gives way where there is nobody"),
            }
        }
        for workers in [1, 2] {
            let pool = pool(workers);
            let handles = || pool.spawn(finished(3 * BUDGET)).join().unwrap();
            // By hand, on a thread of no pool; in block_on, on such a thread and inside the pool.
            once(spends_without_end(handles()));
            let polls = Arc::new(AtomicUsize::new(0));
            filch::block_on(Polls(Box::pin(spends_without_end(handles())), polls.clone()));
            pool.block_on(Polls(Box::pin(spends_without_end(handles())), polls.clone()));
            assert_eq!(polls.load(Ordering::SeqCst), 2, "each in one poll");
            // In closures.
            for _ in 0..2 {
                let (tx, rx) = mpsc::channel();
                let (one, two) = (handles(), handles());
                pool.spawn_detached(move || {
                    once(spends_without_end(one));
                    tx.send(()).unwrap();
                });
                rx.recv().unwrap();
                pool.install(|| once(spends_without_end(two)));
            }
            // In block_on inside of a task that has none left: the task's own is as it was.
            let (one, two) = (handles(), handles());
            let counts = pool.spawn(async move {
                let polls = Arc::new(AtomicUsize::new(0));
                filch::block_on(Polls(Box::pin(spends_without_end(one)), polls.clone()));
                let mut own = 0;
                while task::has_budget_remaining() {
                    task::consume_budget().await;
                    own += 1;
                }
                filch::block_on(Polls(Box::pin(spends_without_end(two)), polls.clone()));
                assert!(!task::has_budget_remaining());
                (own, polls.load(Ordering::SeqCst))
            });
            assert_eq!(counts.join().unwrap(), (BUDGET, 2));
        }
    });
}
