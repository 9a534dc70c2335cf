//! Trackers of tasks: what counts and until when, closing and opening, who is woken and how often, moments that have
//! passed, and races.

mod support;

use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake};
use std::thread;
use std::time::Duration;

use filch::task::{TaskTracker, TaskTrackerToken};
use filch::{JoinHandle, Pool, block_on};
use support::{Drops, Event, Rng, Wakes, catch, plan, planned, pool, with_deadline, within, yield_once};

/// Runs `each` on pools of 1, 2 and 4 workers.
fn on_pools(each: impl Fn(&Pool) + Send + 'static) {
    with_deadline(60, move || {
        for workers in [1, 2, 4] {
            support::note(format!("{workers} workers"));
            each(&pool(workers));
        }
    });
}

fn soon(done: impl FnMut() -> bool) -> bool {
    within(Duration::from_secs(20), done)
}

// ----- counting --------------------------------------------------------------------------------------------------

fn assert_everywhere<T: Send + Sync + UnwindSafe + RefUnwindSafe + 'static>() {}

#[test]
fn the_basics() {
    assert_everywhere::<TaskTracker>();
    assert_everywhere::<TaskTrackerToken>();
    let tracker = TaskTracker::new();
    assert!(tracker.is_empty() && !tracker.is_closed());
    assert_eq!(tracker.len(), 0);
    assert_eq!(format!("{tracker:?}"), "TaskTracker { len: 0, closed: false, .. }");
    let token = tracker.token();
    let clone = token.clone();
    assert!(TaskTracker::ptr_eq(clone.task_tracker(), &tracker));
    assert!(!TaskTracker::ptr_eq(&TaskTracker::default(), &tracker));
    assert_eq!((tracker.len(), tracker.clone().len(), tracker.is_empty()), (2, 2, false));
    drop(token);
    assert_eq!(tracker.len(), 1);
    assert!(tracker.close() && !tracker.close() && tracker.is_closed());
    assert_eq!(format!("{tracker:?}"), "TaskTracker { len: 1, closed: true, .. }");
    assert!(format!("{clone:?}").contains("len: 1"));
    let more = tracker.token();
    assert_eq!(tracker.len(), 2, "closing keeps nobody from counting");
    drop((clone, more));
    assert!(tracker.is_empty() && tracker.is_closed());
    assert!(tracker.reopen() && !tracker.reopen() && !tracker.is_closed());
}

#[test]
fn every_kind_of_task_counts() {
    on_pools(|pool| {
        let (tracker, go) = (TaskTracker::new(), Event::default());
        let wait = |i: usize| {
            let go = go.clone();
            move || {
                go.wait();
                (i, filch::current_num_threads())
            }
        };
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let mut handles = vec![
            tracker.spawn_cpu_on(wait(0), pool),
            tracker.spawn_blocking_on(wait(1), pool),
            tracker.spawn_on(async { receiver.await.unwrap() }, pool),
        ];
        let go_on = pool.block_on(async {
            let (sender, receiver) = tokio::sync::oneshot::channel();
            handles.push(tracker.spawn_cpu(wait(3)));
            handles.push(tracker.spawn_blocking(wait(4)));
            handles.push(tracker.spawn(async { receiver.await.unwrap() }));
            sender
        });
        assert_eq!(tracker.len(), 6);
        tracker.close();
        let wakes = Wakes::default();
        let mut waiting = pin!(tracker.wait());
        assert!(wakes.poll(waiting.as_mut()).is_pending());
        go.set();
        sender.send((2, pool.num_workers())).unwrap();
        go_on.send((5, pool.num_workers())).unwrap();
        for (i, handle) in handles.into_iter().enumerate() {
            let value = handle.join().unwrap();
            assert_eq!((value.0, value.1), ([0, 1, 2, 3, 4, 5][i], pool.num_workers()));
        }
        assert_eq!(tracker.len(), 0, "a task that has been joined counts no more");
        assert!(soon(|| wakes.count() == 1));
        assert!(wakes.poll(waiting.as_mut()).is_ready());
    });
}

/// Looks at its tracker when it is dropped.
struct Witness(TaskTracker, Arc<AtomicUsize>);

impl Drop for Witness {
    fn drop(&mut self) {
        self.1.fetch_add(self.0.len(), Ordering::SeqCst);
    }
}

