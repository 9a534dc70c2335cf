//! A panic in every place where foreign code runs, on pools of 1, 2 and 4 workers: it must reach somebody, the pool
//! must go on afterwards, and everything that was captured or returned must be dropped exactly once.

mod support;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use std::{panic, thread};

use filch::{Pool, WaitPolicy};
use support::{
    Drops, Event, Reports, Token, catch, fib, lock, matrix, note, plan, planned, spin, with_deadline, within,
};

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

/// Runs `each` on pools that can steal, with both ways of waiting, several times; inside of the pool.
fn where_arms_are_stolen(each: impl Fn() + Send + Sync + 'static) {
    with_deadline(60, move || {
        for (workers, policy) in [(2, WaitPolicy::Leapfrog), (4, WaitPolicy::Leapfrog), (2, WaitPolicy::RunAnything)] {
            let pool = Pool::builder().workers(workers).wait_policy(policy).build().unwrap();
            for round in 0..3 {
                note(format!("{workers} workers, {policy:?}, round {round}"));
                pool.install(&each);
                pool.install_on_worker(&each);
                assert_eq!(pool.install(|| fib(10)), 55);
            }
        }
    });
}

/// A frame that one side of a `join` or scope writes to, on another thread, long after the other side has panicked.
#[derive(Default)]
struct Borrowed {
    begun: Event,
    written: [AtomicU64; 32],
}

impl Borrowed {
    /// Begins, and writes after 20 ms.
    fn write(&self, stolen: bool) {
        assert!(stolen, "it runs where the other side ran: this tests nothing");
        self.begun.set();
        thread::sleep(Duration::from_millis(20));
        self.written.iter().for_each(|word| word.store(7, Ordering::Relaxed));
    }

    /// Panics as soon as the other side has begun.
    fn panic(&self, id: u64) {
        assert!(self.begun.wait_for(Duration::from_secs(30)), "nobody has stolen the other side");
        plan(id);
    }

    /// Calls `f` with a frame, which must have been written to when the panic `id` arrives here.
    fn lend(id: u64, f: impl FnOnce(&Borrowed)) {
        let frame = Borrowed::default();
        let outcome = catch(|| f(&frame));
        let late = frame.written.iter().filter(|word| word.load(Ordering::Relaxed) != 7).count();
        assert_eq!((outcome, late), (Err(id), 0), "the frame was left while it was in use");
    }
}

#[test]
fn the_first_arm_panics_while_the_second_is_stolen() {
    where_arms_are_stolen(|| {
        let here = thread::current().id();
        let elsewhere = || thread::current().id() != here;
        Borrowed::lend(1, |f| support::ignore(filch::join(|| f.panic(1), || f.write(elsewhere()))));
        Borrowed::lend(2, |f| support::ignore(filch::join_context(|_| f.panic(2), |c| f.write(c.migrated()))));
        Borrowed::lend(3, |f| {
            filch::with_worker(|w| support::ignore(w.join(|_| f.panic(3), |_| f.write(elsewhere()))));
        });
        // Too large for registers, so joined in the caller's frame.
        let large = std::hint::black_box([4; 16]);
        Borrowed::lend(4, |f| {
            filch::join(move || f.panic(large[3]), move || f.write(large[5] == 4 && elsewhere()));
        });
    });
}

#[test]
fn both_arms_panic_and_the_second_is_stolen() {
    where_arms_are_stolen(|| {
        let here = thread::current().id();
        let elsewhere = || thread::current().id() != here;
        let write = |f: &Borrowed, stolen| {
            f.write(stolen);
            plan(99);
        };
        Borrowed::lend(1, |f| support::ignore(filch::join(|| f.panic(1), || write(f, elsewhere()))));
        Borrowed::lend(2, |f| support::ignore(filch::join_context(|_| f.panic(2), |c| write(f, c.migrated()))));
        Borrowed::lend(3, |f| {
            filch::with_worker(|w| support::ignore(w.join(|_| f.panic(3), |_| write(f, elsewhere()))));
        });
        // The second alone, when the first has ended.
        Borrowed::lend(99, |f| support::ignore(filch::join(|| f.begun.wait(), || write(f, elsewhere()))));
    });
}

#[test]
fn a_scopes_body_panics_while_its_jobs_run() {
    where_arms_are_stolen(|| {
        let here = thread::current().id();
        let elsewhere = || thread::current().id() != here;
        Borrowed::lend(1, |f| {
            filch::scope(|s| {
                s.spawn(|_| f.write(elsewhere()));
                f.panic(1);
            });
        });
        Borrowed::lend(2, |f| {
            filch::scope_fifo(|s| {
                s.spawn_fifo(|_| f.write(elsewhere()));
                f.panic(2);
            });
        });
        Borrowed::lend(3, |f| {
            filch::in_place_scope(|s| {
                // A job of a job, in a join of the body.
                filch::join(|| s.spawn(|s| s.spawn(|_| f.write(elsewhere()))), || ());
                f.panic(3);
            });
        });
        // A job panics while another goes on that it has spawned.
        Borrowed::lend(4, |f| {
            filch::scope(|s| {
                s.spawn(|s| {
                    s.spawn(|_| f.write(true));
                    f.panic(4);
                });
            });
        });
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
