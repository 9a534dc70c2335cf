//! `par_bridge`: any plain iterator, of which several threads take items by turns.
//!
//! The iterator lies behind a lock, and each piece of the loop takes one item after the other from it. `next` is the
//! user's code and runs under the lock, so it matters who waits for the lock: if `next` itself waits for work of the
//! pool, and that work is done by a thread that waits for the lock, nobody ever goes on.
//!
//! On a thread whose stack consists of parts of one another, there is no such wait below a piece of the loop: what
//! `next` waits for was begun after the piece, and is no part of it. So there a piece waits for the lock. Where
//! something unrelated may lie below it (a `join` under [`RunAnything`](crate::WaitPolicy::RunAnything), a
//! `yield_now`), and if the lock is taken by the same thread, further down, the piece ends instead. So does a piece
//! that waits, if it comes to wait for long and whoever has the lock runs something unrelated: that may be a piece of
//! the same loop, a part of which is the one that waits. If all pieces have ended and the iterator has not, the loop
//! begins again.

use std::mem;
use std::time::Duration;

use parking_lot::MutexGuard;

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
            holder: AtomicUsize::new(NOBODY),
            barred: AtomicBool::new(false),
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
    /// Whether a piece has ended because it was not its turn.
    gave_up: AtomicBool,
    /// The slot of the thread that has the lock, or had it last.
    holder: AtomicUsize,
    /// Whoever has the lock must not be waited for.
    barred: AtomicBool,
}

/// A holder without a slot: then there are no other pieces.
const NOBODY: usize = usize::MAX;

struct Source<Iter> {
    iter: Iter,
    /// Whether `next` may be called: it has neither returned `None` nor panicked.
    open: bool,
}

/// How often a piece that must not wait asks for the lock.
const ATTEMPTS: u32 = 64;

/// How long a piece waits for the lock before it looks what the holder does.
const LOOK: Duration = Duration::from_millis(1);

impl<Iter: Iterator> Shared<Iter> {
    fn has_ended(&self) -> bool {
        // Only saves going for the lock.
        self.ended.load(Ordering::Relaxed)
    }

    /// The next item; none also if it is not our turn and we must not wait.
    fn next(&self, may_wait: bool) -> Option<Iter::Item> {
        if self.has_ended() {
            return None;
        }
        let source = if may_wait && !self.is_barred() { self.lock() } else { self.try_lock() };
        let Some(mut source) = source else {
            self.gave_up.store(true, Ordering::Relaxed);
            return None;
        };
        // Relaxed, both: whoever waits for us looks again.
        self.holder.store(current::with_owned(|slot| slot.map_or(NOBODY, |slot| slot.index)), Ordering::Relaxed);
        self.barred.store(false, Ordering::Relaxed);
        // If `next` unwinds, the source stays closed.
        let item = if mem::replace(&mut source.open, false) { source.iter.next() } else { None };
        source.open = item.is_some();
        if item.is_none() {
            self.ended.store(true, Ordering::Relaxed);
        }
        item
    }

    /// Waits for the lock; none if its holder must not be waited for.
    fn lock(&self) -> Option<MutexGuard<'_, Source<Iter>>> {
        loop {
            if let Some(source) = self.source.try_lock_for(LOOK) {
                return Some(source);
            }
            if self.holder_is_mixed() {
                self.barred.store(true, Ordering::Relaxed);
                return None;
            }
        }
    }

    fn is_barred(&self) -> bool {
        self.barred.load(Ordering::Relaxed)
    }

    /// Whether the thread that has the lock runs something unrelated, perhaps on top of `next`.
    fn holder_is_mixed(&self) -> bool {
        let holder = self.holder.load(Ordering::Relaxed);
        current::with(|slot| slot.and_then(|slot| slot.shared().slot(holder)).is_some_and(|slot| !slot.is_pure()))
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
        // A piece that must not wait, for itself or for the holder, ends for good when it is not its turn: no rest of it may try again.
        if self.shared.has_ended() || items >= self.most || !may_wait() || self.shared.is_barred() {
            return Ok((self, None));
        }
        let rest = if self.most == usize::MAX { self.most } else { self.most - items };
        Ok((self.of(items), Some(self.of(rest))))
    }

    fn fold_with<F: Folder<Iter::Item>>(self, mut folder: F) -> F {
        let may_wait = may_wait();
        for _ in 0..self.most {
            if folder.full() {
                break;
            }
            let Some(item) = self.shared.next(may_wait) else { break };
            folder = folder.consume(item);
        }
        folder
    }
}
