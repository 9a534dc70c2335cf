//! What comes from outside, or lies with another thread, has its turn, though a thread has always work of its own.

use std::cell::Cell;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use std::sync::Arc;

use crate::core::queue::{Deque, Injector, Stealer};
use crate::core::rhythm::{self, OUTSIDE, Places};
use crate::explore;

/// Work of the thread's own.
const OWN: usize = 0;
/// What comes from outside: roots, closures and tasks. More roots and closures than can be taken before the others have
/// had their turn, or those would come when there are no more.
const ROOTS: [usize; 4] = [1, 2, 3, 4];
const CLOSURES: [usize; 4] = [5, 6, 7, 8];
const TASK: usize = 9;
/// What lies with another thread.
const OTHERS: usize = 10;
const PIECES: usize = 11;

struct Outside {
    roots: Injector<usize>,
    closures: Injector<usize>,
    tasks: Injector<usize>,
    /// All of it is there.
    pushed: AtomicBool,
}

struct Worker {
    outside: Arc<Outside>,
    others: Stealer<usize>,
    tick: Cell<u32>,
    /// When each piece was taken.
    taken: Cell<[Option<u32>; PIECES]>,
}

impl Places for Worker {
    type Work = usize;

    fn own_closure(&self) -> Option<usize> {
        Some(OWN)
    }

    fn own_task(&self) -> Option<usize> {
        Some(OWN)
    }

    fn root(&self) -> Option<usize> {
        self.outside.roots.steal()
    }

    fn injected_closure(&self) -> Option<usize> {
        self.outside.closures.steal()
    }

    fn injected_task(&self) -> Option<usize> {
        self.outside.tasks.steal()
    }

    fn may_have_long_tasks(&self) -> bool {
        false
    }

    fn long_task(&self) -> Option<usize> {
        None
    }

    fn of_others(&self) -> Option<usize> {
        self.others.steal()
    }
}

impl Worker {
    fn turn(&self) {
        let tick = self.tick.get() + 1;
        self.tick.set(tick);
        let work = rhythm::next(self, tick, true).expect("there is always own work");
        let mut taken = self.taken.get();
        assert!(work == OWN || taken[work].is_none(), "taken twice");
        taken[work] = Some(tick);
        self.taken.set(taken);
    }
}

/// How many turns the worker takes before it looks whether they have come, at most.
const EARLY: u32 = OUTSIDE + 2;
/// How long the first of each kind waits, at most.
const PATIENCE: [(usize, u32); 4] =
    [(TASK, 2 * OUTSIDE), (ROOTS[0], 4 * OUTSIDE), (CLOSURES[0], 4 * OUTSIDE), (OTHERS, OUTSIDE)];

#[test]
fn what_comes_from_outside_has_its_turn() {
    explore(|| {
        let outside = Arc::new(Outside {
            roots: Injector::new(),
            closures: Injector::new(),
            tasks: Injector::new(),
            pushed: AtomicBool::new(false),
        });
        let (others, others_end) = {
            let deque = Deque::new_fifo();
            let end = deque.stealer();
            (deque, end)
        };
        let worker = {
            let outside = outside.clone();
            thread::spawn(move || {
                let taken = Cell::new([None; PIECES]);
                let worker = Worker { outside, others: others_end, tick: Cell::new(0), taken };
                // It is somewhere in its rhythm when they come.
                while worker.tick.get() < EARLY && !worker.outside.pushed.load(Ordering::Acquire) {
                    worker.turn();
                }
                while !worker.outside.pushed.load(Ordering::Acquire) {
                    thread::yield_now();
                }
                let came = worker.tick.get();
                // Until the last piece has had its turn.
                while worker.tick.get() < came + PIECES as u32 * OUTSIDE {
                    worker.turn();
                }
                (came, worker.taken.get())
            })
        };
        others.push(OTHERS);
        ROOTS.into_iter().for_each(|root| outside.roots.push(root));
        CLOSURES.into_iter().for_each(|closure| outside.closures.push(closure));
        outside.tasks.push(TASK);
        outside.pushed.store(true, Ordering::Release);
        let (came, taken) = worker.join().unwrap();
        assert!(taken.iter().all(Option::is_some), "each piece is taken");
        for (piece, patience) in PATIENCE {
            assert!(taken[piece].unwrap() <= came + patience, "piece {piece} has waited for too long");
        }
    });
}
