//! What may run on top of what: inside a `join`, a loop or a sort only parts of it, inside a scope only what the scope has
//! spawned, and never two closures at once under one thread index. Heavy mixed load, and marks in thread-locals.

mod support;

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use filch::prelude::*;
use filch::{Pool, WaitPolicy};
use support::{Event, Rng, fib, long, note, pool, spin, with_deadline};

thread_local! {
    /// How many marked waits are on this thread's stack.
    static INSIDE: Cell<usize> = const { Cell::new(0) };
    /// The number of the innermost scope whose job or body is running here; 0 outside.
    static SCOPE: Cell<usize> = const { Cell::new(0) };
}

struct Mark;

impl Mark {
    fn set() -> Self {
        INSIDE.set(INSIDE.get() + 1);
        Mark
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        INSIDE.set(INSIDE.get() - 1);
    }
}

fn nobody_waits_below(violations: &AtomicUsize) {
    violations.fetch_add(usize::from(INSIDE.get() > 0), Ordering::SeqCst);
}

/// A tree of joins, marked as a whole, with work that is uneven enough to be stolen and waited for.
fn marked_tree(depth: u32, salt: u64) {
    if depth == 0 {
        spin(Duration::from_micros(salt % 30));
        return;
    }
    let _mark = Mark::set();
    filch::join(|| marked_tree(depth - 1, salt / 2), || marked_tree(depth - 1, salt * 7 + 1));
}

fn rounds() -> u64 {
    if long() { 2_000 } else { 60 }
}

/// Loops inside a loop, marked as a whole; items are uneven, and the waits of both are marked where they are.
fn marked_loop(size: u32, salt: u64) {
    let _mark = Mark::set();
    (0..size * 4).into_par_iter().with_max_len(1).for_each(|item| {
        let _mark = Mark::set();
        spin(Duration::from_micros((u64::from(item) * salt) % 30));
        let sum: u32 = (0..8_u32).into_par_iter().with_max_len(1).map(|part| part + item).sum();
        assert_eq!(sum, 28 + 8 * item);
    });
}

/// Both sorts, marked; comparisons are marked too, and now and then slow.
fn marked_sorts(size: u32, salt: u64) {
    let _mark = Mark::set();
    let compare = |a: &u64, b: &u64| {
        let _mark = Mark::set();
        if (a ^ b) % 1_024 == 0 {
            spin(Duration::from_micros(10));
        }
        a.cmp(b)
    };
    let mut random = Rng(salt);
    let numbers: Vec<u64> = (0..u64::from(size) * 600).map(|_| random.next()).collect();
    let (mut stable, mut unstable) = (numbers.clone(), numbers);
    stable.par_sort_by(compare);
    unstable.par_sort_unstable_by(compare);
    assert!(stable.is_sorted() && stable == unstable);
}

/// Runs something marked in all kinds of places, beside detached closures and tasks, which must not run on top of it.
fn nothing_unrelated_runs_inside(what: &'static str, rounds: u64, marked: fn(u32, u64)) {
    with_deadline(if long() { 900 } else { 100 }, move || {
        for workers in [1, 2, 4] {
            let pool = pool(workers);
            let (violations, ran) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            for round in 0..rounds {
                note(format!("{workers} workers, round {round}"));
                let unrelated = || {
                    let (violations, ran) = (violations.clone(), ran.clone());
                    move || {
                        nobody_waits_below(&violations);
                        ran.fetch_add(1, Ordering::SeqCst);
                        spin(Duration::from_micros(10));
                    }
                };
                for i in 0..30 {
                    match i % 4 {
                        0 => pool.spawn_detached(unrelated()),
                        1 => pool.spawn_fifo(unrelated()),
                        2 => pool.spawn_cpu(unrelated()).detach(),
                        _ => {
                            let job = unrelated();
                            pool.spawn(async move {
                                support::yield_once().await;
                                job();
                            })
                            .detach();
                        }
                    }
                }
                // Roots from outside, and roots that are themselves spawned; each spawns something unrelated, too.
                for _ in 0..3 {
                    let (job, violations) = (unrelated(), violations.clone());
                    pool.spawn_detached(move || {
                        nobody_waits_below(&violations);
                        filch::spawn_detached(job);
                        marked(5, round);
                    });
                }
                pool.install(|| {
                    filch::spawn_detached(unrelated());
                    marked(6, round + 9);
                });
            }
            let expected = rounds as usize * 34;
            assert!(support::within(Duration::from_secs(30), || ran.load(Ordering::SeqCst) == expected));
            assert_eq!(violations.load(Ordering::SeqCst), 0, "{workers} workers: unrelated work inside {what}");
        }
    });
}

