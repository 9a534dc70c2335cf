//! Whose panic comes through, and what still runs, by rayon and by filch.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use support::{Drops, catch, plan, with_deadline};

/// What a program has come to: the panic, how often its parts ran, and what was dropped.
type Outcome = (Result<(), u64>, usize, usize);

/// A program in a scope or join of either crate, given by the functions it uses.
struct By {
    pool: Box<dyn Fn(&Arm) + Sync>,
    join: fn(&Arm, &Arm),
    scope: fn(&Body),
    scope_fifo: fn(&Body),
}

type Arm<'a> = dyn Fn() + Sync + 'a;
/// Gets the function that spawns into the scope.
type Body<'a> = dyn Fn(&dyn Fn(Job)) + Sync + 'a;

/// A job of a scope; whatever it needs it owns.
type Job = Box<dyn FnOnce() + Send>;

fn rayon(workers: usize) -> By {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(workers).build().unwrap();
    By {
        pool: Box::new(move |f| pool.install(f)),
        join: |a, b| support::ignore(rayon::join(a, b)),
        scope: |body| rayon::scope(|s| body(&|job| s.spawn(|_| job()))),
        scope_fifo: |body| rayon::scope_fifo(|s| body(&|job| s.spawn_fifo(|_| job()))),
    }
}

fn filch(workers: usize) -> By {
    let pool = support::pool(workers);
    By {
        pool: Box::new(move |f| pool.install_on_worker(f)),
        join: |a, b| support::ignore(filch::join(a, b)),
        scope: |body| filch::scope(|s| body(&|job| s.spawn(|_| job()))),
        scope_fifo: |body| filch::scope_fifo(|s| body(&|job| s.spawn_fifo(|_| job()))),
    }
}

/// Runs the program by both, on the same numbers of workers, some times over.
fn same(workers: &'static [usize], program: impl Fn(&By, &Arc<AtomicUsize>, &Drops) + Send + Sync + 'static) {
    with_deadline(60, move || {
        for workers in workers {
            let run = |by: &By| -> Outcome {
                let (ran, drops) = (Arc::new(AtomicUsize::new(0)), Drops::default());
                let outcome = catch(|| program(by, &ran, &drops));
                drops.assert_all_dropped("captures");
                (outcome, ran.load(Ordering::SeqCst), drops.dropped())
            };
            let (rayon, filch) = (rayon(*workers), filch(*workers));
            for _ in 0..20 {
                assert_eq!(run(&rayon), run(&filch), "rayon's on the left, on {workers} workers");
            }
        }
    });
}

fn count(ran: &AtomicUsize) {
    ran.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn the_second_arms_panic() {
    same(&[1, 2, 4], |by, ran, _| (by.pool)(&|| (by.join)(&|| count(ran), &|| plan(2))));
}

#[test]
fn the_first_arms_panic_wins() {
    same(&[1, 2, 4], |by, _, _| (by.pool)(&|| (by.join)(&|| plan(1), &|| plan(2))));
}

#[test]
fn what_becomes_of_the_second_arm_when_the_first_has_panicked() {
    // The one difference: rayon runs it; filch drops it unrun, unless a thief has it already.
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let pool = support::pool(workers);
            for _ in 0..20 {
                let (ran, drops) = (AtomicUsize::new(0), Drops::default());
                let token = drops.token();
                let second = || {
                    let _token = token;
                    count(&ran);
                };
                assert_eq!(catch(|| pool.install_on_worker(|| filch::join(|| plan(1), second))).err(), Some(1));
                drops.assert_all_dropped("the second arm");
                assert!(ran.into_inner() < workers, "nobody could have stolen it");
            }
        }
    });
}

#[test]
fn a_panic_from_deep_inside() {
    fn deep(by: &By, depth: u64, ran: &AtomicUsize) {
        if depth == 0 {
            plan(5);
        }
        (by.join)(&|| count(ran), &|| deep(by, depth - 1, ran));
    }
    same(&[1, 2, 4], |by, ran, _| (by.pool)(&|| deep(by, 50, ran)));
}

