//! A stopped clock goes on only when nobody acts and nothing waits, though those who act hand on to one another while
//! they are looked at.

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use std::sync::Arc;

use crate::core::keeper::Keeper;
use crate::core::parker::Parker;
use crate::core::rest::Actors;
use crate::core::sleep::Sleep;
use crate::core::tally::Tally;
use crate::queue::Queue;
use crate::{explore, parker};

struct Pool {
    polls: Tally,
    calls: Tally,
    beds: Keeper,
    sleep: Sleep,
    queue: Queue<u32>,
    /// The clock has been put forward.
    advanced: AtomicBool,
    /// Who looks at the clock: it lies in its bed, and holds no seat.
    me: Arc<Parker>,
}

impl Pool {
    fn new() -> Arc<Self> {
        let pool = Pool {
            polls: Tally::new(),
            calls: Tally::new(),
            beds: Keeper::new(),
            sleep: Sleep::new(),
            queue: Queue::new(),
            advanced: AtomicBool::new(false),
            me: parker(),
        };
        pool.beds.enter(&pool.me);
        Arc::new(pool)
    }

    /// `Shared::advance_if_at_rest`.
    fn advance_if_at_rest(&self) {
        let actors = Actors { tallies: [&self.polls, &self.calls], beds: &self.beds, seats: &self.sleep };
        if actors.are_at_rest(&self.me, || self.queue.is_empty()) {
            self.advanced.store(true, Ordering::Relaxed);
        }
    }

    /// Somebody acts.
    fn act(&self) {
        assert!(!self.advanced.load(Ordering::Relaxed), "the clock has slipped");
    }
}

#[test]
fn the_last_thread_leaves_something_behind() {
    explore(|| {
        let pool = Pool::new();
        pool.sleep.take_seat();
        let worker = {
            let pool = pool.clone();
            thread::spawn(move || {
                pool.queue.push(1);
                pool.sleep.leave_seat();
            })
        };
        pool.advance_if_at_rest();
        worker.join().unwrap();
        pool.act();
    });
}

#[test]
fn a_poll_begins_a_call_that_wakes_the_poll() {
    explore(|| {
        let pool = Pool::new();
        pool.polls.begin();
        let other = {
            let pool = pool.clone();
            thread::spawn(move || {
                pool.act();
                pool.calls.begin();
                pool.polls.end();
                pool.act();
                pool.polls.begin();
                pool.calls.end();
                pool.act();
                pool.polls.end();
            })
        };
        pool.advance_if_at_rest();
        other.join().unwrap();
    });
}

#[test]
fn the_last_thread_wakes_a_sleeper() {
    // Which takes a seat, leaves its bed and acts.
    explore(|| {
        let pool = Pool::new();
        let bed = parker();
        pool.beds.enter(&bed);
        pool.sleep.take_seat();
        let sleeper = {
            let (pool, bed) = (pool.clone(), bed.clone());
            thread::spawn(move || {
                bed.park();
                pool.sleep.take_seat();
                pool.beds.leave(&bed, || 0);
                pool.act();
                pool.sleep.leave_seat();
            })
        };
        let worker = {
            let pool = pool.clone();
            thread::spawn(move || {
                pool.act();
                bed.unpark();
                pool.sleep.leave_seat();
            })
        };
        pool.advance_if_at_rest();
        sleeper.join().unwrap();
        worker.join().unwrap();
    });
}