#[test]
fn a_task_counts_until_its_future_is_dropped() {
    on_pools(|pool| {
        let (tracker, seen) = (TaskTracker::new(), Arc::new(AtomicUsize::new(0)));
        let witness = || Witness(tracker.clone(), seen.clone());
        let idle = || soon(|| tracker.is_empty());
        let mut ends = 0;
        let mut ended = |what: &str| {
            ends += 1;
            assert!(idle(), "{what}");
            assert_eq!(seen.load(Ordering::SeqCst), ends, "{what}: it counted while its destructor ran");
        };
        let held = witness();
        tracker.spawn_on(async move { drop(held) }, pool).join().unwrap();
        ended("a value");
        let held = witness();
        let panics: JoinHandle<()> = tracker.spawn_on(
            async move {
                let _held = held;
                plan(1)
            },
            pool,
        );
        assert_eq!(planned(panics.join().unwrap_err().into_panic()), 1);
        ended("a panic");
        let held = witness();
        let aborted = tracker.spawn_on(
            async move {
                let _held = held;
                std::future::pending::<()>().await;
            },
            pool,
        );
        aborted.abort();
        assert!(aborted.join().unwrap_err().is_cancelled());
        ended("an abort");
        let held = witness();
        let panics: JoinHandle<()> = tracker.spawn_cpu_on(
            move || {
                let _held = held;
                plan(2)
            },
            pool,
        );
        assert_eq!(planned(panics.join().unwrap_err().into_panic()), 2);
        ended("a closure's panic");
        let held = witness();
        drop(tracker.track_future(async move { drop(held) }));
        ended("a future that was never polled");
    });
}

#[test]
fn a_closure_that_never_runs() {
    with_deadline(60, || {
        let (pool, go, busy) = (pool(1), Event::default(), Event::default());
        pool.spawn_detached({
            let (go, busy) = (go.clone(), busy.clone());
            move || {
                busy.set();
                go.wait();
            }
        });
        busy.wait();
        let (tracker, seen) = (TaskTracker::new(), Arc::new(AtomicUsize::new(0)));
        let (held, ran) = (Witness(tracker.clone(), seen.clone()), Arc::new(AtomicBool::new(false)));
        let handle = tracker.spawn_cpu_on(
            {
                let ran = ran.clone();
                move || {
                    let _held = held;
                    ran.store(true, Ordering::SeqCst);
                }
            },
            &pool,
        );
        assert_eq!(tracker.len(), 1);
        handle.abort();
        go.set();
        assert!(handle.join().unwrap_err().is_cancelled());
        assert!(soon(|| tracker.is_empty()));
        assert_eq!((ran.load(Ordering::SeqCst), seen.load(Ordering::SeqCst)), (false, 1));
    });
}

#[test]
fn a_pool_that_ends_empties_its_trackers() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let (pool, tracker) = (pool(workers), TaskTracker::new());
            // The handles are kept: a detached task that nobody can wake need not live until the pool ends.
            let mut resting = Vec::new();
            for _ in 0..50 {
                resting.push(tracker.spawn_on(std::future::pending::<()>(), &pool));
                tracker.spawn_cpu_on(|| (), &pool).detach();
            }
            tracker.close();
            let waiter = thread::spawn({
                let tracker = tracker.clone();
                move || block_on(tracker.wait())
            });
            assert!(tracker.len() >= 50);
            pool.shutdown();
            waiter.join().unwrap();
            assert!(tracker.is_empty() && resting.iter().all(|task| task.is_finished()));
        }
    });
}

#[test]
fn a_tracked_future_is_the_future() {
    let tracker = TaskTracker::new();
    let wakes = Wakes::default();
    let mut tracked = pin!(tracker.track_future(async {
        yield_once().await;
        7
    }));
    assert_eq!(tracker.len(), 1, "before its first poll");
    assert!(wakes.poll(tracked.as_mut()).is_pending());
    assert_eq!(wakes.poll(tracked.as_mut()), Poll::Ready(7));
    assert!(format!("{:?}", tracker.track_future(std::future::ready(5))).contains("Ready"));
}

// ----- waiting ---------------------------------------------------------------------------------------------------