#[test]
fn a_scopes_jobs_all_run() {
    for fifo in [false, true] {
        same(&[1, 2, 4], move |by, ran, drops| {
            let scope = if fifo { by.scope_fifo } else { by.scope };
            (by.pool)(&|| {
                scope(&|spawn| {
                    for i in 0..10 {
                        let (ran, token) = (ran.clone(), drops.token());
                        spawn(Box::new(move || {
                            let _token = token;
                            count(&ran);
                            if i == 4 {
                                plan(4);
                            }
                        }));
                    }
                    count(ran);
                })
            });
        });
    }
}

#[test]
fn the_first_of_a_scopes_panics_wins() {
    // On one worker there is an order: the body before the jobs, and the jobs in the scope's order.
    for fifo in [false, true] {
        same(&[1], move |by, ran, drops| {
            let scope = if fifo { by.scope_fifo } else { by.scope };
            (by.pool)(&|| {
                scope(&|spawn| {
                    for i in 0..5 {
                        let (ran, token) = (ran.clone(), drops.token());
                        spawn(Box::new(move || {
                            let _token = token;
                            count(&ran);
                            plan(i);
                        }));
                    }
                })
            });
        });
        same(&[1], move |by, ran, _| {
            let scope = if fifo { by.scope_fifo } else { by.scope };
            (by.pool)(&|| {
                scope(&|spawn| {
                    let ran = ran.clone();
                    spawn(Box::new(move || {
                        count(&ran);
                        plan(1);
                    }));
                    plan(2);
                })
            });
        });
    }
}

#[test]
fn a_scopes_panic_passes_through_outer_ones() {
    same(&[1, 2], |by, ran, _| {
        let (join, scope) = (by.join, by.scope);
        (by.pool)(&|| {
            join(&|| scope(&|spawn| spawn(Box::new(|| plan(3)))), &|| ());
            count(ran);
        });
    });
}

#[test]
fn a_broadcasts_panic() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let (ran_r, ran_f) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let rayon_pool = rayon::ThreadPoolBuilder::new().num_threads(workers).build().unwrap();
            let by_rayon = catch(|| {
                rayon_pool.broadcast(|c| {
                    count(&ran_r);
                    if c.index() == 0 {
                        plan(1);
                    }
                })
            });
            let by_filch = catch(|| {
                support::pool(workers).broadcast(|c| {
                    count(&ran_f);
                    if c.index() == 0 {
                        plan(1);
                    }
                })
            });
            assert_eq!(by_rayon.map(drop), by_filch.map(drop));
            assert_eq!(ran_r.into_inner(), ran_f.into_inner());
        }
    });
}

/// Sets the number when it is dropped.
struct Next<'n>(&'n AtomicUsize, usize);

impl Drop for Next<'_> {
    fn drop(&mut self) {
        self.0.store(self.1, Ordering::SeqCst);
    }
}

/// Calls that panic one after the other, from the last index down to the lowest; those below that return.
fn panics_downwards(lowest: u64, broadcast: impl Fn(&(dyn Fn(usize, usize) + Sync))) -> Result<(), u64> {
    let to_come = AtomicUsize::new(usize::MAX);
    catch(|| {
        broadcast(&|index, threads| {
            _ = to_come.compare_exchange(usize::MAX, threads - 1, Ordering::SeqCst, Ordering::SeqCst);
            if (index as u64) < lowest {
                return;
            }
            while to_come.load(Ordering::SeqCst) != index {
                thread::sleep(Duration::from_micros(50));
            }
            // The next one begins when this panic has got out of the call, or is about to.
            let _next = Next(&to_come, index.wrapping_sub(1));
            plan(index as u64);
        })
    })
}

#[test]
fn of_a_broadcasts_panics_that_of_the_lowest_index_wins() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let rayon = rayon::ThreadPoolBuilder::new().num_threads(workers).build().unwrap();
            let filch = support::pool(workers);
            for lowest in [0, 1, 2].into_iter().filter(|&lowest| lowest < workers as u64) {
                for _ in 0..10 {
                    let by_rayon = panics_downwards(lowest, |call| {
                        rayon.broadcast(|c| call(c.index(), c.num_threads()));
                    });
                    let by_filch = panics_downwards(lowest, |call| {
                        filch.broadcast(|c| call(c.index(), c.num_threads()));
                    });
                    assert_eq!(by_rayon, Err(lowest));
                    assert_eq!(by_filch, by_rayon, "on {workers} workers");
                }
            }
        }
    });
}