#[test]
fn nothing_unrelated_runs_inside_a_join() {
    nothing_unrelated_runs_inside("a join", rounds(), marked_tree);
}

#[test]
fn nothing_unrelated_runs_inside_a_loop() {
    nothing_unrelated_runs_inside("a loop", rounds(), marked_loop);
}

#[test]
fn nothing_unrelated_runs_inside_a_sort() {
    // Each takes longer than the others.
    nothing_unrelated_runs_inside("a sort", rounds() / 10, marked_sorts);
}

/// Who has asked for it polls tasks on top of a join that waits: here nobody else can poll the one that the other arm
/// waits for.
#[test]
fn a_task_is_polled_on_top_of_a_join_if_that_is_wanted() {
    with_deadline(60, || {
        let policy = WaitPolicy::RunAnything;
        let pool = Pool::builder().workers(2).wait_policy(policy).express_lane(false).build().unwrap();
        for round in 0..100 {
            note(format!("round {round}"));
            let (begun, polled) = (Event::default(), Event::default());
            let inside = pool.install_on_worker(|| {
                let _mark = Mark::set();
                let first = || {
                    begun.wait();
                    let polled = polled.clone();
                    filch::spawn(async move {
                        let inside = INSIDE.get();
                        polled.set();
                        inside
                    })
                };
                let second = || {
                    begun.set();
                    polled.wait();
                };
                filch::join(first, second).0
            });
            assert_eq!(inside.join().unwrap(), 1, "polled beside the frame of the join");
        }
    });
}

/// Jobs of one scope, at several depths, know its number; nothing else may run where that number is innermost.
fn numbered_scope(number: usize, violations: &Arc<AtomicUsize>) {
    let outer = SCOPE.replace(number);
    filch::scope(|s| {
        for i in 0..6u64 {
            s.spawn(move |s| {
                inside(number, violations, || spin(Duration::from_micros(i * 7)));
                s.spawn(move |_| {
                    inside(number, violations, || {
                        // Forks in a job are the scope's as well.
                        filch::join(
                            || inside(number, violations, || spin(Duration::from_micros(15))),
                            || inside(number, violations, || spin(Duration::from_micros(25))),
                        );
                    });
                });
            });
        }
    });
    assert_eq!(SCOPE.replace(outer), number);
}

/// Runs on a thread that is in no scope, or in the right one.
fn inside(number: usize, violations: &AtomicUsize, f: impl FnOnce()) {
    let outer = SCOPE.replace(number);
    violations.fetch_add(usize::from(outer != 0 && outer != number), Ordering::SeqCst);
    f();
    SCOPE.set(outer);
}

#[test]
fn nothing_unrelated_runs_inside_a_scope() {
    with_deadline(if long() { 900 } else { 100 }, || {
        for workers in [1, 2, 4] {
            let pool = pool(workers);
            let violations = Arc::new(AtomicUsize::new(0));
            let done = Arc::new(AtomicUsize::new(0));
            let mut number = 0;
            for round in 0..rounds() {
                note(format!("{workers} workers, round {round}"));
                for _ in 0..4 {
                    number += 1;
                    let (violations, done) = (violations.clone(), done.clone());
                    pool.spawn_detached(move || {
                        violations.fetch_add(usize::from(SCOPE.get() != 0), Ordering::SeqCst);
                        numbered_scope(number, &violations);
                        done.fetch_add(1, Ordering::SeqCst);
                    });
                }
                for _ in 0..10 {
                    let violations = violations.clone();
                    pool.spawn_cpu(move || violations.fetch_add(usize::from(SCOPE.get() != 0), Ordering::SeqCst))
                        .detach();
                }
                number += 1;
                pool.install(|| numbered_scope(number, &violations));
            }
            assert!(support::within(Duration::from_secs(30), || done.load(Ordering::SeqCst) == rounds() as usize * 4));
            assert_eq!(violations.load(Ordering::SeqCst), 0, "{workers} workers: unrelated work inside a scope");
        }
    });
}

