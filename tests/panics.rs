//! A panic in every place where foreign code runs, on pools of 1, 2 and 4 workers: it must reach somebody, the pool
//! must go on afterwards, and everything that was captured or returned must be dropped exactly once.

mod support;

use std::future::Future;
use std::panic;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use filch::Pool;
use support::{Drops, Event, Token, catch, fib, lock, note, plan, planned, spin, with_deadline, within};

type Reports = Arc<Mutex<Vec<u64>>>;

/// Runs `each` on pools of 1, 2 and 4 workers, several times; afterwards the pool must still work, and the drops must
/// be right.
fn matrix(each: impl Fn(&Pool, &Drops, &Reports) + Send + 'static) {
    with_deadline(60, move || {
        for workers in [1, 2, 4] {
            let reports = Reports::default();
            let (sink, drops) = (reports.clone(), Drops::default());
            let handler = move |payload| lock(&sink).push(planned(payload));
            let pool = Pool::builder().workers(workers).panic_handler(handler).build().unwrap();
            for round in 0..30 {
                note(format!("{workers} workers, round {round}"));
                lock(&reports).clear();
                each(&pool, &drops, &reports);
                assert_eq!(pool.install(|| fib(10)), 55);
                assert_eq!(pool.spawn(async { 1 }).join().unwrap(), 1);
            }
            assert_eq!(pool.broadcast(|_| 1).len(), workers);
            pool.shutdown();
            drops.assert_all_dropped("everything captured");
        }
    });
}

fn work() {
    spin(Duration::from_micros(50));
}

fn panic_with(token: Token, id: u64) {
    work();
    let _token = token;
    plan(id);
}

/// Its destructor panics.
struct Grenade(Option<Token>, u64);

impl Drop for Grenade {
    fn drop(&mut self) {
        drop(self.0.take());
        if !std::thread::panicking() {
            plan(self.1);
        }
    }
}

fn reported(reports: &Reports, ids: &[u64]) {
    let all = || {
        let mut got = lock(reports).clone();
        got.sort_unstable();
        got
    };
    let arrived = within(Duration::from_secs(20), || all().len() >= ids.len());
    assert!(arrived && all() == ids, "reported {:?} instead of {ids:?}", all());
}

#[test]
fn join_first_arm() {
    matrix(|pool, drops, _| {
        let (a, b) = (drops.token(), drops.token());
        let outcome = catch(|| pool.join(move || panic_with(a, 1), move || drop((work(), b))));
        assert_eq!(outcome.unwrap_err(), 1);
    });
}

#[test]
fn join_second_arm() {
    matrix(|pool, drops, _| {
        let (a, b, result) = (drops.token(), drops.token(), drops.token());
        let first = move || {
            work();
            drop(a);
            result
        };
        assert_eq!(catch(|| pool.join(first, move || panic_with(b, 2))).err(), Some(2));
    });
}

#[test]
fn join_both_arms() {
    matrix(|pool, drops, _| {
        let (a, b) = (drops.token(), drops.token());
        let outcome = catch(|| pool.join(move || panic_with(a, 1), move || panic_with(b, 2)));
        assert_eq!(outcome.unwrap_err(), 1, "the first arm's panic wins");
    });
}

fn deep(drops: &Drops, depth: u64, at: u64) -> Token {
    if depth == at {
        plan(depth);
    }
    let (a, b) = (drops.token(), drops.token());
    let (result, ()) = filch::join(
        move || {
            let result = deep(drops, depth + 1, at);
            drop(a);
            result
        },
        move || {
            work();
            drop(b);
        },
    );
    result
}

#[test]
fn deep_inside_joins() {
    matrix(|pool, drops, _| {
        for at in [1, 7, 40] {
            assert_eq!(catch(|| pool.install(|| deep(drops, 0, at))).err(), Some(at));
        }
    });
}

#[test]
fn scope_body() {
    matrix(|pool, drops, _| {
        let ran = AtomicUsize::new(0);
        let outcome = catch(|| {
            pool.scope(|s| {
                for _ in 0..5 {
                    let (token, ran) = (drops.token(), &ran);
                    s.spawn(move |_| drop((token, ran.fetch_add(1, Ordering::SeqCst))));
                }
                panic_with(drops.token(), 3);
            })
        });
        assert_eq!(outcome.unwrap_err(), 3);
        assert_eq!(ran.into_inner(), 5, "the jobs still run");
    });
}

