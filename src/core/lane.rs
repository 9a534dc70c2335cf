//! Who runs ready tasks while no worker can: the duty of the express lane, and how somebody is called to it. `lane.md`
//! beside this file has the states, both sides' steps and the argument that no task is left alone.

use std::sync::Arc;

use crate::core::parker::Parker;
use crate::core::wheel::NEVER;
use crate::ground::barrier;
use crate::ground::sync::{AtomicBool, AtomicU64, Mutex, Ordering, fence};

/// Which bits of a duty's number are noted beside the beginning of a poll, in microseconds.
const DUTY_BITS: u64 = 0xffff;

/// What a caller does after a call.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Called {
    /// Nothing.
    Heard,
    /// There is no thread to be called, but there may be one more: the caller starts it, with this number. It is on
    /// duty already. If it cannot be started: [`Lane::ended`].
    Start(usize),
}

/// A poll on the lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Poll(u64);

impl Poll {
    /// When it has begun.
    pub(crate) fn since(self) -> u64 {
        self.0 >> DUTY_BITS.count_ones()
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Lane {
    /// Somebody is on duty: it runs tasks, or is on its way. The three words, and `duty`, are written under the lock only.
    up: AtomicBool,
    /// The first of those who sleep looks from time to time.
    patrol: AtomicBool,
    /// When the first of those who sleep gets up for a timer: [`NEVER`] if for none, 0 if nobody sleeps.
    plan: AtomicU64,
    /// The number of the duty: each has another.
    duty: AtomicU64,
    /// The poll that the thread on duty is in: when it has begun, and the last bits of the number of its duty.
    /// [`NEVER`]: none.
    poll: AtomicU64,
    /// The first of those who sleep looks at a poll that goes on for long.
    relief: AtomicBool,
    members: Mutex<Members>,
}

#[derive(Debug)]
struct Members {
    /// Off duty, with nothing to do.
    asleep: Vec<Arc<Parker>>,
    /// The numbers of threads that do not exist.
    free: Vec<usize>,
    /// The duties that have been taken from threads inside of polls, which do not know it yet.
    taken: Vec<u64>,
}

/// Whether the owner of a slot is in a closure, so that nobody may count on it for tasks and timers. Written by the
/// owner.
#[derive(Debug)]
pub(crate) struct Engaged(AtomicBool);

impl Engaged {
    pub(crate) fn new(engaged: bool) -> Self {
        Engaged(AtomicBool::new(engaged))
    }

    #[inline]
    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// From here on nobody counts on the owner. It looks afterwards whether somebody else keeps the timers.
    pub(crate) fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
        // Pairs with the fences in `plan_for`, and of whoever notes a timer.
        #[cfg(not(mutant = "engaged_without_fence"))]
        fence(Ordering::SeqCst);
    }

    /// Without a word: to count on somebody who is not there any more is what must not be, and not the other way round.
    #[inline]
    pub(crate) fn set(&self, engaged: bool) {
        self.0.store(engaged, Ordering::Relaxed);
    }
}

/// What a thread that sleeps is there for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// It has been called: it is on duty.
    Called,
    /// The first of those who sleep: it goes on patrol, if that is wanted, and keeps the timers.
    First { patrol: bool },
    /// The first, while another is on duty: it looks at the poll that that one is in, if that is wanted.
    Relief,
    /// One of the others.
    Other,
}

impl Lane {
    /// With at most so many threads.
    pub(crate) fn new(most: usize) -> Self {
        Lane {
            up: AtomicBool::new(false),
            patrol: AtomicBool::new(false),
            plan: AtomicU64::new(NEVER),
            duty: AtomicU64::new(0),
            poll: AtomicU64::new(NEVER),
            relief: AtomicBool::new(false),
            members: Mutex::new(Members { asleep: Vec::new(), free: (0..most).rev().collect(), taken: Vec::new() }),
        }
    }

    // ----- callers ---------------------------------------------------------------------------------------------
    // Each has passed a fence since it has made a task visible, or itself one who does not come for tasks.