#[test]
fn waiting_ends_when_closed_and_empty() {
    let (tracker, wakes) = (TaskTracker::new(), Wakes::default());
    let mut waiting = pin!(tracker.wait());
    assert!(wakes.poll(waiting.as_mut()).is_pending(), "empty, but open");
    let token = tracker.token();
    assert!(tracker.close());
    assert!(wakes.poll(waiting.as_mut()).is_pending(), "closed, but not empty");
    assert_eq!((wakes.count(), wakes.held()), (0, 1));
    assert!(format!("{waiting:?}").contains("len: 1"));
    drop(token);
    assert_eq!((wakes.count(), wakes.held()), (1, 0));
    assert!(wakes.poll(waiting.as_mut()).is_ready() && wakes.poll(waiting.as_mut()).is_ready());
    assert!(wakes.poll(pin!(tracker.wait())).is_ready());
    assert!(!tracker.close());
    let tracker = TaskTracker::new();
    let mut waiting = pin!(tracker.wait());
    assert!(wakes.poll(waiting.as_mut()).is_pending());
    assert!(tracker.close(), "closing an empty one is enough");
    assert_eq!(wakes.count(), 2);
    assert!(wakes.poll(waiting.as_mut()).is_ready());
}

#[test]
fn each_waiter_is_woken_once() {
    let tracker = TaskTracker::new();
    let tokens: Vec<_> = (0..10).map(|_| tracker.token()).collect();
    tracker.close();
    let all: Vec<Wakes> = (0..50).map(|_| Wakes::default()).collect();
    let mut waiting: Vec<_> = all.iter().map(|_| Box::pin(tracker.wait())).collect();
    for (wakes, waiting) in all.iter().zip(&mut waiting) {
        assert!(wakes.poll(waiting.as_mut()).is_pending());
        assert!(wakes.poll(waiting.as_mut()).is_pending());
    }
    drop(waiting.remove(20));
    assert_eq!(all[20].held(), 0);
    drop(tokens);
    for (i, wakes) in all.iter().enumerate() {
        assert_eq!((wakes.count(), wakes.held()), (usize::from(i != 20), 0));
    }
}

#[test]
fn a_moment_is_enough() {
    let (tracker, wakes) = (TaskTracker::new(), Wakes::default());
    let mut polled = pin!(tracker.wait());
    assert!(wakes.poll(polled.as_mut()).is_pending());
    let mut fresh = pin!(tracker.wait());
    tracker.close();
    tracker.reopen();
    let _token = tracker.token();
    let mut later = pin!(tracker.wait());
    assert_eq!(wakes.count(), 1);
    assert!(wakes.poll(polled.as_mut()).is_ready(), "it was closed and empty for a moment");
    assert!(wakes.poll(fresh.as_mut()).is_ready(), "also for one that had not been polled");
    assert!(wakes.poll(later.as_mut()).is_pending(), "but not for one that came after it");
    // The same with tokens: close, empty, fill.
    tracker.close();
    let mut fresh = pin!(tracker.wait());
    drop(_token);
    let token = tracker.token();
    assert!(wakes.poll(fresh.as_mut()).is_ready() && wakes.poll(later.as_mut()).is_ready());
    let mut later = pin!(tracker.wait());
    assert!(wakes.poll(later.as_mut()).is_pending());
    // Closing what is closed, or emptying what is open, is no such moment.
    tracker.close();
    tracker.reopen();
    drop(token);
    assert!(wakes.poll(later.as_mut()).is_pending());
}

#[test]
fn a_waiter_made_while_it_is_done_is_ready() {
    let (tracker, wakes) = (TaskTracker::new(), Wakes::default());
    tracker.close();
    let mut waiting = pin!(tracker.wait());
    tracker.reopen();
    let _token = tracker.token();
    assert!(wakes.poll(waiting.as_mut()).is_ready());
}

struct Panicking;

impl Wake for Panicking {
    fn wake(self: Arc<Self>) {
        plan(7);
    }
}

#[test]
fn a_panicking_waker_stops_no_other() {
    for by_token in [true, false] {
        let (tracker, good) = (TaskTracker::new(), Wakes::default());
        let token = tracker.token();
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(tracker.wait())).collect();
        for (i, waiting) in waiting.iter_mut().enumerate() {
            let waker = if i == 1 { Arc::new(Panicking).into() } else { good.waker() };
            assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        let outcome = if by_token {
            tracker.close();
            catch(|| drop(token))
        } else {
            drop(token);
            catch(|| assert!(tracker.close()))
        };
        assert_eq!((outcome, good.count(), tracker.len(), tracker.is_closed()), (Err(7), 2, 0, true));
    }
}