#[test]
fn scope_jobs() {
    matrix(|pool, drops, _| {
        let ran = AtomicUsize::new(0);
        let outcome = catch(|| {
            pool.scope(|s| {
                for i in 0..6 {
                    let (token, ran) = (drops.token(), &ran);
                    s.spawn(move |_| {
                        ran.fetch_add(1, Ordering::SeqCst);
                        if i % 2 == 0 { panic_with(token, 10 + i) } else { drop(token) }
                    });
                }
                drops.token()
            })
        });
        assert!(matches!(outcome.err(), Some(10 | 12 | 14)));
        assert_eq!(ran.into_inner(), 6, "the siblings still run");
    });
}

#[test]
fn scope_body_and_jobs() {
    matrix(|pool, drops, _| {
        let outcome = catch(|| {
            pool.scope_fifo(|s| {
                let token = drops.token();
                s.spawn_fifo(move |_| panic_with(token, 1));
                panic_with(drops.token(), 2);
            })
        });
        assert!(matches!(outcome, Err(1 | 2)));
        let outcome = catch(|| {
            pool.in_place_scope(|s| {
                let token = drops.token();
                s.spawn(move |_| panic_with(token, 1));
                panic_with(drops.token(), 2);
            })
        });
        assert!(matches!(outcome, Err(1 | 2)));
    });
}

#[test]
fn detached_closures() {
    matrix(|pool, drops, reports| {
        let (a, b) = (drops.token(), drops.token());
        pool.spawn_detached(move || panic_with(a, 1));
        pool.spawn_fifo(move || panic_with(b, 2));
        reported(reports, &[1, 2]);
    });
}

#[test]
fn broadcasts() {
    matrix(|pool, drops, reports| {
        let ran = AtomicUsize::new(0);
        let token = drops.token();
        let outcome = catch(|| {
            pool.broadcast(|c| {
                ran.fetch_add(1, Ordering::SeqCst);
                let _held = &token;
                if c.index() == 0 {
                    plan(1);
                }
                drops.token()
            })
        });
        assert_eq!(outcome.err(), Some(1));
        assert_eq!(ran.into_inner(), pool.num_workers(), "all calls are made");
        let token = drops.token();
        pool.spawn_broadcast(move |_| {
            let _held = &token;
            plan(7);
        });
        reported(reports, &vec![7; pool.num_workers()]);
    });
}

#[test]
fn start_and_exit_handlers() {
    with_deadline(30, || {
        for workers in [1, 2, 4] {
            let reports = Reports::default();
            let sink = reports.clone();
            let pool = Pool::builder()
                .workers(workers)
                .start_handler(|_| plan(1))
                .exit_handler(|_| plan(2))
                .panic_handler(move |payload| lock(&sink).push(planned(payload)))
                .build()
                .unwrap();
            assert_eq!(pool.install_on_worker(|| fib(10)), 55);
            pool.shutdown();
            let count = |id| lock(&reports).iter().filter(|got| **got == id).count();
            assert!(count(1) >= workers && count(1) == count(2), "{:?}", lock(&reports));
        }
    });
}

#[test]
fn a_panic_handler_that_panics() {
    with_deadline(30, || {
        for workers in [1, 2, 4] {
            let pool = Pool::builder().workers(workers).panic_handler(|_| plan(99)).build().unwrap();
            let drops = Drops::default();
            for _ in 0..20 {
                let token = drops.token();
                pool.spawn_detached(move || panic_with(token, 1));
                assert_eq!(pool.install_on_worker(|| fib(10)), 55);
            }
            pool.shutdown();
            drops.assert_all_dropped("detached closures");
        }
    });
}

#[test]
fn a_payload_whose_drop_panics() {
    // With no handler the pool drops the payload itself; a join drops the loser's.
    with_deadline(30, || {
        for workers in [1, 2, 4] {
            let pool = support::pool(workers);
            let drops = Drops::default();
            for _ in 0..20 {
                let token = drops.token();
                pool.spawn_detached(move || panic::panic_any(Grenade(Some(token), 1)));
                let (a, b) = (drops.token(), drops.token());
                let outcome = catch(|| {
                    pool.join(move || panic_with(a, 2), move || panic::resume_unwind(Box::new(Grenade(Some(b), 3))))
                });
                assert_eq!(outcome.err(), Some(2));
                assert_eq!(pool.install_on_worker(|| fib(10)), 55);
            }
            pool.shutdown();
            drops.assert_all_dropped("payloads");
        }
    });
}

