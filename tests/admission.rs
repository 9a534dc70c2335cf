//! Bounds on queued closures and on tasks: kept exactly under many hands, refused work comes back untouched, and who
//! waits for room gets it in order, whatever is dropped or shut down meanwhile.

mod support;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use filch::{Pool, ShutDown, TrySpawnError};
use support::{Drops, Event, Rng, Wakes, lock, note, plan, with_deadline, within};

fn closures(workers: usize, most: usize) -> Pool {
    Pool::builder().workers(workers).max_queued_closures(most).build().unwrap()
}

fn tasks(workers: usize, most: usize) -> Pool {
    Pool::builder().workers(workers).max_tasks(most).build().unwrap()
}

/// Keeps every worker busy until the event is set.
fn occupy(pool: &Pool) -> Event {
    let (go, begun) = (Event::default(), Arc::new(AtomicUsize::new(0)));
    for _ in 0..pool.num_workers() {
        let (go, begun) = (go.clone(), begun.clone());
        pool.spawn_detached(move || {
            begun.fetch_add(1, Ordering::SeqCst);
            go.wait();
        });
    }
    assert!(within(Duration::from_secs(20), || begun.load(Ordering::SeqCst) == pool.num_workers()));
    go
}

fn poll<F: Future + Unpin>(wakes: &Wakes, future: &mut F) -> Poll<F::Output> {
    wakes.poll(Pin::new(future))
}

fn ready<T>(polled: Poll<T>) -> T {
    match polled {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it should be ready"),
    }
}

#[test]
fn without_bounds_nothing_is_refused() {
    with_deadline(30, || {
        // 0 says so too.
        let pool = Pool::builder().workers(1).max_queued_closures(0).max_tasks(0).build().unwrap();
        let go = occupy(&pool);
        let handles: Vec<_> = (0..1000).map(|i| pool.try_spawn_cpu(move || i).unwrap()).collect();
        let tasks: Vec<_> = (0..1000).map(|i| pool.try_spawn(async move { i }).unwrap()).collect();
        assert!(ready(poll(&Wakes::default(), &mut pool.spawn_cpu_when_room(|| 1))).is_ok());
        assert!(ready(poll(&Wakes::default(), &mut pool.spawn_when_room(async { 1 }))).is_ok());
        assert_eq!((pool.stats().queued_closures, pool.stats().refused), (None, 0));
        go.set();
        assert_eq!(handles.into_iter().map(|h| h.join().unwrap()).sum::<u64>(), 499_500);
        assert_eq!(tasks.into_iter().map(|h| h.join().unwrap()).sum::<u64>(), 499_500);
    });
}

#[test]
fn what_is_refused_comes_back_untouched() {
    with_deadline(30, || {
        for workers in [1, 2] {
            let pool = closures(workers, 2);
            let go = occupy(&pool);
            let drops = Drops::default();
            let (a, b) = (pool.try_spawn_cpu(|| 1).unwrap(), pool.try_spawn_detached(|| ()));
            assert!(b.is_ok());
            assert_eq!(pool.stats().queued_closures, Some(2));
            let token = drops.token();
            let refused = pool.try_spawn_cpu(move || token).unwrap_err();
            assert!(refused.is_full() && !refused.is_shut_down());
            assert_eq!((format!("{refused:?}").as_str(), drops.dropped()), ("Full(..)", 0));
            assert!(refused.to_string().contains("bounds"));
            let error: Box<dyn std::error::Error> = Box::new(pool.try_spawn_detached(|| ()).unwrap_err());
            assert!(error.source().is_none());
            drop((refused.into_inner())());
            assert_eq!((drops.dropped(), pool.stats().refused), (1, 2));
            // These are never refused.
            let more: Vec<_> = (0..5).map(|i| pool.spawn_cpu(move || i)).collect();
            pool.spawn_fifo(|| ());
            assert_eq!(pool.stats().queued_closures, Some(8));
            assert!(filch::task::Builder::new().pool(&pool).try_spawn_cpu(|| ()).unwrap_err().is_full());
            // Blocking calls have no bound.
            assert_eq!(pool.try_spawn_blocking(|| 4).unwrap().join().unwrap(), 4);
            go.set();
            assert_eq!(a.join().unwrap(), 1);
            more.into_iter().for_each(|handle| support::ignore(handle.join().unwrap()));
            assert!(within(Duration::from_secs(20), || pool.stats().queued_closures == Some(0)));
            assert_eq!(pool.try_spawn_cpu(|| 5).unwrap().join().unwrap(), 5);

            let pool = tasks(workers, 2);
            let rests = [(); 2].map(|()| pool.try_spawn(std::future::pending::<()>()).unwrap());
            let token = drops.token();
            let refused = pool.try_spawn(async move { drop(token) }).unwrap_err();
            assert_eq!((refused.is_full(), drops.dropped()), (true, 1));
            filch::block_on(refused.into_inner());
            assert_eq!(drops.dropped(), 2);
            assert!(filch::task::Builder::new().pool(&pool).try_spawn(async {}).unwrap_err().is_full());
            pool.scope(|s| s.spawn_future(async {}).detach());
            pool.spawn(async {}).join().unwrap();
            rests[0].abort();
            assert!(within(Duration::from_secs(20), || pool.stats().live_tasks == 1));
            assert!(pool.try_spawn(async {}).is_ok());
            pool.shutdown();
            assert!(matches!(pool.try_spawn(async {}), Err(TrySpawnError::ShutDown(_))));
        }
    });
}

