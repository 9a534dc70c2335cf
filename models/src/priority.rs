//! Background work is asked to give way: no request is lost, and none does harm afterwards. See `pool/priority.md`. The
//! marks, the stack and the words of sleep are the real ones; who asks and who answers are short copies of
//! `pool/priority.rs`, `Slot::answer` and `rest` in `pool/worker.rs`.

use super::{explore, parker};
use crate::core::fork_stack::{ForkStack, Reclaimed};
use crate::core::job::{Arm, ForkJob};
use crate::core::latch::Waiter;
use crate::core::lineage::Place;
use crate::core::mark::{Mark, Marks};
use crate::core::sleep::Sleep;
use crate::ground::sync::{AtomicBool, Ordering, fence};
use std::sync::Arc;

/// One seat, which the thread with the mark has; and a place for one closure that it is to give way to. (It orders no
/// more than crossbeam's queues do.)
struct Pool {
    sleep: Sleep,
    marks: Marks,
    mark: Mark,
    stack: ForkStack,
    closure: AtomicBool,
}

struct Nothing;

impl Arm for Nothing {
    type Out = ();

    fn run_stolen(self) {}
}

impl Pool {
    fn new() -> Arc<Self> {
        let pool = Pool {
            sleep: Sleep::new(),
            marks: Marks::new(),
            mark: Mark::new(),
            stack: ForkStack::new(),
            closure: AtomicBool::new(false),
        };
        pool.sleep.take_seat();
        Arc::new(pool)
    }

    fn has_foreground(&self) -> bool {
        self.closure.load(Ordering::Acquire)
    }

    // ----- who brings work -------------------------------------------------------------------------------------

    /// `Shared::queue_closure`, and `notify`.
    fn produce(&self) {
        self.closure.store(true, Ordering::Release);
        assert!(!self.sleep.wants_thread(1), "there is no free seat");
        self.nudge_background();
    }

    fn nudge_background(&self) {
        if self.marks.any() && self.sleep.searchers() == 0 && self.mark.is_set() {
            self.stack.request();
        }
    }

    // ----- who is asked ----------------------------------------------------------------------------------------

    /// `Slot::change_background`.
    fn begin_background(&self) {
        self.mark.set(&self.marks);
        if self.has_foreground() {
            self.stack.request();
        }
    }

    /// A `join`, with nothing in its arms. Whether it has given way.
    fn join(&self) -> bool {
        let job = ForkJob::new(Nothing);
        // SAFETY: the owner's thread; the job is fetched below.
        let gave_way = unsafe { self.stack.push(job.as_ref()) }.1 && self.answer();
        // SAFETY: the owner's thread. Nobody steals here.
        assert_eq!(unsafe { self.stack.pop_or_reclaim() }, Reclaimed::Ours);
        gave_way
    }

    /// `Slot::answer`. Whether it has given way.
    fn answer(&self) -> bool {
        let gave_way = self.give_way();
        // SAFETY: the owner's thread.
        unsafe { self.stack.publish(1, &Waiter::Outside(parker()), Place::outside()) };
        #[cfg(not(mutant = "answer_without_second_look"))]
        if self.mark.is_set() {
            // `Slot::see_to_way`.
            fence(Ordering::SeqCst);
            if self.should_give_way() {
                self.stack.request();
            }
        }
        gave_way
    }

    /// Gives way, if there is something to give way to: it is run meanwhile.
    fn give_way(&self) -> bool {
        fence(Ordering::SeqCst);
        let gives = self.mark.is_set() && self.should_give_way();
        if gives {
            self.closure.store(false, Ordering::Relaxed);
        }
        gives
    }

    fn should_give_way(&self) -> bool {
        self.sleep.hunger(1) == (0, 0) && self.has_foreground()
    }

    /// It has given way in time, or does so now.
    fn check(&self, gave_way: bool) {
        assert!(gave_way || self.join(), "the closure waits, and nobody has asked for its sake");
    }
}

fn beside(pool: &Arc<Pool>, other: fn(&Pool)) -> loom::thread::JoinHandle<()> {
    let pool = pool.clone();
    loom::thread::spawn(move || other(&pool))
}

#[test]
fn a_closure_comes_while_background_work_begins() {
    explore(|| {
        let pool = Pool::new();
        let producer = beside(&pool, Pool::produce);
        pool.begin_background();
        let gave_way = pool.join();
        producer.join().unwrap();
        pool.check(gave_way);
    });
}

#[test]
fn a_closure_comes_while_a_request_is_answered() {
    // Somebody has asked for a fork. The request that is left meanwhile must not go with that one.
    explore(|| {
        let pool = Pool::new();
        pool.begin_background();
        pool.stack.request();
        let producer = beside(&pool, Pool::produce);
        let gave_way = pool.join();
        producer.join().unwrap();
        pool.check(gave_way);
    });
}

#[test]
fn a_searcher_takes_requests_back() {
    // It has looked before the closure came, and lies down. There is no seat for it then.
    explore(|| {
        let pool = Pool::new();
        pool.begin_background();
        pool.sleep.take_seat();
        let searcher = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                let search = pool.sleep.search();
                if pool.has_foreground() {
                    return !search.found();
                }
                pool.stack.request();
                if pool.sleep.searchers() <= 1 {
                    pool.stack.withdraw();
                }
                search.lie_down(0, false, &parker());
                #[cfg(not(mutant = "searcher_rests_without_nudge"))]
                if pool.has_foreground() {
                    pool.nudge_background();
                }
                true
            })
        };
        pool.closure.store(true, Ordering::Release);
        if !pool.sleep.wants_thread(1) {
            pool.nudge_background();
        }
        if searcher.join().unwrap() {
            pool.check(false);
        }
    });
}

#[test]
fn a_closure_comes_while_background_work_ends() {
    // The request that stays behind costs a fork. It does not make other work give way, nor stay for ever.
    explore(|| {
        let pool = Pool::new();
        pool.begin_background();
        let producer = beside(&pool, Pool::produce);
        pool.mark.clear(&pool.marks);
        producer.join().unwrap();
        assert!(!pool.marks.any());
        assert!(!pool.join(), "normal work gives way");
        assert!(!pool.stack.unanswered(), "a request stays for ever");
    });
}
