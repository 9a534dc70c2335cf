//! Somebody keeps watch as long as others work beside a free seat, whoever begins, leaves or comes at the same time.

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;
use std::sync::Arc;

use crate::core::lookout::Lookout;
use crate::core::sleep::Sleep;
use crate::explore;

/// A pool in which nobody is idle.
struct Pool {
    sleep: Sleep,
    lookout: Lookout,
    seats: u64,
    /// The marks of those who may be at work.
    busy: [AtomicBool; 2],
    /// Spares that were asked for to keep watch.
    asked: AtomicUsize,
}

impl Pool {
    /// With so many seats, all of them taken.
    fn full(seats: u64, busy: [bool; 2]) -> Arc<Self> {
        let pool = Pool {
            sleep: Sleep::new(),
            lookout: Lookout::new(),
            seats,
            busy: busy.map(AtomicBool::new),
            asked: AtomicUsize::new(0),
        };
        (0..seats).for_each(|_| pool.sleep.take_seat());
        Arc::new(pool)
    }

    /// `Shared::see_to_watch`.
    fn see_to_watch(&self) {
        let somebody_works = || self.busy.iter().any(|busy| busy.load(Ordering::Relaxed));
        if self.lookout.is_unmanned(&self.sleep, self.seats, somebody_works) {
            self.lookout.expect_one();
            self.sleep.take_seat();
            self.asked.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Who works as number `me` blocks.
    fn leave(&self, me: usize) {
        self.busy[me].store(false, Ordering::Relaxed);
        self.sleep.leave_seat();
        self.see_to_watch();
    }

    /// A spare comes, and finds work.
    fn come(&self) {
        if self.lookout.arrive(&self.sleep).found() {
            self.see_to_watch();
        }
    }

    fn assert_watched(&self) {
        assert!(self.asked.load(Ordering::Relaxed) > 0, "others work beside a free seat, and nobody is idle or comes");
    }
}

#[test]
fn a_seat_is_left_beside_a_spare_that_comes() {
    explore(|| {
        // One leaves, one works on, and one comes.
        let pool = Pool::full(3, [true; 2]);
        pool.lookout.expect_one();
        let spare = {
            let pool = pool.clone();
            thread::spawn(move || pool.come())
        };
        pool.leave(0);
        spare.join().unwrap();
        pool.assert_watched();
    });
}

#[test]
fn a_seat_is_left_beside_one_who_begins() {
    explore(|| {
        let pool = Pool::full(2, [true, false]);
        let guest = {
            let pool = pool.clone();
            thread::spawn(move || {
                // `Slot::begin_busy`.
                pool.busy[1].store(true, Ordering::Relaxed);
                let _ = pool.sleep.is_deep();
                pool.see_to_watch();
            })
        };
        pool.leave(0);
        guest.join().unwrap();
        pool.assert_watched();
    });
}

/// The spare is not the last to search, and so does not ask.
#[test]
fn a_seat_is_left_when_two_have_searched() {
    explore(|| {
        let pool = Pool::full(4, [true; 2]);
        pool.lookout.expect_one();
        // `inherit` below spends it.
        std::mem::forget(pool.sleep.search());
        let spare = {
            let pool = pool.clone();
            thread::spawn(move || pool.come())
        };
        let searcher = {
            let pool = pool.clone();
            thread::spawn(move || {
                if pool.sleep.inherit().found() {
                    pool.see_to_watch();
                }
            })
        };
        pool.leave(0);
        spare.join().unwrap();
        searcher.join().unwrap();
        pool.assert_watched();
    });
}
