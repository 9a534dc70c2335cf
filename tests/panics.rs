//! A panic in every place where foreign code runs, on pools of 1, 2 and 4 workers: it must reach somebody, the pool
//! must go on afterwards, and everything that was captured or returned must be dropped exactly once.

mod support;

use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use filch::Pool;
use support::{Drops, Reports, Token, catch, fib, lock, matrix, plan, planned, spin, with_deadline, within};

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