#[test]
fn a_pool_that_is_full_and_ended_says_that_it_has_ended() {
    with_deadline(30, || {
        let pool = Arc::new(closures(1, 1));
        let go = occupy(&pool);
        pool.try_spawn_cpu(|| ()).unwrap().detach();
        thread::scope(|threads| {
            threads.spawn(|| pool.shutdown());
            assert!(within(Duration::from_secs(20), || pool.try_spawn_cpu(|| ()).unwrap_err().is_shut_down()));
            go.set();
        });
        // Places that were taken for what was then refused are given back.
        assert_eq!(pool.stats().queued_closures, Some(0));
    });
}

#[test]
fn every_way_to_end_makes_room() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let pool = closures(workers, 1);
            let go = occupy(&pool);
            let aborted = pool.try_spawn_cpu(|| ()).unwrap();
            aborted.abort();
            go.set();
            assert!(aborted.join().unwrap_err().is_cancelled());
            for round in 0..50 {
                let spawn = || within(Duration::from_secs(20), || pool.try_spawn_detached(move || plan(round)).is_ok());
                support::quiet_planned_panics();
                assert!(spawn() && spawn() && spawn());
            }
            assert!(within(Duration::from_secs(20), || pool.stats().queued_closures == Some(0)));

            let pool = tasks(workers, 1);
            let free = || within(Duration::from_secs(20), || pool.try_spawn(async {}).is_ok());
            for round in 0..50 {
                assert!(free(), "round {round}");
                // Ended, panicked, aborted at rest, and one that nobody can wake.
                let one = |future: Pin<Box<dyn Future<Output = ()> + Send>>| {
                    filch::block_on(pool.spawn_when_room(future)).unwrap()
                };
                one(Box::pin(support::yield_once())).join().unwrap();
                assert!(one(Box::pin(async { plan(1) })).join().unwrap_err().is_panic());
                one(Box::pin(std::future::pending())).abort();
                one(Box::pin(std::future::pending())).detach();
            }
            assert!(free());
        }
    });
}