#[test]
fn captures_whose_drop_panics() {
    matrix(|pool, drops, reports| {
        let grenade = |id| Grenade(Some(drops.token()), id);
        let held = grenade(1);
        pool.spawn_detached(move || {
            let _held = &held;
        });
        reported(reports, &[1]);
        let held = grenade(2);
        let outcome = catch(|| {
            pool.scope(|s| {
                s.spawn(move |_| {
                    let _held = &held;
                })
            })
        });
        assert_eq!(outcome, Err(2));
        let held = grenade(3);
        let outcome = catch(|| {
            pool.join(work, move || {
                let _held = &held;
            })
        });
        assert_eq!(outcome.err(), Some(3));
        let held = grenade(4);
        let handle = pool.spawn_cpu(move || {
            let _held = &held;
        });
        assert_eq!(planned(handle.join().unwrap_err().into_panic()), 4);
    });
}

/// A future that may panic when polled and when dropped.
struct Fragile {
    polls: u64,
    in_poll: Option<u64>,
    held: Option<Grenade>,
    token: Option<Token>,
}

impl Future for Fragile {
    type Output = u64;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u64> {
        if self.polls == 0 {
            if let Some(id) = self.in_poll {
                plan(id);
            }
            return Poll::Ready(5);
        }
        self.polls -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[test]
fn polls_of_futures() {
    matrix(|pool, drops, _| {
        for polls in [0, 3] {
            let fragile = || Fragile { polls, in_poll: Some(8), held: None, token: Some(drops.token()) };
            assert_eq!(planned(pool.spawn(fragile()).join().unwrap_err().into_panic()), 8);
            pool.spawn(fragile()).detach();
            assert_eq!(catch(|| pool.block_on(fragile())).unwrap_err(), 8);
        }
    });
}

#[test]
fn drops_of_futures() {
    matrix(|pool, drops, reports| {
        for polls in [0, 3] {
            lock(reports).clear();
            let held = Some(Grenade(Some(drops.token()), 9));
            let fragile = Fragile { polls, in_poll: None, held, token: Some(drops.token()) };
            assert!(fragile.held.is_some() && fragile.token.is_some());
            assert_eq!(pool.spawn(fragile).join().unwrap(), 5, "the output was there before the drop");
            reported(reports, &[9]);
        }
        // Dropped by an abort, while pending.
        lock(reports).clear();
        let held = Grenade(Some(drops.token()), 9);
        let handle = pool.spawn(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        handle.abort();
        assert!(handle.join().unwrap_err().is_cancelled());
        reported(reports, &[9]);
    });
}

#[test]
fn drops_of_outputs() {
    matrix(|pool, drops, reports| {
        // Detached before the end: the pool drops the output, and reports.
        let (go, output) = (Event::default(), Grenade(Some(drops.token()), 6));
        let gate = go.clone();
        pool.spawn_cpu(move || {
            gate.wait();
            output
        })
        .detach();
        go.set();
        reported(reports, &[6]);
        // Dropped by whoever holds the handle after the end: the panic is theirs.
        let output = Grenade(Some(drops.token()), 7);
        let handle = pool.spawn(async move { output });
        assert!(within(Duration::from_secs(20), || handle.is_finished()));
        assert_eq!(catch(|| drop(handle)), Err(7));
        // Taken out by the awaiter.
        let output = Grenade(Some(drops.token()), 8);
        let output = pool.spawn_blocking(move || output).join().unwrap();
        assert_eq!(catch(|| drop(output)), Err(8));
    });
}

#[test]
fn wakers_that_panic() {
    struct Bad;
    impl std::task::Wake for Bad {
        fn wake(self: Arc<Self>) {
            plan(4);
        }
    }
    matrix(|pool, drops, reports| {
        let (go, token) = (Event::default(), drops.token());
        let gate = go.clone();
        let mut handle = pool.spawn_cpu(move || {
            gate.wait();
            token
        });
        let waker = std::task::Waker::from(Arc::new(Bad));
        assert!(Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)).is_pending());
        go.set();
        reported(reports, &[4]);
        assert!(handle.join().is_ok());
    });
}
