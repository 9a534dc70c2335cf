//! The life of a worker or spare thread: work, search, rest.

use std::sync::Arc;
use std::time::Duration;

use crate::core::sleep::{Searching, Watch, WatchClock};
use crate::ground::barrier;
use crate::ground::clock::Since;
use crate::ground::sync::spin_loop;
use crate::pool::current;
use crate::pool::find::Work;
use crate::pool::shared::Shared;
use crate::pool::slot::{Kind, Slot};

/// How often the watch looks whether a pool that has closed is done.
const LAST_LOOKS: Duration = Duration::from_millis(5);

/// All that a thread of the pool does. It holds a seat already, taken for it by whoever started it.
pub(crate) fn thread_main(shared: &Arc<Shared>, index: usize) {
    let slot = shared.slot(index).expect("a thread is started for a slot");
    shared.set_no_threads(false);
    // SAFETY: the slot was without an owner and is this thread's until it gives it up below; `shared` is held.
    let occupied = unsafe { current::occupy(slot) };
    slot.set_busy(true);
    shared.run_hook(shared.config.start.as_ref(), index);
    live(slot);
    shared.run_hook(shared.config.exit.as_ref(), index);
    drop(occupied);
    give_up(shared, slot);
}

/// The thread could not be started: what was reserved for it is given back.
pub(crate) fn never_started(shared: &Shared, index: usize) {
    shared.sleep.leave_seat();
    if let Some(slot) = shared.slot(index) {
        give_up(shared, slot);
    }
    shared.set_no_threads(true);
}

fn give_up(shared: &Shared, slot: &Slot) {
    slot.set_busy(false);
    if slot.kind == Kind::Spare {
        shared.spare_ended(slot.index);
    }
}

fn live(slot: &Slot) {
    let shared = slot.shared();
    let mut clock = WatchClock::new();
    loop {
        slot.run_mail();
        // More threads than seats: leave at this boundary, whatever lies in the queues; others take it.
        while !shared.sleep.crowded(shared.seats) {
            let Some(work) = slot.next_own() else { break };
            slot.run(work);
        }
        // Only if it is crowded here: what is left is for others.
        slot.flush_next();
        if shared.fire_timers() > 0 {
            continue;
        }
        let mut search = shared.sleep.search();
        let mut woken = false;
        let work = loop {
            if !shared.sleep.crowded(shared.seats) {
                if let Some(work) = seek(slot) {
                    break work;
                }
                if woken {
                    clock.stirred();
                }
            }
            search = match rest(slot, search, &mut clock) {
                Rest::Up(search) => {
                    woken = true;
                    search
                }
                Rest::Over(search) => {
                    search.quit();
                    let _ = shared.pass_seat();
                    return;
                }
            };
        };
        hand_on(shared, search.found(), &work);
        clock = WatchClock::new();
        slot.run(work);
    }
}

/// Who finds work wakes one more, so that waking spreads like a tree: for a fork, because where one was there are
/// likely more; for anything else, if there is more and nobody searches.
fn hand_on(shared: &Shared, was_last: bool, work: &Work) {
    if was_last && shared.has_work() {
        shared.notify();
    } else if matches!(work, Work::Fork(_)) && shared.sleep.idlers() > 0 {
        shared.notify_forks();
    }
}

/// Searches for a while: what is public, then, by asking, what others hold, then by a raid.
fn seek(slot: &Slot) -> Option<Work> {
    let shared = slot.shared();
    let began = Since::now();
    slot.mark_others_next();
    loop {
        if let Some(work) = slot.find_any() {
            return Some(work);
        }
        slot.request_forks();
        if began.passed(shared.config.idle.spin) {
            break;
        }
        for _ in 0..32 {
            spin_loop();
        }
    }
    let work = slot.steal_stale_next().or_else(|| slot.raid());
    if work.is_none() && shared.sleep.searchers() <= 1 {
        slot.withdraw_requests();
    }
    work
}

enum Rest<'s> {
    /// There may be work: search.
    Up(Searching<'s>),
    /// The thread is no longer needed.
    Over(Searching<'s>),
}

/// Lies down, looks once more, and sleeps until somebody wakes us or the watch finds something.
fn rest<'s>(slot: &'s Slot, search: Searching<'s>, clock: &mut WatchClock) -> Rest<'s> {
    let shared = slot.shared();
    let lain_since = Since::now();
    let keep_alive = shared.config.idle.keep_alive;
    let spare = slot.kind == Kind::Spare;
    slot.set_busy(false);
    search.lie_down(slot.index, spare, &slot.parker);
    let bed = shared.bed(&slot.parker);
    let longest = || spare.then_some(keep_alive);
    let get_up = || {
        slot.set_busy(true);
        // If a waker was faster it has counted us as searching; its token wakes some later sleep for nothing.
        shared.sleep.get_up(slot.index).unwrap_or_else(|| shared.sleep.inherit())
    };
    loop {
        if shared.is_done() {
            // Whoever ended the last work may not have seen that it was the last.
            shared.sleep.wake_all();
            return Rest::Over(get_up());
        }
        // The same question as everywhere: a source that it forgot would be slept through.
        if slot.has_mail() || (shared.has_work() && shared.sleep.seat_free(shared.seats)) {
            return Rest::Up(get_up());
        }
        if bed.has_due() {
            // Up first: what is woken finds a searcher, and nobody else gets up for it.
            let search = get_up();
            bed.fire();
            return Rest::Up(search);
        }
        if spare && lain_since.passed(keep_alive) && !bed.is_last() {
            return Rest::Over(get_up());
        }
        match shared.sleep.lies(slot.index) {
            None => {
                slot.set_busy(true);
                return Rest::Up(shared.sleep.inherit());
            }
            Some(Watch::Mine) if clock.over() && !shared.is_oversubscribed() => {
                shared.sleep.end_watch();
                // Who begins to fork after this serves us, and wakes us for it.
                slot.request_forks();
                if shared.raids {
                    // A push has no fence between its store and its look at the request: this is one for it.
                    // Without it a fork may be seen late, which costs time and nothing else.
                    let _ = barrier::heavy();
                }
                if shared.sleep.seat_free(shared.fork_seats) && shared.has_private_forks() {
                    return Rest::Up(get_up());
                }
                if shared.has_work() && shared.sleep.seat_free(shared.seats) {
                    // Queued by a thread that did not see us lie down, nor we it: see `notify_own`.
                    return Rest::Up(get_up());
                }
                if shared.gate.is_closed() {
                    bed.park(Some(LAST_LOOKS));
                    continue;
                }
                // If a next slot is full its thread will be back, or else the new watch sees it.
                if !shared.has_next() {
                    bed.park(longest());
                }
                *clock = WatchClock::new();
            }
            Some(Watch::Mine) => {
                if !bed.park(Some(clock.span())) {
                    clock.tick();
                    if shared.has_stale_next() && shared.sleep.seat_free(shared.seats) {
                        return Rest::Up(get_up());
                    }
                    if shared.is_oversubscribed() {
                        if shared.has_stranded_forks() {
                            return Rest::Up(get_up());
                        }
                        slot.request_forks();
                    } else if shared.sleep.seat_free(shared.fork_seats) && shared.has_private_forks() {
                        return Rest::Up(get_up());
                    }
                }
            }
            Some(Watch::Anothers) => {
                bed.park(longest());
            }
        }
    }
}