#[test]
fn bounds_are_kept_under_many_hands() {
    with_deadline(100, || {
        for (workers, most) in [(1, 1), (2, 3), (4, 10)] {
            note(format!("{workers} workers, {most} at most"));
            // A closure counts from before it is handed over until it begins; a task until its future is dropped.
            let (there, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            struct Counted(Arc<AtomicUsize>);
            impl Drop for Counted {
                fn drop(&mut self) {
                    self.0.fetch_sub(1, Ordering::SeqCst);
                }
            }
            let pool = tasks(workers, most);
            let (accepted, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
            thread::scope(|threads| {
                for seed in 0..4 {
                    let (pool, there, peak) = (&pool, &there, &peak);
                    let (accepted, refused) = (&accepted, &refused);
                    threads.spawn(move || {
                        let mut rng = Rng(seed);
                        for _ in 0..2000 {
                            let (there, peak) = (there.clone(), peak.clone());
                            let yields = rng.below(3);
                            let future = async move {
                                peak.fetch_max(1 + there.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
                                let _counted = Counted(there);
                                for _ in 0..yields {
                                    support::yield_once().await;
                                }
                            };
                            if rng.one_in(2) {
                                filch::block_on(pool.spawn_when_room(future)).unwrap().detach();
                                accepted.fetch_add(1, Ordering::SeqCst);
                            } else {
                                match pool.try_spawn(future) {
                                    Ok(handle) => (handle.detach(), accepted.fetch_add(1, Ordering::SeqCst)).1,
                                    Err(full) => (assert!(full.is_full()), refused.fetch_add(1, Ordering::SeqCst)).1,
                                };
                            }
                        }
                    });
                }
            });
            assert!(within(Duration::from_secs(20), || pool.stats().live_tasks == 0));
            assert_eq!(there.load(Ordering::SeqCst), 0);
            assert!(peak.load(Ordering::SeqCst) <= most, "{peak:?} tasks were there at once");
            assert_eq!(accepted.into_inner() + refused.load(Ordering::SeqCst), 8000);
            assert_eq!(pool.stats().refused, refused.into_inner() as u64);

            // While nobody takes any, exactly so many closures are accepted.
            let pool = closures(workers, most);
            let go = occupy(&pool);
            let accepted = AtomicUsize::new(0);
            thread::scope(|threads| {
                for _ in 0..4 {
                    threads.spawn(|| {
                        for _ in 0..100 {
                            accepted.fetch_add(usize::from(pool.try_spawn_detached(|| ()).is_ok()), Ordering::SeqCst);
                        }
                    });
                }
            });
            assert_eq!(accepted.into_inner(), most);
            go.set();
        }
    });
}

#[test]
fn who_waits_is_served_in_order_and_not_overtaken() {
    with_deadline(60, || {
        let pool = closures(1, 1);
        let order = Arc::new(Mutex::new(Vec::new()));
        let go = occupy(&pool);
        let first = pool.try_spawn_cpu(|| ()).unwrap();
        let wakes: Vec<Wakes> = (0..10).map(|_| Wakes::default()).collect();
        let mut line: VecDeque<_> = (0..10)
            .map(|i| {
                let order = order.clone();
                (i, pool.spawn_cpu_when_room(move || lock(&order).push(i)))
            })
            .collect();
        for (i, waiting) in &mut line {
            assert!(poll(&wakes[*i], waiting).is_pending());
            // Polled again, also with another waker: it keeps its place.
            assert!(poll(&Wakes::default(), waiting).is_pending() && poll(&wakes[*i], waiting).is_pending());
        }
        // Two leave, from the middle and from the front.
        drop(line.remove(4));
        drop(line.pop_front());
        go.set();
        first.join().unwrap();
        while let Some((i, mut waiting)) = line.pop_front() {
            assert!(within(Duration::from_secs(20), || wakes[i].count() > 0), "number {i} is woken");
            // The place is its own: nobody overtakes it, and the next is not woken yet.
            assert!(pool.try_spawn_cpu(|| ()).unwrap_err().is_full());
            assert!(line.iter().all(|(later, _)| wakes[*later].count() == 0));
            ready(poll(&wakes[i], &mut waiting)).unwrap().join().unwrap();
        }
        assert_eq!(*lock(&order), [1, 2, 3, 5, 6, 7, 8, 9]);
        assert!(wakes.iter().all(|wakes| wakes.held() == 0), "a waker is kept");
        assert!(within(Duration::from_secs(20), || pool.stats().queued_closures == Some(0)));
    });
}

#[test]
fn a_place_that_was_given_to_one_who_leaves_goes_to_the_next() {
    with_deadline(60, || {
        let pool = tasks(1, 1);
        let rests = pool.try_spawn(std::future::pending::<()>()).unwrap();
        let wakes = [Wakes::default(), Wakes::default(), Wakes::default()];
        let mut line: Vec<_> = (0..3).map(|_| pool.spawn_when_room(async { 7 })).collect();
        line.iter_mut().zip(&wakes).for_each(|(waiting, wakes)| assert!(poll(wakes, waiting).is_pending()));
        rests.abort();
        assert!(within(Duration::from_secs(20), || wakes[0].count() == 1));
        drop(line.remove(0));
        assert!(within(Duration::from_secs(20), || wakes[1].count() == 1));
        // It leaves too, by being dropped together with its work; the last one is served.
        drop(line.remove(0));
        assert_eq!(ready(poll(&wakes[2], &mut line[0])).unwrap().join().unwrap(), 7);
        assert_eq!(pool.block_on(pool.spawn_when_room(async { 8 })).unwrap().join().unwrap(), 8);
    });
}

#[test]
fn a_shutdown_gives_the_work_back() {
    with_deadline(60, || {
        for now in [false, true] {
            let pool = Arc::new(tasks(1, 1));
            pool.try_spawn(std::future::pending::<()>()).unwrap().detach();
            // The handle is gone, so that one may be dropped at once: others take the place for good.
            let _rests = pool.spawn(std::future::pending::<()>());
            let (drops, wakes) = (Drops::default(), Wakes::default());
            let token = drops.token();
            let mut waiting = pool.spawn_when_room(async move { drop(token) });
            assert!(poll(&wakes, &mut waiting).is_pending());
            let blocked = {
                let waiting = pool.spawn_when_room(async { 5 });
                thread::spawn(move || filch::block_on(waiting))
            };
            thread::sleep(Duration::from_millis(5));
            if now {
                pool.shutdown_now()
            } else {
                pool.shutdown()
            }
            assert!(wakes.count() == 1 && drops.dropped() == 0);
            let ShutDown(work) = ready(poll(&wakes, &mut waiting)).unwrap_err();
            filch::block_on(work);
            assert_eq!(drops.dropped(), 1);
            let ShutDown(work) = blocked.join().unwrap().unwrap_err();
            assert_eq!(filch::block_on(work), 5);
            // One that begins to wait now does not wait.
            let mut late = pool.spawn_cpu_when_room(|| 6);
            assert_eq!((ready(poll(&wakes, &mut late)).unwrap_err().0)(), 6);
        }
    });
}

#[test]
fn a_pool_is_dropped_while_somebody_waits() {
    with_deadline(60, || {
        for polled in [false, true] {
            let pool = closures(1, 1);
            let go = occupy(&pool);
            pool.try_spawn_detached(|| ()).unwrap();
            let mut waiting = pool.spawn_cpu_when_room(|| 3);
            let wakes = Wakes::default();
            assert!(!polled || poll(&wakes, &mut waiting).is_pending());
            go.set();
            drop(pool);
            // Room may have come before the end: then the place is of no use any more.
            assert_eq!((ready(poll(&wakes, &mut waiting)).unwrap_err().0)(), 3);
            drop(waiting);
        }
        // And one that is never polled again.
        let pool = tasks(1, 1);
        let _rests = pool.spawn(std::future::pending::<()>());
        let mut waiting = pool.spawn_when_room(async {});
        assert!(poll(&Wakes::default(), &mut waiting).is_pending());
        drop(pool);
        drop(waiting);
    });
}

#[test]
fn wakers_that_panic_stop_nobody() {
    struct Panics;
    impl std::task::Wake for Panics {
        fn wake(self: Arc<Self>) {
            plan(1)
        }
    }
    with_deadline(30, || {
        support::quiet_planned_panics();
        let pool = tasks(1, 1);
        let rests = pool.spawn(std::future::pending::<()>());
        let waker = Arc::new(Panics).into();
        let mut waiting = pool.spawn_when_room(async { 1 });
        let polled = Pin::new(&mut waiting).poll(&mut std::task::Context::from_waker(&waker));
        assert!(polled.is_pending());
        rests.abort();
        assert!(within(Duration::from_secs(20), || pool.stats().panics == 1));
        assert_eq!(filch::block_on(waiting).unwrap().join().unwrap(), 1);
    });
}

#[test]
fn no_wake_up_is_lost_while_waits_are_dropped_at_random() {
    with_deadline(100, || {
        for (workers, most) in [(1, 1), (2, 1), (2, 4)] {
            note(format!("{workers} workers, {most} at most"));
            let pool =
                Arc::new(Pool::builder().workers(workers).max_tasks(most).max_queued_closures(most).build().unwrap());
            let (ran, given) = (Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0));
            thread::scope(|threads| {
                for seed in 0..4_u64 {
                    let (pool, ran, given) = (&pool, &ran, &given);
                    threads.spawn(move || {
                        let mut rng = Rng(seed);
                        for _ in 0..1500 {
                            let ran = ran.clone();
                            let count = move || support::ignore(ran.fetch_add(1, Ordering::SeqCst));
                            let patience = rng.below(4);
                            let spawned = if rng.one_in(2) {
                                let count = count.clone();
                                let waiting = pool.spawn_when_room(async move {
                                    support::yield_once().await;
                                    count();
                                });
                                filch::block_on(impatient(waiting, patience)).map(|spawned| spawned.unwrap())
                            } else {
                                filch::block_on(impatient(pool.spawn_cpu_when_room(count), patience))
                                    .map(|spawned| spawned.unwrap())
                            };
                            if let Some(handle) = spawned {
                                handle.detach();
                                given.fetch_add(1, Ordering::SeqCst);
                            }
                        }
                    });
                }
            });
            let given = given.into_inner();
            assert!(
                given > 0 && within(Duration::from_secs(20), || ran.load(Ordering::SeqCst) == given),
                "{given}, {ran:?}"
            );
            // All places have come back.
            assert!(within(Duration::from_secs(20), || pool.stats().queued_closures == Some(0)));
            let taken: Vec<_> =
                (0..most).map(|_| filch::block_on(pool.spawn_when_room(std::future::pending::<()>()))).collect();
            assert!(pool.try_spawn(async {}).unwrap_err().is_full());
            drop(taken);
        }
    });
}

/// Awaits, but not for long if `patience` is not 0: gives up after so many polls that came of themselves.
async fn impatient<F: Future + Unpin>(mut future: F, patience: u64) -> Option<F::Output> {
    let mut polls = 0;
    std::future::poll_fn(move |context| {
        polls += 1;
        match Pin::new(&mut future).poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if patience == 0 => Poll::Pending,
            Poll::Pending if polls > 10 * patience => Poll::Ready(None),
            Poll::Pending => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    })
    .await
}

#[test]
fn inner_work_does_not_wait_for_itself() {
    with_deadline(30, || {
        for workers in [1, 2] {
            let pool = Arc::new(Pool::builder().workers(workers).max_tasks(1).max_queued_closures(1).build().unwrap());
            let sum = pool.spawn(async {
                let mut sum = 0;
                for i in 0..50 {
                    let (a, b) = (filch::spawn(async move { i }), filch::spawn_cpu(move || i));
                    sum += a.await.unwrap() + b.await.unwrap();
                }
                sum
            });
            assert_eq!(sum.join().unwrap(), 2450);
            // A task that waits for room in the other queue has its turn.
            let inner = pool.clone();
            let ended = Arc::new(AtomicBool::new(false));
            let flag = ended.clone();
            filch::block_on(pool.spawn_when_room(async move {
                for _ in 0..300 {
                    inner.spawn_cpu_when_room(|| ()).await.unwrap().await.unwrap();
                }
                flag.store(true, Ordering::SeqCst);
            }))
            .unwrap()
            .join()
            .unwrap();
            assert!(ended.load(Ordering::SeqCst));
        }
    });
}

#[test]
fn a_loop_of_ready_waits_gives_way() {
    // There is always room; without a budget the loop would never let the other task go first.
    with_deadline(30, || {
        let pool = Arc::new(tasks(1, 1_000_000));
        let (inner, other) = (pool.clone(), Arc::new(AtomicBool::new(false)));
        let flag = other.clone();
        let spins = pool.spawn(async move {
            filch::spawn(async move { flag.store(true, Ordering::SeqCst) }).detach();
            let mut rounds = 0;
            while !other.load(Ordering::SeqCst) {
                inner.spawn_when_room(async {}).await.unwrap().detach();
                rounds += 1;
            }
            rounds
        });
        let rounds = spins.join().unwrap();
        // 128 units, and the one that has let the other go first.
        assert!(rounds <= 129, "{rounds} rounds in one poll");
    });
}
