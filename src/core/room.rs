//! Room for a bounded number of pieces of work: places that are taken if there are any, or taken all the same, or
//! waited for in order.
//!
//! One word counts the places that are taken, and tells whether anybody waits. While somebody does, nobody else is
//! let in but by [`take`](Room::take), which asks for no leave: a place that comes free is taken for the first in the
//! line, by whoever frees it, before that one is woken. So no place is lost between two, and nobody overtakes.
//!
//! Work that is cancelled where it lies leaves its place at once, but a **husk** lies on, and takes memory. So that
//! this is bounded too, only as many husks as there are places are free of charge. Each step of their count above
//! that keeps a place, and each step back gives one back: whose it was does not matter, nor that the husk may be
//! taken out before it has been counted.
//!
//! No wake-up is lost, because all happens to one word, in one order. Who goes to wait raises the flag, under the
//! lock of the line, and then looks for room once more. Who leaves finds the flag in what it took its place from, and
//! then, under the lock, whoever stands in the line; or it came before the flag, and then its place is seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::task::{Poll, Waker};

use crate::ground::sync::{AtomicUsize, Mutex, Ordering};

/// Somebody stands in the line.
const AWAITED: usize = 1;
/// A place that is taken.
const PLACE: usize = 2;

/// Where the count of husks begins: it may fall below that for a moment.
const NO_HUSKS: usize = usize::MAX / 2;

/// See the module.
pub(crate) struct Room {
    most: usize,
    word: AtomicUsize,
    /// Husks, and [`NO_HUSKS`].
    husks: AtomicUsize,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    /// Those who wait, by their tickets: the lowest came first.
    waiting: BTreeMap<u64, Waker>,
    /// For these a place has been taken, and they have not come for it yet.
    granted: BTreeSet<u64>,
    next_ticket: u64,
    closed: bool,
}

/// Nobody is let in any more who has to wait.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// A place in the line.
#[derive(Debug)]
pub(crate) struct Ticket(u64);

impl Room {
    pub(crate) fn new(most: usize) -> Self {
        // Half of all numbers is more than there is memory for.
        let most = most.min(usize::MAX / PLACE / 2);
        Room { most, word: AtomicUsize::new(0), husks: AtomicUsize::new(NO_HUSKS), line: Mutex::new(Line::default()) }
    }

    /// How many places are taken.
    pub(crate) fn taken(&self) -> usize {
        self.word.load(Ordering::Relaxed) / PLACE
    }

