//! Sets of tasks: values, panics and aborts, the order of completion, what is woken and how often, what a dropped set
//! does, and that joining is cheap however large the set is.

mod support;

use std::collections::{BTreeSet, HashMap};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use filch::task::{AbortHandle, Id, JoinError, JoinSet};
use filch::{Pool, block_on};
use support::{Drops, Event, Wakes, catch, lock, plan, planned, pool, with_deadline, within, yield_once};
use tokio::sync::oneshot;

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

fn sorted<T: Ord>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort();
    values
}

// ----- joining ---------------------------------------------------------------------------------------------------

#[test]
fn every_kind_of_task() {
    on_pools(|pool| {
        let mut set = JoinSet::new();
        set.spawn_on(async { (1, filch::current_num_threads()) }, pool);
        set.spawn_cpu_on(|| (2, filch::current_num_threads()), pool);
        set.spawn_blocking_on(|| (3, filch::current_num_threads()), pool);
        let inside = pool.block_on(async {
            let mut set = JoinSet::new();
            set.spawn(async { (4, filch::current_num_threads()) });
            set.spawn_cpu(|| (5, filch::current_num_threads()));
            set.spawn_blocking(|| (6, filch::current_num_threads()));
            set.join_all().await
        });
        let all = sorted(block_on(set.join_all()).into_iter().chain(inside));
        assert_eq!(all, (1..=6).map(|i| (i, pool.num_workers())).collect::<Vec<_>>());
    });
}

#[test]
fn an_empty_set() {
    with_deadline(20, || {
        let mut set = JoinSet::<()>::default();
        let wakes = Wakes::default();
        assert!(set.is_empty() && set.try_join_next().is_none() && set.try_join_next_with_id().is_none());
        assert!(block_on(set.join_next()).is_none() && block_on(set.join_next_with_id()).is_none());
        let waker = wakes.waker();
        assert!(matches!(set.poll_join_next(&mut Context::from_waker(&waker)), Poll::Ready(None)));
        assert!(matches!(set.poll_join_next_with_id(&mut Context::from_waker(&waker)), Poll::Ready(None)));
        drop(waker);
        assert_eq!((wakes.count(), wakes.held()), (0, 0));
        set.abort_all();
        set.detach_all();
        block_on(set.shutdown());
        assert_eq!(format!("{set:?}"), "JoinSet { len: 0, .. }");
        assert!(block_on(set.join_all()).is_empty());
    });
}

#[test]
fn the_set_counts_what_is_not_joined() {
    on_pools(|pool| {
        let mut set = JoinSet::new();
        for i in 0..5 {
            assert_eq!(set.len(), i);
            set.spawn_on(async move { i }, pool);
        }
        assert!(!set.is_empty());
        for left in (0..5).rev() {
            assert!(block_on(set.join_next()).unwrap().unwrap() < 5);
            assert_eq!(set.len(), left);
        }
        assert!(block_on(set.join_next()).is_none());
        set.spawn_on(async { 9 }, pool);
        assert_eq!(block_on(set.join_next()).unwrap().unwrap(), 9, "a set may be filled again");
    });
}

#[test]
fn names_go_with_values() {
    on_pools(|pool| {
        let mut set = JoinSet::new();
        let mut names: HashMap<Id, usize> = (0..50)
            .map(|i| {
                let handle = match i % 3 {
                    0 => set.spawn_on(async move { i }, pool),
                    1 => set.spawn_cpu_on(move || i, pool),
                    _ => {
                        let handle = pool.spawn(async move { i });
                        let id = handle.id();
                        let abort = set.insert(handle);
                        assert_eq!(abort.id(), id);
                        abort
                    }
                };
                (handle.id(), i)
            })
            .collect();
        assert_eq!(names.len(), 50, "names differ");
        for round in 0..50 {
            let next = match round % 3 {
                0 => block_on(set.join_next_with_id()),
                1 => block_on(std::future::poll_fn(|context| set.poll_join_next_with_id(context))),
                _ => {
                    let mut next = None;
                    assert!(soon(|| {
                        next = set.try_join_next_with_id();
                        next.is_some()
                    }));
                    next
                }
            };
            let (id, value) = next.unwrap().unwrap();
            assert_eq!(names.remove(&id), Some(value));
        }
        assert!(names.is_empty());
    });
}

