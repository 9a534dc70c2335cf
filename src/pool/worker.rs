//! The life of a worker or spare thread: work, search, rest.

use std::sync::Arc;
use std::time::Duration;

use crate::core::sleep::{Searching, Watch, WatchClock};
use crate::ground::clock::Since;
use crate::ground::sync::{Ordering, fence};
use crate::ground::{barrier, cpu_time};
use crate::pool::current;
use crate::pool::find::Work;
use crate::pool::shared::Shared;
use crate::pool::slot::{Kind, Slot};

/// How often the watch looks whether a pool that has closed is done.
const LAST_LOOKS: Duration = Duration::from_millis(5);

/// How long a spare stays at least, and how often, at most, one whose time is up looks whether it is still needed.
const LEAST_STAY: Duration = Duration::from_millis(20);

/// How long a fork must run to be worth waking a thread for.
const WORTH_GETTING_UP: Duration = Duration::from_micros(15);

/// All that a thread of the pool does. It holds a seat already, taken for it by whoever started it.
pub(crate) fn thread_main(shared: &Arc<Shared>, index: usize) {
    let slot = shared.slot(index).expect("a thread is started for a slot");
    shared.set_no_threads(false);
    // SAFETY: the slot was without an owner and is this thread's until it gives it up below; `shared` is held.
    let occupied = unsafe { current::occupy(slot) };
    slot.set_cpu_clock(cpu_time::own_clock());
    // Nobody need be woken for that: we begin by a search, and so do the other workers, which are on their way.
    slot.set_busy(true);
    shared.run_hook(shared.config.start.as_ref(), index);
    live(slot);
    shared.run_hook(shared.config.exit.as_ref(), index);
    drop(occupied);
    give_up(shared, slot);
    // When a spare gave its seat up it still counted as one of those that may be, so perhaps none was started for it.
    let _ = shared.pass_seat();
}

/// The thread could not be started: what was reserved for it is given back.
pub(crate) fn never_started(shared: &Shared, index: usize) {
    shared.sleep.leave_seat();
    if let Some(slot) = shared.slot(index) {
        if slot.kind == Kind::Spare {
            shared.lookout.give_up();
        }
        give_up(shared, slot);
    }
    shared.set_no_threads(true);
    if shared.has_work() {
        // Who queued it while the seat was promised may have seen no free one.
        let _ = shared.sleep.wake_one(shared.seats);
    }
    if let Some(slot) = shared.slot(index).filter(|slot| slot.kind == Kind::Worker) {
        // In its place spares may come, with slots of their own.
        slot.disown();
    }
}

fn give_up(shared: &Shared, slot: &Slot) {
    slot.set_busy(false);
    slot.set_cpu_clock(0);
    // Pairs with the fence in `Lane::plan_for`: who left a bed before us may have counted on us.
    fence(Ordering::SeqCst);
    shared.see_to_timers();
    if slot.kind == Kind::Spare {
        shared.spare_ended(slot.index);
    }
}

fn live(slot: &Slot) {
    let shared = slot.shared();
    let mut clock = WatchClock::new();
    // Who has started us may count on us for a task.
    let mut counted_on = true;
    // Whether it has got up and run nothing but tasks since.
    let mut calm = false;
    // A spare begins by a search, whatever it may find in its queues: others trust that somebody searches.
    let mut comes = slot.kind == Kind::Spare;
    loop {
        if !comes {
            slot.run_due_mail();
        }
        // More threads than seats: leave at this boundary, whatever lies in the queues; others take it.
        while !comes && !shared.sleep.crowded(shared.seats) {
            let Some(work) = slot.next_own() else { break };
            let may_be_long = begin(slot, &work);
            calm &= !may_be_long;
            if std::mem::take(&mut counted_on) && may_be_long {
                shared.see_to_tasks_if_any();
            }
            match work {
                Work::Task(task) => slot.run_tasks(task),
                work => {
                    slot.run(work);
                    shared.fire_timers();
                }
            }
        }
        slot.engaged.set(false);
        // Only if it is crowded here: what is left is for others.
        slot.flush_next();
        if !comes && shared.fire_timers() > 0 {
            continue;
        }
        if calm {
            clock = WatchClock::calm();
        }
        let came = std::mem::take(&mut comes);
        let mut search = if came { shared.lookout.arrive(&shared.sleep) } else { shared.sleep.search() };
        let (mut woken, mut fired) = (false, false);
        let work = loop {
            if !shared.sleep.crowded(shared.seats) || slot.has_mail() {
                if let Some(work) = seek(slot, &mut || true) {
                    break work;
                }
                if fired {
                    // All that came of it is with others.
                    clock = WatchClock::calm();
                } else if woken {
                    clock.stirred();
                    shared.note_worth(false);
                }
            }
            search = match rest(slot, search, &mut clock, None) {
                Rest::Up(search) => {
                    (woken, fired) = (true, false);
                    search
                }
                Rest::Fired(search) => {
                    (woken, fired) = (true, true);
                    search
                }
                Rest::Over(search) => {
                    // The exit hook, which may block, runs without a seat.
                    slot.set_busy(false);
                    search.quit();
                    let _ = shared.pass_seat();
                    return;
                }
            };
        };
        let was_last = search.found();
        if came && shared.sleep.is_deep() {
            // The watch may have ended before we were marked as busy, and so without a request to us.
            let _ = shared.sleep.wake_one(shared.seats);
        }
        let may_be_long = begin(slot, &work);
        calm = (calm || woken) && !may_be_long;
        hand_on(shared, was_last, &work);
        clock = WatchClock::new();
        if woken && matches!(work, Work::Fork(_)) {
            let began = Since::now();
            slot.run(work);
            shared.note_worth(began.passed(WORTH_GETTING_UP));
        } else {
            slot.run(work);
        }
    }
}