    /// Takes a place if `refused` does not speak against it, nor the number of those taken.
    fn take_unless(&self, refused: usize) -> bool {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & refused != 0 || word / PLACE >= self.most {
                return false;
            }
            // Relaxed here and everywhere: the word orders its own steps, and hands on nothing else.
            match self.word.compare_exchange_weak(word, word + PLACE, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
    }

    /// Takes a place if there is one for which nobody waits.
    pub(crate) fn try_take(&self) -> bool {
        self.take_unless(AWAITED)
    }

    /// Takes a place, be there room or not.
    pub(crate) fn take(&self) {
        self.word.fetch_add(PLACE, Ordering::Relaxed);
    }

    /// Gives a place back. Returns whom to wake, outside of all locks.
    #[must_use]
    pub(crate) fn give_back(&self) -> Vec<Waker> {
        let before = self.word.fetch_sub(PLACE, Ordering::Relaxed);
        debug_assert!(before >= PLACE, "a place is given back that was not taken");
        if before & AWAITED == 0 {
            return Vec::new();
        }
        self.serve()
    }

    /// Work has been cancelled where it lies: its place is given back, unless too many husks lie there.
    #[must_use]
    pub(crate) fn leave_husk(&self) -> Vec<Waker> {
        let before = self.husks.fetch_add(1, Ordering::Relaxed);
        if before < NO_HUSKS + self.most { self.give_back() } else { Vec::new() }
    }

    /// A husk is out of its queue.
    #[must_use]
    pub(crate) fn husk_gone(&self) -> Vec<Waker> {
        let before = self.husks.fetch_sub(1, Ordering::Relaxed);
        if before > NO_HUSKS + self.most { self.give_back() } else { Vec::new() }
    }

    /// Lets in as many of those who wait as there is room for.
    #[cold]
    fn serve(&self) -> Vec<Waker> {
        let mut wakers = Vec::new();
        let mut line = self.line.lock();
        while !line.waiting.is_empty() && self.take_unless(0) {
            let (ticket, waker) = line.waiting.pop_first().expect("somebody waits");
            line.granted.insert(ticket);
            wakers.push(waker);
        }
        self.lower_flag(&line);
        wakers
    }

    /// Called under the lock, whenever somebody has left the line.
    fn lower_flag(&self, line: &Line) {
        if line.waiting.is_empty() {
            self.word.fetch_and(!AWAITED, Ordering::Relaxed);
        }
    }

    /// Takes a place, or stands in the line for one; the ticket is kept between the calls, and
    /// [left](Self::leave) if there is no further one.
    pub(crate) fn poll_take(&self, ticket: &mut Option<Ticket>, waker: &Waker) -> Poll<Result<(), Closed>> {
        let Some(held) = ticket else {
            if self.try_take() {
                return Poll::Ready(Ok(()));
            }
            // Foreign code: outside of the lock.
            let waker = waker.clone();
            let mut line = self.line.lock();
            if line.closed {
                drop(line);
                return Poll::Ready(Err(Closed));
            }
            #[cfg(not(mutant = "room_flag_after_look"))]
            self.word.fetch_or(AWAITED, Ordering::Relaxed);
            // After the flag, lest a place that comes free just now be missed.
            if line.waiting.is_empty() && self.take_unless(0) {
                self.lower_flag(&line);
                drop(line);
                return Poll::Ready(Ok(()));
            }
            #[cfg(mutant = "room_flag_after_look")]
            self.word.fetch_or(AWAITED, Ordering::Relaxed);
            let number = line.next_ticket;
            line.next_ticket += 1;
            line.waiting.insert(number, waker);
            *ticket = Some(Ticket(number));
            return Poll::Pending;
        };
        let number = held.0;
        let mut fresh = None;
        loop {
            let mut line = self.line.lock();
            if line.granted.remove(&number) {
                *ticket = None;
                drop(line);
                return Poll::Ready(Ok(()));
            }
            let Some(left) = line.waiting.get_mut(&number) else {
                *ticket = None;
                drop(line);
                return Poll::Ready(Err(Closed));
            };
            if left.will_wake(waker) {
                return Poll::Pending;
            }
            if let Some(fresh) = fresh.take() {
                let displaced = std::mem::replace(left, fresh);
                drop(line);
                drop(displaced);
                return Poll::Pending;
            }
            drop(line);
            fresh = Some(waker.clone());
        }
    }

    /// Leaves the line. A place that has been taken for the ticket goes to the next. Returns whom to wake.
    #[must_use]
    pub(crate) fn leave(&self, ticket: Ticket) -> Vec<Waker> {
        let mut line = self.line.lock();
        let waker = line.waiting.remove(&ticket.0);
        let granted = line.granted.remove(&ticket.0);
        if waker.is_some() {
            self.lower_flag(&line);
        }
        drop(line);
        drop(waker);
        #[cfg(not(mutant = "room_leaver_keeps_place"))]
        if granted {
            return self.give_back();
        }
        Vec::new()
    }

    /// From now on nobody stands in the line. Returns those who did, to be woken.
    #[must_use]
    pub(crate) fn close(&self) -> Vec<Waker> {
        let mut line = self.line.lock();
        line.closed = true;
        let all = std::mem::take(&mut line.waiting);
        self.lower_flag(&line);
        drop(line);
        all.into_values().collect()
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room").field("most", &self.most).field("taken", &self.taken()).finish_non_exhaustive()
    }
}