#[test]
fn iterators_of_futures() {
    on_pools(|pool| {
        pool.block_on(async {
            let mut set: JoinSet<_> = (0..10).map(|i| async move { i }).collect();
            set.extend((10..20).map(|i| async move { i }));
            assert_eq!(set.len(), 20);
            assert_eq!(sorted(set.join_all().await), (0..20).collect::<Vec<_>>());
        });
    });
}

// ----- the order -------------------------------------------------------------------------------------------------

/// A hundred tasks that end when they are told to, on one worker: one after the other.
struct Told {
    pool: Pool,
    set: JoinSet<usize>,
    senders: Vec<Option<oneshot::Sender<()>>>,
    handles: Vec<AbortHandle>,
}

const TOLD: usize = 100;

impl Told {
    fn new() -> Self {
        let mut told = Told { pool: pool(1), set: JoinSet::new(), senders: Vec::new(), handles: Vec::new() };
        for i in 0..TOLD {
            let (sender, receiver) = oneshot::channel();
            let task = async move {
                receiver.await.unwrap();
                i
            };
            told.senders.push(Some(sender));
            told.handles.push(told.set.spawn_on(task, &told.pool));
        }
        told
    }

    fn end(&mut self, i: usize) {
        self.senders[i].take().unwrap().send(()).unwrap();
        assert!(soon(|| self.handles[i].is_finished()));
        // Whoever awaits the task has been told too, when the worker does the next thing.
        self.pool.spawn_cpu(|| ()).join().unwrap();
    }

    fn order() -> Vec<usize> {
        (0..TOLD).map(|i| (i * 37 + 11) % TOLD).collect()
    }
}

#[test]
fn each_is_joined_when_it_ends() {
    with_deadline(60, || {
        let mut told = Told::new();
        for i in Told::order() {
            assert!(told.set.try_join_next().is_none());
            told.end(i);
            assert_eq!(block_on(told.set.join_next()).unwrap().unwrap(), i);
        }
        assert!(told.set.is_empty());
    });
}

#[test]
fn results_come_in_the_order_of_completion() {
    with_deadline(60, || {
        let mut told = Told::new();
        Told::order().into_iter().for_each(|i| told.end(i));
        let joined: Vec<_> = std::iter::from_fn(|| told.set.try_join_next()).map(Result::unwrap).collect();
        assert_eq!(joined, Told::order());
        assert!(told.set.is_empty());
    });
}

#[test]
fn what_had_ended_when_it_was_put_in() {
    on_pools(|pool| {
        let mut set = JoinSet::new();
        let handles: Vec<_> = (0..10).map(|i| pool.spawn(async move { i })).collect();
        assert!(soon(|| handles.iter().all(|handle| handle.is_finished())));
        let wakes = Wakes::default();
        let pending = set.insert(pool.spawn(std::future::pending()));
        let waker = wakes.waker();
        assert!(set.poll_join_next(&mut Context::from_waker(&waker)).is_pending());
        for handle in handles {
            assert!(set.insert(handle).is_finished());
        }
        assert_eq!(wakes.count(), 1);
        for i in 0..10 {
            assert_eq!(set.try_join_next().unwrap().unwrap(), i, "the order in which they were put in");
        }
        assert!(set.try_join_next().is_none() && set.len() == 1 && !pending.is_finished());
    });
}

// ----- panics and aborts -----------------------------------------------------------------------------------------

