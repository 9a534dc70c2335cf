//! A loop in pieces that are fixed beforehand, each of which somebody is preferred for.
//!
//! The pieces lie in a row, and as many turns are given out as there are pieces, by an ordinary loop. Whoever gets a
//! turn claims a piece: one that it is preferred for, if there is one left, or else one that nobody is preferred for,
//! or else anybody's. So a thread that is late loses pieces to others, and nobody waits for it.

use std::fmt;
use std::sync::Arc;

use crate::ground::sync::{AtomicBool, AtomicUsize, Mutex, Ordering};
use crate::par::bridge::bridge_freely;
use crate::par::into::IntoParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder, Producer};
use crate::work::install::current_thread_index;

/// Nobody is preferred.
pub(crate) const NOBODY: usize = usize::MAX;

/// Who is preferred for which piece of a loop: what
/// [`with_partitioning`](crate::iter::IndexedParallelIterator::with_partitioning) and
/// [`with_affinity`](crate::iter::IndexedParallelIterator::with_affinity) tell the bridge by way of
/// [`Producer::owners`].
#[derive(Clone)]
pub struct Owners {
    /// For each piece the index of a thread. Whoever has run a piece is entered here, if `learn` is set.
    of: Arc<[AtomicUsize]>,
    learn: bool,
    /// Whether a piece, once begun, stays with its thread to the end.
    whole: bool,
}

impl Owners {
    /// Thread `i` is preferred for piece `i`, and runs all of it.
    pub(crate) fn each_one(threads: usize) -> Self {
        Owners { of: (0..threads).map(AtomicUsize::new).collect(), learn: false, whole: true }
    }

    /// Whoever ran a piece before is preferred for it.
    pub(crate) fn as_before(of: &Arc<[AtomicUsize]>) -> Self {
        Owners { of: Arc::clone(of), learn: true, whole: false }
    }
}

impl fmt::Debug for Owners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owners").finish_non_exhaustive()
    }
}

struct Piece<P, C> {
    producer: P,
    len: usize,
    consumer: C,
    place: Place,
}

impl<P: Producer, C: Consumer<P::Item>> Piece<P, C> {
    fn run(self, whole: bool) -> C::Result {
        if !whole || self.len > self.producer.max_len() {
            return bridge_freely(self.len, self.producer, self.consumer, self.place);
        }
        let folder = self.consumer.into_folder(self.place);
        if self.consumer.full() || folder.full() {
            return folder.complete();
        }
        self.producer.fold_with(folder).complete()
    }
}

/// What becomes of a piece.
struct Turn<P, C, R> {
    piece: Mutex<Option<Piece<P, C>>>,
    result: Mutex<Option<R>>,
}

/// Runs a producer of `len` items in as many pieces as there are in `owners`, but none shorter than the producer
/// allows.
pub(crate) fn run<P, C>(len: usize, producer: P, owners: &Owners, consumer: C, place: Place) -> C::Result
where
    P: Producer,
    C: Consumer<P::Item>,
{
    let count = owners.of.len().min(len / producer.min_len().max(1));
    if count < 2 {
        return bridge_freely(len, producer, consumer, place);
    }
    let turns = cut(producer, len, count, consumer, place);
    let claimed: Vec<AtomicBool> = (0..count).map(|_| AtomicBool::new(false)).collect();
    give_turns(count, &|| {
        let me = current_thread_index().unwrap_or(NOBODY);
        let index = claim(&claimed, &owners.of, me).expect("there are as many turns as pieces");
        if owners.learn {
            // Relaxed: a guess, which orders nothing.
            owners.of[index].store(me, Ordering::Relaxed);
        }
        let piece = turns[index].piece.lock().take().expect("it has been claimed once");
        let result = piece.run(owners.whole);
        *turns[index].result.lock() = Some(result);
    });
    let results = turns.into_iter().map(|turn| turn.result.into_inner().expect("every piece has been run"));
    results.reduce(|left, right| consumer.reduce(left, right)).expect("there are pieces")
}

/// The ordinary loop. Not generic: every loop's code has a call of it.
fn give_turns(count: usize, turn: &(dyn Fn() + Sync)) {
    (0..count).into_par_iter().for_each(|_| turn());
}

/// Pieces of equal length, from left to right.
fn cut<P, C>(mut producer: P, len: usize, count: usize, consumer: C, place: Place) -> Vec<Turn<P, C, C::Result>>
where
    P: Producer,
    C: Consumer<P::Item>,
{
    let mut place = place.over(len);
    let mut turns = Vec::with_capacity(count);
    let mut add = |producer, len, place| {
        let piece = Mutex::new(Some(Piece { producer, len, consumer, place }));
        turns.push(Turn { piece, result: Mutex::new(None) });
    };
    let mut left = len;
    for pieces in (2..=count).rev() {
        let items = left / pieces;
        let (front, back) = producer.split_at(items);
        let (front_place, back_place) = place.split_at(items);
        add(front, items, front_place);
        (producer, place) = (back, back_place);
        left -= items;
    }
    add(producer, left, place);
    turns
}

/// Claims a piece for the thread `me`.
fn claim(claimed: &[AtomicBool], owners: &[AtomicUsize], me: usize) -> Option<usize> {
    // Relaxed: what belongs to a piece goes through its lock.
    let owner = |index: usize| owners[index].load(Ordering::Relaxed);
    let try_claim =
        |index: usize| !claimed[index].load(Ordering::Relaxed) && !claimed[index].swap(true, Ordering::Relaxed);
    let mine = (0..claimed.len()).filter(|index| owner(*index) == me);
    let free = (0..claimed.len()).filter(|index| owner(*index) == NOBODY);
    // From the other end: owners go from left to right.
    let any = (0..claimed.len()).rev();
    mine.chain(free).chain(any).find(|index| try_claim(*index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_gets_his_own_first_then_what_is_free_then_any() {
        let claimed: Vec<AtomicBool> = (0..6).map(|_| AtomicBool::new(false)).collect();
        let owners: Vec<AtomicUsize> = [0, 1, NOBODY, 1, 0, 2].map(AtomicUsize::new).into();
        let order: Vec<Option<usize>> = (0..7).map(|_| claim(&claimed, &owners, 1)).collect();
        assert_eq!(order, [Some(1), Some(3), Some(2), Some(5), Some(4), Some(0), None]);
    }
}
