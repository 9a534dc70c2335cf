//! `par_bridge`: any plain iterator, of which several threads take items by turns.
//!
//! The iterator lies behind a lock, and each piece of the loop takes one item after the other from it. `next` is the
//! user's code and runs under the lock, so it matters who waits for the lock: if `next` itself waits for work of the
//! pool, and that work is done by a thread that waits for the lock, nobody ever goes on.
//!
//! On a thread whose stack consists of parts of one another, there is no such wait below a piece of the loop: what
//! `next` waits for was begun after the piece, and is no part of it. So there a piece waits for the lock. Where
//! something unrelated may lie below it (a `join` under [`RunAnything`](crate::WaitPolicy::RunAnything), a
//! `yield_now`), and if the lock is taken by the same thread, further down, the piece ends instead; and it gives no
//! parts away, for which it would have to wait, and which would wait for the lock on other threads. It also
//! ends after a while of its own accord, since it may be the only piece that is left. If all pieces have ended and the
//! iterator has not, the loop begins again.
//!
//! Who waits for long gives its seat up, for others may be needed for what `next` waits for; and it runs what is
//! broadcast, for which `next` may wait as well. As long as half as many as there are workers wait so, pieces keep
//! their rest to themselves: one thread more would only wait, too, and give its seat to yet another, until the pool has
//! no spare threads left.

use std::mem;
use std::time::Duration;

use parking_lot::MutexGuard;

use crate::core::away;
use crate::ground::clock::Since;
use crate::ground::sync::{AtomicBool, AtomicUsize, Mutex, Ordering, spin_loop};
use crate::par::bridge::bridge_unindexed;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder, UnindexedProducer};
use crate::pool::current;
use crate::pool::slot::Slot;

/// What makes a parallel iterator of a plain one.
pub trait ParallelBridge: Sized {
    /// Becomes a parallel iterator, whose items come in no particular order.
    ///
    /// For iterators that cannot be split: lines of a file, what comes out of a channel. All threads take their items
    /// from the one iterator, under a lock, so it pays only if what is done with an item takes much longer than to get
    /// it. What can be split (a range, a slice, a vector) is better served by
    /// [`into_par_iter`](crate::iter::IntoParallelIterator::into_par_iter).
    ///
    /// `next` should not block for long: a worker that waits for its turn does nothing else. It may use the pool.
    ///
    /// # Panics
    /// If the iterator panics, so does the loop; no more items are taken.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// for i in 0..10 {
    ///     sender.send(i).unwrap();
    /// }
    /// drop(sender);
    /// let mut squares: Vec<i32> = receiver.into_iter().par_bridge().map(|i| i * i).collect();
    /// squares.sort();
    /// assert_eq!(squares[9], 81);
    /// ```
    fn par_bridge(self) -> IterBridge<Self>;
}

impl<T> ParallelBridge for T
where
    T: Iterator<Item: Send> + Send,
{
    fn par_bridge(self) -> IterBridge<Self> {
        IterBridge { iter: self }
    }
}

/// Made by [`par_bridge`](ParallelBridge::par_bridge).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct IterBridge<Iter> {
    iter: Iter,
}

impl<Iter> ParallelIterator for IterBridge<Iter>
where
    Iter: Iterator<Item: Send> + Send,
{
    type Item = Iter::Item;

    fn drive<C: Consumer<Iter::Item>>(self, consumer: C, place: Place) -> C::Result {
        let shared = Shared {
            source: Mutex::new(Source { iter: self.iter, open: true }),
            ended: AtomicBool::new(false),
            gave_up: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
        };
        let round = |place| bridge_unindexed(Turns { shared: &shared, most: usize::MAX }, consumer, place);
        let (first, mut left) = place.split();
        let mut result = round(first);
        // A piece gives up when it is not its turn and it must not wait, and that may have been the last of them. Now
        // nobody has the lock.
        while shared.gave_up.swap(false, Ordering::Relaxed) && !shared.has_ended() && !consumer.full_at(left.label()) {
            let (next, rest) = left.split();
            left = rest;
            result = consumer.reduce(result, round(next));
        }
        result
    }
}

struct Shared<Iter> {
    source: Mutex<Source<Iter>>,
    /// Whether the source was seen closed.
    ended: AtomicBool,
    /// Whether a piece has ended though the source may not have.
    gave_up: AtomicBool,
    /// Threads that have waited for the lock for long.
    waiting: AtomicUsize,
}

struct Source<Iter> {
    iter: Iter,
    /// Whether `next` may be called: it has neither returned `None` nor panicked.
    open: bool,
}

/// How often a piece that must not wait asks for the lock.
const ATTEMPTS: u32 = 64;

/// How many items a piece that gives nothing away takes between two looks whether it should end; and after which time it
/// does, so that the loop begins again where it can be shared.
const ALONE: usize = 8;
const ALONE_FOR: Duration = Duration::from_millis(1);