#[test]
fn panics_and_aborts_are_results() {
    on_pools(|pool| {
        let mut set = JoinSet::<()>::new();
        set.spawn_on(async { plan(1) }, pool);
        set.spawn_cpu_on(|| plan(2), pool);
        set.spawn_blocking_on(|| plan(3), pool);
        let mut panics = BTreeSet::new();
        for _ in 0..3 {
            let error = block_on(set.join_next()).unwrap().unwrap_err();
            panics.insert(planned(error.into_panic()));
        }
        assert_eq!(panics, BTreeSet::from([1, 2, 3]));
        let drops = Drops::default();
        let token = drops.token();
        let abort = set.spawn_on(
            async move {
                let _token = token;
                std::future::pending().await
            },
            pool,
        );
        assert!(set.try_join_next().is_none());
        abort.abort();
        assert!(block_on(set.join_next_with_id()).unwrap().unwrap_err().is_cancelled());
        assert_eq!(drops.dropped(), 1);
        assert!(abort.is_finished() && set.is_empty());
    });
}

#[test]
fn join_all_panics_with_the_task() {
    on_pools(|pool| {
        let drops = Drops::default();
        let mut set = JoinSet::new();
        for _ in 0..20 {
            let token = drops.token();
            set.spawn_on(
                async move {
                    let _token = token;
                    std::future::pending::<()>().await;
                },
                pool,
            );
        }
        set.spawn_on(async { plan(5) }, pool);
        assert_eq!(catch(|| block_on(set.join_all())), Err(5));
        drops.assert_all_dropped("the others");
        let mut set = JoinSet::new();
        set.spawn_on(std::future::pending::<()>(), pool).abort();
        let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| block_on(set.join_all()))).unwrap_err();
        assert!(payload.downcast_ref::<String>().unwrap().contains("cancelled"));
    });
}

#[test]
fn abort_all_leaves_them_in_the_set() {
    on_pools(|pool| {
        let (drops, mut set) = (Drops::default(), JoinSet::new());
        for i in 0..30 {
            let token = drops.token();
            set.spawn_on(
                async move {
                    let _token = token;
                    if i % 3 == 0 {
                        return i;
                    }
                    std::future::pending().await
                },
                pool,
            );
        }
        let mut values = 0;
        while values < 10 {
            assert_eq!(block_on(set.join_next()).unwrap().unwrap() % 3, 0);
            values += 1;
        }
        set.abort_all();
        assert_eq!(set.len(), 20);
        for joined in 11..=30 {
            assert!(block_on(set.join_next()).unwrap().unwrap_err().is_cancelled());
            assert!(drops.dropped() >= joined, "a future has gone when its task is joined");
        }
        assert!(block_on(set.join_next()).is_none());
    });
}

#[test]
fn shutdown_waits() {
    on_pools(|pool| {
        let (drops, mut set) = (Drops::default(), JoinSet::new());
        for i in 0..50 {
            let token = drops.token();
            set.spawn_on(
                async move {
                    let _token = token;
                    match i % 4 {
                        0 => (),
                        1 => plan(i),
                        2 => yield_once().await,
                        _ => std::future::pending().await,
                    }
                },
                pool,
            );
        }
        let running = Event::default();
        let token = drops.token();
        set.spawn_blocking_on(
            {
                let running = running.clone();
                move || {
                    let _token = token;
                    running.set();
                    thread::sleep(Duration::from_millis(20));
                }
            },
            pool,
        );
        running.wait();
        block_on(set.shutdown());
        assert!(set.is_empty());
        assert_eq!(drops.dropped(), 51, "also the closure that was running has ended");
    });
}

#[test]
fn a_dropped_set_aborts() {
    on_pools(|pool| {
        let (drops, mut set) = (Drops::default(), JoinSet::new());
        let aborts: Vec<_> = (0..50)
            .map(|_| {
                let token = drops.token();
                let task = async move {
                    let _token = token;
                    std::future::pending::<()>().await;
                };
                set.spawn_on(task, pool)
            })
            .collect();
        drop(set);
        drops.assert_all_dropped("futures");
        assert!(soon(|| aborts.iter().all(AbortHandle::is_finished)));
    });
}

