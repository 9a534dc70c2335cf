//! Sleepers against producers: no work is slept through. See `sleep.md`.

use super::{explore, parker};
use crate::core::sleep::{Sleep, Wake};
use crate::queue::Queue;
use loom::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

/// A worker's life, shortened: search once, lie down, look once more, park, search again. Returns what it found.
fn worker(sleep: &Sleep, queue: &Queue<u32>, slot: usize) -> u32 {
    sleep.take_seat();
    let bed = parker();
    let mut search = sleep.search();
    loop {
        if let Some(found) = queue.steal() {
            let last = search.found();
            if last && !queue.is_empty() && sleep.wants_thread(2) {
                let _ = sleep.wake_one(2);
            }
            return found;
        }
        search.lie_down(slot, false, &bed);
        search = loop {
            #[cfg(not(mutant = "sleep_without_second_look"))]
            if !queue.is_empty() {
                break sleep.get_up(slot).unwrap_or_else(|| sleep.inherit());
            }
            match sleep.lies(slot) {
                None => break sleep.inherit(),
                Some(_) => bed.park(),
            }
        };
    }
}

fn produce(sleep: &Sleep, queue: &Queue<u32>, item: u32) {
    queue.push(item);
    if sleep.wants_thread(2) {
        let _ = sleep.wake_one(2);
    }
}

#[test]
fn one_sleeper_one_producer() {
    explore(|| {
        let shared = Arc::new((Sleep::new(), Queue::new()));
        let sleeper = {
            let shared = shared.clone();
            loom::thread::spawn(move || worker(&shared.0, &shared.1, 0))
        };
        produce(&shared.0, &shared.1, 7);
        assert_eq!(sleeper.join().unwrap(), 7);
    });
}

#[test]
fn two_sleepers_two_items() {
    // Both items must be found, though a producer that sees a searcher wakes nobody: the finder hands on.
    explore(|| {
        let shared = Arc::new((Sleep::new(), Queue::new()));
        let sleepers: Vec<_> = (0..2)
            .map(|slot| {
                let shared = shared.clone();
                loom::thread::spawn(move || worker(&shared.0, &shared.1, slot))
            })
            .collect();
        produce(&shared.0, &shared.1, 1);
        produce(&shared.0, &shared.1, 2);
        let found: u32 = sleepers.into_iter().map(|sleeper| sleeper.join().unwrap()).sum();
        assert_eq!(found, 3);
    });
}

#[test]
fn a_seat_that_comes_free_serves_what_was_queued_meanwhile() {
    // One seat, held by a guest. A producer sees no free seat and wakes nobody; the guest looks when it leaves.
    explore(|| {
        let shared = Arc::new((Sleep::new(), Queue::new()));
        let bed = parker();
        shared.0.take_seat();
        shared.0.search().lie_down(0, false, &bed);
        assert!(shared.0.try_take_seat(1));
        let guest = {
            let shared = shared.clone();
            loom::thread::spawn(move || {
                shared.0.leave_seat();
                !shared.1.is_empty() && shared.0.wants_thread(1) && shared.0.wake_one(1) == Wake::Woken
            })
        };
        shared.1.push(7);
        let by_producer = shared.0.wants_thread(1) && shared.0.wake_one(1) == Wake::Woken;
        let by_guest = guest.join().unwrap();
        assert!(by_producer || by_guest, "the item is slept through");
    });
}

#[test]
fn of_two_guests_the_one_that_frees_a_seat_looks() {
    // Two seats, held by guests. The last to leave has seen a free seat before, and does not look.
    explore(|| {
        let shared = Arc::new((Sleep::new(), Queue::new()));
        let bed = parker();
        shared.0.take_seat();
        shared.0.search().lie_down(0, false, &bed);
        assert!(shared.0.try_take_seat(2) && shared.0.try_take_seat(2));
        let leave = |shared: &(Sleep, Queue<u32>)| {
            let was_free = shared.0.leave_free_seat(2);
            !was_free && !shared.1.is_empty() && shared.0.wants_thread(2) && shared.0.wake_one(2) == Wake::Woken
        };
        let guest = {
            let shared = shared.clone();
            loom::thread::spawn(move || leave(&shared))
        };
        let producer = {
            let shared = shared.clone();
            loom::thread::spawn(move || {
                shared.1.push(7);
                shared.0.wants_thread(2) && shared.0.wake_one(2) == Wake::Woken
            })
        };
        let by_us = leave(&shared);
        let woken = [by_us, guest.join().unwrap(), producer.join().unwrap()];
        assert!(woken.contains(&true), "the item is slept through");
    });
}

#[test]
fn a_guest_leaves_beside_one_who_has_found_something() {
    // Two seats, held by a guest and a worker that searches and finds something else. The guest does not look if it leaves
    // in the midst of that search.
    explore(|| {
        let shared = Arc::new((Sleep::new(), Queue::new()));
        let bed = parker();
        shared.0.take_seat();
        shared.0.search().lie_down(0, false, &bed);
        assert!(shared.0.try_take_seat(2) && shared.0.try_take_seat(2));
        let wakes = |shared: &(Sleep, Queue<u32>)| shared.0.wants_thread(2) && shared.0.wake_one(2) == Wake::Woken;
        let worker = {
            let shared = shared.clone();
            loom::thread::spawn(move || shared.0.search().found() && !shared.1.is_empty() && wakes(&shared))
        };
        let producer = {
            let shared = shared.clone();
            loom::thread::spawn(move || {
                shared.1.push(7);
                wakes(&shared)
            })
        };
        let by_us = !shared.0.leave_free_seat(2) && !shared.1.is_empty() && wakes(&shared);
        let woken = [by_us, worker.join().unwrap(), producer.join().unwrap()];
        assert!(woken.contains(&true), "the item is slept through");
    });
}

/// A thread begins to work while the watch over the pool ends: it learns that nobody keeps watch, or is asked.
fn begins_beside_the_end_of_the_watch(is_deep: fn(&Sleep) -> bool) {
    explore(move || {
        let sleep = Arc::new(Sleep::new());
        let busy = Arc::new(AtomicU32::new(0));
        let visitor = {
            let (sleep, busy) = (sleep.clone(), busy.clone());
            loom::thread::spawn(move || {
                busy.store(1, Ordering::Relaxed);
                is_deep(&sleep)
            })
        };
        sleep.end_watch(true);
        let asked = busy.load(Ordering::Relaxed) == 1;
        assert!(visitor.join().unwrap() || asked, "nobody will ever ask it");
    });
}

#[test]
fn a_root_begins_beside_the_end_of_the_watch() {
    begins_beside_the_end_of_the_watch(Sleep::is_deep);
}

#[test]
fn a_brief_guest_begins_beside_the_end_of_the_watch() {
    begins_beside_the_end_of_the_watch(Sleep::is_deep_by_light);
}