/// Uses its tracker in every way, when it is woken and when it is dropped.
struct Meddling(TaskTracker);

impl Meddling {
    fn meddle(&self) {
        drop(self.0.token());
        let wakes = Wakes::default();
        let _ = wakes.poll(pin!(self.0.wait()));
        self.0.reopen();
        self.0.close();
    }
}

impl Wake for Meddling {
    fn wake(self: Arc<Self>) {
        self.meddle();
    }
}

impl Drop for Meddling {
    fn drop(&mut self) {
        self.meddle();
    }
}

#[test]
fn wakers_may_use_the_tracker() {
    with_deadline(20, || {
        for how in 0..3 {
            let (tracker, wakes) = (TaskTracker::new(), Wakes::default());
            let token = tracker.token();
            let mut waiting = Box::pin(tracker.wait());
            let waker = Arc::new(Meddling(tracker.clone())).into();
            assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            drop(waker);
            match how {
                0 => drop(waiting),
                1 => assert!(wakes.poll(waiting.as_mut()).is_pending()),
                _ => {
                    tracker.close();
                    drop(token);
                }
            }
        }
    });
}

// ----- races -----------------------------------------------------------------------------------------------------

#[test]
fn no_wake_is_lost() {
    with_deadline(60, || {
        for round in 0..2_000u64 {
            let (tracker, barrier) = (TaskTracker::new(), Arc::new(Barrier::new(3)));
            let token = tracker.token();
            let run = |f: Box<dyn FnOnce() + Send>| {
                let barrier = barrier.clone();
                thread::spawn(move || {
                    barrier.wait();
                    f();
                })
            };
            let (waits, closes) = (tracker.clone(), tracker.clone());
            let threads =
                [run(Box::new(move || block_on(waits.wait()))), run(Box::new(move || assert!(closes.close())))];
            barrier.wait();
            support::spin(Duration::from_nanos(round % 64 * 50));
            drop(token);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        }
    });
}

#[test]
fn what_the_tasks_did_is_seen() {
    on_pools(|pool| {
        for _ in 0..100 {
            let (tracker, drops, sum) = (TaskTracker::new(), Drops::default(), Arc::new(AtomicUsize::new(0)));
            fn spawn(tracker: &TaskTracker, depth: u32, drops: &Drops, sum: &Arc<AtomicUsize>) {
                let (tracker_, drops, sum, token) = (tracker.clone(), drops.clone(), sum.clone(), drops.token());
                let task: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
                    let _token = token;
                    if depth > 0 {
                        spawn(&tracker_, depth - 1, &drops, &sum);
                        yield_once().await;
                        spawn(&tracker_, depth - 1, &drops, &sum);
                    }
                    // Relaxed: it is the tracker that tells.
                    sum.fetch_add(1, Ordering::Relaxed);
                });
                tracker.spawn(task).detach();
            }
            pool.block_on(async {
                spawn(&tracker, 5, &drops, &sum);
                tracker.close();
                tracker.wait().await;
            });
            assert_eq!((sum.load(Ordering::Relaxed), drops.dropped()), (63, 63));
        }
    });
}

/// Threads count up and down, close and open at random; a waiter that was made before a moment of rest must end.
#[test]
fn many_hands() {
    with_deadline(120, || {
        for seed in 0..if support::long() { 500 } else { 30 } {
            support::note(format!("seed {seed}"));
            let tracker = TaskTracker::new();
            let threads: Vec<_> = (0..4)
                .map(|i| {
                    let tracker = tracker.clone();
                    thread::spawn(move || {
                        let (mut rng, mut tokens) = (Rng(seed * 4 + i), Vec::new());
                        for _ in 0..500 {
                            match rng.below(8) {
                                0 => drop(tracker.close()),
                                1 => drop(tracker.reopen()),
                                2..=4 => tokens.push(tracker.token()),
                                5 => tokens.clear(),
                                6 => drop(Wakes::default().poll(pin!(tracker.wait()))),
                                _ => drop(tokens.pop()),
                            }
                        }
                    })
                })
                .collect();
            let waiter = thread::spawn({
                let tracker = tracker.clone();
                move || block_on(tracker.wait())
            });
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            assert!(tracker.is_empty());
            tracker.close();
            waiter.join().unwrap();
        }
    });
}