#[test]
fn values_that_nobody_joins_are_dropped() {
    on_pools(|pool| {
        let (drops, mut set) = (Drops::default(), JoinSet::new());
        for _ in 0..20 {
            let token = drops.token();
            set.spawn_on(async move { token }, pool);
        }
        assert!(block_on(set.join_next()).unwrap().is_ok());
        let handle = pool.spawn({
            let token = drops.token();
            async move { token }
        });
        assert!(soon(|| handle.is_finished()));
        set.insert(handle);
        drop(set);
        drops.assert_all_dropped("values");
    });
}

#[test]
fn detached_tasks_go_on() {
    on_pools(|pool| {
        let (count, go, mut set) = (Arc::new(AtomicUsize::new(0)), Event::default(), JoinSet::new());
        for _ in 0..10 {
            let (count, go) = (count.clone(), go.clone());
            set.spawn_blocking_on(
                move || {
                    go.wait();
                    count.fetch_add(1, Ordering::SeqCst);
                },
                pool,
            );
        }
        let wakes = Wakes::default();
        let waker = wakes.waker();
        assert!(set.poll_join_next(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        set.detach_all();
        assert!(set.is_empty() && set.try_join_next().is_none());
        assert_eq!(wakes.held(), 0);
        set.spawn_on(async {}, pool);
        go.set();
        assert!(soon(|| count.load(Ordering::SeqCst) == 10));
        assert!(block_on(set.join_next()).unwrap().is_ok(), "the bells of the old ones do not confuse it");
        assert!(block_on(set.join_next()).is_none());
        assert_eq!(wakes.count(), 0);
    });
}

#[test]
fn a_pool_that_ends() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let (pool, mut set) = (pool(workers), JoinSet::<()>::new());
            for _ in 0..20 {
                set.spawn_on(std::future::pending(), &pool);
            }
            pool.shutdown();
            for _ in 0..20 {
                assert!(block_on(set.join_next()).unwrap().unwrap_err().is_cancelled());
            }
            assert!(block_on(set.join_next()).is_none());
        }
    });
}

// ----- wakes -----------------------------------------------------------------------------------------------------

#[test]
fn the_newest_waker_is_woken_once() {
    on_pools(|pool| {
        let mut set = JoinSet::new();
        let go: Vec<_> = (0..3)
            .map(|i| {
                let (sender, receiver) = oneshot::channel::<()>();
                set.spawn_on(
                    async move {
                        receiver.await.unwrap();
                        i
                    },
                    pool,
                );
                sender
            })
            .collect();
        let (old, new) = (Wakes::default(), Wakes::default());
        let mut poll = |wakes: &Wakes| {
            let waker = wakes.waker();
            set.poll_join_next(&mut Context::from_waker(&waker)).map(|next| next.map(Result::unwrap))
        };
        assert!(poll(&old).is_pending());
        assert!(poll(&new).is_pending() && poll(&new).is_pending());
        assert_eq!((old.held(), new.held()), (0, 1));
        for sender in go {
            sender.send(()).unwrap();
        }
        assert!(soon(|| new.count() == 1));
        let mut values = BTreeSet::new();
        assert!(soon(|| {
            if let Poll::Ready(Some(value)) = poll(&old) {
                values.insert(value);
            }
            values.len() == 3
        }));
        assert_eq!(poll(&old), Poll::Ready(None));
        assert_eq!((old.held(), new.held(), new.count()), (0, 0, 1));
        assert!(old.count() <= 2);
    });
}

#[test]
fn a_dropped_join_next_loses_nothing() {
    on_pools(|pool| {
        let mut set: JoinSet<usize> = JoinSet::new();
        for i in 0..200 {
            set.spawn_on(
                async move {
                    yield_once().await;
                    i
                },
                pool,
            );
        }
        let (wakes, mut values) = (Wakes::default(), Vec::new());
        while values.len() < 200 {
            // Polled once, and dropped whatever it says.
            let next = wakes.poll(pin!(set.join_next()));
            if let Poll::Ready(next) = next {
                values.push(next.unwrap().unwrap());
            }
        }
        assert_eq!(sorted(values), (0..200).collect::<Vec<_>>());
        drop(set);
        // The thread on which the last task ended may still be about to wake.
        assert!(soon(|| wakes.held() == 0));
    });
}

