//! Intake against the beginning of the end: accepted work is always waited for, and exactly one step closes the gate.

use super::explore;
use crate::core::gate::{Closing, Gate};
use crate::core::task_tally::{self, Count, TaskTally};
use loom::sync::atomic::{AtomicUsize, Ordering, fence};
use loom::thread;
use std::sync::Arc;

#[test]
fn exactly_one_step_closes_and_nothing_is_accepted_after() {
    explore(|| {
        let gate = Arc::new(Gate::new());
        let closed = Arc::new(AtomicUsize::new(0));
        let count = |closed: &AtomicUsize, closing: Closing| {
            if closing == Closing::Now {
                closed.fetch_add(1, Ordering::Relaxed);
            }
        };
        let workers: Vec<_> = (0..2)
            .map(|_| {
                let (gate, closed) = (gate.clone(), closed.clone());
                loom::thread::spawn(move || {
                    if gate.enter() {
                        assert!(!gate.is_done(), "the gate is done while accepted work runs");
                        assert!(!gate.is_closed(), "the gate closed over accepted work");
                        let closing = gate.leave();
                        count(&closed, closing);
                    }
                })
            })
            .collect();
        let closing = gate.begin_drain();
        count(&closed, closing);
        assert!(!gate.enter(), "work was accepted after the drain began");
        for worker in workers {
            worker.join().unwrap();
        }
        assert!(gate.is_done());
        assert_eq!(closed.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn accepted_work_may_bring_more_while_draining() {
    explore(|| {
        let gate = Arc::new(Gate::new());
        assert!(gate.enter());
        let drainer = {
            let gate = gate.clone();
            loom::thread::spawn(move || gate.begin_drain() == Closing::Now)
        };
        assert!(gate.enter_inner());
        let first = gate.leave() == Closing::Now;
        let second = gate.leave() == Closing::Now;
        assert!(!first, "closed while more was accepted");
        let drained = drainer.join().unwrap();
        assert!(second != drained, "exactly one step closes");
        assert!(gate.is_done());
    });
}

#[test]
fn what_is_done_stays_done() {
    explore(|| {
        let gate = Arc::new(Gate::new());
        let visitor = {
            let gate = gate.clone();
            loom::thread::spawn(move || gate.enter() && gate.leave() == Closing::Now)
        };
        let closed_here = gate.begin_drain() == Closing::Now;
        if closed_here {
            assert!(gate.is_done(), "a visitor that is refused makes the pool look alive");
        }
        assert!(visitor.join().unwrap() != closed_here);
    });
}

#[test]
fn close_now_against_a_drain() {
    explore(|| {
        let gate = Arc::new(Gate::new());
        assert!(gate.enter());
        let closer = {
            let gate = gate.clone();
            loom::thread::spawn(move || gate.close_now() == Closing::Now)
        };
        let drained = gate.begin_drain() == Closing::Now;
        let left = gate.leave() == Closing::Now;
        let closed = closer.join().unwrap();
        assert_eq!(usize::from(drained) + usize::from(left) + usize::from(closed), 1);
        assert!(gate.is_done());
    });
}

#[test]
fn nothing_is_accepted_however_often_it_closes() {
    explore(|| {
        let gate = Arc::new(Gate::new());
        let other = {
            let gate = gate.clone();
            loom::thread::spawn(move || gate.begin_drain() == Closing::Now)
        };
        let here = gate.close_now() == Closing::Now;
        assert!(!gate.enter() && !gate.enter_inner(), "closed");
        assert!(other.join().unwrap() != here, "exactly one step closes");
        assert!(!gate.enter() && !gate.enter_inner(), "closed twice");
        assert!(gate.is_done());
    });
}

/// A pool, as far as its end goes: the gate, the tallies of two threads, and that of all others.
struct Pool {
    gate: Gate,
    tallies: [TaskTally; 3],
}

const OUTSIDE: usize = 2;

impl Pool {
    fn new() -> Arc<Self> {
        Arc::new(Pool { gate: Gate::new(), tallies: std::array::from_fn(|_| TaskTally::new()) })
    }

    fn own(&self, thread: usize) -> Count<'_> {
        Count::Own(&self.tallies[thread])
    }

    fn outside(&self) -> Count<'_> {
        Count::Shared(&self.tallies[OUTSIDE])
    }

    fn is_done(&self) -> bool {
        task_tally::is_done(&self.gate, || self.tallies.iter())
    }

    /// The step that closes the gate is followed by `Sleep::wake_all`, with its fence.
    fn shut_down(&self) {
        if self.gate.begin_drain() == Closing::Now {
            fence(Ordering::SeqCst);
        }
    }
}

#[test]
fn a_task_from_outside_against_the_end() {
    explore(|| {
        let pool = Pool::new();
        let closer = {
            let pool = pool.clone();
            thread::spawn(move || pool.shut_down())
        };
        let spawner = {
            let pool = pool.clone();
            thread::spawn(move || pool.outside().spawned_before(&pool.gate, || pool.outside().ended()))
        };
        let gone = pool.is_done();
        closer.join().unwrap();
        let accepted = spawner.join().unwrap();
        assert!(!(accepted && gone), "a task has been accepted by a pool whose threads have gone");
        assert_eq!(pool.is_done(), !accepted, "what was refused is still counted");
    });
}

#[test]
fn a_task_of_the_last_closure_against_the_end() {
    explore(|| {
        let pool = Pool::new();
        assert!(pool.gate.enter());
        let closure = {
            let pool = pool.clone();
            thread::spawn(move || {
                pool.own(0).spawned();
                let _ = pool.gate.leave();
            })
        };
        pool.shut_down();
        assert!(!pool.is_done(), "the pool is done before the last closure's task");
        closure.join().unwrap();
        assert!(!pool.is_done());
        pool.own(1).ended();
        assert!(pool.is_done());
    });
}

#[test]
fn tasks_that_spawn_tasks_against_the_end() {
    // Each spawns the next, which another thread runs, and ends. The last one does not end.
    explore(|| {
        let pool = Pool::new();
        pool.outside().spawned();
        pool.shut_down();
        let tasks = {
            let pool = pool.clone();
            thread::spawn(move || {
                pool.own(0).spawned();
                pool.own(0).ended();
                let next = pool.clone();
                let next = thread::spawn(move || {
                    next.own(1).spawned();
                    next.own(1).ended();
                });
                next.join().unwrap();
            })
        };
        assert!(!pool.is_done(), "the pool is done while a task lives");
        tasks.join().unwrap();
        assert_eq!(task_tally::live(|| pool.tallies.iter()), 1);
    });
}