    /// Whether somebody is on duty.
    #[inline]
    pub(crate) fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    /// Whether somebody is on duty, or at least on patrol.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.patrol.load(Ordering::Relaxed) || self.is_up()
    }

    /// When somebody looks at the timers, at the latest.
    pub(crate) fn plan(&self) -> u64 {
        self.plan.load(Ordering::Relaxed)
    }

    /// Calls somebody to duty.
    pub(crate) fn call(&self) -> Called {
        let mut members = self.members.lock();
        if self.is_up() {
            return Called::Heard;
        }
        let first = self.appoint(&mut members);
        drop(members);
        ring(first)
    }

    /// Gives the duty to the first of those who sleep, whom the caller rings, or to a new thread.
    fn appoint(&self, members: &mut Members) -> Result<Arc<Parker>, Called> {
        if members.asleep.is_empty() {
            return Err(self.new_thread(members));
        }
        let first = members.asleep.remove(0);
        self.begin_duty();
        Ok(first)
    }

    /// The poll that the thread on duty is in, if it is in one.
    pub(crate) fn poll(&self) -> Option<Poll> {
        let poll = self.poll.load(Ordering::Relaxed);
        (poll != NEVER && poll & DUTY_BITS == self.duty() & DUTY_BITS).then_some(Poll(poll))
    }

    /// Gives the duty to another thread, if there is one, since this poll goes on. `enough` says whether it does for
    /// long enough, told from how many others the duty has been taken that go on.
    pub(crate) fn take_over(&self, poll: Poll, enough: impl FnOnce(usize) -> bool) -> Called {
        let mut members = self.members.lock();
        let there_is_one = !(members.asleep.is_empty() && members.free.is_empty());
        if !self.is_up() || self.poll() != Some(poll) || !there_is_one || !enough(members.taken.len()) {
            return Called::Heard;
        }
        // Either this, or the end of the poll: so the thread in it knows whether it still has the duty.
        if !self.end_poll(poll) {
            return Called::Heard;
        }
        members.taken.push(self.duty());
        let first = self.appoint(&mut members);
        drop(members);
        ring(first)
    }

    /// Asks the first of those who sleep to look at the poll that the thread on duty is in, from time to time.
    pub(crate) fn call_relief(&self) {
        if self.wants_relief() {
            return;
        }
        let members = self.members.lock();
        if let Some(first) = members.asleep.first() {
            self.relief.store(true, Ordering::Relaxed);
            first.unpark();
        }
    }

    /// Whether the first of those who sleep is to look at the poll that the thread on duty is in.
    pub(crate) fn wants_relief(&self) -> bool {
        self.relief.load(Ordering::Relaxed)
    }

    /// There is no such poll.
    pub(crate) fn end_relief(&self) {
        self.relief.store(false, Ordering::Relaxed);
    }

    /// Calls somebody to patrol.
    pub(crate) fn call_patrol(&self) -> Called {
        let mut members = self.members.lock();
        if self.is_watched() {
            return Called::Heard;
        }
        let Some(first) = members.asleep.first().cloned() else {
            return self.new_thread(&mut members);
        };
        self.patrol.store(true, Ordering::Relaxed);
        drop(members);
        first.unpark();
        Called::Heard
    }

    /// Calls somebody to keep the timers.
    pub(crate) fn call_keeper(&self) -> Called {
        let mut members = self.members.lock();
        if self.is_up() {
            return Called::Heard;
        }
        let Some(first) = members.asleep.first().cloned() else {
            return self.new_thread(&mut members);
        };
        // Nobody else need call; it plans when it gets up.
        self.plan.store(0, Ordering::Relaxed);
        drop(members);
        first.unpark();
        Called::Heard
    }

    fn new_thread(&self, members: &mut Members) -> Called {
        match members.free.pop() {
            Some(number) => {
                self.begin_duty();
                Called::Start(number)
            }
            // All wait inside of what they poll. The first to come back looks.
            None => Called::Heard,
        }
    }

    fn begin_duty(&self) {
        self.duty.store(self.duty() + 1, Ordering::Relaxed);
        self.poll.store(NEVER, Ordering::Relaxed);
        // Who looked may be the one that has the duty now: the next long poll rings whoever is first then.
        self.relief.store(false, Ordering::Relaxed);
        self.up.store(true, Ordering::Relaxed);
        self.patrol.store(false, Ordering::Relaxed);
        self.plan.store(0, Ordering::Relaxed);
    }

    /// Everybody looks whether the pool is done.
    pub(crate) fn wake_all(&self) {
        // Pairs with the fence in `end_duty`: the gate was closed, or the last work counted off, before.
        fence(Ordering::SeqCst);
        let members = self.members.lock();
        members.asleep.iter().for_each(|parker| parker.unpark());
    }

    // ----- the lane's threads ----------------------------------------------------------------------------------

    /// The number of the duty, for a thread that has just got it.
    pub(crate) fn duty(&self) -> u64 {
        self.duty.load(Ordering::Relaxed)
    }

    /// The thread on duty begins a poll.
    pub(crate) fn begin_poll(&self, duty: u64, now: u64) -> Poll {
        let poll = Poll(now << DUTY_BITS.count_ones() | duty & DUTY_BITS);
        self.poll.store(poll.0, Ordering::Relaxed);
        poll
    }

    /// The poll is over. False: the duty was taken from the thread in it.
    pub(crate) fn end_poll(&self, poll: Poll) -> bool {
        // The two that may do this agree on who was first by the word itself: nothing else goes with it.
        #[cfg(mutant = "lost_duty_ends")]
        return {
            self.poll.store(NEVER, Ordering::Relaxed);
            true
        };
        #[cfg(not(mutant = "lost_duty_ends"))]
        self.poll.compare_exchange(poll.0, NEVER, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// The thread on duty goes to sleep, first among those who do, and on `patrol` if that is wanted. It looks once more
    /// at all that it is there for.
    pub(crate) fn end_duty(&self, parker: &Arc<Parker>, patrol: bool) {
        let mut members = self.members.lock();
        members.asleep.insert(0, parker.clone());
        self.up.store(false, Ordering::Relaxed);
        self.patrol.store(patrol, Ordering::Relaxed);
        self.plan.store(NEVER, Ordering::Relaxed);
        drop(members);
        // Pairs with the fences of those who call: either they see that nobody is up, or we see their tasks.
        #[cfg(not(mutant = "duty_ends_without_fence"))]
        fence(Ordering::SeqCst);
    }

    /// The thread on duty is about to block inside a poll: it gives the duty up, if it has not been taken. The caller
    /// looks, and calls another.
    pub(crate) fn leave_duty(&self, duty: u64) {
        let members = self.members.lock();
        if !members.taken.contains(&duty) {
            self.up.store(false, Ordering::Relaxed);
            self.plan.store(NEVER, Ordering::Relaxed);
        }
        drop(members);
        // As in `end_duty`; and no patrol makes up for a push without a fence, as in `end_patrol`.
        fence(Ordering::SeqCst);
        let _ = barrier::heavy();
    }

    /// A thread that has left this duty inside a poll, or lost it, is back. True: it is on duty again. Else it sleeps
    /// from here on, behind those who do.
    pub(crate) fn come_back(&self, parker: &Arc<Parker>, duty: u64) -> bool {
        let mut members = self.members.lock();
        members.taken.retain(|&taken| taken != duty);
        if self.is_up() {
            members.asleep.push(parker.clone());
            // It may be there for what the poll waits for that the other is in.
            self.relief.store(true, Ordering::Relaxed);
            members.asleep[0].unpark();
            return false;
        }
        self.begin_duty();
        true
    }

    /// A thread that sleeps takes the duty by itself. False: it has been called, or another is up.
    pub(crate) fn take_duty(&self, parker: &Arc<Parker>) -> bool {
        let mut members = self.members.lock();
        if self.is_up() {
            return false;
        }
        let Some(at) = position(&members.asleep, parker) else { return false };
        members.asleep.remove(at);
        self.begin_duty();
        true
    }

    /// What a thread that has gone to sleep, and been rung or not, is to do now.
    pub(crate) fn rest(&self, parker: &Arc<Parker>) -> Rest {
        let members = self.members.lock();
        match position(&members.asleep, parker) {
            None => Rest::Called,
            // While another is up there is nothing else to look at: it will lie down before us.
            Some(0) if self.is_up() => Rest::Relief,
            Some(0) => Rest::First { patrol: self.patrol.load(Ordering::Relaxed) },
            Some(_) => Rest::Other,
        }
    }

    /// The first of those who sleep begins a patrol, since it has seen a task that others may come for.
    pub(crate) fn begin_patrol(&self, parker: &Arc<Parker>) {
        #[cfg(not(mutant = "patrol_not_begun"))]
        self.set_patrol(parker, true);
    }

    /// The first of those who sleep ends its patrol, unless it sees a task when it has done so. (Also where the patrol
    /// has ended with the duty, and only the second look is left.)
    pub(crate) fn end_patrol(&self, parker: &Arc<Parker>, has_tasks: impl FnOnce() -> bool) {
        if !self.set_patrol(parker, false) {
            return;
        }
        // Pairs with the fences of those who call: either they see that nobody is on patrol, or we see their tasks. A
        // worker that queues a task of its own has no fence: for it there is the barrier.
        #[cfg(not(mutant = "patrol_ends_without_fence"))]
        fence(Ordering::SeqCst);
        #[cfg(not(mutant = "patrol_ends_without_fence"))]
        let _ = barrier::heavy();
        if has_tasks() {
            // Another may be the first by now, who sleeps without a limit: it is rung.
            let _ = self.call_patrol();
        }
    }

    /// False: it is not the caller's any more.
    fn set_patrol(&self, parker: &Arc<Parker>, patrol: bool) -> bool {
        let members = self.members.lock();
        let first = !self.is_up() && position(&members.asleep, parker) == Some(0);
        if first {
            self.patrol.store(patrol, Ordering::Relaxed);
        }
        first
    }

    /// The first of those who sleep is about to sleep until the timers want to be looked at. `next` says when that is;
    /// [`NEVER`] also if others keep them.
    pub(crate) fn plan_for(&self, parker: &Arc<Parker>, next: impl Fn() -> u64) -> u64 {
        let mut plan = NEVER;
        loop {
            if !self.set_plan(parker, plan) {
                return 0;
            }
            // Pairs with the fences of those who stop to keep the timers, and of those who note one: either they see
            // the plan, or we see what they did.
            fence(Ordering::SeqCst);
            let now = next();
            if now >= plan {
                return plan;
            }
            plan = now;
        }
    }

    /// False: somebody has been called in the meantime, or another is the first.
    fn set_plan(&self, parker: &Arc<Parker>, plan: u64) -> bool {
        let members = self.members.lock();
        let first = !self.is_up() && position(&members.asleep, parker) == Some(0);
        if first {
            self.plan.store(plan, Ordering::Relaxed);
        }
        first
    }

    /// A thread that sleeps ends, unless it is the first.
    pub(crate) fn leave(&self, parker: &Arc<Parker>) -> bool {
        let mut members = self.members.lock();
        match position(&members.asleep, parker) {
            None => false,
            Some(0) if !self.is_up() => false,
            Some(at) => {
                members.asleep.remove(at);
                true
            }
        }
    }

    /// A thread has ended on duty, or could not be started.
    pub(crate) fn ended(&self, parker: Option<&Arc<Parker>>) {
        let mut members = self.members.lock();
        match parker.and_then(|parker| position(&members.asleep, parker)) {
            Some(at) => drop(members.asleep.remove(at)),
            // Who has come back meanwhile counts on somebody who is up.
            None if parker.is_none() && !members.asleep.is_empty() => members.asleep.remove(0).unpark(),
            None => {
                self.up.store(false, Ordering::Relaxed);
                self.plan.store(NEVER, Ordering::Relaxed);
            }
        }
    }

    /// A thread is gone: its number is free.
    pub(crate) fn give_back(&self, number: usize) {
        self.members.lock().free.push(number);
    }

    /// How many threads the lane has now, of so many at most.
    pub(crate) fn threads(&self, most: usize) -> usize {
        most - self.members.lock().free.len()
    }
}

fn ring(first: Result<Arc<Parker>, Called>) -> Called {
    match first {
        Ok(parker) => {
            parker.unpark();
            Called::Heard
        }
        Err(called) => called,
    }
}

fn position(asleep: &[Arc<Parker>], parker: &Arc<Parker>) -> Option<usize> {
    asleep.iter().position(|other| Arc::ptr_eq(other, parker))
}
