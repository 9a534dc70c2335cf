//! A thread blocks for what it has left to others, in a pool with one seat: it publishes its fork, flushes its next
//! slot and hands its seat over, while somebody outside brings more. The steps and their order are the real ones; what
//! `flush_next` and `pass_seat` do is a short copy of the pool's.

use std::sync::Arc;

use loom::sync::atomic::{AtomicUsize, Ordering};

use crate::core::away::{self, Seated};
use crate::core::fork_stack::{ForkStack, Returned};
use crate::core::job::{Arm, ForkJob};
use crate::core::latch::Waiter;
use crate::core::lineage::Place;
use crate::core::parker::Parker;
use crate::core::queue::{Deque, Stealer};
use crate::core::sleep::Sleep;
use crate::parker;
use crate::queue::Queue;

const SEATS: u64 = 1;
/// A fork, a task and something from outside.
const PIECES: usize = 3;

struct Pool {
    sleep: Sleep,
    fork: ForkStack,
    /// A full next slot stands for a task: `next_slot.rs` has the real one.
    next: AtomicUsize,
    tasks: Deque<usize>,
    tasks_end: Stealer<usize>,
    injector: Queue<usize>,
    /// The thread that blocks.
    bed: Arc<Parker>,
    spare: Arc<Parker>,
    done: AtomicUsize,
}

// SAFETY: each function says on whose thread it is called.
unsafe impl Send for Pool {}
// SAFETY: as above.
unsafe impl Sync for Pool {}

impl Pool {
    fn has_work(&self) -> bool {
        self.fork.has_public() || !self.tasks_end.is_empty() || !self.injector.is_empty()
    }

    fn notify(&self) {
        if self.sleep.wants_thread(SEATS) {
            let _ = self.sleep.wake_one(SEATS);
        }
    }

    fn one_is_done(&self) {
        if self.done.fetch_add(1, Ordering::AcqRel) + 1 == PIECES {
            self.bed.unpark();
        }
    }

    /// Takes one piece, if there is one.
    fn run_one(&self) -> bool {
        if let Some(fork) = self.fork.steal() {
            // SAFETY: taken, and the new stack is this thread's.
            unsafe { ForkStack::new().run_taken(fork, 1, |_| ()) };
        } else if self.tasks_end.steal().or_else(|| self.injector.steal()).is_some() {
            self.one_is_done();
        } else {
            return false;
        }
        true
    }

    /// The life of the thread that comes for the seat: it lies in the list, and goes when all is done.
    fn spare(&self) {
        loop {
            let search = loop {
                if self.has_work() && self.sleep.seat_free(SEATS) {
                    break self.sleep.get_up(0).unwrap_or_else(|| self.sleep.inherit());
                }
                match self.sleep.lies(0) {
                    None => break self.sleep.inherit(),
                    Some(_) => self.spare.park(),
                }
            };
            search.found();
            while self.run_one() {}
            if self.done.load(Ordering::Acquire) == PIECES {
                return;
            }
            self.sleep.search().lie_down(0, true, &self.spare);
        }
    }
}

impl Seated for Pool {
    fn publish_forks(&self) {
        // SAFETY: called by the thread that blocks, whose stack it is.
        let published = unsafe { self.fork.publish(usize::MAX, &self.waiter(), Place::outside()) };
        if published > 0 {
            self.notify();
        }
    }

    fn flush_next(&self) {
        if self.next.swap(0, Ordering::Acquire) != 0 {
            self.tasks.push(1);
            self.notify();
        }
    }

    fn holds_seat(&self) -> bool {
        true
    }

    fn leave_seat(&self) {
        self.sleep.leave_seat();
    }

    fn pass_seat(&self) {
        if self.has_work() {
            self.notify();
        }
    }

    fn take_seat(&self) {
        self.sleep.take_seat();
    }
}

impl Pool {
    fn waiter(&self) -> Waiter {
        Waiter::Outside(self.bed.clone())
    }
}

struct Fork(Arc<Pool>);

impl Arm for Fork {
    type Out = ();

    fn run_stolen(self) {
        self.0.one_is_done();
    }
}

/// Three threads that take locks over and over: one preemption less than elsewhere.
fn explore_three(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(builder.preemption_bound.unwrap_or(3) - 1);
    builder.check(model);
}

#[test]
fn a_thread_blocks_for_all_that_it_has_left_to_others() {
    explore_three(|| {
        let (tasks, spare) = (Deque::new_fifo(), parker());
        let pool = Arc::new(Pool {
            sleep: Sleep::new(),
            fork: ForkStack::new(),
            next: AtomicUsize::new(1),
            tasks_end: tasks.stealer(),
            tasks,
            injector: Queue::new(),
            bed: parker(),
            spare,
            done: AtomicUsize::new(0),
        });
        // One lies in the list, and one works.
        pool.sleep.take_seat();
        pool.sleep.search().lie_down(0, true, &pool.spare);
        pool.sleep.take_seat();
        let others = [
            {
                let pool = pool.clone();
                loom::thread::spawn(move || pool.spare())
            },
            {
                let pool = pool.clone();
                loom::thread::spawn(move || {
                    pool.injector.push(1);
                    pool.notify();
                })
            },
        ];
        let job = ForkJob::new(Fork(pool.clone()));
        // SAFETY: the owner's thread; taken back below.
        assert!(!unsafe { pool.fork.push(job.as_ref()) }.1, "nobody is hungry");
        away::block(&*pool, || {
            while pool.done.load(Ordering::Acquire) < PIECES {
                pool.bed.park();
            }
        });
        let wait = |header: &crate::core::job::ForkHeader| {
            while header.latch.announce_sleep() {
                pool.bed.park();
            }
        };
        // SAFETY: the owner's thread, and the job the newest.
        let returned = unsafe { pool.fork.take_back(&job, wait) };
        assert!(matches!(returned, Returned::Stolen(Ok(()))));
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(pool.done.load(Ordering::Relaxed), PIECES);
    });
}