#[test]
fn joining_is_cheap_in_a_large_set() {
    // With a look at every handle for each join, this would take longer than anybody waits.
    with_deadline(60, || {
        let (pool, mut set) = (pool(2), JoinSet::new());
        for _ in 0..20_000 {
            set.spawn_on(std::future::pending(), &pool);
        }
        for i in 0..20_000u64 {
            set.spawn_on(async move { i }, &pool);
            assert!(block_on(set.join_next()).unwrap().is_ok());
        }
        assert_eq!(set.len(), 20_000);
        block_on(set.shutdown());
    });
}

#[test]
fn a_set_that_its_own_tasks_share() {
    on_pools(|pool| {
        let total = pool.block_on(async {
            let mut set = JoinSet::new();
            for i in 0..2_000u64 {
                set.spawn(async move {
                    if i % 2 == 0 {
                        yield_once().await;
                    }
                    let mut inner: JoinSet<u64> = (0..3).map(|j| async move { i + j }).collect();
                    let mut sum = 0;
                    while let Some(value) = inner.join_next().await {
                        sum += value.unwrap();
                    }
                    sum
                });
            }
            let mut total = 0;
            // Half while they run, by a task that is woken; the rest as they come.
            while let Some(value) = set.join_next().await {
                total += value.unwrap();
            }
            total
        });
        assert_eq!(total, 3 * (0..2_000).sum::<u64>() + 3 * 2_000);
    });
}

#[test]
fn races_of_aborts_and_ends() {
    on_pools(|pool| {
        for _ in 0..100 {
            let (drops, mut set) = (Drops::default(), JoinSet::new());
            let aborts: Vec<_> = (0..20)
                .map(|i| {
                    let token = drops.token();
                    set.spawn_on(
                        async move {
                            let _token = token;
                            yield_once().await;
                            i
                        },
                        pool,
                    )
                })
                .collect();
            let aborter = thread::spawn(move || aborts.iter().for_each(AbortHandle::abort));
            let results: Vec<Result<i32, JoinError>> = block_on(async {
                let mut results = Vec::new();
                while let Some(result) = set.join_next().await {
                    results.push(result);
                }
                results
            });
            aborter.join().unwrap();
            assert_eq!(results.len(), 20);
            assert!(results.iter().all(|result| result.as_ref().map_or_else(JoinError::is_cancelled, |i| *i < 20)));
            drops.assert_all_dropped("futures");
        }
    });
}

/// A task may join more in one poll than its budget allows for: it is put off then, but loses neither a result nor the
/// order; and `try_join_next`, which cannot be put off, finds all that have ended.
#[test]
fn a_busy_task_joins_in_order() {
    with_deadline(60, || {
        let pool = support::pool_without_lane(1);
        for waits in [true, false] {
            let (joined, ended) = pool.block_on(async move {
                let inner = filch::spawn(async move {
                    let (ended, mut set) = (Arc::new(Mutex::new(Vec::new())), JoinSet::new());
                    for i in 0..1_000 {
                        let ended = ended.clone();
                        set.spawn(async move {
                            if i % 7 == 0 {
                                yield_once().await;
                            }
                            lock(&ended).push(i);
                            i
                        });
                    }
                    while lock(&ended).len() < 1_000 {
                        yield_once().await;
                    }
                    yield_once().await;
                    let mut joined = Vec::new();
                    if waits {
                        while let Some(value) = set.join_next().await {
                            joined.push(value.unwrap());
                        }
                    } else {
                        joined.extend(std::iter::from_fn(|| set.try_join_next()).map(Result::unwrap));
                    }
                    let ended = lock(&ended).clone();
                    (joined, ended)
                });
                inner.await.unwrap()
            });
            assert_eq!(joined.len(), 1_000, "it waits: {waits}");
            assert_eq!(joined, ended, "it waits: {waits}");
        }
    });
}
