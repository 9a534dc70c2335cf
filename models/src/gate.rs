//! Intake against the beginning of the end: accepted work is always waited for, and exactly one step closes the gate.

use super::explore;
use crate::core::gate::{Closing, Gate};
use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
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
                loom::thread::spawn(move || match gate.enter() {
                    Ok(()) => {
                        assert!(!gate.is_done(), "the gate is done while accepted work runs");
                        assert!(!gate.is_closed(), "the gate closed over accepted work");
                        let closing = gate.leave();
                        count(&closed, closing);
                    }
                    Err(closing) => count(&closed, closing),
                })
            })
            .collect();
        let closing = gate.begin_drain();
        count(&closed, closing);
        match gate.enter() {
            Ok(()) => panic!("work was accepted after the drain began"),
            Err(closing) => count(&closed, closing),
        }
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
        gate.enter().unwrap();
        let drainer = {
            let gate = gate.clone();
            loom::thread::spawn(move || gate.begin_drain() == Closing::Now)
        };
        assert!(gate.enter_inner().is_ok());
        let first = gate.leave() == Closing::Now;
        let second = gate.leave() == Closing::Now;
        assert!(!first, "closed while more was accepted");
        let drained = drainer.join().unwrap();
        assert!(second != drained, "exactly one step closes");
        assert!(gate.is_done());
    });
}

#[test]
fn close_now_against_a_drain() {
    explore(|| {
        let gate = Arc::new(Gate::new());
        gate.enter().unwrap();
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
fn a_task_from_outside_against_the_end() {
    // As `Shared::count_task` and `Shared::is_done` do it, which are above the floors that are compiled here.
    explore(|| {
        let pool = Arc::new((Gate::new(), AtomicU64::new(0)));
        let closer = {
            let pool = pool.clone();
            thread::spawn(move || {
                if pool.0.begin_drain() == Closing::Now {
                    fence(Ordering::SeqCst);
                }
            })
        };
        let spawner = {
            let pool = pool.clone();
            thread::spawn(move || {
                pool.1.fetch_add(1, Ordering::Release);
                fence(Ordering::SeqCst);
                !pool.0.is_closed()
            })
        };
        let gone = pool.0.is_done() && {
            #[cfg(not(mutant = "done_without_fence"))]
            fence(Ordering::SeqCst);
            pool.1.load(Ordering::Acquire) == 0
        };
        closer.join().unwrap();
        let accepted = spawner.join().unwrap();
        assert!(!(accepted && gone), "a task has been accepted by a pool whose threads have gone");
    });
}