/// How long a piece waits for the lock with its seat; and how long at most until it looks for mail, later on.
const FIRST_LOOK: Duration = Duration::from_millis(1);
const LAST_LOOK: Duration = Duration::from_millis(8);

impl<Iter: Iterator> Shared<Iter> {
    /// Whether as many threads wait for the lock as to make one more of little use.
    fn is_crowded(&self) -> bool {
        let waiting = self.waiting.load(Ordering::Relaxed);
        waiting > 0 && current::with(|slot| slot.is_none_or(|slot| 2 * waiting >= slot.shared().workers()))
    }

    fn has_ended(&self) -> bool {
        // Only saves going for the lock.
        self.ended.load(Ordering::Relaxed)
    }

    /// The next item; none also if it is not our turn and we must not wait.
    fn next(&self, may_wait: bool) -> Option<Iter::Item> {
        if self.has_ended() {
            return None;
        }
        let mut source = if may_wait {
            self.lock()
        } else {
            let Some(source) = self.try_lock() else {
                self.gave_up.store(true, Ordering::Relaxed);
                return None;
            };
            source
        };
        // If `next` unwinds, the source stays closed.
        let item = if mem::replace(&mut source.open, false) { source.iter.next() } else { None };
        source.open = item.is_some();
        if item.is_none() {
            self.ended.store(true, Ordering::Relaxed);
        }
        item
    }

    fn lock(&self) -> MutexGuard<'_, Source<Iter>> {
        self.source.try_lock_for(FIRST_LOOK).unwrap_or_else(|| current::with(|slot| self.lock_patiently(slot)))
    }

    #[cold]
    fn lock_patiently(&self, slot: Option<&Slot>) -> MutexGuard<'_, Source<Iter>> {
        let Some(slot) = slot else {
            // A loop out of any pool is one piece.
            return self.source.lock();
        };
        let _absence = slot.shared().absence();
        let _waiting = Waiting::new(&self.waiting);
        let mut look = FIRST_LOOK;
        loop {
            // What lies on the fork stack is not published: it is mostly more of this loop.
            if let Some(source) = away::without_seat(slot, || self.source.try_lock_for(look)) {
                return source;
            }
            slot.run_mail();
            // Nobody else may be awake to look at them.
            slot.shared().fire_timers();
            look = (look * 2).min(LAST_LOOK);
        }
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, Source<Iter>>> {
        (0..ATTEMPTS).find_map(|_| {
            let source = self.source.try_lock();
            if source.is_none() {
                spin_loop();
            }
            source
        })
    }
}

/// While it lives, a thread is counted as waiting for long.
struct Waiting<'w>(&'w AtomicUsize);

impl<'w> Waiting<'w> {
    fn new(count: &'w AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Waiting(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether this thread may wait for a lock that is held while the user's code runs: see at the top.
fn may_wait() -> bool {
    current::with(|slot| slot.is_none_or(Slot::is_pure))
}

/// The right to take items, but no more than `most`.
struct Turns<'s, Iter> {
    shared: &'s Shared<Iter>,
    most: usize,
}

impl<Iter> Turns<'_, Iter> {
    fn of(&self, most: usize) -> Self {
        Turns { shared: self.shared, most }
    }
}

impl<Iter: Iterator + Send> UnindexedProducer for Turns<'_, Iter> {
    type Item = Iter::Item;

    fn split(self) -> (Self, Option<Self>) {
        if self.shared.has_ended() || self.most < 2 {
            (self, None)
        } else if self.most == usize::MAX {
            let right = self.of(usize::MAX);
            (self, Some(right))
        } else {
            let half = self.most / 2;
            (self.of(half), Some(self.of(self.most - half)))
        }
    }

    fn split_front(self, items: usize) -> Result<(Self, Option<Self>), Self> {
        let items = items.max(1);
        // A piece that must not wait ends for good when it is not its turn: no rest of it may try again.
        if self.shared.has_ended() || items >= self.most || !may_wait() {
            return Ok((self, None));
        }
        let rest = if self.most == usize::MAX { self.most } else { self.most - items };
        Ok((self.of(items), Some(self.of(rest))))
    }

    fn may_share(&self) -> bool {
        may_wait() && !self.shared.is_crowded()
    }

    fn fold_with<F: Folder<Iter::Item>>(self, mut folder: F) -> F {
        let may_wait = may_wait();
        let began = if may_wait { None } else { Some(Since::now()) };
        for taken in 0..self.most {
            if folder.full() {
                break;
            }
            if taken % ALONE == ALONE - 1 && began.is_some_and(|began| began.passed(ALONE_FOR)) {
                self.shared.gave_up.store(true, Ordering::Relaxed);
                break;
            }
            let Some(item) = self.shared.next(may_wait) else { break };
            folder = folder.consume(item);
        }
        folder
    }
}