/// Notes at the bottom of the stack whether a closure begins, which may take long.
fn begin(slot: &Slot, work: &Work) -> bool {
    let may_be_long = !matches!(work, Work::Task(_));
    if may_be_long {
        slot.engage();
        if slot.shared().is_keen() && slot.shared().sleep.idlers() > 0 {
            slot.fork.request();
        }
    } else if slot.engaged.get() {
        slot.engaged.set(false);
    }
    may_be_long
}

/// Who finds work wakes one more, so that waking spreads like a tree: for a fork, because where one was there are
/// likely more; for anything else, if there is more and nobody searches.
fn hand_on(shared: &Shared, was_last: bool, work: &Work) {
    if was_last && shared.has_work() {
        shared.notify_left();
    } else if matches!(work, Work::Fork(_)) && shared.sleep.idlers() > 0 {
        shared.notify_forks();
    } else if was_last {
        shared.see_to_watch();
    }
}

/// Waits inside of work, as one of the idle threads, as long as `blocked` says: runs whatever comes on top. For pools
/// whose waiting threads [run anything](crate::WaitPolicy::RunAnything). The caller has a seat.
///
/// It is the life of an idle worker with one more reason to get up. So the argument of `sleep.md` covers it: it lies
/// down and gets up by the same steps, and hands on what it may have been woken for.
pub(crate) fn stand_by(slot: &Slot, blocked: &mut dyn FnMut() -> bool) {
    let shared = slot.shared();
    // It may take its bell's ring along when it says no: so it is asked no more after that.
    let mut over = false;
    let blocked: &mut dyn FnMut() -> bool = &mut || {
        over = over || !blocked();
        !over
    };
    slot.flush_next();
    // What is woken here need not wait for the poll that we may be in.
    let polling = slot.polling().replace(false);
    let mut clock = WatchClock::new();
    let mut search = shared.sleep.search();
    let since = Since::now();
    while blocked() {
        search = match rest(slot, search, &mut clock, Some(Waiting { blocked, since })) {
            Rest::Up(search) | Rest::Fired(search) => search,
            Rest::Over(over) => {
                search = over;
                break;
            }
        };
        if shared.sleep.crowded(shared.seats) && !slot.has_mail() {
            continue;
        }
        let Some(mut work) = seek(slot, blocked) else { continue };
        let was_last = search.found();
        hand_on(shared, was_last, &work);
        clock = WatchClock::new();
        loop {
            slot.run_unrelated(work);
            if !blocked() {
                slot.polling().set(polling);
                return;
            }
            match slot.find_foreground().or_else(|| slot.take_own_fork()) {
                Some(more) => work = more,
                None => break,
            }
        }
        slot.flush_next();
        search = shared.sleep.search();
    }
    slot.polling().set(polling);
    // A producer may have counted on us, or who began to work.
    if search.found() {
        if shared.has_work() {
            shared.notify_left();
        } else {
            shared.see_to_watch();
        }
    }
}