#[test]
fn a_scope_in_a_join_does_not_run_the_joins_siblings_waits() {
    // The scope lies in a join's arm: while it waits it must not begin the join's other arm, which is not a part of it.
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let pool = pool(workers);
            let violations = AtomicUsize::new(0);
            for _ in 0..300 {
                pool.install(|| {
                    filch::join(
                        || {
                            let outer = SCOPE.replace(1);
                            filch::scope(|s| {
                                for _ in 0..4 {
                                    s.spawn(|_| inside(1, &violations, || spin(Duration::from_micros(20))));
                                }
                            });
                            SCOPE.set(outer);
                        },
                        || violations.fetch_add(usize::from(SCOPE.get() != 0), Ordering::SeqCst),
                    );
                });
            }
            assert_eq!(violations.into_inner(), 0);
        }
    });
}

/// Marks the index of the running closure as in use while `f` runs.
struct Indices(Vec<AtomicBool>, AtomicUsize, AtomicUsize);

thread_local! {
    static HELD: Cell<bool> = const { Cell::new(false) };
}

impl Indices {
    fn of(pool: &Pool) -> Arc<Self> {
        let flags = (0..pool.max_num_threads()).map(|_| AtomicBool::new(false)).collect();
        Arc::new(Indices(flags, AtomicUsize::new(0), AtomicUsize::new(0)))
    }

    fn hold(&self, f: impl FnOnce()) {
        let index = filch::current_thread_index().expect("inside the pool");
        assert!(index < filch::max_num_threads() && index < self.0.len(), "index {index} is out of bounds");
        if HELD.get() {
            // A part of something that runs on this thread: the index is in use by ourselves.
            assert!(self.0[index].load(Ordering::SeqCst));
            f();
            return;
        }
        HELD.set(true);
        if self.0[index].swap(true, Ordering::SeqCst) {
            self.1.fetch_add(1, Ordering::SeqCst);
        }
        self.2.fetch_max(index, Ordering::SeqCst);
        f();
        assert_eq!(filch::current_thread_index(), Some(index), "the index stays while a closure runs");
        self.0[index].store(false, Ordering::SeqCst);
        HELD.set(false);
    }
}

#[test]
fn no_two_threads_share_an_index() {
    with_deadline(100, || {
        for workers in [1, 2, 4] {
            let pool = pool(workers);
            let indices = Indices::of(&pool);
            let until = Instant::now() + Duration::from_millis(if long() { 60_000 } else { 1_500 });
            let done = AtomicUsize::new(0);
            thread::scope(|threads| {
                for i in 0..6 {
                    let (pool, indices, done) = (&pool, &indices, &done);
                    threads.spawn(move || {
                        while Instant::now() < until {
                            let mine = indices.clone();
                            match i {
                                0 => pool.install(|| mine.hold(|| support::ignore(fib(12)))),
                                1 => pool.install_on_worker(|| {
                                    mine.hold(|| support::ignore(filch::join(|| fib(9), || fib(10))))
                                }),
                                2 => pool
                                    .scope(|s| (0..8).for_each(|_| s.spawn(|_| mine.hold(|| support::ignore(fib(6)))))),
                                3 => pool.spawn(async move { mine.hold(|| support::ignore(fib(5))) }).join().unwrap(),
                                4 => pool
                                    .spawn_cpu(move || {
                                        mine.hold(|| filch::block_on(filch::spawn_blocking(|| ())).unwrap())
                                    })
                                    .join()
                                    .unwrap(),
                                _ => pool.install(|| mine.hold(|| filch::block_on(filch::spawn(async {})).unwrap())),
                            }
                            done.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                }
            });
            assert!(done.into_inner() > 100, "too little has run");
            assert!(indices.2.load(Ordering::SeqCst) >= workers, "no guest, no spare: the test has tested little");
            assert_eq!(indices.1.load(Ordering::SeqCst), 0, "{workers} workers: two threads had one index");
        }
    });
}
