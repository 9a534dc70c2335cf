//! Timers: a new one against a keeper that is about to park, a keeper that leaves against one that stays, a timer that
//! is fired against an owner that takes it out or changes its waker. See `timers.md`.
//!
//! loom has no clock. Who plans to wake at a timer's time is taken to wake then; who plans to sleep without an end parks,
//! and a ring that does not come is a deadlock, which loom reports.

use super::{explore, parker};
use crate::core::keeper::Keeper;
use crate::core::parker::Parker;
use crate::core::timer_shard::{BATCH, TimerShard};
use crate::core::wheel::NEVER;
use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Wake, Waker};

/// The keeper's word and a shard's, which orders no more than a relaxed store does.
struct Timers {
    keeper: Keeper,
    next: AtomicU64,
}

impl Timers {
    fn new() -> Arc<Self> {
        Arc::new(Timers { keeper: Keeper::new(), next: AtomicU64::new(NEVER) })
    }

    fn next(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    fn note(&self, deadline: u64) {
        if deadline < self.next() {
            self.next.store(deadline, Ordering::Relaxed);
            self.keeper.announce(deadline);
        }
    }

    /// Lies until it is the keeper and plans to wake for the timer.
    fn keep(&self, bed: &Arc<Parker>, deadline: u64) {
        while !self.keeper.is_kept_by(bed) || self.keeper.plan(|| self.next()) > deadline {
            bed.park();
        }
    }
}

#[test]
fn a_new_timer_against_a_keeper_about_to_park() {
    explore(|| {
        let timers = Timers::new();
        let keeper = {
            let timers = timers.clone();
            loom::thread::spawn(move || {
                let bed = parker();
                timers.keeper.enter(&bed);
                timers.keep(&bed, 5);
                timers.keeper.leave(&bed, || timers.next());
            })
        };
        timers.note(5);
        keeper.join().unwrap();
    });
}

#[test]
fn an_earlier_timer_against_a_keeper_about_to_park() {
    explore(|| {
        let timers = Timers::new();
        timers.note(9);
        let keeper = {
            let timers = timers.clone();
            loom::thread::spawn(move || {
                let bed = parker();
                timers.keeper.enter(&bed);
                // Not late by sleeping until 9.
                timers.keep(&bed, 5);
            })
        };
        timers.note(5);
        keeper.join().unwrap();
    });
}

#[test]
fn a_keeper_leaves_while_another_parks() {
    explore(|| {
        let timers = Timers::new();
        let leaver = {
            let timers = timers.clone();
            loom::thread::spawn(move || {
                let bed = parker();
                timers.keeper.enter(&bed);
                if timers.keeper.is_kept_by(&bed) {
                    let _ = timers.keeper.plan(|| timers.next());
                }
                timers.keeper.leave(&bed, || timers.next());
            })
        };
        let stayer = {
            let timers = timers.clone();
            loom::thread::spawn(move || {
                let bed = parker();
                timers.keeper.enter(&bed);
                timers.keep(&bed, 5);
            })
        };
        timers.note(5);
        leaver.join().unwrap();
        stayer.join().unwrap();
    });
}

/// Wakes a thread, and counts how often.
struct Bell {
    parker: Arc<Parker>,
    rung: AtomicUsize,
}

impl Bell {
    fn new(parker: &Arc<Parker>) -> Arc<Self> {
        Arc::new(Bell { parker: parker.clone(), rung: AtomicUsize::new(0) })
    }

    fn rung(&self) -> usize {
        self.rung.load(Ordering::Relaxed)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.fetch_add(1, Ordering::Relaxed);
        self.parker.unpark();
    }
}

/// Fires what is due.
fn fire(shard: &TimerShard, now: u64) {
    let mut batch = [const { None }; BATCH];
    let taken = shard.take_due(now, &mut batch);
    for waker in &mut batch[..taken] {
        waker.take().expect("as many as were taken").wake();
    }
}

#[test]
fn a_timer_is_fired_or_taken_out() {
    explore(|| {
        let shard = Arc::new(TimerShard::new());
        let (first, second) = (Bell::new(&parker()), Bell::new(&parker()));
        let first_key = shard.insert(5, Waker::from(first.clone())).expect("the shard is open").key;
        let firing = {
            let shard = shard.clone();
            loom::thread::spawn(move || fire(&shard, 7))
        };
        shard.remove(first_key);
        // Most likely at the place of the first.
        let second_waker = Waker::from(second.clone());
        let second_key = shard.insert(100, second_waker.clone()).expect("the shard is open").key;
        assert!(!shard.has_fired(second_key, &second_waker), "another's timer has fired");
        firing.join().unwrap();
        assert!(!shard.has_fired(second_key, &second_waker), "another's timer has fired");
        assert!(first.rung() <= 1);
        assert_eq!(second.rung(), 0);
        shard.remove(second_key);
        drop(second_waker);
        assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (1, 1), "a waker is kept");
    });
}

#[test]
fn a_timer_is_fired_while_its_waker_changes() {
    explore(|| {
        let shard = Arc::new(TimerShard::new());
        let bed = parker();
        let old = Bell::new(&parker());
        let new = Bell::new(&bed);
        let key = shard.insert(5, Waker::from(old)).expect("the shard is open").key;
        let firing = {
            let shard = shard.clone();
            loom::thread::spawn(move || fire(&shard, 7))
        };
        let waker = Waker::from(new.clone());
        // What a task does that polls with another waker: if the timer has not fired the new waker is woken.
        while !shard.has_fired(key, &waker) {
            bed.park();
        }
        firing.join().unwrap();
        shard.remove(key);
    });
}

#[test]
fn a_closing_shard_leaves_nobody_waiting() {
    explore(|| {
        let shard = Arc::new(TimerShard::new());
        let closing = {
            let shard = shard.clone();
            loom::thread::spawn(move || {
                shard.close();
                fire(&shard, 0);
            })
        };
        let bed = parker();
        let waker = Waker::from(Bell::new(&bed));
        if let Ok(inserted) = shard.insert(5, waker.clone()) {
            while !shard.has_fired(inserted.key, &waker) {
                bed.park();
            }
            shard.remove(inserted.key);
        }
        closing.join().unwrap();
    });
}