/// Searches for a while: what is public, then, by asking, what others hold, then by a raid. Ends early when `wanted`
/// says so.
fn seek(slot: &Slot, wanted: &mut dyn FnMut() -> bool) -> Option<Work> {
    let shared = slot.shared();
    let began = Since::now();
    slot.mark_others_next();
    loop {
        // At the bottom there are no own forks.
        let own_fork = || slot.take_own_fork();
        if let Some(work) = slot.find_foreground().or_else(own_fork).or_else(|| slot.take_background_if_idle()) {
            return Some(work);
        }
        if !wanted() {
            return None;
        }
        slot.request_forks();
        if began.passed(shared.config.idle.spin) {
            break;
        }
        slot.pause(32);
    }
    let work = slot.steal_stale_next().or_else(|| slot.raid()).or_else(|| slot.take_background());
    if work.is_none() && shared.sleep.searchers() <= 1 {
        slot.withdraw_requests();
    }
    work
}

enum Rest<'s> {
    /// There may be work: search.
    Up(Searching<'s>),
    /// Timers have been fired: what they woke may be there.
    Fired(Searching<'s>),
    /// The thread is no longer needed; or what it waits for has come.
    Over(Searching<'s>),
}

/// A thread that waits inside of its work.
struct Waiting<'b> {
    /// Whether it still has to.
    blocked: &'b mut dyn FnMut() -> bool,
    since: Since,
}

/// Lies down, looks once more, and sleeps until somebody wakes us or the watch finds something. A thread that waits
/// inside of work does not end meanwhile.
fn rest<'s>(
    slot: &'s Slot,
    search: Searching<'s>,
    clock: &mut WatchClock,
    mut waiting: Option<Waiting<'_>>,
) -> Rest<'s> {
    let shared = slot.shared();
    let lain_since = Since::now();
    let stay = shared.config.idle.keep_alive.max(LEAST_STAY);
    let spare = slot.kind == Kind::Spare && waiting.is_none();
    slot.set_busy(false);
    search.lie_down(slot.index, spare, &slot.parker);
    shared.set_calm(clock.is_calm());
    if shared.is_keen() {
        slot.request_forks();
    }
    let bed = shared.bed(&slot.parker);
    let get_up = || {
        slot.set_busy(true);
        // If a waker was faster it has counted us as searching; its token wakes some later sleep for nothing.
        shared.sleep.get_up(slot.index).unwrap_or_else(|| shared.sleep.inherit())
    };
    loop {
        // A wait that leaves its own forks to others must not get up for them over and over.
        let (mut leaves_forks, mut longest) = (false, spare.then_some(stay));
        if let Some(waiting) = waiting.as_mut() {
            if !(waiting.blocked)() {
                return Rest::Over(get_up());
            }
            (leaves_forks, longest) = slot.wait_leaves_forks(waiting.since);
        }
        let has_work = || if leaves_forks { shared.has_work_but_forks_of(slot) } else { shared.has_work() };
        if waiting.is_none() && shared.is_done() {
            // Whoever ended the last work may not have seen that it was the last.
            shared.sleep.wake_all();
            return Rest::Over(get_up());
        }
        // The same question as everywhere: a source that it forgot would be slept through.
        if slot.has_mail() || (has_work() && shared.sleep.seat_free(shared.seats)) {
            return Rest::Up(get_up());
        }
        // There may be work, and no seat for us.
        shared.see_to_tasks_if_any();
        if has_work() {
            shared.nudge_background();
        }
        if bed.has_due() {
            // Up first: what is woken finds a searcher, and nobody else gets up for it.
            let search = get_up();
            bed.fire();
            return Rest::Fired(search);
        }
        if spare && lain_since.passed(stay) && !bed.is_last() && !shared.needs_watch() {
            return Rest::Over(get_up());
        }
        match shared.sleep.lies(slot.index) {
            None => {
                slot.set_busy(true);
                return Rest::Up(shared.sleep.inherit());
            }
            Some(Watch::Mine) if clock.over() && !shared.is_oversubscribed() => {
                shared.sleep.end_watch(shared.raids);
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
                if has_work() && shared.sleep.seat_free(shared.seats) {
                    // Queued by a thread that did not see us lie down, nor we it: see `notify_own`.
                    return Rest::Up(get_up());
                }
                if shared.gate.is_closed() {
                    bed.park(Some(LAST_LOOKS));
                    continue;
                }
                // If a next slot is full its thread will be back, or else the new watch sees it.
                if shared.has_next() || bed.park(longest) {
                    *clock = WatchClock::new();
                }
            }
            Some(Watch::Mine) => {
                if !bed.park(Some(clock.span())) {
                    clock.tick();
                    if shared.is_calm() {
                        // Who came up last has lain down again, and has left nothing behind.
                        clock.end();
                    }
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
                bed.park(longest);
            }
        }
    }
}
